/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ARMv7-M exceptions: the NVIC's state, priorities, and the decision which exception comes next. Entry and
 * return (stacking, registers) are in exception_entry.c; registers of the system control space in scs.c.
 *
 * Source: ARMv7-M Architecture Reference Manual (DDI 0403E), B1.5 'ARMv7-M exception model' and B3.4 'NVIC';
 * Cortex-M4 Technical Reference Manual. The nRF52840 has 48 lines and 3 priority bits.
 *
 * Exceptions are numbered as in the manual: 1 Reset, 2 NMI, 3 HardFault, 4 MemManage, 5 BusFault, 6
 * UsageFault, 11 SVCall, 12 DebugMonitor, 14 PendSV, 15 SysTick, 16+n external interrupt n.
 *
 * Not modelled: the vector catch and halting debug.
 */
#ifndef SOSIM_CORE_EXCEPTION_H
#define SOSIM_CORE_EXCEPTION_H

#include "core/state.h"

#include <stdbool.h>
#include <stdint.h>

enum exception_number {
    EXC_RESET = 1,
    EXC_NMI = 2,
    EXC_HARDFAULT = 3,
    EXC_MEMMANAGE = 4,
    EXC_BUSFAULT = 5,
    EXC_USAGEFAULT = 6,
    EXC_SVCALL = 11,
    EXC_DEBUGMON = 12,
    EXC_PENDSV = 14,
    EXC_SYSTICK = 15,
    EXC_IRQ0 = 16,
    EXC_COUNT = 64,
};

#define NVIC_LINES         48
#define NVIC_PRIORITY_MASK 0xe0u /* 3 bits are implemented */

/* Execution priority of thread mode with nothing active or masked. */
#define PRIORITY_THREAD 256

/* The special registers that mask exceptions, as the engine holds them. */
struct exception_masks {
    bool primask;
    bool faultmask;
    uint8_t basepri;
};

struct exceptions {
    uint64_t pending; /* bit n: exception n */
    uint64_t active;  /* likewise */
    uint64_t enabled; /* external lines by ISER; system exceptions by SHCSR or always */
    uint64_t line;    /* level of the external lines */
    uint8_t priority[EXC_COUNT];
    uint8_t prigroup;        /* AIRCR.PRIGROUP */
    int32_t active_priority; /* derived: lowest group priority of the active ones, or PRIORITY_THREAD */
};

void exceptions_reset(struct exceptions *exc);

/* Sets the level of an external line; true if it was another. A rising or held level pends; a held one pends
 * again after return. */
bool exceptions_set_line(struct exceptions *exc, unsigned irq, bool level);

static inline void exceptions_pend(struct exceptions *exc, unsigned number)
{
    exc->pending |= 1ull << number;
}

/* Priority that decides preemption (without the subpriority bits), -3 … 255. */
int exceptions_group_priority(const struct exceptions *exc, unsigned number);

/* To be called after a change of `active`, a priority or PRIGROUP. */
void exceptions_update_active(struct exceptions *exc);

/* Execution priority with the masks applied. */
int exceptions_execution_priority(const struct exceptions *exc, const struct exception_masks *masks);

/* The pending and enabled exception with the highest priority, or 0. */
unsigned exceptions_best_pending(const struct exceptions *exc);

/* Which of two exceptions goes first: higher priority, then the lower number. */
unsigned exceptions_first_of(const struct exceptions *exc, unsigned a, unsigned b);

/* The exception to take now, or 0: the best pending one if it preempts the execution priority. */
unsigned exceptions_to_take(const struct exceptions *exc, const struct exception_masks *masks);

void exceptions_activate(struct exceptions *exc, unsigned number);
void exceptions_deactivate(struct exceptions *exc, unsigned number);

void exceptions_save(struct exceptions *exc, struct state *state);

#endif
