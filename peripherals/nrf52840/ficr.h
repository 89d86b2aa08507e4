/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FICR – factory information configuration registers at 0x10000000; read-only.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'FICR'.
 * Modelled: an nRF52840-QIAA of build code AAD0: sizes, identity, BLE address and root keys, temperature
 * calibration. Words with no published meaning read as erased flash, except the two by which Nordic's own
 * code tells chip revisions apart (0x130 and 0x134).
 * Not modelled: TRNG90B calibration (reads as erased).
 */
#ifndef SOSIM_NRF52840_FICR_H
#define SOSIM_NRF52840_FICR_H

#include "core/bus.h"

/* What makes one chip differ from the next. */
struct ficr_id {
    uint32_t device_id[2];
    uint32_t device_address[2]; /* BLE address; the upper 16 bits of [1] are not part of it */
    uint32_t er[4];             /* encryption root */
    uint32_t ir[4];             /* identity root */
};

struct ficr {
    struct block block;
    struct ficr_id id;
};

/* Puts FICR on the bus with a fixed identity. */
void ficr_init(struct ficr *ficr, struct bus *bus);

/* Gives the chip another identity; to be called before the firmware runs. */
void ficr_set_id(struct ficr *ficr, const struct ficr_id *id);

#endif
