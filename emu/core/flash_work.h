/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flash operation that a controller or part is busy with, as long as a failing supply can still spoil it.
 *
 * The bits of an operation change as its time begins (nor.h). If power goes before that time is over, this
 * puts back what the cells held and lets the operation happen as far as it had come: of an erase, a share of
 * the bits is set; of a program, the first bytes are done, and of one word a random half of its bits.
 *
 * Sources: as for flash_fault.h, whose ways of tearing these are.
 *
 * Not modelled: cells left unstable; operations of more than a page (block and chip erases), which are done
 * at once.
 */
#ifndef SOSIM_CORE_FLASH_WORK_H
#define SOSIM_CORE_FLASH_WORK_H

#include "core/nor.h"

#define FLASH_WORK_PAGE    4096u
#define FLASH_WORK_PROGRAM 256u /* bytes */

struct flash_work {
    struct nor *array; /* NULL: none */
    struct flash_op op;
    uint64_t cycles; /* that the whole of it takes */
    uint8_t before[FLASH_WORK_PAGE];
    uint8_t bytes[FLASH_WORK_PROGRAM]; /* that are programmed */
};

/* To be called before the array is told of the operation; `bytes` is NULL for an erase. One that does not fit
 * is not kept. */
void flash_work_begin(struct flash_work *work, struct nor *array, uint32_t address, uint32_t size,
                      const uint8_t *bytes, uint64_t cycles);

/* The supply fails with `left` cycles of the operation to go (all of them: it has not begun). Returns true if
 * it was left half-way; it is over in any case. `seed` is the run's. */
bool flash_work_spoil(struct flash_work *work, uint64_t left, uint64_t seed);

/* `arrays` are those of the owner, ended by NULL. */
void flash_work_save(struct flash_work *work, struct nor *const arrays[], struct state *state);

#endif
