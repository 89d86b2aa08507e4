/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recogniser against timelines that the real firmware gave (edges as they were measured) and against ones
 * made from the firmware's own formulas.
 */
#include "led/phrases.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MOST_EDGES 20000
#define FULL       95 /* brightness 96 of 255 */

struct film {
    struct led_edge edges[MOST_EDGES];
    size_t count;
    double resets[16];
    size_t reset_count;
    double at;
    struct led_phrases phrases;
};

static struct film film;

static void show(double t_ms, uint8_t r, uint8_t g, uint8_t b)
{
    cr_assert_lt(film.count, MOST_EDGES);
    film.edges[film.count++] = (struct led_edge){t_ms, r, g, b};
    film.at = t_ms;
}

static void paint(double t_ms, enum led_color color, uint8_t level)
{
    static const uint8_t parts[LED_COLORS][3] = {
        [LED_RED] = {1, 0, 0},  [LED_YELLOW] = {1, 1, 0}, [LED_GREEN] = {0, 1, 0},   [LED_CYAN] = {0, 1, 1},
        [LED_BLUE] = {0, 0, 1}, [LED_WHITE] = {1, 1, 1},  [LED_MAGENTA] = {1, 0, 1},
    };
    const uint8_t *part = parts[color];
    show(t_ms, part[0] * level, part[1] * level, part[2] * level);
}

/* Lights the lamp for on_ms from film.at on, leaves it dark for off_ms, and moves film.at past both. */
static void flash(enum led_color color, double on_ms, double off_ms)
{
    double t = film.at;
    paint(t, color, FULL);
    show(t + on_ms, 0, 0, 0);
    film.at = t + on_ms + off_ms;
}

static void blink(enum led_color color, double on_ms, double off_ms, int times)
{
    while (times-- > 0)
        flash(color, on_ms, off_ms);
}

/* One round of panic.c, with every delay `speed` times as long. */
static void sos(enum led_color color, int code, double speed)
{
    blink(color, 150 * speed, 100 * speed, 3);
    film.at += 100 * speed;
    blink(color, 300 * speed, 100 * speed, 3);
    film.at += 100 * speed;
    blink(color, 150 * speed, 100 * speed, 3);
    film.at += 900 * speed;
    blink(color, 300 * speed, 300 * speed, code);
    film.at += 800 * speed;
}

/* led_service.cpp: 25 ms a tick, from full to dark and back in period_ms. */
static void breathe(enum led_color color, int period_ms, double length_ms)
{
    double start = film.at;
    int half = period_ms / 2;
    int last = -1;
    for (int ms = 0; ms < length_ms; ms += 25) {
        int tick = ms % period_ms;
        int level = FULL * (tick < half ? half - tick : tick - half) / half;
        if (level != last)
            paint(start + ms, color, (uint8_t)level);
        last = level;
    }
    film.at = start + length_ms;
}

static void start(double t_ms)
{
    film.count = film.reset_count = 0;
    film.at = t_ms;
}

static const struct led_phrase *recognise(double end_ms, size_t phrases)
{
    struct led_timeline timeline = {.edges = film.edges,
                                    .edge_count = film.count,
                                    .resets_ms = film.resets,
                                    .reset_count = film.reset_count,
                                    .end_ms = end_ms};
    led_phrases_free(&film.phrases);
    cr_assert_eq(led_phrases_find(&timeline, &film.phrases), 0);
    for (size_t i = 0; i < film.phrases.count; i++) {
        const struct led_phrase *p = &film.phrases.item[i];
        double before = i ? p[-1].end_ms : 0;
        cr_expect_eq(p->t_ms, before, "phrase %zu starts at %g, not at %g", i, p->t_ms, before);
    }
    if (phrases)
        cr_assert_eq(film.phrases.count, phrases, "%zu phrases", film.phrases.count);
    if (film.phrases.count)
        cr_expect_eq(film.phrases.item[film.phrases.count - 1].end_ms, end_ms);
    return film.phrases.item;
}

static void expect_blink(const struct led_phrase *p, enum led_color color, double on, double off,
                         double slack)
{
    cr_expect_eq(p->kind, LED_BLINK, "%s", led_kind_name(p->kind));
    cr_expect_eq(p->color, color, "%s", led_color_name(p->color));
    cr_expect_float_eq(p->on_ms, on, slack, "on %g", p->on_ms);
    cr_expect_float_eq(p->off_ms, off, slack, "off %g", p->off_ms);
}

static void expect_meaning(const struct led_phrase *p, const char *part)
{
    cr_expect(p->meaning && strstr(p->meaning, part), "%s", p->meaning ? p->meaning : "no meaning");
}

/* The field failure F1 as measured: magenta, SOS 10, and the same again. */
static void show_f1_sos(double from)
{
    static const double lit[][2] = {{469.91, 619.95},   {719.98, 870.02},   {970.06, 1120.09},
                                    {1320.13, 1620.17}, {1720.20, 2020.24}, {2120.28, 2420.31},
                                    {2620.35, 2770.38}, {2870.42, 3020.46}, {3120.49, 3270.53}};
    for (size_t i = 0; i < sizeof lit / sizeof *lit; i++) {
        show(from + lit[i][0] - 469.91, FULL, 0, 0);
        show(from + lit[i][1] - 469.91, 0, 0, 0);
    }
    for (int i = 0; i < 10; i++) {
        show(from + 4270.57 - 469.91 + 600.05 * i, FULL, 0, 0);
        show(from + 4270.57 - 469.91 + 600.05 * i + 300.04, 0, 0, 0);
    }
}

Test(led_phrases, field_failure_f1)
{
    start(0);
    show(313.08, FULL, 0, FULL);
    show(364.07, 0, 0, 0);
    show(415.07, FULL, 0, FULL);
    show(466.07, 0, 0, 0);
    show_f1_sos(469.91);
    show_f1_sos(11071.30);
    film.resets[film.reset_count++] = 21672.7;
    show(21985.8, FULL, 0, FULL);
    show(22036.8, 0, 0, 0);
    const struct led_phrase *p = recognise(22060, 6);
    cr_expect_eq(p[0].kind, LED_OFF);
    expect_blink(&p[1], LED_MAGENTA, 51, 51, 0.1);
    cr_expect_eq(p[1].count, 2);
    expect_meaning(&p[1], "installing");
    cr_expect_eq(p[2].kind, LED_SOS);
    cr_expect_eq(p[2].color, LED_RED);
    cr_expect_eq(p[2].code, 10);
    cr_expect_eq(p[2].count, 2);
    cr_expect_float_eq(p[2].t_ms, 469.91, 0.001);
    cr_expect_str_eq(p[2].meaning, "assertion failure");
    cr_expect_eq(p[3].kind, LED_OFF);
    cr_expect_eq(p[4].kind, LED_SOLID);
}

Test(led_phrases, first_start_ends_in_listening_mode)
{
    start(0);
    show(2.9, FULL, FULL, FULL);
    show(486, 0, 0, 0);
    show(556, FULL, FULL, FULL);
    film.at = 931;
    blink(LED_BLUE, 250, 250, 40);
    const struct led_phrase *p = recognise(20931, 5);
    cr_expect_eq(p[1].kind, LED_SOLID);
    cr_expect_eq(p[1].color, LED_WHITE);
    cr_expect_float_eq(p[1].on_ms, 483.1, 0.001);
    cr_expect_eq(p[3].kind, LED_SOLID);
    expect_blink(&p[4], LED_BLUE, 250, 250, 0.1);
    cr_expect_eq(p[4].count, 40);
    cr_expect(p[4].ongoing);
    expect_meaning(&p[4], "listening");
}

Test(led_phrases, network_dfu_and_hold_differ_by_rhythm_and_color)
{
    start(259);
    blink(LED_GREEN, 100, 100, 300);
    expect_meaning(&recognise(60259, 2)[1], "the network");

    start(212);
    blink(LED_YELLOW, 101, 101, 50);
    const struct led_phrase *p = recognise(film.at, 2);
    expect_blink(&p[1], LED_YELLOW, 101, 101, 0.1);
    expect_meaning(&p[1], "DFU");

    start(100);
    blink(LED_CYAN, 50, 50, 20);
    expect_meaning(&recognise(film.at, 2)[1], "handshake");
}

Test(led_phrases, mode_held_goes_magenta_yellow_white)
{
    start(1101);
    blink(LED_MAGENTA, 101, 101, 10);
    blink(LED_YELLOW, 101, 101, 15);
    blink(LED_WHITE, 51, 51, 20);
    const struct led_phrase *p = recognise(film.at, 4);
    expect_blink(&p[1], LED_MAGENTA, 101, 101, 0.1);
    expect_meaning(&p[1], "safe mode");
    expect_blink(&p[2], LED_YELLOW, 101, 101, 0.1);
    expect_blink(&p[3], LED_WHITE, 51, 51, 0.1);
}

Test(led_phrases, color_may_change_in_mid_flash)
{
    start(0);
    blink(LED_MAGENTA, 101, 101, 10);
    paint(film.at, LED_MAGENTA, FULL);
    paint(film.at + 37, LED_YELLOW, FULL);
    show(film.at + 64, 0, 0, 0);
    film.at += 101;
    blink(LED_YELLOW, 101, 101, 10);
    const struct led_phrase *p = recognise(film.at, 2);
    cr_expect_eq(p[0].count, 11);
    expect_blink(&p[0], LED_MAGENTA, 101, 101, 0.1);
    expect_blink(&p[1], LED_YELLOW, 101, 101, 0.1);
}

Test(led_phrases, new_rhythm_in_the_same_color_is_a_new_phrase)
{
    start(0);
    blink(LED_MAGENTA, 101, 101, 12);
    blink(LED_MAGENTA, 51, 51, 30);
    const struct led_phrase *p = recognise(film.at, 2);
    expect_blink(&p[0], LED_MAGENTA, 101, 101, 0.1);
    expect_blink(&p[1], LED_MAGENTA, 51, 51, 0.1);
    cr_expect_eq(p[0].count + p[1].count, 42);
}

/* 122 page erases in a row: the tick comes once per 85 ms, so a toggle of 51 ticks takes 4335 ms. */
Test(led_phrases, erasing_a_system_part_stretches_but_does_not_split)
{
    start(313);
    flash(LED_MAGENTA, 51, 4335);
    flash(LED_MAGENTA, 4335, 1699);
    blink(LED_MAGENTA, 51, 51, 60);
    const struct led_phrase *p = recognise(film.at, 2);
    expect_blink(&p[1], LED_MAGENTA, 51, 51, 0.1);
    cr_expect_eq(p[1].count, 62);
    expect_meaning(&p[1], "installing");
}

Test(led_phrases, jitter_and_stalls_never_split_or_shift_a_blink)
{
    srand(1);
    for (int round = 0; round < 500; round++) {
        static const double lengths[] = {51, 101, 100, 250};
        double length = lengths[rand() % 4];
        int flashes = 12 + rand() % 60;
        start(300);
        for (int i = 0; i < flashes; i++) {
            double part[2];
            for (int k = 0; k < 2; k++) {
                part[k] = length * (0.96 + 0.08 * rand() / RAND_MAX);
                bool inside = i > 0 && i < flashes - 1;
                if (inside && rand() % 100 < 8)
                    part[k] += 84 * (1 + rand() % 8);
            }
            flash(LED_MAGENTA, part[0], part[1]);
        }
        const struct led_phrase *p = recognise(film.at, 0);
        cr_assert_eq(film.phrases.count, 2, "round %d: %zu phrases", round, film.phrases.count);
        expect_blink(&p[1], LED_MAGENTA, length, length, 0.05 * length);
        cr_expect_eq(p[1].count, (unsigned)flashes, "round %d", round);
    }
}

Test(led_phrases, every_code_at_every_speed_and_color)
{
    static const enum led_color colors[] = {LED_RED, LED_BLUE, LED_WHITE, LED_MAGENTA};
    static const double speeds[] = {0.6, 0.9, 1, 1.0003, 1.2, 1.8};
    for (int code = 1; code <= 14; code++) {
        for (size_t i = 0; i < 4 * 6; i++) {
            start(500);
            sos(colors[i % 4], code, speeds[i / 4]);
            sos(colors[i % 4], code, speeds[i / 4]);
            const struct led_phrase *p = recognise(film.at, 2);
            cr_expect_eq(p[1].kind, LED_SOS);
            cr_expect_eq(p[1].color, colors[i % 4]);
            cr_expect_eq(p[1].code, code);
            cr_expect_eq(p[1].count, 2);
            cr_expect_not(p[1].ongoing);
            cr_expect_str_eq(p[1].meaning, led_panic_name(code));
        }
    }
}

Test(led_phrases, sos_cut_short_is_flagged)
{
    start(0);
    sos(LED_RED, 10, 1);
    sos(LED_RED, 10, 1);
    /* The second round began at 10600; its fourth code flash at 10600 + 3800 + 1800. */
    const struct led_phrase *p = recognise(16300, 2);
    cr_expect_eq(p[0].count, 1);
    cr_expect_eq(p[0].code, 10);
    cr_expect_eq(p[1].kind, LED_SOS);
    cr_expect_eq(p[1].count, 0);
    cr_expect_eq(p[1].code, 4);
    cr_expect(p[1].ongoing);
    cr_expect_null(p[1].meaning);
    /* Within the pause before the code. */
    p = recognise(10600 + 3000, 2);
    cr_expect_eq(p[1].kind, LED_SOS);
    cr_expect_eq(p[1].code, 0);
    /* Within the preamble there is no telling. */
    p = recognise(10600 + 2000, 0);
    for (size_t i = 1; i < film.phrases.count; i++)
        cr_expect_neq(p[i].kind, LED_SOS);
}

/* A cut in the midst of the code leaves it dark for long: that is no SOS 3. */
Test(led_phrases, power_cut_does_not_end_a_code)
{
    start(0);
    sos(LED_RED, 3, 1);
    film.resets[film.reset_count++] = film.edges[film.count - 1].t_ms + 150;
    film.at = 9000;
    blink(LED_GREEN, 100, 100, 10);
    const struct led_phrase *p = recognise(11000, 3);
    cr_expect_eq(p[0].kind, LED_SOS);
    cr_expect_eq(p[0].count, 0);
    cr_expect_eq(p[1].kind, LED_OFF);
    cr_expect_eq(p[1].t_ms, film.resets[0]);
}

Test(led_phrases, codes_that_differ_are_two_phrases)
{
    start(0);
    sos(LED_RED, 1, 1);
    sos(LED_RED, 10, 1);
    const struct led_phrase *p = recognise(film.at, 2);
    cr_expect_eq(p[0].code, 1);
    cr_expect_eq(p[1].code, 10);
}

Test(led_phrases, breathing_has_color_and_period)
{
    static const struct {
        enum led_color color;
        int period_ms;
    } kinds[] = {
        {LED_MAGENTA, 4000}, {LED_CYAN, 4000}, {LED_WHITE, 4000}, {LED_GREEN, 2000}, {LED_BLUE, 8000}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        start(720);
        paint(0, LED_NO_COLOR, 0);
        film.at = 720;
        breathe(kinds[i].color, kinds[i].period_ms, 5.5 * kinds[i].period_ms);
        const struct led_phrase *p = recognise(film.at, 2);
        cr_expect_eq(p[1].kind, LED_BREATHE);
        cr_expect_eq(p[1].color, kinds[i].color, "%s", led_color_name(p[1].color));
        cr_expect_float_eq(p[1].period_ms, kinds[i].period_ms, 30, "%g", p[1].period_ms);
        cr_expect_eq(p[1].level, FULL);
        cr_expect_geq(p[1].count, 5);
        cr_expect_leq(p[1].count, 6);
    }
}

Test(led_phrases, network_comes_up)
{
    start(0);
    paint(118, LED_WHITE, FULL);
    film.at = 259;
    breathe(LED_WHITE, 4000, 9000);
    blink(LED_GREEN, 100, 100, 30);
    blink(LED_GREEN, 50, 50, 20);
    blink(LED_CYAN, 100, 100, 20);
    breathe(LED_CYAN, 4000, 20000);
    const struct led_phrase *p = recognise(film.at, 0);
    static const enum led_kind kinds[] = {LED_OFF, LED_BREATHE, LED_BLINK, LED_BLINK, LED_BLINK, LED_BREATHE};
    cr_assert_geq(film.phrases.count, 6);
    size_t first = p[1].kind == LED_SOLID ? 1 : 0;
    for (size_t i = 1; i < 6; i++)
        cr_expect_eq(p[first + i].kind, kinds[i], "%zu is %s", i, led_kind_name(p[first + i].kind));
    cr_expect_eq(p[film.phrases.count - 1].color, LED_CYAN);
}

Test(led_phrases, dark_for_ever_and_nothing_at_all)
{
    start(0);
    const struct led_phrase *p = recognise(60000, 1);
    cr_expect_eq(p[0].kind, LED_OFF);
    cr_expect(p[0].ongoing);
    recognise(0, 0);
    cr_expect_eq(film.phrases.count, 0);
}

Test(led_phrases, reset_ends_a_phrase_but_not_darkness)
{
    start(0);
    film.resets[film.reset_count++] = 0.9;
    film.at = 300;
    blink(LED_GREEN, 100, 100, 10);
    film.resets[film.reset_count++] = film.at;
    blink(LED_GREEN, 100, 100, 10);
    const struct led_phrase *p = recognise(film.at, 3);
    cr_expect_eq(p[0].end_ms, 300);
    cr_expect_eq(p[1].count, 10);
    cr_expect_eq(p[2].count, 10);
}

Test(led_phrases, window_shows_what_the_whole_shows)
{
    start(0);
    paint(118, LED_WHITE, FULL);
    film.at = 2000;
    blink(LED_GREEN, 100, 100, 30);
    blink(LED_CYAN, 100, 100, 20);
    sos(LED_RED, 3, 1);
    double end = film.at;
    struct led_phrases whole;
    recognise(end, 5);
    whole = film.phrases;
    film.phrases = (struct led_phrases){0};
    for (size_t i = 0; i < whole.count; i++) {
        struct led_timeline timeline = {
            .edges = film.edges, .edge_count = film.count, .start_ms = whole.item[i].t_ms, .end_ms = end};
        cr_assert_eq(led_phrases_find(&timeline, &film.phrases), 0);
        cr_assert_eq(film.phrases.count, whole.count - i);
        cr_expect_eq(film.phrases.item[0].t_ms, whole.item[i].t_ms);
        cr_expect_eq(film.phrases.item[0].kind, whole.item[i].kind);
        cr_expect_eq(film.phrases.item[0].color, whole.item[i].color);
        led_phrases_free(&film.phrases);
    }
    led_phrases_free(&whole);
}

Test(led_phrases, bursts_are_not_one_blink)
{
    start(0);
    for (int i = 0; i < 3; i++) {
        blink(LED_RED, 250, 250, 4);
        film.at += 1500;
    }
    recognise(film.at, 6);
    cr_expect_eq(film.phrases.item[0].count, 4);
    cr_expect_eq(film.phrases.item[2].count, 4);
}

Test(led_phrases, flashes_without_a_rhythm_are_one_phrase)
{
    srand(5);
    start(0);
    for (int i = 0; i < 100; i++)
        flash(LED_BLUE, 1 + rand() % 900, 1 + rand() % 900);
    const struct led_phrase *p = recognise(film.at, 1);
    cr_expect_eq(p[0].kind, LED_OTHER);
    cr_expect_eq(p[0].color, LED_BLUE);
    cr_expect_eq(p[0].count, 100);
}

Test(led_phrases, play_of_colors_is_one_phrase)
{
    start(0);
    for (int i = 0; i < 30; i++)
        paint(i * 80, i % 2 ? LED_RED : LED_BLUE, 200);
    const struct led_phrase *p = recognise(2400, 1);
    cr_expect_eq(p[0].kind, LED_OTHER);
    cr_expect_eq(p[0].color, LED_MIXED);
    cr_expect_eq(p[0].count, 30);
}

Test(led_phrases, noise_neither_crashes_nor_leaves_gaps)
{
    srand(7);
    for (int round = 0; round < 300; round++) {
        start(0);
        double t = 0;
        int count = rand() % 400;
        for (int i = 0; i < count; i++) {
            t += 1 + rand() % (round % 2 ? 40 : 700);
            if (rand() % 3)
                show(t, rand() % 256, rand() % 256, rand() % 256);
            else
                show(t, 0, 0, 0);
            if (rand() % 60 == 0 && film.reset_count < 16)
                film.resets[film.reset_count++] = t;
        }
        recognise(t + 100, 0);
    }
}

Test(led_phrases, charge_lamp_flicker)
{
    start(0);
    blink(LED_YELLOW, 40, 60, 30);
    struct led_timeline timeline = {
        .edges = film.edges, .edge_count = film.count, .end_ms = film.at, .lamp = LED_LAMP_CHARGE};
    cr_assert_eq(led_phrases_find(&timeline, &film.phrases), 0);
    cr_assert_eq(film.phrases.count, 1);
    expect_meaning(&film.phrases.item[0], "no battery");
}

Test(led_phrases, names_of_kinds_and_colors_go_both_ways)
{
    for (int kind = 0; kind < LED_KINDS; kind++)
        cr_expect_eq((int)led_kind_by_name(led_kind_name(kind)), kind);
    for (int color = 0; color < LED_COLORS; color++)
        cr_expect_eq((int)led_color_by_name(led_color_name(color)), color);
    cr_expect_eq(led_kind_by_name("wink"), LED_KINDS);
    cr_expect_eq(led_color_by_name("mauve"), LED_COLORS);
    cr_expect_eq(led_color_of(255, 127, 0), LED_ORANGE);
    cr_expect_eq(led_color_of(3, 1, 0), LED_ORANGE);
    cr_expect_eq(led_color_of(1, 0, 1), LED_NO_COLOR);
    cr_expect_eq(led_color_of(11, 11, 11), LED_WHITE);
}
