/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "led/recorder.h"

#include "core/room.h"

#include <stdlib.h>
#include <string.h>

#define LED_CYCLES_PER_MS 64000.0
#define SETTLE_CYCLES     ((uint64_t)(LED_SETTLE_MS * LED_CYCLES_PER_MS))
#define FUSE_CYCLES       ((uint64_t)(LED_FUSE_MS * LED_CYCLES_PER_MS))

static uint8_t to_byte(uint16_t level)
{
    return (uint8_t)((level * 255u + 32767u) / 65535u);
}

static int level_distance(struct led_level a, struct led_level b)
{
    int r = abs(to_byte(a.r) - to_byte(b.r));
    int g = abs(to_byte(a.g) - to_byte(b.g));
    int blue = abs(to_byte(a.b) - to_byte(b.b));
    int most = r > g ? r : g;
    return most > blue ? most : blue;
}

static bool same_level(struct led_level a, struct led_level b)
{
    return level_distance(a, b) == 0;
}

static bool is_dark(const struct led_edge *edge)
{
    return edge->r == 0 && edge->g == 0 && edge->b == 0;
}

void led_recorder_init(struct led_recorder *recorder, const char *name)
{
    *recorder = (struct led_recorder){0};
    strncpy(recorder->name, name, sizeof recorder->name - 1);
}

void led_recorder_free(struct led_recorder *recorder)
{
    free(recorder->edges.item);
    recorder->edges = (struct led_edges){0};
}

int led_recorder_copy(struct led_recorder *to, const struct led_recorder *from)
{
    *to = *from;
    to->edges = (struct led_edges){.lost = from->edges.lost};
    if (!from->edges.count)
        return 0;
    if (!(to->edges.item = malloc(from->edges.count * sizeof *to->edges.item)))
        return -1;
    memcpy(to->edges.item, from->edges.item, from->edges.count * sizeof *to->edges.item);
    to->edges.count = to->edges.room = from->edges.count;
    return 0;
}

static bool same_edge(const struct led_edge *a, const struct led_edge *b)
{
    return a->t_ms == b->t_ms && a->r == b->r && a->g == b->g && a->b == b->b;
}

static bool same_levels(struct led_level a, struct led_level b)
{
    return a.r == b.r && a.g == b.g && a.b == b.b;
}

bool led_recorder_same(const struct led_recorder *a, const struct led_recorder *b)
{
    bool same = a->edges.count == b->edges.count && a->edges.lost == b->edges.lost &&
                same_levels(a->level, b->level) && same_levels(a->shown, b->shown) &&
                a->level_since == b->level_since && a->unsettled == b->unsettled && a->fused == b->fused &&
                a->first_change == b->first_change && a->sum_from == b->sum_from && a->sum[0] == b->sum[0] &&
                a->sum[1] == b->sum[1] && a->sum[2] == b->sum[2] && a->has_held == b->has_held &&
                (!a->has_held || same_edge(&a->held, &b->held)) && !strcmp(a->name, b->name);
    for (size_t i = 0; i < a->edges.count && same; i++)
        same = same_edge(&a->edges.item[i], &b->edges.item[i]);
    return same;
}

static void append(struct led_edges *edges, struct led_edge edge)
{
    struct led_edge *item = NULL;
    if (edges->count < LED_MAX_EDGES)
        item = room_for(edges->item, edges->count + 1, &edges->room, sizeof *item);
    if (!item) {
        edges->lost++;
        return;
    }
    edges->item = item;
    item[edges->count++] = edge;
}

static struct led_edge last_kept(const struct led_recorder *recorder)
{
    const struct led_edges *edges = &recorder->edges;
    return edges->count ? edges->item[edges->count - 1] : (struct led_edge){0};
}

static int largest_step(const struct led_edge *from, const struct led_edge *to)
{
    int step = abs(to->r - from->r);
    if (abs(to->g - from->g) > step)
        step = abs(to->g - from->g);
    if (abs(to->b - from->b) > step)
        step = abs(to->b - from->b);
    return step;
}

static bool same_way(int a, int b)
{
    return (a >= 0 && b >= 0) || (a <= 0 && b <= 0);
}

/* Does the fade that leads from `kept` to `held` go on to `next`, so that nobody would miss `held`? */
static bool goes_on(const struct led_edge *kept, const struct led_edge *held, const struct led_edge *next)
{
    return next->t_ms - held->t_ms < LED_FADE_GAP_MS && largest_step(held, next) < LED_FADE_STEP &&
           largest_step(kept, next) < LED_FADE_STEP && same_way(held->r - kept->r, next->r - held->r) &&
           same_way(held->g - kept->g, next->g - held->g) && same_way(held->b - kept->b, next->b - held->b);
}

static void keep_held(struct led_recorder *recorder)
{
    if (recorder->has_held)
        append(&recorder->edges, recorder->held);
    recorder->has_held = false;
}

static void take_edge(struct led_recorder *recorder, struct led_edge edge)
{
    struct led_edge kept = last_kept(recorder);
    if (recorder->has_held && goes_on(&kept, &recorder->held, &edge))
        recorder->has_held = false;
    keep_held(recorder);

    kept = last_kept(recorder);
    bool small = largest_step(&kept, &edge) < LED_FADE_STEP;
    if (small && !is_dark(&edge) && !is_dark(&kept)) {
        recorder->held = edge;
        recorder->has_held = true;
    } else {
        append(&recorder->edges, edge);
    }
}

static void show(struct led_recorder *recorder, uint64_t since, struct led_level level)
{
    if (!same_level(level, recorder->shown)) {
        struct led_edge edge = {(double)since / LED_CYCLES_PER_MS, to_byte(level.r), to_byte(level.g),
                                to_byte(level.b)};
        take_edge(recorder, edge);
    }
    recorder->shown = level;
}

static void add_up(struct led_recorder *recorder, uint64_t until)
{
    uint64_t from = recorder->level_since > recorder->sum_from ? recorder->level_since : recorder->sum_from;
    double cycles = until > from ? (double)(until - from) : 0;
    recorder->sum[0] += recorder->level.r * cycles;
    recorder->sum[1] += recorder->level.g * cycles;
    recorder->sum[2] += recorder->level.b * cycles;
}

static void start_unsettled(struct led_recorder *recorder, uint64_t cycles)
{
    recorder->unsettled = true;
    recorder->first_change = cycles;
    recorder->sum_from = cycles;
    memset(recorder->sum, 0, sizeof recorder->sum);
}

/* The lamp has flickered for a whole fusion time: what is seen is the average. */
static void show_average(struct led_recorder *recorder, uint64_t cycles)
{
    double length = (double)(cycles - recorder->sum_from);
    struct led_level average = {(uint16_t)(recorder->sum[0] / length), (uint16_t)(recorder->sum[1] / length),
                                (uint16_t)(recorder->sum[2] / length)};
    if (level_distance(average, recorder->shown) >= LED_FADE_STEP)
        show(recorder, recorder->sum_from, average);
    recorder->fused = true;
    start_unsettled(recorder, cycles);
}

void led_recorder_advance(struct led_recorder *recorder, uint64_t cycles)
{
    if (!recorder->unsettled || cycles - recorder->level_since < SETTLE_CYCLES)
        return;
    uint64_t since = recorder->fused ? recorder->level_since : recorder->first_change;
    recorder->unsettled = false;
    recorder->fused = false;
    show(recorder, since, recorder->level);
}

void led_recorder_level(struct led_recorder *recorder, uint64_t cycles, uint16_t r, uint16_t g, uint16_t b)
{
    struct led_level level = {r, g, b};
    if (same_level(level, recorder->level))
        return;
    led_recorder_advance(recorder, cycles);
    if (recorder->unsettled) {
        add_up(recorder, cycles);
        if (cycles - recorder->sum_from >= FUSE_CYCLES)
            show_average(recorder, cycles);
    } else {
        start_unsettled(recorder, cycles);
    }
    recorder->level = level;
    recorder->level_since = cycles;
}

void led_recorder_flush(struct led_recorder *recorder, uint64_t cycles)
{
    led_recorder_advance(recorder, cycles);
    keep_held(recorder);
}
