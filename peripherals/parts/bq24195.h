/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BQ24195 – Texas Instruments single-cell charger with power path, I2C address 0x6B.
 *
 * Source: TI bq24195 data sheet SLUSB97: register maps REG00–REG0A, 'Charging status (STAT pin)',
 * 'Host mode and default mode', 'Battery charging profile'.
 * Modelled: all registers with reset values and writable bits; auto-incremented reads and writes; the
 * watchdog that returns the registers to their defaults; faults latched until REG09 has been read twice;
 * charge state from the supplies that the board says are there; the STAT output as a lamp: lit while
 * charging, dark when done or not charging, 1 Hz on a fault. USB power, charging enabled and no battery: the
 * charger fills its output capacitor, ends, sees the voltage sag and begins again. The data sheet's deglitch
 * times (250 ms to end, 20 ms to begin) bound the cycle from below; 250 ms charging and 50 ms done are an
 * estimate.
 * Not modelled: currents, voltages and temperature; the safety timer; input source detection by D+/D− (a
 * source is always a USB host); the OTG boost; the INT and CE pins; battery learning in time.
 */
#ifndef SOSIM_PARTS_BQ24195_H
#define SOSIM_PARTS_BQ24195_H

#include "core/bus.h"

#define BQ24195_ADDRESS   0x6bu
#define BQ24195_REGISTERS 11u

enum bq24195_fault {
    BQ24195_FAULT_NONE = 0x00,
    BQ24195_FAULT_COLD = 0x01,    /* NTC below its range */
    BQ24195_FAULT_HOT = 0x02,     /* NTC above its range */
    BQ24195_FAULT_BATTERY = 0x08, /* battery over-voltage */
    BQ24195_FAULT_INPUT = 0x10,   /* bad supply */
    BQ24195_FAULT_THERMAL = 0x20,
    BQ24195_FAULT_TIMER = 0x30, /* charge safety timer expired */
};

struct bq24195 {
    struct bus *bus;
    const char *light;  /* borrowed; NULL: no lamp on STAT */
    uint16_t colour[3]; /* r, g, b of the lamp when lit */
    bool vbus;
    bool battery;
    bool battery_full;
    uint8_t fault; /* enum bq24195_fault, or'ed: true now */
    uint8_t reg[BQ24195_REGISTERS];
    uint8_t latched;   /* REG09 as the next read will tell it */
    uint8_t pointer;   /* register of the next access */
    bool pointed;      /* this write has named its register */
    bool cycling_done; /* without a battery: in the short pause */
    bool blink_lit;
    bool lit;
    struct event cycle;    /* next change of STAT by itself */
    struct event watchdog; /* expiry */
    struct event first;    /* shows the lamp as soon as time runs, when observers are there */
};

/* Attaches the charger to its bus (pins 0..63), with USB power and a battery that is not full. Returns 0, or
 * ENOSPC when the bus has no room for another part. */
int bq24195_init(struct bq24195 *part, struct bus *bus, uint8_t scl, uint8_t sda, const char *light,
                 const uint16_t colour[3]);

/* Power comes back after both supplies were gone: registers at their defaults. */
void bq24195_reset(struct bq24195 *part);

/* What the board is connected to; takes effect at once. */
void bq24195_set_vbus(struct bq24195 *part, bool present);
void bq24195_set_battery(struct bq24195 *part, bool present, bool full);
void bq24195_set_fault(struct bq24195 *part, uint8_t fault);

void bq24195_save(struct bq24195 *part, struct state *state);

#endif
