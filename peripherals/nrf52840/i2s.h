/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I2S – inter-IC sound interface, with nothing on the other end. What it shares with PDM is in
 * audio_stream.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'I2S'.
 * Modelled: START with TXPTRUPD and RXPTRUPD whenever a buffer is taken over, in the time that MCKFREQ,
 * RATIO, SWIDTH and CHANNELS make of RXTXD.MAXCNT; silence (zeros) received into RAM; STOP gives STOPPED.
 * Not modelled: the pins, what is sent, slave mode's dependence on a foreign clock (it runs as a master).
 */
#ifndef SOSIM_NRF52840_I2S_H
#define SOSIM_NRF52840_I2S_H

#include "core/bus.h"
#include "nrf52840/audio_stream.h"

struct i2s {
    struct block block;
    struct audio_stream stream;
};

/* Puts I2S on the bus. */
void i2s_init(struct i2s *i2s, struct bus *bus);

#endif
