/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/checksum_round.h"

#include "core/cpu.h"
#include "core/nor.h"
#include "core/thumb.h"

static struct sum_value number(uint32_t value)
{
    return (struct sum_value){value, SUM_LINE, SUM_NONE, value};
}

static struct sum_value other(uint32_t value)
{
    return (struct sum_value){value, SUM_OTHER, SUM_NONE, 0};
}

static struct sum_value get(struct sum_round *r, unsigned n)
{
    struct sum_value value = r->reg[n];
    if (value.what == SUM_LINE && value.reg != SUM_NONE)
        r->used |= 1u << value.reg;
    return value;
}

/* --- what instructions do to values -----------------------------------------------------------------------
 */

static bool is_register(struct sum_value value)
{
    return value.what == SUM_LINE && value.reg != SUM_NONE && !value.add;
}

static struct sum_value exclusive_or(struct sum_value a, struct sum_value b)
{
    struct sum_value result = other(a.now ^ b.now);
    if (b.what == SUM_BYTE || b.what == SUM_ENTRY) {
        struct sum_value swapped = a;
        a = b;
        b = swapped;
    }
    if (a.what == SUM_BYTE && is_register(b))
        result.what = SUM_MIXED;
    else if (a.what == SUM_BYTE && b.what == SUM_LOW)
        result.what = SUM_INDEX;
    else if (a.what == SUM_ENTRY && b.what == SUM_REST && a.reg == b.reg)
        result.what = SUM_NEW;
    result.reg = b.reg;
    return result;
}

static struct sum_value low_byte(struct sum_value value)
{
    struct sum_value result = other(value.now & 0xff);
    if (value.what == SUM_BYTE)
        return value;
    if (value.what == SUM_MIXED)
        result.what = SUM_INDEX;
    else if (is_register(value))
        result.what = SUM_LOW;
    result.reg = value.reg;
    return result;
}

static struct sum_value shifted_right(struct sum_value value, unsigned by)
{
    struct sum_value result = other(value.now >> by);
    if (by == 8 && is_register(value))
        result.what = SUM_REST;
    result.reg = value.reg;
    return result;
}

static struct sum_value shifted_left(struct sum_value value, unsigned by)
{
    struct sum_value result = other(value.now << by);
    if (by == 2 && value.what == SUM_INDEX)
        result.what = SUM_OFFSET;
    result.reg = value.reg;
    return result;
}

static struct sum_value moved(struct sum_value value, uint32_t by)
{
    if (value.what != SUM_LINE)
        return other(value.now + by);
    value.now += by;
    value.add += by;
    return value;
}

static void set_flags(struct sum_round *r, uint32_t result)
{
    r->n = result >> 31;
    r->z = !result;
    r->flags.a = r->flags.b = other(0);
}

/* Flags of a + b + carry (A2.2.1); `b` is inverted for a subtraction. */
static void add_flags(struct sum_round *r, uint32_t a, uint32_t b, bool carry)
{
    uint64_t sum = (uint64_t)a + b + carry;
    set_flags(r, (uint32_t)sum);
    r->c = sum >> 32;
    r->v = ((a ^ (uint32_t)sum) & (b ^ (uint32_t)sum)) >> 31;
}

static void compare(struct sum_round *r, struct sum_value a, struct sum_value b)
{
    add_flags(r, a.now, ~b.now, true);
    r->flags = (struct sum_decision){a, b};
}

/* ADDS and SUBS of something and a number. */
static void add_number(struct sum_round *r, unsigned rd, struct sum_value value, uint32_t by, bool subtract)
{
    add_flags(r, value.now, subtract ? ~by : by, subtract);
    r->reg[rd] = moved(value, subtract ? 0u - by : by);
    r->flags = (struct sum_decision){r->reg[rd], number(0)};
}

/* --- loads ------------------------------------------------------------------------------------------------
 */

static bool read_flash(const struct sum_round *r, uint32_t address, void *bytes, uint32_t size)
{
    const struct cpu *cpu = r->loop.cpu;
    return address < cpu->flash_size && !(address & (size - 1)) &&
           !nor_is_unstable(cpu->bus->flash, address, size) && !cpu_peek(cpu, address, bytes, size);
}

static bool load_byte(struct sum_round *r, unsigned rt, struct sum_value address)
{
    uint8_t byte;
    if (address.what != SUM_LINE || r->loads++ || !read_flash(r, address.now, &byte, 1))
        return false;
    r->from = address;
    r->reg[rt] = (struct sum_value){byte, SUM_BYTE, SUM_NONE, 0};
    return true;
}

static bool load_entry(struct sum_round *r, unsigned rt, struct sum_value table, struct sum_value offset)
{
    uint32_t entry;
    if (table.what != SUM_LINE || offset.what != SUM_OFFSET || r->looks++ ||
        !read_flash(r, table.now + offset.now, &entry, sizeof entry))
        return false;
    r->table = table;
    r->reg[rt] = (struct sum_value){entry, SUM_ENTRY, offset.reg, 0};
    return true;
}

static bool load_literal(struct sum_round *r, unsigned rt, uint32_t address)
{
    uint32_t word;
    if (!read_flash(r, address, &word, sizeof word))
        return false;
    r->reg[rt] = number(word);
    return true;
}

/* --- instructions -----------------------------------------------------------------------------------------
 */

static enum loop_step next_if(bool known)
{
    return known ? LOOP_NEXT : LOOP_GIVE_UP;
}

static bool decide(struct sum_round *r, struct sum_value a, struct sum_value b)
{
    if (a.what != SUM_LINE || b.what != SUM_LINE || r->decisions == SUM_DECISIONS)
        return false;
    r->decision[r->decisions++] = (struct sum_decision){a, b};
    return true;
}

static enum loop_step narrow_branch(struct sum_round *r, uint16_t op, uint32_t pc, uint32_t *target)
{
    if ((op & 0xf800) == 0xe000) { /* B */
        *target = thumb_b_target(op, pc);
        return LOOP_BRANCH;
    }
    if ((op & 0xfe00) == 0xd000) { /* BEQ, BNE */
        *target = thumb_b_if_target(op, pc);
        if (!decide(r, r->flags.a, r->flags.b))
            return LOOP_GIVE_UP;
        return r->z != (op >> 8 & 1) ? LOOP_BRANCH : LOOP_NEXT;
    }
    if ((op & 0xf500) == 0xb100) { /* CBZ, CBNZ */
        struct sum_value value = get(r, op & 7);
        *target = thumb_cbz_target(op, pc);
        if (!decide(r, value, number(0)))
            return LOOP_GIVE_UP;
        return !value.now != !!(op & 0x800) ? LOOP_BRANCH : LOOP_NEXT;
    }
    return next_if(op == 0xbf00); /* NOP */
}

/* MOV, CMP of any register. */
static enum loop_step narrow_high(struct sum_round *r, uint16_t op)
{
    unsigned rd = (op & 7) | (op >> 4 & 8), rm = op >> 3 & 0xf;
    if (rd >= 13 || rm == 15)
        return LOOP_GIVE_UP;
    if ((op & 0xff00) == 0x4600)
        r->reg[rd] = get(r, rm);
    else
        compare(r, get(r, rd), get(r, rm));
    return LOOP_NEXT;
}

static enum loop_step narrow_shift(struct sum_round *r, uint16_t op)
{
    struct sum_value value = get(r, op >> 3 & 7);
    unsigned by = op >> 6 & 0x1f;
    if (op & 0x800 && !by) /* LSRS by 32 */
        return LOOP_GIVE_UP;
    if (by)
        r->c = value.now >> (op & 0x800 ? by - 1 : 32 - by) & 1;
    r->reg[op & 7] = op & 0x800 ? shifted_right(value, by) : by ? shifted_left(value, by) : value;
    set_flags(r, r->reg[op & 7].now);
    return LOOP_NEXT;
}

static enum loop_step narrow(struct sum_round *r, uint16_t op, uint32_t pc, uint32_t *target)
{
    unsigned rd = op & 7, rm = op >> 3 & 7, rd8 = op >> 8 & 7;
    uint32_t imm8 = op & 0xff;
    if ((op & 0xf000) == 0x0000) /* LSLS, LSRS, MOVS */
        return narrow_shift(r, op);
    if ((op & 0xfc00) == 0x1c00) { /* ADDS, SUBS imm3 */
        add_number(r, rd, get(r, rm), op >> 6 & 7, op & 0x200);
        return LOOP_NEXT;
    }
    if ((op & 0xf000) == 0x3000) { /* ADDS, SUBS imm8 */
        add_number(r, rd8, get(r, rd8), imm8, op & 0x800);
        return LOOP_NEXT;
    }
    if ((op & 0xf800) == 0x2800) { /* CMP */
        compare(r, get(r, rd8), number(imm8));
        return LOOP_NEXT;
    }
    if ((op & 0xffc0) == 0x4280) { /* CMP */
        compare(r, get(r, rd), get(r, rm));
        return LOOP_NEXT;
    }
    if ((op & 0xffc0) == 0x4040) { /* EORS */
        r->reg[rd] = exclusive_or(get(r, rd), get(r, rm));
        set_flags(r, r->reg[rd].now);
        return LOOP_NEXT;
    }
    if ((op & 0xffc0) == 0xb2c0) { /* UXTB */
        r->reg[rd] = low_byte(get(r, rm));
        return LOOP_NEXT;
    }
    if ((op & 0xff00) == 0x4600 || (op & 0xff00) == 0x4500)
        return narrow_high(r, op);
    if ((op & 0xf800) == 0x4800) /* LDR literal */
        return next_if(load_literal(r, rd8, ((pc + 4) & ~3u) + imm8 * 4));
    if ((op & 0xf800) == 0x7800) /* LDRB */
        return next_if(load_byte(r, rd, moved(get(r, rm), op >> 6 & 0x1f)));
    if ((op & 0xfe00) == 0x5800) { /* LDR of two registers */
        struct sum_value a = get(r, rm), b = get(r, op >> 6 & 7);
        return next_if(a.what == SUM_OFFSET ? load_entry(r, rd, b, a) : load_entry(r, rd, a, b));
    }
    return narrow_branch(r, op, pc, target);
}

/* LDRB before or after its pointer moves on. */
static bool load_moving(struct sum_round *r, uint32_t op, unsigned rn, unsigned rt)
{
    uint32_t by = op >> 9 & 1 ? op & 0xff : 0u - (op & 0xff);
    struct sum_value base = get(r, rn), there = moved(base, by);
    bool writes_back = op >> 8 & 1, first = op >> 10 & 1;
    if ((writes_back && rn == rt) || !(writes_back || first) || !load_byte(r, rt, first ? there : base))
        return false;
    if (writes_back)
        r->reg[rn] = there;
    return true;
}

static enum loop_step wide(struct sum_round *r, uint32_t op, uint32_t pc, uint32_t *target)
{
    unsigned rn = op >> 16 & 0xf, rt = op >> 12 & 0xf, rd = op >> 8 & 0xf, rm = op & 0xf;
    if (thumb_is_b_w(op)) { /* B.W */
        *target = thumb_bl_target(op, pc);
        return LOOP_BRANCH;
    }
    if ((op & 0xfff00000u) == 0xf8900000u && rn < 13 && rt < 13) /* LDRB.W */
        return next_if(load_byte(r, rt, moved(get(r, rn), op & 0xfff)));
    if ((op & 0xfff00800u) == 0xf8100800u && rn < 13 && rt < 13)
        return next_if(load_moving(r, op, rn, rt));
    if ((op & 0xfff00fc0u) == 0xf8500000u && rn < 13 && rt < 13 && rm < 13) { /* LDR.W of two registers */
        unsigned by = op >> 4 & 3;
        struct sum_value index = get(r, rm);
        return next_if(load_entry(r, rt, get(r, rn), by ? shifted_left(index, by) : index));
    }
    unsigned shift = (op >> 10 & 0x1c) | (op >> 6 & 3);
    bool is_lsr = (op >> 4 & 3) == 1, is_plain = !(op >> 4 & 3) && !shift;
    if ((op & 0xfff08000u) == 0xea800000u && rn < 13 && rd < 13 && rm < 13 &&
        (is_plain || (is_lsr && shift))) {
        struct sum_value second = get(r, rm);
        r->reg[rd] = exclusive_or(get(r, rn), shift ? shifted_right(second, shift) : second);
        return LOOP_NEXT;
    }
    if ((op & 0xffff8030u) == 0xea4f0010u && shift && rd < 13 && rm < 13) { /* LSR.W */
        r->reg[rd] = shifted_right(get(r, rm), shift);
        return LOOP_NEXT;
    }
    if (((op & 0xfffff0f0u) == 0xfa5ff080u && rd < 13 && rm < 13) || /* UXTB.W */
        ((op & 0xfff0f0ffu) == 0xf00000ffu && rd < 13 && rn < 13)) { /* AND.W of 0xff */
        r->reg[rd] = low_byte(get(r, op >> 24 == 0xfa ? rm : rn));
        return LOOP_NEXT;
    }
    return LOOP_GIVE_UP;
}

static enum loop_step interpret(void *context, uint32_t op, unsigned size, uint32_t pc, uint32_t *target)
{
    return size == 2 ? narrow(context, (uint16_t)op, pc, target) : wide(context, op, pc, target);
}

bool sum_run_round(struct sum_round *r, uint32_t head)
{
    return loop_round_run(&r->loop, head, interpret, r);
}
