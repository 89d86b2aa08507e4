/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/temp.h"

#include <string.h>

enum {
    TASK_START = 0,
    TASK_STOP = 1,
    EVENT_DATARDY = 0,
    TEMP = 0x508,
};

#define MEASUREMENT_US     36
#define MILLIDEGREES_A_BIT 250

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},     {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"EVENTS_DATARDY", 0x100, REG_RW, 0, 0, 0}, {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},       {"TEMP", TEMP, REG_R, 0, 0, 0},
    {"A0", 0x520, REG_RW, 0x326, 0, 0},         {"A1", 0x524, REG_RW, 0x348, 0, 0},
    {"A2", 0x528, REG_RW, 0x3aa, 0, 0},         {"A3", 0x52c, REG_RW, 0x40e, 0, 0},
    {"A4", 0x530, REG_RW, 0x4bd, 0, 0},         {"A5", 0x534, REG_RW, 0x5a3, 0, 0},
    {"B0", 0x540, REG_RW, 0x3fef, 0, 0},        {"B1", 0x544, REG_RW, 0x3fbe, 0, 0},
    {"B2", 0x548, REG_RW, 0x3fbe, 0, 0},        {"B3", 0x54c, REG_RW, 0x012, 0, 0},
    {"B4", 0x550, REG_RW, 0x124, 0, 0},         {"B5", 0x554, REG_RW, 0x27c, 0, 0},
    {"T0", 0x560, REG_RW, 0xe2, 0, 0},          {"T1", 0x564, REG_RW, 0x00, 0, 0},
    {"T2", 0x568, REG_RW, 0x19, 0, 0},          {"T3", 0x56c, REG_RW, 0x3c, 0, 0},
    {"T4", 0x570, REG_RW, 0x50, 0, 0},
};

static void ready(void *owner)
{
    struct temp *temp = owner;
    block_set(&temp->block, TEMP, (uint32_t)(temp->millidegrees / MILLIDEGREES_A_BIT));
    block_event(&temp->block, EVENT_DATARDY);
}

static void task(void *self, unsigned n)
{
    struct temp *temp = self;
    struct clock *clock = &temp->block.bus->clock;
    if (n == TASK_START)
        event_after(clock, &temp->ready, MEASUREMENT_US * CYCLES_PER_US);
    else if (n == TASK_STOP)
        event_cancel(clock, &temp->ready);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct temp *temp = self;
    if (offset != TEMP)
        block_set(&temp->block, offset, value);
}

static void reset(void *self, enum reset_cause cause)
{
    struct temp *temp = self;
    (void)cause;
    event_cancel(&temp->block.bus->clock, &temp->ready);
}

static void save(void *self, struct state *state)
{
    struct temp *temp = self;
    state_var(state, temp->millidegrees);
    state_event(state, &temp->block.bus->clock, &temp->ready);
}

void temp_init(struct temp *temp, struct bus *bus)
{
    memset(temp, 0, sizeof *temp);
    temp_set(temp, 25000);
    block_init(&temp->block, bus, 0x4000c000u, 12);
    block_add_face(&temp->block, &(struct face){
                                     .name = "TEMP",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .reset = reset,
                                     .write = write,
                                     .task = task,
                                     .save = save,
                                     .self = temp,
                                 });
    event_init(&bus->clock, &temp->ready, ready, temp);
}

void temp_set(struct temp *temp, int32_t millidegrees)
{
    temp->millidegrees = millidegrees;
}
