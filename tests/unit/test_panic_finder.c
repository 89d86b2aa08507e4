/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The panic functions of the published images. Oracle for 2.0.1: found by hand in a disassembly. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "image/module.h"
#include "image/panic_finder.h"
#include "image/store.h"

static struct board_images boron;

static void open_board(void)
{
    struct diag why;
    cr_assert_eq(board_images_load("boron", &boron, &why), 0, "%s", why.text);
}

static void close_board(void)
{
    board_images_free(&boron);
}

TestSuite(panic_finder, .init = open_board, .fini = close_board);

static struct module_bytes load(const char *version, const char *kind)
{
    struct module_bytes bytes;
    struct module module;
    struct diag why;
    uint8_t *data;
    size_t length;
    cr_assert_eq(store_load(&boron, version, kind, &data, &length, &why), STORE_OK, "%s", why.text);
    cr_assert_eq(module_parse(data, length, &module, &why), MODULE_OK, "%s", why.text);
    cr_assert_eq(module_device_bytes(&module, &bytes, &why), MODULE_OK, "%s", why.text);
    free(data);
    return bytes;
}

static struct panic_function find(const char *version, const char *kind)
{
    struct panic_function found = {0};
    struct module_bytes bytes = load(version, kind);
    cr_expect(panic_find(bytes.bytes, bytes.length, bytes.address, &found), "%s of %s", kind, version);
    cr_expect_geq(found.address, bytes.address);
    cr_expect_lt(found.address, bytes.address + bytes.length);
    /* It begins by saving registers: PUSH, or its 32-bit form. */
    uint32_t at = found.address - bytes.address;
    cr_expect(bytes.bytes[at + 1] == 0xb5 || (bytes.bytes[at] == 0x2d && bytes.bytes[at + 1] == 0xe9),
              "%s of %s: 0x%x begins with %02x %02x", kind, version, found.address, bytes.bytes[at],
              bytes.bytes[at + 1]);
    module_bytes_free(&bytes);
    return found;
}

Test(panic_finder, the_functions_of_2_0_1_are_those_found_by_hand)
{
    cr_expect_eq(find("2.0.1", "bootloader").address, 0xF7C70);
    cr_expect_eq(find("2.0.1", "system-part1").address, 0x31240);
}

Test(panic_finder, every_published_version_has_one_in_each_part)
{
    for (size_t i = 0; i < boron.release_count; i++) {
        cr_expect_gt(find(boron.releases[i].version, "bootloader").calls, 50);
        cr_expect_gt(find(boron.releases[i].version, "system-part1").calls, 50);
    }
}

Test(panic_finder, a_user_program_has_none)
{
    struct panic_function found;
    struct module_bytes bytes = load("2.0.1", "tinker");
    cr_expect_not(panic_find(bytes.bytes, bytes.length, bytes.address, &found));
    module_bytes_free(&bytes);
}

Test(panic_finder, short_code_is_no_trouble)
{
    struct panic_function found;
    const uint8_t code[4] = {0, 0xf0, 0, 0xf8};
    for (size_t length = 0; length <= sizeof code; length++)
        cr_expect_not(panic_find(code, length, 0, &found));
    cr_expect(panic_is_return_address(code, 4, 0x100, 0x105));
    cr_expect_not(panic_is_return_address(code, 4, 0x100, 0x103));
    cr_expect_not(panic_is_return_address(code, 4, 0x100, 0x107));
    cr_expect_not(panic_is_return_address(code, 4, 0x100, 0));
}
