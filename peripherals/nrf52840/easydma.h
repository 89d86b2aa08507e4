/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel of EasyDMA: the buffer in RAM that SPIM, TWIM and UARTE work through.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'EasyDMA', and PTR, MAXCNT, AMOUNT of the peripherals.
 * Modelled: PTR and MAXCNT are latched when the peripheral takes the buffer, so that software can already
 * write the next one's; AMOUNT is written when the peripheral says so.
 * Not modelled: array lists (LIST), the time that a transfer takes on the bus.
 */
#ifndef SOSIM_NRF52840_EASYDMA_H
#define SOSIM_NRF52840_EASYDMA_H

#include "core/bus.h"

struct easydma {
    struct block *block;
    uint32_t registers; /* offset of PTR; MAXCNT and AMOUNT are the two words behind it */
    uint32_t address;   /* latched PTR */
    uint32_t size;      /* latched MAXCNT, bytes */
    uint32_t done;      /* bytes of it that have been read or written */
};

/* `registers` is the offset of PTR in the block, which stays the caller's. No buffer is taken yet. */
void easydma_init(struct easydma *dma, struct block *block, uint32_t registers);

/* Takes the buffer that PTR and MAXCNT name now. */
void easydma_take(struct easydma *dma);

/* Moves the next `count` bytes, or as many as are left of the buffer: read out of RAM (or flash), written to
 * RAM. Where no memory is, zeros are read and writes are lost, as with dma_read() and dma_write(). */
void easydma_read(struct easydma *dma, void *bytes, uint32_t count);
void easydma_write(struct easydma *dma, const void *bytes, uint32_t count);

/* True when all of the buffer has been moved; also true of an empty one. */
static inline bool easydma_finished(const struct easydma *dma)
{
    return dma->done >= dma->size;
}

/* Gives up what is left of the buffer. */
static inline void easydma_drop(struct easydma *dma)
{
    dma->size = dma->done;
}

/* Puts the bytes moved so far in AMOUNT. */
void easydma_tell_amount(const struct easydma *dma);

void easydma_save(struct easydma *dma, struct state *state);

#endif
