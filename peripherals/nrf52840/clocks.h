/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CLOCK – the high- and low-frequency clock controller, which shares its page, interrupt line and INTEN with
 * POWER (power.h is the page's other face).
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'CLOCK'.
 * Modelled: start and stop of HFXO and LFCLK with their typical start-up times, status registers, LFRC
 * calibration and its timer; the 32,768 Hz edges that RTC and WDT count.
 * With the crystal as source LFCLK runs from LFRC after 600 µs (LFCLKSTAT: running, SRC = RC) and goes over
 * to the crystal when that is up, 250 ms after the start; only then comes LFCLKSTARTED.
 * Not modelled: frequency error of any source (so the calibration has nothing to correct); what a block that
 * needs HFXO does without it.
 */
#ifndef SOSIM_NRF52840_CLOCKS_H
#define SOSIM_NRF52840_CLOCKS_H

#include "core/bus.h"

#define LFCLK_LISTENERS 6

struct clocks {
    struct block block; /* POWER adds its face to it */
    bool hfxo_asked;    /* HFCLKRUN */
    bool hfxo_running;
    bool lfclk_asked; /* LFCLKRUN */
    bool lfrc_forced; /* the watchdog keeps LFCLK going */
    bool lfclk_running;
    bool lfclk_settled; /* it runs from the source that was asked for */
    struct event hfxo_up;
    struct event lfrc_up;
    struct event lfclk_up;
    struct event calibrated;
    struct event timeout;
    struct {
        void (*fn)(void *context, bool running);
        void *context;
    } listener[LFCLK_LISTENERS];
    unsigned listeners;
};

/* Puts the page on the bus with CLOCK as its first face. */
void clocks_init(struct clocks *clocks, struct bus *bus);

/* Calls `fn` whenever LFCLK begins or ceases to run (reset included). At most LFCLK_LISTENERS. */
void clocks_listen(struct clocks *clocks, void (*fn)(void *context, bool running), void *context);

/* Starts LFCLK from LFRC and keeps it running until reset: a running watchdog does not let it stop. */
void clocks_force_lfrc(struct clocks *clocks);

/* LFCLK edge n happens at cycle ceil(n * 15625 / 8): 64 MHz / 32768 Hz = 1953.125, so nothing drifts. */
static inline uint64_t lfclk_cycle(uint64_t edge)
{
    return (edge * 15625 + 7) / 8;
}

/* The last edge at or before a cycle. */
static inline uint64_t lfclk_edge(uint64_t cycle)
{
    return cycle * 8 / 15625;
}

#endif
