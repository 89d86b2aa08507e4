/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a sweep does again and again: a device a second into its life is saved, restored into the same
 * machine, and forked: another machine is made beside it and restored. Prints the milliseconds that each
 * takes, at best, with caches as they are after the device has lived on for a while.
 *
 * Not measured: to unmake the other machine, and what the first blocks of code cost that are translated anew,
 * and pages of memory that are copied when they are first written to.
 *
 *   machine SCENARIO.json
 */
#include "core/machine.h"
#include "scenario/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 20

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "machine: %s\n", what);
        exit(1);
    }
}

static void restore(struct machine *machine, struct state *state)
{
    state_begin_load(state);
    machine_save(machine, state);
    require(!state->error, "cannot restore");
}

static void run_on(struct machine *machine)
{
    require(machine_run(machine, machine->bus.clock.now + 10 * CYCLES_PER_MS) == MACHINE_TIME,
            "the emulator stopped");
}

/* The least time that a step takes; the device lives on for a while after each, as it would in a sweep. */
static double best_of(void (*step)(struct machine *, struct state *), struct machine *machine,
                      struct state *state)
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double from = now_ms();
        step(machine, state);
        double took = now_ms() - from;
        best = took < best ? took : best;
        run_on(machine);
    }
    return best;
}

static void save(struct machine *machine, struct state *state)
{
    state_begin_save(state);
    machine_save(machine, state);
    require(!state->error, "cannot save");
}

static double best_fork(struct machine *machine, struct state *state)
{
    const struct machine_options options = {.seed = 1, .speed = machine->cpu.speed};
    struct machine *other = calloc(1, sizeof *other);
    double best = 1e9;
    require(other, "out of memory");
    for (int round = 0; round < ROUNDS; round++) {
        struct diag why;
        double from = now_ms();
        require(!machine_init(other, machine->board, &options, &why), "cannot make a machine");
        restore(other, state);
        double took = now_ms() - from;
        best = took < best ? took : best;
        require(machine_trace_hash(other) == machine_trace_hash(machine), "the other machine is another");
        run_on(other);
        machine_destroy(other);
    }
    free(other);
    return best;
}

int main(int argc, char **argv)
{
    struct scenario scenario;
    struct board board;
    struct state state = {0};
    struct diag why;
    struct machine *machine = calloc(1, sizeof *machine);
    const struct machine_options options = {.seed = 1, .speed = CPU_ALL_TRICKS};
    require(argc == 2 && machine, "usage: machine SCENARIO.json");
    require(!scenario_load(&scenario, argv[1], &why), "cannot load the scenario");
    require(!board_load(&board, scenario.board, &why), "cannot load the board");
    require(!machine_init(machine, &board, &options, &why), "cannot make a machine");
    struct device device = {.machine = machine, .scenario = &scenario};
    require(!device_prepare(&device, &why), "cannot prepare the device");
    machine_power_on(machine, RAM_CLEARED);
    require(machine_run(machine, CYCLES_PER_SECOND) == MACHINE_TIME, "the emulator stopped");
    printf("save %.3f\n", best_of(save, machine, &state));
    printf("restore %.3f\n", best_of(restore, machine, &state));
    save(machine, &state);
    printf("fork %.3f\n", best_fork(machine, &state));
    printf("size %.0f\n", (double)state.size / 1024);
    state_free(&state);
    machine_destroy(machine);
    free(machine);
    board_free(&board);
    scenario_free(&scenario);
    return 0;
}
