/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the engine calls us: each block of code, each register access, what it cannot do itself. */
#include "core/cpu.h"

#include "core/checksum.h"
#include "core/cycles.h"
#include "core/engine_start.h"
#include "core/fast_store.h"
#include "core/hot_loop.h"
#include "core/loop_round.h"
#include "core/nor.h"
#include "core/precise.h"
#include "core/ram_watch.h"
#include "core/replay.h"
#include "core/short_hook.h"
#include "core/spin.h"

#include <string.h>

#define PPB_BASE 0xe0000000u
#define PPB_SIZE 0x00100000u
#define PAGE     0x1000u

/* From now on stores to these bytes' pages have to be seen. */
static void note_ram_code(struct cpu *cpu, uint32_t offset, uint32_t size)
{
    for (uint32_t page = offset >> 12; page <= (offset + size - 1) >> 12; page++) {
        if (cpu->ram_code[page])
            continue;
        cpu->ram_code[page] = 1;
        fast_store_code_page(cpu, RAM_BASE + (page << 12));
    }
}

static struct block_info *lookup_block(struct cpu *cpu, uint32_t address, uint32_t size)
{
    struct block_info *info = &cpu->blocks[address >> 1 & ((1u << BLOCK_CACHE_BITS) - 1)];
    if (address < cpu->flash_size) {
        cpu->ran_code[address >> 12] |= 1;
        if (cpu->flash_watched)
            nor_note_read(cpu->bus->flash, address, size);
    }
    if (info->address == address && info->size == size && !(info->flags & BLOCK_CHANGES))
        return info;
    const uint8_t *code = NULL;
    uint32_t offset = address - RAM_BASE;
    bool in_ram = false;
    if (address < cpu->flash_size && size <= cpu->flash_size - address) {
        code = cpu->flash + address;
        cpu->flash_code[address >> 12] = 1;
    } else {
        if (address - CODE_RAM_BASE < cpu->ram_size)
            offset = address - CODE_RAM_BASE;
        if (offset < cpu->ram_size && size <= cpu->ram_size - offset)
            code = cpu->ram + offset;
        in_ram = code != NULL;
        if (in_ram)
            ram_note(cpu->bus, offset, size, RAM_SEEN_READ);
    }
    if (in_ram)
        note_ram_code(cpu, offset, size);
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

bool cpu_must_stop(const struct cpu *cpu)
{
    return cpu->failure[0] || cpu->reset_asked || cpu->stop_asked || cpu->bus->clock.now >= cpu->until ||
           cpu->ports.held(cpu->ports.context);
}

#define MONITOR_BLOCKS 32 /* more than there are from an LDREX to its STREX */

void cpu_start_ran_window(struct cpu *cpu)
{
    for (uint32_t page = 0; page < cpu->flash_size >> 12; page++)
        cpu->ran_code[page] = (cpu->ran_code[page] & 1) << 1;
    cpu->ran_window = cpu->bus->clock.now + CYCLES_PER_SECOND;
    cpu->ran_windows++;
}

/*
 * The exclusive monitor is the one piece of state that cannot be read out of the engine, so a run does not
 * end (where a snapshot may follow) between an LDREX and the STREX that it is for.
 */
static bool waits_for_monitor(struct cpu *cpu)
{
    return cpu->monitor_open && cpu->waited < MONITOR_BLOCKS && !cpu->failure[0] && !cpu->reset_asked &&
           !cpu->stop_asked && !cpu->ports.held(cpu->ports.context) && ++cpu->waited;
}

uint64_t cpu_next_look(const struct cpu *cpu)
{
    uint64_t next = clock_next_event(&cpu->bus->clock);
    next = next < cpu->until ? next : cpu->until;
    return next < cpu->ran_window ? next : cpu->ran_window;
}

/* Looks at events, stop requests and interrupts; true if the engine has to stop before this block. */
bool cpu_look_around(struct cpu *cpu)
{
    struct clock *clock = &cpu->bus->clock;
    if (clock_next_event(clock) <= clock->now)
        replay_disturbed(cpu);
    clock_run_due(clock);
    if (cpu_must_stop(cpu) && !waits_for_monitor(cpu))
        return true;
    bool cache_is_on = cpu->ports.cache_on(cpu->ports.context);
    if (cache_is_on != cpu->cache_is_on)
        short_hook_forget_all(cpu);
    cpu->cache_is_on = cache_is_on;
    if (clock->now >= cpu->ran_window)
        cpu_start_ran_window(cpu);
    cpu_update_careful(cpu);
    clock->deadline = cpu_next_look(cpu);
    if (cpu_mend_control(cpu))
        return true;
    cpu_note_pending(cpu);
    return cpu_preempting(cpu) != 0;
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

/* When to look for spins again: in cycles, after the last look and after one that could not be skipped. */
#define SPIN_REST          1024u
#define SPINS_IN_VAIN_MOST 6u

static enum spin skip_loop(struct cpu *cpu, uint32_t address, unsigned length, bool once)
{
    enum spin spin = SPIN_NONE;
    if (once)
        spin = spin_skip(cpu, address);
    if (once && spin == SPIN_NONE)
        spin = checksum_skip(cpu, address);
    if (spin == SPIN_NONE && cpu->speed.hot_loops)
        spin = hot_loop_skip(cpu, address, length);
    return spin;
}

static void look_for_spin(struct cpu *cpu, uint32_t address)
{
    const struct clock *clock = &cpu->bus->clock;
    enum spin spin = SPIN_NONE;
    bool once;
    unsigned length = loop_in_trail(cpu, address, &once);
    if (length) {
        spin = skip_loop(cpu, address, length, once);
        if (spin != SPIN_NONE)
            cpu->spins_in_vain = 0;
        else if (cpu->spins_in_vain < SPINS_IN_VAIN_MOST)
            cpu->spins_in_vain++;
    }
    cpu->spin_at = clock->now + (SPIN_REST << cpu->spins_in_vain);
    if (spin == SPIN_NONE)
        return;
    replay_search_anew(cpu);
    /* There are more rounds to be skipped when what is due is done. */
    if (clock->deadline > clock->now && clock->deadline < cpu->spin_at)
        cpu->spin_at = clock->deadline;
}

bool cpu_may_spin(struct cpu *cpu, uint32_t address)
{
    bool once;
    if (!cpu->speed.skip_spins || cpu->bus->clock.now < cpu->spin_at)
        return false;
    if (loop_in_trail(cpu, address, &once) && once)
        return true;
    cpu->spin_at = cpu->bus->clock.now + (SPIN_REST << cpu->spins_in_vain);
    return false;
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
    short_hook_settle(cpu);
    cpu->intno = ENGINE_DATA_ABORT;
    uc_emu_stop(cpu->uc);
    precise_abort(cpu);
}

static void stop_here(struct cpu *cpu)
{
    cpu->hook_stopped = true;
    uc_emu_stop(cpu->uc);
}

bool cpu_is_watched(const struct cpu *cpu, const struct block_info *info)
{
    for (unsigned i = 0; i < cpu->watches; i++) {
        if (cpu->watch[i].address - info->address < info->size)
            return true;
    }
    return false;
}

/* True if all there is to do at this block, as long as nothing changes, is to charge its cycles. */
static bool is_plain(const struct cpu *cpu, const struct block_info *info)
{
    return !(info->flags & ~(BLOCK_FP | BLOCK_DIVIDES | BLOCK_MEMORY | BLOCK_MULTIPLE)) &&
           !cpu_is_watched(cpu, info) && !replay_wants(cpu, info->address);
}

/* Until when plain blocks need not be seen. */
static uint64_t open_until(const struct cpu *cpu)
{
    uint64_t until = cpu->bus->clock.deadline;
    if (cpu->speed.skip_spins && cpu->spin_at < until)
        until = cpu->spin_at;
    uint64_t replay = replay_quiet_until(cpu);
    return replay < until ? replay : until;
}

static void on_block(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    (void)uc;
    short_hook_settle(user);
    cpu_enter_block(user, (uint32_t)address, size, __builtin_return_address(0));
}

/* True if something goes before the block: what is due, a stop, or a fault. Calls the watches. */
static bool comes_first(struct cpu *cpu, uint32_t address, uint32_t size)
{
    const struct clock *clock = &cpu->bus->clock;
    if (clock->now >= clock->deadline && cpu_look_around(cpu))
        return true;
    if (address >= CLREX_BASE && address < CLREX_BASE + PAGE) {
        note_fault(cpu, address, size, ACCESS_FETCH);
        return true;
    }
    if (cpu->watches)
        call_watches(cpu, address, size);
    /* They may have asked for a stop. */
    return clock->now >= clock->deadline && cpu_look_around(cpu);
}

/* True if the engine is not to run the block: it goes on instruction by instruction, or by a trace. */
static bool runs_otherwise(struct cpu *cpu, const struct block_info *info)
{
    uint32_t address = info->address;
    /* Code RAM: a store to the same RAM at its other address would not be seen, so nothing is kept. */
    bool in_code_ram = address - CODE_RAM_BASE < cpu->ram_size;
    if (cpu->careful_always || in_code_ram || info->flags & cpu->careful_flags) {
        cpu->careful_next = true;
        cpu->careful_from = address;
        cpu->careful_to = address + info->size;
        return true;
    }
    if (cpu->speed.skip_spins && cpu->bus->clock.now >= cpu->spin_at && !replay_records(cpu))
        look_for_spin(cpu, address);
    cpu->replay_next = cpu->replay && !cpu->bus->ram_seen && replay_block(cpu, info);
    return cpu->replay_next;
}

/* The block is run: time goes by, and it is noted. */
static void account_for(struct cpu *cpu, const struct block_info *info)
{
    cpu->bus->clock.now += cpu_block_cycles(cpu, info, cpu->expected);
    cpu->expected = info->address + info->size;
    cpu->block_address = info->address;
    cpu->trail[cpu->trail_next++ % CPU_TRAIL] = info->address;
    if (info->flags & (BLOCK_LDREX | BLOCK_STREX))
        cpu->monitor_open = info->flags & BLOCK_LDREX;
    if (info->flags & BLOCK_SEV)
        cpu->event_register = true;
}

void cpu_enter_block(struct cpu *cpu, uint32_t address, uint32_t size, const void *after_call)
{
    struct clock *clock = &cpu->bus->clock;
    if (cpu->careful) {
        /* One instruction was asked for; the second time this is where its branch went, maybe to itself. */
        if (cpu->careful_begun)
            stop_here(cpu);
        cpu->careful_begun = true;
        return;
    }
    if (comes_first(cpu, address, size)) {
        stop_here(cpu);
        return;
    }
    const struct block_info *info = lookup_block(cpu, address, size);
    if (runs_otherwise(cpu, info)) {
        stop_here(cpu);
        return;
    }
    account_for(cpu, info);
    if (info->flags & (BLOCK_UNMASKS | BLOCK_SEV)) {
        clock_kick(clock);
    } else if (cpu->speed.short_hooks) {
        if (after_call && is_plain(cpu, info))
            short_hook_use(cpu, info, on_block, after_call);
        clock->open_until = open_until(cpu);
        short_hook_make_room(cpu);
    }
}

static void on_interrupt(uc_engine *uc, uint32_t intno, void *user)
{
    struct cpu *cpu = user;
    short_hook_settle(cpu);
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
    short_hook_settle(user);
    note_fault(user, (uint32_t)address, (unsigned)size, access);
    return false;
}

/* The engine does not know that code RAM is RAM: stores there must reach the code known at the RAM's address.
 */
static bool store_code_ram(struct cpu *cpu, uint32_t address, unsigned size, uint32_t value)
{
    uint32_t offset = address - CODE_RAM_BASE;
    if (offset >= cpu->ram_size || size > cpu->ram_size - offset)
        return false;
    ram_note(cpu->bus, offset, size, RAM_SEEN_WRITTEN);
    memcpy(cpu->ram + offset, &value, size);
    cpu_code_changed(cpu, RAM_BASE + offset, size);
    return true;
}

/* Stores to flash go to the flash controller; the engine drops the store itself. */
static bool on_write_protected(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                               void *user)
{
    struct cpu *cpu = user;
    (void)uc;
    (void)type;
    short_hook_settle(cpu);
    if (store_code_ram(cpu, (uint32_t)address, (unsigned)size, (uint32_t)value))
        return true;
    if (address < cpu->flash_size &&
        !cpu->ports.store_flash(cpu->ports.context, (uint32_t)address, (unsigned)size, (uint32_t)value))
        return true;
    note_fault(cpu, (uint32_t)address, (unsigned)size, ACCESS_WRITE);
    return true;
}

/* The MPU's view of a register access; memory is checked in careful mode. */
bool cpu_mpu_refuses(const struct cpu *cpu, uint32_t address, enum cpu_access access)
{
    return (cpu->mpu.ctrl & MPU_CTRL_ENABLE) && !mpu_allows(cpu, address, access, false) &&
           !mpu_allows(cpu, address, access, cpu_privileged(cpu));
}

/* True if it is on the private peripheral bus. */
static bool is_private(uint32_t address)
{
    return address - PPB_BASE < PPB_SIZE;
}

/* True if the MPU or the address refuses the CPU's access as it is now. */
static bool is_refused(const struct cpu *cpu, uint32_t address, enum cpu_access access)
{
    return cpu_mpu_refuses(cpu, address, access) || (is_private(address) && !scs_allows(cpu, address));
}

int cpu_load(struct cpu *cpu, uint32_t address, unsigned size, uint32_t *value)
{
    if (is_private(address)) {
        *value = scs_read(cpu, address, size);
        return 0;
    }
    if (address >= XIP_BASE && address < XIP_BASE + XIP_SIZE)
        return cpu->ports.load_xip(cpu->ports.context, address - XIP_BASE, size, value);
    cpu->bus->clock.now += CYCLES_PERIPHERAL;
    return bus_read(cpu->bus, address, size, value);
}

int cpu_store(struct cpu *cpu, uint32_t address, unsigned size, uint32_t value)
{
    if (is_private(address)) {
        scs_write(cpu, address, size, value);
        return 0;
    }
    if (address >= INFO_BASE && address < UICR_END)
        return cpu->ports.store_flash(cpu->ports.context, address, size, value);
    if (address >= XIP_BASE && address < XIP_BASE + XIP_SIZE)
        return -1;
    cpu->bus->clock.now += CYCLES_PERIPHERAL;
    return bus_write(cpu->bus, address, size, value);
}

bool cpu_is_register(const struct cpu *cpu, uint32_t address)
{
    return address >= APB_BASE && (is_private(address) || bus_has_block(cpu->bus, address));
}

uint32_t cpu_read_register(struct cpu *cpu, uint32_t address, unsigned size)
{
    uint32_t value = 0;
    short_hook_settle(cpu);
    if (cpu->fault_pending)
        return 0;
    if (is_refused(cpu, address, ACCESS_READ) || cpu_load(cpu, address, size, &value))
        note_fault(cpu, address, size, ACCESS_READ);
    else if (cpu->replay)
        replay_note_access(cpu, false, address, size, value);
    return value;
}

void cpu_write_register(struct cpu *cpu, uint32_t address, unsigned size, uint32_t value)
{
    short_hook_settle(cpu);
    if (cpu->fault_pending)
        return;
    if (is_refused(cpu, address, ACCESS_WRITE) || cpu_store(cpu, address, size, value))
        note_fault(cpu, address, size, ACCESS_WRITE);
    else if (cpu->replay)
        replay_note_access(cpu, true, address, size, value);
}

static uint64_t on_mmio_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    const struct cpu_region *region = user;
    (void)uc;
    return cpu_read_register(region->cpu, region->base + (uint32_t)offset, size);
}

static void on_mmio_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    const struct cpu_region *region = user;
    (void)uc;
    cpu_write_register(region->cpu, region->base + (uint32_t)offset, size, (uint32_t)value);
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

/*
 * Only pages with a block are mapped: elsewhere the engine makes a precise fault. Neighbours share a region,
 * as the engine takes longer for each region that there is, at every access and again for every new one.
 */
static uc_err map_blocks(struct cpu *cpu)
{
    uint64_t done = 0; /* everything below this address is mapped */
    uc_err error = UC_ERR_OK;
    while (!error) {
        uint32_t base = UINT32_MAX, end;
        for (unsigned i = 0; i < cpu->bus->blocks; i++) {
            uint32_t at = cpu->bus->block[i]->base;
            base = at >= done && at < base ? at : base;
        }
        if (base == UINT32_MAX)
            break;
        for (end = base + PAGE; bus_has_block(cpu->bus, end);)
            end += PAGE;
        error = map_mmio(cpu, base, end - base);
        done = end;
    }
    return error;
}

static uc_err map_arrays(struct cpu *cpu)
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
    if (!error)
        error = uc_mem_protect(cpu->uc, CODE_RAM_BASE, cpu->ram_size, UC_PROT_READ | UC_PROT_EXEC);
    return error;
}

static uc_err map_registers(struct cpu *cpu)
{
    uc_err error = map_mmio(cpu, XIP_BASE, XIP_SIZE);
    if (!error)
        error = map_mmio(cpu, PPB_BASE, PPB_SIZE);
    return error ? error : map_blocks(cpu);
}

/* All at once: after each call that is not between begin and end the engine lays out its memory anew. */
static int map_memory(struct cpu *cpu)
{
    static _Alignas(PAGE) const uint8_t clrex[PAGE] = {0xbf, 0xf3, 0x2f, 0x8f};
    engine_start_begin();
    uc_err error = map_arrays(cpu);
    if (!error)
        error = map_registers(cpu);
    /* Nobody writes to it: it is protected before anything runs. */
    if (!error)
        error = uc_mem_map_ptr(cpu->uc, CLREX_BASE, PAGE, UC_PROT_ALL, (void *)(uintptr_t)clrex);
    engine_start_end();
    if (!error)
        error = uc_mem_protect(cpu->uc, CLREX_BASE, PAGE, UC_PROT_EXEC);
    return error ? cpu_engine_failed(cpu, "cannot map memory", error) : 0;
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
            return cpu_engine_failed(cpu, "cannot add a hook", error);
    }
    return 0;
}

int cpu_join_engine(struct cpu *cpu)
{
    return map_memory(cpu) || add_hooks(cpu) ? -1 : 0;
}
