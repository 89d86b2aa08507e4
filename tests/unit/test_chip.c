/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What holds for the chip as a whole, whatever firmware does to its registers. */
#include "bench.h"

/* The blocks that need nothing but time and pins; the others have parts and buffers of their own to think of.
 */
static const uint32_t pages[] = {
    0x40000000, 0x40005000, 0x40006000, 0x40008000, 0x40009000, 0x4000a000, 0x4000b000,
    0x4000c000, 0x4000d000, 0x40010000, 0x40011000, 0x40014000, 0x4001a000, 0x4001b000,
    0x4001e000, 0x4001f000, 0x40020000, 0x40024000, 0x50000000, 0x10000000, 0x10001000,
};

#define PAGES (sizeof pages / sizeof pages[0])

static uint32_t pick_register(struct bench *bench, uint64_t *stream)
{
    uint32_t page = pages[random_next(stream) % PAGES];
    for (;;) {
        uint32_t address = page + (random_next(stream) & 0xffc);
        char name[64];
        if (bus_register_name(&bench->bus, address, name, sizeof name)[0] != '0')
            return address;
    }
}

/* Small values, single bits, addresses of registers and anything at all, as firmware and its bugs would. */
static uint32_t pick_value(struct bench *bench, uint64_t *stream)
{
    switch (random_next(stream) % 6) {
    case 0:
    case 1:
        return random_next(stream) & 3;
    case 2:
        return 1u << (random_next(stream) & 31);
    case 3:
        return pick_register(bench, stream);
    case 4:
        return random_next(stream) & 0xffff;
    default:
        return random_next(stream);
    }
}

static void disturb(struct bench *bench, uint64_t *stream, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        uint32_t address = pick_register(bench, stream);
        uint32_t value;
        if (random_next(stream) % 4)
            bus_write(&bench->bus, address, 4, pick_value(bench, stream));
        else
            bus_read(&bench->bus, address, 4, &value);
        if (random_next(stream) % 8 == 0)
            advance(bench, random_next(stream) % 20000);
    }
}

Test(chip, random_accesses_end_and_repeat, .timeout = 120)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t hash[2], cycle[2];
        for (unsigned run = 0; run < 2; run++) {
            struct bench *bench = bench_new();
            uint64_t stream = seed;
            disturb(bench, &stream, 3000);
            hash[run] = bench->bus.signals.trace_hash;
            cycle[run] = bench->bus.clock.now;
            bench_free(bench);
        }
        cr_expect_eq(hash[0], hash[1]);
        cr_expect_eq(cycle[0], cycle[1]);
    }
}

static void save_chip(struct bench *bench, struct state *state)
{
    state_var(state, bench->bus.clock.now);
    state_var(state, bench->bus.signals.trace_hash);
    nrf52840_save(&bench->soc, state);
    bus_save(&bench->bus, state);
}

/* Whatever a block forgets to save makes the second future differ from the first. */
Test(chip, a_restored_chip_has_the_same_future, .timeout = 120)
{
    for (uint64_t seed = 100; seed < 112; seed++) {
        struct bench *bench = bench_new();
        uint64_t stream = seed;
        disturb(bench, &stream, 1500);
        struct state state = {0}, end[2] = {{0}, {0}};
        state_begin_save(&state);
        save_chip(bench, &state);
        for (unsigned run = 0; run < 2; run++) {
            uint64_t again = stream;
            if (run == 1) {
                bus_reset(&bench->bus, RESET_POWER_ON);
                state_begin_load(&state);
                save_chip(bench, &state);
                cr_assert_eq(state.error, 0);
            }
            disturb(bench, &again, 500);
            state_begin_save(&end[run]);
            save_chip(bench, &end[run]);
        }
        cr_assert_eq(end[0].size, end[1].size);
        cr_expect_eq(memcmp(end[0].data, end[1].data, end[0].size), 0, "seed %u", (unsigned)seed);
        state_free(&state);
        state_free(&end[0]);
        state_free(&end[1]);
        bench_free(bench);
    }
}

Test(chip, every_reset_leaves_interrupt_lines_low)
{
    static const enum reset_cause causes[] = {RESET_POWER_ON, RESET_PIN,      RESET_SOFT,    RESET_LOCKUP,
                                              RESET_WATCHDOG, RESET_OFF_WAKE, RESET_BROWNOUT};
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        struct bench *bench = bench_new();
        uint64_t stream = 7 + i;
        disturb(bench, &stream, 1000);
        bus_reset(&bench->bus, causes[i]);
        for (unsigned irq = 0; irq < 48; irq++)
            cr_expect_not(bench->irq[irq], "line %u after %s", irq, reset_cause_name(causes[i]));
        bench_free(bench);
    }
}

/* Whatever software writes to a register that can only be read, it reads as before. */
static unsigned write_read_only_registers(struct bench *bench, struct block *block, const struct face *face)
{
    unsigned tried = 0;
    for (size_t i = 0; i < face->reg_count; i++) {
        const struct reg *reg = &face->regs[i];
        /* CC_DOUT's DOUT_BUFFER can be read, and CC_DIN's DIN_BUFFER at the same place written. */
        if (reg->access != REG_R || strcmp(reg->name, "DOUT_BUFFER") == 0)
            continue;
        uint32_t before = block_get(block, reg->offset);
        cr_assert_eq(bus_write(&bench->bus, block->base + reg->offset, 4, ~before), 0);
        cr_expect_eq(block_get(block, reg->offset), before, "%s.%s was written", face->name, reg->name);
        tried++;
    }
    return tried;
}

Test(chip, read_only_registers_cannot_be_written)
{
    struct bench *bench = bench_new();
    unsigned tried = 0;
    for (unsigned b = 0; b < bench->bus.blocks; b++) {
        struct block *block = bench->bus.block[b];
        for (unsigned f = 0; f < block->faces; f++) {
            const struct face *face = &block->face[f];
            if (!face->active || face->active(face->self))
                tried += write_read_only_registers(bench, block, face);
        }
    }
    cr_expect_gt(tried, 80u);
    bench_free(bench);
}
