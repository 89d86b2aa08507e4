/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/access.h"

#include "core/cycles.h"
#include "core/thumb.h"

#include <capstone/capstone.h>
#include <string.h>

static bool open_disassembler(struct cpu *cpu)
{
    if (cpu->disassembler)
        return true;
    csh handle;
    if (cs_open(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS, &handle) != CS_ERR_OK)
        return false;
    cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
    cpu->disassembler = handle;
    return true;
}

void access_close(struct cpu *cpu)
{
    csh handle = cpu->disassembler;
    if (handle)
        cs_close(&handle);
    cpu->disassembler = 0;
}

/* Value of a Capstone register as an address base; the PC reads as the aligned address four bytes on. */
static uint32_t register_value(const struct cpu *cpu, unsigned id, uint32_t pc)
{
    switch (id) {
    case ARM_REG_SP:
        return cpu_reg(cpu, 13);
    case ARM_REG_LR:
        return cpu_reg(cpu, 14);
    case ARM_REG_PC:
        return (pc + 4) & ~3u;
    default:
        return id >= ARM_REG_R0 && id <= ARM_REG_R12 ? cpu_reg(cpu, id - ARM_REG_R0) : 0;
    }
}

static uint32_t memory_address(const struct cpu *cpu, const cs_arm_op *op, uint32_t pc)
{
    uint32_t address = register_value(cpu, op->mem.base, pc) + (uint32_t)op->mem.disp;
    if (op->mem.index == ARM_REG_INVALID)
        return address;
    uint32_t index = register_value(cpu, op->mem.index, pc);
    if (op->shift.type == ARM_SFT_LSL)
        index <<= op->shift.value;
    else if (op->mem.lshift)
        index <<= op->mem.lshift;
    return address + index;
}

/* Unit and number of bytes of a single load or store, by its mnemonic; false if it is none. */
static bool single_access(unsigned id, struct instruction_access *access)
{
    access->unit = 4;
    access->length = 4;
    switch (id) {
    case ARM_INS_STRB:
    case ARM_INS_STRBT:
    case ARM_INS_STREXB:
        access->writes = true; /* fall through */
    case ARM_INS_LDRB:
    case ARM_INS_LDRSB:
    case ARM_INS_LDRBT:
    case ARM_INS_LDRSBT:
    case ARM_INS_LDREXB:
    case ARM_INS_TBB:
        access->unit = access->length = 1;
        return true;
    case ARM_INS_STRH:
    case ARM_INS_STRHT:
    case ARM_INS_STREXH:
        access->writes = true; /* fall through */
    case ARM_INS_LDRH:
    case ARM_INS_LDRSH:
    case ARM_INS_LDRHT:
    case ARM_INS_LDRSHT:
    case ARM_INS_LDREXH:
    case ARM_INS_TBH:
        access->unit = access->length = 2;
        return true;
    case ARM_INS_STRD:
        access->writes = true; /* fall through */
    case ARM_INS_LDRD:
        access->length = 8;
        access->aligned_only = true;
        return true;
    case ARM_INS_VSTR:
    case ARM_INS_STREX:
        access->writes = true; /* fall through */
    case ARM_INS_VLDR:
    case ARM_INS_LDREX:
        access->aligned_only = true;
        return true;
    case ARM_INS_STR:
    case ARM_INS_STRT:
        access->writes = true; /* fall through */
    case ARM_INS_LDR:
    case ARM_INS_LDRT:
        return true;
    default:
        return false;
    }
}

/* Loads and stores of register lists: `list_from` is the operand where the list begins. */
static bool multiple_access(const struct cpu *cpu, const cs_insn *insn, struct instruction_access *access)
{
    const cs_arm *arm = &insn->detail->arm;
    bool stack = insn->id == ARM_INS_PUSH || insn->id == ARM_INS_POP || insn->id == ARM_INS_VPUSH ||
                 insn->id == ARM_INS_VPOP;
    bool down = insn->id == ARM_INS_PUSH || insn->id == ARM_INS_VPUSH || insn->id == ARM_INS_STMDB ||
                insn->id == ARM_INS_LDMDB || insn->id == ARM_INS_VSTMDB || insn->id == ARM_INS_VLDMDB;
    switch (insn->id) {
    case ARM_INS_PUSH:
    case ARM_INS_VPUSH:
    case ARM_INS_STM:
    case ARM_INS_STMDB:
    case ARM_INS_VSTMIA:
    case ARM_INS_VSTMDB:
        access->writes = true;
        break;
    case ARM_INS_POP:
    case ARM_INS_VPOP:
    case ARM_INS_LDM:
    case ARM_INS_LDMDB:
    case ARM_INS_VLDMIA:
    case ARM_INS_VLDMDB:
        break;
    default:
        return false;
    }
    unsigned first = stack ? 0 : 1;
    uint32_t bytes = 0;
    for (unsigned i = first; i < arm->op_count; i++) {
        unsigned id = (unsigned)arm->operands[i].reg;
        bytes += id >= ARM_REG_D0 && id <= ARM_REG_D31 ? 8 : 4;
    }
    uint32_t base = stack ? cpu_reg(cpu, 13) : register_value(cpu, (unsigned)arm->operands[0].reg, 0);
    access->address = down ? base - bytes : base;
    access->length = bytes;
    access->unit = 4;
    access->aligned_only = true;
    access->accesses = true;
    return true;
}

static void describe(struct cpu *cpu, const cs_insn *insn, uint32_t pc, struct instruction_access *access)
{
    const cs_arm *arm = &insn->detail->arm;
    if ((insn->id == ARM_INS_UDIV || insn->id == ARM_INS_SDIV) && arm->op_count)
        access->divides_by_zero = !register_value(cpu, (unsigned)arm->operands[arm->op_count - 1].reg, pc);
    if (multiple_access(cpu, insn, access) || !single_access(insn->id, access))
        return;
    for (unsigned i = 0; i < arm->op_count; i++) {
        if (arm->operands[i].type != ARM_OP_MEM)
            continue;
        access->address = memory_address(cpu, &arm->operands[i], pc);
        access->accesses = true;
        unsigned loaded = (unsigned)arm->operands[0].reg;
        if ((insn->id == ARM_INS_VLDR || insn->id == ARM_INS_VSTR) && loaded >= ARM_REG_D0 &&
            loaded <= ARM_REG_D31)
            access->length = 8;
        if (insn->id == ARM_INS_TBH)
            access->address = register_value(cpu, arm->operands[i].mem.base, pc) +
                              2 * register_value(cpu, arm->operands[i].mem.index, pc);
    }
}

int access_predict(struct cpu *cpu, uint32_t pc, struct instruction_access *access)
{
    uint8_t code[4] = {0};
    memset(access, 0, sizeof *access);
    if (cpu_peek(cpu, pc, code, 2) || !open_disassembler(cpu))
        return -1;
    uint16_t first = (uint16_t)(code[0] | code[1] << 8);
    access->size = thumb_size(first);
    if (access->size == 4 && cpu_peek(cpu, pc + 2, code + 2, 2))
        return -1;
    struct block_info info = {.address = pc};
    block_measure(&info, code, access->size);
    access->uses_fpu = info.flags & BLOCK_FP;
    cs_insn *insn;
    size_t count = cs_disasm(cpu->disassembler, code, access->size, pc, 1, &insn);
    if (!count)
        return -1;
    describe(cpu, insn, pc, access);
    cs_free(insn, count);
    return 0;
}
