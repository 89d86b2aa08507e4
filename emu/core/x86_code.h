/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions of x86-64, as far as hot_loop_code.c needs them, put one after the other. Operations are on 32
 * bits unless it says otherwise, and clear the upper half of the register that they write.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.
 *
 * Not modelled: RSP and R12 as the base of an operand in memory.
 */
#ifndef SOSIM_CORE_X86_CODE_H
#define SOSIM_CORE_X86_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* R8–R15 go by their numbers. */
enum x86_register {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
};

struct x86 {
    uint8_t *at, *end; /* where the next byte goes, and the caller's memory ends */
    bool failed;       /* there was not enough room */
};

struct x86_operand {
    enum { X86_REGISTER, X86_MEMORY, X86_CONSTANT } kind;
    unsigned reg;   /* of an operand in memory: its base */
    uint32_t value; /* a constant, or the distance from the base */
};

static inline struct x86_operand x86_in(unsigned reg)
{
    return (struct x86_operand){X86_REGISTER, reg, 0};
}

static inline struct x86_operand x86_constant(uint32_t value)
{
    return (struct x86_operand){X86_CONSTANT, 0, value};
}

static inline struct x86_operand x86_memory(unsigned base, uint32_t distance)
{
    return (struct x86_operand){X86_MEMORY, base, distance};
}

/* REX prefixes that an instruction may need. */
#define X86_WIDE     0x48u /* 64 bits */
#define X86_ANY_BYTE 0x40u /* with any REX the low byte of each register can be had */

/* Opcodes of one or (0x0f..) two bytes. */
#define X86_ADD_TO    0x03u
#define X86_SBB       0x1bu
#define X86_MOVSXD    0x63u
#define X86_TEST      0x85u
#define X86_STORE8    0x88u
#define X86_STORE     0x89u
#define X86_LOAD      0x8bu
#define X86_SHIFT_IMM 0xc1u
#define X86_SHIFT_CL  0xd3u
#define X86_CMOVNZ    0x0f45u
#define X86_SETNC     0x0f93u
#define X86_SETZ      0x0f94u
#define X86_IMUL      0x0fafu
#define X86_MOVZX8    0x0fb6u
#define X86_MOVZX16   0x0fb7u
#define X86_MOVSX8    0x0fbeu
#define X86_MOVSX16   0x0fbfu

void x86_byte(struct x86 *x, unsigned value);
void x86_word(struct x86 *x, uint32_t value);

/* The opcode with `reg` and another operand, which is no constant. */
void x86_instruction(struct x86 *x, unsigned rex, unsigned opcode, unsigned reg, struct x86_operand other);
/* The same with what is in memory at [base + index], 64-bit registers; base is none of RBP and R13. */
void x86_indexed(struct x86 *x, unsigned rex, unsigned opcode, unsigned reg, unsigned base, unsigned index);

/* By their numbers in the opcodes. */
enum x86_alu {
    X86_ADD = 0,
    X86_OR = 1,
    X86_AND = 4,
    X86_SUB = 5,
    X86_XOR = 6,
    X86_CMP = 7,
};
void x86_alu(struct x86 *x, enum x86_alu op, unsigned reg, struct x86_operand other);

enum x86_shift {
    X86_ROR = 1,
    X86_SHL = 4,
    X86_SHR = 5,
    X86_SAR = 7,
};
void x86_shift(struct x86 *x, unsigned rex, enum x86_shift op, unsigned reg, unsigned by);

/* Leaves flags as they are. */
void x86_move(struct x86 *x, unsigned reg, struct x86_operand from);

/* reg = the condition of the opcode, SETcc; RAX is lost. */
void x86_set_if(struct x86 *x, unsigned opcode, unsigned reg);
void x86_bswap(struct x86 *x, unsigned reg);
void x86_push(struct x86 *x, unsigned reg);
void x86_pop(struct x86 *x, unsigned reg);

#endif
