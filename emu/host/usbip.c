/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/usbip.h"

#include "core/room.h"

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

#define VERSION      0x0111u
#define URBS_MAX     64u
#define LENGTH_MAX   0x100000u /* bytes of one transfer */
#define OUT_MAX      0x800000u /* waiting for a client that does not read */
#define PATH_SIZE    256u
#define BUSID        "1-1"
#define BUSID_SIZE   32u
#define DEVICE_SIZE  (PATH_SIZE + BUSID_SIZE + 24u)
#define REQUEST_SIZE 8u
#define ISO_MAX      1024u /* packets of one transfer */
#define ISO_SIZE     16u   /* of a packet's descriptor */
#define HEADER_SIZE  48u
#define SPEED_FULL   2u
#define BUS_NUMBER   1u
#define DEV_NUMBER   2u

enum operation {
    OP_DEVLIST = 0x05,
    OP_IMPORT = 0x03,
    OP_DESCRIPTORS = 0xF01,
    OP_OPEN = 0xF02,
    OP_REQUEST = 0x8000,
};

enum status { ST_OK, ST_NA, ST_BUSY, ST_ERROR, ST_NODEV };

enum command {
    CMD_SUBMIT = 1,
    CMD_UNLINK = 2,
    RET_SUBMIT = 3,
    RET_UNLINK = 4,
};

#define SHORT_NOT_OK 1u /* transfer_flags: URB_SHORT_NOT_OK */

/* Linux's error numbers, which the protocol carries. */
enum linux_errno {
    LINUX_ENODEV = 19,
    LINUX_EINVAL = 22,
    LINUX_EPIPE = 32,
    LINUX_EPROTO = 71,
    LINUX_EOVERFLOW = 75,
    LINUX_ECONNRESET = 104,
    LINUX_ETIMEDOUT = 110,
    LINUX_EREMOTEIO = 121,
};

struct usbip_urb {
    struct usb_transfer transfer;
    struct usbip_client *client;
    struct usbip_urb *next;
    uint32_t seqnum;
    uint32_t flags;
    uint32_t unlink_seqnum; /* of the CMD_UNLINK that took it back */
    bool unlinked;
    bool quiet; /* the client is gone */
    uint8_t *buffer;
    struct usb_iso_packet *packets; /* isochronous */
};

static uint32_t get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void put16(uint8_t *bytes, unsigned value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static void put32(uint8_t *bytes, uint32_t value)
{
    put16(bytes, value >> 16);
    put16(bytes + 2, value & 0xffff);
}

/* --- bytes ------------------------------------------------------------------------------------------------
 */

static int append(struct usbip_bytes *bytes, const void *data, size_t size)
{
    uint8_t *more = room_for(bytes->data, bytes->size + size, &bytes->capacity, 1);
    if (!more)
        return ENOMEM;
    bytes->data = more;
    if (size)
        memcpy(more + bytes->size, data, size);
    bytes->size += size;
    return 0;
}

static void drop_front(struct usbip_bytes *bytes, size_t size)
{
    bytes->size -= size;
    if (bytes->size)
        memmove(bytes->data, bytes->data + size, bytes->size);
}

static void free_bytes(struct usbip_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct usbip_bytes){0};
}

/* --- clients that go --------------------------------------------------------------------------------------
 */

static void restored(void *context, struct usb_transfer *transfer);

/* Puts the next interface that a client left behind back to altsetting 0. */
static void restore_next(struct usbip_server *server)
{
    if (!server->restore_settings || server->host->state != USB_HOST_CONFIGURED) {
        server->restore_settings = 0;
        server->restore.finished = true;
        return;
    }
    unsigned interface = 0;
    while (!(server->restore_settings >> interface & 1))
        interface++;
    server->restore_settings &= ~(1u << interface);
    server->restore =
        (struct usb_transfer){.timeout = 1000 * CYCLES_PER_MS, .done = restored, .context = server};
    usb_setup(server->restore.setup, 1, 11, 0, (uint16_t)interface, 0);
    usb_host_submit(server->host, &server->restore);
}

static void restored(void *context, struct usb_transfer *transfer)
{
    (void)transfer;
    restore_next(context);
}

static void drop_urbs(struct usbip_client *client)
{
    for (struct usbip_urb *urb = client->urbs; urb; urb = urb->next)
        urb->quiet = true;
    while (client->urbs)
        usb_host_cancel(client->server->host, &client->urbs->transfer);
}

static void end_client(struct usbip_client *client)
{
    struct usbip_server *server = client->server;
    drop_urbs(client);
    close(client->fd);
    free_bytes(&client->in);
    free_bytes(&client->out);
    uint32_t settings = client->settings;
    *client = (struct usbip_client){.server = server, .fd = -1};
    server->restore_settings |= settings;
    if (settings && server->restore.finished)
        restore_next(server);
}

/* Nobody else may be answered from here on; what is in `out` still goes. */
static void close_after_sending(struct usbip_client *client)
{
    client->state = USBIP_CLOSING;
    client->settings = 0;
}

static void reply(struct usbip_client *client, const void *data, size_t size)
{
    if (client->out.size + size > OUT_MAX || append(&client->out, data, size))
        close_after_sending(client);
}

/* --- transfers --------------------------------------------------------------------------------------------
 */

static int32_t result_number(enum usb_result result)
{
    switch (result) {
    case USB_OK:
        return 0;
    case USB_STALLED:
        return -LINUX_EPIPE;
    case USB_TIMED_OUT:
        return -LINUX_ETIMEDOUT;
    case USB_CANCELLED:
        return -LINUX_ECONNRESET;
    case USB_GONE:
        return -LINUX_ENODEV;
    case USB_NO_ANSWER:
        return -LINUX_EPROTO;
    case USB_OVERFLOW:
        return -LINUX_EOVERFLOW;
    }
    return -LINUX_EPROTO;
}

static int32_t error_number(const struct usbip_urb *urb)
{
    const struct usb_transfer *transfer = &urb->transfer;
    bool too_short = urb->flags & SHORT_NOT_OK && !urb->packets && transfer->actual < transfer->length;
    return transfer->result == USB_OK && too_short ? -LINUX_EREMOTEIO : result_number(transfer->result);
}

static bool urb_reads(const struct usb_transfer *transfer)
{
    return (transfer->endpoint & 15 ? transfer->endpoint : transfer->setup[0]) & 0x80;
}

static void reply_iso_header(struct usbip_client *client, enum command command, uint32_t seqnum,
                             int32_t status, uint32_t actual, uint32_t packets, uint32_t errors)
{
    uint8_t header[HEADER_SIZE] = {0};
    put32(header, command);
    put32(header + 4, seqnum);
    put32(header + 20, (uint32_t)status);
    put32(header + 24, actual);
    put32(header + 32, packets);
    put32(header + 36, errors);
    reply(client, header, sizeof header);
}

static void reply_header(struct usbip_client *client, enum command command, uint32_t seqnum, int32_t status,
                         uint32_t actual)
{
    reply_iso_header(client, command, seqnum, status, actual, 0, 0);
}

/* What came lies packed in the answer, each packet behind the one before. */
static void answer_iso(const struct usbip_urb *urb)
{
    struct usbip_client *client = urb->client;
    const struct usb_transfer *transfer = &urb->transfer;
    uint32_t errors = 0;
    for (uint32_t i = 0; i < transfer->packet_count; i++)
        errors += urb->packets[i].result != USB_OK;
    reply_iso_header(client, RET_SUBMIT, urb->seqnum, error_number(urb), transfer->actual,
                     transfer->packet_count, errors);
    for (uint32_t i = 0; urb_reads(transfer) && i < transfer->packet_count; i++)
        reply(client, urb->buffer + urb->packets[i].offset, urb->packets[i].actual);
    for (uint32_t i = 0; i < transfer->packet_count; i++) {
        const struct usb_iso_packet *packet = &urb->packets[i];
        uint8_t bytes[ISO_SIZE];
        put32(bytes, packet->offset);
        put32(bytes + 4, packet->length);
        put32(bytes + 8, packet->actual);
        put32(bytes + 12, (uint32_t)result_number(packet->result));
        reply(client, bytes, sizeof bytes);
    }
}

static void answer_urb(const struct usbip_urb *urb)
{
    struct usbip_client *client = urb->client;
    if (urb->unlinked) {
        reply_header(client, RET_UNLINK, urb->unlink_seqnum, error_number(urb), 0);
        return;
    }
    if (urb->packets) {
        answer_iso(urb);
        return;
    }
    reply_header(client, RET_SUBMIT, urb->seqnum, error_number(urb), urb->transfer.actual);
    if (urb_reads(&urb->transfer))
        reply(client, urb->buffer, urb->transfer.actual);
}

static void note_setting(struct usbip_client *client, const struct usb_transfer *transfer)
{
    const uint8_t *setup = transfer->setup;
    if (transfer->endpoint & 15 || setup[0] != 1 || setup[1] != 11 || setup[4] > 31)
        return;
    uint32_t bit = 1u << setup[4];
    client->settings = setup[2] ? client->settings | bit : client->settings & ~bit;
}

static void free_urb(struct usbip_urb *urb)
{
    free(urb->packets);
    free(urb->buffer);
    free(urb);
}

static void urb_done(void *context, struct usb_transfer *transfer)
{
    struct usbip_urb *urb = context;
    struct usbip_client *client = urb->client;
    struct usbip_urb **link = &client->urbs;
    while (*link && *link != urb)
        link = &(*link)->next;
    if (*link)
        *link = urb->next;
    client->urb_count--;
    if (client->server->answered)
        client->server->answered(client->server->answered_context);
    if (!urb->quiet) {
        if (transfer->result == USB_OK)
            note_setting(client, transfer);
        answer_urb(urb);
    }
    free_urb(urb);
}

static void refuse(struct usbip_client *client, uint32_t seqnum, int32_t number)
{
    reply_header(client, RET_SUBMIT, seqnum, -number, 0);
}

static struct usbip_urb *new_urb(uint32_t length, uint32_t packets)
{
    struct usbip_urb *urb = calloc(1, sizeof *urb);
    if (!urb)
        return NULL;
    urb->buffer = calloc(1, length ? length : 1);
    urb->packets = packets ? calloc(packets, sizeof *urb->packets) : NULL;
    if (!urb->buffer || (packets && !urb->packets)) {
        free_urb(urb);
        return NULL;
    }
    return urb;
}

/* What each frame carries, from its descriptors; false if that does not fit into the data. */
static bool read_packets(struct usb_iso_packet *packets, uint32_t count, const uint8_t *bytes,
                         uint32_t length)
{
    for (uint32_t i = 0; i < count; i++, bytes += ISO_SIZE) {
        packets[i] = (struct usb_iso_packet){
            .offset = get32(bytes), .length = get32(bytes + 4), .result = USB_CANCELLED};
        if (packets[i].offset > length || packets[i].length > length - packets[i].offset)
            return false;
    }
    return true;
}

/* CMD_SUBMIT, complete in client->in. `out` bytes of data follow the header, then descriptors of `packets`.
 */
static void submit(struct usbip_client *client, uint32_t length, uint32_t out, uint32_t packets)
{
    const uint8_t *header = client->in.data;
    uint32_t seqnum = get32(header + 4), number = get32(header + 16);
    bool in = get32(header + 12) != 0;
    bool control = number == 0;
    uint8_t endpoint = (uint8_t)((number & 15) | (in && number ? 0x80u : 0u));
    uint32_t wanted = control ? (uint32_t)(header[46] | header[47] << 8) : length;
    /* The device looks at wLength; a buffer of another size could not be filled or sent whole. */
    if (number > 15 || wanted > length || (control && in != (header[40] >> 7)) ||
        usb_host_is_isochronous(client->server->host, endpoint) != (packets != 0) ||
        client->urb_count >= URBS_MAX) {
        refuse(client, seqnum, LINUX_EINVAL);
        return;
    }
    struct usbip_urb *urb = new_urb(wanted, packets);
    if (!urb) {
        close_after_sending(client);
        return;
    }
    if (!read_packets(urb->packets, packets, header + HEADER_SIZE + out, wanted)) {
        free_urb(urb);
        refuse(client, seqnum, LINUX_EINVAL);
        return;
    }
    urb->client = client;
    urb->next = client->urbs;
    client->urbs = urb;
    client->urb_count++;
    memcpy(urb->buffer, header + HEADER_SIZE, out < wanted ? out : wanted);
    urb->seqnum = seqnum;
    urb->flags = get32(header + 20);
    urb->transfer = (struct usb_transfer){.endpoint = endpoint,
                                          .data = urb->buffer,
                                          .length = wanted,
                                          .packets = urb->packets,
                                          .packet_count = packets,
                                          .done = urb_done,
                                          .context = urb};
    if (!client->exclusive)
        urb->transfer.timeout = get32(header + 28) * CYCLES_PER_MS;
    memcpy(urb->transfer.setup, header + 40, 8);
    usb_host_submit(client->server->host, &urb->transfer);
}

static void unlink_urb(struct usbip_client *client)
{
    const uint8_t *header = client->in.data;
    uint32_t seqnum = get32(header + 4), victim = get32(header + 20);
    for (struct usbip_urb *urb = client->urbs; urb; urb = urb->next) {
        if (urb->seqnum != victim)
            continue;
        urb->unlinked = true;
        urb->unlink_seqnum = seqnum;
        usb_host_cancel(client->server->host, &urb->transfer);
        return;
    }
    reply_header(client, RET_UNLINK, seqnum, 0, 0); /* it had finished already */
}

/* --- operations before import -----------------------------------------------------------------------------
 */

static void reply_operation(struct usbip_client *client, enum operation operation, enum status status)
{
    uint8_t header[8];
    put16(header, VERSION);
    put16(header + 2, operation);
    put32(header + 4, status);
    reply(client, header, sizeof header);
}

static void describe(const struct usb_host *host, uint8_t bytes[DEVICE_SIZE])
{
    static const char path[] = "/sys/devices/sosim/usb1/" BUSID;
    uint8_t *at = bytes + PATH_SIZE + BUSID_SIZE;
    memset(bytes, 0, DEVICE_SIZE);
    memcpy(bytes, path, sizeof path);
    memcpy(bytes + PATH_SIZE, BUSID, sizeof BUSID);
    put32(at, BUS_NUMBER);
    put32(at + 4, DEV_NUMBER);
    put32(at + 8, SPEED_FULL);
    put16(at + 12, host->device[8] | host->device[9] << 8);
    put16(at + 14, host->device[10] | host->device[11] << 8);
    put16(at + 16, host->device[12] | host->device[13] << 8);
    memcpy(at + 18, host->device + 4, 3);
    at[21] = host->config[5];
    at[22] = host->device[17];
    at[23] = host->config[4];
}

/* Class, subclass and protocol of each interface's altsetting 0. */
static void reply_interfaces(struct usbip_client *client, const struct usb_host *host)
{
    uint8_t bytes[4 * 255] = {0};
    const uint8_t *at = host->config, *end = at + host->config_size;
    for (; end - at >= 2 && at[0] >= 2 && at[0] <= end - at; at += at[0]) {
        if (at[1] == 4 && at[0] >= 9 && at[3] == 0 && at[2] < 255)
            memcpy(bytes + 4 * at[2], at + 5, 3);
    }
    reply(client, bytes, 4u * host->config[4]);
}

static void device_list(struct usbip_client *client)
{
    const struct usb_host *host = client->server->host;
    uint8_t count[4], bytes[DEVICE_SIZE];
    bool there = host->state == USB_HOST_CONFIGURED;
    reply_operation(client, OP_DEVLIST, ST_OK);
    put32(count, there);
    reply(client, count, sizeof count);
    if (there) {
        describe(host, bytes);
        reply(client, bytes, sizeof bytes);
        reply_interfaces(client, host);
    }
    close_after_sending(client);
}

static void descriptors(struct usbip_client *client)
{
    const struct usb_host *host = client->server->host;
    uint8_t size[4];
    bool there = host->state == USB_HOST_CONFIGURED;
    reply_operation(client, OP_DESCRIPTORS, there ? ST_OK : ST_NODEV);
    if (there) {
        put32(size, host->config_size);
        reply(client, host->device, sizeof host->device);
        reply(client, size, sizeof size);
        reply(client, host->config, host->config_size);
    }
    close_after_sending(client);
}

static enum status may_use(const struct usbip_client *client, bool exclusive)
{
    const struct usbip_server *server = client->server;
    if (server->host->state != USB_HOST_CONFIGURED)
        return ST_NODEV;
    for (unsigned i = 0; i < USBIP_CLIENTS; i++) {
        const struct usbip_client *other = &server->client[i];
        if (other->state == USBIP_USING && (exclusive || other->exclusive))
            return ST_BUSY;
    }
    return ST_OK;
}

static void start_using(struct usbip_client *client, enum operation operation, bool exclusive, bool known)
{
    uint8_t bytes[DEVICE_SIZE];
    enum status status = known ? may_use(client, exclusive) : ST_NODEV;
    reply_operation(client, operation, status);
    if (status != ST_OK) {
        close_after_sending(client);
        return;
    }
    if (exclusive) {
        describe(client->server->host, bytes);
        reply(client, bytes, sizeof bytes);
    }
    client->state = USBIP_USING;
    client->exclusive = exclusive;
}

/* --- what clients send ------------------------------------------------------------------------------------
 */

/* Each returns how many bytes it consumed, or 0 if more must come first. */

static size_t take_operation(struct usbip_client *client)
{
    const struct usbip_bytes *in = &client->in;
    if (in->size < REQUEST_SIZE)
        return 0;
    unsigned operation = (unsigned)(in->data[2] << 8 | in->data[3]);
    switch (operation ^ OP_REQUEST) {
    case OP_DEVLIST:
        device_list(client);
        return REQUEST_SIZE;
    case OP_DESCRIPTORS:
        descriptors(client);
        return REQUEST_SIZE;
    case OP_OPEN:
        start_using(client, OP_OPEN, false, true);
        return REQUEST_SIZE;
    case OP_IMPORT:
        if (in->size < REQUEST_SIZE + BUSID_SIZE)
            return 0;
        start_using(client, OP_IMPORT, true, !memcmp(in->data + REQUEST_SIZE, BUSID, sizeof BUSID));
        return REQUEST_SIZE + BUSID_SIZE;
    default:
        close_after_sending(client);
        return REQUEST_SIZE;
    }
}

static size_t take_submit(struct usbip_client *client)
{
    const uint8_t *header = client->in.data;
    bool in = get32(header + 12) != 0;
    uint32_t length = get32(header + 24), packets = get32(header + 32);
    if (packets == UINT32_MAX)
        packets = 0; /* not isochronous, in Linux's words */
    if (length > LENGTH_MAX || packets > ISO_MAX) {
        refuse(client, get32(header + 4), LINUX_EINVAL);
        close_after_sending(client); /* what follows cannot be told from a header */
        return HEADER_SIZE;
    }
    uint32_t out = in ? 0 : length;
    uint32_t size = HEADER_SIZE + out + packets * ISO_SIZE;
    if (client->in.size < size)
        return 0;
    submit(client, length, out, packets);
    return size;
}

static size_t take_command(struct usbip_client *client)
{
    if (client->in.size < HEADER_SIZE)
        return 0;
    switch (get32(client->in.data)) {
    case CMD_SUBMIT:
        return take_submit(client);
    case CMD_UNLINK:
        unlink_urb(client);
        return HEADER_SIZE;
    default:
        close_after_sending(client);
        return HEADER_SIZE;
    }
}

static void take_input(struct usbip_client *client)
{
    size_t taken;
    do {
        taken = 0;
        if (client->state == USBIP_ASKING)
            taken = take_operation(client);
        else if (client->state == USBIP_USING)
            taken = take_command(client);
        drop_front(&client->in, taken);
    } while (taken);
}

/* --- sockets ----------------------------------------------------------------------------------------------
 */

static void receive(struct usbip_client *client)
{
    uint8_t bytes[16384];
    ssize_t size = recv(client->fd, bytes, sizeof bytes, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0 || append(&client->in, bytes, (size_t)size)) {
        end_client(client);
        return;
    }
    take_input(client);
}

static void transmit(struct usbip_client *client)
{
    if (client->out.size) {
        ssize_t size = send(client->fd, client->out.data, client->out.size, MSG_NOSIGNAL);
        if (size < 0 && errno != EAGAIN && errno != EINTR) {
            end_client(client);
            return;
        }
        if (size > 0)
            drop_front(&client->out, (size_t)size);
    }
    if (client->state == USBIP_CLOSING && !client->out.size)
        end_client(client);
}

int usbip_adopt(struct usbip_server *server, int fd)
{
    int one = 1;
    for (unsigned i = 0; i < USBIP_CLIENTS; i++) {
        struct usbip_client *client = &server->client[i];
        if (client->state != USBIP_FREE)
            continue;
        if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
            return -1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* fails on what is no TCP, harmlessly */
        *client = (struct usbip_client){.server = server, .state = USBIP_ASKING, .fd = fd};
        return 0;
    }
    return -1;
}

static void accept_client(struct usbip_server *server)
{
    int fd = accept(server->listener, NULL, NULL);
    if (fd < 0)
        return;
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (usbip_adopt(server, fd))
        close(fd);
}

static void serve_client(struct usbip_client *client, short events)
{
    if (client->state == USBIP_CLOSING && events & (POLLHUP | POLLERR)) {
        end_client(client);
        return;
    }
    if (client->state != USBIP_CLOSING && events & (POLLIN | POLLHUP | POLLERR))
        receive(client);
    if (client->state != USBIP_FREE)
        transmit(client);
}

void usbip_poll(struct usbip_server *server, int timeout_ms)
{
    struct pollfd fds[USBIP_CLIENTS + 1];
    for (unsigned i = 0; i < USBIP_CLIENTS; i++) {
        struct usbip_client *client = &server->client[i];
        if (client->state != USBIP_FREE)
            transmit(client);
        short wanted = client->state == USBIP_CLOSING ? 0 : POLLIN;
        fds[i] = (struct pollfd){.fd = client->fd, .events = client->out.size ? wanted | POLLOUT : wanted};
    }
    fds[USBIP_CLIENTS] = (struct pollfd){.fd = server->listener, .events = POLLIN};
    if (poll(fds, USBIP_CLIENTS + 1, timeout_ms) <= 0)
        return;
    for (unsigned i = 0; i < USBIP_CLIENTS; i++) {
        if (fds[i].revents && server->client[i].state != USBIP_FREE)
            serve_client(&server->client[i], fds[i].revents);
    }
    if (fds[USBIP_CLIENTS].revents)
        accept_client(server);
}

bool usbip_waiting(const struct usbip_server *server)
{
    for (unsigned i = 0; i < USBIP_CLIENTS; i++) {
        if (server->client[i].urbs)
            return true;
    }
    return !server->restore.finished;
}

/* --- the server -------------------------------------------------------------------------------------------
 */

static void device_changed(void *context, bool configured)
{
    struct usbip_server *server = context;
    if (configured)
        return;
    for (unsigned i = 0; i < USBIP_CLIENTS; i++) {
        if (server->client[i].state == USBIP_USING)
            close_after_sending(&server->client[i]);
    }
}

void usbip_init(struct usbip_server *server, struct usb_host *host)
{
    memset(server, 0, sizeof *server);
    server->host = host;
    server->listener = -1;
    server->restore.finished = true;
    for (unsigned i = 0; i < USBIP_CLIENTS; i++)
        server->client[i] = (struct usbip_client){.server = server, .fd = -1};
    host->changed = device_changed;
    host->changed_context = server;
}

static int listen_on(struct usbip_server *server, const char *text, uint16_t port, struct diag *why)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t size = sizeof address;
    int one = 1;
    if (inet_pton(AF_INET, text ? text : "127.0.0.1", &address.sin_addr) != 1) {
        diag_set(why, "\"%s\" is no IPv4 address", text);
        return -1;
    }
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (server->listener < 0 || fcntl(server->listener, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(server->listener, F_SETFL, O_NONBLOCK) < 0 ||
        setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
        bind(server->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(server->listener, USBIP_CLIENTS) < 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &size) < 0) {
        diag_set(why, "cannot listen on port %u: %s", port, strerror(errno));
        return -1;
    }
    server->port = ntohs(address.sin_port);
    return 0;
}

int usbip_open(struct usbip_server *server, struct usb_host *host, const char *address, uint16_t port,
               struct diag *why)
{
    usbip_init(server, host);
    if (!listen_on(server, address, port, why))
        return 0;
    usbip_close(server);
    return -1;
}

void usbip_close(struct usbip_server *server)
{
    for (unsigned i = 0; i < USBIP_CLIENTS; i++) {
        if (server->client[i].state != USBIP_FREE)
            end_client(&server->client[i]);
    }
    server->restore_settings = 0;
    if (!server->restore.finished)
        usb_host_cancel(server->host, &server->restore);
    if (server->listener >= 0)
        close(server->listener);
    server->listener = -1;
    server->host->changed = NULL;
}
