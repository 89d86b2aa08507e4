/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What QEMU cannot be asked: the nRF52840's memory map, interrupt lines that are held, sleep, and time. Only
 * what is not as expected is noted; the expectations are from the ARMv7-M Architecture Reference Manual.
 */
#include "harness.h"

#define EGU_TRIGGER  REG(0x40014000)
#define EGU_EVENT    REG(0x40014100)
#define EGU_INTENSET REG(0x40014304)
#define EGU_LINE     (1u << 20)

#define SYST_CSR REG(0xe000e010)
#define SYST_RVR REG(0xe000e014)
#define SYST_CVR REG(0xe000e018)
#define CYCCNT   REG(0xe0001004)

static void check(const char *label, uint32_t value, uint32_t expected)
{
    if (value != expected) {
        note(label, value);
        note("  expected", expected);
    }
}

static volatile uint32_t egu_runs, egu_clear_at, ticks, last_tick;

static void on_egu(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    check("not pending while it runs", ISPR & EGU_LINE, 0);
    check("active while it runs", IABR & EGU_LINE, EGU_LINE);
    if (++egu_runs >= egu_clear_at)
        EGU_EVENT = 0;
}

static void held_lines(void)
{
    handlers[36] = on_egu;
    EGU_INTENSET = 1;
    egu_clear_at = 3;
    ISER = EGU_LINE;
    EGU_TRIGGER = 1;
    barrier();
    check("a held line comes again", egu_runs, 3);

    ICER = EGU_LINE;
    EGU_TRIGGER = 1;
    barrier();
    ICPR = EGU_LINE;
    check("a held line cannot be cleared", ISPR & EGU_LINE, EGU_LINE);
    EGU_EVENT = 0;
    check("pending outlives the line", ISPR & EGU_LINE, EGU_LINE);
    egu_runs = 0;
    ISER = EGU_LINE;
    barrier();
    check("and is taken once", egu_runs, 1);
    ICER = EGU_LINE;
    EGU_TRIGGER = 1;
    EGU_EVENT = 0;
    ICPR = EGU_LINE;
    check("a low line can be cleared", ISPR & EGU_LINE, 0);
    ISER = EGU_LINE;
}

/* --- SysTick ----------------------------------------------------------------------------------------------
 */

static void on_tick(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    if (++ticks == last_tick) {
        SYST_CSR = 0;
        SCR = 0;
    }
}

static void start_ticks(uint32_t period, uint32_t count)
{
    handlers[15] = on_tick;
    ticks = 0;
    last_tick = count;
    SYST_RVR = period - 1;
    SYST_CVR = 0;
    SYST_CSR = 7;
}

static void wait(uint32_t rounds)
{
    while (rounds--)
        __asm volatile("nop");
}

static void systick(void)
{
    SYST_CSR = 0;
    SYST_RVR = 5000;
    SYST_CVR = 77;
    check("any write clears the count", SYST_CVR, 0);
    check("no flag at first", SYST_CSR, 4);
    SYST_CSR = 5;
    uint32_t first = SYST_CVR;
    wait(10);
    check("it counts down", SYST_CVR < first || first == 0, 1);
    wait(2000);
    check("flag after a wrap", SYST_CSR, 0x10005);
    check("the read cleared it", SYST_CSR, 5);
    check("without TICKINT nothing pends", ICSR >> 26 & 1, 0);
    wait(2000);
    SYST_CVR = 1;
    check("a write of the count clears the flag", SYST_CSR, 5);
    SYST_CSR = 4;
    uint32_t stopped = SYST_CVR;
    wait(100);
    check("it stands still when off", SYST_CVR, stopped);
    check("calibration: no reference, inexact", SYST_CVR <= 5000, 1);
    SYST_RVR = 0;
    SYST_CVR = 0;
    SYST_CSR = 7;
    wait(100);
    check("a reload of 0 stops it", SYST_CVR | (ICSR & 1 << 26), 0);
    SYST_CSR = 0;
}

static void cycles(void)
{
    REG(0xe000edfc) |= 1 << 24;
    REG(0xe0001000) |= 1;
    CYCCNT = 0;
    start_ticks(1000, 0);
    while (ticks < 10)
        ;
    uint32_t passed = CYCCNT;
    SYST_CSR = 0;
    check("10 ticks of 1000 cycles", passed > 9900 && passed < 10200, 1);
    REG(0xe0001000) &= ~1u;
    uint32_t stopped = CYCCNT;
    wait(10);
    check("CYCCNT stands still when off", CYCCNT, stopped);
    REG(0xe0001000) |= 1;
}

/* --- sleep ------------------------------------------------------------------------------------------------
 */

static void sleep(void)
{
    start_ticks(2000, 1);
    uint32_t began = CYCCNT;
    __asm volatile("wfi");
    check("wfi woken by the tick", ticks, 1);
    check("wfi slept until then", CYCCNT - began > 1900, 1);

    __asm volatile("cpsid i");
    start_ticks(2000, 1);
    __asm volatile("wfi");
    check("wfi wakes under primask", ICSR >> 26 & 1, 1);
    check("without taking it", ticks, 0);
    __asm volatile("cpsie i\n isb");
    check("taken after it", ticks, 1);

    began = CYCCNT;
    __asm volatile("sev\n wfe");
    check("wfe after sev does not sleep", CYCCNT - began < 200, 1);

    __asm volatile("sev\n wfe"); /* the event register is clear now */
    start_ticks(2000, 1);
    began = CYCCNT;
    __asm volatile("wfe");
    check("wfe slept", CYCCNT - began > 1900, 1);
    check("wfe woken by the tick", ticks, 1);

    /* SEVONPEND: a pending exception is an event, once, though it cannot be taken. */
    __asm volatile("cpsid i\n sev\n wfe");
    SCR = 1 << 4;
    start_ticks(2000, 0);
    began = CYCCNT;
    __asm volatile("wfe");
    check("sevonpend woke it", ICSR >> 26 & 1, 1);
    check("in time", CYCCNT - began > 1900 && CYCCNT - began < 2500, 1);
    SYST_CSR = 0;
    ISPR = 1; /* disabled, but pending is an event: the next does not sleep */
    began = CYCCNT;
    __asm volatile("wfe");
    check("disabled pending is an event", CYCCNT - began < 500, 1);
    ICPR = 1;
    SCR = 0;
    ICSR = 1 << 25;
    __asm volatile("cpsie i\n isb");

    /* SLEEPONEXIT: the thread comes back only when a handler says so. */
    start_ticks(1000, 5);
    SCR = 1 << 1;
    while (ticks == 0)
        ;
    check("asleep until the handler ended it", ticks, 5);
    SCR = 0;

    uint32_t skipped = 1;
    __asm volatile("cmp %0, #0\n it eq\n wfieq\n nop\n cmp %0, #0\n it eq\n wfeeq\n nop" ::"r"(skipped)
                   : "cc");
    check("skipped wfi and wfe", skipped, 1);
    __asm volatile("yield\n nop\n dbg #1\n nop");
}

/* --- memory map -------------------------------------------------------------------------------------------
 */

static volatile uint32_t faults, fault_address;

static void on_fault(struct frame *frame, uint32_t exc_return)
{
    (void)exc_return;
    faults++;
    fault_address = CFSR & 0x8000 ? BFAR : CFSR & 0x80 ? MMFAR : 0;
    CFSR = CFSR;
    frame->pc += *(uint16_t *)frame->pc >= 0xe800 ? 4 : 2;
}

static uint32_t touch(uint32_t address)
{
    uint32_t before = faults, value = 0;
    __asm volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return faults - before;
}

static uint16_t routine[8] __attribute__((aligned(4)));

static uint32_t call(uint32_t address)
{
    barrier();
    return ((uint32_t(*)(void))(address | 1))();
}

static void memory_map(void)
{
    handlers[4] = handlers[5] = on_fault;
    SHCSR |= 7 << 16;
    check("no bit-band of SRAM", touch(0x22000000), 1);
    check("its address", fault_address, 0x22000000);
    check("no bit-band of peripherals", touch(0x42000000), 1);
    check("nothing behind flash", touch(0x100000), 1);
    check("nothing behind RAM", touch(0x20040000), 1);
    check("no peripheral there", touch(0x400ff000), 1);
    check("nothing in external RAM", touch(0x60000000), 1);
    check("nothing at its end", touch(0x9ffff000), 1);
    check("nothing in the vendor's system space", touch(0xfffffff0), 1);
    check("flash can be read", touch(0xffffc), 0);
    check("code RAM can be read", touch(0x00800000), 0);
    check("FICR can be read", touch(0x10000100), 0);

    /* The same RAM through both windows, as data and as code, changed through either. */
    uint32_t alias = (uint32_t)routine - 0x20000000 + 0x00800000;
    routine[0] = 0x2001; /* MOVS R0, #1 */
    routine[1] = 0x4770; /* BX LR */
    check("code in RAM", call((uint32_t)routine), 1);
    check("code in code RAM", call(alias), 1);
    routine[0] = 0x2002;
    check("changed code in RAM", call((uint32_t)routine), 2);
    check("changed code in code RAM", call(alias), 2);
    *(volatile uint16_t *)alias = 0x2003;
    check("code RAM is RAM", routine[0], 0x2003);
    check("code in RAM changed through code RAM", call((uint32_t)routine), 3);
    check("code in code RAM changed there", call(alias), 3);
}

/* Each instruction on its own under the MPU: branches to themselves must let time pass. */
static void stepping(void)
{
    static uint32_t guarded[8] __attribute__((aligned(32)));
    REG(0xe000ed9c) = (uint32_t)guarded | 0x10 | 3;
    REG(0xe000eda0) = 4 << 1 | 1;
    REG(0xe000ed94) = 5;
    barrier();
    start_ticks(300, 3);
    uint32_t rounds = 0;
    while (ticks < 3)
        rounds++;
    check("ticks under the MPU", ticks, 3);
    check("loads and stores under the MPU", rounds > 0, 1);
    check("guard", touch((uint32_t)guarded), 1);
    check("its address", fault_address, (uint32_t)guarded);
    REG(0xe000ed94) = 0;
    barrier();
    check("no guard", touch((uint32_t)guarded), 0);
}

void run(void)
{
    held_lines();
    systick();
    cycles();
    sleep();
    memory_map();
    stepping();
    note("done", 1);
}
