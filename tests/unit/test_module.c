/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/module.h"

#include <criterion/criterion.h>
#include <string.h>

#include "image/board_images.h"
#include "image/bytes.h"
#include "image/digest.h"
#include "image/module_set.h"
#include "image/store.h"
#include "samples.h"

/* Whether some problem of `lines` contains `words`. */
static bool mentions(const struct text_lines *lines, const char *words)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (strstr(lines->line[i], words)) {
            return true;
        }
    }
    return false;
}

static int parse_sample(const char *name, struct module *module)
{
    struct sample sample = sample_read(name);
    return module_parse(sample.data, sample.len, module, NULL);
}

static void assert_problem(const char *name, const char *words)
{
    struct module module;
    cr_assert_eq(parse_sample(name, &module), MODULE_HAS_PROBLEMS, "%s was accepted", name);
    cr_assert(mentions(&module.problems, words), "%s: \"%s\" expected, first problem is \"%s\"", name, words,
              module.problems.line[0]);
}

Test(module, reads_a_header_at_the_start)
{
    struct module module;
    cr_assert_eq(parse_sample("user.bin", &module), MODULE_OK, "%s", module.problems.line[0]);
    cr_assert_eq(module.header_at, 0);
    cr_assert_eq(module.start, 0xd4000);
    cr_assert_eq(module.end, 0xd4000 + 24 + 2048 + 36);
    cr_assert_eq(module.function, MODULE_FUNCTION_USER_PART);
    cr_assert_eq(module.index, 1);
    cr_assert_eq(module.version, 7);
    cr_assert_eq(module.platform, 13);
    cr_assert_eq(module.dependencies[0].function, MODULE_FUNCTION_SYSTEM_PART);
    cr_assert_eq(module.dependencies[0].version, 326);
    cr_assert_eq(module.dependencies[1].function, MODULE_FUNCTION_NONE);
}

Test(module, reads_a_header_behind_vectors)
{
    struct module module;
    cr_assert_eq(parse_sample("bootloader.bin", &module), MODULE_OK, "%s", module.problems.line[0]);
    cr_assert_eq(module.header_at, 0x200);
    cr_assert_eq(module.version, 1005);
}

Test(module, hash_is_that_of_python)
{
    static const char *const names[][2] = {{"user.bin", "user-hash.txt"}, {"radio.bin", "radio-hash.txt"}};
    for (size_t i = 0; i < 2; i++) {
        struct module module;
        char hex[SHA256_HEX_SIZE];
        cr_assert_eq(parse_sample(names[i][0], &module), MODULE_OK, "%s", module.problems.line[0]);
        bytes_to_hex(module.sha256_computed, MODULE_SHA256_SIZE, hex);
        cr_assert_str_eq(hex, (char *)sample_read(names[i][1]).data);
        cr_assert_eq(module.sha256, MODULE_CHECK_GOOD);
    }
}

Test(module, names_every_kind_of_damage)
{
    assert_problem("damaged.bin", (char *)sample_read("damaged.txt").data);
    assert_problem("damaged.bin", "SHA-256 wrong");
    assert_problem("bad-hash.bin", "SHA-256 wrong");
    assert_problem("platform-77.bin", "platform id 77");
    assert_problem("function-99.bin", "module function 99");
    assert_problem("past-flash.bin", "1 MiB");
    assert_problem("in-mbr.bin", "MBR");
    assert_problem("compressed-method.bin", "method 1");
    assert_problem("compressed-long.bin", "ends after");
    assert_problem("compressed-short.bin", "more than");
    assert_problem("compressed-huge.bin", "4294967295");
}

Test(module, bad_hash_leaves_the_crc_good)
{
    struct module module;
    cr_assert_eq(parse_sample("bad-hash.bin", &module), MODULE_HAS_PROBLEMS);
    cr_assert_eq(module.crc, MODULE_CHECK_GOOD);
    cr_assert_eq(module.problems.count, 1);
}

Test(module, every_shorter_file_is_truncated)
{
    struct sample sample = sample_read("user.bin");
    struct module module;
    for (size_t len = 0; len < sample.len; len++) {
        int result = module_parse(sample.data, len, &module, NULL);
        if (len < MODULE_HEADER_SIZE) {
            cr_assert_eq(result, MODULE_NOT_A_MODULE, "%zu bytes", len);
        } else {
            cr_assert_eq(result, MODULE_HAS_PROBLEMS, "%zu bytes", len);
            cr_assert(mentions(&module.problems, "truncated: the header says 2112 bytes"), "%zu bytes", len);
            cr_assert_eq(module.crc, MODULE_CHECK_IMPOSSIBLE, "%zu bytes", len);
        }
    }
}

Test(module, trailing_bytes_are_counted)
{
    struct sample sample = sample_read("user.bin");
    struct module module;
    struct diag why;
    uint8_t *longer = calloc(1, sample.len + 3);
    memcpy(longer, sample.data, sample.len);
    cr_assert_eq(module_parse(longer, sample.len + 3, &module, &why), MODULE_HAS_PROBLEMS);
    cr_assert_str_eq(why.text, "oversized: 3 bytes follow the module's end at offset 0x840");
    cr_assert_eq(module.crc, MODULE_CHECK_GOOD);
    free(longer);
}

Test(module, every_single_bit_matters)
{
    struct sample sample = sample_read("user.bin");
    struct module module;
    for (size_t bit = 0; bit < 8 * sample.len; bit++) {
        sample.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_neq(module_parse(sample.data, sample.len, &module, NULL), MODULE_OK, "bit %zu", bit);
        sample.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

Test(module, text_and_blank_flash_are_no_modules)
{
    uint8_t bytes[1024];
    struct module module;
    static const uint8_t fillings[] = {0x00, 0xff, 'A'};
    for (size_t i = 0; i < sizeof(fillings); i++) {
        memset(bytes, fillings[i], sizeof(bytes));
        cr_assert_eq(module_parse(bytes, sizeof(bytes), &module, NULL), MODULE_NOT_A_MODULE);
    }
    cr_assert_eq(module_parse(NULL, 0, &module, NULL), MODULE_NOT_A_MODULE);
}

static void assert_device_bytes(const char *name, uint32_t address, const uint8_t *bytes, size_t len)
{
    struct module module;
    struct module_bytes out;
    struct diag why;
    struct sample sample = sample_read(name);
    module_parse(sample.data, sample.len, &module, NULL);
    cr_assert_eq(module_device_bytes(&module, &out, &why), MODULE_OK, "%s", why.text);
    cr_assert_eq(out.address, address);
    cr_assert_eq(out.length, len);
    cr_assert_arr_eq(out.bytes, bytes, len);
    module_bytes_free(&out);
}

Test(module, flash_gets_what_the_flags_say)
{
    struct sample user = sample_read("user.bin");
    struct sample radio = sample_read("radio.bin");
    assert_device_bytes("user.bin", 0xd4000, user.data, user.len);
    assert_device_bytes("radio.bin", 0x1000, radio.data + 24, radio.len - 24);
    assert_device_bytes("compressed.bin", 0xd4000, user.data, user.len);
}

Test(module, combined_files_are_taken_apart)
{
    struct sample sample = sample_read("combined.bin");
    struct module_file file;
    cr_assert_eq(module_file_parse(sample.data, sample.len, &file, NULL), MODULE_OK, "%s",
                 file.problems.line[0]);
    cr_assert_eq(file.count, 2);
    cr_assert_eq(file.modules[0].function, MODULE_FUNCTION_RADIO_STACK);
    cr_assert_eq(file.modules[1].function, MODULE_FUNCTION_USER_PART);
    cr_assert_eq(file.modules[0].length + file.modules[1].length, sample.len);

    sample.data[sample.len - 100] ^= 1;
    cr_assert_eq(module_file_parse(sample.data, sample.len, &file, NULL), MODULE_HAS_PROBLEMS);
    cr_assert(mentions(&file.problems, "module 2: CRC-32 wrong"), "%s", file.problems.line[0]);
}

Test(module, combined_with_nothing_is_a_problem)
{
    struct sample sample = sample_read("combined-lonely.bin");
    struct module_file file;
    cr_assert_eq(module_file_parse(sample.data, sample.len, &file, NULL), MODULE_HAS_PROBLEMS);
    cr_assert(mentions(&file.problems, "combined, but"), "%s", file.problems.line[0]);
}

/* The vendor's own files: their CRC and hash were not made by anything in this project. */
static void load_published(struct board_images *board, const char *version, const char *kind,
                           struct module *module)
{
    uint8_t *data;
    size_t len;
    struct diag why;
    cr_assert_eq(store_load(board, version, kind, &data, &len, &why), STORE_OK, "%s", why.text);
    cr_assert_eq(module_parse(data, len, module, &why), MODULE_OK, "%s %s: %s", version, kind, why.text);
}

static void load_boron(struct board_images *board)
{
    struct diag why;
    cr_assert_eq(board_images_load("boron", board, &why), 0, "%s", why.text);
}

Test(module, every_published_image_is_good)
{
    struct board_images board;
    load_boron(&board);
    size_t seen = 0;
    for (size_t i = 0; i < board.release_count; i++) {
        for (size_t j = 0; j < board.releases[i].image_count; j++) {
            struct module module;
            load_published(&board, board.releases[i].version, board.releases[i].images[j].kind, &module);
            cr_assert_eq(module.platform, board.platform_id);
            seen++;
        }
    }
    cr_assert_eq(seen, 32);
}

Test(module, dependencies_of_releases)
{
    struct board_images board;
    load_boron(&board);
    struct module modules[4];
    const struct module *set[4] = {&modules[0], &modules[1], &modules[2], &modules[3]};
    load_published(&board, "2.0.1", "bootloader", &modules[0]);
    load_published(&board, "2.0.1", "softdevice", &modules[1]);
    load_published(&board, "2.0.1", "system-part1", &modules[2]);
    load_published(&board, "2.0.1", "tinker", &modules[3]);
    struct text_lines report = {0};
    cr_assert_eq(modules_check_dependencies(set, 4, &report), 0, "%s", report.line[0]);

    load_published(&board, "1.5.2", "bootloader", &modules[0]);
    cr_assert_eq(modules_check_dependencies(set, 4, &report), 1);
    cr_assert_str_eq(report.line[0], "system part 1, version 2011 needs bootloader, version 1005 or later; "
                                     "there is version 502");
    report.count = 0;
    cr_assert_eq(modules_check_dependencies(set + 3, 1, &report), 1);
    cr_assert_str_eq(report.line[0],
                     "user part 1, version 5 needs system part 1, version 326 or later; there is none");
}

static void put_in_flash(struct board_images *board, const char *kind, uint8_t *flash)
{
    struct module module;
    struct module_bytes bytes;
    load_published(board, "2.0.1", kind, &module);
    cr_assert_eq(module_device_bytes(&module, &bytes, NULL), MODULE_OK);
    memcpy(flash + bytes.address, bytes.bytes, bytes.length);
    module_bytes_free(&bytes);
}

Test(module, finds_modules_in_flash)
{
    enum { FLASH_SIZE = 0x100000 };
    static const uint32_t starts[] = {0x1000, 0x30000, 0xb4000, 0xd4000, 0xf4000};
    struct board_images board;
    struct module_found found[5];
    load_boron(&board);
    uint8_t *flash = malloc(FLASH_SIZE);
    memset(flash, 0xff, FLASH_SIZE);
    put_in_flash(&board, "softdevice", flash);
    put_in_flash(&board, "system-part1", flash);
    put_in_flash(&board, "bootloader", flash);
    memset(flash + 0xd4000, 0x5a, 4096);
    flash[0xf5000] ^= 1;

    module_find_in_flash(flash, FLASH_SIZE, starts, 5, found);
    cr_assert_eq(found[0].presence, MODULE_PRESENT);
    cr_assert_eq(found[0].function, MODULE_FUNCTION_RADIO_STACK);
    cr_assert_eq(found[0].version, 202);
    cr_assert_not(found[0].has_crc);
    cr_assert_eq(found[1].presence, MODULE_PRESENT);
    cr_assert_eq(found[1].version, 2011);
    cr_assert(found[1].crc_good);
    cr_assert_eq(found[2].presence, MODULE_ABSENT);
    cr_assert_eq(found[3].presence, MODULE_UNREADABLE);
    cr_assert_eq(found[4].version, 1005);
    cr_assert_not(found[4].crc_good);

    memset(flash, 0xff, FLASH_SIZE);
    module_find_in_flash(flash, FLASH_SIZE, starts, 5, found);
    for (size_t i = 0; i < 5; i++) {
        cr_assert_eq(found[i].presence, MODULE_ABSENT);
    }
    free(flash);
}

Test(module, a_padded_module_is_good_and_keeps_its_program)
{
    struct sample original = sample_read("user.bin");
    uint8_t *data = malloc(original.len);
    size_t length = original.len;
    struct diag why;
    struct module module;
    memcpy(data, original.data, length);
    cr_assert_eq(module_pad(&data, &length, 40000, &why), MODULE_OK, "%s", why.text);
    cr_assert_eq(length, 40000);
    cr_assert_eq(module_parse(data, length, &module, &why), MODULE_OK, "%s", why.text);
    cr_assert_eq(module.end, 0xd4000 + 40000 - 4);
    cr_assert_eq(module.version, 7);
    cr_assert_arr_eq(data + 24, original.data + 24, 2048);
    cr_assert_eq(data[24 + 2048], 0xff);
    free(data);
}

Test(module, what_cannot_be_padded_stays_as_it_is)
{
    struct sample original = sample_read("user.bin");
    uint8_t *data = malloc(original.len);
    size_t length = original.len;
    struct diag why;
    memcpy(data, original.data, length);
    cr_assert_eq(module_pad(&data, &length, length - 1, &why), MODULE_NOT_POSSIBLE);
    data[100] ^= 1;
    cr_assert_eq(module_pad(&data, &length, 40000, &why), MODULE_HAS_PROBLEMS);
    cr_assert_eq(length, original.len);
    free(data);
}

Test(module, checksums_are_made_for_a_module_that_has_none)
{
    struct sample original = sample_read("user.bin");
    uint8_t *data = malloc(original.len);
    struct diag why;
    memcpy(data, original.data, original.len);
    memset(data + original.len - 38, 0xff, 32);
    memset(data + original.len - 4, 0xff, 4);
    cr_assert_eq(module_seal(data, original.len, &why), MODULE_OK, "%s", why.text);
    cr_expect_arr_eq(data, original.data, original.len);
    cr_expect_eq(module_seal(data, original.len - 1, &why), MODULE_NOT_POSSIBLE);
    cr_expect_eq(module_seal(data, 10, &why), MODULE_NOT_A_MODULE);
    cr_expect_arr_eq(data, original.data, original.len);
    free(data);
}
