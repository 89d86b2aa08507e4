/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames that are wrong, stacks that lead nowhere, EXC_RETURN values, IT blocks, exclusives, FP contexts. */
#include "harness.h"

#define MPU_CTRL REG(0xe000ed94)
#define MPU_RBAR REG(0xe000ed9c)
#define MPU_RASR REG(0xe000eda0)
#define FPCCR    REG(0xe000ef34)
#define FPDSCR   REG(0xe000ef3c)

static uint32_t good_stack[256] __attribute__((aligned(512)));
volatile uint32_t resume_at;

/* Gives the thread a sound frame on the process stack, from which it goes on at `resume_at`. */
static void repair_psp(void)
{
    struct frame *frame = (struct frame *)&good_stack[200];
    *frame = (struct frame){.pc = resume_at & ~1u, .xpsr = 1 << 24};
    __asm volatile("msr psp, %0" ::"r"(frame));
}

static void on_fault(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    uint32_t psp;
    __asm volatile("mrs %0, psp" : "=r"(psp));
    note("fault", ICSR & 0x1ff);
    note("fault cfsr", CFSR);
    note("fault hfsr", HFSR);
    note("fault exc_return", exc_return);
    CFSR = CFSR;
    HFSR = HFSR;
    repair_psp();
    next_return = 0xfffffffd;
    step(ICSR & 0x1ff);
}

static void on_svc(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    step(11);
    note("svc exc_return", exc_return);
}

/* Runs `code` in thread mode on the process stack `psp`; comes back on the main stack. */
#define ON_PSP(psp, code)                                                                                    \
    do {                                                                                                     \
        __asm volatile("push {r4-r11}\n mov r4, %0\n ldr r2, =resume_at\n adr r3, 88f\n str r3, [r2]\n"      \
                       "ldr r2, =saved_sp\n str sp, [r2]\n"                                                  \
                       "msr psp, r4\n mrs r3, control\n orr r3, #2\n msr control, r3\n isb\n" code           \
                       "\n .balign 4\n 88: mrs r3, control\n bic r3, #3\n msr control, r3\n isb\n"           \
                       "ldr r2, =saved_sp\n ldr r2, [r2]\n mov sp, r2\n pop {r4-r11}\n" ::"r"(psp)           \
                       : "r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory");                               \
    } while (0)

volatile uint32_t saved_sp;

static void stacks_to_nowhere(void)
{
    handlers[11] = on_svc;
    note("psp in the void, svc", 0);
    ON_PSP(0xa0001000, "svc 1");
    note_order("psp in the void, svc: order");
}

static void on_svc_loses_stack(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    __asm volatile("msr psp, %0" ::"r"(0xa0002000));
    step(11);
}

static void unstacking(void)
{
    handlers[11] = on_svc_loses_stack;
    note("frame in the void on return", 0);
    ON_PSP(&good_stack[250], "svc 1");
    note_order("frame in the void on return: order");
    handlers[11] = on_svc;
}

static void guard(void)
{
    MPU_RBAR = (uint32_t)good_stack | 0x10;
    MPU_RASR = 6u << 24 | 4 << 1 | 1; /* 32 bytes, read-only for all */
    MPU_CTRL = 5;
    barrier();
    note("guard hit by stacking", 0);
    ON_PSP(&good_stack[8], "svc 1");
    note_order("guard hit by stacking: order");
    MPU_RASR = 0u << 24 | 4 << 1 | 1; /* no access */
    barrier();
    handlers[11] = on_svc_loses_stack;
    MPU_CTRL = 0;
    barrier();
    handlers[11] = on_svc;
}

/* FAULTMASK raises to a priority at which the MPU is off. */
static void masked_guard(void)
{
    MPU_RBAR = (uint32_t)good_stack | 0x10;
    MPU_RASR = 6u << 24 | 4 << 1 | 1; /* 32 bytes, read-only for all */
    MPU_CTRL = 5;
    barrier();
    __asm volatile("cpsid f" ::: "memory");
    *(volatile uint32_t *)good_stack = 0x5a5a;
    __asm volatile("cpsie f" ::: "memory");
    MPU_CTRL = 0;
    barrier();
    note("guard hit under FAULTMASK", *(volatile uint32_t *)good_stack);
}

static volatile uint32_t wrong_xpsr, wrong_return, wrong_pc;

static void on_svc_spoils(struct frame *frame, uint32_t exc_return)
{
    (void)exc_return;
    step(11);
    if (wrong_return)
        next_return = wrong_return;
    if (wrong_pc)
        frame->pc = wrong_pc;
    frame->xpsr ^= wrong_xpsr;
    wrong_return = wrong_xpsr = wrong_pc = 0;
}

static void spoilt_frames(void)
{
    static const uint32_t returns[] = {0xfffffff5, 0xfffffff7, 0xfffffff1, 0xffffff01, 0xfffffffb};
    handlers[11] = on_svc_spoils;
    for (unsigned i = 0; i < sizeof returns / sizeof returns[0]; i++) {
        note("exc_return", returns[i]);
        wrong_return = returns[i];
        ON_PSP(&good_stack[250], "svc 1");
        note_order("exc_return: order");
    }
    note("exception number in a thread frame", 0);
    wrong_xpsr = 5;
    ON_PSP(&good_stack[250], "svc 1");
    note_order("exception number in a thread frame: order");
    note("frame without T", 0);
    wrong_xpsr = 1 << 24;
    ON_PSP(&good_stack[250], "svc 1");
    note_order("frame without T: order");
    note("frame to never-execute", 0);
    wrong_pc = 0xe0000000;
    ON_PSP(&good_stack[250], "svc 1");
    note_order("frame to never-execute: order");
    note("frame to main stack", 0);
    handlers[11] = on_svc;
}

static void on_irq_nested_thread(struct frame *frame, uint32_t exc_return)
{
    (void)exc_return;
    (void)frame;
    step(17);
    next_return = 0xfffffff9; /* but IRQ 0 is active */
}

static void on_usage_in_irq(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    note("return to thread refused", CFSR);
    note("its exc_return", exc_return);
    note("still active", IABR);
    CFSR = CFSR;
    next_return = 0xfffffff1;
    step(6);
}

static void on_irq0(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    step(16);
    ISPR = 2;
    barrier();
    step(160);
}

static void not_base(void)
{
    handlers[16] = on_irq0;
    handlers[17] = on_irq_nested_thread;
    handlers[6] = on_usage_in_irq;
    IPR(0) = 0x80;
    IPR(1) = 0x40;
    ISER = 3;
    ISPR = 1;
    barrier();
    note_order("nested return to thread");
    handlers[6] = on_fault;
}

/* --- IT blocks --------------------------------------------------------------------------------------------
 */

static void on_it_svc(struct frame *frame, uint32_t exc_return)
{
    (void)exc_return;
    note("it at svc", frame->xpsr & 0x0600fc00);
}

static void on_it_fault(struct frame *frame, uint32_t exc_return)
{
    (void)exc_return;
    note("it at fault", frame->xpsr & 0x0600fc00);
    note("it fault cfsr", CFSR);
    CFSR = CFSR;
    /* Skip the instruction and move the IT state on by one. */
    uint32_t it = (frame->xpsr >> 25 & 3) | (frame->xpsr >> 8 & 0xfc);
    it = it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
    frame->xpsr = (frame->xpsr & ~0x0600fc00u) | (it & 3) << 25 | (it & 0xfc) << 8;
    frame->pc += *(uint16_t *)frame->pc >= 0xe800 ? 4 : 2;
}

static void it_blocks(void)
{
    uint32_t a, b, c;
    handlers[11] = on_it_svc;
    handlers[5] = handlers[6] = on_it_fault;
    __asm volatile(
        "mov r0, #0\n mov r1, #0\n mov r2, #0\n cmp r0, #0\n itete eq\n moveq r0, #1\n movne r1, #1\n"
        "svceq 1\n movne r2, #1\n mov %0, r0\n mov %1, r1\n mov %2, r2\n"
        : "=r"(a), "=r"(b), "=r"(c)::"r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory");
    note("it svc", a | b << 4 | c << 8);
    __asm volatile(
        "mov r0, #0\n mov r1, #0\n mov r2, #0\n cmp r0, #1\n itete eq\n moveq r0, #1\n movne r1, #1\n"
        "svceq 1\n movne r2, #1\n mov %0, r0\n mov %1, r1\n mov %2, r2\n"
        : "=r"(a), "=r"(b), "=r"(c)::"r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory");
    note("it svc skipped", a | b << 4 | c << 8);
    __asm volatile("mov r0, #0\n mov r1, #0xa0000000\n mov r2, #0\n cmp r0, #0\n ittte eq\n moveq r0, #1\n"
                   "ldreq r3, [r1, #64]\n moveq r2, #2\n movne r2, #3\n mov %0, r0\n mov %1, r2\n"
                   : "=r"(a), "=r"(b)::"r0", "r1", "r2", "r3", "cc", "memory");
    note("it load fault", a | b << 4);
    __asm volatile("mov r0, #0\n mov r1, #0xa0000000\n mov r2, #0\n cmp r0, #1\n ittte eq\n moveq r0, #1\n"
                   "ldreq r3, [r1, #64]\n moveq r2, #2\n movne r2, #3\n mov %0, r0\n mov %1, r2\n"
                   : "=r"(a), "=r"(b)::"r0", "r1", "r2", "r3", "cc", "memory");
    note("it load skipped", a | b << 4);
    __asm volatile("mov r0, #0\n mov r2, #0\n cmp r0, #0\n itt eq\n moveq r0, #1\n udfeq #3\n"
                   "mov r2, #2\n mov %0, r0\n mov %1, r2\n"
                   : "=r"(a), "=r"(b)::"r0", "r1", "r2", "r3", "cc", "memory");
    note("it udf", a | b << 4);
}

/* Interrupts in the middle of an IT block, unmasked there, at each place. */
static void on_it_irq(struct frame *frame, uint32_t exc_return)
{
    (void)exc_return;
    /* Nothing is noted of the frame: where exactly it is taken is the core's choice. */
    frame->r0 ^= 0;
    __asm volatile("cmp %0, %0\n adds r3, %0, %0" ::"r"(0x80000000) : "r3", "cc");
}

static void it_interrupted(void)
{
    handlers[18] = on_it_irq;
    ISER = 4;
    uint32_t a, b;
    __asm volatile("ldr r1, =0xe000e200\n mov r2, #4\n mov r0, #0\n mov r3, #0\n cmp r0, #0\n ittet eq\n"
                   "streq r2, [r1]\n addeq r0, #1\n addne r0, #16\n addeq r3, #3\n mov %0, r0\n mov %1, r3\n"
                   : "=r"(a), "=r"(b)::"r0", "r1", "r2", "r3", "cc", "memory");
    note("it interrupted", a | b << 8);
    __asm volatile(
        "cpsid i\n ldr r1, =0xe000e200\n mov r2, #4\n str r2, [r1]\n dsb\n mov r0, #0\n mov r3, #0\n"
        "cmp r0, #0\n ittt eq\n addeq r0, #1\n addeq r0, #2\n addeq r3, #3\n cpsie i\n"
        "itt ne\n addne r0, #16\n addne r3, #16\n mov %0, r0\n mov %1, r3\n"
        : "=r"(a), "=r"(b)::"r0", "r1", "r2", "r3", "cc", "memory");
    note("it after unmasking", a | b << 8);
}

/* --- exclusives -------------------------------------------------------------------------------------------
 */

static volatile uint32_t shared[4];

static void on_nothing(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
}

static void exclusives(void)
{
    uint32_t value, plain, crossed, cleared, alone, other;
    handlers[11] = on_nothing;
    shared[0] = 5;
    __asm volatile("ldrex %0, [%2]\n add %0, #1\n strex %1, %0, [%2]"
                   : "=&r"(value), "=&r"(plain)
                   : "r"(shared)
                   : "memory");
    __asm volatile("strex %0, %1, [%2]" : "=&r"(alone) : "r"(9), "r"(shared) : "memory");
    note("strex", plain);
    note("strex alone", alone);
    note("exclusive value", shared[0]);
    __asm volatile("mov r5, %2\n ldrex r4, [r5]\n svc 1\n add r4, #1\n strex %1, r4, [r5]\n mov %0, r4\n"
                   : "=&r"(value), "=&r"(crossed)
                   : "r"(shared)
                   : "r0", "r1", "r2", "r3", "r4", "r5", "r12", "lr", "memory");
    note("strex across svc", crossed);
    __asm volatile("ldrex %0, [%2]\n clrex\n strex %1, %0, [%2]"
                   : "=&r"(value), "=&r"(cleared)
                   : "r"(shared)
                   : "memory");
    note("strex after clrex", cleared);
    __asm volatile("ldrexb %0, [%2]\n strexb %1, %0, [%2]"
                   : "=&r"(value), "=&r"(other)
                   : "r"(shared)
                   : "memory");
    note("strexb", other);
    __asm volatile("ldrexh %0, [%2]\n strexh %1, %0, [%2]"
                   : "=&r"(value), "=&r"(other)
                   : "r"(shared)
                   : "memory");
    note("strexh", other);
    note("exclusive value at the end", shared[0]);
}

/* --- alignment --------------------------------------------------------------------------------------------
 */

static void on_unaligned(struct frame *frame, uint32_t exc_return)
{
    (void)exc_return;
    note("unaligned cfsr", CFSR);
    note("unaligned instruction", *(uint16_t *)frame->pc);
    CFSR = CFSR;
    frame->pc += *(uint16_t *)frame->pc >= 0xe800 ? 4 : 2;
    step(6);
}

static void __attribute__((noinline)) alignment(void)
{
    static uint32_t data[8] = {0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff00};
    handlers[6] = on_unaligned;
    uint32_t at = (uint32_t)data + 2, sum;
#define UNALIGNED(text)                                                                                      \
    __asm volatile("mov r0, %0\n mov r2, #0\n mov r3, #0\n " text "\n" ::"r"(at)                             \
                   : "r0", "r1", "r2", "r3", "cc", "memory")
    UNALIGNED("ldmia r0!, {r2, r3}");
    UNALIGNED("stmia r0!, {r2, r3}");
    UNALIGNED("ldmdb r0, {r2, r3}");
    UNALIGNED("stmdb r0!, {r2, r3}");
    UNALIGNED("ldrd r2, r3, [r0]");
    UNALIGNED("strd r2, r3, [r0, #4]");
    UNALIGNED("ldrex r2, [r0]");
    UNALIGNED("strex r3, r2, [r0]");
    UNALIGNED("add r0, #1\n ldrexh r2, [r0]");
    UNALIGNED("vldr s0, [r0]");
    UNALIGNED("vstr s0, [r0]");
    UNALIGNED("vldr d0, [r0]");
    UNALIGNED("vldmia r0, {s0-s3}");
    UNALIGNED("vstmia r0!, {s0-s3}");
    UNALIGNED("ldr r2, [r0]\n str r2, [r0]");
    UNALIGNED("ldrh r2, [r0, #1]\n strh r2, [r0, #1]");
    UNALIGNED("ldr.w r2, [r0, #1]\n strh.w r2, [r0, #3]");
    note_order("unaligned accesses");
    /* Aligned enough, though not as large as the access is. */
    uint32_t low, high;
    __asm volatile("vmov.f32 s16, #1.0\n vmov.f32 s17, #2.0\n mov r4, sp\n sub r3, r4, #12\n bic r3, #7\n "
                   "add r3, #4\n mov sp, r3\n"
                   "vpush {d8}\n vmov s16, r4\n vpop {d8}\n mov sp, r4\n vmov %0, s16\n vmov %1, s17"
                   : "=r"(low), "=r"(high)::"r3", "r4", "s16", "s17", "memory");
    note("double on a word boundary", low ^ high);
    __asm volatile("ldrexb %0, [%1]" : "=r"(low) : "r"((uint32_t)data + 3));
    note("byte exclusive", low);
    sum = 0;
    for (int i = 0; i < 8; i++)
        sum = sum * 31 + data[i];
    note("data after them", sum);
    handlers[6] = on_fault;
}

/* --- floating point ---------------------------------------------------------------------------------------
 */

static uint32_t control(void)
{
    uint32_t value;
    __asm volatile("mrs %0, control" : "=r"(value));
    return value & 7;
}

static volatile uint32_t seen_fpscr, seen_control;

static void on_fp_svc(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    seen_control = control();
    uint32_t fpscr;
    __asm volatile("vmrs %0, fpscr\n vmov.f32 s16, #9.0\n vmov.f32 s1, #2.0" : "=r"(fpscr)::"s1", "s16");
    seen_fpscr = fpscr;
    note("fp svc exc_return", exc_return);
    note("fpca at entry", seen_control);
    note("fpscr in a new context", fpscr);
    note("fpca in the handler", control());
}

/* On its own, so that no FP register is used before the FPU is on. */
static void __attribute__((noinline)) floating_point(void)
{
    handlers[11] = on_fp_svc;
    uint32_t s1, s16, fpscr;
    FPDSCR = 1 << 24;
    note("fpdscr", FPDSCR);
    __asm volatile("vmov.f32 s1, #1.0\n vmov.f32 s16, #1.0\n mov r4, #0x80000000\n vmsr fpscr, r4\n svc 1\n"
                   "vmov %0, s1\n vmov %1, s16\n vmrs %2, fpscr\n"
                   : "=r"(s1), "=r"(s16), "=r"(fpscr)::"r0", "r1", "r2", "r3", "r4", "r12", "lr", "s1", "s16",
                     "memory");
    note("s1 kept", s1);
    note("s16 not kept", s16);
    note("fpscr kept", fpscr);
    FPDSCR = 0;
    uint32_t off = control() & 3;
    __asm volatile("msr control, %0\n isb" ::"r"(off));
    FPCCR &= ~(1u << 31);
    barrier();
    __asm volatile("vmov.f32 s1, #4.0" ::: "s1");
    note("fpca without ASPEN", control());
    __asm volatile("svc 1" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory");
    FPCCR |= 1u << 31;
    barrier();
    __asm volatile("vmov.f32 s1, #4.0" ::: "s1");
    note("fpca with ASPEN", control());
    CPACR = (CPACR & ~(0xfu << 20)) | 5 << 20;
    barrier();
    __asm volatile("vmov.f32 s1, #4.0" ::: "s1");
    note("privileged fp allowed", CPACR >> 20);
    CPACR |= 0xf << 20;
    barrier();
}

void run(void)
{
    SHCSR |= 7 << 16;
    CPACR |= 0xf << 20;
    barrier();
    for (int i = 3; i <= 6; i++)
        handlers[i] = on_fault;
    stacks_to_nowhere();
    unstacking();
    guard();
    masked_guard();
    spoilt_frames();
    not_base();
    note("--- escalated", 0);
    SHCSR &= ~(7u << 16);
    stacks_to_nowhere();
    unstacking();
    SHCSR |= 7 << 16;
    it_blocks();
    it_interrupted();
    exclusives();
    alignment();
    floating_point();
}
