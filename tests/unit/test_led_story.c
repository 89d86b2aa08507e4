/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line that a person reads first. */
#include "led/story.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 4000

struct film {
    struct led_edge edges[MOST];
    size_t count;
    struct led_reset resets[300];
    size_t reset_count;
    double at;
};

static struct film film;

static void flash(uint8_t r, uint8_t g, uint8_t b, double on_ms, double off_ms)
{
    cr_assert_leq(film.count + 2, MOST);
    film.edges[film.count++] = (struct led_edge){film.at, r, g, b};
    film.edges[film.count++] = (struct led_edge){film.at + on_ms, 0, 0, 0};
    film.at += on_ms + off_ms;
}

static void magenta(int times)
{
    while (times-- > 0)
        flash(95, 0, 95, 51, 51);
}

static void sos(int code)
{
    for (int letter = 0; letter < 3; letter++) {
        for (int i = 0; i < 3; i++)
            flash(95, 0, 0, letter == 1 ? 300 : 150, 100);
        film.at += letter == 2 ? 900 : 100;
    }
    for (int i = 0; i < code; i++)
        flash(95, 0, 0, 300, 300);
    film.at += 800;
}

static void reset(const char *word)
{
    film.resets[film.reset_count++] = (struct led_reset){film.at, word};
    film.at += 313;
}

/* The reading line of the film up to end_ms. */
static const char *line_until(double end_ms)
{
    static char copy[2000];
    double times[300];
    for (size_t i = 0; i < film.reset_count; i++)
        times[i] = film.resets[i].t_ms;
    struct led_timeline timeline = {.edges = film.edges,
                                    .edge_count = film.count,
                                    .resets_ms = times,
                                    .reset_count = film.reset_count,
                                    .end_ms = end_ms};
    struct led_phrases phrases;
    struct led_story story;
    cr_assert_eq(led_phrases_find(&timeline, &phrases), 0);
    cr_assert_eq(led_story_make(phrases.item, phrases.count, film.resets, film.reset_count, &story), 0);
    char *line = led_story_line(&story);
    cr_assert_not_null(line);
    snprintf(copy, sizeof copy, "%s", line);
    free(line);
    led_story_free(&story);
    led_phrases_free(&phrases);
    return copy;
}

static void expect_line_until(double end_ms, const char *wanted)
{
    cr_assert_str_eq(line_until(end_ms), wanted);
}

static void expect_line(const char *wanted)
{
    expect_line_until(film.at, wanted);
}

static void f1_round(void)
{
    magenta(3);
    sos(10);
    sos(10);
    reset(NULL);
}

static const char f1_line[] = "magenta blink 51/51 ms ×3, then SOS 10 (assertion failure) ×2, reset; repeats";

Test(led_story, field_failure_f1_repeats)
{
    film.resets[film.reset_count++] = (struct led_reset){0.9, NULL};
    film.at = 313;
    for (int i = 0; i < 4; i++)
        f1_round();
    expect_line(f1_line);
}

/* Wherever the recording stops after the second round, the story is the same. */
Test(led_story, end_of_the_recording_does_not_matter)
{
    film.at = 313;
    f1_round();
    f1_round();
    double two_rounds = film.at;
    f1_round();
    for (double end = two_rounds; end < film.at; end += 97)
        expect_line_until(end, f1_line);
}

Test(led_story, one_round_is_no_repetition)
{
    film.at = 313;
    f1_round();
    magenta(3);
    expect_line("magenta blink 51/51 ms ×3, then SOS 10 (assertion failure) ×2, reset, then "
                "magenta blink 51/51 ms to the end (bootloader is installing a firmware module)");
}

Test(led_story, what_came_before_is_told_first)
{
    film.at = 3;
    flash(95, 95, 95, 483, 100);
    for (int i = 0; i < 3; i++)
        f1_round();
    char wanted[200] = "first white 483 ms; then ";
    strcat(wanted, f1_line);
    expect_line(wanted);
}

Test(led_story, ends_in_listening_mode)
{
    film.at = 3;
    flash(95, 95, 95, 483, 70);
    flash(95, 95, 95, 375, 0);
    for (int i = 0; i < 60; i++)
        flash(0, 0, 95, 250, 250);
    expect_line("white 483 ms, then white 375 ms, then blue blink 250/250 ms to the end "
                "(listening mode: waiting to be set up)");
}

Test(led_story, power_cut_and_recovery)
{
    film.at = 313;
    magenta(20);
    reset("power cut");
    magenta(40);
    for (int i = 0; i < 50; i++)
        flash(0, 95, 0, 100, 100);
    expect_line(
        "magenta blink 51/51 ms ×20, power cut, then magenta blink 51/51 ms ×40, then green blink 100/100 ms "
        "to the end (connecting to the network)");
}

Test(led_story, dark_and_dark_reset_loop)
{
    expect_line_until(60000, "dark throughout");
    for (int i = 0; i < 200; i++)
        reset(NULL);
    expect_line("dark throughout, reset ×199");
}

/* The resets come so fast that no darkness is long enough to be told. */
Test(led_story, a_light_that_goes_out_at_a_reset_stays_out)
{
    flash(95, 0, 95, 2000, 0);
    for (int i = 0; i < 5; i++) {
        film.resets[film.reset_count++] = (struct led_reset){film.at, "CPU lock-up"};
        film.at += 0.25;
    }
    expect_line("magenta 2.0 s, CPU lock-up ×5");
}

Test(led_story, sos_that_differs_each_time_is_told_in_full)
{
    film.at = 100;
    sos(1);
    reset(NULL);
    sos(10);
    reset(NULL);
    sos(13);
    reset(NULL);
    expect_line(
        "SOS 1 (hard fault), reset, then SOS 10 (assertion failure), reset, then SOS 13 (stack overflow), "
        "reset");
}

Test(led_story, alike_for_a_while_is_no_repetition)
{
    for (int i = 0; i < 5; i++)
        flash(95, 0, 0, 3000, 6000);
    flash(95, 0, 0, 5000, 6000);
    flash(95, 0, 0, 9000, 6000);
    flash(95, 0, 0, 3000, 100);
    cr_expect_not(strstr(line_until(film.at), "repeats"));
}

Test(led_story, long_stories_are_shortened)
{
    for (int i = 0; i < 100; i++) {
        flash(95, 0, 0, 300 + 300 * (i * 7919 % 101), 0);
        flash(0, 95, 0, 1000 + 700 * (i * 104729 % 97), 0);
    }
    const char *line = line_until(film.at);
    cr_expect_lt(strlen(line), 1000);
    cr_expect(strstr(line, "more) …"));
}

Test(led_story, empty)
{
    expect_line_until(0, "dark");
}
