/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/hot_loop_rounds.h"

#include "core/nor.h"

#include <string.h>

#define NOBODY    UINT16_MAX
#define UNLIMITED (1ull << 32)

/* --- which values are lines -------------------------------------------------------------------------------
 */

static bool is_computation(const struct ir *ir)
{
    return ir->op < FX_LOAD;
}

static bool all_fixed(const struct hot_loop *loop, const struct ir *ir)
{
    return loop->is_fixed[ir->a] && loop->is_fixed[ir->b] && loop->is_fixed[ir->c];
}

/* The variable that the value is a fixed distance from, by its slot, or NOBODY. */
static uint16_t origin_of(const struct hot_loop *loop, const struct ir *ir, const uint16_t *origin)
{
    if (ir->op == IR_ADD && loop->is_fixed[ir->c] && loop->is_fixed[ir->b])
        return origin[ir->a];
    if (ir->op == IR_ADD && loop->is_fixed[ir->c] && loop->is_fixed[ir->a])
        return origin[ir->b];
    if (ir->op == IR_SUB && loop->is_fixed[ir->b])
        return origin[ir->a];
    return NOBODY;
}

static bool is_line(const struct hot_loop *loop, const struct ir *ir)
{
    const bool *line = loop->is_line, *fixed = loop->is_fixed;
    const struct hot_round *round = &loop->round;
    switch (ir->op) {
    case IR_ADD:
        return line[ir->a] && line[ir->b] && fixed[ir->c];
    case IR_SUB:
        return line[ir->a] && line[ir->b];
    case IR_LSL:
        return line[ir->a] && fixed[ir->b];
    case IR_MUL:
        return (line[ir->a] && fixed[ir->b]) || (fixed[ir->a] && line[ir->b]);
    case IR_EOR:
        return line[ir->a] && round->slot_known[ir->b] && round->slot[ir->b] == UINT32_MAX;
    default:
        return false;
    }
}

static void find_lines(struct hot_loop *loop)
{
    struct hot_round *round = &loop->round;
    uint16_t origin[HOT_SLOTS];
    memset(origin, 0xff, sizeof origin);
    loop->is_fixed[0] = true;
    for (unsigned i = 0; i < round->slots; i++)
        loop->is_fixed[i] |= round->slot_known[i];
    for (unsigned i = 0; i < round->variables; i++) {
        const struct hot_variable *variable = &round->variable[i];
        origin[variable->slot] = variable->slot;
        /* If a round makes a number of it, it has to be that number already. */
        loop->is_fixed[variable->slot] =
            variable->after == variable->slot || round->slot_known[variable->after];
    }
    for (unsigned i = 0; i < round->ops; i++) {
        const struct ir *ir = &round->op[i];
        if (!is_computation(ir))
            continue;
        loop->is_fixed[ir->to] = all_fixed(loop, ir);
        origin[ir->to] = origin_of(loop, ir, origin);
    }
    memcpy(loop->is_line, loop->is_fixed, sizeof loop->is_line);
    for (unsigned i = 0; i < round->variables; i++) {
        const struct hot_variable *variable = &round->variable[i];
        loop->is_line[variable->slot] |= origin[variable->after] == variable->slot;
    }
    for (unsigned i = 0; i < round->ops; i++) {
        const struct ir *ir = &round->op[i];
        if (is_computation(ir))
            loop->is_line[ir->to] |= is_line(loop, ir);
    }
}

static uint32_t step_of(const struct hot_loop *loop, const struct ir *ir)
{
    const uint32_t *step = loop->step, *slot = loop->round.slot;
    switch (ir->op) {
    case IR_ADD:
        return step[ir->a] + step[ir->b];
    case IR_SUB:
        return step[ir->a] - step[ir->b];
    case IR_LSL:
        return ir_shift(IR_LSL, step[ir->a], slot[ir->b], 0);
    case IR_MUL:
        return loop->is_fixed[ir->a] ? slot[ir->a] * step[ir->b] : step[ir->a] * slot[ir->b];
    default: /* inverted */
        return 0u - step[ir->a];
    }
}

/* The lines as they are in the first round. */
static void begin_lines(struct hot_loop *loop)
{
    struct hot_round *round = &loop->round;
    for (unsigned i = 0; i < round->ops; i++) {
        const struct ir *ir = &round->op[i];
        if (is_computation(ir) && loop->is_line[ir->to])
            round->slot[ir->to] =
                ir_eval((enum ir_op)ir->op, round->slot[ir->a], round->slot[ir->b], round->slot[ir->c]);
    }
    for (unsigned i = 0; i < round->variables; i++) {
        const struct hot_variable *variable = &round->variable[i];
        if (loop->is_line[variable->slot])
            loop->step[variable->slot] = round->slot[variable->after] - round->slot[variable->slot];
    }
    for (unsigned i = 0; i < round->ops; i++) {
        const struct ir *ir = &round->op[i];
        if (is_computation(ir) && loop->is_line[ir->to])
            loop->step[ir->to] = loop->is_fixed[ir->to] ? 0 : step_of(loop, ir);
    }
}

/* --- for how many rounds ----------------------------------------------------------------------------------
 */

struct line {
    int64_t now; /* 0 … UINT32_MAX */
    int64_t step;
};

static struct line line_of(const struct hot_loop *loop, unsigned slot)
{
    return (struct line){loop->round.slot[slot], (int32_t)loop->step[slot]};
}

/* As a comparison of signed numbers takes it. */
static struct line offset_by_sign(struct line line)
{
    line.now = (uint32_t)line.now ^ 0x80000000u;
    return line;
}

/* So many rounds it stays within 32 bits. */
static uint64_t rounds_unwrapped(struct line line)
{
    if (!line.step)
        return UNLIMITED;
    return (uint64_t)(line.step > 0 ? (UINT32_MAX - line.now) / line.step : line.now / -line.step) + 1;
}

/* So many rounds a is `least` more than b at the least. */
static uint64_t rounds_more(struct line a, struct line b, int64_t least)
{
    uint64_t rounds_a = rounds_unwrapped(a), rounds_b = rounds_unwrapped(b), rounds = UNLIMITED;
    int64_t apart = a.now - b.now - least, step = a.step - b.step;
    if (apart < 0)
        return 0;
    if (step < 0)
        rounds = (uint64_t)(apart / -step) + 1;
    rounds = rounds_a < rounds ? rounds_a : rounds;
    return rounds_b < rounds ? rounds_b : rounds;
}

/* So many it is 0, or is not. */
static uint64_t rounds_zero(struct line line, bool zero)
{
    if (zero != !line.now)
        return 0;
    if (zero)
        return line.step ? 1 : UNLIMITED;
    return rounds_more(line, (struct line){0, 0}, 1);
}

static const struct ir *made_by(const struct hot_loop *loop, unsigned slot)
{
    return loop->made_by[slot] ? &loop->round.op[loop->made_by[slot] - 1] : NULL;
}

static bool is_constant(const struct hot_loop *loop, unsigned slot, uint32_t value)
{
    return loop->round.slot_known[slot] && loop->round.slot[slot] == value;
}

/* True if one is the other inverted. */
static bool are_opposite(const struct hot_loop *loop, unsigned a, unsigned b)
{
    const struct ir *by = made_by(loop, b);
    const struct hot_round *round = &loop->round;
    return (by && by->op == IR_EOR && by->a == a && is_constant(loop, by->b, UINT32_MAX)) ||
           (round->slot_known[a] && is_constant(loop, b, ~round->slot[a]));
}

/* True if the value is N of a subtraction turned by its V: a less than b, as signed numbers. */
static bool is_signed_less(const struct hot_loop *loop, const struct ir *ir, const struct ir **subtraction)
{
    const struct ir *n = made_by(loop, ir->a), *v = made_by(loop, ir->b);
    if (ir->op != IR_EOR || !n || !v || n->op != IR_LSR || !is_constant(loop, n->b, 31) ||
        v->op != IR_ADD_OVERFLOW || !is_constant(loop, v->c, 1))
        return false;
    const struct ir *by = *subtraction = made_by(loop, n->a);
    return by && by->op == IR_SUB && by->a == v->a && are_opposite(loop, by->b, v->b);
}

static bool are_lines(const struct hot_loop *loop, const struct ir *ir)
{
    return loop->is_line[ir->a] && loop->is_line[ir->b];
}

static bool foretell(const struct hot_loop *loop, unsigned slot, uint32_t value, uint64_t *rounds);

static bool foretell_both(const struct hot_loop *loop, const struct ir *ir, uint32_t value, uint64_t *rounds)
{
    uint64_t a, b;
    if (!foretell(loop, ir->a, value, &a) || !foretell(loop, ir->b, value, &b))
        return false;
    /* One that is 0 will do for a 0. */
    *rounds = (a < b) == (value != 0) ? a : b;
    return true;
}

/* For how many rounds from the first on the value of the slot is that one; false if there is no telling. */
static bool foretell(const struct hot_loop *loop, unsigned slot, uint32_t value, uint64_t *rounds)
{
    static const struct line highest_bit = {0x80000000, 0};
    const struct ir *by = made_by(loop, slot), *compared;
    if (loop->is_fixed[slot]) {
        *rounds = loop->round.slot[slot] == value ? UNLIMITED : 0;
        return true;
    }
    if (loop->is_line[slot] && !value) {
        *rounds = rounds_zero(line_of(loop, slot), true);
        return true;
    }
    if (!by)
        return false;
    struct line a = line_of(loop, by->a), b = line_of(loop, by->b);
    if (by->op == IR_IS_ZERO && loop->is_line[by->a]) {
        *rounds = rounds_zero(a, value);
        return true;
    }
    if (by->op == IR_NOT_LESS && are_lines(loop, by)) {
        *rounds = value ? rounds_more(a, b, 0) : rounds_more(b, a, 1);
        return true;
    }
    if (by->op == IR_LSR && loop->is_line[by->a] && is_constant(loop, by->b, 31)) {
        *rounds = value ? rounds_more(a, highest_bit, 0) : rounds_more(highest_bit, a, 1);
        return true;
    }
    if (is_signed_less(loop, by, &compared) && are_lines(loop, compared)) {
        a = offset_by_sign(line_of(loop, compared->a));
        b = offset_by_sign(line_of(loop, compared->b));
        *rounds = value ? rounds_more(b, a, 1) : rounds_more(a, b, 0);
        return true;
    }
    if (by->op == IR_EOR && is_constant(loop, by->b, 1))
        return foretell(loop, by->a, value ^ 1, rounds);
    return by->op == IR_AND && foretell_both(loop, by, value, rounds);
}

/* So many rounds the access stays within `size` bytes, at whose beginning `offset` would be 0. */
static uint64_t rounds_within(const struct hot_access *access, struct line line, uint32_t offset,
                              uint32_t size)
{
    if (offset >= size || access->size > size - offset)
        return 0;
    if (!line.step)
        return UNLIMITED;
    return (line.step > 0 ? (size - access->size - offset) / (uint64_t)line.step
                          : offset / (uint64_t)-line.step) +
           1;
}

static uint64_t rounds_of_access(struct hot_loop *loop, const struct cpu *cpu, unsigned i)
{
    const struct hot_access *access = &loop->access[i];
    struct line line = line_of(loop, access->address);
    uint32_t address = (uint32_t)line.now;
    if ((address | (uint32_t)line.step) & (access->size - 1u))
        return 0;
    if (address - RAM_BASE < cpu->ram_size) {
        loop->bias[i] = (uintptr_t)cpu->ram - RAM_BASE;
        return rounds_within(access, line, address - RAM_BASE, cpu->ram_size);
    }
    loop->bias[i] = (uintptr_t)cpu->flash;
    return access->writes ? 0 : rounds_within(access, line, address, cpu->flash_size);
}

/* What all rounds access, from `low` on; its size. */
static uint32_t range_of(const struct hot_loop *loop, const struct hot_access *access, uint64_t rounds,
                         uint32_t *low)
{
    struct line line = line_of(loop, access->address);
    int64_t distance = line.step * (int64_t)(rounds - 1);
    *low = (uint32_t)(line.now + (distance < 0 ? distance : 0));
    return (uint32_t)(distance < 0 ? -distance : distance) + access->size;
}

/* Stores to where code was run from have to be seen, and cells that are not stable read each time. */
static bool needs_a_look(const struct hot_loop *loop, const struct cpu *cpu, unsigned i, uint64_t rounds)
{
    const struct hot_access *access = &loop->access[i];
    uint32_t low, size = range_of(loop, access, rounds, &low);
    if (low < cpu->flash_size)
        return nor_is_unstable(cpu->bus->flash, low, size);
    for (uint32_t page = (low - RAM_BASE) >> 12; access->writes && page <= (low - RAM_BASE + size - 1) >> 12;
         page++) {
        if (cpu->ram_code[page])
            return true;
    }
    return false;
}

/* --- rounds -----------------------------------------------------------------------------------------------
 */

uint64_t hot_loop_begin(struct hot_loop *loop, struct cpu *cpu, const uint32_t place[PLACES], uint64_t rounds)
{
    struct hot_round *round = &loop->round;
    for (unsigned i = 0; i < round->variables; i++) {
        const struct hot_variable *variable = &round->variable[i];
        round->slot[variable->slot] = place[loop->where[i]];
        if (round->slot_known[variable->after] && round->slot[variable->after] != place[loop->where[i]])
            return 0;
    }
    begin_lines(loop);
    for (unsigned i = 0; i < round->ops && rounds; i++) {
        const struct ir *ir = &round->op[i];
        uint64_t alike = UNLIMITED;
        if (ir->op == FX_GUARD && !foretell(loop, ir->a, ir->b, &alike))
            return 0;
        rounds = alike < rounds ? alike : rounds;
    }
    for (unsigned i = 0; i < round->accesses && rounds; i++) {
        uint64_t within = rounds_of_access(loop, cpu, i);
        rounds = within < rounds ? within : rounds;
    }
    for (unsigned i = 0; i < round->accesses && rounds; i++) {
        if (needs_a_look(loop, cpu, i, rounds))
            return 0;
    }
    return rounds;
}

/* The round, operation by operation. */
static void work_off(struct hot_loop *loop)
{
    struct hot_round *round = &loop->round;
    uint32_t *slot = round->slot;
    for (unsigned i = 0; i < round->ops; i++) {
        const struct ir *ir = &round->op[i];
        if (ir->op == FX_LOAD_AT) {
            slot[ir->to] = 0;
            memcpy(&slot[ir->to], (const void *)(loop->bias[ir->exit] + slot[ir->a]), ir->size);
        } else if (ir->op == FX_STORE_AT) {
            memcpy((void *)(loop->bias[ir->exit] + slot[ir->b]), &slot[ir->a], ir->size);
        } else if (is_computation(ir)) {
            slot[ir->to] = ir_eval((enum ir_op)ir->op, slot[ir->a], slot[ir->b], slot[ir->c]);
        }
    }
}

void hot_loop_run(struct hot_loop *loop, struct cpu *cpu, uint64_t rounds, uint32_t place[PLACES])
{
    struct hot_round *round = &loop->round;
    for (unsigned i = 0; cpu->flash_watched && i < round->accesses; i++) {
        uint32_t low, size = range_of(loop, &loop->access[i], rounds, &low);
        if (low < cpu->flash_size)
            nor_note_read(cpu->bus->flash, low, size);
    }
    loop->code(round->slot, loop->bias, rounds - 1);
    work_off(loop);
    for (unsigned i = 0; i < PLACES; i++) {
        if (loop->after[i])
            place[i] = round->slot[loop->after[i]];
    }
}

/* --- taking -----------------------------------------------------------------------------------------------
 */

static bool take_access(struct hot_loop *loop, struct ir *ir)
{
    struct hot_round *round = &loop->round;
    bool writes = ir->op == FX_STORE_AT;
    uint16_t address = writes ? ir->b : ir->a;
    if (round->accesses == HOT_ACCESS)
        return false;
    ir->exit = (uint16_t)round->accesses;
    loop->access[round->accesses++] = (struct hot_access){address, ir->size, writes};
    return true;
}

static bool take_ops(struct hot_loop *loop, const struct maker *m)
{
    struct hot_round *round = &loop->round;
    for (unsigned i = 0; i < m->ops; i++) {
        struct ir ir = m->op[i];
        if ((ir.op == FX_LOAD_AT || ir.op == FX_STORE_AT) && !take_access(loop, &ir))
            return false;
        if (ir.op != FX_STORE_AT && ir.op != FX_GUARD)
            loop->made_by[ir.to] = (uint16_t)(i + 1);
        round->op[round->ops++] = ir;
    }
    return true;
}

static bool all_foretold(const struct hot_loop *loop)
{
    const struct hot_round *round = &loop->round;
    uint64_t rounds;
    for (unsigned i = 0; i < round->ops; i++) {
        if (round->op[i].op == FX_GUARD && !foretell(loop, round->op[i].a, round->op[i].b, &rounds))
            return false;
    }
    for (unsigned i = 0; i < round->accesses; i++) {
        if (!loop->is_line[loop->access[i].address])
            return false;
    }
    return true;
}

bool hot_loop_take(struct hot_loop *loop, struct maker *m)
{
    struct hot_round *round = &loop->round;
    for (unsigned i = 0; i < PLACES; i++)
        loop->after[i] = m->written & 1u << i ? make_slot_of(m, m->place[i]) : 0;
    if (m->failed || m->ops > HOT_OPS || m->slots > HOT_SLOTS)
        return false;
    memcpy(round->slot, m->slot, m->slots * sizeof *m->slot);
    memcpy(round->slot_known, m->slot_known, m->slots * sizeof *m->slot_known);
    round->slots = m->slots;
    for (unsigned i = 0; i < m->variables; i++) {
        round->variable[i] = (struct hot_variable){m->variable[i].slot, m->variable[i].after};
        loop->where[i] = (enum place)m->variable[i].where;
    }
    round->variables = m->variables;
    if (!take_ops(loop, m))
        return false;
    find_lines(loop);
    return all_foretold(loop);
}
