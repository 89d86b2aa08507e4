/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RADIO – 2.4 GHz transceiver, alone on the air.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'RADIO', with its electrical specification for the
 * ramp-up and disable times.
 * Modelled: the state machine with fast and default ramp-up; transmission with the air time that MODE, PCNF0,
 * PCNF1, CRCCNF and the packet's length field in RAM make; READY, TXREADY, RXREADY, ADDRESS, FRAMESTART,
 * PAYLOAD, END, PHYEND, DISABLED; all shortcuts; TIFS; the bit counter during transmission; RSSI, energy
 * detection and clear channel assessment, which find a quiet channel; POWER.
 * A receiver hears nothing: it stays in RX until it is stopped, with no ADDRESS, no match, no CRC event. A
 * DISABLE in the DISABLED state gives DISABLED again, as the silicon does.
 * Not modelled: other stations, what is sent (whitening, CRC, addresses), TXPOWER and FREQUENCY, the chain
 * delays between a task and the antenna, the need for HFXO, register access while POWER is off.
 */
#ifndef SOSIM_NRF52840_RADIO_H
#define SOSIM_NRF52840_RADIO_H

#include "core/bus.h"

struct radio {
    struct block block;
    struct event step;       /* end of the running phase of the state machine */
    struct event bit_match;  /* BCMATCH */
    struct event rssi;       /* RSSIEND */
    struct event energy;     /* EDEND */
    struct event clear;      /* CCAIDLE */
    uint8_t phase;           /* enum radio_phase in radio.c */
    bool stepping;           /* inside `step`: tasks count from step_time, however late the CPU was */
    bool turnaround;         /* inside DISABLED after END: TIFS counts */
    bool counting;           /* the bit counter runs */
    uint64_t step_time;      /* cycle of the running step */
    uint64_t due;            /* cycle at which the phase ends */
    uint64_t end;            /* cycle of the last END */
    uint64_t counting_since; /* cycle of BCSTART */
    uint64_t packets_sent;   /* since the machine was made: a reset does not clear it */
};

/* Puts RADIO on the bus. */
void radio_init(struct radio *radio, struct bus *bus);

#endif
