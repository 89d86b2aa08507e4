/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plain way to run a point, which the shortcuts of a sweep are measured against: the scenario runs again
 * until power is lost in it, and each start after that is run, on a machine made for this point. Nothing is
 * taken from the control run, and nothing from any other start.
 */
#include "scenario/run.h"
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A run that ends where power is lost. */
struct cut_run {
    struct sweep_inner *inner;
    struct flash_plan plan;
    uint32_t *ids; /* gets what the flashes hold then */
    struct start_extra *extra;
    bool taken;
    int error;
};

static enum nor_fault strike(void *context, struct nor *nor, const struct flash_op *op, const uint8_t *bytes)
{
    struct cut_run *run = context;
    return flash_plan_ask(&run->plan, nor, op, bytes);
}

static void take_flashes(void *context, struct machine *machine, const struct flash_op *op)
{
    struct cut_run *run = context;
    struct flash_view view;
    if (!op->cut || run->taken)
        return;
    flash_view_init(&view, machine);
    run->error = flash_state_take(&view, &run->inner->store, run->ids);
    start_extra_take(run->extra, &view);
    if (!run->error)
        run->error = sweep_ram_from(run->inner, machine->ram, run->extra);
    run->taken = true;
    machine_stop(machine);
}

static int run_to_the_cut(struct sweep *sweep, const struct sweep_point *point, uint32_t *ids,
                          struct start_extra *extra)
{
    struct sweep_inner *inner = sweep->inner;
    struct cut_run run = {.inner = inner,
                          .plan = {.fault = point->fault, .seed = inner->machine_options.seed},
                          .ids = ids,
                          .extra = extra};
    const struct run_options options = {.has_seed = true,
                                        .seed = inner->machine_options.seed,
                                        .observe = take_flashes,
                                        .fault = strike,
                                        .enough = &run.taken,
                                        .context = &run};
    struct run_result result;
    struct diag why;
    result_init(&result);
    int err = scenario_run(inner->scenario, &options, &result, &why);
    result_free(&result);
    return err ? ENOMEM : !run.taken ? EINVAL : run.error;
}

/* All starts, one after another; `ids` gets what the flashes hold after the last. */
static int run_starts(struct sweep *sweep, struct machine *machine, uint32_t *ids, struct start_extra *extra,
                      struct sweep_point *point, struct boot_outcome *last, unsigned *panics)
{
    struct sweep_inner *inner = sweep->inner;
    struct flash_view view;
    struct state snapshot = {0};
    int err = 0;
    *panics = 0;
    flash_view_init(&view, machine);
    state_begin_save(&snapshot);
    machine_save(machine, &snapshot);
    for (point->boots = 0; point->boots < SWEEP_BOOTS && !err; point->boots++) {
        struct known_start start;
        err = sweep_start(inner, machine, &view, &snapshot, ids, extra, &start);
        if (err)
            break;
        *last = start.outcome;
        *panics += start.outcome.panics;
        point->code = start.outcome.code ? start.outcome.code : point->code;
        point->runs++;
        sweep->starts_run++;
        known_start_free(&start);
        err = flash_state_take(&view, &inner->store, ids);
    }
    state_free(&snapshot);
    return err;
}

int sweep_one_plain(struct sweep *sweep, struct sweep_point *point)
{
    struct sweep_inner *inner = sweep->inner;
    if (point->fault.kind > FLASH_CUT_AFTER)
        return sweep_one_struck(sweep, point, NULL);
    size_t size = inner->view.count * sizeof(uint32_t);
    struct point_state before = {.ids = malloc(size), .struck = PAGE_UNKNOWN};
    struct point_state after = {.ids = malloc(size), .struck = PAGE_UNKNOWN};
    struct start_extra extra = {0};
    struct machine machine;
    struct boot_outcome last;
    struct diag why;
    unsigned panics = 0;
    point->runs = 0;
    point->code = 0;
    int err = before.ids && after.ids ? run_to_the_cut(sweep, point, before.ids, &extra) : ENOMEM;
    if (!err && machine_init(&machine, &inner->board, &inner->machine_options, &why)) {
        err = ENOMEM;
    } else if (!err) {
        struct device device = {.machine = &machine, .scenario = inner->scenario};
        memcpy(after.ids, before.ids, size);
        err = device_prepare(&device, &why)
                  ? ENOMEM
                  : run_starts(sweep, &machine, after.ids, &extra, point, &last, &panics);
        machine_destroy(&machine);
    }
    if (!err)
        err = sweep_classify(sweep, &before, &after, &last, panics, point, NULL);
    point->done = !err;
    start_extra_free(&extra);
    free(before.ids);
    free(after.ids);
    return err;
}
