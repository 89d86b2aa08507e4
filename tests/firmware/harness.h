/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For test programs that run both here and on QEMU's Cortex-M4: each result is a word noted under a label. On
 * QEMU they are printed by semihosting at the end; here they are read from `results` in RAM.
 */
#ifndef SOSIM_TEST_FIRMWARE_HARNESS_H
#define SOSIM_TEST_FIRMWARE_HARNESS_H

#include <stdint.h>

#define REG(address)  (*(volatile uint32_t *)(address))
#define REG8(address) (*(volatile uint8_t *)(address))

#define ICSR    REG(0xe000ed04)
#define AIRCR   REG(0xe000ed0c)
#define SCR     REG(0xe000ed10)
#define CCR     REG(0xe000ed14)
#define SHCSR   REG(0xe000ed24)
#define CFSR    REG(0xe000ed28)
#define HFSR    REG(0xe000ed2c)
#define MMFAR   REG(0xe000ed34)
#define BFAR    REG(0xe000ed38)
#define CPACR   REG(0xe000ed88)
#define ISER    REG(0xe000e100)
#define ICER    REG(0xe000e180)
#define ISPR    REG(0xe000e200)
#define ICPR    REG(0xe000e280)
#define IABR    REG(0xe000e300)
#define IPR(n)  REG8(0xe000e400 + (n))
#define SHPR(n) REG8(0xe000ed18 + (n)-4)

/* The stacked registers. */
struct frame {
    uint32_t r0, r1, r2, r3, r12, lr, pc, xpsr;
};

typedef void (*handler_fn)(struct frame *frame, uint32_t exc_return);

extern handler_fn handlers[64];

struct result {
    const char *label;
    uint32_t value;
};

void note(const char *label, uint32_t value);

/* Notes in which order things happened: steps, then a hash of them all under a label. */
void step(uint32_t what);
void note_order(const char *label);

/* If not 0, the handler that ends next returns with this EXC_RETURN in place of its own. */
extern volatile uint32_t next_return;

/* Runs the checks; each program has its own. */
void run(void);

#define barrier() __asm volatile("dsb\n isb" ::: "memory")

#endif
