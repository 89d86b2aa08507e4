/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short way for blocks of which everything is known. Unicorn 2.0.1 calls the hook of a block right from the
 * translated code, with the block's address and size as constants. Once the long hook (cpu_hooks.c) has seen
 * a block, and if nothing about it needs a look each time, what prepares the call is written over: the
 * translation notes the block in a log (struct block_log), adds to a count the cycles that the block takes at
 * the most, and calls only if by then the clock may have come to clock.open_until. What the log holds is
 * settled later, all at once: the clock, and where the CPU is, are as they should be before anybody looks,
 * as each of the engine's calls settles first.
 *
 * With no room in the log the next block calls, whatever it is; so it is after each settling, until a block's
 * hook makes room again. Between such calls nobody can have asked the engine to stop, and its own look for
 * that, right behind the call, is passed over, too.
 *
 * When the engine translates the code anew the new translation calls the long hook again, so nothing can be
 * left over.
 *
 * It leans on the inside of one library and on x86-64: the code around the call is checked byte for byte
 * before it is changed, and where it looks otherwise the block keeps the long hook. Results are the same
 * either way; struct cpu_speed switches it.
 */
#ifndef SOSIM_CORE_SHORT_HOOK_H
#define SOSIM_CORE_SHORT_HOOK_H

#include <stddef.h>
#include <stdint.h>

#include <unicorn/unicorn.h>

struct cpu;
struct block_info;

/* Cycles that the log has room for at most; a block takes two of them at least. */
#define LOG_CYCLES 12288

/* Blocks that ran and are not yet accounted for. Translated code writes it. */
struct block_log {
    /* Low half: where the next record goes, in bytes from the struct cpu. High half: cycles that were taken
     * at the most, less those that there was room for; negative while there is room. */
    uint32_t next;
    uint32_t room; /* the cycles that there was room for */
    uint32_t record[LOG_CYCLES / 2 + 1];
};

/* Before the CPU runs for the first time. */
void short_hook_open(struct cpu *cpu);
void short_hook_close(struct cpu *cpu);

/* cpu_hooks.c: the long hook; `after_call` is where the call returns to, NULL if it came by a short one. */
void cpu_enter_block(struct cpu *cpu, uint32_t address, uint32_t size, const void *after_call);

/* A hook of blocks, as the engine calls it. */
typedef void (*block_hook)(uc_engine *uc, uint64_t address, uint32_t size, void *user);

/* The block was just reached by a call of `hook`, with the CPU for `user`, that returns to `after_call`:
 * gives it the short way, if it can. `hook` is always the same. */
void short_hook_use(struct cpu *cpu, const struct block_info *block, block_hook hook, const void *after_call);

/* Begins the log anew, with room for what may run before clock.open_until. */
void short_hook_make_room(struct cpu *cpu);

/* Accounts for what the log holds; from then on it has no room. */
void short_hook_settle(struct cpu *cpu);

/* All blocks get the long hook back, and are seen again before they lose it. */
void short_hook_forget_all(struct cpu *cpu);

/* Likewise for one block. */
void short_hook_forget(struct cpu *cpu, uint32_t address);

/* The engine is about to throw its translations away, and to use their memory again. */
void short_hook_flushed(struct cpu *cpu);

/* How many blocks have the short way now. */
size_t short_hook_count(const struct cpu *cpu);

#endif
