/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/replay_make.h"

#include "core/cycles.h"
#include "core/nor.h"

#include <stdlib.h>
#include <string.h>

/* --- values -----------------------------------------------------------------------------------------------
 */

static uint16_t new_slot(struct maker *m, uint32_t value)
{
    if (m->slots == REPLAY_SLOTS) {
        m->failed = true;
        return 1;
    }
    m->slot[m->slots] = value;
    return (uint16_t)m->slots++;
}

/* The slot of a value; known ones get one that nothing writes. */
static uint16_t slot_of(struct maker *m, struct val value)
{
    if (value.slot)
        return value.slot;
    uint16_t *at = &m->known[(value.v * 0x9e3779b1u) >> 20];
    if (!*at || m->slot[*at] != value.v) {
        *at = new_slot(m, value.v);
        m->slot_known[*at] = true;
    }
    return *at;
}

static struct ir *emit(struct maker *m, enum ir_op op)
{
    if (m->ops == REPLAY_OPS) {
        m->failed = true;
        m->ops--;
    }
    m->op[m->ops] = (struct ir){.op = (uint8_t)op};
    return &m->op[m->ops++];
}

static struct ir *emit_effect(struct maker *m, enum ir_op op)
{
    struct ir *ir = emit(m, op);
    ir->cycles = m->cycles;
    m->cycles = 0;
    return ir;
}

struct val make_value(struct maker *m, enum ir_op op, struct val a, struct val b, struct val c)
{
    uint32_t result = ir_eval(op, a.v, b.v, c.v);
    if (!a.slot && !b.slot && !c.slot)
        return known(result);
    if (op == IR_SELECT && !a.slot)
        return a.v ? b : c;
    uint16_t sa = slot_of(m, a), sb = slot_of(m, b), sc = slot_of(m, c), to = new_slot(m, result);
    struct ir *ir = emit(m, op);
    ir->a = sa;
    ir->b = sb;
    ir->c = sc;
    ir->to = to;
    return (struct val){result, to};
}

bool make_known(struct maker *m, struct val value)
{
    if (!value.slot)
        return true;
    m->failed = true;
    m->culprit = value.slot;
    return false;
}

/* --- state ------------------------------------------------------------------------------------------------
 */

static bool is_wanted(const struct maker *m, uint32_t where)
{
    return replay_listed(m->wishes->wanted, m->wishes->wanted_count, where);
}

static struct val begin_with(struct maker *m, uint32_t where, uint32_t value)
{
    if (m->variables == REPLAY_VARIABLES) {
        m->failed = true;
        return known(value);
    }
    struct replay_variable *variable = &m->variable[m->variables++];
    variable->where = where;
    variable->slot = new_slot(m, value);
    return (struct val){value, variable->slot};
}

struct val make_get(struct maker *m, unsigned place)
{
    uint32_t bit = 1u << place;
    if (!((m->written | m->assumed) & bit)) {
        if (is_wanted(m, place)) {
            m->place[place] = begin_with(m, place, m->place[place].v);
            m->written |= bit; /* it is what it is: nothing is assumed */
        } else {
            m->assumed |= bit;
        }
    }
    return m->place[place];
}

void make_set(struct maker *m, unsigned place, struct val value)
{
    m->place[place] = value;
    m->written |= 1u << place;
}

static unsigned place_of(const struct maker *m, uint32_t offset)
{
    unsigned at = (offset >> 2) * 0x9e3779b1u >> 22;
    while (m->table[at].used && m->table[at].offset != offset)
        at = (at + 1) % REPLAY_TABLE;
    return at;
}

static struct shadow *shadow_of(struct maker *m, uint32_t offset)
{
    struct shadow *word = &m->table[place_of(m, offset)];
    if (word->used)
        return word;
    if (m->words == REPLAY_WORDS) {
        m->failed = true;
        return word;
    }
    m->words++;
    word->used = true;
    word->offset = offset;
    memcpy(&word->initial, m->log->ram + offset, 4);
    word->now = known(word->initial);
    return word;
}

/* The word's content, which from now on counts. */
static struct val content(struct maker *m, struct shadow *word)
{
    if (!word->written && !word->assumed) {
        if (is_wanted(m, RAM_BASE + word->offset)) {
            word->now = begin_with(m, RAM_BASE + word->offset, word->initial);
            word->written = true;
        } else {
            word->assumed = true;
        }
    }
    return word->now;
}

static void note_page(struct maker *m, uint32_t address, unsigned how)
{
    uint16_t page = (uint16_t)(address >> 12 | how);
    for (unsigned i = 0; i < m->pages; i++) {
        if (m->page[i] == page)
            return;
    }
    if (m->pages == REPLAY_PAGES)
        m->failed = true;
    else
        m->page[m->pages++] = page;
}

/* True if the same access may fail another time, or make others fail: the window of the external flash, which
 * can close, and the MPU. */
static bool may_fail(uint32_t address)
{
    return address - XIP_BASE < XIP_SIZE || scs_is_mpu(address);
}

/* The register access that the engine made next; NULL if it made another one. */
static const struct replay_access *next_access(struct maker *m, uint32_t address, unsigned size, bool writes)
{
    const struct replay_access *access = &m->log->access[m->access];
    if (may_fail(address) || m->access == m->log->accesses || access->block != m->block ||
        access->address != address || access->size != size || access->writes != writes)
        return NULL;
    m->access++;
    m->look = true;
    return access;
}

static struct val load_register(struct maker *m, uint32_t address, unsigned size)
{
    const struct replay_access *access = next_access(m, address, size, false);
    if (!access) {
        m->failed = true;
        return known(0);
    }
    uint16_t to = new_slot(m, access->value);
    struct ir *ir = emit_effect(m, FX_READ);
    ir->to = to;
    ir->address = address;
    ir->size = (uint8_t)size;
    return (struct val){access->value, to};
}

static bool in_ram(const struct maker *m, uint32_t address)
{
    return address - RAM_BASE < m->cpu->ram_size;
}

struct val make_load(struct maker *m, struct val address, unsigned size)
{
    uint32_t at = address.v, mask = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
    if (!make_known(m, address))
        return known(0);
    if (at < m->cpu->flash_size && size <= m->cpu->flash_size - at) {
        uint32_t value = 0;
        if (nor_is_unstable(m->cpu->bus->flash, at, size)) {
            m->failed = true;
            return known(0);
        }
        memcpy(&value, m->cpu->flash + at, size);
        note_page(m, at, PAGE_READ);
        note_page(m, at + size - 1, PAGE_READ);
        return known(value);
    }
    if (at & (size - 1)) {
        m->failed = true;
        return known(0);
    }
    if (!in_ram(m, at))
        return load_register(m, at, size);
    struct val word = content(m, shadow_of(m, (at - RAM_BASE) & ~3u));
    if (size == 4)
        return word;
    word = make_value(m, IR_LSR, word, known(8 * (at & 3)), known(0));
    return make_value(m, IR_AND, word, known(mask), known(0));
}

static void store_word(struct maker *m, struct shadow *word, struct val value)
{
    bool there = (word->written || word->assumed) && !word->now.slot && !value.slot && word->now.v == value.v;
    word->now = value;
    word->written = true;
    if (there)
        return;
    uint16_t a = slot_of(m, value);
    struct ir *ir = emit_effect(m, FX_STORE);
    ir->a = a;
    ir->address = word->offset;
}

void make_store(struct maker *m, struct val address, struct val value, unsigned size)
{
    uint32_t at = address.v, mask = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
    if (!make_known(m, address))
        return;
    if (at & (size - 1)) {
        m->failed = true;
        return;
    }
    if (size < 4)
        value = make_value(m, IR_AND, value, known(mask), known(0));
    if (!in_ram(m, at)) {
        const struct replay_access *access = next_access(m, at, size, true);
        if (!access || access->value != value.v) {
            m->failed = true;
            return;
        }
        uint16_t a = slot_of(m, value);
        struct ir *ir = emit_effect(m, FX_WRITE);
        ir->a = a;
        ir->address = at;
        ir->size = (uint8_t)size;
        return;
    }
    struct shadow *word = shadow_of(m, (at - RAM_BASE) & ~3u);
    unsigned shift = 8 * (at & 3);
    if (size < 4) {
        struct val rest = make_value(m, IR_AND, content(m, word), known(~(mask << shift)), known(0));
        value = make_value(m, IR_LSL, value, known(shift), known(0));
        value = make_value(m, IR_OR, rest, value, known(0));
    }
    store_word(m, word, value);
}

/* --- from block to block ----------------------------------------------------------------------------------
 */

static uint16_t make_exit(struct maker *m, uint32_t pc)
{
    /* The engine's monitor and its place in an IT block cannot be set. */
    if (m->exits == REPLAY_EXITS || m->it & 0xf || m->monitor_open) {
        m->failed = true;
        return 0;
    }
    struct replay_exit *exit = &m->exit[m->exits];
    exit->pc = pc;
    exit->blocks = (uint16_t)(m->block + 1);
    exit->primask = m->primask;
    exit->basepri = m->basepri;
    for (unsigned i = 0; i < PLACES; i++)
        exit->slot[i] = m->written & 1u << i ? slot_of(m, m->place[i]) : 0;
    return (uint16_t)m->exits++;
}

/* What is left of the block: where it leads, and whether the run loop would look around then. */
static bool finish_block(struct maker *m, uint32_t next)
{
    if ((m->branched ? m->target : m->log->block[m->block].address + m->log->block[m->block].size) != next)
        return false;
    if (m->condition.slot) {
        uint16_t a = m->condition.slot, to = make_exit(m, m->other);
        struct ir *guard = emit_effect(m, FX_GUARD);
        guard->a = a;
        guard->b = (uint16_t)m->condition.v;
        guard->exit = to;
    }
    bool last = m->block + 1 == m->log->blocks;
    /* The run loop could look around before any block, if there is an event. */
    if (m->look || last || !(m->it & 0xf || m->monitor_open)) {
        uint16_t to = make_exit(m, next);
        struct ir *look = emit_effect(m, last ? FX_END : FX_LOOK);
        look->exit = to;
        look->size = (m->log->block[m->block].flags & BLOCK_UNMASKS) != 0;
    }
    m->look = false;
    return !m->failed;
}

static bool make_block(struct maker *m)
{
    const struct replay_block *block = &m->log->block[m->block];
    if (block->flags & (BLOCK_CHANGES | BLOCK_SEV | BLOCK_FP) || block->address >= m->cpu->flash_size)
        return false;
    note_page(m, block->address, 0);
    note_page(m, block->address + block->size - 1, 0);
    m->cycles += block->cycles;
    m->look |= (block->flags & BLOCK_UNMASKS) != 0;
    m->branched = false;
    m->condition = known(1);
    if (!replay_interpret(m, block) || m->failed)
        return false;
    if (block->flags & (BLOCK_LDREX | BLOCK_STREX))
        m->monitor_open = block->flags & BLOCK_LDREX;
    return finish_block(m, m->block + 1 < m->log->blocks ? block[1].address : m->log->end);
}

static void start(struct maker *m, struct cpu *cpu, const struct replay_log *log)
{
    memset(m, 0, sizeof *m);
    m->cpu = cpu;
    m->log = log;
    m->slots = 1;
    for (unsigned i = 0; i < PLACES; i++)
        m->place[i] = known(log->place[i]);
    m->primask = log->mode.primask;
    m->basepri = log->mode.basepri;
}

/* --- loops ------------------------------------------------------------------------------------------------
 */

static bool place_changed(const struct maker *m, unsigned i)
{
    return m->assumed & 1u << i && (m->place[i].slot || m->place[i].v != m->log->place[i]);
}

static bool word_changed(const struct shadow *word)
{
    return word->assumed && (word->now.slot || word->now.v != word->initial);
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
        changed |= place_changed(m, i);
    for (unsigned i = 0; i < REPLAY_TABLE; i++)
        changed |= word_changed(&m->table[i]);
    return !changed;
}

static bool want(struct maker *m, uint32_t where)
{
    struct replay_wishes *wishes = m->wishes;
    if (wishes->wanted_count == REPLAY_VARIABLES || where == PLACE_SP ||
        replay_listed(wishes->never, wishes->nevers, where))
        return false;
    wishes->wanted[wishes->wanted_count++] = where;
    return true;
}

/* True if something is wanted now that was not. */
static bool want_what_changes(struct maker *m)
{
    bool more = false;
    for (unsigned i = 0; i < PLACES; i++)
        more |= place_changed(m, i) && want(m, i);
    for (unsigned i = 0; i < REPLAY_TABLE; i++)
        more |= word_changed(&m->table[i]) && want(m, RAM_BASE + m->table[i].offset);
    return more;
}

/* --- the trace --------------------------------------------------------------------------------------------
 */

static uint32_t longest_time(const struct ir *ir)
{
    bool access = ir->op == FX_READ || ir->op == FX_WRITE;
    return ir->op < FX_READ ? 0 : ir->cycles + (access ? CYCLES_PERIPHERAL : 0);
}

/* How long a round may take, and how long it goes on where it cannot be left to look around. */
static void measure(struct maker *m, struct trace *trace)
{
    uint32_t cycles = 0, whole = 0;
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
        whole += longest_time(ir);
    }
    trace->stretch = next > 1 ? cycles : 0;
    trace->whole = whole;
}

static void put_off(struct replay_store *pending, unsigned *count, const struct replay_store *store)
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
        put_off(pending, &count, &m->store[i]);
    known_ones_last(m, pending, count);
    if (first + count > REPLAY_STORES) {
        m->failed = true;
        return 0;
    }
    memcpy(m->store + first, pending, count * sizeof *pending);
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
                m->store[m->store_count++] = (struct replay_store){ir.address, ir.a};
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
        put_off(pending, &count, &m->store[list->first + i]);
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

/* Drops computations whose results nobody needs. Returns how many operations are left. */
static unsigned drop_unused(const struct maker *m, struct ir *op, unsigned ops)
{
    bool needed[REPLAY_SLOTS] = {false};
    unsigned kept = ops;
    for (unsigned i = ops; i-- > 0;) {
        const struct ir ir = op[i];
        if (ir.op < FX_READ && !needed[ir.to])
            continue;
        if (ir.op < FX_READ)
            needed[ir.b] = needed[ir.c] = true;
        else
            need_what_it_shows(m, &ir, needed);
        needed[ir.a] = true;
        op[--kept] = ir;
    }
    memmove(op, op + kept, (ops - kept) * sizeof *op);
    return ops - kept;
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

/* The list again, without the looks and what only they show: what they let go by, the next effect does. */
static struct ir *make_quiet_ops(struct maker *m)
{
    struct ir *quiet = malloc(m->ops * sizeof *quiet);
    uint32_t cycles = 0;
    unsigned kept = 0;
    for (unsigned i = 0; quiet && i < m->ops; i++) {
        struct ir *ir = &m->op[i];
        if (ir->op == FX_READ || ir->op == FX_WRITE || ir->op == FX_LOOK)
            ir->c = (uint16_t)i;
        if (ir->op == FX_LOOK && !ir->size) {
            cycles += ir->cycles;
            continue;
        }
        quiet[kept] = *ir;
        if (ir->op >= FX_READ) {
            quiet[kept].cycles += cycles;
            cycles = 0;
        }
        kept++;
    }
    if (quiet)
        drop_unused(m, quiet, kept);
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
            trace->words[trace->word_count++] = (struct replay_word){m->table[i].offset, m->table[i].initial};
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

static struct trace *make_trace(struct maker *m)
{
    struct trace *trace = calloc(1, sizeof *trace);
    if (!trace)
        return NULL;
    trace->mode = m->log->mode;
    trace->expected = m->log->expected;
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
    m->ops = drop_unused(m, m->op, m->ops);
    measure(m, trace);
    trace->stable = is_stable(m);
    trace->idle = trace->stable && is_idle(m);
    trace->quiet_ops = make_quiet_ops(m);
    trace->ops = copy_of(m->op, m->ops * sizeof *m->op);
    trace->store = copy_of(m->store, m->store_count * sizeof *m->store);
    trace->stores = copy_of(m->stores, m->lists * sizeof *m->stores);
    trace->varying = m->varying;
    trace->slots = copy_of(m->slot, m->slots * sizeof *m->slot);
    trace->exits = copy_of(m->exit, m->exits * sizeof *m->exit);
    if (!m->failed && trace->ops && trace->quiet_ops && trace->store && trace->stores && trace->slots &&
        trace->exits && !copy_words(m, trace) && !copy_blocks(m, trace) && !make_pause(m, trace))
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
    free(trace->exits);
    free(trace->block);
    free(trace->block_end);
    free(trace->pause.ram);
    free(trace);
}

/* --- making -----------------------------------------------------------------------------------------------
 */

/* The interpretation must have come to where the engine is: it is not to be trusted otherwise. */
static bool agrees(const struct maker *m, const uint32_t place[PLACES])
{
    for (unsigned i = 0; i < PLACES; i++) {
        if (m->place[i].v != place[i])
            return false;
    }
    for (unsigned i = 0; i < REPLAY_TABLE; i++) {
        if (m->table[i].used)
            memcpy(m->log->ram + m->table[i].offset, &m->table[i].now.v, 4);
    }
    bool same = !memcmp(m->log->ram, m->cpu->ram, m->cpu->ram_size);
    for (unsigned i = 0; i < REPLAY_TABLE; i++) {
        if (m->table[i].used)
            memcpy(m->log->ram + m->table[i].offset, &m->table[i].initial, 4);
    }
    return same && m->access == m->log->accesses;
}

struct trace *replay_make(struct maker *m, struct cpu *cpu, const struct replay_log *log,
                          const uint32_t place[PLACES], struct replay_wishes *wishes)
{
    bool loop = log->block[0].address == log->end;
    do {
        start(m, cpu, log);
        m->wishes = wishes;
        while (m->block < log->blocks && make_block(m))
            m->block++;
        if (m->block < log->blocks || !agrees(m, place))
            return NULL;
    } while (loop && want_what_changes(m));
    return make_trace(m);
}

static bool remove_from(uint32_t *list, unsigned *count, uint32_t where)
{
    for (unsigned i = 0; i < *count; i++) {
        if (list[i] == where) {
            list[i] = list[--*count];
            return true;
        }
    }
    return false;
}

bool replay_blame(const struct maker *m, struct replay_wishes *wishes)
{
    bool needed[REPLAY_SLOTS] = {false}, found = false;
    needed[m->culprit] = true;
    for (unsigned i = m->ops; i-- > 0;) {
        const struct ir *ir = &m->op[i];
        if (ir->op < FX_READ && needed[ir->to])
            needed[ir->a] = needed[ir->b] = needed[ir->c] = true;
    }
    for (unsigned i = 0; m->culprit && i < m->variables; i++) {
        uint32_t where = m->variable[i].where;
        if (!needed[m->variable[i].slot] || wishes->nevers == REPLAY_NEVER ||
            !remove_from(wishes->wanted, &wishes->wanted_count, where))
            continue;
        wishes->never[wishes->nevers++] = where;
        found = true;
    }
    return found;
}
