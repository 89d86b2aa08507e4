/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/replay.h"

#include "core/cycles.h"
#include "core/nor.h"
#include "core/replay_make.h"
#include "core/short_hook.h"
#include "core/spin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADS      250  /* at most: the index holds bytes */
#define INDEX_SIZE 1024 /* a power of two, well above HEADS */
#define TRACES     8    /* of one head */
#define NOWHERE    UINT32_MAX

/* When a loop is worth it: rounds run alike in a row; many for what spin.c may skip altogether. */
#define ROUNDS_ALIKE       4
#define ROUNDS_ALIKE_SMALL 64
#define ROUNDS_TRIED       6
#define EXITS_TRIED        4    /* before a trace is made from there */
#define MISSES_TRIED       8    /* before there is another trace */
#define DIFFERENCES_MAX    8    /* more are another story */
#define FAILURES_TRIED     4    /* to make a trace */
#define GAIN               4096 /* blocks that pay for another recording */
#define POOR_BLOCKS        40   /* a run of traces that is shorter does not pay … */
#define POOR_TRIED         8    /* … and after so many in a row there is a rest */
#define REST_ARRIVALS      64
#define RESTS_MAX          3
#define REST_AFTER_FAILURE (CYCLES_PER_MS / 2)
#define GIVEN_UP_MAX       8
#define SEARCH_REST        (CYCLES_PER_MS / 2)
#define SEARCH_BLOCKS      (12 * REPLAY_BLOCKS) /* then there is a rest, too */
#define IN_VAIN_MAX        8

#define XPSR_FLAGS 0xf0000000u
#define XPSR_T     (1u << 24)
#define XPSR_IT_GE 0x060ffc00u

/* A block where traces begin. */
struct head {
    uint32_t address;
    struct trace *trace[TRACES];
    unsigned traces;
    unsigned next; /* to be replaced when there is no more room */
    bool record;   /* when the CPU is here next */
    bool loop;     /* to be recorded until the CPU is here again */
    unsigned exits, misses, failures, poor, given_up;
    uint64_t gain;  /* blocks run from here since the last recording */
    unsigned rest;  /* arrivals to let pass */
    unsigned rests; /* such as were in vain */
    struct replay_wishes wishes;
    uint64_t useful_at;      /* cycle at which a run from here paid last */
    uint64_t given_up_until; /* cycle; till then the block is like any other */
};

struct replay {
    struct cpu *cpu;
    struct head head[HEADS];
    unsigned heads;
    uint8_t index[INDEX_SIZE]; /* of head, plus 1, by address */
    uint32_t bypass;           /* a head that the engine goes on from */
    uint64_t blocks;           /* run by traces */
    bool disturbed;
    bool running;                  /* traces run, so that none may be dropped */
    bool forget;                   /* all of them, when they do not run any more */
    const struct trace *in_access; /* of a register is the CPU; or NULL … */
    unsigned access_stores;        /* … and these stores are not made yet */

    uint64_t search_at; /* cycle from which on loops are looked for */
    uint64_t wake_at;   /* the first cycle at which a head that was given up may be tried again */
    unsigned in_vain;   /* searches and recordings that came to nothing, less what did not */
    /* The search for loops: a block, and how it was reached since it was there last. */
    uint32_t candidate;
    unsigned age, last_age;
    uint64_t path, last_path;
    unsigned alike, tries;
    unsigned searched; /* blocks since the last rest */

    struct head *recording; /* NULL: nothing is recorded */
    struct replay_log log;
    struct maker maker;
};

/* The CPU while traces run: taken from the engine at the beginning, and given back at the end. */
struct session {
    struct cpu *cpu;
    struct replay *replay;
    uint32_t place[PLACES];
    uint32_t before[PLACES];
    struct replay_mode mode, mode_before;
    uint32_t pc;
    uint64_t blocks; /* run in all */
    bool by_guard;   /* how the last trace was left */
};

int replay_open(struct cpu *cpu)
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return ENOMEM;
    cpu->replay = replay;
    replay->cpu = cpu;
    replay->log.ram = malloc(cpu->ram_size);
    replay->candidate = replay->bypass = NOWHERE;
    replay->wake_at = UINT64_MAX;
    return replay->log.ram ? 0 : ENOMEM;
}

static void drop_traces(struct head *head)
{
    while (head->traces)
        trace_free(head->trace[--head->traces]);
    head->next = 0;
}

void replay_close(struct cpu *cpu)
{
    struct replay *replay = cpu->replay;
    if (!replay)
        return;
    for (unsigned i = 0; i < replay->heads; i++)
        drop_traces(&replay->head[i]);
    free(replay->log.ram);
    free(replay);
    cpu->replay = NULL;
}

uint64_t replay_blocks(const struct cpu *cpu)
{
    return cpu->replay ? cpu->replay->blocks : 0;
}

uint64_t replay_quiet_until(const struct cpu *cpu)
{
    if (!cpu->replay)
        return UINT64_MAX;
    const struct replay *replay = cpu->replay;
    if (replay->recording)
        return 0;
    return replay->search_at < replay->wake_at ? replay->search_at : replay->wake_at;
}

bool replay_records(const struct cpu *cpu)
{
    return cpu->replay && cpu->replay->recording;
}

void replay_disturbed(struct cpu *cpu)
{
    if (!cpu->replay)
        return;
    cpu->replay->recording = NULL;
    cpu->replay->disturbed = true;
}

static bool touches(const struct trace *trace, uint32_t first, uint32_t last)
{
    for (unsigned i = 0; i < trace->pages; i++) {
        uint32_t page = trace->page[i] & ~PAGE_READ;
        if (page >= first && page <= last)
            return true;
    }
    return false;
}

void replay_forget(struct cpu *cpu, uint32_t address, uint32_t size)
{
    struct replay *replay = cpu->replay;
    if (!replay)
        return;
    replay_disturbed(cpu);
    if (replay->running) {
        replay->forget = true;
        return;
    }
    for (unsigned i = 0; i < replay->heads; i++) {
        struct head *head = &replay->head[i];
        for (unsigned n = 0; n < head->traces; n++) {
            if (touches(head->trace[n], address >> 12, (address + size - 1) >> 12)) {
                drop_traces(head);
                head->failures = head->wishes.wanted_count = head->wishes.nevers = 0;
            }
        }
    }
}

void replay_search_anew(struct cpu *cpu)
{
    if (cpu->replay)
        cpu->replay->candidate = NOWHERE;
}

void replay_time_changed(struct cpu *cpu)
{
    if (cpu->replay)
        cpu->replay->search_at = cpu->replay->wake_at = 0;
}

/* --- heads ------------------------------------------------------------------------------------------------
 */

static unsigned place_in_index(const struct replay *replay, uint32_t address)
{
    unsigned at = address >> 1 & (INDEX_SIZE - 1);
    while (replay->index[at] && replay->head[replay->index[at] - 1].address != address)
        at = (at + 1) & (INDEX_SIZE - 1);
    return at;
}

static struct head *find_head(struct replay *replay, uint32_t address)
{
    uint8_t n = replay->index[place_in_index(replay, address)];
    return n ? &replay->head[n - 1] : NULL;
}

bool replay_wants(const struct cpu *cpu, uint32_t address)
{
    const struct head *head = cpu->replay ? find_head(cpu->replay, address) : NULL;
    return head && !head->given_up_until && (head->traces || head->record);
}

static void index_heads(struct replay *replay)
{
    memset(replay->index, 0, sizeof replay->index);
    for (unsigned i = 0; i < replay->heads; i++)
        replay->index[place_in_index(replay, replay->head[i].address)] = (uint8_t)(i + 1);
}

/* The head that was of no use for the longest time. */
static struct head *least_useful(struct replay *replay)
{
    struct head *least = NULL;
    for (unsigned i = 0; i < replay->heads; i++) {
        struct head *head = &replay->head[i];
        if (head != replay->recording && (!least || head->useful_at < least->useful_at))
            least = head;
    }
    return least;
}

static struct head *make_head(struct cpu *cpu, uint32_t address)
{
    struct replay *replay = cpu->replay;
    struct head *head = find_head(replay, address);
    if (head)
        return head;
    if (replay->heads < HEADS) {
        head = &replay->head[replay->heads++];
    } else {
        head = least_useful(replay);
        drop_traces(head);
    }
    *head = (struct head){.address = address};
    index_heads(replay);
    short_hook_forget(cpu, address);
    return head;
}

/* --- the engine's state -----------------------------------------------------------------------------------
 */

static void read_cpu(struct cpu *cpu, uint32_t place[PLACES], struct replay_mode *mode)
{
    for (unsigned i = 0; i < PLACE_N; i++)
        place[i] = cpu_reg(cpu, i);
    mode->xpsr = cpu_reg(cpu, 16);
    for (unsigned i = 0; i < 4; i++)
        place[PLACE_N + i] = mode->xpsr >> (31 - i) & 1;
    mode->xpsr &= ~XPSR_FLAGS;
    uc_reg_read(cpu->uc, UC_ARM_REG_PRIMASK, &mode->primask);
    uc_reg_read(cpu->uc, UC_ARM_REG_BASEPRI, &mode->basepri);
}

static void write_cpu(struct session *s)
{
    struct cpu *cpu = s->cpu;
    for (unsigned i = 0; i < PLACE_N; i++) {
        if (s->place[i] != s->before[i])
            cpu_set_reg(cpu, i, s->place[i]);
    }
    if (memcmp(s->place + PLACE_N, s->before + PLACE_N, 4 * sizeof *s->place)) {
        uint32_t xpsr = s->mode.xpsr;
        for (unsigned i = 0; i < 4; i++)
            xpsr |= s->place[PLACE_N + i] << (31 - i);
        uc_reg_write(cpu->uc, UC_ARM_REG_XPSR_NZCVQG, &xpsr);
    }
    if (s->mode.primask != s->mode_before.primask)
        uc_reg_write(cpu->uc, UC_ARM_REG_PRIMASK, &s->mode.primask);
    if (s->mode.basepri != s->mode_before.basepri)
        uc_reg_write(cpu->uc, UC_ARM_REG_BASEPRI, &s->mode.basepri);
    cpu_set_reg(cpu, 15, s->pc);
}

/* Something was tried in vain: the more of it in a row, the longer nothing is. */
static void rest_from_search(struct cpu *cpu)
{
    struct replay *replay = cpu->replay;
    replay->search_at = cpu->bus->clock.now + (SEARCH_REST << replay->in_vain);
    if (replay->in_vain < IN_VAIN_MAX)
        replay->in_vain++;
    replay->candidate = NOWHERE;
    replay->searched = 0;
}

/* Nothing good begins here, at least for now. */
static void give_up(struct cpu *cpu, struct head *head)
{
    drop_traces(head);
    head->record = head->loop = false;
    head->wishes.wanted_count = head->wishes.nevers = 0;
    head->given_up_until = cpu->bus->clock.now + ((uint64_t)REST_AFTER_FAILURE << head->given_up);
    if (head->given_up_until < cpu->replay->wake_at)
        cpu->replay->wake_at = head->given_up_until;
    head->failures = head->misses = head->exits = 0;
    if (head->given_up < GIVEN_UP_MAX)
        head->given_up++;
    rest_from_search(cpu);
}

/* --- recording --------------------------------------------------------------------------------------------
 */

static bool can_record(const struct cpu *cpu)
{
    return !cpu->monitor_open && !(cpu->mpu.ctrl & 1) && cpu_privileged(cpu);
}

static void start_recording(struct cpu *cpu, struct head *head)
{
    struct replay *replay = cpu->replay;
    struct replay_log *log = &replay->log;
    if (!can_record(cpu))
        return;
    read_cpu(cpu, log->place, &log->mode);
    if (log->mode.xpsr & XPSR_IT_GE)
        return;
    head->record = false;
    log->expected = cpu->expected;
    log->cache_is_on = cpu->cache_is_on;
    log->blocks = log->accesses = 0;
    memcpy(log->ram, cpu->ram, cpu->ram_size);
    replay->recording = head;
}

void replay_note_access(struct cpu *cpu, bool writes, uint32_t address, unsigned size, uint32_t value)
{
    struct replay *replay = cpu->replay;
    struct replay_log *log = &replay->log;
    if (!replay->recording)
        return;
    if (!log->blocks || log->accesses == REPLAY_ACCESSES) {
        replay->recording = NULL;
        return;
    }
    log->access[log->accesses++] = (struct replay_access){.address = address,
                                                          .value = value,
                                                          .block = (uint16_t)(log->blocks - 1),
                                                          .size = (uint8_t)size,
                                                          .writes = writes};
}

static void keep_trace(struct head *head, struct trace *trace)
{
    if (head->traces == TRACES) {
        trace_free(head->trace[head->next]);
        head->trace[head->next] = trace;
        head->next = (head->next + 1) % TRACES;
    } else {
        head->trace[head->traces++] = trace;
    }
    head->misses = head->poor = head->rest = 0;
}

static void finish_recording(struct cpu *cpu, uint32_t end)
{
    struct replay *replay = cpu->replay;
    struct head *head = replay->recording;
    uint32_t place[PLACES];
    struct replay_mode mode;
    replay->recording = NULL;
    replay->log.end = end;
    read_cpu(cpu, place, &mode);
    struct trace *trace;
    do {
        trace = replay_make(&replay->maker, cpu, &replay->log, place, &head->wishes);
    } while (!trace && replay_blame(&replay->maker, &head->wishes));
    if (trace) {
        keep_trace(head, trace);
        return;
    }
    give_up(cpu, head);
}

static void record_block(struct cpu *cpu, const struct block_info *block)
{
    struct replay *replay = cpu->replay;
    struct replay_log *log = &replay->log;
    const struct head *here = log->blocks ? find_head(replay, block->address) : NULL;
    if (here && (here == replay->recording || (here->traces && !replay->recording->loop))) {
        finish_recording(cpu, block->address);
        return;
    }
    if (log->blocks == REPLAY_BLOCKS) {
        give_up(cpu, replay->recording);
        replay->recording = NULL;
        return;
    }
    log->block[log->blocks++] = (struct replay_block){.address = block->address,
                                                      .size = block->size,
                                                      .cycles = cpu_block_cycles(cpu, block, cpu->expected),
                                                      .flags = block->flags};
}

/* --- the search for loops ---------------------------------------------------------------------------------
 */

/* The head's block has to be seen from now on. */
static void wish_record(struct cpu *cpu, struct head *head, bool loop)
{
    head->record = true;
    head->loop |= loop;
    short_hook_forget(cpu, head->address);
}

static void choose_candidate(struct replay *replay, uint32_t address)
{
    replay->candidate = address;
    replay->age = replay->last_age = replay->alike = replay->tries = 0;
    replay->path = replay->last_path = 0;
}

static void candidate_came_again(struct cpu *cpu)
{
    struct replay *replay = cpu->replay;
    if (replay->age == replay->last_age && replay->path == replay->last_path) {
        replay->alike++;
    } else {
        replay->alike = 0;
        replay->tries++;
    }
    replay->last_age = replay->age;
    replay->last_path = replay->path;
    bool small = replay->age < SPIN_MAX_BLOCKS && cpu->speed.skip_spins;
    /* What can be skipped need not be replayed, and is seen while it is not, however short a round is. */
    if (small && replay->alike == ROUNDS_ALIKE_SMALL / 2 + 1)
        cpu->spin_at = 0;
    replay->age = 0;
    replay->path = 0;
    if (replay->alike >= (small ? ROUNDS_ALIKE_SMALL : ROUNDS_ALIKE)) {
        struct head *head = make_head(cpu, replay->candidate);
        replay->candidate = NOWHERE;
        replay->searched = 0;
        if (head->traces || head->rest || head->given_up_until)
            rest_from_search(cpu); /* it is known, or was tried */
        else
            wish_record(cpu, head, true);
    } else if (replay->tries > ROUNDS_TRIED) {
        replay->candidate = NOWHERE;
    }
}

static void search(struct cpu *cpu, uint32_t address)
{
    struct replay *replay = cpu->replay;
    if (address == replay->candidate)
        candidate_came_again(cpu);
    else if (++replay->age > REPLAY_BLOCKS || replay->candidate == NOWHERE)
        choose_candidate(replay, address);
    else
        replay->path = (replay->path ^ address) * 0x9e3779b97f4a7c15ull;
    if (++replay->searched >= SEARCH_BLOCKS)
        rest_from_search(cpu);
}

/* Heads that were given up long enough ago are seen again. */
static void wake_heads(struct cpu *cpu)
{
    struct replay *replay = cpu->replay;
    replay->wake_at = UINT64_MAX;
    for (unsigned i = 0; i < replay->heads; i++) {
        struct head *head = &replay->head[i];
        if (head->given_up_until && head->given_up_until <= cpu->bus->clock.now) {
            head->given_up_until = 0;
            short_hook_forget(cpu, head->address);
        } else if (head->given_up_until && head->given_up_until < replay->wake_at) {
            replay->wake_at = head->given_up_until;
        }
    }
}

bool replay_block(struct cpu *cpu, const struct block_info *block)
{
    struct replay *replay = cpu->replay;
    uint32_t address = block->address;
    if (replay->recording) {
        record_block(cpu, block);
        if (replay->recording)
            return false;
    }
    if (cpu->bus->clock.now >= replay->wake_at)
        wake_heads(cpu);
    if (cpu->bus->clock.now >= replay->search_at)
        search(cpu, address);
    struct head *head = find_head(replay, address);
    if (!head || head->given_up_until)
        return false;
    if (head->rest) {
        head->rest--;
        return false;
    }
    if (head->record) {
        start_recording(cpu, head);
        if (replay->recording)
            record_block(cpu, block);
        else
            give_up(cpu, head); /* not with an MPU, say */
        return false;
    }
    if (replay->bypass == address) {
        replay->bypass = NOWHERE;
        return false;
    }
    return head->traces;
}

/* --- may a trace be run? ----------------------------------------------------------------------------------
 */

static bool is_watched(const struct cpu *cpu, struct trace *trace)
{
    uint64_t digest = cpu->watches;
    for (unsigned i = 0; i < cpu->watches; i++)
        digest = (digest ^ cpu->watch[i].address) * 0x9e3779b97f4a7c15ull;
    if (digest == trace->watches)
        return trace->watched;
    trace->watches = digest;
    trace->watched = false;
    for (unsigned i = 0; i < cpu->watches; i++) {
        for (unsigned n = 0; n < trace->blocks; n++)
            trace->watched |= cpu->watch[i].address - trace->block[n] < trace->block_end[n] - trace->block[n];
    }
    return trace->watched;
}

/* True if the engine would note nothing new about the code that is run. */
static bool pages_are_known(struct cpu *cpu, const struct trace *trace)
{
    for (unsigned i = 0; i < trace->pages; i++) {
        if (!(trace->page[i] & PAGE_READ) && !(cpu->ran_code[trace->page[i]] & 1))
            return false;
    }
    return true;
}

static bool same_values(const struct session *s, const struct trace *trace)
{
    for (uint32_t places = trace->assumed_places; places; places &= places - 1) {
        unsigned i = (unsigned)__builtin_ctz(places);
        if (s->place[i] != trace->place[i])
            return false;
    }
    for (unsigned i = 0; i < trace->word_count; i++) {
        if (memcmp(s->cpu->ram + trace->words[i].offset, &trace->words[i].value, 4))
            return false;
    }
    return true;
}

static bool same_mode(const struct session *s, struct trace *trace)
{
    const struct cpu *cpu = s->cpu;
    return !memcmp(&s->mode, &trace->mode, sizeof s->mode) && cpu->expected == trace->expected &&
           cpu->cache_is_on == trace->cache_is_on && !(trace->flags & cpu->careful_flags) &&
           !is_watched(cpu, trace);
}

/* Notes in `where` what differs from what the trace assumes; returns how much does, DIFFERENCES_MAX + 1 for
 * more, and for what must be known: a stack pointer, say, as the same code is called from elsewhere. */
static unsigned differences(const struct session *s, const struct head *head, const struct trace *trace,
                            uint32_t where[DIFFERENCES_MAX + 1])
{
    unsigned count = 0;
    for (uint32_t places = trace->assumed_places; places && count <= DIFFERENCES_MAX; places &= places - 1) {
        unsigned i = (unsigned)__builtin_ctz(places);
        if (s->place[i] != trace->place[i])
            where[count++] = i;
    }
    for (unsigned i = 0; i < trace->word_count && count <= DIFFERENCES_MAX; i++) {
        if (memcmp(s->cpu->ram + trace->words[i].offset, &trace->words[i].value, 4))
            where[count++] = RAM_BASE + trace->words[i].offset;
    }
    for (unsigned i = 0; i < count; i++) {
        if (where[i] == PLACE_SP || replay_listed(head->wishes.never, head->wishes.nevers, where[i]))
            return DIFFERENCES_MAX + 1;
    }
    return count;
}

/* No trace of this head fits, and that was so several times in a row: there shall be one that does. */
static void learn(const struct session *s, struct head *head)
{
    uint32_t least[DIFFERENCES_MAX + 1], where[DIFFERENCES_MAX + 1];
    unsigned least_count = DIFFERENCES_MAX + 1;
    head->misses = 0;
    if (head->gain >= GAIN)
        head->failures = head->given_up = 0;
    else
        head->failures++;
    head->gain = 0;
    if (head->failures >= FAILURES_TRIED) {
        give_up(s->cpu, head);
        return;
    }
    head->record = true;
    for (unsigned i = 0; i < head->traces; i++) {
        unsigned count = differences(s, head, head->trace[i], where);
        if (count && count < least_count) {
            memcpy(least, where, sizeof least);
            least_count = count;
        }
    }
    for (unsigned i = 0; least_count <= DIFFERENCES_MAX && i < least_count; i++) {
        struct replay_wishes *wishes = &head->wishes;
        if (!replay_listed(wishes->wanted, wishes->wanted_count, least[i]) &&
            wishes->wanted_count < REPLAY_VARIABLES / 2)
            wishes->wanted[wishes->wanted_count++] = least[i];
    }
}

static struct trace *choose_trace(struct session *s, struct head *head)
{
    for (unsigned i = 0; i < head->traces; i++) {
        struct trace *trace = head->trace[i];
        if (same_mode(s, trace) && pages_are_known(s->cpu, trace) && same_values(s, trace)) {
            head->misses = 0;
            head->useful_at = s->cpu->bus->clock.now;
            return trace;
        }
    }
    if (head->traces && ++head->misses >= MISSES_TRIED)
        learn(s, head);
    return NULL;
}

/* True if the run loop would go on with the next block, and no event is due within `cycles`. */
static bool goes_on(struct session *s, const struct trace *trace, uint32_t cycles)
{
    struct cpu *cpu = s->cpu;
    struct clock *clock = &cpu->bus->clock;
    /* What is pending may be masked now, and not for long. */
    if (s->replay->disturbed || cpu->exc.pending & cpu->exc.enabled)
        return false;
    if (clock->now + cycles < clock->deadline)
        return true;
    uint64_t next = clock_next_event(clock);
    next = next < cpu->until ? next : cpu->until;
    if (clock->now + cycles >= next || clock->now + cycles >= cpu->ran_window || cpu_must_stop(cpu) ||
        cpu->ports.cache_on(cpu->ports.context) != cpu->cache_is_on)
        return false;
    cpu_update_careful(cpu);
    if (cpu->careful_always || cpu->careful_flags & trace->flags)
        return false;
    cpu_note_pending(cpu);
    clock->deadline = next;
    return true;
}

/* --- running ----------------------------------------------------------------------------------------------
 */

static void begin(struct session *s, const struct trace *trace)
{
    for (unsigned i = 0; i < trace->variables; i++) {
        uint32_t where = trace->variable[i].where, *slot = &trace->slots[trace->variable[i].slot];
        if (where < PLACES)
            *slot = s->place[where];
        else
            memcpy(slot, s->cpu->ram + (where - RAM_BASE), 4);
    }
}

static void store_ram(struct cpu *cpu, uint32_t offset, uint32_t value)
{
    memcpy(cpu->ram + offset, &value, 4);
    if (cpu->ram_code[offset >> 12])
        cpu_code_changed(cpu, RAM_BASE + offset, 4);
}

/* The access did when it was recorded, and privileged code without MPU has nothing that could make it fail.
 */
static void must_go_well(struct cpu *cpu, int error)
{
    if (error)
        cpu_engine_failed(cpu, "a replayed access failed", UC_ERR_EXCEPTION);
}

/* True if no event can come up to be looked at before the cycle `end`. */
static bool is_quiet(const struct session *s, uint64_t end)
{
    const struct cpu *cpu = s->cpu;
    return end < cpu->bus->clock.deadline && !s->replay->disturbed && !(cpu->exc.pending & cpu->exc.enabled);
}

static void make_stores(struct cpu *cpu, const struct trace *trace, unsigned first, unsigned count)
{
    for (const struct replay_store *store = trace->store + first; count-- > 0; store++)
        store_ram(cpu, store->offset, trace->slots[store->slot]);
}

static void make_list(struct cpu *cpu, const struct trace *trace, unsigned list)
{
    make_stores(cpu, trace, trace->stores[list].first, trace->stores[list].count);
}

void replay_catch_up(const struct cpu *cpu)
{
    struct replay *replay = cpu->replay;
    if (!replay || !replay->in_access)
        return;
    const struct trace *trace = replay->in_access;
    replay->in_access = NULL;
    make_list(replay->cpu, trace, replay->access_stores);
    replay->disturbed = true; /* what is known to be stored may not be so any more */
}

/* The CPU's access to a register; meanwhile somebody may want to see the RAM. */
static void access_register(struct session *s, const struct trace *trace, const struct ir *ir)
{
    struct cpu *cpu = s->cpu;
    s->replay->in_access = trace;
    s->replay->access_stores = ir->exit;
    must_go_well(cpu, ir->op == FX_READ ? cpu_load(cpu, ir->address, ir->size, &trace->slots[ir->to])
                                        : cpu_store(cpu, ir->address, ir->size, trace->slots[ir->a]));
    s->replay->in_access = NULL;
}

/* Works the list off; returns the operation by which it was left. */
static const struct ir *execute(struct session *s, const struct trace *trace)
{
    struct cpu *cpu = s->cpu;
    uint64_t *now = &cpu->bus->clock.now, end = *now + trace->whole;
    uint32_t *slot = trace->slots;
    bool quiet = is_quiet(s, end);
    for (const struct ir *ir = trace->ops;; ir++) {
        if (ir->op >= FX_READ)
            *now += ir->cycles;
        switch (ir->op) {
        case FX_READ:
        case FX_WRITE:
            access_register(s, trace, ir);
            quiet = quiet && is_quiet(s, end);
            break;
        case FX_LOOK:
            if (ir->size) {
                clock_kick(&cpu->bus->clock);
                quiet = false;
            }
            if (!quiet && !goes_on(s, trace, trace->exits[ir->exit].stretch))
                return ir;
            break;
        case FX_GUARD:
            if (slot[ir->a] != ir->b)
                return ir;
            break;
        case FX_END:
            if (ir->size)
                clock_kick(&cpu->bus->clock);
            return ir;
        default:
            slot[ir->to] = ir_eval((enum ir_op)ir->op, slot[ir->a], slot[ir->b], slot[ir->c]);
        }
    }
}

static void leave(struct session *s, const struct trace *trace, const struct replay_exit *exit)
{
    for (unsigned i = 0; i < PLACES; i++) {
        if (exit->slot[i])
            s->place[i] = trace->slots[exit->slot[i]];
    }
    s->mode.primask = exit->primask;
    s->mode.basepri = exit->basepri;
    s->pc = exit->pc;
}

/* What the block hook notes about `count` blocks, going round the trace from its beginning. */
static void note_blocks(struct cpu *cpu, const struct trace *trace, uint64_t count)
{
    unsigned kept = count < CPU_TRAIL ? (unsigned)count : CPU_TRAIL;
    cpu->trail_next += (unsigned)count;
    for (unsigned i = 1; i <= kept; i++)
        cpu->trail[(cpu->trail_next - i) % CPU_TRAIL] = trace->block[(count - i) % trace->blocks];
    unsigned last = (unsigned)((count - 1) % trace->blocks);
    cpu->expected = trace->block_end[last];
    cpu->block_address = trace->block[last];
    cpu->block_size = trace->block_end[last] - trace->block[last];
}

/* Goes on for as many rounds as there is time for, if they are all alike. Returns how many. */
static uint64_t repeat_idle(struct cpu *cpu, const struct trace *trace)
{
    struct clock *clock = &cpu->bus->clock;
    if (!trace->idle || clock->now + trace->cycles >= clock->deadline)
        return 0;
    uint64_t rounds = (clock->deadline - clock->now - 1) / trace->cycles;
    clock->now += rounds * trace->cycles;
    return rounds;
}

/* A trace from here on may pay, too. */
static void note_exit(struct cpu *cpu, uint32_t pc)
{
    struct head *head = make_head(cpu, pc);
    if (!head->traces && !head->rest && ++head->exits >= EXITS_TRIED)
        wish_record(cpu, head, false);
}

/* Runs the trace until it is left; true if that was by its end. */
static bool run_trace(struct session *s, struct trace *trace)
{
    uint64_t blocks = 0;
    const struct ir *ir = NULL;
    bool stored = false; /* the last round has stored what is known */
    /* The way here may have been left by a guard, before what it did was looked at. */
    clock_kick(&s->cpu->bus->clock);
    do {
        if (!goes_on(s, trace, trace->stretch))
            break;
        begin(s, trace);
        ir = execute(s, trace);
        const struct replay_exit *exit = &trace->exits[ir->exit];
        leave(s, trace, exit);
        if (ir->op == FX_END && stored && !s->replay->disturbed)
            make_stores(s->cpu, trace, trace->stores[exit->stores].first, trace->varying);
        else
            make_list(s->cpu, trace, exit->stores);
        stored = true;
        blocks += exit->blocks;
        if (ir->op == FX_END)
            blocks += repeat_idle(s->cpu, trace) * trace->blocks;
    } while (trace->stable && ir->op == FX_END);
    if (blocks)
        note_blocks(s->cpu, trace, blocks);
    s->blocks += blocks;
    s->by_guard = ir && ir->op == FX_GUARD;
    return ir && ir->op != FX_LOOK && !(trace->stable && ir->op == FX_END);
}

static bool prepare(struct session *s, struct cpu *cpu)
{
    memset(s, 0, sizeof *s);
    s->cpu = cpu;
    s->replay = cpu->replay;
    s->pc = cpu_reg(cpu, 15);
    s->replay->disturbed = false;
    s->replay->bypass = s->pc;
    if (!can_record(cpu))
        return false;
    read_cpu(cpu, s->place, &s->mode);
    memcpy(s->before, s->place, sizeof s->before);
    s->mode_before = s->mode;
    return true;
}

static void note_read(const struct cpu *cpu, const struct trace *trace)
{
    for (unsigned i = 0; cpu->flash_watched && i < trace->pages; i++)
        nor_note_read(cpu->bus->flash, (uint32_t)(trace->page[i] & ~PAGE_READ) << 12, 1);
}

void replay_run(struct cpu *cpu)
{
    struct session s;
    if (!prepare(&s, cpu))
        return;
    struct head *first = find_head(s.replay, s.pc), *head = first;
    struct trace *trace;
    s.replay->running = true;
    while (head && !head->rest && (trace = choose_trace(&s, head))) {
        note_read(cpu, trace);
        uint64_t before = s.blocks;
        bool ended = run_trace(&s, trace);
        head->gain += s.blocks - before;
        if (!ended)
            break;
        head = find_head(s.replay, s.pc);
    }
    s.replay->running = false;
    s.replay->blocks += s.blocks;
    if (s.replay->forget) {
        s.replay->forget = false;
        replay_forget(cpu, 0, cpu->flash_size);
    }
    if (s.blocks) {
        write_cpu(&s);
        replay_search_anew(cpu); /* the way to the candidate was not seen */
    }
    s.replay->bypass = s.pc;
    if (first && s.blocks >= POOR_BLOCKS) {
        first->poor = first->rests = 0;
    } else if (first && ++first->poor >= POOR_TRIED) {
        first->poor = POOR_TRIED / 2;
        first->rest = REST_ARRIVALS << first->rests;
        if (first->rests < RESTS_MAX)
            first->rests++;
    }
    if (s.by_guard && s.blocks >= POOR_BLOCKS)
        note_exit(cpu, s.pc);
}
