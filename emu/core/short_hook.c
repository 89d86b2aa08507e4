/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/short_hook.h"

#include "core/cpu.h"
#include "core/cycles.h"
#include "core/room.h"

#include <stdlib.h>
#include <string.h>

/* A call that was changed. */
struct short_call {
    uint32_t address;   /* of the block */
    block_hook *target; /* what the translation calls */
};

struct short_hooks {
    struct short_call *call;
    size_t calls, room;
    block_hook long_hook;
};

/* More are of translations that were thrown away, mostly. */
#define CALLS_MOST 65536u

static inline void run_known(uint64_t address64, uint32_t size, struct cpu *cpu, unsigned cycles,
                             bool uncached)
{
    struct clock *clock = &cpu->bus->clock;
    uint32_t address = (uint32_t)address64, expected = cpu->expected;
    if (clock->now >= clock->open_until) {
        cpu_enter_block(cpu, address, size, NULL);
        return;
    }
    bool branched = expected != address;
    cycles += branched ? CYCLES_BRANCH : 0u;
    if (uncached)
        cycles += branched && address >> 4 != (expected - 1) >> 4 ? CYCLES_UNCACHED_BRANCH : 0u;
    clock->now += cycles;
    cpu->expected = address + size;
    cpu->block_address = address;
    cpu->trail[cpu->trail_next++ % CPU_TRAIL] = address;
}

/* One short hook for each number of cycles, as the engine gives a hook nothing that tells blocks apart for
 * free; and others for code in flash while its cache is off. */
#define HOOK(n)                                                                                              \
    static void hook_##n(uc_engine *uc, uint64_t address, uint32_t size, void *user)                         \
    {                                                                                                        \
        (void)uc;                                                                                            \
        run_known(address, size, user, 0x##n, false);                                                        \
    }                                                                                                        \
    static void uncached_##n(uc_engine *uc, uint64_t address, uint32_t size, void *user)                     \
    {                                                                                                        \
        (void)uc;                                                                                            \
        run_known(address, size, user, 0x##n, true);                                                         \
    }
#define HOOKS(x)                                                                                             \
    HOOK(x##0)                                                                                               \
    HOOK(x##1)                                                                                               \
    HOOK(x##2)                                                                                               \
    HOOK(x##3)                                                                                               \
    HOOK(x##4)                                                                                               \
    HOOK(x##5)                                                                                               \
    HOOK(x##6)                                                                                               \
    HOOK(x##7)                                                                                               \
    HOOK(x##8)                                                                                               \
    HOOK(x##9)                                                                                               \
    HOOK(x##a)                                                                                               \
    HOOK(x##b)                                                                                               \
    HOOK(x##c)                                                                                               \
    HOOK(x##d)                                                                                               \
    HOOK(x##e)                                                                                               \
    HOOK(x##f)
#define NAMES(x)                                                                                             \
    x##0, x##1, x##2, x##3, x##4, x##5, x##6, x##7, x##8, x##9, x##a, x##b, x##c, x##d, x##e, x##f

HOOKS(0)
HOOKS(1)
HOOKS(2)
HOOKS(3)
HOOKS(4)
HOOKS(5)

static const block_hook cached_hook[] = {NAMES(hook_0), NAMES(hook_1), NAMES(hook_2),
                                         NAMES(hook_3), NAMES(hook_4), NAMES(hook_5)};
static const block_hook uncached_hook[] = {NAMES(uncached_0), NAMES(uncached_1), NAMES(uncached_2),
                                           NAMES(uncached_3), NAMES(uncached_4), NAMES(uncached_5)};

#define SHORT_HOOKS (sizeof cached_hook / sizeof cached_hook[0])

static bool is_short(block_hook hook)
{
    for (size_t i = 0; i < SHORT_HOOKS; i++) {
        if (cached_hook[i] == hook || uncached_hook[i] == hook)
            return true;
    }
    return false;
}

/* The constant through which the call before `after_call` went, or NULL if that is no such call of `hook`. */
static block_hook *find_target(const void *after_call, block_hook hook)
{
#if defined(__x86_64__)
    static const uint8_t call_by_pc[] = {0xff, 0x15}; /* CALL [RIP + offset] */
    uint8_t code[6];
    int32_t offset;
    block_hook target;
    memcpy(code, (const uint8_t *)after_call - sizeof code, sizeof code);
    if (memcmp(code, call_by_pc, sizeof call_by_pc))
        return NULL;
    memcpy(&offset, code + 2, sizeof offset);
    uintptr_t at = (uintptr_t)after_call + (uintptr_t)(intptr_t)offset;
    if (at % sizeof target)
        return NULL;
    memcpy(&target, (const void *)at, sizeof target);
    return target == hook ? (block_hook *)at : NULL;
#else
    (void)after_call;
    (void)hook;
    return NULL;
#endif
}

static struct short_call *new_call(struct cpu *cpu)
{
    struct short_hooks *hooks = cpu->short_hooks;
    if (!hooks)
        hooks = cpu->short_hooks = calloc(1, sizeof *hooks);
    if (!hooks)
        return NULL;
    if (hooks->calls == CALLS_MOST)
        short_hook_forget_all(cpu);
    struct short_call *call = room_for(hooks->call, hooks->calls + 1, &hooks->room, sizeof *call);
    if (!call)
        return NULL;
    hooks->call = call;
    return &hooks->call[hooks->calls++];
}

void short_hook_use(struct cpu *cpu, const struct block_info *block, block_hook hook, const void *after_call)
{
    bool uncached = !cpu->cache_is_on && block->address < cpu->flash_size;
    unsigned cycles = block->cycles + (uncached ? block->fetch : 0u);
    if (cycles >= SHORT_HOOKS)
        return;
    block_hook *target = find_target(after_call, hook);
    struct short_call *call = target ? new_call(cpu) : NULL;
    if (!call)
        return;
    cpu->short_hooks->long_hook = hook;
    call->address = block->address;
    call->target = target;
    *target = (uncached ? uncached_hook : cached_hook)[cycles];
}

static void give_back(const struct short_hooks *hooks, const struct short_call *call)
{
    if (is_short(*call->target))
        *call->target = hooks->long_hook;
}

void short_hook_forget_all(struct cpu *cpu)
{
    struct short_hooks *hooks = cpu->short_hooks;
    for (size_t i = 0; hooks && i < hooks->calls; i++)
        give_back(hooks, &hooks->call[i]);
    short_hook_flushed(cpu);
}

void short_hook_forget(struct cpu *cpu, uint32_t address)
{
    struct short_hooks *hooks = cpu->short_hooks;
    for (size_t i = 0; hooks && i < hooks->calls; i++) {
        if (hooks->call[i].address == address) {
            give_back(hooks, &hooks->call[i]);
            hooks->call[i--] = hooks->call[--hooks->calls];
        }
    }
}

void short_hook_flushed(struct cpu *cpu)
{
    if (cpu->short_hooks)
        cpu->short_hooks->calls = 0;
}

size_t short_hook_count(const struct cpu *cpu)
{
    return cpu->short_hooks ? cpu->short_hooks->calls : 0;
}

void short_hook_close(struct cpu *cpu)
{
    if (cpu->short_hooks)
        free(cpu->short_hooks->call);
    free(cpu->short_hooks);
    cpu->short_hooks = NULL;
}
