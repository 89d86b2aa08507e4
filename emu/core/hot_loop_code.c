/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/hot_loop_code.h"

#include "core/hot_loop_values.h"

#if defined(__x86_64__)

/* The register that points to the biases; SLOTS, and the number of rounds in RDX, come with it. */
#define BIAS RSI

/* --- operations -------------------------------------------------------------------------------------------
 */

static void two_operands(struct hot_values *c, const struct ir *ir, enum x86_alu op)
{
    struct x86_operand b = hot_where(c, ir->b);
    x86_alu(&c->x, op, hot_result_from(c, ir->to, ir->a), b);
}

static void add(struct hot_values *c, const struct ir *ir)
{
    struct x86_operand b = hot_where(c, ir->b), carry = hot_where(c, ir->c);
    if (carry.kind != X86_CONSTANT) { /* it may be an operand, too */
        x86_move(&c->x, RAX, hot_where(c, ir->a));
        x86_alu(&c->x, X86_ADD, RAX, b);
        x86_alu(&c->x, X86_ADD, RAX, carry);
        x86_move(&c->x, hot_new_holder(c, ir->to), x86_in(RAX));
        return;
    }
    unsigned reg = hot_result_from(c, ir->to, ir->a);
    if (b.kind == X86_CONSTANT)
        b.value += carry.value;
    x86_alu(&c->x, X86_ADD, reg, b);
    if (b.kind != X86_CONSTANT && carry.value)
        x86_alu(&c->x, X86_ADD, reg, carry);
}

/* Bit 32 of the sum of all three. */
static void add_carry(struct hot_values *c, const struct ir *ir)
{
    x86_move(&c->x, RAX, hot_where(c, ir->a));
    x86_move(&c->x, RCX, hot_where(c, ir->b));
    x86_instruction(&c->x, X86_WIDE, X86_ADD_TO, RAX, x86_in(RCX));
    x86_move(&c->x, RCX, hot_where(c, ir->c));
    x86_instruction(&c->x, X86_WIDE, X86_ADD_TO, RAX, x86_in(RCX));
    x86_shift(&c->x, X86_WIDE, X86_SHR, RAX, 32);
    x86_move(&c->x, hot_new_holder(c, ir->to), x86_in(RAX));
}

static void shift(struct hot_values *c, const struct ir *ir)
{
    static const enum x86_shift by_op[] = {
        [IR_LSL] = X86_SHL, [IR_LSR] = X86_SHR, [IR_ASR] = X86_SAR, [IR_ROR] = X86_ROR};
    struct x86_operand by = hot_where(c, ir->b);
    unsigned amount = by.value & 0xff;
    if (by.kind == X86_CONSTANT) {
        unsigned reg = hot_result_from(c, ir->to, ir->a);
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
    unsigned reg = hot_result_from(c, ir->to, ir->a);
    x86_instruction(&c->x, 0, X86_SHIFT_CL, by_op[ir->op], x86_in(reg));
    /* The host looks at five bits of the count only. */
    x86_alu(&c->x, X86_CMP, RCX, x86_constant(32));
    x86_instruction(&c->x, 0, X86_SBB, RAX, x86_in(RAX)); /* all ones, if it is less */
    x86_alu(&c->x, X86_AND, reg, x86_in(RAX));
}

/* By a constant, as instructions with an immediate shift. */
static void shift_carry(struct hot_values *c, const struct ir *ir)
{
    struct x86_operand by = hot_where(c, ir->b);
    if (by.kind != X86_CONSTANT || !by.value || by.value > 32) {
        c->x.failed = true;
        return;
    }
    unsigned reg = hot_result_from(c, ir->to, ir->a);
    x86_shift(&c->x, 0, X86_SHR, reg, ir->op == IR_LSL_CARRY ? 32 - by.value : by.value - 1);
    x86_alu(&c->x, X86_AND, reg, x86_constant(1));
}

static void multiply(struct hot_values *c, const struct ir *ir)
{
    struct x86_operand b = hot_where(c, ir->b);
    if (b.kind == X86_CONSTANT) {
        x86_move(&c->x, RCX, b);
        b = x86_in(RCX);
    }
    x86_instruction(&c->x, 0, X86_IMUL, hot_result_from(c, ir->to, ir->a), b);
}

static void multiply_high(struct hot_values *c, const struct ir *ir)
{
    bool is_signed = ir->op == IR_MUL_HIGH_SIGNED;
    x86_move(&c->x, RAX, hot_where(c, ir->a));
    x86_move(&c->x, RCX, hot_where(c, ir->b));
    if (is_signed) {
        x86_instruction(&c->x, X86_WIDE, X86_MOVSXD, RAX, x86_in(RAX));
        x86_instruction(&c->x, X86_WIDE, X86_MOVSXD, RCX, x86_in(RCX));
    }
    x86_instruction(&c->x, X86_WIDE, X86_IMUL, RAX, x86_in(RCX));
    x86_shift(&c->x, X86_WIDE, X86_SHR, RAX, 32);
    x86_move(&c->x, hot_new_holder(c, ir->to), x86_in(RAX));
}

static void test(struct hot_values *c, unsigned slot)
{
    struct x86_operand value = hot_where(c, slot);
    if (value.kind == X86_REGISTER) {
        x86_instruction(&c->x, 0, X86_TEST, value.reg, value);
        return;
    }
    x86_move(&c->x, RAX, value);
    x86_instruction(&c->x, 0, X86_TEST, RAX, x86_in(RAX));
}

static void is_zero(struct hot_values *c, const struct ir *ir)
{
    test(c, ir->a);
    x86_set_if(&c->x, X86_SETZ, hot_new_holder(c, ir->to));
}

static void not_less(struct hot_values *c, const struct ir *ir)
{
    x86_alu(&c->x, X86_CMP, hot_load(c, ir->a, RAX), hot_where(c, ir->b));
    x86_set_if(&c->x, X86_SETNC, hot_new_holder(c, ir->to));
}

/* No instruction between the test and the last one changes flags. */
static void choose(struct hot_values *c, const struct ir *ir)
{
    unsigned b = hot_load(c, ir->b, RCX);
    test(c, ir->a);
    x86_instruction(&c->x, 0, X86_CMOVNZ, hot_result_from(c, ir->to, ir->c), x86_in(b));
}

static void extend(struct hot_values *c, const struct ir *ir)
{
    unsigned from = hot_load(c, ir->a, RAX);
    x86_instruction(&c->x, X86_ANY_BYTE, ir->op == IR_SXTB ? X86_MOVSX8 : X86_MOVSX16,
                    hot_new_holder(c, ir->to), x86_in(from));
}

static void reverse(struct hot_values *c, const struct ir *ir)
{
    x86_bswap(&c->x, hot_result_from(c, ir->to, ir->a));
}

/* What is to be added to the guest's address. */
static void load_bias(struct hot_values *c, const struct ir *ir)
{
    x86_instruction(&c->x, X86_WIDE, X86_LOAD, RAX, x86_memory(BIAS, ir->exit * (uint32_t)sizeof(uintptr_t)));
}

static void load_memory(struct hot_values *c, const struct ir *ir)
{
    unsigned address = hot_load(c, ir->a, RCX);
    unsigned opcode = ir->size == 1 ? X86_MOVZX8 : ir->size == 2 ? X86_MOVZX16 : X86_LOAD;
    load_bias(c, ir);
    x86_indexed(&c->x, 0, opcode, hot_new_holder(c, ir->to), RAX, address);
}

static void store_memory(struct hot_values *c, const struct ir *ir)
{
    unsigned address = hot_load(c, ir->b, RCX), value = hot_load(c, ir->a, RDX);
    load_bias(c, ir);
    if (ir->size == 2)
        x86_byte(&c->x, 0x66);
    if (ir->size == 1)
        x86_indexed(&c->x, X86_ANY_BYTE, X86_STORE8, value, RAX, address);
    else
        x86_indexed(&c->x, 0, X86_STORE, value, RAX, address);
}

static void compute(struct hot_values *c, const struct ir *ir)
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

static const uint8_t saved[] = {RBX, RBP, 12, 13, 14, 15};

static void begin(struct hot_values *c)
{
    for (unsigned i = 0; i < sizeof saved; i++)
        x86_push(&c->x, saved[i]);
    x86_push(&c->x, RDX);
    for (unsigned i = 0; i < c->round->variables; i++) {
        if (c->home[i] < HOLDERS)
            x86_move(&c->x, hot_holders[c->home[i]], hot_slot(c->round->variable[i].slot));
    }
}

static void finish(struct hot_values *c, const uint8_t *head)
{
    x86_word(&c->x, 0x240cff48); /* DEC QWORD [RSP] */
    x86_byte(&c->x, 0x0f);
    x86_byte(&c->x, 0x85); /* JNZ head */
    x86_word(&c->x, (uint32_t)(head - (c->x.at + 4)));
    for (unsigned i = 0; i < c->round->variables; i++) {
        if (c->home[i] < HOLDERS)
            hot_move_to_slot(c, c->round->variable[i].slot, hot_holders[c->home[i]]);
    }
    x86_pop(&c->x, RDX);
    for (unsigned i = sizeof saved; i-- > 0;)
        x86_pop(&c->x, saved[i]);
    x86_byte(&c->x, 0xc3);
}

size_t hot_code_make(const struct hot_round *round, uint8_t *to, size_t room)
{
    struct hot_values c;
    hot_values_init(&c, round, to, room);
    begin(&c);
    const uint8_t *head = c.x.at;
    for (c.now = 0; c.now < round->ops && !c.x.failed; c.now++) {
        if (!c.needed[c.now])
            continue;
        hot_let_dead_go(&c, false);
        compute(&c, &round->op[c.now]);
        hot_let_dead_go(&c, true);
    }
    hot_end_round(&c);
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
