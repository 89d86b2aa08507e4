/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/short_hook.h"

#include "core/cpu.h"
#include "core/cycles.h"
#include "core/nor.h"
#include "core/room.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A record is the block's address and its size, both in halfwords. */
#define SIZE_BITS  10
#define SIZE_MOST  ((1u << SIZE_BITS) - 1)
#define FLASH_MOST (1u << (32 - SIZE_BITS + 1))

/* Records that are counted at once: many, as to add up what the lanes came to takes time; then the rest. */
#define LOG_STRIDE 512
#define LOG_STEP   32

#define LINE      8u /* halfwords of a line of flash */
#define PAGE_BITS 11 /* as many are a page */

/* struct block_log.next when the log is empty and has no room. */
#define LOG_EMPTY ((uint32_t)offsetof(struct cpu, log.record))

/*
 * The code that prepares the hook's arguments and calls it, and what replaces it, of the same length. Both
 * have the same beginning or end:
 *
 *    MOV RDI, uc                      MOV RCX, cpu
 *    MOV ESI, address                 MOVZX EDX, WORD [RCX + next]
 *    MOV EDX, size                    MOV DWORD [RCX + RDX], record
 *    MOV RCX, cpu                     ADD DWORD [RCX + next], cost
 *                                     JS behind the look
 *    CALL [RIP + pointer]             CALL [RIP + pointer]
 *    MOV reg, [RBP - 16]              the engine's look whether it was asked to stop
 *    TEST reg, reg
 *    JL …
 */
#define CALL_SIZE   6
#define LOOK_SIZE   11
#define FIXED_SIZE  20 /* of what else there is before the call, beside what loads RCX */
#define LOAD_MOST   10
#define SITE_MOST   (FIXED_SIZE + LOAD_MOST)
#define RECORD_BACK 19 /* where the two constants are, before the return address */
#define COST_BACK   12

/* A block's call that was changed. */
struct short_call {
    uint32_t address;   /* of the block */
    block_hook *target; /* what the translation calls */
    uint8_t *site;
    uint8_t size;
    uint8_t before[SITE_MOST], after[SITE_MOST];
};

struct short_hooks {
    struct short_call *call;
    size_t calls, room;
    block_hook long_hook;
};

/* More are of translations that were thrown away, mostly. */
#define CALLS_MOST 16384u

/* --- the log ----------------------------------------------------------------------------------------------
 */

static inline uint32_t record_begin(uint32_t record)
{
    return record >> SIZE_BITS;
}

static inline uint32_t record_end(uint32_t record)
{
    return (record >> SIZE_BITS) + (record & SIZE_MOST);
}

/* What a block costs at the most, when it is branched to from afar. */
static uint32_t branch_most(const struct cpu *cpu)
{
    return CYCLES_BRANCH + (cpu->cache_is_on ? 0 : CYCLES_UNCACHED_BRANCH);
}

/* What is to be known of the blocks in the log. */
struct summary {
    /* How many did not take those cycles, as they */
    uint32_t follow; /* begin where the one before ended */
    uint32_t near;   /* or within the same line of flash; without the cache only */
    uint32_t differ; /* bits in which a record differs from the next one */
};

/* Counts the block of `record`, which runs after one that ended at `end`, in halfwords: see
 * cpu_block_cycles(). */
static inline void count_block(struct summary *sum, uint32_t end, uint32_t record, bool cached)
{
    uint32_t begin = record_begin(record);
    bool follows = end == begin, same_line = (end - 1) / LINE == begin / LINE;
    sum->follow += follows;
    if (!cached)
        sum->near += follows | same_line;
}

/* Counts what comes after the first of `records`. */
static inline void count_after(struct summary *sum, const uint32_t *record, unsigned records, bool cached)
{
    struct summary here = {0, 0, 0};
    for (unsigned i = 1; i < records; i++) {
        count_block(&here, record_end(record[i - 1]), record[i], cached);
        here.differ |= record[i - 1] ^ record[i];
    }
    sum->follow += here.follow;
    sum->near += here.near;
    sum->differ |= here.differ;
}

/* `cached` is a constant where it is called, so that the compiler makes one of each kind. */
static inline struct summary sum_up_all(const struct cpu *cpu, const uint32_t *record, unsigned blocks,
                                        bool cached)
{
    struct summary sum = {0, 0, 0};
    if (cpu->expected % 2 == 0)
        count_block(&sum, cpu->expected / 2, record[0], cached);
    /* Fixed numbers at first, so that the compiler takes several at once. */
    for (; blocks > LOG_STRIDE; blocks -= LOG_STRIDE, record += LOG_STRIDE)
        count_after(&sum, record, LOG_STRIDE + 1, cached);
    for (; blocks > LOG_STEP; blocks -= LOG_STEP, record += LOG_STEP)
        count_after(&sum, record, LOG_STEP + 1, cached);
    count_after(&sum, record, blocks, cached);
    return sum;
}

static struct summary sum_up_cached(const struct cpu *cpu, const uint32_t *record, unsigned blocks)
{
    return sum_up_all(cpu, record, blocks, true);
}

static struct summary sum_up_uncached(const struct cpu *cpu, const uint32_t *record, unsigned blocks)
{
    return sum_up_all(cpu, record, blocks, false);
}

#if defined(__x86_64__)
/* The same for processors that take eight records at once: code that computes all the time spends a
 * twentieth of its time here. */
#define WIDE __attribute__((target("avx2")))

WIDE static struct summary sum_up_cached_wide(const struct cpu *cpu, const uint32_t *record, unsigned blocks)
{
    return sum_up_all(cpu, record, blocks, true);
}

WIDE static struct summary sum_up_uncached_wide(const struct cpu *cpu, const uint32_t *record,
                                                unsigned blocks)
{
    return sum_up_all(cpu, record, blocks, false);
}

static struct summary sum_up(const struct cpu *cpu, const uint32_t *record, unsigned blocks)
{
    static struct summary (*const way[2][2])(const struct cpu *, const uint32_t *, unsigned) = {
        {sum_up_uncached, sum_up_uncached_wide}, {sum_up_cached, sum_up_cached_wide}};
    return way[cpu->cache_is_on][__builtin_cpu_supports("avx2") != 0](cpu, record, blocks);
}
#else
static struct summary sum_up(const struct cpu *cpu, const uint32_t *record, unsigned blocks)
{
    return (cpu->cache_is_on ? sum_up_cached : sum_up_uncached)(cpu, record, blocks);
}
#endif

/* The blocks' pages of flash run. */
static void note_pages(struct cpu *cpu, unsigned blocks, bool one_page)
{
    for (unsigned i = one_page ? blocks - 1 : 0; i < blocks; i++)
        cpu->ran_code[record_begin(cpu->log.record[i]) >> PAGE_BITS] |= 1;
    /* A block may end in the next page. */
    for (unsigned i = 0; cpu->flash_watched && i < blocks; i++) {
        uint32_t record = cpu->log.record[i];
        nor_note_read(cpu->bus->flash, 2 * record_begin(record), 2 * (record & SIZE_MOST));
    }
}

static void note_trail(struct cpu *cpu, unsigned blocks)
{
    for (unsigned i = blocks > CPU_TRAIL ? blocks - CPU_TRAIL : 0; i < blocks; i++)
        cpu->trail[(cpu->trail_next + i) % CPU_TRAIL] = 2 * record_begin(cpu->log.record[i]);
    cpu->trail_next += blocks;
}

void short_hook_settle(struct cpu *cpu)
{
    struct block_log *log = &cpu->log;
    uint32_t next = log->next;
    if (next == LOG_EMPTY)
        return;
    log->next = LOG_EMPTY;
    unsigned blocks = ((next & 0xffff) - LOG_EMPTY) / (unsigned)sizeof *log->record;
    if (!blocks)
        return;
    uint32_t last = log->record[blocks - 1];
    struct summary sum = sum_up(cpu, log->record, blocks);
    cpu->bus->clock.now += (uint16_t)((next >> 16) + log->room);
    cpu->bus->clock.now -= sum.follow * CYCLES_BRANCH;
    if (!cpu->cache_is_on)
        cpu->bus->clock.now -= sum.near * CYCLES_UNCACHED_BRANCH;
    cpu->expected = 2 * record_end(last);
    cpu->block_address = 2 * record_begin(last);
    note_trail(cpu, blocks);
    note_pages(cpu, blocks, !(sum.differ >> (PAGE_BITS + SIZE_BITS)));
}

void short_hook_make_room(struct cpu *cpu)
{
    const struct clock *clock = &cpu->bus->clock;
    uint64_t room = clock->open_until > clock->now ? clock->open_until - clock->now : 0;
    cpu->log.room = room < LOG_CYCLES ? (uint32_t)room : LOG_CYCLES;
    cpu->log.next = LOG_EMPTY - (cpu->log.room << 16);
}

/* There may be no room for a block: it is in the log already, and has to be taken out of it. */
static void on_no_room(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    struct cpu *cpu = user;
    const struct clock *clock = &cpu->bus->clock;
    const uint8_t *after_call = __builtin_return_address(0);
    uint32_t record, cost;
    (void)uc;
    (void)address;
    (void)size;
    memcpy(&record, after_call - RECORD_BACK, sizeof record);
    memcpy(&cost, after_call - COST_BACK, sizeof cost);
    cpu->log.next -= cost;
    short_hook_settle(cpu);
    if (clock->now >= clock->open_until) {
        cpu_enter_block(cpu, 2 * record_begin(record), 2 * (record & SIZE_MOST), NULL);
        return;
    }
    short_hook_make_room(cpu);
    cpu->log.record[0] = record;
    cpu->log.next += cost;
}

/* --- changing calls ---------------------------------------------------------------------------------------
 */

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static uint8_t *put_32(uint8_t *at, uint32_t value)
{
    return put(at, &value, sizeof value);
}

/* The constant through which the call before `after_call` goes, or NULL if that is no such call. */
static block_hook *find_target(const uint8_t *after_call)
{
    static const uint8_t call_by_pc[] = {0xff, 0x15}; /* CALL [RIP + offset] */
    int32_t offset;
    if (memcmp(after_call - CALL_SIZE, call_by_pc, sizeof call_by_pc))
        return NULL;
    memcpy(&offset, after_call - sizeof offset, sizeof offset);
    uintptr_t at = (uintptr_t)after_call + (uintptr_t)(intptr_t)offset;
    return at % sizeof(block_hook) ? NULL : (block_hook *)at;
}

static const uint8_t mov[] = {0x48, 0xb9};       /* MOV RCX, n */
static const uint8_t lea[] = {0x48, 0x8d, 0x0d}; /* LEA RCX, [RIP + n] */

/* The size of the instruction before `end` that loads RCX with `cpu`, or 0 if there is none that can be put
 * where the site begins. */
static unsigned load_of_cpu(const struct cpu *cpu, const uint8_t *end)
{
    uint64_t value;
    int32_t offset;
    memcpy(&value, end - sizeof value, sizeof value);
    memcpy(&offset, end - sizeof offset, sizeof offset);
    if (!memcmp(end - sizeof value - sizeof mov, mov, sizeof mov) && value == (uintptr_t)cpu)
        return sizeof value + sizeof mov;
    if (!memcmp(end - sizeof offset - sizeof lea, lea, sizeof lea) &&
        (uintptr_t)end + (uintptr_t)(intptr_t)offset == (uintptr_t)cpu && offset <= INT32_MAX - FIXED_SIZE)
        return sizeof offset + sizeof lea;
    return 0;
}

/* True if at `site` is what passes the hook's other arguments. */
static bool passes_block(const uint8_t *site, const struct cpu *cpu, const struct block_info *block)
{
    uint8_t expected[FIXED_SIZE], *at = expected;
    uint64_t uc = (uintptr_t)cpu->uc;
    at = put(at, (const uint8_t[]){0x48, 0xbf}, 2); /* MOV RDI, n */
    at = put(at, &uc, sizeof uc);
    *at++ = 0xbe; /* MOV ESI, n */
    at = put_32(at, block->address);
    *at++ = 0xba; /* MOV EDX, n */
    put_32(at, block->size);
    return !memcmp(site, expected, sizeof expected);
}

/* True if the engine looks there whether it has to stop. */
static bool is_look(const uint8_t *code)
{
    unsigned reg = code[1] >> 3 & 7;
    const uint8_t look[] = {
        0x8b, (uint8_t)(0x45 | reg << 3), 0xf0, 0x85, (uint8_t)(0xc0 | reg << 3 | reg), 0x0f, 0x8c};
    return !memcmp(code, look, sizeof look);
}

/* What takes the place of the `call->size` bytes before the call. */
static void make_note(struct short_call *call, unsigned load, uint32_t record, uint32_t cost, bool look)
{
    const uint8_t next = (uint8_t)offsetof(struct cpu, log.next);
    uint8_t *at = call->after;
    if (load == sizeof lea + 4) {
        int32_t offset;
        memcpy(&offset, call->before + FIXED_SIZE + sizeof lea, sizeof offset);
        at = put_32(put(at, lea, sizeof lea), (uint32_t)offset + FIXED_SIZE); /* from further away */
    } else {
        at = put(at, call->before + FIXED_SIZE, load);
    }
    at = put(at, (const uint8_t[]){0x0f, 0xb7, 0x51, next}, 4); /* MOVZX EDX, WORD [RCX + next] */
    at = put(at, (const uint8_t[]){0xc7, 0x04, 0x11}, 3);       /* MOV DWORD [RCX + RDX], n */
    at = put_32(at, record);
    at = put(at, (const uint8_t[]){0x81, 0x41, next}, 3); /* ADD DWORD [RCX + next], n */
    at = put_32(at, cost);
    put(at, (const uint8_t[]){0x78, CALL_SIZE + (look ? LOOK_SIZE : 0)}, 2); /* JS */
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

static void change_call(struct cpu *cpu, const struct block_info *block, block_hook hook, uint8_t *after_call)
{
    uint32_t cycles = block->cycles + branch_most(cpu) + (cpu->cache_is_on ? 0u : block->fetch);
    block_hook *target = find_target(after_call);
    if (!target || *target != hook || cycles > LOG_CYCLES)
        return;
    uint8_t *end = after_call - CALL_SIZE;
    unsigned load = load_of_cpu(cpu, end);
    if (!load || !passes_block(end - load - FIXED_SIZE, cpu, block))
        return;
    struct short_call *call = new_call(cpu);
    if (!call)
        return;
    uint32_t record = block->address / 2 << SIZE_BITS | block->size / 2u;
    cpu->short_hooks->long_hook = hook;
    call->address = block->address;
    call->target = target;
    call->size = (uint8_t)(FIXED_SIZE + load);
    call->site = end - call->size;
    memcpy(call->before, call->site, call->size);
    make_note(call, load, record, cycles << 16 | sizeof record, is_look(after_call));
    memcpy(call->site, call->after, call->size);
    *target = on_no_room;
}

void short_hook_use(struct cpu *cpu, const struct block_info *block, block_hook hook, const void *after_call)
{
    static_assert(offsetof(struct cpu, log.next) < 128, "translated code reaches it with a byte");
    static_assert(LOG_CYCLES < 0x8000 && LOG_EMPTY + sizeof(struct block_log) < 0x10000, "they are 16 bits");
#if defined(__x86_64__)
    if (block->address + block->size <= cpu->flash_size && cpu->flash_size <= FLASH_MOST && block->cycles &&
        block->size && block->size / 2u <= SIZE_MOST)
        change_call(cpu, block, hook, (uint8_t *)(uintptr_t)after_call);
#else
    (void)change_call;
    (void)cpu;
    (void)block;
    (void)hook;
    (void)after_call;
#endif
}

static void give_back(const struct short_hooks *hooks, const struct short_call *call)
{
    if (*call->target != on_no_room || memcmp(call->site, call->after, call->size))
        return;
    memcpy(call->site, call->before, call->size);
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

void short_hook_open(struct cpu *cpu)
{
    cpu->log.next = LOG_EMPTY;
}

void short_hook_close(struct cpu *cpu)
{
    if (cpu->short_hooks)
        free(cpu->short_hooks->call);
    free(cpu->short_hooks);
    cpu->short_hooks = NULL;
}
