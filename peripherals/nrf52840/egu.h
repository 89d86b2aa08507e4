/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EGU – event generator unit, which shares its pages and interrupt lines with SWI0–SWI5.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'EGU' and 'SWI'.
 * Modelled: TASKS_TRIGGER[0..15] raise EVENTS_TRIGGERED[0..15]; interrupts; PPI on both sides. A software
 * interrupt needs no register: software pends its line in the NVIC.
 * Not modelled: nothing known.
 */
#ifndef SOSIM_NRF52840_EGU_H
#define SOSIM_NRF52840_EGU_H

#include "core/bus.h"

struct egu {
    struct block block;
};

/* Puts EGU `instance` (0..5) on the bus. */
void egu_init(struct egu *egu, struct bus *bus, unsigned instance);

#endif
