/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/wdt.h"

#include <string.h>

enum {
    EVENT_TIMEOUT = 0,
    RUNSTATUS = 0x400,
    REQSTATUS = 0x404,
    CRV = 0x504,
    RREN = 0x508,
    CONFIG = 0x50c,
    RR = 0x600,
};

#define RELOAD_KEY        0x6e524635u
#define CRV_RESET         0xffffffffu
#define CRV_MIN           0xfu
#define RREN_RESET        1u
#define CONFIG_RESET      1u
#define RESET_DELAY_EDGES 2

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},         {"EVENTS_TIMEOUT", 0x100, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},           {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"RUNSTATUS", RUNSTATUS, REG_R, 0, 0, 0},       {"REQSTATUS", REQSTATUS, REG_R, 1, 0, 0},
    {"CRV", CRV, REG_RW, CRV_RESET, 0, 0},          {"RREN", RREN, REG_RW, RREN_RESET, 0, 0},
    {"CONFIG", CONFIG, REG_RW, CONFIG_RESET, 0, 0}, {"RR", RR, REG_W, 0, 8, 0},
};

static void expire_after(struct wdt *wdt, uint64_t edges)
{
    struct clock *clock = &wdt->block.bus->clock;
    event_at(clock, &wdt->expiry, lfclk_cycle(lfclk_edge(clock->now) + edges));
}

static void reload(struct wdt *wdt)
{
    wdt->waiting = wdt->rren;
    if (!wdt->timed_out)
        expire_after(wdt, (uint64_t)wdt->crv + 1);
}

static void start(struct wdt *wdt)
{
    if (wdt->running)
        return;
    wdt->running = true;
    clocks_force_lfrc(wdt->clocks);
    reload(wdt);
}

static void expiry(void *owner)
{
    struct wdt *wdt = owner;
    struct bus *bus = wdt->block.bus;
    if (!wdt->timed_out) {
        wdt->timed_out = true;
        block_event(&wdt->block, EVENT_TIMEOUT);
        if (wdt->block.inten & 1u << EVENT_TIMEOUT) {
            expire_after(wdt, RESET_DELAY_EDGES);
            return;
        }
    }
    if (bus->reset)
        bus->reset(bus->reset_context, RESET_WATCHDOG);
}

static void task(void *self, unsigned n)
{
    if (n == 0)
        start(self);
}

static uint32_t read(void *self, uint32_t offset)
{
    const struct wdt *wdt = self;
    switch (offset) {
    case RUNSTATUS:
        return wdt->running;
    case REQSTATUS:
        return wdt->running ? wdt->waiting : wdt->rren;
    case CRV:
        return wdt->crv;
    case RREN:
        return wdt->rren;
    case CONFIG:
        return wdt->config;
    default: /* RR */
        return 0;
    }
}

static void write_reload(struct wdt *wdt, unsigned n, uint32_t value)
{
    if (!wdt->running || value != RELOAD_KEY)
        return;
    wdt->waiting &= ~(1u << n);
    if (!wdt->waiting)
        reload(wdt);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct wdt *wdt = self;
    if (offset >= RR) {
        write_reload(wdt, (offset - RR) / 4, value);
        return;
    }
    if (wdt->running)
        return;
    if (offset == CRV)
        wdt->crv = value < CRV_MIN ? CRV_MIN : value;
    else if (offset == RREN)
        wdt->rren = value & 0xff;
    else if (offset == CONFIG)
        wdt->config = value & 9;
}

static void reset(void *self, enum reset_cause cause)
{
    struct wdt *wdt = self;
    if (wdt->running && (cause == RESET_SOFT || cause == RESET_LOCKUP)) {
        clocks_force_lfrc(wdt->clocks);
        return;
    }
    wdt->running = false;
    wdt->timed_out = false;
    wdt->crv = CRV_RESET;
    wdt->rren = RREN_RESET;
    wdt->config = CONFIG_RESET;
    wdt->waiting = RREN_RESET;
    event_cancel(&wdt->block.bus->clock, &wdt->expiry);
}

static void save(void *self, struct state *state)
{
    struct wdt *wdt = self;
    state_var(state, wdt->running);
    state_var(state, wdt->timed_out);
    state_var(state, wdt->crv);
    state_var(state, wdt->rren);
    state_var(state, wdt->config);
    state_var(state, wdt->waiting);
    state_event(state, &wdt->block.bus->clock, &wdt->expiry);
}

void wdt_init(struct wdt *wdt, struct bus *bus, struct clocks *clocks)
{
    memset(wdt, 0, sizeof *wdt);
    wdt->clocks = clocks;
    block_init(&wdt->block, bus, 0x40010000u, 16);
    block_add_face(&wdt->block, &(struct face){
                                    .name = "WDT",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = reset,
                                    .read = read,
                                    .write = write,
                                    .task = task,
                                    .save = save,
                                    .self = wdt,
                                });
    event_init(&bus->clock, &wdt->expiry, expiry, wdt);
}
