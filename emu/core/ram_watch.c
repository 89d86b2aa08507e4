/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ram_watch.h"

#include "core/cpu.h"
#include "core/replay.h"

static void on_access(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value, void *user)
{
    struct cpu *cpu = user;
    uint32_t offset = (uint32_t)address - RAM_BASE;
    (void)uc;
    (void)value;
    if (offset >= cpu->ram_size)
        offset = (uint32_t)address - CODE_RAM_BASE;
    if (offset < cpu->ram_size)
        ram_note(cpu->bus, offset, (uint32_t)size, type == UC_MEM_WRITE ? RAM_SEEN_WRITTEN : RAM_SEEN_READ);
}

/* Code that was translated without the hook does not call it, and the other way round. */
static void translate_anew(struct cpu *cpu)
{
    cpu_code_changed(cpu, 0, cpu->flash_size);
    cpu_code_changed(cpu, RAM_BASE, cpu->ram_size);
    replay_disturbed(cpu);
}

int ram_watch_begin(struct cpu *cpu, uint8_t *seen)
{
    uc_err error = uc_hook_add(cpu->uc, &cpu->ram_hook, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE,
                               (void *)(uintptr_t)on_access, cpu, 1, 0);
    if (error)
        return cpu_engine_failed(cpu, "cannot watch RAM", error);
    translate_anew(cpu);
    cpu->bus->ram_seen = seen;
    return 0;
}

void ram_watch_end(struct cpu *cpu)
{
    uc_hook_del(cpu->uc, cpu->ram_hook);
    translate_anew(cpu);
    cpu->bus->ram_seen = NULL;
}
