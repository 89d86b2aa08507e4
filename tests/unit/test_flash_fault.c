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
    static const char *const ids[] = {"int:1b",   "ext:812t3", "uicr:7a",
                                      "otp:2x",   "int:99w",   "ext:123456789012d2",
                                      "int:5s32", "int:7t1u",  "uicr:1u3"};
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
    static const char *const ids[] = {"",         "int",      "int:",    "int:b",
                                      "int:0b",   "flash:1b", "int:1",   "int:1t",
                                      "int:1q",   "int:1bb",  "int:1t0", "int:-1b",
                                      "int:1t1x", "int:1bu",  "int:1u",  "ext:99999999999999999999b"};
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

/* How many of `reads` reads of a byte differ from the one before. */
static unsigned changes(struct nor *nor, uint32_t address, unsigned reads)
{
    unsigned count = 0;
    nor_about_to_read(nor, address, 1);
    for (unsigned i = 0; i < reads; i++) {
        uint8_t before = nor->data[address];
        nor_about_to_read(nor, address, 1);
        count += nor->data[address] != before;
    }
    return count;
}

Test(flash_fault, unstable_cells_read_one_way_and_the_other_until_they_are_written)
{
    struct bench bench;
    make(&bench, "external", "ext:1b");
    bench.nor.fault = NULL;
    cr_assert_eq(nor_unsettle(&bench.nor, 5, 0x81), 0);
    unsigned ones = 0;
    for (unsigned i = 0; i < 1000; i++) {
        nor_about_to_read(&bench.nor, 4, 4);
        ones += bench.nor.data[5] & 1;
        cr_assert_eq(bench.nor.data[5] | 0x81, 0xff, "stable cells changed");
        cr_assert_eq(bench.nor.data[4] & bench.nor.data[6], 0xff);
    }
    cr_expect(ones > 400 && ones < 600, "%u of 1000", ones);
    /* A program settles the cells that it clears and no others. */
    cr_assert_eq(nor_program(&bench.nor, 5, (const uint8_t[]){0x7f}, 1), NOR_FAULT_NONE);
    unsigned high = 0;
    for (unsigned i = 0; i < 100; i++) {
        nor_about_to_read(&bench.nor, 5, 1);
        high |= bench.nor.data[5] & 0x80;
    }
    cr_expect_eq(high, 0);
    cr_expect_gt(changes(&bench.nor, 5, 100), 20);
    cr_assert_eq(nor_erase(&bench.nor, 0, PAGE), NOR_FAULT_NONE);
    cr_expect_eq(changes(&bench.nor, 5, 100), 0);
    cr_expect_eq(bench.nor.data[5], 0xff);
    nor_destroy(&bench.nor);
}

Test(flash_fault, unstable_reads_are_the_same_from_a_snapshot)
{
    struct bench bench;
    struct state state = {0};
    uint8_t first[64];
    make(&bench, "external", "ext:1b");
    cr_assert_eq(nor_unsettle(&bench.nor, 5, 0xff), 0);
    cr_assert_eq(nor_stick(&bench.nor, 9, 3, false), 0);
    changes(&bench.nor, 5, 10);
    state_begin_save(&state);
    nor_save(&bench.nor, &state);
    cr_assert_eq(state.error, 0);
    for (unsigned i = 0; i < sizeof first; i++) {
        nor_about_to_read(&bench.nor, 5, 1);
        first[i] = bench.nor.data[5];
    }
    nor_destroy(&bench.nor);
    make(&bench, "external", "ext:1b");
    cr_assert_eq(nor_unsettle(&bench.nor, 6, 0xff), 0);
    state_begin_load(&state);
    nor_save(&bench.nor, &state);
    cr_assert_eq(state.error, 0);
    for (unsigned i = 0; i < sizeof first; i++) {
        nor_about_to_read(&bench.nor, 5, 1);
        cr_assert_eq(bench.nor.data[5], first[i], "read %u", i);
    }
    cr_expect_eq(changes(&bench.nor, 6, 100), 0, "a cell of before the snapshot is still unstable");
    bench.nor.fault = NULL;
    nor_erase(&bench.nor, 0, PAGE);
    cr_expect_eq(bench.nor.data[9], 0xf7, "the stuck cell is gone");
    state_free(&state);
    nor_destroy(&bench.nor);
}

Test(flash_fault, a_torn_erase_may_leave_unstable_cells_among_those_that_were_0)
{
    struct bench bench;
    make(&bench, "internal", "int:2t1u");
    uint8_t zeros[16] = {0};
    nor_program(&bench.nor, PAGE, zeros, sizeof zeros);
    cr_assert_eq(nor_erase(&bench.nor, PAGE, PAGE), NOR_FAULT_CUT);
    cr_assert(nor_is_unstable(&bench.nor, PAGE, sizeof zeros));
    cr_expect_not(nor_is_unstable(&bench.nor, PAGE + sizeof zeros, PAGE - sizeof zeros));
    unsigned count = bits_set(bench.nor.unstable + PAGE, sizeof zeros);
    cr_expect(count > 4 && count < 32, "%u of 128", count);
    nor_destroy(&bench.nor);
}

Test(flash_fault, a_torn_word_may_leave_unstable_cells_among_those_to_be_cleared)
{
    struct bench bench;
    make(&bench, "internal", "int:1t2u");
    cr_assert_eq(nor_program(&bench.nor, 8, word, 4), NOR_FAULT_CUT);
    unsigned count = 0;
    for (unsigned i = 0; i < 4; i++) {
        cr_expect_eq(bench.nor.unstable[8 + i] & word[i], 0, "a cell that keeps its 1 is unstable");
        count += bits_set(bench.nor.unstable + 8 + i, 1);
    }
    cr_expect_gt(count, 2);
    cr_expect_not(nor_is_unstable(&bench.nor, 0, 8));
    cr_expect_not(nor_is_unstable(&bench.nor, 12, 100));
    nor_destroy(&bench.nor);
}

Test(flash_fault, a_weak_write_leaves_the_number_of_unstable_cells)
{
    struct bench bench;
    make(&bench, "uicr", "uicr:1u1");
    cr_assert_eq(nor_program(&bench.nor, 0, word, 4), NOR_FAULT_DROP);
    cr_expect_eq(bits_set(bench.nor.unstable, SIZE), 1);
    for (unsigned i = 0; i < 4; i++)
        cr_expect_eq(bench.nor.data[i], word[i], "it happens, all the same");
    nor_destroy(&bench.nor);
    make(&bench, "otp", "otp:1u6");
    cr_assert_eq(nor_erase(&bench.nor, 0, PAGE), NOR_FAULT_DROP);
    unsigned count = bits_set(bench.nor.unstable, SIZE);
    cr_expect(count && count <= 6);
    nor_destroy(&bench.nor);
}

Test(flash_fault, a_tear_can_be_said_exactly)
{
    const struct flash_op program = {.array = "internal", .number = 9, .kind = NOR_PROGRAM, .size = 4};
    const struct flash_op page = {.array = "external", .number = 9, .kind = NOR_PROGRAM, .size = 16};
    const struct flash_op erase = {.array = "external", .number = 4, .kind = NOR_ERASE, .size = PAGE};
    uint8_t cells[16] = {0xff, 0xff, 0xff, 0xff}, zeros[16] = {0};
    static uint8_t sector[PAGE];
    flash_tear_as(cells, &program, zeros, &(struct flash_tear){TEAR_BITS, 0x80000301, false}, 1);
    cr_expect_arr_eq(cells, "\xfe\xfc\xff\x7f", 4);
    memset(cells, 0xff, sizeof cells);
    flash_tear_as(cells, &page, zeros, &(struct flash_tear){TEAR_BYTES, 5, false}, 1);
    cr_expect_eq(bits_set(cells, 5), 0);
    cr_expect_eq(bits_set(cells + 5, 11), 88);
    flash_tear_as(sector, &erase, NULL, &(struct flash_tear){TEAR_SHARE, 64, false}, 1);
    unsigned saw = bits_set(sector, PAGE);
    cr_expect(saw > PAGE * 8 / 4 * 9 / 10 && saw < PAGE * 8 / 4 * 11 / 10, "%u", saw);
}

static void restore(struct nor *nor, struct state *state)
{
    state_begin_load(state);
    nor_save(nor, state);
    cr_assert_eq(state->error, 0);
}

/* A snapshot holds every page that is not erased, however its bits came to be what they are; put back, it
 * leaves nothing of what was there. */
Test(flash_fault, a_snapshot_holds_what_any_way_of_writing_left)
{
    static const char *const ids[] = {"int:9a",  "int:1t1", "int:1t1u", "int:1w",  "int:2x",  "int:1d1",
                                      "int:1d2", "int:1d3", "int:1d4",  "int:1u9", "int:1s64"};
    static const uint8_t zeros[PAGE];
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct bench from, to;
        struct state state = {0}, blank = {0};
        make(&from, "internal", ids[i]);
        make(&to, "internal", "int:9a");
        state_begin_save(&blank);
        nor_save(&from.nor, &blank);
        nor_load(&to.nor, 3 * PAGE, zeros, PAGE);
        /* Close to the next page, which some faults reach. */
        nor_program(&from.nor, PAGE - 4, word, 4);
        nor_erase(&from.nor, 2 * PAGE, PAGE);
        nor_about_to_read(&from.nor, 0, SIZE);
        state_begin_save(&state);
        nor_save(&from.nor, &state);
        restore(&to.nor, &state);
        cr_assert_arr_eq(to.nor.data, from.nor.data, SIZE, "%s", ids[i]);
        restore(&to.nor, &blank);
        cr_assert_eq(bits_set(to.nor.data, SIZE), 8 * SIZE, "%s", ids[i]);
        restore(&to.nor, &state);
        cr_assert_arr_eq(to.nor.data, from.nor.data, SIZE, "%s, again", ids[i]);
        nor_destroy(&from.nor);
        nor_destroy(&to.nor);
        state_free(&state);
        state_free(&blank);
    }
}
