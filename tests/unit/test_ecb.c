/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#define DATA 0x20000100u

/* FIPS-197, appendix C.1. */
static const uint8_t cipher[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
                                   0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};

static struct bench *bench_with_sample(void)
{
    struct bench *bench = bench_new();
    uint8_t *data = bench->ram + 0x100;
    for (unsigned i = 0; i < 16; i++) {
        data[i] = (uint8_t)i;
        data[16 + i] = (uint8_t)(0x11 * i);
    }
    poke(bench, "ECB.ECBDATAPTR", DATA);
    return bench;
}

Test(ecb, encrypts_the_standards_sample_in_its_time)
{
    struct bench *bench = bench_with_sample();
    poke(bench, "ECB.INTENSET", 1);
    poke(bench, "ECB.TASKS_STARTECB", 1);
    advance_us(bench, 7);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ENDECB"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ENDECB"), 1u);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ERRORECB"), 0u);
    cr_expect(bench->irq[14]);
    cr_expect_arr_eq(bench->ram + 0x120, cipher, 16);
    bench_free(bench);
}

Test(ecb, stop_aborts_with_an_error)
{
    struct bench *bench = bench_with_sample();
    poke(bench, "ECB.TASKS_STOPECB", 1);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ERRORECB"), 0u, "nothing was running");
    poke(bench, "ECB.TASKS_STARTECB", 1);
    poke(bench, "ECB.TASKS_STOPECB", 1);
    advance_us(bench, 20);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ERRORECB"), 1u);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ENDECB"), 0u);
    cr_expect_eq(bench->ram[0x120], 0);
    bench_free(bench);
}

Test(ecb, second_start_is_refused_and_the_first_goes_on)
{
    struct bench *bench = bench_with_sample();
    poke(bench, "ECB.TASKS_STARTECB", 1);
    poke(bench, "ECB.TASKS_STARTECB", 1);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ERRORECB"), 1u);
    advance_us(bench, 8);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ENDECB"), 1u);
    bench_free(bench);
}

Test(ecb, a_snapshot_holds_a_running_encryption)
{
    struct bench *bench = bench_with_sample();
    poke(bench, "ECB.TASKS_STARTECB", 1);
    struct moment before = bench_save(bench);
    poke(bench, "ECB.TASKS_STOPECB", 1);
    bench_restore(bench, &before);
    advance_us(bench, 8);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ENDECB"), 1u);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ERRORECB"), 0u);
    bench_free(bench);
}

Test(ecb, pointer_to_nowhere_is_told)
{
    struct bench *bench = bench_new();
    poke(bench, "ECB.ECBDATAPTR", 0xfffffff0u);
    poke(bench, "ECB.TASKS_STARTECB", 1);
    advance_us(bench, 8);
    cr_expect_eq(peek(bench, "ECB.EVENTS_ENDECB"), 1u);
    cr_expect_geq(bench->findings, 1);
    bench_free(bench);
}
