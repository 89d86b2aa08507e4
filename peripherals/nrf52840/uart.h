/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UART – the older UART without DMA. Shares its page and interrupt line with UARTE0 and has it while ENABLE
 * is 4; what they share besides is in uart_line.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'UART'.
 * Modelled: TXD sends one byte in the time of a frame; the 6-byte FIFO behind RXD, with RXDRDY for each byte
 * that comes to RXD; RTS, CTS, overrun, RXTO four frames after STOPRX, SUSPEND, both shortcuts.
 * Not modelled: a write to TXD during a byte (it is lost).
 */
#ifndef SOSIM_NRF52840_UART_H
#define SOSIM_NRF52840_UART_H

#include "core/bus.h"
#include "nrf52840/uart_line.h"

struct uart {
    struct block *block; /* UARTE0's */
    struct uart_line line;
    struct event sent;
    struct event rx_timeout;
    bool tx_on; /* between STARTTX and STOPTX */
    bool tx_full;
    uint8_t tx_byte;
    bool rx_on; /* between STARTRX and RXTO */
};

/* Adds UART0 to UARTE0's block. */
void uart_init(struct uart *uart, struct block *block, struct gpio *gpio);

#endif
