/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One round of a loop that may compute a checksum (core/checksum.h), interpreted. Between checksum_round.c,
 * which interprets, and checksum.c, which draws conclusions.
 *
 * Source: ARMv7-M Architecture Reference Manual (DDI 0403E) A5, A6.7 and A7.7 for the instructions.
 */
#ifndef SOSIM_CORE_CHECKSUM_ROUND_H
#define SOSIM_CORE_CHECKSUM_ROUND_H

#include "core/loop_round.h"

#define SUM_REGISTERS 15u
#define SUM_NONE      SUM_REGISTERS /* in place of a register's number */
#define SUM_DECISIONS 4u

/* What a value is. */
enum sum_what {
    SUM_LINE,   /* register `reg` at the round's beginning, or 0 if it is none, plus `add` */
    SUM_BYTE,   /* loaded through the pointer */
    SUM_MIXED,  /* byte ^ sum */
    SUM_LOW,    /* sum & 0xff */
    SUM_INDEX,  /* (byte ^ sum) & 0xff */
    SUM_OFFSET, /* the same times 4 */
    SUM_ENTRY,  /* of the table */
    SUM_REST,   /* sum >> 8 */
    SUM_NEW,    /* entry ^ rest */
    SUM_OTHER,
};

struct sum_value {
    uint32_t now;
    enum sum_what what;
    unsigned reg; /* of a line; of what comes from the sum: the sum's; SUM_NONE */
    uint32_t add;
};

/* A branch that went as it did because two lines are equal, or are not. */
struct sum_decision {
    struct sum_value a, b;
};

struct sum_round {
    struct loop_round loop;
    struct sum_value reg[SUM_REGISTERS];
    bool n, z, c, v;
    struct sum_decision flags; /* what Z says is equal; not lines: not known */
    struct sum_decision decision[SUM_DECISIONS];
    unsigned decisions;
    uint32_t used;          /* bits: registers whose value at the beginning counts */
    unsigned loads, looks;  /* of bytes, of entries */
    struct sum_value from;  /* the byte's address */
    struct sum_value table; /* its address */
};

/* Interprets the loop from `head` until it is there again; false if that cannot be done. */
bool sum_run_round(struct sum_round *r, uint32_t head);

#endif
