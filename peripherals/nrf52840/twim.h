/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TWIM – two-wire (I2C) master with EasyDMA. A face of the page it shares: see serial_box.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'TWIM'.
 * Modelled: all tasks, events and shortcuts; repeated starts; SUSPEND and RESUME at byte boundaries; address
 * and data NACK; byte times from FREQUENCY; AMOUNT. After a NACK, or when the buffer is at its end and no
 * shortcut said what comes next, the bus is held until a task says so. STOP of an idle master gives STOPPED.
 * Not modelled: OVERRUN (the DMA always keeps up), EasyDMA array lists, clock stretching by the slave,
 * a bus without pull-ups, SCL and SDA on the pins' wires.
 */
#ifndef SOSIM_NRF52840_TWIM_H
#define SOSIM_NRF52840_TWIM_H

#include "core/bus.h"

struct twim {
    struct block *block;
    struct event step;  /* end of the address, byte or stop condition on the line */
    uint8_t phase;      /* enum twim_phase in twim.c */
    bool reading;       /* direction of the running transfer */
    bool suspended;     /* SCL held after SUSPEND */
    bool stop_asked;    /* to be done at the next byte boundary */
    bool suspend_asked; /* likewise */
    int8_t start_asked; /* 0 write, 1 read, -1 none: after the last byte */
    uint32_t buffer;    /* latched RXD.PTR or TXD.PTR */
    uint32_t size;      /* latched MAXCNT */
    uint32_t done;      /* bytes */
};

/* Adds TWIM `instance` (0, 1) as a face of its page. */
void twim_init(struct twim *twim, struct block *block, unsigned instance);

/* 64 MHz cycles that one bit takes at a TWI or TWIM FREQUENCY register's value. */
uint32_t twi_bit_cycles(uint32_t frequency);

#endif
