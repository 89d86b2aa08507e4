/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/ymodem.h"

#include <stdio.h>
#include <string.h>

#define BAUD           28800u
#define ANSWER_TIMEOUT (15000 * CYCLES_PER_MS) /* it erases the place for the file meanwhile */
#define REASON_TIMEOUT (1000 * CYCLES_PER_MS)
#define TRIES_MAX      10u
#define HEADER_BLOCK   128u
#define NAME           "firmware.bin"

#define READY   "C"
#define ANSWERS "\x06\x15\x18"

enum {
    SOH = 0x01, /* a block of 128 bytes follows */
    STX = 0x02, /* a block of 1024 bytes follows */
    EOT = 0x04,
    ACK = 0x06,
    NAK = 0x15,
    PADDING = 0x1A,
};

enum step { STEP_CALL, STEP_HEADER, STEP_BLOCK, STEP_END, STEP_NO_MORE, STEP_REASON };

static void finish(struct ymodem_job *job, const char *why)
{
    job->ok = why == NULL;
    if (why)
        snprintf(job->why, sizeof job->why, "%s", why);
    job->done(job->context, job);
}

/* CRC-16 of polynomial x^16 + x^12 + x^5 + 1, highest bit first. */
static uint16_t crc_of(const uint8_t *bytes, uint32_t size)
{
    uint16_t crc = 0;
    for (uint32_t i = 0; i < size; i++) {
        crc = (uint16_t)(crc ^ bytes[i] << 8);
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    return crc;
}

/* Sends what is in the packet, and waits for one of these characters. */
static void exchange(struct ymodem_job *job, enum step step, uint32_t size, const char *wanted)
{
    job->step = step;
    job->line.send = job->packet;
    job->line.send_size = size;
    job->line.wanted = wanted;
    cdc_go_on(&job->line);
}

/* The block's bytes are in place. */
static void send_block(struct ymodem_job *job, enum step step, uint32_t size)
{
    uint16_t crc = crc_of(job->packet + 3, size);
    job->packet[0] = size == HEADER_BLOCK ? SOH : STX;
    job->packet[1] = job->number;
    job->packet[2] = (uint8_t)~job->number;
    job->packet[3 + size] = (uint8_t)(crc >> 8);
    job->packet[4 + size] = (uint8_t)crc;
    exchange(job, step, size + 5, ANSWERS);
}

/* The file's name and size, or an empty one: no more files. */
static void send_header(struct ymodem_job *job, enum step step)
{
    job->number = 0;
    memset(job->packet + 3, 0, HEADER_BLOCK);
    if (step == STEP_HEADER) {
        char *at = (char *)job->packet + 3;
        memcpy(at, NAME, sizeof NAME);
        snprintf(at + sizeof NAME, HEADER_BLOCK - sizeof NAME, "%u ", job->size);
    }
    send_block(job, step, HEADER_BLOCK);
}

static void send_next(struct ymodem_job *job)
{
    uint32_t left = job->size - job->sent;
    if (!left) {
        job->packet[0] = EOT;
        exchange(job, STEP_END, 1, ANSWERS);
        return;
    }
    job->number++;
    job->filled = left < YMODEM_BLOCK ? left : YMODEM_BLOCK;
    memset(job->packet + 3, PADDING, YMODEM_BLOCK);
    memcpy(job->packet + 3, job->data + job->sent, job->filled);
    send_block(job, STEP_BLOCK, YMODEM_BLOCK);
}

static void after_ack(struct ymodem_job *job)
{
    job->tries = 0;
    switch ((enum step)job->step) {
    case STEP_BLOCK:
        job->sent += job->filled;
        send_next(job);
        break;
    case STEP_HEADER:
        send_next(job);
        break;
    case STEP_END:
        send_header(job, STEP_NO_MORE);
        break;
    default:
        finish(job, NULL);
        break;
    }
}

/* The device cancelled; what it prints next says why. */
static void hear_reason(struct ymodem_job *job)
{
    job->line.any_of = false;
    job->line.timeout = REASON_TIMEOUT;
    exchange(job, STEP_REASON, 0, "\n");
}

static void take_reason(struct ymodem_job *job)
{
    char why[sizeof job->why];
    char *text = job->line.received + strspn(job->line.received, "\x18 ");
    text[strcspn(text, "\r\n")] = 0;
    snprintf(why, sizeof why, "cancelled by the device%s%.90s", *text ? ": " : "", text);
    finish(job, why);
}

static void line_done(void *context, struct cdc_job *line)
{
    struct ymodem_job *job = context;
    if (job->step == STEP_REASON) {
        take_reason(job);
        return;
    }
    if (!line->ok) {
        bool silent = line->why && strstr(line->why, "did not come");
        finish(job, silent ? "the device does not answer" : line->why);
        return;
    }
    if (job->step == STEP_CALL) {
        send_header(job, STEP_HEADER);
        return;
    }
    char answer = *strpbrk(line->received, ANSWERS);
    if (answer == ACK)
        after_ack(job);
    else if (answer != NAK)
        hear_reason(job);
    else if (++job->tries == TRIES_MAX)
        finish(job, "the device refuses a block again and again");
    else
        cdc_go_on(line);
}

void ymodem_start(struct ymodem_job *job, struct usb_host *host)
{
    job->ok = false;
    job->why[0] = 0;
    job->sent = 0;
    job->tries = 0;
    job->step = STEP_CALL;
    job->packet[0] = 'f';
    job->line = (struct cdc_job){.send = job->packet,
                                 .send_size = 1,
                                 .baud = BAUD,
                                 .wanted = READY,
                                 .any_of = true,
                                 .timeout = ANSWER_TIMEOUT,
                                 .done = line_done,
                                 .context = job};
    cdc_start(&job->line, host);
}
