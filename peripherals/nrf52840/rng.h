/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RNG – random number generator.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'RNG'.
 * Modelled: a byte every 30 µs, or every 120 µs with bias correction, after a start-up of 128 µs; the
 * shortcut VALRDY_STOP. The bytes come from the run's seed, so that a run can be repeated.
 * Not modelled: bias without correction; the spread of the time a corrected byte takes.
 */
#ifndef SOSIM_NRF52840_RNG_H
#define SOSIM_NRF52840_RNG_H

#include "core/bus.h"

struct rng {
    struct block block;
    uint64_t stream;
    struct event ready;
};

void rng_init(struct rng *rng, struct bus *bus);

#endif
