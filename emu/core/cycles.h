/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cycle model, and what else is to be known about a block of code before it runs.
 *
 * Source: Cortex-M4 Technical Reference Manual, 'Processor instruction timing' and 'FPU instruction timing';
 * nRF52840 Product Specification 1.7, 'CPU' (flash wait states) and 'NVMC' (instruction cache).
 *
 * Each instruction has a fixed cost by its class:
 *   data processing, MUL, MOV, IT, hints, CPS, MSR, barriers     1 (MSR/MRS 2)
 *   MLA, MLS                                                     2
 *   UDIV, SDIV                                                   7 (2–12 on silicon, by operand)
 *   load                                                         2
 *   store                                                        1 (through the write buffer)
 *   LDM, STM, PUSH, POP, LDRD, STRD, VLDM, VSTM                  1 + registers
 *   VLDR 2, VSTR 2, VADD/VSUB/VMUL/VCMP/VCVT/VMOV 1, VMLA/VFMA 3, VDIV and VSQRT 14
 *   a branch that is taken (any change of the flow between blocks) 1 more for the refill of the pipeline, and
 *   another 1 if its target comes from a register or the stack (BX, BLX, POP, TBB)
 *   exception entry 12, return 10, tail-chaining 6
 * Flash: with the instruction cache on, none more (all hits); with it off, 2 for a branch out of the 16-byte
 * line that was fetched last and 1 for each further line of a block (lines in sequence are prefetched). So a
 * loop within one line runs at full speed: 3 cycles a round for SUBS, BHI, as Nordic's delay loops rely on.
 * An access to a peripheral register takes 4 more cycles, to the private peripheral bus none. RAM has no wait
 * states. A flash operation stalls the CPU for its whole time (nvmc.h).
 *
 * Not modelled: operand-dependent division, folded IT, pipelined neighbouring loads, cache misses, bus
 * contention with DMA. Boot times are therefore good to some ten per cent; times that come from timers are
 * exact.
 */
#ifndef SOSIM_CORE_CYCLES_H
#define SOSIM_CORE_CYCLES_H

#include "core/cpu.h"

#define CYCLES_BRANCH          1
#define CYCLES_ENTRY           12
#define CYCLES_RETURN          10
#define CYCLES_TAIL_CHAIN      6
#define CYCLES_FP_FRAME        17
#define CYCLES_PERIPHERAL      4
#define CYCLES_UNCACHED_BRANCH 2

enum block_flag {
    BLOCK_UNMASKS = 1, /* writes a mask register or CONTROL: pending exceptions must be looked at after it */
    BLOCK_SEV = 2,
    BLOCK_FP = 4,
    BLOCK_DIVIDES = 8,
    BLOCK_MEMORY = 16,   /* loads or stores, other than by SP or PC */
    BLOCK_MULTIPLE = 32, /* loads or stores that must be aligned whatever UNALIGN_TRP says */
    BLOCK_LDREX = 64,    /* leaves the exclusive monitor open */
    BLOCK_STREX = 128,   /* leaves it closed */
    BLOCK_CHANGES = 256, /* not code in flash: not to be remembered */
};

/* Fills cycles, fetch and flags for the `size` bytes of code at `code`, which lie at info->address. */
void block_measure(struct block_info *info, const uint8_t *code, uint32_t size);

#endif
