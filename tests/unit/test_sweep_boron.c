/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sweeps of the Boron's own updates: a few points of each kind, the plain way too. */
#include "scenario/sweep.h"

#include <criterion/criterion.h>
#include <string.h>

/* These compare results; that memory is used well is seen with less. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif

static const struct sweep_options all = {.before = true, .after = true, .torn = 2, .jobs = 2, .quick = true};

static void load(struct scenario *scenario, const char *name)
{
    char path[256];
    struct diag why = {{0}};
    snprintf(path, sizeof path, SOSIM_SOURCE "/scenarios/sweep/%s.json", name);
    cr_assert_eq(scenario_load(scenario, path, &why), 0, "%s", why.text);
}

/* Nothing shared against all shared. */
Test(sweep_boron, points_end_the_same_the_plain_way, .disabled = SANITIZED, .timeout = 600)
{
    struct scenario scenario;
    struct sweep sweep, plain;
    struct diag why = {{0}};
    struct sweep_options options = all;
    options.sample = 3;
    load(&scenario, "user-module");
    cr_assert_eq(sweep_run(&scenario, &options, "user-module", &sweep, &why), 0, "%s", why.text);
    options.plain = true;
    cr_assert_eq(sweep_run(&scenario, &options, "user-module", &plain, &why), 0, "%s", why.text);
    cr_assert_eq(plain.point_count, 3);
    for (size_t i = 0; i < 3; i++) {
        char id[SWEEP_ID_SIZE];
        sweep_point_id(&sweep, &sweep.points[i], id);
        cr_assert_eq(plain.points[i].class, sweep.points[i].class, "%s", id);
        cr_assert_eq(plain.points[i].state, sweep.points[i].state, "%s", id);
    }
    sweep_free(&plain);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* Where half a module stays in place each point is a state of its own: starts go along with recorded ones. */
Test(sweep_boron, starts_that_go_along_end_as_they_do_alone, .disabled = SANITIZED, .timeout = 900)
{
    struct scenario scenario;
    struct sweep sweep, plain;
    struct diag why = {{0}};
    struct sweep_options options = {.before = true, .after = true, .torn = 2, .jobs = 2, .windows = 1};
    options.window[0] = (struct sweep_window){.array = "internal", .from = 1000, .to = 1006, .to_ms = 1e9};
    load(&scenario, "user-module");
    cr_assert_eq(scenario_override_version(&scenario, "1.5.2"), 0);
    cr_assert_eq(sweep_run(&scenario, &options, "user-module", &sweep, &why), 0, "%s", why.text);
    cr_assert_gt(sweep.starts_joined, sweep.starts_run / 2, "%zu of %zu", sweep.starts_joined,
                 sweep.starts_run);
    options.plain = true;
    options.sample = 2;
    cr_assert_eq(sweep_run(&scenario, &options, "user-module", &plain, &why), 0, "%s", why.text);
    for (size_t i = 0, n = 0; i < plain.point_count; i++, n++) {
        char id[SWEEP_ID_SIZE], other[SWEEP_ID_SIZE];
        sweep_point_id(&plain, &plain.points[i], id);
        while (n + 1 < sweep.point_count && strcmp(sweep_point_id(&sweep, &sweep.points[n], other), id) != 0)
            n++;
        cr_assert_str_eq(other, id);
        cr_assert_eq(plain.points[i].class, sweep.points[n].class, "%s", id);
        cr_assert_eq(plain.points[i].state, sweep.points[n].state, "%s", id);
    }
    sweep_free(&plain);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* Settings that are left empty hand the lamp to the program: it stays dark, and the system works. */
Test(sweep_boron, a_dark_lamp_is_no_hang, .timeout = 300)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    struct sweep_options options = {.after = true, .jobs = 1, .windows = 1};
    char what[SWEEP_WHAT_SIZE];
    options.window[0] = (struct sweep_window){.array = "external", .from = 12, .to = 12, .to_ms = 1e9};
    load(&scenario, "first-boot");
    cr_assert_eq(sweep_run(&scenario, &options, "first-boot", &sweep, &why), 0, "%s", why.text);
    cr_assert_eq(sweep.point_count, 1);
    cr_assert_eq(sweep.points[0].class, SWEEP_LAMP_OFF, "%s", sweep_class_words(sweep.points[0].class));
    sweep_point_what(&sweep, &sweep.points[0], what);
    cr_assert(strstr(what, "directory /sys, older of pair 4/5"), "%s", what);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* The same cut with 1.5.2, which lights the lamp all the same: the settings are gone. */
Test(sweep_boron, settings_in_pieces_are_data_lost, .timeout = 300)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    struct sweep_options options = {.before = true, .jobs = 1, .windows = 1};
    options.window[0] = (struct sweep_window){.array = "external", .from = 20, .to = 20, .to_ms = 1e9};
    load(&scenario, "first-boot");
    cr_assert_eq(scenario_override_version(&scenario, "1.5.2"), 0);
    cr_assert_eq(sweep_run(&scenario, &options, "first-boot", &sweep, &why), 0, "%s", why.text);
    cr_assert_eq(sweep.points[0].class, SWEEP_DATA_LOST, "%s", sweep_class_words(sweep.points[0].class));
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* LittleFS takes a setting with the last program of its write, and not before. */
Test(sweep_boron, a_setting_is_old_until_its_last_operation, .timeout = 300)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    struct sweep_options options = {.before = true, .after = true, .jobs = 1, .windows = 1};
    char what[SWEEP_WHAT_SIZE];
    options.window[0] =
        (struct sweep_window){.array = "external", .from = 140, .to = UINT64_MAX, .to_ms = 1e9};
    load(&scenario, "dct-write");
    cr_assert_eq(sweep_run(&scenario, &options, "dct-write", &sweep, &why), 0, "%s", why.text);
    const struct sweep_point *last = &sweep.points[sweep.point_count - 1];
    cr_assert_eq(last->class, SWEEP_NEW, "%s", sweep_class_words(last->class));
    for (size_t i = 0; i + 1 < sweep.point_count; i++)
        cr_assert_eq(sweep.points[i].class, SWEEP_OLD, "%s", sweep_class_words(sweep.points[i].class));
    sweep_point_what(&sweep, last, what);
    cr_assert(strstr(what, "directory /sys, older of pair"), "%s", what);
    cr_assert(strstr(what, "; sets claim_code"), "%s", what);
    sweep_free(&sweep);
    scenario_free(&scenario);
}

/* The old program goes before the factory program comes, to another place: between them there is none. */
Test(sweep_boron, a_program_that_moves_is_missed_in_between, .timeout = 300)
{
    struct scenario scenario;
    struct sweep sweep;
    struct diag why = {{0}};
    struct sweep_options options = {.after = true, .jobs = 1, .windows = 1};
    char what[SWEEP_WHAT_SIZE];
    options.window[0] = (struct sweep_window){.array = "internal", .from = 1, .to = 2, .to_ms = 1e9};
    load(&scenario, "factory-reset-256k");
    cr_assert_eq(sweep_run(&scenario, &options, "factory-reset-256k", &sweep, &why), 0, "%s", why.text);
    cr_assert_eq(sweep.point_count, 2);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(sweep.points[i].class, SWEEP_SAFE_MODE, "%s", sweep_class_words(sweep.points[i].class));
    sweep_point_what(&sweep, &sweep.points[0], what);
    cr_expect(strstr(what, "erase of internal 0x0d4000+4096, module user + 0x0"), "%s", what);
    sweep_point_what(&sweep, &sweep.points[1], what);
    cr_expect(strstr(what, "erase of internal 0x0b4000+4096, module user-256k + 0x0"), "%s", what);
    sweep_free(&sweep);
    scenario_free(&scenario);
}
