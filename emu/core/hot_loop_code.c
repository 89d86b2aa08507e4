/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/hot_loop_code.h"

#include <string.h>

#if defined(__x86_64__)

/* --- instructions -----------------------------------------------------------------------------------------
 */

enum host_register {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
};

/* What the code is called with; RAX, RCX and RDX are for single operations, the others hold values. */
#define SLOTS RDI
#define BIAS  RSI

/* The registers that hold values. RBX, RBP and those from R12 on are the caller's. */
static const uint8_t holders[] = {RBX, RBP, 8, 9, 10, 11, 12, 13, 14, 15};
#define HOLDERS (sizeof holders / sizeof *holders)
#define NOBODY  UINT16_MAX

/* Where a value is. */
struct operand {
    enum { IN_REGISTER, IN_MEMORY, IS_CONSTANT } kind;
    unsigned reg;
    uint32_t value; /* a constant, or the slot's number */
};

struct code {
    const struct hot_round *round;
    uint8_t *at, *end;
    bool failed;
    uint16_t holds[HOLDERS];     /* slots, or NOBODY */
    uint8_t held_by[HOT_SLOTS];  /* place in `holders`, or HOLDERS */
    bool in_memory[HOT_SLOTS];   /* the slot itself has its value, too */
    uint16_t last_use[HOT_SLOTS]; /* operation, or that many and one for the round's end */
    uint8_t home[PLACES];        /* of variables: place in `holders`, or HOLDERS: its slot */
    uint8_t wanted_in[HOT_SLOTS]; /* of what variables are at the end: their home */
    bool needed[HOT_OPS];
    unsigned now; /* operation */
};

static void put(struct code *c, const void *bytes, size_t size)
{
    if ((size_t)(c->end - c->at) < size) {
        c->failed = true;
        return;
    }
    memcpy(c->at, bytes, size);
    c->at += size;
}

static void byte(struct code *c, unsigned value)
{
    uint8_t b = (uint8_t)value;
    put(c, &b, 1);
}

static void word(struct code *c, uint32_t value)
{
    put(c, &value, sizeof value);
}

static struct operand in(unsigned reg)
{
    return (struct operand){IN_REGISTER, reg, 0};
}

static struct operand constant(uint32_t value)
{
    return (struct operand){IS_CONSTANT, 0, value};
}

#define WIDE_OPERAND 0x48u /* REX.W */
#define ANY_BYTE     0x40u /* with any REX the low byte of each register can be had */

/* REX, where it is needed, an opcode of one or (0x0f..) two bytes, and ModRM for `reg` and a register or slot.
 */
static void instruction(struct code *c, unsigned rex, unsigned opcode, unsigned reg, struct operand other)
{
    bool memory = other.kind == IN_MEMORY;
    unsigned rm = memory ? SLOTS : other.reg;
    rex |= (reg >> 3 & 1) << 2 | (rm >> 3 & 1);
    if (rex)
        byte(c, 0x40 | rex);
    if (opcode > 0xff)
        byte(c, opcode >> 8);
    byte(c, opcode);
    byte(c, (memory ? 0x80u : 0xc0u) | (reg & 7) << 3 | (rm & 7));
    if (memory)
        word(c, 4 * other.value);
}

/* ADD, OR, AND, SUB, XOR, CMP by their numbers in the opcodes. */
enum alu {
    ALU_ADD = 0,
    ALU_OR = 1,
    ALU_AND = 4,
    ALU_SUB = 5,
    ALU_XOR = 6,
    ALU_CMP = 7,
};

static void alu(struct code *c, enum alu op, unsigned reg, struct operand other)
{
    if (other.kind == IS_CONSTANT) {
        instruction(c, 0, 0x81, op, in(reg));
        word(c, other.value);
    } else {
        instruction(c, 0, (unsigned)op << 3 | 3, reg, other);
    }
}

static void move(struct code *c, unsigned reg, struct operand from)
{
    if (from.kind == IS_CONSTANT) {
        if (reg >> 3)
            byte(c, 0x41);
        byte(c, 0xb8 | (reg & 7));
        word(c, from.value);
    } else if (from.kind == IN_MEMORY || from.reg != reg) {
        instruction(c, 0, 0x8b, reg, from);
    }
}

static void move_to_slot(struct code *c, unsigned slot, unsigned reg)
{
    instruction(c, 0, 0x89, reg, (struct operand){IN_MEMORY, 0, slot});
}

enum shift {
    SHIFT_ROR = 1,
    SHIFT_SHL = 4,
    SHIFT_SHR = 5,
    SHIFT_SAR = 7,
};

static void shift_by(struct code *c, enum shift op, unsigned reg, unsigned by)
{
    instruction(c, 0, 0xc1, op, in(reg));
    byte(c, by);
}

#define SETC  0x0f92u
#define SETNC 0x0f93u
#define SETZ  0x0f94u

/* reg = the condition */
static void set_if(struct code *c, unsigned opcode, unsigned reg)
{
    instruction(c, 0, opcode, 0, in(RAX));
    instruction(c, 0, 0x0fb6, reg, in(RAX)); /* MOVZX */
}

/* --- values and registers ---------------------------------------------------------------------------------
 */

static struct operand where(const struct code *c, unsigned slot)
{
    if (c->round->slot_known[slot])
        return constant(c->round->slot[slot]);
    if (c->held_by[slot] < HOLDERS)
        return in(holders[c->held_by[slot]]);
    return (struct operand){IN_MEMORY, 0, slot};
}

/* A register with the value: where it is, or `scratch`. */
static unsigned load(struct code *c, unsigned slot, unsigned scratch)
{
    struct operand from = where(c, slot);
    if (from.kind == IN_REGISTER)
        return from.reg;
    move(c, scratch, from);
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
    struct operand source = where(c, from);
    unsigned reg = new_holder(c, to);
    move(c, reg, source);
    return reg;
}

/* --- operations -------------------------------------------------------------------------------------------
 */

static void two_operands(struct code *c, const struct ir *ir, enum alu op)
{
    struct operand b = where(c, ir->b);
    alu(c, op, result_from(c, ir->to, ir->a), b);
}

static void add(struct code *c, const struct ir *ir)
{
    struct operand b = where(c, ir->b), carry = where(c, ir->c);
    if (carry.kind != IS_CONSTANT) { /* it may be an operand, too */
        move(c, RAX, where(c, ir->a));
        alu(c, ALU_ADD, RAX, b);
        alu(c, ALU_ADD, RAX, carry);
        move(c, new_holder(c, ir->to), in(RAX));
        return;
    }
    unsigned reg = result_from(c, ir->to, ir->a);
    if (b.kind == IS_CONSTANT)
        b.value += carry.value;
    alu(c, ALU_ADD, reg, b);
    if (b.kind != IS_CONSTANT && carry.value)
        alu(c, ALU_ADD, reg, carry);
}

/* Bit 32 of the sum of all three. */
static void add_carry(struct code *c, const struct ir *ir)
{
    move(c, RAX, where(c, ir->a));
    move(c, RCX, where(c, ir->b));
    instruction(c, WIDE_OPERAND, 0x03, RAX, in(RCX));
    move(c, RCX, where(c, ir->c));
    instruction(c, WIDE_OPERAND, 0x03, RAX, in(RCX));
    instruction(c, WIDE_OPERAND, 0xc1, SHIFT_SHR, in(RAX));
    byte(c, 32);
    move(c, new_holder(c, ir->to), in(RAX));
}

static void shift(struct code *c, const struct ir *ir)
{
    static const enum shift by_op[] = {
        [IR_LSL] = SHIFT_SHL, [IR_LSR] = SHIFT_SHR, [IR_ASR] = SHIFT_SAR, [IR_ROR] = SHIFT_ROR};
    struct operand by = where(c, ir->b);
    unsigned amount = by.value & 0xff;
    if (by.kind == IS_CONSTANT) {
        unsigned reg = result_from(c, ir->to, ir->a);
        if (amount < 32)
            shift_by(c, by_op[ir->op], reg, amount);
        else if (ir->op == IR_ASR || ir->op == IR_ROR)
            shift_by(c, by_op[ir->op], reg, ir->op == IR_ASR ? 31 : amount & 31);
        else
            move(c, reg, constant(0));
        return;
    }
    if (ir->op != IR_LSL && ir->op != IR_LSR) {
        c->failed = true;
        return;
    }
    move(c, RCX, by);
    instruction(c, 0, 0x0fb6, RCX, in(RCX)); /* MOVZX ECX, CL */
    unsigned reg = result_from(c, ir->to, ir->a);
    instruction(c, 0, 0xd3, by_op[ir->op], in(reg));
    /* The host looks at five bits of the count only. */
    alu(c, ALU_CMP, RCX, constant(32));
    instruction(c, 0, 0x1b, RAX, in(RAX)); /* SBB: all ones, if it is less */
    alu(c, ALU_AND, reg, in(RAX));
}

/* By a constant, as instructions with an immediate shift. */
static void shift_carry(struct code *c, const struct ir *ir)
{
    struct operand by = where(c, ir->b);
    if (by.kind != IS_CONSTANT || !by.value || by.value > 32) {
        c->failed = true;
        return;
    }
    unsigned reg = result_from(c, ir->to, ir->a);
    shift_by(c, SHIFT_SHR, reg, ir->op == IR_LSL_CARRY ? 32 - by.value : by.value - 1);
    alu(c, ALU_AND, reg, constant(1));
}

static void multiply(struct code *c, const struct ir *ir)
{
    struct operand b = where(c, ir->b);
    if (b.kind == IS_CONSTANT) {
        move(c, RCX, b);
        b = in(RCX);
    }
    instruction(c, 0, 0x0faf, result_from(c, ir->to, ir->a), b); /* IMUL */
}

static void multiply_high(struct code *c, const struct ir *ir)
{
    bool is_signed = ir->op == IR_MUL_HIGH_SIGNED;
    move(c, RAX, where(c, ir->a));
    move(c, RCX, where(c, ir->b));
    if (is_signed) {
        instruction(c, WIDE_OPERAND, 0x63, RAX, in(RAX)); /* MOVSXD */
        instruction(c, WIDE_OPERAND, 0x63, RCX, in(RCX));
    }
    instruction(c, WIDE_OPERAND, 0x0faf, RAX, in(RCX));
    instruction(c, WIDE_OPERAND, 0xc1, SHIFT_SHR, in(RAX));
    byte(c, 32);
    move(c, new_holder(c, ir->to), in(RAX));
}

static void test(struct code *c, unsigned slot)
{
    struct operand value = where(c, slot);
    if (value.kind == IN_REGISTER) {
        instruction(c, 0, 0x85, value.reg, value);
        return;
    }
    move(c, RAX, value);
    instruction(c, 0, 0x85, RAX, in(RAX));
}

static void is_zero(struct code *c, const struct ir *ir)
{
    test(c, ir->a);
    set_if(c, SETZ, new_holder(c, ir->to));
}

static void not_less(struct code *c, const struct ir *ir)
{
    alu(c, ALU_CMP, load(c, ir->a, RAX), where(c, ir->b));
    set_if(c, SETNC, new_holder(c, ir->to));
}

/* No instruction between the test and the last one changes flags. */
static void choose(struct code *c, const struct ir *ir)
{
    unsigned b = load(c, ir->b, RCX);
    test(c, ir->a);
    instruction(c, 0, 0x0f45, result_from(c, ir->to, ir->c), in(b)); /* CMOVNZ */
}

static void extend(struct code *c, const struct ir *ir)
{
    unsigned from = load(c, ir->a, RAX);
    instruction(c, ANY_BYTE, ir->op == IR_SXTB ? 0x0fbe : 0x0fbf, new_holder(c, ir->to), in(from));
}

static void reverse(struct code *c, const struct ir *ir)
{
    unsigned reg = result_from(c, ir->to, ir->a);
    if (reg >> 3)
        byte(c, 0x41);
    byte(c, 0x0f);
    byte(c, 0xc8 | (reg & 7)); /* BSWAP */
}

/* An access at the guest's address in `address`: ModRM and SIB for [RAX + address]. */
static void at_address(struct code *c, unsigned rex, unsigned opcode, unsigned reg, unsigned address)
{
    rex |= (reg >> 3 & 1) << 2 | (address >> 3 & 1) << 1;
    if (rex)
        byte(c, 0x40 | rex);
    if (opcode > 0xff)
        byte(c, opcode >> 8);
    byte(c, opcode);
    byte(c, (reg & 7) << 3 | 4);
    byte(c, (address & 7) << 3 | RAX);
}

static void load_bias(struct code *c, const struct ir *ir)
{
    byte(c, WIDE_OPERAND);
    byte(c, 0x8b); /* MOV RAX, [BIAS + n] */
    byte(c, 0x80 | RAX << 3 | BIAS);
    word(c, ir->exit * (uint32_t)sizeof(uintptr_t));
}

static void load_memory(struct code *c, const struct ir *ir)
{
    unsigned address = load(c, ir->a, RCX);
    load_bias(c, ir);
    at_address(c, 0, ir->size == 1 ? 0x0fb6 : ir->size == 2 ? 0x0fb7 : 0x8b, new_holder(c, ir->to), address);
}

static void store_memory(struct code *c, const struct ir *ir)
{
    unsigned address = load(c, ir->b, RCX), value = load(c, ir->a, RDX);
    load_bias(c, ir);
    if (ir->size == 2)
        byte(c, 0x66);
    at_address(c, ir->size == 1 ? ANY_BYTE : 0, ir->size == 1 ? 0x88 : 0x89, value, address);
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
        two_operands(c, ir, ALU_AND);
        break;
    case IR_OR:
        two_operands(c, ir, ALU_OR);
        break;
    case IR_EOR:
        two_operands(c, ir, ALU_XOR);
        break;
    case IR_SUB:
        two_operands(c, ir, ALU_SUB);
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
        c->failed = true;
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

/* Which operations stores, loads, and what the variables come to depend on; and until when values are used. */
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
        c->needed[i] = ir->op == FX_STORE_AT || ((ir->op < FX_LOAD || ir->op == FX_LOAD_AT) && wanted[ir->to]);
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
    struct operand from, to;
    bool done;
};

static bool same_place(struct operand a, struct operand b)
{
    return a.kind == b.kind && a.kind != IS_CONSTANT &&
           (a.kind == IN_REGISTER ? a.reg == b.reg : a.value == b.value);
}

static void make_move(struct code *c, const struct end_move *m)
{
    if (m->to.kind == IN_REGISTER) {
        move(c, m->to.reg, m->from);
    } else {
        move(c, RAX, m->from);
        move_to_slot(c, m->to.value, RAX);
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
            if (moves[i].done || same_place(moves[i].from, in(RDX)))
                continue;
            struct operand from = moves[i].from;
            move(c, RDX, from);
            for (unsigned j = 0; j < count; j++) {
                if (!moves[j].done && same_place(moves[j].from, from))
                    moves[j].from = in(RDX);
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
        moves[i].to = c->home[i] < HOLDERS ? in(holders[c->home[i]])
                                           : (struct operand){IN_MEMORY, 0, variable->slot};
    }
    move_all(c, moves, c->round->variables);
}

static const uint8_t saved[] = {RBX, RBP, 12, 13, 14, 15};

static void push_or_pop(struct code *c, unsigned opcode, unsigned reg)
{
    if (reg >> 3)
        byte(c, 0x41);
    byte(c, opcode | (reg & 7));
}

static void begin(struct code *c)
{
    for (unsigned i = 0; i < sizeof saved; i++)
        push_or_pop(c, 0x50, saved[i]);
    push_or_pop(c, 0x50, RDX);
    for (unsigned i = 0; i < c->round->variables; i++) {
        if (c->home[i] < HOLDERS)
            move(c, holders[c->home[i]], (struct operand){IN_MEMORY, 0, c->round->variable[i].slot});
    }
}

static void finish(struct code *c, const uint8_t *head)
{
    static const uint8_t decrement[] = {0x48, 0xff, 0x0c, 0x24}; /* DEC QWORD [RSP] */
    put(c, decrement, sizeof decrement);
    byte(c, 0x0f);
    byte(c, 0x85); /* JNZ head */
    word(c, (uint32_t)(head - (c->at + 4)));
    for (unsigned i = 0; i < c->round->variables; i++) {
        if (c->home[i] < HOLDERS)
            move_to_slot(c, c->round->variable[i].slot, holders[c->home[i]]);
    }
    push_or_pop(c, 0x58, RDX);
    for (unsigned i = sizeof saved; i-- > 0;)
        push_or_pop(c, 0x58, saved[i]);
    byte(c, 0xc3);
}

size_t hot_code_make(const struct hot_round *round, uint8_t *to, size_t room)
{
    struct code c = {.round = round, .at = to, .end = to + room};
    memset(c.holds, 0xff, sizeof c.holds);
    memset(c.held_by, HOLDERS, sizeof c.held_by);
    memset(c.wanted_in, HOLDERS, sizeof c.wanted_in);
    find_needed(&c);
    give_homes(&c);
    begin(&c);
    const uint8_t *head = c.at;
    for (c.now = 0; c.now < round->ops && !c.failed; c.now++) {
        if (!c.needed[c.now])
            continue;
        let_dead_go(&c, false);
        compute(&c, &round->op[c.now]);
        let_dead_go(&c, true);
    }
    end_round(&c);
    finish(&c, head);
    return c.failed ? 0 : (size_t)(c.at - to);
}

#else

size_t hot_code_make(const struct hot_round *round, uint8_t *to, size_t room)
{
    (void)round, (void)to, (void)room;
    return 0;
}

#endif
