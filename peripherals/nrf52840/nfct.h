/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NFCT – near field communication tag, with no reader near.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'NFCT'.
 * Modelled: the registers; ACTIVATE leads through RAMPUP to IDLE with READY after 50 us, GOIDLE, GOSLEEP and
 * DISABLE change NFCTAGSTATE and SLEEPSTATE; ERRORSTATUS and FRAMESTATUS are cleared by writing ones; the
 * words beyond the datasheet that start-up code and drivers touch.
 * Not modelled: a field. SENSE waits for one for good, STARTTX and ENABLERXDATA do nothing.
 */
#ifndef SOSIM_NRF52840_NFCT_H
#define SOSIM_NRF52840_NFCT_H

#include "core/bus.h"

struct nfct {
    struct block block;
    struct event ready; /* end of the ramp-up */
};

void nfct_init(struct nfct *nfct, struct bus *bus);

#endif
