/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual time and the event queue.
 *
 * Time is counted in cycles of the 64 MHz CPU clock since power-on of the machine (uint64, never wraps in
 * practice: 9,000 years). Everything slower is derived from it by integer arithmetic, so nothing drifts.
 * No wall clock comes in here.
 *
 * An event is owned by the block that embeds it and is registered once, at init; scheduling is then free of
 * allocation. Events due at the same cycle run in the order of their registration, which makes a run restored
 * from a snapshot take the same order as the run it was taken from.
 *
 * Not modelled: clock tolerance and jitter (HFXO, LFXO and LFRC are exact), HFINT against HFXO accuracy.
 */
#ifndef SOSIM_CORE_CLOCK_H
#define SOSIM_CORE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CYCLES_PER_SECOND 64000000ull
#define CYCLES_PER_MS     64000ull
#define CYCLES_PER_US     64ull
#define CLOCK_NEVER       UINT64_MAX

struct state;

/* Called when the event is due; `now` is then exactly the cycle it was scheduled for, or later by the length
 * of the code block that was running (interrupts are taken between blocks). */
typedef void (*event_fn)(void *owner);

struct event {
    uint64_t at; /* cycle, CLOCK_NEVER when idle */
    event_fn fn;
    void *owner;
    uint32_t order; /* by registration: decides between events of one cycle */
    int32_t slot;   /* place in the heap, -1 when idle */
};

#define CLOCK_MAX_EVENTS 512

struct clock {
    uint64_t now;        /* cycles */
    uint64_t deadline;   /* the run loop leaves its fast path at this cycle; 0 asks for that at once */
    uint64_t open_until; /* never after the deadline: before this cycle known blocks need no look at all */
    uint32_t registered;
    uint32_t pending;
    struct event *heap[CLOCK_MAX_EVENTS];
};

void clock_init(struct clock *clock);

/* Registers an event; call once per event, in a fixed order. */
void event_init(struct clock *clock, struct event *event, event_fn fn, void *owner);

/* Schedules (or moves) the event to an absolute cycle; a cycle in the past is due at once. */
void event_at(struct clock *clock, struct event *event, uint64_t cycle);
void event_after(struct clock *clock, struct event *event, uint64_t cycles);
void event_cancel(struct clock *clock, struct event *event);

static inline bool event_pending(const struct event *event)
{
    return event->slot >= 0;
}

/* Cycle of the earliest event, or CLOCK_NEVER. */
uint64_t clock_next_event(const struct clock *clock);

/* Runs every event due at or before clock->now. */
void clock_run_due(struct clock *clock);

/* Lets `cycles` go by while the CPU is held (a stall), running each event at its own cycle. */
void clock_stall(struct clock *clock, uint64_t cycles);

/* Makes the run loop look at interrupts and stop requests before the next block of code. */
static inline void clock_kick(struct clock *clock)
{
    clock->deadline = 0;
    clock->open_until = 0;
}

/* Saves or restores one event's schedule. */
void state_event(struct state *state, struct clock *clock, struct event *event);

#endif
