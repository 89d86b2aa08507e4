/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CCM – AES CCM mode encryption of Bluetooth LE packets. Shares its page and interrupt line with AAR.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'CCM'; Bluetooth Core Specification 5, vol. 6 part E.
 * Modelled: KSGEN (takes the configuration at CNFPTR), CRYPT in both directions with the 3-byte packet header
 * that RADIO uses, empty packets passed on as they are, MICSTATUS, ENDKSGEN->CRYPT, STOP, RATEOVERRIDE, both
 * length modes and MAXPACKETSIZE.
 * Time: 50 us for a key stream of 27 octets (datasheet) and 7.2 us for each further AES block; CRYPT runs in
 * step with the air at MODE.DATARATE, and reads and writes its packets when it ends.
 * The page belongs to CCM unless ENABLE says AAR, so that software may set up CCM before it enables it.
 * Not modelled: the deprecated EVENTS_ERROR, what goes to the scratch area, sharing of the AES core, CRYPT
 * before ENDKSGEN (it starts when the key stream is there), input that is still arriving from RADIO.
 */
#ifndef SOSIM_NRF52840_CCM_H
#define SOSIM_NRF52840_CCM_H

#include "core/bus.h"

#define CCM_CONFIG_SIZE 33

struct ccm {
    struct block block; /* also AAR's */
    struct event keystream;
    struct event crypt;
    bool crypt_waits; /* CRYPT was triggered while the key stream was being made */
    bool rate_overridden;
    uint64_t crypt_since; /* cycle at which CRYPT started */
    uint8_t config[CCM_CONFIG_SIZE];
};

/* Puts CCM on the bus; AAR is then added to its block with aar_init(). */
void ccm_init(struct ccm *ccm, struct bus *bus);

#endif
