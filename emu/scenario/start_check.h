/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether one start of a device came out as a scenario expects, for boards without a lamp: the expectations
 * of memory words ("memory"), of code addresses that run ("running" with an address) and of texts on a UART
 * ("uart"). Other expectations are about a whole run and do not count here.
 *
 * Not modelled: places in files.
 */
#ifndef SOSIM_SCENARIO_START_CHECK_H
#define SOSIM_SCENARIO_START_CHECK_H

#include "core/machine.h"
#include "scenario/uart_watch.h"

struct start_check {
    const struct scenario *scenario;
    struct uart_watch uart;
};

/* Before power comes; both must outlive the check. 0, or -1 when memory ran out. End it in any case. */
int start_check_begin(struct start_check *check, const struct scenario *scenario, struct machine *machine);
void start_check_end(struct start_check *check);

/* Asked while there is power; `context` is the check. Notes what it reads of flashes (nor_note_read). */
bool start_check_met(void *context, struct machine *machine);

#endif
