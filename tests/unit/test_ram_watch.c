/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which bytes of RAM count, seen from what happens when the others hold something else: Device OS 2.0.1 runs
 * for a while, is watched, and runs the same while once more with every byte changed that it did not read.
 */
#include "boron.h"

#include "core/ram_watch.h"

#include <criterion/criterion.h>

#define WHILE_MS 60u
#define MOMENTS  8u

static void save(struct machine *machine, struct state *state)
{
    state_begin_save(state);
    machine_save(machine, state);
    cr_assert_eq(state->error, 0);
}

static void load(struct machine *machine, struct state *state)
{
    state_begin_load(state);
    machine_save(machine, state);
    cr_assert_eq(state->error, 0);
}

static void expect_same_machine(const struct state *a, const struct state *b, const char *what, unsigned ms)
{
    cr_assert_eq(a->size, b->size);
    cr_expect_eq(memcmp(a->data, b->data, a->size), 0, "%s at %u ms", what, ms);
}

/* RAM as it is after the while, if it began with other bytes where they were not read. */
static unsigned expected_ram(const uint8_t *after, const uint8_t *before, const uint8_t *seen, uint8_t *ram)
{
    unsigned changed = 0;
    for (uint32_t at = 0; at < NRF52840_RAM_SIZE; at++) {
        ram[at] = seen[at] == RAM_SEEN_NOT ? (uint8_t)~before[at] : after[at];
        changed += seen[at] == RAM_SEEN_WRITTEN;
    }
    return changed;
}

Test(ram_watch, bytes_that_were_not_read_do_not_matter, .timeout = 300)
{
    struct boron *boron = boron_new("2.0.1");
    struct machine *machine = &boron->machine;
    struct state begin = {0}, plain = {0}, end = {0}, full = {0};
    uint8_t *seen = malloc(NRF52840_RAM_SIZE), *before = malloc(NRF52840_RAM_SIZE);
    uint8_t *after = malloc(NRF52840_RAM_SIZE), *ram = malloc(NRF52840_RAM_SIZE);
    plain.without_content = end.without_content = true;
    machine_power_on(machine, RAM_CLEARED);
    for (unsigned moment = 0; moment < MOMENTS; moment++) {
        boron_run_ms(boron, 97);
        unsigned ms = (unsigned)machine_ms(machine);
        save(machine, &begin);
        memcpy(before, machine->ram, NRF52840_RAM_SIZE);
        boron_run_ms(boron, WHILE_MS);
        save(machine, &plain);
        memcpy(after, machine->ram, NRF52840_RAM_SIZE);
        uint64_t trace = machine->bus.signals.trace_hash;
        save(machine, &full);

        load(machine, &begin);
        memset(seen, 0, NRF52840_RAM_SIZE);
        cr_assert_eq(ram_watch_begin(&machine->cpu, seen), 0);
        boron_run_ms(boron, WHILE_MS);
        ram_watch_end(&machine->cpu);
        save(machine, &end);
        expect_same_machine(&plain, &end, "watched", ms);
        cr_expect_arr_eq(machine->ram, after, NRF52840_RAM_SIZE);
        cr_expect_eq(machine->bus.signals.trace_hash, trace);

        load(machine, &begin);
        for (uint32_t at = 0; at < NRF52840_RAM_SIZE; at++)
            machine->ram[at] = seen[at] == RAM_SEEN_READ ? before[at] : (uint8_t)~before[at];
        boron_run_ms(boron, WHILE_MS);
        save(machine, &end);
        expect_same_machine(&plain, &end, "with other bytes", ms);
        cr_expect_eq(machine->bus.signals.trace_hash, trace);
        cr_expect_gt(expected_ram(after, before, seen, ram), 0);
        cr_expect(!memcmp(machine->ram, ram, NRF52840_RAM_SIZE), "RAM at %u ms", ms);
        load(machine, &full);
    }
    free(seen);
    free(before);
    free(after);
    free(ram);
    state_free(&begin);
    state_free(&plain);
    state_free(&end);
    state_free(&full);
    boron_free(boron);
}

/* One that is read matters: else the test above would say nothing of reads that go unseen. */
Test(ram_watch, a_byte_that_is_read_is_seen)
{
    struct boron *boron = boron_new("2.0.1");
    struct machine *machine = &boron->machine;
    uint8_t *seen = calloc(1, NRF52840_RAM_SIZE), byte;
    machine_power_on(machine, RAM_CLEARED);
    cr_assert_eq(ram_watch_begin(&machine->cpu, seen), 0);
    cr_assert_eq(dma_read(&machine->bus, 0x20000100u, &byte, 1), 0);
    cr_assert_eq(dma_write(&machine->bus, 0x20000101u, &byte, 1), 0);
    cr_assert_eq(dma_read(&machine->bus, 0x20000101u, &byte, 1), 0);
    cr_assert_eq(cpu_peek(&machine->cpu, 0x20000102u, &byte, 1), 0);
    cr_assert_eq(cpu_poke(&machine->cpu, 0x20000102u, &byte, 1), 0);
    ram_watch_end(&machine->cpu);
    cr_assert_eq(cpu_peek(&machine->cpu, 0x20000103u, &byte, 1), 0);
    cr_expect_eq(seen[0x100], RAM_SEEN_READ);
    cr_expect_eq(seen[0x101], RAM_SEEN_WRITTEN);
    cr_expect_eq(seen[0x102], RAM_SEEN_READ);
    cr_expect_eq(seen[0x103], RAM_SEEN_NOT);
    free(seen);
    boron_free(boron);
}
