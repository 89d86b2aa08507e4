/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A USB plug: where a device's controller and a host meet, one transaction at a time.
 *
 * Source: USB 2.0 specification, chapter 8 (packets, handshakes, data toggles) and 9.1 (device states).
 * The device's end answers each token at once; the host's end decides when tokens come and keeps the time
 * that they take on the wire. So a host in the same process, or one behind a network, drives the same port.
 *
 * Not modelled: signals on the wires, corrupted packets, hubs. All that an endpoint sends arrives.
 */
#ifndef SOSIM_CORE_USB_PORT_H
#define SOSIM_CORE_USB_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USB_ISO_MAX 1023u /* bytes in a full-speed isochronous packet, the largest of all */

enum usb_answer {
    USB_ACK,
    USB_NAK,
    USB_STALL,
    USB_TIMEOUT, /* nobody answers: no such address, or the endpoint is off */
};

/* The device's end. `address` is the one in the token; endpoint numbers are 0 to 15 without direction. */
struct usb_device_end {
    enum usb_answer (*setup)(void *self, uint8_t address, const uint8_t packet[8]);
    /* `data1`: the packet's PID is DATA1. Isochronous packets get USB_ACK when they were taken. */
    enum usb_answer (*out)(void *self, uint8_t address, uint8_t endpoint, bool data1, const uint8_t *data,
                           uint32_t size);
    /* `data` has room for `*size` bytes and gets the packet; the host acknowledges it. */
    enum usb_answer (*in)(void *self, uint8_t address, uint8_t endpoint, bool *data1, uint8_t *data,
                          uint32_t *size);
    void (*reset)(void *self);                   /* end of a bus reset */
    void (*frame)(void *self, uint16_t number);  /* SOF, 0..2047 */
    void (*suspend)(void *self, bool suspended); /* no SOF for 3 ms; false: the host resumes the bus */
    void *self;
};

/* The host's end; either function may be NULL. They are called from within the chip: note it, do not answer
 * with transactions at once. */
struct usb_host_end {
    void (*attached)(void *self, bool attached); /* the device's pull-up came or went */
    void (*wakeup)(void *self);                  /* the suspended device drives resume */
    void *self;
};

struct usb_port {
    struct usb_device_end device;
    struct usb_host_end host;
    bool attached; /* a device shows itself: D+ is pulled up */
};

#endif
