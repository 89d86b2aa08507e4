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

Test(egu, unmodelled_register_is_storage_and_logged_once)
{
    struct bench *bench = bench_new();
    uint32_t value = 0;
    cr_assert_eq(bus_write(&bench->bus, 0x40014700, 4, 0x1234), 0);
    cr_assert_eq(bus_read(&bench->bus, 0x40014700, 4, &value), 0);
    cr_expect_eq(value, 0x1234u);
    cr_expect_eq(bench->findings, 1);
    bench_free(bench);
}

Test(egu, more_findings_than_are_told_are_said_to_be_there)
{
    struct bench *bench = bench_new();
    for (unsigned i = 0; i < BUS_FINDINGS + 10; i++)
        bus_finding(&bench->bus, "test", "finding %u", i);
    cr_expect_eq(bench->findings, BUS_FINDINGS);
    cr_expect_str_eq(bench->last_finding, "there are more, which are not told");
    bench_free(bench);
}
