/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Thumb instructions for replay_make.c: what they do to values that may not be known. Between replay_thumb.c,
 * which has what instructions are made of, and replay_decode.c, which tells them apart.
 *
 * Source: ARMv7-M Architecture Reference Manual (DDI 0403E) A5 (encodings), A7 (instructions).
 *
 * Not modelled: floating point, saturation, the Q flag (a sum of products of halves must be known not to
 * overflow), SIMD, coprocessors, exceptions, hints other than NOP. A block with one of these makes no trace.
 */
#ifndef SOSIM_CORE_REPLAY_THUMB_H
#define SOSIM_CORE_REPLAY_THUMB_H

#include "core/replay_make.h"

#define ZERO known(0)
#define PC   15

/* One instruction under way. */
struct instruction {
    struct maker *m;
    uint32_t pc;     /* its address */
    uint32_t next;   /* the address behind it */
    struct val pass; /* its condition, 1 if it has none */
    bool in_it;
};

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

/* Functions that return a bool: false if the instruction, and so its block, cannot be part of a trace. */

/* a op b; for operations of one operand b is not looked at. */
struct val thumb_value(struct instruction *n, enum ir_op op, struct val a, struct val b);
/* The other one of 0 and 1. */
struct val thumb_opposite(struct instruction *n, struct val truth);
struct val thumb_plus(struct instruction *n, struct val a, uint32_t b);
struct val thumb_subtract(struct instruction *n, struct val a, struct val b, bool set_flags);
/* Whether a condition of A7.3 holds, 1 or 0. */
struct val thumb_holds(struct instruction *n, unsigned code);

/* A register as an operand: PC is the instruction's address + 4. */
struct val thumb_reg(struct instruction *n, unsigned number);
/* Writes happen if the instruction's condition holds. */
void thumb_set_place(struct instruction *n, unsigned place, struct val value);
void thumb_set_nz(struct instruction *n, struct val result);
bool thumb_set_reg(struct instruction *n, unsigned number, struct val value);
/* In place of a carry: the flag stays as it is, and nothing depends on what it is. */
#define SAME_CARRY ((struct val){0, UINT16_MAX})
void thumb_set_carry(struct instruction *n, struct val carry);

/* Ends the block; `exchange` for branches whose target has the T bit in bit 0. */
bool thumb_branch(struct instruction *n, struct val to, bool exchange);

/* Shifts as an instruction with an immediate says: type 0–3, amount 0–31. `carry` gets the carry out if it is
 * not NULL. */
struct val thumb_shift_imm(struct instruction *n, struct val a, unsigned type, unsigned amount,
                           struct val *carry);
/* rd = a shifted by the low byte of `by`. */
bool thumb_shift_reg(struct instruction *n, enum ir_op op, unsigned rd, struct val a, struct val by,
                     bool set_flags);
/* rd = rn op b, or only flags if rd is 15 where that is a comparison; rn 15 is none (MOV, MVN). `carry` is
 * the shifter's. */
bool thumb_process(struct instruction *n, unsigned op, unsigned rd, unsigned rn, struct val b,
                   struct val carry, bool set_flags);

/* Accesses to registers cannot be had in two ways; those to RAM can, if the address is known. This makes an
 * unknown condition a failure. */
bool thumb_transfers_for_sure(const struct instruction *n);
bool thumb_load(struct instruction *n, unsigned rt, struct val address, unsigned size, bool is_signed);
bool thumb_store(struct instruction *n, unsigned rt, struct val address, unsigned size);
bool thumb_multiple(struct instruction *n, unsigned rn, unsigned list, bool is_load, bool down,
                    bool write_back);

#endif
