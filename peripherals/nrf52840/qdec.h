/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QDEC – quadrature decoder.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'QDEC'.
 * Modelled: sampling of the wires A and B every SAMPLEPER, ACC and ACCDBL with their read registers, reports,
 * overflow, all shortcuts, STOPPED.
 * Not modelled: the LED output and LEDPRE, the debounce filters.
 */
#ifndef SOSIM_NRF52840_QDEC_H
#define SOSIM_NRF52840_QDEC_H

#include "core/bus.h"

struct qdec {
    struct block block;
    struct event sample;
    uint64_t due;     /* cycle of the next sample */
    uint32_t samples; /* since the last report */
    uint8_t phase;    /* A in bit 1, B in bit 0, at the last sample */
    bool first;       /* there is no last sample yet */
};

/* Puts QDEC on the bus. */
void qdec_init(struct qdec *qdec, struct bus *bus);

#endif
