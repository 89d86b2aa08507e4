/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run is the same run however it is executed: with the tricks of speed on or off, in one go or in many
 * small ones, and from any snapshot. The firmware is the published Device OS 2.0.1; the oracle is the trace
 * hash, which covers every signal so far and all memories.
 */
#include "core/machine.h"
#include "image/data_dir.h"
#include "scenario/device.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct story {
    struct scenario scenario;
    struct board board;
};

static struct story *story_new(const char *name)
{
    struct story *story = calloc(1, sizeof *story);
    struct diag why = {0};
    char path[DATA_PATH_SIZE], relative[256];
    snprintf(relative, sizeof relative, "scenarios/%s.json", name);
    cr_assert_eq(data_path(relative, path, &why), 0, "%s", why.text);
    cr_assert_eq(scenario_load(&story->scenario, path, &why), 0, "%s", why.text);
    cr_assert_eq(board_load(&story->board, "boron", &why), 0, "%s", why.text);
    return story;
}

static void story_free(struct story *story)
{
    board_free(&story->board);
    scenario_free(&story->scenario);
    free(story);
}

/* A machine made ready for the scenario, with power; `started` false leaves it empty and dark. */
static struct machine *new_machine(struct story *story, struct cpu_speed speed, bool started)
{
    struct machine *machine = calloc(1, sizeof *machine);
    struct diag why = {0};
    const struct machine_options options = {.seed = 1, .speed = speed};
    cr_assert_eq(machine_init(machine, &story->board, &options, &why), 0, "%s", why.text);
    if (!started)
        return machine;
    struct device device = {.machine = machine, .scenario = &story->scenario};
    cr_assert_eq(device_prepare(&device, &why), 0, "%s", why.text);
    machine_power_on(machine, RAM_CLEARED);
    return machine;
}

static void free_machine(struct machine *machine)
{
    machine_destroy(machine);
    free(machine);
}

static void run_to(struct machine *machine, uint64_t cycle)
{
    cr_assert_eq(machine_run(machine, cycle), MACHINE_TIME, "%s", machine_failure(machine));
}

static const struct cpu_speed fast = CPU_ALL_TRICKS;

#define MS(n) ((n)*CYCLES_PER_MS)

static uint64_t hash_after(struct story *story, struct cpu_speed speed, uint64_t cycles, uint64_t step)
{
    struct machine *machine = new_machine(story, speed, true);
    for (uint64_t at = step; at < cycles; at += step)
        run_to(machine, at);
    run_to(machine, cycles);
    uint64_t hash = machine_trace_hash(machine);
    cr_expect_geq(machine->bus.clock.now, cycles, "it ran");
    free_machine(machine);
    return hash;
}

Test(same_run, with_and_without_tricks)
{
    struct story *story = story_new("boot/provisioned");
    const struct cpu_speed slow = {0}, stores = {.inline_stores = true}, spins = {.skip_spins = true},
                           loops = {.replay_loops = true}, hooks = {.short_hooks = true},
                           registers = {.direct_registers = true},
                           hot = {.skip_spins = true, .hot_loops = true};
    uint64_t hash = hash_after(story, fast, MS(400), MS(400));
    cr_expect_eq(hash_after(story, slow, MS(400), MS(400)), hash, "without any trick");
    cr_expect_eq(hash_after(story, stores, MS(400), MS(400)), hash, "with inline stores alone");
    cr_expect_eq(hash_after(story, spins, MS(400), MS(400)), hash, "with spin skipping alone");
    cr_expect_eq(hash_after(story, loops, MS(400), MS(400)), hash, "with loops replayed alone");
    cr_expect_eq(hash_after(story, hooks, MS(400), MS(400)), hash, "with short hooks alone");
    cr_expect_eq(hash_after(story, registers, MS(400), MS(400)), hash, "with direct registers alone");
    cr_expect_eq(hash_after(story, hot, MS(400), MS(400)), hash, "with spins and hot loops alone");
    cr_expect_neq(hash_after(story, fast, MS(401), MS(401)), hash, "the hash tells runs apart");
    story_free(story);
}

Test(same_run, in_steps_of_any_size)
{
    struct story *story = story_new("boot/provisioned");
    uint64_t hash = hash_after(story, fast, MS(400), MS(400));
    static const uint64_t steps[] = {MS(7), 64321, 9973, 1009};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        cr_expect_eq(hash_after(story, fast, MS(400), steps[i]), hash, "in steps of %lu cycles",
                     (unsigned long)steps[i]);
    story_free(story);
}

/* Snapshots at many places; each is restored into a new machine and into one that has run elsewhere. */
static void compare_snapshots(const char *name, uint64_t until, unsigned snapshots, uint64_t further)
{
    struct story *story = story_new(name);
    struct machine *original = new_machine(story, fast, true);
    struct machine *used = new_machine(story, fast, true);
    run_to(used, until / 2);
    for (unsigned i = 1; i <= snapshots; i++) {
        uint64_t at = until * i / snapshots + i * 1237;
        run_to(original, at);
        struct state state = {0};
        state_begin_save(&state);
        machine_save(original, &state);
        cr_assert_eq(state.error, 0);
        uint64_t saved = machine_trace_hash(original);
        run_to(original, at + further);
        uint64_t hash = machine_trace_hash(original);
        cr_expect_neq(hash, saved);

        struct machine *fresh = new_machine(story, fast, false);
        struct machine *both[] = {fresh, used};
        /* One of the machines may have lost power. */
        if (i % 2)
            machine_power_off(used);
        for (unsigned m = 0; m < 2; m++) {
            state_begin_load(&state);
            machine_save(both[m], &state);
            cr_assert_eq(state.error, 0);
            cr_assert_eq(state.position, state.size);
            cr_expect_eq(machine_trace_hash(both[m]), saved, "%s: restored at %lu", name, (unsigned long)at);
            run_to(both[m], at + further);
            cr_expect_eq(machine_trace_hash(both[m]), hash, "%s: %s machine from the snapshot at %lu", name,
                         m ? "used" : "new", (unsigned long)at);
        }
        free_machine(fresh);
        state_free(&state);
    }
    free_machine(original);
    free_machine(used);
    story_free(story);
}

Test(same_run, from_snapshots_of_a_start)
{
    compare_snapshots("boot/provisioned", MS(1200), 24, MS(40));
}

Test(same_run, from_snapshots_while_the_file_system_is_formatted)
{
    compare_snapshots("boot/blank-external-flash", MS(900), 12, MS(60));
}

Test(same_run, from_an_early_snapshot_for_long)
{
    compare_snapshots("boot/provisioned", MS(300), 1, MS(2000));
}
