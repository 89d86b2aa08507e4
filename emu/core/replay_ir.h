/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a recorded loop boils down to (core/replay.h), or one that computes (core/hot_loop.h): a list of
 * operations on numbered slots. Slots hold constants, values that the loop begins with, and results. Between
 * computations stand the effects: register accesses, stores to RAM, and the places where the loop may be
 * left.
 *
 * Source: ARMv7-M Architecture Reference Manual (DDI 0403E) A2.2.1 for shifts, carries and overflow.
 */
#ifndef SOSIM_CORE_REPLAY_IR_H
#define SOSIM_CORE_REPLAY_IR_H

#include <stdbool.h>
#include <stdint.h>

enum ir_op {
    IR_ADD, /* a + b + c, c a carry; for a subtraction b is inverted and c is 1 */
    IR_ADD_CARRY,
    IR_ADD_OVERFLOW,
    IR_AND,
    IR_OR,
    IR_EOR,
    IR_LSL, /* by the low byte of b; the carries: c if b is 0 */
    IR_LSL_CARRY,
    IR_LSR,
    IR_LSR_CARRY,
    IR_ASR,
    IR_ASR_CARRY,
    IR_ROR,
    IR_ROR_CARRY,
    IR_MUL,
    IR_MUL_HIGH,
    IR_MUL_HIGH_SIGNED,
    IR_UDIV,
    IR_SDIV,
    IR_CLZ,
    IR_RBIT,
    IR_REV,
    IR_REV16,
    IR_REVSH,
    IR_SXTB,
    IR_SXTH,
    IR_IS_ZERO,
    IR_SELECT, /* a ? b : c */
    IR_SUB,
    IR_NOT_LESS, /* a >= b */
    FX_LOAD,     /* slot to = RAM word at offset `address`, as it is then: others than the trace change it */
    /* Effects. Each first lets `cycles` go by. */
    FX_READ,  /* slot to = register at `address`, of `size` bytes */
    FX_WRITE, /* register at `address` = slot a */
    FX_STORE, /* the bytes `size` (bit mask) of the RAM word at offset `address` = slot a, which is read up to
                 block `to`; put off before a trace is run */
    FX_LOOK,  /* (with `size`, always looks) leaves by exit `exit` if anything is to be done before the next
                 block */
    FX_GUARD, /* leaves by exit `exit` unless slot a is b */
    FX_END,   /* by exit `exit` */
    /* Of loops that compute only (core/hot_loop.h). */
    FX_LOAD_AT,  /* slot to = the `size` bytes at the address in slot a, zero-extended */
    FX_STORE_AT, /* the `size` bytes at the address in slot b = slot a */
};

struct ir {
    uint8_t op;
    uint8_t size;         /* of computations: 1 if the list without looks has it, too */
    uint16_t to, a, b, c; /* slots; FX_GUARD: b is a value; effects: c is the place in the list of all */
    uint16_t exit;
    uint32_t cycles;
    uint32_t address;
    uint32_t reach; /* of effects in the list without looks: so many cycles after the effect before this one
                       must be quiet */
};

/* True of a computation that the list without looks left out. */
static inline bool ir_left_out(const struct ir *ir)
{
    return ir->op < FX_LOAD && !ir->size;
}

static inline uint32_t ir_rotate(uint32_t value, unsigned by)
{
    by &= 31;
    return by ? value >> by | value << (32 - by) : value;
}

static inline uint32_t ir_shift(enum ir_op op, uint32_t a, uint32_t b, uint32_t c)
{
    b &= 0xff;
    switch (op) {
    case IR_LSL:
        return b < 32 ? a << b : 0;
    case IR_LSL_CARRY:
        return !b ? c : b <= 32 ? a >> (32 - b) & 1 : 0;
    case IR_LSR:
        return b < 32 ? a >> b : 0;
    case IR_LSR_CARRY:
        return !b ? c : b <= 32 ? a >> (b - 1) & 1 : 0;
    case IR_ASR:
        return (uint32_t)((int32_t)a >> (b < 32 ? b : 31));
    case IR_ASR_CARRY:
        return !b ? c : (uint32_t)((int32_t)a >> (b < 33 ? b - 1 : 31)) & 1;
    case IR_ROR:
        return ir_rotate(a, b);
    default:
        return !b ? c : ir_rotate(a, b) >> 31;
    }
}

static inline uint32_t ir_reverse_bits(uint32_t a)
{
    uint32_t result = 0;
    for (unsigned i = 0; i < 32; i++)
        result |= (a >> i & 1) << (31 - i);
    return result;
}

static inline uint32_t ir_unary(enum ir_op op, uint32_t a)
{
    switch (op) {
    case IR_CLZ:
        return a ? (uint32_t)__builtin_clz(a) : 32;
    case IR_RBIT:
        return ir_reverse_bits(a);
    case IR_REV:
        return __builtin_bswap32(a);
    case IR_REV16:
        return ir_rotate(__builtin_bswap32(a), 16);
    case IR_REVSH:
        return (uint32_t)(int16_t)__builtin_bswap16((uint16_t)a);
    case IR_SXTB:
        return (uint32_t)(int8_t)a;
    default:
        return (uint32_t)(int16_t)a;
    }
}

/* The result of a computation. */
static inline uint32_t ir_eval(enum ir_op op, uint32_t a, uint32_t b, uint32_t c)
{
    switch (op) {
    case IR_ADD:
        return a + b + c;
    case IR_ADD_CARRY:
        return (uint32_t)(((uint64_t)a + b + c) >> 32);
    case IR_ADD_OVERFLOW:
        return ((a ^ (a + b + c)) & (b ^ (a + b + c))) >> 31;
    case IR_AND:
        return a & b;
    case IR_OR:
        return a | b;
    case IR_EOR:
        return a ^ b;
    case IR_MUL:
        return a * b;
    case IR_MUL_HIGH:
        return (uint32_t)((uint64_t)a * b >> 32);
    case IR_MUL_HIGH_SIGNED:
        return (uint32_t)((uint64_t)((int64_t)(int32_t)a * (int32_t)b) >> 32);
    case IR_UDIV:
        return b ? a / b : 0;
    case IR_SDIV:
        return !b ? 0 : b == UINT32_MAX ? 0u - a : (uint32_t)((int32_t)a / (int32_t)b);
    case IR_IS_ZERO:
        return !a;
    case IR_SELECT:
        return a ? b : c;
    case IR_SUB:
        return a - b;
    case IR_NOT_LESS:
        return a >= b;
    default:
        return op >= IR_LSL && op <= IR_ROR_CARRY ? ir_shift(op, a, b, c) : ir_unary(op, a);
    }
}

#endif
