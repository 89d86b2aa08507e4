/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

Test(ficr, tells_the_part_and_takes_an_identity)
{
    struct bench *bench = bench_new();
    cr_expect_eq(peek(bench, "FICR.INFO.PART"), 0x52840u);
    uint32_t value = 0;
    cr_expect_eq(bus_read(&bench->bus, 0x10000130, 4, &value), 0);
    cr_expect_eq(value, 8u);
    cr_expect_eq(bus_read(&bench->bus, 0x10000134, 4, &value), 0);
    cr_expect_geq(value, 2u);
    struct ficr_id id = {.device_id = {1, 2}, .device_address = {3, 4}, .er = {5}, .ir = {6}};
    ficr_set_id(&bench->soc.ficr, &id);
    bus_reset(&bench->bus, RESET_POWER_ON);
    cr_expect_eq(peek(bench, "FICR.DEVICEID[1]"), 2u);
    cr_expect_eq(peek(bench, "FICR.IR[0]"), 6u);
    bus_write(&bench->bus, 0x10000010, 4, 0);
    cr_expect_eq(peek(bench, "FICR.CODEPAGESIZE"), 0x1000u);
    bench_free(bench);
}
