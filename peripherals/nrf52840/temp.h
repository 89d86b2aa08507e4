/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TEMP – die temperature sensor.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'TEMP'.
 * Modelled: a measurement takes 36 µs and gives the temperature set from outside, in steps of 0.25 °C.
 * Not modelled: the slopes and offsets A0–A5, B0–B5, T0–T4, which are storage (the sensor is ideal).
 */
#ifndef SOSIM_NRF52840_TEMP_H
#define SOSIM_NRF52840_TEMP_H

#include "core/bus.h"

struct temp {
    struct block block;
    int32_t millidegrees;
    struct event ready;
};

/* Puts TEMP on the bus, at 25 °C. */
void temp_init(struct temp *temp, struct bus *bus);

/* Sets the die's temperature in thousandths of a degree Celsius. */
void temp_set(struct temp *temp, int32_t millidegrees);

#endif
