/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MWU – memory watch unit: tells when the CPU touches memory or peripherals it was told to watch.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'MWU'.
 * Modelled: four regions and two peripheral regions of 32 subregions with their events, interrupts and
 * PERREGION status. The bus tells of each CPU access to a peripheral page that an enabled region touches.
 * Not modelled: accesses to RAM are not reported to it by the CPU, so a region in RAM raises nothing; the NMI
 * (NMIEN is storage).
 */
#ifndef SOSIM_NRF52840_MWU_H
#define SOSIM_NRF52840_MWU_H

#include "core/bus.h"

struct mwu {
    struct block block;
    uint32_t enabled; /* REGIONEN */
    uint32_t nmien;
};

void mwu_init(struct mwu *mwu, struct bus *bus);

/* The CPU accesses `address`; raises the events of every enabled region it lies in. */
void mwu_access(struct mwu *mwu, uint32_t address, bool writing);

#endif
