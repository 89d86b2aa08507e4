/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PPI – programmable peripheral interconnect: events trigger tasks without the CPU.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'PPI', with its table of pre-programmed channels.
 * Modelled: 20 free channels, 12 fixed ones (20–31), forks, six channel groups with their EN and DIS tasks.
 * Not modelled: the one cycle of 16 MHz between event and task.
 */
#ifndef SOSIM_NRF52840_PPI_H
#define SOSIM_NRF52840_PPI_H

#include "core/bus.h"

#define PPI_CHANNELS 32

struct ppi {
    struct block block;
    uint32_t chen;
    uint32_t eep[PPI_CHANNELS];
    uint32_t tep[PPI_CHANNELS];
    unsigned depth; /* of events raised by tasks that this PPI triggered */
    unsigned tasks; /* triggered in consequence of one event */
};

/* Puts PPI on the bus and hears of each event from then on. */
void ppi_init(struct ppi *ppi, struct bus *bus);

#endif
