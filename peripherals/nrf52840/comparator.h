/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What COMP and LPCOMP have in common: START, STOP and SAMPLE, their events and shortcuts, and the input.
 *
 * Source: nRF52840 Product Specification 1.7, chapters 'COMP' and 'LPCOMP' (tasks, events, RESULT, ENABLE,
 * PSEL, REFSEL and EXTREFSEL are at the same offsets).
 * Modelled: READY some time after START; SAMPLE while running.
 * Not modelled: UP, DOWN and CROSS (only a SAMPLE looks at the input), HYST.
 */
#ifndef SOSIM_NRF52840_COMPARATOR_H
#define SOSIM_NRF52840_COMPARATOR_H

#include "core/bus.h"

struct power;

enum {
    COMPARATOR_RESULT = 0x400,
    COMPARATOR_ENABLE = 0x500,
    COMPARATOR_PSEL = 0x504,
    COMPARATOR_REFSEL = 0x508,
    COMPARATOR_EXTREFSEL = 0x50C,
    ENABLE_LPCOMP = 1, /* ENABLE's values */
    ENABLE_COMP = 2,
};

extern const struct shortcut comparator_shorts[];

struct comparator;

/* What differs between COMP and LPCOMP. */
struct comparator_kind {
    uint32_t enable;       /* what it is while ENABLE is this */
    uint32_t start_cycles; /* from START to READY */
    /* Compares the input with the reference and puts the answer in RESULT. */
    void (*sample)(const struct comparator *comparator);
};

struct comparator {
    struct block *block;
    const struct power *power;
    const struct comparator_kind *kind;
    struct event ready;
    bool running;
};

/* All that is passed has to stay as long as the comparator. */
void comparator_init(struct comparator *comparator, struct block *block, const struct power *power,
                     const struct comparator_kind *kind);

/* Millivolts on the analog input that a register's low bits name; `mask` says which bits. */
int32_t comparator_input(const struct comparator *comparator, uint32_t offset, uint32_t mask);

/* For the face; `self` is the comparator. */
void comparator_reset(void *self, enum reset_cause cause);
void comparator_write(void *self, uint32_t offset, uint32_t value);
void comparator_task(void *self, unsigned n);
void comparator_save(void *self, struct state *state);

#endif
