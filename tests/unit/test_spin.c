/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loops that wait, skipped and run: both must be at the same place at the same cycle, having done the same.
 */
#include "core/spin.h"

#include "loops.h"

#define COMPARE 0x40008140u /* TIMER0.EVENTS_COMPARE[0] */
#define DWT     0xe0001000u
#define SYSTICK 0xe000e010u
#define RUN_MS  20u

struct loop {
    const char *what;
    uint16_t code[16];
    uint32_t r1;
};

/* Each counts in r4 how often what it waits for came. */
static const struct loop loops[] = {
    {"nothing", {0xe7fe}, 0},
    {"a word of RAM",
     {0x6808, 0x2800, 0xd0fc, /* top: LDR r0, [r1]; CMP r0, #0; BEQ top */
      0x2000, 0x6008,         /* MOVS r0, #0; STR r0, [r1] */
      0x3401, 0xe7f8},        /* ADDS r4, #1; B top */
     INTERRUPTS},
    {"an event", {0x6808, 0x2800, 0xd0fc, 0x2000, 0x6008, 0x3401, 0xe7f8}, COMPARE},
    {"an event, by a function",
     {0xf000, 0xf804, 0x2800, 0xd0fb, /* top: BL look; CMP r0, #0; BEQ top */
      0x2000, 0xe002,                 /* MOVS r0, #0; B done */
      0xb508, 0x6808, 0xbd08,         /* look: PUSH {r3, lr}; LDR r0, [r1]; POP {r3, pc} */
      0x6008, 0x3401, 0xe7f3},        /* done: STR r0, [r1]; ADDS r4, #1; B top */
     COMPARE},
    {"a number of cycles",
     {0x6848, 0x1ac2, 0x42aa, 0xd3fb, /* top: LDR r0, [r1, #4]; SUBS r2, r0, r3; CMP r2, r5; BCC top */
      0x4603, 0x3401, 0xe7f8},        /* MOV r3, r0; ADDS r4, #1; B top */
     DWT},
};

#define LOOPS (sizeof loops / sizeof loops[0])

TestSuite(spin, .init = load_loop_board, .fini = free_loop_board);

static void poke(struct machine *machine, const char *name, uint32_t value)
{
    uint32_t address = bus_register_address(&machine->bus, name);
    cr_assert_neq(address, 0u, "no register is called %s", name);
    cr_assert_eq(bus_write(&machine->bus, address, 4, value), 0);
}

static uint32_t peek(struct machine *machine, const char *name)
{
    uint32_t value = 0;
    cr_assert_eq(bus_read(&machine->bus, bus_register_address(&machine->bus, name), 4, &value), 0);
    return value;
}

/* SysTick interrupts, and TIMER0's comparisons, come at different distances. */
static struct machine *new_machine(const struct loop *loop, bool skip)
{
    struct machine *machine =
        loop_machine(loop->code, sizeof loop->code, (struct cpu_speed){.skip_spins = skip});
    struct cpu *cpu = &machine->cpu;
    cpu_set_reg(cpu, 1, loop->r1);
    cpu_set_reg(cpu, 5, 10000);
    scs_write(cpu, SYSTICK + 4, 4, 70001);
    scs_write(cpu, SYSTICK, 4, 7);
    poke(machine, "TIMER0.CC[0]", 5003);
    poke(machine, "TIMER0.SHORTS", 1);
    poke(machine, "TIMER0.TASKS_START", 1);
    return machine;
}

static void run_ms(struct machine *machine, unsigned ms)
{
    cr_assert_eq(machine_run(machine, machine->bus.clock.now + ms * CYCLES_PER_MS), MACHINE_TIME, "%s",
                 machine_failure(machine));
}

static void expect_same(const struct machine *skips, const struct machine *runs, const char *what)
{
    cr_expect_eq(skips->bus.clock.now, runs->bus.clock.now, "%s: cycles", what);
    cr_expect_eq(machine_trace_hash(skips), machine_trace_hash(runs), "%s: trace", what);
    for (unsigned i = 0; i < 17; i++)
        cr_expect_eq(cpu_reg(&skips->cpu, i), cpu_reg(&runs->cpu, i), "%s: r%u is 0x%x, not 0x%x", what, i,
                     cpu_reg(&skips->cpu, i), cpu_reg(&runs->cpu, i));
    uint32_t trail[2][CPU_TRAIL] = {{0}};
    cr_expect_eq(cpu_trail(&skips->cpu, trail[0]), cpu_trail(&runs->cpu, trail[1]), "%s: trail", what);
    cr_expect_arr_eq(trail[0], trail[1], sizeof trail[0], "%s: trail", what);
}

Test(spin, loops_that_wait)
{
    for (unsigned n = 0; n < LOOPS; n++) {
        const char *what = loops[n].what;
        struct machine *skips = new_machine(&loops[n], true), *runs = new_machine(&loops[n], false);
        for (unsigned step = 0; step < 3; step++) {
            run_ms(skips, RUN_MS);
            run_ms(runs, RUN_MS);
            expect_same(skips, runs, what);
        }
        cr_expect_gt(cpu_reg(&runs->cpu, 4) + !loops[n].r1, 0, "%s: it never came", what);
        cr_expect_lt(skips->cpu.trail_next, runs->cpu.trail_next / 4, "%s: %lu of %lu blocks were run", what,
                     (unsigned long)skips->cpu.trail_next, (unsigned long)runs->cpu.trail_next);
        end_machine(skips);
        end_machine(runs);
    }
}

/* Each read of the event counts, for the memory watch unit. */
Test(spin, reads_that_somebody_watches_are_made)
{
    struct machine *machine[] = {new_machine(&loops[2], true), new_machine(&loops[2], false)};
    uint32_t reads[2];
    for (unsigned i = 0; i < 2; i++) {
        poke(machine[i], "PPI.CH[0].EEP", bus_register_address(&machine[i]->bus, "MWU.EVENTS_PREGION[0].RA"));
        poke(machine[i], "PPI.CH[0].TEP", bus_register_address(&machine[i]->bus, "TIMER3.TASKS_COUNT"));
        poke(machine[i], "PPI.CHENSET", 1);
        poke(machine[i], "TIMER3.MODE", 1);
        poke(machine[i], "TIMER3.BITMODE", 3);
        poke(machine[i], "TIMER3.TASKS_START", 1);
        poke(machine[i], "MWU.PREGION[0].SUBS", 1u << 8);
        poke(machine[i], "MWU.REGIONENSET", 1u << 25);
        run_ms(machine[i], 2);
        poke(machine[i], "TIMER3.TASKS_CAPTURE[0]", 1);
        reads[i] = peek(machine[i], "TIMER3.CC[0]");
    }
    cr_expect_gt(reads[1], 1000);
    cr_expect_eq(reads[0], reads[1], "%u, not %u", reads[0], reads[1]);
    expect_same(machine[0], machine[1], "an event that is watched");
    end_machine(machine[0]);
    end_machine(machine[1]);
}
