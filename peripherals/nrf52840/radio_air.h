/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long things take on the air: a radio packet's parts as RADIO's registers describe them.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'RADIO', 'Packet configuration', 'IEEE 802.15.4
 * operation' and the electrical specification; Bluetooth Core Specification 5, vol. 6 part B 2.2 (coded PHY).
 * Modelled: the seven modes. A reserved MODE counts as 1 Mbit/s.
 * Not modelled: nothing known.
 */
#ifndef SOSIM_NRF52840_RADIO_AIR_H
#define SOSIM_NRF52840_RADIO_AIR_H

#include <stdbool.h>
#include <stdint.h>

/* Copies of MODE, MODECNF0, PCNF0, PCNF1 and CRCCNF. */
struct radio_air {
    uint32_t mode;
    uint32_t modecnf0;
    uint32_t pcnf0;
    uint32_t pcnf1;
    uint32_t crccnf;
};

/* All in cycles of 64 MHz. */
uint64_t radio_air_bit(const struct radio_air *air);
uint64_t radio_air_ramp_up(const struct radio_air *air);
uint64_t radio_air_tx_disable(const struct radio_air *air);
uint64_t radio_air_rx_disable(const struct radio_air *air);

/* From START to the end of the address (of the start-of-frame delimiter in IEEE 802.15.4). */
uint64_t radio_air_address(const struct radio_air *air);
/* From there to FRAMESTART: 0 in modes that have none. */
uint64_t radio_air_frame_start(const struct radio_air *air);
/* From there to PAYLOAD; `header` is the start of the packet in RAM. */
uint64_t radio_air_payload(const struct radio_air *air, const uint8_t header[2]);
/* From PAYLOAD to END, and from END to PHYEND. */
uint64_t radio_air_crc(const struct radio_air *air);
uint64_t radio_air_termination(const struct radio_air *air);

/* True in the modes that give FRAMESTART and PHYEND, and in those that give ADDRESS. */
bool radio_air_has_frame_start(const struct radio_air *air);
bool radio_air_has_address(const struct radio_air *air);

#endif
