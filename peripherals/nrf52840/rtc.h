/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RTC0–RTC2 – real-time counters on the 32,768 Hz clock.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'RTC'.
 * Modelled: the 24-bit COUNTER with its prescaler, TICK, OVRFLW and COMPARE, EVTEN; tasks take effect at the
 * LFCLK edge that follows a falling edge, 15 to 46 µs after they are triggered; the RTC stands while LFCLK
 * does. An event is raised only if INTEN or EVTEN asks for it, and goes to PPI only if EVTEN does.
 * All RTCs count the edges that clocks.h defines, so they keep step and never drift.
 * Not modelled: the doubt about a CC that is written as the counter reaches it (such a match is taken).
 */
#ifndef SOSIM_NRF52840_RTC_H
#define SOSIM_NRF52840_RTC_H

#include "core/bus.h"
#include "nrf52840/clocks.h"

#define RTC_COMPARES 4

struct rtc {
    struct block block;
    struct clocks *clocks;
    unsigned compares; /* CC registers this instance has */
    uint32_t evten;
    bool running;       /* started; counts if LFCLK runs too */
    bool lfclk;         /* what `count` at `base_edge` was taken with */
    uint32_t period;    /* edges a count, latched from PRESCALER */
    uint32_t base;      /* COUNTER at base_edge */
    uint64_t base_edge; /* where the prescaler began */
    uint64_t done_edge; /* events up to here have been raised */
    uint64_t run_edge;  /* START or STOP takes effect, CLOCK_NEVER: none waits */
    uint64_t set_edge;  /* CLEAR or TRIGOVRFLW takes effect */
    uint32_t set_value; /* what COUNTER becomes then */
    bool run_value;
    uint64_t next_edge; /* what `due` is scheduled for, no later than what comes next */
    uint32_t awaited;   /* events that it was scheduled for */
    struct event due;
};

/* Puts RTC `instance` (0..2) on the bus. */
void rtc_init(struct rtc *rtc, struct bus *bus, struct clocks *clocks, unsigned instance);

#endif
