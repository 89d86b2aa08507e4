/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#define PACKET 0x20000600u

enum {
    DISABLED = 0,
    RXRU = 1,
    RXIDLE = 2,
    RX = 3,
    TXRU = 9,
    TXIDLE = 10,
    TX = 11,
    TXDISABLE = 12,
};

enum {
    READY_START = 1u << 0,
    END_DISABLE = 1u << 1,
    DISABLED_TXEN = 1u << 2,
    DISABLED_RXEN = 1u << 3,
    ADDRESS_BCSTART = 1u << 6,
};

/* The registers as a Bluetooth stack sets them for an advertisement on channel 37. */
static struct bench *bench_for_advertising(uint8_t length)
{
    struct bench *bench = bench_new();
    poke(bench, "RADIO.MODE", 3);
    poke(bench, "RADIO.MODECNF0", 1);
    poke(bench, "RADIO.PCNF0", 0x00100108); /* S0 one octet, LENGTH 8 bits, room for S1 in RAM */
    poke(bench, "RADIO.PCNF1", 0x02030025);
    poke(bench, "RADIO.CRCCNF", 0x103);
    poke(bench, "RADIO.PACKETPTR", PACKET);
    bench->ram[PACKET - 0x20000000u] = 0x40;
    bench->ram[PACKET - 0x20000000u + 1] = length;
    return bench;
}

Test(radio, advertisement_takes_its_time_on_the_air)
{
    struct bench *bench = bench_for_advertising(37);
    poke(bench, "RADIO.SHORTS", READY_START | END_DISABLE);
    poke(bench, "RADIO.INTENSET", 1u << 4);
    poke(bench, "RADIO.TASKS_TXEN", 1);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)TXRU);
    advance_us(bench, 39);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_READY"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_READY"), 1u);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_TXREADY"), 1u);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_RXREADY"), 0u);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)TX);
    advance_us(bench, 40 - 1); /* preamble and access address: 5 octets of 8 us */
    cr_expect_eq(peek(bench, "RADIO.EVENTS_ADDRESS"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_ADDRESS"), 1u);
    advance_us(bench, (2 + 37) * 8 - 1);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_PAYLOAD"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_PAYLOAD"), 1u);
    advance_us(bench, 3 * 8 - 1);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_END"), 0u);
    advance_us(bench, 1); /* 376 us in all, as Bluetooth says of the longest legacy advertisement */
    cr_expect_eq(peek(bench, "RADIO.EVENTS_END"), 1u);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_PHYEND"), 0u, "1 Mbit/s has no PHYEND");
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)TXDISABLE);
    cr_expect_not(bench->irq[1]);
    advance_us(bench, 6);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_DISABLED"), 1u);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)DISABLED);
    cr_expect(bench->irq[1]);
    cr_expect_eq(bench->soc.radio.packets_sent, 1u);
    bench_free(bench);
}

Test(radio, default_ramp_up_takes_140_us)
{
    struct bench *bench = bench_for_advertising(0);
    poke(bench, "RADIO.MODECNF0", 0x200);
    poke(bench, "RADIO.TASKS_RXEN", 1);
    advance_us(bench, 139);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)RXRU);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)RXIDLE);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_RXREADY"), 1u);
    bench_free(bench);
}

Test(radio, receiver_hears_nothing_until_disabled)
{
    struct bench *bench = bench_for_advertising(0);
    poke(bench, "RADIO.SHORTS", READY_START | END_DISABLE);
    poke(bench, "RADIO.TASKS_RXEN", 1);
    advance_us(bench, 1000000);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)RX);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_ADDRESS"), 0u);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_END"), 0u);
    cr_expect_eq(peek(bench, "RADIO.CRCSTATUS"), 0u);
    poke(bench, "RADIO.TASKS_DISABLE", 1);
    advance(bench, 1);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_DISABLED"), 1u);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)DISABLED);
    bench_free(bench);
}

Test(radio, advertiser_turns_to_listening_150_us_after_its_packet)
{
    struct bench *bench = bench_for_advertising(37);
    poke(bench, "RADIO.TIFS", 150);
    poke(bench, "RADIO.SHORTS", READY_START | END_DISABLE | DISABLED_RXEN);
    poke(bench, "RADIO.TASKS_TXEN", 1);
    advance_us(bench, 40 + 376);
    poke(bench, "RADIO.EVENTS_READY", 0);
    advance_us(bench, 149);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_READY"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_READY"), 1u);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)RX);
    bench_free(bench);
}

Test(radio, spacing_counts_only_after_a_packet)
{
    struct bench *bench = bench_for_advertising(37);
    poke(bench, "RADIO.TIFS", 150);
    poke(bench, "RADIO.SHORTS", READY_START);
    poke(bench, "RADIO.TASKS_TXEN", 1);
    advance_us(bench, 40);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)TX);
    bench_free(bench);
}

Test(radio, disable_in_disabled_answers_again)
{
    struct bench *bench = bench_for_advertising(0);
    poke(bench, "RADIO.TASKS_DISABLE", 1);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_DISABLED"), 1u);
    bench_free(bench);
}

Test(radio, disable_cuts_a_packet_short)
{
    struct bench *bench = bench_for_advertising(37);
    poke(bench, "RADIO.SHORTS", READY_START);
    poke(bench, "RADIO.TASKS_TXEN", 1);
    advance_us(bench, 200);
    poke(bench, "RADIO.TASKS_DISABLE", 1);
    advance_us(bench, 1000);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_END"), 0u);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_DISABLED"), 1u);
    cr_expect_eq(bench->soc.radio.packets_sent, 0u);
    bench_free(bench);
}

Test(radio, end_to_start_sends_packet_after_packet)
{
    struct bench *bench = bench_for_advertising(0);
    poke(bench, "RADIO.SHORTS", READY_START | 1u << 5);
    poke(bench, "RADIO.TASKS_TXEN", 1);
    advance_us(bench, 40 + 80 * 10); /* 10 octets are 80 us */
    cr_expect_eq(bench->soc.radio.packets_sent, 10u);
    poke(bench, "RADIO.TASKS_STOP", 1);
    advance_us(bench, 1000);
    cr_expect_eq(bench->soc.radio.packets_sent, 10u);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)TXIDLE);
    bench_free(bench);
}

/* Air times from the Bluetooth Core Specification, vol. 6 part B 2.1 and 2.2, for an empty PDU. */
Test(radio, each_mode_has_its_air_time)
{
    static const struct {
        uint32_t mode, pcnf0, us;
    } modes[] = {
        {3, 0x00000108, 80},               /* 1M: 10 octets */
        {4, 0x01000108, 44},               /* 2M: 11 octets */
        {5, 0x03000108, 720},              /* coded S=8 */
        {6, 0x03000108, 376 + 40 * 2 + 6}, /* coded S=2 */
        {15, 0x06000008, 192},             /* 802.15.4: 6 octets before an empty payload */
    };
    for (unsigned i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct bench *bench = bench_for_advertising(0);
        poke(bench, "RADIO.MODE", modes[i].mode);
        poke(bench, "RADIO.PCNF0", modes[i].pcnf0);
        if (modes[i].mode == 15) {
            poke(bench, "RADIO.CRCCNF", 0x202);
            bench->ram[PACKET - 0x20000000u] = 2; /* just the CRC */
        }
        uint32_t us = modes[i].us + (modes[i].mode == 15 ? 64 : 0);
        const char *event = modes[i].mode >= 5 ? "RADIO.EVENTS_PHYEND" : "RADIO.EVENTS_END";
        poke(bench, "RADIO.SHORTS", READY_START);
        poke(bench, "RADIO.TASKS_TXEN", 1);
        advance_us(bench, 40);
        advance(bench, us * 64 - 1);
        cr_expect_eq(peek(bench, event), 0u, "mode %u is early", modes[i].mode);
        advance(bench, 1);
        cr_expect_eq(peek(bench, event), 1u, "mode %u is late", modes[i].mode);
        cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)TXIDLE);
        cr_expect_eq(peek(bench, "RADIO.EVENTS_FRAMESTART"), modes[i].mode >= 5 ? 1u : 0u);
        bench_free(bench);
    }
}

Test(radio, bit_counter_counts_from_the_address)
{
    struct bench *bench = bench_for_advertising(37);
    poke(bench, "RADIO.BCC", 64);
    poke(bench, "RADIO.SHORTS", READY_START | ADDRESS_BCSTART);
    poke(bench, "RADIO.TASKS_TXEN", 1);
    advance_us(bench, 40 + 40 + 63);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_BCMATCH"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_BCMATCH"), 1u);
    poke(bench, "RADIO.EVENTS_BCMATCH", 0);
    poke(bench, "RADIO.BCC", 80);
    advance_us(bench, 16);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_BCMATCH"), 1u);
    bench_free(bench);
}

Test(radio, quiet_channel_measures_quiet)
{
    struct bench *bench = bench_for_advertising(0);
    poke(bench, "RADIO.SHORTS", READY_START);
    poke(bench, "RADIO.TASKS_RXEN", 1);
    advance_us(bench, 40);
    poke(bench, "RADIO.TASKS_RSSISTART", 1);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_RSSIEND"), 1u);
    cr_expect_geq(peek(bench, "RADIO.RSSISAMPLE"), 95u);
    poke(bench, "RADIO.TASKS_EDSTART", 1);
    poke(bench, "RADIO.TASKS_CCASTART", 1);
    advance_us(bench, 128);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_EDEND"), 1u);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_CCAIDLE"), 1u);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_CCABUSY"), 0u);
    bench_free(bench);
}

Test(radio, power_off_forgets_everything)
{
    struct bench *bench = bench_for_advertising(0);
    poke(bench, "RADIO.TASKS_TXEN", 1);
    poke(bench, "RADIO.INTENSET", 1);
    poke(bench, "RADIO.POWER", 0);
    cr_expect_eq(peek(bench, "RADIO.POWER"), 0u);
    cr_expect_eq(peek(bench, "RADIO.STATE"), (uint32_t)DISABLED);
    poke(bench, "RADIO.TASKS_TXEN", 1);
    advance_us(bench, 200);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_READY"), 0u);
    poke(bench, "RADIO.POWER", 1);
    cr_expect_eq(peek(bench, "RADIO.PCNF1"), 0u);
    cr_expect_eq(peek(bench, "RADIO.MODECNF0"), 0x200u);
    cr_expect_eq(peek(bench, "RADIO.INTENSET"), 0u);
    bench_free(bench);
}

Test(radio, a_snapshot_holds_a_packet_on_the_air)
{
    struct bench *bench = bench_for_advertising(37);
    poke(bench, "RADIO.SHORTS", READY_START | END_DISABLE);
    poke(bench, "RADIO.TASKS_TXEN", 1);
    advance_us(bench, 100);
    struct moment before = bench_save(bench);
    poke(bench, "RADIO.POWER", 0);
    bench_restore(bench, &before);
    advance_us(bench, 376 + 40 - 100);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_END"), 1u);
    bench_free(bench);
}

/* The pre-programmed PPI channels 20, 26 and 27, by which the SoftDevice sends without the CPU. */
Test(radio, timer_starts_it_and_captures_address_and_end)
{
    struct bench *bench = bench_for_advertising(37);
    poke(bench, "RADIO.SHORTS", READY_START | END_DISABLE);
    poke(bench, "PPI.CHENSET", 1u << 20 | 1u << 26 | 1u << 27);
    poke(bench, "TIMER0.BITMODE", 3);
    poke(bench, "TIMER0.PRESCALER", 4); /* 1 MHz */
    poke(bench, "TIMER0.CC[0]", 100);
    poke(bench, "TIMER0.TASKS_START", 1);
    advance_us(bench, 1000);
    cr_expect_eq(peek(bench, "RADIO.EVENTS_DISABLED"), 1u);
    cr_expect_eq(peek(bench, "TIMER0.CC[1]"), 100u + 40 + 40);
    cr_expect_eq(peek(bench, "TIMER0.CC[2]"), 100u + 40 + 376);
    bench_free(bench);
}

/* The undocumented words that the SoftDevice reads and writes. */
Test(radio, errata_words_are_known_storage)
{
    static const uint32_t words[] = {0x4000173c, 0x40001740, 0x40001774, 0x40001778, 0x4000177c, 0x40001788};
    struct bench *bench = bench_new();
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        uint32_t value = 0;
        cr_assert_eq(bus_write(&bench->bus, words[i], 4, 0x8900002c), 0);
        cr_assert_eq(bus_read(&bench->bus, words[i], 4, &value), 0);
        cr_expect_eq(value, 0x8900002cu);
    }
    cr_expect_eq(bench->findings, 0);
    bench_free(bench);
}
