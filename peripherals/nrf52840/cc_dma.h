/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CC_CTL, CC_DIN, CC_DOUT and CC_RNG_SRAM – the data path of the CryptoCell CC310: from memory, the RNG SRAM
 * or the CPU, through the engines that CRYPTO_CTL names, to memory, the RNG SRAM or the CPU.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'CRYPTOCELL', and Nordic's register description (MDK).
 * Modelled: every flow of CRYPTO_CTL (bypass, AES, hash and their combinations, ChaCha); transfers started
 * by SRC_MEM_SIZE and SRC_SRAM_SIZE into the destination armed by DST_MEM_SIZE or DST_SRAM_SIZE; the CPU's
 * way by DIN_BUFFER, DIN_CPU_DATA and DOUT_BUFFER; the interrupts of both ends; RNG SRAM (4 KiB). A transfer
 * takes 32 cycles and then, of the stages it passes, the time of the slowest: AES 44 cycles for 16 bytes
 * (five S-boxes, four cycles a round), hash 80 and ChaCha 88 cycles for 64 bytes, memory 1 cycle for 2
 * bytes. Its data moves at its end. As on silicon the DMA reaches data RAM only: an address in flash gives
 * AHB_ERR and a finding.
 * Not modelled: byte order switches of the SRAM transfers, AES to hash to DOUT giving the digest.
 */
#ifndef SOSIM_NRF52840_CC_DMA_H
#define SOSIM_NRF52840_CC_DMA_H

#include "nrf52840/cc_aes.h"
#include "nrf52840/cc_chacha.h"
#include "nrf52840/cc_hash.h"
#include "nrf52840/cc_host.h"

#define CC_RNG_SRAM_SIZE 4096u
#define CC_FIFO_SIZE     64u

/* One end of a transfer. */
struct cc_end {
    bool sram; /* the RNG SRAM instead of memory */
    uint32_t address;
    uint32_t left; /* bytes to go */
};

struct cc_dma {
    struct cc_host *host;
    struct cc_aes *aes;
    struct cc_hash *hash;
    struct cc_chacha *chacha;
    struct cc_end source;
    struct cc_end target;
    struct event done;
    uint8_t in[CC_FIFO_SIZE]; /* what the CPU wrote of a block */
    uint32_t in_size;
    uint32_t cpu_left; /* of DIN_CPU_DATA */
    uint8_t out[CC_FIFO_SIZE];
    uint32_t out_first;
    uint32_t out_size;
    uint32_t sram_address;
    uint8_t sram[CC_RNG_SRAM_SIZE];
};

/* Adds the faces CC_CTL, CC_DIN, CC_DOUT and CC_RNG_SRAM to the register file. */
void cc_dma_init(struct cc_dma *dma, struct cc_host *host, struct cc_aes *aes, struct cc_hash *hash,
                 struct cc_chacha *chacha);

#endif
