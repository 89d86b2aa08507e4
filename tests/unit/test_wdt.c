/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#define KEY 0x6e524635u

/* 0.5 s */
static void start_half_second(struct bench *bench)
{
    poke(bench, "WDT.CRV", 16383);
    poke(bench, "WDT.TASKS_START", 1);
}

Test(wdt, resets_when_nobody_reloads)
{
    struct bench *bench = bench_new();
    start_half_second(bench);
    advance_us(bench, 499900);
    cr_expect_eq(bench->resets, 0);
    advance_us(bench, 100);
    cr_expect_eq(bench->resets, 1);
    cr_expect_eq(bench->last_reset, RESET_WATCHDOG);
    bench_free(bench);
}

Test(wdt, a_timeout_interrupt_has_two_periods)
{
    struct bench *bench = bench_new();
    poke(bench, "WDT.INTENSET", 1);
    start_half_second(bench);
    advance_us(bench, 500000);
    cr_expect(bench->irq[16]);
    cr_expect_eq(bench->resets, 0);
    poke(bench, "WDT.RR[0]", KEY);
    advance_us(bench, 61);
    cr_expect_eq(bench->resets, 0);
    advance_us(bench, 1);
    cr_expect_eq(bench->resets, 1, "too late to reload");
    bench_free(bench);
}

Test(wdt, needs_every_enabled_reload_register)
{
    struct bench *bench = bench_new();
    poke(bench, "WDT.RREN", 5);
    start_half_second(bench);
    for (unsigned i = 0; i < 5; i++) {
        advance_us(bench, 400000);
        poke(bench, "WDT.RR[0]", KEY);
        cr_expect_eq(peek(bench, "WDT.REQSTATUS"), 4u);
        poke(bench, "WDT.RR[2]", KEY);
        cr_expect_eq(peek(bench, "WDT.REQSTATUS"), 5u);
    }
    cr_expect_eq(bench->resets, 0);
    advance_us(bench, 400000);
    poke(bench, "WDT.RR[0]", KEY);
    poke(bench, "WDT.RR[2]", KEY + 1);
    advance_us(bench, 100000);
    cr_expect_eq(bench->resets, 1);
    bench_free(bench);
}

Test(wdt, configuration_is_locked_and_outlives_a_soft_reset)
{
    struct bench *bench = bench_new();
    start_half_second(bench);
    poke(bench, "WDT.CRV", 0xffffffff);
    cr_expect_eq(peek(bench, "WDT.CRV"), 16383u);
    advance_us(bench, 300000);
    bus_reset(&bench->bus, RESET_SOFT);
    cr_expect_eq(peek(bench, "WDT.RUNSTATUS"), 1u);
    cr_expect_eq(peek(bench, "WDT.CRV"), 16383u);
    advance_us(bench, 200000);
    cr_expect_eq(bench->last_reset, RESET_WATCHDOG);
    cr_expect_eq(bench->resets, 1);
    bus_reset(&bench->bus, RESET_WATCHDOG);
    cr_expect_eq(peek(bench, "WDT.RUNSTATUS"), 0u);
    cr_expect_eq(peek(bench, "WDT.CRV"), 0xffffffffu);
    advance_us(bench, 1000000);
    cr_expect_eq(bench->resets, 1);
    bench_free(bench);
}

Test(wdt, keeps_lfclk_running)
{
    struct bench *bench = bench_new();
    start_half_second(bench);
    poke(bench, "RTC0.TASKS_START", 1);
    advance_us(bench, 100000);
    cr_expect_gt(peek(bench, "RTC0.COUNTER"), 3000u);
    bench_free(bench);
}
