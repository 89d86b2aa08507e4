/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/x86_code.h"

#include <string.h>

/* --- bytes ------------------------------------------------------------------------------------------------
 */

static void put(struct x86 *x, const void *bytes, size_t size)
{
    if ((size_t)(x->end - x->at) < size) {
        x->failed = true;
        return;
    }
    memcpy(x->at, bytes, size);
    x->at += size;
}

void x86_byte(struct x86 *x, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    put(x, &byte, 1);
}

void x86_word(struct x86 *x, uint32_t value)
{
    put(x, &value, sizeof value);
}

/* REX, if there is anything to it, and the opcode. */
static void begin(struct x86 *x, unsigned rex, unsigned opcode)
{
    if (rex)
        x86_byte(x, 0x40 | rex);
    if (opcode > 0xff)
        x86_byte(x, opcode >> 8);
    x86_byte(x, opcode);
}

/* An opcode with the register's number in it. */
static void with_register(struct x86 *x, unsigned opcode, unsigned reg)
{
    begin(x, reg >> 3, opcode | (reg & 7));
}

/* --- instructions -----------------------------------------------------------------------------------------
 */

void x86_instruction(struct x86 *x, unsigned rex, unsigned opcode, unsigned reg, struct x86_operand other)
{
    bool memory = other.kind == X86_MEMORY;
    begin(x, rex | (reg >> 3 & 1) << 2 | (other.reg >> 3 & 1), opcode);
    x86_byte(x, (memory ? 0x80u : 0xc0u) | (reg & 7) << 3 | (other.reg & 7));
    if (memory)
        x86_word(x, other.value);
}

void x86_indexed(struct x86 *x, unsigned rex, unsigned opcode, unsigned reg, unsigned base, unsigned index)
{
    begin(x, rex | (reg >> 3 & 1) << 2 | (index >> 3 & 1) << 1 | (base >> 3 & 1), opcode);
    x86_byte(x, (reg & 7) << 3 | 4);
    x86_byte(x, (index & 7) << 3 | (base & 7));
}

void x86_alu(struct x86 *x, enum x86_alu op, unsigned reg, struct x86_operand other)
{
    if (other.kind == X86_CONSTANT) {
        x86_instruction(x, 0, 0x81, op, x86_in(reg));
        x86_word(x, other.value);
    } else {
        x86_instruction(x, 0, (unsigned)op << 3 | 3, reg, other);
    }
}

void x86_shift(struct x86 *x, unsigned rex, enum x86_shift op, unsigned reg, unsigned by)
{
    x86_instruction(x, rex, X86_SHIFT_IMM, op, x86_in(reg));
    x86_byte(x, by);
}

void x86_move(struct x86 *x, unsigned reg, struct x86_operand from)
{
    if (from.kind == X86_CONSTANT) {
        with_register(x, 0xb8, reg);
        x86_word(x, from.value);
    } else if (from.kind == X86_MEMORY || from.reg != reg) {
        x86_instruction(x, 0, X86_LOAD, reg, from);
    }
}

void x86_set_if(struct x86 *x, unsigned opcode, unsigned reg)
{
    x86_instruction(x, 0, opcode, 0, x86_in(RAX));
    x86_instruction(x, 0, X86_MOVZX8, reg, x86_in(RAX));
}

void x86_bswap(struct x86 *x, unsigned reg)
{
    with_register(x, 0x0fc8, reg);
}

void x86_push(struct x86 *x, unsigned reg)
{
    with_register(x, 0x50, reg);
}

void x86_pop(struct x86 *x, unsigned reg)
{
    with_register(x, 0x58, reg);
}
