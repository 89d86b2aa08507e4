/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/wire.h"

#include "core/state.h"

#include <stdio.h>
#include <string.h>

void wire_init(struct wire *wire, const char *name)
{
    memset(wire, 0, sizeof *wire);
    snprintf(wire->name, sizeof wire->name, "%s", name);
}

int wire_add_driver(struct wire *wire)
{
    return wire->drivers < WIRE_DRIVERS ? wire->drivers++ : -1;
}

int wire_listen(struct wire *wire, wire_fn fn, void *context)
{
    if (wire->listeners == WIRE_LISTENERS)
        return -1;
    wire->listener[wire->listeners].fn = fn;
    wire->listener[wire->listeners].context = context;
    wire->listeners++;
    return 0;
}

static uint16_t resolve(const struct wire *wire)
{
    uint8_t strongest = WIRE_FLOATING;
    uint16_t level = 0;
    for (int i = 0; i < wire->drivers; i++) {
        if (wire->strength[i] == WIRE_FLOATING || wire->strength[i] < strongest)
            continue;
        if (wire->strength[i] > strongest || wire->drive[i] < level)
            level = wire->drive[i];
        strongest = wire->strength[i];
    }
    return level;
}

void wire_drive(struct wire *wire, int driver, enum wire_strength strength, uint16_t level)
{
    wire->strength[driver] = (uint8_t)strength;
    wire->drive[driver] = level;
    uint16_t resolved = resolve(wire);
    if (resolved == wire->level)
        return;
    wire->level = resolved;
    for (int i = 0; i < wire->listeners; i++)
        wire->listener[i].fn(wire->listener[i].context, wire);
}

void wire_save(struct wire *wire, struct state *state)
{
    state_var(state, wire->strength);
    state_var(state, wire->drive);
    state_var(state, wire->level);
    state_var(state, wire->millivolts);
}
