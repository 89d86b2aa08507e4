/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One round of a loop, interpreted block by block by somebody who knows what to make of its instructions
 * (spin_round.h, checksum_round.h). Here is what they have in common: where the code goes, and the time it
 * takes.
 */
#ifndef SOSIM_CORE_LOOP_ROUND_H
#define SOSIM_CORE_LOOP_ROUND_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

#define LOOP_MAX_BLOCKS 12

/* Bits of xPSR: in an IT block, where no round begins. */
#define LOOP_XPSR_IT 0x0600fc00u

/* The blocks of a round, if the trail holds nothing but rounds of one loop, of which the block at `head`
 * comes next: then skipping whole rounds leaves the trail as it would be. 0 if it holds something else, or
 * the loop has more than LOOP_MAX_BLOCKS. `once`: a round has that block once. */
unsigned loop_in_trail(const struct cpu *cpu, uint32_t head, bool *once);

/* For how many rounds of so many cycles there is nothing to look at, from now on. */
uint64_t loop_rounds_in_time(const struct cpu *cpu, uint64_t period);

/* The block that ran so many blocks before the last one, fewer than CPU_TRAIL. */
uint32_t loop_trail(const struct cpu *cpu, unsigned back);

struct loop_round {
    struct cpu *cpu;
    uint64_t time;     /* virtual, as the run loop would charge it */
    uint32_t expected; /* where the block before ended, as cpu->expected */
};

/* Where the code goes after an instruction. */
enum loop_step {
    LOOP_NEXT,
    LOOP_BRANCH, /* to *target */
    LOOP_GIVE_UP,
};

/* Interprets the instruction at `pc`, of `size` bytes, for the context. */
typedef enum loop_step loop_instruction(void *context, uint32_t op, unsigned size, uint32_t pc,
                                        uint32_t *target);

/* Interprets the loop from `head` until it is there again; false if that cannot be done: an instruction gave
 * up, the loop has more than LOOP_MAX_BLOCKS blocks, or one of them needs a look each time. */
bool loop_round_run(struct loop_round *round, uint32_t head, loop_instruction *interpret, void *context);

#endif
