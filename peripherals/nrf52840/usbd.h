/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USBD – universal serial bus device.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'USBD'; the undocumented words are those that Nordic's
 * published driver writes to work round errata.
 * Modelled: all registers; attaching by ENABLE, USBPULLUP and VBUS; bus reset, SOF, suspend, resume and
 * remote wake-up; control transfers on endpoint 0 with SET_ADDRESS done by the hardware, EP0RCVOUT, EP0STATUS
 * and EP0STALL; bulk and interrupt endpoints 1 to 7, which answer NAK until a buffer is given or taken;
 * isochronous endpoint 8, double-buffered from SOF to SOF; data toggles; stalls; the five shortcuts; DMA
 * between RAM and the endpoints' own buffers; the driver's undocumented way to disarm an IN endpoint.
 * DMA takes no time, as the bus is far slower, and ENABLE is READY at once.
 * Not modelled: ISOOUTCRC (no packet arrives damaged), registers that may not be accessed during DMA,
 * what LOWPOWER saves.
 */
#ifndef SOSIM_NRF52840_USBD_H
#define SOSIM_NRF52840_USBD_H

#include "core/bus.h"

#define USBD_ENDPOINTS   8
#define USBD_PACKET_SIZE 64
#define USBD_ISO_SIZE    1023

struct power;
struct usb_port;

/* One direction of endpoints 0 to 7. */
struct usbd_endpoint {
    uint8_t bytes[USBD_PACKET_SIZE];
    uint32_t size;  /* IN: of the packet that waits */
    bool ready;     /* IN: a packet waits for the host; OUT: the buffer can take one */
    uint8_t toggle; /* DTOGGLE.VALUE of the next packet: 1 DATA0, 2 DATA1 */
};

/* One direction of the isochronous endpoint: what is exchanged in this frame, and what DMA works on. */
struct usbd_iso {
    uint8_t bus[USBD_ISO_SIZE];
    uint8_t dma[USBD_ISO_SIZE];
    uint32_t bus_size;
    uint32_t dma_size;
    bool bus_full;
    bool dma_full;
};

struct usbd {
    struct block block;
    struct block errata; /* 0x4006E000: no documented registers */
    struct power *power;
    struct usb_port *port;
    struct usbd_endpoint in[USBD_ENDPOINTS];
    struct usbd_endpoint out[USBD_ENDPOINTS];
    struct usbd_iso iso_in;
    struct usbd_iso iso_out;
    bool ep0_stalled; /* until the next SETUP */
    bool ep0_receive; /* EP0RCVOUT: one packet of the data stage may come */
    bool ep0_status;  /* EP0STATUS: the status stage may end */
    bool ep0_address; /* the current request is SET_ADDRESS */
    bool suspended;
};

/* Puts USBD on the bus; it takes the device's end of bus->ports->usb. */
void usbd_init(struct usbd *usbd, struct bus *bus, struct power *power);

/* True if the device shows itself on the bus by its pull-up. */
bool usbd_pulled_up(const struct usbd *usbd);

#endif
