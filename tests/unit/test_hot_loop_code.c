/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rounds of random operations, as code of the host and one operation after the other: both must come to the
 * same. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "core/hot_loop_code.h"

#include "core/bus.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY 256u /* bytes that the rounds access */
#define ROOM   65536u
#define LIMIT  0x30000000u /* the guest's address of that memory */

struct sample {
    struct hot_round round;
    uint8_t memory[MEMORY];
    uint64_t random;
};

static uint32_t pick(struct sample *s, uint32_t below)
{
    return random_next(&s->random) % below;
}

static uint16_t new_slot(struct sample *s, bool known, uint32_t value)
{
    s->round.slot_known[s->round.slots] = known;
    s->round.slot[s->round.slots] = value;
    return (uint16_t)s->round.slots++;
}

static uint16_t any_slot(struct sample *s)
{
    /* Mostly of what was made last. */
    unsigned slots = s->round.slots - 1;
    return (uint16_t)(1 + (pick(s, 2) || slots < 12 ? pick(s, slots) : slots - 1 - pick(s, 12)));
}

static struct ir *new_op(struct sample *s, unsigned op)
{
    struct ir *ir = &s->round.op[s->round.ops++];
    *ir = (struct ir){.op = (uint8_t)op};
    return ir;
}

static uint16_t compute(struct sample *s, unsigned op, uint16_t a, uint16_t b, uint16_t c)
{
    uint16_t to = new_slot(s, false, 0xdeadbeef);
    struct ir *ir = new_op(s, op);
    ir->to = to;
    ir->a = a;
    ir->b = b;
    ir->c = c;
    return to;
}

/* An address somewhere in the memory, where something of that size may begin. */
static uint16_t address_of(struct sample *s, unsigned size)
{
    uint16_t mask = new_slot(s, true, (MEMORY - 1) & ~(size - 1)), base = new_slot(s, true, LIMIT);
    uint16_t zero = new_slot(s, true, 0);
    return compute(s, IR_ADD, compute(s, IR_AND, any_slot(s), mask, zero), base, zero);
}

static void add_access(struct sample *s)
{
    unsigned size = 1u << pick(s, 3);
    uint16_t address = address_of(s, size);
    if (pick(s, 2)) {
        uint16_t to = new_slot(s, false, 0xdeadbeef);
        struct ir *ir = new_op(s, FX_LOAD_AT);
        ir->to = to;
        ir->a = address;
        ir->size = (uint8_t)size;
        ir->exit = (uint16_t)s->round.accesses++;
    } else {
        struct ir *ir = new_op(s, FX_STORE_AT);
        ir->a = any_slot(s);
        ir->b = address;
        ir->size = (uint8_t)size;
        ir->exit = (uint16_t)s->round.accesses++;
    }
}

static void add_computation(struct sample *s)
{
    static const uint8_t ops[] = {
        IR_ADD,      IR_ADD_CARRY, IR_AND,     IR_OR,   IR_EOR,  IR_LSL,
        IR_LSR,      IR_ASR,       IR_ROR,     IR_MUL,  IR_SUB,  IR_MUL_HIGH,
        IR_IS_ZERO,  IR_NOT_LESS,  IR_SELECT,  IR_SXTB, IR_SXTH, IR_REV,
        IR_NOT_LESS, IR_SELECT,    IR_IS_ZERO, IR_ADD,  IR_SUB,  IR_MUL_HIGH_SIGNED};
    unsigned op = ops[pick(s, sizeof ops)];
    uint16_t b = any_slot(s), c = any_slot(s);
    if (op >= IR_LSL && op <= IR_ROR) {
        b = new_slot(s, true, pick(s, 48));
        if (op <= IR_LSR && pick(s, 2))
            b = compute(s, IR_AND, any_slot(s), new_slot(s, true, 0xff), new_slot(s, true, 0));
    }
    if (op == IR_LSL && !pick(s, 2)) {
        op = IR_LSL_CARRY + 2 * pick(s, 4);
        b = new_slot(s, true, 1 + pick(s, 32));
    }
    if (op == IR_ADD || op == IR_ADD_CARRY)
        c = pick(s, 3) ? new_slot(s, true, pick(s, 2)) : compute(s, IR_IS_ZERO, c, b, b);
    compute(s, op, any_slot(s), b, c);
}

static struct sample *new_sample(uint64_t seed)
{
    struct sample *s = calloc(1, sizeof *s);
    cr_assert(s);
    s->random = seed;
    s->round.slots = 1;
    s->round.slot_known[0] = true;
    s->round.variables = 1 + pick(s, PLACES);
    for (unsigned i = 0; i < s->round.variables; i++)
        s->round.variable[i].slot = new_slot(s, false, random_next(&s->random));
    new_slot(s, true, random_next(&s->random));
    new_slot(s, true, pick(s, 300));
    for (unsigned ops = 1 + pick(s, 60); ops > 0; ops--) {
        if (pick(s, 5))
            add_computation(s);
        else if (s->round.accesses < HOT_ACCESS)
            add_access(s);
    }
    for (unsigned i = 0; i < s->round.variables; i++)
        s->round.variable[i].after = pick(s, 4) ? any_slot(s) : s->round.variable[i].slot;
    for (unsigned i = 0; i < MEMORY; i++)
        s->memory[i] = (uint8_t)random_next(&s->random);
    return s;
}

static void work_off(struct sample *s, uint64_t rounds)
{
    uint32_t *slot = s->round.slot;
    for (; rounds > 0; rounds--) {
        for (unsigned i = 0; i < s->round.ops; i++) {
            const struct ir *ir = &s->round.op[i];
            if (ir->op == FX_LOAD_AT) {
                slot[ir->to] = 0;
                memcpy(&slot[ir->to], s->memory + (slot[ir->a] - LIMIT), ir->size);
            } else if (ir->op == FX_STORE_AT) {
                memcpy(s->memory + (slot[ir->b] - LIMIT), &slot[ir->a], ir->size);
            } else {
                slot[ir->to] = ir_eval((enum ir_op)ir->op, slot[ir->a], slot[ir->b], slot[ir->c]);
            }
        }
        uint32_t after[PLACES];
        for (unsigned i = 0; i < s->round.variables; i++)
            after[i] = slot[s->round.variable[i].after];
        for (unsigned i = 0; i < s->round.variables; i++)
            slot[s->round.variable[i].slot] = after[i];
    }
}

static size_t run_code(struct sample *s, uint64_t rounds)
{
    uintptr_t bias[HOT_ACCESS];
    hot_code *code;
    uint8_t *memory = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)memory, MAP_FAILED);
    size_t size = hot_code_make(&s->round, memory, ROOM);
    for (unsigned i = 0; i < HOT_ACCESS; i++)
        bias[i] = (uintptr_t)s->memory - LIMIT;
    cr_assert_eq(mprotect(memory, ROOM, PROT_READ | PROT_EXEC), 0);
    memcpy(&code, &memory, sizeof code);
    if (size)
        code(s->round.slot, bias, rounds);
    munmap(memory, ROOM);
    return size;
}

Test(hot_loop_code, random_rounds)
{
    unsigned made = 0;
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        struct sample *code = new_sample(seed), *plain = new_sample(seed);
        uint64_t rounds = 1 + seed % 5;
        if (run_code(code, rounds)) {
            made++;
            work_off(plain, rounds);
            for (unsigned i = 0; i < plain->round.variables; i++) {
                unsigned slot = plain->round.variable[i].slot;
                cr_assert_eq(code->round.slot[slot], plain->round.slot[slot],
                             "seed %lu: variable %u is 0x%x, not 0x%x", (unsigned long)seed, i,
                             code->round.slot[slot], plain->round.slot[slot]);
            }
            cr_assert_arr_eq(code->memory, plain->memory, MEMORY, "seed %lu: memory", (unsigned long)seed);
        }
        free(code);
        free(plain);
    }
#if defined(__x86_64__)
    cr_expect_gt(made, 3500u, "%u were translated", made);
#else
    cr_expect_eq(made, 0u);
#endif
}

/* There is no code rather than half of it. */
Test(hot_loop_code, too_little_room)
{
    struct sample *s = new_sample(7);
    uint8_t *memory = malloc(ROOM);
    cr_assert(memory);
    size_t size = hot_code_make(&s->round, memory, ROOM);
    for (size_t room = 0; room < size; room++)
        cr_assert_eq(hot_code_make(&s->round, memory, room), 0u, "%zu of %zu bytes", room, size);
    if (size)
        cr_expect_eq(hot_code_make(&s->round, memory, size), size);
    free(memory);
    free(s);
}

Test(hot_loop_code, what_is_not_translated)
{
    struct sample *s = new_sample(3);
    uint16_t to = compute(s, IR_UDIV, s->round.variable[0].slot, s->round.variable[0].slot, 0);
    uint8_t *memory = malloc(ROOM);
    cr_assert(memory);
    s->round.variable[0].after = to;
    cr_expect_eq(hot_code_make(&s->round, memory, ROOM), 0u);
    free(memory);
    free(s);
}
