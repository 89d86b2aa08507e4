/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USBD – universal serial bus device.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'USBD'; the undocumented words are those that Nordic's
 * published driver writes to work round errata.
 * Modelled: ENABLE raises EVENTCAUSE.READY at once; all registers; DMA between RAM and the endpoints' own
 * buffers (it takes no time, as the bus is far slower), with STARTED, ENDEPIN/ENDEPOUT, AMOUNT and EPSTATUS;
 * data toggles; stalls; the five shortcuts; USBPULLUP.
 * Not modelled: the bus. The device is unplugged: no reset, no SOF, no token ever comes, and what waits for
 * one (EP0STATUS, EP0RCVOUT, data in an IN buffer) waits for good. DPDMDRIVE and LOWPOWER do nothing.
 */
#ifndef SOSIM_NRF52840_USBD_H
#define SOSIM_NRF52840_USBD_H

#include "core/bus.h"

#define USBD_ENDPOINTS   8
#define USBD_PACKET_SIZE 64
#define USBD_ISO_SIZE    1023

struct usbd {
    struct block block;
    struct block errata; /* 0x4006E000: no documented registers */
    uint8_t in[USBD_ENDPOINTS][USBD_PACKET_SIZE];
    uint8_t out[USBD_ENDPOINTS][USBD_PACKET_SIZE];
    uint8_t iso_in[USBD_ISO_SIZE];
    uint8_t iso_out[USBD_ISO_SIZE];
    uint8_t in_toggle[USBD_ENDPOINTS]; /* DTOGGLE.VALUE: 1 DATA0, 2 DATA1 */
    uint8_t out_toggle[USBD_ENDPOINTS];
};

/* Puts USBD on the bus. */
void usbd_init(struct usbd *usbd, struct bus *bus);

/* True if the device shows itself on the bus by its pull-up. */
bool usbd_pulled_up(const struct usbd *usbd);

#endif
