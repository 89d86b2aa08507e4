/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short way for blocks of which everything is known. Unicorn 2.0.1 calls the hook of a block right from the
 * translated code, through a pointer to the hook that lies among the constants of that translation. Once the
 * long hook (cpu_hooks.c) has seen a block, and if nothing about it needs a look each time, the pointer is
 * made to lead to a hook of a few instructions: it charges the block's cycles and notes where the CPU is, as
 * long as the clock is before clock.open_until, and calls the long one otherwise. When the engine translates
 * the code anew the new translation calls the long hook again, so nothing can be left over.
 *
 * It leans on the inside of one library and on x86-64: the call is checked byte for byte before its pointer
 * is changed, and where it looks otherwise the block keeps the long hook. Results are the same either way;
 * struct cpu_speed switches it.
 */
#ifndef SOSIM_CORE_SHORT_HOOK_H
#define SOSIM_CORE_SHORT_HOOK_H

#include <stdint.h>

#include <unicorn/unicorn.h>

struct cpu;
struct block_info;

/* cpu_hooks.c: the long hook; `after_call` is where the call returns to, NULL if it came by a short one. */
void cpu_enter_block(struct cpu *cpu, uint32_t address, uint32_t size, const void *after_call);

/* A hook of blocks, as the engine calls it. */
typedef void (*block_hook)(uc_engine *uc, uint64_t address, uint32_t size, void *user);

/* The block was just reached by a call of `hook` that returns to `after_call`: gives it a short hook, if it
 * can. `hook` is always the same. */
void short_hook_use(struct cpu *cpu, const struct block_info *block, block_hook hook, const void *after_call);

/* All blocks get the long hook back, and are seen again before they lose it. */
void short_hook_forget_all(struct cpu *cpu);

/* Likewise for one block. */
void short_hook_forget(struct cpu *cpu, uint32_t address);

/* The engine is about to throw its translations away, and to use their memory again. */
void short_hook_flushed(struct cpu *cpu);

/* How many calls lead to a short hook now. */
size_t short_hook_count(const struct cpu *cpu);

void short_hook_close(struct cpu *cpu);

#endif
