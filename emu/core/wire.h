/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named wires: what joins a chip's pins to the parts of a board. A wire has up to WIRE_DRIVERS drivers; the
 * strongest decides. A level is a fraction of time high, 0..65535, so that a PWM output is one level that
 * changes only when its duty does; a digital reader sees high at half and above.
 *
 * Not modelled: rise times, analog voltages other than by wire_set_millivolts, contention currents (two
 * strong drivers that disagree: low wins and it is a finding).
 */
#ifndef SOSIM_CORE_WIRE_H
#define SOSIM_CORE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#define WIRE_DRIVERS   4
#define WIRE_LISTENERS 6
#define WIRE_FULL      65535u

struct state;

enum wire_strength {
    WIRE_FLOATING,
    WIRE_PULL,
    WIRE_STRONG,
};

struct wire;
typedef void (*wire_fn)(void *context, struct wire *wire);

struct wire {
    char name[16]; /* the SoC pin: "P0.13" */
    uint8_t drivers;
    uint8_t listeners;
    uint8_t strength[WIRE_DRIVERS];
    uint16_t drive[WIRE_DRIVERS];
    uint16_t level;      /* resolved; a wire that nobody drives keeps 0 */
    uint16_t millivolts; /* what an ADC sees when a part sets it; 0: derived from level */
    struct {
        wire_fn fn;
        void *context;
    } listener[WIRE_LISTENERS];
};

void wire_init(struct wire *wire, const char *name);

/* Reserves a driver's place on the wire; returns its number, or -1 when there is none left. */
int wire_add_driver(struct wire *wire);

/* Calls `fn` at each change of the resolved level. Returns 0, or -1 when there is no room. */
int wire_listen(struct wire *wire, wire_fn fn, void *context);

/* Sets what one driver does; listeners hear of it only if the resolved level changes. */
void wire_drive(struct wire *wire, int driver, enum wire_strength strength, uint16_t level);

static inline bool wire_high(const struct wire *wire)
{
    return wire->level > WIRE_FULL / 2;
}

/* Saves or restores drivers and level; listeners are not told. */
void wire_save(struct wire *wire, struct state *state);

#endif
