/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LPCOMP – low-power comparator. Shares its page and interrupt line with COMP, and has it while ENABLE is 1.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'LPCOMP'.
 * Modelled: START gives READY after 140 us, STOP, the shortcuts; SAMPLE compares the input of PSEL with the
 * reference of REFSEL (sixteenths of VDD, or EXTREFSEL) and puts the answer in RESULT.
 * Not modelled: UP, DOWN, CROSS and the wake-up from System OFF (only a SAMPLE looks at the input), HYST.
 */
#ifndef SOSIM_NRF52840_LPCOMP_H
#define SOSIM_NRF52840_LPCOMP_H

#include "core/bus.h"

struct power;

struct lpcomp {
    struct block *block; /* COMP's */
    const struct power *power;
    struct event ready;
    bool running;
};

/* Adds LPCOMP to COMP's block. */
void lpcomp_init(struct lpcomp *lpcomp, struct block *block, const struct power *power);

#endif
