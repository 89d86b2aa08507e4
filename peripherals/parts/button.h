/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A push button between a pin and ground, with or without a pull-up resistor on the board.
 *
 * Source: the schematic of the board that uses it.
 * Modelled: pressed, the wire is tied to ground; released, it is left to the resistor and the chip's pulls.
 * Not modelled: bouncing contacts.
 */
#ifndef SOSIM_PARTS_BUTTON_H
#define SOSIM_PARTS_BUTTON_H

#include "core/bus.h"

struct button {
    struct wire *wire;
    int driver;
    bool pull_up;
    bool pressed;
};

/* Joins the button to pin 0..63. Returns 0, or ENOSPC when the wire has no room for another driver. */
int button_init(struct button *button, struct bus *bus, uint8_t pin, bool pull_up);

/* A finger decides; power does not: there is no reset. */
void button_press(struct button *button, bool pressed);

void button_save(struct button *button, struct state *state);

#endif
