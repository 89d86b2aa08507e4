/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chip's ROM table at 0xF0000000: by its identification words a debugger knows the part, and so does
 * firmware that asks for the chip's revision, as Nordic's libraries of 2018 and before do.
 *
 * Source: ARM Debug Interface Architecture Specification (IHI 0031C), 'Component and Peripheral ID Registers
 * for a ROM Table'; what of it is read, and the part number 8, from nrfx before 1.4 (nrfx_nfct.c).
 * Modelled: peripheral and component identification: designer Nordic (JEP106 2, 0x44), part 8, and FICR's
 * revision.
 * Not modelled: the entries, which say where the core's own tables are.
 */
#ifndef SOSIM_NRF52840_ROM_TABLE_H
#define SOSIM_NRF52840_ROM_TABLE_H

#include "core/bus.h"

struct rom_table {
    struct block block;
};

void rom_table_init(struct rom_table *table, struct bus *bus);

#endif
