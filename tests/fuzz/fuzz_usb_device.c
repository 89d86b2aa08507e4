/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever a USB device says to our own host: hostile descriptors, packets of any size, stalls and silence at
 * any time, while it is enumerated and while it is asked to do what scenarios can ask for. The first byte
 * says what the host does; the others are the device's answers.
 */
#include "host/cdc_serial.h"
#include "host/dfu.h"
#include "host/particle_usb.h"
#include "host/ymodem.h"

#include "core/ports.h"

#include <stdlib.h>
#include <string.h>

#define DATA_SIZE 5000u

enum act { ENUMERATE, DOWNLOAD, UPLOAD, REQUEST, UPDATE, SERIAL, YMODEM, ACTS };

struct device {
    const uint8_t *at, *end;
    bool toggle;
};

static uint8_t next(struct device *device)
{
    return device->at < device->end ? *device->at++ : 0xff;
}

static enum usb_answer any_answer(struct device *device)
{
    uint8_t byte = next(device);
    return byte < 0xf0 ? USB_ACK : (enum usb_answer)(byte % 4);
}

static enum usb_answer setup(void *self, uint8_t address, const uint8_t packet[8])
{
    (void)address;
    (void)packet;
    return any_answer(self);
}

static enum usb_answer out(void *self, uint8_t address, uint8_t endpoint, bool data1, const uint8_t *data,
                           uint32_t size)
{
    (void)address;
    (void)endpoint;
    (void)data1;
    (void)data;
    return size ? any_answer(self) : USB_ACK;
}

static enum usb_answer in(void *self, uint8_t address, uint8_t endpoint, bool *data1, uint8_t *data,
                          uint32_t *size)
{
    struct device *device = self;
    uint32_t wanted = next(device);
    (void)address;
    (void)endpoint;
    if (device->at == device->end)
        return USB_NAK;
    device->toggle = !device->toggle;
    *data1 = wanted & 0x80 ? device->toggle : true;
    *size = (wanted & 0x7f) < *size ? wanted & 0x7f : *size;
    for (uint32_t i = 0; i < *size; i++)
        data[i] = next(device);
    return USB_ACK;
}

static void nothing(void *self)
{
    (void)self;
}

static void frame(void *self, uint16_t number)
{
    (void)self;
    (void)number;
}

static void suspend(void *self, bool suspended)
{
    (void)self;
    (void)suspended;
}

/* What the host is busy with. */
struct work {
    struct dfu_job dfu;
    struct particle_request request;
    struct particle_update update;
    struct cdc_job serial;
    struct ymodem_job ymodem;
    uint8_t data[DATA_SIZE];
};

static void dfu_done(void *context, struct dfu_job *job)
{
    (void)context;
    (void)job;
}

static void request_done(void *context, struct particle_request *request)
{
    (void)context;
    (void)request;
}

static void update_done(void *context, struct particle_update *update)
{
    (void)context;
    (void)update;
}

static void serial_done(void *context, struct cdc_job *job)
{
    (void)context;
    (void)job;
}

static void ymodem_done(void *context, struct ymodem_job *job)
{
    (void)context;
    (void)job;
}

static void start(struct work *work, struct usb_host *host, enum act act)
{
    switch (act) {
    case DOWNLOAD:
    case UPLOAD:
        work->dfu = (struct dfu_job){.kind = act == UPLOAD ? DFU_UPLOAD : DFU_DOWNLOAD,
                                     .data = work->data,
                                     .size = DATA_SIZE,
                                     .leave = true,
                                     .done = dfu_done};
        dfu_start(&work->dfu, host);
        break;
    case REQUEST:
        work->request.done = request_done;
        particle_request_start(&work->request, host);
        break;
    case UPDATE:
        work->update = (struct particle_update){.data = work->data, .size = DATA_SIZE, .done = update_done};
        particle_update_start(&work->update, host);
        break;
    case SERIAL:
        work->serial =
            (struct cdc_job){.wanted = "wanted", .timeout = 100 * CYCLES_PER_MS, .done = serial_done};
        cdc_start(&work->serial, host);
        break;
    case YMODEM:
        work->ymodem = (struct ymodem_job){.data = work->data, .size = DATA_SIZE, .done = ymodem_done};
        ymodem_start(&work->ymodem, host);
        break;
    default:
        break;
    }
}

/* A serial line, as after an enumeration. */
static void configure(struct usb_host *host)
{
    static const uint8_t device[18] = {18, 1, 0, 2, 0, 0, 0, 64, 4, 0x2b, 0x0d, 0xc0, 0, 0, 0, 0, 0, 1};
    static const uint8_t config[] = {9, 2, 41, 0, 2, 1, 0, 0xc0, 50, 9, 4,  0, 0, 0, 2, 2,    1, 0,  9, 4, 1,
                                     0, 2, 10, 0, 0, 0, 7, 5,    1,  2, 64, 0, 0, 7, 5, 0x81, 2, 64, 0, 0};
    memcpy(host->device, device, sizeof device);
    memcpy(host->config, config, sizeof config);
    host->config_size = sizeof config;
    host->state = USB_HOST_CONFIGURED;
    host->address = 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t ram[4096];
    struct device device = {.at = data + 1, .end = data + size};
    struct bus *bus = calloc(1, sizeof *bus);
    struct usb_host *host = calloc(1, sizeof *host);
    struct work *work = calloc(1, sizeof *work);
    if (!size) {
        free(bus);
        free(host);
        free(work);
        return 0;
    }
    if (!bus || !host || !work || bus_init(bus, ram, sizeof ram, 1))
        abort();
    enum act act = (enum act)(data[0] % ACTS);
    bus->ports->usb.device = (struct usb_device_end){.setup = setup,
                                                     .out = out,
                                                     .in = in,
                                                     .reset = nothing,
                                                     .frame = frame,
                                                     .suspend = suspend,
                                                     .self = &device};
    bus->ports->usb.attached = act == ENUMERATE;
    usb_host_init(host, bus);
    if (act != ENUMERATE) {
        configure(host);
        start(work, host, act);
    }
    for (unsigned i = 0; i < 1000 && device.at < device.end; i++)
        clock_stall(&bus->clock, CYCLES_PER_MS);
    usb_host_leave(host);
    bus_destroy(bus);
    free(work);
    free(host);
    free(bus);
    return 0;
}
