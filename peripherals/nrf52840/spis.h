/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SPIS – serial peripheral interface slave with EasyDMA. A face of its page: see serial_box.h.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'SPIS'.
 * Modelled: the registers, and the semaphore between CPU and slave (ACQUIRE, RELEASE, ACQUIRED, SEMSTAT).
 * Not modelled: a master. No board has one, so no transaction ever begins.
 */
#ifndef SOSIM_NRF52840_SPIS_H
#define SOSIM_NRF52840_SPIS_H

#include "core/bus.h"

struct spis {
    struct block *block;
};

/* Adds SPIS `instance` (0..2) as a face of its page. */
void spis_init(struct spis *spis, struct block *block, unsigned instance);

#endif
