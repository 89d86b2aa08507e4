/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/replay_find.h"

#include "core/cycles.h"
#include "core/loop_round.h"
#include "core/replay.h"
#include "core/short_hook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE UINT32_MAX

/* When a loop is worth it: rounds that went a way which was seen before; for what spin.c may skip altogether
 * many alike in a row. */
#define ROUNDS_KNOWN       4
#define ROUNDS_ALIKE_SMALL 64
#define ROUNDS_TRIED       6
#define EXITS_TRIED        4 /* before a trace is made from there */
#define REST_AFTER_FAILURE (CYCLES_PER_MS / 2)
#define GIVEN_UP_MAX       12
#define SEARCH_REST        (CYCLES_PER_MS / 2)
#define SEARCH_BLOCKS      (12 * REPLAY_BLOCKS) /* then there is a rest, too */
#define IN_VAIN_MAX        8

#define XPSR_FLAGS 0xf0000000u
#define XPSR_IT_GE 0x060ffc00u

int replay_open(struct cpu *cpu)
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return ENOMEM;
    cpu->replay = replay;
    replay->cpu = cpu;
    replay->log.ram = malloc(cpu->ram_size);
    replay->candidate = replay->bypass = NOWHERE;
    return replay->log.ram ? 0 : ENOMEM;
}

static void drop_trace(struct replay *replay, struct trace *trace)
{
    for (unsigned i = 0; i < REPLAY_PAUSED; i++) {
        if (replay->paused[i] == trace)
            replay->paused[i] = NULL;
    }
    trace_free(trace);
}

static void drop_traces(struct replay *replay, struct head *head)
{
    while (head->traces)
        drop_trace(replay, head->trace[--head->traces]);
    head->next = head->rest = 0;
}

void replay_anew(struct replay *replay, struct head *head, struct trace *trace)
{
    unsigned n = 0;
    while (n < head->traces && head->trace[n] != trace)
        n++;
    if (n == head->traces)
        return;
    head->trace[n] = head->trace[--head->traces];
    head->next = 0;
    head->record = true;
    drop_trace(replay, trace);
}

void replay_close(struct cpu *cpu)
{
    struct replay *replay = cpu->replay;
    if (!replay)
        return;
    for (unsigned i = 0; i < replay->heads; i++)
        drop_traces(replay, &replay->head[i]);
    free(replay->log.ram);
    free(replay);
    cpu->replay = NULL;
}

uint64_t replay_quiet_until(const struct cpu *cpu)
{
    if (!cpu->replay)
        return UINT64_MAX;
    return cpu->replay->recording ? 0 : cpu->replay->search_at;
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
                drop_traces(replay, head);
                head->failures = 0;
                head->wishes = (struct replay_wishes){0};
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
    struct replay *replay = cpu->replay;
    if (!replay)
        return;
    replay->search_at = 0;
    for (unsigned i = 0; i < replay->heads; i++)
        replay->head[i].given_up_until = replay->head[i].no_loop_until = replay->head[i].useful_at = 0;
}

/* --- heads ------------------------------------------------------------------------------------------------
 */

static unsigned place_in_index(uint32_t address)
{
    return address >> 1 & (REPLAY_INDEX - 1);
}

static unsigned next_in_index(unsigned at)
{
    return (at + 1) & (REPLAY_INDEX - 1);
}

struct head *replay_head(struct replay *replay, uint32_t address)
{
    for (unsigned at = place_in_index(address); replay->index[at]; at = next_in_index(at)) {
        struct head *head = &replay->head[replay->index[at] - 1];
        if (head->address == address && head->exception == replay->cpu->exception)
            return head;
    }
    return NULL;
}

bool replay_wants(const struct cpu *cpu, uint32_t address)
{
    const struct replay *replay = cpu->replay;
    for (unsigned at = place_in_index(address); replay && replay->index[at]; at = next_in_index(at)) {
        const struct head *head = &replay->head[replay->index[at] - 1];
        if (head->address == address && (head->traces || head->record || head == replay->recording))
            return true;
    }
    return false;
}

static void index_heads(struct replay *replay)
{
    memset(replay->index, 0, sizeof replay->index);
    for (unsigned i = 0; i < replay->heads; i++) {
        unsigned at = place_in_index(replay->head[i].address);
        while (replay->index[at])
            at = next_in_index(at);
        replay->index[at] = (uint8_t)(i + 1);
    }
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

static struct head *make_head(struct replay *replay, uint32_t address)
{
    struct head *head = replay_head(replay, address);
    if (head)
        return head;
    if (replay->heads < REPLAY_HEADS) {
        head = &replay->head[replay->heads++];
    } else {
        head = least_useful(replay);
        drop_traces(replay, head);
    }
    *head = (struct head){.address = address, .exception = replay->cpu->exception};
    index_heads(replay);
    return head;
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

void replay_give_up(struct cpu *cpu, struct head *head)
{
    drop_traces(cpu->replay, head);
    head->record = head->loop = false;
    head->wishes = (struct replay_wishes){0};
    head->given_up_until = cpu->bus->clock.now + ((uint64_t)REST_AFTER_FAILURE << head->given_up);
    head->failures = head->misses = head->exits = 0;
    if (head->given_up < GIVEN_UP_MAX)
        head->given_up++;
    rest_from_search(cpu);
}

/* --- recording --------------------------------------------------------------------------------------------
 */

void replay_read_cpu(struct cpu *cpu, uint32_t place[PLACES], struct replay_mode *mode)
{
    enum { XPSR = PLACE_N, PRIMASK, BASEPRI, COUNT };
    int ids[COUNT] = {
        [XPSR] = UC_ARM_REG_XPSR, [PRIMASK] = UC_ARM_REG_PRIMASK, [BASEPRI] = UC_ARM_REG_BASEPRI};
    uint32_t value[COUNT] = {0};
    for (unsigned i = 0; i < PLACE_N; i++)
        ids[i] = cpu_reg_id(i);
    cpu_regs(cpu, ids, value, COUNT);
    memcpy(place, value, PLACE_N * sizeof *place);
    mode->xpsr = value[XPSR];
    for (unsigned i = 0; i < 4; i++)
        place[PLACE_N + i] = mode->xpsr >> (31 - i) & 1;
    mode->xpsr &= ~XPSR_FLAGS;
    mode->primask = value[PRIMASK];
    mode->basepri = value[BASEPRI];
}

static bool faultmask(const struct cpu *cpu)
{
    uint32_t value;
    uc_reg_read(cpu->uc, UC_ARM_REG_FAULTMASK, &value);
    return value & 1;
}

/* What the MPU allows privileged code must depend on nothing but its registers; at the priorities of faults
 * it may be off. */
static bool mpu_interferes(const struct cpu *cpu)
{
    return (cpu->mpu.ctrl & MPU_CTRL_ENABLE) && (cpu->careful_always || cpu->exc.active_priority < 0 ||
                                                 (!(cpu->mpu.ctrl & MPU_CTRL_HFNMIENA) && faultmask(cpu)));
}

bool replay_possible(const struct cpu *cpu)
{
    return !cpu->monitor_open && cpu_privileged(cpu) && !mpu_interferes(cpu);
}

static void start_recording(struct cpu *cpu, struct head *head)
{
    struct replay *replay = cpu->replay;
    struct replay_log *log = &replay->log;
    if (!replay_possible(cpu))
        return;
    replay_read_cpu(cpu, log->place, &log->mode);
    if (log->mode.xpsr & XPSR_IT_GE)
        return;
    head->record = false;
    log->expected = cpu->expected;
    log->cache_is_on = cpu->cache_is_on;
    log->mpu = cpu->mpu;
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

static bool has_loop(const struct head *head)
{
    for (unsigned i = 0; i < head->traces; i++) {
        if (head->trace[i]->stable)
            return true;
    }
    return false;
}

/* There was no loop, or none that traces are made of: those of parts of it that there are stay. False if
 * there are none. */
static bool give_up_loop(const struct cpu *cpu, struct head *head)
{
    if (!head->loop || !head->traces)
        return false;
    head->loop = has_loop(head);
    head->record = false;
    head->no_loop_until = cpu->bus->clock.now + ((uint64_t)REST_AFTER_FAILURE << head->loops_in_vain);
    if (head->loops_in_vain < GIVEN_UP_MAX)
        head->loops_in_vain++;
    return true;
}

/* Those of whole loops are tried before those of parts. */
static void keep_trace(struct replay *replay, struct head *head, struct trace *trace)
{
    if (trace->stable && head->traces && head->traces < REPLAY_TRACES) {
        memmove(head->trace + 1, head->trace, head->traces++ * sizeof *head->trace);
        head->trace[0] = trace;
    } else if (head->traces == REPLAY_TRACES) {
        drop_trace(replay, head->trace[head->next]);
        head->trace[head->next] = trace;
        head->next = (head->next + 1) % REPLAY_TRACES;
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
    replay_read_cpu(cpu, place, &mode);
    struct trace *trace;
    do {
        trace = replay_make(&replay->maker, cpu, &replay->log, place, &head->wishes);
    } while (!trace && replay_blame(&replay->maker, &head->wishes));
    if (trace && !trace->stable && give_up_loop(cpu, head))
        trace_free(trace);
    else if (trace)
        keep_trace(replay, head, trace);
    else if (!give_up_loop(cpu, head))
        replay_give_up(cpu, head);
}

static void record_block(struct cpu *cpu, const struct block_info *block)
{
    struct replay *replay = cpu->replay;
    struct replay_log *log = &replay->log;
    const struct head *here = log->blocks ? replay_head(replay, block->address) : NULL;
    if (here && (here == replay->recording || (here->traces && !replay->recording->loop))) {
        finish_recording(cpu, block->address);
        return;
    }
    if (log->blocks == REPLAY_BLOCKS) {
        if (!give_up_loop(cpu, replay->recording))
            replay_give_up(cpu, replay->recording);
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

/* False if there are traces already, or making some was tried in vain not long ago. */
static bool may_record(const struct cpu *cpu, const struct head *head)
{
    return !head->traces && !head->rest && cpu->bus->clock.now >= head->given_up_until;
}

/* The same for a loop: traces of parts of it are no reason not to. */
static bool may_record_loop(const struct cpu *cpu, const struct head *head)
{
    uint64_t now = cpu->bus->clock.now;
    return !has_loop(head) && !head->rest && now >= head->given_up_until && now >= head->no_loop_until;
}

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
    replay->age = replay->alike = replay->known = replay->tries = 0;
    replay->path = 0;
    replay->ways = replay->last_way = 0;
}

/* True if the candidate's round was run in the same way as one before. */
static bool is_known_way(struct replay *replay)
{
    const struct way way = {replay->path, replay->age};
    unsigned before = replay->last_way;
    for (unsigned i = 0; i < replay->ways; i++) {
        if (replay->way[i].path == way.path && replay->way[i].blocks == way.blocks) {
            replay->last_way = i;
            replay->alike = i == before ? replay->alike + 1 : 0;
            return true;
        }
    }
    replay->alike = 0;
    if (replay->ways < REPLAY_WAYS)
        replay->last_way = replay->ways++;
    else
        replay->last_way = (before + 1) % REPLAY_WAYS;
    replay->way[replay->last_way] = way;
    return false;
}

static void candidate_came_again(struct cpu *cpu)
{
    struct replay *replay = cpu->replay;
    if (is_known_way(replay))
        replay->known++;
    else
        replay->tries++;
    bool small = replay->age < LOOP_MAX_BLOCKS && cpu->speed.skip_spins;
    /* What can be skipped need not be replayed, and is seen while it is not, however short a round is. */
    if (small && replay->alike == ROUNDS_ALIKE_SMALL / 2 + 1)
        cpu->spin_at = 0;
    replay->age = 0;
    replay->path = 0;
    if (small ? replay->alike >= ROUNDS_ALIKE_SMALL : replay->known >= ROUNDS_KNOWN) {
        struct head *head = make_head(replay, replay->candidate);
        replay->candidate = NOWHERE;
        replay->searched = 0;
        if (may_record_loop(cpu, head))
            wish_record(cpu, head, true);
        else
            rest_from_search(cpu);
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

void replay_search_at(struct cpu *cpu, uint32_t pc)
{
    if (cpu->bus->clock.now >= cpu->replay->search_at)
        search(cpu, pc);
}

void replay_search_over(struct cpu *cpu, const struct trace *trace, uint64_t blocks)
{
    struct replay *replay = cpu->replay;
    if (trace->stable || blocks > REPLAY_BLOCKS) {
        replay->candidate = NOWHERE;
        return;
    }
    replay->age += blocks ? (unsigned)blocks - 1 : 0;
    replay->path = (replay->path ^ trace->block[0] ^ blocks) * 0x9e3779b97f4a7c15ull;
}

void replay_note_exit(struct cpu *cpu, uint32_t pc)
{
    struct head *head = make_head(cpu->replay, pc);
    if (may_record(cpu, head) && ++head->exits >= EXITS_TRIED)
        wish_record(cpu, head, false);
}

void replay_note_entry(struct cpu *cpu, uint32_t address)
{
    if (!cpu->replay)
        return;
    struct head *head = make_head(cpu->replay, address);
    if (head->record || !may_record(cpu, head) || ++head->exits < EXITS_TRIED)
        return;
    /* What the interrupted code has in its registers is saved, and says nothing. */
    struct replay_wishes *wishes = &head->wishes;
    for (uint32_t place = 0; place < PLACES; place++) {
        if (place != PLACE_SP && place != PLACE_LR && wishes->wanted_count < REPLAY_VARIABLES &&
            !replay_listed(wishes->wanted, wishes->wanted_count, place) &&
            !replay_listed(wishes->never, wishes->nevers, place))
            wishes->wanted[wishes->wanted_count++] = place;
    }
    wish_record(cpu, head, false);
}

void replay_note_return(struct cpu *cpu, uint32_t address)
{
    struct replay *replay = cpu->replay;
    if (replay && replay->recording && replay->log.blocks)
        finish_recording(cpu, address);
    replay_disturbed(cpu);
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
    bool seen = replay->bypass == address;
    if (seen)
        replay->bypass = NOWHERE;
    else
        replay_search_at(cpu, address);
    struct head *head = replay_head(replay, address);
    if (!head)
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
            replay_give_up(cpu, head); /* not with an MPU, say */
        return false;
    }
    return !seen && head->traces && !cpu_is_watched(cpu, block);
}
