/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/cdc_serial.h"

#include <string.h>

#define REQUEST_TIMEOUT (5000 * CYCLES_PER_MS)
#define BAUD            115200u

enum {
    CLASS_CONTROL = 2,
    CLASS_DATA = 10,
};

enum step { STEP_CODING, STEP_LINES, STEP_SEND, STEP_READ };

static void finish(struct cdc_job *job, const char *why)
{
    job->ok = !why;
    job->why = why;
    job->done(job->context, job);
}

static void step_done(void *context, struct usb_transfer *transfer);

static void start(struct cdc_job *job, enum step step, uint8_t endpoint, uint8_t *data, uint32_t length,
                  uint64_t timeout)
{
    job->step = step;
    job->transfer.endpoint = endpoint;
    job->transfer.data = data;
    job->transfer.length = length;
    job->transfer.timeout = timeout;
    job->transfer.done = step_done;
    job->transfer.context = job;
    usb_host_submit(job->host, &job->transfer);
}

static void read_more(struct cdc_job *job)
{
    uint64_t now = job->host->bus->clock.now;
    if (now >= job->end)
        finish(job, "the text did not come");
    else
        start(job, STEP_READ, job->at.in, job->packet, sizeof job->packet, job->end - now);
}

static void after_send(struct cdc_job *job)
{
    if (job->wanted)
        read_more(job);
    else
        finish(job, NULL);
}

/* Eight data bits, no parity, one stop bit. Device OS looks at the line's speed when the request arrives and
 * its data have not, so a speed that is to bring about something must have been set before already. */
static void code_line(struct cdc_job *job)
{
    uint32_t baud = job->baud ? job->baud : BAUD;
    memset(job->line, 0, sizeof job->line);
    for (unsigned i = 0; i < 4; i++)
        job->line[i] = (uint8_t)(baud >> 8 * i);
    job->line[6] = 8;
    usb_setup(job->transfer.setup, CDC_TYPE_OUT, CDC_SET_LINE_CODING, 0, job->at.interface, sizeof job->line);
    start(job, STEP_CODING, 0, job->line, sizeof job->line, REQUEST_TIMEOUT);
}

static void send_bytes(struct cdc_job *job)
{
    if (job->send_size)
        start(job, STEP_SEND, job->at.out, (uint8_t *)job->send, job->send_size, REQUEST_TIMEOUT);
    else
        after_send(job);
}

static void take_packet(struct cdc_job *job)
{
    for (uint32_t i = 0; i < job->transfer.actual; i++) {
        if (job->received_size == CDC_RECEIVED_MAX - 1) { /* keep the newer half */
            memmove(job->received, job->received + CDC_RECEIVED_MAX / 2, CDC_RECEIVED_MAX / 2);
            job->received_size -= CDC_RECEIVED_MAX / 2;
        }
        char byte = (char)job->packet[i];
        job->received[job->received_size++] = byte ? byte : ' ';
    }
    job->received[job->received_size] = 0;
    if (job->any_of ? strpbrk(job->received, job->wanted) : strstr(job->received, job->wanted))
        finish(job, NULL);
    else
        read_more(job);
}

static void step_done(void *context, struct usb_transfer *transfer)
{
    struct cdc_job *job = context;
    if (job->step == STEP_READ && transfer->result == USB_TIMED_OUT) {
        finish(job, "the text did not come");
        return;
    }
    if (transfer->result != USB_OK) {
        finish(job, usb_result_text(transfer->result));
        return;
    }
    switch ((enum step)job->step) {
    case STEP_CODING:
        if (!job->coded) {
            job->coded = true;
            code_line(job);
            break;
        }
        usb_setup(job->transfer.setup, CDC_TYPE_OUT, CDC_SET_CONTROL_LINE_STATE, CDC_DTR_AND_RTS,
                  job->at.interface, 0);
        start(job, STEP_LINES, 0, NULL, 0, REQUEST_TIMEOUT);
        break;
    case STEP_LINES:
        send_bytes(job);
        break;
    case STEP_SEND:
        after_send(job);
        break;
    case STEP_READ:
        take_packet(job);
        break;
    }
}

bool cdc_find_line(const struct usb_host *host, struct cdc_line *line)
{
    const uint8_t *at = host->config, *end = at + host->config_size;
    unsigned class = 0;
    *line = (struct cdc_line){0};
    for (; end - at >= 2 && at[0] >= 2 && at[0] <= end - at; at += at[0]) {
        if (at[1] == 4 && at[0] >= 9) {
            class = at[5];
            if (class == CLASS_CONTROL)
                line->interface = at[2];
        } else if (at[1] == 5 && at[0] >= 7 && class == CLASS_DATA) {
            *(at[2] & 0x80 ? &line->in : &line->out) = at[2];
        }
    }
    return line->in && line->out;
}

static void clear(struct cdc_job *job)
{
    job->ok = false;
    job->received_size = 0;
    job->received[0] = 0;
    job->end = job->host->bus->clock.now + job->timeout;
}

void cdc_go_on(struct cdc_job *job)
{
    clear(job);
    send_bytes(job);
}

void cdc_start(struct cdc_job *job, struct usb_host *host)
{
    job->host = host;
    clear(job);
    job->transfer = (struct usb_transfer){.endpoint = 0};
    job->coded = !job->baud;
    if (!cdc_find_line(host, &job->at)) {
        finish(job, "the device has no serial line");
        return;
    }
    code_line(job);
}
