/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells Thumb instructions apart, by their encodings, for the making of traces. */
#include "core/replay_thumb.h"
#include "core/thumb.h"

/* --- 16-bit instructions (A5.2) ---------------------------------------------------------------------------
 */

static bool narrow_shift_add(struct instruction *n, unsigned op)
{
    unsigned rd = op & 7, rm = op >> 3 & 7;
    bool flags = !n->in_it;
    if (op < 0x1800) {
        struct val carry = ZERO, result;
        result = thumb_shift_imm(n, make_get(n->m, rm), op >> 11, op >> 6 & 0x1f, flags ? &carry : NULL);
        if (flags) {
            thumb_set_nz(n, result);
            thumb_set_carry(n, carry);
        }
        return thumb_set_reg(n, rd, result);
    }
    if (op < 0x2000) {
        struct val b = op & 0x400 ? known(op >> 6 & 7) : make_get(n->m, op >> 6 & 7);
        return thumb_process(n, op & 0x200 ? OP_SUB : OP_ADD, rd, rm, b, ZERO, flags);
    }
    struct val imm = known(op & 0xff);
    rd = op >> 8 & 7;
    switch (op >> 11 & 3) {
    case 0:
        if (flags)
            thumb_set_nz(n, imm);
        return thumb_set_reg(n, rd, imm);
    case 1:
        return thumb_process(n, OP_SUB, PC, rd, imm, ZERO, true);
    case 2:
        return thumb_process(n, OP_ADD, rd, rd, imm, ZERO, flags);
    default:
        return thumb_process(n, OP_SUB, rd, rd, imm, ZERO, flags);
    }
}

static bool narrow_data(struct instruction *n, unsigned op)
{
    static const uint8_t same[16] = {OP_AND, OP_EOR, 0xff,   0xff,   0xff,   OP_ADC, OP_SBC, 0xff,
                                     OP_AND, 0xff,   OP_SUB, OP_ADD, OP_ORR, 0xff,   OP_BIC, OP_ORN};
    unsigned rd = op & 7, which = op >> 6 & 0xf;
    bool flags = !n->in_it, writes_only = which == 9 || which == 15;
    struct val a = writes_only ? ZERO : make_get(n->m, rd), b = make_get(n->m, op >> 3 & 7), result;
    switch (which) {
    case 2:
        return thumb_shift_reg(n, IR_LSL, rd, a, b, flags);
    case 3:
        return thumb_shift_reg(n, IR_LSR, rd, a, b, flags);
    case 4:
        return thumb_shift_reg(n, IR_ASR, rd, a, b, flags);
    case 7:
        return thumb_shift_reg(n, IR_ROR, rd, a, b, flags);
    case 8: /* TST, CMP, CMN */
    case 10:
    case 11:
        return thumb_process(n, same[which], PC, rd, b, SAME_CARRY, true);
    case 9: /* RSB from 0 */
        return thumb_set_reg(n, rd, thumb_subtract(n, ZERO, b, flags));
    case 13:
        result = thumb_value(n, IR_MUL, a, b);
        if (flags)
            thumb_set_nz(n, result);
        return thumb_set_reg(n, rd, result);
    case 15: /* MVN */
        return thumb_process(n, OP_ORN, rd, PC, b, SAME_CARRY, flags);
    default:
        return thumb_process(n, same[which], rd, rd, b, SAME_CARRY, flags);
    }
}

static bool narrow_special(struct instruction *n, unsigned op)
{
    unsigned rd = (op & 7) | (op >> 4 & 8), rm = op >> 3 & 0xf;
    struct val b = thumb_reg(n, rm);
    switch (op >> 8 & 3) {
    case 0:
        return rd != PC && thumb_set_reg(n, rd, thumb_value(n, IR_ADD, make_get(n->m, rd), b));
    case 1:
        return rd != PC && thumb_process(n, OP_SUB, PC, rd, b, ZERO, true);
    case 2:
        return rd == PC ? thumb_branch(n, thumb_value(n, IR_OR, b, known(1)), true) : thumb_set_reg(n, rd, b);
    default:
        if (rm == PC)
            return false;
        if (op & 0x80)
            thumb_set_place(n, PLACE_LR, known(n->next | 1));
        return thumb_branch(n, b, true);
    }
}

static bool narrow_memory(struct instruction *n, unsigned op)
{
    static const struct {
        uint8_t size;
        bool loads, is_signed;
    } by_register[8] = {{4, false, false}, {2, false, false}, {1, false, false}, {1, true, true},
                        {4, true, false},  {2, true, false},  {1, true, false},  {2, true, true}};
    unsigned rt = op & 7, five = op >> 6 & 0x1f, size;
    if (op >= 0x9000) {
        struct val address = thumb_plus(n, make_get(n->m, PLACE_SP), (op & 0xff) * 4);
        return op & 0x800 ? thumb_load(n, op >> 8 & 7, address, 4, false)
                          : thumb_store(n, op >> 8 & 7, address, 4);
    }
    struct val base = make_get(n->m, op >> 3 & 7);
    if (op < 0x6000) {
        unsigned which = op >> 9 & 7;
        struct val address = thumb_value(n, IR_ADD, base, make_get(n->m, op >> 6 & 7));
        if (!by_register[which].loads)
            return thumb_store(n, rt, address, by_register[which].size);
        return thumb_load(n, rt, address, by_register[which].size, by_register[which].is_signed);
    }
    size = op >= 0x8000 ? 2 : op >= 0x7000 ? 1 : 4;
    base = thumb_plus(n, base, five * size);
    return op & 0x800 ? thumb_load(n, rt, base, size, false) : thumb_store(n, rt, base, size);
}

static bool compare_and_branch(struct instruction *n, unsigned op)
{
    struct val zero = thumb_value(n, IR_IS_ZERO, make_get(n->m, op & 7), ZERO);
    n->pass = op & 0x800 ? thumb_opposite(n, zero) : zero;
    return thumb_branch(n, known(thumb_cbz_target(op, n->pc)), false);
}

static bool change_state(struct instruction *n, unsigned op)
{
    if (!thumb_transfers_for_sure(n) || op & 1 || n->m->computes) /* FAULTMASK is not followed */
        return false;
    if (n->pass.v && op & 2)
        n->m->primask = op >> 4 & 1;
    return true;
}

static bool narrow_misc(struct instruction *n, unsigned op)
{
    static const struct {
        uint16_t code;
        enum ir_op op;
        uint32_t with;
    } unary[] = {
        {0xb200, IR_SXTH, 0}, {0xb240, IR_SXTB, 0},  {0xb280, IR_AND, 0xffff}, {0xb2c0, IR_AND, 0xff},
        {0xba00, IR_REV, 0},  {0xba40, IR_REV16, 0}, {0xbac0, IR_REVSH, 0},
    };
    if ((op & 0xff00) == 0xb000)
        return thumb_set_reg(
            n, PLACE_SP,
            thumb_plus(n, make_get(n->m, PLACE_SP), op & 0x80 ? 0u - (op & 0x7f) * 4 : (op & 0x7f) * 4));
    if ((op & 0xf500) == 0xb100)
        return compare_and_branch(n, op);
    if ((op & 0xfe00) == 0xb400)
        return thumb_multiple(n, PLACE_SP, (op & 0xff) | (op & 0x100) << 6, false, true, true);
    if ((op & 0xfe00) == 0xbc00)
        return thumb_multiple(n, PLACE_SP, (op & 0xff) | (op & 0x100) << 7, true, false, true);
    for (unsigned i = 0; i < sizeof unary / sizeof unary[0]; i++) {
        if ((op & 0xffc0) == unary[i].code)
            return thumb_set_reg(
                n, op & 7, thumb_value(n, unary[i].op, make_get(n->m, op >> 3 & 7), known(unary[i].with)));
    }
    if ((op & 0xffe8) == 0xb660)
        return change_state(n, op);
    if ((op & 0xff00) == 0xbf00 && op & 0xf) {
        n->m->it = (uint8_t)op;
        return true;
    }
    return op == 0xbf00;
}

static bool narrow(struct instruction *n, unsigned op)
{
    if (op < 0x4000)
        return narrow_shift_add(n, op);
    if (op < 0x4400)
        return narrow_data(n, op);
    if (op < 0x4800)
        return narrow_special(n, op);
    if (op < 0x5000)
        return thumb_load(n, op >> 8 & 7, known(((n->pc + 4) & ~3u) + (op & 0xff) * 4), 4, false);
    if (op < 0xa000)
        return narrow_memory(n, op);
    if (op < 0xb000) {
        struct val base = op & 0x800 ? make_get(n->m, PLACE_SP) : known((n->pc + 4) & ~3u);
        return thumb_set_reg(n, op >> 8 & 7, thumb_plus(n, base, (op & 0xff) * 4));
    }
    if (op < 0xc000)
        return narrow_misc(n, op);
    if (op < 0xd000)
        return thumb_multiple(n, op >> 8 & 7, op & 0xff, op & 0x800, false,
                              !(op & 0x800) || !(op >> (op >> 8 & 7) & 1));
    if (op < 0xe000) {
        if ((op & 0x0e00) == 0x0e00)
            return false;
        n->pass = thumb_holds(n, op >> 8 & 0xf);
        return thumb_branch(n, known(thumb_b_if_target(op, n->pc)), false);
    }
    return thumb_branch(n, known(thumb_b_target(op, n->pc)), false);
}

/* --- 32-bit instructions (A5.3) ---------------------------------------------------------------------------
 */

/* ThumbExpandImm (A5.3.2); `carry` gets its carry. */
static struct val expanded(uint32_t op, struct val *carry)
{
    uint32_t code = (op >> 26 & 1) << 11 | (op >> 12 & 7) << 8 | (op & 0xff), byte = op & 0xff;
    *carry = SAME_CARRY;
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

static bool plain_immediate(struct instruction *n, uint32_t op)
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
        return thumb_set_reg(n, rd, thumb_plus(n, a, imm12));
    case 0x0a:
        return thumb_set_reg(n, rd, thumb_plus(n, a, 0u - imm12));
    case 0x04:
        return thumb_set_reg(n, rd, known(imm16));
    case 0x0c:
        a = thumb_value(n, IR_AND, make_get(n->m, rd), known(0xffff));
        return thumb_set_reg(n, rd, thumb_value(n, IR_OR, a, known(imm16 << 16)));
    case 0x14: /* SBFX, UBFX */
    case 0x1c:
        width = (op & 0x1f) + 1;
        if (rn == PC || low + width > 32)
            return false;
        a = thumb_value(n, IR_LSL, a, known(32 - low - width));
        return thumb_set_reg(n, rd, thumb_value(n, op >> 20 & 8 ? IR_LSR : IR_ASR, a, known(32 - width)));
    case 0x16: /* BFI, BFC */
        if ((op & 0x1f) < low)
            return false;
        width = (op & 0x1f) - low + 1;
        imm12 = (width == 32 ? UINT32_MAX : (1u << width) - 1) << low;
        a = thumb_value(n, IR_AND, thumb_value(n, IR_LSL, rn == PC ? ZERO : a, known(low)), known(imm12));
        return thumb_set_reg(
            n, rd, thumb_value(n, IR_OR, a, thumb_value(n, IR_AND, make_get(n->m, rd), known(~imm12))));
    default:
        return false;
    }
}

static bool special_register(struct instruction *n, uint32_t op)
{
    struct maker *m = n->m;
    unsigned which = op & 0xff;
    if (!thumb_transfers_for_sure(n) || !n->pass.v || n->m->computes)
        return false;
    if (which == 0x05 && op & 0x00200000) /* MRS of IPSR */
        return thumb_set_reg(n, op >> 8 & 0xf, known(replay_in_handler(&m->log->mode)));
    if (which != 0x10 && which != 0x11)
        return false;
    uint32_t *mask = which == 0x10 ? &m->primask : &m->basepri;
    if (op & 0x00200000) /* MRS */
        return thumb_set_reg(n, op >> 8 & 0xf, known(*mask));
    struct val value = make_get(m, op >> 16 & 0xf);
    if (!make_known(m, value))
        return false;
    *mask = value.v & (which == 0x10 ? 1 : 0xe0);
    return true;
}

static bool branch_or_misc(struct instruction *n, uint32_t op)
{
    if (op & 0x1000) { /* BL, B.W */
        if (op & 0x4000)
            thumb_set_place(n, PLACE_LR, known(n->next | 1));
        return thumb_branch(n, known(thumb_bl_target(op, n->pc)), false);
    }
    if ((op >> 22 & 0xe) != 0xe) { /* B<c>.W */
        n->pass = thumb_holds(n, op >> 22 & 0xf);
        return thumb_branch(n, known(thumb_b_if_w_target(op, n->pc)), false);
    }
    if ((op & 0xffe0ff00u) == 0xf3808800u || (op & 0xfffff000u) == 0xf3ef8000u)
        return special_register(n, op);
    /* NOP.W, CLREX, DSB, DMB, ISB */
    return op == 0xf3af8000u || (op & 0xffffff00u) == 0xf3bf8f00u;
}

static struct val signed_half(struct instruction *n, unsigned number, bool top)
{
    struct val value = make_get(n->m, number);
    return top ? thumb_value(n, IR_ASR, value, known(16)) : thumb_value(n, IR_SXTH, value, ZERO);
}

/* SMULBB …, SMLABB …: no sum may overflow, as Q is not followed. */
static bool multiply_halves(struct instruction *n, uint32_t op)
{
    unsigned ra = op >> 12 & 0xf, rd = op >> 8 & 0xf;
    struct val product = thumb_value(n, IR_MUL, signed_half(n, op >> 16 & 0xf, op & 0x20),
                                     signed_half(n, op & 0xf, op & 0x10));
    if (ra == PC)
        return thumb_set_reg(n, rd, product);
    struct val a = make_get(n->m, ra), overflow = thumb_value(n, IR_ADD_OVERFLOW, a, product);
    return make_known(n->m, overflow) && !overflow.v &&
           thumb_set_reg(n, rd, thumb_value(n, IR_ADD, a, product));
}

static bool multiply(struct instruction *n, uint32_t op)
{
    unsigned rn = op >> 16 & 0xf, ra = op >> 12 & 0xf, rd = op >> 8 & 0xf, rm = op & 0xf;
    if (rn == PC || rd == PC || rm == PC)
        return false;
    if ((op & 0xfff000c0u) == 0xfb100000u)
        return multiply_halves(n, op);
    if ((op & 0xfff000e0u) != 0xfb000000u)
        return false;
    struct val product = thumb_value(n, IR_MUL, make_get(n->m, rn), make_get(n->m, rm));
    if (op & 0x10)
        return ra != PC && thumb_set_reg(n, rd, thumb_subtract(n, make_get(n->m, ra), product, false));
    return thumb_set_reg(n, rd, ra == PC ? product : thumb_value(n, IR_ADD, make_get(n->m, ra), product));
}

static bool multiply_long(struct instruction *n, uint32_t op)
{
    unsigned rn = op >> 16 & 0xf, lo = op >> 12 & 0xf, hi = op >> 8 & 0xf, rm = op & 0xf;
    unsigned which = (op >> 16 & 0x70) | (op >> 4 & 0xf);
    struct val a = make_get(n->m, rn % PC), b = make_get(n->m, rm % PC);
    if (rn == PC || hi == PC || rm == PC)
        return false;
    if (which == 0x1f || which == 0x3f)
        return lo == PC && thumb_set_reg(n, hi, thumb_value(n, which == 0x1f ? IR_SDIV : IR_UDIV, a, b));
    if (lo == PC || (which != 0x00 && which != 0x20 && which != 0x40 && which != 0x60))
        return false;
    struct val low = thumb_value(n, IR_MUL, a, b);
    struct val high = thumb_value(n, which & 0x20 ? IR_MUL_HIGH : IR_MUL_HIGH_SIGNED, a, b);
    if (which & 0x40) { /* SMLAL, UMLAL */
        struct val more = make_get(n->m, lo), carry = thumb_value(n, IR_ADD_CARRY, low, more);
        low = thumb_value(n, IR_ADD, low, more);
        high = make_value(n->m, IR_ADD, high, make_get(n->m, hi), carry);
    }
    return thumb_set_reg(n, lo, low) && thumb_set_reg(n, hi, high);
}

static bool register_data(struct instruction *n, uint32_t op)
{
    static const enum ir_op shifts[] = {IR_LSL, IR_LSR, IR_ASR, IR_ROR},
                            bits[] = {IR_REV, IR_REV16, IR_RBIT, IR_REVSH};
    unsigned rn = op >> 16 & 0xf, rd = op >> 8 & 0xf, rm = op & 0xf;
    if ((op & 0xf000) != 0xf000 || rd == PC || rm == PC)
        return false;
    struct val m = make_get(n->m, rm);
    if (!(op & 0x00800080u) && !(op & 0x70))
        return rn != PC && thumb_shift_reg(n, shifts[op >> 21 & 3], rd, make_get(n->m, rn), m, op >> 20 & 1);
    if (!(op & 0x00800000u) && op & 0x80) { /* SXTH, UXTH, SXTB, UXTB, and with addition */
        unsigned which = op >> 20 & 7;
        struct val x = thumb_value(n, IR_ROR, m, known(op >> 1 & 0x18));
        if (which != 0 && which != 1 && which != 4 && which != 5)
            return false;
        x = which & 1 ? thumb_value(n, IR_AND, x, known(which == 1 ? 0xffff : 0xff))
                      : thumb_value(n, which == 0 ? IR_SXTH : IR_SXTB, x, ZERO);
        return thumb_set_reg(n, rd, rn == PC ? x : thumb_value(n, IR_ADD, make_get(n->m, rn), x));
    }
    if ((op & 0x00f000c0u) == 0x00900080u)
        return rn == rm && thumb_set_reg(n, rd, thumb_value(n, bits[op >> 4 & 3], m, ZERO));
    if ((op & 0x00f000f0u) == 0x00b00080u)
        return rn == rm && thumb_set_reg(n, rd, thumb_value(n, IR_CLZ, m, ZERO));
    return false;
}

static bool single_memory(struct instruction *n, uint32_t op)
{
    unsigned rn = op >> 16 & 0xf, rt = op >> 12 & 0xf, size = 1u << (op >> 21 & 3);
    bool loads = op >> 20 & 1, is_signed = op >> 24 & 1;
    if (size > 4 || (rt == PC && (!loads || size < 4)) || (!loads && rn == PC))
        return false;
    if (rn == PC) {
        uint32_t base = (n->pc + 4) & ~3u, offset = op & 0xfff;
        return thumb_load(n, rt, known(op & 0x00800000u ? base + offset : base - offset), size, is_signed);
    }
    struct val base = make_get(n->m, rn), address;
    if (op & 0x00800000u) {
        address = thumb_plus(n, base, op & 0xfff);
    } else if (!(op & 0x0fc0)) {
        struct val index = thumb_value(n, IR_LSL, thumb_reg(n, op & 0xf), known(op >> 4 & 3));
        address = thumb_value(n, IR_ADD, base, index);
    } else if (op & 0x800) {
        struct val moved = thumb_plus(n, base, op & 0x200 ? op & 0xff : 0u - (op & 0xff));
        address = op & 0x400 ? moved : base;
        if ((op & 0xf00) == 0xe00 || (op & 0x100 && rn == rt)) /* as unprivileged code */
            return false;
        if (op & 0x100 && !thumb_transfers_for_sure(n))
            return false;
        if (!loads && !thumb_store(n, rt, address, size))
            return false;
        if (op & 0x100 && !thumb_set_reg(n, rn, moved))
            return false;
        return !loads || thumb_load(n, rt, address, size, is_signed);
    } else {
        return false;
    }
    return loads ? thumb_load(n, rt, address, size, is_signed) : thumb_store(n, rt, address, size);
}

static bool exclusive(struct instruction *n, uint32_t op)
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
        address = thumb_plus(n, address, (op & 0xff) * 4);
    if (op >> 20 & 1)
        return thumb_load(n, rt, address, size, false);
    /* It succeeds: the engine's run, which is compared with, would tell otherwise. */
    rd = word ? op >> 8 & 0xf : op & 0xf;
    return thumb_store(n, rt, address, size) && thumb_set_reg(n, rd, ZERO);
}

static bool table_branch(struct instruction *n, uint32_t op)
{
    struct val index = make_get(n->m, op & 0xf), base = thumb_reg(n, op >> 16 & 0xf), entry;
    unsigned size = op & 0x10 ? 2 : 1;
    entry =
        make_load(n->m, thumb_value(n, IR_ADD, base, thumb_value(n, IR_LSL, index, known(size - 1))), size);
    return !n->m->failed && make_known(n->m, entry) && thumb_branch(n, known(n->pc + 4 + 2 * entry.v), false);
}

static bool dual_or_exclusive(struct instruction *n, uint32_t op)
{
    unsigned rn = op >> 16 & 0xf, rt = op >> 12 & 0xf, rt2 = op >> 8 & 0xf;
    if (!thumb_transfers_for_sure(n))
        return false;
    if ((op & 0xfff000e0u) == 0xe8d00000u)
        return table_branch(n, op);
    if (!(op & 0x01200000u))
        return exclusive(n, op);
    struct val base = rn == PC ? known((n->pc + 4) & ~3u) : make_get(n->m, rn);
    struct val moved = thumb_plus(n, base, op & 0x00800000u ? (op & 0xff) * 4 : 0u - (op & 0xff) * 4);
    struct val address = op & 0x01000000u ? moved : base;
    bool loads = op >> 20 & 1;
    if (rt == PC || rt2 == PC || (op & 0x00200000u && (rn == PC || rn == rt || rn == rt2)))
        return false;
    if (!loads && (!thumb_store(n, rt, address, 4) || !thumb_store(n, rt2, thumb_plus(n, address, 4), 4)))
        return false;
    if (op & 0x00200000u && !thumb_set_reg(n, rn, moved))
        return false;
    if (!loads)
        return true;
    struct val first = make_load(n->m, address, 4), second = make_load(n->m, thumb_plus(n, address, 4), 4);
    return !n->m->failed && thumb_set_reg(n, rt, first) && thumb_set_reg(n, rt2, second);
}

static bool wide(struct instruction *n, uint32_t op)
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
        return thumb_multiple(n, rn, op & 0xffff, op >> 20 & 1, op >> 24 & 1, op >> 21 & 1);
    case 0x5: /* 0xea, 0xeb */
        if ((op & 0xf) == PC || which == 6)
            return false;
        b = thumb_shift_imm(n, make_get(n->m, op & 0xf), op >> 4 & 3, (op >> 10 & 0x1c) | (op >> 6 & 3),
                            flags ? &carry : NULL);
        return thumb_process(n, which, rd, rn, b, carry, flags);
    case 0x8: /* 0xf0 … 0xf7 */
    case 0x9:
    case 0xa:
    case 0xb:
        if (op & 0x8000)
            return branch_or_misc(n, op);
        if (op & 0x02000000u)
            return plain_immediate(n, op);
        b = expanded(op, &carry);
        return thumb_process(n, which, rd, rn, b, carry, flags);
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
        struct instruction now = {
            .m = m, .pc = pc, .next = pc + size, .pass = known(1), .in_it = m->it & 0xf};
        if (now.in_it) {
            now.pass = thumb_holds(&now, m->it >> 4);
            advance_it(m);
        }
        /* What does nothing for sure needs no interpretation. */
        bool idle = !now.pass.slot && !now.pass.v;
        if (!idle && !(size == 2 ? narrow(&now, code[0]) : wide(&now, (uint32_t)code[0] << 16 | code[1])))
            return false;
        pc += size;
    }
    return !m->failed;
}
