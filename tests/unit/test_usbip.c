/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The USB/IP server: the protocol byte for byte over a socket pair, and with Debian's dfu-util. */
#include "boron.h"

#include "host/usbip.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct session {
    struct boron *boron;
    struct usb_host host;
    struct usbip_server server;
};

static struct session *session_with(bool damaged_system)
{
    struct session *session = calloc(1, sizeof *session);
    session->boron = boron_new("2.0.1");
    if (damaged_system)
        session->boron->machine.soc.flash.data[SYSTEM_START + 0x1000] ^= 1;
    usb_host_init(&session->host, &session->boron->machine.bus);
    usbip_init(&session->server, &session->host);
    machine_power_on(&session->boron->machine, RAM_CLEARED);
    for (unsigned i = 0; i < 60 && session->host.state != USB_HOST_CONFIGURED; i++)
        boron_run_ms(session->boron, 100);
    cr_assert_eq(session->host.state, USB_HOST_CONFIGURED);
    return session;
}

/* A device in DFU mode. */
static struct session *session_new(void)
{
    return session_with(true);
}

static void session_free(struct session *session)
{
    usbip_close(&session->server);
    usb_host_leave(&session->host);
    boron_free(session->boron);
    free(session);
}

static int client_new(struct session *session)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    cr_assert_eq(usbip_adopt(&session->server, fds[1]), 0);
    return fds[0];
}

/* Lets server and machine work for `ms`. */
static void serve(struct session *session, unsigned ms)
{
    for (unsigned i = 0; i < ms; i++) {
        usbip_poll(&session->server, 0);
        boron_run_ms(session->boron, 1);
    }
    usbip_poll(&session->server, 0);
}

static void say(int fd, const void *bytes, size_t size)
{
    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
}

static uint32_t be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void hear(int fd, void *bytes, size_t size)
{
    cr_assert_eq(read(fd, bytes, size), (ssize_t)size);
}

static bool hung_up(int fd)
{
    uint8_t byte;
    return read(fd, &byte, 1) == 0;
}

static const uint8_t ask_list[8] = {0x01, 0x11, 0x80, 0x05};
static const uint8_t ask_import[40] = {0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, '1', '-', '1'};

static int importer_new(struct session *session)
{
    uint8_t reply[320];
    int fd = client_new(session);
    say(fd, ask_import, sizeof ask_import);
    serve(session, 1);
    hear(fd, reply, sizeof reply);
    cr_assert_eq(be32(reply), 0x01110003u);
    cr_assert_eq(be32(reply + 4), 0u);
    return fd;
}

static void put32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void say_submit_within(int fd, uint32_t seqnum, bool in, uint32_t endpoint, uint32_t length,
                              const uint8_t setup[8], uint32_t timeout_ms)
{
    uint8_t header[48] = {0, 0, 0, 1};
    put32(header + 4, seqnum);
    put32(header + 12, in);
    put32(header + 16, endpoint);
    put32(header + 24, length);
    put32(header + 28, timeout_ms);
    put32(header + 32, UINT32_MAX);
    memcpy(header + 40, setup, 8);
    say(fd, header, sizeof header);
}

static void say_submit(int fd, uint32_t seqnum, bool in, uint32_t endpoint, uint32_t length,
                       const uint8_t setup[8])
{
    say_submit_within(fd, seqnum, in, endpoint, length, setup, 0);
}

Test(usbip, lists_the_device, .timeout = 60)
{
    struct session *session = session_new();
    int fd = client_new(session);
    uint8_t reply[12 + 312 + 4];
    say(fd, ask_list, sizeof ask_list);
    serve(session, 1);
    hear(fd, reply, sizeof reply);
    cr_expect_eq(be32(reply), 0x01110005u);
    cr_expect_eq(be32(reply + 4), 0u);
    cr_expect_eq(be32(reply + 8), 1u);
    const uint8_t *device = reply + 12;
    cr_expect_str_eq((const char *)device + 256, "1-1");
    cr_expect_eq(be32(device + 296), 2u, "full speed");
    cr_expect_eq(be32(device + 300), 0x2b04d00du);
    cr_expect_eq(device[304], 0x02);
    cr_expect_eq(device[305], 0x51);
    cr_expect_eq(device[311], 1, "one interface");
    cr_expect_eq(device[312], 0xFE);
    cr_expect_eq(device[313], 1);
    cr_expect_eq(device[314], 2);
    cr_expect(hung_up(fd));
    close(fd);
    session_free(session);
}

Test(usbip, import_is_exclusive_and_transfers_are_answered, .timeout = 60)
{
    struct session *session = session_new();
    int fd = importer_new(session), other = client_new(session);
    uint8_t reply[48 + 18];
    say(other, ask_import, sizeof ask_import);
    static const uint8_t get_device[8] = {0x80, 6, 0, 1, 0, 0, 18, 0};
    say_submit(fd, 7, true, 0, 18, get_device);
    serve(session, 5);
    hear(other, reply, 8);
    cr_expect_eq(be32(reply + 4), 2u, "busy");
    cr_expect(hung_up(other));
    hear(fd, reply, sizeof reply);
    cr_expect_eq(be32(reply), 3u);
    cr_expect_eq(be32(reply + 4), 7u);
    cr_expect_eq(be32(reply + 20), 0u);
    cr_expect_eq(be32(reply + 24), 18u);
    cr_expect_arr_eq(reply + 48, session->host.device, 18);
    static const uint8_t get_qualifier[8] = {0x80, 6, 0, 6, 0, 0, 10, 0};
    say_submit(fd, 8, true, 0, 10, get_qualifier);
    serve(session, 5);
    hear(fd, reply, 48);
    cr_expect_eq((int32_t)be32(reply + 20), -32, "EPIPE");
    close(fd);
    close(other);
    serve(session, 2);
    fd = importer_new(session);
    close(fd);
    session_free(session);
}

Test(usbip, unlinked_transfer_and_dead_client_leave_the_device_usable, .timeout = 60)
{
    struct session *session = session_new();
    int fd = importer_new(session);
    uint8_t reply[48];
    static const uint8_t get_device[8] = {0x80, 6, 0, 1, 0, 0, 18, 0};
    static const uint8_t set_interface_2[8] = {1, 11, 2, 0, 0, 0, 0, 0};
    /* There is no endpoint 5: three tokens without answer. */
    say_submit(fd, 1, true, 5, 64, get_device);
    serve(session, 2);
    hear(fd, reply, sizeof reply);
    cr_expect_eq((int32_t)be32(reply + 20), -71, "EPROTO");
    static const uint8_t unlink[48] = {0, 0, 0, 2, 0, 0, 0, 9, [23] = 3};
    say_submit(fd, 3, true, 0, 18, get_device);
    say(fd, unlink, sizeof unlink);
    usbip_poll(&session->server, 0);
    usbip_poll(&session->server, 0);
    hear(fd, reply, sizeof reply);
    cr_expect_eq(be32(reply), 4u);
    cr_expect_eq(be32(reply + 4), 9u);
    cr_expect_eq((int32_t)be32(reply + 20), -104, "ECONNRESET");
    say_submit(fd, 10, false, 0, 0, set_interface_2);
    serve(session, 5);
    hear(fd, reply, sizeof reply);
    cr_expect_eq(be32(reply + 20), 0u);
    say_submit(fd, 11, true, 0, 18, get_device);
    close(fd);
    serve(session, 20);
    cr_expect_not(usbip_waiting(&session->server));
    for (unsigned i = 0; i < USBIP_CLIENTS; i++)
        cr_expect_eq(session->server.client[i].state, USBIP_FREE);
    fd = importer_new(session);
    static const uint8_t get_interface[8] = {0x81, 10, 0, 0, 0, 0, 1, 0};
    say_submit(fd, 1, true, 0, 1, get_interface);
    serve(session, 5);
    uint8_t answer[49];
    hear(fd, answer, sizeof answer);
    cr_expect_eq(answer[48], 0, "back on altsetting 0");
    close(fd);
    session_free(session);
}

/* The running system's serial line: 2b04:c00d has a bulk endpoint that has nothing to say. */
static uint8_t bulk_in_of(const struct usb_host *host)
{
    const uint8_t *at = host->config, *end = at + host->config_size;
    for (; end - at >= 7 && at[0] >= 2; at += at[0]) {
        if (at[1] == 5 && at[2] & 0x80 && (at[3] & 3) == 2)
            return at[2] & 15;
    }
    return 0;
}

Test(usbip, timeouts_of_our_own_programs_run_on_the_devices_clock, .timeout = 60)
{
    static const uint8_t ask_open[8] = {0x01, 0x11, 0x8F, 0x02}, none[8] = {0};
    struct session *session = session_with(false);
    uint8_t reply[48], endpoint = bulk_in_of(&session->host);
    int fd = client_new(session);
    cr_assert_neq(endpoint, 0);
    say(fd, ask_open, sizeof ask_open);
    serve(session, 1);
    hear(fd, reply, 8);
    cr_assert_eq(be32(reply + 4), 0u);
    say_submit_within(fd, 1, true, endpoint, 64, none, 0);
    say_submit_within(fd, 2, true, endpoint, 64, none, 200);
    serve(session, 190);
    cr_expect_eq(read(fd, reply, sizeof reply), -1, "neither has ended");
    serve(session, 20);
    hear(fd, reply, sizeof reply);
    cr_expect_eq(be32(reply + 4), 2u);
    cr_expect_eq((int32_t)be32(reply + 20), -110, "ETIMEDOUT");
    serve(session, 1000);
    cr_expect_eq(read(fd, reply, sizeof reply), -1, "the first has no timeout");
    close(fd);
    /* The word means something else to the kernel. */
    serve(session, 2);
    fd = importer_new(session);
    say_submit_within(fd, 3, true, endpoint, 64, none, 20);
    serve(session, 100);
    cr_expect_eq(read(fd, reply, sizeof reply), -1);
    close(fd);
    session_free(session);
}

Test(usbip, nonsense_is_refused, .timeout = 60)
{
    struct session *session = session_new();
    uint8_t reply[48];
    static const uint8_t unknown[8] = {0x01, 0x11, 0x12, 0x34};
    int fd = client_new(session);
    say(fd, unknown, sizeof unknown);
    serve(session, 2);
    cr_expect(hung_up(fd));
    close(fd);
    fd = importer_new(session);
    static const uint8_t none[8] = {0};
    say_submit(fd, 1, false, 2, 0xfffffff0u, none);
    serve(session, 2);
    hear(fd, reply, sizeof reply);
    cr_expect_eq((int32_t)be32(reply + 20), -22, "EINVAL");
    cr_expect(hung_up(fd));
    close(fd);
    /* wLength is larger than the buffer */
    fd = importer_new(session);
    static const uint8_t too_long[8] = {0x80, 6, 0, 1, 0, 0, 0xff, 0xff};
    say_submit(fd, 1, true, 0, 18, too_long);
    serve(session, 2);
    hear(fd, reply, sizeof reply);
    cr_expect_eq((int32_t)be32(reply + 20), -22);
    close(fd);
    session_free(session);
}

Test(usbip, unplugging_disconnects_and_the_next_client_works, .timeout = 60)
{
    struct session *session = session_new();
    int fd = importer_new(session);
    machine_set_usb(&session->boron->machine, false);
    serve(session, 50);
    cr_expect(hung_up(fd));
    close(fd);
    fd = client_new(session);
    uint8_t reply[12];
    say(fd, ask_list, sizeof ask_list);
    serve(session, 2);
    hear(fd, reply, sizeof reply);
    cr_expect_eq(be32(reply + 8), 0u, "no device");
    close(fd);
    machine_set_usb(&session->boron->machine, true);
    serve(session, 1000);
    fd = importer_new(session);
    close(fd);
    session_free(session);
}

Test(usbip, second_server_on_a_port_is_refused, .timeout = 60)
{
    struct session *session = session_new();
    struct usb_host other_host = session->host;
    struct usbip_server first, second;
    struct diag why = {{0}};
    cr_assert_eq(usbip_open(&first, &session->host, NULL, 0, &why), 0, "%s", why.text);
    cr_expect_neq(first.port, 0);
    struct sockaddr_in here;
    socklen_t size = sizeof here;
    cr_assert_eq(getsockname(first.listener, (struct sockaddr *)&here, &size), 0);
    cr_expect_eq(here.sin_addr.s_addr, htonl(INADDR_LOOPBACK), "nobody outside can reach it");
    cr_expect_neq(usbip_open(&second, &other_host, NULL, first.port, &why), 0);
    cr_expect(strstr(why.text, "port"));
    cr_expect_neq(usbip_open(&second, &other_host, "not.an.address", 0, &why), 0);
    usbip_close(&first);
    session_free(session);
}

/* --- with dfu-util ----------------------------------------------------------------------------------------
 */

static const char scenario[] =
    "{\"$schema\": \"x\", \"name\": \"usb\", \"modules\": [{\"published\": \"2.0.1\"}],"
    " \"state\": {\"bytes\": [{\"array\": \"internal\", \"address\": \"0x50000\","
    " \"hex\": \"DEADBEEF\"}]}}";

/* Runs `sosim usb exec` with a shell command in a new directory, which `directory` names. */
static int run_client(char directory[32], const char *command)
{
    char line[2048], path[64];
    strcpy(directory, "/tmp/sosim-usb-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/s.json", directory);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(scenario, file);
    fclose(file);
    snprintf(line, sizeof line,
             "cd %s && timeout 90 " SOSIM_PROGRAM " usb exec s.json --quiet -- sh -c '%s' >out 2>err",
             directory, command);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static size_t read_back(const char *directory, const char *name, uint8_t *bytes, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

static void clean(const char *directory)
{
    char line[64];
    snprintf(line, sizeof line, "rm -r %s", directory);
    cr_expect_eq(system(line), 0);
}

Test(usbip, dfu_util_lists_three_altsettings, .timeout = 100)
{
    char directory[32], text[4096] = {0};
    cr_assert_eq(run_client(directory, "dfu-util -l"), 0);
    read_back(directory, "out", (uint8_t *)text, sizeof text - 1);
    cr_expect(strstr(text, "Found DFU: [2b04:d00d] ver=0251, devnum=2, cfg=1, intf=0, path=\"1-1\", alt=2, "
                           "name=\"@External Flash   /0x80000000/1024*004Kg\""));
    cr_expect(strstr(text, "alt=1, name=\"@DCD Flash   /0x00000000/1*016Ke\""));
    cr_expect(strstr(text, "alt=0, name=\"@Internal Flash   /0x00000000/"
                           "1*004Ka,47*004Kg,192*004Kg,4*004Kg,4*004Kg,8*004Ka\""));
    clean(directory);
}

/* Another decoder of descriptors than ours. */
Test(usbip, lsusb_describes_the_device, .timeout = 100)
{
    static const char *const words[] = {
        "idVendor           0x2b04",
        "idProduct          0xd00d",
        "bcdDevice            2.51",
        "wTotalLength       0x002d",
        "MaxPower              100mA",
        "iInterface              6 @Internal Flash   /0x00000000/1*004Ka,47*004Kg,192*004Kg",
        "iInterface              7 @DCD Flash   /0x00000000/1*016Ke",
        "iInterface              8 @External Flash   /0x80000000/1024*004Kg",
        "Device Firmware Upgrade Interface Descriptor",
        "wTransferSize                    4096 bytes",
        "bcdDFUVersion                   1.1a"};
    char directory[32], text[8192] = {0};
    cr_expect_eq(run_client(directory, "lsusb -v -d 2b04:d00d 2>why && ! grep . why"), 0);
    read_back(directory, "out", (uint8_t *)text, sizeof text - 1);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        cr_expect_not_null(strstr(text, words[i]), "no \"%s\" in %s", words[i], text);
    clean(directory);
}

Test(usbip, dfu_util_reads_back_what_it_wrote_to_each_memory, .timeout = 100)
{
    static const char command[] =
        "head -c 10000 /proc/self/exe > image; D=\"dfu-util -d 2b04:d00d\";"
        "$D -a 0 -s 0xD4000 -D image && $D -a 2 -s 0x80289000 -D image && printf \"\\245\" > flag &&"
        "$D -a 1 -s 1753 -D flag && $D -a 0 -s 0xD4000:10000 -U up0 && $D -a 2 -s 0x80289000:10000 -U up2 &&"
        "$D -a 1 -s 1753:1 -U up1 && cmp image up0 && cmp image up2 && cmp flag up1";
    char directory[32];
    cr_expect_eq(run_client(directory, command), 0);
    clean(directory);
}

Test(usbip, two_programs_at_once, .timeout = 100)
{
    static const char command[] =
        "D=\"dfu-util -d 2b04:d00d\"; $D -a 0 -s 0x30000:100000 -U up & dfu-util -l && "
        "dfu-util -l && wait $! && test $(wc -c < up) = 100000";
    char directory[32];
    cr_expect_eq(run_client(directory, command), 0);
    clean(directory);
}

Test(usbip, killed_program_leaves_the_device_usable, .timeout = 100)
{
    static const char command[] =
        "head -c 200000 /dev/zero > image; D=\"dfu-util -d 2b04:d00d\"; for after in 0.31 0.37 0.42 0.49 "
        "0.56; do "
        "$D -a 0 -s 0xA0000 -D image & sleep $after; kill -9 $!; wait $!; rm -f up;"
        "$D -a 0 -s 0x30000:4096 -U up && test $(wc -c < up) = 4096 || exit 1; done";
    char directory[32];
    cr_expect_eq(run_client(directory, command), 0);
    clean(directory);
}

/* Killed while it writes to another memory than the next program reads from; see usb_host's test of a host
 * that dies before get_status for why the first read may fail in this one way. */
Test(usbip, killed_program_may_leave_a_write_that_is_refused_once, .timeout = 100)
{
    static const char command[] =
        "head -c 200000 /dev/zero > image; D=\"dfu-util -d 2b04:d00d\"; for after in 0.31 0.42 0.43; do "
        "$D -a 2 -s 0x80289000 -D image & sleep $after; kill -9 $!; wait $!; rm -f up;"
        "$D -a 0 -s 0x30000:4096 -U up 2>why || { grep -q LIBUSB_ERROR_PIPE why &&"
        "rm -f up && $D -a 0 -s 0x30000:4096 -U up; } && test $(wc -c < up) = 4096 || exit 1; done";
    char directory[32];
    cr_expect_eq(run_client(directory, command), 0);
    clean(directory);
}

Test(usbip, second_sosim_on_a_port_says_so, .timeout = 100)
{
    static const char command[] = SOSIM_PROGRAM
        " usb serve s.json --port $SOSIM_USB_PORT --quiet 2>why; test $? = 2 && grep \"cannot listen on port "
        "$SOSIM_USB_PORT: Address already in use\" why && dfu-util -l | grep \"alt=2\"";
    char directory[32];
    cr_expect_eq(run_client(directory, command), 0);
    clean(directory);
}

Test(usbip, exit_code_of_the_program_is_ours, .timeout = 100)
{
    char directory[32];
    cr_expect_eq(run_client(directory, "exit 7"), 7);
    clean(directory);
    cr_expect_eq(run_client(directory, "dfu-util -d ,dead:beef -a 0 -U x"), 74 /* EX_IOERR */);
    clean(directory);
}
