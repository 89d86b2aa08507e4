/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/run_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct led_recorder *find_light(struct runner *run, const char *name)
{
    for (size_t i = 0; i < run->light_count; i++) {
        if (!strcmp(run->lights[i].name, name))
            return &run->lights[i];
    }
    return NULL;
}

static int look(struct runner *run, struct led_recorder *recorder, struct led_view *view)
{
    size_t room = run->result->boot_count + run->result->cut_count + 1;
    struct led_reset *resets = malloc(room * sizeof *resets);
    double *resets_ms = malloc(room * sizeof *resets_ms);
    int err = -1;
    if (resets && resets_ms) {
        led_recorder_advance(recorder, run->machine.bus.clock.now);
        view->resets = result_resets(run->result, resets);
        for (size_t i = 0; i < view->resets; i++)
            resets_ms[i] = resets[i].t_ms;
        const struct led_timeline timeline = {.edges = recorder->edges.item,
                                              .edge_count = recorder->edges.count,
                                              .resets_ms = resets_ms,
                                              .reset_count = view->resets,
                                              .end_ms = machine_ms(&run->machine)};
        err = led_phrases_find(&timeline, &view->phrases) ||
                      led_story_make(view->phrases.item, view->phrases.count, resets, view->resets,
                                     &view->story)
                  ? -1
                  : 0;
    }
    free(resets);
    free(resets_ms);
    return err;
}

int run_led_view(struct runner *run, const char *light, struct led_view *view)
{
    memset(view, 0, sizeof *view);
    struct led_recorder *recorder = find_light(run, light);
    return recorder ? look(run, recorder, view) : -1;
}

void run_led_view_free(struct led_view *view)
{
    led_phrases_free(&view->phrases);
    led_story_free(&view->story);
}

static bool near(double value, double wanted, double tolerance)
{
    return fabs(value - wanted) <= tolerance;
}

bool led_pattern_fits(const struct led_pattern *pattern, const struct led_phrase *phrase)
{
    double lasts = phrase->end_ms - phrase->t_ms;
    return (!pattern->has_kind || pattern->kind == phrase->kind) &&
           (!pattern->has_color || pattern->color == phrase->color) &&
           (!pattern->has_on || near(phrase->on_ms, pattern->on_ms, pattern->tolerance_ms)) &&
           (!pattern->has_off || near(phrase->off_ms, pattern->off_ms, pattern->tolerance_ms)) &&
           (!pattern->has_code || (phrase->kind == LED_SOS && phrase->code == pattern->code)) &&
           phrase->count >= pattern->count_min && phrase->count <= pattern->count_max &&
           phrase->t_ms >= pattern->from_ms && phrase->t_ms <= pattern->to_ms && lasts >= pattern->min_ms &&
           lasts <= pattern->max_ms;
}

/* Adds to a text in a buffer of `size` bytes as much as there is room for. */
static void add(char *text, size_t size, const char *format, ...) DIAG_PRINTF(3, 4);
static void add(char *text, size_t size, const char *format, ...)
{
    va_list values;
    size_t used = strlen(text);
    va_start(values, format);
    vsnprintf(text + used, size - used, format, values);
    va_end(values);
}

static void add_count(char *text, size_t size, const struct led_pattern *pattern)
{
    unsigned min = pattern->count_min, max = pattern->count_max;
    if (max == UINT32_MAX && min)
        add(text, size, " ×%u or more", min);
    else if (max != UINT32_MAX && min == max)
        add(text, size, " ×%u", min);
    else if (max != UINT32_MAX)
        add(text, size, " ×%u to %u", min, max);
}

char *led_pattern_words(const struct led_pattern *pattern, char *text, size_t size)
{
    text[0] = '\0';
    if (strcmp(pattern->light, "rgb"))
        add(text, size, "%s: ", pattern->light);
    add(text, size, "%s%s%s", pattern->has_color ? led_color_name(pattern->color) : "",
        pattern->has_color && pattern->has_kind ? " " : "",
        pattern->has_kind ? led_kind_name(pattern->kind) : "");
    if (!pattern->has_color && !pattern->has_kind)
        add(text, size, "anything");
    if (pattern->has_code)
        add(text, size, " %d", pattern->code);
    if (pattern->has_on && pattern->has_off)
        add(text, size, " %g/%g ms", pattern->on_ms, pattern->off_ms);
    else if (pattern->has_on)
        add(text, size, " %g ms on", pattern->on_ms);
    else if (pattern->has_off)
        add(text, size, " %g ms off", pattern->off_ms);
    add_count(text, size, pattern);
    if (pattern->min_ms > 0)
        add(text, size, " for %g ms or more", pattern->min_ms);
    if (pattern->from_ms > 0)
        add(text, size, " from %g ms on", pattern->from_ms);
    if (pattern->to_ms < 1e10)
        add(text, size, " within %g ms", pattern->to_ms);
    if (pattern->at_end)
        add(text, size, " at the end");
    return text;
}

bool run_settled(struct runner *run)
{
    struct led_view view;
    bool settled = run->spin.hung;
    double now = machine_ms(&run->machine);
    double since = (double)run->step_cycle / (double)CYCLES_PER_MS;
    double wrote = (double)run->flash_at / (double)CYCLES_PER_MS;
    if (settled || now - since < SETTLE_BLINK_MS || run_led_view(run, "rgb", &view))
        return settled;
    /* Rather not in the middle of a write; but a story may be one of writing all the time. */
    bool quiet = now - wrote >= SETTLE_QUIET_MS;
    settled = view.story.rounds >= (quiet ? 2 : SETTLE_ROUNDS);
    if (view.phrases.count) {
        const struct led_phrase *last = &view.phrases.item[view.phrases.count - 1];
        /* An SOS is the same for 21 seconds and yet about to end in a reset; so is the copy of a module. */
        double lasts = last->kind == LED_BLINK ? SETTLE_BLINK_MS : SETTLE_MS;
        settled = settled || (last->kind != LED_SOS && now - last->t_ms >= lasts && quiet);
    }
    run_led_view_free(&view);
    return settled;
}
