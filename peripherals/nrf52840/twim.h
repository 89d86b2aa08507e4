/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TWIM – two-wire (I2C) master with EasyDMA. A face of the page it shares: see serial_box.h; what it shares
 * with TWI is in twi_line.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'TWIM'.
 * Modelled: all tasks, events and shortcuts; AMOUNT. After a NACK, or when the buffer is at its end and no
 * shortcut said what comes next, the bus is held until a task says so.
 * Not modelled: OVERRUN (the DMA always keeps up), EasyDMA array lists, and what twi_line.h says.
 */
#ifndef SOSIM_NRF52840_TWIM_H
#define SOSIM_NRF52840_TWIM_H

#include "core/bus.h"
#include "nrf52840/easydma.h"
#include "nrf52840/twi_line.h"

struct twim {
    struct twi_line line;
    struct easydma rx, tx; /* the line's `reading` says which of them is at work */
};

/* Adds TWIM `instance` (0, 1) as a face of its page. */
void twim_init(struct twim *twim, struct block *block, unsigned instance);

#endif
