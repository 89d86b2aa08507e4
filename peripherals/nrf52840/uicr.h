/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UICR – user information configuration registers at 0x10001000: one page of flash with named words.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'UICR'.
 * Modelled: reads of the array; stores go through NVMC, as to any flash.
 * Not modelled: what APPROTECT, NFCPINS, DEBUGCTRL and REGOUT0 do (there is no debug port, NFC antenna or
 * regulator output here). PSELRESET is acted on by POWER.
 */
#ifndef SOSIM_NRF52840_UICR_H
#define SOSIM_NRF52840_UICR_H

#include "core/bus.h"
#include "nrf52840/nvmc.h"

struct uicr {
    struct block block;
    struct nvmc *nvmc;
};

/* Puts UICR on the bus; its array is NVMC's. */
void uicr_init(struct uicr *uicr, struct bus *bus, struct nvmc *nvmc);

#endif
