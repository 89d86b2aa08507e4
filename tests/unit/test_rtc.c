/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

/* 32,768 Hz and 64 MHz have a second in common. */
#define SECOND CYCLES_PER_SECOND

static struct bench *bench_with_lfclk(void)
{
    struct bench *bench = bench_new();
    poke(bench, "CLOCK.TASKS_LFCLKSTART", 1);
    advance_us(bench, 1000);
    return bench;
}

static void go_to(struct bench *bench, uint64_t cycle)
{
    cr_assert_leq(bench->bus.clock.now, cycle);
    advance(bench, cycle - bench->bus.clock.now);
}

Test(rtc, counts_32768_a_second_for_hours)
{
    struct bench *bench = bench_with_lfclk();
    go_to(bench, SECOND);
    poke(bench, "RTC1.TASKS_START", 1);
    advance(bench, SECOND / 1000);
    uint32_t first = peek(bench, "RTC1.COUNTER");
    go_to(bench, bench->bus.clock.now + 3600 * SECOND);
    cr_expect_eq(peek(bench, "RTC1.COUNTER"), (first + 3600u * 32768u) & 0xffffff);
    bench_free(bench);
}

Test(rtc, start_and_clear_wait_for_an_edge_15_to_46_us)
{
    struct bench *bench = bench_with_lfclk();
    /* Edges lie at multiples of 1953.125 cycles: one at the full second. */
    for (unsigned i = 0; i < 20; i++) {
        go_to(bench, (i + 1) * SECOND + 97 * i);
        poke(bench, "RTC0.TASKS_STOP", 1);
        poke(bench, "RTC0.TASKS_CLEAR", 1);
        advance_us(bench, 1000);
        cr_assert_eq(peek(bench, "RTC0.COUNTER"), 0u);
        go_to(bench, bench->bus.clock.now + 131 * i);
        poke(bench, "RTC0.TASKS_START", 1);
        advance_us(bench, 15);
        cr_expect_eq(peek(bench, "RTC0.COUNTER"), 0u);
        advance_us(bench, 32);
        cr_expect_geq(peek(bench, "RTC0.COUNTER"), 1u);
        cr_expect_leq(peek(bench, "RTC0.COUNTER"), 2u);
    }
    bench_free(bench);
}

Test(rtc, stands_without_lfclk)
{
    struct bench *bench = bench_new();
    poke(bench, "RTC2.TASKS_START", 1);
    advance_us(bench, 10000);
    cr_expect_eq(peek(bench, "RTC2.COUNTER"), 0u);
    poke(bench, "CLOCK.TASKS_LFCLKSTART", 1);
    advance_us(bench, 600);
    uint32_t before = peek(bench, "RTC2.COUNTER");
    advance_us(bench, 31250);
    cr_expect_eq(peek(bench, "RTC2.COUNTER") - before, 1024u);
    poke(bench, "CLOCK.TASKS_LFCLKSTOP", 1);
    before = peek(bench, "RTC2.COUNTER");
    advance_us(bench, 31250);
    cr_expect_eq(peek(bench, "RTC2.COUNTER"), before);
    bench_free(bench);
}

Test(rtc, compare_comes_at_its_count_and_needs_to_be_enabled)
{
    struct bench *bench = bench_with_lfclk();
    poke(bench, "RTC0.CC[0]", 100);
    poke(bench, "RTC0.CC[1]", 100);
    poke(bench, "RTC0.INTENSET", 1u << 16);
    poke(bench, "RTC0.TASKS_START", 1);
    while (!bench->irq[11]) {
        cr_assert_lt(peek(bench, "RTC0.COUNTER"), 100u);
        advance(bench, 100);
    }
    cr_expect_eq(peek(bench, "RTC0.COUNTER"), 100u);
    cr_expect_eq(peek(bench, "RTC0.EVENTS_COMPARE[0]"), 1u);
    cr_expect_eq(peek(bench, "RTC0.EVENTS_COMPARE[1]"), 0u);
    bench_free(bench);
}

Test(rtc, compare_repeats_only_once_round)
{
    struct bench *bench = bench_with_lfclk();
    poke(bench, "RTC1.EVTENSET", 1u << 17);
    poke(bench, "RTC1.TASKS_START", 1);
    advance_us(bench, 1000);
    uint32_t now = peek(bench, "RTC1.COUNTER");
    poke(bench, "RTC1.CC[1]", now + 2);
    advance_us(bench, 62);
    cr_expect_eq(peek(bench, "RTC1.EVENTS_COMPARE[1]"), 1u);
    poke(bench, "RTC1.EVENTS_COMPARE[1]", 0);
    advance(bench, 511 * SECOND);
    cr_expect_eq(peek(bench, "RTC1.EVENTS_COMPARE[1]"), 0u);
    advance(bench, SECOND);
    cr_expect_eq(peek(bench, "RTC1.EVENTS_COMPARE[1]"), 1u);
    bench_free(bench);
}

Test(rtc, overflow_after_trigovrflw_takes_16_counts)
{
    struct bench *bench = bench_with_lfclk();
    poke(bench, "RTC2.EVTENSET", 2);
    poke(bench, "RTC2.INTENSET", 2);
    poke(bench, "RTC2.TASKS_START", 1);
    poke(bench, "RTC2.TASKS_TRIGOVRFLW", 1);
    advance_us(bench, 46);
    cr_expect_geq(peek(bench, "RTC2.COUNTER"), 0xfffff0u);
    cr_expect_not(bench->irq[36]);
    advance_us(bench, 16 * 31);
    cr_expect(bench->irq[36]);
    cr_expect_leq(peek(bench, "RTC2.COUNTER"), 1u);
    bench_free(bench);
}

Test(rtc, prescaler_divides_and_ticks)
{
    struct bench *bench = bench_with_lfclk();
    poke(bench, "RTC1.PRESCALER", 31);
    poke(bench, "RTC1.INTENSET", 1);
    poke(bench, "RTC1.TASKS_START", 1);
    unsigned interrupts = 0;
    for (uint64_t us = 0; us < 1000000; us += 50) {
        advance_us(bench, 50);
        if (!bench->irq[17])
            continue;
        interrupts++;
        poke(bench, "RTC1.EVENTS_TICK", 0);
    }
    cr_expect_geq(interrupts, 1023u);
    cr_expect_leq(interrupts, 1024u);
    cr_expect_eq(peek(bench, "RTC1.COUNTER"), interrupts);
    bench_free(bench);
}

Test(rtc, ppi_hears_only_of_evten)
{
    struct bench *bench = bench_with_lfclk();
    poke(bench, "PPI.CH[3].EEP", bench_address(bench, "RTC1.EVENTS_COMPARE[0]"));
    poke(bench, "PPI.CH[3].TEP", bench_address(bench, "EGU0.TASKS_TRIGGER[1]"));
    poke(bench, "PPI.CHENSET", 1u << 3);
    for (unsigned i = 0; i < 2; i++) {
        poke(bench, i ? "RTC1.EVTENSET" : "RTC1.INTENSET", 1u << 16);
        poke(bench, "RTC1.CC[0]", 50);
        poke(bench, "RTC1.TASKS_CLEAR", 1);
        poke(bench, "RTC1.TASKS_START", 1);
        advance_us(bench, 2000);
        cr_expect_eq(peek(bench, "RTC1.EVENTS_COMPARE[0]"), 1u);
        cr_expect_eq(peek(bench, "EGU0.EVENTS_TRIGGERED[1]"), i);
    }
    bench_free(bench);
}

Test(rtc, a_restored_counter_goes_on_as_the_first_did)
{
    struct bench *bench = bench_with_lfclk();
    poke(bench, "RTC0.CC[2]", 1000);
    poke(bench, "RTC0.INTENSET", 1u << 18);
    poke(bench, "RTC0.TASKS_START", 1);
    advance_us(bench, 7777);
    struct moment before = bench_save(bench);
    uint32_t first[2];
    for (unsigned i = 0; i < 2; i++) {
        advance_us(bench, 40000);
        first[0] = peek(bench, "RTC0.COUNTER");
        first[1] = peek(bench, "RTC0.EVENTS_COMPARE[2]");
        if (i == 0) {
            cr_expect_eq(first[1], 1u);
            poke(bench, "RTC0.TASKS_STOP", 1);
            bench_restore(bench, &before);
            cr_expect_eq(peek(bench, "RTC0.EVENTS_COMPARE[2]"), 0u);
            cr_expect_lt(peek(bench, "RTC0.COUNTER"), first[0]);
        }
    }
    cr_expect_eq(first[1], 1u);
    cr_expect_geq(first[0], 1000u);
    bench_free(bench);
}
