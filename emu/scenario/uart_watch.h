/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listens to what a machine sends on its UARTs (SIGNAL_SERIAL) and looks for the texts that a scenario
 * expects there. A text counts when all its bytes came one after the other on one UART, at any time since
 * the watch began.
 *
 * Not modelled: texts that are told apart by when they came; what is received.
 */
#ifndef SOSIM_SCENARIO_UART_WATCH_H
#define SOSIM_SCENARIO_UART_WATCH_H

#include "core/signal.h"
#include "core/state.h"
#include "scenario/scenario.h"

#define UART_WATCH_TAIL 64u /* bytes at least that are kept for people to read */

/* The end of what came. */
struct uart_tail {
    uint8_t *bytes; /* owned */
    size_t length;
};

/* A text that is waited for. */
struct uart_text {
    const struct expect *expect;
    bool seen;
};

struct uart_watch {
    struct signals *signals; /* NULL: nothing is listened to */
    struct uart_tail tail[SIGNAL_UARTS];
    size_t longest;         /* bytes kept of each */
    struct uart_text *text; /* owned */
    size_t count;
};

/* Begins to listen if the scenario expects a text; `signals` and `scenario` must outlive the watch. Returns
 * 0, or -1 when memory or the room for listeners ran out. End it with uart_watch_end() in any case. */
int uart_watch_begin(struct uart_watch *watch, const struct scenario *scenario, struct signals *signals);
void uart_watch_end(struct uart_watch *watch);

/* Saves or restores what came so far. */
void uart_watch_save(struct uart_watch *watch, struct state *state);

/* True if the text of an expectation of the scenario, or of a check in its timeline, came. */
bool uart_watch_seen(const struct uart_watch *watch, const struct expect *expect);

#endif
