/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A workbench for peripheral tests: the whole nRF52840 on a bus, without a CPU. Registers are addressed by
 * their datasheet names, time is advanced by hand, and the level of each interrupt line is kept.
 */
#ifndef SOSIM_TESTS_BENCH_H
#define SOSIM_TESTS_BENCH_H

#include "nrf52840/nrf52840.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct bus bus;
    struct nrf52840 soc;
    uint8_t *ram;
    bool irq[64];
    int resets;
    enum reset_cause last_reset;
    int findings;
    char last_finding[256];
};

static void bench_irq(void *context, unsigned irq, bool level)
{
    ((struct bench *)context)->irq[irq] = level;
}

static void bench_reset_asked(void *context, enum reset_cause cause)
{
    struct bench *bench = context;
    bench->resets++;
    bench->last_reset = cause;
}

static void bench_finding(void *context, uint64_t cycle, const void *what)
{
    struct bench *bench = context;
    (void)cycle;
    bench->findings++;
    snprintf(bench->last_finding, sizeof bench->last_finding, "%s", ((const struct finding *)what)->text);
}

static inline struct bench *bench_new(void)
{
    struct bench *bench = calloc(1, sizeof *bench);
    cr_assert_not_null(bench);
    bench->ram = calloc(1, NRF52840_RAM_SIZE);
    cr_assert_eq(bus_init(&bench->bus, bench->ram, NRF52840_RAM_SIZE, 1), 0);
    cr_assert_eq(nrf52840_init(&bench->soc, &bench->bus), 0);
    bench->bus.irq = bench_irq;
    bench->bus.irq_context = bench;
    bench->bus.reset = bench_reset_asked;
    bench->bus.reset_context = bench;
    signal_subscribe(&bench->bus.signals, SIGNAL_FINDING, bench_finding, bench);
    bus_reset(&bench->bus, RESET_POWER_ON);
    return bench;
}

static inline void bench_free(struct bench *bench)
{
    nrf52840_destroy(&bench->soc);
    bus_destroy(&bench->bus);
    free(bench->ram);
    free(bench);
}

/* A moment of the chip to come back to. RAM and what a test attaches stay as they are. */
struct moment {
    struct state state;
    uint64_t now;
};

static inline struct moment bench_save(struct bench *bench)
{
    struct moment moment = {.now = bench->bus.clock.now};
    state_begin_save(&moment.state);
    bus_save(&bench->bus, &moment.state);
    cr_assert_eq(moment.state.error, 0);
    return moment;
}

/* Goes back; the moment is used up. */
static inline void bench_restore(struct bench *bench, struct moment *moment)
{
    bench->bus.clock.now = moment->now;
    state_begin_load(&moment->state);
    bus_save(&bench->bus, &moment->state);
    cr_assert_eq(moment->state.error, 0);
    state_free(&moment->state);
}

static inline uint32_t bench_address(struct bench *bench, const char *name)
{
    uint32_t address = bus_register_address(&bench->bus, name);
    cr_assert_neq(address, 0u, "no register is called %s", name);
    return address;
}

static inline void poke(struct bench *bench, const char *name, uint32_t value)
{
    cr_assert_eq(bus_write(&bench->bus, bench_address(bench, name), 4, value), 0);
}

static inline uint32_t peek(struct bench *bench, const char *name)
{
    uint32_t value = 0;
    cr_assert_eq(bus_read(&bench->bus, bench_address(bench, name), 4, &value), 0);
    return value;
}

/* Lets `cycles` of the 64 MHz clock go by, running each event at its own cycle. */
static inline void advance(struct bench *bench, uint64_t cycles)
{
    clock_stall(&bench->bus.clock, cycles);
}

static inline void advance_us(struct bench *bench, uint64_t us)
{
    advance(bench, us * CYCLES_PER_US);
}

#endif
