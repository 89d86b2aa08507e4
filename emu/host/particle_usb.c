/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/particle_usb.h"

#include <stdio.h>
#include <string.h>

#define REQUEST_TIMEOUT (5000 * CYCLES_PER_MS)
#define SERVICE_SIZE    64u
#define CHUNK_MAX       (PARTICLE_PAYLOAD_MAX - 8u) /* with the tag and length before it */

enum {
    TYPE_IN = 0xC0, /* vendor request to the device */
    TYPE_OUT = 0x40,
    SERVICE_INIT = 1,
    SERVICE_CHECK = 2,
    SERVICE_SEND = 3,
    SERVICE_RECV = 4,
    STATUS_OK = 0,
    STATUS_PENDING = 2,
    FIELD_ID = 2,
    FIELD_SIZE = 4,
    FIELD_RESULT = 8,
    REQUEST_START_UPDATE = 250,
    REQUEST_FINISH_UPDATE = 251,
    REQUEST_UPDATE_DATA = 253,
    TAG_FIRST_NUMBER = 0x08, /* protocol buffers: field 1, a number; field 1, bytes */
    TAG_FIRST_BYTES = 0x0A,
};

enum step { STEP_INIT, STEP_ROOM, STEP_SEND, STEP_WAIT, STEP_REPLY };

/* --- one request ------------------------------------------------------------------------------------------
 */

/* What a service request answers: flags, status and, as the flags say, id, size and result. */
struct service {
    uint32_t flags, size, result;
    uint16_t status, id;
};

static uint32_t take(const uint8_t **at, const uint8_t *end, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes && *at < end; i++)
        value |= (uint32_t) * (*at)++ << 8 * i;
    return value;
}

static struct service read_service(const struct particle_request *request)
{
    const uint8_t *at = request->service, *end = at + request->transfer.actual;
    struct service service = {.flags = take(&at, end, 4)};
    service.status = (uint16_t)take(&at, end, 2);
    if (service.flags & FIELD_ID)
        service.id = (uint16_t)take(&at, end, 2);
    if (service.flags & FIELD_SIZE)
        service.size = take(&at, end, 4);
    if (service.flags & FIELD_RESULT)
        service.result = take(&at, end, 4);
    return service;
}

static void end_request(struct particle_request *request, const char *failed)
{
    request->failed = failed;
    request->done(request->context, request);
}

static void answered(void *context, struct usb_transfer *transfer);

static void send(struct particle_request *request, enum step step, uint8_t type, uint8_t service,
                 uint16_t value, uint16_t index, uint8_t *data, uint32_t length)
{
    request->step = step;
    request->transfer = (struct usb_transfer){
        .data = data, .length = length, .timeout = REQUEST_TIMEOUT, .done = answered, .context = request};
    usb_setup(request->transfer.setup, type, service, value, index, (uint16_t)length);
    usb_host_submit(request->host, &request->transfer);
}

static void check(struct particle_request *request, enum step step)
{
    send(request, step, TYPE_IN, SERVICE_CHECK, 0, request->id, request->service, SERVICE_SIZE);
}

static void send_payload(struct particle_request *request)
{
    send(request, STEP_SEND, TYPE_OUT, SERVICE_SEND, 0, request->id, request->payload, request->payload_size);
}

static void take_result(struct particle_request *request, const struct service *service)
{
    request->result = (int32_t)service->result;
    request->reply_size = service->size;
    if (service->size > sizeof request->reply)
        end_request(request, "the reply is too long");
    else if (service->size)
        send(request, STEP_REPLY, TYPE_IN, SERVICE_RECV, 0, request->id, request->reply, service->size);
    else
        end_request(request, NULL);
}

static void take_service(struct particle_request *request)
{
    struct service service = read_service(request);
    if (request->step == STEP_INIT)
        request->id = service.id;
    if (service.status == STATUS_PENDING) {
        check(request, request->step == STEP_INIT ? STEP_ROOM : request->step);
        return;
    }
    if (service.status != STATUS_OK) {
        end_request(request, "the device refuses the request");
        return;
    }
    if (request->step == STEP_WAIT)
        take_result(request, &service);
    else if (request->payload_size)
        send_payload(request);
    else
        check(request, STEP_WAIT);
}

static void answered(void *context, struct usb_transfer *transfer)
{
    struct particle_request *request = context;
    if (transfer->result != USB_OK) {
        end_request(request, usb_result_text(transfer->result));
        return;
    }
    switch ((enum step)request->step) {
    case STEP_INIT:
    case STEP_ROOM:
    case STEP_WAIT:
        take_service(request);
        break;
    case STEP_SEND:
        check(request, STEP_WAIT);
        break;
    case STEP_REPLY:
        end_request(request, NULL);
        break;
    }
}

void particle_request_start(struct particle_request *request, struct usb_host *host)
{
    request->host = host;
    request->failed = NULL;
    request->result = 0;
    request->reply_size = 0;
    send(request, STEP_INIT, TYPE_IN, SERVICE_INIT, (uint16_t)request->payload_size, request->number,
         request->service, SERVICE_SIZE);
}

/* --- an update --------------------------------------------------------------------------------------------
 */

static uint32_t put_number(uint8_t *bytes, uint32_t value)
{
    uint32_t size = 0;
    do {
        bytes[size] = (uint8_t)(value & 0x7f);
        value >>= 7;
        bytes[size] |= value ? 0x80 : 0;
        size++;
    } while (value);
    return size;
}

static uint32_t get_number(const uint8_t *bytes, uint32_t size)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < size && i < 5; i++) {
        value |= (uint32_t)(bytes[i] & 0x7f) << 7 * i;
        if (!(bytes[i] & 0x80))
            break;
    }
    return value;
}

static void end_update(struct particle_update *update, bool ok)
{
    update->ok = ok;
    update->done(update->context, update);
}

static void ask(struct particle_update *update, uint16_t number)
{
    update->request.number = number;
    particle_request_start(&update->request, update->host);
}

static void send_chunk(struct particle_update *update)
{
    struct particle_request *request = &update->request;
    uint32_t left = update->size - update->sent;
    request->payload_size = 0;
    if (!left) {
        ask(update, REQUEST_FINISH_UPDATE);
        return;
    }
    update->waiting = left < update->chunk ? left : update->chunk;
    request->payload[0] = TAG_FIRST_BYTES;
    uint32_t head = 1 + put_number(request->payload + 1, update->waiting);
    memcpy(request->payload + head, update->data + update->sent, update->waiting);
    request->payload_size = head + update->waiting;
    ask(update, REQUEST_UPDATE_DATA);
}

static const char *request_name(uint16_t number)
{
    return number == REQUEST_START_UPDATE ? "start" : number == REQUEST_UPDATE_DATA ? "data" : "finish";
}

static void update_answered(void *context, struct particle_request *request)
{
    struct particle_update *update = context;
    if (request->failed || request->result) {
        const char *name = request_name(request->number);
        if (request->failed)
            snprintf(update->why, sizeof update->why, "%s: %s", name, request->failed);
        else
            snprintf(update->why, sizeof update->why, "%s: result %d", name, (int)request->result);
        end_update(update, false);
        return;
    }
    if (request->number == REQUEST_FINISH_UPDATE) {
        end_update(update, true);
        return;
    }
    if (request->number == REQUEST_START_UPDATE) {
        uint32_t chunk =
            request->reply_size > 1 ? get_number(request->reply + 1, request->reply_size - 1) : 0;
        update->chunk = chunk && chunk < CHUNK_MAX ? chunk : CHUNK_MAX;
    } else {
        update->sent += update->waiting;
    }
    send_chunk(update);
}

void particle_update_start(struct particle_update *update, struct usb_host *host)
{
    struct particle_request *request = &update->request;
    update->host = host;
    update->sent = 0;
    update->why[0] = 0;
    request->done = update_answered;
    request->context = update;
    request->payload[0] = TAG_FIRST_NUMBER;
    request->payload_size = 1 + put_number(request->payload + 1, update->size);
    ask(update, REQUEST_START_UPDATE);
}
