/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QSPI – quad serial peripheral interface to an external NOR flash, and its execute-in-place window.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'QSPI', and Errata, anomaly 215.
 * Modelled: ACTIVATE, READSTART, WRITESTART, ERASESTART, DEACTIVATE and their READY event; all read and write
 * opcodes of IFCONFIG0 with the SCK cycles each takes; splitting of writes into pages; WREN before programs
 * and erases; custom instructions with WIPWAIT, WREN and long frames; deep power-down; 32-bit addressing;
 * STATUS with the last status byte seen.
 * When READY comes: a write or erase is ready when its last command has been sent, while the part still works
 * on it. Every task first polls the part's status register until WIP is clear. A part that is missing or
 * never answers reads as ones, so WIP never clears and READY never comes. A custom instruction without
 * WIPWAIT slips in between two polls.
 * Anomaly 215: an access above 0x600 after an XIP read, with no ACTIVATE between, and an XIP read while the
 * controller is busy, are told as findings; the access itself works as if the silicon were good. An XIP read
 * while the part is writing gets what the part answers: ones.
 * Not modelled: the levels of LIO2 and LIO3 (HOLD and WP of the part), RXDELAY, CSN and data on the pins'
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
