/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends a file to the running system by YMODEM over the USB serial line, as `particle flash --serial` does.
 *
 * Source: C. Forsberg, XMODEM/YMODEM Protocol Reference (1988); Device OS 2.0.1 system/src/system_setup.cpp
 * and system_update.cpp: a line at 28800 baud brings a device to listening mode, where 'f' asks for a file.
 * Modelled: one file, blocks of 1024 bytes with CRC, repeated when the device says so, the empty last header,
 * cancelling by the device with its reason.
 * Not modelled: several files, blocks of 128 bytes for data, YMODEM-g.
 */
#ifndef SOSIM_HOST_YMODEM_H
#define SOSIM_HOST_YMODEM_H

#include "host/cdc_serial.h"

#define YMODEM_BLOCK 1024u

struct ymodem_job {
    /* Set by the caller. */
    const uint8_t *data; /* the file, until the job has ended */
    uint32_t size;
    void (*done)(void *context, struct ymodem_job *job);
    void *context;
    /* Results. */
    bool ok;
    char why[128];
    uint32_t sent; /* bytes that the device has taken */
    /* The job's own. */
    struct cdc_job line;
    unsigned step, tries;
    uint8_t number;  /* of the block under way */
    uint32_t filled; /* bytes of the file in it */
    uint8_t packet[YMODEM_BLOCK + 5];
};

/* Starts it; the job must live until `done` was called. The line is left open. */
void ymodem_start(struct ymodem_job *job, struct usb_host *host);

#endif
