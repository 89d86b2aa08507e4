/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WDT – watchdog timer.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'WDT', and 'Reset behavior' in chapter 'POWER'.
 * Modelled: (CRV + 1) / 32768 s from start or reload; eight reload registers; CRV, RREN and CONFIG locked
 * once started; TIMEOUT, and the reset at once or, if its interrupt is enabled, two LFCLK periods later.
 * Soft reset and lockup leave it running; every other reset stops it. It keeps LFCLK running.
 * Not modelled: the pauses that CONFIG.SLEEP and CONFIG.HALT ask for (it runs on while the CPU sleeps; there
 * is no debugger to halt it).
 */
#ifndef SOSIM_NRF52840_WDT_H
#define SOSIM_NRF52840_WDT_H

#include "core/bus.h"
#include "nrf52840/clocks.h"

struct wdt {
    struct block block;
    struct clocks *clocks;
    bool running;
    bool timed_out; /* the reset is two LFCLK periods away */
    uint32_t crv;
    uint32_t rren;
    uint32_t config;
    uint32_t waiting; /* REQSTATUS: enabled reload registers not yet written */
    struct event expiry;
};

void wdt_init(struct wdt *wdt, struct bus *bus, struct clocks *clocks);

#endif
