/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/egu.h"

enum {
    EVENT_TRIGGERED = 0,
};

static const struct reg regs[] = {
    {"TASKS_TRIGGER", 0x000, REG_W, 0, 16, 0}, {"EVENTS_TRIGGERED", 0x100, REG_RW, 0, 16, 0},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},         {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
};

static void task(void *self, unsigned n)
{
    struct egu *egu = self;
    block_event(&egu->block, EVENT_TRIGGERED + n);
}

void egu_init(struct egu *egu, struct bus *bus, unsigned instance)
{
    static const char *const names[] = {"EGU0", "EGU1", "EGU2", "EGU3", "EGU4", "EGU5"};
    block_init(&egu->block, bus, 0x40014000u + 0x1000u * instance, 20 + (int)instance);
    block_add_face(&egu->block, &(struct face){
                                    .name = names[instance],
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .task = task,
                                    .self = egu,
                                });
}
