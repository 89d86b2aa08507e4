/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

Test(bus, unmodelled_register_is_storage_and_logged_once)
{
    struct bench *bench = bench_new();
    uint32_t value = 0;
    cr_assert_eq(bus_write(&bench->bus, 0x40014700, 4, 0x1234), 0);
    cr_assert_eq(bus_read(&bench->bus, 0x40014700, 4, &value), 0);
    cr_expect_eq(value, 0x1234u);
    cr_expect_eq(bench->findings, 1);
    bench_free(bench);
}

Test(bus, more_findings_than_are_told_are_said_to_be_there)
{
    struct bench *bench = bench_new();
    for (unsigned i = 0; i < BUS_FINDINGS + 10; i++)
        bus_finding(&bench->bus, "test", "finding %u", i);
    cr_expect_eq(bench->findings, BUS_FINDINGS);
    cr_expect_str_eq(bench->last_finding, "there are more, which are not told");
    bench_free(bench);
}
