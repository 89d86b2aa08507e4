/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/cpu.h"

#include "core/access.h"
#include "core/cycles.h"
#include "core/fast_store.h"
#include "core/hot_loop.h"
#include "core/nor.h"
#include "core/precise.h"
#include "core/ram_watch.h"
#include "core/replay.h"
#include "core/short_hook.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cpu_engine_failed(struct cpu *cpu, const char *what, uc_err error)
{
    snprintf(cpu->failure, sizeof cpu->failure, "%s: %s", what, uc_strerror(error));
    return -1;
}

static void set_irq(void *context, unsigned irq, bool level)
{
    struct cpu *cpu = context;
    if (exceptions_set_line(&cpu->exc, irq, level))
        clock_kick(&cpu->bus->clock);
}

static void ask_reset(void *context, enum reset_cause cause)
{
    struct cpu *cpu = context;
    cpu->reset_asked = true;
    cpu->reset_cause = cause;
    clock_kick(&cpu->bus->clock);
}

static void ram_wanted(void *context)
{
    replay_catch_up(context);
}

static void ram_written(void *context, uint32_t address, uint32_t size)
{
    replay_disturbed(context);
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
    short_hook_open(cpu);
    cpu->blocks = malloc((1u << BLOCK_CACHE_BITS) * sizeof *cpu->blocks);
    cpu->ram_code = calloc(ram_size >> 12, 1);
    cpu->flash_code = calloc(flash_size >> 12, 1);
    cpu->ran_code = calloc(flash_size >> 12, 1);
    if (!cpu->blocks || !cpu->ram_code || !cpu->flash_code || !cpu->ran_code)
        return cpu_engine_failed(cpu, "out of memory", UC_ERR_NOMEM);
    memset(cpu->blocks, 0xff, (1u << BLOCK_CACHE_BITS) * sizeof *cpu->blocks);
    if (speed->replay_loops && replay_open(cpu))
        return cpu_engine_failed(cpu, "out of memory", UC_ERR_NOMEM);
    fast_store_find(cpu);
    uc_err error = uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &cpu->uc);
    if (!error)
        error = uc_ctl_set_cpu_model(cpu->uc, UC_CPU_ARM_CORTEX_M4);
    if (error)
        return cpu_engine_failed(cpu, "cannot start the engine", error);
    bus->irq = set_irq;
    bus->irq_context = cpu;
    bus->reset = ask_reset;
    bus->reset_context = cpu;
    bus->ram_wanted = ram_wanted;
    bus->ram_wanted_context = cpu;
    bus->ram_written = ram_written;
    bus->ram_written_context = cpu;
    bus->fetching_flash = fetching_flash;
    bus->fetching_flash_context = cpu;
    scs_init(cpu);
    return cpu_join_engine(cpu);
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
    replay_close(cpu);
    hot_loop_close(cpu);
    short_hook_close(cpu);
    memset(cpu, 0, sizeof *cpu);
}

void cpu_reset(struct cpu *cpu)
{
    cpu_start_ran_window(cpu);
    memset(cpu->ran_code, 0, cpu->flash_size >> 12);
    scs_reset(cpu);
    cpu->event_register = cpu->sleeping = cpu->locked_up = false;
    cpu->pending_seen = 0;
    cpu->careful_to = cpu->careful_from;
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

int cpu_reg_id(unsigned number)
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
    uc_reg_read(cpu->uc, cpu_reg_id(number), &value);
    return value;
}

void cpu_set_reg(struct cpu *cpu, unsigned number, uint32_t value)
{
    if (number == 15)
        value |= 1u;
    uc_reg_write(cpu->uc, cpu_reg_id(number), &value);
}

void cpu_regs(const struct cpu *cpu, const int *ids, uint32_t *values, unsigned count)
{
    void *at[CPU_SEVERAL];
    assert(count <= CPU_SEVERAL);
    for (unsigned i = 0; i < count; i++)
        at[i] = &values[i];
    uc_reg_read_batch(cpu->uc, (int *)(uintptr_t)ids, at, (int)count);
}

void cpu_set_regs(struct cpu *cpu, const int *ids, const uint32_t *values, unsigned count)
{
    void *at[CPU_SEVERAL];
    assert(count <= CPU_SEVERAL);
    for (unsigned i = 0; i < count; i++)
        at[i] = (void *)(uintptr_t)&values[i];
    uc_reg_write_batch(cpu->uc, (int *)(uintptr_t)ids, at, (int)count);
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
    unsigned count = cpu->trail_next < CPU_TRAIL ? (unsigned)cpu->trail_next : CPU_TRAIL;
    for (unsigned i = 0; i < count; i++)
        addresses[i] = cpu->trail[(cpu->trail_next - count + i) % CPU_TRAIL];
    return count;
}

bool cpu_runs(const struct cpu *cpu, uint32_t from, uint32_t to)
{
    uint32_t trail[CPU_TRAIL];
    unsigned count = cpu_trail(cpu, trail);
    for (unsigned i = 0; i < count; i++) {
        if (trail[i] >= from && trail[i] < to)
            return true;
    }
    return false;
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
    replay_catch_up(cpu);
    const uint8_t *memory = plain_memory(cpu, address, size);
    if (!memory)
        return -1;
    if (cpu->flash_watched && address < cpu->flash_size)
        nor_note_read(cpu->bus->flash, address, size);
    else if (address >= cpu->flash_size)
        ram_note(cpu->bus, (uint32_t)(memory - cpu->ram), size, RAM_SEEN_READ);
    memcpy(bytes, memory, size);
    return 0;
}

int cpu_watch_flash(struct cpu *cpu)
{
    short_hook_settle(cpu); /* what ran so far is no part of it */
    int error = nor_watch(cpu->bus->flash);
    if (error)
        return error;
    cpu->flash_watched = true;
    if (!fast_store_watch(cpu))
        nor_note_read(cpu->bus->flash, 0, cpu->flash_size);
    return 0;
}

int cpu_poke(struct cpu *cpu, uint32_t address, const void *bytes, uint32_t size)
{
    replay_catch_up(cpu);
    uint8_t *memory = plain_memory(cpu, address, size);
    if (!memory)
        return -1;
    if (address >= cpu->flash_size) {
        uint32_t offset = (uint32_t)(memory - cpu->ram);
        ram_note(cpu->bus, offset, size, RAM_SEEN_WRITTEN);
        address = RAM_BASE + offset; /* where code is known by, and not by the alias */
    }
    memcpy(memory, bytes, size);
    replay_disturbed(cpu);
    cpu_code_changed(cpu, address, size);
    return 0;
}

bool cpu_flash_unstable(struct cpu *cpu, uint32_t address, uint32_t size)
{
    struct nor *flash = cpu->bus->flash;
    if (!flash->unstable || address >= cpu->flash_size)
        return false;
    nor_draw(flash, address, size);
    return nor_is_unstable(flash, address & ~(flash->page - 1), flash->page);
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
        if (nor_is_unstable(cpu->bus->flash, address, size))
            fast_store_code_page(cpu, address);
        /* A block may begin in the page before the change and reach into it. */
        uint32_t from = address >> 12;
        replay_forget(cpu, address, size);
        hot_loop_forget(cpu, address, size);
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

/* How many blocks ran does not decide anything, which ran last does. */
static void save_trail(struct cpu *cpu, struct state *state)
{
    uint32_t trail[CPU_TRAIL] = {0};
    unsigned count = cpu_trail(cpu, trail);
    if (!state->without_content) {
        state_var(state, cpu->trail);
        state_var(state, cpu->trail_next);
        return;
    }
    state_var(state, trail);
    state_var(state, count);
    if (state->loading) {
        memcpy(cpu->trail, trail, sizeof trail);
        cpu->trail_next = count < CPU_TRAIL ? count : CPU_TRAIL;
    }
}

void cpu_save(struct cpu *cpu, struct state *state)
{
    state_registers(cpu, state);
    scs_save(cpu, state);
    state_var(state, cpu->event_register);
    state_var(state, cpu->sleeping);
    state_var(state, cpu->sleep_for_event);
    state_var(state, cpu->pending_seen);
    state_var(state, cpu->careful_from);
    state_var(state, cpu->careful_to);
    state_var(state, cpu->locked_up);
    state_var(state, cpu->reset_asked);
    state_var(state, cpu->reset_cause);
    state_var(state, cpu->expected);
    save_trail(cpu, state);
    if (state->loading) {
        cpu->fault_pending = cpu->careful_next = false;
        cpu->spin_at = 0; /* time may have gone back */
        replay_time_changed(cpu);
        cpu->monitor_open = true; /* of whatever ran before */
        cpu_close_monitor(cpu);
        replay_disturbed(cpu);
        if (!state->without_content)
            cpu_code_changed(cpu, 0, cpu->flash_size);
        cpu_code_changed(cpu, RAM_BASE, cpu->ram_size);
        clock_kick(&cpu->bus->clock);
    }
}
