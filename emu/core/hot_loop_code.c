/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/hot_loop_code.h"

#include "core/x86_code.h"

#include <string.h>

#if defined(__x86_64__)

/* What the code is called with; RAX, RCX and RDX are for single operations, the others hold values. */
#define SLOTS RDI
#define BIAS  RSI

/* The registers that hold values. RBX, RBP and those from R12 on are the caller's. */
static const uint8_t holders[] = {RBX, RBP, 8, 9, 10, 11, 12, 13, 14, 15};
#define HOLDERS (sizeof holders / sizeof *holders)
#define NOBODY  UINT16_MAX

struct code {
    struct x86 x;
    const struct hot_round *round;
    uint16_t holds[HOLDERS];      /* slots, or NOBODY */
    uint8_t held_by[HOT_SLOTS];   /* place in `holders`, or HOLDERS */
    bool in_memory[HOT_SLOTS];    /* the slot itself has its value, too */
    uint16_t last_use[HOT_SLOTS]; /* operation, or that many and one for the round's end */
    uint8_t home[PLACES];         /* of variables: place in `holders`, or HOLDERS: its slot */
    uint8_t wanted_in[HOT_SLOTS]; /* of what variables are at the end: their home */
    bool needed[HOT_OPS];
    unsigned now; /* operation */
};

static struct x86_operand slot_itself(unsigned slot)
{
    return x86_memory(SLOTS, slot * (uint32_t)sizeof(uint32_t));
}

static void move_to_slot(struct code *c, unsigned slot, unsigned reg)
{
    x86_instruction(&c->x, 0, X86_STORE, reg, slot_itself(slot));
}

/* --- values and registers ---------------------------------------------------------------------------------
 */

static struct x86_operand where(const struct code *c, unsigned slot)
{
    if (c->round->slot_known[slot])
        return x86_constant(c->round->slot[slot]);
    if (c->held_by[slot] < HOLDERS)
        return x86_in(holders[c->held_by[slot]]);
    return slot_itself(slot);
}

/* A register with the value: where it is, or `scratch`. */
static unsigned load(struct code *c, unsigned slot, unsigned scratch)
{
    struct x86_operand from = where(c, slot);
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

static unsigned next_use(const struct code *c, unsigned slot)
{
    for (unsigned i = c->now; i < c->round->ops; i++) {
        if (c->needed[i] && uses(&c->round->op[i], slot))
            return i;
    }
    return c->last_use[slot];
}

static void let_go(struct code *c, unsigned holder)
{
    if (c->holds[holder] != NOBODY)
        c->held_by[c->holds[holder]] = HOLDERS;
    c->holds[holder] = NOBODY;
}

static void hold(struct code *c, unsigned holder, unsigned slot)
{
    let_go(c, holder);
    c->holds[holder] = (uint16_t)slot;
    c->held_by[slot] = (uint8_t)holder;
}

/* Values that nothing uses any more, this operation either if `after` it, lose their registers. */
static void let_dead_go(struct code *c, bool after)
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

/* A register for what the operation comes to, other than those of its operands: free, or of the value that is
 * used last of all. */
static unsigned new_holder(struct code *c, unsigned slot)
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
        move_to_slot(c, old, holders[best]);
        c->in_memory[old] = true;
    }
    hold(c, best, slot);
    return holders[best];
}

/* The same with the value of operand `from` in it: that operand's own, if this was its last use. */
static unsigned result_from(struct code *c, unsigned to, unsigned from)
{
    unsigned holder = c->held_by[from];
    if (!c->round->slot_known[from] && holder < HOLDERS && c->last_use[from] == c->now) {
        hold(c, holder, to);
        c->held_by[from] = HOLDERS;
        return holders[holder];
    }
    struct x86_operand source = where(c, from);
    unsigned reg = new_holder(c, to);
    x86_move(&c->x, reg, source);
    return reg;
}

/* --- operations -------------------------------------------------------------------------------------------
 */

static void two_operands(struct code *c, const struct ir *ir, enum x86_alu op)
{
    struct x86_operand b = where(c, ir->b);
    x86_alu(&c->x, op, result_from(c, ir->to, ir->a), b);
}

static void add(struct code *c, const struct ir *ir)
{
    struct x86_operand b = where(c, ir->b), carry = where(c, ir->c);
    if (carry.kind != X86_CONSTANT) { /* it may be an operand, too */
        x86_move(&c->x, RAX, where(c, ir->a));
        x86_alu(&c->x, X86_ADD, RAX, b);
        x86_alu(&c->x, X86_ADD, RAX, carry);
        x86_move(&c->x, new_holder(c, ir->to), x86_in(RAX));
        return;
    }
    unsigned reg = result_from(c, ir->to, ir->a);
    if (b.kind == X86_CONSTANT)
        b.value += carry.value;
    x86_alu(&c->x, X86_ADD, reg, b);
    if (b.kind != X86_CONSTANT && carry.value)
        x86_alu(&c->x, X86_ADD, reg, carry);
}

/* Bit 32 of the sum of all three. */
static void add_carry(struct code *c, const struct ir *ir)
{
    x86_move(&c->x, RAX, where(c, ir->a));
    x86_move(&c->x, RCX, where(c, ir->b));
    x86_instruction(&c->x, X86_WIDE, X86_ADD_TO, RAX, x86_in(RCX));
    x86_move(&c->x, RCX, where(c, ir->c));
    x86_instruction(&c->x, X86_WIDE, X86_ADD_TO, RAX, x86_in(RCX));
    x86_shift(&c->x, X86_WIDE, X86_SHR, RAX, 32);
    x86_move(&c->x, new_holder(c, ir->to), x86_in(RAX));
}

static void shift(struct code *c, const struct ir *ir)
{
    static const enum x86_shift by_op[] = {
        [IR_LSL] = X86_SHL, [IR_LSR] = X86_SHR, [IR_ASR] = X86_SAR, [IR_ROR] = X86_ROR};
    struct x86_operand by = where(c, ir->b);
    unsigned amount = by.value & 0xff;
    if (by.kind == X86_CONSTANT) {
        unsigned reg = result_from(c, ir->to, ir->a);
        if (amount < 32)
            x86_shift(&c->x, 0, by_op[ir->op], reg, amount);
        else if (ir->op == IR_ASR || ir->op == IR_ROR)
            x86_shift(&c->x, 0, by_op[ir->op], reg, ir->op == IR_ASR ? 31 : amount & 31);
        else
            x86_move(&c->x, reg, x86_constant(0));
        return;
    }
    if (ir->op != IR_LSL && ir->op != IR_LSR) {
        c->x.failed = true;
        return;
    }
    x86_move(&c->x, RCX, by);
    x86_instruction(&c->x, 0, X86_MOVZX8, RCX, x86_in(RCX));
    unsigned reg = result_from(c, ir->to, ir->a);
    x86_instruction(&c->x, 0, X86_SHIFT_CL, by_op[ir->op], x86_in(reg));
    /* The host looks at five bits of the count only. */
    x86_alu(&c->x, X86_CMP, RCX, x86_constant(32));
    x86_instruction(&c->x, 0, X86_SBB, RAX, x86_in(RAX)); /* all ones, if it is less */
    x86_alu(&c->x, X86_AND, reg, x86_in(RAX));
}

/* By a constant, as instructions with an immediate shift. */
static void shift_carry(struct code *c, const struct ir *ir)
{
    struct x86_operand by = where(c, ir->b);
    if (by.kind != X86_CONSTANT || !by.value || by.value > 32) {
        c->x.failed = true;
        return;
    }
    unsigned reg = result_from(c, ir->to, ir->a);
    x86_shift(&c->x, 0, X86_SHR, reg, ir->op == IR_LSL_CARRY ? 32 - by.value : by.value - 1);
    x86_alu(&c->x, X86_AND, reg, x86_constant(1));
}

static void multiply(struct code *c, const struct ir *ir)
{
    struct x86_operand b = where(c, ir->b);
    if (b.kind == X86_CONSTANT) {
        x86_move(&c->x, RCX, b);
        b = x86_in(RCX);
    }
    x86_instruction(&c->x, 0, X86_IMUL, result_from(c, ir->to, ir->a), b);
}

static void multiply_high(struct code *c, const struct ir *ir)
{
    bool is_signed = ir->op == IR_MUL_HIGH_SIGNED;
    x86_move(&c->x, RAX, where(c, ir->a));
    x86_move(&c->x, RCX, where(c, ir->b));
    if (is_signed) {
        x86_instruction(&c->x, X86_WIDE, X86_MOVSXD, RAX, x86_in(RAX));
        x86_instruction(&c->x, X86_WIDE, X86_MOVSXD, RCX, x86_in(RCX));
    }
    x86_instruction(&c->x, X86_WIDE, X86_IMUL, RAX, x86_in(RCX));
    x86_shift(&c->x, X86_WIDE, X86_SHR, RAX, 32);
    x86_move(&c->x, new_holder(c, ir->to), x86_in(RAX));
}

static void test(struct code *c, unsigned slot)
{
    struct x86_operand value = where(c, slot);
    if (value.kind == X86_REGISTER) {
        x86_instruction(&c->x, 0, X86_TEST, value.reg, value);
        return;
    }
    x86_move(&c->x, RAX, value);
    x86_instruction(&c->x, 0, X86_TEST, RAX, x86_in(RAX));
}

static void is_zero(struct code *c, const struct ir *ir)
{
    test(c, ir->a);
    x86_set_if(&c->x, X86_SETZ, new_holder(c, ir->to));
}

static void not_less(struct code *c, const struct ir *ir)
{
    x86_alu(&c->x, X86_CMP, load(c, ir->a, RAX), where(c, ir->b));
    x86_set_if(&c->x, X86_SETNC, new_holder(c, ir->to));
}

/* No instruction between the test and the last one changes flags. */
static void choose(struct code *c, const struct ir *ir)
{
    unsigned b = load(c, ir->b, RCX);
    test(c, ir->a);
    x86_instruction(&c->x, 0, X86_CMOVNZ, result_from(c, ir->to, ir->c), x86_in(b));
}

static void extend(struct code *c, const struct ir *ir)
{
    unsigned from = load(c, ir->a, RAX);
    x86_instruction(&c->x, X86_ANY_BYTE, ir->op == IR_SXTB ? X86_MOVSX8 : X86_MOVSX16, new_holder(c, ir->to),
                    x86_in(from));
}

static void reverse(struct code *c, const struct ir *ir)
{
    x86_bswap(&c->x, result_from(c, ir->to, ir->a));
}

/* What is to be added to the guest's address. */
static void load_bias(struct code *c, const struct ir *ir)
{
    x86_instruction(&c->x, X86_WIDE, X86_LOAD, RAX, x86_memory(BIAS, ir->exit * (uint32_t)sizeof(uintptr_t)));
}

static void load_memory(struct code *c, const struct ir *ir)
{
    unsigned address = load(c, ir->a, RCX);
    unsigned opcode = ir->size == 1 ? X86_MOVZX8 : ir->size == 2 ? X86_MOVZX16 : X86_LOAD;
    load_bias(c, ir);
    x86_indexed(&c->x, 0, opcode, new_holder(c, ir->to), RAX, address);
}

static void store_memory(struct code *c, const struct ir *ir)
{
    unsigned address = load(c, ir->b, RCX), value = load(c, ir->a, RDX);
    load_bias(c, ir);
    if (ir->size == 2)
        x86_byte(&c->x, 0x66);
    if (ir->size == 1)
        x86_indexed(&c->x, X86_ANY_BYTE, X86_STORE8, value, RAX, address);
    else
        x86_indexed(&c->x, 0, X86_STORE, value, RAX, address);
}

static void compute(struct code *c, const struct ir *ir)
{
    switch (ir->op) {
    case IR_ADD:
        add(c, ir);
        break;
    case IR_ADD_CARRY:
        add_carry(c, ir);
        break;
    case IR_AND:
        two_operands(c, ir, X86_AND);
        break;
    case IR_OR:
        two_operands(c, ir, X86_OR);
        break;
    case IR_EOR:
        two_operands(c, ir, X86_XOR);
        break;
    case IR_SUB:
        two_operands(c, ir, X86_SUB);
        break;
    case IR_LSL:
    case IR_LSR:
    case IR_ASR:
    case IR_ROR:
        shift(c, ir);
        break;
    case IR_LSL_CARRY:
    case IR_LSR_CARRY:
    case IR_ASR_CARRY:
    case IR_ROR_CARRY:
        shift_carry(c, ir);
        break;
    case IR_MUL:
        multiply(c, ir);
        break;
    case IR_MUL_HIGH:
    case IR_MUL_HIGH_SIGNED:
        multiply_high(c, ir);
        break;
    case IR_IS_ZERO:
        is_zero(c, ir);
        break;
    case IR_NOT_LESS:
        not_less(c, ir);
        break;
    case IR_SELECT:
        choose(c, ir);
        break;
    case IR_SXTB:
    case IR_SXTH:
        extend(c, ir);
        break;
    case IR_REV:
        reverse(c, ir);
        break;
    case FX_LOAD_AT:
        load_memory(c, ir);
        break;
    case FX_STORE_AT:
        store_memory(c, ir);
        break;
    default:
        c->x.failed = true;
    }
}

/* --- the round --------------------------------------------------------------------------------------------
 */

static void note_uses(struct code *c, const struct ir *ir, unsigned at)
{
    const uint16_t slots[] = {ir->a, ir->b, ir->c};
    for (unsigned i = 0; i < 3; i++) {
        if (uses(ir, slots[i]) && c->last_use[slots[i]] < at)
            c->last_use[slots[i]] = (uint16_t)at;
    }
}

/* Which operations stores, loads, and what the variables come to depend on; and until when values are used.
 */
static void find_needed(struct code *c)
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

static bool is_used(const struct code *c, unsigned slot)
{
    for (unsigned i = 0; i < c->round->ops; i++) {
        if (c->needed[i] && uses(&c->round->op[i], slot))
            return true;
    }
    return false;
}

/* Variables that are used get registers, as long as there are some left for other values. */
static void give_homes(struct code *c)
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

static void make_move(struct code *c, const struct end_move *m)
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
static void move_all(struct code *c, struct end_move *moves, unsigned count)
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

static void end_round(struct code *c)
{
    struct end_move moves[PLACES];
    for (unsigned i = 0; i < c->round->variables; i++) {
        const struct hot_variable *variable = &c->round->variable[i];
        moves[i].from = where(c, variable->after);
        moves[i].to = c->home[i] < HOLDERS ? x86_in(holders[c->home[i]]) : slot_itself(variable->slot);
    }
    move_all(c, moves, c->round->variables);
}

static const uint8_t saved[] = {RBX, RBP, 12, 13, 14, 15};

static void begin(struct code *c)
{
    for (unsigned i = 0; i < sizeof saved; i++)
        x86_push(&c->x, saved[i]);
    x86_push(&c->x, RDX);
    for (unsigned i = 0; i < c->round->variables; i++) {
        if (c->home[i] < HOLDERS)
            x86_move(&c->x, holders[c->home[i]], slot_itself(c->round->variable[i].slot));
    }
}

static void finish(struct code *c, const uint8_t *head)
{
    x86_word(&c->x, 0x240cff48); /* DEC QWORD [RSP] */
    x86_byte(&c->x, 0x0f);
    x86_byte(&c->x, 0x85); /* JNZ head */
    x86_word(&c->x, (uint32_t)(head - (c->x.at + 4)));
    for (unsigned i = 0; i < c->round->variables; i++) {
        if (c->home[i] < HOLDERS)
            move_to_slot(c, c->round->variable[i].slot, holders[c->home[i]]);
    }
    x86_pop(&c->x, RDX);
    for (unsigned i = sizeof saved; i-- > 0;)
        x86_pop(&c->x, saved[i]);
    x86_byte(&c->x, 0xc3);
}

size_t hot_code_make(const struct hot_round *round, uint8_t *to, size_t room)
{
    struct code c = {.round = round, .x = {.at = to, .end = to + room}};
    memset(c.holds, 0xff, sizeof c.holds);
    memset(c.held_by, HOLDERS, sizeof c.held_by);
    memset(c.wanted_in, HOLDERS, sizeof c.wanted_in);
    find_needed(&c);
    give_homes(&c);
    begin(&c);
    const uint8_t *head = c.x.at;
    for (c.now = 0; c.now < round->ops && !c.x.failed; c.now++) {
        if (!c.needed[c.now])
            continue;
        let_dead_go(&c, false);
        compute(&c, &round->op[c.now]);
        let_dead_go(&c, true);
    }
    end_round(&c);
    finish(&c, head);
    return c.x.failed ? 0 : (size_t)(c.x.at - to);
}

#else

size_t hot_code_make(const struct hot_round *round, uint8_t *to, size_t room)
{
    (void)round, (void)to, (void)room;
    return 0;
}

#endif
