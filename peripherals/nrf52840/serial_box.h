/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages that several serial peripherals share; ENABLE says which of them has the page, its registers and
 * its interrupt.
 *
 * Source: nRF52840 Product Specification 1.7, 'Peripherals with shared ID' and 'Instantiation'.
 * Modelled: SPIM0/SPIS0/TWIM0/TWIS0/SPI0/TWI0, the same with 1, SPIM2/SPIS2/SPI2, and SPIM3. While nothing is
 * enabled a face without tasks keeps what is written. As on silicon, the words stay when the owner changes.
 * Not modelled: nothing known; see the single peripherals.
 */
#ifndef SOSIM_NRF52840_SERIAL_BOX_H
#define SOSIM_NRF52840_SERIAL_BOX_H

#include "core/bus.h"
#include "nrf52840/spi.h"
#include "nrf52840/spim.h"
#include "nrf52840/spis.h"
#include "nrf52840/twi.h"
#include "nrf52840/twim.h"
#include "nrf52840/twis.h"

struct serial_box {
    struct block block;
    struct spim spim;
    struct spis spis;
    struct twim twim;
    struct twis twis;
    struct spi spi;
    struct twi twi;
};

/* Puts page `instance` (0..3) with all its peripherals on the bus. */
void serial_box_init(struct serial_box *box, struct bus *bus, unsigned instance);

#endif
