/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QSPI – quad serial peripheral interface to an external NOR flash, and its execute-in-place window.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'QSPI', and Errata, anomaly 215; that IFCONFIG1 (0x600)
 * is among the registers that it means: nrfx, drivers/src/nrfx_qspi.c, nrfx_qspi_init().
 * Modelled: ACTIVATE, READSTART, WRITESTART, ERASESTART, DEACTIVATE and their READY event; all read and write
 * opcodes of IFCONFIG0 with the SCK cycles each takes; splitting of writes into pages; WREN before programs
 * and erases; custom instructions with WIPWAIT, WREN and long frames; deep power-down; 32-bit addressing;
 * STATUS with the last status byte seen.
 * When READY comes: a write or erase is ready when its last command has been sent, while the part still works
 * on it. Every task first polls the part's status register until WIP is clear. A part that is missing or
 * never answers reads as ones, so WIP never clears and READY never comes. A custom instruction without
 * WIPWAIT slips in between two polls.
 * Anomaly 215 says that an access from 0x600 on after an XIP read, with no ACTIVATE between, 'might halt the
 * CPU'. It is told as a finding, and works as if the silicon were good, unless the chip is one on which it
 * strikes (`halts`): there the access never ends, and only a reset frees the CPU. An XIP read while the
 * controller is busy is told as well. An XIP read while the part is writing gets what the part answers: ones.
 * Not modelled: which chips or moments anomaly 215 chooses (the rest of the block of code around the access
 * still runs); the levels of LIO2 and LIO3 (HOLD and WP of the part), RXDELAY, CSN and data on the pins'
 * wires, the XIP prefetch buffer (each access pays for a whole command), XIP writes, encryption (not on this
 * chip).
 */
#ifndef SOSIM_NRF52840_QSPI_H
#define SOSIM_NRF52840_QSPI_H

#include "core/bus.h"

struct qspi {
    struct block block;
    struct event task;        /* next step of the running task */
    struct event instruction; /* next step of the running custom instruction */
    struct event power_down;  /* end of entering or leaving deep power-down */
    uint8_t operation;        /* enum qspi_operation in qspi.c */
    bool transferring;        /* false: still polling WIP */
    bool active;
    bool instruction_sending;
    bool long_frame; /* CSN is held low between custom instructions */
    bool xip_since_activate;
    bool halts;     /* anomaly 215 strikes on this chip */
    bool holds_cpu; /* it has: until a reset */
    bool powering_down;
    uint8_t status; /* last status byte read from the part */
    uint32_t done;  /* bytes of a write that have been sent */
};

/* Puts QSPI on the bus. */
void qspi_init(struct qspi *qspi, struct bus *bus);

/* Reads `size` (1, 2 or 4) bytes at `offset` into the XIP window (0x12000000), taking the time the command
 * takes on the line. Returns 0, or -1 when the interface is not enabled and activated (a bus error). */
int qspi_xip_read(struct qspi *qspi, uint32_t offset, unsigned size, uint32_t *value);

#endif
