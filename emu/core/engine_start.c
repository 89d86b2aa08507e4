/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE /* RTLD_NEXT, MADV_HUGEPAGE */
#include "core/engine_start.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define TABLE_GROWS 1u    /* a mode of the engine's hash tables */
#define TABLE_FIRST 4096u /* blocks */

#define HUGE_PAGE 0x200000u

typedef void (*commit_fn)(void *region);
typedef int (*advise_fn)(void *address, size_t size, int advice);
typedef void (*table_fn)(void *table, void *compare, size_t elements, unsigned mode);

/* State outside the machine struct, for the same reason as in fast_store.c: the engine's calls carry no
 * pointer of ours. It holds between begin and end. */
static _Thread_local bool starting;

void engine_start_begin(void)
{
    starting = true;
}

void engine_start_end(void)
{
    starting = false;
}

/* Exported, so that the engine's own calls arrive here. */
#define EXPORTED __attribute__((visibility("default")))

EXPORTED void memory_region_transaction_commit_arm(void *region);

void memory_region_transaction_commit_arm(void *region)
{
    commit_fn engine = NULL;
    if (starting)
        return;
    *(void **)&engine = dlsym(RTLD_NEXT, "memory_region_transaction_commit_arm");
    engine(region);
}

EXPORTED void qht_init(void *table, void *compare, size_t elements, unsigned mode);

void qht_init(void *table, void *compare, size_t elements, unsigned mode)
{
    table_fn engine = NULL;
    *(void **)&engine = dlsym(RTLD_NEXT, "qht_init");
    engine(table, compare, starting && mode & TABLE_GROWS && elements > TABLE_FIRST ? TABLE_FIRST : elements,
           mode);
}

EXPORTED int madvise(void *address, size_t size, int advice)
{
    advise_fn next = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "madvise");
    if (starting && advice == MADV_HUGEPAGE && size > HUGE_PAGE) {
        address = (uint8_t *)address + HUGE_PAGE;
        size -= HUGE_PAGE;
    }
    return next(address, size, advice);
}
