/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for Linux's cdc_acm driver: while the device shows a serial line (CDC ACM), a path in the file
 * system is a terminal that programs outside open, set and use like /dev/ttyACM0.
 *
 * Source: USB CDC PSTN 1.2 (SET_LINE_CODING, SET_CONTROL_LINE_STATE); pty(7).
 * Modelled: bytes both ways, with the device's and the program's own pace; the line's speed; DTR and RTS,
 * which are on while a program has the terminal open; hanging up when the device goes away.
 * Not modelled: modem lines as ioctls (a pseudo-terminal has none), parity and stop bits, breaks, the
 * notification endpoint, several lines.
 */
#ifndef SOSIM_HOST_USB_TTY_H
#define SOSIM_HOST_USB_TTY_H

#include "core/diag.h"
#include "host/usb_host.h"

#define USB_TTY_ROOM 4096u /* bytes each way */

struct usb_tty {
    struct usb_host *host;
    const char *path; /* the caller's */
    int master;       /* -1: there is no serial line now */
    bool opened;      /* a program has it open */
    uint8_t interface, in, out;
    uint32_t speed_told; /* to the device; 0: nothing yet */
    bool lines_told;     /* what the device thinks of DTR and RTS */
    struct usb_transfer control, receive, send;
    uint8_t coding[7];
    uint8_t packet[64];          /* of `receive` */
    uint8_t heard[USB_TTY_ROOM]; /* received, and not yet read by the program */
    uint32_t heard_size;
    uint8_t said[USB_TTY_ROOM]; /* of `send` */
};

/* `path` must not exist yet. Nothing happens before usb_tty_poll. Returns 0, or -1 with `why`. */
int usb_tty_init(struct usb_tty *tty, struct usb_host *host, const char *path, struct diag *why);

/* Moves what there is to move; never blocks. To be called often while the machine runs. */
void usb_tty_poll(struct usb_tty *tty);

/* Hangs up, and removes the path. */
void usb_tty_close(struct usb_tty *tty);

/* tty_speed.c: bits a second that a program has set for the terminal, or 0. */
uint32_t tty_speed(int fd);

#endif
