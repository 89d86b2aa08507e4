/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ECB – AES electronic codebook mode encryption of one block.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'ECB'.
 * Modelled: STARTECB encrypts the block of the 48-byte data structure at ECBDATAPTR (key, clear text, cipher
 * text, most significant octet first) and takes the datasheet's 7.2 us; STOPECB aborts with ERRORECB, and a
 * STARTECB while one runs gives ERRORECB.
 * Not modelled: the AES core that ECB shares with CCM and AAR, which abort it on silicon: they run side by
 * side here.
 */
#ifndef SOSIM_NRF52840_ECB_H
#define SOSIM_NRF52840_ECB_H

#include "core/bus.h"

struct ecb {
    struct block block;
    struct event done;
};

/* Puts ECB on the bus. */
void ecb_init(struct ecb *ecb, struct bus *bus);

#endif
