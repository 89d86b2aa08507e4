/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/dfu.h"

#include "core/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REQUEST_TIMEOUT (5000 * CYCLES_PER_MS)
#define RECOVERIES      4u /* attempts to bring the device to dfuIDLE */

enum {
    TYPE_OUT = 0x21,
    TYPE_IN = 0xA1,
    REQUEST_DNLOAD = 1,
    REQUEST_UPLOAD = 2,
    REQUEST_GETSTATUS = 3,
    REQUEST_CLRSTATUS = 4,
    REQUEST_ABORT = 6,
    REQUEST_SET_INTERFACE = 11,
    COMMAND_SET_ADDRESS = 0x21,
    COMMAND_ERASE = 0x41,
    STATE_IDLE = 2,
    STATE_DNLOAD_SYNC = 3,
    STATE_DNBUSY = 4,
    STATE_DNLOAD_IDLE = 5,
    STATE_MANIFEST = 7,
    STATE_ERROR = 10,
    FIRST_BLOCK = 2, /* block number that stands for the address pointer itself */
};

enum step {
    STEP_SELECT,
    STEP_LOOK,    /* GETSTATUS: is it idle? */
    STEP_TO_IDLE, /* after ABORT or CLRSTATUS */
    STEP_SENT,    /* a command or block was taken */
    STEP_POLL,    /* GETSTATUS until it has been carried out */
    STEP_ERASED,  /* ... its page is blank */
    STEP_POINTED, /* ... and the address pointer is there */
    STEP_WRITTEN, /* ... and its bytes */
    STEP_UPLOAD,  /* the address pointer is set */
    STEP_READY,   /* ... and the device idle again */
    STEP_READ,    /* a block came */
    STEP_LEAVING, /* the address pointer for leaving is set */
    STEP_LEFT,    /* the empty block was taken */
    STEP_DONE,
};

static const char *state_name(unsigned state)
{
    static const char *const names[] = {"appIDLE",          "appDETACH",   "dfuIDLE",
                                        "dfuDNLOAD-SYNC",   "dfuDNBUSY",   "dfuDNLOAD-IDLE",
                                        "dfuMANIFEST-SYNC", "dfuMANIFEST", "dfuMANIFEST-WAIT-RESET",
                                        "dfuUPLOAD-IDLE",   "dfuERROR"};
    return state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

static void end(struct dfu_job *job, bool ok)
{
    job->finished = true;
    job->ok = ok;
    if (job->done)
        job->done(job->context, job);
}

static void fail(struct dfu_job *job, const char *format, ...) DIAG_PRINTF(2, 3);
static void fail(struct dfu_job *job, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vsnprintf(job->why, sizeof job->why, format, values);
    va_end(values);
    end(job, false);
}

static void step_done(void *context, struct usb_transfer *transfer);

static void request(struct dfu_job *job, enum step next, uint8_t type, uint8_t request, uint16_t value,
                    uint8_t *data, uint32_t length)
{
    job->step = next;
    job->transfer = (struct usb_transfer){.data = data,
                                          .length = length,
                                          .timeout = job->timeout ? job->timeout : REQUEST_TIMEOUT,
                                          .done = step_done,
                                          .context = job};
    usb_setup(job->transfer.setup, type, request, value, job->interface, (uint16_t)length);
    usb_host_submit(job->host, &job->transfer);
}

static void get_status(struct dfu_job *job, enum step next)
{
    request(job, next, TYPE_IN, REQUEST_GETSTATUS, 0, job->status, sizeof job->status);
}

/* Sends a block, has it carried out, then goes on with `after`. */
static void send(struct dfu_job *job, enum step after, uint16_t block, uint8_t *data, uint32_t length)
{
    job->after = after;
    request(job, STEP_SENT, TYPE_OUT, REQUEST_DNLOAD, block, data, length);
}

static void send_command(struct dfu_job *job, enum step after, uint8_t command, uint32_t address)
{
    job->command[0] = command;
    for (unsigned i = 0; i < 4; i++)
        job->command[1 + i] = (uint8_t)(address >> 8 * i);
    send(job, after, 0, job->command, sizeof job->command);
}

static void finish_or_leave(struct dfu_job *job)
{
    if (job->leave)
        send_command(job, STEP_LEAVING, COMMAND_SET_ADDRESS, job->address);
    else
        end(job, true);
}

/* The device is idle: begins what the job is for. */
static void begin(struct dfu_job *job)
{
    if (job->kind == DFU_UPLOAD)
        send_command(job, STEP_UPLOAD, COMMAND_SET_ADDRESS, job->address);
    else if (job->kind == DFU_DOWNLOAD && job->size)
        send_command(job, STEP_ERASED, COMMAND_ERASE, job->address);
    else
        finish_or_leave(job);
}

static void look(struct dfu_job *job)
{
    if (job->status[4] == STATE_IDLE) {
        begin(job);
        return;
    }
    if (job->recoveries++ == RECOVERIES) {
        fail(job, "the device does not become idle: state %u (%s)", job->status[4],
             state_name(job->status[4]));
        return;
    }
    request(job, STEP_TO_IDLE, TYPE_OUT, job->status[4] == STATE_ERROR ? REQUEST_CLRSTATUS : REQUEST_ABORT, 0,
            NULL, 0);
}

static void poll(struct dfu_job *job)
{
    unsigned state = job->status[4];
    if (job->status[0] || state == STATE_ERROR) {
        fail(job, "state %u (%s), status %u", state, state_name(state), job->status[0]);
        return;
    }
    if (state == STATE_DNBUSY || state == STATE_DNLOAD_SYNC) {
        get_status(job, STEP_POLL);
        return;
    }
    job->step = job->after;
    step_done(job, &job->transfer);
}

/* Blocks end where pages do, so that each page is erased once. */
static uint32_t block_size(const struct dfu_job *job, uint32_t at)
{
    uint32_t left = job->size - at;
    uint32_t room = DFU_BLOCK - (job->kind == DFU_DOWNLOAD ? (job->address + at) % DFU_BLOCK : 0);
    return left < room ? left : room;
}

static void write_next(struct dfu_job *job)
{
    job->moved += job->block;
    if (job->moved == job->size)
        finish_or_leave(job);
    else
        send_command(job, STEP_ERASED, COMMAND_ERASE, job->address + job->moved);
}

static void read_next(struct dfu_job *job)
{
    uint16_t number = (uint16_t)(FIRST_BLOCK + job->moved / DFU_BLOCK);
    job->block = block_size(job, job->moved);
    request(job, STEP_READ, TYPE_IN, REQUEST_UPLOAD, number, job->data + job->moved, job->block);
}

static void take_block(struct dfu_job *job)
{
    job->moved += job->transfer.actual;
    if (job->transfer.actual < job->block)
        fail(job, "upload ended early, after %u bytes", job->moved);
    else if (job->moved == job->size)
        request(job, STEP_DONE, TYPE_OUT, REQUEST_ABORT, 0, NULL, 0);
    else
        read_next(job);
}

static const char *request_name(const struct dfu_job *job)
{
    static const char *const names[] = {"detach",       "download",  "upload", "get_status",
                                        "clear_status", "get_state", "abort"};
    unsigned number = job->transfer.setup[1];
    return number < sizeof names / sizeof names[0] ? names[number] : "set_interface";
}

static void step_done(void *context, struct usb_transfer *transfer)
{
    struct dfu_job *job = context;
    /* A device that leaves may be gone before it has answered. */
    if (transfer->result != USB_OK && job->step != STEP_DONE) {
        fail(job, "%s: %s", request_name(job), usb_result_text(transfer->result));
        return;
    }
    switch ((enum step)job->step) {
    case STEP_SELECT:
    case STEP_TO_IDLE:
        get_status(job, STEP_LOOK);
        break;
    case STEP_LOOK:
        look(job);
        break;
    case STEP_SENT:
        get_status(job, STEP_POLL);
        break;
    case STEP_POLL:
        poll(job);
        break;
    case STEP_WRITTEN:
        write_next(job);
        break;
    case STEP_ERASED:
        send_command(job, STEP_POINTED, COMMAND_SET_ADDRESS, job->address + job->moved);
        break;
    case STEP_POINTED:
        job->block = block_size(job, job->moved);
        send(job, STEP_WRITTEN, FIRST_BLOCK, job->data + job->moved, job->block);
        break;
    case STEP_UPLOAD:
        request(job, STEP_READY, TYPE_OUT, REQUEST_ABORT, 0, NULL, 0);
        break;
    case STEP_READY:
        read_next(job);
        break;
    case STEP_READ:
        take_block(job);
        break;
    case STEP_LEAVING:
        request(job, STEP_LEFT, TYPE_OUT, REQUEST_DNLOAD, FIRST_BLOCK, NULL, 0);
        break;
    case STEP_LEFT:
        get_status(job, STEP_DONE);
        break;
    case STEP_DONE:
        end(job, true);
        break;
    }
}

/* The interface of DFU class in the configuration; 0 if there is none, and the device will refuse. */
static uint8_t dfu_interface(const struct usb_host *host)
{
    const uint8_t *at = host->config;
    const uint8_t *stop = at + host->config_size;
    for (; stop - at >= 2 && at[0] >= 2 && at[0] <= stop - at; at += at[0]) {
        if (at[1] == 4 && at[0] >= 9 && at[5] == 0xFE && at[6] == 1)
            return at[2];
    }
    return 0;
}

void dfu_start(struct dfu_job *job, struct usb_host *host)
{
    job->host = host;
    job->finished = job->ok = false;
    job->why[0] = 0;
    job->moved = job->block = job->recoveries = 0;
    job->interface = dfu_interface(host);
    request(job, STEP_SELECT, 1, REQUEST_SET_INTERFACE, job->alt, NULL, 0);
}
