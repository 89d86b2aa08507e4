/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values of a trace: known ones are computed at once, of the others operations are noted, as few as will
 * do. */
#include "core/replay_make.h"

uint16_t make_slot(struct maker *m, uint32_t value)
{
    if (m->slots == REPLAY_SLOTS) {
        m->failed = true;
        return 1;
    }
    m->slot[m->slots] = value;
    return (uint16_t)m->slots++;
}

uint16_t make_slot_of(struct maker *m, struct val value)
{
    if (value.slot)
        return value.slot;
    uint16_t *at = &m->known[(value.v * 0x9e3779b1u) >> 20];
    if (!*at || m->slot[*at] != value.v) {
        *at = make_slot(m, value.v);
        m->slot_known[*at] = true;
    }
    return *at;
}

struct ir *make_op(struct maker *m, enum ir_op op)
{
    if (m->ops == REPLAY_OPS) {
        m->failed = true;
        m->ops--;
    }
    m->op[m->ops] = (struct ir){.op = (uint8_t)op};
    return &m->op[m->ops++];
}

struct ir *make_effect(struct maker *m, enum ir_op op)
{
    struct ir *ir = make_op(m, op);
    ir->cycles = m->cycles;
    m->cycles = 0;
    return ir;
}

static bool is(struct val value, uint32_t v)
{
    return !value.slot && value.v == v;
}

/* True if the operation comes to nothing: `result` is what it yields, an operand or a known value. */
static bool simplify(enum ir_op op, struct val a, struct val b, struct val c, struct val *result)
{
    switch (op) {
    case IR_ADD:
        *result = !a.slot ? b : a;
        return !c.slot && ((!a.slot && !(a.v + c.v)) || (!b.slot && !(b.v + c.v)));
    case IR_ADD_CARRY:
        *result = c;
        return !c.slot && (is(b, 0u - c.v) || is(a, 0u - c.v));
    case IR_ADD_OVERFLOW:
        *result = known(0);
        return !c.slot && (is(b, 0u - c.v) || is(a, 0u - c.v));
    case IR_AND:
        *result = is(a, 0) || is(b, UINT32_MAX) ? a : b;
        return is(a, 0) || is(b, 0) || is(a, UINT32_MAX) || is(b, UINT32_MAX);
    case IR_OR:
    case IR_EOR:
        *result = is(a, 0) ? b : a;
        return is(a, 0) || is(b, 0);
    case IR_LSL:
    case IR_LSR:
    case IR_ASR:
    case IR_ROR:
        *result = a;
        return !b.slot && !(b.v & 0xff);
    case IR_MUL:
        *result = is(a, 0) || is(b, 1) ? a : b;
        return is(a, 0) || is(b, 0) || is(a, 1) || is(b, 1);
    case IR_MUL_HIGH:
        *result = known(0);
        return (!a.slot && a.v <= 1) || (!b.slot && b.v <= 1);
    case IR_SELECT:
        *result = !a.slot && !a.v ? c : b;
        return !a.slot;
    default:
        return false;
    }
}

const struct ir *make_made_by(const struct maker *m, uint16_t slot)
{
    return m->made_by[slot] ? &m->op[m->made_by[slot] - 1] : NULL;
}

uint16_t make_turned(const struct maker *m, uint16_t slot, uint32_t bits)
{
    const struct ir *by = make_made_by(m, slot);
    return by && by->op == IR_EOR && m->slot_known[by->b] && m->slot[by->b] == bits ? by->a : 0;
}

/* A subtraction is written as an addition of what is inverted. */
static enum ir_op as_subtraction(const struct maker *m, enum ir_op op, struct val *b, struct val *c)
{
    uint16_t subtrahend = make_turned(m, b->slot, UINT32_MAX);
    if ((op != IR_ADD && op != IR_ADD_CARRY) || !is(*c, 1) || (b->slot && !subtrahend))
        return op;
    *b = (struct val){~b->v, subtrahend};
    *c = known(0);
    return op == IR_ADD ? IR_SUB : IR_NOT_LESS;
}

/* The lower or same, and not the same: the condition HI, as it is made of flags. */
static bool is_higher(const struct maker *m, enum ir_op op, struct val a, struct val b, struct ir *compared)
{
    const struct ir *not_less = op == IR_AND ? make_made_by(m, a.slot) : NULL;
    const struct ir *same = make_made_by(m, make_turned(m, b.slot, 1));
    const struct ir *difference = same && same->op == IR_IS_ZERO ? make_made_by(m, same->a) : NULL;
    if (!not_less || !difference || not_less->op != IR_NOT_LESS || difference->op != IR_SUB ||
        not_less->a != difference->a || not_less->b != difference->b)
        return false;
    *compared = *not_less;
    return true;
}

static struct val value_in(const struct maker *m, uint16_t slot)
{
    return (struct val){m->slot[slot], m->slot_known[slot] ? 0 : slot};
}

static bool says_zero(const struct maker *m, uint16_t slot)
{
    const struct ir *by = make_made_by(m, slot);
    return by && by->op == IR_IS_ZERO;
}

/* What makes the value 0 by not being so, and the other way round; 0 if that is not known. The lowest bit of
 * a truth, 0 or 1, is all there is of it. */
static uint16_t cause_of(const struct maker *m, uint16_t slot, bool is_truth)
{
    if (says_zero(m, slot))
        return make_made_by(m, slot)->a;
    uint16_t turned = make_turned(m, slot, 1);
    return is_truth || says_zero(m, turned) ? turned : 0;
}

/* A choice by a truth that says whether something is 0, or not, is made by that. */
static void choose_by_cause(const struct maker *m, struct val *a, struct val *b, struct val *c)
{
    bool is_truth = true;
    for (uint16_t cause; a->slot && (cause = cause_of(m, a->slot, is_truth)) != 0;) {
        is_truth &= !says_zero(m, a->slot);
        struct val other = *b;
        *a = value_in(m, cause);
        *b = *c;
        *c = other;
    }
    /* What is chosen between was chosen in the same way. */
    const struct ir *if_so = make_made_by(m, b->slot), *if_not = make_made_by(m, c->slot);
    if (if_so && if_so->op == IR_SELECT && if_so->a == a->slot)
        *b = value_in(m, if_so->b);
    if (if_not && if_not->op == IR_SELECT && if_not->a == a->slot)
        *c = value_in(m, if_not->c);
}

struct val make_value(struct maker *m, enum ir_op op, struct val a, struct val b, struct val c)
{
    uint32_t result = ir_eval(op, a.v, b.v, c.v);
    struct val same;
    if (!a.slot && !b.slot && !c.slot)
        return known(result);
    if (op == IR_SELECT && a.slot)
        choose_by_cause(m, &a, &b, &c);
    if (simplify(op, a, b, c, &same))
        return same;
    uint16_t back = op == IR_EOR && !b.slot ? make_turned(m, a.slot, b.v) : 0;
    if (back)
        return (struct val){result, back};
    struct ir higher;
    if (is_higher(m, op, a, b, &higher)) {
        a = make_value(m, IR_NOT_LESS, value_in(m, higher.b), value_in(m, higher.a), known(0));
        return make_value(m, IR_EOR, a, known(1), known(0));
    }
    op = as_subtraction(m, op, &b, &c);
    struct ir ir = {
        .op = (uint8_t)op, .a = make_slot_of(m, a), .b = make_slot_of(m, b), .c = make_slot_of(m, c)};
    uint32_t digest = (((ir.op * 31u + ir.a) * 0x9e3779b1u + ir.b) * 0x9e3779b1u + ir.c) * 0x9e3779b1u;
    uint16_t *alike = &m->alike[digest >> 20];
    const struct ir *before = *alike ? &m->op[*alike - 1] : NULL;
    if (before && before->op == ir.op && before->a == ir.a && before->b == ir.b && before->c == ir.c)
        return (struct val){result, before->to};
    ir.to = make_slot(m, result);
    *make_op(m, op) = ir;
    *alike = m->made_by[ir.to] = (uint16_t)m->ops;
    return (struct val){result, ir.to};
}

bool make_known(struct maker *m, struct val value)
{
    if (!value.slot)
        return true;
    m->failed = true;
    m->culprit = value.slot;
    return false;
}
