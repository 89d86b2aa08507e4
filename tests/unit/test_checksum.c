/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loops that compute checksums, shortened and run: both must be at the same place at the same cycle, having
 * done the same. */
#include "core/checksum.h"

#include "core/nor.h"
#include "loops.h"

#define TABLE   0x2000u
#define DATA    0x4000u
#define LENGTH  30001u
#define SYSTICK 0xe000e010u
#define RUN_US  7777u
#define OFTEN   30011u /* cycles from one SysTick interrupt to the next */
#define SELDOM  300011u

struct loop {
    const char *what;
    uint16_t code[24];
    bool is_checksum;
};

/* Each counts in r7 how often it came to the end; r0 is the pointer, r2 the sum, r4 the table. */
static const struct loop loops[] = {
    {"tested at the top, pointer moved by the load",
     {0x4288, 0xd008, 0xf810, 0x3b01, 0x4053, /* top: CMP r0, r1; BEQ out; LDRB r3, [r0], #1; EORS r3, r2 */
      0xb2db, 0xf854, 0x3023, 0xea83,
      0x2212,                          /* UXTB r3, r3; LDR r3, [r4, r3, LSL #2]; EOR r2, r3, r2, LSR #8 */
      0xe7f4, 0x3701, 0x4640, 0xe7f1}, /* B top; out: ADDS r7, #1; MOV r0, r8; B top */
     true},
    {"tested at the bottom, with a counter and narrow instructions",
     {0x7803, 0x3001, 0xb2d5, 0x406b,
      0x009b, /* top: LDRB r3, [r0]; ADDS r0, #1; UXTB r5, r2; EORS r3, r5; LSLS r3, r3, #2 */
      0x58e3, 0x0a12, 0x405a, 0x3e01,
      0xd1f5, /* LDR r3, [r4, r3]; LSRS r2, r2, #8; EORS r2, r3; SUBS r6, #1; BNE top */
      0x3701, 0x4640, 0x464e, 0xe7f1}, /* ADDS r7, #1; MOV r0, r8; MOV r6, r9; B top */
     true},
    {"with a pointer moved before the load, AND, and CBZ",
     {0xf810, 0x3f01, 0xea82, 0x0503, 0xf005,
      0x05ff, /* top: LDRB r3, [r0, #1]!; EOR r5, r2, r3; AND r5, r5, #255 */
      0xf854, 0x5025, 0xea4f, 0x2312, 0xea85,
      0x0203,                          /* LDR r5, [r4, r5, LSL #2]; LSR r3, r2, #8; EOR r2, r5, r3 */
      0x3e01, 0xb106, 0xe7f0,          /* SUBS r6, #1; CBZ r6, out; B top */
      0x3701, 0x4640, 0x464e, 0xe7ec}, /* out: ADDS r7, #1; MOV r0, r8; MOV r6, r9; B top */
     true},
    {"shifted by seven",
     {0x4288, 0xd008, 0xf810, 0x3b01, 0x4053, 0xb2db, 0xf854, 0x3023, 0xea83, 0x12d2, /* … LSR #7 */
      0xe7f4, 0x3701, 0x4640, 0xe7f1},
     false},
    {"with the last entry in the next",
     {0x4288, 0xd009, 0xf810, 0x3b01, 0x4053, 0x406b, 0xb2db, /* … EORS r3, r5 … */
      0xf854, 0x5023, 0xea85, 0x2212, 0xe7f3, 0x3701, 0x4640, 0xe7f0},
     false},
    {"with the entries in another register, too",
     {0x4288, 0xd009, 0xf810, 0x3b01, 0x4053, 0xb2db, 0xf854, 0x3023, 0xea83, 0x2212, /* … */
      0x405d, 0xe7f3, 0x3701, 0x4640, 0xe7f0}, /* EORS r5, r3; B top … */
     false},
    {"of every other byte",
     {0x7803, 0x3002, 0xb2d5, 0x406b, 0x009b, 0x58e3, 0x0a12, 0x405a, 0x3e01, 0xd1f5, /* … ADDS r0, #2 … */
      0x3701, 0x4640, 0x464e, 0xe7f1},
     false},
};

#define LOOPS (sizeof loops / sizeof loops[0])

TestSuite(checksum, .init = load_loop_board, .fini = free_loop_board);

static void fill_table(struct machine *machine, bool crc)
{
    uint64_t stream = 5;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t entry = i;
        for (unsigned bit = 0; bit < 8; bit++)
            entry = entry & 1 ? entry >> 1 ^ 0xedb88320u : entry >> 1;
        entry = crc || !i ? entry : random_next(&stream);
        nor_load(&machine->soc.flash, TABLE + 4 * i, (const uint8_t *)&entry, sizeof entry);
    }
}

static struct machine *new_machine(const struct loop *loop, bool skip, bool crc, uint32_t tick)
{
    struct machine *machine =
        loop_machine(loop->code, sizeof loop->code, (struct cpu_speed){.skip_spins = skip});
    struct cpu *cpu = &machine->cpu;
    uint64_t stream = 9;
    fill_table(machine, crc);
    for (uint32_t i = 0; i < LENGTH; i++)
        nor_load(&machine->soc.flash, DATA + i, (const uint8_t[]){(uint8_t)random_next(&stream)}, 1);
    const uint32_t is[] = {DATA, DATA + LENGTH + 1, 0xffffffffu, 0, TABLE, 0, LENGTH, 0, DATA, LENGTH};
    for (unsigned i = 0; i < sizeof is / sizeof is[0]; i++)
        cpu_set_reg(cpu, i, is[i]);
    scs_write(cpu, SYSTICK + 4, 4, tick);
    scs_write(cpu, SYSTICK, 4, 7);
    return machine;
}

static void run_on(struct machine *machine)
{
    cr_assert_eq(machine_run(machine, machine->bus.clock.now + RUN_US * CYCLES_PER_US), MACHINE_TIME, "%s",
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

static void compare(const struct loop *loop, bool crc, uint32_t tick)
{
    struct machine *skips = new_machine(loop, true, crc, tick), *runs = new_machine(loop, false, crc, tick);
    for (unsigned step = 0; step < 8; step++) {
        run_on(skips);
        run_on(runs);
        expect_same(skips, runs, loop->what);
    }
    cr_expect_gt(cpu_reg(&runs->cpu, 7), 1, "%s: it never ended", loop->what);
    bool fewer = skips->cpu.trail_next < runs->cpu.trail_next / 4;
    cr_expect_eq(fewer, loop->is_checksum, "%s: %lu of %lu blocks were run", loop->what,
                 (unsigned long)skips->cpu.trail_next, (unsigned long)runs->cpu.trail_next);
    end_machine(skips);
    end_machine(runs);
}

Test(checksum, by_a_table_of_a_crc)
{
    for (unsigned n = 0; n < LOOPS; n++) {
        compare(&loops[n], true, OFTEN);
        compare(&loops[n], true, SELDOM);
    }
}

Test(checksum, by_any_table)
{
    for (unsigned n = 0; n < LOOPS; n++) {
        compare(&loops[n], false, OFTEN);
        compare(&loops[n], false, SELDOM);
    }
}

/* The sum itself, from another source than the guest's code. */
Test(checksum, is_that_of_the_bytes)
{
    struct machine *machine = new_machine(&loops[0], true, true, SELDOM);
    uint32_t sum = 0xffffffffu;
    while (!cpu_reg(&machine->cpu, 7))
        machine_run(machine, machine->bus.clock.now + 1);
    for (uint32_t i = 0; i <= LENGTH; i++) {
        sum ^= machine->soc.flash.data[DATA + i];
        for (unsigned bit = 0; bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ 0xedb88320u : sum >> 1;
    }
    cr_expect_eq(cpu_reg(&machine->cpu, 2), sum);
    end_machine(machine);
}

/* Who wants to know which pages count hears of all of them. */
Test(checksum, pages_that_are_read_are_noted)
{
    struct machine *machine = new_machine(&loops[0], true, true, SELDOM);
    cr_assert_eq(cpu_watch_flash(&machine->cpu), 0);
    run_on(machine);
    for (uint32_t at = DATA; at < DATA + LENGTH; at += 0x1000)
        cr_expect(machine->soc.flash.seen[at / 0x1000] & NOR_SEEN_READ, "0x%x", at);
    cr_expect(machine->soc.flash.seen[TABLE / 0x1000] & NOR_SEEN_READ);
    cr_expect_not(machine->soc.flash.seen[(DATA + LENGTH) / 0x1000 + 1] & NOR_SEEN_READ);
    end_machine(machine);
}

/* Cells that read differently each time have to be read one by one. */
Test(checksum, unstable_cells_are_read_by_the_guest)
{
    struct machine *skips = new_machine(&loops[0], true, true, SELDOM),
                   *runs = new_machine(&loops[0], false, true, SELDOM);
    cr_assert_eq(nor_unsettle(&skips->soc.flash, DATA + 20000, 0x10), 0);
    cr_assert_eq(nor_unsettle(&runs->soc.flash, DATA + 20000, 0x10), 0);
    for (unsigned step = 0; step < 8; step++) {
        run_on(skips);
        run_on(runs);
        expect_same(skips, runs, "unstable");
    }
    end_machine(skips);
    end_machine(runs);
}
