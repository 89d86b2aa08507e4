/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TWI – two-wire (I2C) master without DMA (deprecated). A face of its page: see serial_box.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'TWI'.
 * Modelled: all tasks, events and shortcuts, byte by byte through TXD and RXD; address and data NACK; byte
 * times from FREQUENCY. BB comes as a data byte begins. While RXD is unread or TXD empty the bus is held.
 * Not modelled: OVERRUN (the master holds the bus instead), SCL and SDA on the pins' wires.
 */
#ifndef SOSIM_NRF52840_TWI_H
#define SOSIM_NRF52840_TWI_H

#include "core/bus.h"

struct twi {
    struct block *block;
    struct event step; /* end of the address, byte or stop condition on the line */
    uint8_t phase;     /* enum twi_phase in twi.c */
    bool reading;
    bool suspended;
    bool stop_asked;
    bool suspend_asked;
    bool failed;        /* NACK: only STOP or a new start helps */
    bool txd_full;      /* a byte waits in TXD */
    bool rxd_full;      /* a byte waits in RXD */
    int8_t start_asked; /* 0 write, 1 read, -1 none */
};

/* Adds TWI `instance` (0, 1) as a face of its page. */
void twi_init(struct twi *twi, struct block *block, unsigned instance);

#endif
