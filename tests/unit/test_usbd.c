/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

Test(usbd, enable_tells_that_it_is_ready)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.INTENSET", 1u << 22);
    poke(bench, "USBD.ENABLE", 1);
    cr_expect_eq(peek(bench, "USBD.EVENTCAUSE"), 1u << 11);
    cr_expect(bench->irq[39]);
    poke(bench, "USBD.EVENTS_USBEVENT", 0);
    poke(bench, "USBD.EVENTCAUSE", 1u << 11);
    cr_expect_eq(peek(bench, "USBD.EVENTCAUSE"), 0u);
    cr_expect_not(bench->irq[39]);
    poke(bench, "USBD.ENABLE", 1);
    cr_expect_eq(peek(bench, "USBD.EVENTCAUSE"), 0u, "it was enabled already");
    bench_free(bench);
}

Test(usbd, pull_up_needs_enable_and_brings_no_host)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.USBPULLUP", 1);
    cr_expect_not(usbd_pulled_up(&bench->soc.usbd));
    poke(bench, "USBD.ENABLE", 1);
    cr_expect(usbd_pulled_up(&bench->soc.usbd));
    advance_us(bench, 100000);
    cr_expect_eq(peek(bench, "USBD.EVENTS_USBRESET"), 0u);
    cr_expect_eq(peek(bench, "USBD.EVENTS_SOF"), 0u);
    poke(bench, "USBD.USBPULLUP", 0);
    cr_expect_not(usbd_pulled_up(&bench->soc.usbd));
    bench_free(bench);
}

Test(usbd, in_dma_fills_the_endpoint_buffer)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.ENABLE", 1);
    memcpy(bench->ram + 0x40, "descriptor", 10);
    poke(bench, "USBD.EPIN[3].PTR", 0x20000040);
    poke(bench, "USBD.EPIN[3].MAXCNT", 10);
    poke(bench, "USBD.TASKS_STARTEPIN[3]", 1);
    cr_expect_eq(peek(bench, "USBD.EVENTS_STARTED"), 1u);
    cr_expect_eq(peek(bench, "USBD.EVENTS_ENDEPIN[3]"), 1u);
    cr_expect_eq(peek(bench, "USBD.EVENTS_ENDEPIN[2]"), 0u);
    cr_expect_eq(peek(bench, "USBD.EPIN[3].AMOUNT"), 10u);
    cr_expect_eq(peek(bench, "USBD.EPSTATUS"), 1u << 3);
    cr_expect_arr_eq(bench->soc.usbd.in[3], "descriptor", 10);
    poke(bench, "USBD.EPSTATUS", 1u << 3);
    cr_expect_eq(peek(bench, "USBD.EPSTATUS"), 0u);
    bench_free(bench);
}

Test(usbd, transfers_stay_inside_the_buffers)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.ENABLE", 1);
    poke(bench, "USBD.EPIN[7].PTR", 0x20000000);
    poke(bench, "USBD.EPIN[7].MAXCNT", 0xffffffff);
    poke(bench, "USBD.TASKS_STARTEPIN[7]", 1);
    cr_expect_eq(peek(bench, "USBD.EPIN[7].AMOUNT"), 64u);
    poke(bench, "USBD.ISOIN.PTR", 0x20000000);
    poke(bench, "USBD.ISOIN.MAXCNT", 5000);
    poke(bench, "USBD.TASKS_STARTISOIN", 1);
    cr_expect_eq(peek(bench, "USBD.ISOIN.AMOUNT"), 1023u);
    cr_expect_eq(peek(bench, "USBD.EVENTS_ENDISOIN"), 1u);
    poke(bench, "USBD.ISOOUT.PTR", 0x20000000);
    poke(bench, "USBD.ISOOUT.MAXCNT", 5000);
    poke(bench, "USBD.TASKS_STARTISOOUT", 1);
    cr_expect_eq(peek(bench, "USBD.ISOOUT.AMOUNT"), 0u, "nothing was received");
    bench_free(bench);
}

Test(usbd, out_dma_gives_what_was_received)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.ENABLE", 1);
    memset(bench->ram, 0xee, 16);
    poke(bench, "USBD.EPOUT[1].PTR", 0x20000000);
    poke(bench, "USBD.EPOUT[1].MAXCNT", 64);
    poke(bench, "USBD.TASKS_STARTEPOUT[1]", 1);
    cr_expect_eq(peek(bench, "USBD.EVENTS_ENDEPOUT[1]"), 1u);
    cr_expect_eq(peek(bench, "USBD.EPOUT[1].AMOUNT"), 0u);
    cr_expect_eq(bench->ram[0], 0xee);
    bench_free(bench);
}

Test(usbd, toggles_and_stalls_are_kept_for_each_endpoint)
{
    struct bench *bench = bench_new();
    cr_expect_eq(peek(bench, "USBD.DTOGGLE"), 0x100u);
    poke(bench, "USBD.DTOGGLE", 0x280 | 2);
    poke(bench, "USBD.DTOGGLE", 2); /* selects OUT 2 */
    cr_expect_eq(peek(bench, "USBD.DTOGGLE"), 0x102u);
    poke(bench, "USBD.DTOGGLE", 0x80 | 2);
    cr_expect_eq(peek(bench, "USBD.DTOGGLE"), 0x282u);
    poke(bench, "USBD.EPSTALL", 0x180 | 4);
    cr_expect_eq(peek(bench, "USBD.HALTED.EPIN[4]"), 1u);
    cr_expect_eq(peek(bench, "USBD.HALTED.EPOUT[4]"), 0u);
    poke(bench, "USBD.EPSTALL", 0x80 | 4);
    cr_expect_eq(peek(bench, "USBD.HALTED.EPIN[4]"), 0u);
    bench_free(bench);
}

Test(usbd, does_nothing_while_disabled)
{
    struct bench *bench = bench_new();
    poke(bench, "USBD.TASKS_STARTEPIN[1]", 1);
    cr_expect_eq(peek(bench, "USBD.EVENTS_ENDEPIN[1]"), 0u);
    bench_free(bench);
}

/* The words that Nordic's driver pokes for errata, as the firmware does at start. */
Test(usbd, errata_words_are_known_storage)
{
    static const uint32_t words[] = {0x4006ec00, 0x4006ec14, 0x4006ed14, 0x40027800, 0x40027804, 0x40027c1c};
    struct bench *bench = bench_new();
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        uint32_t value = 1;
        cr_assert_eq(bus_read(&bench->bus, words[i], 4, &value), 0);
        cr_expect_eq(value, 0u);
        cr_assert_eq(bus_write(&bench->bus, words[i], 4, 0x9375 + i), 0);
        cr_assert_eq(bus_read(&bench->bus, words[i], 4, &value), 0);
        cr_expect_eq(value, 0x9375u + i);
    }
    cr_expect_eq(bench->findings, 0);
    bench_free(bench);
}
