/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sweeps of a small A/B bootloader, sound and with a planted fault (tests/firmware/ab_loader.h). */
#include "ab_slot.h"
#include "scenario/sweep.h"

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#define CODE_SIZE 1200u
#define SLOT_SIZE (AB_HEADER_SIZE + CODE_SIZE)
#define WORDS     (SLOT_SIZE / 4)
/* What the copy does: two erases, the words, and one word for the mark. */
#define OPERATIONS (2u + WORDS + 1u)

static char *add_bytes(char *text, const char *address, const uint8_t *bytes, size_t size)
{
    text += sprintf(text, "{\"array\": \"internal\", \"address\": \"%s\", \"hex\": \"", address);
    for (size_t i = 0; i < size; i++)
        text += sprintf(text, "%02x", bytes[i]);
    return text + sprintf(text, "\"}");
}

/* The old program is version 1, the new one, which waits in slot B, 2. */
static void load_expecting(struct scenario *scenario, const char *name, const char *expect)
{
    static char text[16 * SLOT_SIZE];
    uint8_t slot[SLOT_SIZE];
    struct diag why = {{0}};
    char *at = text;
    at += sprintf(at, "{\"name\": \"%s\", \"board\": \"nrf52840\", ", name);
    at += sprintf(at, "\"modules\": [{\"file\": \"" TEST_FIRMWARE "/%s.bin\", \"address\": 0}], ", name);
    at += sprintf(at, "\"state\": {\"start\": \"blank\", \"bytes\": [");
    ab_make_slot(slot, CODE_SIZE, 1);
    at = add_bytes(at, "0x8000", slot, sizeof slot);
    at += sprintf(at, ", ");
    ab_make_slot(slot, CODE_SIZE, 2);
    at = add_bytes(at, "0xc000", slot, sizeof slot);
    at += sprintf(at, ", ");
    at = add_bytes(at, "0x10000", (const uint8_t[4]){0}, 4);
    at += sprintf(at, "]}, \"expect\": [%s]}", expect);
    cr_assert(at < text + sizeof text);
    cr_assert_eq(scenario_parse(scenario, "ab", text, strlen(text), &why), 0, "%s", why.text);
}

static void load(struct scenario *scenario, const char *name)
{
    load_expecting(scenario, name,
                   "{\"memory\": {\"array\": \"ram\", \"address\": \"0x1000\", \"hex\": \"02000000\"}}");
}

static const struct sweep_options all = {.before = true, .after = true, .torn = 2, .jobs = 2};

Test(sweep, finds_nothing_in_the_sound_bootloader, .timeout = 120)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    load(&scenario, "ab_sound");
    cr_assert_eq(sweep_run(&scenario, &all, "ab_sound", &sweep, &why), 0, "%s", why.text);
    cr_assert_eq(sweep.ops, OPERATIONS, "%zu", sweep.ops);
    cr_assert_eq(sweep.point_count, 4 * OPERATIONS);
    cr_assert_eq(sweep.tally[SWEEP_SAME].count, sweep.point_count);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* Bad is all from the moment the mark is there until the last word is: nothing more, nothing less. */
Test(sweep, finds_the_bad_window_of_the_hasty_bootloader_exactly, .timeout = 120)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    load(&scenario, "ab_hasty");
    cr_assert_eq(sweep_run(&scenario, &all, "ab_hasty", &sweep, &why), 0, "%s", why.text);
    cr_assert_eq(sweep.ops, OPERATIONS);
    for (size_t i = 0; i < sweep.point_count; i++) {
        const struct sweep_point *point = &sweep.points[i];
        char id[SWEEP_ID_SIZE];
        uint64_t n = point->fault.number;
        /* Operation 1 is the mark: torn, some of its bits are cleared, which counts as done. With the mark
         * and the old program both there (it is not erased yet) the device goes on with the old version. */
        bool before_all = n == 1 && point->fault.kind == FLASH_CUT_BEFORE;
        bool after_all = n == OPERATIONS && point->fault.kind == FLASH_CUT_AFTER;
        cr_assert_eq(point->class, before_all || after_all ? SWEEP_SAME : SWEEP_UNMET, "%s: %s",
                     sweep_point_id(&sweep, point, id), sweep_class_words(point->class));
    }
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* With any program welcome, bad is only what leaves none: not the early mark, while the old one is there. */
Test(sweep, a_start_can_be_judged_by_the_code_that_runs, .timeout = 120)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    load_expecting(&scenario, "ab_hasty", "{\"running\": {\"address\": \"0x8000\", \"length\": \"0x2000\"}}");
    cr_assert_eq(sweep_run(&scenario, &all, "ab_hasty", &sweep, &why), 0, "%s", why.text);
    for (size_t i = 0; i < sweep.point_count; i++) {
        const struct sweep_point *point = &sweep.points[i];
        char id[SWEEP_ID_SIZE];
        uint64_t n = point->fault.number;
        bool whole = n == 1 || (n == 2 && point->fault.kind == FLASH_CUT_BEFORE) ||
                     (n == OPERATIONS && point->fault.kind == FLASH_CUT_AFTER);
        cr_assert_eq(point->class, whole ? SWEEP_SAME : SWEEP_UNMET, "%s: %s",
                     sweep_point_id(&sweep, point, id), sweep_class_words(point->class));
    }
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* The shortcut of the sweep against the long way: each point by itself, with nothing known before. */
Test(sweep, points_end_the_same_when_run_alone, .timeout = 120)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    FILE *out = fopen("/dev/null", "w");
    load(&scenario, "ab_hasty");
    cr_assert_eq(sweep_run(&scenario, &all, "ab_hasty", &sweep, &why), 0, "%s", why.text);
    for (size_t i = 0; i < sweep.point_count; i += 113) {
        struct sweep_point alone;
        cr_assert_eq(sweep_replay(&scenario, &all, "ab_hasty", &sweep.points[i].fault, &alone, out, &why), 0);
        cr_assert_eq(alone.class, sweep.points[i].class);
    }
    fclose(out);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* And against the plainest: the scenario anew for each point, every start run, on a machine of its own. */
Test(sweep, points_end_the_same_the_plain_way, .timeout = 240)
{
    struct scenario scenario;
    struct sweep sweep, plain;
    struct diag why = {{0}};
    struct sweep_options options = all;
    options.torn = 4;
    load(&scenario, "ab_hasty");
    options.sample = 150;
    cr_assert_eq(sweep_run(&scenario, &options, "ab_hasty", &sweep, &why), 0, "%s", why.text);
    options.plain = true;
    cr_assert_eq(sweep_run(&scenario, &options, "ab_hasty", &plain, &why), 0, "%s", why.text);
    cr_assert_eq(sweep.point_count, 150);
    cr_assert_eq(plain.point_count, 150);
    cr_assert(plain.starts_run > 4 * 150 && sweep.starts_run < plain.starts_run / 2);
    for (size_t i = 0; i < sweep.point_count; i++) {
        char id[SWEEP_ID_SIZE];
        sweep_point_id(&sweep, &sweep.points[i], id);
        cr_assert_eq(plain.points[i].op, sweep.points[i].op);
        cr_assert_eq(plain.points[i].class, sweep.points[i].class, "%s", id);
        cr_assert_eq(plain.points[i].state, sweep.points[i].state, "%s", id);
    }
    sweep_free(&plain);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* Workers tell each other what they ran: hardly more starts, and the same results. */
Test(sweep, workers_share_their_starts, .timeout = 240)
{
    struct scenario scenario;
    struct sweep one, three;
    struct diag why = {{0}};
    struct sweep_options options = all;
    load(&scenario, "ab_hasty");
    options.jobs = 1;
    cr_assert_eq(sweep_run(&scenario, &options, "ab_hasty", &one, &why), 0, "%s", why.text);
    options.jobs = 3;
    cr_assert_eq(sweep_run(&scenario, &options, "ab_hasty", &three, &why), 0, "%s", why.text);
    cr_assert_eq(one.point_count, three.point_count);
    for (size_t i = 0; i < one.point_count; i++) {
        cr_assert_eq(one.points[i].class, three.points[i].class);
        cr_assert_eq(one.points[i].state, three.points[i].state);
    }
    cr_assert_lt(three.starts_run, one.starts_run + one.starts_run / 4, "%zu, %zu", one.starts_run,
                 three.starts_run);
    sweep_free(&three);
    sweep_free(&one);
    scenario_free(&scenario);
}

/* The report in memory; the caller frees it. */
static char *junit_of(struct sweep *sweep, const bool *known)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    cr_assert_eq(sweep_write_junit(sweep, 1u << SWEEP_UNMET | 1u << SWEEP_SOS, known, out), 0);
    fclose(out);
    return text;
}

Test(sweep, a_baseline_takes_out_what_failed_already, .timeout = 120)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    char path[] = "/tmp/sosim-sweep-XXXXXX";
    struct sweep_options options = all;
    bool *known;
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    load(&scenario, "ab_hasty");
    options.results = path;
    cr_assert_eq(sweep_run(&scenario, &options, "ab_hasty", &sweep, &why), 0, "%s", why.text);
    char *text = junit_of(&sweep, NULL);
    cr_assert(strstr(text, "tests=\"3\" failures=\"1\""), "%s", text);
    cr_assert(strstr(text, "<failure message"), "%s", text);
    free(text);
    cr_assert_eq(sweep_compare(&sweep, path, &known, &why), 0, "%s", why.text);
    text = junit_of(&sweep, known);
    cr_assert(strstr(text, "failures=\"0\"") && !strstr(text, "<failure"), "%s", text);
    free(text);
    /* One point that is not in the baseline is one failure. */
    size_t bad = 0;
    while (sweep.points[bad].class != SWEEP_UNMET)
        bad++;
    known[bad] = false;
    text = junit_of(&sweep, known);
    cr_assert(strstr(text, "failures=\"1\""), "%s", text);
    free(text);
    free(known);
    sweep_free(&sweep);
    scenario_free(&scenario);
    unlink(path);
}

Test(sweep, results_that_differ_are_refused, .timeout = 120)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    char path[] = "/tmp/sosim-sweep-XXXXXX", line[400];
    struct sweep_options options = all;
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    load(&scenario, "ab_sound");
    options.results = path;
    options.sample = 4;
    cr_assert_eq(sweep_run(&scenario, &options, "ab_sound", &sweep, &why), 0, "%s", why.text);
    sweep_free(&sweep);
    FILE *file = fopen(path, "r+");
    cr_assert(fgets(line, sizeof line, file) && fgets(line, sizeof line, file));
    fseek(file, 0, SEEK_END);
    fputs(line, file); /* the same again: shards that overlap */
    fclose(file);
    cr_assert_eq(sweep_run(&scenario, &options, "ab_sound", &sweep, &why), 0, "%s", why.text);
    cr_assert_eq(sweep.resumed, 4);
    sweep_free(&sweep);
    file = fopen(path, "a");
    memcpy(strstr(line, " boots "), " unmet ", 7);
    fputs(line, file);
    fclose(file);
    cr_assert_eq(sweep_run(&scenario, &options, "ab_sound", &sweep, &why), -1);
    cr_assert(strstr(why.text, "twice"), "%s", why.text);
    sweep_free(&sweep);
    scenario_free(&scenario);
    unlink(path);
}

Test(sweep, results_are_kept_and_gone_on_from, .timeout = 120)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    char path[] = "/tmp/sosim-sweep-XXXXXX";
    struct sweep_options options = all;
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    options.results = path;
    options.shard = 1;
    options.shards = 2;
    load(&scenario, "ab_sound");
    cr_assert_eq(sweep_run(&scenario, &options, "ab_sound", &sweep, &why), 0, "%s", why.text);
    size_t first = sweep.point_count;
    cr_assert(first && first < 4 * OPERATIONS);
    sweep_free(&sweep);
    /* A kill in the middle of a line. */
    FILE *file = fopen(path, "a");
    fputs("ab_sound:int:9", file);
    fclose(file);
    options.shards = 0;
    cr_assert_eq(sweep_run(&scenario, &options, "ab_sound", &sweep, &why), 0, "%s", why.text);
    cr_assert_eq(sweep.resumed, first, "%zu", sweep.resumed);
    cr_assert_eq(sweep.tally[SWEEP_SAME].count, 4 * OPERATIONS);
    sweep_free(&sweep);
    scenario_free(&scenario);
    load(&scenario, "ab_hasty");
    cr_assert_eq(sweep_run(&scenario, &options, "ab_hasty", &sweep, &why), -1);
    cr_assert(strstr(why.text, "another scenario"), "%s", why.text);
    sweep_free(&sweep);
    scenario_free(&scenario);
    unlink(path);
}

Test(sweep, an_empty_window_is_refused, .timeout = 60)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    struct sweep_options options = all;
    options.windows = 1;
    options.window[0] = (struct sweep_window){.array = "uicr", .to = UINT64_MAX, .to_ms = 1e9};
    load(&scenario, "ab_sound");
    cr_assert_eq(sweep_run(&scenario, &options, "ab_sound", &sweep, &why), -1);
    cr_assert(strstr(why.text, "window"), "%s", why.text);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* The first flashes of an SOS look like any blink: the start must be watched until it is clear. */
Test(sweep, a_boron_that_panics_at_every_start_ends_in_sos, .timeout = 300)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    struct sweep_options options = {.before = true, .jobs = 1, .windows = 1};
    options.window[0] = (struct sweep_window){.array = "internal", .from = 1, .to = 1, .to_ms = 1e9};
    cr_assert_eq(scenario_load(&scenario, SOSIM_SOURCE "/scenarios/boot/r1a.json", &why), 0, "%s", why.text);
    cr_assert_eq(sweep_run(&scenario, &options, "r1a", &sweep, &why), 0, "%s", why.text);
    cr_assert_eq(sweep.point_count, 1);
    cr_expect_eq(sweep.points[0].class, SWEEP_SOS, "%s", sweep_class_words(sweep.points[0].class));
    cr_expect_eq(sweep.points[0].code, 10);
    sweep_free(&sweep);
    scenario_free(&scenario);
}
