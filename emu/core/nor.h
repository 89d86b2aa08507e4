/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A NOR flash array: programming only clears bits, erasing sets a whole page. Internal flash, UICR, external
 * flash and OTP are all of this kind. The array knows bytes and operations; time and commands belong to the
 * controller in front of it (NVMC, the flash part).
 *
 * Every program and erase is a numbered operation that observers see (SIGNAL_FLASH), and the only place where
 * flash faults are injected: `fault` is asked before each operation is applied.
 *
 * The bits change when the controller says so, at the start of the operation's time; a fault plan that cuts
 * power tears the operation itself (it knows the data and the bytes that were there), and for power that goes
 * later in that time there is flash_work.h.
 *
 * Cells can be unstable: left half-way by an operation that was cut or too weak, they read 0 now and 1 then,
 * until an erase or a program of theirs succeeds. What each read gives follows from the seed and how many
 * such reads there were before.
 *
 * Not modelled: wear by erase count, read disturb, retention loss; unstable cells whose odds are not even.
 */
#ifndef SOSIM_CORE_NOR_H
#define SOSIM_CORE_NOR_H

#include "core/ones.h"
#include "core/signal.h"
#include "core/state.h"

#include <stdbool.h>
#include <stdint.h>

enum nor_kind {
    NOR_PROGRAM,
    NOR_ERASE,
};

/* What was done with a page since nor_watch(): bits of nor->seen[]. */
enum nor_seen {
    NOR_SEEN_READ = 1,   /* its content counted: it was read, or programmed, before it was erased */
    NOR_SEEN_ERASED = 2, /* it was erased before its content counted */
    NOR_SEEN_CHANGED = 4,
};

/* One numbered operation, as observers and fault plans see it. */
struct flash_op {
    const char *array; /* "internal", "uicr", "external", "otp" */
    uint64_t number;   /* counts from 1 on each array, over the whole run */
    enum nor_kind kind;
    uint32_t address; /* byte offset in the array */
    uint32_t size;    /* bytes */
    bool cut;         /* power went while it ran: torn */
    bool registers;   /* of an array of registers: meant only where its name is given */
};

struct nor;

/* What the fault plan wants done to an operation. */
enum nor_fault {
    NOR_FAULT_NONE,
    NOR_FAULT_DROP, /* nothing changes, and nobody is told */
    NOR_FAULT_CUT,  /* power is lost; the plan has already torn the array as it likes */
};

/* Asked when an operation is about to change bits; `bytes` is the data programmed, NULL for an erase. */
typedef enum nor_fault (*nor_fault_fn)(void *context, struct nor *nor, const struct flash_op *op,
                                       const uint8_t *bytes);

struct nor {
    const char *name;
    struct ones memory;
    uint8_t *data;    /* the bytes in it; who changes them past the functions here calls nor_changed() */
    uint8_t *written; /* a byte a page, owned: 0 where all bits are known to be ones */
    uint32_t size;
    uint32_t page; /* erase unit, bytes */
    uint64_t operations;
    uint64_t programs;
    uint64_t erases;
    bool registers; /* holds a part's non-volatile registers, no data */
    bool frozen;    /* without power: nothing changes, operations are cut before they begin */
    struct signals *signals;
    nor_fault_fn fault; /* NULL: none */
    void *fault_context;
    /* Cells that cannot be programmed or erased, applied to each change; both NULL or `size` bytes, owned. */
    uint8_t *stuck_low;  /* 1-bits here always read 0 */
    uint8_t *stuck_high; /* 1-bits here always read 1 */
    /* Cells that read differently from read to read: 1-bits here; NULL or `size` bytes, owned. */
    uint8_t *unstable;
    uint64_t unstable_reads;
    uint64_t seed; /* of what unstable cells read */
    uint8_t *seen; /* a byte a page (enum nor_seen), owned; NULL: nobody wants to know */
    /* Tells the owner of cached views (translated code) that bytes changed. */
    void (*changed)(void *context, uint32_t address, uint32_t size);
    void *changed_context;
};

/* Allocates the array, all ones. Returns 0 or ENOMEM. */
int nor_init(struct nor *nor, const char *name, uint32_t size, uint32_t page, struct signals *signals);
void nor_destroy(struct nor *nor);

/* Applies a program (AND) or an erase of [address, address+size); both are clipped to the array.
 * Returns what the fault plan decided; after NOR_FAULT_CUT the caller must stop at once. */
enum nor_fault nor_program(struct nor *nor, uint32_t address, const uint8_t *bytes, uint32_t size);
enum nor_fault nor_erase(struct nor *nor, uint32_t address, uint32_t size);

/* Writes bytes as a factory programmer would, outside the count of operations. */
void nor_load(struct nor *nor, uint32_t address, const uint8_t *bytes, uint32_t size);

/* Makes one bit unable to change from `value`; returns 0, EINVAL or ENOMEM. */
int nor_stick(struct nor *nor, uint32_t address, unsigned bit, bool value);

/* Makes the cells of one byte that have a 1 in `bits` unstable; returns 0, EINVAL or ENOMEM. */
int nor_unsettle(struct nor *nor, uint32_t address, uint8_t bits);

/* Takes a map of unstable cells, `size` bytes that malloc() gave, in place of the one that there is. */
void nor_take_unstable(struct nor *nor, uint8_t *cells);

/* Bytes of nor->data were changed. */
void nor_changed(struct nor *nor, uint32_t address, uint32_t size);

/* Does an operation to the cells as it should be, outside the count of operations: for fault plans. */
void nor_apply(struct nor *nor, const struct flash_op *op, const uint8_t *bytes);

/* Gives the unstable cells of these bytes values anew. */
void nor_draw(struct nor *nor, uint32_t address, uint32_t size);

/* True if some cells of these bytes are unstable. */
bool nor_is_unstable(const struct nor *nor, uint32_t address, uint32_t size);

/* Notes from now on which pages are read, erased and changed; 0 or ENOMEM. Calling it again starts anew. */
int nor_watch(struct nor *nor);

/* These bytes count from now on, for whoever watches the pages. */
static inline void nor_note_read(struct nor *nor, uint32_t address, uint32_t size)
{
    if (!nor->seen || !size || address >= nor->size)
        return;
    uint32_t last = size < nor->size - address ? address + size - 1 : nor->size - 1;
    for (uint32_t page = address / nor->page; page <= last / nor->page; page++) {
        if (!(nor->seen[page] & NOR_SEEN_ERASED))
            nor->seen[page] |= NOR_SEEN_READ;
    }
}

/* Something is about to read these bytes; every reader of nor->data on the guest's behalf says so. */
static inline void nor_about_to_read(struct nor *nor, uint32_t address, uint32_t size)
{
    nor_note_read(nor, address, size);
    if (nor->unstable)
        nor_draw(nor, address, size);
}

/* Stuck and unstable cells are part of the state. */
void nor_save(struct nor *nor, struct state *state);

#endif
