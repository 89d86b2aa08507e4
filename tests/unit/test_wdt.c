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

Test(rng, bytes_come_in_their_time_and_by_seed)
{
    uint32_t first[2][8];
    for (unsigned run = 0; run < 2; run++) {
        struct bench *bench = bench_new();
        poke(bench, "RNG.CONFIG", 1);
        poke(bench, "RNG.TASKS_START", 1);
        advance_us(bench, 128);
        for (unsigned i = 0; i < 8; i++) {
            advance_us(bench, 119);
            cr_expect_eq(peek(bench, "RNG.EVENTS_VALRDY"), 0u);
            advance_us(bench, 1);
            cr_expect_eq(peek(bench, "RNG.EVENTS_VALRDY"), 1u);
            poke(bench, "RNG.EVENTS_VALRDY", 0);
            first[run][i] = peek(bench, "RNG.VALUE");
            cr_expect_leq(first[run][i], 255u);
        }
        bench_free(bench);
    }
    cr_expect_arr_eq(first[0], first[1], sizeof first[0]);
}

Test(rng, shortcut_stops_after_one_byte)
{
    struct bench *bench = bench_new();
    poke(bench, "RNG.SHORTS", 1);
    poke(bench, "RNG.TASKS_START", 1);
    advance_us(bench, 1000);
    cr_expect_eq(peek(bench, "RNG.EVENTS_VALRDY"), 1u);
    poke(bench, "RNG.EVENTS_VALRDY", 0);
    advance_us(bench, 1000);
    cr_expect_eq(peek(bench, "RNG.EVENTS_VALRDY"), 0u);
    bench_free(bench);
}

Test(temp, measures_quarter_degrees)
{
    struct bench *bench = bench_new();
    poke(bench, "TEMP.INTENSET", 1);
    poke(bench, "TEMP.TASKS_START", 1);
    advance_us(bench, 35);
    cr_expect_not(bench->irq[12]);
    advance_us(bench, 1);
    cr_expect(bench->irq[12]);
    cr_expect_eq(peek(bench, "TEMP.TEMP"), 100u);
    temp_set(&bench->soc.temp, -10250);
    poke(bench, "TEMP.TASKS_START", 1);
    advance_us(bench, 36);
    cr_expect_eq((int32_t)peek(bench, "TEMP.TEMP"), -41);
    bench_free(bench);
}

Test(mwu, tells_of_watched_peripherals_only)
{
    struct bench *bench = bench_new();
    poke(bench, "MWU.PREGION[0].SUBS", 1u << 13); /* RNG */
    poke(bench, "MWU.INTENSET", 1u << 24);
    poke(bench, "MWU.REGIONENSET", 1u << 24);
    poke(bench, "TEMP.TASKS_STOP", 1);
    peek(bench, "RNG.VALUE");
    cr_expect_not(bench->irq[32]);
    poke(bench, "RNG.TASKS_STOP", 1);
    cr_expect(bench->irq[32]);
    cr_expect_eq(peek(bench, "MWU.EVENTS_PREGION[0].WA"), 1u);
    cr_expect_eq(peek(bench, "MWU.PERREGION[0].SUBSTATWA"), 1u << 13);
    poke(bench, "MWU.PERREGION[0].SUBSTATWA", 1u << 13);
    cr_expect_eq(peek(bench, "MWU.PERREGION[0].SUBSTATWA"), 0u);
    poke(bench, "MWU.EVENTS_PREGION[0].WA", 0);
    poke(bench, "MWU.REGIONENCLR", 1u << 24);
    poke(bench, "RNG.TASKS_STOP", 1);
    cr_expect_not(bench->irq[32]);
    bench_free(bench);
}

Test(mwu, subregions_change_while_they_are_watched)
{
    struct bench *bench = bench_new();
    poke(bench, "MWU.REGIONENSET", 1u << 24);
    poke(bench, "RNG.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "MWU.EVENTS_PREGION[0].WA"), 0u);
    poke(bench, "MWU.PREGION[0].SUBS", 1u << 13); /* RNG */
    poke(bench, "RNG.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "MWU.EVENTS_PREGION[0].WA"), 1u);
    poke(bench, "MWU.EVENTS_PREGION[0].WA", 0);
    poke(bench, "MWU.PREGION[0].SUBS", 1u << 12); /* TEMP */
    poke(bench, "RNG.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "MWU.EVENTS_PREGION[0].WA"), 0u);
    poke(bench, "TEMP.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "MWU.EVENTS_PREGION[0].WA"), 1u);
    bench_free(bench);
}

Test(mwu, regions_include_both_ends)
{
    struct bench *bench = bench_new();
    poke(bench, "MWU.REGION[1].START", 0x20000000);
    poke(bench, "MWU.REGION[1].END", 0x20001447);
    poke(bench, "MWU.REGIONENSET", 1u << 3);
    mwu_access(&bench->soc.mwu, 0x20001447, true);
    mwu_access(&bench->soc.mwu, 0x20001448, false);
    cr_expect_eq(peek(bench, "MWU.EVENTS_REGION[1].RA"), 0u);
    mwu_access(&bench->soc.mwu, 0x20001447, false);
    cr_expect_eq(peek(bench, "MWU.EVENTS_REGION[1].RA"), 1u);
    bench_free(bench);
}
