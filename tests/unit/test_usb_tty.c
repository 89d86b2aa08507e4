/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal for the device's serial line, as a program uses it. */
#define _XOPEN_SOURCE 700
#include "boron.h"

#include "host/usb_tty.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct session {
    struct boron *boron;
    struct usb_host host;
    struct usb_tty tty;
    char directory[32], path[48];
};

static void run(struct session *session, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        usb_tty_poll(&session->tty);
        boron_run_ms(session->boron, 1);
    }
    usb_tty_poll(&session->tty);
}

static bool there(const char *path)
{
    struct stat found;
    return lstat(path, &found) == 0;
}

/* A Boron that goes to listening mode. */
static struct session *session_new(void)
{
    struct session *session = calloc(1, sizeof *session);
    struct diag why = {{0}};
    strcpy(session->directory, "/tmp/sosim-tty-XXXXXX");
    cr_assert_not_null(mkdtemp(session->directory));
    snprintf(session->path, sizeof session->path, "%s/tty", session->directory);
    session->boron = boron_new("2.0.1");
    usb_host_init(&session->host, &session->boron->machine.bus);
    cr_assert_eq(usb_tty_init(&session->tty, &session->host, session->path, &why), 0, "%s", why.text);
    machine_power_on(&session->boron->machine, RAM_CLEARED);
    return session;
}

static void session_free(struct session *session)
{
    usb_tty_close(&session->tty);
    cr_expect_not(there(session->path));
    cr_expect_eq(rmdir(session->directory), 0);
    usb_host_leave(&session->host);
    boron_free(session->boron);
    free(session);
}

static int open_tty(struct session *session)
{
    int fd = open(session->path, O_RDWR | O_NOCTTY | O_NONBLOCK);
    cr_assert_geq(fd, 0, "%s", strerror(errno));
    return fd;
}

Test(usb_tty, a_program_talks_to_the_device_until_it_is_unplugged, .timeout = 120)
{
    struct session *session = session_new();
    char text[4096] = {0};
    usb_tty_poll(&session->tty);
    cr_expect_not(there(session->path), "the device has not shown itself");
    for (unsigned i = 0; i < 60 && !there(session->path); i++)
        run(session, 100);
    int fd = open_tty(session);
    run(session, 1000);
    cr_expect_eq(session->tty.speed_told, 38400u, "a terminal's own");
    cr_assert_eq(write(fd, "i", 1), 1);
    size_t size = 0;
    for (unsigned i = 0; i < 50 && !strstr(text, "Device ID: e00fce684f5351503053494d\r\n"); i++) {
        run(session, 100);
        ssize_t got = read(fd, text + size, sizeof text - 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    cr_expect_not_null(strstr(text, "Device ID: e00fce684f5351503053494d\r\n"), "%s", text);
    struct termios settings;
    cr_assert_eq(tcgetattr(fd, &settings), 0);
    cfsetospeed(&settings, B57600);
    cr_assert_eq(tcsetattr(fd, TCSANOW, &settings), 0);
    run(session, 50);
    cr_expect_eq(session->tty.speed_told, 57600u);
    close(fd);
    run(session, 50);
    cr_expect_not(session->tty.lines_told, "DTR is off while nobody listens");
    fd = open_tty(session);
    run(session, 50);
    cr_expect(session->tty.lines_told);
    machine_set_usb(&session->boron->machine, false);
    run(session, 2);
    cr_expect_not(there(session->path));
    cr_expect_leq(read(fd, text, 1), 0, "it hangs up");
    cr_expect_neq(errno, EAGAIN);
    close(fd);
    machine_set_usb(&session->boron->machine, true);
    run(session, 1000);
    cr_expect(there(session->path));
    session_free(session);
}

Test(usb_tty, a_device_without_a_serial_line_has_no_terminal, .timeout = 120)
{
    struct session *session = session_new();
    session->boron->machine.soc.flash.data[SYSTEM_START + 0x1000] ^= 1;
    machine_power_off(&session->boron->machine);
    machine_power_on(&session->boron->machine, RAM_CLEARED);
    for (unsigned i = 0; i < 60 && session->host.state != USB_HOST_CONFIGURED; i++)
        run(session, 100);
    cr_assert_eq(session->host.device[11], 0xd0, "DFU mode");
    run(session, 100);
    cr_expect_not(there(session->path));
    session_free(session);
}

Test(usb_tty, what_is_there_is_not_replaced)
{
    struct usb_tty tty;
    struct usb_host host;
    struct diag why = {{0}};
    cr_expect_neq(usb_tty_init(&tty, &host, "/dev/null", &why), 0);
    cr_expect_str_eq(why.text, "/dev/null: File exists");
    cr_expect_neq(usb_tty_init(&tty, &host, "/nowhere/at/all", &why), 0);
    cr_expect_str_eq(why.text, "/nowhere/at/all: No such file or directory");
}
