/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checksums without running each round. A start computes the checksums of whole modules, byte by byte through
 * a table: sum = table[(sum ^ byte) & 0xff] ^ sum >> 8. Where a loop can be shown to do just that, with bytes
 * and table in internal flash, its next n rounds are computed at once, and virtual time and the registers
 * move on as if they had been run.
 *
 * The proof: the loop is interpreted once (core/checksum_round.h) with what each register holds in terms of
 * the round's beginning. It comes to its head again with the new sum in the register that held the old one,
 * with the pointer one byte further, and with each other register either moved on by a number of its own, or
 * written before it is read. Its branches depend on nothing but such registers being equal or not, which says
 * for how many rounds they go the same way. The last of the n rounds is interpreted, too: so what else it
 * leaves in registers and flags is right.
 *
 * A table for which table[a ^ b] = table[a] ^ table[b], as it is for every CRC, is made into eight that take
 * eight bytes at once; any other takes one after the other.
 *
 * Nothing here knows a firmware's addresses, registers or polynomial. Results are the same with it on or off
 * (it is switched with the spins, struct cpu_speed).
 *
 * Not modelled: bytes or a table in RAM, sums that are shifted the other way, more than one byte a round.
 */
#ifndef SOSIM_CORE_CHECKSUM_H
#define SOSIM_CORE_CHECKSUM_H

#include "core/spin.h"

/* As spin_skip(), for checksums. */
enum spin checksum_skip(struct cpu *cpu, uint32_t address);

#endif
