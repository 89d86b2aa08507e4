/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parts/max17043.h"

#include "core/ports.h"

#include <errno.h>

enum {
    VCELL = 0x02,
    SOC = 0x04,
    VERSION = 0x08,
    CONFIG = 0x0c,
    COMMAND = 0xfe,
    CONFIG_RESET = 0x971c,
    CONFIG_SLEEP = 0x80,
    CONFIG_ALERT = 0x20,
    CONFIG_THRESHOLD = 0x1f,
    COMMAND_RESET = 0x5400,
    VERSION_VALUE = 0x0003,
};

static void show_alert(struct max17043 *part)
{
    if (!part->alert)
        return;
    bool on = part->powered && part->config & CONFIG_ALERT;
    wire_drive(part->alert, part->driver, on ? WIRE_STRONG : WIRE_FLOATING, 0);
}

/* The threshold is 32 % less the field. The alert stays until software clears it. */
static void check_alert(struct max17043 *part)
{
    uint32_t percent = 32 - (part->config & CONFIG_THRESHOLD);
    if (part->soc < percent * 256 && !(part->config & CONFIG_SLEEP))
        part->config |= CONFIG_ALERT;
    show_alert(part);
}

static uint16_t read_word(const struct max17043 *part, uint8_t number)
{
    switch (number) {
    case VCELL:
        return part->vcell;
    case SOC:
        return part->soc;
    case VERSION:
        return VERSION_VALUE;
    case CONFIG:
        return part->config;
    default:
        return 0;
    }
}

static void write_word(struct max17043 *part, uint8_t number, uint16_t value)
{
    if (number == CONFIG) {
        /* Software can clear the alert, not set it. */
        part->config = (uint16_t)(value & ~(CONFIG_ALERT & ~part->config));
        show_alert(part);
    } else if (number == COMMAND && value == COMMAND_RESET) {
        part->config = CONFIG_RESET;
        check_alert(part);
    }
}

static bool start(void *self, bool read)
{
    struct max17043 *part = self;
    if (!read)
        part->pointed = false;
    return part->powered;
}

static bool write_byte(void *self, uint8_t byte)
{
    struct max17043 *part = self;
    if (!part->pointed) {
        part->pointer = byte;
        part->pointed = true;
        return true;
    }
    if (part->pointer & 1)
        write_word(part, part->pointer & 0xfe, (uint16_t)(part->high << 8 | byte));
    else
        part->high = byte;
    part->pointer++;
    return true;
}

static uint8_t read_byte(void *self)
{
    struct max17043 *part = self;
    uint16_t word = read_word(part, part->pointer & 0xfe);
    return (uint8_t)(part->pointer++ & 1 ? word : word >> 8);
}

static void stop(void *self)
{
    ((struct max17043 *)self)->pointed = false;
}

int max17043_init(struct max17043 *part, struct bus *bus, uint8_t scl, uint8_t sda, uint8_t alert)
{
    *part = (struct max17043){.bus = bus, .config = CONFIG_RESET};
    if (alert < BUS_PINS) {
        part->alert = &bus->pin[alert];
        part->driver = wire_add_driver(part->alert);
        if (part->driver < 0)
            return ENOSPC;
    }
    max17043_set_cell(part, 3900, 80 * 256);
    int full = ports_attach_i2c(bus->ports, scl, sda,
                                &(struct i2c_device){.address = MAX17043_ADDRESS,
                                                     .start = start,
                                                     .write = write_byte,
                                                     .read = read_byte,
                                                     .stop = stop,
                                                     .self = part});
    return full ? ENOSPC : 0;
}

void max17043_reset(struct max17043 *part)
{
    part->config = CONFIG_RESET;
    part->pointer = 0;
    part->pointed = false;
    check_alert(part);
}

void max17043_set_cell(struct max17043 *part, uint32_t millivolts, uint16_t soc)
{
    bool was_powered = part->powered;
    part->powered = millivolts != 0;
    if (!part->powered || !was_powered)
        part->config = CONFIG_RESET;
    if (!(part->config & CONFIG_SLEEP)) {
        uint32_t steps = millivolts * 4 / 5; /* of 1.25 mV */
        part->vcell = (uint16_t)((steps > 0xfff ? 0xfff : steps) << 4);
        part->soc = soc;
    }
    check_alert(part);
}

void max17043_save(struct max17043 *part, struct state *state)
{
    state_var(state, part->powered);
    state_var(state, part->vcell);
    state_var(state, part->soc);
    state_var(state, part->config);
    state_var(state, part->pointer);
    state_var(state, part->pointed);
    state_var(state, part->high);
}
