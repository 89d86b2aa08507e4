/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/lpcomp.h"

#include "nrf52840/power.h"

enum {
    REFSEL_AREF = 7,
    REFSEL_SIXTEENTHS = 8, /* 8: 1/16, 9: 3/16 …; below: 0: 1/8, 1: 2/8 … */
};

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

static int32_t reference(const struct comparator *comparator)
{
    uint32_t select = block_get(comparator->block, COMPARATOR_REFSEL) & 0xf;
    if (select == REFSEL_AREF)
        return comparator_input(comparator, COMPARATOR_EXTREFSEL, 1);
    uint32_t sixteenths =
        select < REFSEL_SIXTEENTHS ? 2 * (select + 1) : 2 * (select - REFSEL_SIXTEENTHS) + 1;
    return (int32_t)(comparator->power->vdd_mv * sixteenths / 16);
}

static void sample(const struct comparator *comparator)
{
    int32_t in = comparator_input(comparator, COMPARATOR_PSEL, 7);
    block_set(comparator->block, COMPARATOR_RESULT, in > reference(comparator));
}

static const struct comparator_kind kind = {ENABLE_LPCOMP, 140 * CYCLES_PER_US, sample};

static bool active(void *self)
{
    const struct comparator *comparator = self;
    return block_get(comparator->block, COMPARATOR_ENABLE) == ENABLE_LPCOMP;
}

void lpcomp_init(struct lpcomp *lpcomp, struct block *block, const struct power *power)
{
    comparator_init(&lpcomp->comparator, block, power, &kind);
    block_add_face(block, &(struct face){
                              .name = "LPCOMP",
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .reset = comparator_reset,
                              .write = comparator_write,
                              .task = comparator_task,
                              .active = active,
                              .save = comparator_save,
                              .shorts = comparator_shorts,
                              .self = &lpcomp->comparator,
                          });
}
