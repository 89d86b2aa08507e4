/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine with a few halfwords of code for a loop, and a handler of every exception that counts how often
 * it ran. */
#ifndef SOSIM_TESTS_LOOPS_H
#define SOSIM_TESTS_LOOPS_H

#include "core/machine.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define CODE       0x200u
#define HANDLER    0x100u
#define STACK      0x20010000u
#define INTERRUPTS 0x20001080u /* where they are counted */

static struct board loop_board;

/* Before and after each test. */
static inline void load_loop_board(void)
{
    struct diag why = {0};
    cr_assert_eq(board_load(&loop_board, "nrf52840", &why), 0, "%s", why.text);
}

static inline void free_loop_board(void)
{
    board_free(&loop_board);
}

/* The caller ends it. The code, `size` bytes, begins when the machine runs; DWT.CYCCNT counts. */
static inline struct machine *loop_machine(const void *code, size_t size, struct cpu_speed speed)
{
    static const uint16_t handler[] = {0xf241, 0x0080, 0xf2c2, 0x0000, 0x6801, 0x3101, 0x6001, 0x4770};
    struct machine *machine = calloc(1, sizeof *machine);
    struct diag why = {0};
    const struct machine_options options = {.seed = 1, .speed = speed};
    cr_assert_eq(machine_init(machine, &loop_board, &options, &why), 0, "%s", why.text);
    uint8_t *flash = machine->soc.flash.data;
    const uint32_t vectors[] = {STACK, CODE | 1};
    memcpy(flash, vectors, sizeof vectors);
    for (unsigned n = 2; n < 16; n++)
        memcpy(flash + 4 * n, &(const uint32_t){HANDLER | 1}, 4);
    memcpy(flash + HANDLER, handler, sizeof handler);
    memcpy(flash + CODE, code, size);
    machine_power_on(machine, RAM_CLEARED);
    machine->cpu.scb.demcr = 1u << 24;
    machine->cpu.dwt.ctrl = 1;
    return machine;
}

static inline void end_machine(struct machine *machine)
{
    machine_destroy(machine);
    free(machine);
}

#endif
