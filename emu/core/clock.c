/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/clock.h"

#include "core/state.h"

#include <assert.h>

void clock_init(struct clock *clock)
{
    clock->now = 0;
    clock->deadline = 0;
    clock->open_until = 0;
    clock->registered = 0;
    clock->pending = 0;
}

void event_init(struct clock *clock, struct event *event, event_fn fn, void *owner)
{
    assert(clock->registered < CLOCK_MAX_EVENTS);
    event->at = CLOCK_NEVER;
    event->fn = fn;
    event->owner = owner;
    event->order = clock->registered++;
    event->slot = -1;
}

static bool earlier(const struct event *a, const struct event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void place(struct clock *clock, uint32_t slot, struct event *event)
{
    clock->heap[slot] = event;
    event->slot = (int32_t)slot;
}

static void sift_up(struct clock *clock, uint32_t slot, struct event *event)
{
    while (slot > 0 && earlier(event, clock->heap[(slot - 1) / 2])) {
        place(clock, slot, clock->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    place(clock, slot, event);
}

static void sift_down(struct clock *clock, uint32_t slot, struct event *event)
{
    for (;;) {
        uint32_t child = 2 * slot + 1;
        if (child >= clock->pending)
            break;
        if (child + 1 < clock->pending && earlier(clock->heap[child + 1], clock->heap[child]))
            child++;
        if (!earlier(clock->heap[child], event))
            break;
        place(clock, slot, clock->heap[child]);
        slot = child;
    }
    place(clock, slot, event);
}

void event_cancel(struct clock *clock, struct event *event)
{
    if (event->slot < 0)
        return;
    uint32_t slot = (uint32_t)event->slot;
    struct event *last = clock->heap[--clock->pending];
    event->slot = -1;
    event->at = CLOCK_NEVER;
    if (last == event)
        return;
    if (slot > 0 && earlier(last, clock->heap[(slot - 1) / 2]))
        sift_up(clock, slot, last);
    else
        sift_down(clock, slot, last);
}

void event_at(struct clock *clock, struct event *event, uint64_t cycle)
{
    if (event->slot < 0 || event->at != cycle) {
        event_cancel(clock, event);
        event->at = cycle;
        sift_up(clock, clock->pending++, event);
    }
    if (cycle < clock->deadline)
        clock->deadline = cycle;
    if (cycle < clock->open_until)
        clock->open_until = cycle;
}

void event_after(struct clock *clock, struct event *event, uint64_t cycles)
{
    event_at(clock, event, clock->now + cycles);
}

uint64_t clock_next_event(const struct clock *clock)
{
    return clock->pending ? clock->heap[0]->at : CLOCK_NEVER;
}

void clock_run_due(struct clock *clock)
{
    while (clock->pending && clock->heap[0]->at <= clock->now) {
        struct event *event = clock->heap[0];
        event_cancel(clock, event);
        event->fn(event->owner);
    }
}

void clock_stall(struct clock *clock, uint64_t cycles)
{
    uint64_t end = clock->now + cycles;
    while (clock_next_event(clock) <= end) {
        if (clock_next_event(clock) > clock->now)
            clock->now = clock_next_event(clock);
        clock_run_due(clock);
    }
    clock->now = end;
    clock_kick(clock);
}

void state_event(struct state *state, struct clock *clock, struct event *event)
{
    uint64_t at = event->at;
    state_var(state, at);
    if (!state->loading)
        return;
    event_cancel(clock, event);
    if (at != CLOCK_NEVER)
        event_at(clock, event, at);
}
