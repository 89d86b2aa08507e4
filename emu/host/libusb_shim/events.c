/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shim.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SETUP_SIZE  8
#define HANDLES_MAX 16
#define LOOK_MS     500 /* between two looks for devices that come and go */

enum linux_errno {
    LINUX_ENODEV = 19,
    LINUX_EPIPE = 32,
    LINUX_EOVERFLOW = 75,
    LINUX_ECONNRESET = 104,
    LINUX_ETIMEDOUT = 110,
};

static struct shim_transfer *private_of(struct libusb_transfer *transfer)
{
    return (struct shim_transfer *)((char *)transfer - offsetof(struct shim_transfer, public));
}

static struct libusb_context *context_of(const struct libusb_device_handle *handle)
{
    return handle->device->context;
}

void events_wake(struct libusb_context *context)
{
    if (write(context->wake[1], "", 1) < 0)
        return; /* the pipe is full of reasons to wake up */
}

/* --- the ends of transfers --------------------------------------------------------------------------------
 */

/* Moves a transfer from the pending ones to those whose callback is due. The lock is held. */
static void settle(struct shim_transfer *transfer, enum libusb_transfer_status status)
{
    struct libusb_device_handle *handle = transfer->handle;
    struct shim_transfer **link = &handle->pending;
    while (*link && *link != transfer)
        link = &(*link)->next;
    if (*link)
        *link = transfer->next;
    transfer->status = status;
    transfer->next = NULL;
    struct shim_transfer **end = &context_of(handle)->finished;
    while (*end)
        end = &(*end)->next;
    *end = transfer;
}

void events_drop(struct libusb_device_handle *handle)
{
    while (handle->pending)
        settle(handle->pending, LIBUSB_TRANSFER_NO_DEVICE);
}

static void lose_device(struct libusb_device_handle *handle)
{
    if (handle->fd >= 0)
        close(handle->fd);
    handle->fd = -1;
    events_drop(handle);
}

static bool reads(const struct libusb_transfer *transfer)
{
    return (transfer->type == LIBUSB_TRANSFER_TYPE_CONTROL ? transfer->buffer[0] : transfer->endpoint) &
           LIBUSB_ENDPOINT_IN;
}

static struct shim_transfer *find(const struct libusb_device_handle *handle, uint32_t seqnum, bool unlink)
{
    struct shim_transfer *at = handle->pending;
    while (at && (unlink ? at->unlink_seqnum : at->seqnum) != seqnum)
        at = at->next;
    return at;
}

static bool answer_has_data(void *context, uint32_t seqnum)
{
    const struct shim_transfer *transfer = find(context, seqnum, false);
    return transfer && reads(&transfer->public);
}

static enum libusb_transfer_status status_of(int32_t error)
{
    switch (error) {
    case 0:
        return LIBUSB_TRANSFER_COMPLETED;
    case -LINUX_EPIPE:
        return LIBUSB_TRANSFER_STALL;
    case -LINUX_ENODEV:
        return LIBUSB_TRANSFER_NO_DEVICE;
    case -LINUX_EOVERFLOW:
        return LIBUSB_TRANSFER_OVERFLOW;
    case -LINUX_ECONNRESET:
        return LIBUSB_TRANSFER_CANCELLED;
    case -LINUX_ETIMEDOUT:
        return LIBUSB_TRANSFER_TIMED_OUT;
    default:
        return LIBUSB_TRANSFER_ERROR;
    }
}

/* Packets lie one behind the other in the answer, and at their places in the program's buffer. */
static void take_packets(struct libusb_transfer *transfer, const struct wire_answer *answer)
{
    const uint8_t *from = answer->data, *end = answer->packets;
    uint8_t *to = transfer->buffer;
    for (int i = 0; i < transfer->num_iso_packets; i++) {
        struct libusb_iso_packet_descriptor *packet = &transfer->iso_packet_desc[i];
        const uint8_t *bytes = answer->packets + 16 * i;
        bool known = (uint32_t)i < answer->packet_count;
        uint32_t actual = known ? wire_get32(bytes + 8) : 0;
        packet->actual_length = actual < packet->length ? actual : packet->length;
        packet->status = known ? status_of((int32_t)wire_get32(bytes + 12)) : LIBUSB_TRANSFER_ERROR;
        if (reads(transfer) && packet->actual_length <= (size_t)(end - from)) {
            memcpy(to, from, packet->actual_length);
            from += packet->actual_length;
        }
        to += packet->length;
    }
}

static void take_answer(struct libusb_device_handle *handle, const struct wire_answer *answer)
{
    struct shim_transfer *transfer = find(handle, answer->seqnum, answer->unlink);
    if (!transfer)
        return; /* the answer to an unlink that came too late */
    if (answer->unlink) {
        /* 0: the transfer had finished, and its answer came before this one; then it would not be found. */
        settle(transfer, LIBUSB_TRANSFER_CANCELLED);
        return;
    }
    struct libusb_transfer *public = &transfer->public;
    if (public->type == LIBUSB_TRANSFER_TYPE_ISOCHRONOUS) {
        take_packets(public, answer);
        settle(transfer, status_of(answer->status));
        return;
    }
    size_t skip = public->type == LIBUSB_TRANSFER_TYPE_CONTROL ? SETUP_SIZE : 0;
    size_t room = (size_t) public->length - skip;
    size_t actual = answer->actual < room ? answer->actual : room;
    if (reads(public) && actual)
        memcpy(public->buffer + skip, answer->data, actual);
    public->actual_length = (int)actual;
    settle(transfer, status_of(answer->status));
}

static void take_answers(struct libusb_device_handle *handle)
{
    struct wire_answer answer;
    int error = wire_receive(handle);
    while (wire_answer(handle, answer_has_data, handle, &answer)) {
        take_answer(handle, &answer);
        wire_consume(handle, answer.size);
    }
    if (error)
        lose_device(handle);
}

static void send_unlink(struct shim_transfer *transfer)
{
    struct libusb_device_handle *handle = transfer->handle;
    transfer->unlink_seqnum = ++handle->seqnum;
    if (wire_unlink(handle->fd, transfer->unlink_seqnum, transfer->seqnum))
        lose_device(handle);
}

/* Calls back for what has finished. Called without the lock. */
static void call_back(struct libusb_context *context)
{
    for (;;) {
        pthread_mutex_lock(&context->lock);
        struct shim_transfer *transfer = context->finished;
        if (transfer)
            context->finished = transfer->next;
        pthread_mutex_unlock(&context->lock);
        if (!transfer)
            return;
        transfer->pending = false;
        transfer->public.status = transfer->status;
        bool release = transfer->public.flags & LIBUSB_TRANSFER_FREE_TRANSFER;
        if (transfer->public.callback)
            transfer->public.callback(&transfer->public);
        if (release)
            libusb_free_transfer(&transfer->public);
    }
}

/* --- handling events --------------------------------------------------------------------------------------
 */

/* Waits in poll() for up to `wait_ms` and takes what came. The lock is held, but not while it waits. */
static void wait_for_answers(struct libusb_context *context, int64_t wait_ms)
{
    struct pollfd fds[HANDLES_MAX + 1];
    unsigned count = 0;
    uint8_t drain[64];
    fds[count++] = (struct pollfd){.fd = context->wake[0], .events = POLLIN};
    for (struct libusb_device_handle *at = context->handles; at && count <= HANDLES_MAX; at = at->next) {
        if (at->fd >= 0)
            fds[count++] = (struct pollfd){.fd = at->fd, .events = POLLIN};
    }
    context->handling = true;
    pthread_mutex_unlock(&context->lock);
    int ready = poll(fds, count, (int)wait_ms);
    pthread_mutex_lock(&context->lock);
    context->handling = false;
    if (ready > 0 && fds[0].revents) {
        while (read(context->wake[0], drain, sizeof drain) == sizeof drain)
            continue;
    }
    for (unsigned i = 1; ready > 0 && i < count; i++) {
        struct libusb_device_handle *at = context->handles;
        while (at && at->fd != fds[i].fd)
            at = at->next;
        if (at && fds[i].revents)
            take_answers(at);
    }
    pthread_cond_broadcast(&context->handled);
}

static void wait_for_other_thread(struct libusb_context *context, int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&context->handled, &context->lock, &until);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return b >= 0 && b < a ? b : a;
}

int libusb_handle_events_timeout_completed(libusb_context *asked, struct timeval *timeout, int *completed)
{
    struct libusb_context *context = shim_context(asked);
    if (!context)
        return LIBUSB_ERROR_INVALID_PARAM;
    int64_t wait = timeout->tv_sec * 1000 + timeout->tv_usec / 1000;
    pthread_mutex_lock(&context->lock);
    if (!context->finished && !(completed && *completed)) {
        if (context->hotplugs)
            wait = smaller(wait, LOOK_MS);
        if (context->handling)
            wait_for_other_thread(context, smaller(wait, 100));
        else
            wait_for_answers(context, wait);
    }
    pthread_mutex_unlock(&context->lock);
    call_back(context);
    if (context->hotplugs && shim_now() - context->looked >= LOOK_MS)
        device_hotplug(context);
    return 0;
}

int libusb_handle_events_timeout(libusb_context *context, struct timeval *timeout)
{
    return libusb_handle_events_timeout_completed(context, timeout, NULL);
}

int libusb_handle_events_completed(libusb_context *context, int *completed)
{
    struct timeval minute = {60, 0};
    return libusb_handle_events_timeout_completed(context, &minute, completed);
}

int libusb_handle_events(libusb_context *context)
{
    return libusb_handle_events_completed(context, NULL);
}

int libusb_handle_events_locked(libusb_context *context, struct timeval *timeout)
{
    return libusb_handle_events_timeout_completed(context, timeout, NULL);
}

void libusb_interrupt_event_handler(libusb_context *asked)
{
    struct libusb_context *context = shim_context(asked);
    if (context)
        events_wake(context);
}

/* Our event handling sorts threads out by itself, so the locks of the public interface always succeed. */
int libusb_try_lock_events(libusb_context *context)
{
    (void)context;
    return 0;
}

void libusb_lock_events(libusb_context *context)
{
    (void)context;
}

void libusb_unlock_events(libusb_context *context)
{
    (void)context;
}

int libusb_event_handling_ok(libusb_context *context)
{
    (void)context;
    return 1;
}

int libusb_event_handler_active(libusb_context *context)
{
    (void)context;
    return 0;
}

void libusb_lock_event_waiters(libusb_context *context)
{
    (void)context;
}

void libusb_unlock_event_waiters(libusb_context *context)
{
    (void)context;
}

int libusb_wait_for_event(libusb_context *context, struct timeval *timeout)
{
    struct timeval moment = {0, 10000};
    return libusb_handle_events_timeout_completed(context, timeout ? timeout : &moment, NULL);
}

int libusb_pollfds_handle_timeouts(libusb_context *context)
{
    (void)context;
    return 0;
}

/* The program need not wake up for any: the server keeps them. */
int libusb_get_next_timeout(libusb_context *context, struct timeval *timeout)
{
    (void)context;
    (void)timeout;
    return 0;
}

const struct libusb_pollfd **libusb_get_pollfds(libusb_context *context)
{
    (void)context;
    return NULL; /* "not available", which the documentation allows */
}

void libusb_free_pollfds(const struct libusb_pollfd **pollfds)
{
    (void)pollfds;
}

void libusb_set_pollfd_notifiers(libusb_context *context, libusb_pollfd_added_cb added,
                                 libusb_pollfd_removed_cb removed, void *user_data)
{
    (void)context;
    (void)added;
    (void)removed;
    (void)user_data;
}

/* --- transfers --------------------------------------------------------------------------------------------
 */

struct libusb_transfer *libusb_alloc_transfer(int iso_packets)
{
    if (iso_packets < 0)
        return NULL;
    size_t size =
        sizeof(struct shim_transfer) + (size_t)iso_packets * sizeof(struct libusb_iso_packet_descriptor);
    struct shim_transfer *transfer = calloc(1, size);
    return transfer ? &transfer->public : NULL;
}

void libusb_free_transfer(struct libusb_transfer *transfer)
{
    if (!transfer)
        return;
    if (transfer->flags & LIBUSB_TRANSFER_FREE_BUFFER)
        free(transfer->buffer);
    free(private_of(transfer));
}

static bool packets_fit(const struct libusb_transfer *transfer)
{
    int64_t sum = 0;
    for (int i = 0; i < transfer->num_iso_packets; i++)
        sum += transfer->iso_packet_desc[i].length;
    return transfer->num_iso_packets > 0 && sum <= transfer->length;
}

int libusb_submit_transfer(struct libusb_transfer *transfer)
{
    struct shim_transfer *private = private_of(transfer);
    struct libusb_device_handle *handle = transfer->dev_handle;
    struct libusb_context *context = context_of(handle);
    bool control = transfer->type == LIBUSB_TRANSFER_TYPE_CONTROL;
    if (transfer->length < (control ? SETUP_SIZE : 0))
        return LIBUSB_ERROR_INVALID_PARAM;
    if (transfer->type == LIBUSB_TRANSFER_TYPE_BULK_STREAM)
        return LIBUSB_ERROR_NOT_SUPPORTED;
    if (transfer->type == LIBUSB_TRANSFER_TYPE_ISOCHRONOUS && !packets_fit(transfer))
        return LIBUSB_ERROR_INVALID_PARAM;
    pthread_mutex_lock(&context->lock);
    int error = handle->fd < 0 ? LIBUSB_ERROR_NO_DEVICE : private->pending ? LIBUSB_ERROR_BUSY : 0;
    if (!error) {
        transfer->actual_length = 0;
        private->handle = handle;
        private->unlink_seqnum = 0;
        private->seqnum = ++handle->seqnum;
        error = wire_submit(handle->fd, private);
    }
    if (!error) {
        private->pending = true;
        private->next = handle->pending;
        handle->pending = private;
    }
    pthread_mutex_unlock(&context->lock);
    return error;
}

int libusb_cancel_transfer(struct libusb_transfer *transfer)
{
    struct shim_transfer *private = private_of(transfer);
    if (!private->pending || !private->handle)
        return LIBUSB_ERROR_NOT_FOUND;
    struct libusb_context *context = context_of(private->handle);
    int error = LIBUSB_ERROR_NOT_FOUND;
    pthread_mutex_lock(&context->lock);
    if (find(private->handle, private->seqnum, false) == private && !private->unlink_seqnum) {
        send_unlink(private);
        error = 0;
    }
    pthread_mutex_unlock(&context->lock);
    return error;
}

static void mark(struct libusb_transfer *transfer)
{
    *(int *)transfer->user_data = 1;
}

/* Some programs, lsusb among them, look at errno, too. */
static int error_of(enum libusb_transfer_status status)
{
    switch (status) {
    case LIBUSB_TRANSFER_COMPLETED:
        return 0;
    case LIBUSB_TRANSFER_TIMED_OUT:
        errno = ETIMEDOUT;
        return LIBUSB_ERROR_TIMEOUT;
    case LIBUSB_TRANSFER_STALL:
        errno = EPIPE;
        return LIBUSB_ERROR_PIPE;
    case LIBUSB_TRANSFER_NO_DEVICE:
        return LIBUSB_ERROR_NO_DEVICE;
    case LIBUSB_TRANSFER_OVERFLOW:
        return LIBUSB_ERROR_OVERFLOW;
    default:
        return LIBUSB_ERROR_IO;
    }
}

int events_run(struct libusb_transfer *transfer)
{
    int completed = 0;
    transfer->callback = mark;
    transfer->user_data = &completed;
    struct libusb_context *context = context_of(transfer->dev_handle);
    int error = libusb_submit_transfer(transfer);
    while (!error && !completed)
        libusb_handle_events_completed(context, &completed);
    return error ? error : error_of(transfer->status);
}

int libusb_control_transfer(libusb_device_handle *handle, uint8_t type, uint8_t request, uint16_t value,
                            uint16_t index, unsigned char *data, uint16_t length, unsigned timeout)
{
    struct libusb_transfer *transfer = libusb_alloc_transfer(0);
    uint8_t *buffer = malloc(SETUP_SIZE + length);
    if (!transfer || !buffer) {
        free(buffer);
        libusb_free_transfer(transfer);
        return LIBUSB_ERROR_NO_MEM;
    }
    libusb_fill_control_setup(buffer, type, request, value, index, length);
    if (!(type & LIBUSB_ENDPOINT_IN) && length)
        memcpy(buffer + SETUP_SIZE, data, length);
    libusb_fill_control_transfer(transfer, handle, buffer, NULL, NULL, timeout);
    int result = events_run(transfer);
    if (!result) {
        result = transfer->actual_length;
        if (type & LIBUSB_ENDPOINT_IN)
            memcpy(data, buffer + SETUP_SIZE, (size_t)result);
    }
    int why = errno;
    free(buffer);
    libusb_free_transfer(transfer);
    errno = why;
    return result;
}

static int move(libusb_device_handle *handle, unsigned char endpoint, unsigned char *data, int length,
                int *actual, unsigned timeout, unsigned char type)
{
    struct libusb_transfer *transfer = libusb_alloc_transfer(0);
    if (!transfer)
        return LIBUSB_ERROR_NO_MEM;
    libusb_fill_bulk_transfer(transfer, handle, endpoint, data, length, NULL, NULL, timeout);
    transfer->type = type;
    int error = events_run(transfer);
    if (actual)
        *actual = transfer->actual_length;
    libusb_free_transfer(transfer);
    return error;
}

int libusb_bulk_transfer(libusb_device_handle *handle, unsigned char endpoint, unsigned char *data,
                         int length, int *actual, unsigned timeout)
{
    return move(handle, endpoint, data, length, actual, timeout, LIBUSB_TRANSFER_TYPE_BULK);
}

int libusb_interrupt_transfer(libusb_device_handle *handle, unsigned char endpoint, unsigned char *data,
                              int length, int *actual, unsigned timeout)
{
    return move(handle, endpoint, data, length, actual, timeout, LIBUSB_TRANSFER_TYPE_INTERRUPT);
}

void libusb_transfer_set_stream_id(struct libusb_transfer *transfer, uint32_t stream)
{
    (void)transfer;
    (void)stream;
}

uint32_t libusb_transfer_get_stream_id(struct libusb_transfer *transfer)
{
    (void)transfer;
    return 0;
}

int libusb_alloc_streams(libusb_device_handle *handle, uint32_t count, unsigned char *endpoints, int number)
{
    (void)handle;
    (void)count;
    (void)endpoints;
    (void)number;
    return LIBUSB_ERROR_NOT_SUPPORTED;
}

int libusb_free_streams(libusb_device_handle *handle, unsigned char *endpoints, int number)
{
    (void)handle;
    (void)endpoints;
    (void)number;
    return LIBUSB_ERROR_NOT_SUPPORTED;
}

unsigned char *libusb_dev_mem_alloc(libusb_device_handle *handle, size_t length)
{
    (void)handle;
    (void)length;
    return NULL;
}

int libusb_dev_mem_free(libusb_device_handle *handle, unsigned char *buffer, size_t length)
{
    (void)handle;
    (void)buffer;
    (void)length;
    return LIBUSB_ERROR_NOT_SUPPORTED;
}
