/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * USB/IP server: lends the device on the machine's plug to programs outside, over TCP.
 *
 * Source: Linux Documentation/usb/usbip_protocol.rst, protocol version 1.1.1.
 * Modelled: the device list, import (exclusive), CMD_SUBMIT and CMD_UNLINK for control, bulk, interrupt and
 * isochronous transfers. When a client goes away its transfers are taken back, and interfaces it left on
 * another altsetting return to altsetting 0, as Linux does. When the device goes away, clients that use it
 * are disconnected.
 * Not modelled: encryption; anybody who can reach the port can use the device, so it listens on loopback
 * unless told otherwise.
 *
 * Two operations of our own let our libusb (host/libusb_shim) look at the descriptors without importing, and
 * open the device beside others, as programs on one computer do:
 *   0x8F01 -> 0x0F01: status, then 18 bytes of device descriptor, the length of the configuration, and it;
 *   0x8F02 -> 0x0F02: status, then as after an import.
 * After the second one the word start_frame of CMD_SUBMIT is the transfer's timeout in ms, 0 for none. It
 * runs on the device's clock: by the wall clock a program would give up whenever the emulator is slow.
 *
 * The server never blocks, except for as long as usbip_poll is told to; time in the machine stands still
 * meanwhile. Nothing a client sends may crash it or make it use memory without bound.
 */
#ifndef SOSIM_HOST_USBIP_H
#define SOSIM_HOST_USBIP_H

#include "core/diag.h"
#include "host/usb_host.h"

#define USBIP_PORT    3240u
#define USBIP_CLIENTS 8u

struct usbip_urb;

/* Bytes on their way. */
struct usbip_bytes {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

enum usbip_state {
    USBIP_FREE,    /* no client here */
    USBIP_ASKING,  /* connected; one operation may come */
    USBIP_USING,   /* has imported or opened the device */
    USBIP_CLOSING, /* what is in `out` is still sent */
};

struct usbip_client {
    struct usbip_server *server;
    enum usbip_state state;
    bool exclusive;
    int fd;
    struct usbip_bytes in;
    struct usbip_bytes out;
    struct usbip_urb *urbs;
    unsigned urb_count;
    uint32_t settings; /* bit n: interface n was left on an altsetting other than 0 */
};

struct usbip_server {
    struct usb_host *host;
    int listener; /* -1: none */
    uint16_t port;
    struct usbip_client client[USBIP_CLIENTS];
    struct usb_transfer restore; /* SET_INTERFACE 0 after a client */
    uint32_t restore_settings;
    /* A transfer of a client's has finished: its answer waits for usbip_poll. May be NULL. */
    void (*answered)(void *context);
    void *answered_context;
};

/* Listens on `address` (an IPv4 address; NULL: 127.0.0.1) and `port` (0: any free one; server->port says
 * which). The server takes host->changed. Returns 0, or -1 with `why`. */
int usbip_open(struct usbip_server *server, struct usb_host *host, const char *address, uint16_t port,
               struct diag *why);

/* Ends all connections. */
void usbip_close(struct usbip_server *server);

/* A server without a listener, for connections that are made elsewhere: see usbip_adopt. */
void usbip_init(struct usbip_server *server, struct usb_host *host);

/* Takes over a connected socket. Returns 0, or -1 if there is no room; then the socket stays the caller's. */
int usbip_adopt(struct usbip_server *server, int fd);

/* Waits until clients have something to say, but at most `timeout_ms` (0: only looks), and handles it. */
void usbip_poll(struct usbip_server *server, int timeout_ms);

/* True while a client waits for the device. */
bool usbip_waiting(const struct usbip_server *server);

#endif
