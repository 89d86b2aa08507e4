/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults of a flash operation, chosen by array and operation number, and what they leave in the cells.
 *
 * Sources: nRF52840 Product Specification 1.7 'NVMC' (a word is written bit by bit, a reset during a write or
 * erase leaves the word or page undefined), MX25L3233F data sheet (page program and sector erase), Tseng,
 * Grupp, Swanson, 'Understanding the Impact of Power Loss on Flash Memory' (partly programmed and partly
 * erased pages).
 *
 * An id says which fault: "ext:812t3" is the third way of tearing operation 812 of the external flash. The
 * arrays are int, uicr, ext and otp; the letters are
 *   b   power is lost before the operation
 *   tN  power is lost within it, in the N-th way (torn; below)
 *   a   power is lost after it
 *   x   it is dropped: nothing changes, and the controller reports success
 *   w   doubled: it happens at the next place of the same size too (a program) or again (an erase)
 *   dN  disturbed: it happens, and a bit near it loses its charge
 *   sN  worn: it happens, and from now on some cells of the page cannot be erased (N of them)
 *   uN  unstable: it happens, but weakly: N of its cells read differently from read to read
 * An id of a torn operation may end in u, as in "int:7t1u": an eighth of the bits that an erase should have
 * set, or half of those that the program's last word or byte should have cleared, read unstably.
 *
 * Ways to tear, the same in each run:
 *   a program of a word   1 every other bit of those to be cleared; 2 the others; 3 the lowest only; 4 all
 *                         but the highest; from 5 on a random subset
 *   a longer program      1 the first half of the bytes; 2 the first byte; 3 all but the last byte; from 4 on
 *                         a random number; the byte that follows is torn like a word
 *   an erase              1 half of the bits are set; 2 one in 16; 3 all but one in 16; from 4 on a random
 *                         share
 *
 * A scenario can say exactly how an operation is torn (struct flash_tear).
 *
 * Not modelled: damage to pages next to an erased one.
 */
#ifndef SOSIM_CORE_FLASH_FAULT_H
#define SOSIM_CORE_FLASH_FAULT_H

#include "core/diag.h"
#include "core/nor.h"

#include <stddef.h>

enum flash_fault_kind {
    FLASH_CUT_BEFORE,
    FLASH_TORN,
    FLASH_CUT_AFTER,
    FLASH_DROPPED,
    FLASH_DOUBLED,
    FLASH_DISTURBED,
    FLASH_WORN,
    FLASH_UNSTABLE,
    FLASH_FAULT_KINDS
};

struct flash_fault {
    const char *array; /* "internal", "uicr", "external", "otp": constant text */
    uint64_t number;   /* of the operation on its array, from 1 */
    enum flash_fault_kind kind;
    unsigned variant; /* of torn, disturbed, worn and unstable, from 1; else 0 */
    bool unstable;    /* torn: what is left half-way reads unstably */
};

/* How far an operation came before power was lost. */
enum flash_tear_way {
    TEAR_VARIANT, /* one of the ways listed above */
    TEAR_BITS,    /* program: of the bits to be cleared in its first word, those with a 1 in `value` are */
    TEAR_BYTES,   /* program: its first `value` bytes are done, the others are as they were */
    TEAR_SHARE,   /* erase: of its bits, `value` 256ths are set */
};

struct flash_tear {
    enum flash_tear_way way;
    uint32_t value; /* the variant, for TEAR_VARIANT */
    bool unstable;
};

#define FLASH_FAULT_ID_SIZE 48

/* Reads an id. Returns 0, or -1 with `why`. */
int flash_fault_parse(const char *id, struct flash_fault *fault, struct diag *why);

/* Writes the id into `id` and returns it. */
char *flash_fault_id(const struct flash_fault *fault, char id[FLASH_FAULT_ID_SIZE]);

/* "int" for "internal" and so on; the name itself if there is no short one. */
const char *flash_array_short(const char *array);

/* The array whose short name is the first `length` characters of the text, or NULL. */
const char *flash_array_named(const char *text, size_t length);

/* "before", "torn", "after", "dropped", "doubled", "disturbed", "worn", "unstable". */
const char *flash_fault_kind_name(enum flash_fault_kind kind);

/*
 * Does to `cells` (the array's bytes from op->address on, op->size of them) what the operation does when
 * power is lost within it. `bytes` is what is programmed, NULL for an erase. The same arguments give the same
 * cells.
 */
void flash_tear(uint8_t *cells, const struct flash_op *op, const uint8_t *bytes, unsigned variant,
                uint64_t seed);

/* The same in any way, and without the unstable cells: those belong to an array. */
void flash_tear_as(uint8_t *cells, const struct flash_op *op, const uint8_t *bytes,
                   const struct flash_tear *tear, uint64_t seed);

/* Calls `mark` for each byte, counted from op->address, of which some bits are left unstable by a torn
 * operation; `cells` are as they were before it. */
void flash_tear_unstable(const uint8_t *cells, const struct flash_op *op, const uint8_t *bytes,
                         const struct flash_tear *tear, uint64_t seed,
                         void (*mark)(void *context, uint32_t offset, uint8_t bits), void *context);

/* Tears an operation on its array, unstable cells included. */
void flash_tear_array(struct nor *nor, const struct flash_op *op, const uint8_t *bytes,
                      const struct flash_tear *tear, uint64_t seed);

/* Lets an operation go wrong as the fault's kind and variant say, whatever array and number it has, and
 * returns what nor->fault has to return for it. */
enum nor_fault flash_strike(const struct flash_fault *fault, uint64_t seed, struct nor *nor,
                            const struct flash_op *op, const uint8_t *bytes);

/* One fault, to be hung into all arrays: nor->fault = flash_plan_ask, nor->fault_context = the plan. */
struct flash_plan {
    struct flash_fault fault;
    uint64_t seed;
    bool done; /* the operation has come */
    bool cut;  /* power is gone: every further operation is cut too. The owner takes power off, then clears it
                */
    /* Told when power is lost; may be NULL. */
    void (*lost)(void *context);
    void *lost_context;
};

enum nor_fault flash_plan_ask(void *context, struct nor *nor, const struct flash_op *op,
                              const uint8_t *bytes);

#endif
