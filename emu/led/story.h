/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the lamp told from first to last, in one line a person reads first:
 * "magenta blink 51/51 ms ×3, then SOS 10 (assertion failure) ×2, reset; repeats".
 *
 * A story is the lit phrases, the resets between them and darkness that lasts. If its end is the same few
 * items again and again, the line tells them once. Rounds need not be equal to the flash: a count may differ
 * by one, and the last round may be cut short by the end of the recording.
 *
 * Not modelled: stories of two lamps; a cycle with varying parts.
 */
#ifndef SOSIM_LED_STORY_H
#define SOSIM_LED_STORY_H

#include <stddef.h>

#include "led/phrases.h"

struct led_reset {
    double t_ms;
    const char *word; /* "reset", "power cut", … must outlive the story; NULL means "reset" */
};

struct led_story_item {
    const char *reset;        /* word of a reset, or NULL: then `phrase` counts */
    unsigned times;           /* resets in a row */
    struct led_phrase phrase; /* a copy */
};

struct led_story {
    struct led_story_item *item;
    size_t count;
    size_t prefix; /* items before the first round; all of them when nothing repeats */
    size_t cycle;  /* items in a round; 0 when nothing repeats */
    size_t rounds; /* whole rounds that were seen; 0 when nothing repeats */
};

/*
 * Makes the story of phrases (as led_phrases_find() gives them) and resets (ordered by time; those after the
 * last phrase are left out). `story` needs no initial value; release it with led_story_free(). Returns 0, or
 * -1 when memory ran out (`story` is then empty).
 */
int led_story_make(const struct led_phrase *phrases, size_t phrase_count, const struct led_reset *resets,
                   size_t reset_count, struct led_story *story);
void led_story_free(struct led_story *story);

/* The reading line, UTF-8, without a newline; the caller frees it. NULL when memory ran out. */
char *led_story_line(const struct led_story *story);

/* The words for one phrase, as in the reading line; the caller frees them. NULL when memory ran out. */
char *led_phrase_words(const struct led_phrase *phrase);

#endif
