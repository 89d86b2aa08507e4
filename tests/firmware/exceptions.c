/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions: entry and return, priorities, masks, nesting, tail-chaining, system calls, stacks. */
#include "harness.h"

static uint32_t ipsr(void)
{
    uint32_t value;
    __asm volatile("mrs %0, ipsr" : "=r"(value));
    return value;
}

static void on_svc(struct frame *frame, uint32_t exc_return)
{
    note("svc exc_return", exc_return);
    note("svc number", ((uint8_t *)frame->pc)[-2]);
    note("svc r0", frame->r0);
    note("svc ipsr", ipsr());
    note("svc xpsr T and exception", frame->xpsr & 0x010001ff);
    frame->r0 = 0x1234;
}

static uint32_t svc(uint32_t argument)
{
    register uint32_t r0 __asm("r0") = argument;
    __asm volatile("svc 0x42" : "+r"(r0)::"r1", "r2", "r3", "r12", "lr", "memory");
    return r0;
}

static void on_irq0(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    step(1);
    note("irq0 return", exc_return);
    ISPR = 1 << 1; /* higher priority: nests at once */
    barrier();
    step(2);
    ISPR = 1 << 2; /* same priority: is tail-chained */
    barrier();
    step(3);
    note("active in irq0", IABR);
    note("icsr vectactive", ICSR & 0x1ff);
}

static void on_irq1(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    step(11);
    note("irq1 return", exc_return);
    note("active in irq1", IABR);
}

static void on_irq2(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    step(21);
    note("irq2 return", exc_return);
}

static void on_pendsv(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    step(31);
}

static void nesting(void)
{
    handlers[16] = on_irq0;
    handlers[17] = on_irq1;
    handlers[18] = on_irq2;
    handlers[14] = on_pendsv;
    IPR(0) = 0x80;
    IPR(1) = 0x40;
    IPR(2) = 0x80;
    SHPR(14) = 0xe0;
    ISER = 7;
    ICSR = 1 << 28;
    barrier();
    step(0);
    ISPR = 1;
    barrier();
    step(99);
    note_order("nesting order");
}

static void masks(void)
{
    __asm volatile("cpsid i");
    ISPR = 1;
    barrier();
    step(40);
    note("pending under primask", ISPR);
    note("icsr isrpending", ICSR >> 22 & 1);
    note("icsr vectpending", ICSR >> 12 & 0x1ff);
    __asm volatile("cpsie i\n isb");
    step(41);
    note_order("primask order");

    __asm volatile("msr basepri, %0\n isb" ::"r"(0x80));
    ISPR = 1; /* masked: same level */
    ISPR = 2; /* not masked: higher */
    barrier();
    step(50);
    __asm volatile("msr basepri, %0\n isb" ::"r"(0));
    step(51);
    note_order("basepri order");

    uint32_t before, after;
    __asm volatile("msr basepri, %2\n msr basepri_max, %3\n mrs %0, basepri\n"
                   "msr basepri_max, %4\n mrs %1, basepri\n msr basepri, %5"
                   : "=&r"(before), "=&r"(after)
                   : "r"(0x80), "r"(0xa0), "r"(0x40), "r"(0));
    note("basepri_max higher", before);
    note("basepri_max lower", after);

    __asm volatile("cpsid f\n isb");
    ISPR = 2;
    barrier();
    step(60);
    __asm volatile("cpsie f\n isb");
    step(61);
    note_order("faultmask order");
}

static void groups(void)
{
    /* PRIGROUP 6: two levels of preemption are left; 0x40 and 0x20 do not preempt each other. */
    AIRCR = 0x05fa0000 | 6 << 8;
    IPR(0) = 0x60;
    IPR(1) = 0x40;
    ISPR = 1;
    barrier();
    note_order("prigroup 6 order");
    AIRCR = 0x05fa0000;
    note("aircr prigroup", AIRCR >> 8 & 7);
}

static void on_svc_psp(struct frame *frame, uint32_t exc_return)
{
    uint32_t psp;
    __asm volatile("mrs %0, psp" : "=r"(psp));
    note("psp svc return", exc_return);
    note("psp frame is psp", (uint32_t)frame == psp);
    note("psp aligned", psp & 7);
}

static uint32_t thread_stack[128] __attribute__((aligned(8)));

static void process_stack(void)
{
    handlers[11] = on_svc_psp;
    uint32_t control, misaligned;
    __asm volatile("mov r2, sp\n"
                   "msr psp, %2\n mov r3, #2\n msr control, r3\n isb\n"
                   "sub sp, #4\n svc 1\n mov %1, sp\n add sp, #4\n"
                   "mrs %0, control\n mov r3, #0\n msr control, r3\n isb\n"
                   : "=&r"(control), "=&r"(misaligned)
                   : "r"(&thread_stack[120])
                   : "r0", "r1", "r2", "r3", "r12", "lr", "memory");
    note("control on psp", control & 3);
    note("sp after svc restored", misaligned == (uint32_t)&thread_stack[119]);
}

static void on_irq3(struct frame *frame, uint32_t exc_return)
{
    (void)exc_return;
    note("flags stacked", frame->xpsr & 0xf8000000);
    note("it stacked", frame->xpsr & 0x0600fc00);
}

static void flags(void)
{
    handlers[19] = on_irq3;
    ISER = 8;
    uint32_t after;
    __asm volatile("mov r0, #1\n mov r1, #0x80000000\n adds r1, r1\n"
                   "ldr r2, =0xe000e200\n mov r3, #8\n str r3, [r2]\n dsb\n isb\n"
                   "mrs %0, apsr\n"
                   : "=r"(after)::"r0", "r1", "r2", "r3", "cc", "memory");
    note("flags after return", after & 0xf8000000);
    uint32_t a = 0, b = 0;
    __asm volatile("cmp %2, #1\n itee eq\n moveq %0, #5\n movne %0, #6\n movne %1, #7\n"
                   : "+r"(a), "+r"(b)
                   : "r"(2)
                   : "cc");
    note("it block a", a);
    note("it block b", b);
}

static volatile uint32_t ticks;

static void on_systick(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    if (++ticks == 3)
        REG(0xe000e010) = 0;
}

static void systick(void)
{
    handlers[15] = on_systick;
    REG(0xe000e014) = 999;
    REG(0xe000e018) = 0;
    REG(0xe000e010) = 7;
    while (ticks < 3)
        ;
    note("systick ticked", ticks >= 3);
    note("systick count below reload", REG(0xe000e018) <= 999);
}

static void on_fp_irq(struct frame *frame, uint32_t exc_return)
{
    note("fp exc_return", exc_return);
    const float *fp = (const float *)(frame + 1);
    note("fp s0 stacked", (uint32_t)fp[0]);
    note("fp s15 stacked", (uint32_t)fp[15]);
    __asm volatile("vmov.f32 s0, #7.0\n vmov.f32 s15, #8.0\n" ::: "s0", "s15");
}

static void fp_frames(void)
{
    CPACR |= 0xf << 20;
    barrier();
    handlers[20] = on_fp_irq;
    ISER = 16;
    float a, b;
    REG(0xe000ef34) &= ~(1u << 30); /* no lazy stacking, so that the frame can be looked at */
    __asm volatile("vmov.f32 s0, #3.0\n vmov.f32 s15, #5.0\n"
                   "ldr r2, =0xe000e200\n mov r3, #16\n str r3, [r2]\n dsb\n isb\n"
                   "vmov %0, s0\n vmov %1, s15\n"
                   : "=r"(a), "=r"(b)::"r2", "r3", "s0", "s15", "memory");
    note("fp s0 restored", (uint32_t)a);
    note("fp s15 restored", (uint32_t)b);
    uint32_t control;
    __asm volatile("mrs %0, control" : "=r"(control));
    note("fpca after fp", control & 4);
    control &= 3;
    __asm volatile("msr control, %0\n isb" ::"r"(control));
    handlers[11] = on_svc;
    note("svc without fp result", svc(7));
}

static void on_unprivileged_svc(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    note("unprivileged svc return", exc_return);
    uint32_t control = 0;
    __asm volatile("mrs %0, control" : "=r"(control));
    note("npriv seen in handler", control & 1);
    control &= ~1u;
    __asm volatile("msr control, %0\n isb" ::"r"(control));
}

static void unprivileged(void)
{
    handlers[11] = on_unprivileged_svc;
    uint32_t primask, apsr, control;
    __asm volatile("mrs r3, control\n orr r3, #1\n msr control, r3\n isb\n"
                   "cpsid i\n mrs %0, primask\n" /* no effect */
                   "mrs %1, ipsr\n svc 3\n mrs %2, control\n"
                   : "=&r"(primask), "=&r"(apsr), "=&r"(control)::"r0", "r1", "r2", "r3", "r12", "lr",
                     "memory");
    note("cpsid ignored", primask);
    note("ipsr unprivileged", apsr);
    note("privileged again", control & 1);
}

void run(void)
{
    handlers[11] = on_svc;
    note("svc result", svc(0x55));
    nesting();
    masks();
    groups();
    process_stack();
    flags();
    systick();
    unprivileged();
    fp_frames();
}
