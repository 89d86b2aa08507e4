/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

Test(egu, trigger_raises_its_own_event)
{
    struct bench *bench = bench_new();
    poke(bench, "EGU3.TASKS_TRIGGER[5]", 1);
    cr_expect_eq(peek(bench, "EGU3.EVENTS_TRIGGERED[5]"), 1u);
    cr_expect_eq(peek(bench, "EGU3.EVENTS_TRIGGERED[4]"), 0u);
    cr_expect_eq(peek(bench, "EGU2.EVENTS_TRIGGERED[5]"), 0u);
    bench_free(bench);
}

Test(egu, interrupt_line_follows_event_and_enable)
{
    struct bench *bench = bench_new();
    poke(bench, "EGU0.TASKS_TRIGGER[0]", 1);
    cr_expect_not(bench->irq[20]);
    poke(bench, "EGU0.INTENSET", 1);
    cr_expect(bench->irq[20]);
    poke(bench, "EGU0.EVENTS_TRIGGERED[0]", 0);
    cr_expect_not(bench->irq[20]);
    bench_free(bench);
}
