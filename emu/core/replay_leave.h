/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a trace (core/replay.h) is left: what was not computed and not stored while nobody could see it is made
 * then, so that registers and RAM are as they would be had the engine run the code. Between replay_leave.c,
 * which does this, and replay.c, which runs the traces.
 *
 * Most traces are left in the same few places over and over. Such a place gets a short list of its own, a way
 * out, of what exactly it needs.
 */
#ifndef SOSIM_CORE_REPLAY_LEAVE_H
#define SOSIM_CORE_REPLAY_LEAVE_H

#include "core/replay_choose.h"

/* Makes the computations before `end` that the list without looks left out. */
void replay_compute(const struct ir *ir, const struct ir *end, uint32_t *slot);

/* Makes the end of the round before this one, if nobody had to see it until now. */
void replay_make_last_round(struct session *s);

/* Leaves the trace by the operation, one of all that has an exit. `stored`: the round before stored at its
 * end all that is known. */
void replay_leave(struct session *s, const struct ir *ir, bool stored);

#endif
