/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one instruction is about to do, told from its encoding and the registers: its memory accesses, its
 * division, its use of the FPU. The engine neither enforces the checks of a Cortex-M4 (alignment, division by
 * zero, MPU, CPACR) nor names the instruction of a fault, so careful.c asks here.
 *
 * Not modelled: coprocessors other than the FPU.
 */
#ifndef SOSIM_CORE_ACCESS_H
#define SOSIM_CORE_ACCESS_H

#include "core/cpu.h"

struct instruction_access {
    uint32_t size; /* of the instruction, 2 or 4 */
    bool accesses;
    bool writes;
    bool aligned_only; /* must be word-aligned whatever UNALIGN_TRP says */
    bool uses_fpu;
    bool divides_by_zero;
    uint32_t address;
    uint32_t length; /* bytes, from the lowest address */
    uint32_t unit;   /* bytes of one transfer: 1, 2, 4 */
};

/* Decodes the instruction at `pc` with the present registers. Returns 0, or -1 if it cannot be decoded. */
int access_predict(struct cpu *cpu, uint32_t pc, struct instruction_access *access);

void access_close(struct cpu *cpu);

#endif
