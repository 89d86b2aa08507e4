/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `sosim run --point`: a fault at one flash operation of a scenario. */
#ifndef SOSIM_CLI_RUN_POINT_H
#define SOSIM_CLI_RUN_POINT_H

#include "core/flash_fault.h"
#include "scenario/run.h"

#define RUN_POINT_NAME_SIZE 128

/* Reads "interrupted-ota:ext:812t3" or "ext:812t3". 0, or -1 with `why`: no id, or of another scenario. */
int run_point_parse(const struct scenario *scenario, const char *version, const char *id,
                    struct flash_fault *fault, char name[RUN_POINT_NAME_SIZE], struct diag *why);

/* A cut: tells each start after it and how it ended. Returns the program's exit code. */
int run_point(const struct scenario *scenario, const struct run_options *options, const char *name,
              const struct flash_fault *fault);

#endif
