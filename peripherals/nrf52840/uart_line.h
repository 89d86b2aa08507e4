/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What UARTE and the legacy UART have in common: the four pins, the frame and its time, flow control, and the
 * connection to the part on the pins.
 *
 * Source: nRF52840 Product Specification 1.7, chapters 'UARTE' and 'UART' (PSEL, BAUDRATE, CONFIG).
 * Modelled: each byte sent, as a signal for observers (SIGNAL_SERIAL); the baud rate as a whole divider of 16
 * MHz, parity and stop bits as time, TXD idling high, RTS and CTS active low as wires (only when CONFIG.HWFC
 * is set). Not modelled: the single bits on TXD and RXD, parity, framing and break errors (parts send whole
 * bytes).
 */
#ifndef SOSIM_NRF52840_UART_LINE_H
#define SOSIM_NRF52840_UART_LINE_H

#include "core/bus.h"

struct gpio;

struct uart_line {
    struct block *block; /* both faces keep their settings at the same offsets */
    struct gpio *gpio;
    uint8_t instance; /* for observers */
    bool open;
    bool ready;      /* RTS is active */
    bool clear;      /* CTS was active when last looked at */
    int16_t tx_port; /* in bus->ports, -1: nobody there */
    int16_t rx_port;
    uint64_t listening;                   /* pins on which CTS changes are heard of */
    bool (*deliver)(void *self, uint8_t); /* a byte for RXD; false: no room, and RTS says so */
    void (*clear_changed)(void *self, bool clear);
    void *self; /* of the two above */
};

/* Gives the line its block, the number of its UART and the owner's two functions. */
void uart_line_init(struct uart_line *line, struct block *block, uint8_t instance, struct gpio *gpio,
                    bool (*deliver)(void *self, uint8_t), void (*clear_changed)(void *self, bool clear),
                    void *self);

/* Takes the pins that PSEL names now, and connects to the part on them. */
void uart_line_open(struct uart_line *line);
void uart_line_close(struct uart_line *line);

/* Cycles that one frame takes; never 0. */
uint64_t uart_line_frame_cycles(const struct uart_line *line);

/* A byte has been sent on TXD. */
void uart_line_send(struct uart_line *line, uint8_t byte);

/* Sets RTS: true when the receiver can take bytes. */
void uart_line_set_ready(struct uart_line *line, bool ready);

/* True if flow control is on. */
bool uart_line_flow_control(const struct uart_line *line);

/* True if the other side allows sending: CTS is low, or flow control is off. */
bool uart_line_clear_to_send(const struct uart_line *line);

void uart_line_save(struct uart_line *line, struct state *state);

#endif
