/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/sweep_share.h"

#include "scenario/sweep_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct share_memory {
    atomic_size_t next;
    atomic_size_t at[SWEEP_JOBS_MAX];
    atomic_bool broken; /* a start could not be written whole: what is behind it cannot be read */
};

/* A start in the file. Behind it: `needed` and `changed` as struct page_is, then pages of FLASH_PAGE_SIZE. */
struct told {
    uint64_t size; /* bytes, this included */
    uint32_t job, needed, changed, pages;
    struct boot_outcome outcome;
};

int sweep_share_open(struct sweep_share *share, uint32_t common)
{
    *share = (struct sweep_share){.common = common, .starts = tmpfile(), .memory_file = tmpfile()};
    if (!share->starts || !share->memory_file || fcntl(fileno(share->starts), F_SETFL, O_APPEND) ||
        ftruncate(fileno(share->memory_file), sizeof *share->memory))
        return -1;
    void *memory =
        mmap(NULL, sizeof *share->memory, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(share->memory_file), 0);
    if (memory == MAP_FAILED)
        return -1;
    share->memory = memory;
    for (unsigned job = 0; job < SWEEP_JOBS_MAX; job++)
        atomic_init(&share->memory->at[job], SIZE_MAX);
    return 0;
}

void sweep_share_close(struct sweep_share *share)
{
    if (share->memory)
        munmap(share->memory, sizeof *share->memory);
    if (share->memory_file)
        fclose(share->memory_file);
    if (share->starts)
        fclose(share->starts);
    *share = (struct sweep_share){0};
}

size_t sweep_share_next(struct sweep_share *share)
{
    return atomic_fetch_add(&share->memory->next, 1);
}

void sweep_share_at(struct sweep_share *share, size_t point)
{
    atomic_store(&share->memory->at[share->job], point);
}

size_t sweep_share_where(const struct sweep_share *share, unsigned job)
{
    return atomic_load(&share->memory->at[job]);
}

/* --- telling --------------------------------------------------------------------------------------------
 */

/* A message that is being made: pages of this worker's own are numbered from `common` on. */
struct message {
    uint32_t *own; /* numbers of the pages behind the lists */
    uint32_t count;
};

static uint32_t number_for_others(struct message *message, const struct sweep_share *share, uint32_t id)
{
    uint32_t i = 0;
    if (id < share->common)
        return id;
    while (i < message->count && message->own[i] != id)
        i++;
    if (i == message->count)
        message->own[message->count++] = id;
    return share->common + i;
}

static void put_list(struct message *message, const struct sweep_share *share, const struct page_list *list,
                     struct page_is *out)
{
    for (uint32_t i = 0; i < list->count; i++)
        out[i] = (struct page_is){list->item[i].page, number_for_others(message, share, list->item[i].id)};
}

void sweep_share_tell(struct sweep_inner *inner, const struct known_start *start)
{
    struct sweep_share *share = inner->share;
    uint32_t entries = start->needed.count + start->changed.count;
    if (!share || atomic_load(&share->memory->broken))
        return;
    size_t lists = sizeof(struct told) + entries * sizeof(struct page_is);
    struct message message = {.own = malloc((entries + 1) * sizeof *message.own)};
    uint8_t *bytes = malloc(lists + (size_t)entries * FLASH_PAGE_SIZE);
    if (bytes && message.own) {
        struct told told = {.job = share->job,
                            .needed = start->needed.count,
                            .changed = start->changed.count,
                            .outcome = start->outcome};
        struct page_is *items = malloc((entries + 1) * sizeof *items);
        if (items) {
            put_list(&message, share, &start->needed, items);
            put_list(&message, share, &start->changed, items + start->needed.count);
            told.pages = message.count;
            told.size = lists + (uint64_t)message.count * FLASH_PAGE_SIZE;
            memcpy(bytes, &told, sizeof told);
            memcpy(bytes + sizeof told, items, entries * sizeof *items);
            for (uint32_t i = 0; i < message.count; i++)
                memcpy(bytes + lists + (size_t)i * FLASH_PAGE_SIZE, inner->store.bytes[message.own[i]],
                       FLASH_PAGE_SIZE);
            if (write(fileno(share->starts), bytes, told.size) != (ssize_t)told.size)
                atomic_store(&share->memory->broken, true);
        }
        free(items);
    }
    free(message.own);
    free(bytes);
}

/* --- taking ---------------------------------------------------------------------------------------------
 */

static bool read_at(const struct sweep_share *share, void *bytes, size_t size, off_t from)
{
    return pread(fileno(share->starts), bytes, size, from) == (ssize_t)size;
}

/* Gives the pages of a message numbers of ours; false when memory ran out. */
static bool take_list(struct sweep_inner *inner, const struct told *told, const uint8_t *pages,
                      const struct page_is *items, uint32_t count, struct page_list *list)
{
    uint32_t common = inner->share->common;
    list->item = malloc((count + 1) * sizeof *list->item);
    list->count = list->item ? count : 0;
    for (uint32_t i = 0; i < list->count; i++) {
        uint32_t offset, size, id = items[i].id;
        flash_view_page(&inner->view, items[i].page, &offset, &size);
        if (id >= common && id - common < told->pages)
            id = page_store_add(&inner->store, pages + (size_t)(id - common) * FLASH_PAGE_SIZE, size);
        list->item[i] = (struct page_is){items[i].page, id};
        if (id == PAGE_UNKNOWN)
            return false;
    }
    return list->item != NULL;
}

static int take_one(struct sweep_inner *inner, const struct told *told, const uint8_t *bytes)
{
    const struct page_is *items = (const void *)bytes;
    const uint8_t *pages = bytes + (size_t)(told->needed + told->changed) * sizeof *items;
    struct known_start start = {.outcome = told->outcome};
    if (take_list(inner, told, pages, items, told->needed, &start.needed) &&
        take_list(inner, told, pages, items + told->needed, told->changed, &start.changed) &&
        sweep_add_known(inner, &start))
        return 0;
    known_start_free(&start);
    return ENOMEM;
}

int sweep_share_take(struct sweep_inner *inner)
{
    struct sweep_share *share = inner->share;
    struct stat file;
    struct told told;
    int err = 0;
    if (!share || atomic_load(&share->memory->broken) || fstat(fileno(share->starts), &file))
        return 0;
    while (!err && file.st_size - share->taken >= (off_t)sizeof told &&
           read_at(share, &told, sizeof told, share->taken) &&
           file.st_size - share->taken >= (off_t)told.size) {
        if (told.job != share->job) {
            size_t size = told.size - sizeof told;
            uint8_t *bytes = malloc(size + 1);
            err = !bytes ? ENOMEM
                  : read_at(share, bytes, size, share->taken + (off_t)sizeof told)
                      ? take_one(inner, &told, bytes)
                      : 0;
            free(bytes);
        }
        share->taken += (off_t)told.size;
    }
    return err;
}
