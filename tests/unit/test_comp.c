/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

enum { AIN2_PIN = 4 };

Test(comp, starts_and_compares_with_hysteresis)
{
    struct bench *bench = bench_new();
    poke(bench, "COMP.ENABLE", 2);
    poke(bench, "COMP.PSEL", 2);
    poke(bench, "COMP.REFSEL", 2);         /* 2.4 V */
    poke(bench, "COMP.TH", 31u << 8 | 15); /* up 1.2 V, down 0.6 V */
    poke(bench, "COMP.INTENSET", 1);
    poke(bench, "COMP.TASKS_START", 1);
    advance_us(bench, 2);
    cr_expect_eq(peek(bench, "COMP.EVENTS_READY"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "COMP.EVENTS_READY"), 1u);
    cr_expect(bench->irq[19]);
    static const struct {
        uint16_t mv;
        uint32_t result;
    } steps[] = {{1000, 0}, {1300, 1}, {1000, 1}, {500, 0}};
    for (unsigned i = 0; i < 4; i++) {
        bench->bus.pin[AIN2_PIN].millivolts = steps[i].mv;
        poke(bench, "COMP.TASKS_SAMPLE", 1);
        cr_expect_eq(peek(bench, "COMP.RESULT"), steps[i].result, "step %u", i);
    }
    poke(bench, "COMP.TASKS_STOP", 1);
    bench->bus.pin[AIN2_PIN].millivolts = 2000;
    poke(bench, "COMP.TASKS_SAMPLE", 1);
    cr_expect_eq(peek(bench, "COMP.RESULT"), 0u, "it was stopped");
    bench_free(bench);
}

Test(lpcomp, has_the_page_by_enable_and_compares_with_vdd)
{
    struct bench *bench = bench_new();
    poke(bench, "LPCOMP.ENABLE", 1);
    poke(bench, "LPCOMP.PSEL", 2);
    poke(bench, "LPCOMP.REFSEL", 3); /* 4/8 of 3.3 V */
    poke(bench, "LPCOMP.SHORTS", 1); /* READY samples */
    bench->bus.pin[AIN2_PIN].millivolts = 1700;
    poke(bench, "LPCOMP.TASKS_START", 1);
    advance_us(bench, 139);
    cr_expect_eq(peek(bench, "LPCOMP.EVENTS_READY"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "LPCOMP.EVENTS_READY"), 1u);
    cr_expect_eq(peek(bench, "LPCOMP.RESULT"), 1u);
    poke(bench, "LPCOMP.REFSEL", 0xc); /* 9/16 */
    poke(bench, "LPCOMP.TASKS_SAMPLE", 1);
    cr_expect_eq(peek(bench, "LPCOMP.RESULT"), 0u);
    bench_free(bench);
}

Test(comp, does_nothing_while_disabled)
{
    struct bench *bench = bench_new();
    poke(bench, "COMP.TASKS_START", 1);
    advance_us(bench, 200);
    cr_expect_eq(peek(bench, "COMP.EVENTS_READY"), 0u);
    bench_free(bench);
}
