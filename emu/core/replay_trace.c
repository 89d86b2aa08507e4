/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trace of what was interpreted: stores are put off, what nobody needs is dropped, and all is copied. */
#include "core/replay_make.h"

#include "core/cycles.h"

#include <stdlib.h>
#include <string.h>

static uint32_t longest_time(const struct ir *ir)
{
    bool access = ir->op == FX_READ || ir->op == FX_WRITE;
    return ir->op < FX_READ ? 0 : ir->cycles + (access ? CYCLES_PERIPHERAL : 0);
}

/* How long a round goes on where it cannot be left to look around. */
static void measure(struct maker *m, struct trace *trace)
{
    uint32_t cycles = 0;
    unsigned next = m->log->blocks;
    for (unsigned i = m->ops; i-- > 0;) {
        const struct ir *ir = &m->op[i];
        if (ir->op == FX_LOOK || ir->op == FX_END) {
            struct replay_exit *exit = &m->exit[ir->exit];
            exit->stretch = next > exit->blocks + 1u ? cycles : 0;
            next = exit->blocks;
            cycles = 0;
        }
        cycles += longest_time(ir);
    }
    trace->stretch = next > 1 ? cycles : 0;
}

void replay_put_off(struct replay_store *pending, unsigned *count, const struct replay_store *store)
{
    unsigned n = 0;
    while (n < *count && pending[n].offset != store->offset)
        n++;
    pending[n] = *store;
    *count += n == *count;
}

static void known_ones_last(struct maker *m, struct replay_store *pending, unsigned count)
{
    m->varying = 0;
    for (unsigned i = 0; i < count; i++) {
        if (m->slot_known[pending[i].slot])
            continue;
        struct replay_store first = pending[m->varying];
        pending[m->varying++] = pending[i];
        pending[i] = first;
    }
}

static uint16_t new_list(struct maker *m, unsigned first, unsigned count)
{
    const struct replay_stores *last = m->lists ? &m->stores[m->lists - 1] : NULL;
    if (last && last->first == first && last->count == count)
        return (uint16_t)(m->lists - 1);
    m->stores[m->lists] = (struct replay_stores){(uint16_t)first, (uint16_t)count};
    return (uint16_t)m->lists++;
}

/* The list of what differs at the end, each word once. */
static uint16_t list_at_end(struct maker *m)
{
    struct replay_store pending[REPLAY_TABLE];
    unsigned count = 0, first = m->store_count;
    for (unsigned i = 0; i < first; i++)
        replay_put_off(pending, &count, &m->store[i]);
    known_ones_last(m, pending, count);
    if (first + count > REPLAY_STORES) {
        m->failed = true;
        return 0;
    }
    memcpy(m->store + first, pending, count * sizeof *pending);
    m->stores_before_end = first;
    m->store_count += count;
    return new_list(m, first, count);
}

/*
 * Stores are put off: most are to the stack and overwritten within the round, before anybody can see them.
 * Each exit, and each register access, has a list of those that are made by then. That of the end, where most
 * rounds are left, is made short.
 */
static void put_stores_off(struct maker *m)
{
    unsigned kept = 0;
    uint32_t cycles = 0;
    for (unsigned i = 0; i < m->ops && !m->failed; i++) {
        struct ir ir = m->op[i];
        if (ir.op == FX_STORE) {
            m->failed = m->store_count == REPLAY_STORES;
            if (!m->failed)
                m->store[m->store_count++] = (struct replay_store){
                    .offset = ir.address,
                    .slot = ir.a,
                    .bytes = ir.size,
                    .used_until = ir.to,
                };
            cycles += ir.cycles;
            continue;
        }
        if (ir.op >= FX_READ) {
            uint16_t list = ir.op == FX_END ? list_at_end(m) : new_list(m, 0, m->store_count);
            if (ir.op == FX_READ || ir.op == FX_WRITE)
                ir.exit = list;
            else
                m->exit[ir.exit].stores = list;
            ir.cycles += cycles;
            cycles = 0;
        }
        m->op[kept++] = ir;
    }
    m->ops = kept;
}

/* Of each word only what was stored last can be seen. */
static void need_stores(const struct maker *m, const struct replay_stores *list, bool *needed)
{
    struct replay_store pending[REPLAY_TABLE];
    unsigned count = 0;
    for (unsigned i = 0; i < list->count; i++)
        replay_put_off(pending, &count, &m->store[list->first + i]);
    for (unsigned i = 0; i < count; i++)
        needed[pending[i].slot] = true;
}

static void need_what_it_shows(const struct maker *m, const struct ir *ir, bool *needed)
{
    if (ir->op == FX_READ || ir->op == FX_WRITE) {
        need_stores(m, &m->stores[ir->exit], needed);
        return;
    }
    for (unsigned i = 0; i < PLACES; i++)
        needed[m->exit[ir->exit].slot[i]] = true;
    need_stores(m, &m->stores[m->exit[ir->exit].stores], needed);
}

/* Drops computations whose results nobody needs, in the list of all operations or, if `quiet`, in that
 * without looks: there what an effect shows is computed when it has to be shown. Returns how many operations
 * are left. */
static unsigned drop_unused(const struct maker *m, bool quiet, struct ir *op, unsigned ops)
{
    bool needed[REPLAY_SLOTS] = {false};
    unsigned kept = ops;
    for (unsigned i = 0; i < m->variables; i++)
        needed[m->variable[i].after] = true;
    for (unsigned i = ops; i-- > 0;) {
        const struct ir ir = op[i];
        /* What was loaded is not there to be loaded again where it is shown. */
        if (ir.op < FX_READ && !needed[ir.to] && !(quiet && ir.op == FX_LOAD))
            continue;
        if (ir.op < FX_READ)
            needed[ir.b] = needed[ir.c] = true;
        else if (!quiet)
            need_what_it_shows(m, &ir, needed);
        needed[ir.a] = true;
        op[--kept] = ir;
    }
    memmove(op, op + kept, (ops - kept) * sizeof *op);
    return ops - kept;
}

static bool is_stable(const struct maker *m)
{
    /* What the first block costs depends on whether the code before it led straight there. */
    const struct replay_block *last = &m->log->block[m->log->blocks - 1];
    if (m->log->expected != last->address + last->size)
        return false;
    bool changed = m->log->block[0].address != m->log->end || m->primask != m->log->mode.primask ||
                   m->basepri != m->log->mode.basepri;
    for (unsigned i = 0; i < PLACES; i++)
        changed |= make_place_changed(m, i);
    for (unsigned i = 0; i < REPLAY_TABLE; i++)
        changed |= make_word_changed(&m->table[i]);
    return !changed;
}

static bool is_idle(const struct maker *m)
{
    if (m->variables)
        return false;
    for (unsigned i = 0; i < m->ops; i++) {
        if (m->op[i].op != FX_LOOK && m->op[i].op != FX_END)
            return false;
    }
    return true;
}

static bool is_look_left_out(const struct ir *ir)
{
    return ir->op == FX_LOOK && !ir->size;
}

/* What looks that are left out let go by, the next effect does; and that there is nothing to see at them, up
 * to where the engine could stop next, is seen at that effect. */
static unsigned leave_looks_out(struct maker *m, const struct trace *trace, struct ir *quiet)
{
    uint32_t cycles = 0, reach = trace->stretch;
    unsigned kept = 0;
    for (unsigned i = 0; i < m->ops; i++) {
        struct ir *ir = &m->op[i];
        if (ir->op >= FX_READ)
            ir->c = (uint16_t)i;
        if (is_look_left_out(ir)) {
            uint32_t stretch = m->exit[ir->exit].stretch;
            cycles += ir->cycles;
            reach = reach > cycles + stretch ? reach : cycles + stretch;
            m->exit[ir->exit].gone = cycles;
            continue;
        }
        quiet[kept] = *ir;
        if (ir->op >= FX_READ) {
            quiet[kept].cycles += cycles;
            quiet[kept].reach = reach > quiet[kept].cycles ? reach : quiet[kept].cycles;
            cycles = reach = 0;
        }
        kept++;
    }
    return kept;
}

/* Notes which computations the list without looks kept, and where it goes on behind each look: what was
 * loaded before that is not loaded again. */
static void find_looks(struct maker *m, const struct ir *quiet, unsigned count)
{
    bool kept[REPLAY_SLOTS] = {false};
    unsigned next = 0;
    for (unsigned i = 0; i < count; i++)
        kept[quiet[i].to] |= quiet[i].op < FX_LOAD;
    for (unsigned i = 0; i < m->ops; i++) {
        struct ir *ir = &m->op[i];
        if (ir->op < FX_LOAD)
            ir->size = kept[ir->to];
        next += !ir_left_out(ir) && !is_look_left_out(ir);
        if (ir->op == FX_LOOK)
            m->exit[ir->exit].quiet = (uint16_t)next;
    }
}

/* The list again, without the looks and what only exits show. */
static struct ir *make_quiet_ops(struct maker *m, const struct trace *trace)
{
    struct ir *quiet = malloc(m->ops * sizeof *quiet);
    if (!quiet)
        return NULL;
    find_looks(m, quiet, drop_unused(m, true, quiet, leave_looks_out(m, trace, quiet)));
    return quiet;
}

static void *copy_of(const void *from, size_t size)
{
    void *copy = malloc(size ? size : 1);
    if (copy)
        memcpy(copy, from, size);
    return copy;
}

static int copy_words(const struct maker *m, struct trace *trace)
{
    trace->words = malloc((m->words + 1) * sizeof *trace->words);
    if (!trace->words)
        return -1;
    for (unsigned i = 0; i < REPLAY_TABLE; i++) {
        if (m->table[i].assumed)
            trace->words[trace->word_count++] =
                (struct replay_word){m->table[i].offset, m->table[i].initial, m->table[i].used_until};
    }
    return 0;
}

static int copy_blocks(const struct maker *m, struct trace *trace)
{
    trace->blocks = m->log->blocks;
    trace->block = malloc(trace->blocks * sizeof *trace->block);
    trace->block_end = malloc(trace->blocks * sizeof *trace->block_end);
    if (!trace->block || !trace->block_end)
        return -1;
    for (unsigned i = 0; i < trace->blocks; i++) {
        const struct replay_block *block = &m->log->block[i];
        trace->block[i] = block->address;
        trace->block_end[i] = block->address + block->size;
        trace->flags |= block->flags;
        trace->cycles += block->cycles;
    }
    return 0;
}

static int make_pause(const struct maker *m, struct trace *trace)
{
    unsigned longest = 0;
    for (unsigned i = 0; i < m->lists; i++)
        longest = m->stores[i].count > longest ? m->stores[i].count : longest;
    trace->pause.ram =
        malloc((trace->word_count + trace->variables + longest + 1) * sizeof *trace->pause.ram);
    return trace->pause.ram ? 0 : -1;
}

struct trace *make_trace(struct maker *m)
{
    struct trace *trace = calloc(1, sizeof *trace);
    if (!trace)
        return NULL;
    trace->mode = m->log->mode;
    trace->expected = m->log->expected;
    trace->first_cycles = m->log->block[0].cycles;
    trace->cache_is_on = m->log->cache_is_on;
    trace->mpu = m->log->mpu;
    trace->assumed_places = m->assumed;
    memcpy(trace->place, m->log->place, sizeof trace->place);
    memcpy(trace->variable, m->variable, sizeof trace->variable);
    trace->variables = m->variables;
    memcpy(trace->page, m->page, sizeof trace->page);
    trace->pages = m->pages;
    trace->exit_count = m->exits;
    put_stores_off(m);
    if (m->failed) {
        trace_free(trace);
        return NULL;
    }
    m->ops = drop_unused(m, false, m->op, m->ops);
    measure(m, trace);
    trace->stable = is_stable(m);
    trace->idle = trace->stable && is_idle(m);
    trace->quiet_ops = make_quiet_ops(m, trace);
    trace->ops = copy_of(m->op, m->ops * sizeof *m->op);
    trace->store = copy_of(m->store, m->store_count * sizeof *m->store);
    trace->stores = copy_of(m->stores, m->lists * sizeof *m->stores);
    trace->varying = m->varying;
    trace->store_count = m->stores_before_end;
    trace->slots = copy_of(m->slot, m->slots * sizeof *m->slot);
    trace->other_slots = copy_of(m->slot, m->slots * sizeof *m->slot);
    trace->exits = copy_of(m->exit, m->exits * sizeof *m->exit);
    trace->end = trace->ops + m->ops - 1;
    if (trace->ops && trace->quiet_ops && trace->store && trace->stores && trace->slots &&
        trace->other_slots && trace->exits && !copy_words(m, trace) && !copy_blocks(m, trace) &&
        !make_pause(m, trace))
        return trace;
    trace_free(trace);
    return NULL;
}

void trace_free(struct trace *trace)
{
    if (!trace)
        return;
    free(trace->words);
    free(trace->ops);
    free(trace->quiet_ops);
    free(trace->store);
    free(trace->stores);
    free(trace->slots);
    free(trace->other_slots);
    for (unsigned i = 0; trace->exits && i < trace->exit_count; i++)
        free(trace->exits[i].out);
    free(trace->exits);
    free(trace->block);
    free(trace->block_end);
    free(trace->pause.ram);
    free(trace);
}
