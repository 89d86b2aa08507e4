/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/replay_make.h"

#include "core/cycles.h"
#include "core/nor.h"

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

static bool is(struct val value, uint32_t v)
{
    return !value.slot && value.v == v;
}

/* True if the operation comes to nothing: `result` is what it yields, an operand or a known value. */
static bool simplify(enum ir_op op, struct val a, struct val b, struct val c, struct val *result)
{
    switch (op) {
    case IR_ADD:
        *result = !a.slot ? b : a;
        return !c.slot && ((!a.slot && !(a.v + c.v)) || (!b.slot && !(b.v + c.v)));
    case IR_ADD_CARRY:
        *result = c;
        return !c.slot && (is(b, 0u - c.v) || is(a, 0u - c.v));
    case IR_ADD_OVERFLOW:
        *result = known(0);
        return !c.slot && (is(b, 0u - c.v) || is(a, 0u - c.v));
    case IR_AND:
        *result = is(a, 0) || is(b, UINT32_MAX) ? a : b;
        return is(a, 0) || is(b, 0) || is(a, UINT32_MAX) || is(b, UINT32_MAX);
    case IR_OR:
    case IR_EOR:
        *result = is(a, 0) ? b : a;
        return is(a, 0) || is(b, 0);
    case IR_LSL:
    case IR_LSR:
    case IR_ASR:
    case IR_ROR:
        *result = a;
        return !b.slot && !(b.v & 0xff);
    case IR_MUL:
        *result = is(a, 0) || is(b, 1) ? a : b;
        return is(a, 0) || is(b, 0) || is(a, 1) || is(b, 1);
    case IR_MUL_HIGH:
        *result = known(0);
        return (!a.slot && a.v <= 1) || (!b.slot && b.v <= 1);
    case IR_SELECT:
        *result = !a.slot && !a.v ? c : b;
        return !a.slot;
    default:
        return false;
    }
}

/* The slot of what the value is with all (or, of a truth, the lowest) of its bits turned; 0 if not known. */
static uint16_t turned(const struct maker *m, struct val value, uint32_t bits)
{
    const struct ir *by = m->made_by[value.slot] ? &m->op[m->made_by[value.slot] - 1] : NULL;
    return by && by->op == IR_EOR && m->slot_known[by->b] && m->slot[by->b] == bits ? by->a : 0;
}

/* A subtraction is written as an addition of what is inverted. */
static enum ir_op as_subtraction(const struct maker *m, enum ir_op op, struct val *b, struct val *c)
{
    uint16_t subtrahend = turned(m, *b, UINT32_MAX);
    if ((op != IR_ADD && op != IR_ADD_CARRY) || !is(*c, 1) || !subtrahend)
        return op;
    *b = (struct val){~b->v, subtrahend};
    *c = known(0);
    return op == IR_ADD ? IR_SUB : IR_NOT_LESS;
}

struct val make_value(struct maker *m, enum ir_op op, struct val a, struct val b, struct val c)
{
    uint32_t result = ir_eval(op, a.v, b.v, c.v);
    struct val same;
    if (!a.slot && !b.slot && !c.slot)
        return known(result);
    if (simplify(op, a, b, c, &same))
        return same;
    uint16_t back = op == IR_EOR && !b.slot ? turned(m, a, b.v) : 0;
    if (back)
        return (struct val){result, back};
    op = as_subtraction(m, op, &b, &c);
    struct ir ir = {.op = (uint8_t)op, .a = slot_of(m, a), .b = slot_of(m, b), .c = slot_of(m, c)};
    uint32_t digest = (((ir.op * 31u + ir.a) * 0x9e3779b1u + ir.b) * 0x9e3779b1u + ir.c) * 0x9e3779b1u;
    uint16_t *alike = &m->alike[digest >> 20];
    const struct ir *before = *alike ? &m->op[*alike - 1] : NULL;
    if (before && before->op == ir.op && before->a == ir.a && before->b == ir.b && before->c == ir.c)
        return (struct val){result, before->to};
    ir.to = new_slot(m, result);
    *emit(m, op) = ir;
    *alike = m->made_by[ir.to] = (uint16_t)m->ops;
    return (struct val){result, ir.to};
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
        uint16_t a = m->condition.slot, opposite = turned(m, m->condition, 1), to = make_exit(m, m->other);
        struct ir *guard = emit_effect(m, FX_GUARD);
        guard->a = opposite ? opposite : a;
        guard->b = (uint16_t)(opposite ? m->condition.v ^ 1 : m->condition.v);
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

bool make_place_changed(const struct maker *m, unsigned i)
{
    return m->assumed & 1u << i && (m->place[i].slot || m->place[i].v != m->log->place[i]);
}

bool make_word_changed(const struct shadow *word)
{
    return word->assumed && (word->now.slot || word->now.v != word->initial);
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
        more |= make_place_changed(m, i) && want(m, i);
    for (unsigned i = 0; i < REPLAY_TABLE; i++)
        more |= make_word_changed(&m->table[i]) && want(m, RAM_BASE + m->table[i].offset);
    return more;
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
