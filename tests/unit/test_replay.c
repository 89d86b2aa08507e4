/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replayed loops against the engine: random loops of random instructions, some of which read timers, with an
 * interrupt that comes in between, must leave the same machine at the same cycle with replay on and off.
 */
#include "core/replay.h"

#include "loops.h"
#include "programs.h"

#define LOOPS    100u
#define HANDLERS 60u

static struct machine *new_machine(const struct program *p, struct cpu_speed speed)
{
    struct machine *machine = loop_machine(p->code, sizeof p->code, speed);
    bus_write(&machine->bus, 0x40008000u, 4, 1); /* TIMER0.TASKS_START */
    machine->cpu.ran_window = 2 * CYCLES_PER_MS; /* so that it ends while the test runs */
    return machine;
}

static void expect_same(const struct machine *a, const struct machine *b, uint64_t seed)
{
    cr_expect_eq(a->bus.clock.now, b->bus.clock.now, "seed %lu: cycles", (unsigned long)seed);
    cr_expect_eq(machine_trace_hash(a), machine_trace_hash(b), "seed %lu: trace", (unsigned long)seed);
    for (unsigned i = 0; i < 17; i++)
        cr_expect_eq(cpu_reg(&a->cpu, i), cpu_reg(&b->cpu, i), "seed %lu: r%u is 0x%x, not 0x%x",
                     (unsigned long)seed, i, cpu_reg(&b->cpu, i), cpu_reg(&a->cpu, i));
    uint32_t trail[2][CPU_TRAIL] = {{0}};
    cr_expect_eq(cpu_trail(&a->cpu, trail[0]), cpu_trail(&b->cpu, trail[1]));
    cr_expect_arr_eq(trail[0], trail[1], sizeof trail[0], "seed %lu: the last blocks", (unsigned long)seed);
    if (!b->cpu.speed.skip_spins) /* which are not counted */
        cr_expect_eq(a->cpu.trail_next, b->cpu.trail_next, "seed %lu: blocks", (unsigned long)seed);
    cr_expect_eq(a->cpu.expected, b->cpu.expected);
    cr_expect_eq(a->cpu.ran_window, b->cpu.ran_window, "seed %lu: when pages are noted anew",
                 (unsigned long)seed);
    cr_expect_arr_eq(a->cpu.ran_code, b->cpu.ran_code, a->cpu.flash_size >> 12, "seed %lu: pages that ran",
                     (unsigned long)seed);
}

static void run_to(struct machine *machine, uint64_t cycle)
{
    cr_assert_eq(machine_run(machine, cycle), MACHINE_TIME, "%s", machine_failure(machine));
}

static void end_both(struct machine *const machine[2])
{
    end_machine(machine[0]);
    end_machine(machine[1]);
}

/* Runs them, the second of which replays, and ends them: they are the same, and so large a part was replayed,
 * as 1 to `share`. */
static void compare_both(struct machine *const machine[2], uint64_t ms, unsigned share, uint64_t seed)
{
    run_to(machine[0], ms * CYCLES_PER_MS);
    run_to(machine[1], ms * CYCLES_PER_MS);
    expect_same(machine[0], machine[1], seed);
    cr_expect_gt(replay_blocks(&machine[1]->cpu), machine[0]->cpu.trail_next / share);
    end_both(machine);
}

static void compare_replay(const struct program *p, uint64_t ms, unsigned share, uint64_t seed)
{
    struct machine *machine[2];
    for (unsigned n = 0; n < 2; n++)
        machine[n] = new_machine(p, (struct cpu_speed){.replay_loops = n == 1});
    compare_both(machine, ms, share, seed);
}

/* Looks at RAM now and then in the middle of a register access, as DMA may. */
struct onlooker {
    struct bus *bus;
    unsigned accesses;
    uint64_t digest;
};

static void look_at_ram(void *context, uint32_t address, bool writing)
{
    struct onlooker *onlooker = context;
    uint32_t words[32];
    (void)address;
    (void)writing;
    if (++onlooker->accesses % 7)
        return;
    const uint32_t places[] = {SCRATCH, STACK - sizeof words};
    for (unsigned n = 0; n < 2; n++) {
        cr_assert_eq(dma_read(onlooker->bus, places[n], words, sizeof words), 0);
        for (unsigned i = 0; i < 32; i++)
            onlooker->digest = (onlooker->digest ^ words[i]) * 0x9e3779b97f4a7c15ull;
    }
}

/* Has all accesses of the CPU to peripherals seen. */
static void watch_accesses(struct machine *machine, void (*watch)(void *, uint32_t, bool), void *context)
{
    machine->bus.watch = watch;
    machine->bus.watch_context = context;
    for (unsigned b = 0; b < machine->bus.blocks; b++)
        machine->bus.block[b]->watched = true;
}

TestSuite(replay, .init = load_loop_board, .fini = free_loop_board);

Test(replay, ram_is_up_to_date_for_dma)
{
    uint64_t replayed = 0, accesses = 0;
    for (uint64_t seed = 1; seed <= LOOPS; seed++) {
        struct onlooker onlooker[2] = {{0}};
        struct program program;
        make_program(&program, seed, 0x40000);
        for (unsigned n = 0; n < 2; n++) {
            struct machine *machine = new_machine(&program, (struct cpu_speed){.replay_loops = n == 1});
            onlooker[n].bus = &machine->bus;
            watch_accesses(machine, look_at_ram, &onlooker[n]);
            run_to(machine, 3 * CYCLES_PER_MS);
            replayed += replay_blocks(&machine->cpu);
            end_machine(machine);
        }
        cr_expect_eq(onlooker[0].accesses, onlooker[1].accesses, "seed %lu", (unsigned long)seed);
        cr_expect_eq(onlooker[0].digest, onlooker[1].digest, "seed %lu", (unsigned long)seed);
        accesses += onlooker[0].accesses;
    }
    cr_expect_gt(replayed, 100000, "only %lu blocks were replayed", (unsigned long)replayed);
    cr_expect_gt(accesses, 10000, "there were only %lu accesses", (unsigned long)accesses);
}

/* Lets the MPU cover the peripherals, for privileged code only; what it has no region for is as without it.
 */
static void switch_mpu(struct machine *machine, bool on)
{
    struct mpu *mpu = &machine->cpu.mpu;
    *mpu = (struct mpu){.ctrl = on ? MPU_CTRL_ENABLE | MPU_CTRL_PRIVDEFENA : 0};
    mpu->rbar[0] = 0x40000000u;
    mpu->rasr[0] = 1u << 28 | 1u << 24 | 28u << 1 | 1u; /* never executed, privileged, 512 MiB, enabled */
    clock_kick(&machine->bus.clock);
}

Test(replay, random_loops)
{
    const struct cpu_speed speeds[] = {{.inline_stores = true, .replay_loops = true},
                                       CPU_ALL_TRICKS,
                                       {.inline_stores = true, .short_hooks = true, .replay_loops = true}};
    uint64_t blocks = 0, replayed = 0, replayed_with[3] = {0};
    unsigned loops = 0;
    for (uint64_t seed = 1; seed <= LOOPS; seed++) {
        struct program program;
        make_program(&program, seed, 0x40000);
        for (unsigned n = 0; n < sizeof speeds / sizeof speeds[0]; n++) {
            struct machine *slow = new_machine(&program, (struct cpu_speed){0});
            struct machine *fast = new_machine(&program, speeds[n]);
            for (unsigned step = 1; step <= 2; step++) {
                uint64_t until = step * 3 * CYCLES_PER_MS + seed * 77;
                switch_mpu(slow, (seed + step) % 3 == 0);
                switch_mpu(fast, (seed + step) % 3 == 0);
                cr_assert_eq(machine_run(slow, until), MACHINE_TIME, "%s", machine_failure(slow));
                cr_assert_eq(machine_run(fast, until), MACHINE_TIME, "seed %lu: %s", (unsigned long)seed,
                             machine_failure(fast));
                expect_same(slow, fast, seed);
            }
            blocks += speeds[n].replay_loops ? fast->cpu.trail_next : 0;
            replayed += replay_blocks(&fast->cpu);
            replayed_with[n] += replay_blocks(&fast->cpu);
            loops += replay_blocks(&fast->cpu) > 0;
            end_machine(slow);
            end_machine(fast);
        }
    }
    cr_expect_eq(replayed_with[0], replayed_with[2], "short hooks keep loops from being replayed");
    cr_expect_gt(loops, LOOPS * 9 / 4, "only %u loops were replayed", loops);
    cr_expect_gt(replayed, blocks / 2, "%lu of %lu blocks", (unsigned long)replayed, (unsigned long)blocks);
}

#define SYSTICK_CODE 0x2000u
#define PENDSV_CODE  0x4000u
#define TIMER_CODE   0x6000u
#define PENDSV       14u
#define SYSTICK      15u
#define TIMER1_IRQ   9u

/* Of PendSV, of SysTick, and of TIMER1, which comes every `ticks`. */
static struct machine *machine_with_handlers(const struct program *loop, const struct program handler[3],
                                             uint32_t ticks, struct cpu_speed speed)
{
    struct machine *machine = new_machine(loop, speed);
    uint8_t *flash = machine->soc.flash.data;
    const uint32_t vectors[] = {PENDSV_CODE | 1, SYSTICK_CODE | 1}, timer = TIMER_CODE | 1;
    memcpy(flash + 4 * PENDSV, vectors, sizeof vectors);
    memcpy(flash + 4 * (16 + TIMER1_IRQ), &timer, sizeof timer);
    memcpy(flash + PENDSV_CODE, handler[0].code, sizeof handler[0].code);
    memcpy(flash + SYSTICK_CODE, handler[1].code, sizeof handler[1].code);
    memcpy(flash + TIMER_CODE, handler[2].code, sizeof handler[2].code);
    machine->cpu.exc.priority[PENDSV] = 0xe0;
    machine->cpu.exc.priority[SYSTICK] = 0x40;
    bus_write(&machine->bus, TIMER1 + 0x540, 4, ticks);    /* CC[0] */
    bus_write(&machine->bus, TIMER1 + 0x508, 4, 3);        /* BITMODE: 32 bits */
    bus_write(&machine->bus, TIMER1 + 0x510, 4, 0);        /* PRESCALER: 16 MHz */
    bus_write(&machine->bus, TIMER1 + 0x200, 4, 1);        /* SHORTS: COMPARE0_CLEAR */
    bus_write(&machine->bus, TIMER1 + 0x304, 4, 1u << 16); /* INTENSET: COMPARE0 */
    bus_write(&machine->bus, TIMER1, 4, 1);                /* TASKS_START */
    scs_write(&machine->cpu, 0xe000e100, 4, 1u << TIMER1_IRQ);
    return machine;
}

/* Handlers that come all the time, also one in the other, and change what the loop works on. */
Test(replay, random_handlers)
{
    const struct cpu_speed speeds[] = {{.replay_loops = true}, CPU_ALL_TRICKS};
    uint64_t blocks = 0, replayed = 0;
    for (uint64_t seed = 1; seed <= HANDLERS; seed++) {
        struct program loop, handler[3];
        make_program(&loop, seed, 3000u << seed % 4);
        /* Of a quarter of a tick more or less, so that the two come at once for a while. */
        uint32_t ticks = seed % 3 ? loop.systick / 4 : 400;
        for (unsigned n = 0; n < 3; n++)
            make_handler(&handler[n], seed + 700 * n, n == 2);
        for (unsigned n = 0; n < sizeof speeds / sizeof speeds[0]; n++) {
            struct machine *slow = machine_with_handlers(&loop, handler, ticks, (struct cpu_speed){0});
            struct machine *fast = machine_with_handlers(&loop, handler, ticks, speeds[n]);
            for (unsigned step = 1; step <= 2; step++) {
                uint64_t until = step * 6 * CYCLES_PER_MS + seed * 77;
                cr_assert_eq(machine_run(slow, until), MACHINE_TIME, "%s", machine_failure(slow));
                cr_assert_eq(machine_run(fast, until), MACHINE_TIME, "seed %lu: %s", (unsigned long)seed,
                             machine_failure(fast));
                expect_same(slow, fast, seed);
            }
            blocks += fast->cpu.trail_next;
            replayed += replay_blocks(&fast->cpu);
            end_machine(slow);
            end_machine(fast);
        }
    }
    cr_expect_gt(replayed, blocks / 3, "%lu of %lu blocks", (unsigned long)replayed, (unsigned long)blocks);
}

/* While interrupts are masked SysTick becomes pending, and TIMER1, which goes first, is due when they are
 * unmasked: at each distance from one to the other, by and by. */
Test(replay, what_is_due_goes_before_what_is_pending)
{
    struct program loop, handler[3];
    struct machine *machine[2];
    make_program(&loop, 1, 16);
    loop.size = 0;
    put_systick(&loop, 601);
    unsigned top = loop.size;
    put(&loop, 0xb672);           /* CPSID i */
    put_steps(&loop, 12, 0x3401); /* ADDS r4, #1 */
    for (unsigned i = 0; i < 24; i++)
        put(&loop, 0x3401);
    put(&loop, 0xb662); /* CPSIE i, in the same block */
    put_back(&loop, top);
    for (unsigned n = 0; n < 3; n++)
        make_handler(&handler[n], 700 * n, n == 2);
    for (unsigned n = 0; n < 2; n++)
        machine[n] =
            machine_with_handlers(&loop, handler, 150, (struct cpu_speed){.replay_loops = n == 1}); /* 600 */
    compare_both(machine, 40, 4, 0);
}

/* A loop that does nothing but mask interrupts and unmask them is recorded from where they are masked. What
 * becomes pending there is taken in the same round, of which only the rest is left to be replayed. */
Test(replay, pending_in_a_loop_that_does_nothing)
{
    for (uint32_t period = 601; period < 604; period++) {
        struct program loop = {.size = 0};
        put_systick(&loop, period);
        unsigned top = loop.size;
        put(&loop, 0xb672);           /* CPSID i */
        put_steps(&loop, 12, 0xbf00); /* NOP */
        put(&loop, 0xb662);           /* CPSIE i */
        put_back(&loop, top);
        compare_replay(&loop, 10, 4, period);
    }
}

/* SysTick's handler changes a word that the loop loads early in a round and uses late: at whatever block the
 * handler comes by, the round goes on with what it had loaded. */
Test(replay, what_was_loaded_before_a_handler_came_by)
{
    struct program loop, handler[3];
    struct machine *machine[2];
    make_program(&loop, 1, 16);
    loop.size = 0;
    put_constant(&loop, 8, SCRATCH);
    put_systick(&loop, 602);
    unsigned top = loop.size;
    put2(&loop, 0xf8d82040u);     /* LDR r2, [r8, #0x40] */
    put_steps(&loop, 24, 0x3401); /* ADDS r4, #1 */
    put2(&loop, 0xea825575u);     /* EOR r5, r2, r5, ROR #21 */
    put_back(&loop, top);
    for (unsigned n = 0; n < 3; n++)
        make_handler(&handler[n], 700 * n, n == 2);
    handler[1].size = 0;
    put2(&handler[1], 0xf8d80040u); /* LDR r0, [r8, #0x40]; ADDS r0, #1; STR r0, [r8, #0x40]; BX lr */
    put(&handler[1], 0x3001);
    put2(&handler[1], 0xf8c80040u);
    put(&handler[1], 0x4770);
    for (unsigned n = 0; n < 2; n++)
        machine[n] =
            machine_with_handlers(&loop, handler, 1u << 24, (struct cpu_speed){.replay_loops = n == 1});
    compare_both(machine, 40, 4, 0);
}

/* A counter that lies across two words, and products of halves of it. */
Test(replay, across_words)
{
    struct program program = {.size = 0};
    put_constant(&program, 8, SCRATCH);
    put2(&program, 0xf04f0300u); /* MOV r3, #0 */
    unsigned top = program.size;
    put2(&program, 0xf8d80006u); /* LDR r0, [r8, #6]; ADDS r0, #37; STR r0, [r8, #6] */
    put(&program, 0x3025);
    put2(&program, 0xf8c80006u);
    put2(&program, 0xf8b81007u); /* LDRH r1, [r8, #7]; SMULTB r2, r0, r1; EORS r4, r2 */
    put2(&program, 0xfb10f221u);
    put(&program, 0x4054);
    put2(&program, 0xfb140503u);     /* SMLABB r5, r4, r3, r0 */
    put2(&program, 0xf8a84003u);     /* STRH r4, [r8, #3] */
    put_steps(&program, 20, 0x3601); /* ADDS r6, #1 */
    put_back(&program, top);
    compare_replay(&program, 40, 2, 0);
}

/* A loop that switches the flash cache on for a part of each round: the switch counts from the next block on,
 * whenever there is something else to look at. There each trace is left, so little is replayed. */
Test(replay, a_cache_that_is_switched)
{
    for (uint32_t period = 900; period < 1000; period += 33) {
        struct program loop = {.size = 0};
        put_constant(&loop, 9, 1);
        put_systick(&loop, period + 1);
        put_constant(&loop, 11, 0x4001e540u); /* NVMC.ICACHECNF */
        unsigned top = loop.size;
        for (unsigned on = 0; on < 2; on++) {
            put2(&loop, 0xf8cb0000u | (on ? 9u : 3u) << 12); /* STR r9 or r3, [r11] */
            put_steps(&loop, 14, 0x3401);                    /* ADDS r4, #1 */
        }
        put_back(&loop, top);
        compare_replay(&loop, 10, 200, period);
    }
}

/* A delay as compilers make it of a call in a loop: a register that changes is pushed in each round. */
static void make_delay(struct program *p, bool masked)
{
    memset(p, 0, sizeof *p);
    put_constant(p, 6, 20000);
    put_constant(p, 10, 0xe0001000u);
    put_systick(p, 0x4001);
    if (masked)
        put(p, 0xb672);
    put2(p, 0xf8da1004u); /* again: LDR r1, [r10, #4] */
    put2(p, 0xf8da3004u); /* top: LDR r3, [r10, #4] */
    put(p, 0x1a5b);       /* SUBS r3, r3, r1 */
    put(p, 0xb508);       /* PUSH {r3, lr} */
    put(p, 0xe7ff);       /* B next */
    put(p, 0xbc0c);       /* next: POP {r2, r3} */
    put(p, 0x42b2);       /* CMP r2, r6 */
    put(p, 0xd3f7);       /* BCC top */
    put(p, 0x3401);       /* ADDS r4, #1 */
    put(p, 0xe7f3);       /* B again */
}

/* Neither an MPU that forbids nothing, nor interrupts that stay masked, nor a stack that changes is a reason
 * to run all rounds of a delay. */
Test(replay, delays)
{
    const struct cpu_speed skips = {.skip_spins = true}, replays = {.replay_loops = true};
    for (unsigned how = 0; how < 4; how++) {
        const struct cpu_speed speeds[] = {{0}, skips, replays, CPU_ALL_TRICKS};
        struct machine *machine[4];
        struct program program;
        make_delay(&program, how & 1);
        for (unsigned n = 0; n < 4; n++) {
            machine[n] = new_machine(&program, speeds[n]);
            switch_mpu(machine[n], how & 2);
            run_to(machine[n], 50 * CYCLES_PER_MS);
            expect_same(machine[0], machine[n], how);
        }
        cr_expect_gt(cpu_reg(&machine[0]->cpu, 4), 100);
        uint64_t blocks = machine[0]->cpu.trail_next;
        cr_expect_lt(machine[1]->cpu.trail_next, blocks / 4, "%u: %lu of %lu blocks", how,
                     (unsigned long)machine[1]->cpu.trail_next, (unsigned long)blocks);
        cr_expect_gt(replay_blocks(&machine[2]->cpu), blocks / 2, "%u", how);
        for (unsigned n = 0; n < 4; n++)
            end_machine(machine[n]);
    }
}

/* Rounds go one of two ways, never one way four times in a row, nor from one to the other as often. */
Test(replay, a_loop_of_several_ways)
{
    struct program program = {.size = 0};
    struct machine *machine[2];
    put_constant(&program, 3, 7);
    unsigned top = program.size;
    put(&program, 0x3401);       /* ADDS r4, #1 */
    put2(&program, 0xfbb4f0f3u); /* UDIV r0, r4, r3 */
    put2(&program, 0xfb004013u); /* MLS r0, r0, r3, r4 */
    put(&program, 0x2802);       /* CMP r0, #2; BEQ other */
    put(&program, 0xd000 | 42);
    put(&program, 0x2806); /* CMP r0, #6; BEQ other */
    put(&program, 0xd000 | 40);
    for (unsigned way = 0; way < 2; way++) {
        put_steps(&program, 20, 0x3501 + 0x100 * way); /* ADDS r5 or r6, #1 */
        put_back(&program, top);
    }
    for (unsigned n = 0; n < 2; n++) {
        machine[n] = new_machine(&program, (struct cpu_speed){.replay_loops = n == 1});
        run_to(machine[n], 40 * CYCLES_PER_MS);
    }
    expect_same(machine[0], machine[1], 0);
    cr_expect_gt(cpu_reg(&machine[0]->cpu, 6), 10000);
    cr_expect_gt(replay_blocks(&machine[1]->cpu), machine[0]->cpu.trail_next / 2);
    end_both(machine);
}

/* Goes on behind what its fault is about: two more than the stacked PC. */
static const uint16_t skip[] = {0x9906, 0x3102, 0x9106, 0x4770};

/* An access that is well for a while, and a bus error from the moment on that `change` is called. */
static void compare_access(uint16_t access, uint32_t address, void (*prepare)(struct machine *),
                           void (*change)(struct machine *))
{
    struct program program = {.size = 0};
    struct machine *machine[2];
    put_constant(&program, 6, address);
    put(&program, access);
    put(&program, 0x3401); /* ADDS r4, #1; B to the access */
    put(&program, 0xe7fc);
    for (unsigned n = 0; n < 2; n++) {
        machine[n] = new_machine(&program, (struct cpu_speed){.replay_loops = n == 1});
        memcpy(machine[n]->soc.flash.data + HANDLER, skip, sizeof skip);
        prepare(machine[n]);
        for (unsigned step = 0; step < 2; step++) {
            run_to(machine[n], (1 + step) * 20 * CYCLES_PER_MS);
            change(machine[n]);
        }
    }
    expect_same(machine[0], machine[1], 0);
    cr_expect_gt(cpu_reg(&machine[0]->cpu, 4), 1000);
    cr_expect_neq(machine[0]->cpu.scb.bfar, 0);
    end_both(machine);
}

static void open_window(struct machine *machine)
{
    cr_assert_eq(bus_write(&machine->bus, 0x40029500u, 4, 1), 0); /* QSPI.ENABLE */
    machine->soc.qspi.active = true;
}

static void close_window(struct machine *machine)
{
    machine->soc.qspi.active = false;
}

Test(replay, a_window_that_closes)
{
    compare_access(0x6830 /* LDR r0, [r6] */, 0x12000000u, open_window, close_window);
}

static void ignore_stores(struct machine *machine)
{
    cr_assert_eq(bus_write(&machine->bus, 0x4001e504u, 4, 0), 0); /* NVMC.CONFIG: REN */
}

static void allow_stores(struct machine *machine)
{
    cr_assert_eq(bus_write(&machine->bus, 0x4001e504u, 4, 1), 0); /* WEN */
}

/* Of one byte to UICR, where only words can be written. */
Test(replay, a_store_that_is_not_ignored_any_more)
{
    compare_access(0x7030 /* STRB r0, [r6] */, 0x10001080u, ignore_stores, allow_stores);
}

static void count_up(void *context, struct cpu *cpu, uint32_t address)
{
    (void)cpu;
    (void)address;
    ++*(uint32_t *)context;
}

/* Interrupts come in front of the block, and traces begin there. */
Test(replay, a_watch_is_told_once_of_each_time_that_its_block_runs)
{
    const struct cpu_speed speeds[] = {{0}, {.replay_loops = true}, CPU_ALL_TRICKS};
    struct program program = {.size = 0};
    put(&program, 0x3401); /* top: ADDS r4, #1; B top */
    put(&program, 0xe7fd);
    for (size_t n = 0; n < sizeof speeds / sizeof speeds[0]; n++) {
        struct machine *machine = new_machine(&program, speeds[n]);
        uint32_t seen = 0;
        scs_write(&machine->cpu, 0xe000e014, 4, 7001); /* SYST_RVR, SYST_CSR */
        scs_write(&machine->cpu, 0xe000e010, 4, 7);
        run_to(machine, 10 * CYCLES_PER_MS);
        uint32_t before = cpu_reg(&machine->cpu, 4);
        cr_assert_eq(cpu_watch(&machine->cpu, CODE, count_up, &seen), 0);
        run_to(machine, 20 * CYCLES_PER_MS);
        uint32_t rounds = cpu_reg(&machine->cpu, 4) - before;
        cr_expect_gt(rounds, 10000);
        cr_expect(seen - rounds <= 1, "%zu: it was told %u times of %u", n, seen, rounds);
        end_machine(machine);
    }
}

/* Holds the CPU for a while in the middle of a register access, as a busy peripheral may: what comes up
 * meanwhile, or soon after, comes up in time. */
static void take_time(void *context, uint32_t address, bool writing)
{
    struct onlooker *onlooker = context;
    (void)address;
    (void)writing;
    if (++onlooker->accesses % 3)
        return;
    uint64_t mixed = onlooker->accesses * 0x9e3779b97f4a7c15ull;
    clock_stall(&onlooker->bus->clock, mixed >> 32 & (0x3ff >> (mixed >> 60 & 7)));
}

Test(replay, accesses_that_take_their_time)
{
    uint64_t replayed = 0;
    for (uint64_t seed = 1; seed <= LOOPS; seed++) {
        struct onlooker onlooker[2];
        struct machine *machine[2];
        struct program program;
        make_program(&program, seed, 3000);
        for (unsigned n = 0; n < 2; n++) {
            machine[n] = new_machine(&program, (struct cpu_speed){.replay_loops = n == 1});
            onlooker[n] = (struct onlooker){.bus = &machine[n]->bus};
            watch_accesses(machine[n], take_time, &onlooker[n]);
            run_to(machine[n], 6 * CYCLES_PER_MS);
        }
        expect_same(machine[0], machine[1], seed);
        replayed += replay_blocks(&machine[1]->cpu);
        end_both(machine);
    }
    cr_expect_gt(replayed, 100000, "only %lu blocks were replayed", (unsigned long)replayed);
}

/* Writes the word that was stored before, sometimes. */
static void write_ram(void *context, uint32_t address, bool writing)
{
    struct onlooker *onlooker = context;
    (void)address;
    (void)writing;
    if (++onlooker->accesses % 1001 == 0)
        cr_assert_eq(dma_write(onlooker->bus, SCRATCH, &onlooker->accesses, 4), 0);
}

/* What DMA writes during an access to a register stays written, though the code had stored something there
 * before. */
Test(replay, dma_over_what_was_stored)
{
    struct program program = {.size = 0};
    struct onlooker onlooker[2];
    struct machine *machine[2];
    put_constant(&program, 8, SCRATCH);
    put_constant(&program, 9, 1);
    put_constant(&program, 11, 0x40008000u);
    put2(&program, 0xf8c84000u); /* top: STR r4, [r8] */
    put2(&program, 0xf8cb9040u); /* STR r9, [r11, #64]: TASKS_CAPTURE[0] */
    put(&program, 0xe7ff);       /* B next */
    put2(&program, 0xf8d85000u); /* next: LDR r5, [r8] */
    put(&program, 0x1976);       /* ADDS r6, r6, r5 */
    put(&program, 0x3401);       /* ADDS r4, #1 */
    put(&program, 0xe7f5);       /* B top */
    for (unsigned n = 0; n < 2; n++) {
        machine[n] = new_machine(&program, (struct cpu_speed){.replay_loops = n == 1});
        onlooker[n] = (struct onlooker){.bus = &machine[n]->bus};
        watch_accesses(machine[n], write_ram, &onlooker[n]);
        run_to(machine[n], 20 * CYCLES_PER_MS);
    }
    cr_expect_gt(onlooker[0].accesses, 20000);
    cr_expect_gt(replay_blocks(&machine[1]->cpu), machine[0]->cpu.trail_next / 2);
    expect_same(machine[0], machine[1], 0);
    end_both(machine);
}

/* A trace was left here by privileged code; what comes now is not. */
Test(replay, unprivileged_code_where_a_trace_was_left, .timeout = 30)
{
    struct program program = {.size = 0};
    struct machine *machine[2];
    put(&program, 0x3401); /* top: ADDS r4, #1; B next */
    put(&program, 0xe7ff);
    put(&program, 0x3501); /* next: ADDS r5, #1; B top */
    put(&program, 0xe7fb);
    for (unsigned n = 0; n < 2; n++) {
        machine[n] = new_machine(&program, (struct cpu_speed){.replay_loops = n == 1});
        for (unsigned step = 1; step <= 8; step++) {
            run_to(machine[n], step * 5 * CYCLES_PER_MS + step);
            cpu_set_control(&machine[n]->cpu, step & 1);
        }
    }
    cr_expect_gt(replay_blocks(&machine[1]->cpu), 1000);
    expect_same(machine[0], machine[1], 0);
    end_both(machine);
}

/* With SEVONPEND an exception that is pending when somebody looks is an event; one that comes and goes within
 * a block of code is none, nor one that goes and comes. */
Test(replay, pending_or_not_for_a_moment)
{
    for (uint32_t first = 0; first < 2; first++) {
        struct program program = {.size = 0};
        struct machine *machine[2];
        put_constant(&program, 0, 1u << TIMER1_IRQ);
        put_constant(&program, 8, 0xe000e200u);
        put2(&program, 0xf8c80000u + 128 * first);       /* top: STR r0, [r8]: ISPR0, or ICPR0 */
        put2(&program, 0xf8c80000u + 128 * (1 - first)); /* STR r0, [r8, #128]: the other one */
        put(&program, 0x3401);                           /* ADDS r4, #1 */
        put(&program, 0xe7f9);                           /* B top */
        for (unsigned n = 0; n < 2; n++) {
            machine[n] = new_machine(&program, (struct cpu_speed){.replay_loops = n == 1});
            machine[n]->cpu.scb.scr = SCR_SEVONPEND;
            run_to(machine[n], 10000);
            cr_expect_eq(machine[n]->cpu.event_register, first, "%u, at first", n);
            machine[n]->cpu.event_register = false;
            run_to(machine[n], 5 * CYCLES_PER_MS);
            cr_expect_not(machine[n]->cpu.event_register, "%u", n);
        }
        cr_expect_gt(replay_blocks(&machine[1]->cpu), 1000);
        expect_same(machine[0], machine[1], 0);
        end_both(machine);
    }
}

struct watcher {
    struct cpu *cpu;
    unsigned accesses;
    uint32_t seen;
};

/* Sets a watch in the midst of the 20001st access. */
static void set_watch(void *context, uint32_t address, bool writing)
{
    struct watcher *watcher = context;
    (void)address;
    (void)writing;
    if (++watcher->accesses == 20001)
        cr_assert_eq(cpu_watch(watcher->cpu, CODE + 26, count_up, &watcher->seen), 0);
}

/* Whoever sees an access may watch for code from then on, be it the next block. */
Test(replay, a_watch_that_is_set_during_an_access)
{
    struct program program = {.size = 0};
    struct watcher watcher[2];
    struct machine *machine[2];
    put_constant(&program, 9, 1);
    put_constant(&program, 11, 0x40008000u);
    put2(&program, 0xf8cb9040u); /* top: STR r9, [r11, #64]: TASKS_CAPTURE[0] */
    put2(&program, 0xf8db4540u); /* LDR r4, [r11, #0x540]: CC[0] */
    put(&program, 0xe7ff);       /* B next */
    put(&program, 0x3501);       /* next: ADDS r5, #1 */
    put(&program, 0xe7f8);       /* B top */
    for (unsigned n = 0; n < 2; n++) {
        machine[n] = new_machine(&program, (struct cpu_speed){.replay_loops = n == 1});
        watcher[n] = (struct watcher){.cpu = &machine[n]->cpu};
        watch_accesses(machine[n], set_watch, &watcher[n]);
        run_to(machine[n], 20 * CYCLES_PER_MS);
    }
    expect_same(machine[0], machine[1], 0);
    cr_expect_gt(replay_blocks(&machine[1]->cpu), 10000);
    cr_expect_gt(watcher[0].seen, 10000);
    cr_expect_eq(watcher[0].seen, watcher[1].seen, "it was told %u times, not %u", watcher[1].seen,
                 watcher[0].seen);
    end_both(machine);
}
