/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unstable cells of internal flash, as the CPU reads them (tests/firmware/reader.c). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "image/file.h"

#define WORD    0x80000u
#define CHANGES 0x10000u
#define SEEN_0  0x10004u

enum restored {
    NOT_RESTORED,
    RESTORED,
    RESTORED_BARE, /* without memories, into a machine that has run for a while with stable cells */
};

struct outcome {
    uint32_t changes, seen_0;
    uint64_t trace;
};

static void make(struct machine *machine, struct board *board, bool fast)
{
    struct diag why = {{0}};
    uint8_t *code;
    size_t size;
    const struct machine_options options = {.seed = 7,
                                            .speed = {.inline_stores = fast,
                                                      .direct_registers = fast,
                                                      .short_hooks = fast,
                                                      .skip_spins = fast,
                                                      .replay_loops = fast}};
    cr_assert_eq(board_load(board, "nrf52840", &why), 0, "%s", why.text);
    cr_assert_eq(machine_init(machine, board, &options, &why), 0, "%s", why.text);
    cr_assert_eq(file_read_all(TEST_FIRMWARE "/reader.bin", 65536, &code, &size, &why), FILE_OK);
    nor_load(&machine->soc.flash, 0, code, (uint32_t)size);
    free(code);
}

static uint32_t word_of(const struct machine *machine, uint32_t offset)
{
    uint32_t word;
    memcpy(&word, machine->ram + offset, sizeof word);
    return word;
}

/* Runs the reader; at 2 ms the lowest two bits of its word become unstable if `when_running`, else they are
 * from the start. */
static struct outcome run(bool fast, uint8_t bits, bool when_running, enum restored restored)
{
    struct board board;
    struct machine machine;
    struct state state = {0};
    make(&machine, &board, fast);
    if (!when_running && bits)
        cr_assert_eq(nor_unsettle(&machine.soc.flash, WORD, bits), 0);
    machine_power_on(&machine, RAM_CLEARED);
    machine_run(&machine, 2000);
    if (when_running)
        cr_assert_eq(nor_unsettle(&machine.soc.flash, WORD, bits), 0);
    if (restored) {
        uint8_t *ram = malloc(NRF52840_RAM_SIZE);
        memcpy(ram, machine.ram, NRF52840_RAM_SIZE);
        state.without_content = restored == RESTORED_BARE;
        state_begin_save(&state);
        machine_save(&machine, &state);
        machine_destroy(&machine);
        board_free(&board);
        make(&machine, &board, fast);
        if (restored == RESTORED_BARE) {
            machine_power_on(&machine, RAM_CLEARED);
            cr_assert_eq(machine_run(&machine, 8 * CYCLES_PER_MS), MACHINE_TIME);
            memcpy(machine.ram, ram, NRF52840_RAM_SIZE);
        }
        state_begin_load(&state);
        machine_save(&machine, &state);
        cr_assert_eq(state.error, 0);
        state_free(&state);
        free(ram);
    }
    cr_assert_eq(machine_run(&machine, 20 * CYCLES_PER_MS), MACHINE_TIME);
    const struct outcome outcome = {word_of(&machine, CHANGES), word_of(&machine, SEEN_0),
                                    machine_trace_hash(&machine)};
    machine_destroy(&machine);
    board_free(&board);
    return outcome;
}

Test(unstable, the_cpu_reads_them_differently_from_read_to_read)
{
    struct outcome outcome = run(true, 0x03, false, NOT_RESTORED);
    /* Two bits, each as likely 0 as 1: three reads of four differ. */
    cr_expect(outcome.changes > 37000 && outcome.changes < 38000, "%u", outcome.changes);
    cr_expect_eq(outcome.seen_0, 1);
    outcome = run(true, 0, false, NOT_RESTORED);
    cr_expect_eq(outcome.changes, 0);
    cr_expect_eq(outcome.seen_0, 0);
}

Test(unstable, cells_that_become_so_under_a_running_cpu_are_noticed)
{
    struct outcome outcome = run(true, 0x03, true, NOT_RESTORED);
    cr_expect(outcome.changes > 30000, "%u", outcome.changes);
    cr_expect_eq(outcome.seen_0, 1);
}

Test(unstable, no_trick_of_speed_and_no_snapshot_changes_what_is_read)
{
    const struct outcome fast = run(true, 0x03, false, NOT_RESTORED),
                         slow = run(false, 0x03, false, NOT_RESTORED),
                         restored = run(true, 0x03, false, RESTORED),
                         bare = run(true, 0x03, false, RESTORED_BARE);
    cr_expect_eq(fast.changes, slow.changes);
    cr_expect_eq(fast.trace, slow.trace);
    cr_expect_eq(fast.changes, restored.changes);
    cr_expect_eq(fast.trace, restored.trace);
    cr_expect_eq(fast.changes, bare.changes);
}
