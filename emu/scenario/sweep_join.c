/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts that go along with a recorded one (sweep_record.h). Such a start finds some pages of the flashes
 * different. Up to the stretch in which the recorded one reads one of them both are the same; from the point
 * before it the start is run, until at another point everything is as recorded again, but for pages and bytes
 * of RAM that hold something else. As long as the stretches that follow read none of these, they are the
 * start's too, and what differs stays as it is or is written over. And so on, to the next stretch that reads
 * something, or to the end.
 */
#include "core/ram_watch.h"
#include "scenario/start_check.h"
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MOST 4096u /* of RAM that differ */

/* A start on its way. */
struct join {
    struct sweep_inner *inner;
    const struct start_record *record;
    struct boot_probe probe;
    struct start_check check;
    uint32_t at; /* point: the start is where the recorded one was there, but for: */
    struct page_is *page;
    uint32_t pages;
    struct ram_byte *byte;
    uint32_t bytes;
    struct flash_counts is, was; /* how these went apart in counts, at whatever point that was last */
    uint32_t *ids, *there;       /* what the flashes hold, and what they held in the recorded one */
    uint8_t *seen;               /* what stretches that were run did with pages */
};

static void recorded_ids(struct join *join, uint32_t point)
{
    if (point < join->record->points)
        record_ids(join->record, point, join->there);
    else
        memcpy(join->there, join->record->end_ids, join->inner->view.count * sizeof *join->there);
}

static void find_pages(struct join *join, uint32_t point)
{
    recorded_ids(join, point);
    join->pages = 0;
    for (uint32_t page = 0; page < join->inner->view.count; page++) {
        if (join->ids[page] != join->there[page])
            join->page[join->pages++] = (struct page_is){page, join->ids[page]};
    }
}

/* How much the digest of the flashes differs; find_pages() goes before. */
static uint64_t digest_shift(const struct join *join)
{
    const struct page_store *store = &join->inner->store;
    uint64_t shift = 0;
    for (uint32_t i = 0; i < join->pages; i++) {
        uint32_t page = join->page[i].page;
        shift += boot_page_digest(store, page, join->page[i].id) -
                 boot_page_digest(store, page, join->there[page]);
    }
    return shift;
}

/* True if the stretch after a point depends on something that differs. How long a device goes on with SOS
 * depends on whether the flashes stay as they are, so there pages count that are erased, too. */
static bool depends_on_pages(const struct join *join, uint32_t point)
{
    uint8_t counts = NOR_SEEN_READ | (join->record->start->outcome.panics ? NOR_SEEN_ERASED : 0);
    for (uint32_t i = 0; i < join->pages; i++) {
        if (record_page_seen(join->record, point, join->page[i].page) & counts)
            return true;
    }
    return false;
}

static bool depends(const struct join *join, uint32_t point)
{
    if (depends_on_pages(join, point))
        return true;
    for (uint32_t i = 0; i < join->bytes; i++) {
        if (record_byte_seen(join->record, point, join->byte[i].offset) == RAM_SEEN_READ)
            return true;
    }
    return false;
}

/* Goes over stretches that depend on nothing that differs. */
static void pass(struct join *join)
{
    for (; join->at < join->record->points && !depends(join, join->at); join->at++) {
        uint32_t pages = 0, bytes = 0;
        for (uint32_t i = 0; i < join->pages; i++) {
            if (!(record_page_seen(join->record, join->at, join->page[i].page) & NOR_SEEN_ERASED))
                join->page[pages++] = join->page[i];
        }
        for (uint32_t i = 0; i < join->bytes; i++) {
            if (record_byte_seen(join->record, join->at, join->byte[i].offset) == RAM_SEEN_NOT)
                join->byte[bytes++] = join->byte[i];
        }
        join->pages = pages;
        join->bytes = bytes;
    }
    recorded_ids(join, join->at);
    memcpy(join->ids, join->there, join->inner->view.count * sizeof *join->ids);
    for (uint32_t i = 0; i < join->pages; i++)
        join->ids[join->page[i].page] = join->page[i].id;
}

/* --- stretches that are run -----------------------------------------------------------------------------
 */

/* Makes the machine what the start is at its point. */
static int put_machine(struct join *join)
{
    struct sweep_inner *inner = join->inner;
    const struct record_point *point = &join->record->point[join->at];
    int error = record_put(inner, join->record, join->at, &join->check);
    if (error)
        return error;
    sweep_put_flash(inner, join->ids);
    flash_counts_put(&inner->view, &point->counts, &join->is, &join->was);
    for (uint32_t i = 0; i < join->bytes; i++)
        inner->machine.ram[join->byte[i].offset] = join->byte[i].is;
    if (boot_probe_watch(&inner->machine))
        return ENOMEM;
    if (!join->at)
        return boot_probe_begin(&join->probe);
    error = boot_probe_resume(&join->probe, &point->progress);
    join->probe.progress.sos.digest += digest_shift(join);
    return error;
}

/* Takes the flashes as the machine has them now. */
static int take_flash(struct join *join)
{
    struct sweep_inner *inner = join->inner;
    for (uint32_t page = 0; page < inner->view.count; page++) {
        uint8_t seen = flash_page_seen(&inner->view, page);
        join->seen[page] |= seen;
        if (!(seen & NOR_SEEN_CHANGED))
            continue;
        join->ids[page] = flash_page_take(&inner->view, &inner->store, page);
        if (join->ids[page] == PAGE_UNKNOWN)
            return ENOMEM;
    }
    sweep_note_held(inner, join->ids);
    return 0;
}

/* At a point of the recorded one: is the start there too, so that it can go on with it? */
static int meet(struct join *join, uint32_t point, bool *met)
{
    *met = record_meets(join->inner, join->record, point, &join->check, join->byte, BYTES_MOST, &join->bytes);
    if (!*met)
        return 0;
    if (take_flash(join))
        return ENOMEM;
    find_pages(join, point);
    *met =
        boot_progress_same(&join->probe.progress, &join->record->point[point].progress, digest_shift(join)) &&
        !depends(join, point);
    if (*met) {
        join->at = point;
        flash_counts_take(&join->inner->view, &join->is);
        join->was = join->record->point[point].counts;
    }
    return 0;
}

/* Runs the start to where it meets the recorded one, or to its end. */
static int run(struct join *join, bool *met)
{
    const struct start_record *record = join->record;
    bool ended = false;
    int error = 0;
    *met = false;
    for (uint32_t point = join->at + 1; !error && !ended && !*met; point++) {
        uint64_t until = point < record->points ? record->point[point].until : CLOCK_NEVER;
        error = boot_probe_go(&join->probe, until, &ended);
        /* Where it could not go on there is no need to look. */
        if (!error && !ended && point < record->points && !depends_on_pages(join, point))
            error = meet(join, point, met);
    }
    return error;
}

/* --- the whole ------------------------------------------------------------------------------------------
 */

static void add_page(struct page_list *list, uint32_t page, uint32_t id)
{
    list->item[list->count++] = (struct page_is){page, id};
}

/* Where pages of the recorded start and of what was run count for the start: more than do, perhaps. */
static int collect(const struct join *join, const uint32_t *ids, struct known_start *start)
{
    const struct known_start *recorded = join->record->start;
    uint32_t count = join->inner->view.count;
    for (uint32_t i = 0; i < recorded->needed.count; i++)
        join->seen[recorded->needed.item[i].page] |= NOR_SEEN_READ;
    for (uint32_t i = 0; i < recorded->changed.count; i++)
        join->seen[recorded->changed.item[i].page] |= NOR_SEEN_CHANGED;
    start->needed.item = malloc(count * sizeof *start->needed.item);
    start->changed.item = malloc(count * sizeof *start->changed.item);
    if (!start->needed.item || !start->changed.item)
        return ENOMEM;
    for (uint32_t page = 0; page < count; page++) {
        if (join->seen[page] & NOR_SEEN_READ)
            add_page(&start->needed, page, ids[page]);
        if (join->seen[page] & NOR_SEEN_CHANGED)
            add_page(&start->changed, page, join->ids[page]);
    }
    return 0;
}

static int follow(struct join *join, struct known_start *start, bool *joined)
{
    for (bool met = true; met;) {
        pass(join);
        *joined = join->at == join->record->points;
        if (*joined) {
            start->outcome = join->record->start->outcome;
            return 0;
        }
        int error = put_machine(join);
        if (!error)
            error = run(join, &met);
        if (error || met)
            boot_probe_leave(&join->probe);
        else
            boot_probe_end(&join->probe, &start->outcome);
        if (error)
            return error;
    }
    return take_flash(join);
}

int sweep_join(struct sweep_inner *inner, struct start_record *record, const uint32_t *ids,
               struct known_start *start, bool *joined)
{
    uint32_t count = inner->view.count;
    struct join join = {.inner = inner,
                        .record = record,
                        .page = malloc(count * sizeof *join.page),
                        .byte = malloc(BYTES_MOST * sizeof *join.byte),
                        .ids = malloc(count * sizeof *join.ids),
                        .there = malloc(count * sizeof *join.there),
                        .seen = calloc(count, 1)};
    *start = (struct known_start){0};
    *joined = false;
    int error = sweep_probe(inner, &join.check, &join.probe);
    if (!join.page || !join.byte || !join.ids || !join.there || !join.seen)
        error = ENOMEM;
    if (!error) {
        memcpy(join.ids, ids, count * sizeof *ids);
        find_pages(&join, 0);
        error = follow(&join, start, joined);
    }
    start_check_end(&join.check);
    if (!error)
        error = collect(&join, ids, start);
    if (error) {
        sweep_note_held(inner, NULL);
        known_start_free(start);
    }
    *(*joined ? &record->joined : &record->failed) += 1;
    free(join.page);
    free(join.byte);
    free(join.ids);
    free(join.there);
    free(join.seen);
    return error;
}
