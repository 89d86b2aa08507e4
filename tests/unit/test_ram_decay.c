/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ram_decay.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/machine.h"

#define SIZE 65536u

static unsigned differing(const uint8_t *a, const uint8_t *b)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < SIZE; i++) {
        for (unsigned bit = 0; bit < 8; bit++)
            count += (a[i] ^ b[i]) >> bit & 1;
    }
    return count;
}

static void after(uint8_t *ram, uint8_t fill, uint64_t seed, uint64_t ms)
{
    memset(ram, fill, SIZE);
    ram_decay(ram, SIZE, seed, ms * CYCLES_PER_MS);
}

Test(ram_decay, nothing_is_lost_at_once_and_everything_in_the_end)
{
    static uint8_t zeros[SIZE], ones[SIZE], before[SIZE];
    memset(before, 0x5a, SIZE);
    memcpy(ones, before, SIZE);
    ram_decay(ones, SIZE, 1, 0);
    cr_expect_arr_eq(ones, before, SIZE);
    /* What there was before does not matter any more. */
    after(zeros, 0x00, 1, 60000);
    after(ones, 0xff, 1, 60000);
    cr_expect_arr_eq(zeros, ones, SIZE);
    unsigned set = 0;
    memset(before, 0, SIZE);
    set = differing(zeros, before);
    cr_expect(set > SIZE * 8 / 2 * 98 / 100 && set < SIZE * 8 / 2 * 102 / 100, "%u bits are 1", set);
    after(ones, 0xff, 2, 60000);
    cr_expect(differing(zeros, ones) > SIZE * 8 / 3, "another seed, the same cells");
}

/* Of cells that are lost, half come up as they were: so a quarter of all differ after a half-life. */
Test(ram_decay, half_of_the_cells_are_lost_in_a_half_life)
{
    static uint8_t ram[SIZE], before[SIZE];
    static const struct {
        uint64_t ms;
        double lost;
    } times[] = {{250, 0.125}, {1000, 0.5}, {1500, 0.625}, {2000, 0.75}, {4000, 0.9375}};
    memset(before, 0xff, SIZE);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        after(ram, 0xff, 1, times[i].ms);
        double share = (double)differing(ram, before) / (SIZE * 8.0) * 2;
        cr_expect_float_eq(share, times[i].lost, 0.01, "%f after %u ms", share, (unsigned)times[i].ms);
    }
}

Test(ram_decay, a_cell_that_is_lost_stays_lost)
{
    static uint8_t early[SIZE], late[SIZE];
    after(early, 0xff, 1, 500);
    after(late, 0xff, 1, 900);
    for (uint32_t i = 0; i < SIZE; i++)
        cr_assert_eq(late[i] & ~early[i], 0, "byte %u came back", i);
}

Test(ram_decay, the_machine_counts_how_long_power_was_away)
{
    static const struct board board;
    struct machine *machine = calloc(1, sizeof *machine);
    const struct machine_options options = {.seed = 3};
    struct diag why = {{0}};
    unsigned lost[2];
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(machine_init(machine, &board, &options, &why), 0, "%s", why.text);
        machine_power_on(machine, RAM_CLEARED);
        machine_run(machine, 1000);
        memset(machine->ram, 0, 0x10000);
        machine_power_off(machine);
        machine_run(machine, machine->bus.clock.now + (i ? 2000 : 20) * CYCLES_PER_MS);
        machine_power_on(machine, RAM_DECAYED);
        static const uint8_t zeros[SIZE];
        lost[i] = differing(machine->ram, zeros);
        machine_destroy(machine);
    }
    cr_expect(lost[0] < SIZE * 8 / 50, "%u bits in 20 ms", lost[0]);
    cr_expect(lost[1] > SIZE * 8 * 3 / 8 - 5000, "%u bits in 2 s", lost[1]);
    free(machine);
}

/* Bytes that a scenario puts into RAM are there at the first power-on, and at no later one. */
Test(ram_decay, what_was_put_into_ram_before_power_came_is_there)
{
    static const struct board board;
    struct machine *machine = calloc(1, sizeof *machine);
    const struct machine_options options = {.seed = 3};
    struct diag why = {{0}};
    cr_assert_eq(machine_init(machine, &board, &options, &why), 0, "%s", why.text);
    machine->ram[0x1234] = 0xa5;
    machine_power_on(machine, RAM_CLEARED);
    cr_expect_eq(machine->ram[0x1234], 0xa5);
    machine_power_off(machine);
    machine_power_on(machine, RAM_CLEARED);
    cr_expect_eq(machine->ram[0x1234], 0);
    machine_destroy(machine);
    free(machine);
}
