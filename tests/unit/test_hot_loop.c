/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loops that compute, run in code of the host's own and by the engine: both must be at the same place at the
 * same cycle, having done the same. */
#include "core/hot_loop.h"

#include "core/nor.h"
#include "loops.h"
#include "programs.h"

#define DATA     0x20004000u
#define SYSTICK  0xe000e010u
#define OFTEN    30011u /* cycles from one SysTick interrupt to the next */
#define PROGRAMS 300u
#define HOT                                                                                                  \
    ((struct cpu_speed){.inline_stores = true, .short_hooks = true, .skip_spins = true, .hot_loops = true})

TestSuite(hot_loop, .init = load_loop_board, .fini = free_loop_board);

/* --- random loops -----------------------------------------------------------------------------------------
 */

/* Through r8, which is read from, or r9, which is written to; most move their pointer on. */
static void put_memory(struct program *p)
{
    static const uint32_t loads[] = {0xf8580b04, 0xf8380b02, 0xf8180b01, 0xf8d80010, 0xf8980003,
                                     0xf8b80006, 0xf858000a, 0xf838001a, 0xf858002a};
    static const uint32_t stores[] = {0xf8490b04, 0xf8290b02, 0xf8090b01, 0xf8c90020, 0xf8890021,
                                      0xf8490904, 0xf8090901, 0xf849002a, 0xf8490d04};
    unsigned rt = low(p);
    switch (pick(p, 12)) {
    case 0:
        put2(p, pick(p, 2) ? 0xe8b8001eu : 0xe8a9001eu); /* LDM r8!, STM r9! of r1 to r4 */
        break;
    case 1:
        put2(p, pick(p, 2) ? 0xe8f82302u : 0xe8e92302u); /* LDRD r2, r3, [r8], #8, STRD to [r9] */
        break;
    default:
        put2(p, (pick(p, 2) ? loads[pick(p, sizeof loads / sizeof *loads)]
                            : stores[pick(p, sizeof stores / sizeof *stores)]) |
                    rt << 12);
    }
}

static void put_body(struct program *p)
{
    for (unsigned n = 1 + pick(p, 7); n > 0; n--) {
        switch (pick(p, 10)) {
        case 0:
        case 1:
        case 2:
            put_memory(p);
            break;
        case 3:
            put(p, 0xbf00 | pick(p, 14) << 4 | 8); /* IT, ADDS */
            put(p, 0x1800 | low(p) << 6 | low(p) << 3 | low(p));
            break;
        case 4:
            put_wide(p);
            break;
        case 5:
            put(p, 0xe7ff); /* a branch to the next instruction */
            break;
        default:
            put_narrow(p);
        }
    }
}

/* A branch back to `top` on one of the conditions that its flags are right for. */
static void put_end(struct program *p, unsigned top)
{
    static const struct {
        uint32_t compare;
        uint8_t condition[6], conditions;
    } ends[] = {
        {0xf1ba0a01, {1, 12, 2, 8, 5, 10}, 6}, /* SUBS r10, #1: NE, GT, CS, HI, PL, GE */
        {0xf1ba0a03, {12, 2, 8, 5, 10}, 5},    /* SUBS r10, #3 */
        {0xebba0f0b, {1, 12, 2, 8, 10}, 5},    /* CMP r10, r11, which r10 comes down to … */
        {0xebbb0f0a, {1, 11, 3, 9, 13}, 5},    /* … and the other way round */
        {0xf1ba0f07, {1, 12, 2, 8, 5}, 5},     /* CMP r10, #7 */
    };
    unsigned end = pick(p, sizeof ends / sizeof *ends);
    if (end > 1)
        put2(p, 0xf1aa0a01); /* SUB r10, #1 */
    put2(p, ends[end].compare);
    put(p, 0xd000 | (uint32_t)ends[end].condition[pick(p, ends[end].conditions)] << 8 |
               ((top - p->size - 2) & 0xff));
}

static void make_loop_program(struct program *p, uint64_t seed)
{
    memset(p, 0, sizeof *p);
    p->random = seed;
    for (unsigned i = 0; i < 8; i++)
        put_constant(p, i, random_next(&p->random));
    put_constant(p, 12, 0);
    unsigned outer = p->size;
    put_constant(p, 8, pick(p, 3) ? DATA + 4 * pick(p, 64) : 4 * pick(p, 64));
    put_constant(p, 9, DATA + 0x4000 + 4 * pick(p, 64));
    put_constant(p, 10, 100 + pick(p, 1500));
    put_constant(p, 11, pick(p, 20));
    unsigned top = p->size;
    put_body(p);
    put_end(p, top);
    put2(p, 0xf10c0c01); /* ADD r12, #1 */
    put(p, 0xe000 | ((outer - p->size - 2) & 0x7ff));
}

static struct machine *new_machine(const struct program *p, struct cpu_speed speed)
{
    struct machine *machine = loop_machine(p->code, 2 * p->size, speed);
    uint64_t stream = 9;
    for (uint32_t at = DATA - RAM_BASE; at < DATA - RAM_BASE + 0x4000; at++)
        machine->cpu.ram[at] = (uint8_t)random_next(&stream);
    scs_write(&machine->cpu, SYSTICK + 4, 4, OFTEN);
    scs_write(&machine->cpu, SYSTICK, 4, 7);
    return machine;
}

static void expect_same(const struct machine *hot, const struct machine *slow, unsigned long seed)
{
    cr_expect_eq(hot->bus.clock.now, slow->bus.clock.now, "seed %lu: cycles", seed);
    cr_expect_eq(machine_trace_hash(hot), machine_trace_hash(slow), "seed %lu: trace", seed);
    for (unsigned i = 0; i < 17; i++)
        cr_expect_eq(cpu_reg(&hot->cpu, i), cpu_reg(&slow->cpu, i), "seed %lu: r%u is 0x%x, not 0x%x", seed,
                     i, cpu_reg(&hot->cpu, i), cpu_reg(&slow->cpu, i));
    uint32_t trail[2][CPU_TRAIL] = {{0}};
    cr_expect_eq(cpu_trail(&hot->cpu, trail[0]), cpu_trail(&slow->cpu, trail[1]), "seed %lu", seed);
    cr_expect_arr_eq(trail[0], trail[1], sizeof trail[0], "seed %lu: trail", seed);
    cr_expect_arr_eq(hot->cpu.ram, slow->cpu.ram, hot->cpu.ram_size, "seed %lu: RAM", seed);
}

static void run_for(struct machine *machine, uint64_t cycles, unsigned long seed)
{
    cr_assert_eq(machine_run(machine, machine->bus.clock.now + cycles), MACHINE_TIME, "seed %lu: %s", seed,
                 machine_failure(machine));
}

Test(hot_loop, random_loops)
{
    unsigned hot_ones = 0;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        struct program program;
        make_loop_program(&program, seed);
        struct machine *hot = new_machine(&program, HOT),
                       *slow = new_machine(&program, (struct cpu_speed){0});
        for (unsigned step = 0; step < 3; step++) {
            run_for(hot, 100003, (unsigned long)seed);
            run_for(slow, 100003, (unsigned long)seed);
            expect_same(hot, slow, (unsigned long)seed);
        }
        hot_ones += hot_loop_rounds(&hot->cpu) > 0;
        end_machine(hot);
        end_machine(slow);
    }
#if defined(__x86_64__)
    cr_expect_gt(hot_ones, PROGRAMS / 3, "only %u of them were translated", hot_ones);
#endif
}

/* --- loops of one kind ------------------------------------------------------------------------------------
 */

struct pair {
    struct machine *hot, *slow;
};

/* Code that finds r0–r7 as given. */
static struct pair new_pair(const uint16_t *code, size_t size, const uint32_t *is, unsigned count)
{
    struct pair pair = {loop_machine(code, size, HOT), loop_machine(code, size, (struct cpu_speed){0})};
    for (unsigned i = 0; i < count; i++) {
        cpu_set_reg(&pair.hot->cpu, i, is[i]);
        cpu_set_reg(&pair.slow->cpu, i, is[i]);
    }
    return pair;
}

static void run_pair(const struct pair *pair, uint64_t cycles)
{
    run_for(pair->hot, cycles, 0);
    run_for(pair->slow, cycles, 0);
    expect_same(pair->hot, pair->slow, 0);
}

static void end_pair(const struct pair *pair)
{
    end_machine(pair->hot);
    end_machine(pair->slow);
}

static void expect_hot(const struct pair *pair, bool hot)
{
#if defined(__x86_64__)
    cr_expect_eq(hot_loop_rounds(&pair->hot->cpu) > 0, hot, "%lu rounds",
                 (unsigned long)hot_loop_rounds(&pair->hot->cpu));
#else
    (void)pair, (void)hot;
#endif
}

/* A loop that goes on beyond the end of RAM is left in time for its fault. */
Test(hot_loop, over_the_end_of_ram)
{
    /* top: STR r2, [r0], #4; ADDS r2, #3; B top */
    static const uint16_t code[] = {0xf840, 0x2b04, 0x3203, 0xe7fb};
    const uint32_t is[] = {RAM_BASE + 0x30000, 0, 5};
    struct pair pair = new_pair(code, sizeof code, is, 3);
    run_pair(&pair, 40000);
    cr_expect(cpu_reg(&pair.slow->cpu, 0) < RAM_BASE + pair.slow->cpu.ram_size);
    run_pair(&pair, 60000);
    expect_hot(&pair, true);
    uint32_t handled = 0;
    cr_assert_eq(cpu_peek(&pair.slow->cpu, INTERRUPTS, &handled, 4), 0);
    cr_expect_gt(handled, 0u, "there was no fault");
    end_pair(&pair);
}

/* Code in RAM that such a loop writes over is not run as it was. */
Test(hot_loop, over_code_in_ram)
{
    /* MOV r7, r4; again: BLX r4, and then: top: STRH r2, [r0], #2; SUBS r1, #1; BNE top; BLX r7; B . */
    static const uint16_t code[] = {0x4627, 0x47a0, 0xf820, 0x2b02, 0x3901, 0xd1fb, 0x47b8, 0xe7fe};
    static const uint16_t in_ram[] = {0x3601, 0x4770}; /* ADDS r6, #1; BX lr */
    const uint32_t is[] = {RAM_BASE + 0x20000, 0x3000, 0x3605, 0, (RAM_BASE + 0x22000) | 1, 0, 0};
    struct pair pair = new_pair(code, sizeof code, is, 7);
    struct machine *both[] = {pair.hot, pair.slow};
    for (unsigned i = 0; i < 2; i++) {
        memcpy(both[i]->cpu.ram + 0x22000, in_ram, sizeof in_ram);
        memcpy(both[i]->cpu.ram + 0x26000, in_ram + 1, 2);
    }
    run_pair(&pair, 400000);
    expect_hot(&pair, true);
    cr_expect_eq(cpu_reg(&pair.slow->cpu, 15), CODE + 14, "0x%x", cpu_reg(&pair.slow->cpu, 15));
    cr_expect_gt(cpu_reg(&pair.hot->cpu, 6), 5u * 0x1000u);
    end_pair(&pair);
}

/* top: LDR r3, [r0], #4; ADDS r2, r2, r3; SUBS r1, #1; BNE top; MOV r0, r4; MOV r1, r5; ADDS r6, #1; B top */
static const uint16_t sum[] = {0xf850, 0x3b04, 0x18d2, 0x3901, 0xd1fa, 0x4620, 0x4629, 0x3601, 0xe7f6};

/* Who wants to know which pages count hears of all of them, and of no other. */
Test(hot_loop, pages_that_are_read_are_noted)
{
    const uint32_t is[] = {0x10000, 0x2000, 0, 0, 0x10000, 0x2000, 0};
    struct pair pair = new_pair(sum, sizeof sum, is, 7);
    cr_assert_eq(cpu_watch_flash(&pair.hot->cpu), 0);
    run_pair(&pair, 200000);
    expect_hot(&pair, true);
    for (uint32_t page = 0x10; page < 0x18; page++)
        cr_expect(pair.hot->soc.flash.seen[page] & NOR_SEEN_READ, "page 0x%x", page);
    cr_expect_not(pair.hot->soc.flash.seen[0x0f] & NOR_SEEN_READ);
    cr_expect_not(pair.hot->soc.flash.seen[0x19] & NOR_SEEN_READ);
    end_pair(&pair);
}

/* A loop whose code, or what it reads from beside its code, was written over is another one. */
Test(hot_loop, in_flash_that_changes)
{
    /* top: LDR r3, constant; MULS r2, r3; SUBS r1, #1; BNE top; B top; …; constant: 5 */
    static const uint16_t code[] = {0x4b02, 0x435a, 0x3901, 0xd1fb, 0xe7fa, 0, 5, 0};
    const uint32_t is[] = {0, 0, 1, 0}, nine = 9;
    const uint16_t eor = 0x405a; /* EORS r2, r3 */
    struct pair pair = new_pair(code, sizeof code, is, 4);
    struct machine *both[] = {pair.hot, pair.slow};
    run_pair(&pair, 100003);
    expect_hot(&pair, true);
    for (unsigned i = 0; i < 2; i++)
        nor_load(&both[i]->soc.flash, CODE + 12, (const uint8_t *)&nine, sizeof nine);
    run_pair(&pair, 100003);
    for (unsigned i = 0; i < 2; i++)
        nor_load(&both[i]->soc.flash, CODE + 2, (const uint8_t *)&eor, sizeof eor);
    run_pair(&pair, 100003);
    end_pair(&pair);
}

/* Cells that read differently each time have to be read one by one. */
Test(hot_loop, unstable_cells_are_read_by_the_guest)
{
    const uint32_t is[] = {0x10000, 0x2000, 0, 0, 0x10000, 0x2000, 0};
    struct pair pair = new_pair(sum, sizeof sum, is, 7);
    run_pair(&pair, 200000);
    cr_assert_eq(nor_unsettle(&pair.hot->soc.flash, 0x12000, 0x10), 0);
    cr_assert_eq(nor_unsettle(&pair.slow->soc.flash, 0x12000, 0x10), 0);
    for (unsigned step = 0; step < 4; step++)
        run_pair(&pair, 100000);
    expect_hot(&pair, true);
    end_pair(&pair);
}

/* Bit by bit, as small bootloaders do it; the sum itself is from another source than the guest's code. */
Test(hot_loop, checksum_by_bits)
{
    static const uint16_t code[] = {
        0xf810, 0x1b01, 0x404a, 0x2308, /* top: LDRB r1, [r0], #1; EORS r2, r1; MOVS r3, #8 */
        0x0852, 0xbf28, 0x4062, 0x3b01,
        0xd1fa,                 /* bit: LSRS r2, #1; IT CS; EORCS r2, r4; SUBS r3, #1; BNE bit */
        0x42a8, 0xd1f4, 0xe7fe, /* CMP r0, r5; BNE top; B . */
    };
    const uint32_t is[] = {DATA, 0, UINT32_MAX, 0, 0xedb88320u, DATA + 0x2001};
    struct pair pair = new_pair(code, sizeof code, is, 6);
    uint64_t stream = 3;
    for (uint32_t i = 0; i < 0x2001; i++)
        pair.hot->cpu.ram[DATA - RAM_BASE + i] = pair.slow->cpu.ram[DATA - RAM_BASE + i] =
            (uint8_t)random_next(&stream);
    run_pair(&pair, 10007);
    run_pair(&pair, 2000000);
    expect_hot(&pair, true);
    cr_expect_gt(hot_loop_rounds(&pair.hot->cpu), 0x1c00u, "bytes at once");
    uint32_t expected = UINT32_MAX;
    for (uint32_t i = 0; i < 0x2001; i++) {
        expected ^= pair.hot->cpu.ram[DATA - RAM_BASE + i];
        for (unsigned bit = 0; bit < 8; bit++)
            expected = expected & 1 ? expected >> 1 ^ 0xedb88320u : expected >> 1;
    }
    cr_expect_eq(cpu_reg(&pair.hot->cpu, 2), expected);
    end_pair(&pair);
}

/* Conditions that come from a value with its lowest bit turned, which is more than one bit. */
Test(hot_loop, a_bit_of_more_than_a_truth)
{
    /* top: LDRB r3, [r0], #1; EOR r5, r3, #1; CMP r5, #0; IT NE; ADDNE r2, #3; SUBS r1, #1; BNE top; B . */
    static const uint16_t code[] = {0xf810, 0x3b01, 0xf083, 0x0501, 0x2d00,
                                    0xbf18, 0x3203, 0x3901, 0xd1f6, 0xe7fe};
    const uint32_t is[] = {DATA, 0x2000, 0};
    struct pair pair = new_pair(code, sizeof code, is, 3);
    uint32_t expected = 0;
    for (uint32_t i = 0; i < 0x2000; i++) {
        uint8_t byte = i % 7;
        pair.hot->cpu.ram[DATA - RAM_BASE + i] = pair.slow->cpu.ram[DATA - RAM_BASE + i] = byte;
        expected += byte != 1 ? 3 : 0;
    }
    run_pair(&pair, 300000);
    expect_hot(&pair, true);
    cr_expect_eq(cpu_reg(&pair.hot->cpu, 2), expected);
    end_pair(&pair);
}

/* What depends on data cannot be foretold. */
Test(hot_loop, a_search_is_run_as_it_is)
{
    /* top: LDRB r3, [r0], #1; CMP r3, #0; BEQ top; B . */
    static const uint16_t code[] = {0xf810, 0x3b01, 0x2b00, 0xd0fb, 0xe7fe};
    const uint32_t is[] = {DATA};
    struct pair pair = new_pair(code, sizeof code, is, 1);
    pair.hot->cpu.ram[DATA - RAM_BASE + 0x3000] = pair.slow->cpu.ram[DATA - RAM_BASE + 0x3000] = 1;
    run_pair(&pair, 200000);
    expect_hot(&pair, false);
    cr_expect_eq(cpu_reg(&pair.hot->cpu, 0), DATA + 0x3001);
    end_pair(&pair);
}
