/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

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
