/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/clocks.h"

#include <assert.h>
#include <string.h>

enum {
    TASK_HFCLKSTART = 0,
    TASK_HFCLKSTOP,
    TASK_LFCLKSTART,
    TASK_LFCLKSTOP,
    TASK_CAL,
    TASK_CTSTART,
    TASK_CTSTOP,
    EVENT_HFCLKSTARTED = 0,
    EVENT_LFCLKSTARTED = 1,
    EVENT_DONE = 3,
    EVENT_CTTO = 4,
    EVENT_CTSTARTED = 10,
    EVENT_CTSTOPPED = 11,
    HFCLKRUN = 0x408,
    HFCLKSTAT = 0x40c,
    LFCLKRUN = 0x414,
    LFCLKSTAT = 0x418,
    LFCLKSRCCOPY = 0x41c,
    LFCLKSRC = 0x518,
    HFXODEBOUNCE = 0x528,
    CTIV = 0x538,
};

enum {
    SRC_RC = 0,
    SRC_XTAL = 1,
    STAT_RUNNING = 1u << 16,
    DEBOUNCE_DEFAULT = 0x10, /* 256 µs */
};

#define HFXO_START_US        360 /* with the default debounce time */
#define DEBOUNCE_UNIT_US     16
#define LFRC_START_US        600
#define LFXO_START_US        250000
#define LFSYNT_START_US      100
#define CALIBRATION_US       16000
#define CTIV_UNIT_CYCLES     (CYCLES_PER_SECOND / 4)
#define RESTART_SETTLE_EDGES 1

static const struct reg regs[] = {
    {"TASKS_HFCLKSTART", 0x000, REG_W, 0, 0, 0},
    {"TASKS_HFCLKSTOP", 0x004, REG_W, 0, 0, 0},
    {"TASKS_LFCLKSTART", 0x008, REG_W, 0, 0, 0},
    {"TASKS_LFCLKSTOP", 0x00c, REG_W, 0, 0, 0},
    {"TASKS_CAL", 0x010, REG_W, 0, 0, 0},
    {"TASKS_CTSTART", 0x014, REG_W, 0, 0, 0},
    {"TASKS_CTSTOP", 0x018, REG_W, 0, 0, 0},
    {"EVENTS_HFCLKSTARTED", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_LFCLKSTARTED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_DONE", 0x10c, REG_RW, 0, 0, 0},
    {"EVENTS_CTTO", 0x110, REG_RW, 0, 0, 0},
    {"EVENTS_CTSTARTED", 0x128, REG_RW, 0, 0, 0},
    {"EVENTS_CTSTOPPED", 0x12c, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"HFCLKRUN", HFCLKRUN, REG_R, 0, 0, 0},
    {"HFCLKSTAT", HFCLKSTAT, REG_R, 0, 0, 0},
    {"LFCLKRUN", LFCLKRUN, REG_R, 0, 0, 0},
    {"LFCLKSTAT", LFCLKSTAT, REG_R, 0, 0, 0},
    {"LFCLKSRCCOPY", LFCLKSRCCOPY, REG_R, 0, 0, 0},
    {"LFCLKSRC", LFCLKSRC, REG_RW, 0, 0, 0},
    {"HFXODEBOUNCE", HFXODEBOUNCE, REG_RW, DEBOUNCE_DEFAULT, 0, 0},
    {"CTIV", CTIV, REG_RW, 0, 0, 0},
    {"TRACECONFIG", 0x55c, REG_RW, 0, 0, 0},
    {"LFRCMODE", 0x5b4, REG_RW, 0, 0, 0},
    /* Words that errata work-arounds and the SoftDevice touch; what they do is not published. */
    {"ERRATA_C34", 0xc34, REG_RW, 0, 0, 0},
    {"ERRATA_E00", 0xe00, REG_RW, 0, 14, 0},
    {"ERRATA_EE4", 0xee4, REG_RW, 0, 0, 0},
};

static void after_us(struct clocks *clocks, struct event *event, uint64_t us)
{
    event_after(&clocks->block.bus->clock, event, us * CYCLES_PER_US);
}

static void cancel(struct clocks *clocks, struct event *event)
{
    event_cancel(&clocks->block.bus->clock, event);
}

static void set_lfclk(struct clocks *clocks, bool running)
{
    if (clocks->lfclk_running == running)
        return;
    clocks->lfclk_running = running;
    for (unsigned i = 0; i < clocks->listeners; i++)
        clocks->listener[i].fn(clocks->listener[i].context, running);
}

static uint32_t lfclk_source(const struct clocks *clocks)
{
    return block_get(&clocks->block, LFCLKSRCCOPY) & 3;
}

static void start_hfxo(struct clocks *clocks)
{
    clocks->hfxo_asked = true;
    if (clocks->hfxo_running) {
        block_event(&clocks->block, EVENT_HFCLKSTARTED);
        return;
    }
    if (event_pending(&clocks->hfxo_up))
        return;
    int debounce = (int)(block_get(&clocks->block, HFXODEBOUNCE) & 0xff) - DEBOUNCE_DEFAULT;
    after_us(clocks, &clocks->hfxo_up, (uint64_t)(HFXO_START_US + DEBOUNCE_UNIT_US * debounce));
}

static void stop_hfxo(struct clocks *clocks)
{
    clocks->hfxo_asked = false;
    clocks->hfxo_running = false;
    cancel(clocks, &clocks->hfxo_up);
}

static void hfxo_up(void *owner)
{
    struct clocks *clocks = owner;
    clocks->hfxo_running = true;
    block_event(&clocks->block, EVENT_HFCLKSTARTED);
}

static void start_lfclk(struct clocks *clocks)
{
    struct clock *clock = &clocks->block.bus->clock;
    if (clocks->lfclk_asked) {
        if (clocks->lfclk_settled)
            event_at(clock, &clocks->lfclk_up, lfclk_cycle(lfclk_edge(clock->now) + RESTART_SETTLE_EDGES));
        return;
    }
    clocks->lfclk_asked = true;
    block_set(&clocks->block, LFCLKSRCCOPY, block_get(&clocks->block, LFCLKSRC));
    uint32_t source = lfclk_source(clocks);
    if (!clocks->lfclk_running)
        after_us(clocks, &clocks->lfrc_up, source <= SRC_XTAL ? LFRC_START_US : LFSYNT_START_US);
    after_us(clocks, &clocks->lfclk_up,
             source == SRC_XTAL ? LFXO_START_US
             : source == SRC_RC ? LFRC_START_US
                                : LFSYNT_START_US);
}

static void stop_lfclk(struct clocks *clocks)
{
    clocks->lfclk_asked = false;
    clocks->lfclk_settled = false;
    cancel(clocks, &clocks->lfclk_up);
    if (clocks->lfrc_forced)
        return;
    cancel(clocks, &clocks->lfrc_up);
    set_lfclk(clocks, false);
}

static void lfrc_up(void *owner)
{
    set_lfclk(owner, true);
}

static void lfclk_up(void *owner)
{
    struct clocks *clocks = owner;
    clocks->lfclk_settled = true;
    set_lfclk(clocks, true);
    block_event(&clocks->block, EVENT_LFCLKSTARTED);
}

void clocks_force_lfrc(struct clocks *clocks)
{
    clocks->lfrc_forced = true;
    if (!clocks->lfclk_running && !event_pending(&clocks->lfrc_up))
        after_us(clocks, &clocks->lfrc_up, LFRC_START_US);
}

static void calibrated(void *owner)
{
    struct clocks *clocks = owner;
    block_event(&clocks->block, EVENT_DONE);
}

static void timeout(void *owner)
{
    struct clocks *clocks = owner;
    block_event(&clocks->block, EVENT_CTTO);
}

static void start_timer(struct clocks *clocks)
{
    uint32_t interval = block_get(&clocks->block, CTIV) & 0x7f;
    if (interval)
        event_after(&clocks->block.bus->clock, &clocks->timeout, interval * CTIV_UNIT_CYCLES);
    block_event(&clocks->block, EVENT_CTSTARTED);
}

static void task(void *self, unsigned n)
{
    struct clocks *clocks = self;
    switch (n) {
    case TASK_HFCLKSTART:
        start_hfxo(clocks);
        break;
    case TASK_HFCLKSTOP:
        stop_hfxo(clocks);
        break;
    case TASK_LFCLKSTART:
        start_lfclk(clocks);
        break;
    case TASK_LFCLKSTOP:
        stop_lfclk(clocks);
        break;
    case TASK_CAL:
        /* Needs HFXO as its reference; without it nothing ever comes of it. */
        if (clocks->hfxo_running && clocks->lfclk_running)
            after_us(clocks, &clocks->calibrated, CALIBRATION_US);
        break;
    case TASK_CTSTART:
        start_timer(clocks);
        break;
    case TASK_CTSTOP:
        cancel(clocks, &clocks->timeout);
        block_event(&clocks->block, EVENT_CTSTOPPED);
        break;
    }
}

static uint32_t read(void *self, uint32_t offset)
{
    const struct clocks *clocks = self;
    switch (offset) {
    case HFCLKRUN:
        return clocks->hfxo_asked;
    case HFCLKSTAT: /* the CPU is running, so at least HFINT is */
        return STAT_RUNNING | (clocks->hfxo_running ? SRC_XTAL : SRC_RC);
    case LFCLKRUN:
        return clocks->lfclk_asked;
    case LFCLKSTAT:
        if (!clocks->lfclk_running)
            return 0;
        return STAT_RUNNING | (clocks->lfclk_settled ? lfclk_source(clocks) : (uint32_t)SRC_RC);
    default:
        return block_get(&clocks->block, offset);
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct clocks *clocks = self;
    switch (offset) {
    case HFCLKRUN:
    case HFCLKSTAT:
    case LFCLKRUN:
    case LFCLKSTAT:
    case LFCLKSRCCOPY:
        break;
    case LFCLKSRC:
        block_set(&clocks->block, offset, value & 0x00030003);
        break;
    default:
        block_set(&clocks->block, offset, value);
        break;
    }
}

static void reset(void *self, enum reset_cause cause)
{
    struct clocks *clocks = self;
    (void)cause;
    /* A watchdog that outlives the reset asks for LFRC again in its own reset. */
    clocks->lfrc_forced = false;
    stop_hfxo(clocks);
    stop_lfclk(clocks);
    cancel(clocks, &clocks->calibrated);
    cancel(clocks, &clocks->timeout);
}

static void save(void *self, struct state *state)
{
    struct clocks *clocks = self;
    struct clock *clock = &clocks->block.bus->clock;
    state_var(state, clocks->hfxo_asked);
    state_var(state, clocks->hfxo_running);
    state_var(state, clocks->lfclk_asked);
    state_var(state, clocks->lfrc_forced);
    state_var(state, clocks->lfclk_running);
    state_var(state, clocks->lfclk_settled);
    state_event(state, clock, &clocks->hfxo_up);
    state_event(state, clock, &clocks->lfrc_up);
    state_event(state, clock, &clocks->lfclk_up);
    state_event(state, clock, &clocks->calibrated);
    state_event(state, clock, &clocks->timeout);
}

void clocks_init(struct clocks *clocks, struct bus *bus)
{
    memset(clocks, 0, sizeof *clocks);
    block_init(&clocks->block, bus, 0x40000000u, 0);
    block_add_face(&clocks->block, &(struct face){
                                       .name = "CLOCK",
                                       .regs = regs,
                                       .reg_count = sizeof regs / sizeof regs[0],
                                       .reset = reset,
                                       .read = read,
                                       .write = write,
                                       .task = task,
                                       .save = save,
                                       .self = clocks,
                                   });
    event_init(&bus->clock, &clocks->hfxo_up, hfxo_up, clocks);
    event_init(&bus->clock, &clocks->lfrc_up, lfrc_up, clocks);
    event_init(&bus->clock, &clocks->lfclk_up, lfclk_up, clocks);
    event_init(&bus->clock, &clocks->calibrated, calibrated, clocks);
    event_init(&bus->clock, &clocks->timeout, timeout, clocks);
}

void clocks_listen(struct clocks *clocks, void (*fn)(void *context, bool running), void *context)
{
    assert(clocks->listeners < LFCLK_LISTENERS);
    clocks->listener[clocks->listeners].fn = fn;
    clocks->listener[clocks->listeners].context = context;
    clocks->listeners++;
}
