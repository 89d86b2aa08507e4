/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MAX17043 – Maxim fuel gauge for one lithium cell, I2C address 0x36.
 *
 * Source: Maxim MAX17043/MAX17044 data sheet: register summary, 'Alert interrupt', 'Sleep mode'.
 * Modelled: VCELL, SOC, MODE, VERSION, CONFIG and COMMAND, read and written two bytes at a time with the
 * register number counting on; the low-charge alert in CONFIG and on the open-drain ALRT pin; the reset
 * command; sleep (VCELL and SOC stay as they were).
 * Not modelled: the ModelGauge estimate (voltage and charge are what the story says), quick-start (accepted,
 * changes nothing), conversion times, the effect of RCOMP.
 */
#ifndef SOSIM_PARTS_MAX17043_H
#define SOSIM_PARTS_MAX17043_H

#include "core/bus.h"

#define MAX17043_ADDRESS 0x36u
#define MAX17043_NO_PIN  0xffu

struct max17043 {
    struct bus *bus;
    struct wire *alert; /* ALRT, low when the alert is on; NULL: not connected */
    int driver;
    bool powered;
    uint16_t vcell; /* as the register tells it: 12 bits of 1.25 mV from bit 4 */
    uint16_t soc;   /* 1/256 of a per cent */
    uint16_t config;
    uint8_t pointer;
    bool pointed;
    uint8_t high; /* first byte of a pair being written */
};

/* Attaches the gauge to its bus (pins 0..63) and ALRT to a pin or MAX17043_NO_PIN, with a cell at 3.9 V and
 * 80 %. Returns 0, or ENOSPC when the bus or the wire has no room. */
int max17043_init(struct max17043 *part, struct bus *bus, uint8_t scl, uint8_t sda, uint8_t alert);

/* Power comes back. */
void max17043_reset(struct max17043 *part);

/* The cell that the gauge sees: millivolts 0..5118, charge in 1/256 of a per cent. 0 mV: no power, the gauge
 * does not acknowledge. */
void max17043_set_cell(struct max17043 *part, uint32_t millivolts, uint16_t soc);

void max17043_save(struct max17043 *part, struct state *state);

#endif
