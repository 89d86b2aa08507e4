/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Particle's control requests over USB, as their tools send them to a running Device OS: the device's number,
 * its mode, a firmware update and so on.
 *
 * Source: Device OS 2.0.1 system/src/usb_control_request_channel.cpp (service requests INIT, CHECK, SEND,
 * RECV), system/inc/system_control.h (request numbers), system/src/control/proto/storage.proto (update).
 * Modelled: one request at a time, with payload and reply; the update as StartFirmwareUpdate,
 * FirmwareUpdateData and FinishFirmwareUpdate, in chunks of the size that the device asks for.
 * Not modelled: RESET of a request, several requests at once.
 */
#ifndef SOSIM_HOST_PARTICLE_USB_H
#define SOSIM_HOST_PARTICLE_USB_H

#include "host/usb_host.h"

#define PARTICLE_PAYLOAD_MAX 4096u

struct particle_request {
    /* Set by the caller. */
    uint16_t number; /* CTRL_REQUEST_… */
    uint8_t payload[PARTICLE_PAYLOAD_MAX];
    uint32_t payload_size;
    void (*done)(void *context, struct particle_request *request);
    void *context;
    /* Results. */
    const char *failed; /* how the exchange failed, NULL: it did not */
    int32_t result;     /* the device's own word on it: 0, or a negative SYSTEM_ERROR_… */
    uint8_t reply[PARTICLE_PAYLOAD_MAX];
    uint32_t reply_size;
    /* The request's own. */
    struct usb_host *host;
    struct usb_transfer transfer;
    uint8_t service[64]; /* reply to a service request */
    unsigned step;
    uint16_t id;
};

/* Starts it; the request must live until `done` was called. */
void particle_request_start(struct particle_request *request, struct usb_host *host);

/* A firmware update by control requests. */
struct particle_update {
    /* Set by the caller. */
    const uint8_t *data; /* the module's file */
    uint32_t size;
    void (*done)(void *context, struct particle_update *update);
    void *context;
    /* Results. */
    bool ok;
    char why[96];
    uint32_t sent; /* bytes that the device has taken */
    /* The update's own. */
    struct particle_request request;
    struct usb_host *host;
    uint32_t chunk;   /* bytes in a chunk */
    uint32_t waiting; /* of the chunk under way */
};

void particle_update_start(struct particle_update *update, struct usb_host *host);

#endif
