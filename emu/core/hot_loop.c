/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "core/hot_loop.h"

#include "core/cycles.h"
#include "core/hot_loop_code.h"
#include "core/hot_loop_rounds.h"
#include "core/loop_round.h"
#include "core/nor.h"
#include "core/replay_find.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LOOPS        32    /* that are known */
#define CODE_ROOM    65536 /* bytes, for all of them */
#define WORTH_IT     4096  /* cycles, of all rounds */
#define ROUNDS_LEAST 4

struct hot_loops {
    struct maker maker;
    struct replay_log log;
    struct hot_loop *loop[LOOPS];
    unsigned loops;
    uint64_t pages; /* by the lowest bits of their numbers: all that loops may depend on */
    uint8_t *code;  /* NULL: no memory for it */
    size_t used;
    uint64_t rounds;
};

/* --- loops that are known ---------------------------------------------------------------------------------
 */

static struct hot_loops *loops_of(struct cpu *cpu)
{
    if (cpu->hot_loops)
        return cpu->hot_loops;
    struct hot_loops *loops = calloc(1, sizeof *loops);
    if (!loops)
        return NULL;
    loops->code = mmap(NULL, CODE_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (loops->code == MAP_FAILED)
        loops->code = NULL;
    return cpu->hot_loops = loops;
}

/* Pages as in `pages` above. */
static uint64_t page_bits(uint32_t from, uint32_t to)
{
    uint64_t bits = 0;
    for (uint32_t page = from; page <= to && page - from < 64; page++)
        bits |= 1ull << (page & 63);
    return bits;
}

static bool depends_on(const struct hot_loop *loop, uint32_t from, uint32_t to)
{
    for (unsigned i = 0; i < loop->pages; i++) {
        if (loop->page[i] >= from && loop->page[i] <= to)
            return true;
    }
    return false;
}

void hot_loop_forget(struct cpu *cpu, uint32_t address, uint32_t size)
{
    struct hot_loops *loops = cpu->hot_loops;
    uint32_t from = address >> 12, to = (address + size - 1) >> 12;
    if (!loops || !(loops->pages & page_bits(from, to)))
        return;
    for (unsigned i = 0; i < loops->loops;) {
        if (depends_on(loops->loop[i], from, to)) {
            free(loops->loop[i]);
            loops->loop[i] = loops->loop[--loops->loops];
        } else {
            i++;
        }
    }
}

static void forget_all(struct hot_loops *loops)
{
    for (unsigned i = 0; i < loops->loops; i++)
        free(loops->loop[i]);
    loops->loops = 0;
    loops->pages = 0;
    loops->used = 0;
}

void hot_loop_close(struct cpu *cpu)
{
    if (cpu->hot_loops)
        forget_all(cpu->hot_loops);
    if (cpu->hot_loops && cpu->hot_loops->code)
        munmap(cpu->hot_loops->code, CODE_ROOM);
    free(cpu->hot_loops);
    cpu->hot_loops = NULL;
}

uint64_t hot_loop_rounds(const struct cpu *cpu)
{
    return cpu->hot_loops ? cpu->hot_loops->rounds : 0;
}

/* --- finding ----------------------------------------------------------------------------------------------
 */

/* The round as the log has it; false if a block of it is not plain, or not known any more. */
static bool note_blocks(const struct cpu *cpu, struct replay_log *log, uint32_t head, unsigned length)
{
    uint32_t expected = cpu->expected;
    log->cache_is_on = cpu->cache_is_on;
    log->expected = expected;
    log->end = head;
    log->blocks = length;
    for (unsigned i = 0; i < length; i++) {
        const struct block_info *info = cpu_block(cpu, loop_trail(cpu, length - 1 - i));
        if (!info || info->flags & (cpu->careful_flags | ~(BLOCK_DIVIDES | BLOCK_MEMORY | BLOCK_MULTIPLE)) ||
            info->address >= cpu->flash_size || cpu_is_watched(cpu, info) ||
            nor_is_unstable(cpu->bus->flash, info->address, info->size))
            return false;
        log->block[i] = (struct replay_block){
            .address = info->address,
            .size = info->size,
            .cycles = cpu_block_cycles(cpu, info, expected),
            .flags = info->flags,
        };
        expected = info->address + info->size;
    }
    return expected == cpu->expected;
}

static bool is_loop(const struct hot_loop *loop, const struct replay_log *log)
{
    if (loop->blocks != log->blocks)
        return false;
    for (unsigned i = 0; i < loop->blocks; i++) {
        if (loop->block[i] != log->block[i].address)
            return false;
    }
    return true;
}

/* Translates the loop; without code it is known that nothing can be done. */
static void translate(struct hot_loops *loops, struct hot_loop *loop)
{
    if (!loops->code || mprotect(loops->code, CODE_ROOM, PROT_READ | PROT_WRITE))
        return;
    size_t size = hot_code_make(&loop->round, loops->code + loops->used, CODE_ROOM - loops->used);
    if (mprotect(loops->code, CODE_ROOM, PROT_READ | PROT_EXEC) || !size)
        return;
    void *code = loops->code + loops->used;
    memcpy(&loop->code, &code, sizeof loop->code);
    loops->used += size;
}

static struct hot_loop *make_loop(struct cpu *cpu)
{
    struct hot_loops *loops = cpu->hot_loops;
    if (loops->loops == LOOPS || CODE_ROOM - loops->used < CODE_ROOM / LOOPS)
        forget_all(loops);
    struct hot_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loops->loop[loops->loops++] = loop;
    loop->blocks = loops->log.blocks;
    for (unsigned i = 0; i < loop->blocks; i++) {
        const struct replay_block *block = &loops->log.block[i];
        loop->block[i] = block->address;
        loop->page[loop->pages++] = (uint16_t)(block->address >> 12);
        loop->page[loop->pages++] = (uint16_t)((block->address + block->size - 1) >> 12);
    }
    if (replay_make_hot(&loops->maker, cpu, &loops->log) && hot_loop_take(loop, &loops->maker))
        translate(loops, loop);
    for (unsigned i = 0; i < loops->maker.pages; i++)
        loop->page[loop->pages++] = loops->maker.page[i] & ~PAGE_READ;
    for (unsigned i = 0; i < loop->pages; i++)
        loops->pages |= page_bits(loop->page[i], loop->page[i]);
    return loop;
}

static struct hot_loop *find_loop(struct cpu *cpu)
{
    const struct hot_loops *loops = cpu->hot_loops;
    for (unsigned i = 0; i < loops->loops; i++) {
        if (is_loop(loops->loop[i], &loops->log))
            return loops->loop[i];
    }
    return make_loop(cpu);
}

/* --- running ----------------------------------------------------------------------------------------------
 */

static void write_places(struct cpu *cpu, const uint32_t place[PLACES], const struct replay_mode *mode)
{
    int ids[PLACE_N];
    for (unsigned i = 0; i < PLACE_N; i++)
        ids[i] = cpu_reg_id(i);
    cpu_set_regs(cpu, ids, place, PLACE_N);
    uint32_t xpsr = mode->xpsr;
    for (unsigned i = 0; i < 4; i++)
        xpsr |= place[PLACE_N + i] << (31 - i);
    uc_reg_write(cpu->uc, UC_ARM_REG_XPSR_NZCVQG, &xpsr);
}

static uint64_t period_of(const struct replay_log *log)
{
    uint64_t cycles = 0;
    for (unsigned i = 0; i < log->blocks; i++)
        cycles += log->block[i].cycles;
    return cycles;
}

enum spin hot_loop_skip(struct cpu *cpu, uint32_t address, unsigned length)
{
    uint32_t place[PLACES];
    struct replay_mode mode;
    struct hot_loops *loops = loops_of(cpu);
    if (!loops || cpu->bus->ram_seen || !note_blocks(cpu, &loops->log, address, length))
        return SPIN_NONE;
    struct hot_loop *loop = find_loop(cpu);
    if (!loop || !loop->code)
        return SPIN_NONE;
    replay_read_cpu(cpu, place, &mode);
    uint64_t period = period_of(&loops->log), in_time = loop_rounds_in_time(cpu, period);
    if (mode.xpsr & LOOP_XPSR_IT)
        return SPIN_NONE;
    uint64_t rounds = hot_loop_begin(loop, cpu, place, in_time);
    if (rounds < ROUNDS_LEAST || rounds * period < WORTH_IT)
        return rounds == in_time ? SPIN_LATER : SPIN_NONE;
    hot_loop_run(loop, cpu, rounds, place);
    write_places(cpu, place, &mode);
    cpu->bus->clock.now += rounds * period;
    loops->rounds += rounds;
    return SPIN_SKIPPED;
}
