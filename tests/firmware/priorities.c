/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Priorities with all groupings, masks with all levels, NVIC and SCB pending and active bits. */
#include "harness.h"

#define SHPR_OF(exception) REG8(0xe000ed14 + (exception))
#define STIR               REG(0xe000ef00)

static volatile uint32_t then_pend;

static void on_irq(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    uint32_t number = ICSR & 0x1ff;
    step(number);
    uint32_t pend = then_pend;
    then_pend = 0;
    if (pend) {
        ISPR = pend;
        barrier();
    }
    step(0x100 + number);
}

static void set_prigroup(uint32_t group)
{
    AIRCR = 0x05fa0000 | group << 8;
    barrier();
}

static void all_pairs(void)
{
    for (uint32_t group = 0; group < 8; group++) {
        set_prigroup(group);
        for (uint32_t first = 0; first < 0x100; first += 0x20) {
            for (uint32_t second = 0; second < 0x100; second += 0x20) {
                IPR(0) = first;
                IPR(1) = second;
                then_pend = 2;
                ISPR = 1;
                barrier();
                step(0x999);
            }
        }
        note_order("pairs in this PRIGROUP");
    }
}

static void simultaneous(void)
{
    for (uint32_t group = 0; group < 8; group++) {
        set_prigroup(group);
        for (uint32_t mix = 0; mix < 512; mix += 7) {
            IPR(0) = mix << 5;
            IPR(1) = mix >> 3 << 5;
            IPR(2) = mix >> 6 << 5;
            __asm volatile("cpsid i");
            ISPR = 7;
            barrier();
            step(ICSR >> 12 & 0x1ff);
            __asm volatile("cpsie i\n isb");
        }
        note_order("three at once in this PRIGROUP");
    }
}

static void basepri(void)
{
    for (uint32_t group = 0; group < 8; group++) {
        set_prigroup(group);
        for (uint32_t mask = 0; mask < 0x100; mask += 0x20) {
            for (uint32_t level = 0; level < 0x100; level += 0x20) {
                IPR(0) = level;
                __asm volatile("msr basepri, %0\n isb" ::"r"(mask));
                ISPR = 1;
                barrier();
                step(0x500 + (ISPR & 1));
                __asm volatile("msr basepri, %0\n isb" ::"r"(0));
            }
        }
        note_order("basepri in this PRIGROUP");
    }
    set_prigroup(0);
}

static volatile uint32_t rounds;

static void on_again(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    step(70 + rounds);
    note("active while running", IABR & 8);
    if (rounds++ < 2)
        ISPR = 8;
    barrier();
    note("pending while active", ISPR & 8);
}

static void pend_and_clear(void)
{
    handlers[19] = on_again;
    IPR(3) = 0x60;
    ICER = 8;
    ISPR = 8;
    barrier();
    note("disabled pending", ISPR & 8);
    note("disabled isrpending", ICSR >> 22 & 1);
    note("disabled vectpending", ICSR >> 12 & 0x1ff);
    ICPR = 8;
    note("cleared pending", ISPR & 8);
    ISER = 8;
    barrier();
    note_order("cleared before enabled");
    ICER = 8;
    ISPR = 8;
    rounds = 0;
    ISER = 8;
    barrier();
    note_order("enabled when pending, pended when active");
    note("enabled", ISER);
    ICER = 8;
    note("disabled", ISER);
    note("not active any more", IABR);
}

static void on_system(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    uint32_t number = ICSR & 0x1ff;
    step(number);
    note("system handler", number);
    note("shcsr in it", SHCSR);
    note("rettobase in it", ICSR >> 11 & 1);
}

static void on_svc_nested(struct frame *frame, uint32_t exc_return)
{
    on_system(frame, exc_return);
    ICSR = 1 << 28 | 1 << 26;
    barrier();
    note("icsr with both pending", ICSR);
    note("shcsr after", SHCSR);
}

static void system_handlers(void)
{
    for (int i = 2; i <= 15; i++)
        handlers[i] = on_system;
    handlers[11] = on_svc_nested;
    SHPR_OF(11) = 0x80;
    SHPR_OF(14) = 0x40;
    SHPR_OF(15) = 0xa0;
    __asm volatile("svc 1" ::: "memory");
    note_order("svc, pendsv above, systick below");
    note("shpr2", REG(0xe000ed1c));
    note("shpr3", REG(0xe000ed20));

    __asm volatile("cpsid i");
    ICSR = 1 << 28 | 1 << 26;
    note("both pending", ICSR);
    ICSR = 1 << 27;
    note("pendsv cleared", ICSR);
    ICSR = 1 << 25;
    note("systick cleared", ICSR);
    __asm volatile("cpsie i\n isb");
    note_order("none left");

    __asm volatile("cpsid i");
    ICSR = 1u << 31;
    barrier();
    note_order("nmi under primask");
    __asm volatile("cpsie i\n cpsid f\n isb");
    ICSR = 1u << 31;
    ICSR = 1 << 28;
    barrier();
    uint32_t faultmask;
    __asm volatile("mrs %0, faultmask" : "=r"(faultmask));
    note("faultmask after nmi", faultmask);
    note_order("nmi under faultmask");
    __asm volatile("cpsie f\n isb");
    note_order("pendsv after faultmask");

    SHCSR |= 7 << 16;
    SHPR_OF(4) = 0x20;
    SHPR_OF(5) = 0x40;
    SHPR_OF(6) = 0x60;
    SHCSR |= 1 << 12 | 1 << 13 | 1 << 14;
    barrier();
    note_order("faults pended by SHCSR");
    note("shcsr at rest", SHCSR);
    SHCSR &= ~(7u << 16);
    SHCSR |= 1 << 13;
    barrier();
    note("disabled fault stays pending", SHCSR);
    SHCSR &= ~(1u << 13);
}

static volatile uint32_t escalations;

static void on_hard(struct frame *frame, uint32_t exc_return)
{
    (void)exc_return;
    step(3);
    escalations++;
    note("hfsr of the escalation", HFSR);
    note("ipsr stacked", frame->xpsr & 0x1ff);
    HFSR = HFSR;
}

static void on_svc_in_irq(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    step(1);
    /* The stacked PC is the SVC's own on silicon (B1.5.6) and behind it on QEMU: the pair ends alike. */
    __asm volatile("ldr r2, =svc_done\n mov r3, #0\n str r3, [r2]\n"
                   "ldr r3, [r2]\n cbnz r3, 1f\n mov r3, #1\n str r3, [r2]\n svc 2\n 1:\n" ::
                       : "r2", "r3", "memory");
    step(2);
}

volatile uint32_t svc_done;

static void on_hard_skip(struct frame *frame, uint32_t exc_return)
{
    on_hard(frame, exc_return);
    if (*(uint16_t *)frame->pc >> 8 == 0xdf)
        frame->pc += 2;
}

static void escalation(void)
{
    handlers[3] = on_hard_skip;
    handlers[16] = on_svc_in_irq;
    SHPR_OF(11) = 0x80;
    IPR(0) = 0x80;
    ISER = 1;
    ISPR = 1;
    barrier();
    note_order("svc in a handler of its own priority");
    SHPR_OF(11) = 0x40;
    handlers[11] = on_system;
    ISPR = 1;
    barrier();
    note_order("svc in a handler of lower priority");
    __asm volatile("cpsid i\n svc 3\n cpsie i" ::: "memory");
    note_order("svc under primask");
    __asm volatile("msr basepri, %0\n isb\n svc 3\n" ::"r"(0x40) : "memory");
    __asm volatile("msr basepri, %0\n isb\n" ::"r"(0) : "memory");
    note_order("svc under basepri");
    handlers[16] = on_irq;
}

static uint32_t masks(void)
{
    uint32_t primask, faultmask, level;
    __asm volatile("mrs %0, primask\n mrs %1, faultmask\n mrs %2, basepri"
                   : "=r"(primask), "=r"(faultmask), "=r"(level));
    return primask | faultmask << 1 | level << 8;
}

static void on_masking(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    __asm volatile("cpsid i\n cpsid f\n msr basepri, %0" ::"r"(0x20));
    note("masks in the handler", masks());
}

static void masks_over_return(void)
{
    handlers[17] = on_masking;
    ISER = 2;
    IPR(1) = 0x60;
    ISPR = 2;
    barrier();
    note("masks after the return", masks());
    __asm volatile("cpsie i\n msr basepri, %0\n isb" ::"r"(0));
    handlers[2] = on_masking;
    ICSR = 1u << 31;
    barrier();
    note("masks after nmi", masks());
    __asm volatile("cpsie i\n cpsie f\n msr basepri, %0\n isb" ::"r"(0));
    handlers[17] = on_irq;
}

static uint32_t ram_vectors[64] __attribute__((aligned(256)));

static void from_ram(void)
{
    step(0xabc);
}

static void vectors(void)
{
    for (int i = 0; i < 64; i++)
        ram_vectors[i] = ((volatile uint32_t *)0)[i];
    ram_vectors[17] = (uint32_t)from_ram;
    REG(0xe000ed08) = (uint32_t)ram_vectors;
    barrier();
    note("vtor", REG(0xe000ed08) - (uint32_t)ram_vectors);
    ISPR = 3;
    barrier();
    note_order("vector table in RAM");
    REG(0xe000ed08) = 0;
    barrier();
    ISPR = 3;
    barrier();
    note_order("vector table in flash");
}

static volatile uint32_t refused;

static void on_refused(struct frame *frame, uint32_t exc_return)
{
    (void)exc_return;
    refused++;
    note("refused cfsr", CFSR);
    note("refused bfar", BFAR);
    CFSR = CFSR;
    frame->pc += 4;
}

static void on_lift(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    uint32_t control;
    __asm volatile("mrs %0, control\n bic %0, #1\n msr control, %0\n isb" : "=r"(control));
}

static void on_hard_lifts(struct frame *frame, uint32_t exc_return)
{
    on_lift(frame, exc_return);
    __asm volatile("cpsie i");
    step(3);
    if (*(uint16_t *)frame->pc >> 8 == 0xdf)
        frame->pc += 2;
}

#define UNPRIVILEGED "mrs r3, control\n orr r3, #1\n msr control, r3\n isb\n"

static void unprivileged(void)
{
    handlers[5] = on_refused;
    handlers[11] = on_lift;
    SHCSR |= 1 << 17;
    SHPR_OF(5) = 0;
    ICPR = 3;
    __asm volatile(UNPRIVILEGED "ldr r0, =0xe000e100\n ldr.w r1, [r0]\n str.w r1, [r0]\n"
                                "ldr r0, =0xe000ef00\n mov r1, #0\n str.w r1, [r0]\n svc 1" ::
                                    : "r0", "r1", "r2", "r3", "r12", "lr", "memory");
    note("refused accesses", refused);
    note_order("stir refused");
    CCR |= 2;
    __asm volatile(UNPRIVILEGED "ldr r0, =0xe000ef00\n mov r1, #0\n str.w r1, [r0]\n dsb\n isb\n svc 1" ::
                       : "r0", "r1", "r2", "r3", "r12", "lr", "memory");
    CCR &= ~2u;
    note_order("stir allowed");
    STIR = 1;
    barrier();
    note_order("stir privileged");
    /* Masks hold in unprivileged code, which cannot lift them; the SVC then becomes a HardFault. */
    handlers[3] = on_hard_lifts;
    __asm volatile("cpsid i\n" ::: "memory");
    ISPR = 1;
    __asm volatile(UNPRIVILEGED "nop\n b 1f\n 1: nop\n cpsie i\n b 2f\n 2: nop\n svc 1\n isb\n" ::
                       : "r0", "r1", "r2", "r3", "r12", "lr", "memory");
    note_order("masked in unprivileged code");
}

void run(void)
{
    handlers[16] = handlers[17] = handlers[18] = on_irq;
    ISER = 7;
    all_pairs();
    simultaneous();
    basepri();
    pend_and_clear();
    system_handlers();
    escalation();
    masks_over_return();
    vectors();
    unprivileged();
}
