/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thumb instructions for replay_make.c: what each does to values that may not be known.
 *
 * Source: ARMv7-M Architecture Reference Manual (DDI 0403E) A5 (encodings), A7 (instructions).
 * Not modelled: floating point, saturation, SIMD, coprocessors, exceptions, hints other than NOP. A block
 * with one of these makes no trace.
 */
#include "core/cycles.h"
#include "core/replay_make.h"

#define ZERO known(0)
#define PC   15

/* One instruction under way. */
struct now {
    struct maker *m;
    uint32_t pc;     /* its address */
    uint32_t next;   /* the address behind it */
    struct val pass; /* its condition, 1 if it has none */
    bool in_it;
};

/* --- values -----------------------------------------------------------------------------------------------
 */

static struct val value2(struct now *n, enum ir_op op, struct val a, struct val b)
{
    return make_value(n->m, op, a, b, ZERO);
}

static struct val inverted(struct now *n, struct val a)
{
    return value2(n, IR_EOR, a, known(UINT32_MAX));
}

static struct val opposite(struct now *n, struct val truth)
{
    return value2(n, IR_EOR, truth, known(1));
}

static struct val flag(struct now *n, unsigned place)
{
    return make_get(n->m, place);
}

static void set_place(struct now *n, unsigned place, struct val value)
{
    if (n->pass.slot)
        value = make_value(n->m, IR_SELECT, n->pass, value, make_get(n->m, place));
    if (n->pass.slot || n->pass.v)
        make_set(n->m, place, value);
}

static struct val reg(struct now *n, unsigned number)
{
    return number == PC ? known(n->pc + 4) : make_get(n->m, number);
}

static bool branch_to(struct now *n, struct val to, bool exchange)
{
    struct maker *m = n->m;
    if (!make_known(m, to) || (exchange && (!(to.v & 1) || to.v >= 0xf0000000u)))
        return false;
    /* A branch ends its block, so what is not taken goes on behind it. */
    bool taken = n->pass.v;
    m->branched = taken;
    m->target = to.v & ~1u;
    m->condition = n->pass;
    m->other = taken ? n->next : to.v & ~1u;
    return true;
}

static bool set_reg(struct now *n, unsigned number, struct val value)
{
    if (number == PC)
        return branch_to(n, value, true);
    if (number == PLACE_SP && value.v & 3)
        return false;
    set_place(n, number, value);
    return true;
}

static struct val holds(struct now *n, unsigned code)
{
    struct val truth;
    switch (code >> 1) {
    case 0:
        truth = flag(n, PLACE_Z);
        break;
    case 1:
        truth = flag(n, PLACE_C);
        break;
    case 2:
        truth = flag(n, PLACE_N);
        break;
    case 3:
        truth = flag(n, PLACE_V);
        break;
    case 4:
        truth = value2(n, IR_AND, flag(n, PLACE_C), opposite(n, flag(n, PLACE_Z)));
        break;
    case 5:
        truth = opposite(n, value2(n, IR_EOR, flag(n, PLACE_N), flag(n, PLACE_V)));
        break;
    case 6:
        truth = opposite(n, value2(n, IR_EOR, flag(n, PLACE_N), flag(n, PLACE_V)));
        truth = value2(n, IR_AND, truth, opposite(n, flag(n, PLACE_Z)));
        break;
    default:
        return known(1);
    }
    return code & 1 ? opposite(n, truth) : truth;
}

static void set_nz(struct now *n, struct val result)
{
    set_place(n, PLACE_N, value2(n, IR_LSR, result, known(31)));
    set_place(n, PLACE_Z, value2(n, IR_IS_ZERO, result, ZERO));
}

static struct val add(struct now *n, struct val a, struct val b, struct val carry, bool set_flags)
{
    struct val result = make_value(n->m, IR_ADD, a, b, carry);
    if (set_flags) {
        struct val c = make_value(n->m, IR_ADD_CARRY, a, b, carry);
        struct val v = make_value(n->m, IR_ADD_OVERFLOW, a, b, carry);
        set_nz(n, result);
        set_place(n, PLACE_C, c);
        set_place(n, PLACE_V, v);
    }
    return result;
}

static struct val subtract(struct now *n, struct val a, struct val b, bool set_flags)
{
    return add(n, a, inverted(n, b), known(1), set_flags);
}

/* Shifts by `by`; `carry` gets the carry out if it is not NULL. */
static struct val shift(struct now *n, enum ir_op op, struct val a, struct val by, struct val *carry)
{
    if (carry)
        *carry = make_value(n->m, (enum ir_op)(op + 1), a, by, flag(n, PLACE_C));
    return value2(n, op, a, by);
}

/* Shifts as an instruction with an immediate says: type 0–3, amount 0–31. */
static struct val shift_imm(struct now *n, struct val a, unsigned type, unsigned amount, struct val *carry)
{
    static const enum ir_op ops[] = {IR_LSL, IR_LSR, IR_ASR, IR_ROR};
    if (type == 3 && !amount) { /* RRX */
        struct val c = flag(n, PLACE_C);
        if (carry)
            *carry = value2(n, IR_AND, a, known(1));
        return value2(n, IR_OR, value2(n, IR_LSL, c, known(31)), value2(n, IR_LSR, a, known(1)));
    }
    if (!type && !amount) {
        if (carry)
            *carry = flag(n, PLACE_C);
        return a;
    }
    return shift(n, ops[type], a, known(amount ? amount : 32), carry);
}

/* --- data processing --------------------------------------------------------------------------------------
 */

/* The operations of both widths, by the numbers that the wide encodings have (A5.3.1). */
enum operation {
    OP_AND,
    OP_BIC,
    OP_ORR,
    OP_ORN,
    OP_EOR,
    OP_ADD = 8,
    OP_ADC = 10,
    OP_SBC = 11,
    OP_SUB = 13,
    OP_RSB = 14,
};

/* rd = rn op b, or only flags if rd is 15 where that is a comparison; `carry` is the shifter's. */
static bool process(struct now *n, unsigned op, unsigned rd, unsigned rn, struct val b, struct val carry,
                    bool set_flags)
{
    struct val a = rn == PC && (op == OP_ORR || op == OP_ORN) ? ZERO : make_get(n->m, rn % PC), result;
    if (rn == PC && op != OP_ORR && op != OP_ORN)
        return false;
    switch (op) {
    case OP_AND:
        result = value2(n, IR_AND, a, b);
        break;
    case OP_BIC:
        result = value2(n, IR_AND, a, inverted(n, b));
        break;
    case OP_ORR:
        result = value2(n, IR_OR, a, b);
        break;
    case OP_ORN:
        result = value2(n, IR_OR, a, inverted(n, b));
        break;
    case OP_EOR:
        result = value2(n, IR_EOR, a, b);
        break;
    case OP_ADD:
        result = add(n, a, b, ZERO, set_flags);
        break;
    case OP_ADC:
        result = add(n, a, b, flag(n, PLACE_C), set_flags);
        break;
    case OP_SBC:
        result = add(n, a, inverted(n, b), flag(n, PLACE_C), set_flags);
        break;
    case OP_SUB:
        result = subtract(n, a, b, set_flags);
        break;
    case OP_RSB:
        result = subtract(n, b, a, set_flags);
        break;
    default:
        return false;
    }
    if (op <= OP_EOR && set_flags) {
        set_nz(n, result);
        set_place(n, PLACE_C, carry);
    }
    if (rd == PC)
        return set_flags && (op == OP_AND || op == OP_EOR || op == OP_ADD || op == OP_SUB);
    return set_reg(n, rd, result);
}

static bool shift_reg(struct now *n, enum ir_op op, unsigned rd, struct val a, struct val by, bool set_flags)
{
    struct val carry = ZERO, result;
    by = value2(n, IR_AND, by, known(0xff));
    result = shift(n, op, a, by, set_flags ? &carry : NULL);
    if (set_flags) {
        set_nz(n, result);
        set_place(n, PLACE_C, carry);
    }
    return set_reg(n, rd, result);
}

/* --- loads and stores -------------------------------------------------------------------------------------
 */

/* Accesses to registers cannot be had in two ways; those to RAM can, if the address is known. */
static bool transfers_for_sure(const struct now *n)
{
    return make_known(n->m, n->pass);
}

static bool may_transfer(const struct now *n, struct val address)
{
    bool in_ram = !address.slot && address.v - RAM_BASE < n->m->cpu->ram_size;
    return in_ram || transfers_for_sure(n);
}

static struct val extended(struct now *n, struct val value, unsigned size, bool is_signed)
{
    if (!is_signed || size == 4)
        return value;
    return value2(n, size == 1 ? IR_SXTB : IR_SXTH, value, ZERO);
}

static bool load(struct now *n, unsigned rt, struct val address, unsigned size, bool is_signed)
{
    if (!may_transfer(n, address))
        return false;
    struct val value = make_load(n->m, address, size);
    return !n->m->failed && set_reg(n, rt, extended(n, value, size, is_signed));
}

static bool store(struct now *n, unsigned rt, struct val address, unsigned size)
{
    struct val value = make_get(n->m, rt);
    if (!may_transfer(n, address))
        return false;
    if (n->pass.slot)
        value = make_value(n->m, IR_SELECT, n->pass, value, make_load(n->m, address, size));
    make_store(n->m, address, value, size);
    return !n->m->failed;
}

static struct val plus(struct now *n, struct val a, uint32_t b)
{
    return b ? value2(n, IR_ADD, a, known(b)) : a;
}

/* LDM and STM, upwards from `address`. The base is written by the caller, before a load into the PC. */
static bool load_multiple(struct now *n, struct val address, unsigned list)
{
    struct val to = ZERO;
    for (unsigned i = 0; i < 16; i++) {
        if (!(list & 1u << i))
            continue;
        struct val value = make_load(n->m, address, 4);
        if (i == PC)
            to = value;
        else if (!set_reg(n, i, value))
            return false;
        address = plus(n, address, 4);
    }
    return !n->m->failed && (!(list & 1u << PC) || branch_to(n, to, true));
}

static bool store_multiple(struct now *n, struct val address, unsigned list)
{
    for (unsigned i = 0; i < 15; i++) {
        if (!(list & 1u << i))
            continue;
        make_store(n->m, address, make_get(n->m, i), 4);
        address = plus(n, address, 4);
    }
    return !n->m->failed && !(list & 1u << PC);
}

static unsigned ones(unsigned mask)
{
    return (unsigned)__builtin_popcount(mask);
}

static bool multiple(struct now *n, unsigned rn, unsigned list, bool is_load, bool down, bool write_back)
{
    struct val base = make_get(n->m, rn);
    struct val from = down ? plus(n, base, 0u - 4 * ones(list)) : base;
    struct val after = down ? from : plus(n, base, 4 * ones(list));
    if (!transfers_for_sure(n) || rn == PC || !make_known(n->m, base))
        return false;
    if (!is_load) {
        if (!store_multiple(n, from, list))
            return false;
        return !write_back || set_reg(n, rn, after);
    }
    if (write_back && !(list & 1u << rn) && !set_reg(n, rn, after))
        return false;
    return load_multiple(n, from, list);
}

/* --- 16-bit instructions (A5.2) ---------------------------------------------------------------------------
 */

static bool narrow_shift_add(struct now *n, unsigned op)
{
    unsigned rd = op & 7, rm = op >> 3 & 7;
    bool flags = !n->in_it;
    if (op < 0x1800) {
        struct val carry = ZERO, result;
        result = shift_imm(n, make_get(n->m, rm), op >> 11, op >> 6 & 0x1f, flags ? &carry : NULL);
        if (flags) {
            set_nz(n, result);
            set_place(n, PLACE_C, carry);
        }
        return set_reg(n, rd, result);
    }
    if (op < 0x2000) {
        struct val b = op & 0x400 ? known(op >> 6 & 7) : make_get(n->m, op >> 6 & 7);
        return process(n, op & 0x200 ? OP_SUB : OP_ADD, rd, rm, b, ZERO, flags);
    }
    struct val imm = known(op & 0xff);
    rd = op >> 8 & 7;
    switch (op >> 11 & 3) {
    case 0:
        if (flags)
            set_nz(n, imm);
        return set_reg(n, rd, imm);
    case 1:
        return process(n, OP_SUB, PC, rd, imm, ZERO, true);
    case 2:
        return process(n, OP_ADD, rd, rd, imm, ZERO, flags);
    default:
        return process(n, OP_SUB, rd, rd, imm, ZERO, flags);
    }
}

static bool narrow_data(struct now *n, unsigned op)
{
    static const uint8_t same[16] = {OP_AND, OP_EOR, 0xff,   0xff,   0xff,   OP_ADC, OP_SBC, 0xff,
                                     OP_AND, 0xff,   OP_SUB, OP_ADD, OP_ORR, 0xff,   OP_BIC, OP_ORN};
    unsigned rd = op & 7, which = op >> 6 & 0xf;
    bool flags = !n->in_it, writes_only = which == 9 || which == 15;
    struct val a = writes_only ? ZERO : make_get(n->m, rd), b = make_get(n->m, op >> 3 & 7), result;
    struct val carry = flags || (which >= 8 && which <= 11) ? flag(n, PLACE_C) : ZERO;
    switch (which) {
    case 2:
        return shift_reg(n, IR_LSL, rd, a, b, flags);
    case 3:
        return shift_reg(n, IR_LSR, rd, a, b, flags);
    case 4:
        return shift_reg(n, IR_ASR, rd, a, b, flags);
    case 7:
        return shift_reg(n, IR_ROR, rd, a, b, flags);
    case 8: /* TST, CMP, CMN */
    case 10:
    case 11:
        return process(n, same[which], PC, rd, b, carry, true);
    case 9: /* RSB from 0 */
        return set_reg(n, rd, subtract(n, ZERO, b, flags));
    case 13:
        result = value2(n, IR_MUL, a, b);
        if (flags)
            set_nz(n, result);
        return set_reg(n, rd, result);
    case 15: /* MVN */
        return process(n, OP_ORN, rd, PC, b, carry, flags);
    default:
        return process(n, same[which], rd, rd, b, carry, flags);
    }
}

static bool narrow_special(struct now *n, unsigned op)
{
    unsigned rd = (op & 7) | (op >> 4 & 8), rm = op >> 3 & 0xf;
    struct val b = reg(n, rm);
    switch (op >> 8 & 3) {
    case 0:
        return rd != PC && set_reg(n, rd, value2(n, IR_ADD, make_get(n->m, rd), b));
    case 1:
        return rd != PC && process(n, OP_SUB, PC, rd, b, ZERO, true);
    case 2:
        return rd == PC ? branch_to(n, value2(n, IR_OR, b, known(1)), true) : set_reg(n, rd, b);
    default:
        if (rm == PC)
            return false;
        if (op & 0x80)
            set_place(n, PLACE_LR, known(n->next | 1));
        return branch_to(n, b, true);
    }
}

static bool narrow_memory(struct now *n, unsigned op)
{
    static const struct {
        uint8_t size;
        bool loads, is_signed;
    } by_register[8] = {{4, false, false}, {2, false, false}, {1, false, false}, {1, true, true},
                        {4, true, false},  {2, true, false},  {1, true, false},  {2, true, true}};
    unsigned rt = op & 7, five = op >> 6 & 0x1f, size;
    struct val base = make_get(n->m, op >> 3 & 7);
    if (op < 0x6000) {
        unsigned which = op >> 9 & 7;
        struct val address = value2(n, IR_ADD, base, make_get(n->m, op >> 6 & 7));
        if (!by_register[which].loads)
            return store(n, rt, address, by_register[which].size);
        return load(n, rt, address, by_register[which].size, by_register[which].is_signed);
    }
    if (op >= 0x9000) {
        struct val address = plus(n, make_get(n->m, PLACE_SP), (op & 0xff) * 4);
        return op & 0x800 ? load(n, op >> 8 & 7, address, 4, false) : store(n, op >> 8 & 7, address, 4);
    }
    size = op >= 0x8000 ? 2 : op >= 0x7000 ? 1 : 4;
    base = plus(n, base, five * size);
    return op & 0x800 ? load(n, rt, base, size, false) : store(n, rt, base, size);
}

static bool compare_and_branch(struct now *n, unsigned op)
{
    struct val zero = value2(n, IR_IS_ZERO, make_get(n->m, op & 7), ZERO);
    n->pass = op & 0x800 ? opposite(n, zero) : zero;
    return branch_to(n, known(n->pc + 4 + (op >> 2 & 0x3e) + (op >> 3 & 0x40)), false);
}

static bool change_state(struct now *n, unsigned op)
{
    if (!transfers_for_sure(n) || op & 1) /* FAULTMASK is not followed */
        return false;
    if (n->pass.v && op & 2)
        n->m->primask = op >> 4 & 1;
    return true;
}

static bool narrow_misc(struct now *n, unsigned op)
{
    unsigned rd = op & 7;
    struct val rm = make_get(n->m, op >> 3 & 7);
    if ((op & 0xff00) == 0xb000)
        return set_reg(n, PLACE_SP,
                       plus(n, make_get(n->m, PLACE_SP), op & 0x80 ? 0u - (op & 0x7f) * 4 : (op & 0x7f) * 4));
    if ((op & 0xf500) == 0xb100)
        return compare_and_branch(n, op);
    if ((op & 0xfe00) == 0xb400)
        return multiple(n, PLACE_SP, (op & 0xff) | (op & 0x100) << 6, false, true, true);
    if ((op & 0xfe00) == 0xbc00)
        return multiple(n, PLACE_SP, (op & 0xff) | (op & 0x100) << 7, true, false, true);
    switch (op >> 6) {
    case 0xb200 >> 6:
        return set_reg(n, rd, value2(n, IR_SXTH, rm, ZERO));
    case 0xb240 >> 6:
        return set_reg(n, rd, value2(n, IR_SXTB, rm, ZERO));
    case 0xb280 >> 6:
        return set_reg(n, rd, value2(n, IR_AND, rm, known(0xffff)));
    case 0xb2c0 >> 6:
        return set_reg(n, rd, value2(n, IR_AND, rm, known(0xff)));
    case 0xba00 >> 6:
        return set_reg(n, rd, value2(n, IR_REV, rm, ZERO));
    case 0xba40 >> 6:
        return set_reg(n, rd, value2(n, IR_REV16, rm, ZERO));
    case 0xbac0 >> 6:
        return set_reg(n, rd, value2(n, IR_REVSH, rm, ZERO));
    default:
        break;
    }
    if ((op & 0xffe8) == 0xb660)
        return change_state(n, op);
    if ((op & 0xff00) == 0xbf00 && op & 0xf) {
        n->m->it = (uint8_t)op;
        return true;
    }
    return op == 0xbf00;
}

static bool narrow(struct now *n, unsigned op)
{
    if (op < 0x4000)
        return narrow_shift_add(n, op);
    if (op < 0x4400)
        return narrow_data(n, op);
    if (op < 0x4800)
        return narrow_special(n, op);
    if (op < 0x5000)
        return load(n, op >> 8 & 7, known(((n->pc + 4) & ~3u) + (op & 0xff) * 4), 4, false);
    if (op < 0xa000)
        return narrow_memory(n, op);
    if (op < 0xb000) {
        struct val base = op & 0x800 ? make_get(n->m, PLACE_SP) : known((n->pc + 4) & ~3u);
        return set_reg(n, op >> 8 & 7, plus(n, base, (op & 0xff) * 4));
    }
    if (op < 0xc000)
        return narrow_misc(n, op);
    if (op < 0xd000)
        return multiple(n, op >> 8 & 7, op & 0xff, op & 0x800, false,
                        !(op & 0x800) || !(op >> (op >> 8 & 7) & 1));
    if (op < 0xe000) {
        if ((op & 0x0e00) == 0x0e00)
            return false;
        n->pass = holds(n, op >> 8 & 0xf);
        return branch_to(n, known(n->pc + 4 + (uint32_t)((int32_t)((uint32_t)op << 24) >> 23)), false);
    }
    return branch_to(n, known(n->pc + 4 + (uint32_t)((int32_t)((uint32_t)op << 21) >> 20)), false);
}

/* --- 32-bit instructions (A5.3) ---------------------------------------------------------------------------
 */

/* ThumbExpandImm (A5.3.2); `carry` gets its carry. */
static struct val expanded(struct now *n, uint32_t op, bool flags, struct val *carry)
{
    uint32_t code = (op >> 26 & 1) << 11 | (op >> 12 & 7) << 8 | (op & 0xff), byte = op & 0xff;
    if (flags)
        *carry = flag(n, PLACE_C);
    switch (code >> 8) {
    case 0:
        return known(byte);
    case 1:
        return known(byte << 16 | byte);
    case 2:
        return known(byte << 24 | byte << 8);
    case 3:
        return known(byte * 0x01010101u);
    default:
        byte = ir_rotate(0x80 | (code & 0x7f), code >> 7);
        *carry = known(byte >> 31);
        return known(byte);
    }
}

static bool plain_immediate(struct now *n, uint32_t op)
{
    unsigned rd = op >> 8 & 0xf, rn = op >> 16 & 0xf, low = (op >> 10 & 0x1c) | (op >> 6 & 3), width;
    uint32_t imm12 = (op >> 15 & 0x800) | (op >> 4 & 0x700) | (op & 0xff);
    uint32_t imm16 = (op >> 4 & 0xf000) | imm12;
    bool moves = (op >> 20 & 0x17) == 0x04; /* MOVW, MOVT: no rn */
    struct val a = rn == PC || moves ? known((n->pc + 4) & ~3u) : make_get(n->m, rn);
    if (rd == PC)
        return false;
    switch (op >> 20 & 0x1f) {
    case 0x00:
        return set_reg(n, rd, plus(n, a, imm12));
    case 0x0a:
        return set_reg(n, rd, plus(n, a, 0u - imm12));
    case 0x04:
        return set_reg(n, rd, known(imm16));
    case 0x0c:
        a = value2(n, IR_AND, make_get(n->m, rd), known(0xffff));
        return set_reg(n, rd, value2(n, IR_OR, a, known(imm16 << 16)));
    case 0x14: /* SBFX, UBFX */
    case 0x1c:
        width = (op & 0x1f) + 1;
        if (rn == PC || low + width > 32)
            return false;
        a = value2(n, IR_LSL, a, known(32 - low - width));
        return set_reg(n, rd, value2(n, op >> 20 & 8 ? IR_LSR : IR_ASR, a, known(32 - width)));
    case 0x16: /* BFI, BFC */
        if ((op & 0x1f) < low)
            return false;
        width = (op & 0x1f) - low + 1;
        imm12 = (width == 32 ? UINT32_MAX : (1u << width) - 1) << low;
        a = value2(n, IR_AND, value2(n, IR_LSL, rn == PC ? ZERO : a, known(low)), known(imm12));
        return set_reg(n, rd, value2(n, IR_OR, a, value2(n, IR_AND, make_get(n->m, rd), known(~imm12))));
    default:
        return false;
    }
}

static bool special_register(struct now *n, uint32_t op)
{
    struct maker *m = n->m;
    unsigned which = op & 0xff;
    if (!transfers_for_sure(n) || !n->pass.v || (which != 0x10 && which != 0x11))
        return false;
    uint32_t *mask = which == 0x10 ? &m->primask : &m->basepri;
    if (op & 0x00200000) /* MRS */
        return set_reg(n, op >> 8 & 0xf, known(*mask));
    struct val value = make_get(m, op >> 16 & 0xf);
    if (!make_known(m, value))
        return false;
    *mask = value.v & (which == 0x10 ? 1 : 0xe0);
    return true;
}

static bool branch_or_misc(struct now *n, uint32_t op)
{
    uint32_t s = op >> 26 & 1, j1 = op >> 13 & 1, j2 = op >> 11 & 1;
    if (op & 0x1000) { /* BL, B.W */
        uint32_t offset =
            s << 24 | !(j1 ^ s) << 23 | !(j2 ^ s) << 22 | (op >> 16 & 0x3ff) << 12 | (op & 0x7ff) << 1;
        if (op & 0x4000)
            set_place(n, PLACE_LR, known(n->next | 1));
        return branch_to(n, known(n->pc + 4 + (uint32_t)((int32_t)(offset << 7) >> 7)), false);
    }
    if ((op >> 22 & 0xe) != 0xe) { /* B<c>.W */
        uint32_t offset = s << 20 | j2 << 19 | j1 << 18 | (op >> 16 & 0x3f) << 12 | (op & 0x7ff) << 1;
        n->pass = holds(n, op >> 22 & 0xf);
        return branch_to(n, known(n->pc + 4 + (uint32_t)((int32_t)(offset << 11) >> 11)), false);
    }
    if ((op & 0xffe0ff00u) == 0xf3808800u || (op & 0xfffff000u) == 0xf3ef8000u)
        return special_register(n, op);
    /* NOP.W, CLREX, DSB, DMB, ISB */
    return op == 0xf3af8000u || (op & 0xffffff00u) == 0xf3bf8f00u;
}

static bool multiply(struct now *n, uint32_t op)
{
    unsigned rn = op >> 16 & 0xf, ra = op >> 12 & 0xf, rd = op >> 8 & 0xf, rm = op & 0xf;
    if (rn == PC || rd == PC || rm == PC || (op & 0xfff000e0u) != 0xfb000000u)
        return false;
    struct val product = value2(n, IR_MUL, make_get(n->m, rn), make_get(n->m, rm));
    if (op & 0x10)
        return ra != PC && set_reg(n, rd, subtract(n, make_get(n->m, ra), product, false));
    return set_reg(n, rd, ra == PC ? product : value2(n, IR_ADD, make_get(n->m, ra), product));
}

static bool multiply_long(struct now *n, uint32_t op)
{
    unsigned rn = op >> 16 & 0xf, lo = op >> 12 & 0xf, hi = op >> 8 & 0xf, rm = op & 0xf;
    unsigned which = (op >> 16 & 0x70) | (op >> 4 & 0xf);
    struct val a = make_get(n->m, rn % PC), b = make_get(n->m, rm % PC);
    if (rn == PC || hi == PC || rm == PC)
        return false;
    if (which == 0x1f || which == 0x3f)
        return lo == PC && set_reg(n, hi, value2(n, which == 0x1f ? IR_SDIV : IR_UDIV, a, b));
    if (lo == PC || (which != 0x00 && which != 0x20 && which != 0x40 && which != 0x60))
        return false;
    struct val low = value2(n, IR_MUL, a, b);
    struct val high = value2(n, which & 0x20 ? IR_MUL_HIGH : IR_MUL_HIGH_SIGNED, a, b);
    if (which & 0x40) { /* SMLAL, UMLAL */
        struct val more = make_get(n->m, lo), carry = value2(n, IR_ADD_CARRY, low, more);
        low = value2(n, IR_ADD, low, more);
        high = make_value(n->m, IR_ADD, high, make_get(n->m, hi), carry);
    }
    return set_reg(n, lo, low) && set_reg(n, hi, high);
}

static bool register_data(struct now *n, uint32_t op)
{
    static const enum ir_op shifts[] = {IR_LSL, IR_LSR, IR_ASR, IR_ROR},
                            bits[] = {IR_REV, IR_REV16, IR_RBIT, IR_REVSH};
    unsigned rn = op >> 16 & 0xf, rd = op >> 8 & 0xf, rm = op & 0xf;
    if ((op & 0xf000) != 0xf000 || rd == PC || rm == PC)
        return false;
    struct val m = make_get(n->m, rm);
    if (!(op & 0x00800080u) && !(op & 0x70))
        return rn != PC && shift_reg(n, shifts[op >> 21 & 3], rd, make_get(n->m, rn), m, op >> 20 & 1);
    if (!(op & 0x00800000u) && op & 0x80) { /* SXTH, UXTH, SXTB, UXTB, and with addition */
        unsigned which = op >> 20 & 7;
        struct val x = value2(n, IR_ROR, m, known(op >> 1 & 0x18));
        if (which != 0 && which != 1 && which != 4 && which != 5)
            return false;
        x = which & 1 ? value2(n, IR_AND, x, known(which == 1 ? 0xffff : 0xff))
                      : value2(n, which == 0 ? IR_SXTH : IR_SXTB, x, ZERO);
        return set_reg(n, rd, rn == PC ? x : value2(n, IR_ADD, make_get(n->m, rn), x));
    }
    if ((op & 0x00f000c0u) == 0x00900080u)
        return rn == rm && set_reg(n, rd, value2(n, bits[op >> 4 & 3], m, ZERO));
    if ((op & 0x00f000f0u) == 0x00b00080u)
        return rn == rm && set_reg(n, rd, value2(n, IR_CLZ, m, ZERO));
    return false;
}

static bool single_memory(struct now *n, uint32_t op)
{
    unsigned rn = op >> 16 & 0xf, rt = op >> 12 & 0xf, size = 1u << (op >> 21 & 3);
    bool loads = op >> 20 & 1, is_signed = op >> 24 & 1;
    if (size > 4 || (rt == PC && (!loads || size < 4)) || (!loads && rn == PC))
        return false;
    if (rn == PC) {
        uint32_t base = (n->pc + 4) & ~3u, offset = op & 0xfff;
        return load(n, rt, known(op & 0x00800000u ? base + offset : base - offset), size, is_signed);
    }
    struct val base = make_get(n->m, rn), address;
    if (op & 0x00800000u) {
        address = plus(n, base, op & 0xfff);
    } else if (!(op & 0x0fc0)) {
        struct val index = value2(n, IR_LSL, reg(n, op & 0xf), known(op >> 4 & 3));
        address = value2(n, IR_ADD, base, index);
    } else if (op & 0x800) {
        struct val moved = plus(n, base, op & 0x200 ? op & 0xff : 0u - (op & 0xff));
        address = op & 0x400 ? moved : base;
        if ((op & 0xf00) == 0xe00 || (op & 0x100 && rn == rt)) /* as unprivileged code */
            return false;
        if (op & 0x100 && !transfers_for_sure(n))
            return false;
        if (!loads && !store(n, rt, address, size))
            return false;
        if (op & 0x100 && !set_reg(n, rn, moved))
            return false;
        return !loads || load(n, rt, address, size, is_signed);
    } else {
        return false;
    }
    return loads ? load(n, rt, address, size, is_signed) : store(n, rt, address, size);
}

static bool exclusive(struct now *n, uint32_t op)
{
    unsigned rt = op >> 12 & 0xf, rd, size = 4;
    struct val address = make_get(n->m, (op >> 16 & 0xf) % PC);
    bool word = (op & 0x01000000u) == 0 && (op & 0x00800000u) == 0;
    if (!word)
        size = (op & 0xf0) == 0x40 ? 1 : (op & 0xf0) == 0x50 ? 2 : 0;
    if (!size || (op >> 16 & 0xf) == PC || !make_known(n->m, address) ||
        address.v - RAM_BASE >= n->m->cpu->ram_size)
        return false;
    if (word)
        address = plus(n, address, (op & 0xff) * 4);
    if (op >> 20 & 1)
        return load(n, rt, address, size, false);
    /* It succeeds: the engine's run, which is compared with, would tell otherwise. */
    rd = word ? op >> 8 & 0xf : op & 0xf;
    return store(n, rt, address, size) && set_reg(n, rd, ZERO);
}

static bool table_branch(struct now *n, uint32_t op)
{
    struct val index = make_get(n->m, op & 0xf), base = reg(n, op >> 16 & 0xf), entry;
    unsigned size = op & 0x10 ? 2 : 1;
    entry = make_load(n->m, value2(n, IR_ADD, base, value2(n, IR_LSL, index, known(size - 1))), size);
    return !n->m->failed && make_known(n->m, entry) && branch_to(n, known(n->pc + 4 + 2 * entry.v), false);
}

static bool dual_or_exclusive(struct now *n, uint32_t op)
{
    unsigned rn = op >> 16 & 0xf, rt = op >> 12 & 0xf, rt2 = op >> 8 & 0xf;
    if (!transfers_for_sure(n))
        return false;
    if ((op & 0xfff000e0u) == 0xe8d00000u)
        return table_branch(n, op);
    if (!(op & 0x01200000u))
        return exclusive(n, op);
    struct val base = rn == PC ? known((n->pc + 4) & ~3u) : make_get(n->m, rn);
    struct val moved = plus(n, base, op & 0x00800000u ? (op & 0xff) * 4 : 0u - (op & 0xff) * 4);
    struct val address = op & 0x01000000u ? moved : base;
    bool loads = op >> 20 & 1;
    if (rt == PC || rt2 == PC || (op & 0x00200000u && (rn == PC || rn == rt || rn == rt2)))
        return false;
    if (!loads && (!store(n, rt, address, 4) || !store(n, rt2, plus(n, address, 4), 4)))
        return false;
    if (op & 0x00200000u && !set_reg(n, rn, moved))
        return false;
    if (!loads)
        return true;
    struct val first = make_load(n->m, address, 4), second = make_load(n->m, plus(n, address, 4), 4);
    return !n->m->failed && set_reg(n, rt, first) && set_reg(n, rt2, second);
}

static bool wide(struct now *n, uint32_t op)
{
    unsigned rn = op >> 16 & 0xf, rd = op >> 8 & 0xf, which = op >> 21 & 0xf;
    bool flags = op >> 20 & 1;
    struct val carry = ZERO, b;
    switch (op >> 25 & 0xf) {
    case 0x4: /* 0xe8, 0xe9 */
        if (op & 0x00400000u)
            return dual_or_exclusive(n, op);
        if ((op >> 23 & 3) != 1 && (op >> 23 & 3) != 2)
            return false;
        return multiple(n, rn, op & 0xffff, op >> 20 & 1, op >> 24 & 1, op >> 21 & 1);
    case 0x5: /* 0xea, 0xeb */
        if ((op & 0xf) == PC || which == 6)
            return false;
        b = shift_imm(n, make_get(n->m, op & 0xf), op >> 4 & 3, (op >> 10 & 0x1c) | (op >> 6 & 3),
                      flags ? &carry : NULL);
        return process(n, which, rd, rn, b, carry, flags);
    case 0x8: /* 0xf0 … 0xf7 */
    case 0x9:
    case 0xa:
    case 0xb:
        if (op & 0x8000)
            return branch_or_misc(n, op);
        if (op & 0x02000000u)
            return plain_immediate(n, op);
        b = expanded(n, op, flags, &carry);
        return process(n, which, rd, rn, b, carry, flags);
    case 0xc: /* 0xf8, 0xf9 */
        return single_memory(n, op);
    case 0xd: /* 0xfa, 0xfb */
        if (!(op & 0x01000000u))
            return register_data(n, op);
        return op & 0x00800000u ? multiply_long(n, op) : multiply(n, op);
    default:
        return false;
    }
}

/* --- blocks -----------------------------------------------------------------------------------------------
 */

static void advance_it(struct maker *m)
{
    m->it = m->it & 7 ? (uint8_t)((m->it & 0xe0) | (m->it << 1 & 0x1f)) : 0;
}

bool replay_interpret(struct maker *m, const struct replay_block *block)
{
    uint32_t end = block->address + block->size;
    for (uint32_t pc = block->address; pc < end;) {
        uint16_t code[2] = {0, 0};
        if (m->branched || cpu_peek(m->cpu, pc, code, 2))
            return false;
        unsigned size = thumb_size(code[0]);
        if (size == 4 && cpu_peek(m->cpu, pc + 2, code + 1, 2))
            return false;
        struct now now = {.m = m, .pc = pc, .next = pc + size, .pass = known(1), .in_it = m->it & 0xf};
        if (now.in_it) {
            now.pass = holds(&now, m->it >> 4);
            advance_it(m);
        }
        /* What does nothing for sure needs no interpretation, unless it is a branch that was not taken. */
        bool idle = !now.pass.slot && !now.pass.v;
        if (!idle && !(size == 2 ? narrow(&now, code[0]) : wide(&now, (uint32_t)code[0] << 16 | code[1])))
            return false;
        pc += size;
    }
    return !m->failed;
}
