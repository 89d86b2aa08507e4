/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/replay.h"

#include "core/cycles.h"
#include "core/nor.h"
#include "core/replay_leave.h"

#include <string.h>

#define POOR_BLOCKS   40 /* a run of traces that is shorter does not pay … */
#define POOR_TRIED    8  /* … and after so many in a row there is a rest */
#define REST_ARRIVALS 64
#define RESTS_MAX     3

uint64_t replay_blocks(const struct cpu *cpu)
{
    return cpu->replay ? cpu->replay->blocks : 0;
}

/* --- the engine's state -----------------------------------------------------------------------------------
 */

/* True if the trace was left by the end of a handler. */
static bool is_return(const struct session *s)
{
    return replay_in_handler(&s->mode) && s->pc >= EXC_RETURN_LEAST;
}

static void write_cpu(struct session *s)
{
    struct cpu *cpu = s->cpu;
    int ids[PLACE_N];
    uint32_t value[PLACE_N];
    unsigned count = 0;
    for (unsigned i = 0; i < PLACE_N; i++) {
        if (s->place[i] == s->before[i])
            continue;
        ids[count] = cpu_reg_id(i);
        value[count++] = s->place[i];
    }
    cpu_set_regs(cpu, ids, value, count);
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
    if (!is_return(s))
        cpu_set_reg(cpu, 15, s->pc);
}

/* --- running ----------------------------------------------------------------------------------------------
 */

static bool goes_on_at(struct session *s, const struct replay_exit *exit)
{
    return replay_goes_on(s, s->trace, exit->stretch, exit->primask, exit->basepri);
}

static void begin(struct session *s)
{
    struct trace *trace = s->trace;
    for (unsigned i = 0; i < trace->variables; i++) {
        uint32_t where = trace->variable[i].where, *slot = &trace->slots[trace->variable[i].slot];
        if (where < PLACES)
            *slot = s->place[where];
        else
            memcpy(slot, s->cpu->ram + (where - RAM_BASE), 4);
    }
}

/* The access did when it was recorded, and the MPU is as it was then. */
static void must_go_well(struct cpu *cpu, int error)
{
    if (error)
        cpu_engine_failed(cpu, "a replayed access failed", UC_ERR_EXCEPTION);
}

/* True if nothing but an event can make the run loop do anything before the next block; it would note, too,
 * that something is not pending any more. */
static bool is_calm(const struct session *s)
{
    const struct cpu *cpu = s->cpu;
    return !s->replay->disturbed && !(cpu->exc.pending & cpu->exc.enabled) &&
           cpu->exc.pending == cpu->pending_seen;
}

/* The same after an access, which may have asked for a look around: that there is nothing to see can be seen
 * at once. */
static bool is_calm_after_access(struct session *s)
{
    const struct clock *clock = &s->cpu->bus->clock;
    return is_calm(s) &&
           (clock->now < clock->deadline || replay_goes_on(s, s->trace, 0, s->mode.primask, s->mode.basepri));
}

/* True if, in the list without looks, one that was left out before this effect might have seen an event. */
static inline bool is_late(const struct session *s, const struct ir *ir)
{
    const struct clock *clock = &s->cpu->bus->clock;
    return s->quiet && clock->now + ir->reach >= clock->deadline;
}

static inline void compute(const struct ir *ir, uint32_t *slot, enum ir_op op)
{
    slot[ir->to] = ir_eval(op, slot[ir->a], slot[ir->b], slot[ir->c]);
}

/* The CPU's access to a register; meanwhile somebody may want to see the RAM. */
static void access_register(struct session *s, const struct ir *ir)
{
    struct cpu *cpu = s->cpu;
    uint32_t *slots = s->trace->slots;
    s->access = ir;
    s->replay->in_access = s;
    must_go_well(cpu, ir->op == FX_READ ? cpu_load(cpu, ir->address, ir->size, &slots[ir->to])
                                        : cpu_store(cpu, ir->address, ir->size, slots[ir->a]));
    s->replay->in_access = NULL;
}

/* From the list without looks to that of all, at the operation `next`. */
static const struct ir *in_full(struct session *s, const struct ir *next)
{
    s->quiet = false;
    replay_compute(s->trace->ops, next, s->trace->slots);
    return next;
}

/* At the end of a round, with quiet at the beginning of the next: that begins with what this one came to. */
static void begin_next(struct session *s)
{
    struct trace *trace = s->trace;
    s->last = trace->slots;
    trace->slots = trace->other_slots;
    trace->other_slots = s->last;
    for (unsigned i = 0; i < trace->variables; i++)
        trace->slots[trace->variable[i].slot] = s->last[trace->variable[i].after];
    s->rounds++;
}

/* Where to go on behind the look by which the trace was left: in the list without looks, if nothing can be
 * seen before the next effect there. */
static const struct ir *after_pause(struct session *s)
{
    struct clock *clock = &s->cpu->bus->clock;
    const struct replay_pause *pause = &s->trace->pause;
    const struct ir *from = s->trace->quiet_ops + pause->exit->quiet, *effect = from;
    while (effect->op < FX_READ)
        effect++;
    s->quiet = is_calm(s) && clock->now - pause->exit->gone + effect->reach < clock->deadline;
    if (!s->quiet)
        return in_full(s, pause->next);
    clock->now -= pause->exit->gone;
    return from;
}

#define COMPUTE(op)                                                                                          \
    case op:                                                                                                 \
        compute(ir, slot, op);                                                                               \
        break;

/* Works the list off, from its beginning or from where it was paused; returns the operation, in the list of
 * all, by which it was left. While all is quiet there is nothing to look at, and the list without looks will
 * do, even for several rounds. */
static const struct ir *execute(struct session *s, bool was_paused)
{
    struct cpu *cpu = s->cpu;
    const struct trace *trace = s->trace;
    uint64_t *now = &cpu->bus->clock.now;
    uint32_t *slot = trace->slots;
    s->quiet = is_calm(s);
    const struct ir *ir = s->quiet ? trace->quiet_ops : trace->ops;
    const struct ir *next = trace->ops; /* of all, after the effect that was made last */
    if (was_paused) {
        ir = after_pause(s);
        next = trace->pause.next;
    }
    for (;;) {
        switch (ir->op) {
        case FX_LOAD:
            memcpy(&slot[ir->to], cpu->ram + ir->address, 4);
            break;
        case FX_READ:
        case FX_WRITE:
            if (is_late(s, ir)) {
                ir = in_full(s, next);
                continue;
            }
            *now += ir->cycles;
            access_register(s, ir);
            next = trace->ops + ir->c + 1;
            if (!s->quiet || is_calm_after_access(s))
                break;
            ir = in_full(s, next);
            continue;
        case FX_LOOK:
            if (is_late(s, ir)) {
                ir = in_full(s, next);
                continue;
            }
            *now += ir->cycles;
            if (s->quiet && is_calm(s) && *now + trace->exits[ir->exit].stretch < cpu->bus->clock.deadline) {
                next = trace->ops + ir->c + 1;
                break;
            }
            if (ir->size)
                clock_kick(&cpu->bus->clock);
            if (!goes_on_at(s, &trace->exits[ir->exit]))
                return trace->ops + ir->c;
            next = trace->ops + ir->c + 1;
            if (!s->quiet || is_calm(s))
                break;
            ir = in_full(s, next);
            continue;
        case FX_GUARD:
            if (is_late(s, ir)) {
                ir = in_full(s, next);
                continue;
            }
            *now += ir->cycles;
            if (slot[ir->a] != ir->b)
                return trace->ops + ir->c;
            next = trace->ops + ir->c + 1;
            break;
        case FX_END:
            if (is_late(s, ir)) {
                ir = in_full(s, next);
                continue;
            }
            *now += ir->cycles;
            if (s->quiet && trace->stable && !trace->idle && !was_paused && is_calm(s) &&
                *now + trace->stretch < cpu->bus->clock.deadline) {
                begin_next(s);
                slot = trace->slots;
                ir = trace->quiet_ops;
                next = trace->ops;
                continue;
            }
            if (ir->size)
                clock_kick(&cpu->bus->clock);
            return trace->end;
            /* What there is most of is told apart here, the rest where it is computed. */
            COMPUTE(IR_ADD)
            COMPUTE(IR_ADD_CARRY)
            COMPUTE(IR_AND)
            COMPUTE(IR_OR)
            COMPUTE(IR_EOR)
            COMPUTE(IR_LSL)
            COMPUTE(IR_LSR)
            COMPUTE(IR_MUL)
            COMPUTE(IR_UDIV)
            COMPUTE(IR_IS_ZERO)
            COMPUTE(IR_SELECT)
            COMPUTE(IR_SUB)
            COMPUTE(IR_NOT_LESS)
        default:
            compute(ir, slot, (enum ir_op)ir->op);
        }
        ir++;
    }
}

/* What the block hook notes about the last `ran` of `count` blocks, going round the trace from its beginning.
 */
static void note_blocks(struct cpu *cpu, const struct trace *trace, uint64_t count, uint64_t ran)
{
    unsigned kept = ran < CPU_TRAIL ? (unsigned)ran : CPU_TRAIL;
    cpu->trail_next += ran;
    unsigned last = (unsigned)((count - 1) % trace->blocks);
    for (unsigned i = 1, at = last; i <= kept; i++, at = (at ? at : trace->blocks) - 1)
        cpu->trail[(cpu->trail_next - i) % CPU_TRAIL] = trace->block[at];
    cpu->expected = trace->block_end[last];
    cpu->block_address = trace->block[last];
}

/* After a whole round – in the rest of one an interrupt may be pending that was not looked for yet – goes on
 * for as many as there is time for, if they are all alike. Returns how many. */
static uint64_t repeat_idle(struct cpu *cpu, const struct trace *trace)
{
    struct clock *clock = &cpu->bus->clock;
    if (!trace->idle || clock->now + trace->cycles >= clock->deadline)
        return 0;
    uint64_t rounds = (clock->deadline - clock->now - 1) / trace->cycles;
    clock->now += rounds * trace->cycles;
    return rounds;
}

bool replay_is_ready(struct cpu *cpu, uint32_t pc)
{
    struct replay *replay = cpu->replay;
    if (!replay || replay->recording || cpu->bus->ram_seen || cpu_may_spin(cpu, pc))
        return false;
    if (replay_paused_at(replay, pc))
        return replay_possible(cpu);
    const struct head *head = replay_head(replay, pc);
    return head && head->traces && !head->rest && !head->record && replay->bypass != pc;
}

/* Runs the trace until it is left, from its beginning or from where it was paused; true if it was left by its
 * end. */
static bool run_trace(struct session *s, struct trace *trace, bool was_paused)
{
    const struct ir *ir = NULL;
    uint64_t blocks = 0, before = was_paused ? trace->pause.blocks : 0;
    bool stored = false; /* the last round has stored what is known */
    trace->pause.on = false;
    s->trace = trace;
    s->made = was_paused ? trace->stores[trace->pause.exit->stores].count : 0;
    do {
        if (!was_paused) {
            s->made = 0;
            if (!replay_goes_on(s, trace, trace->stretch, s->mode.primask, s->mode.basepri))
                break;
            begin(s);
        }
        s->rounds = 0;
        bool whole = !was_paused;
        ir = execute(s, was_paused);
        was_paused = false;
        replay_leave(s, ir, stored && !s->rounds && !s->replay->disturbed);
        stored = !s->changed;
        blocks += s->rounds * trace->blocks + trace->exits[ir->exit].blocks;
        if (ir->op == FX_END && !s->changed && whole)
            blocks += repeat_idle(s->cpu, trace) * trace->blocks;
    } while (trace->stable && ir->op == FX_END && !s->changed);
    if (blocks > before)
        note_blocks(s->cpu, trace, blocks, blocks - before);
    s->blocks += blocks > before ? blocks - before : 0;
    s->by_guard = ir && ir->op == FX_GUARD;
    if (ir && ir->op == FX_LOOK)
        replay_pause(s, trace, ir);
    return ir && ir->op != FX_LOOK && !(trace->stable && ir->op == FX_END && !s->changed);
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

/* A head whose traces are left soon, many times in a row, rests; but not if the engine had not to be started
 * for a handler at all. */
static void note_worth(struct head *head, uint64_t blocks, bool returned)
{
    if (blocks >= POOR_BLOCKS || returned) {
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
    struct trace *paused = replay_choose_paused(&s), *trace = paused;
    struct head *head = replay_head(s.replay, s.pc), *first = paused ? NULL : head;
    s.changed = paused && s.changed;
    s.replay->running = true;
    while (trace || (head && !head->rest && !head->record && (trace = replay_choose(&s, head)))) {
        uint64_t before = s.blocks;
        note_read(cpu, trace);
        /* The way here may have been left by a guard, before what it did was looked at. */
        if (trace != paused)
            clock_kick(&cpu->bus->clock);
        bool ended = run_trace(&s, trace, trace == paused);
        if (head)
            head->gain += s.blocks - before;
        replay_search_over(cpu, trace, s.blocks - before);
        if (!ended)
            break;
        trace = paused = NULL;
        s.changed = false;
        if (!is_return(&s))
            replay_search_at(cpu, s.pc);
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
        /* What is due goes before an interrupt, as it does where the engine comes to a block: it may bring
         * one that goes first. */
        if (!is_return(&s) && cpu->bus->clock.now >= cpu->bus->clock.deadline)
            cpu_look_around(cpu);
    }
    s.replay->bypass = s.pc;
    if (first)
        note_worth(first, s.blocks, is_return(&s));
    if (is_return(&s))
        cpu_exception_return(cpu, s.pc | 1u);
    else if (s.by_guard && s.blocks >= POOR_BLOCKS)
        replay_note_exit(cpu, s.pc);
}
