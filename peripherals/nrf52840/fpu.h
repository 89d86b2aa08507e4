/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FPU – the page and interrupt line by which the CPU's floating-point unit tells of exceptions.
 *
 * Source: nRF52840 Product Specification 1.7, 'Instantiation' (ID 38, no registers but one unused).
 * Modelled: the page is there.
 * Not modelled: the interrupt (floating-point exceptions set their bits in FPSCR and go no further).
 */
#ifndef SOSIM_NRF52840_FPU_H
#define SOSIM_NRF52840_FPU_H

#include "core/bus.h"

struct fpu {
    struct block block;
};

/* Puts the page on the bus. */
void fpu_init(struct fpu *fpu, struct bus *bus);

#endif
