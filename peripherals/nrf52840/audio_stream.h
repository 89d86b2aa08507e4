/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What I2S and PDM have in common: START and STOP, one buffer after the other in its time, and the silence
 * that comes from a line on which nobody is.
 *
 * Source: nRF52840 Product Specification 1.7, chapters 'I2S' and 'PDM' (tasks and ENABLE are the same).
 * Modelled: buffers follow one another without a gap, from START on.
 * Not modelled: the pins.
 */
#ifndef SOSIM_NRF52840_AUDIO_STREAM_H
#define SOSIM_NRF52840_AUDIO_STREAM_H

#include "core/bus.h"

struct audio_stream;

/* What differs between I2S and PDM; the stream is a member of both. */
struct audio_kind {
    unsigned event_stopped;
    /* Takes over what the registers say of the next buffer, calls audio_stream_schedule() and tells software.
     */
    void (*take)(struct audio_stream *stream);
    /* The running buffer is at its end. */
    void (*end)(struct audio_stream *stream);
};

struct audio_stream {
    struct block *block;
    const struct audio_kind *kind;
    struct event buffer_end;
    uint64_t due;     /* cycle of buffer_end */
    uint32_t address; /* of the running buffer */
    uint32_t units;   /* its length: words of I2S, samples of PDM */
};

/* Block and kind have to stay as long as the stream. */
void audio_stream_init(struct audio_stream *stream, struct block *block, const struct audio_kind *kind);

/* For take: the buffer holds `frames` frames (0 counts as 1) of `frame_cycles` cycles. */
void audio_stream_schedule(struct audio_stream *stream, uint64_t frames, uint64_t frame_cycles);

/* Writes silence into the running buffer, whose units have `unit_size` bytes, at most 4. */
void audio_stream_receive_silence(const struct audio_stream *stream, uint32_t unit_size);

/* Cycles of the clock that a frequency register makes: 32 MHz / (2^32 / register), divided down whole. */
uint64_t audio_clock_cycles(uint32_t frequency);

/* For the face; `self` is the stream. */
void audio_stream_reset(void *self, enum reset_cause cause);
void audio_stream_write(void *self, uint32_t offset, uint32_t value);
void audio_stream_task(void *self, unsigned n);
void audio_stream_save(void *self, struct state *state);

#endif
