/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/comparator.h"

#include "nrf52840/analog.h"

enum {
    TASK_START = 0,
    TASK_STOP = 1,
    TASK_SAMPLE = 2,
    EVENT_READY = 0,
    EVENT_DOWN = 1,
    EVENT_UP = 2,
    EVENT_CROSS = 3,
};

const struct shortcut comparator_shorts[] = {
    {0, EVENT_READY, TASK_SAMPLE}, {1, EVENT_READY, TASK_STOP}, {2, EVENT_DOWN, TASK_STOP},
    {3, EVENT_UP, TASK_STOP},      {4, EVENT_CROSS, TASK_STOP}, SHORTCUTS_END,
};

int32_t comparator_input(const struct comparator *comparator, uint32_t offset, uint32_t mask)
{
    return analog_input(comparator->block->bus, comparator->power,
                        block_get(comparator->block, offset) & mask);
}

static void started(void *owner)
{
    struct comparator *comparator = owner;
    comparator->running = true;
    block_event(comparator->block, EVENT_READY);
}

static void stop(struct comparator *comparator)
{
    event_cancel(&comparator->block->bus->clock, &comparator->ready);
    comparator->running = false;
}

void comparator_task(void *self, unsigned n)
{
    struct comparator *comparator = self;
    if (block_get(comparator->block, COMPARATOR_ENABLE) != comparator->kind->enable)
        return;
    if (n == TASK_START)
        event_after(&comparator->block->bus->clock, &comparator->ready, comparator->kind->start_cycles);
    else if (n == TASK_STOP)
        stop(comparator);
    else if (n == TASK_SAMPLE && comparator->running)
        comparator->kind->sample(comparator);
}

void comparator_write(void *self, uint32_t offset, uint32_t value)
{
    struct comparator *comparator = self;
    block_set(comparator->block, offset, value);
    if (offset == COMPARATOR_ENABLE && value != comparator->kind->enable)
        stop(comparator);
}

void comparator_reset(void *self, enum reset_cause cause)
{
    (void)cause;
    stop(self);
}

void comparator_save(void *self, struct state *state)
{
    struct comparator *comparator = self;
    state_event(state, &comparator->block->bus->clock, &comparator->ready);
    state_var(state, comparator->running);
}

void comparator_init(struct comparator *comparator, struct block *block, const struct power *power,
                     const struct comparator_kind *kind)
{
    *comparator = (struct comparator){.block = block, .power = power, .kind = kind};
    event_init(&block->bus->clock, &comparator->ready, started, comparator);
}
