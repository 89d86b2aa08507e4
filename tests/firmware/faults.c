/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults: status and address registers, the stacked PC, escalation, traps that must be enabled. */
#include "harness.h"

static volatile uint32_t expected_pc;
static volatile uint32_t skip;

static void on_fault(struct frame *frame, uint32_t exc_return)
{
    uint32_t ipsr;
    (void)exc_return;
    __asm volatile("mrs %0, ipsr" : "=r"(ipsr));
    note("fault exception", ipsr);
    note("fault cfsr", CFSR);
    note("fault hfsr", HFSR);
    if (CFSR & 0x8000)
        note("fault bfar", BFAR);
    if (CFSR & 0x80)
        note("fault mmfar", MMFAR);
    note("fault pc offset", frame->pc - expected_pc);
    CFSR = CFSR;
    HFSR = HFSR;
    /* Go on behind: at the link register if the PC went astray, else after the instruction. */
    if (skip == 0)
        frame->pc = frame->lr & ~1u;
    else
        frame->pc += skip;
    frame->xpsr = (frame->xpsr & ~0x0600fc00u) | 1 << 24;
}

/* Runs one instruction with a label before it, so that the stacked PC can be checked. */
#define FAULT_AT(length, ...)                                                                                \
    do {                                                                                                     \
        skip = (length);                                                                                     \
        __asm volatile("adr r3, 77f\n ldr r2, =expected_pc\n str r3, [r2]\n" __VA_ARGS__);                   \
    } while (0)

static void loads_and_stores(void)
{
    note("load from nowhere", 0);
    FAULT_AT(2, "ldr r1, =0xa0000010\n .balign 4\n 77: ldr r0, [r1]\n" ::: "r0", "r1", "r2", "r3", "memory");
    note("undefined", 0);
    FAULT_AT(2, "nop\n .balign 4\n 77: udf #1\n" ::: "r2", "r3", "memory");
    note("undefined wide", 0);
    FAULT_AT(4, "nop\n .balign 4\n 77: udf.w #1\n" ::: "r2", "r3", "memory");
}

static void traps(void)
{
    volatile uint32_t buffer[4] = {1, 2, 3, 4};
    uint32_t quotient = 1, value = 0;
    __asm volatile("mov r1, #0\n udiv %0, %1, r1\n" : "=r"(quotient) : "r"(5) : "r1");
    note("division by zero untrapped", quotient);
    CCR |= 1 << 4;
    barrier();
    note("division by zero trapped", 0);
    FAULT_AT(4, "mov r1, #0\n mov r0, #5\n .balign 4\n 77: udiv r0, r0, r1\n" ::
                 : "r0", "r1", "r2", "r3", "memory");
    CCR &= ~(1u << 4);

    __asm volatile("ldr %0, [%1, #1]" : "=r"(value) : "r"(buffer) : "memory");
    note("unaligned load untrapped", value);
    CCR |= 1 << 3;
    barrier();
    note("unaligned load trapped", 0);
    skip = 4;
    __asm volatile("adr r3, 77f\n ldr r2, =expected_pc\n str r3, [r2]\n mov r1, %0\n .balign 4\n"
                   "77: ldr.w r0, [r1, #1]\n" ::"r"(buffer)
                   : "r0", "r1", "r2", "r3", "memory");
    CCR &= ~(1u << 3);
    barrier();
}

static void coprocessor(void)
{
    CPACR &= ~(0xfu << 20);
    barrier();
    note("fp without access", 0);
    FAULT_AT(4, "nop\n .balign 4\n 77: vmov.f32 s0, #1.0\n" ::: "r2", "r3", "memory");
    CPACR |= 0xf << 20;
    barrier();
}

static void astray(void)
{
    note("branch to even address", 0);
    skip = 0;
    expected_pc = 0x100;
    __asm volatile("mov r0, #0x100\n blx r0\n" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory");
    note("branch to nowhere", 0);
    expected_pc = 0xa0000000;
    __asm volatile("ldr r0, =0xa0000001\n blx r0\n" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory");
    note("branch to never-execute", 0);
    expected_pc = 0xe0000000;
    __asm volatile("ldr r0, =0xe0000001\n blx r0\n" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory");
    note("exc_return in thread mode", 0);
    expected_pc = 0xfffffff8;
    __asm volatile("ldr r0, =0xfffffff9\n blx r0\n" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory");
}

static void mpu(void)
{
    static uint32_t guarded[64] __attribute__((aligned(256)));
    guarded[0] = 17;
    REG(0xe000ed9c) = (uint32_t)guarded | 0x10 | 3;
    REG(0xe000eda0) = 0x06 << 24 | 7 << 1 | 1; /* 256 bytes, read-only */
    REG(0xe000ed94) = 5;                       /* enable, default map for the rest */
    barrier();
    note("mpu read allowed", *(volatile uint32_t *)guarded);
    note("mpu write refused", 0);
    skip = 2;
    __asm volatile("adr r3, 77f\n ldr r2, =expected_pc\n str r3, [r2]\n mov r1, %0\n .balign 4\n"
                   "77: str r1, [r1]\n" ::"r"(guarded)
                   : "r1", "r2", "r3", "memory");
    REG(0xe000ed94) = 0;
    barrier();
    note("mpu guarded value", guarded[0]);
    guarded[0] = 18;
    note("mpu off, written", guarded[0]);
}

void run(void)
{
    for (int i = 3; i <= 6; i++)
        handlers[i] = on_fault;
    note("--- escalated to HardFault", 0);
    loads_and_stores();
    astray();
    note("--- enabled", 0);
    SHCSR |= 7 << 16;
    barrier();
    loads_and_stores();
    traps();
    coprocessor();
    astray();
    mpu();
}
