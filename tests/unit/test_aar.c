/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#define PACKET 0x20000000u
#define KEYS   0x20000100u

/* Bluetooth Core Specification, vol. 3 part H, D.7: ah(IRK, 708194) = 0dfbaa. */
static const uint8_t irk[16] = {0xec, 0x02, 0x34, 0xa3, 0x57, 0xc8, 0xad, 0x05,
                                0x34, 0x10, 0x10, 0xa6, 0x0a, 0x39, 0x7d, 0x9b};
static const uint8_t address[6] = {0xaa, 0xfb, 0x0d, 0x94, 0x81, 0x70};

static struct bench *bench_with_keys(unsigned keys, unsigned right)
{
    struct bench *bench = bench_new();
    memcpy(bench->ram + 3, address, sizeof address);
    if (right < keys)
        memcpy(bench->ram + 0x100 + 16 * right, irk, sizeof irk);
    poke(bench, "CCM.ENABLE", 3);
    poke(bench, "AAR.NIRK", keys);
    poke(bench, "AAR.IRKPTR", KEYS);
    poke(bench, "AAR.ADDRPTR", PACKET);
    return bench;
}

Test(aar, resolves_the_specifications_sample_address)
{
    struct bench *bench = bench_with_keys(8, 5);
    poke(bench, "AAR.INTENSET", 1u << 1);
    poke(bench, "AAR.TASKS_START", 1);
    advance_us(bench, 1 + 6 * 6 - 1);
    cr_expect_eq(peek(bench, "AAR.EVENTS_END"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "AAR.EVENTS_END"), 1u);
    cr_expect_eq(peek(bench, "AAR.EVENTS_RESOLVED"), 1u);
    cr_expect_eq(peek(bench, "AAR.EVENTS_NOTRESOLVED"), 0u);
    cr_expect_eq(peek(bench, "AAR.STATUS"), 5u);
    cr_expect(bench->irq[15]);
    bench_free(bench);
}

Test(aar, unknown_address_takes_49_us_for_eight_keys)
{
    struct bench *bench = bench_with_keys(8, 9);
    poke(bench, "AAR.TASKS_START", 1);
    advance_us(bench, 48);
    cr_expect_eq(peek(bench, "AAR.EVENTS_NOTRESOLVED"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "AAR.EVENTS_NOTRESOLVED"), 1u);
    cr_expect_eq(peek(bench, "AAR.EVENTS_RESOLVED"), 0u);
    bench_free(bench);
}

Test(aar, ccm_has_the_page_unless_aar_is_enabled)
{
    struct bench *bench = bench_with_keys(1, 0);
    poke(bench, "CCM.ENABLE", 2);
    poke(bench, "AAR.TASKS_START", 1); /* the same address is CCM's KSGEN now */
    advance_us(bench, 100);
    cr_expect_eq(peek(bench, "AAR.EVENTS_RESOLVED"), 0u);
    cr_expect_eq(peek(bench, "CCM.EVENTS_ENDKSGEN"), 1u);
    bench_free(bench);
}

Test(aar, stop_ends_early)
{
    struct bench *bench = bench_with_keys(8, 9);
    poke(bench, "AAR.TASKS_START", 1);
    advance_us(bench, 10);
    poke(bench, "AAR.TASKS_STOP", 1);
    cr_expect_eq(peek(bench, "AAR.EVENTS_END"), 1u);
    advance_us(bench, 100);
    cr_expect_eq(peek(bench, "AAR.EVENTS_NOTRESOLVED"), 0u);
    bench_free(bench);
}
