/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a dark device work or hang? One that works is seen in many blocks of code, one that hangs in the same
 * few: a loop that waits for what never comes, and perhaps an interrupt.
 *
 * Not modelled: a loop over more blocks than CODE_SEEN_MAX passes for work.
 */
#ifndef SOSIM_SCENARIO_CODE_SEEN_H
#define SOSIM_SCENARIO_CODE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#define CODE_SEEN_MAX 24u

struct cpu;

/* Different blocks of code, by address; all zeros at first. */
struct code_seen {
    uint32_t blocks[CODE_SEEN_MAX];
    unsigned count;
    bool many; /* more than fit: the device works */
};

/* Adds the blocks that ran last; to be called now and then. */
void code_seen_note(struct code_seen *seen, const struct cpu *cpu);

#endif
