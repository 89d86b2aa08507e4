/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GPIOTE – events from pins and tasks on pins.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'GPIOTE'.
 * Modelled: eight channels in event and task mode with polarity, OUTINIT and the OUT, SET and CLR tasks; the
 * PORT event at each rise of a port's DETECT (or LDETECT) signal.
 * Not modelled: the loss of edges that come faster than the clock samples them; channels that share a pin.
 */
#ifndef SOSIM_NRF52840_GPIOTE_H
#define SOSIM_NRF52840_GPIOTE_H

#include "nrf52840/gpio.h"

#define GPIOTE_CHANNELS 8

struct gpiote {
    struct block block;
    struct gpio *gpio;
    bool level[GPIOTE_CHANNELS]; /* what a channel in task mode drives */
};

/* Puts GPIOTE on the bus; `gpio` is there already. */
void gpiote_init(struct gpiote *gpiote, struct bus *bus, struct gpio *gpio);

#endif
