/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/replay_choose.h"

#include <string.h>

#define MISSES_TRIED    8    /* before there is another trace */
#define DIFFERENCES_MAX 8    /* more are another story */
#define FAILURES_TRIED  4    /* to make a trace */
#define GAIN            4096 /* blocks that pay for another recording */

/* --- may a trace be run? ----------------------------------------------------------------------------------
 */

static bool is_watched(const struct cpu *cpu, struct trace *trace)
{
    if (cpu->watch_changes == trace->watch_changes)
        return trace->watched;
    trace->watch_changes = cpu->watch_changes;
    trace->watched = false;
    for (unsigned i = 0; i < cpu->watches; i++) {
        for (unsigned n = 0; n < trace->blocks; n++)
            trace->watched |= cpu->watch[i].address - trace->block[n] < trace->block_end[n] - trace->block[n];
    }
    return trace->watched;
}

/* True if the engine would note nothing new about the code that is run; from then on that is so until another
 * window of time begins. */
static bool pages_are_known(const struct cpu *cpu, struct trace *trace)
{
    if (trace->ran_windows == cpu->ran_windows)
        return true;
    for (unsigned i = 0; i < trace->pages; i++) {
        if (!(trace->page[i] & PAGE_READ) && !(cpu->ran_code[trace->page[i]] & 1))
            return false;
    }
    trace->ran_windows = cpu->ran_windows;
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

/* A handler begins after whatever it interrupts; all that counts is what its first block costs then. */
static bool begins_alike(const struct session *s, const struct trace *trace)
{
    const struct block_info *block = trace->stable ? NULL : cpu_block(s->cpu, s->pc);
    return block && cpu_block_cycles(s->cpu, block, s->cpu->expected) == trace->first_cycles;
}

static bool begins_here(const struct session *s, const struct trace *trace)
{
    return !memcmp(&s->mode, &trace->mode, sizeof s->mode) &&
           (s->cpu->expected == trace->expected || begins_alike(s, trace));
}

/* What has to be as it was all the time. */
static bool fits(const struct session *s, struct trace *trace)
{
    struct cpu *cpu = s->cpu;
    return cpu->cache_is_on == trace->cache_is_on && !(trace->flags & cpu->careful_flags) &&
           !memcmp(&cpu->mpu, &trace->mpu, sizeof cpu->mpu) && !is_watched(cpu, trace) &&
           pages_are_known(cpu, trace);
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
        replay_give_up(s->cpu, head);
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
            wishes->wanted_count < REPLAY_VARIABLES * 3 / 4)
            wishes->wanted[wishes->wanted_count++] = least[i];
    }
}

struct trace *replay_choose(struct session *s, struct head *head)
{
    for (unsigned i = 0; i < head->traces; i++) {
        struct trace *trace = head->trace[i];
        if (begins_here(s, trace) && fits(s, trace) && same_values(s, trace)) {
            head->misses = 0;
            head->useful_at = s->cpu->bus->clock.now;
            return trace;
        }
    }
    if (head->traces && ++head->misses >= MISSES_TRIED)
        learn(s, head);
    return NULL;
}

/* True if an exception would be taken with these masks; FAULTMASK is the engine's, no trace changes it. */
static bool is_interrupted(const struct cpu *cpu, uint32_t primask, uint32_t basepri)
{
    if (!(cpu->exc.pending & cpu->exc.enabled))
        return false;
    struct exception_masks masks = cpu_masks(cpu);
    masks.primask = primask;
    masks.basepri = (uint8_t)basepri;
    return exceptions_to_take(&cpu->exc, &masks);
}

/* True if the run loop would go on with the next block, and with those that begin within `stretch` cycles. */
bool replay_goes_on(struct session *s, const struct trace *trace, uint32_t stretch, uint32_t primask,
                    uint32_t basepri)
{
    struct cpu *cpu = s->cpu;
    struct clock *clock = &cpu->bus->clock;
    if (s->replay->disturbed || is_interrupted(cpu, primask, basepri))
        return false;
    if (clock->now + stretch < clock->deadline)
        return true;
    uint64_t next = cpu_next_look(cpu);
    if (clock->now + stretch >= next || cpu_must_stop(cpu) ||
        cpu->ports.cache_on(cpu->ports.context) != cpu->cache_is_on)
        return false;
    cpu_update_careful(cpu);
    if (cpu->careful_always || cpu->careful_flags & trace->flags)
        return false;
    cpu_note_pending(cpu);
    clock->deadline = next;
    return true;
}

/* --- pauses -----------------------------------------------------------------------------------------------
 */

/* All words of RAM that count while the trace is paused. */
static void note_words(const struct cpu *cpu, struct trace *trace)
{
    const struct replay_pause *pause = &trace->pause;
    uint32_t *then = pause->ram;
    for (unsigned i = 0; i < trace->word_count; i++)
        memcpy(then++, cpu->ram + trace->words[i].offset, 4);
    for (unsigned i = 0; i < trace->variables; i++) {
        if (trace->variable[i].where >= PLACES)
            memcpy(then++, cpu->ram + (trace->variable[i].where - RAM_BASE), 4);
    }
    for (unsigned i = 0; i < pause->stores; i++)
        memcpy(then++, cpu->ram + pause->store[i].offset, 4);
}

/* The trace was left at `look`: after an event or an interrupt it may go on there. */
void replay_pause(struct session *s, struct trace *trace, const struct ir *look)
{
    struct replay *replay = s->replay;
    struct replay_pause *pause = &trace->pause;
    const struct replay_exit *exit = &trace->exits[look->exit];
    /* What somebody else stored is not what the trace believes to be there. */
    if (replay->disturbed)
        return;
    pause->on = true;
    pause->exit = exit;
    pause->next = look + 1;
    pause->pc = exit->pc;
    pause->blocks = exit->blocks;
    pause->expected = s->cpu->expected;
    pause->stretch = exit->stretch;
    memcpy(pause->place, s->place, sizeof pause->place);
    pause->mode = s->mode;
    pause->store = exit->out ? exit->out->store : trace->store + trace->stores[exit->stores].first;
    pause->stores = exit->out ? exit->out->stores : trace->stores[exit->stores].count;
    pause->changed = s->changed;
    note_words(s->cpu, trace);
    replay->paused[replay->next_paused++ % REPLAY_PAUSED] = trace;
}

struct trace *replay_paused_at(const struct replay *replay, uint32_t pc)
{
    for (unsigned i = 0; i < REPLAY_PAUSED; i++) {
        if (replay->paused[i] && replay->paused[i]->pause.on && replay->paused[i]->pause.pc == pc)
            return replay->paused[i];
    }
    return NULL;
}

/* A handler changed the word, which it did before: the trace had better not build on it. Another one, that
 * does not, shall take its place. */
static void learn_volatile(const struct session *s, struct trace *trace, uint32_t where)
{
    struct head *head = replay_head(s->replay, trace->block[0]);
    if (++trace->pause.misses < MISSES_TRIED || !head)
        return;
    struct replay_wishes *wishes = &head->wishes;
    trace->pause.misses = 0;
    if (wishes->volatile_count == REPLAY_VOLATILE ||
        replay_listed(wishes->volatiles, wishes->volatile_count, where) ||
        replay_listed(wishes->never, wishes->nevers, where))
        return;
    wishes->volatiles[wishes->volatile_count++] = where;
    replay_anew(s->replay, head, trace);
}

/* True if the word is as it was, or the rest of the round does not read it: it counts for so many blocks.
 * Below the stack pointer, where a handler's frame was, other words may be. */
static bool word_will_do(struct session *s, struct trace *trace, const uint32_t *then, uint32_t offset,
                         unsigned used_until)
{
    if (!memcmp(then, s->cpu->ram + offset, 4))
        return true;
    s->changed = true;
    return used_until <= trace->pause.blocks;
}

/* Likewise of what the round began with; if a handler keeps changing it, that is learnt from. */
static bool first_will_do(struct session *s, struct trace *trace, const uint32_t *then, uint32_t offset,
                          unsigned used_until)
{
    if (word_will_do(s, trace, then, offset, used_until))
        return true;
    learn_volatile(s, trace, RAM_BASE + offset);
    return false;
}

/* True if all that the rest of the round builds on is as it was. */
static bool same_as_paused(struct session *s, struct trace *trace)
{
    const struct replay_pause *pause = &trace->pause;
    const uint32_t *then = pause->ram;
    s->changed = pause->changed;
    if (memcmp(pause->place, s->place, sizeof pause->place) != 0 ||
        memcmp(&pause->mode, &s->mode, sizeof s->mode) != 0)
        return false;
    for (unsigned i = 0; i < trace->word_count; i++) {
        const struct replay_word *word = &trace->words[i];
        if (!first_will_do(s, trace, then++, word->offset, word->used_until))
            return false;
    }
    for (unsigned i = 0; i < trace->variables; i++) {
        const struct replay_variable *variable = &trace->variable[i];
        if (variable->where >= PLACES &&
            !first_will_do(s, trace, then++, variable->where - RAM_BASE, variable->used_until))
            return false;
    }
    for (unsigned i = 0; i < pause->stores; i++) {
        const struct replay_store *store = &pause->store[i];
        if (!word_will_do(s, trace, then++, store->offset, store->used_until))
            return false;
    }
    return true;
}

/* The trace that is paused here, if it can go on. Its next block may be reached in another way than it was in
 * the trace, from a handler say, and take other cycles. */
struct trace *replay_choose_paused(struct session *s)
{
    struct cpu *cpu = s->cpu;
    struct trace *trace = replay_paused_at(s->replay, s->pc);
    const struct block_info *block = cpu_block(cpu, s->pc);
    if (!trace)
        return NULL;
    trace->pause.on = false;
    if (!block || !fits(s, trace) || !same_as_paused(s, trace))
        return NULL;
    uint32_t then = cpu_block_cycles(cpu, block, trace->pause.expected);
    uint32_t now = cpu_block_cycles(cpu, block, cpu->expected);
    uint32_t stretch = trace->pause.stretch ? trace->pause.stretch + now : 0;
    if (!replay_goes_on(s, trace, stretch, s->mode.primask, s->mode.basepri))
        return NULL;
    cpu->bus->clock.now += now;
    cpu->bus->clock.now -= then;
    return trace;
}
