/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/cpu.h"

#include "core/access.h"
#include "core/cycles.h"
#include "core/fast_store.h"
#include "core/precise.h"
#include "core/spin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INFO_BASE         0x10000000u
#define UICR_END          0x10002000u
#define XIP_BASE          0x12000000u
#define XIP_SIZE          0x08000000u
#define PPB_BASE          0xe0000000u
#define PPB_SIZE          0x00100000u
#define PAGE              0x1000u
#define ENGINE_DATA_ABORT 4             /* the engine's number of an alignment fault */
#define NOWHERE           0xfffffff0ull /* never an instruction's address: 'until' for a free run */

/* --- hooks ------------------------------------------------------------------------------------------------
 */

static struct block_info *lookup_block(struct cpu *cpu, uint32_t address, uint32_t size)
{
    struct block_info *info = &cpu->blocks[address >> 1 & ((1u << BLOCK_CACHE_BITS) - 1)];
    if (info->address == address && info->size == size && !(info->flags & BLOCK_CHANGES))
        return info;
    const uint8_t *code = NULL;
    uint32_t offset = address - RAM_BASE;
    bool in_ram = false;
    if (address < cpu->flash_size && size <= cpu->flash_size - address) {
        code = cpu->flash + address;
        cpu->flash_code[address >> 12] = 1;
        cpu->ran_code[address >> 12] |= 1;
    } else {
        if (address - CODE_RAM_BASE < cpu->ram_size)
            offset = address - CODE_RAM_BASE;
        if (offset < cpu->ram_size && size <= cpu->ram_size - offset)
            code = cpu->ram + offset;
        in_ram = code != NULL;
    }
    if (in_ram && !cpu->ram_code[offset >> 12]) {
        cpu->ram_code[offset >> 12] = 1;
        fast_store_code_page(cpu, RAM_BASE + offset);
    }
    info->address = address;
    if (code)
        block_measure(info, code, size);
    else
        memset(info, 0, sizeof *info);
    /* Code in RAM can change without notice, so it is measured each time. */
    if (in_ram || !code)
        info->flags |= BLOCK_CHANGES;
    info->address = address;
    info->size = (uint16_t)size;
    return info;
}

static bool must_stop(const struct cpu *cpu)
{
    return cpu->failure[0] || cpu->reset_asked || cpu->stop_asked || cpu->bus->clock.now >= cpu->until ||
           cpu->ports.held(cpu->ports.context);
}

/* Begins to note anew which pages run; known blocks are forgotten, so that each is seen as new. */
static void start_ran_window(struct cpu *cpu)
{
    memset(cpu->blocks, 0xff, (1u << BLOCK_CACHE_BITS) * sizeof *cpu->blocks);
    for (uint32_t page = 0; page < cpu->flash_size >> 12; page++)
        cpu->ran_code[page] = (cpu->ran_code[page] & 1) << 1;
    cpu->ran_window = cpu->bus->clock.now + CYCLES_PER_SECOND;
}

/* Looks at events, stop requests and interrupts; true if the engine has to stop before this block. */
static bool slow_path(struct cpu *cpu)
{
    struct clock *clock = &cpu->bus->clock;
    clock_run_due(clock);
    if (must_stop(cpu))
        return true;
    cpu->cache_is_on = cpu->ports.cache_on(cpu->ports.context);
    if (clock->now >= cpu->ran_window)
        start_ran_window(cpu);
    cpu_update_careful(cpu);
    clock->deadline = clock_next_event(clock) < cpu->until ? clock_next_event(clock) : cpu->until;
    if (cpu_mend_control(cpu))
        return true;
    if (cpu->exc.pending & cpu->exc.enabled) {
        struct exception_masks masks = cpu_masks(cpu);
        if (exceptions_to_take(&cpu->exc, &masks))
            return true;
    }
    return false;
}

static void call_watches(struct cpu *cpu, uint32_t address, uint32_t size)
{
    for (unsigned i = 0; i < cpu->watches; i++) {
        if (cpu->watch[i].address - address < size)
            cpu->watch[i].fn(cpu->watch[i].context, cpu, cpu->watch[i].address);
    }
}

const struct block_info *cpu_block(const struct cpu *cpu, uint32_t address)
{
    const struct block_info *info = &cpu->blocks[address >> 1 & ((1u << BLOCK_CACHE_BITS) - 1)];
    return info->address == address && !(info->flags & BLOCK_CHANGES) ? info : NULL;
}

uint32_t cpu_block_cycles(const struct cpu *cpu, const struct block_info *info, uint32_t expected)
{
    bool branched = info->address != expected;
    uint32_t cycles = info->cycles + (branched ? CYCLES_BRANCH : 0u);
    if (!cpu->cache_is_on && info->address < cpu->flash_size)
        cycles += info->fetch +
                  (branched && info->address >> 4 != (expected - 1) >> 4 ? CYCLES_UNCACHED_BRANCH : 0u);
    return cycles;
}

/*
 * Picks a block now and then and sees if it comes again and again within a few blocks. By then the trail
 * holds nothing but this loop, so that skipping whole rounds leaves it as it would be.
 */
static void look_for_spin(struct cpu *cpu, uint32_t address)
{
    if (address != cpu->spin_head) {
        if (++cpu->spin_age > SPIN_MAX_BLOCKS) {
            cpu->spin_head = address;
            cpu->spin_age = cpu->spin_count = 0;
        }
        return;
    }
    cpu->spin_age = 0;
    if (++cpu->spin_count <= CPU_TRAIL)
        return;
    cpu->spin_count = spin_skip(cpu, address) ? CPU_TRAIL - 1 : 0;
}

static void note_fault(struct cpu *cpu, uint32_t address, unsigned size, enum cpu_access access)
{
    if (cpu->fault_pending)
        return;
    cpu->fault_pending = true;
    cpu->fault_address = address;
    cpu->fault_size = size;
    cpu->fault_kind = (uint8_t)access;
    cpu->fault_is_precise = false;
    if (access == ACCESS_FETCH)
        return;
    uc_emu_stop(cpu->uc);
    precise_abort(cpu);
}

void cpu_unaligned(struct cpu *cpu)
{
    cpu->intno = ENGINE_DATA_ABORT;
    uc_emu_stop(cpu->uc);
    precise_abort(cpu);
}

static void stop_here(struct cpu *cpu)
{
    cpu->hook_stopped = true;
    uc_emu_stop(cpu->uc);
}

static void on_block(uc_engine *uc, uint64_t address64, uint32_t size, void *user)
{
    struct cpu *cpu = user;
    struct clock *clock = &cpu->bus->clock;
    uint32_t address = (uint32_t)address64;
    (void)uc;
    if (cpu->careful) {
        /* One instruction was asked for; the second time this is where its branch went, maybe to itself. */
        if (cpu->careful_begun)
            stop_here(cpu);
        cpu->careful_begun = true;
        return;
    }
    if (cpu->watches)
        call_watches(cpu, address, size);
    if (clock->now >= clock->deadline && slow_path(cpu)) {
        stop_here(cpu);
        return;
    }
    if (address >= CLREX_BASE && address < CLREX_BASE + PAGE) {
        note_fault(cpu, address, size, ACCESS_FETCH);
        stop_here(cpu);
        return;
    }
    const struct block_info *info = lookup_block(cpu, address, size);
    if (cpu->careful_always || info->flags & cpu->careful_flags) {
        cpu->careful_next = true;
        stop_here(cpu);
        return;
    }
    if (cpu->speed.skip_spins)
        look_for_spin(cpu, address);
    clock->now += cpu_block_cycles(cpu, info, cpu->expected);
    cpu->expected = address + size;
    cpu->block_address = address;
    cpu->block_size = size;
    cpu->trail[cpu->trail_next++ % CPU_TRAIL] = address;
    if (info->flags & (BLOCK_LDREX | BLOCK_STREX))
        cpu->monitor_open = info->flags & BLOCK_LDREX;
    if (info->flags & (BLOCK_UNMASKS | BLOCK_SEV)) {
        if (info->flags & BLOCK_SEV)
            cpu->event_register = true;
        clock_kick(clock);
    }
}

static void on_interrupt(uc_engine *uc, uint32_t intno, void *user)
{
    struct cpu *cpu = user;
    cpu->intno = (int)intno;
    uc_emu_stop(uc);
}

/* Accesses to memory that is not there, and fetches from what must not be executed. */
static bool on_unmapped(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                        void *user)
{
    (void)uc;
    (void)value;
    enum cpu_access access = type == UC_MEM_WRITE_UNMAPPED                                ? ACCESS_WRITE
                             : type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT ? ACCESS_FETCH
                                                                                          : ACCESS_READ;
    note_fault(user, (uint32_t)address, (unsigned)size, access);
    return false;
}

/* Stores to flash go to the flash controller; the engine drops the store itself. */
static bool on_write_protected(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                               void *user)
{
    struct cpu *cpu = user;
    (void)uc;
    (void)type;
    if (address < cpu->flash_size &&
        !cpu->ports.store_flash(cpu->ports.context, (uint32_t)address, (unsigned)size, (uint32_t)value))
        return true;
    note_fault(cpu, (uint32_t)address, (unsigned)size, ACCESS_WRITE);
    return true;
}

/* The MPU's view of a register access; memory is checked in careful mode. */
static bool mpu_refuses(const struct cpu *cpu, uint32_t address, enum cpu_access access)
{
    return (cpu->mpu.ctrl & 1) && !mpu_allows(cpu, address, access, cpu_privileged(cpu));
}

static int load(struct cpu *cpu, uint32_t address, unsigned size, uint32_t *value)
{
    if (mpu_refuses(cpu, address, ACCESS_READ))
        return -1;
    if (address >= PPB_BASE)
        return scs_read(cpu, address, size, value);
    if (address >= XIP_BASE && address < XIP_BASE + XIP_SIZE)
        return cpu->ports.load_xip(cpu->ports.context, address - XIP_BASE, size, value);
    cpu->bus->clock.now += CYCLES_PERIPHERAL;
    return bus_read(cpu->bus, address, size, value);
}

static int store(struct cpu *cpu, uint32_t address, unsigned size, uint32_t value)
{
    if (mpu_refuses(cpu, address, ACCESS_WRITE))
        return -1;
    if (address >= PPB_BASE)
        return scs_write(cpu, address, size, value);
    if (address >= INFO_BASE && address < UICR_END)
        return cpu->ports.store_flash(cpu->ports.context, address, size, value);
    if (address >= XIP_BASE && address < XIP_BASE + XIP_SIZE)
        return -1;
    cpu->bus->clock.now += CYCLES_PERIPHERAL;
    return bus_write(cpu->bus, address, size, value);
}

static uint64_t on_mmio_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    struct cpu_region *region = user;
    struct cpu *cpu = region->cpu;
    uint32_t address = region->base + (uint32_t)offset;
    uint32_t value = 0;
    (void)uc;
    if (!cpu->fault_pending && load(cpu, address, size, &value))
        note_fault(cpu, address, size, ACCESS_READ);
    return value;
}

static void on_mmio_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    struct cpu_region *region = user;
    struct cpu *cpu = region->cpu;
    uint32_t address = region->base + (uint32_t)offset;
    (void)uc;
    if (!cpu->fault_pending && store(cpu, address, size, (uint32_t)value))
        note_fault(cpu, address, size, ACCESS_WRITE);
}

/* --- set-up -----------------------------------------------------------------------------------------------
 */

static int engine_failed(struct cpu *cpu, const char *what, uc_err error)
{
    snprintf(cpu->failure, sizeof cpu->failure, "%s: %s", what, uc_strerror(error));
    return -1;
}

static uc_err map_mmio(struct cpu *cpu, uint32_t base, uint32_t size)
{
    if (cpu->region_count == CPU_MAX_REGIONS)
        return UC_ERR_NOMEM;
    struct cpu_region *region = &cpu->regions[cpu->region_count++];
    region->cpu = cpu;
    region->base = base;
    return uc_mmio_map(cpu->uc, base, size, on_mmio_read, region, on_mmio_write, region);
}

static int map_memory(struct cpu *cpu)
{
    /* Mapped writable and then protected: mapped read-only from the start, the engine still lets stores
     * through. */
    uc_err error = uc_mem_map_ptr(cpu->uc, 0, cpu->flash_size, UC_PROT_ALL, cpu->flash);
    if (!error)
        error = uc_mem_protect(cpu->uc, 0, cpu->flash_size, UC_PROT_READ | UC_PROT_EXEC);
    if (!error)
        error = uc_mem_map_ptr(cpu->uc, RAM_BASE, cpu->ram_size, UC_PROT_ALL, cpu->ram);
    if (!error)
        error = uc_mem_map_ptr(cpu->uc, CODE_RAM_BASE, cpu->ram_size, UC_PROT_ALL, cpu->ram);
    static const uint8_t clrex[] = {0xbf, 0xf3, 0x2f, 0x8f};
    if (!error)
        error = uc_mem_map(cpu->uc, CLREX_BASE, PAGE, UC_PROT_EXEC);
    if (!error)
        error = uc_mem_write(cpu->uc, CLREX_BASE, clrex, sizeof clrex);
    if (!error)
        error = map_mmio(cpu, XIP_BASE, XIP_SIZE);
    if (!error)
        error = map_mmio(cpu, PPB_BASE, PPB_SIZE);
    /* Only pages with a block are mapped: elsewhere the engine makes a precise fault. */
    for (unsigned i = 0; !error && i < cpu->bus->blocks; i++)
        error = map_mmio(cpu, cpu->bus->block[i]->base, 0x1000);
    return error ? engine_failed(cpu, "cannot map memory", error) : 0;
}

static int add_hooks(struct cpu *cpu)
{
    const struct {
        int type;
        void *fn;
    } hooks[] = {
        {UC_HOOK_BLOCK, (void *)(uintptr_t)on_block},
        {UC_HOOK_INTR, (void *)(uintptr_t)on_interrupt},
        {UC_HOOK_MEM_UNMAPPED | UC_HOOK_MEM_READ_PROT | UC_HOOK_MEM_FETCH_PROT,
         (void *)(uintptr_t)on_unmapped},
        {UC_HOOK_MEM_WRITE_PROT, (void *)(uintptr_t)on_write_protected},
    };
    for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
        uc_hook hook;
        uc_err error = uc_hook_add(cpu->uc, &hook, hooks[i].type, hooks[i].fn, cpu, 1, 0);
        if (error)
            return engine_failed(cpu, "cannot add a hook", error);
    }
    return 0;
}

static void set_irq(void *context, unsigned irq, bool level)
{
    struct cpu *cpu = context;
    exceptions_set_line(&cpu->exc, irq, level);
    clock_kick(&cpu->bus->clock);
}

static void ask_reset(void *context, enum reset_cause cause)
{
    struct cpu *cpu = context;
    cpu->reset_asked = true;
    cpu->reset_cause = cause;
    clock_kick(&cpu->bus->clock);
}

static void ram_written(void *context, uint32_t address, uint32_t size)
{
    cpu_code_changed(context, address, size);
}

static bool fetching_flash(void *context)
{
    return cpu_reg(context, 15) < ((struct cpu *)context)->flash_size;
}

int cpu_init(struct cpu *cpu, struct bus *bus, uint8_t *flash, uint32_t flash_size, uint8_t *ram,
             uint32_t ram_size, const struct cpu_ports *ports, const struct cpu_speed *speed)
{
    memset(cpu, 0, sizeof *cpu);
    cpu->bus = bus;
    cpu->flash = flash;
    cpu->flash_size = flash_size;
    cpu->ram = ram;
    cpu->ram_size = ram_size;
    cpu->ports = *ports;
    cpu->speed = *speed;
    cpu->intno = -1;
    cpu->blocks = calloc(1u << BLOCK_CACHE_BITS, sizeof *cpu->blocks);
    cpu->ram_code = calloc(ram_size >> 12, 1);
    cpu->flash_code = calloc(flash_size >> 12, 1);
    cpu->ran_code = calloc(flash_size >> 12, 1);
    if (!cpu->blocks || !cpu->ram_code || !cpu->flash_code || !cpu->ran_code)
        return engine_failed(cpu, "out of memory", UC_ERR_NOMEM);
    fast_store_find(cpu);
    uc_err error = uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &cpu->uc);
    if (!error)
        error = uc_ctl_set_cpu_model(cpu->uc, UC_CPU_ARM_CORTEX_M4);
    if (error)
        return engine_failed(cpu, "cannot start the engine", error);
    bus->irq = set_irq;
    bus->irq_context = cpu;
    bus->reset = ask_reset;
    bus->reset_context = cpu;
    bus->ram_written = ram_written;
    bus->ram_written_context = cpu;
    bus->fetching_flash = fetching_flash;
    bus->fetching_flash_context = cpu;
    scs_init(cpu);
    return map_memory(cpu) || add_hooks(cpu) ? -1 : 0;
}

void cpu_destroy(struct cpu *cpu)
{
    access_close(cpu);
    if (cpu->uc)
        uc_close(cpu->uc);
    free(cpu->blocks);
    free(cpu->ram_code);
    free(cpu->flash_code);
    free(cpu->ran_code);
    memset(cpu, 0, sizeof *cpu);
}

void cpu_reset(struct cpu *cpu)
{
    start_ran_window(cpu);
    memset(cpu->ran_code, 0, cpu->flash_size >> 12);
    scs_reset(cpu);
    cpu->event_register = cpu->sleeping = cpu->locked_up = false;
    cpu->reset_asked = cpu->fault_pending = cpu->careful_next = cpu->monitor_open = false;
    cpu->intno = -1;
    cpu->expected = UINT32_MAX;
    for (unsigned i = 0; i < 13; i++)
        cpu_set_reg(cpu, i, 0);
    const uint32_t zero = 0;
    const int masks[] = {UC_ARM_REG_PRIMASK, UC_ARM_REG_BASEPRI, UC_ARM_REG_FAULTMASK, UC_ARM_REG_FPSCR,
                         UC_ARM_REG_PSP};
    cpu_set_mode(cpu, 0, 0);
    for (unsigned i = 0; i < sizeof masks / sizeof masks[0]; i++)
        uc_reg_write(cpu->uc, masks[i], &zero);
    for (int i = 0; i < 32; i++)
        uc_reg_write(cpu->uc, UC_ARM_REG_S0 + i, &zero);
    uint32_t vector[2] = {0, 0};
    cpu_peek(cpu, 0, vector, sizeof vector);
    cpu_set_reg(cpu, 13, vector[0] & ~3u);
    cpu_set_reg(cpu, 14, 0xffffffffu);
    uint32_t xpsr = vector[1] & 1 ? 1u << 24 : 0;
    uc_reg_write(cpu->uc, UC_ARM_REG_XPSR_NZCVQG, &xpsr);
    cpu_set_reg(cpu, 15, vector[1] & ~1u);
    clock_kick(&cpu->bus->clock);
    if (!(vector[1] & 1))
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_INVSTATE, vector[1]);
}

/* --- running ----------------------------------------------------------------------------------------------
 */

uc_err cpu_engine_run(struct cpu *cpu, uint32_t pc, uint64_t stop_at)
{
    cpu->intno = -1;
    cpu->hook_stopped = false;
    fast_store_enter(cpu);
    precise_enter(cpu);
    uc_err error = uc_emu_start(cpu->uc, pc | 1u, stop_at, 0, 0);
    precise_leave();
    fast_store_leave();
    return error;
}

static void take_memory_fault(struct cpu *cpu)
{
    uint32_t address = cpu->fault_address;
    cpu->fault_pending = false;
    if (cpu->fault_kind == ACCESS_FETCH) {
        if (!mpu_allows(cpu, address, ACCESS_FETCH, true))
            cpu_fault(cpu, EXC_MEMMANAGE, CFSR_IACCVIOL, address & ~1u);
        else
            cpu_fault(cpu, EXC_BUSFAULT, CFSR_IBUSERR, address & ~1u);
        return;
    }
    uint32_t pc = cpu->fault_is_precise ? cpu_reg(cpu, 15) : cpu_find_access(cpu, address, cpu->fault_kind);
    if (mpu_refuses(cpu, address, cpu->fault_kind)) {
        cpu->scb.mmfar = address;
        cpu_fault(cpu, EXC_MEMMANAGE, CFSR_DACCVIOL | CFSR_MMARVALID, pc);
        return;
    }
    cpu->scb.bfar = address;
    cpu_fault(cpu, EXC_BUSFAULT, CFSR_PRECISERR | CFSR_BFARVALID, pc);
}

/* SVC, breakpoint, EXC_RETURN, an unaligned access, or a fetch from a register page. */
static void take_interrupt(struct cpu *cpu, int intno)
{
    uint32_t pc = cpu_reg(cpu, 15);
    struct exception_masks masks = cpu_masks(cpu);
    switch (intno) {
    case 2:
        if (exceptions_group_priority(&cpu->exc, EXC_SVCALL) <
            exceptions_execution_priority(&cpu->exc, &masks))
            cpu_take_exception(cpu, EXC_SVCALL, pc);
        else
            cpu_hard_fault(cpu, HFSR_FORCED, pc - 2);
        return;
    case 7:
        cpu_hard_fault(cpu, HFSR_DEBUGEVT, pc);
        return;
    case 8:
        /* In thread mode the same value is just an address without memory. */
        if (cpu_reg(cpu, 16) & 0x1ff)
            cpu_exception_return(cpu, pc | 1u);
        else
            cpu_fault(cpu, EXC_MEMMANAGE, CFSR_IACCVIOL, pc & ~1u);
        return;
    case ENGINE_DATA_ABORT:
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_UNALIGNED, pc);
        return;
    case 3:
        cpu->fault_pending = true;
        cpu->fault_address = pc;
        cpu->fault_kind = ACCESS_FETCH;
        take_memory_fault(cpu);
        return;
    default:
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_UNDEFINSTR, pc);
    }
}

enum hint {
    HINT_NONE,
    HINT_NOP, /* YIELD, DBG: no effect */
    HINT_WFE,
    HINT_WFI,
};

/* The hint instruction at an address; `size` gets its length. */
static enum hint hint_at(const struct cpu *cpu, uint32_t pc, uint32_t *size)
{
    uint16_t code[2] = {0, 0};
    if (cpu_peek(cpu, pc, code, 2))
        return HINT_NONE;
    *size = thumb_size(code[0]);
    unsigned number;
    if ((code[0] & 0xff0f) == 0xbf00)
        number = code[0] >> 4 & 0xf;
    else if (code[0] == 0xf3af && !cpu_peek(cpu, pc + 2, code + 1, 2) && (code[1] & 0xff00) == 0x8000)
        number = code[1] & 0xff;
    else
        return HINT_NONE;
    return number == 2 ? HINT_WFE : number == 3 ? HINT_WFI : HINT_NOP;
}

static void fall_asleep(struct cpu *cpu, bool for_event)
{
    cpu->sleeping = true;
    cpu->sleep_for_event = for_event;
    cpu->ports.sleeps(cpu->ports.context, true);
}

static void wait_for_event(struct cpu *cpu)
{
    if (cpu->event_register) {
        cpu->event_register = false;
        return;
    }
    fall_asleep(cpu, true);
}

/* The hint that ends the block being run, if the PC is right behind it. */
static enum hint hint_before(const struct cpu *cpu, uint32_t pc)
{
    uint32_t at = cpu->block_address, size = 0;
    uint16_t code;
    if (pc != cpu->block_address + cpu->block_size)
        return HINT_NONE;
    for (; at + 2 <= pc && !cpu_peek(cpu, at, &code, 2); at += thumb_size(code)) {
        if (at + thumb_size(code) == pc)
            return hint_at(cpu, at, &size);
    }
    return HINT_NONE;
}

/* The engine met an instruction that it does not know; hints are among them, with the PC behind them. */
static void take_invalid(struct cpu *cpu)
{
    uint32_t pc = cpu_reg(cpu, 15);
    if (!(cpu_reg(cpu, 16) >> 24 & 1)) {
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_INVSTATE, pc);
        return;
    }
    switch (hint_before(cpu, pc)) {
    case HINT_WFE:
        wait_for_event(cpu);
        return;
    case HINT_NONE:
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_UNDEFINSTR, pc);
        return;
    default:
        return;
    }
}

void cpu_after_engine(struct cpu *cpu, uc_err error)
{
    if (cpu->fault_pending) {
        take_memory_fault(cpu);
        return;
    }
    if (cpu->intno >= 0) {
        int intno = cpu->intno;
        cpu->intno = -1;
        take_interrupt(cpu, intno);
        return;
    }
    if (error == UC_ERR_INSN_INVALID) {
        take_invalid(cpu);
        return;
    }
    if (error) {
        engine_failed(cpu, "the engine stopped", error);
        return;
    }
    if (!cpu->hook_stopped && hint_before(cpu, cpu_reg(cpu, 15)) == HINT_WFI)
        fall_asleep(cpu, false);
}

/* True if what is pending wakes the CPU: WFI ignores PRIMASK, WFE with SEVONPEND takes any pending (B1.5.18).
 */
static bool wakes(struct cpu *cpu)
{
    if (cpu->sleep_for_event && cpu->event_register) {
        cpu->event_register = false;
        return true;
    }
    if (cpu->sleep_for_event && cpu->scb.scr & SCR_SEVONPEND && cpu->exc.pending)
        return true;
    struct exception_masks masks = cpu_masks(cpu);
    masks.primask = false;
    return exceptions_to_take(&cpu->exc, &masks) != 0;
}

/* Sleeps to the next event. */
static void sleep_on(struct cpu *cpu)
{
    struct clock *clock = &cpu->bus->clock;
    if (wakes(cpu)) {
        cpu->sleeping = false;
        cpu->ports.sleeps(cpu->ports.context, false);
        return;
    }
    uint64_t next = clock_next_event(clock);
    if (next > cpu->until)
        next = cpu->until;
    if (next > clock->now)
        clock->now = next;
    clock_run_due(clock);
}

static enum cpu_stop why_stopped(const struct cpu *cpu)
{
    if (cpu->failure[0])
        return CPU_STOP_ENGINE;
    if (cpu->reset_asked)
        return CPU_STOP_RESET;
    if (cpu->stop_asked)
        return CPU_STOP_ASKED;
    return cpu->bus->clock.now >= cpu->until ? CPU_STOP_TIME : CPU_STOP_HELD;
}

enum cpu_stop cpu_run(struct cpu *cpu, uint64_t until)
{
    cpu->until = until;
    cpu->stop_asked = false;
    while (!must_stop(cpu)) {
        if (cpu->sleeping) {
            sleep_on(cpu);
            continue;
        }
        struct exception_masks masks = cpu_masks(cpu);
        unsigned number = exceptions_to_take(&cpu->exc, &masks);
        if (number) {
            cpu_take_exception(cpu, number, cpu_reg(cpu, 15));
            continue;
        }
        if (cpu->careful_next) {
            cpu->careful_next = false;
            cpu_careful_block(cpu);
            continue;
        }
        clock_kick(&cpu->bus->clock);
        cpu_after_engine(cpu, cpu_engine_run(cpu, cpu_reg(cpu, 15), NOWHERE));
    }
    return why_stopped(cpu);
}

void cpu_stop(struct cpu *cpu)
{
    cpu->stop_asked = true;
    clock_kick(&cpu->bus->clock);
}

int cpu_watch(struct cpu *cpu, uint32_t address, void (*fn)(void *, struct cpu *, uint32_t), void *context)
{
    if (cpu->watches == CPU_MAX_WATCHES)
        return -1;
    cpu->watch[cpu->watches].address = address & ~1u;
    cpu->watch[cpu->watches].fn = fn;
    cpu->watch[cpu->watches++].context = context;
    return 0;
}

void cpu_unwatch_all(struct cpu *cpu)
{
    cpu->watches = 0;
}

/* --- looking in -------------------------------------------------------------------------------------------
 */

static int reg_id(unsigned number)
{
    static const int ids[] = {
        UC_ARM_REG_R0,  UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R4,   UC_ARM_REG_R5,
        UC_ARM_REG_R6,  UC_ARM_REG_R7, UC_ARM_REG_R8, UC_ARM_REG_R9, UC_ARM_REG_R10,  UC_ARM_REG_R11,
        UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR, UC_ARM_REG_PC, UC_ARM_REG_XPSR,
    };
    return ids[number];
}

uint32_t cpu_reg(const struct cpu *cpu, unsigned number)
{
    uint32_t value = 0;
    uc_reg_read(cpu->uc, reg_id(number), &value);
    return value;
}

void cpu_set_reg(struct cpu *cpu, unsigned number, uint32_t value)
{
    if (number == 15)
        value |= 1u;
    uc_reg_write(cpu->uc, reg_id(number), &value);
}

bool cpu_ran(const struct cpu *cpu, uint32_t from, uint32_t to)
{
    for (uint32_t page = from >> 12; page <= (to - 1) >> 12 && page < cpu->flash_size >> 12; page++) {
        if (cpu->ran_code[page])
            return true;
    }
    return false;
}

unsigned cpu_trail(const struct cpu *cpu, uint32_t *addresses)
{
    unsigned count = cpu->trail_next < CPU_TRAIL ? cpu->trail_next : CPU_TRAIL;
    for (unsigned i = 0; i < count; i++)
        addresses[i] = cpu->trail[(cpu->trail_next - count + i) % CPU_TRAIL];
    return count;
}

static uint8_t *plain_memory(const struct cpu *cpu, uint32_t address, uint32_t size)
{
    if (address < cpu->flash_size && size <= cpu->flash_size - address)
        return cpu->flash + address;
    uint32_t offset = address - RAM_BASE;
    if (offset >= cpu->ram_size)
        offset = address - CODE_RAM_BASE;
    return offset < cpu->ram_size && size <= cpu->ram_size - offset ? cpu->ram + offset : NULL;
}

int cpu_peek(const struct cpu *cpu, uint32_t address, void *bytes, uint32_t size)
{
    const uint8_t *memory = plain_memory(cpu, address, size);
    if (!memory)
        return -1;
    memcpy(bytes, memory, size);
    return 0;
}

int cpu_poke(struct cpu *cpu, uint32_t address, const void *bytes, uint32_t size)
{
    uint8_t *memory = plain_memory(cpu, address, size);
    if (!memory)
        return -1;
    memcpy(memory, bytes, size);
    cpu_code_changed(cpu, address, size);
    return 0;
}

/* Forgets what is known of code in one flash page, if any was run from it. */
static void forget_flash_page(struct cpu *cpu, uint32_t page)
{
    if (!cpu->flash_code[page])
        return;
    cpu->flash_code[page] = 0;
    for (uint32_t at = page << 12; at < (page + 1) << 12; at += 2)
        cpu->blocks[at >> 1 & ((1u << BLOCK_CACHE_BITS) - 1)].address = UINT32_MAX;
    uc_ctl_remove_cache(cpu->uc, page << 12, (page + 1) << 12);
}

void cpu_code_changed(struct cpu *cpu, uint32_t address, uint32_t size)
{
    if (!size)
        return;
    if (address < cpu->flash_size) {
        /* A block may begin in the page before the change and reach into it. */
        uint32_t from = address >> 12;
        for (uint32_t page = from ? from - 1 : 0;
             page <= (address + size - 1) >> 12 && page < cpu->flash_size >> 12; page++)
            forget_flash_page(cpu, page);
        return;
    }
    uint32_t offset = address - RAM_BASE;
    if (offset >= cpu->ram_size)
        return;
    for (uint32_t page = offset >> 12; page <= (offset + size - 1) >> 12 && page < cpu->ram_size >> 12;
         page++) {
        if (!cpu->ram_code[page])
            continue;
        uc_ctl_remove_cache(cpu->uc, RAM_BASE + (page << 12), RAM_BASE + ((page + 1) << 12));
    }
}

/* Registers that only privileged code can read are read through a moment of handler mode. */
static void state_registers(struct cpu *cpu, struct state *state)
{
    static const int special[] = {UC_ARM_REG_MSP,     UC_ARM_REG_PSP,       UC_ARM_REG_PRIMASK,
                                  UC_ARM_REG_BASEPRI, UC_ARM_REG_FAULTMASK, UC_ARM_REG_FPSCR};
    uint32_t xpsr = cpu_reg(cpu, 16), pc = cpu_reg(cpu, 15), control = 0, handler = EXC_RESET;
    uc_reg_read(cpu->uc, UC_ARM_REG_CONTROL, &control);
    state_var(state, xpsr);
    state_var(state, pc);
    state_var(state, control);
    uc_reg_write(cpu->uc, UC_ARM_REG_IPSR, &handler);
    for (unsigned i = 0; i < sizeof special / sizeof special[0]; i++) {
        uint32_t value = 0;
        uc_reg_read(cpu->uc, special[i], &value);
        state_var(state, value);
        uc_reg_write(cpu->uc, special[i], &value);
    }
    for (unsigned i = 0; i < 15; i++) {
        if (i == 13)
            continue;
        uint32_t value = cpu_reg(cpu, i);
        state_var(state, value);
        cpu_set_reg(cpu, i, value);
    }
    for (int i = 0; i < 32; i++) {
        uint32_t value = 0;
        uc_reg_read(cpu->uc, UC_ARM_REG_S0 + i, &value);
        state_var(state, value);
        uc_reg_write(cpu->uc, UC_ARM_REG_S0 + i, &value);
    }
    cpu_set_mode(cpu, xpsr & 0x1ff, control & 7);
    uc_reg_write(cpu->uc, UC_ARM_REG_XPSR_NZCVQG, &xpsr);
    cpu_set_reg(cpu, 15, pc);
}

void cpu_save(struct cpu *cpu, struct state *state)
{
    state_registers(cpu, state);
    scs_save(cpu, state);
    state_var(state, cpu->event_register);
    state_var(state, cpu->sleeping);
    state_var(state, cpu->sleep_for_event);
    state_var(state, cpu->locked_up);
    state_var(state, cpu->reset_asked);
    state_var(state, cpu->reset_cause);
    state_var(state, cpu->expected);
    state_var(state, cpu->trail);
    state_var(state, cpu->trail_next);
    if (state->loading) {
        cpu->fault_pending = cpu->careful_next = false;
        cpu_code_changed(cpu, 0, cpu->flash_size);
        cpu_code_changed(cpu, RAM_BASE, cpu->ram_size);
        clock_kick(&cpu->bus->clock);
    }
}
