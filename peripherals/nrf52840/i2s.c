/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/i2s.h"

enum {
    EVENT_RXPTRUPD = 1,
    EVENT_STOPPED = 2,
    EVENT_TXPTRUPD = 5,
    REG_CONFIG_RXEN = 0x508,
    REG_CONFIG_TXEN = 0x50C,
    REG_CONFIG_MCKFREQ = 0x514,
    REG_CONFIG_RATIO = 0x518,
    REG_CONFIG_SWIDTH = 0x51C,
    REG_CONFIG_CHANNELS = 0x528,
    REG_RXD_PTR = 0x538,
    REG_RXTXD_MAXCNT = 0x550,
    MAXCNT_MASK = 0x3fff,
    WORD_SIZE = 4,
};

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    /* Undocumented; drivers write them after STOP (anomaly 194). No effect here. */
    {"ERRATA_038", 0x038, REG_W, 0, 2, 0},
    {"EVENTS_RXPTRUPD", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_STOPPED", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_TXPTRUPD", 0x114, REG_RW, 0, 0, 0},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"CONFIG.MODE", 0x504, REG_RW, 0, 0, 0},
    {"CONFIG.RXEN", 0x508, REG_RW, 0, 0, 0},
    {"CONFIG.TXEN", 0x50c, REG_RW, 0x1, 0, 0},
    {"CONFIG.MCKEN", 0x510, REG_RW, 0x1, 0, 0},
    {"CONFIG.MCKFREQ", 0x514, REG_RW, 0x20000000, 0, 0},
    {"CONFIG.RATIO", 0x518, REG_RW, 0x6, 0, 0},
    {"CONFIG.SWIDTH", 0x51c, REG_RW, 0x1, 0, 0},
    {"CONFIG.ALIGN", 0x520, REG_RW, 0, 0, 0},
    {"CONFIG.FORMAT", 0x524, REG_RW, 0, 0, 0},
    {"CONFIG.CHANNELS", 0x528, REG_RW, 0, 0, 0},
    {"RXD.PTR", 0x538, REG_RW, 0, 0, 0},
    {"TXD.PTR", 0x540, REG_RW, 0, 0, 0},
    {"RXTXD.MAXCNT", 0x550, REG_RW, 0, 0, 0},
    {"PSEL.MCK", 0x560, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SCK", 0x564, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.LRCK", 0x568, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SDIN", 0x56c, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SDOUT", 0x570, REG_RW, 0xffffffff, 0, 0},
};

/* Cycles of one frame (a left and a right sample). */
static uint64_t frame_cycles(const struct block *block)
{
    static const uint16_t ratios[] = {32, 48, 64, 96, 128, 192, 256, 384, 512};
    uint32_t select = block_get(block, REG_CONFIG_RATIO) & 0xf;
    return audio_clock_cycles(block_get(block, REG_CONFIG_MCKFREQ)) * ratios[select < 9 ? select : 8];
}

/* Frames that a buffer of `words` words holds: a word takes 8-bit samples by four, 16-bit by two, 24 by one.
 */
static uint64_t frames(const struct block *block, uint32_t words)
{
    static const uint8_t samples_per_word[] = {4, 2, 1, 1};
    uint64_t samples = (uint64_t)words * samples_per_word[block_get(block, REG_CONFIG_SWIDTH) & 3];
    bool stereo = (block_get(block, REG_CONFIG_CHANNELS) & 3) == 0;
    return stereo ? (samples + 1) / 2 : samples;
}

/* Takes the pointers over for the next buffer and tells that they may be written again. */
static void take(struct audio_stream *stream)
{
    struct block *block = stream->block;
    stream->address = block_get(block, REG_RXD_PTR);
    stream->units = block_get(block, REG_RXTXD_MAXCNT) & MAXCNT_MASK;
    audio_stream_schedule(stream, frames(block, stream->units), frame_cycles(block));
    if (block_get(block, REG_CONFIG_RXEN) & 1)
        block_event(block, EVENT_RXPTRUPD);
    if (block_get(block, REG_CONFIG_TXEN) & 1)
        block_event(block, EVENT_TXPTRUPD);
}

static void end(struct audio_stream *stream)
{
    if (block_get(stream->block, REG_CONFIG_RXEN) & 1)
        audio_stream_receive_silence(stream, WORD_SIZE);
}

static const struct audio_kind kind = {.event_stopped = EVENT_STOPPED, .take = take, .end = end};

void i2s_init(struct i2s *i2s, struct bus *bus)
{
    block_init(&i2s->block, bus, 0x40025000, 37);
    audio_stream_init(&i2s->stream, &i2s->block, &kind);
    block_add_face(&i2s->block, &(struct face){
                                    .name = "I2S",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = audio_stream_reset,
                                    .write = audio_stream_write,
                                    .task = audio_stream_task,
                                    .save = audio_stream_save,
                                    .self = &i2s->stream,
                                });
}
