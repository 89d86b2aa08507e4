/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define VERSION        0x0111u
#define OP_DESCRIPTORS 0x8F01u
#define OP_OPEN        0x8F02u
#define CMD_SUBMIT     1u
#define CMD_UNLINK     2u
#define RET_UNLINK     4u
#define HEADER_SIZE    48u
#define CONFIG_MAX     65536u
#define ANSWER_MAX     0x100000u
#define PACKETS_MAX    1024u
#define PACKET_SIZE    16u /* of a packet's descriptor */
#define SETUP_SIZE     8u

static void put32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

uint32_t wire_get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

int wire_connect(void)
{
    const char *text = getenv("SOSIM_USB_PORT");
    long port = text ? strtol(text, NULL, 10) : 0;
    struct sockaddr_in address = {.sin_family = AF_INET};
    int one = 1;
    if (port <= 0 || port > 65535)
        return -1;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int send_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            poll(&wait, 1, 1000);
            continue;
        }
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return LIBUSB_ERROR_NO_DEVICE;
        bytes += sent;
        size -= (size_t)sent;
    }
    return 0;
}

static int receive_all(int fd, uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t got = recv(fd, bytes, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return LIBUSB_ERROR_NO_DEVICE;
        bytes += got;
        size -= (size_t)got;
    }
    return 0;
}

/* Asks for an operation; on success the answer's rest can be read from the connection. */
static int operate(int fd, uint32_t operation)
{
    uint8_t bytes[8] = {0};
    put32(bytes, VERSION << 16 | operation);
    if (send_all(fd, bytes, sizeof bytes) || receive_all(fd, bytes, sizeof bytes))
        return LIBUSB_ERROR_NO_DEVICE;
    return wire_get32(bytes + 4) == 0   ? 0
           : wire_get32(bytes + 4) == 2 ? LIBUSB_ERROR_BUSY
                                        : LIBUSB_ERROR_NO_DEVICE;
}

static int read_descriptors(int fd, uint8_t device[18], uint8_t **config, uint32_t *size)
{
    uint8_t length[4];
    int error = operate(fd, OP_DESCRIPTORS);
    if (error || receive_all(fd, device, 18) || receive_all(fd, length, 4))
        return error ? error : LIBUSB_ERROR_NO_DEVICE;
    *size = wire_get32(length);
    if (*size < 9 || *size > CONFIG_MAX)
        return LIBUSB_ERROR_IO;
    *config = malloc(*size);
    if (!*config)
        return LIBUSB_ERROR_NO_MEM;
    if (!receive_all(fd, *config, *size))
        return 0;
    free(*config);
    return LIBUSB_ERROR_NO_DEVICE;
}

int wire_descriptors(uint8_t device[18], uint8_t **config, uint32_t *size)
{
    int fd = wire_connect();
    if (fd < 0)
        return LIBUSB_ERROR_NO_DEVICE;
    int error = read_descriptors(fd, device, config, size);
    close(fd);
    return error;
}

int wire_open(int *fd)
{
    *fd = wire_connect();
    if (*fd < 0)
        return LIBUSB_ERROR_NO_DEVICE;
    int error = operate(*fd, OP_OPEN);
    if (error)
        close(*fd);
    else
        fcntl(*fd, F_SETFL, O_NONBLOCK);
    return error;
}

/* One descriptor for each frame. */
static int send_packets(int fd, const struct libusb_transfer *transfer)
{
    uint32_t offset = 0;
    int error = 0;
    for (int i = 0; !error && i < transfer->num_iso_packets; i++) {
        uint8_t bytes[PACKET_SIZE] = {0};
        put32(bytes, offset);
        put32(bytes + 4, transfer->iso_packet_desc[i].length);
        offset += transfer->iso_packet_desc[i].length;
        error = send_all(fd, bytes, sizeof bytes);
    }
    return error;
}

int wire_submit(int fd, const struct shim_transfer *transfer)
{
    const struct libusb_transfer *public = &transfer->public;
    bool control = public->type == LIBUSB_TRANSFER_TYPE_CONTROL;
    bool in = (control ? public->buffer[0] : public->endpoint) & LIBUSB_ENDPOINT_IN;
    size_t skip = control ? SETUP_SIZE : 0;
    size_t length = (size_t) public->length - skip;
    uint8_t header[HEADER_SIZE] = {0};
    put32(header, CMD_SUBMIT);
    put32(header + 4, transfer->seqnum);
    put32(header + 8, 1u << 16 | 2u);
    put32(header + 12, in);
    put32(header + 16, public->endpoint & 15u);
    put32(header + 20, public->flags & LIBUSB_TRANSFER_SHORT_NOT_OK ? 1 : 0);
    put32(header + 24, (uint32_t)length);
    put32(header + 28, public->timeout);
    bool isochronous = public->type == LIBUSB_TRANSFER_TYPE_ISOCHRONOUS;
    put32(header + 32, isochronous ? (uint32_t) public->num_iso_packets : UINT32_MAX);
    if (control)
        memcpy(header + 40, public->buffer, SETUP_SIZE);
    int error = send_all(fd, header, sizeof header);
    if (!error && !in)
        error = send_all(fd, public->buffer + skip, length);
    if (!error && isochronous)
        error = send_packets(fd, public);
    return error;
}

int wire_unlink(int fd, uint32_t seqnum, uint32_t victim)
{
    uint8_t header[HEADER_SIZE] = {0};
    put32(header, CMD_UNLINK);
    put32(header + 4, seqnum);
    put32(header + 8, 1u << 16 | 2u);
    put32(header + 20, victim);
    return send_all(fd, header, sizeof header);
}

int wire_receive(struct libusb_device_handle *handle)
{
    if (handle->in_capacity - handle->in_size < 65536) {
        uint8_t *more = realloc(handle->in, handle->in_capacity + 131072);
        if (!more)
            return LIBUSB_ERROR_NO_DEVICE;
        handle->in = more;
        handle->in_capacity += 131072;
    }
    ssize_t got = recv(handle->fd, handle->in + handle->in_size, handle->in_capacity - handle->in_size, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        return LIBUSB_ERROR_NO_DEVICE;
    handle->in_size += (size_t)got;
    return 0;
}

bool wire_answer(const struct libusb_device_handle *handle, bool (*reads)(void *context, uint32_t seqnum),
                 void *context, struct wire_answer *answer)
{
    if (handle->in_size < HEADER_SIZE)
        return false;
    answer->unlink = wire_get32(handle->in) == RET_UNLINK;
    answer->seqnum = wire_get32(handle->in + 4);
    answer->status = (int32_t)wire_get32(handle->in + 20);
    answer->actual = answer->unlink ? 0 : wire_get32(handle->in + 24);
    answer->data = handle->in + HEADER_SIZE;
    bool data = !answer->unlink && answer->actual <= ANSWER_MAX && reads(context, answer->seqnum);
    uint32_t packets = answer->unlink ? 0 : wire_get32(handle->in + 32);
    answer->packet_count = packets <= PACKETS_MAX ? packets : 0;
    answer->packets = answer->data + (data ? answer->actual : 0);
    answer->size = HEADER_SIZE + (data ? answer->actual : 0) + answer->packet_count * PACKET_SIZE;
    return handle->in_size >= answer->size;
}

void wire_consume(struct libusb_device_handle *handle, size_t size)
{
    handle->in_size -= size;
    memmove(handle->in, handle->in + size, handle->in_size);
}
