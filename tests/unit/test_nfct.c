/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

Test(nfct, activate_ramps_up_and_disable_ends_it)
{
    struct bench *bench = bench_new();
    poke(bench, "NFCT.INTENSET", 1);
    poke(bench, "NFCT.TASKS_ACTIVATE", 1);
    cr_expect_eq(peek(bench, "NFCT.NFCTAGSTATE"), 2u);
    cr_expect_eq(peek(bench, "NFCT.EVENTS_READY"), 0u);
    advance_us(bench, 50);
    cr_expect_eq(peek(bench, "NFCT.NFCTAGSTATE"), 3u);
    cr_expect(bench->irq[5]);
    poke(bench, "NFCT.TASKS_DISABLE", 1);
    cr_expect_eq(peek(bench, "NFCT.NFCTAGSTATE"), 0u);
    bench_free(bench);
}

Test(nfct, sensing_finds_no_field)
{
    struct bench *bench = bench_new();
    poke(bench, "NFCT.SHORTS", 1);
    poke(bench, "NFCT.TASKS_SENSE", 1);
    advance_us(bench, 1000000);
    cr_expect_eq(peek(bench, "NFCT.EVENTS_FIELDDETECTED"), 0u);
    cr_expect_eq(peek(bench, "NFCT.FIELDPRESENT"), 0u);
    cr_expect_eq(peek(bench, "NFCT.NFCID1_LAST"), 0x6363u);
    bench_free(bench);
}

Test(nfct, power_puts_everything_back)
{
    struct bench *bench = bench_new();
    poke(bench, "NFCT.TASKS_ACTIVATE", 1);
    poke(bench, "NFCT.MAXLEN", 7);
    poke(bench, "NFCT.POWER", 0);
    poke(bench, "NFCT.POWER", 1);
    cr_expect_eq(peek(bench, "NFCT.NFCTAGSTATE"), 0u);
    cr_expect_eq(peek(bench, "NFCT.MAXLEN"), 0u);
    advance_us(bench, 100);
    cr_expect_eq(peek(bench, "NFCT.EVENTS_READY"), 0u);
    bench_free(bench);
}
