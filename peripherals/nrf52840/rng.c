/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/rng.h"

#include <string.h>

enum {
    TASK_START = 0,
    TASK_STOP = 1,
    EVENT_VALRDY = 0,
    CONFIG = 0x504,
    VALUE = 0x508,
};

#define START_US     128
#define RAW_US       30
#define CORRECTED_US 120
#define STREAM       0x524e47ull /* tells this stream from the other ones of the same seed */

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},    {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"EVENTS_VALRDY", 0x100, REG_RW, 0, 0, 0}, {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},      {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"CONFIG", CONFIG, REG_RW, 0, 0, 0},       {"VALUE", VALUE, REG_R, 0, 0, 0},
};

static const struct shortcut shorts[] = {{0, EVENT_VALRDY, TASK_STOP}, SHORTCUTS_END};

static uint64_t byte_cycles(const struct rng *rng)
{
    return (block_get(&rng->block, CONFIG) & 1 ? CORRECTED_US : RAW_US) * CYCLES_PER_US;
}

static void ready(void *owner)
{
    struct rng *rng = owner;
    block_set(&rng->block, VALUE, random_next(&rng->stream) & 0xff);
    /* Before the event, so that VALRDY_STOP finds something to stop. */
    event_at(&rng->block.bus->clock, &rng->ready, rng->block.bus->clock.now + byte_cycles(rng));
    block_event(&rng->block, EVENT_VALRDY);
}

static void task(void *self, unsigned n)
{
    struct rng *rng = self;
    struct clock *clock = &rng->block.bus->clock;
    if (n == TASK_STOP)
        event_cancel(clock, &rng->ready);
    else if (n == TASK_START && !event_pending(&rng->ready))
        event_after(clock, &rng->ready, START_US * CYCLES_PER_US + byte_cycles(rng));
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct rng *rng = self;
    if (offset == CONFIG)
        block_set(&rng->block, offset, value & 1);
}

static void reset(void *self, enum reset_cause cause)
{
    struct rng *rng = self;
    (void)cause;
    event_cancel(&rng->block.bus->clock, &rng->ready);
}

static void save(void *self, struct state *state)
{
    struct rng *rng = self;
    state_var(state, rng->stream);
    state_event(state, &rng->block.bus->clock, &rng->ready);
}

void rng_init(struct rng *rng, struct bus *bus)
{
    memset(rng, 0, sizeof *rng);
    rng->stream = bus->seed ^ STREAM;
    block_init(&rng->block, bus, 0x4000d000u, 13);
    block_add_face(&rng->block, &(struct face){
                                    .name = "RNG",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = reset,
                                    .write = write,
                                    .task = task,
                                    .save = save,
                                    .self = rng,
                                    .shorts = shorts,
                                });
    event_init(&bus->clock, &rng->ready, ready, rng);
}
