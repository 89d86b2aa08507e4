/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/signal.h"

#include <string.h>

static const char *const reset_names[] = {
    [RESET_POWER_ON] = "power-on",  [RESET_PIN] = "reset pin",     [RESET_SOFT] = "soft reset",
    [RESET_LOCKUP] = "CPU lock-up", [RESET_WATCHDOG] = "watchdog", [RESET_OFF_WAKE] = "wake from System OFF",
    [RESET_BROWNOUT] = "brown-out",
};

const char *reset_cause_name(enum reset_cause cause)
{
    return reset_names[cause];
}

void signals_init(struct signals *signals, const uint64_t *now)
{
    memset(signals, 0, sizeof *signals);
    signals->now = now;
}

int signal_subscribe(struct signals *signals, enum signal_kind kind, signal_fn fn, void *context)
{
    if (signals->count[kind] == SIGNAL_MAX_LISTENERS)
        return -1;
    signals->listener[kind][signals->count[kind]++] = (struct signal_listener){fn, context};
    return 0;
}

void signal_unsubscribe(struct signals *signals, enum signal_kind kind, signal_fn fn, void *context)
{
    struct signal_listener *list = signals->listener[kind];
    for (unsigned i = 0; i < signals->count[kind]; i++) {
        if (list[i].fn != fn || list[i].context != context)
            continue;
        memmove(&list[i], &list[i + 1], (signals->count[kind] - i - 1) * sizeof *list);
        signals->count[kind]--;
        return;
    }
}

/* One round of a 64-bit multiply-xorshift mixer; quick enough to run on every register write. */
static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
    return hash ^ (hash >> 29);
}

void trace_note(struct signals *signals, uint64_t fact)
{
    signals->trace_hash = mix(mix(signals->trace_hash, *signals->now), fact);
}

void signal_emit(struct signals *signals, enum signal_kind kind, uint64_t digest, const void *what)
{
    trace_note(signals, mix(digest, kind + 1));
    for (unsigned i = 0; i < signals->count[kind]; i++)
        signals->listener[kind][i].fn(signals->listener[kind][i].context, *signals->now, what);
}

#define LANES 4 /* that the processor works on side by side: whole arrays of flash are digested */

uint64_t digest_bytes(const void *bytes, uint64_t size)
{
    const uint8_t *p = bytes;
    uint64_t lane[LANES] = {1, 2, 3, 4}, word[LANES], hash = size;
    for (; size >= sizeof word; size -= sizeof word, p += sizeof word) {
        memcpy(word, p, sizeof word);
        for (unsigned i = 0; i < LANES; i++)
            lane[i] = mix(lane[i], word[i]);
    }
    for (; size; size--)
        hash = mix(hash, *p++);
    for (unsigned i = 0; i < LANES; i++)
        hash = mix(hash, lane[i]);
    return hash;
}

uint64_t digest_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3ull;
    return hash;
}
