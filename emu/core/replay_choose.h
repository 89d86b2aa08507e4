/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which trace (core/replay.h) may be run: one that begins where the CPU is, or one that was left there to
 * look around, if all that it builds on is as it was. Between replay_choose.c, which looks, and replay.c,
 * which runs it.
 */
#ifndef SOSIM_CORE_REPLAY_CHOOSE_H
#define SOSIM_CORE_REPLAY_CHOOSE_H

#include "core/replay_find.h"

/* The CPU while traces run: taken from the engine at the beginning, and given back at the end. */
struct session {
    struct cpu *cpu;
    struct replay *replay;
    uint32_t place[PLACES];
    uint32_t before[PLACES];
    struct replay_mode mode, mode_before;
    uint32_t pc;
    uint64_t blocks; /* run in all */
    bool by_guard;   /* how the last trace was left */
    /* While a trace runs. */
    struct trace *trace;
    bool quiet;              /* its list without looks is worked off */
    const struct ir *access; /* of a register, being made */
    uint32_t *last;          /* slots of the round before, whose end was not made yet; or NULL */
    unsigned made;           /* stores of this round, before it was paused */
    bool changed;            /* words that the trace begins with are not as they were when it was paused */
    uint64_t rounds;         /* that came before this one */
};

/* The trace to run, or NULL. Where there are some and none fits, several times in a row, another is wished
 * for. */
struct trace *replay_choose(struct session *s, struct head *head);

/* The trace that is paused here, if it can go on. */
struct trace *replay_choose_paused(struct session *s);

/* The trace that was left here, which may not fit any more; or NULL. */
struct trace *replay_paused_at(const struct replay *replay, uint32_t pc);

/* The trace was left at `look`, of all its operations: after an event or an interrupt it may go on there. */
void replay_pause(struct session *s, struct trace *trace, const struct ir *look);

/* True if the run loop would go on with the next block, and with those that begin within `stretch` cycles. */
bool replay_goes_on(struct session *s, const struct trace *trace, uint32_t stretch, uint32_t primask,
                    uint32_t basepri);

#endif
