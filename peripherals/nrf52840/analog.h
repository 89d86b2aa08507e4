/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Voltages that the analog inputs see, for SAADC, COMP and LPCOMP.
 *
 * Source: nRF52840 Product Specification 1.7, 'Pin assignments' (AIN0–AIN7).
 * Modelled: the voltage that a part sets on a pin's wire, or else the wire's level as a fraction of VDD, so
 * that a PWM output reads as its average.
 * Not modelled: source impedance, noise, leakage.
 */
#ifndef SOSIM_NRF52840_ANALOG_H
#define SOSIM_NRF52840_ANALOG_H

#include "core/bus.h"

#define ANALOG_INPUTS 8

struct power;

/* Millivolts on AIN `n` (0..7). */
int32_t analog_input(const struct bus *bus, const struct power *power, unsigned n);

#endif
