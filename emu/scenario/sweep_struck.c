/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Points whose fault leaves power on: the scenario runs again with the fault, to its end; then the device is
 * started again as after a cut. And what such starts find beside the content of the flashes.
 */
#include "scenario/run.h"
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- cells that do not hold what is written -------------------------------------------------------------
 */

bool start_extra_counts(const struct start_extra *extra)
{
    bool counts = extra && extra->ram;
    for (unsigned i = 0; extra && i < FLASH_ARRAYS_MAX; i++)
        counts |= extra->marks[i].stuck_low || extra->marks[i].stuck_high || extra->marks[i].unstable;
    return counts;
}

bool start_extra_only_unstable(const struct start_extra *extra)
{
    bool only = extra && !extra->ram;
    for (unsigned i = 0; only && i < FLASH_ARRAYS_MAX; i++)
        only = !extra->marks[i].stuck_low && !extra->marks[i].stuck_high;
    return only;
}

void start_extra_free(struct start_extra *extra)
{
    for (unsigned i = 0; i < FLASH_ARRAYS_MAX; i++) {
        free(extra->marks[i].stuck_low);
        free(extra->marks[i].stuck_high);
        free(extra->marks[i].unstable);
    }
    free(extra->ram);
    *extra = (struct start_extra){0};
}

static bool any(const uint8_t *cells, uint32_t size)
{
    for (uint32_t i = 0; cells && i < size; i++) {
        if (cells[i])
            return true;
    }
    return false;
}

void start_extra_trim(struct start_extra *extra, const struct flash_view *view)
{
    for (unsigned i = 0; i < view->arrays; i++) {
        uint8_t **unstable = &extra->marks[i].unstable;
        if (any(*unstable, view->nor[i]->size))
            continue;
        free(*unstable);
        *unstable = NULL;
    }
}

static void move(uint8_t **to, uint8_t **from)
{
    if (!*from)
        return;
    free(*to);
    *to = *from;
    *from = NULL;
}

void start_extra_put(struct start_extra *extra, const struct flash_view *view, struct machine *machine)
{
    for (unsigned i = 0; i < view->arrays; i++) {
        struct nor *nor = view->nor[i];
        struct cell_marks *marks = &extra->marks[i];
        move(&nor->stuck_low, &marks->stuck_low);
        move(&nor->stuck_high, &marks->stuck_high);
        if (!marks->unstable)
            continue;
        nor->unstable_reads = marks->unstable_reads;
        nor_take_unstable(nor, marks->unstable);
        marks->unstable = NULL;
    }
    if (extra->ram)
        memcpy(machine->ram, extra->ram, NRF52840_RAM_SIZE);
    free(extra->ram);
    extra->ram = NULL;
}

void start_extra_take(struct start_extra *extra, const struct flash_view *view)
{
    for (unsigned i = 0; i < view->arrays; i++) {
        struct nor *nor = view->nor[i];
        struct cell_marks *marks = &extra->marks[i];
        marks->unstable_reads = nor->unstable_reads;
        move(&marks->stuck_low, &nor->stuck_low);
        move(&marks->stuck_high, &nor->stuck_high);
        move(&marks->unstable, &nor->unstable);
    }
    start_extra_trim(extra, view);
}

/* --- the run with the fault -----------------------------------------------------------------------------
 */

struct struck_run {
    struct sweep_inner *inner;
    struct flash_plan plan;
    uint32_t *ids; /* gets what the flashes hold at the end */
    struct start_extra *extra;
    int error;
};

static enum nor_fault strike(void *context, struct nor *nor, const struct flash_op *op, const uint8_t *bytes)
{
    struct struck_run *run = context;
    return flash_plan_ask(&run->plan, nor, op, bytes);
}

static void take_flashes(void *context, struct machine *machine)
{
    struct struck_run *run = context;
    struct flash_view view;
    flash_view_init(&view, machine);
    run->error = flash_state_take(&view, &run->inner->store, run->ids);
    start_extra_take(run->extra, &view);
}

/* Runs the scenario; `panics` gets how often it panicked. ECANCELED: the emulator could not go on. */
static int run_struck(struct sweep *sweep, const struct sweep_point *point, uint32_t *ids,
                      struct start_extra *extra, unsigned *panics, FILE *tell)
{
    struct sweep_inner *inner = sweep->inner;
    struct struck_run run = {.inner = inner,
                             .plan = {.fault = point->fault, .seed = inner->machine_options.seed},
                             .ids = ids,
                             .extra = extra};
    const struct run_options options = {.has_seed = true,
                                        .seed = inner->machine_options.seed,
                                        .fault = strike,
                                        .ended = take_flashes,
                                        .context = &run};
    struct run_result result;
    struct diag why;
    result_init(&result);
    int err = scenario_run(inner->scenario, &options, &result, &why) ? ENOMEM : run.error;
    if (!err && result.verdict == VERDICT_EMULATOR_STOPPED)
        err = ECANCELED;
    *panics = (unsigned)result.panic_count;
    if (tell && result.light_count)
        fprintf(tell, "the run: %s\n", result.lights[0].line);
    result_free(&result);
    return err;
}

int sweep_one_struck(struct sweep *sweep, struct sweep_point *point, FILE *tell)
{
    struct sweep_inner *inner = sweep->inner;
    size_t bytes = inner->view.count * sizeof *inner->ids;
    struct start_extra extra = {0};
    struct point_state before = {.ids = malloc(bytes), .struck = PAGE_UNKNOWN};
    struct point_state after = {.ids = malloc(bytes), .struck = PAGE_UNKNOWN, .extra = &extra};
    struct boot_outcome last;
    unsigned panics = 0, more = 0;
    point->boots = point->runs = 0;
    int err = before.ids && after.ids ? run_struck(sweep, point, before.ids, &extra, &panics, tell) : ENOMEM;
    if (!err) {
        memcpy(after.ids, before.ids, bytes);
        err = sweep_follow(sweep, &after, SWEEP_BOOTS, &last, point, &more, &point->code, tell);
    }
    if (!err)
        err = sweep_classify(sweep, &before, &after, &last, panics + more, point, tell);
    if (err == ECANCELED) {
        point->class = SWEEP_EMULATOR;
        err = 0;
    }
    point->done = !err;
    start_extra_free(&extra);
    free(before.ids);
    free(after.ids);
    return err;
}
