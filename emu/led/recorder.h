/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a person would see of one lamp: from the levels on its wires to a list of edges.
 *
 * Sources: Device OS drives the RGB lamp by PWM, the three channels one after another (up to 100 us apart),
 * and switches pins to output before it sets them (a full-on pulse of 1 us). An LED fade changes the level
 * every 25 ms for as long as the device runs.
 *
 * What is done:
 * - A level counts once it has stood for LED_SETTLE_MS; its edge carries the time of the first change that
 *   led to it. A level that comes and goes faster leaves no trace.
 * - A lamp that never settles (a program that toggles it by itself) is seen as its average brightness: one
 *   edge for each LED_FUSE_MS in which it differs by LED_FADE_STEP or more.
 * - Within a fade, steps smaller than LED_FADE_STEP are left out unless the fade turns or rests there, so the
 *   recorded level is never off by LED_FADE_STEP or more. Darkness is never left out.
 * - A list of LED_MAX_EDGES (16 MB, 17 hours of fading) is the end: later edges are counted in `lost`.
 *
 * The recorder knows no machine: it is told levels and times. Before the first edge the lamp is dark.
 *
 * Not modelled: the eye's response to brightness; light of one lamp that falls on another.
 */
#ifndef SOSIM_LED_RECORDER_H
#define SOSIM_LED_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LED_SETTLE_MS   1.0
#define LED_FUSE_MS     20.0
#define LED_FADE_STEP   4
#define LED_FADE_GAP_MS 60.0
#define LED_MAX_EDGES   ((size_t)1000000)

/* From `t_ms` on the lamp shows r, g, b (0..255, fraction of time lit). */
struct led_edge {
    double t_ms;
    uint8_t r, g, b;
};

struct led_edges {
    struct led_edge *item; /* ordered by time */
    size_t count;
    size_t room;
    uint64_t lost; /* edges that found no room, or no memory */
};

struct led_level {
    uint16_t r, g, b; /* fraction of time lit, 0..65535 */
};

/* Owned by the caller; the members are the recorder's own, except that `edges` may be read at any time. */
struct led_recorder {
    char name[16]; /* "rgb", "d7", "charge", … */
    struct led_edges edges;
    struct led_level level; /* on the wires now */
    uint64_t level_since;   /* cycle */
    struct led_level shown; /* last level that settled */
    bool unsettled;         /* `level` has not stood long enough yet */
    bool fused;             /* an average was shown since the lamp last settled */
    uint64_t first_change;  /* cycle at which `shown` was left */
    uint64_t sum_from;      /* cycle from which `sum` adds up */
    double sum[3];          /* level times cycles, for the average of a lamp that never settles */
    bool has_held;          /* `held` is an edge of a fade that may yet be left out */
    struct led_edge held;
};

/*
 * Starts with a dark lamp at time 0. `name` is copied (cut to 15 characters). Allocates nothing.
 */
void led_recorder_init(struct led_recorder *recorder, const char *name);
void led_recorder_free(struct led_recorder *recorder);

/* Makes `to` the same as `from`, with edges of its own; 0, or -1 when memory ran out (`to` has none then). */
int led_recorder_copy(struct led_recorder *to, const struct led_recorder *from);

/* True if both recorded the same, and will record the same of what comes. */
bool led_recorder_same(const struct led_recorder *a, const struct led_recorder *b);

/*
 * The lamp's level changes at `cycles` (64 MHz clock, never less than in the call before) to r, g, b, each
 * 0..65535 = fraction of time lit, with active-low wiring already undone. Repeating a level is harmless.
 */
void led_recorder_level(struct led_recorder *recorder, uint64_t cycles, uint16_t r, uint16_t g, uint16_t b);

/* Time has come to `cycles` and the level has not changed: lets it settle. */
void led_recorder_advance(struct led_recorder *recorder, uint64_t cycles);

/*
 * The same, and keeps the edge that a fade held back, so that the list is complete up to `cycles`. For the
 * end of a recording; for looks in between use led_recorder_advance(), which does not change what will be
 * recorded.
 */
void led_recorder_flush(struct led_recorder *recorder, uint64_t cycles);

#endif
