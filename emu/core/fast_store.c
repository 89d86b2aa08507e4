/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "core/fast_store.h"

#include "core/cpu.h"
#include "core/nor.h"

#include <dlfcn.h>

#define ENGINE_PAGE 1024u

typedef void (*set_page_fn)(void *engine_cpu, uint32_t address, uint64_t physical, uint32_t attributes,
                            int prot, int mmu_index, uint32_t size);
typedef void (*page_fn)(void *engine_cpu, uint32_t address);
typedef void (*flush_fn)(void *engine_cpu);

/*
 * The one piece of state outside the machine struct: the engine's call carries no pointer of ours, so the
 * thread that runs a CPU notes which one it is, for the length of the run.
 */
static _Thread_local struct cpu *running;

static void *engine_name(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

void fast_store_find(struct cpu *cpu)
{
    cpu->engine_set_page = engine_name("tlb_set_page_with_attrs_arm");
    if (engine_name("tlb_flush_page_arm"))
        cpu->engine_set_dirty = engine_name("tlb_set_dirty_arm");
}

void fast_store_enter(struct cpu *cpu)
{
    running = cpu;
}

void fast_store_leave(void)
{
    running = NULL;
}

static bool is_code_free_ram(const struct cpu *cpu, uint32_t address)
{
    uint32_t offset = address - RAM_BASE;
    return offset < cpu->ram_size && !cpu->ram_code[offset >> 12];
}

/* Exported, so that the engine's own call arrives here. */
__attribute__((visibility("default"))) void tlb_set_page_with_attrs_arm(void *engine_cpu, uint32_t address,
                                                                        uint64_t physical,
                                                                        uint32_t attributes, int prot,
                                                                        int mmu_index, uint32_t size);

void tlb_set_page_with_attrs_arm(void *engine_cpu, uint32_t address, uint64_t physical, uint32_t attributes,
                                 int prot, int mmu_index, uint32_t size)
{
    set_page_fn engine = NULL;
    page_fn set_dirty = NULL;
    struct cpu *cpu = running;
    if (cpu && cpu->engine_set_page) {
        *(void **)&engine = cpu->engine_set_page;
        *(void **)&set_dirty = cpu->engine_set_dirty;
    } else {
        *(void **)&engine = engine_name("tlb_set_page_with_attrs_arm");
    }
    engine(engine_cpu, address, physical, attributes, prot, mmu_index, size);
    if (!cpu)
        return;
    cpu->engine_cpu = engine_cpu;
    if (cpu->flash_watched && address < cpu->flash_size)
        nor_note_read(cpu->bus->flash, address & ~(ENGINE_PAGE - 1), ENGINE_PAGE);
    if (set_dirty && cpu->speed.inline_stores && is_code_free_ram(cpu, address))
        set_dirty(engine_cpu, address);
}

bool fast_store_watch(struct cpu *cpu)
{
    flush_fn flush = NULL;
    *(void **)&flush = engine_name("tlb_flush_arm");
    if (!flush || !cpu->engine_set_page)
        return false;
    /* Before the first run there is nothing in the TLB, and no engine_cpu is known. */
    if (cpu->engine_cpu)
        flush(cpu->engine_cpu);
    return true;
}

void fast_store_code_page(struct cpu *cpu, uint32_t address)
{
    page_fn flush = NULL;
    *(void **)&flush = engine_name("tlb_flush_page_arm");
    if (!flush || !cpu->engine_cpu)
        return;
    /* The engine's pages may be as small as 1 KiB. */
    for (uint32_t page = address & ~0xfffu, i = 0; i < 4; i++)
        flush(cpu->engine_cpu, page + i * ENGINE_PAGE);
}
