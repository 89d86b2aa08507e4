/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PDM – pulse density modulation interface, with no microphone. What it shares with I2S is in audio_stream.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'PDM'.
 * Modelled: START gives STARTED; each full buffer gives END and, with the pointer latched anew, STARTED, in
 * the time that PDMCLKCTRL, RATIO and MODE make of SAMPLE.MAXCNT; the samples are silence (zeros); STOP gives
 * STOPPED.
 * Not modelled: the pins, the filter's settling time, the gains.
 */
#ifndef SOSIM_NRF52840_PDM_H
#define SOSIM_NRF52840_PDM_H

#include "core/bus.h"
#include "nrf52840/audio_stream.h"

struct pdm {
    struct block block;
    struct audio_stream stream;
};

/* Puts PDM on the bus. */
void pdm_init(struct pdm *pdm, struct bus *bus);

#endif
