/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/replay_thumb.h"

/* --- values -----------------------------------------------------------------------------------------------
 */

struct val thumb_value(struct instruction *n, enum ir_op op, struct val a, struct val b)
{
    return make_value(n->m, op, a, b, ZERO);
}

static struct val inverted(struct instruction *n, struct val a)
{
    return thumb_value(n, IR_EOR, a, known(UINT32_MAX));
}

struct val thumb_opposite(struct instruction *n, struct val truth)
{
    return thumb_value(n, IR_EOR, truth, known(1));
}

static struct val flag(struct instruction *n, unsigned place)
{
    return make_get(n->m, place);
}

void thumb_set_place(struct instruction *n, unsigned place, struct val value)
{
    if (n->pass.slot)
        value = make_value(n->m, IR_SELECT, n->pass, value, make_get(n->m, place));
    if (n->pass.slot || n->pass.v)
        make_set(n->m, place, value);
}

struct val thumb_reg(struct instruction *n, unsigned number)
{
    return number == PC ? known(n->pc + 4) : make_get(n->m, number);
}

bool thumb_branch(struct instruction *n, struct val to, bool exchange)
{
    struct maker *m = n->m;
    if (!make_known(m, to) || (exchange && !(to.v & 1)))
        return false;
    /* In thread mode that is just an address where no memory is. */
    if (to.v >= EXC_RETURN_LEAST && !replay_in_handler(&m->log->mode))
        return false;
    /* A branch ends its block, so what is not taken goes on behind it. */
    bool taken = m->computes && n->pass.slot ? (to.v & ~1u) == m->next : n->pass.v;
    m->branched = taken;
    m->target = to.v & ~1u;
    m->condition = (struct val){taken, n->pass.slot};
    m->other = taken ? n->next : to.v & ~1u;
    return true;
}

bool thumb_set_reg(struct instruction *n, unsigned number, struct val value)
{
    if (number == PC)
        return thumb_branch(n, value, true);
    /* It is masked, and traces are made for one stack. */
    if (number == PLACE_SP && (!make_known(n->m, value) || value.v & 3))
        return false;
    thumb_set_place(n, number, value);
    return true;
}

struct val thumb_holds(struct instruction *n, unsigned code)
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
        truth = thumb_value(n, IR_AND, flag(n, PLACE_C), thumb_opposite(n, flag(n, PLACE_Z)));
        break;
    case 5:
        truth = thumb_opposite(n, thumb_value(n, IR_EOR, flag(n, PLACE_N), flag(n, PLACE_V)));
        break;
    case 6:
        truth = thumb_opposite(n, thumb_value(n, IR_EOR, flag(n, PLACE_N), flag(n, PLACE_V)));
        truth = thumb_value(n, IR_AND, truth, thumb_opposite(n, flag(n, PLACE_Z)));
        break;
    default:
        return known(1);
    }
    return code & 1 ? thumb_opposite(n, truth) : truth;
}

void thumb_set_nz(struct instruction *n, struct val result)
{
    thumb_set_place(n, PLACE_N, thumb_value(n, IR_LSR, result, known(31)));
    thumb_set_place(n, PLACE_Z, thumb_value(n, IR_IS_ZERO, result, ZERO));
}

void thumb_set_carry(struct instruction *n, struct val carry)
{
    if (carry.slot != UINT16_MAX)
        thumb_set_place(n, PLACE_C, carry);
}

static struct val add(struct instruction *n, struct val a, struct val b, struct val carry, bool set_flags)
{
    struct val result = make_value(n->m, IR_ADD, a, b, carry);
    if (set_flags) {
        struct val c = make_value(n->m, IR_ADD_CARRY, a, b, carry);
        struct val v = make_value(n->m, IR_ADD_OVERFLOW, a, b, carry);
        thumb_set_nz(n, result);
        thumb_set_place(n, PLACE_C, c);
        thumb_set_place(n, PLACE_V, v);
    }
    return result;
}

struct val thumb_subtract(struct instruction *n, struct val a, struct val b, bool set_flags)
{
    return add(n, a, inverted(n, b), known(1), set_flags);
}

/* Shifts by `by`; `carry` gets the carry out if it is not NULL. */
static struct val shift(struct instruction *n, enum ir_op op, struct val a, struct val by, struct val *carry)
{
    if (carry && !by.slot && !(by.v & 0xff))
        *carry = SAME_CARRY;
    else if (carry)
        *carry = make_value(n->m, (enum ir_op)(op + 1), a, by, by.slot ? flag(n, PLACE_C) : ZERO);
    return thumb_value(n, op, a, by);
}

struct val thumb_shift_imm(struct instruction *n, struct val a, unsigned type, unsigned amount,
                           struct val *carry)
{
    static const enum ir_op ops[] = {IR_LSL, IR_LSR, IR_ASR, IR_ROR};
    if (type == 3 && !amount) { /* RRX */
        struct val c = flag(n, PLACE_C);
        if (carry)
            *carry = thumb_value(n, IR_AND, a, known(1));
        return thumb_value(n, IR_OR, thumb_value(n, IR_LSL, c, known(31)),
                           thumb_value(n, IR_LSR, a, known(1)));
    }
    if (!type && !amount) {
        if (carry)
            *carry = SAME_CARRY;
        return a;
    }
    return shift(n, ops[type], a, known(amount ? amount : 32), carry);
}

/* --- data processing --------------------------------------------------------------------------------------
 */

/* The logic operations, by number, and whether their second operand is inverted first. */
static const struct {
    enum ir_op op;
    bool inverts;
} logic[] = {
    [OP_AND] = {IR_AND, false}, [OP_BIC] = {IR_AND, true},  [OP_ORR] = {IR_OR, false},
    [OP_ORN] = {IR_OR, true},   [OP_EOR] = {IR_EOR, false},
};

static struct val calculate(struct instruction *n, unsigned op, struct val a, struct val b, bool set_flags)
{
    switch (op) {
    case OP_ADD:
        return add(n, a, b, ZERO, set_flags);
    case OP_ADC:
        return add(n, a, b, flag(n, PLACE_C), set_flags);
    case OP_SBC:
        return add(n, a, inverted(n, b), flag(n, PLACE_C), set_flags);
    case OP_SUB:
        return thumb_subtract(n, a, b, set_flags);
    case OP_RSB:
        return thumb_subtract(n, b, a, set_flags);
    default:
        n->m->failed = true;
        return ZERO;
    }
}

bool thumb_process(struct instruction *n, unsigned op, unsigned rd, unsigned rn, struct val b,
                   struct val carry, bool set_flags)
{
    bool moves = rn == PC && (op == OP_ORR || op == OP_ORN);
    struct val a = ZERO, result;
    if (rn == PC && !moves)
        return false;
    if (!moves)
        a = make_get(n->m, rn);
    if (op <= OP_EOR) {
        result = thumb_value(n, logic[op].op, a, logic[op].inverts ? inverted(n, b) : b);
        if (set_flags) {
            thumb_set_nz(n, result);
            thumb_set_carry(n, carry);
        }
    } else {
        result = calculate(n, op, a, b, set_flags);
    }
    if (rd == PC) /* TST, TEQ, CMN, CMP */
        return set_flags && (op == OP_AND || op == OP_EOR || op == OP_ADD || op == OP_SUB);
    return thumb_set_reg(n, rd, result);
}

bool thumb_shift_reg(struct instruction *n, enum ir_op op, unsigned rd, struct val a, struct val by,
                     bool set_flags)
{
    struct val carry = ZERO, result;
    by = thumb_value(n, IR_AND, by, known(0xff));
    result = shift(n, op, a, by, set_flags ? &carry : NULL);
    if (set_flags) {
        thumb_set_nz(n, result);
        thumb_set_carry(n, carry);
    }
    return thumb_set_reg(n, rd, result);
}

/* --- loads and stores -------------------------------------------------------------------------------------
 */

bool thumb_transfers_for_sure(const struct instruction *n)
{
    return make_known(n->m, n->pass);
}

/* A load from flash comes to the same whether or not it is wanted, too. */
static bool may_transfer(const struct instruction *n, struct val address, bool loads)
{
    const struct cpu *cpu = n->m->cpu;
    bool in_ram = address.v - RAM_BASE < cpu->ram_size && !n->m->computes;
    bool in_flash = loads && address.v < cpu->flash_size && cpu->flash_size - address.v >= 4;
    return (!address.slot && (in_ram || in_flash)) || thumb_transfers_for_sure(n);
}

static struct val extended(struct instruction *n, struct val value, unsigned size, bool is_signed)
{
    if (!is_signed || size == 4)
        return value;
    return thumb_value(n, size == 1 ? IR_SXTB : IR_SXTH, value, ZERO);
}

/* True of an access to RAM that may be anywhere, and is to more than one word or half of one: byte by byte.
 */
static bool is_unaligned(const struct instruction *n, struct val address, unsigned size)
{
    return !address.slot && !n->m->computes && address.v & (size - 1) &&
           address.v - RAM_BASE < n->m->cpu->ram_size;
}

static struct val load_single(struct instruction *n, struct val address, unsigned size)
{
    if (!is_unaligned(n, address, size))
        return make_load(n->m, address, size);
    struct val value = ZERO;
    for (unsigned i = 0; i < size && !n->m->failed; i++) {
        struct val byte = make_load(n->m, thumb_plus(n, address, i), 1);
        value = thumb_value(n, IR_OR, value, thumb_value(n, IR_LSL, byte, known(8 * i)));
    }
    return value;
}

static void store_single(struct instruction *n, struct val address, struct val value, unsigned size)
{
    if (!is_unaligned(n, address, size)) {
        make_store(n->m, address, value, size);
        return;
    }
    for (unsigned i = 0; i < size && !n->m->failed; i++)
        make_store(n->m, thumb_plus(n, address, i), thumb_value(n, IR_LSR, value, known(8 * i)), 1);
}

bool thumb_load(struct instruction *n, unsigned rt, struct val address, unsigned size, bool is_signed)
{
    if (!may_transfer(n, address, true))
        return false;
    struct val value = load_single(n, address, size);
    return !n->m->failed && thumb_set_reg(n, rt, extended(n, value, size, is_signed));
}

bool thumb_store(struct instruction *n, unsigned rt, struct val address, unsigned size)
{
    struct val value = make_get(n->m, rt);
    if (!may_transfer(n, address, false))
        return false;
    if (n->pass.slot)
        value = make_value(n->m, IR_SELECT, n->pass, value, load_single(n, address, size));
    store_single(n, address, value, size);
    return !n->m->failed;
}

struct val thumb_plus(struct instruction *n, struct val a, uint32_t b)
{
    return b ? thumb_value(n, IR_ADD, a, known(b)) : a;
}

/* LDM and STM, upwards from `address`. The base is written by the caller, before a load into the PC. */
static bool load_multiple(struct instruction *n, struct val address, unsigned list)
{
    struct val to = ZERO;
    for (unsigned i = 0; i < 16; i++) {
        if (!(list & 1u << i))
            continue;
        struct val value = make_load(n->m, address, 4);
        if (i == PC)
            to = value;
        else if (!thumb_set_reg(n, i, value))
            return false;
        address = thumb_plus(n, address, 4);
    }
    return !n->m->failed && (!(list & 1u << PC) || thumb_branch(n, to, true));
}

static bool store_multiple(struct instruction *n, struct val address, unsigned list)
{
    for (unsigned i = 0; i < 15; i++) {
        if (!(list & 1u << i))
            continue;
        make_store(n->m, address, make_get(n->m, i), 4);
        address = thumb_plus(n, address, 4);
    }
    return !n->m->failed && !(list & 1u << PC);
}

static unsigned ones(unsigned mask)
{
    return (unsigned)__builtin_popcount(mask);
}

bool thumb_multiple(struct instruction *n, unsigned rn, unsigned list, bool is_load, bool down,
                    bool write_back)
{
    struct val base = make_get(n->m, rn);
    struct val from = down ? thumb_plus(n, base, 0u - 4 * ones(list)) : base;
    struct val after = down ? from : thumb_plus(n, base, 4 * ones(list));
    if (!thumb_transfers_for_sure(n) || rn == PC || !(n->m->computes || make_known(n->m, base)))
        return false;
    if (!is_load) {
        if (!store_multiple(n, from, list))
            return false;
        return !write_back || thumb_set_reg(n, rn, after);
    }
    if (write_back && !(list & 1u << rn) && !thumb_set_reg(n, rn, after))
        return false;
    return load_multiple(n, from, list);
}
