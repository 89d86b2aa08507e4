/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between usb_host.c (transfers) and usb_enumerate.c (attaching); for no others. */
#ifndef SOSIM_HOST_USB_HOST_INTERNAL_H
#define SOSIM_HOST_USB_HOST_INTERNAL_H

#include "host/usb_host.h"

enum {
    REQUEST_CLEAR_FEATURE = 1,
    REQUEST_SET_ADDRESS = 5,
    REQUEST_GET_DESCRIPTOR = 6,
    REQUEST_SET_CONFIGURATION = 9,
    REQUEST_SET_INTERFACE = 11,
    DESCRIPTOR_DEVICE = 1,
    DESCRIPTOR_CONFIG = 2,
    DESCRIPTOR_STRING = 3,
    DESCRIPTOR_INTERFACE = 4,
    DESCRIPTOR_ENDPOINT = 5,
    DESCRIPTOR_QUALIFIER = 6,
    TYPE_STANDARD_IN = 0x80,
    TYPE_INTERFACE = 1,
    TYPE_ENDPOINT = 2,
};

/* usb_host.c: queues without asking for a configured device. */
void usb_host_queue(struct usb_host *host, struct usb_transfer *transfer);
/* usb_host.c: ends all transfers. */
void usb_host_drop_all(struct usb_host *host, enum usb_result result);

/* usb_host.c: SOF from the next millisecond on. */
void usb_host_start_frames(struct usb_host *host);

/* usb_enumerate.c: the plug's events and the `change` event. */
void usb_enumerate_init(struct usb_host *host);
/* usb_enumerate.c: what a request that succeeded means for the pipes: toggles and packet sizes. */
void usb_enumerate_note(struct usb_host *host, const struct usb_transfer *transfer);

#endif
