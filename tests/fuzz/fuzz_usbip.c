/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever a USB/IP client sends. The first byte picks what stands before the fuzzed bytes: nothing, or a
 * complete import. The device is a made-up one that answers by the bytes it was given.
 */
#include "host/usbip.h"

#include "core/ports.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 8

static enum usb_answer any_answer(uint8_t byte)
{
    return (enum usb_answer)(byte % 4);
}

static enum usb_answer setup(void *self, uint8_t address, const uint8_t packet[8])
{
    (void)self;
    return address ? any_answer(packet[7]) : USB_ACK;
}

static enum usb_answer out(void *self, uint8_t address, uint8_t endpoint, bool data1, const uint8_t *data,
                           uint32_t size)
{
    (void)self;
    (void)address;
    (void)data1;
    return size ? any_answer(data[0]) : any_answer(endpoint);
}

static enum usb_answer in(void *self, uint8_t address, uint8_t endpoint, bool *data1, uint8_t *data,
                          uint32_t *size)
{
    uint8_t *toggle = self;
    (void)address;
    *toggle ^= 1;
    *data1 = *toggle;
    *size = endpoint * 7u % 65;
    memset(data, endpoint, *size);
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

static void talk(struct bus *bus, struct usbip_server *server, const uint8_t *data, size_t size)
{
    static const uint8_t import[40] = {0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, '1', '-', '1'};
    int fds[2];
    uint8_t drain[4096];
    if (!size || socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
        return;
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    if (usbip_adopt(server, fds[1]))
        abort();
    if (data[0] & 1 && write(fds[0], import, sizeof import) < 0)
        abort();
    if (size > 1 && write(fds[0], data + 1, size - 1) < 0)
        return;
    for (unsigned i = 0; i < ROUNDS; i++) {
        usbip_poll(server, 0);
        clock_stall(&bus->clock, CYCLES_PER_MS);
        while (read(fds[0], drain, sizeof drain) > 0)
            continue;
    }
    close(fds[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t device[18] = {18, 1, 0, 2, 0, 0, 0, 64, 1, 2, 3, 4, 5, 6, 1, 2, 3, 1};
    static uint8_t ram[4096];
    uint8_t toggle = 0;
    struct bus *bus = calloc(1, sizeof *bus);
    struct usb_host *host = calloc(1, sizeof *host);
    struct usbip_server server;
    if (!bus || !host || bus_init(bus, ram, sizeof ram, 1))
        abort();
    bus->ports->usb.device = (struct usb_device_end){.setup = setup,
                                                     .out = out,
                                                     .in = in,
                                                     .reset = nothing,
                                                     .frame = frame,
                                                     .suspend = suspend,
                                                     .self = &toggle};
    usb_host_init(host, bus);
    /* As after an enumeration; the configuration is part of the hostile input. */
    memcpy(host->device, device, sizeof device);
    host->config_size = (uint32_t)(size < USB_CONFIG_MAX ? size : USB_CONFIG_MAX);
    memcpy(host->config, data, host->config_size);
    host->state = USB_HOST_CONFIGURED;
    host->address = 1;
    usbip_init(&server, host);
    talk(bus, &server, data, size);
    usbip_poll(&server, 0);
    usbip_close(&server);
    usb_host_leave(host);
    bus_destroy(bus);
    free(host);
    free(bus);
    return 0;
}
