/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four things that Unicorn 2.0.1 could do and does not, got from it through functions that it exports and
 * calls through the dynamic linker, so that functions of the same name here stand in front:
 *
 * - Precise data faults. Its memory helpers know the host address that they return to, and its
 *   cpu_loop_exit_restore_arm makes exact guest state of that: registers, PC and IT as before the faulting
 *   instruction. Without it the block would be left with the PC at its beginning.
 * - Alignment. Loads and stores that ARMv7-M wants aligned (A3.2.1: LDM, STM, LDRD, STRD, the exclusives,
 *   VLDR, VSTR, VLDM, VSTM) are translated with the engine's own alignment check, which costs nothing when
 *   it holds.
 * - Unstable cells. Loads from pages of flash with unstable cells (core/nor.h) are seen here too, one by one:
 *   their entry in the TLB is forgotten after each.
 * - Registers at once. Its memory helpers look through its TLB and its map of memory for each access to a
 *   register; here such an access is made without them, the same way, unless struct cpu_speed says otherwise.
 *
 * It leans on the inside of one library: with a name missing, faults are located by what instructions would
 * access (access.h), unaligned multiple accesses go unnoticed outside careful mode, unstable cells read the
 * same all the time, and registers are accessed the engine's way.
 */
#ifndef SOSIM_CORE_PRECISE_H
#define SOSIM_CORE_PRECISE_H

struct cpu;

/* Around each run of the engine on this thread. */
void precise_enter(struct cpu *cpu);
void precise_leave(void);

/* In a hook of a data access: leaves the engine with the state as before the instruction, and does not
 * return; returns if the engine cannot do so. */
void precise_abort(struct cpu *cpu);

#endif
