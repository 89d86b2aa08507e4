/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the host meets a device; see usb_host.h. */
#include "host/usb_host_internal.h"

#include <string.h>

#define DEBOUNCE       (100 * CYCLES_PER_MS)
#define RESET_TIME     (50 * CYCLES_PER_MS)
#define RECOVERY       (10 * CYCLES_PER_MS)
#define ASK_TIMEOUT    (5000 * CYCLES_PER_MS)
#define ATTEMPTS       3u
#define ADDRESS        1u
#define LANGUAGE       0x0409u
#define MAX_PACKET_EP0 64u

/* Linux's order. */
enum step {
    STEP_FIRST_RESET,
    STEP_DEVICE_64, /* only to learn that somebody is there, and the packet size */
    STEP_SECOND_RESET,
    STEP_SET_ADDRESS,
    STEP_SETTLE,
    STEP_DEVICE,
    STEP_QUALIFIER, /* a full-speed device stalls it; asked three times */
    STEP_QUALIFIER_AGAIN,
    STEP_QUALIFIER_LAST,
    STEP_CONFIG_9,
    STEP_CONFIG,
    STEP_LANGUAGES,
    STEP_PRODUCT,
    STEP_MANUFACTURER,
    STEP_SERIAL,
    STEP_SET_CONFIGURATION,
    STEP_DONE,
};

static void do_step(struct usb_host *host);

static void wait_for(struct usb_host *host, uint64_t cycles)
{
    event_after(&host->bus->clock, &host->change, cycles);
    clock_kick(&host->bus->clock);
}

static void begin_reset(struct usb_host *host)
{
    host->state = USB_HOST_RESET;
    host->address = 0;
    event_cancel(&host->bus->clock, &host->frame);
    wait_for(host, RESET_TIME);
}

static void end_reset(struct usb_host *host)
{
    host->state = USB_HOST_RECOVERY;
    host->port->device.reset(host->port->device.self);
    usb_host_start_frames(host);
    wait_for(host, RECOVERY);
}

static void lose_configuration(struct usb_host *host)
{
    bool was_configured = host->state == USB_HOST_CONFIGURED;
    host->state = USB_HOST_EMPTY;
    usb_host_drop_all(host, USB_GONE);
    if (was_configured && host->changed)
        host->changed(host->changed_context, false);
}

static void start_over(struct usb_host *host)
{
    host->step = STEP_FIRST_RESET;
    host->suspended = false;
    host->state = USB_HOST_DEBOUNCE;
    wait_for(host, DEBOUNCE);
}

static void attached(void *self, bool attached)
{
    struct usb_host *host = self;
    event_cancel(&host->bus->clock, &host->change);
    event_cancel(&host->bus->clock, &host->frame);
    lose_configuration(host);
    host->attempts = 0;
    if (attached)
        start_over(host);
}

void usb_host_reset_device(struct usb_host *host)
{
    bool there = host->port->attached;
    attached(host, false);
    if (!there)
        return;
    host->step = STEP_FIRST_RESET;
    begin_reset(host);
}

/* --- requests ---------------------------------------------------------------------------------------------
 */

static void fail(struct usb_host *host)
{
    if (++host->attempts < ATTEMPTS) {
        start_over(host);
        return;
    }
    host->state = USB_HOST_FAILED;
    event_cancel(&host->bus->clock, &host->frame);
}

static uint16_t word_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static unsigned put_utf8(char *text, uint16_t unit)
{
    if (unit < 0x80) {
        text[0] = (char)unit;
        return 1;
    }
    if (unit < 0x800) {
        text[0] = (char)(0xc0 | unit >> 6);
        text[1] = (char)(0x80 | (unit & 0x3f));
        return 2;
    }
    text[0] = (char)(0xe0 | unit >> 12);
    text[1] = (char)(0x80 | (unit >> 6 & 0x3f));
    text[2] = (char)(0x80 | (unit & 0x3f));
    return 3;
}

/* A string descriptor's UTF-16 as UTF-8; a surrogate is kept as it is. */
static void take_string(char text[USB_STRING_MAX], const uint8_t *bytes, uint32_t size)
{
    unsigned at = 0;
    uint32_t end = size && bytes[0] < size ? bytes[0] : size;
    for (uint32_t i = 2; i + 1 < end && at + 4 < USB_STRING_MAX; i += 2)
        at += put_utf8(text + at, word_at(bytes + i));
    text[at] = 0;
}

/* Whether the answer to the present step lets the enumeration go on. */
static bool take_answer(struct usb_host *host)
{
    const struct usb_transfer *got = &host->request;
    bool ok = got->result == USB_OK;
    switch (host->step) {
    case STEP_DEVICE_64:
        return ok && got->actual >= 8 && host->buffer[1] == DESCRIPTOR_DEVICE;
    case STEP_DEVICE:
        memcpy(host->device, host->buffer, sizeof host->device);
        return ok && got->actual == sizeof host->device && host->device[1] == DESCRIPTOR_DEVICE;
    case STEP_CONFIG_9:
        return ok && got->actual == 9 && word_at(host->buffer + 2) >= 9 &&
               word_at(host->buffer + 2) <= USB_CONFIG_MAX;
    case STEP_CONFIG:
        memcpy(host->config, host->buffer, got->actual);
        host->config_size = got->actual;
        return ok && got->actual >= 9;
    case STEP_PRODUCT:
        take_string(host->strings[2], host->buffer, ok ? got->actual : 0);
        return true;
    case STEP_MANUFACTURER:
        take_string(host->strings[1], host->buffer, ok ? got->actual : 0);
        return true;
    case STEP_SERIAL:
        take_string(host->strings[3], host->buffer, ok ? got->actual : 0);
        return true;
    case STEP_QUALIFIER:
    case STEP_QUALIFIER_AGAIN:
    case STEP_QUALIFIER_LAST:
    case STEP_LANGUAGES:
        return true; /* a stall is an answer, too */
    default:
        return ok;
    }
}

static void answered(void *context, struct usb_transfer *transfer)
{
    struct usb_host *host = context;
    if (transfer->result == USB_GONE || host->state != USB_HOST_ENUMERATING)
        return;
    if (!take_answer(host)) {
        fail(host);
        return;
    }
    host->step++;
    do_step(host);
}

static void ask(struct usb_host *host, uint8_t type, uint8_t request, uint16_t value, uint16_t index,
                uint16_t length)
{
    struct usb_transfer *transfer = &host->request;
    *transfer = (struct usb_transfer){
        .data = host->buffer, .length = length, .timeout = ASK_TIMEOUT, .done = answered, .context = host};
    usb_setup(transfer->setup, type, request, value, index, length);
    usb_host_queue(host, transfer);
}

static void ask_descriptor(struct usb_host *host, unsigned type, unsigned index, uint16_t length)
{
    ask(host, TYPE_STANDARD_IN, REQUEST_GET_DESCRIPTOR, (uint16_t)(type << 8 | index),
        type == DESCRIPTOR_STRING && index ? LANGUAGE : 0, length);
}

/* A string that the device has none of is not asked for. */
static void ask_string(struct usb_host *host, unsigned field, unsigned number)
{
    if (host->device[field]) {
        ask_descriptor(host, DESCRIPTOR_STRING, host->device[field], 255);
        return;
    }
    host->strings[number][0] = 0;
    host->step++;
    do_step(host);
}

static void become_configured(struct usb_host *host)
{
    host->state = USB_HOST_CONFIGURED;
    host->attempts = 0;
    if (host->changed)
        host->changed(host->changed_context, true);
}

static void do_step(struct usb_host *host)
{
    host->state = USB_HOST_ENUMERATING;
    switch (host->step) {
    case STEP_FIRST_RESET:
    case STEP_SECOND_RESET:
        begin_reset(host);
        break;
    case STEP_DEVICE_64:
        ask_descriptor(host, DESCRIPTOR_DEVICE, 0, 64);
        break;
    case STEP_SET_ADDRESS:
        ask(host, 0, REQUEST_SET_ADDRESS, ADDRESS, 0, 0);
        break;
    case STEP_SETTLE:
        host->address = ADDRESS;
        host->state = USB_HOST_RECOVERY;
        wait_for(host, RECOVERY);
        break;
    case STEP_DEVICE:
        ask_descriptor(host, DESCRIPTOR_DEVICE, 0, sizeof host->device);
        break;
    case STEP_QUALIFIER:
    case STEP_QUALIFIER_AGAIN:
    case STEP_QUALIFIER_LAST:
        ask_descriptor(host, DESCRIPTOR_QUALIFIER, 0, 10);
        break;
    case STEP_CONFIG_9:
        ask_descriptor(host, DESCRIPTOR_CONFIG, 0, 9);
        break;
    case STEP_CONFIG:
        ask_descriptor(host, DESCRIPTOR_CONFIG, 0, word_at(host->buffer + 2));
        break;
    case STEP_LANGUAGES:
        ask_descriptor(host, DESCRIPTOR_STRING, 0, 255);
        break;
    case STEP_PRODUCT:
        ask_string(host, 15, 2);
        break;
    case STEP_MANUFACTURER:
        ask_string(host, 14, 1);
        break;
    case STEP_SERIAL:
        ask_string(host, 16, 3);
        break;
    case STEP_SET_CONFIGURATION:
        ask(host, 0, REQUEST_SET_CONFIGURATION, host->config[5], 0, 0);
        break;
    default:
        become_configured(host);
        break;
    }
}

/* A time that had to go by has gone by. */
static void change(void *owner)
{
    struct usb_host *host = owner;
    switch (host->state) {
    case USB_HOST_DEBOUNCE:
        do_step(host);
        break;
    case USB_HOST_RESET:
        end_reset(host);
        break;
    case USB_HOST_RECOVERY:
        host->step++;
        do_step(host);
        break;
    case USB_HOST_CONFIGURED:
        host->port->device.suspend(host->port->device.self, true);
        break;
    default:
        break;
    }
}

/* --- what requests mean for the pipes ---------------------------------------------------------------------
 */

static struct usb_pipe *pipe_of(struct usb_host *host, uint8_t endpoint)
{
    return &host->pipe[(endpoint & 15u) + (endpoint & 0x80 ? 16u : 0u)];
}

/* USB 2.0, table 9-13, for full speed. */
static uint16_t interval_ms(uint8_t attributes, uint8_t interval)
{
    switch (attributes & 3) {
    case 1:
        return (uint16_t)(1u << (interval && interval <= 16 ? interval - 1 : 0));
    case 3:
        return interval ? interval : 1;
    default:
        return 0;
    }
}

/* Takes the endpoints of an alternate setting; `interface` -1: of all interfaces, setting 0. */
static void take_endpoints(struct usb_host *host, int interface, unsigned setting)
{
    bool wanted = false;
    const uint8_t *at = host->config;
    const uint8_t *end = at + host->config_size;
    for (; end - at >= 2 && at[0] >= 2 && at[0] <= end - at; at += at[0]) {
        if (at[1] == DESCRIPTOR_INTERFACE && at[0] >= 9)
            wanted = at[3] == setting && (interface < 0 || at[2] == interface);
        if (at[1] != DESCRIPTOR_ENDPOINT || at[0] < 7 || !wanted || !(at[2] & 15))
            continue;
        struct usb_pipe *pipe = pipe_of(host, at[2]);
        uint16_t packet = word_at(at + 4) & 0x7ff;
        pipe->data1 = false;
        pipe->isochronous = (at[3] & 3) == 1;
        uint16_t most = pipe->isochronous ? USB_ISO_MAX : MAX_PACKET_EP0;
        pipe->packet = packet && packet < most ? packet : most;
        pipe->interval_ms = interval_ms(at[3], at[6]);
    }
}

void usb_enumerate_note(struct usb_host *host, const struct usb_transfer *transfer)
{
    const uint8_t *setup = transfer->setup;
    if (setup[0] == 0 && setup[1] == REQUEST_SET_CONFIGURATION)
        take_endpoints(host, -1, 0);
    else if (setup[0] == TYPE_INTERFACE && setup[1] == REQUEST_SET_INTERFACE)
        take_endpoints(host, setup[4], setup[2]);
    else if (setup[0] == TYPE_ENDPOINT && setup[1] == REQUEST_CLEAR_FEATURE && setup[4] & 15)
        pipe_of(host, setup[4])->data1 = false;
}

static void wakeup(void *self)
{
    usb_host_suspend(self, false);
}

void usb_host_leave(struct usb_host *host)
{
    host->port->host = (struct usb_host_end){0};
    attached(host, false);
}

void usb_enumerate_init(struct usb_host *host)
{
    event_init(&host->bus->clock, &host->change, change, host);
    host->port->host = (struct usb_host_end){.attached = attached, .wakeup = wakeup, .self = host};
    if (host->port->attached)
        start_over(host);
}
