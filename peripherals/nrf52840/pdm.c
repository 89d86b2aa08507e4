/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/pdm.h"

enum {
    EVENT_STARTED = 0,
    EVENT_STOPPED = 1,
    EVENT_END = 2,
    REG_PDMCLKCTRL = 0x504,
    REG_MODE = 0x508,
    REG_RATIO = 0x520,
    REG_SAMPLE_PTR = 0x560,
    REG_SAMPLE_MAXCNT = 0x564,
    MODE_MONO = 1u << 0,
    MAXCNT_MASK = 0x7fff,
    SAMPLE_SIZE = 2,
};

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"EVENTS_STARTED", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_STOPPED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_END", 0x108, REG_RW, 0, 0, 0},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"PDMCLKCTRL", 0x504, REG_RW, 0x8400000, 0, 0},
    {"MODE", 0x508, REG_RW, 0, 0, 0},
    {"GAINL", 0x518, REG_RW, 0x28, 0, 0},
    {"GAINR", 0x51c, REG_RW, 0x28, 0, 0},
    {"RATIO", 0x520, REG_RW, 0, 0, 0},
    {"PSEL.CLK", 0x540, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.DIN", 0x544, REG_RW, 0xffffffff, 0, 0},
    {"SAMPLE.PTR", 0x560, REG_RW, 0, 0, 0},
    {"SAMPLE.MAXCNT", 0x564, REG_RW, 0, 0, 0},
};

/* Cycles between samples of one channel. */
static uint64_t sample_cycles(const struct block *block)
{
    return audio_clock_cycles(block_get(block, REG_PDMCLKCTRL)) * (block_get(block, REG_RATIO) & 1 ? 80 : 64);
}

static void take(struct audio_stream *stream)
{
    struct block *block = stream->block;
    stream->address = block_get(block, REG_SAMPLE_PTR);
    stream->units = block_get(block, REG_SAMPLE_MAXCNT) & MAXCNT_MASK;
    bool mono = block_get(block, REG_MODE) & MODE_MONO;
    audio_stream_schedule(stream, mono ? stream->units : (stream->units + 1) / 2, sample_cycles(block));
    block_event(block, EVENT_STARTED);
}

static void end(struct audio_stream *stream)
{
    audio_stream_receive_silence(stream, SAMPLE_SIZE);
    block_event(stream->block, EVENT_END);
}

static const struct audio_kind kind = {.event_stopped = EVENT_STOPPED, .take = take, .end = end};

void pdm_init(struct pdm *pdm, struct bus *bus)
{
    block_init(&pdm->block, bus, 0x4001D000, 29);
    audio_stream_init(&pdm->stream, &pdm->block, &kind);
    block_add_face(&pdm->block, &(struct face){
                                    .name = "PDM",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = audio_stream_reset,
                                    .write = audio_stream_write,
                                    .task = audio_stream_task,
                                    .save = audio_stream_save,
                                    .self = &pdm->stream,
                                });
}
