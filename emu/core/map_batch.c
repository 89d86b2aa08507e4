/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "core/map_batch.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

typedef void (*commit_fn)(void *region);

/* State outside the machine struct, for the same reason as in fast_store.c: the engine's call carries no
 * pointer of ours. It holds between begin and end. */
static _Thread_local bool batch;

void map_batch_begin(void)
{
    batch = true;
}

void map_batch_end(void)
{
    batch = false;
}

/* Exported, so that the engine's own call arrives here. */
__attribute__((visibility("default"))) void memory_region_transaction_commit_arm(void *region);

void memory_region_transaction_commit_arm(void *region)
{
    commit_fn engine = NULL;
    if (batch)
        return;
    *(void **)&engine = dlsym(RTLD_NEXT, "memory_region_transaction_commit_arm");
    engine(region);
}
