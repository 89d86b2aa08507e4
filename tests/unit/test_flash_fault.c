/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/flash_fault.h"

#include <criterion/criterion.h>
#include <string.h>

#define SIZE 0x4000u
#define PAGE 0x1000u

struct bench {
    struct signals signals;
    uint64_t now;
    struct nor nor;
    struct flash_plan plan;
};

static void make(struct bench *bench, const char *name, const char *id)
{
    struct diag why;
    memset(bench, 0, sizeof *bench);
    signals_init(&bench->signals, &bench->now);
    cr_assert_eq(nor_init(&bench->nor, name, SIZE, PAGE, &bench->signals), 0);
    cr_assert_eq(flash_fault_parse(id, &bench->plan.fault, &why), 0, "%s", why.text);
    bench->plan.seed = 1;
    bench->nor.fault = flash_plan_ask;
    bench->nor.fault_context = &bench->plan;
}

static unsigned bits_set(const uint8_t *bytes, uint32_t size)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit++)
            count += bytes[i] >> bit & 1;
    }
    return count;
}

static const uint8_t word[4] = {0x0f, 0x00, 0xff, 0x55};

Test(flash_fault, ids_come_back_as_they_were)
{
    static const char *const ids[] = {"int:1b",  "ext:812t3",          "uicr:7a", "otp:2x",
                                      "int:99w", "ext:123456789012d2", "int:5s32"};
    char id[FLASH_FAULT_ID_SIZE];
    struct flash_fault fault;
    struct diag why;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        cr_assert_eq(flash_fault_parse(ids[i], &fault, &why), 0, "%s", ids[i]);
        cr_assert_str_eq(flash_fault_id(&fault, id), ids[i]);
    }
}

Test(flash_fault, bad_ids_are_refused_with_words)
{
    static const char *const ids[] = {
        "",       "int",    "int:",    "int:b",   "int:0b",  "flash:1b", "int:1",
        "int:1t", "int:1q", "int:1bb", "int:1t0", "int:-1b", "int:1t1x", "ext:99999999999999999999b"};
    struct flash_fault fault;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct diag why = {{0}};
        cr_assert_eq(flash_fault_parse(ids[i], &fault, &why), -1, "%s", ids[i]);
        cr_assert_neq(strlen(why.text), 0);
    }
}

Test(flash_fault, a_cut_before_changes_nothing_and_ends_all)
{
    struct bench bench;
    make(&bench, "internal", "int:2b");
    cr_assert_eq(nor_program(&bench.nor, 0, word, 4), NOR_FAULT_NONE);
    cr_assert_eq(nor_program(&bench.nor, 4, word, 4), NOR_FAULT_CUT);
    cr_assert_eq(nor_program(&bench.nor, 8, word, 4), NOR_FAULT_CUT);
    cr_assert_arr_eq(bench.nor.data, word, 4);
    cr_assert_eq(bits_set(bench.nor.data + 4, 8), 64);
    nor_destroy(&bench.nor);
}

Test(flash_fault, a_cut_after_lets_it_happen)
{
    struct bench bench;
    make(&bench, "internal", "int:1a");
    cr_assert_eq(nor_program(&bench.nor, 0, word, 4), NOR_FAULT_CUT);
    cr_assert_arr_eq(bench.nor.data, word, 4);
    nor_destroy(&bench.nor);
}

Test(flash_fault, only_its_own_array_is_struck)
{
    struct bench bench;
    make(&bench, "external", "int:1b");
    cr_assert_eq(nor_program(&bench.nor, 0, word, 4), NOR_FAULT_NONE);
    nor_destroy(&bench.nor);
}

/* Every way of tearing a word leaves each bit as it was or as it was to be, and not all of either. */
Test(flash_fault, a_torn_word_has_some_of_its_bits)
{
    const struct flash_op op = {.array = "internal", .number = 9, .kind = NOR_PROGRAM, .size = 4};
    uint8_t first[4], second[4];
    for (unsigned variant = 1; variant <= 40; variant++) {
        uint8_t cells[4] = {0xff, 0xff, 0xff, 0xf5};
        flash_tear(cells, &op, word, variant, 1);
        for (unsigned i = 0; i < 4; i++) {
            uint8_t before = i == 3 ? 0xf5 : 0xff;
            cr_assert_eq(cells[i] & (before & word[i]), before & word[i], "a bit too many was cleared");
            cr_assert_eq(cells[i] & ~before, 0, "a bit rose");
        }
        if (variant < 5)
            cr_assert(memcmp(cells, "\xff\xff\xff\xf5", 4) && memcmp(cells, "\x0f\x00\xff\x55", 4));
        if (variant <= 2)
            memcpy(variant == 1 ? first : second, cells, 4);
    }
    /* The first two ways complement each other. */
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(first[i] & second[i], (i == 3 ? 0xf5 : 0xff) & word[i]);
}

Test(flash_fault, a_torn_page_program_has_its_first_bytes)
{
    const struct flash_op op = {.array = "external", .number = 3, .kind = NOR_PROGRAM, .size = 256};
    uint8_t data[256], cells[256];
    memset(data, 0xa5, sizeof data);
    memset(cells, 0xff, sizeof cells);
    flash_tear(cells, &op, data, 1, 1);
    for (unsigned i = 0; i < 128; i++)
        cr_assert_eq(cells[i], 0xa5);
    cr_assert(cells[128] != 0xa5 && cells[128] != 0xff);
    for (unsigned i = 129; i < 256; i++)
        cr_assert_eq(cells[i], 0xff);
    memset(cells, 0xff, sizeof cells);
    flash_tear(cells, &op, data, 3, 1);
    cr_assert_eq(cells[254], 0xa5);
    cr_assert_neq(cells[255], 0xa5);
}

Test(flash_fault, a_torn_erase_sets_the_share_of_bits)
{
    const struct flash_op op = {.array = "external", .number = 4, .kind = NOR_ERASE, .size = PAGE};
    static const unsigned share[] = {0, 128, 16, 240};
    static uint8_t cells[PAGE], again[PAGE];
    for (unsigned variant = 1; variant <= 3; variant++) {
        memset(cells, 0, sizeof cells);
        memset(again, 0, sizeof again);
        flash_tear(cells, &op, NULL, variant, 1);
        flash_tear(again, &op, NULL, variant, 1);
        cr_assert_arr_eq(cells, again, PAGE, "the same fault, other cells");
        unsigned expected = PAGE * 8 * share[variant] / 256, saw = bits_set(cells, PAGE);
        cr_assert(saw > expected * 9 / 10 && saw < expected * 11 / 10, "%u bits, not about %u", saw,
                  expected);
    }
    flash_tear(again, &op, NULL, 3, 2);
    cr_assert(memcmp(cells, again, PAGE), "the seed does not matter");
}

Test(flash_fault, a_dropped_write_is_reported_as_done)
{
    struct bench bench;
    make(&bench, "internal", "int:1x");
    cr_assert_neq(nor_program(&bench.nor, 0, word, 4), NOR_FAULT_CUT);
    cr_assert_eq(bits_set(bench.nor.data, 4), 32);
    cr_assert_eq(nor_program(&bench.nor, 4, word, 4), NOR_FAULT_NONE);
    cr_assert_arr_eq(bench.nor.data + 4, word, 4);
    nor_destroy(&bench.nor);
}

Test(flash_fault, a_doubled_write_also_lands_next_to_it)
{
    struct bench bench;
    make(&bench, "internal", "int:1w");
    nor_program(&bench.nor, 0, word, 4);
    cr_assert_arr_eq(bench.nor.data, word, 4);
    cr_assert_arr_eq(bench.nor.data + 4, word, 4);
    nor_destroy(&bench.nor);
    make(&bench, "internal", "int:1w");
    cr_assert_neq(nor_program(&bench.nor, SIZE - 4, word, 4), NOR_FAULT_CUT);
    nor_destroy(&bench.nor);
}

Test(flash_fault, a_disturbed_write_costs_one_bit_more)
{
    struct bench bench;
    const uint8_t nothing[4] = {0xff, 0xff, 0xff, 0xff};
    make(&bench, "external", "ext:1d1");
    nor_program(&bench.nor, 0x1800, nothing, 4);
    cr_assert_eq(bits_set(bench.nor.data, SIZE), SIZE * 8 - 1);
    nor_destroy(&bench.nor);
}

Test(flash_fault, worn_cells_stay_cleared)
{
    struct bench bench;
    make(&bench, "external", "ext:1s8");
    nor_erase(&bench.nor, PAGE, PAGE);
    unsigned after = bits_set(bench.nor.data + PAGE, PAGE);
    cr_assert(after < PAGE * 8 && after >= PAGE * 8 - 8);
    nor_erase(&bench.nor, PAGE, PAGE);
    cr_assert_eq(bits_set(bench.nor.data + PAGE, PAGE), after);
    nor_erase(&bench.nor, 0, PAGE);
    cr_assert_eq(bits_set(bench.nor.data, PAGE), PAGE * 8);
    nor_destroy(&bench.nor);
}
