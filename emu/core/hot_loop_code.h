/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translates the operations of a loop's round (core/hot_loop.h) to x86-64. Values live in registers of the
 * host as long as there are some, else in their slots; what a round begins with has its home, where the end
 * of the round before leaves it. Between hot_loop.c, which says what loops there are, and hot_loop_code.c.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, for the instructions.
 */
#ifndef SOSIM_CORE_HOT_LOOP_CODE_H
#define SOSIM_CORE_HOT_LOOP_CODE_H

#include "core/replay_make.h"

#include <stddef.h>

#define HOT_OPS    512
#define HOT_SLOTS  768
#define HOT_ACCESS 64 /* loads and stores */

/* A register or flag that the round begins with. */
struct hot_variable {
    uint16_t slot;
    uint16_t after; /* slot of what it is at the round's end */
};

/* A loop's round. */
struct hot_round {
    struct ir op[HOT_OPS]; /* of FX_LOAD_AT and FX_STORE_AT, `exit` is the number of the access */
    unsigned ops;
    bool slot_known[HOT_SLOTS]; /* it holds a constant */
    uint32_t slot[HOT_SLOTS];
    unsigned slots;
    struct hot_variable variable[PLACES];
    unsigned variables;
    unsigned accesses;
};

/* Runs `rounds` rounds, at least one, from and to the slots of the variables, and makes their loads and
 * stores at a guest's address plus the access's `bias`. */
typedef void hot_code(uint32_t *slots, const uintptr_t *bias, uint64_t rounds);

/* Puts the code of the round at `to`, for which there are `room` bytes. Returns its size, or 0: there is not
 * enough room, or an operation that is not translated, or the host is no x86-64. */
size_t hot_code_make(const struct hot_round *round, uint8_t *to, size_t room);

#endif
