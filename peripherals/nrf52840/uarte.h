/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UARTE – universal asynchronous receiver/transmitter with EasyDMA. What it shares with the legacy UART is in
 * uart_line.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'UARTE'.
 * Modelled: transmission byte by byte in the time of a frame, with flow control; reception into RAM with the
 * double-buffered pointer, the 6-byte FIFO while no buffer is there, RTS when only four bytes fit, overrun,
 * RXTO four frames after STOPRX, FLUSHRX, both shortcuts. STOPTX lets the current byte finish; STOPTX without
 * a transmission gives TXSTOPPED at once.
 * Not modelled: STARTTX during a transmission (the old one is dropped);
 * bytes that come while the receiver is off are lost, or refused under flow control.
 */
#ifndef SOSIM_NRF52840_UARTE_H
#define SOSIM_NRF52840_UARTE_H

#include "core/bus.h"
#include "nrf52840/easydma.h"
#include "nrf52840/uart_line.h"

enum uarte_receiver {
    UARTE_RX_OFF,
    UARTE_RX_ON,
    UARTE_RX_STOPPING, /* between STOPRX and RXTO */
};

struct uarte {
    struct block block; /* UARTE0's is also UART0's */
    struct uart_line line;
    struct event sent;       /* end of the byte on TXD */
    struct event rx_timeout; /* RXTO */
    struct easydma tx, rx;
    bool tx_running;
    bool tx_stopping;
    bool rx_buffer;   /* a buffer is there and not full */
    uint8_t rx_state; /* enum uarte_receiver */
};

/* Puts UARTE `instance` (0 or 1) on the bus. */
void uarte_init(struct uarte *uarte, struct bus *bus, struct gpio *gpio, unsigned instance);

#endif
