/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A DfuSe host in virtual time, on top of the in-process USB host: reads and writes the memories that a boot
 * loader in DFU mode offers, in the order of requests that dfu-util uses.
 *
 * Source: USB DFU 1.1; ST's DfuSe extension (AN3156): block 0 carries commands, block n >= 2 is at the
 * address pointer plus (n - 2) times the transfer size.
 *
 * Not modelled: mass erase, read unprotect, DFU 1.1 devices without DfuSe.
 */
#ifndef SOSIM_HOST_DFU_H
#define SOSIM_HOST_DFU_H

#include "host/usb_host.h"

#define DFU_BLOCK 4096u /* the most that a job moves at once, and the erase unit */

enum dfu_kind { DFU_DOWNLOAD, DFU_UPLOAD, DFU_LEAVE_ONLY };

struct dfu_job {
    /* Set by the caller before dfu_start. */
    enum dfu_kind kind;
    uint8_t alt; /* altsetting: which memory */
    uint32_t address;
    uint8_t *data; /* read (download) or filled (upload); the caller's */
    uint32_t size;
    bool leave;       /* tell the device to start what was loaded */
    uint64_t timeout; /* cycles for each request; 0: 5 s as dfu-util */
    void (*done)(void *context, struct dfu_job *job);
    void *context;
    /* Results. */
    bool finished;
    bool ok;
    char why[96];   /* "get_status: stalled", "state 10 (dfuERROR), status 14", … */
    uint32_t moved; /* bytes */
    /* The job's own. */
    struct usb_host *host;
    struct usb_transfer transfer;
    unsigned step, after;
    uint8_t interface;
    uint32_t block; /* bytes of the block under way */
    uint8_t status[6];
    uint8_t command[5];
    unsigned recoveries;
};

/* Starts it; the job must live until it has finished. */
void dfu_start(struct dfu_job *job, struct usb_host *host);

#endif
