/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which starts are recorded, and which of them a start goes along with. */
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIKE           2u  /* so many starts that ended alike, and the next one is recorded */
#define APART           16u /* so many that went along with none, and one is recorded though one like it is */
#define FAILED          12u /* so many failures of a record with no success, and it is given up */
#define MISRECORDS      2u
#define VAIN            3u  /* so many recordings that nothing came along with, and the next one waits … */
#define VAIN_MOST       11u /* … for twice as many starts each time, up to here */
#define TRANSLATED_MOST 450000u             /* halfwords: some 150 MB */
#define RECORDS_SIZE    ((size_t)120 << 20) /* bytes of all records */

/* How many pages that the recorded start needs are not as they were there. */
static uint32_t distance(const struct start_record *record, const uint32_t *ids)
{
    const struct page_list *needed = &record->start->needed;
    uint32_t differ = 0;
    for (uint32_t i = 0; i < needed->count; i++)
        differ += ids[needed->item[i].page] != needed->item[i].id;
    return differ;
}

static void move_to_front(struct sweep_inner *inner, unsigned index)
{
    struct start_record record = inner->record[index];
    memmove(inner->record + 1, inner->record, index * sizeof *inner->record);
    inner->record[0] = record;
}

/* The recorded start that is nearest to one from `ids`, at the front; or NULL. */
static struct start_record *choose(struct sweep_inner *inner, const uint32_t *ids)
{
    uint32_t least = UINT32_MAX;
    unsigned best = 0;
    for (unsigned i = 0; i < inner->records; i++) {
        const struct start_record *record = &inner->record[i];
        uint32_t differ = distance(record, ids);
        if ((record->joined || record->failed < FAILED) && differ < least) {
            least = differ;
            best = i;
        }
    }
    if (least == UINT32_MAX)
        return NULL;
    move_to_front(inner, best);
    return inner->record;
}

static void drop_last(struct sweep_inner *inner)
{
    record_free(&inner->record[--inner->records]);
}

static int record(struct sweep_inner *inner, const uint32_t *ids, const struct known_start *start)
{
    size_t size = 0;
    if (inner->records == SWEEP_RECORDS)
        drop_last(inner);
    struct start_record *last = &inner->record[inner->records];
    int error = record_make(inner, ids, start, last);
    inner->apart = 0;
    inner->vain++;
    inner->misrecords += error == EAGAIN;
    if (error) {
        record_free(last);
        return error == EAGAIN ? 0 : error;
    }
    move_to_front(inner, inner->records++);
    for (unsigned i = 0; i < inner->records; i++)
        size += record_bytes(&inner->record[i]);
    for (; inner->records > 1 && size > RECORDS_SIZE; drop_last(inner))
        size -= record_bytes(&inner->record[inner->records - 1]);
    return 0;
}

/* True if recordings were of no use lately, so that another had better wait. */
static bool waits(const struct sweep_inner *inner)
{
    unsigned vain = inner->vain < VAIN_MOST ? inner->vain : VAIN_MOST;
    return vain >= VAIN && inner->apart < APART << (vain - VAIN);
}

/* Where one start after another ends alike, what they differ in may not matter for long. */
static bool is_worth_recording(const struct sweep_inner *inner, const struct known_start *start)
{
    unsigned alike = 0;
    if (inner->misrecords >= MISRECORDS || start->outcome.end == BOOT_EMULATOR || waits(inner))
        return false;
    for (unsigned i = 0; i < inner->records; i++) {
        if (inner->apart < APART && boot_outcome_same(&inner->record[i].start->outcome, &start->outcome))
            return false;
    }
    for (size_t i = 0; i < inner->known_count && alike < ALIKE; i++)
        alike += boot_outcome_same(&inner->known[i].outcome, &start->outcome);
    return alike == ALIKE;
}

/* The engine keeps what it translated, and translates code anew that is recorded. */
static int renew_machine(struct sweep_inner *inner)
{
    struct diag why;
    if (inner->machine.cpu.translated < TRANSLATED_MOST)
        return 0;
    machine_destroy(&inner->machine);
    inner->has_machine = !machine_init(&inner->machine, &inner->board, &inner->machine_options, &why);
    struct device device = {.machine = &inner->machine, .scenario = inner->scenario};
    if (!inner->has_machine || device_prepare(&device, &why))
        return ENOMEM;
    flash_view_init(&inner->view, &inner->machine);
    sweep_note_held(inner, NULL);
    return 0;
}

int sweep_run_or_join(struct sweep_inner *inner, const uint32_t *ids, struct known_start *start, bool *joined)
{
    struct start_record *with = choose(inner, ids);
    *joined = false;
    if (renew_machine(inner))
        return ENOMEM;
    int error = with ? sweep_join(inner, with, ids, start, joined)
                     : sweep_start(inner, &inner->machine, &inner->view, &inner->snapshot, ids, NULL, start);
    if (*joined)
        inner->vain = 0;
    if (error || *joined)
        return error;
    inner->apart++;
    return is_worth_recording(inner, start) ? record(inner, ids, start) : 0;
}

const struct known_start *sweep_keep_joined(struct sweep_inner *inner, struct known_start *start)
{
    struct known_start *place = &inner->joined[inner->joins++ % SWEEP_JOINED];
    known_start_free(place);
    *place = *start;
    return place;
}

void sweep_joins_free(struct sweep_inner *inner)
{
    while (inner->records)
        drop_last(inner);
    for (unsigned i = 0; i < SWEEP_JOINED; i++)
        known_start_free(&inner->joined[i]);
}
