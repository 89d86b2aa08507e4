/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * COMP – analog comparator. Shares its page and interrupt line with LPCOMP; what else they share is in
 * comparator.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'COMP'.
 * Modelled: READY 3 us after START; SAMPLE compares the input of PSEL with the thresholds of TH and REFSEL
 * (single-ended) or with EXTREFSEL (differential), with hysteresis between the two thresholds, and puts the
 * answer in RESULT. The page belongs to COMP unless ENABLE says LPCOMP.
 * Not modelled: the speed modes, and what comparator.h says.
 */
#ifndef SOSIM_NRF52840_COMP_H
#define SOSIM_NRF52840_COMP_H

#include "core/bus.h"
#include "nrf52840/comparator.h"

struct comp {
    struct block block; /* also LPCOMP's */
    struct comparator comparator;
};

/* Puts COMP on the bus; LPCOMP is then added to its block with lpcomp_init(). */
void comp_init(struct comp *comp, struct bus *bus, const struct power *power);

#endif
