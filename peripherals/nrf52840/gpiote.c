/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/gpiote.h"

#include <string.h>

enum {
    TASK_OUT = 0,
    TASK_SET = 12,
    TASK_CLR = 24,
    EVENT_IN = 0,
    EVENT_PORT = 31,
    CONFIG = 0x510,
};

enum {
    MODE_EVENT = 1,
    MODE_TASK = 3,
    POLARITY_RISE = 1,
    POLARITY_FALL = 2,
    POLARITY_TOGGLE = 3,
};

static const struct reg regs[] = {
    {"TASKS_OUT", 0x000, REG_W, 0, 8, 0},    {"TASKS_SET", 0x030, REG_W, 0, 8, 0},
    {"TASKS_CLR", 0x060, REG_W, 0, 8, 0},    {"EVENTS_IN", 0x100, REG_RW, 0, 8, 0},
    {"EVENTS_PORT", 0x17c, REG_RW, 0, 0, 0}, {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},    {"CONFIG", CONFIG, REG_RW, 0, 8, 0},
};

static uint32_t config_of(const struct gpiote *gpiote, unsigned channel)
{
    return block_get(&gpiote->block, CONFIG + 4 * channel);
}

static unsigned mode(uint32_t config)
{
    return config & 3;
}

static unsigned polarity(uint32_t config)
{
    return config >> 16 & 3;
}

static unsigned pin_of(uint32_t config)
{
    return config >> 8 & 63;
}

static void drive(struct gpiote *gpiote, unsigned channel, bool high)
{
    gpiote->level[channel] = high;
    gpio_peripheral_drive(gpiote->gpio, pin_of(config_of(gpiote, channel)), true, WIRE_STRONG,
                          high ? WIRE_FULL : 0);
}

static void task(void *self, unsigned n)
{
    struct gpiote *gpiote = self;
    unsigned channel = n % 12;
    uint32_t config = channel < GPIOTE_CHANNELS ? config_of(gpiote, channel) : 0;
    if (mode(config) != MODE_TASK)
        return;
    if (n >= TASK_CLR)
        drive(gpiote, channel, false);
    else if (n >= TASK_SET)
        drive(gpiote, channel, true);
    else if (polarity(config) == POLARITY_TOGGLE)
        drive(gpiote, channel, !gpiote->level[channel]);
    else if (polarity(config))
        drive(gpiote, channel, polarity(config) == POLARITY_RISE);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct gpiote *gpiote = self;
    unsigned channel = (offset - CONFIG) / 4;
    uint32_t old = config_of(gpiote, channel);
    block_set(&gpiote->block, offset, value & 0x00133f03);
    bool same_pin = mode(value) == MODE_TASK && pin_of(value) == pin_of(old);
    if (mode(old) == MODE_TASK && !same_pin)
        gpio_peripheral_drive(gpiote->gpio, pin_of(old), false, WIRE_FLOATING, 0);
    if (mode(value) == MODE_TASK)
        drive(gpiote, channel, value >> 20 & 1);
}

static void pin_changed(void *context, unsigned pin, bool high)
{
    struct gpiote *gpiote = context;
    for (unsigned channel = 0; channel < GPIOTE_CHANNELS; channel++) {
        uint32_t config = config_of(gpiote, channel);
        if (mode(config) == MODE_EVENT && pin_of(config) == pin &&
            polarity(config) & (high ? POLARITY_RISE : POLARITY_FALL))
            block_event(&gpiote->block, EVENT_IN + channel);
    }
}

static void detect_rose(void *context, unsigned port, bool high)
{
    struct gpiote *gpiote = context;
    (void)port;
    (void)high;
    block_event(&gpiote->block, EVENT_PORT);
}

static void reset(void *self, enum reset_cause cause)
{
    struct gpiote *gpiote = self;
    (void)cause;
    memset(gpiote->level, 0, sizeof gpiote->level);
}

static void save(void *self, struct state *state)
{
    struct gpiote *gpiote = self;
    state_var(state, gpiote->level);
}

void gpiote_init(struct gpiote *gpiote, struct bus *bus, struct gpio *gpio)
{
    memset(gpiote, 0, sizeof *gpiote);
    gpiote->gpio = gpio;
    block_init(&gpiote->block, bus, 0x40006000u, 6);
    block_add_face(&gpiote->block, &(struct face){
                                       .name = "GPIOTE",
                                       .regs = regs,
                                       .reg_count = sizeof regs / sizeof regs[0],
                                       .reset = reset,
                                       .write = write,
                                       .task = task,
                                       .save = save,
                                       .self = gpiote,
                                   });
    gpio->pin_changed = (struct gpio_hook){pin_changed, gpiote};
    gpio->detect_rose[0] = (struct gpio_hook){detect_rose, gpiote};
}
