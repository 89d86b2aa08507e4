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

struct run_options {
    bool has_seed;
    uint64_t seed; /* instead of the scenario's */
    /* Speed tricks that are not to be used; the result is the same. */
    bool no_inline_stores;
    bool no_spin_skip;
    FILE *trace; /* a line for each reset, flash operation, lamp change and step; or NULL */
};

/*
 * Runs it and fills `result`, which the caller has initialised and releases. Returns 0 when there is a
 * result, whatever its verdict, or -1 with `why` when the scenario cannot be run.
 */
int scenario_run(const struct scenario *scenario, const struct run_options *options,
                 struct run_result *result, struct diag *why);

#endif
