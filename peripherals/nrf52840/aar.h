/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AAR – accelerated address resolver for Bluetooth LE private addresses. Shares its page and interrupt line
 * with CCM, and has it while ENABLE is 3.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'AAR'; Bluetooth Core Specification 5, vol. 3 part H
 * 2.2.2 (the hash 'ah').
 * Modelled: START compares the address 3 bytes into the packet at ADDRPTR (after S0, LENGTH, S1) with each of
 * NIRK keys at IRKPTR (most significant octet first) and takes 1 us + 6 us a key; STATUS; END with RESOLVED
 * or NOTRESOLVED; STOP ends early with END alone.
 * Not modelled: what goes to the scratch area, sharing of the AES core, an address that is not of the
 * resolvable kind (its hash is compared all the same).
 */
#ifndef SOSIM_NRF52840_AAR_H
#define SOSIM_NRF52840_AAR_H

#include "core/bus.h"

struct aar {
    struct block *block; /* CCM's */
    struct event done;
};

/* Adds AAR to CCM's block. */
void aar_init(struct aar *aar, struct block *block);

#endif
