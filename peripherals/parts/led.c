/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parts/led.h"

#include <errno.h>

static bool driven(const struct wire *wire)
{
    for (unsigned i = 0; i < wire->drivers; i++) {
        if (wire->strength[i] == WIRE_STRONG)
            return true;
    }
    return false;
}

static uint16_t brightness(const struct led *led, unsigned colour)
{
    const struct wire *wire = led->wire[colour];
    if (!wire || !driven(wire))
        return 0;
    return (uint16_t)(led->active_low ? WIRE_FULL - wire->level : wire->level);
}

static void update(struct led *led)
{
    bool changed = false;
    for (unsigned i = 0; i < 3; i++) {
        uint16_t lit = brightness(led, i);
        changed |= lit != led->lit[i];
        led->lit[i] = lit;
    }
    if (!changed)
        return;
    struct light_change change = {.light = led->name, .r = led->lit[0], .g = led->lit[1], .b = led->lit[2]};
    uint64_t digest =
        digest_text(led->name) ^ ((uint64_t)change.r | (uint64_t)change.g << 16 | (uint64_t)change.b << 32);
    signal_emit(&led->bus->signals, SIGNAL_LIGHT, digest, &change);
}

static void wire_changed(void *context, struct wire *wire)
{
    (void)wire;
    update(context);
}

int led_init(struct led *led, struct bus *bus, const char *name, uint8_t red, uint8_t green, uint8_t blue,
             bool active_low)
{
    const uint8_t pins[3] = {red, green, blue};
    *led = (struct led){.bus = bus, .name = name, .active_low = active_low};
    for (unsigned i = 0; i < 3; i++) {
        if (pins[i] >= BUS_PINS)
            continue;
        struct wire *wire = &bus->pin[pins[i]];
        led->driver[i] = wire_add_driver(wire);
        if (led->driver[i] < 0 || wire_listen(wire, wire_changed, led))
            return ENOSPC;
        led->wire[i] = wire;
        wire_drive(wire, led->driver[i], WIRE_PULL, active_low ? WIRE_FULL : 0);
    }
    return 0;
}

void led_reset(struct led *led)
{
    update(led);
}

void led_save(struct led *led, struct state *state)
{
    state_var(state, led->lit);
}
