/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/audio_stream.h"

enum {
    TASK_START = 0,
    TASK_STOP = 1,
    REG_ENABLE = 0x500,
};

#define CYCLES_PER_32MHZ 2u

uint64_t audio_clock_cycles(uint32_t frequency)
{
    return (1ull << 32) / (frequency ? frequency : 1) * CYCLES_PER_32MHZ;
}

static struct clock *clock_of(struct audio_stream *stream)
{
    return &stream->block->bus->clock;
}

void audio_stream_schedule(struct audio_stream *stream, uint64_t frames, uint64_t frame_cycles)
{
    stream->due += (frames ? frames : 1) * frame_cycles;
    event_at(clock_of(stream), &stream->buffer_end, stream->due);
}

void audio_stream_receive_silence(const struct audio_stream *stream, uint32_t unit_size)
{
    static const uint8_t silence[4];
    for (uint32_t i = 0; i < stream->units; i++)
        dma_write(stream->block->bus, stream->address + unit_size * i, silence, unit_size);
}

static void buffer_ended(void *owner)
{
    struct audio_stream *stream = owner;
    stream->kind->end(stream);
    stream->kind->take(stream);
}

void audio_stream_task(void *self, unsigned n)
{
    struct audio_stream *stream = self;
    if (!(block_get(stream->block, REG_ENABLE) & 1))
        return;
    if (n == TASK_START) {
        stream->due = clock_of(stream)->now;
        stream->kind->take(stream);
    } else if (n == TASK_STOP) {
        event_cancel(clock_of(stream), &stream->buffer_end);
        block_event(stream->block, stream->kind->event_stopped);
    }
}

void audio_stream_write(void *self, uint32_t offset, uint32_t value)
{
    struct audio_stream *stream = self;
    block_set(stream->block, offset, value);
    if (offset == REG_ENABLE && !(value & 1))
        event_cancel(clock_of(stream), &stream->buffer_end);
}

void audio_stream_reset(void *self, enum reset_cause cause)
{
    struct audio_stream *stream = self;
    (void)cause;
    event_cancel(clock_of(stream), &stream->buffer_end);
}

void audio_stream_save(void *self, struct state *state)
{
    struct audio_stream *stream = self;
    state_event(state, clock_of(stream), &stream->buffer_end);
    state_var(state, stream->due);
    state_var(state, stream->address);
    state_var(state, stream->units);
}

void audio_stream_init(struct audio_stream *stream, struct block *block, const struct audio_kind *kind)
{
    *stream = (struct audio_stream){.block = block, .kind = kind};
    event_init(&block->bus->clock, &stream->buffer_end, buffer_ended, stream);
}
