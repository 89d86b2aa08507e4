/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TIMER0–TIMER4 – timers and counters.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'TIMER'.
 * Modelled: timer, counter and low-power counter mode, all widths, prescaler, capture, compare, the shortcuts
 * COMPARE_CLEAR and COMPARE_STOP, which act at the very tick of the match. TIMER0–TIMER2 have four CC
 * registers; their fifth and sixth are storage.
 * Not modelled: the choice between PCLK1M and PCLK16M (power only).
 */
#ifndef SOSIM_NRF52840_TIMER_H
#define SOSIM_NRF52840_TIMER_H

#include "core/bus.h"

#define TIMER_COMPARES 6

struct timer {
    struct block block;
    unsigned compares; /* CC registers this instance has */
    bool running;
    uint32_t base;       /* counter at base_cycle */
    uint64_t base_cycle; /* where the prescaler began */
    uint64_t done_cycle; /* matches up to here have been raised */
    uint64_t next_cycle; /* what `due` is scheduled for, no later than the next match; CLOCK_NEVER: nothing */
    bool matching;       /* matches of done_cycle are being raised: tasks act at that cycle */
    struct event due;
};

/* Puts TIMER `instance` (0..4) on the bus. */
void timer_init(struct timer *timer, struct bus *bus, unsigned instance);

#endif
