/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Isochronous transfers from end to end, with a made-up device, for no published firmware has such an
 * endpoint. */
#include "core/ports.h"
#include "host/usbip.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUT_ENDPOINT 3
#define IN_ENDPOINT  0x84
#define IN_SIZE      200u

static const uint8_t device_descriptor[18] = {18, 1, 0, 2, 0, 0, 0, 64, 1, 2, 3, 4, 5, 6, 0, 0, 0, 1};
static const uint8_t configuration[] = {9, 2, 32, 0, 1, 1, 0,   0x80, 50, 9, 4, 0,    0, 2,   1, 1,
                                        0, 0, 7,  5, 3, 1, 200, 0,    1,  7, 5, 0x84, 1, 200, 0, 1};

/* It sends its frame's number in each packet, but in every fourth frame nothing; it keeps what it hears. */
struct device {
    struct bus bus;
    struct usb_host host;
    uint8_t ram[4096];
    uint8_t request[8];
    uint32_t sent; /* of the answer to the request */
    uint16_t frame;
    uint8_t heard[16][IN_SIZE];
    uint32_t heard_size[16];
    uint16_t heard_frame[16];
    unsigned heard_count;
};

static enum usb_answer setup(void *self, uint8_t address, const uint8_t packet[8])
{
    struct device *device = self;
    (void)address;
    memcpy(device->request, packet, 8);
    device->sent = 0;
    return USB_ACK;
}

static enum usb_answer out(void *self, uint8_t address, uint8_t endpoint, bool data1, const uint8_t *data,
                           uint32_t size)
{
    struct device *device = self;
    (void)address;
    (void)data1;
    if (endpoint != OUT_ENDPOINT)
        return USB_ACK;
    cr_assert_lt(device->heard_count, 16u);
    cr_assert_leq(size, IN_SIZE);
    memcpy(device->heard[device->heard_count], data, size);
    device->heard_size[device->heard_count] = size;
    device->heard_frame[device->heard_count++] = device->frame;
    return USB_ACK;
}

static enum usb_answer in(void *self, uint8_t address, uint8_t endpoint, bool *data1, uint8_t *data,
                          uint32_t *size)
{
    struct device *device = self;
    (void)address;
    *data1 = true;
    if (endpoint == 0) {
        const uint8_t *from = device->request[3] == 2 ? configuration : device_descriptor;
        uint32_t length = device->request[3] == 2 ? sizeof configuration : sizeof device_descriptor;
        bool reads = device->request[0] == 0x80;
        if (reads && device->request[3] != 1 && device->request[3] != 2)
            return USB_STALL;
        length = device->request[6] < length ? device->request[6] : length;
        *size = reads ? length : 0;
        memcpy(data, from, *size);
        return USB_ACK;
    }
    if (device->frame % 4 == 3)
        return USB_TIMEOUT;
    *size = 100 + device->frame % 4;
    memset(data, device->frame & 0xff, *size);
    return USB_ACK;
}

static void nothing(void *self)
{
    (void)self;
}

static void frame(void *self, uint16_t number)
{
    ((struct device *)self)->frame = number;
}

static void suspend(void *self, bool suspended)
{
    (void)self;
    (void)suspended;
}

static void run(struct device *device, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++)
        clock_stall(&device->bus.clock, CYCLES_PER_MS);
}

static struct device *device_new(void)
{
    struct device *device = calloc(1, sizeof *device);
    cr_assert_not_null(device);
    cr_assert_eq(bus_init(&device->bus, device->ram, sizeof device->ram, 1), 0);
    device->bus.ports->usb.device = (struct usb_device_end){.setup = setup,
                                                            .out = out,
                                                            .in = in,
                                                            .reset = nothing,
                                                            .frame = frame,
                                                            .suspend = suspend,
                                                            .self = device};
    device->bus.ports->usb.attached = true;
    usb_host_init(&device->host, &device->bus);
    run(device, 1000);
    cr_assert_eq(device->host.state, USB_HOST_CONFIGURED);
    return device;
}

static void device_free(struct device *device)
{
    usb_host_leave(&device->host);
    bus_destroy(&device->bus);
    free(device);
}

/* Waits for the frame before one whose number is 0 modulo 4. */
static void align(struct device *device)
{
    while (device->frame % 4 != 3)
        run(device, 1);
}

Test(usb_iso, each_frame_carries_one_packet)
{
    struct device *device = device_new();
    uint8_t data[4 * IN_SIZE] = {0};
    struct usb_iso_packet packets[5] = {
        {0, 200, 0, 0}, {200, 200, 0, 0}, {400, 50, 0, 0}, {450, 200, 0, 0}, {650, 150, 0, 0}};
    struct usb_transfer transfer = {
        .endpoint = IN_ENDPOINT, .data = data, .length = sizeof data, .packets = packets, .packet_count = 5};
    cr_expect(usb_host_is_isochronous(&device->host, IN_ENDPOINT));
    cr_expect(usb_host_is_isochronous(&device->host, OUT_ENDPOINT));
    cr_expect_not(usb_host_is_isochronous(&device->host, 0));
    align(device);
    uint8_t first = (uint8_t)(device->frame + 1);
    usb_host_submit(&device->host, &transfer);
    run(device, 4);
    cr_expect_not(transfer.finished);
    run(device, 2);
    cr_assert(transfer.finished);
    cr_expect_eq(transfer.result, USB_OK);
    cr_expect_eq(packets[0].actual, 100u);
    cr_expect_eq(packets[1].actual, 101u);
    cr_expect_eq(packets[2].result, USB_OVERFLOW);
    cr_expect_eq(packets[2].actual, 50u);
    cr_expect_eq(packets[3].result, USB_NO_ANSWER);
    cr_expect_eq(packets[3].actual, 0u);
    cr_expect_eq(packets[4].actual, 100u);
    cr_expect_eq(transfer.actual, 351u);
    cr_expect_eq(data[0], first);
    cr_expect_eq(data[300], (uint8_t)(first + 1));
    cr_expect_eq(data[301], 0);
    cr_expect_eq(data[649], 0, "nothing beyond a packet's place");
    cr_expect_eq(data[650], (uint8_t)(first + 4));
    device_free(device);
}

Test(usb_iso, packets_go_out_at_the_pace_of_frames)
{
    struct device *device = device_new();
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    struct usb_iso_packet packets[3] = {{0, 10, 0, 0}, {10, 40, 0, 0}, {50, 201, 0, 0}};
    struct usb_transfer transfer = {
        .endpoint = OUT_ENDPOINT, .data = data, .length = sizeof data, .packets = packets, .packet_count = 3};
    usb_host_submit(&device->host, &transfer);
    run(device, 5);
    cr_assert(transfer.finished);
    cr_assert_eq(device->heard_count, 2u);
    cr_expect_eq(device->heard_size[1], 40u);
    cr_expect_arr_eq(device->heard[1], data + 10, 40);
    cr_expect_eq(device->heard_frame[1], device->heard_frame[0] + 1);
    cr_expect_eq(packets[2].result, USB_OVERFLOW, "more than wMaxPacketSize");
    device_free(device);
}

Test(usb_iso, unplugging_ends_it)
{
    struct device *device = device_new();
    uint8_t data[200];
    struct usb_iso_packet packets[2] = {{0, 100, 0, 0}, {100, 100, 0, 0}};
    struct usb_transfer transfer = {
        .endpoint = IN_ENDPOINT, .data = data, .length = sizeof data, .packets = packets, .packet_count = 2};
    usb_host_submit(&device->host, &transfer);
    device->bus.ports->usb.host.attached(device->bus.ports->usb.host.self, false);
    cr_expect(transfer.finished);
    cr_expect_eq(transfer.result, USB_GONE);
    device_free(device);
}

/* --- over USB/IP ------------------------------------------------------------------------------------------
 */

static void put32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Sends a CMD_SUBMIT of IN packets of 120 bytes each; they begin every `apart` bytes of the buffer. */
static void say_submit(int fd, unsigned count, uint32_t length, uint32_t apart)
{
    uint8_t bytes[48 + 16 * 4] = {0, 0, 0, 1, 0, 0, 0, 9, [15] = 1, [19] = 4};
    put32(bytes + 24, length);
    put32(bytes + 32, count);
    for (unsigned i = 0; i < count; i++) {
        put32(bytes + 48 + 16 * i, i * apart);
        put32(bytes + 52 + 16 * i, 120);
    }
    ssize_t size = (ssize_t)(48 + 16 * count);
    cr_assert_eq(write(fd, bytes, (size_t)size), size);
}

static void serve(struct device *device, struct usbip_server *server, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        usbip_poll(server, 0);
        run(device, 1);
    }
    usbip_poll(server, 0);
}

Test(usb_iso, usbip_packs_what_came)
{
    static const uint8_t import[40] = {0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, '1', '-', '1'};
    struct device *device = device_new();
    struct usbip_server server;
    uint8_t reply[1024];
    int fds[2];
    usbip_init(&server, &device->host);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    cr_assert_eq(usbip_adopt(&server, fds[1]), 0);
    cr_assert_eq(write(fds[0], import, sizeof import), (ssize_t)sizeof import);
    serve(device, &server, 1);
    cr_assert_eq(read(fds[0], reply, sizeof reply), 320);
    align(device);
    uint8_t first = (uint8_t)(device->frame + 1);
    say_submit(fds[0], 4, 600, 150);
    serve(device, &server, 8);
    cr_assert_eq(read(fds[0], reply, sizeof reply), 48 + 303 + 64);
    cr_expect_eq(get32(reply), 3u);
    cr_expect_eq(get32(reply + 20), 0u);
    cr_expect_eq(get32(reply + 24), 303u, "actual length");
    cr_expect_eq(get32(reply + 32), 4u, "packets");
    cr_expect_eq(get32(reply + 36), 1u, "of which one failed");
    cr_expect_eq(reply[48], first);
    cr_expect_eq(reply[48 + 100], (uint8_t)(first + 1), "packed");
    cr_expect_eq(reply[48 + 302], (uint8_t)(first + 2));
    const uint8_t *packets = reply + 48 + 303;
    cr_expect_eq(get32(packets + 16), 150u);
    cr_expect_eq(get32(packets + 20), 120u);
    cr_expect_eq(get32(packets + 24), 101u);
    cr_expect_eq(get32(packets + 28), 0u);
    cr_expect_eq((int32_t)get32(packets + 60), -71, "EPROTO");
    /* A packet beyond the buffer, and no packets at all. */
    say_submit(fds[0], 4, 569, 150);
    serve(device, &server, 1);
    cr_assert_eq(read(fds[0], reply, sizeof reply), 48);
    cr_expect_eq((int32_t)get32(reply + 20), -22, "EINVAL");
    say_submit(fds[0], 0, 600, 150);
    serve(device, &server, 1);
    cr_assert_eq(read(fds[0], reply, sizeof reply), 48);
    cr_expect_eq((int32_t)get32(reply + 20), -22);
    close(fds[0]);
    usbip_close(&server);
    device_free(device);
}

/* --- through our libusb -----------------------------------------------------------------------------------
 */

static void finished(struct libusb_transfer *transfer)
{
    *(int *)transfer->user_data = 1;
}

#define take(name) __typeof__(name) *name##_p = (__typeof__(name) *)dlsym(library, #name)

/* The program: reads four packets. Ends with 0 if they are as they should be, else with the failed step. */
static int program(void)
{
    void *library = dlopen(SOSIM_LIBUSB, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return 1;
    take(libusb_init);
    take(libusb_open_device_with_vid_pid);
    take(libusb_alloc_transfer);
    take(libusb_submit_transfer);
    take(libusb_handle_events_completed);
    take(libusb_free_transfer);
    take(libusb_close);
    take(libusb_exit);
    libusb_context *context;
    uint8_t data[4 * 150] = {0};
    int completed = 0;
    if (libusb_init_p(&context))
        return 2;
    libusb_device_handle *handle = libusb_open_device_with_vid_pid_p(context, 0x0201, 0x0403);
    struct libusb_transfer *transfer = libusb_alloc_transfer_p(4);
    if (!handle || !transfer)
        return 3;
    libusb_fill_iso_transfer(transfer, handle, IN_ENDPOINT, data, sizeof data, 4, finished, &completed, 1000);
    libusb_set_iso_packet_lengths(transfer, 150);
    if (libusb_submit_transfer_p(transfer))
        return 4;
    while (!completed)
        libusb_handle_events_completed_p(context, &completed);
    unsigned silent = 0;
    for (int i = 0; i < 4; i++) {
        const struct libusb_iso_packet_descriptor *packet = &transfer->iso_packet_desc[i];
        const uint8_t *bytes = libusb_get_iso_packet_buffer_simple(transfer, (unsigned)i);
        if (packet->status != LIBUSB_TRANSFER_COMPLETED)
            silent++;
        else if (packet->actual_length < 100 || bytes[0] != bytes[packet->actual_length - 1] ||
                 bytes[packet->actual_length] || bytes[0] % 4 != packet->actual_length - 100)
            return 5;
    }
    int status = transfer->status;
    libusb_free_transfer_p(transfer);
    libusb_close_p(handle);
    libusb_exit_p(context);
    return status ? 6 : silent == 1 ? 0 : 7;
}

Test(usb_iso, programs_read_packets_by_our_libusb, .timeout = 60)
{
    struct device *device = device_new();
    struct usbip_server server;
    struct diag why = {{0}};
    char port[16];
    int status = 0;
    cr_assert_eq(usbip_open(&server, &device->host, NULL, 0, &why), 0, "%s", why.text);
    snprintf(port, sizeof port, "%u", server.port);
    setenv("SOSIM_USB_PORT", port, 1);
    pid_t child = fork();
    if (child == 0)
        _exit(program());
    while (waitpid(child, &status, WNOHANG) == 0) {
        usbip_poll(&server, 1);
        run(device, 1);
    }
    cr_expect(WIFEXITED(status));
    cr_expect_eq(WEXITSTATUS(status), 0, "step %d", WEXITSTATUS(status));
    usbip_close(&server);
    device_free(device);
}
