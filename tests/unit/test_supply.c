/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Supplies that sag: the line they follow, and what chip and parts make of it. */
#include "bench.h"

#include "core/supply.h"

struct rail {
    struct clock clock;
    struct supply supply;
    uint32_t vdd_mv, vddh_mv;
    unsigned steps;
    uint64_t lost_at;
};

static void changed(void *context, uint32_t vdd_mv, uint32_t vddh_mv)
{
    struct rail *rail = context;
    rail->vdd_mv = vdd_mv;
    rail->vddh_mv = vddh_mv;
    rail->steps++;
}

static void lost(void *context)
{
    struct rail *rail = context;
    rail->lost_at = rail->clock.now;
}

static struct rail *rail_new(void)
{
    struct rail *rail = calloc(1, sizeof *rail);
    cr_assert_not_null(rail);
    clock_init(&rail->clock);
    supply_init(&rail->supply, &rail->clock, changed, lost, rail);
    rail->vdd_mv = rail->vddh_mv = 3300;
    return rail;
}

/* Lets time go by until a cycle. */
static void until(struct rail *rail, uint64_t ms)
{
    clock_stall(&rail->clock, ms * CYCLES_PER_MS - rail->clock.now);
}

Test(supply, it_goes_down_in_a_straight_line_stays_and_comes_back)
{
    struct rail *rail = rail_new();
    supply_begin(&rail->supply, &(struct supply_sag){.mv = 2300,
                                                     .over = 100 * CYCLES_PER_MS,
                                                     .hold = 50 * CYCLES_PER_MS,
                                                     .then = SUPPLY_RECOVER});
    until(rail, 50);
    cr_expect_eq(rail->vdd_mv, 2800);
    cr_expect_eq(rail->vddh_mv, 2800);
    until(rail, 100);
    cr_expect_eq(rail->vdd_mv, 2300);
    cr_expect_eq(rail->steps, 100);
    until(rail, 149);
    cr_expect_eq(rail->vdd_mv, 2300);
    until(rail, 175);
    cr_expect_eq(rail->vdd_mv, 2550);
    until(rail, 300);
    cr_expect_eq(rail->vdd_mv, 3300);
    cr_expect_eq(rail->lost_at, 0);
    free(rail);
}

Test(supply, it_may_end_in_a_cut_or_stay)
{
    struct rail *rail = rail_new();
    supply_begin(&rail->supply,
                 &(struct supply_sag){.mv = 2000, .hold = 7 * CYCLES_PER_MS, .then = SUPPLY_CUT});
    until(rail, 1);
    cr_expect_eq(rail->vdd_mv, 2000);
    until(rail, 10);
    cr_expect_eq(rail->lost_at, 7 * CYCLES_PER_MS);
    supply_reset(&rail->supply);
    cr_expect_eq(rail->vdd_mv, 3300);
    supply_begin(&rail->supply, &(struct supply_sag){.mv = 2600, .vddh = true});
    until(rail, 1000);
    cr_expect_eq(rail->vdd_mv, 3300);
    cr_expect_eq(rail->vddh_mv, 2600);
    free(rail);
}

Test(supply, a_snapshot_in_the_middle_goes_on_alike)
{
    struct rail *rail = rail_new(), *other = rail_new();
    struct state state = {0};
    supply_begin(&rail->supply,
                 &(struct supply_sag){.mv = 2300, .over = 100 * CYCLES_PER_MS, .then = SUPPLY_RECOVER});
    until(rail, 30);
    state_begin_save(&state);
    supply_save(&rail->supply, &state);
    other->clock.now = rail->clock.now;
    state_begin_load(&state);
    supply_save(&other->supply, &state);
    cr_assert_eq(state.error, 0);
    for (uint64_t ms = 31; ms < 250; ms += 13) {
        until(rail, ms);
        until(other, ms);
        cr_assert_eq(other->vdd_mv, rail->vdd_mv, "%u ms", (unsigned)ms);
    }
    state_free(&state);
    free(rail);
    free(other);
}

static uint32_t ones(const struct bench *bench, uint32_t page)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < 4096; i++) {
        for (unsigned bit = 0; bit < 8; bit++)
            count += bench->soc.flash.data[page + i] >> bit & 1;
    }
    return count;
}

struct failing {
    struct bench *bench;
    struct event event;
};

static void fail(void *owner)
{
    power_set_supply(&((struct failing *)owner)->bench->soc.power, 1600, 1600);
}

/* The supply fails a quarter into the 85 ms of an erase that the CPU waits for. */
Test(supply, a_brown_out_within_an_erase_leaves_the_page_half_way)
{
    struct failing failing = {.bench = bench_new()};
    struct bench *bench = failing.bench;
    memset(bench->soc.flash.data + 0x1000, 0, 0x1000);
    event_init(&bench->bus.clock, &failing.event, fail, &failing);
    event_after(&bench->bus.clock, &failing.event, 85 * CYCLES_PER_MS / 4);
    poke(bench, "NVMC.CONFIG", 2);
    poke(bench, "NVMC.ERASEPAGE", 0x1000);
    uint32_t set = ones(bench, 0x1000);
    cr_expect(set > 32768 / 4 * 9 / 10 && set < 32768 / 4 * 11 / 10, "%u of 32768 bits", set);
    cr_expect_eq(ones(bench, 0x2000), 32768);
    bench_free(bench);
}

Test(supply, a_brown_out_after_an_erase_does_not_matter)
{
    struct bench *bench = bench_new();
    memset(bench->soc.flash.data + 0x1000, 0, 0x1000);
    poke(bench, "NVMC.CONFIG", 2);
    poke(bench, "NVMC.ERASEPAGE", 0x1000);
    power_set_supply(&bench->soc.power, 1600, 1600);
    cr_expect_eq(ones(bench, 0x1000), 32768);
    bench_free(bench);
}

Test(supply, a_brown_out_within_a_write_leaves_some_of_its_bits)
{
    struct failing failing = {.bench = bench_new()};
    struct bench *bench = failing.bench;
    event_init(&bench->bus.clock, &failing.event, fail, &failing);
    event_after(&bench->bus.clock, &failing.event, 20 * CYCLES_PER_US);
    poke(bench, "NVMC.CONFIG", 1);
    nvmc_store(&bench->soc.nvmc, 0x1000, 4, 0);
    uint32_t cleared = 32768 - ones(bench, 0x1000);
    cr_expect(cleared > 0 && cleared < 32, "%u of 32 bits", cleared);
    bench_free(bench);
}
