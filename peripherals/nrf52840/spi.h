/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SPI – serial peripheral interface master without DMA (deprecated). A face of its page: see serial_box.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'SPI'.
 * Modelled: TXD and RXD with their double buffers, the READY event, byte times from FREQUENCY. MISO's wire is
 * what is read.
 * Not modelled: parts behind a GPIO chip select; SCK and MOSI on the pins' wires; bit order (the wire has one
 * level for a whole byte).
 */
#ifndef SOSIM_NRF52840_SPI_H
#define SOSIM_NRF52840_SPI_H

#include "core/bus.h"

struct spi {
    struct block *block;
    struct event byte_end;
    uint8_t sending;  /* bytes in the shift register and TXD, 0..2 */
    uint8_t received; /* bytes in RXD and its buffer, 0..2 */
    uint8_t buffer[2];
};

/* Adds SPI `instance` (0..2) as a face of its page. */
void spi_init(struct spi *spi, struct block *block, unsigned instance);

#endif
