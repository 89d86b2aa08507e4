/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sweeps with faults that leave power on, with unstable cells, and with RAM that outlives the cut. */
#include "ab_slot.h"
#include "scenario/sweep.h"

#include <criterion/criterion.h>
#include <string.h>

#define CODE_SIZE 64u
#define SLOT_SIZE (AB_HEADER_SIZE + CODE_SIZE)
#define WORDS     (SLOT_SIZE / 4)
/* What the copy of ab_sound does: two erases, the words, and one word for the mark. */
#define OPERATIONS (2u + WORDS + 1u)

static char *add_bytes(char *text, const char *address, const uint8_t *bytes, size_t size)
{
    text += sprintf(text, "{\"array\": \"internal\", \"address\": \"%s\", \"hex\": \"", address);
    for (size_t i = 0; i < size; i++)
        text += sprintf(text, "%02x", bytes[i]);
    return text + sprintf(text, "\"}, ");
}

static void parse(struct scenario *scenario, const char *text)
{
    struct diag why = {{0}};
    cr_assert_eq(scenario_parse(scenario, "x.json", text, strlen(text), &why), 0, "%s", why.text);
}

/* Version 2 waits in slot B of a bootloader, to replace version 1. */
static void load_ab(struct scenario *scenario, const char *guest)
{
    static char text[16 * SLOT_SIZE + 2048];
    uint8_t slot[SLOT_SIZE];
    char *at = text;
    at += sprintf(at, "{\"name\": \"ab\", \"board\": \"nrf52840\", ");
    at += sprintf(at, "\"modules\": [{\"file\": \"" TEST_FIRMWARE "/%s.bin\", \"address\": 0}], ", guest);
    at += sprintf(at, "\"state\": {\"start\": \"blank\", \"bytes\": [");
    ab_make_slot(slot, CODE_SIZE, 1);
    at = add_bytes(at, "0x8000", slot, sizeof slot);
    ab_make_slot(slot, CODE_SIZE, 2);
    at = add_bytes(at, "0xc000", slot, sizeof slot);
    sprintf(at, "{\"array\": \"internal\", \"address\": \"0x10000\", \"hex\": \"00000000\"}]}, \"expect\": "
                "[{\"memory\": {\"array\": \"ram\", \"address\": \"0x1000\", \"hex\": \"02000000\"}}]}");
    parse(scenario, text);
}

static void run(struct scenario *scenario, const struct sweep_options *options, struct sweep *sweep)
{
    struct diag why = {{0}};
    cr_assert_eq(sweep_run(scenario, options, "x", sweep, &why), 0, "%s", why.text);
}

static void classes_are(struct sweep *sweep, bool (*good)(const struct flash_fault *fault))
{
    for (size_t i = 0; i < sweep->point_count; i++) {
        const struct sweep_point *point = &sweep->points[i];
        char id[SWEEP_ID_SIZE];
        cr_expect_eq(point->class, good(&point->fault) ? SWEEP_SAME : SWEEP_UNMET, "%s: %s",
                     sweep_point_id(sweep, point, id), sweep_class_words(point->class));
    }
}

/* The bootloader does not read back what it wrote. So any lost word is fatal, but the mark: it copies again.
 * The second page holds nothing, and the slot's second word, its version, is in no checksum. */
static bool survives_a_drop(const struct flash_fault *fault)
{
    return fault->number == 2 || fault->number == 2 + 2 || fault->number == OPERATIONS;
}

Test(sweep_faults, each_dropped_operation_counts_as_it_must, .timeout = 120)
{
    const struct sweep_options options = {.struck = {[FLASH_DROPPED] = 1}, .jobs = 2};
    struct scenario scenario;
    struct sweep sweep;
    load_ab(&scenario, "ab_sound");
    run(&scenario, &options, &sweep);
    cr_assert_eq(sweep.point_count, OPERATIONS);
    classes_are(&sweep, survives_a_drop);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* Cells that cannot be erased are in the way only of what is erased and written after: here, the second time.
 */
static bool is_fine(const struct flash_fault *fault)
{
    (void)fault;
    return true;
}

static bool survives_wear(const struct flash_fault *fault)
{
    return fault->number > 1;
}

Test(sweep_faults, worn_cells_stay_worn_over_the_starts_that_follow, .timeout = 120)
{
    struct sweep_options options = {.struck = {[FLASH_WORN] = 9999}, .jobs = 2, .windows = 1};
    struct scenario scenario;
    struct sweep sweep;
    /* The first erase wears the page that is written next; the last write, that of the mark, only its own. */
    options.window[0] = (struct sweep_window){.array = "internal", .from = 1, .to = 1, .to_ms = 1e9};
    load_ab(&scenario, "ab_sound");
    run(&scenario, &options, &sweep);
    cr_assert_eq(sweep.point_count, 1);
    classes_are(&sweep, survives_wear);
    sweep_free(&sweep);
    options.window[0].from = options.window[0].to = 2;
    run(&scenario, &options, &sweep);
    classes_are(&sweep, is_fine);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

Test(sweep_faults, their_number_is_bounded, .timeout = 120)
{
    static char text[4096];
    struct sweep_options options = {.struck = {[FLASH_DROPPED] = 1, [FLASH_DISTURBED] = 2}, .jobs = 2};
    struct scenario scenario;
    struct sweep sweep;
    /* Lamp.bin writes for ever; it is watched for some 200 operations. */
    sprintf(text,
            "{\"name\": \"x\", \"modules\": [{\"file\": \"" TEST_FIRMWARE "/lamp.bin\", \"address\": 0}], "
            "\"state\": {\"start\": \"blank\"}, \"until\": {\"at_ms\": 20000}}");
    parse(&scenario, text);
    options.shards = 50;
    options.shard = 1;
    run(&scenario, &options, &sweep);
    /* The shard has 64 of 209 operations, 100 of which are struck, in three ways. */
    cr_expect(sweep.ops > 150, "%zu", sweep.ops);
    cr_expect(sweep.point_count >= 3 * 28 && sweep.point_count <= 3 * 34, "%zu of %zu", sweep.point_count,
              sweep.ops);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* The shortcut against the long way, for cells that are left unstable. */
Test(sweep_faults, unstable_cells_end_the_same_when_run_plainly, .timeout = 120)
{
    struct sweep_options options = {.torn_unstable = 3, .jobs = 2};
    struct scenario scenario;
    struct sweep sweep, plain;
    load_ab(&scenario, "ab_hasty");
    run(&scenario, &options, &sweep);
    options.plain = true;
    run(&scenario, &options, &plain);
    cr_assert_eq(sweep.point_count, 3 * OPERATIONS);
    cr_assert_eq(plain.point_count, sweep.point_count);
    for (size_t i = 0; i < sweep.point_count; i++) {
        char id[SWEEP_ID_SIZE];
        cr_expect_eq(sweep.points[i].class, plain.points[i].class, "%s",
                     sweep_point_id(&sweep, &sweep.points[i], id));
        cr_expect_eq(sweep.points[i].state, plain.points[i].state, "%s",
                     sweep_point_id(&sweep, &sweep.points[i], id));
    }
    sweep_free(&sweep);
    sweep_free(&plain);
    scenario_free(&scenario);
}

/* keeper.bin finds out whether RAM was kept; `warm` is what it then has in flash. */
static void load_keeper(struct scenario *scenario, const char *ram, const char *warm)
{
    static char text[1024];
    sprintf(text,
            "{\"name\": \"keeper\", \"board\": \"nrf52840\", \"modules\": [{\"file\": \"" TEST_FIRMWARE
            "/keeper.bin\", \"address\": 0}], \"state\": {\"start\": \"blank\"%s}, \"expect\": [{\"memory\": "
            "{\"array\": \"internal\", \"address\": \"0x81000\", \"hex\": \"%s\"}}]}",
            ram, warm);
    parse(scenario, text);
}

Test(sweep_faults, ram_after_a_cut_is_as_the_scenario_says, .timeout = 120)
{
    static const char *const words[][2] = {{"", "FFFFFFFF"},
                                           {", \"ram\": \"cleared\"", "FFFFFFFF"},
                                           {", \"ram\": \"decayed\"", "FFFFFFFF"},
                                           {", \"ram\": \"kept\"", "00000000"}};
    struct sweep_options options = {.before = true, .after = true, .torn = 2, .jobs = 2};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct scenario scenario;
        struct sweep sweep;
        load_keeper(&scenario, words[i][0], words[i][1]);
        for (unsigned plain = 0; plain < 2; plain++) {
            options.plain = plain;
            run(&scenario, &options, &sweep);
            cr_assert_eq(sweep.point_count, 16, "%zu", sweep.point_count);
            cr_expect_eq(sweep.tally[SWEEP_SAME].count, 16, "%s: %zu are as they should be", words[i][0],
                         sweep.tally[SWEEP_SAME].count);
            sweep_free(&sweep);
        }
        scenario_free(&scenario);
    }
}
