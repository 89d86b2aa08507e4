/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/flash_work.h"

#include "core/flash_fault.h"

#include <string.h>

#define WORD_SIZE 4u
#define TORN_WORD 5u /* the way a word is torn: a random subset (flash_fault.h) */

void flash_work_begin(struct flash_work *work, struct nor *array, uint32_t address, uint32_t size,
                      const uint8_t *bytes, uint64_t cycles)
{
    bool fits = size <= (bytes ? sizeof work->bytes : sizeof work->before) && cycles &&
                address < array->size && size <= array->size - address && !array->frozen;
    work->array = fits ? array : NULL;
    if (!fits)
        return;
    work->op = (struct flash_op){.array = array->name,
                                 .number = array->operations + 1,
                                 .kind = bytes ? NOR_PROGRAM : NOR_ERASE,
                                 .address = address,
                                 .size = size};
    work->cycles = cycles;
    memcpy(work->before, array->data + address, size);
    if (bytes)
        memcpy(work->bytes, bytes, size);
}

bool flash_work_spoil(struct flash_work *work, uint64_t left, uint64_t seed)
{
    const struct flash_op *op = &work->op;
    bool erase = op->kind == NOR_ERASE;
    if (!work->array || !left) {
        work->array = NULL;
        return false;
    }
    uint64_t done = left < work->cycles ? work->cycles - left : 0;
    struct flash_tear tear = {TEAR_SHARE, (uint32_t)(256 * done / work->cycles), false};
    if (!erase && op->size <= WORD_SIZE)
        tear = (struct flash_tear){TEAR_VARIANT, TORN_WORD, false};
    else if (!erase)
        tear = (struct flash_tear){TEAR_BYTES, (uint32_t)(op->size * done / work->cycles), false};
    if (done)
        flash_tear_as(work->before, op, erase ? NULL : work->bytes, &tear, seed);
    nor_load(work->array, op->address, work->before, op->size);
    work->array = NULL;
    return true;
}

void flash_work_save(struct flash_work *work, struct nor *const arrays[], struct state *state)
{
    uint8_t array = 0; /* by number: pointers are of this machine only */
    while (arrays[array] && arrays[array] != work->array)
        array++;
    bool going_on = work->array != NULL;
    state_var(state, going_on);
    if (state->loading)
        work->array = NULL;
    if (!going_on)
        return;
    state_var(state, array);
    state_var(state, work->op);
    state_var(state, work->cycles);
    state_var(state, work->before);
    state_var(state, work->bytes);
    for (uint8_t i = 0; state->loading && arrays[i]; i++)
        work->array = i == array ? arrays[i] : work->array;
    work->op.array = work->array ? work->array->name : NULL;
}
