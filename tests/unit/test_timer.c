/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

Test(timer, counts_16_mhz_by_two_to_the_prescaler)
{
    for (uint32_t prescaler = 0; prescaler < 10; prescaler++) {
        struct bench *bench = bench_new();
        poke(bench, "TIMER1.BITMODE", 3);
        poke(bench, "TIMER1.PRESCALER", prescaler);
        poke(bench, "TIMER1.TASKS_START", 1);
        advance_us(bench, 320000);
        poke(bench, "TIMER1.TASKS_CAPTURE[2]", 1);
        cr_expect_eq(peek(bench, "TIMER1.CC[2]"), (320000u * 16u) >> prescaler);
        bench_free(bench);
    }
}

Test(timer, wraps_at_its_width)
{
    static const uint32_t widths[] = {0xffff, 0xff, 0xffffff, 0xffffffff};
    for (uint32_t mode = 0; mode < 4; mode++) {
        struct bench *bench = bench_new();
        poke(bench, "TIMER0.BITMODE", mode);
        poke(bench, "TIMER0.PRESCALER", 0);
        poke(bench, "TIMER0.TASKS_START", 1);
        advance_us(bench, 2000000);
        poke(bench, "TIMER0.TASKS_CAPTURE[0]", 1);
        cr_expect_eq(peek(bench, "TIMER0.CC[0]"), 32000000u & widths[mode]);
        bench_free(bench);
    }
}

Test(timer, compare_is_exact_to_the_cycle)
{
    struct bench *bench = bench_new();
    poke(bench, "TIMER3.CC[5]", 1000);
    poke(bench, "TIMER3.PRESCALER", 4);
    poke(bench, "TIMER3.INTENSET", 1u << 21);
    poke(bench, "TIMER3.TASKS_START", 1);
    advance(bench, 1000 * 64 - 1);
    cr_expect_not(bench->irq[26]);
    advance(bench, 1);
    cr_expect(bench->irq[26]);
    bench_free(bench);
}

Test(timer, clear_shortcut_keeps_the_beat_however_late_the_loop_is)
{
    struct bench *bench = bench_new();
    poke(bench, "TIMER2.CC[0]", 16000);
    poke(bench, "TIMER2.PRESCALER", 0);
    poke(bench, "TIMER2.SHORTS", 1);
    poke(bench, "TIMER2.TASKS_START", 1);
    unsigned periods = 0;
    while (periods < 1000) {
        /* As a run loop would: time jumps a block of code ahead, then events run. */
        bench->bus.clock.now += 777;
        clock_run_due(&bench->bus.clock);
        periods += peek(bench, "TIMER2.EVENTS_COMPARE[0]");
        poke(bench, "TIMER2.EVENTS_COMPARE[0]", 0);
    }
    cr_expect_geq(bench->bus.clock.now, 1000 * CYCLES_PER_MS);
    cr_expect_lt(bench->bus.clock.now, 1000 * CYCLES_PER_MS + 777);
    bench_free(bench);
}

Test(timer, stop_shortcut_leaves_the_count_at_the_match)
{
    struct bench *bench = bench_new();
    poke(bench, "TIMER0.CC[1]", 50);
    poke(bench, "TIMER0.SHORTS", 1u << 9);
    poke(bench, "TIMER0.TASKS_START", 1);
    advance_us(bench, 1000);
    poke(bench, "TIMER0.TASKS_CAPTURE[0]", 1);
    cr_expect_eq(peek(bench, "TIMER0.CC[0]"), 50u);
    poke(bench, "TIMER0.TASKS_START", 1);
    advance_us(bench, 5);
    poke(bench, "TIMER0.TASKS_CAPTURE[0]", 1);
    cr_expect_eq(peek(bench, "TIMER0.CC[0]"), 55u);
    bench_free(bench);
}

Test(timer, writing_cc_does_not_disturb_the_prescaler)
{
    struct bench *bench = bench_new();
    poke(bench, "TIMER0.PRESCALER", 9);
    poke(bench, "TIMER0.TASKS_START", 1);
    for (unsigned i = 0; i < 1000; i++) {
        advance(bench, 1000);
        poke(bench, "TIMER0.CC[1]", 60000 + i);
    }
    poke(bench, "TIMER0.TASKS_CAPTURE[0]", 1);
    cr_expect_eq(peek(bench, "TIMER0.CC[0]"), 1000000u / 2048u);
    bench_free(bench);
}

Test(timer, counter_mode_counts_tasks)
{
    struct bench *bench = bench_new();
    poke(bench, "TIMER3.MODE", 1);
    poke(bench, "TIMER3.CC[2]", 3);
    poke(bench, "TIMER3.TASKS_COUNT", 1);
    poke(bench, "TIMER3.TASKS_START", 1);
    for (unsigned i = 1; i <= 5; i++) {
        poke(bench, "TIMER3.TASKS_COUNT", 1);
        cr_expect_eq(peek(bench, "TIMER3.EVENTS_COMPARE[2]"), i >= 3);
    }
    advance_us(bench, 1000);
    poke(bench, "TIMER3.TASKS_CAPTURE[0]", 1);
    cr_expect_eq(peek(bench, "TIMER3.CC[0]"), 5u);
    poke(bench, "TIMER3.TASKS_CLEAR", 1);
    poke(bench, "TIMER3.TASKS_CAPTURE[0]", 1);
    cr_expect_eq(peek(bench, "TIMER3.CC[0]"), 0u);
    bench_free(bench);
}

Test(ppi, channel_fork_and_group)
{
    struct bench *bench = bench_new();
    poke(bench, "PPI.CH[0].EEP", bench_address(bench, "EGU0.EVENTS_TRIGGERED[0]"));
    poke(bench, "PPI.CH[0].TEP", bench_address(bench, "EGU1.TASKS_TRIGGER[0]"));
    poke(bench, "PPI.FORK[0].TEP", bench_address(bench, "PPI.TASKS_CHG[2].DIS"));
    poke(bench, "PPI.CHG[2]", 1);
    poke(bench, "EGU0.TASKS_TRIGGER[0]", 1);
    cr_expect_eq(peek(bench, "EGU1.EVENTS_TRIGGERED[0]"), 0u);
    poke(bench, "PPI.TASKS_CHG[2].EN", 1);
    cr_expect_eq(peek(bench, "PPI.CHEN"), 1u);
    poke(bench, "EGU0.TASKS_TRIGGER[0]", 1);
    cr_expect_eq(peek(bench, "EGU1.EVENTS_TRIGGERED[0]"), 1u);
    cr_expect_eq(peek(bench, "PPI.CHENSET"), 0u, "the fork switched the group off");
    bench_free(bench);
}

Test(ppi, fixed_channels_join_rtc0_and_timer0)
{
    struct bench *bench = bench_new();
    poke(bench, "CLOCK.TASKS_LFCLKSTART", 1);
    advance_us(bench, 1000);
    poke(bench, "PPI.CHENSET", 1u << 31);
    poke(bench, "RTC0.CC[0]", 10);
    poke(bench, "RTC0.EVTENSET", 1u << 16);
    poke(bench, "RTC0.TASKS_START", 1);
    advance_us(bench, 1000);
    poke(bench, "TIMER0.TASKS_CAPTURE[0]", 1);
    uint32_t started = peek(bench, "TIMER0.CC[0]");
    cr_expect_gt(started, 600u);
    cr_expect_lt(started, 720u);
    bench_free(bench);
}

Test(ppi, an_endless_circle_is_told_and_ends)
{
    struct bench *bench = bench_new();
    poke(bench, "PPI.CH[7].EEP", bench_address(bench, "EGU2.EVENTS_TRIGGERED[3]"));
    poke(bench, "PPI.CH[7].TEP", bench_address(bench, "EGU2.TASKS_TRIGGER[3]"));
    poke(bench, "PPI.CHENSET", 1u << 7);
    poke(bench, "EGU2.TASKS_TRIGGER[3]", 1);
    cr_expect_eq(bench->findings, 1);
    bench_free(bench);
}
