/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From edges to phrases: 'magenta blink 51/51 ms, three times', 'SOS 10', 'cyan breathing'.
 *
 * Sources: the signals and timings of Device OS v2.0.1 (services/src/led_service.cpp, panic.c,
 * system/src/system_led_signal.cpp, bootloader/src/main.c). Only the shape is recognised here, from what the
 * lamp shows; what a shape stands for is looked up afterwards (led/meaning.h).
 *
 * - off, solid: no change. A single flash is a solid.
 * - blink: two flashes or more of one colour. on_ms and off_ms are medians, so flashes that a stalled CPU
 *   stretched (a flash page erase stops it for 85 ms, and the firmware's millisecond tick with it) do not
 * break a phrase or change its numbers. A new rhythm that lasts three flashes is a new phrase.
 * - breathe: brightness goes up and down in small steps.
 * - sos: three short, three long, three short, then the code as equal flashes; any colour; half to double
 * speed. Rounds with the same code make one phrase.
 * - other: flashes without a rhythm, or colours in quick succession (color is then LED_MIXED).
 *
 * A reset ends every phrase but darkness. The phrases cover the time from start to end without gap or
 * overlap.
 *
 * Not modelled: two lamps seen together; Morse beyond SOS.
 */
#ifndef SOSIM_LED_PHRASES_H
#define SOSIM_LED_PHRASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "led/color.h"
#include "led/meaning.h"
#include "led/recorder.h"

enum led_kind { LED_OFF, LED_SOLID, LED_BLINK, LED_BREATHE, LED_SOS, LED_OTHER, LED_KINDS };

struct led_phrase {
    double t_ms, end_ms;
    enum led_kind kind;
    enum led_color color;
    uint8_t level;       /* brightest level, 0..255 */
    bool ongoing;        /* the recording ended before the phrase did */
    double on_ms;        /* blink, other: median length of a flash; solid: how long it was lit; else 0 */
    double off_ms;       /* blink, other: median pause; else 0 */
    double period_ms;    /* blink: on_ms + off_ms; breathe: dark to dark, 0 when less than a turn was seen */
    unsigned count;      /* blink, other: flashes; breathe: peaks; sos: complete rounds; off, solid: 1 */
    int code;            /* sos: flashes after the preamble (so far, when count is 0); else 0 */
    const char *meaning; /* constant text, or NULL when the vendor documents none */
};

struct led_timeline {
    const struct led_edge *edges; /* ordered by time; edges outside start..end are allowed */
    size_t edge_count;
    const double *resets_ms; /* ordered by time; resets, power cuts: whatever started the firmware anew */
    size_t reset_count;
    double start_ms, end_ms; /* a window: start it where a phrase starts, or at a reset */
    enum led_lamp lamp;      /* whose meanings to look up */
};

struct led_phrases {
    struct led_phrase *item;
    size_t count;
    size_t room;
};

/*
 * Fills `out` (which needs no initial value) with the phrases of the timeline; release with
 * led_phrases_free(). Returns 0, or -1 when memory ran out (`out` is then empty).
 */
int led_phrases_find(const struct led_timeline *timeline, struct led_phrases *out);
void led_phrases_free(struct led_phrases *phrases);

/* "off", "solid", "blink", "breathe", "sos", "other"; never NULL. */
const char *led_kind_name(enum led_kind kind);

/* The kind called `name`, or LED_KINDS when there is none. */
enum led_kind led_kind_by_name(const char *name);

#endif
