/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the values of a loop's round are while it runs in code of the host's own (core/hot_loop_code.h): in a
 * register, in their slot in memory, or both; and which operations are needed for what the round comes to.
 * Between hot_loop_code.c, which translates the operations, and hot_loop_values.c.
 *
 * Values are given registers as they are made. When there is none left, the one that is used last of all goes
 * to its slot. What the round begins with has a home, a register or its slot, where each round finds it.
 */
#ifndef SOSIM_CORE_HOT_LOOP_VALUES_H
#define SOSIM_CORE_HOT_LOOP_VALUES_H

#include "core/hot_loop_code.h"
#include "core/x86_code.h"

/* The register that points to the slots. */
#define SLOTS RDI

/* The registers that hold values; RAX, RCX and RDX are for single operations. RBX, RBP and those from R12 on
 * are the caller's. */
#define HOLDERS 10u
extern const uint8_t hot_holders[HOLDERS];

struct hot_values {
    struct x86 x;
    const struct hot_round *round;
    uint16_t holds[HOLDERS];      /* slots, or UINT16_MAX */
    uint8_t held_by[HOT_SLOTS];   /* place in `hot_holders`, or HOLDERS */
    bool in_memory[HOT_SLOTS];    /* the slot itself has its value, too */
    uint16_t last_use[HOT_SLOTS]; /* operation, or that many and one for the round's end */
    uint8_t home[PLACES];         /* of variables: place in `hot_holders`, or HOLDERS: its slot */
    uint8_t wanted_in[HOT_SLOTS]; /* of what variables are at the end: their home */
    bool needed[HOT_OPS];
    unsigned now; /* operation */
};

/* Begins with the variables in their homes; the caller loads them there. */
void hot_values_init(struct hot_values *c, const struct hot_round *round, uint8_t *to, size_t room);

struct x86_operand hot_slot(unsigned slot);
void hot_move_to_slot(struct hot_values *c, unsigned slot, unsigned reg);

/* Where the value of the slot is now. */
struct x86_operand hot_where(const struct hot_values *c, unsigned slot);
/* A register with the value: where it is, or `scratch`. */
unsigned hot_load(struct hot_values *c, unsigned slot, unsigned scratch);

/* A register for what the operation comes to, other than those of its operands: free, or of the value that is
 * used last of all. Flags stay as they are, likewise below. */
unsigned hot_new_holder(struct hot_values *c, unsigned slot);
/* The same with the value of operand `from` in it: that operand's own, if this was its last use. */
unsigned hot_result_from(struct hot_values *c, unsigned to, unsigned from);

/* Values that nothing uses any more, this operation either if `after` it, lose their registers. */
void hot_let_dead_go(struct hot_values *c, bool after);

/* What the variables are for the next round goes to their homes. */
void hot_end_round(struct hot_values *c);

#endif
