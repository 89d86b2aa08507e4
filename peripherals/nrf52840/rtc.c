/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/rtc.h"

#include <string.h>

enum {
    TASK_START = 0,
    TASK_STOP,
    TASK_CLEAR,
    TASK_TRIGOVRFLW,
    EVENT_TICK = 0,
    EVENT_OVRFLW = 1,
    EVENT_COMPARE = 16,
    EVTEN = 0x340,
    EVTENSET = 0x344,
    EVTENCLR = 0x348,
    COUNTER = 0x504,
    PRESCALER = 0x508,
    CC = 0x540,
};

#define COUNTER_MASK   0xffffffu
#define ALMOST_OVER    0xfffff0u /* COUNTER after TRIGOVRFLW */
#define PRESCALER_MASK 0xfffu

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"TASKS_CLEAR", 0x008, REG_W, 0, 0, 0},
    {"TASKS_TRIGOVRFLW", 0x00c, REG_W, 0, 0, 0},
    {"EVENTS_TICK", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_OVRFLW", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_COMPARE", 0x140, REG_RW, 0, RTC_COMPARES, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"EVTEN", EVTEN, REG_RW, 0, 0, 0},
    {"EVTENSET", EVTENSET, REG_RW, 0, 0, 0},
    {"EVTENCLR", EVTENCLR, REG_RW, 0, 0, 0},
    {"COUNTER", COUNTER, REG_R, 0, 0, 0},
    {"PRESCALER", PRESCALER, REG_RW, 0, 0, 0},
    {"CC", CC, REG_RW, 0, RTC_COMPARES, 0},
};

static bool counting(const struct rtc *rtc)
{
    return rtc->running && rtc->lfclk;
}

static uint64_t now_edge(const struct rtc *rtc)
{
    return lfclk_edge(rtc->block.bus->clock.now);
}

/* Counts since base_edge, as of `edge`. */
static uint64_t counts(const struct rtc *rtc, uint64_t edge)
{
    if (!counting(rtc) || edge <= rtc->base_edge)
        return 0;
    return (edge - rtc->base_edge) / rtc->period;
}

static uint32_t counter(const struct rtc *rtc, uint64_t edge)
{
    return (uint32_t)(rtc->base + counts(rtc, edge)) & COUNTER_MASK;
}

static void rebase(struct rtc *rtc, uint32_t value, uint64_t edge)
{
    rtc->base = value;
    rtc->base_edge = edge;
    rtc->period = (block_get(&rtc->block, PRESCALER) & PRESCALER_MASK) + 1;
}

/* The first edge after done_edge at which COUNTER becomes `value`. */
static uint64_t edge_of(const struct rtc *rtc, uint32_t value)
{
    uint64_t first = counts(rtc, rtc->done_edge) + 1;
    uint32_t more = (value - (uint32_t)(rtc->base + first)) & COUNTER_MASK;
    return rtc->base_edge + (first + more) * rtc->period;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void schedule(struct rtc *rtc)
{
    struct clock *clock = &rtc->block.bus->clock;
    uint32_t wanted = counting(rtc) ? rtc->block.inten | rtc->evten : 0;
    rtc->awaited = wanted;
    uint64_t next = sooner(rtc->run_edge, rtc->set_edge);
    if (wanted & 1u << EVENT_TICK)
        next = sooner(next, rtc->base_edge + (counts(rtc, rtc->done_edge) + 1) * rtc->period);
    if (wanted & 1u << EVENT_OVRFLW)
        next = sooner(next, edge_of(rtc, 0));
    for (unsigned i = 0; i < rtc->compares; i++) {
        if (wanted & 1u << (EVENT_COMPARE + i))
            next = sooner(next, edge_of(rtc, block_get(&rtc->block, CC + 4 * i)));
    }
    rtc->next_edge = next;
    if (next == CLOCK_NEVER)
        event_cancel(clock, &rtc->due);
    else
        event_at(clock, &rtc->due, lfclk_cycle(next));
}

static void raise(struct rtc *rtc, unsigned event)
{
    uint32_t bit = 1u << event;
    if (rtc->evten & bit) {
        block_event(&rtc->block, event);
    } else if (rtc->block.inten & bit) {
        block_set(&rtc->block, EVENT_OFFSET(event), 1);
        block_update_irq(&rtc->block);
    }
}

static void apply_tasks(struct rtc *rtc, uint64_t edge)
{
    if (rtc->run_edge == edge) {
        rtc->run_edge = CLOCK_NEVER;
        if (rtc->run_value != rtc->running) {
            /* A stop comes before this edge's count, a start makes it the first one. */
            uint32_t value = counter(rtc, edge - 1);
            rtc->running = rtc->run_value;
            rebase(rtc, value, edge - 1);
        }
    }
    if (rtc->set_edge == edge) {
        rtc->set_edge = CLOCK_NEVER;
        rebase(rtc, rtc->set_value, edge);
    }
}

static void raise_events(struct rtc *rtc, uint64_t edge)
{
    if (!counting(rtc) || edge <= rtc->base_edge || (edge - rtc->base_edge) % rtc->period)
        return;
    uint32_t value = counter(rtc, edge);
    raise(rtc, EVENT_TICK);
    if (value == 0)
        raise(rtc, EVENT_OVRFLW);
    for (unsigned i = 0; i < rtc->compares; i++) {
        if (value == block_get(&rtc->block, CC + 4 * i))
            raise(rtc, EVENT_COMPARE + i);
    }
}

/* Brings events and waiting tasks up to the current edge, in order. */
static void catch_up(struct rtc *rtc)
{
    uint64_t edge = now_edge(rtc);
    while (rtc->next_edge <= edge) {
        uint64_t due = rtc->next_edge;
        rtc->done_edge = due;
        rtc->next_edge = CLOCK_NEVER; /* a task that an event triggers comes back here */
        apply_tasks(rtc, due);
        raise_events(rtc, due);
        schedule(rtc);
    }
    if (edge > rtc->done_edge)
        rtc->done_edge = edge;
}

static void due(void *owner)
{
    catch_up(owner);
}

/* The rising edge after the next falling one, which lies half way between two rising edges. */
static uint64_t effective_edge(const struct rtc *rtc)
{
    uint64_t now = rtc->block.bus->clock.now;
    uint64_t edge = lfclk_edge(now);
    bool past_falling = (now - edge * 15625 / 8) * 16 >= 15625;
    return edge + (past_falling ? 2 : 1);
}

static void task(void *self, unsigned n)
{
    struct rtc *rtc = self;
    catch_up(rtc);
    uint64_t edge = effective_edge(rtc);
    if (n <= TASK_STOP) {
        rtc->run_edge = edge;
        rtc->run_value = n == TASK_START;
    } else if (n <= TASK_TRIGOVRFLW) {
        rtc->set_edge = edge;
        rtc->set_value = n == TASK_CLEAR ? 0 : ALMOST_OVER;
    }
    schedule(rtc);
}

static void changed(void *self)
{
    struct rtc *rtc = self;
    catch_up(rtc);
    /* What nobody wants any more may stay: drivers turn interrupts off and on again all the time. */
    if (rtc->block.inten & ~rtc->awaited)
        schedule(rtc);
}

static void lfclk_changed(void *context, bool running)
{
    struct rtc *rtc = context;
    catch_up(rtc);
    rtc->base = counter(rtc, rtc->done_edge);
    rtc->base_edge = rtc->done_edge;
    rtc->lfclk = running;
    schedule(rtc);
}

static uint32_t read(void *self, uint32_t offset)
{
    struct rtc *rtc = self;
    switch (offset) {
    case EVTEN:
    case EVTENSET:
    case EVTENCLR:
        return rtc->evten;
    case COUNTER:
        catch_up(rtc);
        return counter(rtc, rtc->done_edge);
    default:
        return block_get(&rtc->block, offset);
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct rtc *rtc = self;
    catch_up(rtc);
    switch (offset) {
    case EVTEN:
        rtc->evten = value;
        break;
    case EVTENSET:
        rtc->evten |= value;
        break;
    case EVTENCLR:
        rtc->evten &= ~value;
        break;
    case COUNTER:
        break;
    case PRESCALER: /* takes effect at the next START, CLEAR or TRIGOVRFLW */
        block_set(&rtc->block, offset, value & PRESCALER_MASK);
        break;
    default:
        block_set(&rtc->block, offset, value & COUNTER_MASK);
        break;
    }
    schedule(rtc);
}

static void reset(void *self, enum reset_cause cause)
{
    struct rtc *rtc = self;
    (void)cause;
    rtc->evten = 0;
    rtc->running = false;
    rtc->lfclk = rtc->clocks->lfclk_running;
    rtc->run_edge = rtc->set_edge = rtc->next_edge = CLOCK_NEVER;
    rtc->done_edge = now_edge(rtc);
    rebase(rtc, 0, rtc->done_edge);
    rtc->awaited = 0;
    event_cancel(&rtc->block.bus->clock, &rtc->due);
}

static void save(void *self, struct state *state)
{
    struct rtc *rtc = self;
    state_var(state, rtc->evten);
    state_var(state, rtc->running);
    state_var(state, rtc->lfclk);
    state_var(state, rtc->period);
    state_var(state, rtc->base);
    state_var(state, rtc->base_edge);
    state_var(state, rtc->done_edge);
    state_var(state, rtc->run_edge);
    state_var(state, rtc->set_edge);
    state_var(state, rtc->set_value);
    state_var(state, rtc->run_value);
    state_var(state, rtc->next_edge);
    state_var(state, rtc->awaited);
    state_event(state, &rtc->block.bus->clock, &rtc->due);
}

void rtc_init(struct rtc *rtc, struct bus *bus, struct clocks *clocks, unsigned instance)
{
    static const struct {
        const char *name;
        uint32_t base;
        int irq;
        unsigned compares;
    } instances[] = {
        {"RTC0", 0x4000b000, 11, 3},
        {"RTC1", 0x40011000, 17, 4},
        {"RTC2", 0x40024000, 36, 4},
    };
    memset(rtc, 0, sizeof *rtc);
    rtc->clocks = clocks;
    rtc->compares = instances[instance].compares;
    rtc->period = 1;
    rtc->run_edge = rtc->set_edge = rtc->next_edge = CLOCK_NEVER;
    block_init(&rtc->block, bus, instances[instance].base, instances[instance].irq);
    block_add_face(&rtc->block, &(struct face){
                                    .name = instances[instance].name,
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = reset,
                                    .read = read,
                                    .write = write,
                                    .task = task,
                                    .changed = changed,
                                    .save = save,
                                    .self = rtc,
                                });
    event_init(&bus->clock, &rtc->due, due, rtc);
    clocks_listen(clocks, lfclk_changed, rtc);
}
