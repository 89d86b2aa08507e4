/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SAADC – successive approximation analog-to-digital converter.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'SAADC'.
 * Modelled: eight channels, single-ended and differential, gain, reference, resolution; inputs AIN0–AIN7, VDD
 * and VDDH/5; scan of all connected channels in the time of TACQ and conversion each; oversampling with and
 * without burst; continuous sampling by SAMPLERATE; limits; the result buffer by DMA, latched at START;
 * calibration (its time, 100 us here, is not in the datasheet).
 * Not modelled: noise, the resistor ladder (RESP, RESN), offset and gain errors, what oversampling does to
 * noise, a SAMPLE during a scan (ignored).
 */
#ifndef SOSIM_NRF52840_SAADC_H
#define SOSIM_NRF52840_SAADC_H

#include "core/bus.h"

#define SAADC_CHANNELS 8

struct power;

struct saadc {
    struct block block;
    const struct power *power;
    struct event converted; /* end of the running channel's conversion */
    struct event calibrated;
    struct event next_scan; /* SAMPLERATE */
    uint64_t scan_due;      /* cycle of next_scan */
    bool started;           /* a result buffer is there */
    uint8_t channel;        /* being converted */
    uint32_t accumulated;   /* samples taken for the next oversampled result */
    uint32_t address;       /* latched at START */
    uint32_t size;
    uint32_t amount;
};

/* Puts SAADC on the bus; `power` says what VDD and VDDH are. */
void saadc_init(struct saadc *saadc, struct bus *bus, const struct power *power);

#endif
