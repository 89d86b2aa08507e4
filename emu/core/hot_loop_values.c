/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/hot_loop_values.h"

#include <string.h>

#define NOBODY UINT16_MAX

const uint8_t hot_holders[HOLDERS] = {RBX, RBP, 8, 9, 10, 11, 12, 13, 14, 15};

struct x86_operand hot_slot(unsigned slot)
{
    return x86_memory(SLOTS, slot * (uint32_t)sizeof(uint32_t));
}

void hot_move_to_slot(struct hot_values *c, unsigned slot, unsigned reg)
{
    x86_instruction(&c->x, 0, X86_STORE, reg, hot_slot(slot));
}

/* --- values and registers ---------------------------------------------------------------------------------
 */

struct x86_operand hot_where(const struct hot_values *c, unsigned slot)
{
    if (c->round->slot_known[slot])
        return x86_constant(c->round->slot[slot]);
    if (c->held_by[slot] < HOLDERS)
        return x86_in(hot_holders[c->held_by[slot]]);
    return hot_slot(slot);
}

unsigned hot_load(struct hot_values *c, unsigned slot, unsigned scratch)
{
    struct x86_operand from = hot_where(c, slot);
    if (from.kind == X86_REGISTER)
        return from.reg;
    x86_move(&c->x, scratch, from);
    return scratch;
}

static bool uses(const struct ir *ir, unsigned slot)
{
    if (ir->op == FX_LOAD_AT)
        return ir->a == slot;
    if (ir->op == FX_STORE_AT)
        return ir->a == slot || ir->b == slot;
    return ir->op < FX_LOAD && (ir->a == slot || ir->b == slot || ir->c == slot);
}

static unsigned next_use(const struct hot_values *c, unsigned slot)
{
    for (unsigned i = c->now; i < c->round->ops; i++) {
        if (c->needed[i] && uses(&c->round->op[i], slot))
            return i;
    }
    return c->last_use[slot];
}

static void let_go(struct hot_values *c, unsigned holder)
{
    if (c->holds[holder] != NOBODY)
        c->held_by[c->holds[holder]] = HOLDERS;
    c->holds[holder] = NOBODY;
}

static void hold(struct hot_values *c, unsigned holder, unsigned slot)
{
    let_go(c, holder);
    c->holds[holder] = (uint16_t)slot;
    c->held_by[slot] = (uint8_t)holder;
}

void hot_let_dead_go(struct hot_values *c, bool after)
{
    for (unsigned i = 0; i < HOLDERS; i++) {
        unsigned slot = c->holds[i];
        if (slot != NOBODY && (c->last_use[slot] < c->now || (after && c->last_use[slot] == c->now)))
            let_go(c, i);
    }
}

static bool is_one_of(const struct ir *ir, unsigned slot)
{
    return slot != NOBODY && uses(ir, slot);
}

unsigned hot_new_holder(struct hot_values *c, unsigned slot)
{
    const struct ir *ir = &c->round->op[c->now];
    unsigned best = HOLDERS, latest = 0, wanted = c->wanted_in[slot];
    if (wanted < HOLDERS && c->holds[wanted] == NOBODY)
        best = wanted;
    for (unsigned i = 0; i < HOLDERS && best == HOLDERS; i++) {
        if (c->holds[i] == NOBODY)
            best = i;
    }
    for (unsigned i = 0; i < HOLDERS && (best == HOLDERS || c->holds[best] != NOBODY); i++) {
        if (is_one_of(ir, c->holds[i]))
            continue;
        unsigned use = next_use(c, c->holds[i]);
        if (best == HOLDERS || use > latest) {
            best = i;
            latest = use;
        }
    }
    unsigned old = c->holds[best];
    if (old != NOBODY && !c->in_memory[old]) {
        hot_move_to_slot(c, old, hot_holders[best]);
        c->in_memory[old] = true;
    }
    hold(c, best, slot);
    return hot_holders[best];
}

unsigned hot_result_from(struct hot_values *c, unsigned to, unsigned from)
{
    unsigned holder = c->held_by[from];
    if (!c->round->slot_known[from] && holder < HOLDERS && c->last_use[from] == c->now) {
        hold(c, holder, to);
        c->held_by[from] = HOLDERS;
        return hot_holders[holder];
    }
    struct x86_operand source = hot_where(c, from);
    unsigned reg = hot_new_holder(c, to);
    x86_move(&c->x, reg, source);
    return reg;
}

/* --- what is needed ---------------------------------------------------------------------------------------
 */

static void note_uses(struct hot_values *c, const struct ir *ir, unsigned at)
{
    const uint16_t slots[] = {ir->a, ir->b, ir->c};
    for (unsigned i = 0; i < 3; i++) {
        if (uses(ir, slots[i]) && c->last_use[slots[i]] < at)
            c->last_use[slots[i]] = (uint16_t)at;
    }
}

/* Which operations stores, loads, and what the variables come to depend on; and until when values are used.
 */
static void find_needed(struct hot_values *c)
{
    const struct hot_round *round = c->round;
    bool wanted[HOT_SLOTS] = {false};
    for (unsigned i = 0; i < round->variables; i++) {
        const struct hot_variable *variable = &round->variable[i];
        wanted[variable->after] = true;
        c->last_use[variable->after] = (uint16_t)(round->ops + 1);
    }
    for (unsigned i = round->ops; i-- > 0;) {
        const struct ir *ir = &round->op[i];
        c->needed[i] =
            ir->op == FX_STORE_AT || ((ir->op < FX_LOAD || ir->op == FX_LOAD_AT) && wanted[ir->to]);
        if (!c->needed[i])
            continue;
        wanted[ir->a] = true;
        wanted[ir->b] |= ir->op != FX_LOAD_AT;
        wanted[ir->c] |= ir->op < FX_LOAD;
        note_uses(c, ir, i);
    }
}

static bool is_used(const struct hot_values *c, unsigned slot)
{
    for (unsigned i = 0; i < c->round->ops; i++) {
        if (c->needed[i] && uses(&c->round->op[i], slot))
            return true;
    }
    return false;
}

/* Variables that are used get registers, as long as there are some left for other values. */
static void give_homes(struct hot_values *c)
{
    unsigned next = 0;
    for (unsigned i = 0; i < c->round->variables; i++) {
        const struct hot_variable *variable = &c->round->variable[i];
        c->home[i] = HOLDERS;
        c->in_memory[variable->slot] = true;
        if (next + 3 > HOLDERS || !is_used(c, variable->slot))
            continue;
        c->home[i] = (uint8_t)next++;
        hold(c, c->home[i], variable->slot);
        /* What does not change stays in its slot, too. */
        c->in_memory[variable->slot] = variable->after == variable->slot;
        if (variable->after != variable->slot && !c->round->slot_known[variable->after])
            c->wanted_in[variable->after] = c->home[i];
    }
}

/* --- from round to round ----------------------------------------------------------------------------------
 */

/* What has to be moved at the end of the round. */
struct end_move {
    struct x86_operand from, to;
    bool done;
};

static bool same_place(struct x86_operand a, struct x86_operand b)
{
    return a.kind == b.kind && a.kind != X86_CONSTANT &&
           (a.kind == X86_REGISTER ? a.reg == b.reg : a.value == b.value);
}

static void make_move(struct hot_values *c, const struct end_move *m)
{
    if (m->to.kind == X86_REGISTER) {
        x86_move(&c->x, m->to.reg, m->from);
    } else {
        x86_move(&c->x, RAX, m->from);
        x86_instruction(&c->x, 0, X86_STORE, RAX, m->to);
    }
}

static bool is_source(const struct end_move *moves, unsigned count, unsigned of)
{
    for (unsigned i = 0; i < count; i++) {
        if (i != of && !moves[i].done && same_place(moves[i].from, moves[of].to))
            return true;
    }
    return false;
}

/* All at once: what is still to be moved away is not written over; a circle is opened by way of RDX. */
static void move_all(struct hot_values *c, struct end_move *moves, unsigned count)
{
    unsigned left = count;
    for (unsigned i = 0; i < count; i++) {
        moves[i].done = same_place(moves[i].from, moves[i].to);
        left -= moves[i].done;
    }
    while (left) {
        bool any = false;
        for (unsigned i = 0; i < count; i++) {
            if (moves[i].done || is_source(moves, count, i))
                continue;
            make_move(c, &moves[i]);
            moves[i].done = any = true;
            left--;
        }
        for (unsigned i = 0; i < count && !any; i++) {
            if (moves[i].done || same_place(moves[i].from, x86_in(RDX)))
                continue;
            struct x86_operand from = moves[i].from;
            x86_move(&c->x, RDX, from);
            for (unsigned j = 0; j < count; j++) {
                if (!moves[j].done && same_place(moves[j].from, from))
                    moves[j].from = x86_in(RDX);
            }
            any = true;
        }
    }
}

void hot_end_round(struct hot_values *c)
{
    struct end_move moves[PLACES];
    for (unsigned i = 0; i < c->round->variables; i++) {
        const struct hot_variable *variable = &c->round->variable[i];
        moves[i].from = hot_where(c, variable->after);
        moves[i].to = c->home[i] < HOLDERS ? x86_in(hot_holders[c->home[i]]) : hot_slot(variable->slot);
    }
    move_all(c, moves, c->round->variables);
}

void hot_values_init(struct hot_values *c, const struct hot_round *round, uint8_t *to, size_t room)
{
    *c = (struct hot_values){.round = round, .x = {.at = to, .end = to + room}};
    memset(c->holds, 0xff, sizeof c->holds);
    memset(c->held_by, HOLDERS, sizeof c->held_by);
    memset(c->wanted_in, HOLDERS, sizeof c->wanted_in);
    find_needed(c);
    give_homes(c);
}
