/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A libusb-1.0 to preload into unmodified programs (LD_PRELOAD): they see one device, the one that sosim's
 * USB/IP server lends out on 127.0.0.1:$SOSIM_USB_PORT, instead of those of this computer.
 *
 * Source: libusb's public header and API documentation (1.0.26); host/usbip.h for what goes over the wire.
 * Modelled: synchronous and asynchronous transfers of all four kinds with timeouts and cancelling,
 * descriptors, event handling from several threads, hotplug (by looking twice a second while events are
 * handled). A transfer's timeout is the server's business, for it counts in the device's time. A program can
 * neither reset nor reconfigure the device: the server is the host and has done so, and each program would
 * undo what the one before it did.
 * Not modelled: streams, BOS descriptors, other devices.
 */
#ifndef SOSIM_LIBUSB_SHIM_H
#define SOSIM_LIBUSB_SHIM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* What libusb.h declares is what this library exports. */
#pragma GCC visibility push(default)
#include <libusb.h>
#pragma GCC visibility pop

#define SHIM_INTERFACES 32

struct libusb_device {
    struct libusb_context *context;
    int references;
    uint8_t descriptor[18];
    uint8_t *config;
    uint32_t config_size;
};

struct shim_transfer {
    struct shim_transfer *next;
    struct libusb_device_handle *handle;
    uint32_t seqnum;
    uint32_t unlink_seqnum; /* 0: none was sent */
    bool pending;
    enum libusb_transfer_status status;
    struct libusb_transfer public; /* last: it ends in a flexible array */
};

struct libusb_device_handle {
    struct libusb_device_handle *next;
    struct libusb_device *device;
    int fd; /* -1: the device is gone */
    uint32_t seqnum;
    uint8_t *in; /* received, not a whole message yet */
    size_t in_size, in_capacity;
    struct shim_transfer *pending;
    uint8_t setting[SHIM_INTERFACES]; /* altsetting that each interface is on */
};

struct shim_hotplug {
    struct shim_hotplug *next;
    libusb_hotplug_callback_handle id;
    int events, vendor, product, class;
    libusb_hotplug_callback_fn fn;
    void *user_data;
    bool done;
};

struct libusb_context {
    pthread_mutex_t lock; /* of everything here and below */
    pthread_cond_t handled;
    int references;
    bool handling;                /* a thread is in poll() */
    int wake[2];                  /* pipe that ends its poll() */
    struct libusb_device *device; /* seen last */
    struct libusb_device_handle *handles;
    struct shim_transfer *finished; /* callbacks to be made */
    struct shim_hotplug *hotplugs;
    int next_hotplug;
    int64_t looked; /* for hotplug, ms */
};

/* context.c */
struct libusb_context *shim_context(struct libusb_context *context);
int64_t shim_now(void); /* ms of the monotonic clock */

uint32_t wire_get32(const uint8_t *bytes);

/* wire.c: the server. All return 0 or enum libusb_error. */
int wire_connect(void);
int wire_descriptors(uint8_t device[18], uint8_t **config, uint32_t *size);
int wire_open(int *fd);
int wire_submit(int fd, const struct shim_transfer *transfer);
int wire_unlink(int fd, uint32_t seqnum, uint32_t victim);

/* One answer of the server, at the start of handle->in. */
struct wire_answer {
    bool unlink;
    uint32_t seqnum;
    int32_t status; /* 0, or a negative Linux error number */
    uint32_t actual;
    const uint8_t *data;    /* `actual` bytes for what reads */
    const uint8_t *packets; /* `packet_count` descriptors of 16 bytes, of isochronous transfers */
    uint32_t packet_count;
    size_t size; /* of the whole message */
};
/* Reads what is there. 0, or LIBUSB_ERROR_NO_DEVICE at the end of the connection. */
int wire_receive(struct libusb_device_handle *handle);
/* True if a whole answer is there; `reads` tells whether a transfer's data follow its header. */
bool wire_answer(const struct libusb_device_handle *handle, bool (*reads)(void *context, uint32_t seqnum),
                 void *context, struct wire_answer *answer);
void wire_consume(struct libusb_device_handle *handle, size_t size);

/* device.c */
/* The device as it is now, with a reference for the caller, or NULL. The context's lock is held. */
struct libusb_device *device_look(struct libusb_context *context);
/* Tells callbacks what came and went. Called without the lock. */
void device_hotplug(struct libusb_context *context);
void device_release(struct libusb_device *device);

/* events.c */
/* Ends everything under way on a handle, with the lock held. */
void events_drop(struct libusb_device_handle *handle);
void events_wake(struct libusb_context *context);
/* Sends a transfer and waits for it: the synchronous calls. Returns 0 or enum libusb_error. */
int events_run(struct libusb_transfer *transfer);

#endif
