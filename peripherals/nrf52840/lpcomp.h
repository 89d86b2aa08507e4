/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LPCOMP – low-power comparator. Shares its page and interrupt line with COMP, and has it while ENABLE is 1;
 * what else they share is in comparator.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'LPCOMP'.
 * Modelled: READY 140 us after START; SAMPLE compares the input of PSEL with the reference of REFSEL
 * (sixteenths of VDD, or EXTREFSEL) and puts the answer in RESULT.
 * Not modelled: the wake-up from System OFF, and what comparator.h says.
 */
#ifndef SOSIM_NRF52840_LPCOMP_H
#define SOSIM_NRF52840_LPCOMP_H

#include "nrf52840/comparator.h"

struct lpcomp {
    struct comparator comparator; /* its block is COMP's */
};

/* Adds LPCOMP to COMP's block. */
void lpcomp_init(struct lpcomp *lpcomp, struct block *block, const struct power *power);

#endif
