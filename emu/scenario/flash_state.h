/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content of all of a machine's flashes as one value: a number for each page, where equal pages have
 * equal numbers. So a state is a few kilobytes, two states are compared without looking at their bytes, and
 * putting one into a machine touches only the pages that differ.
 *
 * Not modelled: stuck cells and other properties of the arrays that are no content; they stay the machine's.
 */
#ifndef SOSIM_SCENARIO_FLASH_STATE_H
#define SOSIM_SCENARIO_FLASH_STATE_H

#include "core/machine.h"

#define FLASH_ARRAYS_MAX 4u
#define FLASH_PAGE_SIZE  4096u

/* No page has this number: content that is not in the store. */
#define PAGE_UNKNOWN UINT32_MAX

/* Every different page content once; pages shorter than FLASH_PAGE_SIZE have zeros behind. */
struct page_store {
    uint8_t **bytes;      /* by number; NULL: thrown out */
    uint64_t *hash;       /* by number */
    uint32_t count, room; /* numbers given out, those of pages that were thrown out included */
    uint32_t *out;        /* numbers to be given out again; owned */
    uint32_t outs;
    uint32_t *table; /* open addressing: number + 1, 0 for free */
    uint32_t table_size;
};

/* Which pages a machine has: its arrays one after another. Pages are counted over all of them. */
struct flash_view {
    struct nor *nor[FLASH_ARRAYS_MAX];
    uint32_t first[FLASH_ARRAYS_MAX]; /* page */
    uint32_t pages[FLASH_ARRAYS_MAX];
    unsigned arrays;
    uint32_t count; /* of pages */
};

/* How many operations there were on each array: of the machine's state, but not of what it will do. */
struct flash_counts {
    uint64_t operations[FLASH_ARRAYS_MAX], programs[FLASH_ARRAYS_MAX], erases[FLASH_ARRAYS_MAX];
};

int page_store_init(struct page_store *store); /* 0 or ENOMEM */
void page_store_free(struct page_store *store);

/* The number of a page with this content, or PAGE_UNKNOWN. `size` is at most FLASH_PAGE_SIZE. */
uint32_t page_store_find(const struct page_store *store, const uint8_t *bytes, uint32_t size);

/* The same, and takes the content into the store; PAGE_UNKNOWN when memory ran out. */
uint32_t page_store_add(struct page_store *store, const uint8_t *bytes, uint32_t size);

/* Throws out the pages for which `keep` (store->count of them) is false. */
void page_store_keep(struct page_store *store, const bool *keep);

void flash_view_init(struct flash_view *view, struct machine *machine);

/* Index of the array called so in the view, or -1. */
int flash_view_array(const struct flash_view *view, const char *name);

/* The array that a page belongs to, by its index; `offset` gets the page's place there and `size` its bytes.
 */
unsigned flash_view_place(const struct flash_view *view, uint32_t page, uint32_t *offset, uint32_t *size);
struct nor *flash_view_page(const struct flash_view *view, uint32_t page, uint32_t *offset, uint32_t *size);

/* What was done with a page since nor_watch() (enum nor_seen); of an array that is not watched: everything.
 */
uint8_t flash_page_seen(const struct flash_view *view, uint32_t page);

/* The number of what is in a page, or PAGE_UNKNOWN when memory ran out. */
uint32_t flash_page_take(const struct flash_view *view, struct page_store *store, uint32_t page);

void flash_counts_take(const struct flash_view *view, struct flash_counts *counts);

/* Sets the counts to `to` + `is` - `was`. */
void flash_counts_put(const struct flash_view *view, const struct flash_counts *to,
                      const struct flash_counts *is, const struct flash_counts *was);

/* Fills `ids` (view->count of them) with what is in the arrays. 0 or ENOMEM. */
int flash_state_take(const struct flash_view *view, struct page_store *store, uint32_t *ids);

/* Makes the arrays hold `ids`, given that they hold `current`. All numbers must be known. */
void flash_state_put(const struct flash_view *view, const struct page_store *store, const uint32_t *current,
                     const uint32_t *ids);

/* Stands for a state in reports and tables. */
uint64_t flash_state_digest(const struct page_store *store, const uint32_t *ids, uint32_t count);

#endif
