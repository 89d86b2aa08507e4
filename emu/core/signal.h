/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine tells the world: a fixed list of named signals that observers (LED recorder, flash log,
 * trace, reports) subscribe to. The machine never learns who listens, and nothing an observer does may change
 * the machine. Emitting a signal that nobody hears costs one test.
 *
 * The trace hash is kept here, so that it covers the same facts whoever listens: it is updated by every emit.
 */
#ifndef SOSIM_CORE_SIGNAL_H
#define SOSIM_CORE_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

enum signal_kind {
    SIGNAL_LIGHT,     /* a lamp changed: struct light_change */
    SIGNAL_FLASH,     /* a numbered program or erase finished or was cut: struct flash_op (core/nor.h) */
    SIGNAL_RESET,     /* the chip left reset: struct reset_note */
    SIGNAL_EXCEPTION, /* exception entry: struct exception_note */
    SIGNAL_FINDING,   /* something worth telling a person: struct finding */
    SIGNAL_SERIAL,    /* a byte was sent on a UART's TXD: struct serial_byte */
    SIGNAL_KINDS
};

struct light_change {
    const char *light; /* "rgb", "d7", "charge": the board's name for it */
    uint16_t r, g, b;  /* fraction of time lit, 0..65535 */
};

enum reset_cause {
    RESET_POWER_ON,
    RESET_PIN,
    RESET_SOFT, /* AIRCR.SYSRESETREQ */
    RESET_LOCKUP,
    RESET_WATCHDOG,
    RESET_OFF_WAKE, /* wake-up from System OFF */
    RESET_BROWNOUT,
};

const char *reset_cause_name(enum reset_cause cause);

struct reset_note {
    enum reset_cause cause;
};

struct exception_note {
    uint32_t number;    /* ARM exception number: 3 HardFault … 16+n external interrupt n */
    uint32_t return_pc; /* the stacked return address */
};

struct finding {
    const char *topic; /* log category: "bus", "nvmc", "cpu", … */
    const char *text;
    bool guest_fault; /* the firmware did something a real chip would not forgive */
};

#define SIGNAL_UARTS 2 /* UARTE0, which is UART0 too, and UARTE1 */

struct serial_byte {
    uint8_t uart; /* instance */
    uint8_t byte;
};

typedef void (*signal_fn)(void *context, uint64_t cycle, const void *what);

#define SIGNAL_MAX_LISTENERS 8

struct signal_listener {
    signal_fn fn;
    void *context;
};

struct signals {
    const uint64_t *now;
    uint64_t trace_hash;
    uint8_t count[SIGNAL_KINDS];
    struct signal_listener listener[SIGNAL_KINDS][SIGNAL_MAX_LISTENERS];
};

void signals_init(struct signals *signals, const uint64_t *now);

/* Returns 0, or -1 when the list is full. */
int signal_subscribe(struct signals *signals, enum signal_kind kind, signal_fn fn, void *context);
void signal_unsubscribe(struct signals *signals, enum signal_kind kind, signal_fn fn, void *context);

/* Tells the listeners. `digest` stands for the content in the trace hash (so no pointer is ever hashed). */
void signal_emit(struct signals *signals, enum signal_kind kind, uint64_t digest, const void *what);

/* Adds a fact (with the current time) to the trace hash without telling anybody. */
void trace_note(struct signals *signals, uint64_t fact);

/* Of bytes, to tell them from others; the same on each machine of the same byte order. */
uint64_t digest_bytes(const void *bytes, uint64_t size);

/* Of names. It seeds what is random in scenarios – which bits of a torn word were programmed –, which have
 * been found with it: FNV-1a it stays. */
uint64_t digest_text(const char *text);

#endif
