/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loops that compute, in code of the host's own. The engine translates block by block: each ends with all
 * registers and flags in memory, and a loop of a checksum, a sum or a copy does that every few instructions.
 * Where the trail holds nothing but rounds of one loop, the round as a whole is interpreted once
 * (replay_make.h), with nothing known at its beginning but its code; what is left of it is translated
 * (hot_loop_code.h) with its variables in registers of the host, and as many rounds as can be foretold are
 * run at once.
 *
 * Why the run stays the same, bit for bit:
 * - The number of rounds is known before the first: each branch must depend on values that a round moves on
 *   by a number of its own, so it can be computed when it will go the other way. The loop is left before that
 *   round.
 * - So is each address: all that the rounds will access is known to lie in RAM or in flash, aligned, and
 *   stores not where code was run from. Nothing in between can fail, or be seen by anybody else.
 * - No event is due before the last round is over.
 * - The last round is worked off operation by operation, and gives every register and flag.
 *
 * Nothing here knows a firmware's addresses. Results are the same with it on or off (struct cpu_speed).
 *
 * Not modelled: loops of more than LOOP_MAX_BLOCKS blocks or HOT_OPS operations, branches that depend on
 * data, addresses that are not a straight line, floating point, division and other operations that
 * hot_loop_code.c has no code for, code in RAM; hosts other than x86-64.
 */
#ifndef SOSIM_CORE_HOT_LOOP_H
#define SOSIM_CORE_HOT_LOOP_H

#include "core/spin.h"

struct hot_loops;

/* As spin_skip(), for loops that compute, of so many blocks (loop_in_trail()); that at `address` may be among
 * them several times. */
enum spin hot_loop_skip(struct cpu *cpu, uint32_t address, unsigned length);

/* Flash was changed: what is known of loops that are there, or read constants there, is forgotten. */
void hot_loop_forget(struct cpu *cpu, uint32_t address, uint32_t size);
void hot_loop_close(struct cpu *cpu);

/* How many rounds were run like this so far. */
uint64_t hot_loop_rounds(const struct cpu *cpu);

#endif
