/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A USB host in virtual time: it sits on the board's plug (core/usb_port.h), finds the device that attaches,
 * enumerates it, and carries out transfers.
 *
 * Source: USB 2.0 specification, chapters 5 (transfers), 8 (protocol), 9 (requests); the order of requests at
 * enumeration is that of Linux.
 * Modelled: debounce, two resets, SOF in each millisecond, the time that packets take on a full-speed bus,
 * retries after NAK (with a growing pause, so that a busy device costs little), data toggles, short packets,
 * stalls, timeouts, isochronous packets after the SOF of their frames, detaching in the middle of anything,
 * suspend and resume.
 * Not modelled: hubs, more than one device, a limit on bus power, reserved bandwidth.
 */
#ifndef SOSIM_HOST_USB_HOST_H
#define SOSIM_HOST_USB_HOST_H

#include "core/bus.h"
#include "core/usb_port.h"

#define USB_CONFIG_MAX 1024u
#define USB_STRING_MAX 128u

enum usb_result {
    USB_OK,
    USB_STALLED,
    USB_TIMED_OUT,
    USB_CANCELLED,
    USB_GONE,      /* the device detached, or none is configured */
    USB_NO_ANSWER, /* three tokens in a row that nobody answered */
    USB_OVERFLOW,  /* the device sent more than was asked for */
};

/* In words: "stalled", "timed out", … */
const char *usb_result_text(enum usb_result result);

enum usb_stage { USB_STAGE_SETUP, USB_STAGE_DATA, USB_STAGE_STATUS };

/* What one frame carries of an isochronous transfer. */
struct usb_iso_packet {
    uint32_t offset, length; /* in the transfer's data */
    /* results */
    uint32_t actual;
    enum usb_result result; /* USB_NO_ANSWER: the device had nothing to send */
};

/* Owned by who submits it; must live until `done` was called. */
struct usb_transfer {
    uint8_t endpoint; /* with bit 7 for IN; 0 for control transfers */
    uint8_t setup[8]; /* of control transfers */
    uint8_t *data;    /* `length` bytes; for control transfers wLength of them */
    uint32_t length;
    uint64_t timeout;               /* cycles, 0: none */
    struct usb_iso_packet *packets; /* the caller's, within data; NULL unless the endpoint is isochronous */
    uint32_t packet_count;
    void (*done)(void *context, struct usb_transfer *transfer);
    void *context;
    /* results */
    bool finished;
    enum usb_result result;
    uint32_t actual;
    /* the host's own */
    struct usb_transfer *next;
    uint64_t deadline;
    enum usb_stage stage;
    unsigned naks;    /* since the last progress */
    unsigned silence; /* tokens in a row without answer */
    uint32_t packet;  /* the next of `packets` */
};

enum usb_host_state {
    USB_HOST_EMPTY,       /* nothing attached */
    USB_HOST_DEBOUNCE,    /* attached, waiting for the contact to settle */
    USB_HOST_RESET,       /* the bus is held in reset */
    USB_HOST_RECOVERY,    /* after a reset, or SET_ADDRESS */
    USB_HOST_ENUMERATING, /* asking for descriptors */
    USB_HOST_CONFIGURED,
    USB_HOST_FAILED, /* the device did not let itself be enumerated; it must attach anew */
};

#define USB_PIPES 32 /* endpoint number, plus 16 for IN */

struct usb_pipe {
    struct usb_transfer *first, *last;
    uint64_t not_before;  /* cycle of the next token */
    uint16_t packet;      /* wMaxPacketSize */
    uint16_t interval_ms; /* of interrupt and isochronous endpoints; 0: bulk or control */
    bool data1;
    bool isochronous;
};

struct usb_host {
    struct bus *bus;
    struct usb_port *port;
    enum usb_host_state state;
    uint8_t address;
    unsigned step; /* of the enumeration */
    unsigned attempts;
    unsigned asked_strings;
    bool suspended;
    uint16_t frame_number;
    uint64_t next_frame; /* cycle */
    struct usb_pipe pipe[USB_PIPES];
    unsigned next_pipe; /* round robin */
    struct event work;  /* the next token */
    struct event frame;
    struct event change;         /* the next change of `state` */
    struct usb_transfer request; /* of the enumeration */
    uint8_t buffer[USB_CONFIG_MAX];
    /* What enumeration found; valid while CONFIGURED. */
    uint8_t device[18];
    uint8_t config[USB_CONFIG_MAX];
    uint32_t config_size;
    char strings[4][USB_STRING_MAX]; /* UTF-8: [1] manufacturer, [2] product, [3] serial number */
    /* Hears of CONFIGURED (true), and of the end of it (false). May be NULL. */
    void (*changed)(void *context, bool configured);
    void *changed_context;
};

/* Sits down at the plug of `bus`. Call once, after the machine was made. */
void usb_host_init(struct usb_host *host, struct bus *bus);

/* Lets go of the plug; everything under way ends with USB_GONE. */
void usb_host_leave(struct usb_host *host);

/* Queues a transfer on its endpoint. `done` is called later, or at once if no device is configured. */
void usb_host_submit(struct usb_host *host, struct usb_transfer *transfer);

/* True if transfers of the endpoint (bit 7: IN) need `packets`. */
bool usb_host_is_isochronous(const struct usb_host *host, uint8_t endpoint);

/* Takes a transfer back; `done` is called with USB_CANCELLED, unless it has finished already. */
void usb_host_cancel(struct usb_host *host, struct usb_transfer *transfer);

/* Resets the bus and enumerates the device again. */
void usb_host_reset_device(struct usb_host *host);

/* Stops SOF (the device sees suspend 3 ms later), or resumes. */
void usb_host_suspend(struct usb_host *host, bool suspended);

/* True while transfers are queued. */
bool usb_host_busy(const struct usb_host *host);

/* Also in the middle of transfers: then it can be loaded only in the process that saved it, while those
 * transfers are where they were. What their owners know besides, they save themselves. */
void usb_host_save(struct usb_host *host, struct state *state);

/* Fills the eight bytes of a request. */
void usb_setup(uint8_t setup[8], uint8_t type, uint8_t request, uint16_t value, uint16_t index,
               uint16_t length);

#endif
