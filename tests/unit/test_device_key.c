/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CryptoCell as the real firmware uses it: on its first start with blank external flash, Device OS makes
 * the device's key pair with the TRNG, the AES engine (for its random bit generator) and thousands of
 * operations of the PKA, and stores it in the DCT. Hogweed must find the same public point for the private
 * number.
 */
#include "core/machine.h"
#include "image/dct.h"
#include "image/module.h"
#include "image/store.h"
#include "mbr/mbr_image.h"

#include <criterion/criterion.h>
#include <nettle/bignum.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <stdlib.h>
#include <string.h>

#define VERSION          "2.0.1"
#define LITTLEFS_BLOCKS  512u
#define KEY_FIELD        "alt_device_private_key"
#define BOOTLOADER       0xf4000u
#define MBR_PARAMETERS   0x2f000u
#define UICR_BOOTLOADER  0x14u
#define LONGEST_START_MS 4000u
#define UNCOMPRESSED     0x04

static void install(struct machine *machine, const char *kind)
{
    struct diag why = {0};
    uint8_t *data = NULL;
    size_t size = 0;
    struct module module;
    struct module_bytes bytes;
    cr_assert_eq(store_load(&machine->board->images, VERSION, kind, &data, &size, &why), 0, "%s", why.text);
    cr_assert_eq(module_parse(data, size, &module, &why), MODULE_OK, "%s", why.text);
    cr_assert_eq(module_device_bytes(&module, &bytes, &why), MODULE_OK, "%s", why.text);
    nor_load(machine_array(machine, "internal"), bytes.address, bytes.bytes, (uint32_t)bytes.length);
    module_bytes_free(&bytes);
    free(data);
}

static struct machine *new_device(const struct board *board, uint64_t seed)
{
    static const char *const kinds[] = {"bootloader", "softdevice", "system-part1", "tinker"};
    static const uint32_t uicr[] = {BOOTLOADER, MBR_PARAMETERS};
    struct diag why = {0};
    struct machine_options options = {.seed = seed, .speed = CPU_ALL_TRICKS};
    struct machine *machine = calloc(1, sizeof *machine);
    cr_assert_not_null(machine);
    cr_assert_eq(machine_init(machine, board, &options, &why), 0, "%s", why.text);
    nor_load(machine_array(machine, "internal"), 0, sosim_mbr, (uint32_t)sosim_mbr_size);
    nor_load(machine_array(machine, "uicr"), UICR_BOOTLOADER, (const uint8_t *)uicr, sizeof uicr);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        install(machine, kinds[i]);
    return machine;
}

/* Reads the key field as it is now; false while there is no DCT or no key in it. */
static bool read_key(struct machine *machine, uint8_t *key, size_t size)
{
    struct nor *external = machine_array(machine, "external");
    struct lfs_image image;
    struct lfs_fs fs;
    uint8_t dct[DCT_SIZE];
    if (lfs_image_init(&image, external->data, external->size, LITTLEFS_BLOCKS, NULL) ||
        lfs_image_mount(&image, &fs, NULL) || dct_load(&fs, dct, NULL))
        return false;
    const struct dct_field *field = dct_find(KEY_FIELD);
    cr_assert_eq(field->size, size);
    memcpy(key, dct + field->offset, size);
    return key[0] != 0xff;
}

static void run_until_key(struct machine *machine, uint8_t *key, size_t size)
{
    for (unsigned ms = 0; ms < LONGEST_START_MS; ms += 100) {
        cr_assert_eq(machine_run(machine, machine->bus.clock.now + 100 * CYCLES_PER_MS), MACHINE_TIME, "%s",
                     machine_failure(machine));
        if (read_key(machine, key, size))
            return;
    }
    cr_assert(false, "no key after %u ms", LONGEST_START_MS);
}

/* RFC 5915: SEQUENCE { INTEGER 1, OCTET STRING private, [0] curve, [1] { BIT STRING 04 x y } }. */
static void expect_pair(const uint8_t *key)
{
    static const uint8_t public_at[] = {0xa1, 0x44, 0x03, 0x42, 0x00, UNCOMPRESSED};
    cr_assert_eq(key[0], 0x30);
    cr_assert_eq(key[5], 0x04, "no private number where it is expected");
    size_t end = 2u + key[1];
    cr_assert_arr_eq(key + end - 70, public_at, sizeof public_at);
    mpz_t secret, x, y, stored;
    mpz_inits(x, y, NULL);
    nettle_mpz_init_set_str_256_u(secret, key[6], key + 7);
    struct ecc_scalar scalar;
    struct ecc_point point;
    ecc_scalar_init(&scalar, nettle_get_secp_256r1());
    ecc_point_init(&point, nettle_get_secp_256r1());
    cr_assert(ecc_scalar_set(&scalar, secret), "the private number is out of range");
    ecc_point_mul_g(&point, &scalar);
    ecc_point_get(&point, x, y);
    nettle_mpz_init_set_str_256_u(stored, 32, key + end - 64);
    cr_expect_eq(mpz_cmp(x, stored), 0, "x of the public key");
    nettle_mpz_set_str_256_u(stored, 32, key + end - 32);
    cr_expect_eq(mpz_cmp(y, stored), 0, "y of the public key");
    ecc_point_clear(&point);
    ecc_scalar_clear(&scalar);
    mpz_clears(secret, x, y, stored, NULL);
}

Test(device_key, the_first_start_makes_a_key_pair_that_belongs_together)
{
    struct diag why = {0};
    struct board board;
    uint8_t keys[2][192];
    cr_assert_eq(board_load(&board, "boron", &why), 0, "%s", why.text);
    for (unsigned i = 0; i < 2; i++) {
        struct machine *machine = new_device(&board, i + 1);
        machine_power_on(machine, RAM_CLEARED);
        run_until_key(machine, keys[i], sizeof keys[i]);
        expect_pair(keys[i]);
        machine_destroy(machine);
        free(machine);
    }
    cr_expect_arr_neq(keys[0], keys[1], sizeof keys[0], "the key does not depend on the seed");
    board_free(&board);
}

Test(device_key, the_second_start_keeps_it)
{
    struct diag why = {0};
    struct board board;
    uint8_t first[192];
    uint8_t second[192];
    cr_assert_eq(board_load(&board, "boron", &why), 0, "%s", why.text);
    struct machine *machine = new_device(&board, 1);
    machine_power_on(machine, RAM_CLEARED);
    run_until_key(machine, first, sizeof first);
    cr_assert_eq(machine_run(machine, machine->bus.clock.now + 500 * CYCLES_PER_MS), MACHINE_TIME);
    machine_power_off(machine);
    cr_assert_eq(machine_run(machine, machine->bus.clock.now + 10 * CYCLES_PER_SECOND), MACHINE_TIME);
    machine_power_on(machine, RAM_DECAYED);
    cr_assert_eq(machine_run(machine, machine->bus.clock.now + 1500 * CYCLES_PER_MS), MACHINE_TIME);
    cr_assert(read_key(machine, second, sizeof second));
    cr_expect_arr_eq(first, second, sizeof first);
    machine_destroy(machine);
    free(machine);
    board_free(&board);
}
