/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NFCT – near field communication tag.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'NFCT', for the place of the page and its interrupt
 * line. Modelled: the page is there, with the word that the start-up code of every nRF52840 firmware writes
 * to work round an erratum. Not modelled: the tag itself; registers are storage, no task does anything.
 */
#ifndef SOSIM_NRF52840_NFCT_H
#define SOSIM_NRF52840_NFCT_H

#include "core/bus.h"

struct nfct {
    struct block block;
};

void nfct_init(struct nfct *nfct, struct bus *bus);

#endif
