/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CC_AES – the AES engine of the CryptoCell CC310, fed by its data path (cc_dma.h).
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'CRYPTOCELL', and Nordic's register description (MDK);
 * FIPS 197, NIST SP 800-38A and 800-38B.
 * Modelled: AES-128 in ECB, CBC and CTR (both directions), CBC-MAC and CMAC; the chaining value in AES_IV_0
 * or AES_CTR, so that software can stop and go on; AES_REMAINING_BYTES, which tells CMAC its last block;
 * CMAC of nothing; the key from HOST_CRYPTOKEY_SEL. A key or value written to a register has its first byte
 * in the low bits of word 0.
 * Not modelled: keys of 192 and 256 bits (the CC310 of this chip has none), AES_CMAC_INIT as a condition
 * (the subkeys always belong to the key), fault countermeasures.
 */
#ifndef SOSIM_NRF52840_CC_AES_H
#define SOSIM_NRF52840_CC_AES_H

#include "nrf52840/cc_host.h"

#define CC_AES_BLOCK 16u

struct cc_aes {
    struct cc_host *host;
};

/* Adds the face CC_AES to the register file. */
void cc_aes_init(struct cc_aes *aes, struct cc_host *host);

/* Takes `size` bytes and writes what comes out to `out`, which must hold as many and may be `in`. Returns the
 * number of bytes that came out: 0 for a MAC. Whole blocks, but for the last one of CTR and CMAC; of the
 * other modes an incomplete block is dropped. */
size_t cc_aes_run(struct cc_aes *aes, const uint8_t *in, size_t size, uint8_t *out);

#endif
