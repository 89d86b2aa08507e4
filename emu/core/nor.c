/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/nor.h"

#include "core/bus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t page_count(const struct nor *nor)
{
    return (nor->size + nor->page - 1) / nor->page;
}

int nor_init(struct nor *nor, const char *name, uint32_t size, uint32_t page, struct signals *signals)
{
    memset(nor, 0, sizeof *nor);
    /* The engine maps it straight into the guest's address space. */
    if (ones_init(&nor->memory, size))
        return ENOMEM;
    nor->name = name;
    nor->data = nor->memory.data;
    nor->size = size;
    nor->page = page;
    nor->signals = signals;
    nor->written = calloc(page_count(nor), 1);
    if (nor->written)
        return 0;
    nor_destroy(nor);
    return ENOMEM;
}

void nor_destroy(struct nor *nor)
{
    ones_free(&nor->memory);
    free(nor->written);
    free(nor->stuck_low);
    free(nor->stuck_high);
    free(nor->unstable);
    free(nor->seen);
    memset(nor, 0, sizeof *nor);
}

void nor_changed(struct nor *nor, uint32_t address, uint32_t size)
{
    if (!size)
        return;
    for (uint32_t page = address / nor->page; page <= (address + size - 1) / nor->page; page++)
        nor->written[page] = 1;
    if (nor->changed)
        nor->changed(nor->changed_context, address, size);
}

static void settle(struct nor *nor, uint32_t address, uint32_t size)
{
    for (uint32_t i = address; i < address + size; i++) {
        if (nor->stuck_high)
            nor->data[i] |= nor->stuck_high[i];
        if (nor->stuck_low)
            nor->data[i] &= (uint8_t)~nor->stuck_low[i];
    }
    nor_changed(nor, address, size);
}

static uint32_t clip(const struct nor *nor, uint32_t address, uint32_t size)
{
    if (address >= nor->size)
        return 0;
    return size < nor->size - address ? size : nor->size - address;
}

int nor_watch(struct nor *nor)
{
    uint32_t pages = page_count(nor);
    if (!nor->seen && !(nor->seen = malloc(pages)))
        return ENOMEM;
    memset(nor->seen, 0, pages);
    return 0;
}

static void note_operation(struct nor *nor, const struct flash_op *op)
{
    if (!nor->seen || !op->size)
        return;
    /* A page that is not erased as a whole keeps something of what it was. */
    if (op->kind == NOR_PROGRAM || op->address % nor->page || op->size % nor->page)
        nor_note_read(nor, op->address, op->size);
    for (uint32_t page = op->address / nor->page; page <= (op->address + op->size - 1) / nor->page; page++) {
        if (!(nor->seen[page] & NOR_SEEN_READ))
            nor->seen[page] |= NOR_SEEN_ERASED;
        nor->seen[page] |= NOR_SEEN_CHANGED;
    }
}

void nor_apply(struct nor *nor, const struct flash_op *op, const uint8_t *bytes)
{
    uint8_t *cells = nor->data + op->address;
    if (op->kind == NOR_ERASE) {
        memset(cells, 0xff, op->size);
        if (nor->unstable)
            memset(nor->unstable + op->address, 0, op->size);
        return;
    }
    for (uint32_t i = 0; i < op->size; i++)
        cells[i] &= bytes[i];
    for (uint32_t i = 0; nor->unstable && i < op->size; i++)
        nor->unstable[op->address + i] &= bytes[i];
}

static enum nor_fault operate(struct nor *nor, enum nor_kind kind, uint32_t address, const uint8_t *bytes,
                              uint32_t size)
{
    if (nor->frozen)
        return NOR_FAULT_CUT;
    struct flash_op op = {.array = nor->name,
                          .number = ++nor->operations,
                          .kind = kind,
                          .registers = nor->registers,
                          .address = address,
                          .size = clip(nor, address, size)};
    *(kind == NOR_ERASE ? &nor->erases : &nor->programs) += 1;
    note_operation(nor, &op);
    enum nor_fault fault = nor->fault ? nor->fault(nor->fault_context, nor, &op, bytes) : NOR_FAULT_NONE;
    if (fault == NOR_FAULT_NONE && op.size)
        nor_apply(nor, &op, bytes);
    if (op.size)
        settle(nor, address, op.size);
    op.cut = fault == NOR_FAULT_CUT;
    uint64_t digest = digest_text(nor->name) ^ (op.number << 32 | address) ^ (uint64_t)kind << 63;
    if (bytes)
        digest ^= digest_bytes(bytes, op.size);
    signal_emit(nor->signals, SIGNAL_FLASH, digest, &op);
    return fault;
}

enum nor_fault nor_program(struct nor *nor, uint32_t address, const uint8_t *bytes, uint32_t size)
{
    return operate(nor, NOR_PROGRAM, address, bytes, size);
}

enum nor_fault nor_erase(struct nor *nor, uint32_t address, uint32_t size)
{
    return operate(nor, NOR_ERASE, address, NULL, size);
}

void nor_load(struct nor *nor, uint32_t address, const uint8_t *bytes, uint32_t size)
{
    size = clip(nor, address, size);
    if (!size)
        return;
    memcpy(nor->data + address, bytes, size);
    settle(nor, address, size);
}

int nor_stick(struct nor *nor, uint32_t address, unsigned bit, bool value)
{
    if (address >= nor->size || bit > 7)
        return EINVAL;
    uint8_t **cells = value ? &nor->stuck_high : &nor->stuck_low;
    if (!*cells && !(*cells = calloc(1, nor->size)))
        return ENOMEM;
    (*cells)[address] |= (uint8_t)(1u << bit);
    settle(nor, address, 1);
    return 0;
}

int nor_unsettle(struct nor *nor, uint32_t address, uint8_t bits)
{
    if (address >= nor->size)
        return EINVAL;
    if (!nor->unstable && !(nor->unstable = calloc(1, nor->size)))
        return ENOMEM;
    nor->unstable[address] |= bits;
    settle(nor, address, 1);
    return 0;
}

/* True if all these bytes are `value`. */
static bool are_all(const uint8_t *bytes, uint32_t size, uint8_t value)
{
    return bytes[0] == value && !memcmp(bytes, bytes + 1, size - 1);
}

static uint32_t page_size(const struct nor *nor, uint32_t page)
{
    return nor->page < nor->size - page ? nor->page : nor->size - page;
}

/* Whoever keeps what was read has to ask again, wherever it is not certain any more. */
static void tell_unstable(struct nor *nor)
{
    for (uint32_t at = 0; nor->unstable && nor->changed && at < nor->size; at += nor->page) {
        if (!are_all(nor->unstable + at, page_size(nor, at), 0))
            nor->changed(nor->changed_context, at, page_size(nor, at));
    }
}

void nor_take_unstable(struct nor *nor, uint8_t *cells)
{
    free(nor->unstable);
    nor->unstable = cells;
    tell_unstable(nor);
}

void nor_draw(struct nor *nor, uint32_t address, uint32_t size)
{
    size = clip(nor, address, size);
    for (uint32_t i = address; i < address + size && nor->unstable; i++) {
        uint8_t cells = nor->unstable[i];
        if (!cells)
            continue;
        uint64_t stream = nor->seed ^ digest_text(nor->name) ^ (uint64_t)i << 32 ^ ++nor->unstable_reads;
        nor->data[i] = (uint8_t)((nor->data[i] & ~cells) | (random_next(&stream) & cells));
        nor->written[i / nor->page] = 1;
        if (nor->seen)
            nor->seen[i / nor->page] |= NOR_SEEN_CHANGED;
    }
}

bool nor_is_unstable(const struct nor *nor, uint32_t address, uint32_t size)
{
    size = clip(nor, address, size);
    for (uint32_t i = address; nor->unstable && i < address + size; i++) {
        if (nor->unstable[i])
            return true;
    }
    return false;
}

/* A map of cells that may be missing. */
static void save_cells(struct nor *nor, uint8_t **cells, struct state *state)
{
    bool there = *cells != NULL;
    state_var(state, there);
    if (state->loading && !there) {
        free(*cells);
        *cells = NULL;
    }
    if (!there)
        return;
    if (!*cells && !(*cells = malloc(nor->size))) {
        state->error = ENOMEM;
        return;
    }
    state_bytes(state, *cells, nor->size);
}

static bool is_erased(struct nor *nor, uint32_t at)
{
    uint8_t *written = &nor->written[at / nor->page];
    if (*written && are_all(nor->data + at, page_size(nor, at), 0xff))
        *written = 0;
    return !*written;
}

/* Most pages are erased, and need no room. Only what differs is put back: the rest keeps its translated code,
 * and the host's pages that it shares. */
static void save_page(struct nor *nor, uint32_t at, struct state *state)
{
    uint8_t *bytes = nor->data + at;
    uint32_t size = page_size(nor, at);
    bool erased = is_erased(nor, at), was_erased = erased;
    state_var(state, was_erased);
    if (!state->loading) {
        if (!erased)
            state_bytes(state, bytes, size);
        return;
    }
    if (was_erased) {
        if (erased)
            return;
        memset(bytes, 0xff, size);
    } else if (erased || !state_skip_same(state, bytes, size)) {
        state_bytes(state, bytes, size);
    } else {
        return;
    }
    nor_changed(nor, at, size);
}

void nor_save(struct nor *nor, struct state *state)
{
    save_cells(nor, &nor->stuck_low, state);
    save_cells(nor, &nor->stuck_high, state);
    save_cells(nor, &nor->unstable, state);
    if (state->loading && !state->error)
        tell_unstable(nor);
    state_var(state, nor->unstable_reads);
    state_var(state, nor->frozen);
    if (state->without_content && !nor->registers)
        return;
    state_var(state, nor->operations);
    state_var(state, nor->programs);
    state_var(state, nor->erases);
    for (uint32_t at = 0; at < nor->size && !state->error; at += nor->page)
        save_page(nor, at, state);
}
