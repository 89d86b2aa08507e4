/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exact elision of spins. Firmware waits in small loops: for an interrupt (`b .`), for a flag in RAM or an
 * event register, or for the cycle counter to pass a mark. Where such a loop can be proven to do the same for
 * its next n rounds, the rounds are not run: virtual time and the registers move on as if they had been.
 *
 * The proof: the loop is interpreted once with every register, and every word of RAM that it stores to, as a
 * straight line (value now, change a round). Its reads must be of memory that nobody else writes meanwhile,
 * of event registers, or of DWT.CYCCNT; each result must again be a straight line, equal to the assumption;
 * each branch holds its direction for a number of rounds that follows from the lines. The least of these, and
 * the next event, bound n. Anything else – an instruction not known here, a read with a side effect, a
 * watched address – and the loop is run as it is.
 *
 * Nothing here knows a firmware's addresses. Results are the same with it on or off (struct cpu_speed).
 *
 * Not modelled: loops of more than LOOP_MAX_BLOCKS blocks (core/loop_round.h), loops that poll timers, RTC or
 * the SysTick count, or event registers while MWU watches accesses to their page.
 */
#ifndef SOSIM_CORE_SPIN_H
#define SOSIM_CORE_SPIN_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

enum spin {
    SPIN_NONE,    /* nothing that can be skipped */
    SPIN_SKIPPED, /* as far as it goes */
    SPIN_LATER,   /* it could be, but something is due within a round, or the loop ends */
};

/* Called at the start of the block at `address`, which was reached again within few blocks, before its cycles
 * are charged. Moves time, registers and RAM on by whole rounds. */
enum spin spin_skip(struct cpu *cpu, uint32_t address);

#endif
