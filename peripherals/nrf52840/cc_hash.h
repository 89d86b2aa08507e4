/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CC_HASH – the hash engine of the CryptoCell CC310, fed by its data path (cc_dma.h).
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'CRYPTOCELL', and Nordic's register description (MDK);
 * FIPS 180-4.
 * Modelled: SHA-1, SHA-224 and SHA-256 on the state in HASH_H, which software loads and saves, so that it can
 * hash in pieces and build HMAC; the length in HASH_CUR_LEN; padding at the end of a transfer (HASH_PAD_AUTO)
 * and of an empty message (HASH_PAD_FORCE).
 * Not modelled: HASH_ENDIANNESS other than its reset value, HASH_INIT_STATE as a condition for loading
 * HASH_H.
 */
#ifndef SOSIM_NRF52840_CC_HASH_H
#define SOSIM_NRF52840_CC_HASH_H

#include "nrf52840/cc_host.h"

#define CC_HASH_BLOCK 64u

struct cc_hash {
    struct cc_host *host;
    uint8_t pending[CC_HASH_BLOCK]; /* bytes of an incomplete block */
    uint32_t pending_size;
};

/* Adds the face CC_HASH to the register file. */
void cc_hash_init(struct cc_hash *hash, struct cc_host *host);

/* Takes `size` bytes into the digest. */
void cc_hash_absorb(struct cc_hash *hash, const uint8_t *bytes, size_t size);

/* A transfer is over: pads if software asked for that. */
void cc_hash_end(struct cc_hash *hash);

#endif
