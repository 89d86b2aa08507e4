/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _XOPEN_SOURCE 700 /* pseudo-terminals */
#include "host/usb_tty.h"

#include "host/cdc_serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define REQUEST_TIMEOUT (5000 * CYCLES_PER_MS)

/* --- the terminal -----------------------------------------------------------------------------------------
 */

/* Bytes go through as they are, until a program says otherwise. */
static int make_raw(int fd)
{
    struct termios settings;
    if (tcgetattr(fd, &settings))
        return -1;
    settings.c_iflag = 0;
    settings.c_oflag = 0;
    settings.c_lflag = 0;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    return tcsetattr(fd, TCSANOW, &settings);
}

/* The terminal's own end is opened and closed again: only then does the kernel tell whether it is open. */
static int prepare(const char *name)
{
    int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    int error = fd < 0 ? -1 : make_raw(fd);
    if (fd >= 0)
        close(fd);
    return error;
}

static int open_terminal(const char *path)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0)
        return -1;
    const char *name = NULL;
    if (!fcntl(master, F_SETFD, FD_CLOEXEC) && !fcntl(master, F_SETFL, O_NONBLOCK) && !grantpt(master) &&
        !unlockpt(master))
        name = ptsname(master);
    if (name && !prepare(name) && !symlink(name, path))
        return master;
    close(master);
    return -1;
}

static void hang_up(struct usb_tty *tty)
{
    if (tty->master < 0)
        return;
    unlink(tty->path);
    close(tty->master);
    tty->master = -1;
    tty->opened = false;
    tty->heard_size = 0;
}

static void look_at_terminal(struct usb_tty *tty)
{
    struct pollfd fd = {.fd = tty->master, .events = POLLIN};
    if (poll(&fd, 1, 0) >= 0)
        tty->opened = !(fd.revents & POLLHUP);
    if (!tty->opened)
        tty->heard_size = 0;
}

/* --- the device -------------------------------------------------------------------------------------------
 */

static void submit(struct usb_tty *tty, struct usb_transfer *transfer, uint8_t endpoint, uint8_t *data,
                   uint32_t length, uint64_t timeout)
{
    transfer->endpoint = endpoint;
    transfer->data = data;
    transfer->length = length;
    transfer->timeout = timeout;
    usb_host_submit(tty->host, transfer);
}

static void tell_speed(struct usb_tty *tty, uint32_t speed)
{
    for (unsigned i = 0; i < 4; i++)
        tty->coding[i] = (uint8_t)(speed >> 8 * i);
    tty->coding[6] = 8;
    tty->speed_told = speed;
    usb_setup(tty->control.setup, CDC_TYPE_OUT, CDC_SET_LINE_CODING, 0, tty->interface, sizeof tty->coding);
    submit(tty, &tty->control, 0, tty->coding, sizeof tty->coding, REQUEST_TIMEOUT);
}

static void tell_lines(struct usb_tty *tty)
{
    tty->lines_told = tty->opened;
    usb_setup(tty->control.setup, CDC_TYPE_OUT, CDC_SET_CONTROL_LINE_STATE, tty->opened ? CDC_DTR_AND_RTS : 0,
              tty->interface, 0);
    submit(tty, &tty->control, 0, NULL, 0, REQUEST_TIMEOUT);
}

/* As Linux: the speed when it changes, and at opening; then the lines. */
static void tell_settings(struct usb_tty *tty)
{
    uint32_t speed = tty_speed(tty->master);
    if (!tty->control.finished)
        return;
    if (tty->opened && speed && speed != tty->speed_told)
        tell_speed(tty, speed);
    else if (tty->opened != tty->lines_told)
        tell_lines(tty);
}

static void received(void *context, struct usb_transfer *transfer)
{
    struct usb_tty *tty = context;
    if (transfer->result == USB_OK) {
        memcpy(tty->heard + tty->heard_size, tty->packet, transfer->actual);
        tty->heard_size += transfer->actual;
    }
}

/* Hands the program what the device said, and asks for more if there is room. */
static void move_in(struct usb_tty *tty)
{
    if (tty->heard_size) {
        ssize_t size = write(tty->master, tty->heard, tty->heard_size);
        if (size > 0) {
            tty->heard_size -= (uint32_t)size;
            memmove(tty->heard, tty->heard + size, tty->heard_size);
        }
    }
    bool room = tty->heard_size <= sizeof tty->heard - sizeof tty->packet;
    if (tty->opened && tty->lines_told && tty->receive.finished && room)
        submit(tty, &tty->receive, tty->in, tty->packet, sizeof tty->packet, 0);
}

static void move_out(struct usb_tty *tty)
{
    if (!tty->opened || !tty->lines_told || !tty->send.finished)
        return;
    ssize_t size = read(tty->master, tty->said, sizeof tty->said);
    if (size > 0)
        submit(tty, &tty->send, tty->out, tty->said, (uint32_t)size, 0);
}

static bool find_line(struct usb_tty *tty)
{
    struct cdc_line line;
    if (tty->host->state != USB_HOST_CONFIGURED || !cdc_find_line(tty->host, &line))
        return false;
    tty->interface = line.interface;
    tty->in = line.in;
    tty->out = line.out;
    return true;
}

void usb_tty_poll(struct usb_tty *tty)
{
    bool there = find_line(tty);
    if (!there)
        hang_up(tty);
    if (there && tty->master < 0) {
        tty->master = open_terminal(tty->path);
        tty->speed_told = 0;
        tty->lines_told = false;
    }
    if (tty->master < 0)
        return;
    look_at_terminal(tty);
    tell_settings(tty);
    move_out(tty);
    move_in(tty);
}

int usb_tty_init(struct usb_tty *tty, struct usb_host *host, const char *path, struct diag *why)
{
    memset(tty, 0, sizeof *tty);
    tty->host = host;
    tty->path = path;
    tty->master = -1;
    tty->control.finished = tty->receive.finished = tty->send.finished = true;
    tty->receive.done = received;
    tty->receive.context = tty;
    if (symlink("/dev/ptmx", path)) {
        diag_set(why, "%s: %s", path, strerror(errno));
        return -1;
    }
    unlink(path); /* it could be made; that is all that can be known now */
    return 0;
}

void usb_tty_close(struct usb_tty *tty)
{
    hang_up(tty);
    struct usb_transfer *transfers[] = {&tty->control, &tty->receive, &tty->send};
    for (unsigned i = 0; i < 3; i++)
        usb_host_cancel(tty->host, transfers[i]);
}
