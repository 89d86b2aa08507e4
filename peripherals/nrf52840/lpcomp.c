/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/lpcomp.h"

#include "nrf52840/analog.h"
#include "nrf52840/power.h"

enum {
    TASK_START = 0,
    TASK_STOP = 1,
    TASK_SAMPLE = 2,
    EVENT_READY = 0,
    EVENT_DOWN = 1,
    EVENT_UP = 2,
    EVENT_CROSS = 3,
    REG_RESULT = 0x400,
    REG_ENABLE = 0x500,
    REG_PSEL = 0x504,
    REG_REFSEL = 0x508,
    REG_EXTREFSEL = 0x50C,
};

enum {
    ENABLE_LPCOMP = 1,
    REFSEL_AREF = 7,
    REFSEL_SIXTEENTHS = 8, /* 8: 1/16, 9: 3/16 …; below: 0: 1/8, 1: 2/8 … */
};

#define START_CYCLES (140 * CYCLES_PER_US)

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},   {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"TASKS_SAMPLE", 0x008, REG_W, 0, 0, 0},  {"EVENTS_READY", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_DOWN", 0x104, REG_RW, 0, 0, 0},  {"EVENTS_UP", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_CROSS", 0x10c, REG_RW, 0, 0, 0}, {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},     {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"RESULT", 0x400, REG_R, 0, 0, 0},        {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"PSEL", 0x504, REG_RW, 0, 0, 0},         {"REFSEL", 0x508, REG_RW, 0x4, 0, 0},
    {"EXTREFSEL", 0x50c, REG_RW, 0, 0, 0},    {"ANADETECT", 0x520, REG_RW, 0, 0, 0},
    {"HYST", 0x538, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {0, EVENT_READY, TASK_SAMPLE}, {1, EVENT_READY, TASK_STOP}, {2, EVENT_DOWN, TASK_STOP},
    {3, EVENT_UP, TASK_STOP},      {4, EVENT_CROSS, TASK_STOP}, SHORTCUTS_END,
};

static int32_t reference(const struct lpcomp *lpcomp)
{
    uint32_t select = block_get(lpcomp->block, REG_REFSEL) & 0xf;
    if (select == REFSEL_AREF)
        return analog_input(lpcomp->block->bus, lpcomp->power, block_get(lpcomp->block, REG_EXTREFSEL) & 1);
    uint32_t sixteenths =
        select < REFSEL_SIXTEENTHS ? 2 * (select + 1) : 2 * (select - REFSEL_SIXTEENTHS) + 1;
    return (int32_t)(lpcomp->power->vdd_mv * sixteenths / 16);
}

static void sample(struct lpcomp *lpcomp)
{
    int32_t in = analog_input(lpcomp->block->bus, lpcomp->power, block_get(lpcomp->block, REG_PSEL) & 7);
    block_set(lpcomp->block, REG_RESULT, in > reference(lpcomp));
}

static void started(void *owner)
{
    struct lpcomp *lpcomp = owner;
    lpcomp->running = true;
    block_event(lpcomp->block, EVENT_READY);
}

static void stop(struct lpcomp *lpcomp)
{
    event_cancel(&lpcomp->block->bus->clock, &lpcomp->ready);
    lpcomp->running = false;
}

static void task(void *self, unsigned n)
{
    struct lpcomp *lpcomp = self;
    if (n == TASK_START)
        event_after(&lpcomp->block->bus->clock, &lpcomp->ready, START_CYCLES);
    else if (n == TASK_STOP)
        stop(lpcomp);
    else if (n == TASK_SAMPLE && lpcomp->running)
        sample(lpcomp);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct lpcomp *lpcomp = self;
    block_set(lpcomp->block, offset, value);
    if (offset == REG_ENABLE && value != ENABLE_LPCOMP)
        stop(lpcomp);
}

static bool active(void *self)
{
    const struct lpcomp *lpcomp = self;
    return block_get(lpcomp->block, REG_ENABLE) == ENABLE_LPCOMP;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    stop(self);
}

static void save(void *self, struct state *state)
{
    struct lpcomp *lpcomp = self;
    state_event(state, &lpcomp->block->bus->clock, &lpcomp->ready);
    state_var(state, lpcomp->running);
}

void lpcomp_init(struct lpcomp *lpcomp, struct block *block, const struct power *power)
{
    lpcomp->block = block;
    lpcomp->power = power;
    block_add_face(block, &(struct face){
                              .name = "LPCOMP",
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .reset = reset,
                              .write = write,
                              .task = task,
                              .active = active,
                              .save = save,
                              .shorts = shorts,
                              .self = lpcomp,
                          });
    event_init(&block->bus->clock, &lpcomp->ready, started, lpcomp);
}
