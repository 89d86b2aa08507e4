/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

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
