/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/state.h"

#include "core/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void state_begin_save(struct state *state)
{
    state->loading = false;
    state->size = 0;
    state->error = 0;
}

void state_begin_load(struct state *state)
{
    state->loading = true;
    state->position = 0;
    state->error = 0;
}

void state_free(struct state *state)
{
    free(state->data);
    *state = (struct state){0};
}

static int reserve(struct state *state, size_t more)
{
    uint8_t *data = room_for(state->data, state->size + more, &state->capacity, 1);
    if (!data)
        return ENOMEM;
    state->data = data;
    return 0;
}

void state_bytes(struct state *state, void *bytes, size_t size)
{
    if (state->error)
        return;
    if (state->loading) {
        if (state->size - state->position < size) {
            state->error = EINVAL;
            return;
        }
        memcpy(bytes, state->data + state->position, size);
        state->position += size;
        return;
    }
    state->error = reserve(state, size);
    if (state->error)
        return;
    memcpy(state->data + state->size, bytes, size);
    state->size += size;
}

bool state_skip_same(struct state *state, const void *bytes, size_t size)
{
    if (state->error || state->size - state->position < size ||
        memcmp(bytes, state->data + state->position, size) != 0)
        return false;
    state->position += size;
    return true;
}
