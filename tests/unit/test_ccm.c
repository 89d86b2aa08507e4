/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packets are the encryption sample data of the Bluetooth Core Specification, vol. 6 part C, 1. */
#include "bench.h"

#define CONFIG 0x20000000u
#define INPUT  0x20000100u
#define OUTPUT 0x20000300u

static const uint8_t key[16] = {0x99, 0xad, 0x1b, 0x52, 0x26, 0xa3, 0x7e, 0x3e,
                                0x05, 0x8e, 0x3b, 0x8e, 0x27, 0xc2, 0xc6, 0x66};
static const uint8_t iv[8] = {0x24, 0xab, 0xdc, 0xba, 0xbe, 0xba, 0xaf, 0xde};

struct sample {
    uint8_t counter, direction, header, length;
    uint8_t clear[27];
    uint8_t cipher[31];
};

static const struct sample samples[] = {
    {0, 1, 0x0f, 1, {0x06}, {0x9f, 0xcd, 0xa7, 0xf4, 0x48}},
    {0, 0, 0x07, 1, {0x06}, {0xa3, 0x4c, 0x13, 0xa4, 0x15}},
    {1,
     1,
     0x0e,
     27,
     {0x17, 0x00, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e,
      0x6f, 0x70, 0x71, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x30},
     {0x7a, 0x70, 0xd6, 0x64, 0x15, 0x22, 0x6d, 0xf2, 0x6b, 0x17, 0x83, 0x9a, 0x06, 0x04, 0x05, 0x59,
      0x6b, 0xd6, 0x56, 0x4f, 0x79, 0x6b, 0x5b, 0x9c, 0xe6, 0xff, 0x32, 0xf7, 0x5a, 0x6d, 0x33}},
    {1,
     0,
     0x06,
     27,
     {0x17, 0x00, 0x37, 0x36, 0x35, 0x34, 0x33, 0x32, 0x31, 0x30, 0x41, 0x42, 0x43, 0x44,
      0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51},
     {0xf3, 0x88, 0x81, 0xe7, 0xbd, 0x94, 0xc9, 0xc3, 0x69, 0xb9, 0xa6, 0x68, 0x46, 0xdd, 0x47, 0x86,
      0xaa, 0x8c, 0x39, 0xce, 0x54, 0x0d, 0x0d, 0xae, 0x3a, 0xdc, 0xdf, 0x89, 0xb9, 0x60, 0x88}},
};

static void set_up(struct bench *bench, const struct sample *sample, uint32_t mode)
{
    uint8_t *config = bench->ram;
    memcpy(config, key, sizeof key);
    config[16] = sample->counter;
    config[24] = sample->direction;
    memcpy(config + 25, iv, sizeof iv);
    poke(bench, "CCM.ENABLE", 2);
    poke(bench, "CCM.MODE", mode);
    poke(bench, "CCM.CNFPTR", CONFIG);
    poke(bench, "CCM.INPTR", INPUT);
    poke(bench, "CCM.OUTPTR", OUTPUT);
    poke(bench, "CCM.SHORTS", 1);
}

static void put_packet(struct bench *bench, uint8_t header, const uint8_t *payload, uint8_t length)
{
    uint8_t *packet = bench->ram + (INPUT - 0x20000000u);
    packet[0] = header;
    packet[1] = length;
    memcpy(packet + 3, payload, length);
}

static const uint8_t *output(struct bench *bench)
{
    return bench->ram + (OUTPUT - 0x20000000u);
}

Test(ccm, encrypts_bluetooths_sample_packets)
{
    for (unsigned i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const struct sample *sample = &samples[i];
        struct bench *bench = bench_new();
        set_up(bench, sample, 0);
        put_packet(bench, sample->header, sample->clear, sample->length);
        poke(bench, "CCM.TASKS_KSGEN", 1);
        advance_us(bench, 500);
        cr_expect_eq(peek(bench, "CCM.EVENTS_ENDCRYPT"), 1u);
        cr_expect_eq(output(bench)[0], sample->header);
        cr_expect_eq(output(bench)[1], sample->length + 4);
        cr_expect_arr_eq(output(bench) + 3, sample->cipher, sample->length + 4u, "sample %u", i);
        bench_free(bench);
    }
}

Test(ccm, decrypts_them_and_checks_the_mic)
{
    for (unsigned i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        const struct sample *sample = &samples[i];
        struct bench *bench = bench_new();
        set_up(bench, sample, 1u << 24 | 1);
        put_packet(bench, sample->header, sample->cipher, (uint8_t)(sample->length + 4));
        poke(bench, "CCM.TASKS_KSGEN", 1);
        advance_us(bench, 1000);
        cr_expect_eq(peek(bench, "CCM.MICSTATUS"), 1u);
        cr_expect_eq(output(bench)[1], sample->length);
        cr_expect_arr_eq(output(bench) + 3, sample->clear, sample->length, "sample %u", i);
        bench_free(bench);
    }
}

Test(ccm, a_changed_packet_fails_the_mic)
{
    struct bench *bench = bench_new();
    set_up(bench, &samples[0], 1);
    put_packet(bench, samples[0].header ^ 1, samples[0].cipher, 5);
    poke(bench, "CCM.TASKS_KSGEN", 1);
    advance_us(bench, 500);
    cr_expect_eq(peek(bench, "CCM.EVENTS_ENDCRYPT"), 1u);
    cr_expect_eq(peek(bench, "CCM.MICSTATUS"), 0u);
    bench_free(bench);
}

Test(ccm, bits_that_retransmission_changes_are_not_authenticated)
{
    struct bench *bench = bench_new();
    set_up(bench, &samples[0], 1);
    put_packet(bench, samples[0].header ^ 0x1c, samples[0].cipher, 5);
    poke(bench, "CCM.TASKS_KSGEN", 1);
    advance_us(bench, 500);
    cr_expect_eq(peek(bench, "CCM.MICSTATUS"), 1u);
    bench_free(bench);
}

Test(ccm, empty_packet_passes_unchanged)
{
    struct bench *bench = bench_new();
    set_up(bench, &samples[0], 0);
    put_packet(bench, 0x0d, samples[0].clear, 0);
    poke(bench, "CCM.TASKS_KSGEN", 1);
    advance_us(bench, 500);
    cr_expect_eq(output(bench)[0], 0x0d);
    cr_expect_eq(output(bench)[1], 0);
    bench_free(bench);
}

Test(ccm, keystream_takes_50_us_and_a_packet_its_air_time)
{
    struct bench *bench = bench_new();
    set_up(bench, &samples[2], 0);
    put_packet(bench, samples[2].header, samples[2].clear, 27);
    poke(bench, "CCM.TASKS_KSGEN", 1);
    advance_us(bench, 49);
    cr_expect_eq(peek(bench, "CCM.EVENTS_ENDKSGEN"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "CCM.EVENTS_ENDKSGEN"), 1u);
    advance_us(bench, (3 + 27 + 4) * 8 - 1);
    cr_expect_eq(peek(bench, "CCM.EVENTS_ENDCRYPT"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "CCM.EVENTS_ENDCRYPT"), 1u);
    bench_free(bench);
}

Test(ccm, rate_override_speeds_up_a_running_packet)
{
    struct bench *bench = bench_new();
    set_up(bench, &samples[2], 2u << 16);
    put_packet(bench, samples[2].header, samples[2].clear, 27);
    poke(bench, "CCM.RATEOVERRIDE", 3);
    poke(bench, "CCM.TASKS_KSGEN", 1);
    advance_us(bench, 51);
    poke(bench, "CCM.TASKS_RATEOVERRIDE", 1);
    advance_us(bench, (3 + 27 + 4) * 16);
    cr_expect_eq(peek(bench, "CCM.EVENTS_ENDCRYPT"), 1u);
    bench_free(bench);
}

Test(ccm, stop_and_disable_end_it_silently)
{
    struct bench *bench = bench_new();
    set_up(bench, &samples[0], 0);
    poke(bench, "CCM.TASKS_KSGEN", 1);
    poke(bench, "CCM.TASKS_STOP", 1);
    advance_us(bench, 500);
    cr_expect_eq(peek(bench, "CCM.EVENTS_ENDKSGEN"), 0u);
    poke(bench, "CCM.ENABLE", 0);
    poke(bench, "CCM.TASKS_KSGEN", 1);
    advance_us(bench, 500);
    cr_expect_eq(peek(bench, "CCM.EVENTS_ENDKSGEN"), 0u, "a disabled CCM does nothing");
    bench_free(bench);
}

Test(ccm, longest_length_byte_stays_inside_the_buffers)
{
    static const uint8_t ff[255] = {0xff};
    for (uint32_t mode = 0; mode < 4; mode++) {
        struct bench *bench = bench_new();
        set_up(bench, &samples[0], (mode & 1) | (mode & 2 ? 1u << 24 : 0));
        put_packet(bench, 0, ff, 255);
        poke(bench, "CCM.TASKS_KSGEN", 1);
        advance_us(bench, 5000);
        cr_expect_eq(peek(bench, "CCM.EVENTS_ENDCRYPT"), 1u);
        bench_free(bench);
    }
}
