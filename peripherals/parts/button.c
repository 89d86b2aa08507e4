/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parts/button.h"

#include <errno.h>

int button_init(struct button *button, struct bus *bus, uint8_t pin, bool pull_up)
{
    *button = (struct button){.wire = &bus->pin[pin % BUS_PINS], .pull_up = pull_up};
    button->driver = wire_add_driver(button->wire);
    if (button->driver < 0)
        return ENOSPC;
    button_press(button, false);
    return 0;
}

void button_press(struct button *button, bool pressed)
{
    button->pressed = pressed;
    if (pressed)
        wire_drive(button->wire, button->driver, WIRE_STRONG, 0);
    else if (button->pull_up)
        wire_drive(button->wire, button->driver, WIRE_PULL, WIRE_FULL);
    else
        wire_drive(button->wire, button->driver, WIRE_FLOATING, 0);
}

void button_save(struct button *button, struct state *state)
{
    state_var(state, button->pressed);
}
