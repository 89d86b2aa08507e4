/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPIM, SPI, SPIS, TWI and TWIS, and the pages they share. */
#include "bench.h"

#include "core/ports.h"
#include "parts/max17043.h"

#define RAM 0x20000000u

/* A part that answers each byte with the one before it. */
struct echo {
    uint8_t last;
    unsigned selects, deselects, bytes;
};

static void echo_select(void *self, bool selected)
{
    struct echo *echo = self;
    *(selected ? &echo->selects : &echo->deselects) += 1;
}

static uint8_t echo_transfer(void *self, uint8_t out, unsigned lines)
{
    struct echo *echo = self;
    uint8_t answer = echo->last;
    (void)lines;
    echo->last = out;
    echo->bytes++;
    return answer;
}

static struct bench *spim3(struct echo *echo, uint32_t tx, uint32_t rx)
{
    struct bench *bench = bench_new();
    *echo = (struct echo){.last = 0xa5};
    cr_assert_eq(ports_attach_spi(
                     bench->bus.ports, 8,
                     &(struct spi_device){.select = echo_select, .transfer = echo_transfer, .self = echo}),
                 0);
    for (unsigned i = 0; i < 256; i++)
        bench->ram[i] = (uint8_t)(i + 1);
    poke(bench, "SPIM3.PSEL.CSN", 8);
    poke(bench, "SPIM3.FREQUENCY", 0x80000000); /* 8 Mbit/s: 64 cycles a byte */
    poke(bench, "SPIM3.ENABLE", 7);
    poke(bench, "SPIM3.TXD.PTR", RAM);
    poke(bench, "SPIM3.TXD.MAXCNT", tx);
    poke(bench, "SPIM3.RXD.PTR", RAM + 0x200);
    poke(bench, "SPIM3.RXD.MAXCNT", rx);
    poke(bench, "SPIM3.ORC", 0x77);
    return bench;
}

Test(spim, moves_both_ways_in_the_time_of_its_bits)
{
    struct echo echo;
    struct bench *bench = spim3(&echo, 100, 100);
    poke(bench, "SPIM3.TASKS_START", 1);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_STARTED"), 1u);
    advance(bench, 6399);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_END"), 0u);
    advance(bench, 1);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_END"), 1u);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_ENDTX"), 1u);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_ENDRX"), 1u);
    cr_expect_eq(bench->ram[0x200], 0xa5);
    cr_expect_arr_eq(bench->ram + 0x201, bench->ram, 99);
    cr_expect_eq(bench->ram[0x200 + 100], 0);
    cr_expect_eq(peek(bench, "SPIM3.RXD.AMOUNT"), 100u);
    cr_expect(echo.selects == 1 && echo.deselects == 1);
    bench_free(bench);
}

Test(spim, over_read_sends_orc)
{
    struct echo echo;
    struct bench *bench = spim3(&echo, 1, 4);
    poke(bench, "SPIM3.TASKS_START", 1);
    advance(bench, 64);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_ENDTX"), 1u);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_ENDRX"), 0u);
    advance(bench, 192);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_END"), 1u);
    cr_expect_arr_eq(bench->ram + 0x200, ((uint8_t[]){0xa5, 1, 0x77, 0x77}), 4);
    bench_free(bench);
}

Test(spim, lsb_first_turns_the_bits_round)
{
    struct echo echo;
    struct bench *bench = spim3(&echo, 1, 1);
    poke(bench, "SPIM3.CONFIG", 1);
    poke(bench, "SPIM3.TASKS_START", 1);
    advance(bench, 64);
    cr_expect_eq(echo.last, 0x80);
    bench_free(bench);
}

Test(spim, stop_and_suspend_end_with_a_whole_byte)
{
    struct echo echo;
    struct bench *bench = spim3(&echo, 10, 10);
    poke(bench, "SPIM3.TASKS_START", 1);
    advance(bench, 64 * 2 + 1);
    poke(bench, "SPIM3.TASKS_SUSPEND", 1);
    advance(bench, 100000);
    cr_expect_eq(echo.bytes, 3u);
    poke(bench, "SPIM3.TASKS_RESUME", 1);
    advance(bench, 64 + 1);
    poke(bench, "SPIM3.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_STOPPED"), 0u);
    advance(bench, 63);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_STOPPED"), 1u);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_END"), 0u);
    cr_expect_eq(peek(bench, "SPIM3.TXD.AMOUNT"), 5u);
    cr_expect_eq(echo.bytes, 5u);
    bench_free(bench);
}

Test(spim, end_start_shortcut_and_interrupt)
{
    struct echo echo;
    struct bench *bench = spim3(&echo, 1, 0);
    poke(bench, "SPIM3.SHORTS", 1 << 17);
    poke(bench, "SPIM3.INTENSET", 1 << 6);
    poke(bench, "SPIM3.TASKS_START", 1);
    advance(bench, 64 * 5);
    cr_expect_eq(echo.bytes, 5u);
    cr_expect(bench->irq[47]);
    bench_free(bench);
}

Test(spim, save_and_restore)
{
    struct echo echo;
    struct bench *bench = spim3(&echo, 10, 10);
    poke(bench, "SPIM3.TASKS_START", 1);
    advance(bench, 100);
    struct moment before = bench_save(bench);
    advance(bench, 1000);
    poke(bench, "SPIM3.EVENTS_END", 0);
    bench_restore(bench, &before);
    advance(bench, 539);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_END"), 0u);
    advance(bench, 1);
    cr_expect_eq(peek(bench, "SPIM3.EVENTS_END"), 1u);
    bench_free(bench);
}

Test(spi, ready_after_each_byte_with_double_buffers)
{
    struct bench *bench = bench_new();
    poke(bench, "P0.PIN_CNF[4]", 3 << 2);
    poke(bench, "SPI2.PSEL.MISO", 4);
    poke(bench, "SPI2.FREQUENCY", 0x80000000);
    poke(bench, "SPI2.ENABLE", 1);
    poke(bench, "SPI2.INTENSET", 1 << 2);
    poke(bench, "SPI2.TXD", 1);
    poke(bench, "SPI2.TXD", 2);
    advance(bench, 63);
    cr_expect_eq(peek(bench, "SPI2.EVENTS_READY"), 0u);
    advance(bench, 1);
    cr_expect_eq(peek(bench, "SPI2.EVENTS_READY"), 1u);
    cr_expect(bench->irq[35]);
    poke(bench, "SPI2.EVENTS_READY", 0);
    poke(bench, "P0.PIN_CNF[4]", 1 << 2);
    advance(bench, 64);
    cr_expect_eq(peek(bench, "SPI2.EVENTS_READY"), 0u, "the second byte waits behind the first");
    cr_expect_eq(peek(bench, "SPI2.RXD"), 0xffu);
    cr_expect_eq(peek(bench, "SPI2.EVENTS_READY"), 1u);
    cr_expect_eq(peek(bench, "SPI2.RXD"), 0x00u);
    bench_free(bench);
}

Test(spis, semaphore)
{
    struct bench *bench = bench_new();
    poke(bench, "SPIS1.ENABLE", 2);
    cr_expect_eq(peek(bench, "SPIS1.SEMSTAT"), 1u);
    poke(bench, "SPIS1.TASKS_RELEASE", 1);
    cr_expect_eq(peek(bench, "SPIS1.SEMSTAT"), 0u);
    cr_expect_eq(peek(bench, "SPIS1.EVENTS_ACQUIRED"), 0u);
    poke(bench, "SPIS1.TASKS_ACQUIRE", 1);
    cr_expect_eq(peek(bench, "SPIS1.SEMSTAT"), 1u);
    cr_expect_eq(peek(bench, "SPIS1.EVENTS_ACQUIRED"), 1u);
    bench_free(bench);
}

Test(twis, waits_for_a_master_that_never_comes)
{
    struct bench *bench = bench_new();
    poke(bench, "TWIS0.ENABLE", 9);
    cr_expect_eq(peek(bench, "TWIS0.CONFIG"), 1u);
    poke(bench, "TWIS0.TASKS_PREPARERX", 1);
    advance_us(bench, 1000);
    cr_expect_eq(peek(bench, "TWIS0.EVENTS_RXSTARTED"), 0u);
    cr_expect_eq(bench->findings, 0);
    bench_free(bench);
}

static void await(struct bench *bench, const char *event)
{
    for (unsigned i = 0; i < 1000 && !peek(bench, event); i++)
        advance(bench, 640);
    cr_assert(peek(bench, event), "%s never came", event);
    poke(bench, event, 0);
}

/* The way of the chapter's figures: bytes one by one, BB shortcuts end the read. */
Test(twi, reads_a_register_pair_byte_by_byte)
{
    struct bench *bench = bench_new();
    struct max17043 gauge;
    cr_assert_eq(max17043_init(&gauge, &bench->bus, 27, 26, MAX17043_NO_PIN), 0);
    poke(bench, "TWI0.PSEL.SCL", 27);
    poke(bench, "TWI0.PSEL.SDA", 26);
    poke(bench, "TWI0.FREQUENCY", 0x01980000);
    poke(bench, "TWI0.ENABLE", 5);
    poke(bench, "TWI0.ADDRESS", 0x36);
    poke(bench, "TWI0.TASKS_STARTTX", 1);
    poke(bench, "TWI0.TXD", 0x0c);
    await(bench, "TWI0.EVENTS_TXDSENT");
    poke(bench, "TWI0.SHORTS", 1); /* BB suspends */
    poke(bench, "TWI0.TASKS_STARTRX", 1);
    await(bench, "TWI0.EVENTS_RXDREADY");
    advance_us(bench, 1000);
    poke(bench, "TWI0.SHORTS", 2); /* BB stops: the next byte is the last */
    cr_expect_eq(peek(bench, "TWI0.RXD"), 0x97u);
    poke(bench, "TWI0.TASKS_RESUME", 1);
    await(bench, "TWI0.EVENTS_RXDREADY");
    cr_expect_eq(peek(bench, "TWI0.RXD"), 0x1cu);
    await(bench, "TWI0.EVENTS_STOPPED");
    bench_free(bench);
}

Test(twi, nack_is_an_error)
{
    struct bench *bench = bench_new();
    poke(bench, "TWI1.PSEL.SCL", 27);
    poke(bench, "TWI1.PSEL.SDA", 26);
    poke(bench, "TWI1.FREQUENCY", 0x06680000);
    poke(bench, "TWI1.ENABLE", 5);
    poke(bench, "TWI1.INTENSET", 1 << 9);
    poke(bench, "TWI1.TASKS_STARTTX", 1);
    poke(bench, "TWI1.TXD", 0);
    advance_us(bench, 100);
    cr_expect_eq(peek(bench, "TWI1.ERRORSRC"), 2u);
    cr_expect(bench->irq[4]);
    poke(bench, "TWI1.TASKS_STOP", 1);
    await(bench, "TWI1.EVENTS_STOPPED");
    bench_free(bench);
}

Test(twi, suspend_during_the_stop_condition_spares_the_next_transfer)
{
    struct bench *bench = bench_new();
    poke(bench, "TWI1.ENABLE", 5);
    poke(bench, "TWI1.TASKS_STARTTX", 1);
    poke(bench, "TWI1.TASKS_STOP", 1);
    await(bench, "TWI1.EVENTS_ERROR"); /* nobody is there; the stop condition is on the line now */
    poke(bench, "TWI1.TASKS_SUSPEND", 1);
    await(bench, "TWI1.EVENTS_STOPPED");
    poke(bench, "TWI1.TASKS_STARTTX", 1);
    poke(bench, "TWI1.TASKS_STOP", 1);
    await(bench, "TWI1.EVENTS_STOPPED");
    cr_expect_eq(peek(bench, "TWI1.EVENTS_SUSPENDED"), 0u);
    bench_free(bench);
}

Test(serial_box, owner_of_the_page_changes_with_enable)
{
    struct bench *bench = bench_new();
    poke(bench, "SPIM0.ENABLE", 7);
    poke(bench, "SPIM0.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "SPIM0.EVENTS_STOPPED"), 1u);
    poke(bench, "SPIM0.EVENTS_STOPPED", 0);
    poke(bench, "TWIS0.ENABLE", 9);
    poke(bench, "SPIM0.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "SPIM0.EVENTS_STOPPED"), 0u);
    bench_free(bench);
}
