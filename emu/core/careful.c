/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Careful mode: instruction by instruction, with the checks that the engine does not make – MPU, UNALIGN_TRP
 * and the alignment of multiple accesses, DIV_0_TRP, NOCP by CPACR. Only blocks that need it under the
 * present configuration run this way; it costs some microseconds an instruction.
 */
#include "core/access.h"
#include "core/cycles.h"
#include "core/short_hook.h"

#define CPACR_CP10_PRIVILEGED 0x00100000u
#define CPACR_CP10_FULL       0x00300000u
#define CONTROL_FPCA          4u
#define FPCCR_ASPEN           (1u << 31)

static bool fpu_enabled(const struct cpu *cpu, bool privileged)
{
    uint32_t access = cpu->scb.cpacr & CPACR_CP10_FULL;
    return access == CPACR_CP10_FULL || (access == CPACR_CP10_PRIVILEGED && privileged);
}

/* True if an enabled region of the MPU could refuse a privileged access to flash or RAM. */
static bool restricts_memory(const struct cpu *cpu)
{
    const struct {
        uint64_t from, to;
    } memory[] = {{0, cpu->flash_size},
                  {CODE_RAM_BASE, CODE_RAM_BASE + cpu->ram_size},
                  {RAM_BASE, RAM_BASE + cpu->ram_size}};
    for (unsigned n = 0; n < MPU_REGIONS; n++) {
        uint32_t rasr = cpu->mpu.rasr[n];
        unsigned permission = rasr >> 24 & 7;
        if (!(rasr & 1) || ((permission == 1 || permission == 2 || permission == 3) && !(rasr >> 28 & 1)))
            continue;
        uint64_t size = 2ull << (rasr >> 1 & 0x1f);
        uint64_t from = cpu->mpu.rbar[n] & ~(size - 1);
        for (unsigned m = 0; m < sizeof memory / sizeof memory[0]; m++) {
            if (from < memory[m].to && from + size > memory[m].from)
                return true;
        }
    }
    return false;
}

void cpu_update_careful(struct cpu *cpu)
{
    uint16_t flags = 0;
    if (!fpu_enabled(cpu, false))
        flags |= BLOCK_FP;
    /* The engine begins each FP context with FPSCR 0, and as if FPCCR.ASPEN were set. */
    if (cpu->scb.fpdscr || !(cpu->scb.fpccr & FPCCR_ASPEN))
        flags |= BLOCK_FP;
    if (cpu->scb.ccr & CCR_DIV_0_TRP)
        flags |= BLOCK_DIVIDES;
    if (cpu->scb.ccr & CCR_UNALIGN_TRP)
        flags |= BLOCK_MEMORY | BLOCK_MULTIPLE;
    if (flags != cpu->careful_flags)
        short_hook_forget_all(cpu);
    cpu->careful_flags = flags;
    /* Register accesses are checked where they arrive (cpu_hooks.c); only memory needs this. */
    cpu->careful_always =
        (cpu->mpu.ctrl & MPU_CTRL_ENABLE) &&
        (!(cpu->mpu.ctrl & MPU_CTRL_PRIVDEFENA) || restricts_memory(cpu) || !cpu_privileged(cpu));
}

/* True if the instruction at `pc` is in an IT block and its condition fails, so that it does nothing. */
static bool skipped_by_it(uint32_t xpsr)
{
    unsigned it = (xpsr >> 25 & 3) | (xpsr >> 8 & 0xfc);
    if (!(it & 0xf))
        return false;
    bool n = xpsr >> 31, z = xpsr >> 30 & 1, c = xpsr >> 29 & 1, v = xpsr >> 28 & 1;
    const bool condition[8] = {z, c, n, v, c && !z, n == v, !z && n == v, true};
    unsigned code = it >> 4;
    bool passed = condition[code >> 1];
    return code != 0xf && (code & 1) == passed;
}

/* Raises what the instruction must raise before it does anything. True if it did. */
static bool check(struct cpu *cpu, uint32_t pc, const struct instruction_access *access)
{
    bool privileged = cpu_privileged(cpu);
    if (access->uses_fpu && !fpu_enabled(cpu, privileged)) {
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_NOCP, pc);
        return true;
    }
    if (access->divides_by_zero && cpu->scb.ccr & CCR_DIV_0_TRP) {
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_DIVBYZERO, pc);
        return true;
    }
    if (!access->accesses)
        return false;
    bool trap = access->aligned_only || (cpu->scb.ccr & CCR_UNALIGN_TRP);
    if (trap && access->address & (access->unit - 1)) {
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_UNALIGNED, pc);
        return true;
    }
    enum cpu_access kind = access->writes ? ACCESS_WRITE : ACCESS_READ;
    for (uint32_t at = 0; at < access->length; at += access->unit) {
        if (mpu_allows(cpu, access->address + at, kind, privileged))
            continue;
        cpu->scb.mmfar = access->address + at;
        cpu_fault(cpu, EXC_MEMMANAGE, CFSR_DACCVIOL | CFSR_MMARVALID, pc);
        return true;
    }
    return false;
}

static void charge(struct cpu *cpu, uint32_t pc, uint32_t size)
{
    uint8_t code[4];
    struct block_info info;
    uint32_t expected = cpu->expected;
    cpu->expected = pc + size;
    if (cpu_peek(cpu, pc, code, size))
        return;
    info.address = pc;
    block_measure(&info, code, size);
    cpu->bus->clock.now += info.cycles + (pc != expected ? CYCLES_BRANCH : 0);
    if (info.flags & BLOCK_SEV)
        cpu->event_register = true;
}

/* Begins an FP context as FPCCR and FPDSCR say, before the engine would. True if FPCA must not stay set. */
static bool begin_fp_context(struct cpu *cpu)
{
    uint32_t control = 0;
    uc_reg_read(cpu->uc, UC_ARM_REG_CONTROL, &control);
    if (control & CONTROL_FPCA)
        return false;
    cpu_set_control(cpu, control | CONTROL_FPCA);
    if (!(cpu->scb.fpccr & FPCCR_ASPEN))
        return true;
    uc_reg_write(cpu->uc, UC_ARM_REG_FPSCR, &cpu->scb.fpdscr);
    return false;
}

static void end_fp_context(struct cpu *cpu)
{
    uint32_t control = 0;
    uc_reg_read(cpu->uc, UC_ARM_REG_CONTROL, &control);
    cpu_set_control(cpu, control & 3);
}

void cpu_careful_block(struct cpu *cpu)
{
    uint32_t pc = cpu_reg(cpu, 15);
    struct instruction_access access;
    if (!mpu_allows(cpu, pc, ACCESS_FETCH, cpu_privileged(cpu))) {
        cpu_fault(cpu, EXC_MEMMANAGE, CFSR_IACCVIOL, pc);
        return;
    }
    if (access_predict(cpu, pc, &access))
        access = (struct instruction_access){.size = 2};
    if (!skipped_by_it(cpu_reg(cpu, 16)) && check(cpu, pc, &access))
        return;
    cpu->block_address = pc;
    charge(cpu, pc, access.size);
    cpu->careful = true;
    cpu->careful_begun = false;
    uc_ctl_remove_cache(cpu->uc, pc, pc + 4);
    /* What is pending must be looked at after each instruction: this one may unmask or pend it. And where its
     * branch goes, the block hook has to be called. */
    clock_kick(&cpu->bus->clock);
    bool transient_fp = access.uses_fpu && begin_fp_context(cpu);
    uc_err error = cpu_engine_run(cpu, pc, pc + access.size);
    if (transient_fp)
        end_fp_context(cpu);
    uc_ctl_remove_cache(cpu->uc, pc, pc + 4);
    cpu->careful = false;
    cpu_after_engine(cpu, error);
}

uint32_t cpu_find_access(struct cpu *cpu, uint32_t address, enum cpu_access kind)
{
    uint32_t end = cpu->expected;
    struct instruction_access access;
    for (uint32_t pc = cpu->block_address; pc < end && !access_predict(cpu, pc, &access); pc += access.size) {
        if (access.accesses && access.writes == (kind == ACCESS_WRITE) &&
            address - access.address < access.length)
            return pc;
    }
    return cpu->block_address;
}
