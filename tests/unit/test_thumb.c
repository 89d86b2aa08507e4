/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read off Thumb encodings, against a disassembler. */
#include "core/bus.h"
#include "core/thumb.h"

#include <capstone/capstone.h>
#include <criterion/criterion.h>

#define PC    0x00012344u
#define TRIES 2000

static csh handle;

static void open_disassembler(void)
{
    cr_assert_eq(cs_open(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS, &handle), CS_ERR_OK);
    cr_assert_eq(cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON), CS_ERR_OK);
}

static void close_disassembler(void)
{
    cs_close(&handle);
}

TestSuite(thumb, .init = open_disassembler, .fini = close_disassembler);

/* What the disassembler makes of it; to be freed. NULL if there is no such instruction. */
static cs_insn *disassemble(uint32_t op, unsigned size)
{
    uint16_t code[2] = {(uint16_t)op, 0};
    cs_insn *found = NULL;
    if (size == 4) {
        code[0] = (uint16_t)(op >> 16);
        code[1] = (uint16_t)op;
    }
    return cs_disasm(handle, (const uint8_t *)code, size, PC, 1, &found) ? found : NULL;
}

typedef uint32_t target_of(uint32_t op, uint32_t pc);

/* Random ones of the instructions that have these bits. */
static void compare_targets(uint32_t mask, uint32_t bits, unsigned size, target_of *target)
{
    uint64_t stream = bits;
    unsigned compared = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        uint32_t op = (random_next(&stream) & ~mask) | bits;
        cs_insn *found = disassemble(size == 2 ? op & 0xffff : op, size);
        if (!found)
            continue;
        const cs_arm *arm = &found->detail->arm;
        const cs_arm_op *last = &arm->operands[arm->op_count - 1];
        cr_assert_eq(last->type, ARM_OP_IMM, "%s %s", found->mnemonic, found->op_str);
        cr_expect_eq((uint32_t)last->imm, target(op, PC), "%08x is %s %s", op, found->mnemonic,
                     found->op_str);
        cs_free(found, 1);
        compared++;
    }
    cr_expect_gt(compared, TRIES / 2);
}

Test(thumb, branches_of_16_bits)
{
    compare_targets(0xfffff800u, 0xe000, 2, thumb_b_target);
    for (uint32_t condition = 0; condition < 14; condition++)
        compare_targets(0xffffff00u, 0xd000 | condition << 8, 2, thumb_b_if_target);
    compare_targets(0xfffffd00u, 0xb100, 2, thumb_cbz_target);
    compare_targets(0xfffffd00u, 0xb900, 2, thumb_cbz_target);
}

Test(thumb, branches_of_32_bits)
{
    compare_targets(0xf800d000u, 0xf000d000u, 4, thumb_bl_target);
    compare_targets(0xf800d000u, 0xf0009000u, 4, thumb_bl_target);
    for (uint32_t condition = 0; condition < 14; condition++)
        compare_targets(0xfbc0d000u, 0xf0008000u | condition << 22, 4, thumb_b_if_w_target);
}

Test(thumb, which_branch_it_is)
{
    uint64_t stream = 1;
    unsigned calls = 0, jumps = 0;
    for (unsigned i = 0; i < 20 * TRIES; i++) {
        uint32_t op = (random_next(&stream) & 0x07ffffffu) | 0xf0000000u;
        cs_insn *found = disassemble(op, 4);
        if (!found)
            continue;
        cr_expect_eq(thumb_is_bl(op), found->id == ARM_INS_BL, "%08x is %s", op, found->mnemonic);
        bool is_jump = found->id == ARM_INS_B && found->detail->arm.cc == ARM_CC_AL;
        cr_expect_eq(thumb_is_b_w(op), is_jump, "%08x is %s", op, found->mnemonic);
        calls += found->id == ARM_INS_BL;
        jumps += is_jump;
        cs_free(found, 1);
    }
    cr_expect_gt(calls, 100u);
    cr_expect_gt(jumps, 100u);
}

Test(thumb, sizes)
{
    for (uint32_t first = 0; first < 0x10000; first++) {
        cs_insn *found = disassemble(first << 16, 4);
        if (found)
            cr_expect_eq(thumb_size((uint16_t)first), found->size, "%04x is %s", first, found->mnemonic);
        cs_free(found, found ? 1 : 0);
    }
}
