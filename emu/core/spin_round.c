/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/spin_round.h"

#include "core/cpu.h"
#include "core/cycles.h"
#include "core/nor.h"
#include "core/thumb.h"

#include <string.h>

#define DWT_CYCCNT_ADDRESS 0xe0001004u
#define SP                 13
#define LR                 14

static void limit(struct spin_round *r, uint64_t rounds)
{
    if (rounds < r->rounds)
        r->rounds = rounds;
}

/* Rounds until a line crosses a multiple of 2^31, where its sign or its order to others can change. */
static uint64_t rounds_to_edge(struct spin_line x)
{
    uint32_t low = x.now & 0x7fffffffu, up = x.step, down = 0u - x.step;
    if (!x.step)
        return SPIN_UNLIMITED;
    return up < 0x80000000u ? (0x80000000ull - low + up - 1) / up : low / down + 1ull;
}

/* Flags of a + b + carry (A2.2.1), and for how long they stay: `b` is inverted for a subtraction. */
static struct spin_line add_lines(struct spin_round *r, struct spin_line a, struct spin_line b, bool carry,
                                  bool set_flags)
{
    uint64_t sum = (uint64_t)a.now + b.now + carry;
    struct spin_line result = {(uint32_t)sum, a.step + b.step};
    if (!set_flags)
        return result;
    r->flags.n = result.now >> 31;
    r->flags.z = !result.now;
    r->flags.c = sum >> 32;
    r->flags.v = ((a.now ^ result.now) & (b.now ^ result.now)) >> 31;
    limit(r, rounds_to_edge(a));
    limit(r, rounds_to_edge(b));
    limit(r, rounds_to_edge(result));
    if (!result.now && result.step)
        limit(r, 1);
    return result;
}

static struct spin_line constant(uint32_t value)
{
    return (struct spin_line){value, 0};
}

static struct spin_line inverted(struct spin_line x)
{
    return (struct spin_line){~x.now, 0u - x.step};
}

static void compare_zero(struct spin_round *r, struct spin_line x)
{
    limit(r, rounds_to_edge(x));
    if (!x.now && x.step)
        limit(r, 1);
}

static void logic_flags(struct spin_round *r, uint32_t value)
{
    r->flags.n = value >> 31;
    r->flags.z = !value;
}

static bool condition(const struct spin_flags *f, unsigned code)
{
    const bool truth[8] = {f->z, f->c, f->n, f->v, f->c && !f->z, f->n == f->v, !f->z && f->n == f->v, true};
    return truth[code >> 1] != (code & 1);
}

static struct spin_word *stored_word(struct spin_round *r, uint32_t address)
{
    for (unsigned i = 0; i < r->words; i++) {
        if (r->word[i].address == (address & ~3u))
            return &r->word[i];
    }
    return NULL;
}

/* The part of a stored word at an address. */
static bool load_stored(const struct spin_word *word, uint32_t address, unsigned size,
                        struct spin_line *value)
{
    *value = word->value;
    if (size == 4)
        return true;
    value->now = value->now >> 8 * (address & 3) & ((1u << 8 * size) - 1);
    return !value->step;
}

/* Reads memory that stays as it is until the next event, but for what the loop itself stores; false if that
 * cannot be said of it. */
static bool load(struct spin_round *r, struct spin_line address, unsigned size, struct spin_line *value)
{
    struct cpu *cpu = r->loop.cpu;
    uint32_t bytes = 0;
    if (address.step || address.now & (size - 1))
        return false;
    const struct spin_word *stored = stored_word(r, address.now);
    if (stored)
        return load_stored(stored, address.now, size, value);
    if (address.now == DWT_CYCCNT_ADDRESS && size == 4) {
        uint32_t count;
        if (!(cpu->dwt.ctrl & 1) || !(cpu->scb.demcr & 1u << 24))
            return false;
        count = (uint32_t)(r->loop.time - cpu->dwt.base);
        *value = (struct spin_line){count, (uint32_t)r->period};
        return true;
    }
    if (nor_is_unstable(cpu->bus->flash, address.now, size))
        return false;
    if (!cpu_peek(cpu, address.now, &bytes, size)) {
        *value = constant(bytes);
        return true;
    }
    if (size != 4 || !bus_steady(cpu->bus, address.now, &bytes))
        return false;
    r->loop.time += CYCLES_PERIPHERAL;
    *value = constant(bytes);
    return true;
}

/* A store to a part of a word may only be of what is there, one of a word of anything. */
static bool store(struct spin_round *r, struct spin_line address, struct spin_line value, unsigned size)
{
    uint32_t there = 0;
    if (address.step || address.now & (size - 1) || address.now - RAM_BASE >= r->loop.cpu->ram_size ||
        cpu_peek(r->loop.cpu, address.now, &there, size))
        return false;
    struct spin_word *word = stored_word(r, address.now);
    if (size < 4)
        return !word && !value.step && !memcmp(&there, &value.now, size);
    if (!word && !value.step && value.now == there)
        return true;
    if (!word && r->words == SPIN_WORDS)
        return false;
    if (!word)
        word = &r->word[r->words++];
    *word = (struct spin_word){address.now, value};
    return true;
}

static enum loop_step push(struct spin_round *r, unsigned list)
{
    struct spin_line sp = r->reg[SP];
    sp.now -= 4 * (unsigned)__builtin_popcount(list);
    struct spin_line at = sp;
    for (unsigned n = 0; n < 9; n++) {
        if (!(list & 1u << n))
            continue;
        if (!store(r, at, r->reg[n == 8 ? LR : n], 4))
            return LOOP_GIVE_UP;
        at.now += 4;
    }
    r->reg[SP] = sp;
    return LOOP_NEXT;
}

static enum loop_step pop(struct spin_round *r, unsigned list, uint32_t *target)
{
    for (unsigned n = 0; n < 9; n++) {
        struct spin_line value;
        if (!(list & 1u << n))
            continue;
        if (!load(r, r->reg[SP], 4, &value))
            return LOOP_GIVE_UP;
        r->reg[SP].now += 4;
        if (n < 8) {
            r->reg[n] = value;
            continue;
        }
        if (value.step || (value.now & 1) == 0 || value.now >= 0xf0000000u)
            return LOOP_GIVE_UP;
        *target = value.now & ~1u;
        return LOOP_BRANCH;
    }
    return LOOP_NEXT;
}

static bool load_to(struct spin_round *r, unsigned rt, struct spin_line base, uint32_t offset, unsigned size)
{
    base.now += offset;
    return load(r, base, size, &r->reg[rt]);
}

/* Shift and logic on constants only: a line would not stay one. */
static bool narrow_logic(struct spin_round *r, uint16_t op)
{
    struct spin_line *rd = &r->reg[op & 7];
    struct spin_line rm = r->reg[op >> 3 & 7];
    unsigned amount = op >> 6 & 0x1f;
    if (rm.step)
        return false;
    if ((op & 0xf800) == 0x0000 && !amount) { /* MOVS */
        *rd = rm;
    } else if ((op & 0xf800) == 0x0000) { /* LSLS */
        r->flags.c = rm.now >> (32 - amount) & 1;
        *rd = constant(rm.now << amount);
    } else if ((op & 0xf800) == 0x0800 && amount) { /* LSRS */
        r->flags.c = rm.now >> (amount - 1) & 1;
        *rd = constant(rm.now >> amount);
    } else if ((op & 0xffc0) == 0x4000 && !rd->step) { /* ANDS */
        *rd = constant(rd->now & rm.now);
    } else if ((op & 0xffc0) == 0x4200 && !rd->step) { /* TST */
        logic_flags(r, rd->now & rm.now);
        return true;
    } else if ((op & 0xffc0) == 0x4300 && !rd->step) { /* ORRS */
        *rd = constant(rd->now | rm.now);
    } else if ((op & 0xffc0) == 0xb2c0) { /* UXTB: no flags */
        *rd = constant(rm.now & 0xff);
        return true;
    } else if ((op & 0xffc0) == 0xb280) { /* UXTH */
        *rd = constant(rm.now & 0xffff);
        return true;
    } else {
        return false;
    }
    logic_flags(r, rd->now);
    return true;
}

/* Additions, subtractions, comparisons and moves; false if the instruction is none of them. */
static bool narrow_arithmetic(struct spin_round *r, uint16_t op)
{
    struct spin_line *low = r->reg;
    struct spin_line imm8 = constant(op & 0xff);
    unsigned rd8 = op >> 8 & 7;
    if ((op & 0xfc00) == 0x1800 || (op & 0xfc00) == 0x1c00) { /* ADDS, SUBS: register or imm3 */
        struct spin_line second = op & 0x400 ? constant(op >> 6 & 7) : low[op >> 6 & 7];
        bool subtract = op & 0x200;
        low[op & 7] = add_lines(r, low[op >> 3 & 7], subtract ? inverted(second) : second, subtract, true);
    } else if ((op & 0xf800) == 0x2000) { /* MOVS */
        low[rd8] = imm8;
        logic_flags(r, imm8.now);
    } else if ((op & 0xf800) == 0x2800) { /* CMP */
        add_lines(r, low[rd8], inverted(imm8), true, true);
    } else if ((op & 0xf000) == 0x3000) { /* ADDS, SUBS imm8 */
        bool subtract = op & 0x800;
        low[rd8] = add_lines(r, low[rd8], subtract ? inverted(imm8) : imm8, subtract, true);
    } else if ((op & 0xffc0) == 0x4280) { /* CMP */
        add_lines(r, low[op & 7], inverted(low[op >> 3 & 7]), true, true);
    } else if ((op & 0xff00) == 0x4600 || (op & 0xff00) == 0x4400 || (op & 0xff00) == 0x4500) {
        unsigned rd = (op & 7) | (op >> 4 & 8), rm = op >> 3 & 0xf; /* MOV, ADD, CMP of any register */
        if (rd == 15 || rm == 15)
            return false;
        if ((op & 0xff00) == 0x4600)
            low[rd] = low[rm];
        else if ((op & 0xff00) == 0x4400)
            low[rd] = add_lines(r, low[rd], low[rm], false, false);
        else
            add_lines(r, low[rd], inverted(low[rm]), true, true);
    } else if ((op & 0xff00) == 0xb000) { /* ADD, SUB of SP */
        uint32_t offset = (op & 0x7fu) * 4;
        low[SP].now += op & 0x80 ? 0u - offset : offset;
    } else {
        return narrow_logic(r, op);
    }
    return true;
}

static bool narrow_memory(struct spin_round *r, uint16_t op, uint32_t pc, bool *known)
{
    struct spin_line base = r->reg[op >> 3 & 7];
    unsigned rt = op & 7, five = op >> 6 & 0x1f;
    *known = true;
    switch (op >> 11) {
    case 0x09: /* LDR literal */
        return load_to(r, op >> 8 & 7, constant((pc + 4) & ~3u), (op & 0xffu) * 4, 4);
    case 0x0d:
        return load_to(r, rt, base, five * 4, 4);
    case 0x0f:
        return load_to(r, rt, base, five, 1);
    case 0x11:
        return load_to(r, rt, base, five * 2, 2);
    case 0x13:
        return load_to(r, op >> 8 & 7, r->reg[SP], (op & 0xffu) * 4, 4);
    case 0x0c:
        base.now += five * 4;
        return store(r, base, r->reg[rt], 4);
    case 0x0e:
        base.now += five;
        return store(r, base, r->reg[rt], 1);
    case 0x12:
        base = r->reg[SP];
        base.now += (op & 0xffu) * 4;
        return store(r, base, r->reg[op >> 8 & 7], 4);
    default:
        *known = false;
        return false;
    }
}

static enum loop_step narrow(struct spin_round *r, uint16_t op, uint32_t pc, uint32_t *target)
{
    bool known;
    if (narrow_memory(r, op, pc, &known))
        return LOOP_NEXT;
    if (known)
        return LOOP_GIVE_UP;
    if ((op & 0xf800) == 0xe000) { /* B */
        *target = thumb_b_target(op, pc);
        return LOOP_BRANCH;
    }
    if ((op & 0xf000) == 0xd000 && (op & 0x0e00) != 0x0e00) { /* B<c> */
        *target = thumb_b_if_target(op, pc);
        return condition(&r->flags, op >> 8 & 0xf) ? LOOP_BRANCH : LOOP_NEXT;
    }
    if ((op & 0xf500) == 0xb100) { /* CBZ, CBNZ */
        struct spin_line x = r->reg[op & 7];
        compare_zero(r, x);
        *target = thumb_cbz_target(op, pc);
        return !x.now != !!(op & 0x800) ? LOOP_BRANCH : LOOP_NEXT;
    }
    if ((op & 0xff87) == 0x4700 && (op >> 3 & 0xf) < 15) { /* BX */
        struct spin_line to = r->reg[op >> 3 & 0xf];
        *target = to.now & ~1u;
        return to.step || !(to.now & 1) || to.now >= 0xf0000000u ? LOOP_GIVE_UP : LOOP_BRANCH;
    }
    if ((op & 0xfe00) == 0xb400)
        return push(r, op & 0x1ff);
    if ((op & 0xfe00) == 0xbc00)
        return pop(r, op & 0x1ff, target);
    if (op == 0xbf00) /* NOP */
        return LOOP_NEXT;
    return narrow_arithmetic(r, op) ? LOOP_NEXT : LOOP_GIVE_UP;
}

static enum loop_step wide(struct spin_round *r, uint32_t op, uint32_t pc, uint32_t *target)
{
    if (thumb_is_bl(op) || thumb_is_b_w(op)) { /* BL, B.W */
        *target = thumb_bl_target(op, pc);
        if (op & 0x4000)
            r->reg[LR] = constant((pc + 4) | 1);
        return LOOP_BRANCH;
    }
    unsigned rn = op >> 16 & 0xf, rt = op >> 12 & 0xf;
    if ((op & 0xff800000u) == 0xf8800000u && (op >> 20 & 1) && rn < 15 && rt < 15) { /* LDR{B,H}.W imm12 */
        unsigned size = 1u << (op >> 21 & 3);
        if (size > 4)
            return LOOP_GIVE_UP;
        return load_to(r, rt, r->reg[rn], op & 0xfff, size) ? LOOP_NEXT : LOOP_GIVE_UP;
    }
    if ((op & 0xfffffff0u) == 0xf3bf8f40u || (op & 0xfffffff0u) == 0xf3bf8f50u ||
        (op & 0xfffffff0u) == 0xf3bf8f60u) /* DSB, DMB, ISB */
        return LOOP_NEXT;
    return LOOP_GIVE_UP;
}

static enum loop_step interpret(void *context, uint32_t op, unsigned size, uint32_t pc, uint32_t *target)
{
    return size == 2 ? narrow(context, (uint16_t)op, pc, target) : wide(context, op, pc, target);
}

bool spin_run_round(struct spin_round *r, uint32_t head)
{
    return loop_round_run(&r->loop, head, interpret, r);
}
