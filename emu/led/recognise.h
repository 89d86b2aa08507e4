/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the recogniser (phrases.c, fade.c, sos.c, blink.c): not for others.
 *
 * phrases.c cuts the time at resets and turns each part into spans of equal level; fade.c claims the spans
 * that belong to a fade; what remains becomes flashes, of which sos.c claims its own and blink.c the rest.
 */
#ifndef SOSIM_LED_RECOGNISE_H
#define SOSIM_LED_RECOGNISE_H

#include "led/phrases.h"

/* The lamp's level did not change from `from` to `to`. */
struct led_span {
    double from, to;
    uint8_t r, g, b;
    uint8_t level;
    enum led_color color;
};

/* The lamp was lit in one colour from `from` to `to`, then dark for `gap` ms (0: another colour came at
 * once). */
struct led_flash {
    double from, to;
    double gap;
    enum led_color color;
    uint8_t level;
    bool late;  /* its true beginning was not seen: another colour or a reset came before */
    bool early; /* its true end was not seen */
};

/* Appends; returns 0, or -1 when memory ran out. */
int led_phrases_add(struct led_phrases *phrases, struct led_phrase phrase);

/* Lower median of `count` > 0 values, which it puts in order. */
double led_lower_median(double *values, size_t count);

/*
 * Looks for a fade that begins at spans[0]. Returns how many spans (1 or more) it has judged: with `found`
 * they are the fade that `phrase` describes, otherwise no fade begins in any of them. `scratch` has room for
 * `count` values.
 */
size_t led_fade_at(const struct led_span *spans, size_t count, double *scratch, struct led_phrase *phrase,
                   bool *found);

/* If a whole SOS preamble begins at flashes[0], fills `phrase` and returns how many flashes it takes; else 0.
 */
size_t led_sos_at(const struct led_flash *flashes, size_t count, struct led_phrase *phrase);

/*
 * Turns flashes that are no SOS into solids, blinks and others. `scratch` has room for 2 × count values.
 * Returns 0, or -1 when memory ran out.
 */
int led_blinks(const struct led_flash *flashes, size_t count, double *scratch, struct led_phrases *out);

#endif
