/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/replay_leave.h"

#include "core/replay.h"

#include <stdlib.h>
#include <string.h>

#define OFTEN 16 /* so often an exit is taken before it gets a way out */

/* --- ways out ---------------------------------------------------------------------------------------------
 */

/* Of each word what was stored last. */
static unsigned last_stores(const struct trace *trace, const struct replay_stores *list,
                            struct replay_store *last)
{
    unsigned count = 0;
    for (unsigned i = 0; i < list->count; i++)
        replay_put_off(last, &count, &trace->store[list->first + i]);
    return count;
}

static void need(const struct replay_exit *exit, const struct replay_store *store, unsigned stores,
                 bool *needed)
{
    for (unsigned i = 0; i < PLACES; i++)
        needed[exit->slot[i]] = true;
    for (unsigned i = 0; i < stores; i++)
        needed[store[i].slot] = true;
}

/* Marks, from the last to the first, the computations before `end` that are to be made; returns how many. */
static unsigned mark_computations(const struct trace *trace, const struct ir *end, bool *needed, bool *marked)
{
    unsigned count = 0;
    for (size_t i = (size_t)(end - trace->ops); i-- > 0;) {
        const struct ir *ir = &trace->ops[i];
        marked[i] = ir_left_out(ir) && needed[ir->to];
        if (!marked[i])
            continue;
        needed[ir->a] = needed[ir->b] = needed[ir->c] = true;
        count++;
    }
    return count;
}

/* NULL if there is no memory: then everything is computed and stored, as before. */
static struct way_out *make_way_out(const struct trace *trace, const struct ir *end)
{
    const struct replay_exit *exit = &trace->exits[end->exit];
    struct replay_store last[REPLAY_TABLE];
    bool needed[REPLAY_SLOTS] = {false}, marked[REPLAY_OPS];
    unsigned stores = last_stores(trace, &trace->stores[exit->stores], last);
    need(exit, last, stores, needed);
    unsigned count = mark_computations(trace, end, needed, marked);
    struct way_out *out = malloc(sizeof *out + stores * sizeof *out->store + count * sizeof *out->ops);
    if (!out)
        return NULL;
    out->stores = stores;
    out->store = (struct replay_store *)(out + 1);
    out->ops = (struct ir *)(out->store + stores);
    out->end = out->ops;
    memcpy(out->store, last, stores * sizeof *last);
    for (const struct ir *ir = trace->ops; ir < end; ir++) {
        if (marked[ir - trace->ops])
            *out->end++ = *ir;
    }
    return out;
}

static const struct way_out *way_out(const struct trace *trace, const struct ir *end)
{
    struct replay_exit *exit = &trace->exits[end->exit];
    if (!exit->out && exit->taken < OFTEN && ++exit->taken == OFTEN)
        exit->out = make_way_out(trace, end);
    return exit->out;
}

/* --- computing and storing --------------------------------------------------------------------------------
 */

void replay_compute(const struct ir *ir, const struct ir *end, uint32_t *slot)
{
    for (; ir < end; ir++) {
        if (ir_left_out(ir))
            slot[ir->to] = ir_eval((enum ir_op)ir->op, slot[ir->a], slot[ir->b], slot[ir->c]);
    }
}

static void store_bytes(uint8_t *word, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < 4; i++) {
        if (bytes & 1u << i)
            word[i] = (uint8_t)(value >> 8 * i);
    }
}

static void make_stores(struct cpu *cpu, const struct replay_store *store, unsigned count,
                        const uint32_t *slots)
{
    uint8_t *const ram = cpu->ram, *const code = cpu->ram_code; /* which no store changes */
    for (; count-- > 0; store++) {
        uint32_t offset = store->offset, value = slots[store->slot];
        if (store->bytes == 0xf)
            memcpy(ram + offset, &value, 4);
        else
            store_bytes(ram + offset, value, store->bytes);
        if (code[offset >> 12])
            cpu_code_changed(cpu, RAM_BASE + offset, 4);
    }
}

/* But for those that were made before a pause: others may have stored something else since then. */
static void make_list(struct session *s, const uint32_t *slots, unsigned list)
{
    const struct trace *trace = s->trace;
    unsigned first = trace->stores[list].first, count = trace->stores[list].count;
    if (s->made && first) {
        first = 0;
        count = trace->store_count;
    }
    make_stores(s->cpu, trace->store + first + s->made, count - s->made, slots);
}

/* Computes, if `quiet`, and shows what there is at the exit. */
static void show(struct session *s, const struct ir *ir, uint32_t *slots, bool quiet)
{
    const struct trace *trace = s->trace;
    const struct way_out *out = way_out(trace, ir);
    const struct replay_exit *exit = &trace->exits[ir->exit];
    if (quiet && out)
        replay_compute(out->ops, out->end, slots);
    else if (quiet)
        replay_compute(trace->ops, ir, slots);
    for (unsigned i = 0; i < PLACES; i++) {
        if (exit->slot[i])
            s->place[i] = slots[exit->slot[i]];
    }
    s->mode.primask = exit->primask;
    s->mode.basepri = exit->basepri;
    s->pc = exit->pc;
}

/* --- leaving ----------------------------------------------------------------------------------------------
 */

void replay_make_last_round(struct session *s)
{
    const struct trace *trace = s->trace;
    uint32_t *slots = s->last;
    if (!slots)
        return;
    s->last = NULL;
    show(s, trace->end, slots, true);
    make_list(s, slots, trace->exits[trace->end->exit].stores);
}

void replay_leave(struct session *s, const struct ir *ir, bool stored)
{
    const struct trace *trace = s->trace;
    const struct replay_exit *exit = &trace->exits[ir->exit];
    if (ir->op == FX_END)
        s->last = NULL; /* this end tells more */
    replay_make_last_round(s);
    show(s, ir, trace->slots, s->quiet);
    if (ir->op == FX_END && stored)
        make_stores(s->cpu, trace->store + trace->stores[exit->stores].first, trace->varying, trace->slots);
    else if (exit->out && !s->made)
        make_stores(s->cpu, exit->out->store, exit->out->stores, trace->slots);
    else
        make_list(s, trace->slots, exit->stores);
}

void replay_catch_up(const struct cpu *cpu)
{
    struct session *s = cpu->replay ? cpu->replay->in_access : NULL;
    if (!s)
        return;
    const struct trace *trace = s->trace;
    s->replay->in_access = NULL;
    replay_make_last_round(s);
    if (s->quiet)
        replay_compute(trace->ops, trace->ops + s->access->c, trace->slots);
    make_list(s, trace->slots, s->access->exit);
    s->made = trace->stores[s->access->exit].count; /* what is stored there now must stay */
    s->replay->disturbed = true;                    /* what is known to be stored may not be so any more */
}
