/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "led/recorder.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MS   64000ull
#define US   64ull
#define FULL 65535

static struct led_recorder recorder;

static void start(void)
{
    led_recorder_init(&recorder, "rgb");
}

static void finish(void)
{
    led_recorder_free(&recorder);
}

TestSuite(led_recorder, .init = start, .fini = finish);

static void expect_edge(size_t i, double t_ms, int r, int g, int b)
{
    cr_assert_lt(i, recorder.edges.count, "only %zu edges", recorder.edges.count);
    const struct led_edge *edge = &recorder.edges.item[i];
    cr_expect_float_eq(edge->t_ms, t_ms, 1e-9, "edge %zu at %.6f", i, edge->t_ms);
    cr_expect(edge->r == r && edge->g == g && edge->b == b, "edge %zu is %d,%d,%d", i, edge->r, edge->g,
              edge->b);
}

Test(led_recorder, channels_that_change_one_after_another_are_one_edge)
{
    uint16_t level = 24415; /* 95 of 255 */
    led_recorder_level(&recorder, 313 * MS, level, 0, 0);
    led_recorder_level(&recorder, 313 * MS + 22 * US, level, level, 0);
    led_recorder_level(&recorder, 313 * MS + 100 * US, level, level, level);
    led_recorder_advance(&recorder, 314 * MS);
    cr_expect_eq(recorder.edges.count, 0, "not settled yet");
    led_recorder_advance(&recorder, 315 * MS);
    led_recorder_level(&recorder, 364 * MS, 0, level, level);
    led_recorder_level(&recorder, 364 * MS + 15 * US, 0, 0, 0);
    led_recorder_flush(&recorder, 400 * MS);
    cr_assert_eq(recorder.edges.count, 2);
    expect_edge(0, 313, 95, 95, 95);
    expect_edge(1, 364, 0, 0, 0);
}

Test(led_recorder, pulse_of_a_microsecond_leaves_no_trace)
{
    led_recorder_level(&recorder, 2780 * US, FULL, 0, 0);
    led_recorder_level(&recorder, 2781 * US, 0, 0, 0);
    led_recorder_level(&recorder, 2900 * US, FULL, FULL, FULL);
    led_recorder_level(&recorder, 2901 * US, 0, 0, 0);
    led_recorder_flush(&recorder, 100 * MS);
    cr_expect_eq(recorder.edges.count, 0);
    /* Nor does one in a lamp that is lit. */
    led_recorder_level(&recorder, 200 * MS, FULL, 0, 0);
    led_recorder_level(&recorder, 300 * MS, FULL, FULL, 0);
    led_recorder_level(&recorder, 300 * MS + 999 * US, FULL, 0, 0);
    led_recorder_flush(&recorder, 400 * MS);
    cr_assert_eq(recorder.edges.count, 1);
    expect_edge(0, 200, 255, 0, 0);
}

Test(led_recorder, level_that_stands_for_the_settle_time_counts)
{
    led_recorder_level(&recorder, 10 * MS, FULL, 0, 0);
    led_recorder_level(&recorder, 11 * MS, 0, 0, 0);
    led_recorder_flush(&recorder, 20 * MS);
    cr_assert_eq(recorder.edges.count, 2);
    expect_edge(0, 10, 255, 0, 0);
    expect_edge(1, 11, 0, 0, 0);
}

Test(led_recorder, lamp_that_never_settles_is_seen_as_its_average)
{
    /* 2 kHz, lit for a quarter of the time. */
    for (uint64_t i = 0; i < 400; i++) {
        led_recorder_level(&recorder, 100 * MS + i * 500 * US, FULL, 0, 0);
        led_recorder_level(&recorder, 100 * MS + i * 500 * US + 125 * US, 0, 0, 0);
    }
    led_recorder_flush(&recorder, 400 * MS);
    cr_assert_eq(recorder.edges.count, 2);
    cr_expect_float_eq(recorder.edges.item[0].r, 64, 2);
    cr_expect_float_eq(recorder.edges.item[0].t_ms, 100, 0.001);
    cr_expect_eq(recorder.edges.item[1].r, 0);
    cr_expect_float_eq(recorder.edges.item[1].t_ms, 300, 1);
}

static int level_at(double t_ms)
{
    int level = 0;
    for (size_t i = 0; i < recorder.edges.count && recorder.edges.item[i].t_ms <= t_ms; i++)
        level = recorder.edges.item[i].g;
    return level;
}

/* led_service.cpp: a step each 25 ms, 4 s from full to dark and back. */
static int fade_level(uint64_t ms)
{
    int tick = (int)(ms % 4000 / 25 * 25);
    return 95 * (tick < 2000 ? 2000 - tick : tick - 2000) / 2000;
}

Test(led_recorder, fade_is_thinned_out_but_stays_true)
{
    const uint64_t length_ms = 60000;
    for (uint64_t ms = 0; ms < length_ms; ms += 25)
        led_recorder_level(&recorder, (1000 + ms) * MS, 0, (uint16_t)(fade_level(ms) * 257), 0);
    led_recorder_flush(&recorder, (1000 + length_ms) * MS);
    cr_expect_lt(recorder.edges.count, 15 * 70, "%zu edges", recorder.edges.count);
    for (uint64_t ms = 0; ms < length_ms; ms += 5)
        cr_expect_lt(abs(level_at((double)(1000 + ms)) - fade_level(ms)), LED_FADE_STEP);
    /* Peaks and darkness are there exactly. */
    for (uint64_t ms = 4000; ms < length_ms; ms += 4000) {
        cr_expect_eq(level_at((double)(1000 + ms) + 1), 95);
        cr_expect_eq(level_at((double)(1000 + ms - 2000) + 1), 0);
    }
}

Test(led_recorder, small_step_that_stays_is_kept)
{
    led_recorder_level(&recorder, 10 * MS, FULL, 0, 0);
    led_recorder_level(&recorder, 50 * MS, FULL - 257, 0, 0);
    led_recorder_level(&recorder, 500 * MS, 0, 0, 0);
    led_recorder_flush(&recorder, 600 * MS);
    cr_assert_eq(recorder.edges.count, 3);
    expect_edge(1, 50, 254, 0, 0);
    expect_edge(2, 500, 0, 0, 0);
}

Test(led_recorder, looking_in_between_changes_nothing)
{
    struct led_recorder plain;
    led_recorder_init(&plain, "rgb");
    srand(3);
    uint64_t cycles = 0;
    for (int i = 0; i < 20000; i++) {
        cycles += (uint64_t)(rand() % 3 ? rand() % 2000 : rand() % 40000) * US;
        uint16_t level = (uint16_t)(rand() % 4 ? recorder.level.r + 300 : rand() % 65536);
        led_recorder_level(&recorder, cycles, level, level, 0);
        led_recorder_level(&plain, cycles, level, level, 0);
        for (int k = rand() % 3; k > 0; k--)
            led_recorder_advance(&recorder, cycles += (uint64_t)(rand() % 700) * US);
    }
    led_recorder_flush(&recorder, cycles + MS * 10);
    led_recorder_flush(&plain, cycles + MS * 10);
    cr_assert_gt(plain.edges.count, 100);
    cr_assert_eq(plain.edges.count, recorder.edges.count);
    for (size_t i = 0; i < plain.edges.count; i++) {
        const struct led_edge *edge = &plain.edges.item[i];
        expect_edge(i, edge->t_ms, edge->r, edge->g, edge->b);
        if (i)
            cr_expect_gt(edge->t_ms, edge[-1].t_ms);
    }
    led_recorder_free(&plain);
}

Test(led_recorder, a_long_name_is_cut)
{
    struct led_recorder d7;
    led_recorder_init(&d7, "a name that is too long");
    cr_expect_str_eq(d7.name, "a name that is ");
    led_recorder_free(&d7);
}

Test(led_recorder, full_list_counts_what_it_loses)
{
    uint64_t cycles = 0;
    for (size_t i = 0; i < LED_MAX_EDGES + 10; i++)
        led_recorder_level(&recorder, cycles += 2 * MS, i % 2 ? 0 : FULL, 0, 0);
    led_recorder_flush(&recorder, cycles + 2 * MS);
    cr_expect_eq(recorder.edges.count, LED_MAX_EDGES);
    cr_expect_eq(recorder.edges.lost, 10);
}
