/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/timer.h"

#include <string.h>

enum {
    TASK_START = 0,
    TASK_STOP,
    TASK_COUNT,
    TASK_CLEAR,
    TASK_SHUTDOWN,
    TASK_CAPTURE = 16,
    EVENT_COMPARE = 16,
    MODE = 0x504,
    BITMODE = 0x508,
    PRESCALER = 0x510,
    CC = 0x540,
};

enum {
    MODE_TIMER = 0,
    PRESCALER_RESET = 4,
    PRESCALER_MAX = 9,
    LOG2_CYCLES_PER_16MHZ_TICK = 2,
};

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"TASKS_COUNT", 0x008, REG_W, 0, 0, 0},
    {"TASKS_CLEAR", 0x00c, REG_W, 0, 0, 0},
    {"TASKS_SHUTDOWN", 0x010, REG_W, 0, 0, 0},
    {"TASKS_CAPTURE", 0x040, REG_W, 0, TIMER_COMPARES, 0},
    {"EVENTS_COMPARE", 0x140, REG_RW, 0, TIMER_COMPARES, 0},
    {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"MODE", MODE, REG_RW, 0, 0, 0},
    {"BITMODE", BITMODE, REG_RW, 0, 0, 0},
    {"PRESCALER", PRESCALER, REG_RW, PRESCALER_RESET, 0, 0},
    {"CC", CC, REG_RW, 0, TIMER_COMPARES, 0},
};

static const struct shortcut shorts[] = {
    {0, EVENT_COMPARE + 0, TASK_CLEAR},
    {1, EVENT_COMPARE + 1, TASK_CLEAR},
    {2, EVENT_COMPARE + 2, TASK_CLEAR},
    {3, EVENT_COMPARE + 3, TASK_CLEAR},
    {4, EVENT_COMPARE + 4, TASK_CLEAR},
    {5, EVENT_COMPARE + 5, TASK_CLEAR},
    {8, EVENT_COMPARE + 0, TASK_STOP},
    {9, EVENT_COMPARE + 1, TASK_STOP},
    {10, EVENT_COMPARE + 2, TASK_STOP},
    {11, EVENT_COMPARE + 3, TASK_STOP},
    {12, EVENT_COMPARE + 4, TASK_STOP},
    {13, EVENT_COMPARE + 5, TASK_STOP},
    SHORTCUTS_END,
};

static bool in_timer_mode(const struct timer *timer)
{
    return (block_get(&timer->block, MODE) & 3) == MODE_TIMER;
}

static bool ticking(const struct timer *timer)
{
    return timer->running && in_timer_mode(timer);
}

static uint32_t mask(const struct timer *timer)
{
    static const uint32_t masks[] = {0xffff, 0xff, 0xffffff, 0xffffffff};
    return masks[block_get(&timer->block, BITMODE) & 3];
}

/* Cycles a tick, as a power of two. */
static unsigned period(const struct timer *timer)
{
    uint32_t prescaler = block_get(&timer->block, PRESCALER);
    return LOG2_CYCLES_PER_16MHZ_TICK + (prescaler < PRESCALER_MAX ? prescaler : PRESCALER_MAX);
}

static uint64_t ticks(const struct timer *timer, uint64_t cycle)
{
    return ticking(timer) ? (cycle - timer->base_cycle) >> period(timer) : 0;
}

static uint32_t counter(const struct timer *timer, uint64_t cycle)
{
    return (uint32_t)(timer->base + ticks(timer, cycle)) & mask(timer);
}

static void rebase(struct timer *timer, uint32_t value)
{
    timer->base = value;
    timer->base_cycle = timer->done_cycle;
}

/* The first cycle after done_cycle at which the counter becomes `value`. */
static uint64_t cycle_of(const struct timer *timer, uint32_t value)
{
    if (value > mask(timer))
        return CLOCK_NEVER;
    uint64_t first = ticks(timer, timer->done_cycle) + 1;
    uint32_t more = (value - (uint32_t)(timer->base + first)) & mask(timer);
    return timer->base_cycle + ((first + more) << period(timer));
}

static void schedule(struct timer *timer)
{
    struct clock *clock = &timer->block.bus->clock;
    uint64_t next = CLOCK_NEVER;
    for (unsigned i = 0; ticking(timer) && i < timer->compares; i++) {
        uint64_t cycle = cycle_of(timer, block_get(&timer->block, CC + 4 * i));
        next = cycle < next ? cycle : next;
    }
    timer->next_cycle = next;
    if (next == CLOCK_NEVER)
        event_cancel(clock, &timer->due);
    else
        event_at(clock, &timer->due, next);
}

/* The counter has just become `value`. */
static void match(struct timer *timer, uint32_t value)
{
    uint32_t hit = 0;
    for (unsigned i = 0; i < timer->compares; i++) {
        if (block_get(&timer->block, CC + 4 * i) == value)
            hit |= 1u << i;
    }
    timer->matching = true;
    for (; hit; hit &= hit - 1)
        block_event(&timer->block, EVENT_COMPARE + (unsigned)__builtin_ctz(hit));
    timer->matching = false;
}

/* Raises the matches up to now, each at its own cycle, however late the run loop comes. */
static void catch_up(struct timer *timer)
{
    if (timer->matching)
        return;
    uint64_t now = timer->block.bus->clock.now;
    while (timer->next_cycle <= now) {
        timer->done_cycle = timer->next_cycle;
        match(timer, counter(timer, timer->done_cycle));
        schedule(timer);
    }
    timer->done_cycle = now;
}

static void due(void *owner)
{
    catch_up(owner);
}

static void count(struct timer *timer)
{
    if (!timer->running || in_timer_mode(timer))
        return;
    timer->base = (timer->base + 1) & mask(timer);
    if (!timer->matching)
        match(timer, timer->base);
}

static void task(void *self, unsigned n)
{
    struct timer *timer = self;
    catch_up(timer);
    uint32_t value = counter(timer, timer->done_cycle);
    switch (n) {
    case TASK_START:
        if (!timer->running)
            rebase(timer, value);
        timer->running = true;
        break;
    case TASK_STOP:
        rebase(timer, value);
        timer->running = false;
        break;
    case TASK_COUNT:
        count(timer);
        break;
    case TASK_CLEAR:
        rebase(timer, 0);
        break;
    case TASK_SHUTDOWN:
        rebase(timer, 0);
        timer->running = false;
        break;
    default:
        if (n < TASK_CAPTURE || n >= TASK_CAPTURE + timer->compares)
            break;
        block_set(&timer->block, CC + 4 * (n - TASK_CAPTURE), value);
        /* It matches a whole turn from now, which is no sooner than what `due` is scheduled for; that may
         * come to nothing. */
        if (timer->next_cycle != CLOCK_NEVER)
            return;
        break;
    }
    if (!timer->matching)
        schedule(timer);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct timer *timer = self;
    catch_up(timer);
    /* MODE, BITMODE and PRESCALER change the meaning of the cycles that have gone by. */
    if (offset < CC)
        rebase(timer, counter(timer, timer->done_cycle));
    block_set(&timer->block, offset, value);
    schedule(timer);
}

static void reset(void *self, enum reset_cause cause)
{
    struct timer *timer = self;
    (void)cause;
    timer->running = false;
    timer->matching = false;
    timer->done_cycle = timer->block.bus->clock.now;
    timer->next_cycle = CLOCK_NEVER;
    rebase(timer, 0);
    event_cancel(&timer->block.bus->clock, &timer->due);
}

static void save(void *self, struct state *state)
{
    struct timer *timer = self;
    state_var(state, timer->running);
    state_var(state, timer->base);
    state_var(state, timer->base_cycle);
    state_var(state, timer->done_cycle);
    state_var(state, timer->next_cycle);
    state_event(state, &timer->block.bus->clock, &timer->due);
}

void timer_init(struct timer *timer, struct bus *bus, unsigned instance)
{
    static const struct {
        const char *name;
        uint32_t base;
        int irq;
        unsigned compares;
    } instances[] = {
        {"TIMER0", 0x40008000, 8, 4},  {"TIMER1", 0x40009000, 9, 4},  {"TIMER2", 0x4000a000, 10, 4},
        {"TIMER3", 0x4001a000, 26, 6}, {"TIMER4", 0x4001b000, 27, 6},
    };
    memset(timer, 0, sizeof *timer);
    timer->compares = instances[instance].compares;
    timer->next_cycle = CLOCK_NEVER;
    block_init(&timer->block, bus, instances[instance].base, instances[instance].irq);
    block_add_face(&timer->block, &(struct face){
                                      .name = instances[instance].name,
                                      .regs = regs,
                                      .reg_count = sizeof regs / sizeof regs[0],
                                      .reset = reset,
                                      .write = write,
                                      .task = task,
                                      .save = save,
                                      .self = timer,
                                      .shorts = shorts,
                                  });
    event_init(&bus->clock, &timer->due, due, timer);
}
