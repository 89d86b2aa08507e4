/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What UARTE and the legacy UART have in common: the four pins, the frame and its time, flow control, the
 * FIFO behind RXD, and the connection to the part on the pins.
 *
 * Source: nRF52840 Product Specification 1.7, chapters 'UARTE' and 'UART' (what is here has the same offsets
 * in both).
 * Modelled: each byte sent, as a signal for observers (SIGNAL_SERIAL); the baud rate as a whole divider of
 * 16 MHz, parity and stop bits as time, TXD idling high, RTS and CTS active low as wires (only when
 * CONFIG.HWFC is set), EVENTS_CTS and NCTS, overrun of the FIFO.
 * Not modelled: the single bits on TXD and RXD, parity, framing and break errors (parts send whole bytes).
 */
#ifndef SOSIM_NRF52840_UART_LINE_H
#define SOSIM_NRF52840_UART_LINE_H

#include "core/bus.h"

struct gpio;

enum {
    UART_TASK_STARTRX = 0,
    UART_TASK_STOPRX = 1,
    UART_TASK_STARTTX = 2,
    UART_TASK_STOPTX = 3,
    UART_EVENT_CTS = 0,
    UART_EVENT_NCTS = 1,
    UART_EVENT_RXDRDY = 2,
    UART_EVENT_TXDRDY = 7,
    UART_EVENT_ERROR = 9,
    UART_EVENT_RXTO = 17,
    UART_ENABLE = 0x500,
    ENABLE_UART = 4, /* ENABLE's values */
    ENABLE_UARTE = 8,
    UART_RXTO_FRAMES = 4, /* time from STOPRX to RXTO */
    UART_FIFO_SIZE = 6,
    UART_FIFO_SPARE = 4, /* RTS goes when only so many bytes fit in the FIFO */
};

/* What differs between UART and UARTE. */
struct uart_owner {
    uint32_t enable; /* the owner has the line while ENABLE is this */
    bool (*receiving)(void *self);
    /* Takes a byte from RXD past the FIFO; false: it goes into the FIFO. May be NULL. */
    bool (*take)(void *self, uint8_t byte);
    /* The FIFO has got a byte. */
    void (*queued)(void *self);
    /* CTS allows sending again; EVENTS_CTS comes right after this. */
    void (*clear_to_send)(void *self);
    /* ENABLE has changed, the line is closed and the FIFO empty: ends all that is going on. */
    void (*stop)(void *self);
};

struct uart_line {
    struct block *block; /* both faces keep their settings at the same offsets */
    struct gpio *gpio;
    const struct uart_owner *owner;
    void *self;       /* of the owner's functions */
    uint8_t instance; /* for observers */
    bool open;
    bool ready;      /* RTS is active */
    bool clear;      /* CTS was active when last looked at */
    int16_t tx_port; /* in bus->ports, -1: nobody there */
    int16_t rx_port;
    uint64_t listening; /* pins on which CTS changes are heard of */
    uint8_t fifo_count;
    uint8_t fifo[UART_FIFO_SIZE]; /* the oldest byte first */
};

/* `instance` is the number of the UART. The block, the owner's functions and `self` have to stay as long as
 * the line. */
void uart_line_init(struct uart_line *line, struct block *block, uint8_t instance, struct gpio *gpio,
                    const struct uart_owner *owner, void *self);

/* Opens or closes the line as ENABLE, which may have been written by way of the other face, says: takes the
 * pins that PSEL names now and connects to the part on them, or gives all of it back. */
void uart_line_follow_enable(struct uart_line *line);

/* Closes the line whatever ENABLE is, and stops the owner. */
void uart_line_stop(struct uart_line *line);

/* Keeps what software wrote to a register, and does what ERRORSRC and ENABLE do. */
void uart_line_write(struct uart_line *line, uint32_t offset, uint32_t value);

/* Drops the first `count` bytes of the FIFO; it has that many. */
void uart_line_drop(struct uart_line *line, unsigned count);

/* Cycles that one frame takes; never 0. */
uint64_t uart_line_frame_cycles(const struct uart_line *line);

/* A byte has been sent on TXD. */
void uart_line_send(struct uart_line *line, uint8_t byte);

/* True if more than the bytes fit that a sender may still send after RTS went. */
bool uart_line_has_room(const struct uart_line *line);

/* Sets RTS: true when the receiver can take bytes. */
void uart_line_set_ready(struct uart_line *line, bool ready);

/* True if the other side allows sending: CTS is low, or flow control is off. */
bool uart_line_clear_to_send(const struct uart_line *line);

void uart_line_save(struct uart_line *line, struct state *state);

#endif
