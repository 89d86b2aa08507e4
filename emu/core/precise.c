/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "core/precise.h"

#include "core/cpu.h"
#include "core/fast_store.h"
#include "core/thumb.h"

#include <dlfcn.h>

/* The engine's 'memory operation' bits that ask for an aligned address. */
#define ALIGN_2 0x10u
#define ALIGN_4 0x20u

typedef uint64_t (*load_fn)(void *env, uint32_t address, uint32_t oi, uintptr_t host_pc);
typedef void (*store_fn)(void *env, uint32_t address, uint64_t value, uint32_t oi, uintptr_t host_pc);
typedef void (*generate_fn)(void *tcg, void *value, void *address, uintptr_t index, unsigned operation);
typedef uint32_t (*fetch_fn)(void *env, uint32_t address);
typedef void (*loop_exit_fn)(void *engine_cpu, uintptr_t host_pc);

enum engine_function {
    LOAD_8,
    LOAD_16,
    LOAD_32,
    LOAD_64,
    STORE_8,
    STORE_16,
    STORE_32,
    STORE_64,
    GENERATE_LOAD_32,
    GENERATE_LOAD_64,
    GENERATE_STORE_32,
    GENERATE_STORE_64,
    FETCH_16,
    LOOP_EXIT_RESTORE,
    ENGINE_FUNCTIONS
};

static const char *const names[ENGINE_FUNCTIONS] = {
    "helper_ret_ldub_mmu_arm", "helper_le_lduw_mmu_arm",    "helper_le_ldul_mmu_arm",
    "helper_le_ldq_mmu_arm",   "helper_ret_stb_mmu_arm",    "helper_le_stw_mmu_arm",
    "helper_le_stl_mmu_arm",   "helper_le_stq_mmu_arm",     "tcg_gen_qemu_ld_i32_arm",
    "tcg_gen_qemu_ld_i64_arm", "tcg_gen_qemu_st_i32_arm",   "tcg_gen_qemu_st_i64_arm",
    "cpu_lduw_code_arm",       "cpu_loop_exit_restore_arm",
};

/*
 * State outside the machine struct, for the same reason as in fast_store.c: the engine's calls carry no
 * pointer of ours. It holds between enter and leave, but for the addresses, which are the same for all.
 */
static _Thread_local struct {
    struct cpu *cpu;
    uintptr_t host_pc; /* where the access under way returns to, in translated code */
    /* The instruction being translated. */
    uint32_t instruction;
    uint32_t second_at; /* address of its second halfword, or 1 */
    void *function[ENGINE_FUNCTIONS];
} inside;

static void *engine_function(enum engine_function n)
{
    if (!inside.function[n])
        inside.function[n] = dlsym(RTLD_NEXT, names[n]);
    return inside.function[n];
}

void precise_enter(struct cpu *cpu)
{
    inside.cpu = cpu;
    inside.host_pc = 0;
    inside.second_at = 1;
}

void precise_leave(void)
{
    inside.cpu = NULL;
}

void precise_abort(struct cpu *cpu)
{
    loop_exit_fn loop_exit = NULL;
    *(void **)&loop_exit = engine_function(LOOP_EXIT_RESTORE);
    uintptr_t host_pc = inside.host_pc;
    if (!loop_exit || !host_pc || !cpu->engine_cpu || inside.cpu != cpu)
        return;
    inside.host_pc = 0;
    cpu->fault_is_precise = true;
    loop_exit(cpu->engine_cpu, host_pc);
}

/* --- memory helpers of translated code --------------------------------------------------------------------
 */

/*
 * Alignment goes before everything else; the engine would look first whether there is memory. Returns `oi`
 * without its demand for alignment, which the engine would put to each byte of a store that it has to split.
 */
static uint32_t check_alignment(uint32_t address, uint32_t oi)
{
    uint32_t bits = oi >> 8 & 7;
    if (bits == 7) /* as aligned as the access is large, which it says as a power of two */
        bits = oi >> 4 & 3;
    if (inside.cpu && address & ((1u << bits) - 1))
        cpu_unaligned(inside.cpu);
    return oi & ~0x700u;
}

/* True if the access need not go through the engine's map of memory, which takes several times as long. */
static bool is_direct(const struct cpu *cpu, uint32_t address, unsigned size)
{
    return cpu && cpu->speed.direct_registers && size <= 4 && !(address & (size - 1)) &&
           cpu_is_register(cpu, address);
}

static uint64_t load(enum engine_function n, void *env, uint32_t address, uint32_t oi, uintptr_t host_pc)
{
    load_fn engine = NULL;
    struct cpu *cpu = inside.cpu;
    *(void **)&engine = engine_function(n);
    inside.host_pc = host_pc;
    oi = check_alignment(address, oi);
    unsigned size = 1u << (n - LOAD_8);
    bool unstable = cpu && cpu_flash_unstable(cpu, address, size);
    uint64_t value = is_direct(cpu, address, size) ? cpu_read_register(cpu, address, size)
                                                   : engine(env, address, oi, host_pc);
    inside.host_pc = 0;
    /* The next read has to come here too. */
    if (unstable)
        fast_store_code_page(cpu, address);
    return value;
}

static void store(enum engine_function n, void *env, uint32_t address, uint64_t value, uint32_t oi,
                  uintptr_t host_pc)
{
    store_fn engine = NULL;
    struct cpu *cpu = inside.cpu;
    unsigned size = 1u << (n - STORE_8);
    *(void **)&engine = engine_function(n);
    inside.host_pc = host_pc;
    oi = check_alignment(address, oi);
    if (is_direct(cpu, address, size))
        cpu_write_register(cpu, address, size, (uint32_t)value & UINT32_MAX >> (32 - 8 * size));
    else
        engine(env, address, value, oi, host_pc);
    inside.host_pc = 0;
}

#define EXPORTED __attribute__((visibility("default")))

#define LOAD_IN_FRONT(name, n)                                                                               \
    EXPORTED uint64_t name(void *env, uint32_t address, uint32_t oi, uintptr_t host_pc);                     \
    uint64_t name(void *env, uint32_t address, uint32_t oi, uintptr_t host_pc)                               \
    {                                                                                                        \
        return load(n, env, address, oi, host_pc);                                                           \
    }

#define STORE_IN_FRONT(name, n)                                                                              \
    EXPORTED void name(void *env, uint32_t address, uint64_t value, uint32_t oi, uintptr_t host_pc);         \
    void name(void *env, uint32_t address, uint64_t value, uint32_t oi, uintptr_t host_pc)                   \
    {                                                                                                        \
        store(n, env, address, value, oi, host_pc);                                                          \
    }

/* The engine's code passes narrower values in the same registers. */
LOAD_IN_FRONT(helper_ret_ldub_mmu_arm, LOAD_8)
LOAD_IN_FRONT(helper_le_lduw_mmu_arm, LOAD_16)
LOAD_IN_FRONT(helper_le_ldul_mmu_arm, LOAD_32)
LOAD_IN_FRONT(helper_le_ldq_mmu_arm, LOAD_64)
STORE_IN_FRONT(helper_ret_stb_mmu_arm, STORE_8)
STORE_IN_FRONT(helper_le_stw_mmu_arm, STORE_16)
STORE_IN_FRONT(helper_le_stl_mmu_arm, STORE_32)
STORE_IN_FRONT(helper_le_stq_mmu_arm, STORE_64)

/* --- translation ------------------------------------------------------------------------------------------
 */

/* The engine fetches an instruction halfword by halfword as it translates. */
EXPORTED uint32_t cpu_lduw_code_arm(void *env, uint32_t address);

uint32_t cpu_lduw_code_arm(void *env, uint32_t address)
{
    fetch_fn engine = NULL;
    *(void **)&engine = engine_function(FETCH_16);
    uint32_t halfword = engine(env, address);
    if (!inside.cpu)
        return halfword;
    inside.cpu->translated++;
    if (address == inside.second_at) {
        inside.instruction = inside.instruction << 16 | (halfword & 0xffff);
        inside.second_at = 1;
    } else {
        inside.instruction = halfword & 0xffff;
        inside.second_at = thumb_size((uint16_t)halfword) == 4 ? address + 2 : 1;
    }
    return halfword;
}

/* What ARMv7-M wants aligned whatever CCR.UNALIGN_TRP says; PUSH and POP go by SP, which always is. */
static unsigned alignment(uint32_t op)
{
    if (!inside.cpu)
        return 0;
    if (op <= 0xffff)
        return (op & 0xf000) == 0xc000 ? ALIGN_4 : 0; /* LDM, STM */
    if ((op & 0xfe400000u) == 0xe8000000u)            /* LDM, STM */
        return ALIGN_4;
    if ((op & 0xfff000e0u) == 0xe8d00000u) /* TBB, TBH */
        return 0;
    if ((op & 0xffe000f0u) == 0xe8c00050u) /* LDREXH, STREXH */
        return ALIGN_2;
    if ((op & 0xffe000f0u) == 0xe8c00040u) /* LDREXB, STREXB */
        return 0;
    if ((op & 0xfe400000u) == 0xe8400000u) /* LDRD, STRD, LDREX, STREX */
        return ALIGN_4;
    return (op & 0xfe000e00u) == 0xec000a00u ? ALIGN_4 : 0; /* VLDR, VSTR, VLDM, VSTM */
}

static void generate(enum engine_function n, void *tcg, void *value, void *address, uintptr_t index,
                     unsigned operation)
{
    generate_fn engine = NULL;
    *(void **)&engine = engine_function(n);
    engine(tcg, value, address, index, operation | alignment(inside.instruction));
}

#define GENERATE_IN_FRONT(name, n)                                                                           \
    EXPORTED void name(void *tcg, void *value, void *address, uintptr_t index, unsigned operation);          \
    void name(void *tcg, void *value, void *address, uintptr_t index, unsigned operation)                    \
    {                                                                                                        \
        generate(n, tcg, value, address, index, operation);                                                  \
    }

GENERATE_IN_FRONT(tcg_gen_qemu_ld_i32_arm, GENERATE_LOAD_32)
GENERATE_IN_FRONT(tcg_gen_qemu_ld_i64_arm, GENERATE_LOAD_64)
GENERATE_IN_FRONT(tcg_gen_qemu_st_i32_arm, GENERATE_STORE_32)
GENERATE_IN_FRONT(tcg_gen_qemu_st_i64_arm, GENERATE_STORE_64)
