/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CC_CHACHA – the ChaCha engine of the CryptoCell CC310, fed by its data path (cc_dma.h).
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'CRYPTOCELL', Nordic's register description (MDK) and
 * ARM's public driver for the family; RFC 8439.
 * Modelled: 8, 12 and 20 rounds, keys of 256 and 128 bits, IVs of 64 and 96 bits (the first word of the
 * longer one goes to CHACHA_BLOCK_CNT_MSB, as the driver does), the block counter that software saves and
 * loads.
 * Not modelled: making the Poly1305 key, CHACHA_ENDIANNESS. The chip has no Salsa.
 */
#ifndef SOSIM_NRF52840_CC_CHACHA_H
#define SOSIM_NRF52840_CC_CHACHA_H

#include "nrf52840/cc_host.h"

#define CC_CHACHA_BLOCK 64u

struct cc_chacha {
    struct cc_host *host;
};

/* Adds the face CC_CHACHA to the register file. */
void cc_chacha_init(struct cc_chacha *chacha, struct cc_host *host);

/* En- or decrypts `size` bytes, at most a block, to `out` (which may be `in`) and counts the block. */
void cc_chacha_run(struct cc_chacha *chacha, const uint8_t *in, size_t size, uint8_t *out);

#endif
