/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A serial line over USB (CDC ACM): opens it as a terminal program does, sends bytes, and reads until what is
 * waited for has come.
 *
 * Source: USB CDC PSTN 1.2 (SET_LINE_CODING, SET_CONTROL_LINE_STATE).
 * Not modelled: the notification endpoint, breaks.
 */
#ifndef SOSIM_HOST_CDC_SERIAL_H
#define SOSIM_HOST_CDC_SERIAL_H

#include "host/usb_host.h"

#define CDC_RECEIVED_MAX 1024u

/* Requests to the control interface. */
enum {
    CDC_TYPE_OUT = 0x21,
    CDC_SET_LINE_CODING = 0x20,
    CDC_SET_CONTROL_LINE_STATE = 0x22,
    CDC_DTR_AND_RTS = 3,
};

/* Where the configuration has a serial line. */
struct cdc_line {
    uint8_t interface;
    uint8_t in, out; /* bulk endpoints, `in` with bit 7 */
};

struct cdc_job {
    /* Set by the caller. */
    const uint8_t *send; /* the caller's, until the job has ended */
    uint32_t send_size;
    uint32_t baud;      /* 0: 115200. Another speed is set twice, see cdc_serial.c */
    const char *wanted; /* text that must come; NULL: none, the bytes only have to be taken */
    bool any_of;        /* one character of `wanted` is enough */
    uint64_t timeout;   /* cycles, for the text to come */
    void (*done)(void *context, struct cdc_job *job);
    void *context;
    /* Results. */
    bool ok;
    const char *why;                 /* how it failed */
    char received[CDC_RECEIVED_MAX]; /* text, with a 0 at the end; zero bytes become blanks */
    uint32_t received_size;
    /* The job's own. */
    struct usb_host *host;
    struct usb_transfer transfer;
    uint8_t packet[64];
    uint8_t line[7];
    bool coded; /* the speed was set for the last time */
    unsigned step;
    struct cdc_line at;
    uint64_t end; /* cycle at which it gives up */
};

/* False if the device has no serial line. */
bool cdc_find_line(const struct usb_host *host, struct cdc_line *line);

/* Starts it; the job must live until `done` was called. The line is left open. */
void cdc_start(struct cdc_job *job, struct usb_host *host);

/* The same once more with a line that the job has opened before. */
void cdc_go_on(struct cdc_job *job);

#endif
