/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving and restoring the machine. Each block has one `save` verb that names its state once; the same code
 * writes a snapshot or reads it back, so the two cannot differ. A snapshot lives in memory and belongs to the
 * build that made it; it is not a file format.
 */
#ifndef SOSIM_CORE_STATE_H
#define SOSIM_CORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state {
    bool loading;
    bool without_content; /* of RAM and flash arrays, which the caller keeps in another way; nor the trace's
                             hash */
    uint8_t *data;        /* owned; grows while saving */
    size_t size;
    size_t capacity;
    size_t position; /* while loading */
    int error;       /* 0, or the first failure (out of memory, or a snapshot that ends too early) */
};

void state_begin_save(struct state *state);
void state_begin_load(struct state *state);
void state_free(struct state *state);

/* Copies `size` bytes out of (saving) or into (loading) `bytes`. */
void state_bytes(struct state *state, void *bytes, size_t size);

/* While loading: true, and they are passed over, if the next `size` bytes are the same as `bytes`. */
bool state_skip_same(struct state *state, const void *bytes, size_t size);

#define state_var(state, variable) state_bytes((state), &(variable), sizeof(variable))

#endif
