/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#define RESULTS 0x20000000u

enum { AIN0_PIN = 2, AIN1_PIN = 3, AIN7_PIN = 31 };

static int16_t result(struct bench *bench, unsigned n)
{
    int16_t value;
    memcpy(&value, bench->ram + 2 * n, sizeof value);
    return value;
}

static struct bench *bench_with_buffer(uint32_t size)
{
    struct bench *bench = bench_new();
    poke(bench, "SAADC.ENABLE", 1);
    poke(bench, "SAADC.RESOLUTION", 2); /* 12 bits */
    poke(bench, "SAADC.RESULT.PTR", RESULTS);
    poke(bench, "SAADC.RESULT.MAXCNT", size);
    return bench;
}

Test(saadc, a_voltage_becomes_its_code_in_its_time)
{
    struct bench *bench = bench_with_buffer(1);
    bench->bus.pin[AIN0_PIN].millivolts = 1800;
    poke(bench, "SAADC.CH[0].PSELP", 1);
    poke(bench, "SAADC.CH[0].CONFIG", 0x20000); /* gain 1/6, 0.6 V: full scale is 3.6 V; 10 us */
    poke(bench, "SAADC.INTENSET", 1u << 1);
    poke(bench, "SAADC.TASKS_START", 1);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_STARTED"), 1u);
    poke(bench, "SAADC.TASKS_SAMPLE", 1);
    cr_expect_eq(peek(bench, "SAADC.STATUS"), 1u);
    advance_us(bench, 11);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_END"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_DONE"), 1u);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_RESULTDONE"), 1u);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_END"), 1u);
    cr_expect_eq(peek(bench, "SAADC.STATUS"), 0u);
    cr_expect_eq(peek(bench, "SAADC.RESULT.AMOUNT"), 1u);
    cr_expect_eq(result(bench, 0), 2048);
    cr_expect(bench->irq[7]);
    poke(bench, "SAADC.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_STOPPED"), 1u);
    bench_free(bench);
}

Test(saadc, scan_takes_the_connected_channels_in_order)
{
    struct bench *bench = bench_with_buffer(3);
    power_set_supply(&bench->soc.power, 3300, 5000);
    bench->bus.pin[AIN7_PIN].millivolts = 900;
    poke(bench, "SAADC.CH[1].PSELP", 9);  /* VDD */
    poke(bench, "SAADC.CH[3].PSELP", 8);  /* AIN7 */
    poke(bench, "SAADC.CH[6].PSELP", 13); /* VDDH / 5 */
    poke(bench, "SAADC.TASKS_START", 1);
    poke(bench, "SAADC.TASKS_SAMPLE", 1);
    advance_us(bench, 36);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_END"), 1u);
    cr_expect_eq(result(bench, 0), 3300 * 4096 / 3600);
    cr_expect_eq(result(bench, 1), 1024);
    cr_expect_eq(result(bench, 2), 1000 * 4096 / 3600);
    bench_free(bench);
}

Test(saadc, differential_is_signed_and_clipped)
{
    struct bench *bench = bench_with_buffer(2);
    bench->bus.pin[AIN0_PIN].millivolts = 100;
    bench->bus.pin[AIN1_PIN].millivolts = 400;
    poke(bench, "SAADC.CH[0].PSELP", 1);
    poke(bench, "SAADC.CH[0].PSELN", 2);
    poke(bench, "SAADC.CH[0].CONFIG", 1u << 20 | 5u << 8); /* gain 1, full scale +-600 mV */
    poke(bench, "SAADC.CH[1].PSELP", 2);
    poke(bench, "SAADC.CH[1].CONFIG", 7u << 8); /* gain 4: 150 mV is the most */
    poke(bench, "SAADC.TASKS_START", 1);
    poke(bench, "SAADC.TASKS_SAMPLE", 1);
    advance_us(bench, 100);
    cr_expect_eq(result(bench, 0), -1024);
    cr_expect_eq(result(bench, 1), 4095);
    bench_free(bench);
}

Test(saadc, a_pin_without_a_part_reads_its_level)
{
    struct bench *bench = bench_with_buffer(1);
    int driver = wire_add_driver(&bench->bus.pin[AIN0_PIN]);
    wire_drive(&bench->bus.pin[AIN0_PIN], driver, WIRE_STRONG, WIRE_FULL);
    poke(bench, "SAADC.CH[0].PSELP", 1);
    poke(bench, "SAADC.CH[0].CONFIG", 1u << 12 | 2u << 8); /* VDD/4 with gain 1/4: VDD is full scale */
    poke(bench, "SAADC.TASKS_START", 1);
    poke(bench, "SAADC.TASKS_SAMPLE", 1);
    advance_us(bench, 10);
    cr_expect_eq(result(bench, 0), 4095);
    bench_free(bench);
}

Test(saadc, oversampling_takes_several_samples_for_a_result)
{
    struct bench *bench = bench_with_buffer(1);
    poke(bench, "SAADC.CH[0].PSELP", 1);
    poke(bench, "SAADC.OVERSAMPLE", 2);
    poke(bench, "SAADC.TASKS_START", 1);
    for (int i = 0; i < 4; i++) {
        cr_expect_eq(peek(bench, "SAADC.EVENTS_RESULTDONE"), 0u);
        poke(bench, "SAADC.TASKS_SAMPLE", 1);
        advance_us(bench, 20);
    }
    cr_expect_eq(peek(bench, "SAADC.EVENTS_RESULTDONE"), 1u);
    bench_free(bench);
}

Test(saadc, burst_takes_them_by_itself)
{
    struct bench *bench = bench_with_buffer(1);
    poke(bench, "SAADC.CH[0].PSELP", 1);
    poke(bench, "SAADC.CH[0].CONFIG", 1u << 24 | 0x20000);
    poke(bench, "SAADC.OVERSAMPLE", 2);
    poke(bench, "SAADC.TASKS_START", 1);
    poke(bench, "SAADC.TASKS_SAMPLE", 1);
    advance_us(bench, 47);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_END"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_END"), 1u);
    bench_free(bench);
}

Test(saadc, sample_rate_fills_the_buffer)
{
    struct bench *bench = bench_with_buffer(10);
    poke(bench, "SAADC.CH[0].PSELP", 1);
    poke(bench, "SAADC.SAMPLERATE", 1u << 12 | 1600); /* 100 us */
    poke(bench, "SAADC.TASKS_START", 1);
    poke(bench, "SAADC.TASKS_SAMPLE", 1);
    advance_us(bench, 900 + 11);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_END"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_END"), 1u);
    poke(bench, "SAADC.TASKS_STOP", 1);
    poke(bench, "SAADC.EVENTS_DONE", 0);
    advance_us(bench, 1000);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_DONE"), 0u);
    bench_free(bench);
}

Test(saadc, limits_tell_which_side)
{
    struct bench *bench = bench_with_buffer(1);
    bench->bus.pin[AIN0_PIN].millivolts = 3000;
    poke(bench, "SAADC.CH[2].PSELP", 1);
    poke(bench, "SAADC.CH[2].LIMIT", 3000u << 16 | 100);
    poke(bench, "SAADC.TASKS_START", 1);
    poke(bench, "SAADC.TASKS_SAMPLE", 1);
    advance_us(bench, 20);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_CH[2].LIMITH"), 1u);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_CH[2].LIMITL"), 0u);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_CH[1].LIMITH"), 0u);
    bench_free(bench);
}

Test(saadc, calibration_ends)
{
    struct bench *bench = bench_with_buffer(1);
    poke(bench, "SAADC.TASKS_CALIBRATEOFFSET", 1);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_CALIBRATEDONE"), 0u);
    advance_us(bench, 100);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_CALIBRATEDONE"), 1u);
    bench_free(bench);
}

Test(saadc, power_puts_everything_back)
{
    struct bench *bench = bench_new();
    poke(bench, "SAADC.ENABLE", 1);
    poke(bench, "SAADC.TASKS_CALIBRATEOFFSET", 1);
    poke(bench, "SAADC.POWER", 0);
    poke(bench, "SAADC.POWER", 1);
    cr_expect_eq(peek(bench, "SAADC.ENABLE"), 0u);
    cr_expect_eq(peek(bench, "SAADC.CH[7].CONFIG"), 0x20000u);
    advance_us(bench, 1000);
    cr_expect_eq(peek(bench, "SAADC.EVENTS_CALIBRATEDONE"), 0u);
    bench_free(bench);
}
