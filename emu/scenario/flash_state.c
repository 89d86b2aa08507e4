/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/flash_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM  2048u
#define HASH_FACTOR 0x9e3779b97f4a7c15ull

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * HASH_FACTOR;
    return hash ^ hash >> 29;
}

static uint64_t hash_page(const uint8_t *bytes, uint32_t size)
{
    uint64_t hash = size;
    for (uint32_t i = 0; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        hash = mix(hash, word);
    }
    for (uint32_t i = size & ~7u; i < size; i++)
        hash = mix(hash, bytes[i]);
    return hash;
}

int page_store_init(struct page_store *store)
{
    *store = (struct page_store){.room = FIRST_ROOM, .table_size = 4 * FIRST_ROOM};
    store->bytes = calloc(store->room, sizeof *store->bytes);
    store->hash = calloc(store->room, sizeof *store->hash);
    store->out = calloc(store->room, sizeof *store->out);
    store->table = calloc(store->table_size, sizeof *store->table);
    if (store->bytes && store->hash && store->out && store->table)
        return 0;
    page_store_free(store);
    return ENOMEM;
}

void page_store_free(struct page_store *store)
{
    for (uint32_t i = 0; i < store->count; i++)
        free(store->bytes[i]);
    free(store->bytes);
    free(store->hash);
    free(store->out);
    free(store->table);
    *store = (struct page_store){0};
}

static uint32_t *place(const struct page_store *store, const uint8_t *bytes, uint32_t size, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (store->table_size - 1);
    while (store->table[at]) {
        uint32_t id = store->table[at] - 1;
        if (store->hash[id] == hash && !memcmp(store->bytes[id], bytes, size))
            break;
        at = (at + 1) & (store->table_size - 1);
    }
    return &store->table[at];
}

uint32_t page_store_find(const struct page_store *store, const uint8_t *bytes, uint32_t size)
{
    return *place(store, bytes, size, hash_page(bytes, size)) - 1;
}

static void fill_table(struct page_store *store)
{
    memset(store->table, 0, store->table_size * sizeof *store->table);
    for (uint32_t id = 0; id < store->count; id++) {
        uint32_t at = (uint32_t)store->hash[id] & (store->table_size - 1);
        if (!store->bytes[id])
            continue;
        while (store->table[at])
            at = (at + 1) & (store->table_size - 1);
        store->table[at] = id + 1;
    }
}

static int grow(struct page_store *store)
{
    uint32_t room = store->room * 2, size = store->table_size * 2;
    uint8_t **bytes = realloc(store->bytes, room * sizeof *bytes);
    if (bytes)
        store->bytes = bytes;
    uint64_t *hash = realloc(store->hash, room * sizeof *hash);
    if (hash)
        store->hash = hash;
    uint32_t *out = realloc(store->out, room * sizeof *out);
    if (out)
        store->out = out;
    uint32_t *table = realloc(store->table, size * sizeof *table);
    if (table)
        store->table = table;
    if (!bytes || !hash || !out || !table)
        return ENOMEM;
    store->table_size = size;
    store->room = room;
    fill_table(store);
    return 0;
}

uint32_t page_store_add(struct page_store *store, const uint8_t *bytes, uint32_t size)
{
    uint64_t hash = hash_page(bytes, size);
    uint32_t *at = place(store, bytes, size, hash);
    if (*at)
        return *at - 1;
    if (!store->outs && store->count == store->room) {
        if (grow(store))
            return PAGE_UNKNOWN;
        at = place(store, bytes, size, hash);
    }
    uint8_t *copy = calloc(1, FLASH_PAGE_SIZE);
    if (!copy)
        return PAGE_UNKNOWN;
    memcpy(copy, bytes, size);
    uint32_t id = store->outs ? store->out[--store->outs] : store->count++;
    store->bytes[id] = copy;
    store->hash[id] = hash;
    *at = id + 1;
    return id;
}

void page_store_keep(struct page_store *store, const bool *keep)
{
    for (uint32_t id = 0; id < store->count; id++) {
        if (keep[id] || !store->bytes[id])
            continue;
        free(store->bytes[id]);
        store->bytes[id] = NULL;
        store->out[store->outs++] = id;
    }
    fill_table(store);
}

void flash_view_init(struct flash_view *view, struct machine *machine)
{
    static const char *const names[] = {"internal", "uicr", "external", "otp"};
    *view = (struct flash_view){0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct nor *nor = machine_array(machine, names[i]);
        if (!nor)
            continue;
        view->nor[view->arrays] = nor;
        view->first[view->arrays] = view->count;
        view->pages[view->arrays] = (nor->size + nor->page - 1) / nor->page;
        view->count += view->pages[view->arrays++];
    }
}

int flash_view_array(const struct flash_view *view, const char *name)
{
    for (unsigned i = 0; i < view->arrays; i++) {
        if (!strcmp(view->nor[i]->name, name))
            return (int)i;
    }
    return -1;
}

unsigned flash_view_place(const struct flash_view *view, uint32_t page, uint32_t *offset, uint32_t *size)
{
    unsigned i = 0;
    while (i + 1 < view->arrays && page >= view->first[i + 1])
        i++;
    const struct nor *nor = view->nor[i];
    *offset = (page - view->first[i]) * nor->page;
    *size = nor->page < nor->size - *offset ? nor->page : nor->size - *offset;
    return i;
}

struct nor *flash_view_page(const struct flash_view *view, uint32_t page, uint32_t *offset, uint32_t *size)
{
    return view->nor[flash_view_place(view, page, offset, size)];
}

uint8_t flash_page_seen(const struct flash_view *view, uint32_t page)
{
    uint32_t offset, size;
    const struct nor *nor = flash_view_page(view, page, &offset, &size);
    return nor->seen ? nor->seen[offset / nor->page] : NOR_SEEN_READ | NOR_SEEN_CHANGED;
}

uint32_t flash_page_take(const struct flash_view *view, struct page_store *store, uint32_t page)
{
    uint32_t offset, size;
    const struct nor *nor = flash_view_page(view, page, &offset, &size);
    return page_store_add(store, nor->data + offset, size);
}

void flash_counts_take(const struct flash_view *view, struct flash_counts *counts)
{
    *counts = (struct flash_counts){{0}, {0}, {0}};
    for (unsigned i = 0; i < view->arrays; i++) {
        counts->operations[i] = view->nor[i]->operations;
        counts->programs[i] = view->nor[i]->programs;
        counts->erases[i] = view->nor[i]->erases;
    }
}

void flash_counts_put(const struct flash_view *view, const struct flash_counts *to,
                      const struct flash_counts *is, const struct flash_counts *was)
{
    for (unsigned i = 0; i < view->arrays; i++) {
        view->nor[i]->operations = to->operations[i] + is->operations[i] - was->operations[i];
        view->nor[i]->programs = to->programs[i] + is->programs[i] - was->programs[i];
        view->nor[i]->erases = to->erases[i] + is->erases[i] - was->erases[i];
    }
}

int flash_state_take(const struct flash_view *view, struct page_store *store, uint32_t *ids)
{
    for (uint32_t page = 0; page < view->count; page++) {
        ids[page] = flash_page_take(view, store, page);
        if (ids[page] == PAGE_UNKNOWN)
            return ENOMEM;
    }
    return 0;
}

void flash_state_put(const struct flash_view *view, const struct page_store *store, const uint32_t *current,
                     const uint32_t *ids)
{
    for (uint32_t page = 0; page < view->count; page++) {
        uint32_t offset, size;
        if (ids[page] == current[page])
            continue;
        struct nor *nor = flash_view_page(view, page, &offset, &size);
        nor_load(nor, offset, store->bytes[ids[page]], size);
    }
}

uint64_t flash_state_digest(const struct page_store *store, const uint32_t *ids, uint32_t count)
{
    uint64_t digest = count;
    for (uint32_t page = 0; page < count; page++)
        digest = mix(digest, ids[page] == PAGE_UNKNOWN ? 0 : store->hash[ids[page]]);
    return digest;
}
