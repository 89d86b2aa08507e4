/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/comp.h"

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
    REG_TH = 0x530,
    REG_MODE = 0x534,
};

enum {
    ENABLE_LPCOMP = 1,
    ENABLE_COMP = 2,
    MODE_DIFFERENTIAL = 1u << 8,
    REFSEL_VDD = 4,
    REFSEL_AREF = 5,
};

#define START_CYCLES (3 * CYCLES_PER_US)

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},   {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"TASKS_SAMPLE", 0x008, REG_W, 0, 0, 0},  {"EVENTS_READY", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_DOWN", 0x104, REG_RW, 0, 0, 0},  {"EVENTS_UP", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_CROSS", 0x10c, REG_RW, 0, 0, 0}, {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},        {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},     {"RESULT", 0x400, REG_R, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},       {"PSEL", 0x504, REG_RW, 0, 0, 0},
    {"REFSEL", 0x508, REG_RW, 0x4, 0, 0},     {"EXTREFSEL", 0x50c, REG_RW, 0, 0, 0},
    {"TH", 0x530, REG_RW, 0, 0, 0},           {"MODE", 0x534, REG_RW, 0, 0, 0},
    {"HYST", 0x538, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {0, EVENT_READY, TASK_SAMPLE}, {1, EVENT_READY, TASK_STOP}, {2, EVENT_DOWN, TASK_STOP},
    {3, EVENT_UP, TASK_STOP},      {4, EVENT_CROSS, TASK_STOP}, SHORTCUTS_END,
};

static int32_t input(const struct comp *comp, uint32_t reg)
{
    return analog_input(comp->block.bus, comp->power, block_get(&comp->block, reg) & 7);
}

static int32_t reference(const struct comp *comp)
{
    static const int32_t internal_mv[] = {1200, 1800, 2400};
    uint32_t select = block_get(&comp->block, REG_REFSEL) & 7;
    if (select < sizeof internal_mv / sizeof internal_mv[0])
        return internal_mv[select];
    if (select == REFSEL_AREF)
        return input(comp, REG_EXTREFSEL);
    return (int32_t)comp->power->vdd_mv; /* REFSEL_VDD, and what is reserved */
}

static void sample(struct comp *comp)
{
    int32_t in = input(comp, REG_PSEL);
    int32_t up, down;
    if (block_get(&comp->block, REG_MODE) & MODE_DIFFERENTIAL) {
        up = down = input(comp, REG_EXTREFSEL);
    } else {
        uint32_t thresholds = block_get(&comp->block, REG_TH);
        up = reference(comp) * (int32_t)((thresholds >> 8 & 0x3f) + 1) / 64;
        down = reference(comp) * (int32_t)((thresholds & 0x3f) + 1) / 64;
    }
    if (in > up)
        block_set(&comp->block, REG_RESULT, 1);
    else if (in < down || up == down)
        block_set(&comp->block, REG_RESULT, 0);
}

static void started(void *owner)
{
    struct comp *comp = owner;
    comp->running = true;
    block_event(&comp->block, EVENT_READY);
}

static void stop(struct comp *comp)
{
    event_cancel(&comp->block.bus->clock, &comp->ready);
    comp->running = false;
}

static void task(void *self, unsigned n)
{
    struct comp *comp = self;
    if (block_get(&comp->block, REG_ENABLE) != ENABLE_COMP)
        return;
    if (n == TASK_START)
        event_after(&comp->block.bus->clock, &comp->ready, START_CYCLES);
    else if (n == TASK_STOP)
        stop(comp);
    else if (n == TASK_SAMPLE && comp->running)
        sample(comp);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct comp *comp = self;
    block_set(&comp->block, offset, value);
    if (offset == REG_ENABLE && value != ENABLE_COMP)
        stop(comp);
}

static bool active(void *self)
{
    const struct comp *comp = self;
    return block_get(&comp->block, REG_ENABLE) != ENABLE_LPCOMP;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    stop(self);
}

static void save(void *self, struct state *state)
{
    struct comp *comp = self;
    state_event(state, &comp->block.bus->clock, &comp->ready);
    state_var(state, comp->running);
}

void comp_init(struct comp *comp, struct bus *bus, const struct power *power)
{
    comp->power = power;
    block_init(&comp->block, bus, 0x40013000, 19);
    block_add_face(&comp->block, &(struct face){
                                     .name = "COMP",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .reset = reset,
                                     .write = write,
                                     .task = task,
                                     .active = active,
                                     .save = save,
                                     .shorts = shorts,
                                     .self = comp,
                                 });
    event_init(&bus->clock, &comp->ready, started, comp);
}
