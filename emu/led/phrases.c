/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "led/phrases.h"

#include <stdlib.h>
#include <string.h>

#include "core/room.h"
#include "led/recognise.h"

/* Darkness shorter than this, left over between two phrases, is no phrase of its own. */
#define OFF_LEAST_MS 10.0
/* So many colours, each shown for less than CHANGE_MOST_MS, are a play of colours. */
#define PLAY_LEAST     4
#define CHANGE_MOST_MS 1000.0
#define PLAY_GAP_MS    300.0

static const char *const kind_names[LED_KINDS] = {
    [LED_OFF] = "off",         [LED_SOLID] = "solid", [LED_BLINK] = "blink",
    [LED_BREATHE] = "breathe", [LED_SOS] = "sos",     [LED_OTHER] = "other",
};

const char *led_kind_name(enum led_kind kind)
{
    return (unsigned)kind < LED_KINDS ? kind_names[kind] : "other";
}

enum led_kind led_kind_by_name(const char *name)
{
    int kind = LED_OFF;
    while (kind < LED_KINDS && strcmp(kind_names[kind], name) != 0)
        kind++;
    return (enum led_kind)kind;
}

int led_phrases_add(struct led_phrases *phrases, struct led_phrase phrase)
{
    struct led_phrase *item = room_for(phrases->item, phrases->count + 1, &phrases->room, sizeof *item);
    if (!item)
        return -1;
    phrases->item = item;
    item[phrases->count++] = phrase;
    return 0;
}

void led_phrases_free(struct led_phrases *phrases)
{
    free(phrases->item);
    *phrases = (struct led_phrases){0};
}

/* Room for one stretch of time between resets; each array has room for all edges and one more. */
struct work {
    struct led_span *spans;
    struct led_flash *flashes;
    double *scratch;
};

static int work_init(struct work *work, size_t edges)
{
    size_t room = edges + 1;
    *work = (struct work){0};
    if (room > SIZE_MAX / 2 / sizeof *work->spans)
        return -1;
    work->spans = malloc(room * sizeof *work->spans);
    work->flashes = malloc(room * sizeof *work->flashes);
    work->scratch = malloc(room * 2 * sizeof *work->scratch);
    return work->spans && work->flashes && work->scratch ? 0 : -1;
}

static void work_free(struct work *work)
{
    free(work->spans);
    free(work->flashes);
    free(work->scratch);
}

static void add_span(struct led_span *spans, size_t *count, double from, double to,
                     const struct led_edge *edge)
{
    if (to <= from)
        return;
    spans[(*count)++] = (struct led_span){from,
                                          to,
                                          edge->r,
                                          edge->g,
                                          edge->b,
                                          led_brightness(edge->r, edge->g, edge->b),
                                          led_color_of(edge->r, edge->g, edge->b)};
}

/* The levels between two times. `*at` walks along the edges and is left at the first one past `to`. */
static size_t cut_spans(const struct led_timeline *timeline, double from, double to, size_t *at,
                        struct led_edge *level, struct led_span *spans)
{
    size_t count = 0;
    double since = from;
    for (; *at < timeline->edge_count && timeline->edges[*at].t_ms < to; (*at)++) {
        const struct led_edge *edge = &timeline->edges[*at];
        if (edge->t_ms > since) {
            add_span(spans, &count, since, edge->t_ms, level);
            since = edge->t_ms;
        }
        *level = *edge;
    }
    add_span(spans, &count, since, to, level);
    return count;
}

/* Lit spans of one colour that touch are one flash, whatever their brightness. */
static size_t make_flashes(const struct led_span *spans, size_t count, double start,
                           struct led_flash *flashes)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct led_span *span = &spans[i];
        struct led_flash *last = n ? &flashes[n - 1] : NULL;
        bool touches = last && last->to == span->from && last->gap == 0;
        if (span->color == LED_NO_COLOR) {
            if (last)
                last->gap += span->to - span->from;
        } else if (touches && last->color == span->color) {
            last->to = span->to;
            if (span->level > last->level)
                last->level = span->level;
        } else {
            if (touches)
                last->early = true;
            flashes[n++] = (struct led_flash){.from = span->from,
                                              .to = span->to,
                                              .color = span->color,
                                              .level = span->level,
                                              .late = touches || span->from == start};
        }
    }
    if (n && flashes[n - 1].gap == 0)
        flashes[n - 1].early = true;
    return n;
}

static int recognise_flashes(const struct led_flash *flashes, size_t count, double *scratch,
                             struct led_phrases *out)
{
    size_t plain = 0; /* flashes plain..i-1 are no SOS */
    size_t i = 0;
    while (i < count) {
        struct led_phrase sos;
        size_t taken = led_sos_at(flashes + i, count - i, &sos);
        if (!taken) {
            i++;
            continue;
        }
        if (led_blinks(flashes + plain, i - plain, scratch, out) || led_phrases_add(out, sos))
            return -1;
        i += taken;
        plain = i;
    }
    return led_blinks(flashes + plain, count - plain, scratch, out);
}

static int recognise_plain(struct work *work, size_t first, size_t end, struct led_phrases *out)
{
    size_t n = make_flashes(work->spans + first, end - first, work->spans[0].from, work->flashes);
    return recognise_flashes(work->flashes, n, work->scratch, out);
}

/* The phrases of spans without a reset in between. */
static int recognise_spans(struct work *work, size_t count, struct led_phrases *out)
{
    size_t plain = 0; /* spans plain..i-1 are no fade */
    for (size_t i = 0; i < count;) {
        struct led_phrase fade;
        bool found;
        size_t judged = led_fade_at(work->spans + i, count - i, work->scratch, &fade, &found);
        if (found) {
            if (recognise_plain(work, plain, i, out) || led_phrases_add(out, fade))
                return -1;
            plain = i + judged;
        }
        i += judged;
    }
    return recognise_plain(work, plain, count, out);
}

static int add_off(struct led_phrases *phrases, double from, double to)
{
    struct led_phrase *last = phrases->count ? &phrases->item[phrases->count - 1] : NULL;
    if (last && (last->kind == LED_OFF || to - from < OFF_LEAST_MS)) {
        last->end_ms = to;
        return 0;
    }
    return led_phrases_add(phrases,
                           (struct led_phrase){.t_ms = from, .end_ms = to, .kind = LED_OFF, .count = 1});
}

static bool joins(const struct led_phrase *last, const struct led_phrase *next)
{
    return last->kind == LED_SOS && next->kind == LED_SOS && last->count && next->count &&
           last->code == next->code && last->color == next->color && next->t_ms - last->end_ms < OFF_LEAST_MS;
}

/* Is phrases[i] one colour of a play of colours whose last one was `last`? */
static bool plays_on(const struct led_phrase *last, const struct led_phrase *phrase)
{
    return phrase->kind == LED_SOLID && phrase->on_ms < CHANGE_MOST_MS &&
           (!last || phrase->t_ms - last->end_ms < PLAY_GAP_MS);
}

/* How many phrases from item[0] on are a play of colours; 0 when it is none. */
static size_t play_of_colors(const struct led_phrase *item, size_t count)
{
    size_t n = 0;
    bool mixed = false;
    while (n < count && plays_on(n ? &item[n - 1] : NULL, &item[n])) {
        mixed = mixed || item[n].color != item[0].color;
        n++;
    }
    return mixed && n >= PLAY_LEAST ? n : 0;
}

static struct led_phrase play(const struct led_phrase *item, size_t count)
{
    struct led_phrase all = item[0];
    for (size_t i = 1; i < count; i++) {
        if (item[i].level > all.level)
            all.level = item[i].level;
    }
    all.kind = LED_OTHER;
    all.color = LED_MIXED;
    all.end_ms = item[count - 1].end_ms;
    all.on_ms = 0;
    all.count = (unsigned)count;
    return all;
}

/* Moves the phrases found between two times to `out`, with darkness wherever they leave time over. */
static int tile(const struct led_phrases *found, double from, double to, struct led_phrases *out)
{
    double at = from;
    for (size_t i = 0; i < found->count;) {
        size_t colors = play_of_colors(found->item + i, found->count - i);
        struct led_phrase phrase = colors ? play(found->item + i, colors) : found->item[i];
        i += colors ? colors : 1;
        if (phrase.t_ms > at && add_off(out, at, phrase.t_ms))
            return -1;
        if (phrase.end_ms > to)
            phrase.end_ms = to;
        struct led_phrase *last = out->count && at > from ? &out->item[out->count - 1] : NULL;
        at = phrase.end_ms;
        if (last && joins(last, &phrase)) {
            last->end_ms = phrase.end_ms;
            last->count += phrase.count;
        } else if (led_phrases_add(out, phrase)) {
            return -1;
        }
    }
    return to > at ? add_off(out, at, to) : 0;
}

static int find_between(const struct led_timeline *timeline, double from, double to, size_t *at,
                        struct led_edge *level, struct work *work, struct led_phrases *out)
{
    struct led_phrases found = {0};
    size_t spans = cut_spans(timeline, from, to, at, level, work->spans);
    int status = spans ? recognise_spans(work, spans, &found) : 0;
    if (!status)
        status = tile(&found, from, to, out);
    led_phrases_free(&found);
    return status;
}

static int find_all(const struct led_timeline *timeline, struct work *work, struct led_phrases *out)
{
    struct led_edge level = {0};
    size_t at = 0;
    double from = timeline->start_ms;
    while (at < timeline->edge_count && timeline->edges[at].t_ms < from)
        level = timeline->edges[at++];
    for (size_t i = 0; i < timeline->reset_count; i++) {
        double reset = timeline->resets_ms[i];
        if (reset <= from || reset >= timeline->end_ms)
            continue;
        if (find_between(timeline, from, reset, &at, &level, work, out))
            return -1;
        from = reset;
    }
    if (timeline->end_ms <= from)
        return 0;
    return find_between(timeline, from, timeline->end_ms, &at, &level, work, out);
}

/* Was the last phrase still going on? Only a whole SOS ends by itself. */
static void mark_ongoing(struct led_phrases *phrases)
{
    if (!phrases->count)
        return;
    struct led_phrase *last = &phrases->item[phrases->count - 1];
    last->ongoing = !(last->kind == LED_SOS && last->count);
}

/* Index of the first edge at or after `t_ms`. */
static size_t first_edge(const struct led_timeline *timeline, double t_ms)
{
    size_t low = 0, high = timeline->edge_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (timeline->edges[middle].t_ms < t_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The same timeline without the edges that do not matter, so that a look at the last seconds of hours is
 * cheap. */
static struct led_timeline trimmed(const struct led_timeline *timeline)
{
    struct led_timeline part = *timeline;
    size_t first = first_edge(timeline, timeline->start_ms);
    size_t end = first_edge(timeline, timeline->end_ms);
    first -= first > 0; /* the level at the start */
    if (first)
        part.edges += first;
    part.edge_count = end > first ? end - first : 0;
    return part;
}

int led_phrases_find(const struct led_timeline *timeline, struct led_phrases *out)
{
    struct work work;
    struct led_timeline part = trimmed(timeline);
    *out = (struct led_phrases){0};
    int status = work_init(&work, part.edge_count);
    if (!status)
        status = find_all(&part, &work, out);
    work_free(&work);
    if (status) {
        led_phrases_free(out);
        return -1;
    }
    mark_ongoing(out);
    for (size_t i = 0; i < out->count; i++)
        out->item[i].meaning = led_meaning(timeline->lamp, &out->item[i]);
    return 0;
}
