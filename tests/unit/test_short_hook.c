/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks with the short hook must still be seen by whoever has to: watches, notes of what was read, the cycle
 * model. The slow way, where each block has the long hook, tells what is right. */
#include "core/short_hook.h"

#include "core/machine.h"
#include "core/nor.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define CODE 0x2000u
#define LOOP (CODE + 8)

static struct board board;

/* For ever: a count in r0 down from 50, then the cache of the flash is switched on or off. */
static const uint16_t code[] = {
    0x4a04,         /*       LDR r2, =NVMC.ICACHECNF */
    0x2300,         /*       MOVS r3, #0 */
    0x2032, 0xbf00, /* outer: MOVS r0, #50; NOP */
    0x3801, 0xd1fd, /* loop: SUBS r0, #1; BNE loop */
    0x2401, 0x4063, /*       MOVS r4, #1; EORS r3, r4 */
    0x6013, 0xe7f7, /*       STR r3, [r2]; B outer */
};
static const uint32_t icachecnf = 0x4001e540u;

static struct machine *new_machine(bool short_hooks)
{
    struct machine *machine = calloc(1, sizeof *machine);
    struct diag why = {0};
    const struct machine_options options = {.seed = 1, .speed = {.short_hooks = short_hooks}};
    cr_assert_eq(board_load(&board, "nrf52840", &why), 0, "%s", why.text);
    cr_assert_eq(machine_init(machine, &board, &options, &why), 0, "%s", why.text);
    uint8_t *flash = machine->soc.flash.data;
    const uint32_t vectors[] = {0x20010000u, CODE | 1};
    memcpy(flash, vectors, sizeof vectors);
    memcpy(flash + CODE, code, sizeof code);
    memcpy(flash + CODE + sizeof code, &icachecnf, 4);
    machine_power_on(machine, RAM_CLEARED);
    return machine;
}

static void end_machine(struct machine *machine)
{
    machine_destroy(machine);
    free(machine);
    board_free(&board);
}

static void run_ms(struct machine *machine, unsigned ms)
{
    cr_assert_eq(machine_run(machine, machine->bus.clock.now + ms * CYCLES_PER_MS), MACHINE_TIME, "%s",
                 machine_failure(machine));
}

static void expect_same(struct machine *quick, struct machine *slow)
{
    cr_expect_eq(quick->bus.clock.now, slow->bus.clock.now);
    cr_expect_eq(machine_trace_hash(quick), machine_trace_hash(slow));
    cr_expect_eq(quick->cpu.trail_next, slow->cpu.trail_next);
    cr_expect_arr_eq(quick->cpu.trail, slow->cpu.trail, sizeof slow->cpu.trail);
    cr_expect_eq(cpu_reg(&quick->cpu, 0), cpu_reg(&slow->cpu, 0));
}

Test(short_hook, the_cycles_are_the_same_while_the_cache_goes_on_and_off)
{
    struct machine *quick = new_machine(true), *slow = new_machine(false);
    run_ms(quick, 5);
    run_ms(slow, 5);
    expect_same(quick, slow);
    cr_expect_eq(short_hook_count(&slow->cpu), 0);
#if defined(__x86_64__)
    cr_expect_gt(short_hook_count(&quick->cpu), 0, "no block has the short hook");
#endif
    end_machine(quick);
    end_machine(slow);
}

static void count(void *context, struct cpu *cpu, uint32_t address)
{
    (void)cpu;
    cr_expect_eq(address, LOOP);
    ++*(unsigned *)context;
}

Test(short_hook, a_watch_sees_each_round_of_a_loop_that_is_known)
{
    struct machine *machine[] = {new_machine(true), new_machine(false)};
    unsigned seen[2] = {0, 0};
    for (unsigned i = 0; i < 2; i++) {
        run_ms(machine[i], 2);
        cr_assert_eq(cpu_watch(&machine[i]->cpu, LOOP, count, &seen[i]), 0);
        run_ms(machine[i], 2);
    }
    cr_expect_gt(seen[0], 20000, "a round takes 3 to 5 cycles of 128,000: %u", seen[0]);
    cr_expect_eq(seen[0], seen[1]);
    expect_same(machine[0], machine[1]);
    end_machine(machine[0]);
    end_machine(machine[1]);
}

Test(short_hook, code_that_changes_is_measured_anew)
{
    struct machine *machine[] = {new_machine(true), new_machine(false)};
    const uint16_t longer = 0x2164; /* MOVS r1, #100 for the NOP */
    for (unsigned i = 0; i < 2; i++) {
        run_ms(machine[i], 2);
        cr_assert_eq(cpu_poke(&machine[i]->cpu, LOOP - 2, &longer, sizeof longer), 0);
        run_ms(machine[i], 2);
        cr_expect_eq(cpu_reg(&machine[i]->cpu, 1), 100);
    }
    expect_same(machine[0], machine[1]);
    end_machine(machine[0]);
    end_machine(machine[1]);
}

Test(short_hook, pages_of_flash_that_run_on_are_noted)
{
    struct machine *machine = new_machine(true);
    struct nor *flash = &machine->soc.flash;
    run_ms(machine, 2);
    for (unsigned i = 0; i < 2; i++) { /* the second time starts anew */
        cr_assert_eq(cpu_watch_flash(&machine->cpu), 0);
        cr_expect_not(flash->seen[CODE / flash->page] & NOR_SEEN_READ);
        run_ms(machine, 2);
        cr_expect(flash->seen[CODE / flash->page] & NOR_SEEN_READ);
        cr_expect_not(flash->seen[8] & NOR_SEEN_READ);
    }
    end_machine(machine);
}
