/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

/* As Nordic's libraries ask, before they asked FICR. */
Test(rom_table, tells_part_and_revision)
{
    struct bench *bench = bench_new();
    uint32_t revision = 0;
    cr_expect_eq(peek(bench, "ROM_TABLE.PIDR0") & 0xff, 8u);
    cr_expect_eq(peek(bench, "ROM_TABLE.PIDR1") & 0xf, 0u);
    cr_expect_eq(bus_read(&bench->bus, 0x10000134, 4, &revision), 0);
    cr_expect_eq(peek(bench, "ROM_TABLE.PIDR2") >> 4, revision);
    poke(bench, "ROM_TABLE.PIDR0", 0);
    cr_expect_eq(peek(bench, "ROM_TABLE.PIDR0"), 8u);
    bench_free(bench);
}
