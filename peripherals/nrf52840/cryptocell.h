/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRYPTOCELL – the wrapper of ARM's CryptoCell CC310, and the subsystem put together from its engines.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'CRYPTOCELL'; for the register file at 0x5002B000
 * Nordic's register description (MDK) and ARM's public drivers.
 * Modelled: ENABLE, which powers the subsystem: while it is 0 the register file takes no writes and shows
 * reset values. The engines are described in their own headers: cc_host.h (interrupts, keys), cc_dma.h (data
 * path), cc_aes.h, cc_hash.h, cc_chacha.h, cc_rng.h, cc_pka.h.
 * Not modelled: the time that ENABLE takes.
 */
#ifndef SOSIM_NRF52840_CRYPTOCELL_H
#define SOSIM_NRF52840_CRYPTOCELL_H

#include "nrf52840/cc_aes.h"
#include "nrf52840/cc_chacha.h"
#include "nrf52840/cc_dma.h"
#include "nrf52840/cc_hash.h"
#include "nrf52840/cc_host.h"
#include "nrf52840/cc_pka.h"
#include "nrf52840/cc_rng.h"

struct cryptocell {
    struct block wrapper; /* 0x5002A000 */
    struct block engines; /* 0x5002B000 */
    struct cc_host host;
    struct cc_rng rng;
    struct cc_aes aes;
    struct cc_hash hash;
    struct cc_chacha chacha;
    struct cc_dma dma;
    struct cc_pka pka;
};

/* Puts both pages of the CryptoCell on the bus. */
void cryptocell_init(struct cryptocell *cryptocell, struct bus *bus);

#endif
