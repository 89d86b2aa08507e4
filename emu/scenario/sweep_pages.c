/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sweep of many states meets many pages once: those that nobody knows any more are thrown out. */
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <stdlib.h>

#define PAGES_LEAST 8192u

static void keep_ids(bool *keep, const uint32_t *ids, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (ids[i] != PAGE_UNKNOWN)
            keep[ids[i]] = true;
    }
}

static void keep_list(bool *keep, const struct page_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        keep[list->item[i].id] = true;
}

static void keep_start(bool *keep, const struct known_start *start)
{
    keep_list(keep, &start->needed);
    keep_list(keep, &start->changed);
}

static void keep_record(bool *keep, const struct start_record *record, uint32_t *ids)
{
    keep_start(keep, record->start);
    keep_ids(keep, record->ids, record->layout.pages);
    keep_ids(keep, record->end_ids, record->layout.pages);
    for (uint32_t point = 0; point < record->points; point++) {
        record_ids(record, point, ids);
        keep_ids(keep, ids, record->layout.pages);
    }
}

int sweep_throw_out_pages(struct sweep_inner *inner)
{
    struct page_store *store = &inner->store;
    uint32_t pages = inner->view.count;
    if (store->count - store->outs < inner->pages_most)
        return 0;
    bool *keep = calloc(store->count, sizeof *keep);
    uint32_t *ids = malloc(pages * sizeof *ids);
    if (keep && ids) {
        /* The other workers call these by their numbers. */
        for (uint32_t id = 0; inner->share && id < inner->share->common; id++)
            keep[id] = true;
        keep_ids(keep, inner->initial, pages);
        keep_ids(keep, inner->final, pages);
        keep_ids(keep, inner->ids, pages);
        keep_ids(keep, inner->held, pages);
        for (size_t i = 0; i < inner->known_count; i++)
            keep_start(keep, &inner->known[i]);
        for (unsigned i = 0; i < SWEEP_JOINED; i++)
            keep_start(keep, &inner->joined[i]);
        for (unsigned i = 0; i < inner->records; i++)
            keep_record(keep, &inner->record[i], ids);
        page_store_keep(store, keep);
        inner->pages_most = 2 * (store->count - store->outs);
        if (inner->pages_most < PAGES_LEAST)
            inner->pages_most = PAGES_LEAST;
    }
    int err = keep && ids ? 0 : ENOMEM;
    free(keep);
    free(ids);
    return err;
}
