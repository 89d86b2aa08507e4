/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CC_RNG – the true random number generator of the CryptoCell CC310.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'CRYPTOCELL', Nordic's register description (MDK) and
 * ARM's public driver for the family.
 * Modelled: collecting 192 bits into EHR_DATA while NOISE_SOURCE is on, the interrupt status of the engine
 * and its way to IRR bit 10, the watchdog, both resets. A collection takes SAMPLE_CNT cycles a sample and,
 * unless TRNG_DEBUG bypasses the von Neumann corrector, four samples a bit (its mean on a fair source).
 * Reading the last word of EHR_DATA empties the register and, with the noise source on, starts the next
 * collection. The bits depend on the machine's seed only.
 * Not modelled: RNG_DMA into the RNG SRAM (a finding says so), failing health tests, a rate that depends on
 * the ring oscillator's length.
 */
#ifndef SOSIM_NRF52840_CC_RNG_H
#define SOSIM_NRF52840_CC_RNG_H

#include "nrf52840/cc_host.h"

struct cc_rng {
    struct cc_host *host;
    uint64_t noise; /* state of the random stream; no reset changes it */
    bool timed_out; /* the collection under way will be ended by the watchdog */
    struct event done;
};

/* Adds the face CC_RNG to the register file. */
void cc_rng_init(struct cc_rng *rng, struct cc_host *host);

#endif
