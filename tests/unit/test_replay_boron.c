/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real firmware that waits is replayed, whatever the version: its idle loop is found, though parts of it, and
 * handlers that interrupt it, may have traces before.
 */
#include "core/replay.h"
#include "image/data_dir.h"
#include "scenario/device.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

static char versions[][8] = {"1.5.0", "1.5.2", "2.0.0", "2.0.1", "2.1.0", "2.2.0", "4.0.1", "4.0.2"};

ParameterizedTestParameters(replay_boron, waiting)
{
    return cr_make_param_array(char[8], versions, sizeof versions / sizeof versions[0]);
}

static void run_for(struct machine *machine, unsigned seconds)
{
    cr_assert_eq(machine_run(machine, machine->bus.clock.now + seconds * CYCLES_PER_SECOND), MACHINE_TIME,
                 "%s", machine_failure(machine));
}

ParameterizedTest(char (*version)[8], replay_boron, waiting)
{
    struct scenario scenario;
    struct board board;
    struct diag why = {0};
    char path[DATA_PATH_SIZE];
    struct machine *machine = calloc(1, sizeof *machine);
    const struct machine_options options = {.seed = 1, .speed = CPU_ALL_TRICKS};
    cr_assert_eq(data_path("scenarios/boot/listening.json", path, &why), 0, "%s", why.text);
    cr_assert_eq(scenario_load(&scenario, path, &why), 0, "%s", why.text);
    cr_assert_eq(scenario_override_version(&scenario, *version), 0);
    cr_assert_eq(board_load(&board, scenario.board, &why), 0, "%s", why.text);
    cr_assert_eq(machine_init(machine, &board, &options, &why), 0, "%s", why.text);
    struct device device = {.machine = machine, .scenario = &scenario};
    cr_assert_eq(device_prepare(&device, &why), 0, "%s", why.text);
    machine_power_on(machine, RAM_CLEARED);
    run_for(machine, 3);
    uint64_t blocks = machine->cpu.trail_next, replayed = replay_blocks(&machine->cpu);
    run_for(machine, 1);
    blocks = machine->cpu.trail_next - blocks;
    replayed = replay_blocks(&machine->cpu) - replayed;
    cr_expect_gt(replayed, blocks * 9 / 10, "%s: %lu of %lu blocks", *version, (unsigned long)replayed,
                 (unsigned long)blocks);
    machine_destroy(machine);
    free(machine);
    board_free(&board);
    scenario_free(&scenario);
}
