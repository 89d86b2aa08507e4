/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks with the short hook must still be seen by whoever has to: watches, notes of what was read, the cycle
 * model. The slow way, where each block has the long hook, tells what is right. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "core/short_hook.h"

#include "core/machine.h"
#include "core/nor.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

/* Sums up in r5 what the cycle counter says after each inner loop, in which blocks of several lengths follow
 * each other, are branched to, and cross lines of the flash. Stores to where there is no memory now and then;
 * the handler returns behind the store. */
static const uint16_t uneven[] = {
    0x4a11, 0x4912, /*       LDR r2, =DWT; LDR r1, =DEMCR */
    0x4f12,         /*       LDR r7, =0x60000000 */
    0x2001, 0x0604, /*       MOVS r0, #1; LSLS r4, r0, #24 */
    0x600c, 0x6010, /*       STR r4, [r1]; STR r0, [r2] */
    0x3601, 0xb2f0, /* outer: ADDS r6, #1; UXTB r0, r6 */
    0x0841, 0xd204, /* loop: LSRS r1, r0, #1; BCS odd */
    0x3501, 0x0881, /*       ADDS r5, #1; LSRS r1, r0, #2 */
    0xd208, 0x3503, /*       BCS join; ADDS r5, #3 */
    0xe006,         /*       B join */
    0x08c1, 0xd304, /* odd:  LSRS r1, r0, #3; BCC join */
    0xbf00, 0xbf00, /*       NOP; NOP */
    0xbf00, 0xbf00, /*       NOP; NOP */
    0x41c5,         /*       RORS r5, r0 */
    0x3801, 0xd5ef, /* join: SUBS r0, #1; BPL loop */
    0x6851, 0x404d, /*       LDR r1, [r2, #4]; EORS r5, r1 */
    0x0771, 0xd1e9, /*       LSLS r1, r6, #29; BNE outer */
    0x603d, 0xe7e7, /*       STR r5, [r7]; B outer */
    0x9906, 0x3102, /* handler: LDR r1, [SP, #24]; ADDS r1, #2 */
    0x9106, 0x4770, /*       STR r1, [SP, #24]; BX LR */
    0xbf00,         /*       NOP */
    0x1000, 0xe000, 0xedfc, 0xe000, 0x0000, 0x6000,
};
#define UNEVEN_HANDLER 62u

static struct machine *new_machine_for(const uint16_t *program, size_t size, uint32_t handler,
                                       bool short_hooks)
{
    struct machine *machine = calloc(1, sizeof *machine);
    struct diag why = {0};
    const struct machine_options options = {.seed = 1, .speed = {.short_hooks = short_hooks}};
    cr_assert_eq(board_load(&board, "nrf52840", &why), 0, "%s", why.text);
    cr_assert_eq(machine_init(machine, &board, &options, &why), 0, "%s", why.text);
    uint8_t *flash = machine->soc.flash.data;
    const uint32_t vectors[] = {0x20010000u, CODE | 1, 0, (CODE + handler) | 1};
    memcpy(flash, vectors, sizeof vectors);
    memcpy(flash + CODE, program, size);
    memcpy(flash + CODE + size, &icachecnf, 4);
    machine_power_on(machine, RAM_CLEARED);
    return machine;
}

static struct machine *new_machine(bool short_hooks)
{
    return new_machine_for(code, sizeof code, 0, short_hooks);
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

Test(short_hook, whoever_looks_sees_the_same_time_whatever_ran_before)
{
    struct machine *machine[2];
    for (unsigned i = 0; i < 2; i++) {
        machine[i] = new_machine_for(uneven, sizeof uneven, UNEVEN_HANDLER, i == 0);
        run_ms(machine[i], 50);
    }
    cr_expect_gt(cpu_reg(&machine[0]->cpu, 6), 32, "rounds");
    cr_expect_eq(cpu_reg(&machine[0]->cpu, 5), cpu_reg(&machine[1]->cpu, 5));
    cr_expect_eq(cpu_reg(&machine[0]->cpu, 6), cpu_reg(&machine[1]->cpu, 6));
    expect_same(machine[0], machine[1]);
    for (unsigned i = 0; i < 2; i++)
        end_machine(machine[i]);
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

/* Runs code of the next page once in 256 rounds. */
static const uint16_t two_pages[0x802] = {
    0xbf00, 0x2032,                           /*       NOP; outer: MOVS r0, #50 */
    0x3801, 0xd1fd,                           /* loop: SUBS r0, #1; BNE loop */
    0x3601, 0x0631, 0xd1f9,                   /*       ADDS r6, #1; LSLS r1, r6, #24; BNE outer */
    0xf000, 0xfff7, 0xe7f6, [0x800] = 0xbf00, /*       BL far; B outer; far: NOP */
    0x4770,                                   /*       BX lr */
};

Test(short_hook, pages_that_ran_lately_are_known_however_long_they_run)
{
    struct machine *machine = new_machine_for(two_pages, sizeof two_pages, 0, true);
    for (unsigned i = 0; i < 12; i++) {
        run_ms(machine, 300);
        cr_expect(cpu_ran(&machine->cpu, CODE, CODE + 0x1000), "after %u ms", 300 * (i + 1));
        cr_expect(cpu_ran(&machine->cpu, CODE + 0x1000, CODE + 0x2000), "after %u ms", 300 * (i + 1));
        cr_expect_not(cpu_ran(&machine->cpu, CODE + 0x2000, CODE + 0x3000));
    }
    end_machine(machine);
}

Test(short_hook, pages_of_blocks_that_are_known_are_noted_anew)
{
    struct machine *machine = new_machine_for(two_pages, sizeof two_pages, 0, true);
    struct nor *flash = &machine->soc.flash;
    run_ms(machine, 50);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(cpu_watch_flash(&machine->cpu), 0);
        run_ms(machine, 50);
        cr_expect(flash->seen[CODE / flash->page] & NOR_SEEN_READ);
        cr_expect(flash->seen[CODE / flash->page + 1] & NOR_SEEN_READ);
        cr_expect_not(flash->seen[CODE / flash->page + 2] & NOR_SEEN_READ);
    }
    end_machine(machine);
}

#if defined(__x86_64__)
static void long_hook(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)uc;
    (void)address;
    (void)size;
    (void)user;
}

static uint8_t *put_code(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

/* Writes, to end at `end`, what the engine makes of a hook's call: its arguments, the last of them `offset`
 * away from there, and the call through *target. */
static uint8_t *put_call(uint8_t *end, const struct block_info *block, int32_t offset, block_hook *target)
{
    const uint64_t uc = 0;
    const uint32_t size = block->size;
    uint8_t *at = put_code(end - 27, (const uint8_t[]){0x48, 0xbf}, 2);            /* MOV RDI, uc */
    at = put_code(put_code(at, &uc, 8), (const uint8_t[]){0xbe}, 1);               /* MOV ESI, address */
    at = put_code(put_code(at, &block->address, 4), (const uint8_t[]){0xba}, 1);   /* MOV EDX, size */
    at = put_code(put_code(at, &size, 4), (const uint8_t[]){0x48, 0x8d, 0x0d}, 3); /* LEA RCX, [RIP + n] */
    at = put_code(put_code(at, &offset, 4), (const uint8_t[]){0xff, 0x15}, 2);     /* CALL [RIP + n] */
    int32_t to_target = (int32_t)((uint8_t *)target - (at + 4));
    return put_code(at, &to_target, 4);
}

/* How many of the calls get the short way if the CPU lies so far behind what loads its address. */
static size_t short_at_distance(int32_t offset)
{
    const size_t reach = 0x80001000u, page = 0x1000;
    size_t size = reach + page + (sizeof(struct cpu) + page - 1) / page * page;
    uint8_t *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    cr_assert_neq(memory, MAP_FAILED);
    struct cpu *cpu = (struct cpu *)(void *)(memory + reach + page);
    uint8_t *end = (uint8_t *)cpu - offset;
    block_hook *target = (block_hook *)(void *)(memory + 64);
    const struct block_info block = {.address = CODE, .size = 8, .cycles = 4};
    *target = long_hook;
    cpu->flash_size = 0x100000;
    short_hook_open(cpu);
    short_hook_use(cpu, &block, long_hook, put_call(end, &block, offset, target));
    size_t count = short_hook_count(cpu);
    cr_expect_eq(*target == long_hook, count == 0, "the call goes where it should");
    short_hook_close(cpu);
    munmap(memory, size);
    return count;
}

Test(short_hook, reaches_the_cpu_from_where_it_is_put)
{
    cr_expect_eq(short_at_distance(0x10000), 1u);
    cr_expect_eq(short_at_distance(INT32_MAX - 20), 1u, "as far as an offset goes");
    cr_expect_eq(short_at_distance(INT32_MAX - 19), 0u, "the offset would wrap around");
    cr_expect_eq(short_at_distance(INT32_MAX), 0u);
}
#endif
