/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SPIM – serial peripheral interface master with EasyDMA. A face of the page it shares: see serial_box.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'SPIM'.
 * Modelled: START, STOP, SUSPEND and RESUME; all events and the END_START shortcut; transmit and receive
 * buffers of different length with ORC; byte times from FREQUENCY; bit order; the hardware chip select of
 * SPIM3, which selects the part attached to that pin. Without a selected part MISO's wire is what is read.
 * Not modelled: parts whose chip select is an ordinary GPIO; EasyDMA array lists; CSNDUR, RXDELAY, the DCX
 * pin; SCK, MOSI and CSN on the pins' wires; STALLSTAT (the DMA always keeps up).
 */
#ifndef SOSIM_NRF52840_SPIM_H
#define SOSIM_NRF52840_SPIM_H

#include "core/bus.h"
#include "nrf52840/easydma.h"

struct spim {
    struct block *block;
    struct event step; /* next end of a buffer, or the byte boundary at which to stop */
    bool running;
    bool suspended;
    bool stop_asked;
    bool suspend_asked;
    struct easydma tx, rx; /* taken at START */
    uint32_t moved;        /* bytes that have gone over the line */
    uint32_t target;       /* bytes at the next step */
    uint64_t since;        /* cycle at which `moved` was true */
};

/* Adds SPIM `instance` (0..3) as a face of its page. */
void spim_init(struct spim *spim, struct block *block, unsigned instance);

/* 64 MHz cycles that one bit takes at a SPI or SPIM FREQUENCY register's value. */
uint32_t spi_bit_cycles(uint32_t frequency);

#endif
