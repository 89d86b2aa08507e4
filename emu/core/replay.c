/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/replay.h"

#include "core/nor.h"
#include "core/replay_find.h"

#include <string.h>

#define MISSES_TRIED    8    /* before there is another trace */
#define DIFFERENCES_MAX 8    /* more are another story */
#define FAILURES_TRIED  4    /* to make a trace */
#define GAIN            4096 /* blocks that pay for another recording */
#define POOR_BLOCKS     40   /* a run of traces that is shorter does not pay … */
#define POOR_TRIED      8    /* … and after so many in a row there is a rest */
#define REST_ARRIVALS   64
#define RESTS_MAX       3

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

uint64_t replay_blocks(const struct cpu *cpu)
{
    return cpu->replay ? cpu->replay->blocks : 0;
}

/* --- the engine's state -----------------------------------------------------------------------------------
 */

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

static bool begins_here(const struct session *s, const struct trace *trace)
{
    return !memcmp(&s->mode, &trace->mode, sizeof s->mode) && s->cpu->expected == trace->expected;
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
            wishes->wanted_count < REPLAY_VARIABLES / 2)
            wishes->wanted[wishes->wanted_count++] = least[i];
    }
}

static struct trace *choose_trace(struct session *s, struct head *head)
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
static bool goes_on(struct session *s, const struct trace *trace, uint32_t stretch, uint32_t primask,
                    uint32_t basepri)
{
    struct cpu *cpu = s->cpu;
    struct clock *clock = &cpu->bus->clock;
    if (s->replay->disturbed || is_interrupted(cpu, primask, basepri))
        return false;
    if (clock->now + stretch < clock->deadline)
        return true;
    uint64_t next = clock_next_event(clock);
    next = next < cpu->until ? next : cpu->until;
    if (clock->now + stretch >= next || clock->now + stretch >= cpu->ran_window || cpu_must_stop(cpu) ||
        cpu->ports.cache_on(cpu->ports.context) != cpu->cache_is_on)
        return false;
    cpu_update_careful(cpu);
    if (cpu->careful_always || cpu->careful_flags & trace->flags)
        return false;
    cpu_note_pending(cpu);
    clock->deadline = next;
    return true;
}

static bool goes_on_at(struct session *s, const struct trace *trace, const struct replay_exit *exit)
{
    return goes_on(s, trace, exit->stretch, exit->primask, exit->basepri);
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

/* The access did when it was recorded, and the MPU is as it was then.
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

/* The same after an access, which may have asked for a look around: that there is nothing to see can be seen
 * at once. */
static bool quiets_down(struct session *s, const struct trace *trace, uint64_t end)
{
    const struct cpu *cpu = s->cpu;
    return !(cpu->exc.pending & cpu->exc.enabled) &&
           goes_on(s, trace, (uint32_t)(end - cpu->bus->clock.now), s->mode.primask, s->mode.basepri);
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

static inline void compute(const struct ir *ir, uint32_t *slot, enum ir_op op)
{
    slot[ir->to] = ir_eval(op, slot[ir->a], slot[ir->b], slot[ir->c]);
}

#define COMPUTE(op)                                                                                          \
    case op:                                                                                                 \
        compute(ir, slot, op);                                                                               \
        break;

/* What the list without looks left out so far. */
static void compute_all(const struct trace *trace, unsigned ops)
{
    for (const struct ir *ir = trace->ops; ir < trace->ops + ops; ir++) {
        if (ir->op < FX_READ)
            compute(ir, trace->slots, (enum ir_op)ir->op);
    }
}

/* Works the list off, from its beginning if `from` is NULL; returns the operation by which it was left. While
 * all is quiet there is nothing to look at, and the list without looks will do. */
static const struct ir *execute(struct session *s, const struct trace *trace, const struct ir *from)
{
    struct cpu *cpu = s->cpu;
    uint64_t *now = &cpu->bus->clock.now, end = *now + trace->whole;
    uint32_t *slot = trace->slots;
    bool quiet = !from && is_quiet(s, end);
    for (const struct ir *ir = from ? from : quiet ? trace->quiet_ops : trace->ops;; ir++) {
        switch (ir->op) {
        case FX_READ:
        case FX_WRITE:
            *now += ir->cycles;
            access_register(s, trace, ir);
            if (quiet && !is_quiet(s, end) && !quiets_down(s, trace, end)) {
                quiet = false;
                compute_all(trace, ir->c);
                ir = &trace->ops[ir->c];
            }
            break;
        case FX_LOOK:
            *now += ir->cycles;
            if (ir->size)
                clock_kick(&cpu->bus->clock);
            if (ir->size && quiet) {
                if (goes_on_at(s, trace, &trace->exits[ir->exit]) && is_quiet(s, end))
                    break;
                quiet = false;
                compute_all(trace, ir->c);
                ir = &trace->ops[ir->c];
            }
            if (!quiet && !goes_on_at(s, trace, &trace->exits[ir->exit]))
                return ir;
            break;
        case FX_GUARD:
            *now += ir->cycles;
            if (slot[ir->a] != ir->b)
                return ir;
            break;
        case FX_END:
            *now += ir->cycles;
            if (ir->size)
                clock_kick(&cpu->bus->clock);
            return ir;
            /* What there is most of is told apart here; the others once more, there. */
            COMPUTE(IR_ADD)
            COMPUTE(IR_ADD_CARRY)
            COMPUTE(IR_ADD_OVERFLOW)
            COMPUTE(IR_AND)
            COMPUTE(IR_OR)
            COMPUTE(IR_EOR)
            COMPUTE(IR_LSL)
            COMPUTE(IR_LSR)
            COMPUTE(IR_MUL)
            COMPUTE(IR_IS_ZERO)
            COMPUTE(IR_SELECT)
        default:
            compute(ir, slot, (enum ir_op)ir->op);
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

/* What the block hook notes about the last `ran` of `count` blocks, going round the trace from its beginning.
 */
static void note_blocks(struct cpu *cpu, const struct trace *trace, uint64_t count, uint64_t ran)
{
    unsigned kept = ran < CPU_TRAIL ? (unsigned)ran : CPU_TRAIL;
    cpu->trail_next += (unsigned)ran;
    for (unsigned i = 1; i <= kept; i++)
        cpu->trail[(cpu->trail_next - i) % CPU_TRAIL] = trace->block[(count - i) % trace->blocks];
    unsigned last = (unsigned)((count - 1) % trace->blocks);
    cpu->expected = trace->block_end[last];
    cpu->block_address = trace->block[last];
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

/* --- pauses -----------------------------------------------------------------------------------------------
 */

#define NO_WORD UINT32_MAX

static unsigned pause_words(const struct trace *trace)
{
    return trace->word_count + trace->variables + trace->stores[trace->pause.stores].count;
}

/* The offset in RAM of a word that counts while the trace is paused, or NO_WORD. */
static uint32_t pause_word(const struct trace *trace, unsigned n)
{
    if (n < trace->word_count)
        return trace->words[n].offset;
    n -= trace->word_count;
    if (n < trace->variables)
        return trace->variable[n].where < PLACES ? NO_WORD : trace->variable[n].where - RAM_BASE;
    return trace->store[trace->stores[trace->pause.stores].first + n - trace->variables].offset;
}

/* The trace was left at `look`: after an event or an interrupt it may go on there. */
static void pause_trace(struct session *s, struct trace *trace, const struct ir *look)
{
    struct replay *replay = s->replay;
    struct replay_pause *pause = &trace->pause;
    const struct replay_exit *exit = &trace->exits[look->exit];
    /* What somebody else stored is not what the trace believes to be there. */
    if (replay->disturbed)
        return;
    pause->on = true;
    pause->next = look + 1;
    pause->pc = exit->pc;
    pause->blocks = exit->blocks;
    pause->expected = s->cpu->expected;
    pause->stretch = exit->stretch;
    memcpy(pause->place, s->place, sizeof pause->place);
    pause->mode = s->mode;
    pause->stores = exit->stores;
    for (unsigned n = 0; n < pause_words(trace); n++) {
        if (pause_word(trace, n) != NO_WORD)
            memcpy(&pause->ram[n], s->cpu->ram + pause_word(trace, n), 4);
    }
    replay->paused[replay->next_paused++ % REPLAY_PAUSED] = trace;
}

static struct trace *paused_at(const struct replay *replay, uint32_t pc)
{
    for (unsigned i = 0; i < REPLAY_PAUSED; i++) {
        if (replay->paused[i] && replay->paused[i]->pause.on && replay->paused[i]->pause.pc == pc)
            return replay->paused[i];
    }
    return NULL;
}

static bool same_as_paused(const struct session *s, const struct trace *trace)
{
    const struct replay_pause *pause = &trace->pause;
    if (memcmp(pause->place, s->place, sizeof pause->place) != 0 ||
        memcmp(&pause->mode, &s->mode, sizeof s->mode) != 0)
        return false;
    for (unsigned n = 0; n < pause_words(trace); n++) {
        if (pause_word(trace, n) != NO_WORD &&
            memcmp(&pause->ram[n], s->cpu->ram + pause_word(trace, n), 4) != 0)
            return false;
    }
    return true;
}

/* The trace that is paused here, if it can go on. Its next block may be reached in another way than it was in
 * the trace, from a handler say, and take other cycles. */
static struct trace *choose_paused(struct session *s)
{
    struct cpu *cpu = s->cpu;
    struct trace *trace = paused_at(s->replay, s->pc);
    const struct block_info *block = cpu_block(cpu, s->pc);
    if (!trace)
        return NULL;
    trace->pause.on = false;
    if (!block || !fits(s, trace) || !same_as_paused(s, trace))
        return NULL;
    uint32_t then = cpu_block_cycles(cpu, block, trace->pause.expected);
    uint32_t now = cpu_block_cycles(cpu, block, cpu->expected);
    uint32_t stretch = trace->pause.stretch ? trace->pause.stretch + now : 0;
    if (!goes_on(s, trace, stretch, s->mode.primask, s->mode.basepri))
        return NULL;
    cpu->bus->clock.now += now;
    cpu->bus->clock.now -= then;
    return trace;
}

bool replay_is_ready(const struct cpu *cpu, uint32_t pc)
{
    struct replay *replay = cpu->replay;
    if (!replay || replay->recording || cpu->bus->ram_seen ||
        (cpu->speed.skip_spins && cpu->bus->clock.now >= cpu->spin_at))
        return false;
    if (paused_at(replay, pc))
        return true;
    const struct head *head = replay_head(replay, pc);
    return head && head->traces && !head->rest && !head->record && replay->bypass != pc;
}

/* Runs the trace until it is left, from its beginning or from where it was paused; true if it was left by its
 * end. */
static bool run_trace(struct session *s, struct trace *trace, bool was_paused)
{
    const struct ir *ir = NULL, *from = was_paused ? trace->pause.next : NULL;
    uint64_t blocks = 0, before = was_paused ? trace->pause.blocks : 0;
    bool stored = false; /* the last round has stored what is known */
    trace->pause.on = false;
    do {
        if (!from) {
            if (!goes_on(s, trace, trace->stretch, s->mode.primask, s->mode.basepri))
                break;
            begin(s, trace);
        }
        ir = execute(s, trace, from);
        from = NULL;
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
    if (blocks > before)
        note_blocks(s->cpu, trace, blocks, blocks - before);
    s->blocks += blocks > before ? blocks - before : 0;
    s->by_guard = ir && ir->op == FX_GUARD;
    if (ir && ir->op == FX_LOOK)
        pause_trace(s, trace, ir);
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
    if (!replay_possible(cpu))
        return false;
    replay_read_cpu(cpu, s->place, &s->mode);
    memcpy(s->before, s->place, sizeof s->before);
    s->mode_before = s->mode;
    return true;
}

static void note_read(const struct cpu *cpu, const struct trace *trace)
{
    for (unsigned i = 0; cpu->flash_watched && i < trace->pages; i++)
        nor_note_read(cpu->bus->flash, (uint32_t)(trace->page[i] & ~PAGE_READ) << 12, 1);
}

/* A head whose traces are left soon, many times in a row, rests. */
static void note_worth(struct head *head, uint64_t blocks)
{
    if (blocks >= POOR_BLOCKS) {
        head->poor = head->rests = 0;
    } else if (++head->poor >= POOR_TRIED) {
        head->poor = POOR_TRIED / 2;
        head->rest = REST_ARRIVALS << head->rests;
        if (head->rests < RESTS_MAX)
            head->rests++;
    }
}

void replay_run(struct cpu *cpu)
{
    struct session s;
    if (!prepare(&s, cpu))
        return;
    struct trace *paused = choose_paused(&s), *trace = paused;
    struct head *head = replay_head(s.replay, s.pc), *first = paused ? NULL : head;
    s.replay->running = true;
    while (trace || (head && !head->rest && (trace = choose_trace(&s, head)))) {
        uint64_t before = s.blocks;
        note_read(cpu, trace);
        /* The way here may have been left by a guard, before what it did was looked at. */
        if (trace != paused)
            clock_kick(&cpu->bus->clock);
        bool ended = run_trace(&s, trace, trace == paused);
        if (head)
            head->gain += s.blocks - before;
        if (!ended)
            break;
        trace = paused = NULL;
        head = replay_head(s.replay, s.pc);
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
    if (first)
        note_worth(first, s.blocks);
    if (s.by_guard && s.blocks >= POOR_BLOCKS)
        replay_note_exit(cpu, s.pc);
}
