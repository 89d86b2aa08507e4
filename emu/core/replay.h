/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exact replay of loops and handlers. Firmware that waits runs long loops: a system's idle loop polls timers,
 * queues and flags through hundreds of blocks of code, and nearly all of that computes the same again. A loop
 * that was run the same way a few times is recorded once and turned into a trace: what its instructions
 * compute from known values is known, and only the rest – what depends on registers of peripherals, on time,
 * on counters – is left as a short list of operations. From then on the list is worked off in the engine's
 * place. It is the same with handlers of interrupts that come all the time, from their first block to their
 * return.
 *
 * Why the run stays the same, bit for bit:
 * - A trace begins with what it takes for known, each register of the CPU and each word of RAM; it is run
 *   only where all of them are as they were, no watch lies in its code, the flash cache is as it was, and so
 *   on.
 * - Accesses to peripherals are made, in their order and each at its cycle, through the same functions. Where
 *   a branch depends on a value that is not known, the trace is left on the branch's other way.
 * - Wherever the run loop would look around (an event is due, an interrupt pending, a stop asked) the trace
 *   is left before that block: it says for each how registers and masks are made then. Afterwards it may go
 *   on there, if registers, mode, and all words that the rest of the round reads are the same. Stores to RAM
 *   are put off to where the trace is left, or somebody else looks at the RAM while a register is accessed.
 * - While nothing can be due before the next access or open branch there is no need to look, nor to compute
 *   what only a look would show; of rounds that follow each other like this the last two are kept, to show it
 *   all the same. A place where the trace is left often has a list of what has to be made there.
 * - A trace is made by interpretation (replay_make.c, replay_decode.c) of what the engine has just done, from
 *   the same beginning, and thrown away unless registers and the whole RAM come out alike.
 *
 * Nothing here knows a firmware's addresses. Results are the same with it on or off (struct cpu_speed).
 *
 * Not modelled: loops and handlers with floating point, with code in RAM, with reads of the XIP window,
 * stores to UICR or a change of the MPU, or longer than REPLAY_BLOCKS; a load, or a store to another part of
 * a word that was stored to, in the same block of code as the register write that let DMA, or a flash
 * operation, change that word at that very cycle.
 */
#ifndef SOSIM_CORE_REPLAY_H
#define SOSIM_CORE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct block_info;

int replay_open(struct cpu *cpu); /* 0 or ENOMEM; sets cpu->replay */
void replay_close(struct cpu *cpu);

/* At the start of a block, before its cycles are charged. True: the engine has to stop before it, for
 * replay_run(). */
bool replay_block(struct cpu *cpu, const struct block_info *block);

/* True if a trace may begin, or go on, where the CPU is about to: cpu_look_around() comes first, then
 * replay_run(). */
bool replay_is_ready(struct cpu *cpu, uint32_t pc);

/* Runs traces from where the CPU is, while there are some. */
void replay_run(struct cpu *cpu);

/* How many blocks of code were not run by the engine so far, thanks to this. */
uint64_t replay_blocks(const struct cpu *cpu);

/* True while the engine is being recorded, which nothing may shorten. */
bool replay_records(const struct cpu *cpu);

/* Until which cycle no blocks but those that it wants need to come by replay_block(); the past: all must. */
uint64_t replay_quiet_until(const struct cpu *cpu);
bool replay_wants(const struct cpu *cpu, uint32_t address);

/* The handler at `address` begins. */
void replay_note_entry(struct cpu *cpu, uint32_t address);

/* The engine came to the end of a handler: a branch to `address`, EXC_RETURN but for its lowest bit. */
void replay_note_return(struct cpu *cpu, uint32_t address);

/* The CPU made this access to a register. */
void replay_note_access(struct cpu *cpu, bool writes, uint32_t address, unsigned size, uint32_t value);

/* Somebody is about to look at the RAM, or to change it: stores that were put off are made. */
void replay_catch_up(const struct cpu *cpu);

/* Something else than the CPU's code changed the machine's state. */
void replay_disturbed(struct cpu *cpu);

/* A loop was skipped in another way (core/spin.h). */
void replay_search_anew(struct cpu *cpu);

/* The clock was set, maybe back. */
void replay_time_changed(struct cpu *cpu);

/* Flash was changed. */
void replay_forget(struct cpu *cpu, uint32_t address, uint32_t size);

#endif
