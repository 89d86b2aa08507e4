/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running another program and waiting for it, without a shell in between. */
#ifndef SOSIM_IMAGE_PROCESS_H
#define SOSIM_IMAGE_PROCESS_H

#include "core/diag.h"

enum process_result {
    PROCESS_OK = 0,
    PROCESS_NOT_FOUND = -1, /* no such program in PATH */
    PROCESS_FAILED = -2,    /* it could not be started, was killed, or returned something other than 0 */
};

/*
 * Runs argv[0], found in PATH, with the NULL-terminated arguments `argv`. What it prints on either channel
 * goes to the file `log_path`, which is created. `why` says how it ended if not well.
 */
int process_run(const char *const *argv, const char *log_path, struct diag *why);

#endif
