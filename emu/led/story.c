/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "led/story.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Darkness shorter than this is a pause, not an item. */
#define DARK_LEAST_MS 2000.0
/* A reset this soon after the start, before the lamp shows anything, is part of starting. */
#define EARLY_RESET_MS 10.0
/* Without a reset in it a cycle must be seen this often. */
#define ROUNDS_WITHOUT_RESET 3
/* An SOS that is cut within its preamble looks like so many phrases at most. */
#define SOS_PIECES 3
/* Nobody reads a line of more items than this. */
#define CYCLE_MOST 64

static void add_reset(struct led_story *story, const struct led_reset *reset, double start_ms)
{
    const char *word = reset->word ? reset->word : "reset";
    struct led_story_item *last = story->count ? &story->item[story->count - 1] : NULL;
    if (reset->t_ms - start_ms < EARLY_RESET_MS)
        return;
    if (last && last->reset && strcmp(last->reset, word) == 0)
        last->times++;
    else
        story->item[story->count++] = (struct led_story_item){.reset = word, .times = 1};
}

/* Darkness counts when it lasts; so does any when there was no light at all. */
static void add_phrase(struct led_story *story, const struct led_phrase *phrase, bool any_light)
{
    bool brief = phrase->end_ms - phrase->t_ms < DARK_LEAST_MS;
    if (phrase->kind != LED_OFF || !any_light || !brief)
        story->item[story->count++] = (struct led_story_item){.phrase = *phrase};
}

static bool has_light(const struct led_phrase *phrases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (phrases[i].kind != LED_OFF)
            return true;
    }
    return false;
}

/* A solid light that went out just before its phrase's end: what is left is too brief to be a phrase. */
static bool is_out(const struct led_phrase *phrase, double t_ms)
{
    return phrase->kind == LED_SOLID && t_ms > phrase->t_ms + phrase->on_ms - 0.01;
}

/* Lit phrases end at resets; darkness goes on over them and is told piece by piece. */
static void gather(const struct led_phrase *phrases, size_t phrase_count, const struct led_reset *resets,
                   size_t reset_count, struct led_story *story)
{
    size_t reset = 0;
    double start = phrase_count ? phrases[0].t_ms : 0;
    double end = phrase_count ? phrases[phrase_count - 1].end_ms : 0;
    bool any_light = has_light(phrases, phrase_count);
    for (size_t i = 0; i < phrase_count; i++) {
        struct led_phrase rest = phrases[i];
        while (reset < reset_count && resets[reset].t_ms < rest.end_ms && any_light) {
            struct led_phrase piece = rest;
            piece.end_ms = resets[reset].t_ms;
            piece.ongoing = false;
            if (piece.end_ms > piece.t_ms && !is_out(&phrases[i], piece.t_ms))
                add_phrase(story, &piece, true);
            rest.t_ms = resets[reset].t_ms > rest.t_ms ? resets[reset].t_ms : rest.t_ms;
            add_reset(story, &resets[reset++], start);
        }
        if (!is_out(&phrases[i], rest.t_ms))
            add_phrase(story, &rest, any_light);
    }
    while (reset < reset_count && resets[reset].t_ms <= end)
        add_reset(story, &resets[reset++], start);
}

static bool about(double a, double b, double part, double slack)
{
    return fabs(a - b) <= part * (a > b ? a : b) + slack;
}

static bool same_phrase(const struct led_phrase *a, const struct led_phrase *b)
{
    if (a->kind != b->kind || a->color != b->color)
        return false;
    switch (a->kind) {
    case LED_SOS:
        return a->code == b->code && a->count == b->count;
    case LED_BLINK:
        return about(a->on_ms, b->on_ms, 0.12, 3) && about(a->off_ms, b->off_ms, 0.12, 3) &&
               about(a->count, b->count, 0.15, 1);
    case LED_SOLID:
        return about(a->on_ms, b->on_ms, 0.2, 20);
    case LED_OFF:
        return about(a->end_ms - a->t_ms, b->end_ms - b->t_ms, 0.2, 20);
    case LED_BREATHE:
        return about(a->period_ms, b->period_ms, 0.1, 50) && about(a->count, b->count, 0.15, 1);
    default:
        return true;
    }
}

static bool same_item(const struct led_story_item *a, const struct led_story_item *b)
{
    if (!a->reset != !b->reset)
        return false;
    return a->reset ? strcmp(a->reset, b->reset) == 0 && a->times == b->times
                    : same_phrase(&a->phrase, &b->phrase);
}

/* Can the items from `first` to the end be `whole`, cut short by the end of the recording? */
static bool is_cut_short(const struct led_story *story, size_t first, const struct led_story_item *whole)
{
    bool is_sos = !whole->reset && whole->phrase.kind == LED_SOS;
    if (whole->reset || story->count - first > (is_sos ? SOS_PIECES : 1))
        return false;
    for (size_t i = first; i < story->count; i++) {
        const struct led_story_item *item = &story->item[i];
        if (item->reset || item->phrase.color != whole->phrase.color)
            return false;
    }
    return true;
}

/* How many whole rounds of `cycle` items there are from `prefix` to the end; 0 if anything else comes in. */
static size_t rounds_of(const struct led_story *story, size_t prefix, size_t cycle)
{
    size_t i = prefix + cycle;
    while (i < story->count && same_item(&story->item[i], &story->item[i - cycle]))
        i++;
    if (i < story->count && !is_cut_short(story, i, &story->item[i - cycle]))
        return 0;
    return (i - prefix) / cycle;
}

static bool has_reset(const struct led_story *story, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        if (story->item[i].reset)
            return true;
    }
    return false;
}

static void find_cycle(struct led_story *story)
{
    story->prefix = story->count;
    for (size_t prefix = 0; prefix + 1 < story->count; prefix++) {
        for (size_t cycle = 1; cycle <= CYCLE_MOST && prefix + 2 * cycle <= story->count; cycle++) {
            size_t rounds = rounds_of(story, prefix, cycle);
            size_t least = has_reset(story, prefix, cycle) ? 2 : ROUNDS_WITHOUT_RESET;
            if (rounds < least)
                continue;
            story->prefix = prefix;
            story->cycle = cycle;
            story->rounds = rounds;
            return;
        }
    }
}

int led_story_make(const struct led_phrase *phrases, size_t phrase_count, const struct led_reset *resets,
                   size_t reset_count, struct led_story *story)
{
    *story = (struct led_story){0};
    story->item = calloc(phrase_count + 2 * reset_count + 1, sizeof *story->item);
    if (!story->item)
        return -1;
    gather(phrases, phrase_count, resets, reset_count, story);
    find_cycle(story);
    return 0;
}

void led_story_free(struct led_story *story)
{
    free(story->item);
    *story = (struct led_story){0};
}
