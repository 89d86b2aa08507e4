/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/analog.h"

#include "nrf52840/power.h"

int32_t analog_input(const struct bus *bus, const struct power *power, unsigned n)
{
    static const uint8_t pins[ANALOG_INPUTS] = {2, 3, 4, 5, 28, 29, 30, 31};
    const struct wire *wire = &bus->pin[pins[n % ANALOG_INPUTS]];
    if (wire->millivolts)
        return wire->millivolts;
    return (int32_t)((uint64_t)wire->level * power->vdd_mv / WIRE_FULL);
}
