/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/dct.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FLASH_SIZE (LFS_BLOCK_COUNT * LFS_BLOCK_SIZE)

struct bench {
    uint8_t *flash;
    struct lfs_fs fs;
    struct diag diag;
};

static void must(int err, const struct diag *diag)
{
    cr_assert(zero(int, err), "%s", diag->text);
}

static struct bench with_dct(void)
{
    struct bench b = {.flash = malloc(FLASH_SIZE)};
    struct lfs_image img;
    cr_assert(b.flash != NULL);
    memset(b.flash, 0xFF, FLASH_SIZE);
    must(lfs_image_init(&img, b.flash, FLASH_SIZE, LFS_BLOCK_COUNT, &b.diag), &b.diag);
    must(lfs_image_format(&img, &b.diag), &b.diag);
    must(lfs_image_mount(&img, &b.fs, &b.diag), &b.diag);
    must(dct_create(&b.fs, &b.diag), &b.diag);
    return b;
}

/* A field of the file, as text. */
static void get(struct bench *b, const char *name, char *text, size_t size)
{
    uint8_t dct[DCT_SIZE];
    const struct dct_field *field = dct_find(name);
    must(dct_load(&b->fs, dct, &b->diag), &b->diag);
    dct_format(field, dct + field->offset, text, size);
}

Test(dct, fields_cover_every_byte_once)
{
    uint32_t next = 0;
    for (size_t i = 0; i < dct_field_count; i++) {
        cr_expect(eq(u32, dct_fields[i].offset, next), "%s", dct_fields[i].name);
        cr_expect(gt(u16, dct_fields[i].size, 0), "%s", dct_fields[i].name);
        next = (uint32_t)dct_fields[i].offset + dct_fields[i].size;
    }
    cr_expect(eq(u32, next, DCT_SIZE));
}

/* Offsets that the device's own source asserts (dct.h, STATIC_ASSERT_DCT_OFFSET). */
Test(dct, offsets_are_the_firmwares)
{
    static const struct {
        const char *name;
        uint32_t offset;
    } known[] = {{"system_flags.header", 0},
                 {"system_flags.factory_reset_done", 17},
                 {"system_flags.rcc_csr", 20},
                 {"version", 32},
                 {"device_private_key", 34},
                 {"device_public_key", 1250},
                 {"ip_config.config_mode", 1634},
                 {"ota_update_flag", 1753},
                 {"feature_flags", 1754},
                 {"country_code", 1758},
                 {"claim_code", 1762},
                 {"claimed", 1825},
                 {"ssid_prefix", 1826},
                 {"device_code", 1852},
                 {"version_string", 1858},
                 {"dns_resolve", 1890},
                 {"reserved1", 2018},
                 {"server_public_key", 2082},
                 {"padding", 2850},
                 {"flash_modules[0].magic_number", 2852},
                 {"flash_modules[1].magic_number", 2872},
                 {"flash_modules[4].magic_number", 2932},
                 {"product_store", 2952},
                 {"antenna_selection", 2976},
                 {"cloud_transport", 2977},
                 {"alt_device_public_key", 2978},
                 {"alt_device_private_key", 3106},
                 {"alt_server_public_key", 3298},
                 {"alt_server_address", 3490},
                 {"device_id", 3618},
                 {"radio_flags", 3630},
                 {"mode_button_mirror.pin", 3631},
                 {"led_mirror[0].version", 3663},
                 {"led_theme", 3759},
                 {"eap_config.type", 3823},
                 {"device_secret", 8119},
                 {"setup_done", 8134},
                 {"ncp_id", 8135},
                 {"power_config.flags", 8139},
                 {"radio_antenna", 8171},
                 {"reserved2", 8172}};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        const struct dct_field *field = dct_find(known[i].name);
        cr_assert(field != NULL, "%s", known[i].name);
        cr_expect(eq(u32, field->offset, known[i].offset), "%s", known[i].name);
    }
    cr_expect(dct_find("no_such_field") == NULL);
}

Test(dct, new_one_is_erased)
{
    struct bench b = with_dct();
    uint8_t dct[DCT_SIZE];
    must(dct_load(&b.fs, dct, &b.diag), &b.diag);
    for (size_t i = 0; i < DCT_SIZE; i++)
        cr_assert(eq(u8, dct[i], 0xFF));
    cr_expect(eq(int, dct_create(&b.fs, &b.diag), LFS_ERR_EXIST));
    free(b.flash);
}

/* CRC-32 of the flash after the device's own code (LittleFS v1.7.2) went the bootloader's way on an erased
 * one. */
Test(dct, first_start_equals_the_bootloaders)
{
    struct bench b = with_dct();
    must(lfs_mkdir(&b.fs, "/usr", &b.diag), &b.diag);
    cr_expect(eq(u32, (uint32_t)crc32(0, b.flash, FLASH_SIZE), 0x809EB852));
    free(b.flash);
}

Test(dct, text_round_trips_and_lands_at_the_field)
{
    static const struct {
        const char *name, *in, *out;
    } cases[] = {{"setup_done", "done", "done"},
                 {"setup_done", "1", "done"},
                 {"setup_done", "7", "0x7"},
                 {"ota_update_flag", "0xA5", "set"},
                 {"claimed", "claimed", "claimed"},
                 {"flash_modules[1].magic_number", "pending", "pending"},
                 {"flash_modules[2].source_address", "0x289000", "0x289000"},
                 {"feature_flags", "4294967294", "0xfffffffe"},
                 {"claim_code", "abc+DEF/123", "abc+DEF/123"},
                 {"claim_code", "", ""},
                 {"device_secret", "ABCDEFGHIJKLMNO", "ABCDEFGHIJKLMNO"},
                 {"device_secret", "hex:00ff", "hex:00ffffffffffffffffffffffffffff"},
                 {"device_secret", "erased", "erased"},
                 {"country_code", "5553", "5553ffff"},
                 {"country_code", "erased", "erased"},
                 {"ncp_id", "erased", "0xffffffff"}};
    struct bench b = with_dct();
    char text[128];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        must(dct_set(&b.fs, cases[i].name, cases[i].in, &b.diag), &b.diag);
        get(&b, cases[i].name, text, sizeof(text));
        cr_expect(eq(str, text, (char *)cases[i].out), "%s", cases[i].name);
    }
    uint8_t magic[2];
    must(lfs_file_read(&b.fs, DCT_PATH, 2872, magic, 2, &b.diag), &b.diag);
    cr_expect(magic[0] == 0xCD && magic[1] == 0xAB);
    free(b.flash);
}

Test(dct, every_field_takes_back_what_it_shows)
{
    static char text[2 * DCT_SIZE];
    static uint8_t in[DCT_SIZE], out[DCT_SIZE];
    struct diag diag;
    for (unsigned seed = 0; seed < 50; seed++) {
        for (size_t i = 0; i < DCT_SIZE; i++)
            in[i] = (uint8_t)(seed == 0   ? 0xFF
                              : seed == 1 ? 0
                              : seed == 2 ? 'a' + i % 26
                                          : (i * 31 + seed * 7) >> seed % 3);
        for (size_t i = 0; i < dct_field_count; i++) {
            const struct dct_field *field = &dct_fields[i];
            dct_format(field, in + field->offset, text, sizeof(text));
            must(dct_parse(field, text, out, &diag), &diag);
            cr_expect(memcmp(in + field->offset, out, field->size) == 0, "%s: %s", field->name, text);
        }
    }
}

Test(dct, refuses_what_does_not_fit)
{
    static const char *const cases[][2] = {{"setup_done", "256"},   {"setup_done", "-1"},
                                           {"setup_done", "maybe"}, {"setup_done", ""},
                                           {"setup_done", "1x"},    {"ncp_id", "0x100000000"},
                                           {"country_code", "123"}, {"country_code", "1234567890"},
                                           {"country_code", "zz"},  {"device_secret", "sixteen letters!"},
                                           {"no_such_field", "1"}};
    struct bench b = with_dct();
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        diag_clear(&b.diag);
        cr_expect(eq(int, dct_set(&b.fs, cases[i][0], cases[i][1], &b.diag), LFS_ERR_INVAL), "%s",
                  cases[i][0]);
        cr_expect(strstr(b.diag.text, cases[i][0]) != NULL, "%s", b.diag.text);
    }
    free(b.flash);
}

Test(dct, slots)
{
    const struct dct_slot in = {.magic_number = DCT_SLOT_PENDING,
                                .source_device = DCT_EXTERNAL_FLASH,
                                .destination_device = DCT_INTERNAL_FLASH,
                                .source_address = 0x289000,
                                .destination_address = 0xD4000,
                                .length = 12345,
                                .flags = 0x0E,
                                .module_function = 5};
    struct bench b = with_dct();
    struct dct_slot out;
    char text[32];
    must(dct_slot_set(&b.fs, 1, &in, &b.diag), &b.diag);
    must(dct_slot_get(&b.fs, 1, &out, &b.diag), &b.diag);
    cr_expect(eq(u32, out.source_address, in.source_address));
    cr_expect(eq(u32, out.length, in.length));
    get(&b, "flash_modules[1].module_function", text, sizeof(text));
    cr_expect(eq(str, text, "user_part"));
    get(&b, "flash_modules[1].destination_address", text, sizeof(text));
    cr_expect(eq(str, text, "0xd4000"));
    get(&b, "flash_modules[1].reserved", text, sizeof(text));
    cr_expect(eq(str, text, "erased"));
    cr_expect(eq(int, dct_slot_get(&b.fs, 5, &out, &b.diag), LFS_ERR_INVAL));
    free(b.flash);
}

static void collect(void *ctx, const struct dct_field *field, const char *was, const char *is)
{
    char *all = ctx;
    size_t used = strlen(all);
    snprintf(all + used, 512 - used, "%s: %s -> %s\n", field->name, was, is);
}

Test(dct, diff_names_the_fields)
{
    struct bench b = with_dct();
    uint8_t was[DCT_SIZE], is[DCT_SIZE];
    char all[512] = "";
    must(dct_load(&b.fs, was, &b.diag), &b.diag);
    cr_expect(eq(sz, dct_diff(was, was, collect, all), 0));
    must(dct_set(&b.fs, "setup_done", "done", &b.diag), &b.diag);
    must(dct_set(&b.fs, "flash_modules[3].magic_number", "pending", &b.diag), &b.diag);
    must(dct_load(&b.fs, is, &b.diag), &b.diag);
    cr_expect(eq(sz, dct_diff(was, is, collect, all), 2));
    cr_expect(eq(str, all, "flash_modules[3].magic_number: free -> pending\nsetup_done: not_done -> done\n"));
    free(b.flash);
}

Test(dct, wrong_size_is_told)
{
    struct bench b = with_dct();
    uint8_t dct[DCT_SIZE];
    must(lfs_file_replace(&b.fs, DCT_PATH, dct, 100, &b.diag), &b.diag);
    cr_expect(eq(int, dct_load(&b.fs, dct, &b.diag), LFS_ERR_INVAL));
    cr_expect(eq(str, b.diag.text, "/sys/dct.bin has 100 bytes, not 8391"));
    cr_expect(eq(int, dct_set(&b.fs, "setup_done", "1", &b.diag), LFS_ERR_INVAL));
    free(b.flash);
}
