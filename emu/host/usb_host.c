/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/usb_host_internal.h"

#include "core/ports.h"

#include <string.h>

#define PACKET_MAX      64u
#define SILENCE_MAX     3u /* USB 2.0, 10.2.6: three errors in a row end a transfer */
#define NAK_PAUSE_US    20u
#define NAK_PAUSE_MAX   1000u
#define NAKS_A_DOUBLING 8u
#define PACKET_OVERHEAD 13u /* bytes of token, PID, CRC, handshake and gaps: USB 2.0, 5.8.4 */
#define IN_FLAG         0x80u

const char *usb_result_text(enum usb_result result)
{
    static const char *const texts[] = {"ok",   "stalled",   "timed out",          "cancelled",
                                        "gone", "no answer", "more than asked for"};
    return texts[result];
}

void usb_setup(uint8_t setup[8], uint8_t type, uint8_t request, uint16_t value, uint16_t index,
               uint16_t length)
{
    const uint16_t words[] = {value, index, length};
    setup[0] = type;
    setup[1] = request;
    for (unsigned i = 0; i < 3; i++) {
        setup[2 + 2 * i] = words[i] & 0xff;
        setup[3 + 2 * i] = (uint8_t)(words[i] >> 8);
    }
}

static unsigned pipe_number(uint8_t endpoint)
{
    return (endpoint & 15u) + (endpoint & 15u && endpoint & IN_FLAG ? 16u : 0u);
}

static bool reads(const struct usb_transfer *transfer)
{
    return (transfer->endpoint & 15 ? transfer->endpoint : transfer->setup[0]) & IN_FLAG;
}

static uint64_t packet_time(uint32_t bytes)
{
    /* 12 Mbit/s: a byte takes 128/3 cycles. */
    return (PACKET_OVERHEAD + bytes) * 128u / 3u;
}

/* --- the queues -------------------------------------------------------------------------------------------
 */

static void unlink_transfer(struct usb_pipe *pipe, struct usb_transfer *transfer)
{
    struct usb_transfer *before = NULL;
    struct usb_transfer *at = pipe->first;
    while (at && at != transfer) {
        before = at;
        at = at->next;
    }
    if (!at)
        return;
    if (before)
        before->next = at->next;
    else
        pipe->first = at->next;
    if (pipe->last == at)
        pipe->last = before;
}

static void finish(struct usb_host *host, struct usb_transfer *transfer, enum usb_result result)
{
    unlink_transfer(&host->pipe[pipe_number(transfer->endpoint)], transfer);
    transfer->result = result;
    transfer->finished = true;
    if (result == USB_OK && !(transfer->endpoint & 15))
        usb_enumerate_note(host, transfer);
    if (transfer->done)
        transfer->done(transfer->context, transfer);
}

void usb_host_drop_all(struct usb_host *host, enum usb_result result)
{
    for (unsigned i = 0; i < USB_PIPES; i++) {
        while (host->pipe[i].first)
            finish(host, host->pipe[i].first, result);
    }
}

bool usb_host_busy(const struct usb_host *host)
{
    for (unsigned i = 0; i < USB_PIPES; i++) {
        if (host->pipe[i].first)
            return true;
    }
    return false;
}

/* Cycle at which there is something to do on a pipe. */
static uint64_t pipe_due(const struct usb_pipe *pipe)
{
    if (!pipe->first)
        return CLOCK_NEVER;
    uint64_t due = pipe->not_before;
    for (const struct usb_transfer *at = pipe->first; at; at = at->next)
        due = at->deadline < due ? at->deadline : due;
    return due;
}

/* The next time to work, but not before the bus is free at `free_at`. */
static void plan(struct usb_host *host, uint64_t free_at)
{
    uint64_t due = CLOCK_NEVER;
    for (unsigned i = 0; i < USB_PIPES; i++) {
        uint64_t at = pipe_due(&host->pipe[i]);
        due = at < due ? at : due;
    }
    if (due == CLOCK_NEVER)
        event_cancel(&host->bus->clock, &host->work);
    else
        event_at(&host->bus->clock, &host->work, due > free_at ? due : free_at);
}

/* The first time after the SOF of a frame to come, 1: the next. */
static uint64_t next_iso(const struct usb_host *host, unsigned frames)
{
    uint64_t now = host->bus->clock.now;
    uint64_t sof = host->next_frame > now ? host->next_frame : now + CYCLES_PER_MS;
    return sof + (frames - 1) * CYCLES_PER_MS + packet_time(0);
}

bool usb_host_is_isochronous(const struct usb_host *host, uint8_t endpoint)
{
    return host->pipe[pipe_number(endpoint)].isochronous;
}

void usb_host_queue(struct usb_host *host, struct usb_transfer *transfer)
{
    struct usb_pipe *pipe = &host->pipe[pipe_number(transfer->endpoint)];
    uint64_t now = host->bus->clock.now;
    transfer->finished = false;
    transfer->actual = 0;
    transfer->next = NULL;
    transfer->stage = transfer->endpoint & 15 ? USB_STAGE_DATA : USB_STAGE_SETUP;
    transfer->naks = transfer->silence = 0;
    transfer->packet = 0;
    transfer->deadline = transfer->timeout ? now + transfer->timeout : CLOCK_NEVER;
    if (pipe->last)
        pipe->last->next = transfer;
    else
        pipe->first = transfer;
    pipe->last = transfer;
    if (pipe->first == transfer && pipe->not_before < now)
        pipe->not_before = pipe->isochronous ? next_iso(host, 1) : now;
    if (!event_pending(&host->work) || host->work.at > pipe_due(pipe))
        plan(host, now);
    clock_kick(&host->bus->clock);
}

void usb_host_submit(struct usb_host *host, struct usb_transfer *transfer)
{
    if (host->state == USB_HOST_CONFIGURED) {
        usb_host_queue(host, transfer);
        return;
    }
    transfer->actual = 0;
    finish(host, transfer, USB_GONE);
}

void usb_host_cancel(struct usb_host *host, struct usb_transfer *transfer)
{
    if (!transfer->finished)
        finish(host, transfer, USB_CANCELLED);
}

/* --- transactions -----------------------------------------------------------------------------------------
 */

/* After the device took or gave a packet. */
static void progress(struct usb_transfer *transfer)
{
    transfer->naks = 0;
    transfer->silence = 0;
}

static void after_data(struct usb_host *host, struct usb_transfer *transfer)
{
    if (transfer->endpoint & 15) {
        finish(host, transfer, USB_OK);
        return;
    }
    transfer->stage = USB_STAGE_STATUS;
    host->pipe[0].data1 = true;
}

static enum usb_answer setup_stage(struct usb_host *host, struct usb_transfer *transfer)
{
    enum usb_answer answer =
        host->port->device.setup(host->port->device.self, host->address, transfer->setup);
    if (answer == USB_ACK) {
        host->pipe[0].data1 = true;
        transfer->stage = transfer->length ? USB_STAGE_DATA : USB_STAGE_STATUS;
    }
    return answer;
}

static enum usb_answer data_in(struct usb_host *host, struct usb_pipe *pipe, struct usb_transfer *transfer,
                               uint32_t *moved)
{
    uint8_t packet[PACKET_MAX];
    uint32_t size = sizeof packet;
    bool data1 = false;
    enum usb_answer answer = host->port->device.in(host->port->device.self, host->address,
                                                   transfer->endpoint & 15, &data1, packet, &size);
    if (answer != USB_ACK)
        return answer;
    *moved = size;
    if (data1 != pipe->data1)
        return USB_ACK; /* a repetition of what we have */
    pipe->data1 = !pipe->data1;
    uint32_t room = transfer->length - transfer->actual;
    memcpy(transfer->data + transfer->actual, packet, size < room ? size : room);
    transfer->actual += size < room ? size : room;
    if (size > room)
        finish(host, transfer, USB_OVERFLOW);
    else if (size < pipe->packet || size == room)
        after_data(host, transfer);
    return USB_ACK;
}

static enum usb_answer data_out(struct usb_host *host, struct usb_pipe *pipe, struct usb_transfer *transfer,
                                uint32_t *moved)
{
    uint32_t left = transfer->length - transfer->actual;
    uint32_t size = left < pipe->packet ? left : pipe->packet;
    static const uint8_t nothing[1] = {0};
    const uint8_t *data = size ? transfer->data + transfer->actual : nothing;
    enum usb_answer answer = host->port->device.out(host->port->device.self, host->address,
                                                    transfer->endpoint & 15, pipe->data1, data, size);
    *moved = size; /* an OUT packet takes its time whatever the answer is */
    if (answer != USB_ACK)
        return answer;
    pipe->data1 = !pipe->data1;
    transfer->actual += size;
    if (transfer->actual == transfer->length)
        after_data(host, transfer);
    return USB_ACK;
}

static enum usb_answer status_stage(struct usb_host *host, struct usb_transfer *transfer)
{
    uint8_t packet[PACKET_MAX];
    uint32_t size = sizeof packet;
    bool data1 = true;
    const struct usb_device_end *device = &host->port->device;
    enum usb_answer answer = transfer->length && reads(transfer)
                                 ? device->out(device->self, host->address, 0, true, packet, 0)
                                 : device->in(device->self, host->address, 0, &data1, packet, &size);
    if (answer == USB_ACK)
        finish(host, transfer, USB_OK);
    return answer;
}

static void iso_in(struct usb_host *host, struct usb_transfer *transfer, struct usb_iso_packet *packet)
{
    uint8_t bytes[USB_ISO_MAX];
    uint32_t size = sizeof bytes;
    bool data1;
    const struct usb_device_end *device = &host->port->device;
    if (device->in(device->self, host->address, transfer->endpoint & 15, &data1, bytes, &size) != USB_ACK)
        return;
    packet->result = size > packet->length ? USB_OVERFLOW : USB_OK;
    packet->actual = size < packet->length ? size : packet->length;
    memcpy(transfer->data + packet->offset, bytes, packet->actual);
}

static void iso_out(struct usb_host *host, const struct usb_pipe *pipe, const struct usb_transfer *transfer,
                    struct usb_iso_packet *packet)
{
    const struct usb_device_end *device = &host->port->device;
    if (packet->length > pipe->packet) {
        packet->result = USB_OVERFLOW;
        return;
    }
    if (device->out(device->self, host->address, transfer->endpoint & 15, false,
                    transfer->data + packet->offset, packet->length) != USB_ACK)
        return;
    packet->result = USB_OK;
    packet->actual = packet->length;
}

/* The packet of this frame: it goes or comes once, and is neither acknowledged nor repeated. */
static enum usb_answer iso_packet(struct usb_host *host, struct usb_pipe *pipe, struct usb_transfer *transfer,
                                  uint32_t *moved)
{
    if (transfer->packet < transfer->packet_count) {
        struct usb_iso_packet *packet = &transfer->packets[transfer->packet++];
        packet->actual = 0;
        packet->result = USB_NO_ANSWER;
        if (reads(transfer))
            iso_in(host, transfer, packet);
        else
            iso_out(host, pipe, transfer, packet);
        transfer->actual += packet->actual;
        *moved = packet->actual;
    }
    if (transfer->packet == transfer->packet_count)
        finish(host, transfer, USB_OK);
    return USB_ACK;
}

static uint64_t nak_pause(const struct usb_pipe *pipe, const struct usb_transfer *transfer)
{
    if (pipe->interval_ms)
        return pipe->interval_ms * CYCLES_PER_MS;
    unsigned doublings = transfer->naks / NAKS_A_DOUBLING;
    uint64_t us = doublings > 5 ? NAK_PAUSE_MAX : NAK_PAUSE_US << doublings;
    return (us < NAK_PAUSE_MAX ? us : NAK_PAUSE_MAX) * CYCLES_PER_US;
}

/* One transaction of the pipe's first transfer; returns the cycles it took. */
static uint64_t transact(struct usb_host *host, struct usb_pipe *pipe)
{
    struct usb_transfer *transfer = pipe->first;
    uint32_t moved = 0;
    enum usb_answer answer;
    if (transfer->stage == USB_STAGE_SETUP) {
        moved = 8;
        answer = setup_stage(host, transfer);
    } else if (transfer->stage == USB_STAGE_STATUS) {
        answer = status_stage(host, transfer);
    } else if (pipe->isochronous) {
        answer = iso_packet(host, pipe, transfer, &moved);
    } else if (reads(transfer)) {
        answer = data_in(host, pipe, transfer, &moved);
    } else {
        answer = data_out(host, pipe, transfer, &moved);
    }
    uint64_t time = packet_time(moved);
    pipe->not_before = pipe->isochronous ? next_iso(host, pipe->interval_ms) : host->bus->clock.now + time;
    if (pipe->first != transfer)
        return time; /* it has finished, and may be gone */
    switch (answer) {
    case USB_ACK:
        progress(transfer);
        break;
    case USB_NAK:
        pipe->not_before += nak_pause(pipe, transfer);
        transfer->naks++;
        transfer->silence = 0;
        break;
    case USB_STALL:
        finish(host, transfer, USB_STALLED);
        break;
    case USB_TIMEOUT:
        if (++transfer->silence == SILENCE_MAX)
            finish(host, transfer, USB_NO_ANSWER);
        break;
    }
    return time;
}

static void expire(struct usb_host *host)
{
    for (unsigned i = 0; i < USB_PIPES; i++) {
        struct usb_transfer *at = host->pipe[i].first;
        while (at) {
            if (at->deadline > host->bus->clock.now) {
                at = at->next;
                continue;
            }
            finish(host, at, USB_TIMED_OUT);
            at = host->pipe[i].first; /* what is told of it may change the queue */
        }
    }
}

static void work(void *owner)
{
    struct usb_host *host = owner;
    uint64_t now = host->bus->clock.now;
    uint64_t busy = 0;
    expire(host);
    for (unsigned i = 0; i < USB_PIPES && !busy; i++) {
        unsigned n = (host->next_pipe + i) % USB_PIPES;
        struct usb_pipe *pipe = &host->pipe[n];
        if (!pipe->first || pipe->not_before > now)
            continue;
        host->next_pipe = n + 1;
        busy = transact(host, pipe);
    }
    plan(host, now + busy);
}

/* --- frames -----------------------------------------------------------------------------------------------
 */

static void frame(void *owner)
{
    struct usb_host *host = owner;
    host->next_frame += CYCLES_PER_MS;
    event_at(&host->bus->clock, &host->frame, host->next_frame);
    host->frame_number = (host->frame_number + 1) & 0x7ff;
    host->port->device.frame(host->port->device.self, host->frame_number);
}

void usb_host_start_frames(struct usb_host *host)
{
    host->next_frame = host->bus->clock.now + CYCLES_PER_MS;
    event_at(&host->bus->clock, &host->frame, host->next_frame);
}

void usb_host_suspend(struct usb_host *host, bool suspended)
{
    if (suspended == host->suspended || host->state != USB_HOST_CONFIGURED)
        return;
    host->suspended = suspended;
    if (suspended) {
        event_cancel(&host->bus->clock, &host->frame);
        event_after(&host->bus->clock, &host->change, 3 * CYCLES_PER_MS);
        return;
    }
    event_cancel(&host->bus->clock, &host->change);
    host->port->device.suspend(host->port->device.self, false);
    usb_host_start_frames(host);
}

void usb_host_save(struct usb_host *host, struct state *state)
{
    state_var(state, host->state);
    state_var(state, host->address);
    state_var(state, host->step);
    state_var(state, host->attempts);
    state_var(state, host->asked_strings);
    state_var(state, host->suspended);
    state_var(state, host->frame_number);
    state_var(state, host->next_frame);
    state_var(state, host->request);
    state_var(state, host->buffer);
    state_var(state, host->pipe);
    for (unsigned i = 0; i < USB_PIPES; i++) {
        for (struct usb_transfer *at = host->pipe[i].first; at; at = at->next)
            state_var(state, *at);
    }
    state_var(state, host->next_pipe);
    state_var(state, host->device);
    state_var(state, host->config);
    state_var(state, host->config_size);
    state_var(state, host->strings);
    state_event(state, &host->bus->clock, &host->work);
    state_event(state, &host->bus->clock, &host->frame);
    state_event(state, &host->bus->clock, &host->change);
}

void usb_host_init(struct usb_host *host, struct bus *bus)
{
    memset(host, 0, sizeof *host);
    host->bus = bus;
    host->port = &bus->ports->usb;
    for (unsigned i = 0; i < USB_PIPES; i++)
        host->pipe[i].packet = PACKET_MAX;
    event_init(&bus->clock, &host->work, work, host);
    event_init(&bus->clock, &host->frame, frame, host);
    usb_enumerate_init(host);
}
