/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdlib.h>

#include "led/recognise.h"

/* One step of a fade: the firmware's own (up to 6 of 255) and what the recorder leaves out between two. */
#define STEP_MOST 20
/* A level that stands longer than this is no part of a fade. */
#define REST_MOST_MS 450.0
/* So many steps one way, without a turn, tell a fade from a dim blink. */
#define STEPS_LEAST 4
/* A channel below this is too coarse to tell its hue. */
#define HUE_LEVEL_LEAST 16

static bool small_step(const struct led_span *a, const struct led_span *b)
{
    if (abs(a->r - b->r) > STEP_MOST || abs(a->g - b->g) > STEP_MOST || abs(a->b - b->b) > STEP_MOST)
        return false;
    return a->color == b->color || a->level < HUE_LEVEL_LEAST || b->level < HUE_LEVEL_LEAST;
}

static bool short_rest(const struct led_span *span)
{
    return span->to - span->from <= REST_MOST_MS;
}

/* How many spans from spans[0] on follow each other in small steps, and whether some run of them is a ramp.
 */
static size_t small_steps(const struct led_span *spans, size_t count, bool *ramp)
{
    size_t n = 1;
    int steps = 0, way = 0;
    *ramp = false;
    while (n < count && short_rest(&spans[n]) && small_step(&spans[n - 1], &spans[n])) {
        int change = spans[n].level - spans[n - 1].level;
        int new_way = (change > 0) - (change < 0);
        if (new_way != 0 && new_way != way) {
            way = new_way;
            steps = 0;
        }
        if (++steps >= STEPS_LEAST)
            *ramp = true;
        n++;
    }
    return n;
}

static const struct led_span *brightest(const struct led_span *spans, size_t count)
{
    const struct led_span *most = spans;
    for (size_t i = 1; i < count; i++) {
        if (spans[i].level > most->level)
            most = &spans[i];
    }
    return most;
}

static double middle(const struct led_span *span)
{
    return (span->from + span->to) / 2;
}

struct turns {
    double last[2]; /* time of the last peak [1] and the last trough [0]; NAN before the first */
    unsigned peaks;
    double *lengths; /* peak to peak and trough to trough */
    size_t count;
    double half; /* between the first two turns of either kind; 0 before */
};

static void note_turn(struct turns *turns, bool peak, double t)
{
    double other = turns->last[!peak];
    if (!isnan(turns->last[peak]))
        turns->lengths[turns->count++] = t - turns->last[peak];
    if (turns->half == 0 && !isnan(other))
        turns->half = t - other;
    turns->last[peak] = t;
    turns->peaks += peak;
}

/*
 * A turn is an extreme from which the level has gone back by a third of the fade's whole range. The first
 * span counts as one too, because the firmware starts each fade at an extreme.
 */
static void find_turns(const struct led_span *spans, size_t count, struct turns *turns)
{
    int range = brightest(spans, count)->level;
    size_t low = 0, high = 0;
    int way = 0;
    for (size_t i = 1; i < count; i++) {
        if (spans[i].level > spans[high].level)
            high = i;
        if (spans[i].level < spans[low].level)
            low = i;
        if (way >= 0 && 3 * (spans[high].level - spans[i].level) > range) {
            note_turn(turns, true, middle(&spans[high]));
            way = -1;
            low = i;
        } else if (way <= 0 && 3 * (spans[i].level - spans[low].level) > range) {
            note_turn(turns, false, middle(&spans[low]));
            way = 1;
            high = i;
        }
    }
}

size_t led_fade_at(const struct led_span *spans, size_t count, double *scratch, struct led_phrase *phrase,
                   bool *found)
{
    *found = false;
    if (!short_rest(&spans[0]))
        return 1;
    size_t n = small_steps(spans, count, found);
    if (!*found)
        return n;
    const struct led_span *top = brightest(spans, n);
    struct turns turns = {.last = {NAN, NAN}, .lengths = scratch};
    find_turns(spans, n, &turns);
    double period = turns.count ? led_lower_median(turns.lengths, turns.count) : 2 * turns.half;
    *phrase = (struct led_phrase){.t_ms = spans[0].from,
                                  .end_ms = spans[n - 1].to,
                                  .kind = LED_BREATHE,
                                  .color = top->color,
                                  .level = top->level,
                                  .period_ms = period,
                                  .count = turns.peaks};
    return n;
}
