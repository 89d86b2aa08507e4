/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A light-emitting diode, or up to three of different colours in one lens, between pins and a supply.
 *
 * Source: the schematic of the board that uses it.
 * Modelled: each colour's brightness as the fraction of time its pin is driven to the lit level; the pull
 * that the diode itself puts on its wire. A change is told as SIGNAL_LIGHT under the lamp's name. Only a
 * strong driver lights a diode: a pin that floats or has a pull leaves it dark.
 * Not modelled: forward voltages, currents, afterglow, a change of drive strength that leaves the wire's
 * level as it is (a pin pulled to the lit level and then driven to it).
 */
#ifndef SOSIM_PARTS_LED_H
#define SOSIM_PARTS_LED_H

#include "core/bus.h"

#define LED_NO_PIN 0xffu

struct led {
    struct bus *bus;
    const char *name; /* borrowed: the board's name for the lamp */
    bool active_low;
    struct wire *wire[3]; /* red, green, blue; NULL: no such diode */
    int driver[3];
    uint16_t lit[3]; /* fraction of time, 0..65535 */
};

/* Joins the diodes to pins 0..63; LED_NO_PIN for a colour that is not there. Returns 0, or ENOSPC when a wire
 * has no room for another driver or listener. */
int led_init(struct led *led, struct bus *bus, const char *name, uint8_t red, uint8_t green, uint8_t blue,
             bool active_low);

/* Looks at the wires afresh; to be called when the board's power comes or goes. */
void led_reset(struct led *led);

void led_save(struct led *led, struct state *state);

#endif
