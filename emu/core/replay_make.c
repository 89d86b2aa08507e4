/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/replay_make.h"

#include "core/cycles.h"
#include "core/nor.h"

#include <string.h>

/* --- wishes -----------------------------------------------------------------------------------------------
 */

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

/* It was wished for something else in vain. False if there is no room to note it. */
static bool wish_never(struct replay_wishes *wishes, uint32_t where)
{
    if (wishes->nevers == REPLAY_NEVER || (!remove_from(wishes->wanted, &wishes->wanted_count, where) &&
                                           !remove_from(wishes->volatiles, &wishes->volatile_count, where)))
        return false;
    wishes->never[wishes->nevers++] = where;
    return true;
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
    variable->slot = make_slot(m, value);
    return (struct val){value, variable->slot};
}

struct val make_get(struct maker *m, unsigned place)
{
    uint32_t bit = 1u << place;
    if (!((m->written | m->assumed) & bit)) {
        if (m->computes || is_wanted(m, place)) {
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
    return word;
}

static uint32_t bits_of(unsigned bytes)
{
    return (bytes & 1 ? 0xffu : 0) | (bytes & 2 ? 0xff00u : 0) | (bytes & 4 ? 0xff0000u : 0) |
           (bytes & 8 ? 0xff000000u : 0);
}

/* What the word holds, as it was at the beginning or was stored since, or both, is of use up to here. */
static void note_use(struct maker *m, struct shadow *word)
{
    uint16_t until = (uint16_t)(m->block + 1);
    if (word->stored_by)
        m->op[word->stored_by - 1].to = until;
    if (word->bytes != 0xf)
        word->used_until = until;
}

/* The word's content, of which from now on those bytes count. */
static struct val content(struct maker *m, struct shadow *word, unsigned bytes)
{
    note_use(m, word);
    if (word->valid || (bytes & ~word->bytes & 0xfu) == 0)
        return word->now;
    struct val rest = known(word->initial);
    if (is_wanted(m, RAM_BASE + word->offset))
        rest = begin_with(m, RAM_BASE + word->offset, word->initial);
    else
        word->assumed = true;
    if (word->bytes) {
        rest = make_value(m, IR_AND, rest, known(~bits_of(word->bytes)), known(0));
        rest = make_value(m, IR_OR, rest, word->now, known(0));
    }
    word->now = rest;
    word->valid = true;
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
 * can close, stores to UICR, which NVMC ignores or not, and the MPU. */
static bool may_fail(uint32_t address, bool writes)
{
    return address - XIP_BASE < XIP_SIZE || scs_is_mpu(address) ||
           (writes && address - INFO_BASE < UICR_END - INFO_BASE);
}

/* The register access that the engine made next; NULL if it made another one. */
static const struct replay_access *next_access(struct maker *m, uint32_t address, unsigned size, bool writes)
{
    const struct replay_access *access = &m->log->access[m->access];
    if (may_fail(address, writes) || m->access == m->log->accesses || access->block != m->block ||
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
    uint16_t to = make_slot(m, access->value);
    struct ir *ir = make_effect(m, FX_READ);
    ir->to = to;
    ir->address = address;
    ir->size = (uint8_t)size;
    return (struct val){access->value, to};
}

static bool is_volatile(const struct maker *m, const struct shadow *word)
{
    return replay_listed(m->wishes->volatiles, m->wishes->volatile_count, RAM_BASE + word->offset);
}

static struct val load_volatile(struct maker *m, const struct shadow *word)
{
    uint16_t to = make_slot(m, word->initial);
    struct ir *ir = make_op(m, FX_LOAD);
    ir->to = to;
    ir->address = word->offset;
    return (struct val){word->initial, to};
}

static bool in_ram(const struct maker *m, uint32_t address)
{
    return address - RAM_BASE < m->cpu->ram_size;
}

static struct val load_anywhere(struct maker *m, struct val address, unsigned size)
{
    uint16_t a = make_slot_of(m, address), to = make_slot(m, 0);
    struct ir *ir = make_op(m, FX_LOAD_AT);
    ir->to = to;
    ir->a = a;
    ir->size = (uint8_t)size;
    return (struct val){0, to};
}

static void store_anywhere(struct maker *m, struct val address, struct val value, unsigned size)
{
    uint16_t a = make_slot_of(m, value), b = make_slot_of(m, address);
    struct ir *ir = make_op(m, FX_STORE_AT);
    ir->a = a;
    ir->b = b;
    ir->size = (uint8_t)size;
}

struct val make_load(struct maker *m, struct val address, unsigned size)
{
    uint32_t at = address.v, mask = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
    if (m->computes && (address.slot || at >= m->cpu->flash_size))
        return load_anywhere(m, address, size);
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
    struct shadow *shadow = shadow_of(m, (at - RAM_BASE) & ~3u);
    struct val word = is_volatile(m, shadow) ? load_volatile(m, shadow)
                                             : content(m, shadow, ((1u << size) - 1) << (at & 3));
    if (size == 4)
        return word;
    word = make_value(m, IR_LSR, word, known(8 * (at & 3)), known(0));
    return make_value(m, IR_AND, word, known(mask), known(0));
}

/* The bytes of the word become those of the value. */
static void store_word(struct maker *m, struct shadow *word, struct val value, unsigned bytes)
{
    if (bytes != 0xf) {
        struct val rest = word->now;
        if (word->valid || word->bytes) /* what was stored before is stored again */
            note_use(m, word);
        rest = make_value(m, IR_AND, rest, known(~bits_of(bytes)), known(0));
        value = make_value(m, IR_OR, rest, value, known(0));
    }
    word->now = value;
    word->bytes |= (uint8_t)bytes;
    word->valid |= word->bytes == 0xf;
    uint16_t a = make_slot_of(m, value);
    struct ir *ir = make_effect(m, FX_STORE);
    ir->a = a;
    ir->address = word->offset;
    ir->size = word->bytes;
    word->stored_by = (uint16_t)m->ops;
}

void make_store(struct maker *m, struct val address, struct val value, unsigned size)
{
    uint32_t at = address.v, mask = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
    if (m->computes) {
        store_anywhere(m, address, value, size);
        return;
    }
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
        uint16_t a = make_slot_of(m, value);
        struct ir *ir = make_effect(m, FX_WRITE);
        ir->a = a;
        ir->address = at;
        ir->size = (uint8_t)size;
        return;
    }
    struct shadow *word = shadow_of(m, (at - RAM_BASE) & ~3u);
    unsigned shift = 8 * (at & 3);
    if (is_volatile(m, word)) { /* stores are put off, and nobody must come in between */
        m->failed = true;
        m->again = wish_never(m->wishes, RAM_BASE + word->offset);
        return;
    }
    if (size < 4)
        value = make_value(m, IR_LSL, value, known(shift), known(0));
    store_word(m, word, value, ((1u << size) - 1) << (at & 3));
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
        exit->slot[i] = m->written & 1u << i ? make_slot_of(m, m->place[i]) : 0;
    return (uint16_t)m->exits++;
}

static void make_guard(struct maker *m)
{
    uint16_t a = m->condition.slot, b = (uint16_t)m->condition.v;
    uint16_t to = m->computes ? 0 : make_exit(m, m->other), opposite = make_turned(m, a, 1);
    if (opposite) {
        a = opposite;
        b ^= 1;
    }
    const struct ir *by = make_made_by(m, a);
    if (by && by->op == IR_IS_ZERO && b) {
        a = by->a;
        b = 0;
    }
    struct ir *guard = make_effect(m, FX_GUARD);
    guard->a = a;
    guard->b = b;
    guard->exit = to;
}

static bool leads_to(const struct maker *m, uint32_t next)
{
    const struct replay_block *block = &m->log->block[m->block];
    return (m->branched ? m->target : block->address + block->size) == next;
}

/* What is left of the block: where it leads, and whether the run loop would look around then. */
static bool finish_block(struct maker *m, uint32_t next)
{
    if (!leads_to(m, next))
        return false;
    if (m->condition.slot)
        make_guard(m);
    if (m->computes)
        return !m->failed;
    bool last = m->block + 1 == m->log->blocks;
    /* The run loop could look around before any block, if there is an event. */
    if (m->look || last || !(m->it & 0xf || m->monitor_open)) {
        uint16_t to = make_exit(m, next);
        struct ir *look = make_effect(m, last ? FX_END : FX_LOOK);
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
    m->next = m->block + 1 < m->log->blocks ? block[1].address : m->log->end;
    if (!replay_interpret(m, block) || m->failed)
        return false;
    if (block->flags & (BLOCK_LDREX | BLOCK_STREX))
        m->monitor_open = block->flags & BLOCK_LDREX;
    return finish_block(m, m->next);
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

/* What becomes of the variables by the end of the round. */
static void find_after(struct maker *m)
{
    for (unsigned i = 0; i < m->variables; i++) {
        struct replay_variable *variable = &m->variable[i];
        if (variable->where < PLACES) {
            variable->after = make_slot_of(m, m->place[variable->where]);
        } else {
            const struct shadow *word = &m->table[place_of(m, variable->where - RAM_BASE)];
            variable->after = make_slot_of(m, word->now);
            variable->used_until = word->used_until;
        }
    }
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
        const struct shadow *word = &m->table[i];
        uint32_t kept = word->valid ? 0 : word->initial & ~bits_of(word->bytes), now = word->now.v | kept;
        if (word->used)
            memcpy(m->log->ram + word->offset, &now, 4);
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
    find_after(m);
    return make_trace(m);
}

bool replay_make_hot(struct maker *m, struct cpu *cpu, const struct replay_log *log)
{
    start(m, cpu, log);
    m->computes = true;
    while (m->block < log->blocks && make_block(m))
        m->block++;
    if (m->block < log->blocks || m->it & 0xf || m->monitor_open)
        return false;
    find_after(m);
    return !m->failed;
}

bool replay_blame(const struct maker *m, struct replay_wishes *wishes)
{
    bool needed[REPLAY_SLOTS] = {false}, found = m->again;
    needed[m->culprit] = true;
    for (unsigned i = m->ops; i-- > 0;) {
        const struct ir *ir = &m->op[i];
        if (ir->op < FX_READ && needed[ir->to])
            needed[ir->a] = needed[ir->b] = needed[ir->c] = true;
        if (ir->op == FX_LOAD && m->culprit && needed[ir->to])
            found |= wish_never(wishes, RAM_BASE + ir->address);
    }
    for (unsigned i = 0; m->culprit && i < m->variables; i++) {
        if (needed[m->variable[i].slot])
            found |= wish_never(wishes, m->variable[i].where);
    }
    return found;
}
