/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a loop that computes (core/hot_loop.h): which of its values a round moves on by a number
 * of its own, and so for how many rounds its branches go the same way and its accesses stay in memory.
 * Between hot_loop.c, which finds loops and says when they are run, and hot_loop_rounds.c.
 */
#ifndef SOSIM_CORE_HOT_LOOP_ROUNDS_H
#define SOSIM_CORE_HOT_LOOP_ROUNDS_H

#include "core/hot_loop_code.h"
#include "core/loop_round.h"

struct hot_access {
    uint16_t address; /* slot */
    uint8_t size;
    bool writes;
};

struct hot_loop {
    uint32_t block[LOOP_MAX_BLOCKS]; /* addresses, in their order */
    unsigned blocks;
    uint16_t page[REPLAY_PAGES + 2 * LOOP_MAX_BLOCKS]; /* of flash, 4 KiB each, that all this depends on */
    unsigned pages;
    hot_code *code; /* NULL: it cannot be run like this */
    struct hot_round round;
    uint16_t made_by[HOT_SLOTS]; /* operation, plus 1 */
    bool is_fixed[HOT_SLOTS];    /* values that no round changes */
    bool is_line[HOT_SLOTS];     /* those that each moves on by a number, which may be 0: */
    uint32_t step[HOT_SLOTS];    /* it is known when the loop begins */
    enum place where[PLACES];    /* of the variables */
    uint16_t after[PLACES];      /* slot of what a place is at the end; 0: it stays as it is */
    struct hot_access access[HOT_ACCESS];
    uintptr_t bias[HOT_ACCESS];
};

/* Fills the loop with what was made of it; false if that is too large, or cannot be foretold. */
bool hot_loop_take(struct hot_loop *loop, struct maker *maker);

/* With these places at its beginning: for how many rounds of those all is known to go well. */
uint64_t hot_loop_begin(struct hot_loop *loop, struct cpu *cpu, const uint32_t place[PLACES],
                        uint64_t rounds);

/* Runs so many of those, two at the least; `place` gets what they come to. */
void hot_loop_run(struct hot_loop *loop, struct cpu *cpu, uint64_t rounds, uint32_t place[PLACES]);

#endif
