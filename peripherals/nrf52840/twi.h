/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TWI – two-wire (I2C) master without DMA (deprecated). A face of its page: see serial_box.h; what it shares
 * with TWIM is in twi_line.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'TWI'.
 * Modelled: all tasks, events and shortcuts, byte by byte through TXD and RXD. BB comes as a data byte
 * begins. While RXD is unread or TXD empty the bus is held.
 * Not modelled: OVERRUN (the master holds the bus instead), and what twi_line.h says.
 */
#ifndef SOSIM_NRF52840_TWI_H
#define SOSIM_NRF52840_TWI_H

#include "core/bus.h"
#include "nrf52840/twi_line.h"

struct twi {
    struct twi_line line;
    bool failed;   /* NACK: only STOP or a new start helps */
    bool txd_full; /* a byte waits in TXD */
    bool rxd_full; /* a byte waits in RXD */
};

/* Adds TWI `instance` (0, 1) as a face of its page. */
void twi_init(struct twi *twi, struct block *block, unsigned instance);

#endif
