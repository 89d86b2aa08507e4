/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TWIS – two-wire (I2C) slave with EasyDMA. A face of its page: see serial_box.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'TWIS'.
 * Modelled: the registers; tasks are accepted.
 * Not modelled: a master. No board has one, so the slave is never addressed and no event comes.
 */
#ifndef SOSIM_NRF52840_TWIS_H
#define SOSIM_NRF52840_TWIS_H

#include "core/bus.h"

struct twis {
    struct block *block;
};

/* Adds TWIS `instance` (0, 1) as a face of its page. */
void twis_init(struct twis *twis, struct block *block, unsigned instance);

#endif
