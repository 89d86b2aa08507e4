/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

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
