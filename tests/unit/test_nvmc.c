/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#define WEN 1u
#define EEN 2u

static uint32_t flash_word(struct bench *bench, uint32_t address)
{
    uint32_t word;
    memcpy(&word, bench->soc.flash.data + address, 4);
    return word;
}

static bool from_ram(void *context)
{
    (void)context;
    return false;
}

static enum nor_fault cut_power(void *context, struct nor *nor, const struct flash_op *op,
                                const uint8_t *bytes)
{
    (void)context, (void)nor, (void)op, (void)bytes;
    return NOR_FAULT_CUT;
}

Test(nvmc, a_store_without_wen_does_nothing_and_is_told_once)
{
    struct bench *bench = bench_new();
    cr_expect_eq(nvmc_store(&bench->soc.nvmc, 0, 1, 0), 0);
    cr_expect_eq(nvmc_store(&bench->soc.nvmc, 0, 1, 0), 0);
    cr_expect_eq(flash_word(bench, 0), 0xffffffffu);
    cr_expect_eq(bench->findings, 1);
    cr_expect_eq(bench->bus.clock.now, 0u);
    bench_free(bench);
}

Test(nvmc, a_word_takes_41_us_and_only_clears_bits)
{
    struct bench *bench = bench_new();
    poke(bench, "NVMC.CONFIG", WEN);
    cr_expect_eq(nvmc_store(&bench->soc.nvmc, 0x30004, 4, 0xf0f01234), 0);
    cr_expect_eq(bench->bus.clock.now, 41 * CYCLES_PER_US);
    cr_expect_eq(flash_word(bench, 0x30004), 0xf0f01234u);
    nvmc_store(&bench->soc.nvmc, 0x30004, 4, 0x0f0fffff);
    cr_expect_eq(flash_word(bench, 0x30004), 0x00001234u);
    cr_expect_eq(bench->soc.flash.programs, 2u);
    bench_free(bench);
}

Test(nvmc, less_than_a_word_is_a_bus_error)
{
    struct bench *bench = bench_new();
    poke(bench, "NVMC.CONFIG", WEN);
    cr_expect_eq(nvmc_store(&bench->soc.nvmc, 0x1000, 2, 0), -1);
    cr_expect_eq(nvmc_store(&bench->soc.nvmc, 0x1002, 4, 0), -1);
    cr_expect_eq(flash_word(bench, 0x1000), 0xffffffffu);
    bench_free(bench);
}

Test(nvmc, page_erase_takes_85_ms_and_needs_een)
{
    struct bench *bench = bench_new();
    memset(bench->soc.flash.data + 0xff0, 0, 0x1020);
    poke(bench, "NVMC.CONFIG", WEN);
    poke(bench, "NVMC.ERASEPAGE", 0x1000);
    cr_expect_eq(flash_word(bench, 0x1000), 0u);
    poke(bench, "NVMC.CONFIG", EEN);
    poke(bench, "NVMC.ERASEPAGE", 0x1000);
    cr_expect_eq(bench->bus.clock.now, 85 * CYCLES_PER_MS);
    cr_expect_eq(flash_word(bench, 0xffc), 0u);
    cr_expect_eq(flash_word(bench, 0x1000), 0xffffffffu);
    cr_expect_eq(flash_word(bench, 0x1ffc), 0xffffffffu);
    cr_expect_eq(flash_word(bench, 0x2000), 0u);
    poke(bench, "NVMC.ERASEPAGE", 0x100000);
    cr_expect_eq(bench->soc.flash.erases, 1u);
    bench_free(bench);
}

Test(nvmc, code_in_ram_goes_on_and_polls_ready)
{
    struct bench *bench = bench_new();
    bench->bus.fetching_flash = from_ram;
    poke(bench, "NVMC.CONFIG", EEN);
    poke(bench, "NVMC.ERASEPAGE", 0);
    cr_expect_eq(bench->bus.clock.now, 0u);
    cr_expect_eq(peek(bench, "NVMC.READY"), 0u);
    advance(bench, 85 * CYCLES_PER_MS - 1);
    cr_expect_eq(peek(bench, "NVMC.READY"), 0u);
    advance(bench, 1);
    cr_expect_eq(peek(bench, "NVMC.READY"), 1u);
    poke(bench, "NVMC.ERASEPAGE", 0);
    poke(bench, "NVMC.ERASEPCR0", 0x1000);
    cr_expect_eq(bench->bus.clock.now, 170 * CYCLES_PER_MS, "the second waits for the first");
    bench_free(bench);
}

Test(nvmc, partial_erases_add_up)
{
    struct bench *bench = bench_new();
    memset(bench->soc.flash.data, 0, 4);
    poke(bench, "NVMC.CONFIG", EEN);
    poke(bench, "NVMC.ERASEPAGEPARTIALCFG", 30);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(flash_word(bench, 0), 0u);
        poke(bench, "NVMC.ERASEPAGEPARTIAL", 0);
    }
    cr_expect_eq(flash_word(bench, 0), 0xffffffffu);
    cr_expect_eq(bench->bus.clock.now, 90 * CYCLES_PER_MS);
    bench_free(bench);
}

Test(nvmc, erase_all_takes_uicr_along)
{
    struct bench *bench = bench_new();
    memset(bench->soc.flash.data + 0xff000, 0, 4);
    poke(bench, "NVMC.CONFIG", WEN);
    cr_expect_eq(nvmc_store(&bench->soc.nvmc, 0x10001018, 4, 0x2f000), 0);
    cr_expect_eq(peek(bench, "UICR.NRFFW[1]"), 0x2f000u);
    poke(bench, "NVMC.CONFIG", EEN);
    uint64_t start = bench->bus.clock.now;
    poke(bench, "NVMC.ERASEALL", 1);
    cr_expect_eq(bench->bus.clock.now - start, 169 * CYCLES_PER_MS);
    cr_expect_eq(flash_word(bench, 0xff000), 0xffffffffu);
    cr_expect_eq(peek(bench, "UICR.NRFFW[1]"), 0xffffffffu);
    bench_free(bench);
}

Test(nvmc, a_power_cut_stops_at_once)
{
    struct bench *bench = bench_new();
    bench->soc.flash.fault = cut_power;
    poke(bench, "NVMC.CONFIG", WEN);
    nvmc_store(&bench->soc.nvmc, 0x1000, 4, 0);
    poke(bench, "NVMC.CONFIG", EEN);
    poke(bench, "NVMC.ERASEPAGE", 0x1000);
    cr_expect_eq(bench->bus.clock.now, 0u);
    bench_free(bench);
}

Test(nvmc, nothing_is_written_under_a_power_fail_warning)
{
    struct bench *bench = bench_new();
    memset(bench->soc.flash.data + 0x1000, 0, 4);
    poke(bench, "POWER.POFCON", 1 | 15u << 1);
    power_set_supply(&bench->soc.power, 2700, 2700);
    poke(bench, "NVMC.CONFIG", WEN);
    cr_expect_eq(nvmc_store(&bench->soc.nvmc, 0x2000, 4, 0), 0);
    poke(bench, "NVMC.CONFIG", EEN);
    poke(bench, "NVMC.ERASEPAGE", 0x1000);
    cr_expect_eq(flash_word(bench, 0x1000), 0u);
    cr_expect_eq(flash_word(bench, 0x2000), 0xffffffffu);
    cr_expect_eq(bench->soc.flash.operations, 0u);
    poke(bench, "POWER.POFCON", 0);
    poke(bench, "NVMC.ERASEPAGE", 0x1000);
    cr_expect_eq(flash_word(bench, 0x1000), 0xffffffffu);
    bench_free(bench);
}

Test(nvmc, ficr_takes_no_store_and_nothing_lies_behind_flash)
{
    struct bench *bench = bench_new();
    poke(bench, "NVMC.CONFIG", WEN);
    cr_expect_eq(nvmc_store(&bench->soc.nvmc, 0x10000010, 4, 0), 0);
    cr_expect_eq(peek(bench, "FICR.CODEPAGESIZE"), 0x1000u);
    cr_expect_eq(nvmc_store(&bench->soc.nvmc, 0x100000, 4, 0), -1);
    cr_expect_eq(bench->soc.flash.operations, 0u);
    bench_free(bench);
}

Test(acl, a_protected_page_refuses_until_reset)
{
    struct bench *bench = bench_new();
    poke(bench, "ACL.ACL[1].ADDR", 0x2000);
    poke(bench, "ACL.ACL[1].SIZE", 0x1000);
    poke(bench, "ACL.ACL[1].PERM", 2);
    poke(bench, "ACL.ACL[1].SIZE", 0);
    poke(bench, "NVMC.CONFIG", WEN);
    nvmc_store(&bench->soc.nvmc, 0x2ffc, 4, 0);
    nvmc_store(&bench->soc.nvmc, 0x3000, 4, 0);
    cr_expect_eq(flash_word(bench, 0x2ffc), 0xffffffffu);
    cr_expect_eq(flash_word(bench, 0x3000), 0u);
    poke(bench, "NVMC.CONFIG", EEN);
    poke(bench, "NVMC.ERASEALL", 1);
    cr_expect_eq(flash_word(bench, 0x3000), 0u);
    bus_reset(&bench->bus, RESET_SOFT);
    poke(bench, "NVMC.CONFIG", WEN);
    nvmc_store(&bench->soc.nvmc, 0x2ffc, 4, 0);
    cr_expect_eq(flash_word(bench, 0x2ffc), 0u);
    bench_free(bench);
}
