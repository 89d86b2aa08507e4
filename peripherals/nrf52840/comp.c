/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/comp.h"

#include "nrf52840/power.h"

enum {
    REG_TH = 0x530,
    REG_MODE = 0x534,
};

enum {
    MODE_DIFFERENTIAL = 1u << 8,
    REFSEL_AREF = 5,
};

#define INPUT_MASK 7u

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

static int32_t reference(const struct comparator *comparator)
{
    static const int32_t internal_mv[] = {1200, 1800, 2400};
    uint32_t select = block_get(comparator->block, COMPARATOR_REFSEL) & 7;
    if (select < sizeof internal_mv / sizeof internal_mv[0])
        return internal_mv[select];
    if (select == REFSEL_AREF)
        return comparator_input(comparator, COMPARATOR_EXTREFSEL, INPUT_MASK);
    return (int32_t)comparator->power->vdd_mv; /* VDD, and what is reserved */
}

static void sample(const struct comparator *comparator)
{
    struct block *block = comparator->block;
    int32_t in = comparator_input(comparator, COMPARATOR_PSEL, INPUT_MASK);
    int32_t up, down;
    if (block_get(block, REG_MODE) & MODE_DIFFERENTIAL) {
        up = down = comparator_input(comparator, COMPARATOR_EXTREFSEL, INPUT_MASK);
    } else {
        uint32_t thresholds = block_get(block, REG_TH);
        up = reference(comparator) * (int32_t)((thresholds >> 8 & 0x3f) + 1) / 64;
        down = reference(comparator) * (int32_t)((thresholds & 0x3f) + 1) / 64;
    }
    if (in > up)
        block_set(block, COMPARATOR_RESULT, 1);
    else if (in < down || up == down)
        block_set(block, COMPARATOR_RESULT, 0);
}

static const struct comparator_kind kind = {ENABLE_COMP, 3 * CYCLES_PER_US, sample};

static bool active(void *self)
{
    const struct comparator *comparator = self;
    return block_get(comparator->block, COMPARATOR_ENABLE) != ENABLE_LPCOMP;
}

void comp_init(struct comp *comp, struct bus *bus, const struct power *power)
{
    block_init(&comp->block, bus, 0x40013000, 19);
    comparator_init(&comp->comparator, &comp->block, power, &kind);
    block_add_face(&comp->block, &(struct face){
                                     .name = "COMP",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .reset = comparator_reset,
                                     .write = comparator_write,
                                     .task = comparator_task,
                                     .active = active,
                                     .save = comparator_save,
                                     .shorts = comparator_shorts,
                                     .self = &comp->comparator,
                                 });
}
