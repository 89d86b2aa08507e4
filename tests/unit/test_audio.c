/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I2S and PDM, which have nothing on the other end but keep time. */
#include "bench.h"

Test(i2s, buffers_pass_at_the_sample_rate)
{
    struct bench *bench = bench_new();
    memset(bench->ram, 0x55, 1024);
    poke(bench, "I2S.CONFIG.RXEN", 1);
    poke(bench, "I2S.CONFIG.MCKFREQ", 0x20000000); /* 4 MHz */
    poke(bench, "I2S.CONFIG.RATIO", 6);            /* 256: 15625 frames a second */
    poke(bench, "I2S.RXD.PTR", 0x20000000);
    poke(bench, "I2S.RXTXD.MAXCNT", 125); /* 125 stereo frames of 16 bits: 8 ms */
    poke(bench, "I2S.ENABLE", 1);
    poke(bench, "I2S.TASKS_START", 1);
    cr_expect_eq(peek(bench, "I2S.EVENTS_RXPTRUPD"), 1u);
    cr_expect_eq(peek(bench, "I2S.EVENTS_TXPTRUPD"), 1u);
    poke(bench, "I2S.EVENTS_RXPTRUPD", 0);
    advance_us(bench, 7999);
    cr_expect_eq(peek(bench, "I2S.EVENTS_RXPTRUPD"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "I2S.EVENTS_RXPTRUPD"), 1u);
    cr_expect_eq(bench->ram[499], 0);
    cr_expect_eq(bench->ram[500], 0x55);
    poke(bench, "I2S.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "I2S.EVENTS_STOPPED"), 1u);
    bench_free(bench);
}

Test(i2s, an_empty_buffer_does_not_hang)
{
    struct bench *bench = bench_new();
    poke(bench, "I2S.CONFIG.MCKFREQ", 0xffffffff);
    poke(bench, "I2S.ENABLE", 1);
    poke(bench, "I2S.TASKS_START", 1);
    advance_us(bench, 1000);
    poke(bench, "I2S.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "I2S.EVENTS_STOPPED"), 1u);
    bench_free(bench);
}

Test(pdm, silence_fills_buffer_after_buffer)
{
    struct bench *bench = bench_new();
    memset(bench->ram, 0x55, 1024);
    poke(bench, "PDM.PDMCLKCTRL", 0x08000000); /* 1 MHz */
    poke(bench, "PDM.MODE", 1);                /* mono */
    poke(bench, "PDM.SAMPLE.PTR", 0x20000000);
    poke(bench, "PDM.SAMPLE.MAXCNT", 100); /* 100 * 64 us */
    poke(bench, "PDM.ENABLE", 1);
    poke(bench, "PDM.INTENSET", 1u << 2);
    poke(bench, "PDM.TASKS_START", 1);
    cr_expect_eq(peek(bench, "PDM.EVENTS_STARTED"), 1u);
    poke(bench, "PDM.EVENTS_STARTED", 0);
    advance_us(bench, 6399);
    cr_expect_eq(peek(bench, "PDM.EVENTS_END"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "PDM.EVENTS_END"), 1u);
    cr_expect_eq(peek(bench, "PDM.EVENTS_STARTED"), 1u);
    cr_expect(bench->irq[29]);
    cr_expect_eq(bench->ram[199], 0);
    cr_expect_eq(bench->ram[200], 0x55);
    poke(bench, "PDM.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "PDM.EVENTS_STOPPED"), 1u);
    bench_free(bench);
}
