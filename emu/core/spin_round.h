/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One round of a spin (core/spin.h), interpreted with values that are straight lines. Between spin_round.c,
 * which interprets, and spin.c, which draws conclusions.
 *
 * Source: ARMv7-M Architecture Reference Manual (DDI 0403E) A5, A6.7 and A7.7 for the instructions.
 */
#ifndef SOSIM_CORE_SPIN_ROUND_H
#define SOSIM_CORE_SPIN_ROUND_H

#include "core/loop_round.h"

#define SPIN_WORDS     8            /* of RAM that a loop stores to, at most */
#define SPIN_UNLIMITED (1ull << 40) /* rounds */

/* A value that changes by the same amount each round. */
struct spin_line {
    uint32_t now;
    uint32_t step;
};

struct spin_flags {
    bool n, z, c, v;
};

/* A word of RAM that the loop stores to. */
struct spin_word {
    uint32_t address;
    struct spin_line value;
};

/* One interpretation of the loop. */
struct spin_round {
    struct loop_round loop;
    struct spin_line reg[15];
    struct spin_word word[SPIN_WORDS];
    unsigned words;
    struct spin_flags flags;
    uint64_t period; /* cycles a round; 0 while it is still being measured */
    uint64_t rounds; /* for how many rounds every decision so far holds */
};

/* Interprets the loop from `head` until it is there again; false if that cannot be done, or nothing is known
 * of what it reads. */
bool spin_run_round(struct spin_round *r, uint32_t head);

#endif
