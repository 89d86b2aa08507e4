/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a scenario: makes the machine, carries out the timeline, watches lamps, resets, flash and panics,
 * decides when the scenario is over, and judges its expectations.
 *
 * Not modelled: several scenarios that share one machine.
 */
#ifndef SOSIM_SCENARIO_RUN_H
#define SOSIM_SCENARIO_RUN_H

#include "report/result.h"
#include "scenario/scenario.h"

#include <stdio.h>

struct machine;
struct usb_host;

/*
 * Somebody who takes part in the run from outside, such as a USB client. While there is one, limits do not
 * count and `until` is not looked at; both begin when it has finished.
 */
struct run_companion {
    /* Before the first step: the machine without power, and the host on its USB plug. 0, or -1 with `why`. */
    int (*begin)(void *self, struct machine *machine, struct usb_host *host, struct diag *why);
    /* Cycle at which it wants to be asked again, at the latest. */
    uint64_t (*next)(void *self);
    /* Between slices of time; may block. `steps_done`: the timeline has been carried out. False: finished. */
    bool (*between)(void *self, bool steps_done);
    /* The machine is about to be unmade. Called in any case, so perhaps without `begin`. */
    void (*end)(void *self);
    void *self;
};

struct run_options {
    const struct run_companion *companion; /* or NULL */
    bool has_seed;
    uint64_t seed; /* instead of the scenario's */
    /* Speed tricks that are not to be used; the result is the same. */
    bool no_inline_stores;
    bool no_direct_registers;
    bool no_short_hooks;
    bool no_spin_skip;
    bool no_hot_loops;
    bool no_replay;
    /* Hears of each flash operation after it was carried out; and may strike one with a fault (core/nor.h).
     * Both may be NULL. */
    void (*observe)(void *context, struct machine *machine, const struct flash_op *op);
    nor_fault_fn fault;
    /* Told when the run is over, whatever its verdict, before the machine is unmade. NULL: nobody. */
    void (*ended)(void *context, struct machine *machine);
    void *context;      /* of the three */
    const bool *enough; /* once it is true the run ends, as when the timeline says so; NULL: never */
    FILE *trace;        /* a line for each reset, flash operation, lamp change and step; or NULL */
};

/*
 * Runs it and fills `result`, which the caller has initialised and releases. Returns 0 when there is a
 * result, whatever its verdict, or -1 with `why` when the scenario cannot be run.
 */
int scenario_run(const struct scenario *scenario, const struct run_options *options,
                 struct run_result *result, struct diag *why);

#endif
