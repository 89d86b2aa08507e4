/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The in-process host against the Boron's own firmware. */
#include "boron.h"

#include "host/cdc_serial.h"
#include "host/dfu.h"
#include "host/particle_usb.h"
#include "host/usb_host.h"
#include "host/ymodem.h"

/* A Boron whose system part is damaged, on a cable: its bootloader goes to DFU mode. */
static struct boron *boron_in_dfu(struct usb_host *host)
{
    struct boron *boron = boron_new("2.0.1");
    boron->machine.soc.flash.data[SYSTEM_START + 0x1000] ^= 1;
    usb_host_init(host, &boron->machine.bus);
    machine_power_on(&boron->machine, RAM_CLEARED);
    for (unsigned i = 0; i < 60 && host->state != USB_HOST_CONFIGURED; i++)
        boron_run_ms(boron, 100);
    return boron;
}

static bool holds(const uint8_t *image, size_t size, const uint8_t *bytes, size_t count)
{
    for (size_t at = 0; at + count <= size; at++) {
        if (!memcmp(image + at, bytes, count))
            return true;
    }
    return false;
}

Test(usb_host, descriptors_are_those_in_the_firmwares_image, .timeout = 60)
{
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    size_t size = 0;
    uint8_t *image = boron_image(boron, "2.0.1", "bootloader", &size);
    cr_expect(holds(image, size, host.device, sizeof host.device));
    cr_expect_eq(host.config_size, 45u);
    cr_expect(holds(image, size, host.config, host.config_size));
    free(image);
    usb_host_leave(&host);
    boron_free(boron);
}

Test(usb_host, damaged_system_shows_the_dfu_device, .timeout = 60)
{
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    cr_assert_eq(host.state, USB_HOST_CONFIGURED);
    static const uint8_t expected[18] = {18,   1,    0,    2,    0, 0, 0, 64, 0x04,
                                         0x2b, 0x0d, 0xd0, 0x51, 2, 1, 2, 3,  1};
    cr_expect_arr_eq(host.device, expected, 18);
    cr_expect_str_eq(host.strings[1], "Particle");
    cr_expect_str_eq(host.strings[2], "Boron DFU Mode");
    cr_expect_eq(strlen(host.strings[3]), 24u);
    usb_host_leave(&host);
    boron_free(boron);
}

/* Runs the job to its end. */
static void run_job(struct boron *boron, struct usb_host *host, struct dfu_job *job)
{
    dfu_start(job, host);
    for (unsigned i = 0; i < 6000 && !job->finished; i++)
        boron_run_ms(boron, 10);
    cr_assert(job->finished);
}

Test(usb_host, upload_reads_what_is_in_the_arrays, .timeout = 60)
{
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    static uint8_t bytes[0x3000];
    struct dfu_job job = {
        .kind = DFU_UPLOAD, .alt = 0, .address = 0x2F800, .data = bytes, .size = sizeof bytes};
    run_job(boron, &host, &job);
    cr_assert(job.ok, "%s", job.why);
    cr_expect_arr_eq(bytes, boron->machine.soc.flash.data + 0x2F800, sizeof bytes);
    job.alt = 2;
    job.address = 0x80000000;
    job.size = 0x1800;
    run_job(boron, &host, &job);
    cr_assert(job.ok, "%s", job.why);
    cr_expect_arr_eq(bytes, machine_array(&boron->machine, "external")->data, 0x1800);
    usb_host_leave(&host);
    boron_free(boron);
}

Test(usb_host, download_writes_all_three_memories, .timeout = 100)
{
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    static uint8_t bytes[0x2345];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    struct dfu_job job = {
        .kind = DFU_DOWNLOAD, .alt = 0, .address = 0xD4000, .data = bytes, .size = sizeof bytes};
    run_job(boron, &host, &job);
    cr_assert(job.ok, "%s", job.why);
    cr_expect_arr_eq(boron->machine.soc.flash.data + 0xD4000, bytes, sizeof bytes);
    job.alt = 2;
    job.address = 0x80289000;
    run_job(boron, &host, &job);
    cr_assert(job.ok, "%s", job.why);
    cr_expect_arr_eq(machine_array(&boron->machine, "external")->data + 0x289000, bytes, sizeof bytes);
    uint8_t flag = 0xA5;
    job = (struct dfu_job){.kind = DFU_DOWNLOAD, .alt = 1, .address = 1753, .data = &flag, .size = 1};
    run_job(boron, &host, &job);
    cr_assert(job.ok, "%s", job.why);
    uint8_t read_back = 0;
    job = (struct dfu_job){.kind = DFU_UPLOAD, .alt = 1, .address = 1753, .data = &read_back, .size = 1};
    run_job(boron, &host, &job);
    cr_assert(job.ok, "%s", job.why);
    cr_expect_eq(read_back, 0xA5);
    usb_host_leave(&host);
    boron_free(boron);
}

Test(usb_host, repaired_system_starts_after_leave, .timeout = 100)
{
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    size_t size = 0;
    uint8_t *image = boron_image(boron, "2.0.1", "system-part1", &size);
    struct dfu_job job = {.kind = DFU_DOWNLOAD,
                          .alt = 0,
                          .address = SYSTEM_START,
                          .data = image,
                          .size = (uint32_t)size,
                          .leave = true};
    run_job(boron, &host, &job);
    cr_assert(job.ok, "%s", job.why);
    cr_expect_arr_eq(boron->machine.soc.flash.data + SYSTEM_START, image, size);
    free(image);
    cr_expect_eq(host.device[10], 0x0d);
    boron_run_ms(boron, 4000);
    cr_expect_eq(host.state, USB_HOST_CONFIGURED, "state %d step %u", host.state, host.step);
    cr_expect_eq(host.device[10], 0x0d);
    cr_expect_eq(host.device[11], 0xc0, "the running system is 2b04:c00d");
    cr_expect_str_eq(host.strings[2], "Boron CDC Mode");
    usb_host_leave(&host);
    boron_free(boron);
}

Test(usb_host, errors_are_told_and_the_next_job_works, .timeout = 60)
{
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    uint8_t bytes[16] = {0};
    struct dfu_job job = {.kind = DFU_DOWNLOAD, .alt = 0, .address = 0x00200000, .data = bytes, .size = 16};
    run_job(boron, &host, &job);
    cr_expect_not(job.ok);
    cr_expect(strstr(job.why, "stalled") || strstr(job.why, "dfuERROR"), "%s", job.why);
    job = (struct dfu_job){.kind = DFU_UPLOAD, .alt = 0, .address = 0x30000, .data = bytes, .size = 16};
    run_job(boron, &host, &job);
    cr_expect(job.ok, "%s", job.why);
    usb_host_leave(&host);
    boron_free(boron);
}

Test(usb_host, unplugging_ends_what_is_under_way, .timeout = 60)
{
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    static uint8_t bytes[0x8000];
    struct dfu_job job = {
        .kind = DFU_DOWNLOAD, .alt = 0, .address = 0xD4000, .data = bytes, .size = sizeof bytes};
    dfu_start(&job, &host);
    boron_run_ms(boron, 200);
    cr_assert_not(job.finished);
    machine_set_usb(&boron->machine, false);
    cr_expect(job.finished);
    cr_expect_not(job.ok);
    cr_expect_eq(host.state, USB_HOST_EMPTY);
    boron_run_ms(boron, 100);
    machine_set_usb(&boron->machine, true);
    boron_run_ms(boron, 2000);
    cr_assert_eq(host.state, USB_HOST_CONFIGURED);
    run_job(boron, &host, &job);
    cr_expect(job.ok, "%s", job.why);
    usb_host_leave(&host);
    boron_free(boron);
}

static void keep(struct state *state, struct boron *boron, struct usb_host *host, struct dfu_job *job)
{
    machine_save(&boron->machine, state);
    usb_host_save(host, state);
    state_var(state, *job);
    cr_assert_eq(state->error, 0);
}

static uint64_t end_of_job(struct boron *boron, struct dfu_job *job)
{
    for (unsigned i = 0; i < 6000 && !job->finished; i++)
        boron_run_ms(boron, 1);
    cr_assert(job->finished);
    cr_assert(job->ok, "%s", job->why);
    return boron->machine.bus.clock.now;
}

Test(usb_host, snapshot_in_the_middle_of_a_transfer_goes_on_the_same, .timeout = 60)
{
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    static uint8_t bytes[0x3000];
    struct state state = {0};
    struct dfu_job job = {
        .kind = DFU_UPLOAD, .alt = 0, .address = 0x30000, .data = bytes, .size = sizeof bytes};
    dfu_start(&job, &host);
    for (unsigned i = 0; i < 100 && !(job.moved && usb_host_busy(&host) && job.transfer.actual); i++)
        boron_run_ms(boron, 1);
    cr_assert(usb_host_busy(&host));
    uint32_t before = job.moved + job.transfer.actual;
    state_begin_save(&state);
    keep(&state, boron, &host, &job);
    uint64_t end = end_of_job(boron, &job);
    state_begin_load(&state);
    keep(&state, boron, &host, &job);
    cr_assert_eq(state.position, state.size);
    cr_expect_not(job.finished);
    cr_expect_eq(job.moved + job.transfer.actual, before);
    memset(bytes + before, 0, sizeof bytes - before);
    cr_expect_eq(end_of_job(boron, &job), end);
    cr_expect_arr_eq(bytes, boron->machine.soc.flash.data + 0x30000, sizeof bytes);
    state_free(&state);
    usb_host_leave(&host);
    boron_free(boron);
}

static enum usb_result run_control(struct boron *boron, struct usb_host *host, uint8_t type, uint8_t request,
                                   uint16_t value, uint8_t *data, uint16_t length)
{
    struct usb_transfer transfer = {.data = data, .length = length, .timeout = 5000 * CYCLES_PER_MS};
    usb_setup(transfer.setup, type, request, value, 0, length);
    usb_host_submit(host, &transfer);
    for (unsigned i = 0; i < 5500 && !transfer.finished; i++)
        boron_run_ms(boron, 1);
    cr_assert(transfer.finished);
    return transfer.result;
}

/* A block for one memory was sent, and not asked after. The bootloader carries it out at the next GETSTATUS,
 * whoever asks and whatever altsetting is selected by then: Linux goes back to altsetting 0 when a program
 * dies. The other memory refuses the address. That is what the firmware does, on a real device, too. */
Test(usb_host, block_of_a_host_that_dies_before_get_status_is_refused_once, .timeout = 60)
{
    enum {
        TO_DEVICE = 0x21,
        FROM_DEVICE = 0xA1,
        DNLOAD = 1,
        GETSTATUS = 3,
        SET_INTERFACE = 11,
    };
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    uint8_t set_address[5] = {0x21, 0, 0x90, 0x28, 0x80}, block[64] = {0}, status[6], bytes[16];
    cr_assert_eq(run_control(boron, &host, 1, SET_INTERFACE, 2, NULL, 0), USB_OK);
    cr_assert_eq(run_control(boron, &host, TO_DEVICE, DNLOAD, 0, set_address, 5), USB_OK);
    cr_assert_eq(run_control(boron, &host, FROM_DEVICE, GETSTATUS, 0, status, 6), USB_OK);
    cr_assert_eq(run_control(boron, &host, TO_DEVICE, DNLOAD, 2, block, sizeof block), USB_OK);
    cr_assert_eq(run_control(boron, &host, 1, SET_INTERFACE, 0, NULL, 0), USB_OK);
    cr_expect_eq(run_control(boron, &host, FROM_DEVICE, GETSTATUS, 0, status, 6), USB_STALLED);
    struct dfu_job job = {.kind = DFU_UPLOAD, .alt = 0, .address = 0x30000, .data = bytes, .size = 16};
    run_job(boron, &host, &job);
    cr_expect(job.ok, "%s", job.why);
    usb_host_leave(&host);
    boron_free(boron);
}

/* Requests that make no sense, and some that do harm: whatever the firmware does, a reset of the bus brings
 * the device back. */
Test(usb_host, hostile_requests_leave_the_device_usable, .timeout = 120)
{
    static const uint8_t types[] = {0x00, 0x02, 0x1f, 0x21, 0x40, 0x80, 0x81, 0x9f, 0xA1, 0xC0, 0xff};
    static const uint8_t numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 33, 0xee, 0xff};
    static const uint16_t lengths[] = {0, 64, 4096};
    static uint8_t bytes[4096];
    struct usb_host host;
    struct boron *boron = boron_in_dfu(&host);
    for (unsigned i = 0; i < sizeof types * sizeof numbers * 3; i++) {
        struct usb_transfer transfer = {.data = bytes, .timeout = 50 * CYCLES_PER_MS};
        transfer.length = lengths[i % 3];
        usb_setup(transfer.setup, types[i / 3 / sizeof numbers], numbers[i / 3 % sizeof numbers], 0xffff,
                  i % 2 ? 0xffff : 0, lengths[i % 3]);
        memset(bytes, 0xff, sizeof bytes);
        usb_host_submit(&host, &transfer);
        for (unsigned ms = 0; ms < 60 && !transfer.finished; ms++)
            boron_run_ms(boron, 1);
        cr_assert(transfer.finished, "request %u", i);
    }
    usb_host_reset_device(&host);
    for (unsigned i = 0; i < 30 && host.state != USB_HOST_CONFIGURED; i++)
        boron_run_ms(boron, 100);
    cr_assert_eq(host.state, USB_HOST_CONFIGURED);
    struct dfu_job job = {.kind = DFU_UPLOAD, .alt = 0, .address = 0x30000, .data = bytes, .size = 4096};
    run_job(boron, &host, &job);
    cr_assert(job.ok, "%s", job.why);
    cr_expect_arr_eq(bytes, boron->machine.soc.flash.data + 0x30000, 4096);
    usb_host_leave(&host);
    boron_free(boron);
}

/* --- the running system -----------------------------------------------------------------------------------
 */

/* A healthy Boron that has just been given its file system, in listening mode. */
static struct boron *boron_listening(struct usb_host *host)
{
    struct boron *boron = boron_new("2.0.1");
    usb_host_init(host, &boron->machine.bus);
    machine_power_on(&boron->machine, RAM_CLEARED);
    for (unsigned i = 0; i < 60 && host->state != USB_HOST_CONFIGURED; i++)
        boron_run_ms(boron, 100);
    cr_assert_eq(host->state, USB_HOST_CONFIGURED);
    boron_run_ms(boron, 1000);
    return boron;
}

static void set_flag(void *context, struct particle_request *request)
{
    (void)request;
    *(bool *)context = true;
}

static void run_request(struct boron *boron, struct usb_host *host, struct particle_request *request)
{
    bool done = false;
    request->done = set_flag;
    request->context = &done;
    particle_request_start(request, host);
    for (unsigned i = 0; i < 2000 && !done; i++)
        boron_run_ms(boron, 5);
    cr_assert(done);
}

Test(usb_host, running_system_says_who_it_is, .timeout = 60)
{
    struct usb_host host;
    struct boron *boron = boron_listening(&host);
    cr_expect_eq(host.device[10] | host.device[11] << 8, 0xc00d);
    static struct particle_request request;
    request.number = 20; /* device id */
    run_request(boron, &host, &request);
    cr_assert_null(request.failed, "%s", request.failed);
    cr_expect_eq(request.result, 0);
    cr_assert_eq(request.reply_size, 26u);
    cr_expect_eq(request.reply[1], 24);
    cr_expect_arr_eq(request.reply + 2, host.strings[3], 24, "the serial number is the device's id");
    request.number = 30; /* system version */
    run_request(boron, &host, &request);
    cr_assert_null(request.failed, "%s", request.failed);
    cr_expect_arr_eq(request.reply,
                     "\x0a\x05"
                     "2.0.1",
                     7);
    request.number = 72; /* device mode: 1 is listening */
    run_request(boron, &host, &request);
    cr_assert_null(request.failed, "%s", request.failed);
    cr_expect_arr_eq(request.reply, "\x08\x01", 2);
    usb_host_leave(&host);
    boron_free(boron);
}

static void note_update(void *context, struct particle_update *update)
{
    (void)update;
    *(bool *)context = true;
}

Test(usb_host, application_is_updated_by_the_firmwares_own_code, .timeout = 120)
{
    struct usb_host host;
    struct boron *boron = boron_listening(&host);
    size_t size = 0;
    bool done = false;
    static struct particle_update update;
    uint8_t *image = boron_image(boron, "2.0.1", "tinker", &size);
    /* What lies there is to be replaced. */
    memset(boron->machine.soc.flash.data + APP_START + 0x400, 0xff, 64);
    update = (struct particle_update){
        .data = image, .size = (uint32_t)size, .done = note_update, .context = &done};
    particle_update_start(&update, &host);
    for (unsigned i = 0; i < 6000 && !done; i++)
        boron_run_ms(boron, 10);
    cr_assert(done);
    cr_assert(update.ok, "%s", update.why);
    cr_expect_arr_eq(machine_array(&boron->machine, "external")->data + 0x289000, image, size,
                     "it waits in the external flash");
    boron_run_ms(boron, 8000);
    cr_expect_arr_eq(boron->machine.soc.flash.data + APP_START, image, size, "the bootloader has copied it");
    free(image);
    usb_host_leave(&host);
    boron_free(boron);
}

static void note_serial(void *context, struct cdc_job *job)
{
    (void)job;
    *(bool *)context = true;
}

Test(usb_host, listening_mode_answers_on_the_serial_line, .timeout = 60)
{
    struct usb_host host;
    struct boron *boron = boron_listening(&host);
    bool done = false;
    static struct cdc_job job;
    job = (struct cdc_job){.send = (const uint8_t *)"i",
                           .send_size = 1,
                           .wanted = "Device ID: e00fce684f5351503053494d",
                           .timeout = 5000 * CYCLES_PER_MS,
                           .done = note_serial,
                           .context = &done};
    cdc_start(&job, &host);
    for (unsigned i = 0; i < 1000 && !done; i++)
        boron_run_ms(boron, 10);
    cr_assert(done);
    cr_expect(job.ok, "%s; got \"%s\"", job.why, job.received);
    usb_host_leave(&host);
    boron_free(boron);
}

static void note_ymodem(void *context, struct ymodem_job *job)
{
    (void)job;
    *(bool *)context = true;
}

static void run_ymodem(struct boron *boron, struct usb_host *host, struct ymodem_job *job,
                       const uint8_t *image, size_t size)
{
    bool done = false;
    *job = (struct ymodem_job){.data = image, .size = (uint32_t)size, .done = note_ymodem, .context = &done};
    ymodem_start(job, host);
    for (unsigned i = 0; i < 3000 && !done; i++)
        boron_run_ms(boron, 10);
    cr_assert(done);
}

Test(usb_host, ymodem_brings_an_application_and_a_damaged_one_is_refused, .timeout = 120)
{
    struct usb_host host;
    struct boron *boron = boron_listening(&host);
    static struct ymodem_job job;
    size_t size = 0;
    uint8_t *image = boron_image(boron, "2.0.1", "tinker", &size);
    const uint8_t *place = machine_array(&boron->machine, "external")->data + 0x289000;
    image[1000] ^= 1;
    run_ymodem(boron, &host, &job, image, size);
    cr_expect_not(job.ok);
    cr_expect_eq(job.sent, size);
    /* The system starts again after a refused update, too, before its words about it are out. */
    cr_expect_str_eq(job.why, "gone");
    image[1000] ^= 1;
    for (unsigned i = 0; i < 60 && host.state != USB_HOST_CONFIGURED; i++)
        boron_run_ms(boron, 100);
    boron_run_ms(boron, 1000);
    run_ymodem(boron, &host, &job, image, size);
    cr_expect(job.ok, "%s", job.why);
    cr_expect_arr_eq(place, image, size, "it waits in the external flash");
    boron_run_ms(boron, 8000);
    cr_expect_arr_eq(boron->machine.soc.flash.data + APP_START, image, size, "the bootloader has copied it");
    free(image);
    usb_host_leave(&host);
    boron_free(boron);
}
