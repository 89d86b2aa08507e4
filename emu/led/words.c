/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/room.h"
#include "led/story.h"

#define ITEMS_MOST 20

/* Text that grows; `failed` stays set once memory ran out. */
struct words {
    char *text;
    size_t length, room;
    bool failed;
};

static void say(struct words *words, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t need = words->length + (length > 0 ? (size_t)length : 0) + 1;
    char *text = words->failed ? NULL : room_for(words->text, need, &words->room, 1);
    words->failed = !text;
    words->text = text ? text : words->text;
    if (!words->failed && length >= 0) {
        vsnprintf(words->text + words->length, words->room - words->length, format, again);
        words->length = need - 1;
    }
    va_end(again);
}

static char *finish(struct words *words)
{
    say(words, "%s", "");
    if (!words->failed)
        return words->text;
    free(words->text);
    return NULL;
}

static void say_length(struct words *words, double ms)
{
    if (ms < 1000)
        say(words, " %.0f ms", ms);
    else
        say(words, " %.1f s", ms / 1000);
}

static void say_sos(struct words *words, const struct led_phrase *phrase)
{
    if (phrase->color != LED_RED)
        say(words, "%s ", led_color_name(phrase->color));
    if (!phrase->count) {
        say(words, "SOS cut short after %d flash%s of its code", phrase->code, phrase->code == 1 ? "" : "es");
        return;
    }
    const char *name = led_panic_name(phrase->code);
    say(words, "SOS %d", phrase->code);
    if (name)
        say(words, " (%s)", name);
}

/* Name and rhythm of a phrase, without how often or how long. */
static void say_kind(struct words *words, const struct led_phrase *phrase)
{
    const char *color = led_color_name(phrase->color);
    switch (phrase->kind) {
    case LED_OFF:
        say(words, "dark");
        break;
    case LED_BLINK:
        say(words, "%s blink %.0f/%.0f ms", color, phrase->on_ms, phrase->off_ms);
        break;
    case LED_BREATHE:
        say(words, "%s breathe", color);
        if (phrase->period_ms > 0)
            say(words, " %.0f ms", phrase->period_ms);
        break;
    case LED_SOS:
        say_sos(words, phrase);
        break;
    case LED_OTHER:
        say(words, phrase->color == LED_MIXED ? "%s colors" : "%s flicker", color);
        break;
    default:
        say(words, "%s", color);
    }
}

static void say_phrase(struct words *words, const struct led_phrase *phrase)
{
    say_kind(words, phrase);
    if (phrase->kind == LED_OFF || phrase->kind == LED_SOLID)
        say_length(words, phrase->end_ms - phrase->t_ms);
    else if (phrase->count > 1)
        say(words, " ×%u", phrase->count);
}

/* A phrase that the recording ended before: nobody knows how often, but what it stands for is the point. */
static void say_ongoing(struct words *words, const struct led_phrase *phrase, bool throughout)
{
    say_kind(words, phrase);
    if (phrase->kind == LED_SOS)
        return;
    say(words, throughout ? " throughout" : " to the end");
    if (phrase->meaning)
        say(words, " (%s)", phrase->meaning);
}

static void say_each(struct words *words, const struct led_story *story, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        const struct led_story_item *item = &story->item[i];
        if (i > first)
            say(words, item->reset ? ", " : ", then ");
        if (item->reset && item->times > 1)
            say(words, "%s ×%u", item->reset, item->times);
        else if (item->reset)
            say(words, "%s", item->reset);
        else if (item->phrase.ongoing)
            say_ongoing(words, &item->phrase, i == 0);
        else
            say_phrase(words, &item->phrase);
    }
}

/* Of many items only the first and the last ones are worth a reader's time. */
static void say_items(struct words *words, const struct led_story *story, size_t first, size_t count)
{
    if (count <= ITEMS_MOST) {
        say_each(words, story, first, count);
        return;
    }
    say_each(words, story, first, ITEMS_MOST / 2);
    say(words, ", … (%zu more) …, ", count - ITEMS_MOST / 2 * 2);
    say_each(words, story, first + count - ITEMS_MOST / 2, ITEMS_MOST / 2);
}

char *led_story_line(const struct led_story *story)
{
    struct words words = {0};
    if (story->count == 0) {
        say(&words, "dark");
    } else if (story->cycle == 0) {
        say_items(&words, story, 0, story->count);
    } else {
        if (story->prefix) {
            say(&words, "first ");
            say_items(&words, story, 0, story->prefix);
            say(&words, "; then ");
        }
        say_items(&words, story, story->prefix, story->cycle);
        say(&words, "; repeats");
    }
    return finish(&words);
}

char *led_phrase_words(const struct led_phrase *phrase)
{
    struct words words = {0};
    say_phrase(&words, phrase);
    return finish(&words);
}
