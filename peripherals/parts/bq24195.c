/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parts/bq24195.h"

#include "core/ports.h"

#include <errno.h>
#include <string.h>

enum {
    REG00_EN_HIZ = 0x80,
    REG01_RESET = 0x80,
    REG01_WATCHDOG_RESET = 0x40,
    REG01_CHG_CONFIG = 0x30,
    REG01_CHARGE = 0x10,
    REG05_WATCHDOG = 0x30,
    REG07_DPDM_EN = 0x80,
    REG08_VBUS_HOST = 0x40,
    REG08_FAST_CHARGING = 0x20,
    REG08_CHARGE_DONE = 0x30,
    REG08_PG = 0x04,
    REG08_VSYS = 0x01,
    REG09_WATCHDOG_FAULT = 0x80,
};

#define CYCLE_CHARGING_MS 250u
#define CYCLE_DONE_MS     50u
#define BLINK_HALF_MS     500u

static const uint8_t defaults[BQ24195_REGISTERS] = {0x30, 0x1b, 0x60, 0x11, 0xb2, 0x9a,
                                                    0x03, 0x4b, 0x00, 0x00, 0x23};
static const uint8_t writable[BQ24195_REGISTERS] = {0xff, 0xff, 0xfd, 0xff, 0xff, 0xff,
                                                    0xff, 0xeb, 0x00, 0x00, 0x00};

enum charge {
    CHARGE_OFF,
    CHARGE_BUSY,
    CHARGE_DONE,
    CHARGE_FAULT,
};

static enum charge charge_state(const struct bq24195 *part)
{
    if (!part->vbus || part->reg[0] & REG00_EN_HIZ || (part->reg[1] & REG01_CHG_CONFIG) != REG01_CHARGE)
        return CHARGE_OFF;
    if (part->fault)
        return CHARGE_FAULT;
    if (part->battery)
        return part->battery_full ? CHARGE_DONE : CHARGE_BUSY;
    return part->cycling_done ? CHARGE_DONE : CHARGE_BUSY;
}

static void show(struct bq24195 *part)
{
    enum charge charge = charge_state(part);
    bool lit = charge == CHARGE_BUSY || (charge == CHARGE_FAULT && part->blink_lit);
    if (lit == part->lit || !part->light)
        return;
    part->lit = lit;
    struct light_change change = {.light = part->light,
                                  .r = lit ? part->colour[0] : 0,
                                  .g = lit ? part->colour[1] : 0,
                                  .b = lit ? part->colour[2] : 0};
    signal_emit(&part->bus->signals, SIGNAL_LIGHT, digest_text(part->light) ^ lit, &change);
}

/* STAT moves by itself while a fault blinks it, or without a battery. */
static bool restless(const struct bq24195 *part)
{
    enum charge charge = charge_state(part);
    return charge == CHARGE_FAULT || (charge != CHARGE_OFF && !part->battery);
}

static void schedule_cycle(struct bq24195 *part)
{
    uint32_t ms = BLINK_HALF_MS;
    if (charge_state(part) != CHARGE_FAULT)
        ms = part->cycling_done ? CYCLE_DONE_MS : CYCLE_CHARGING_MS;
    event_after(&part->bus->clock, &part->cycle, ms * CYCLES_PER_MS);
}

/* After any change of inputs or registers. */
static void settle(struct bq24195 *part)
{
    if (!restless(part)) {
        event_cancel(&part->bus->clock, &part->cycle);
        part->cycling_done = false;
        part->blink_lit = false;
    } else if (!event_pending(&part->cycle)) {
        part->blink_lit = true;
        schedule_cycle(part);
    }
    show(part);
}

static void cycle(void *self)
{
    struct bq24195 *part = self;
    if (charge_state(part) == CHARGE_FAULT)
        part->blink_lit = !part->blink_lit;
    else
        part->cycling_done = !part->cycling_done;
    schedule_cycle(part);
    show(part);
}

static void start_watchdog(struct bq24195 *part)
{
    static const uint32_t seconds[4] = {0, 40, 80, 160};
    uint32_t wait = seconds[(part->reg[5] & REG05_WATCHDOG) >> 4];
    if (wait)
        event_after(&part->bus->clock, &part->watchdog, wait * CYCLES_PER_SECOND);
    else
        event_cancel(&part->bus->clock, &part->watchdog);
}

static void watchdog_expired(void *self)
{
    struct bq24195 *part = self;
    memcpy(part->reg, defaults, sizeof part->reg);
    part->latched |= REG09_WATCHDOG_FAULT;
    settle(part);
}

static void first(void *self)
{
    settle(self);
}

static uint8_t status(const struct bq24195 *part)
{
    uint8_t value = part->vbus ? REG08_VBUS_HOST | REG08_PG : 0;
    if (charge_state(part) == CHARGE_BUSY)
        value |= REG08_FAST_CHARGING;
    else if (charge_state(part) == CHARGE_DONE)
        value |= REG08_CHARGE_DONE;
    return (uint8_t)(value | (part->battery ? 0 : REG08_VSYS));
}

static uint8_t read_register(struct bq24195 *part, uint8_t number)
{
    if (number == 8)
        return status(part);
    if (number == 9) {
        uint8_t told = part->latched;
        part->latched = part->fault; /* the next read tells what is true now */
        return told;
    }
    return number < BQ24195_REGISTERS ? part->reg[number] : 0;
}

static void write_register(struct bq24195 *part, uint8_t number, uint8_t value)
{
    if (number >= BQ24195_REGISTERS)
        return;
    if (number == 1 && value & REG01_RESET)
        memcpy(part->reg, defaults, sizeof part->reg);
    else
        part->reg[number] = (uint8_t)((part->reg[number] & ~writable[number]) | (value & writable[number]));
    part->reg[1] &= (uint8_t) ~(REG01_RESET | REG01_WATCHDOG_RESET);
    part->reg[7] &= (uint8_t)~REG07_DPDM_EN;
    start_watchdog(part); /* a write puts the charger in host mode */
    settle(part);
}

static bool start(void *self, bool read)
{
    struct bq24195 *part = self;
    if (!part->vbus && !part->battery)
        return false;
    if (!read)
        part->pointed = false;
    return true;
}

static bool write_byte(void *self, uint8_t byte)
{
    struct bq24195 *part = self;
    if (part->pointed)
        write_register(part, part->pointer++, byte);
    else
        part->pointer = byte;
    part->pointed = true;
    return true;
}

static uint8_t read_byte(void *self)
{
    struct bq24195 *part = self;
    return read_register(part, part->pointer++);
}

static void stop(void *self)
{
    ((struct bq24195 *)self)->pointed = false;
}

int bq24195_init(struct bq24195 *part, struct bus *bus, uint8_t scl, uint8_t sda, const char *light,
                 const uint16_t colour[3])
{
    *part = (struct bq24195){.bus = bus, .light = light, .vbus = true, .battery = true};
    memcpy(part->colour, colour, sizeof part->colour);
    memcpy(part->reg, defaults, sizeof part->reg);
    event_init(&bus->clock, &part->cycle, cycle, part);
    event_init(&bus->clock, &part->watchdog, watchdog_expired, part);
    event_init(&bus->clock, &part->first, first, part);
    event_at(&bus->clock, &part->first, bus->clock.now);
    int full = ports_attach_i2c(bus->ports, scl, sda,
                                &(struct i2c_device){.address = BQ24195_ADDRESS,
                                                     .start = start,
                                                     .write = write_byte,
                                                     .read = read_byte,
                                                     .stop = stop,
                                                     .self = part});
    return full ? ENOSPC : 0;
}

void bq24195_reset(struct bq24195 *part)
{
    memcpy(part->reg, defaults, sizeof part->reg);
    part->latched = part->fault;
    part->pointer = 0;
    part->pointed = false;
    part->cycling_done = false;
    event_cancel(&part->bus->clock, &part->watchdog);
    event_cancel(&part->bus->clock, &part->cycle);
    settle(part);
}

void bq24195_set_vbus(struct bq24195 *part, bool present)
{
    part->vbus = present;
    settle(part);
}

void bq24195_set_battery(struct bq24195 *part, bool present, bool full)
{
    part->battery = present;
    part->battery_full = full;
    part->cycling_done = false;
    event_cancel(&part->bus->clock, &part->cycle);
    settle(part);
}

void bq24195_set_fault(struct bq24195 *part, uint8_t fault)
{
    part->fault = fault;
    part->latched |= fault;
    event_cancel(&part->bus->clock, &part->cycle);
    settle(part);
}

void bq24195_save(struct bq24195 *part, struct state *state)
{
    state_event(state, &part->bus->clock, &part->cycle);
    state_event(state, &part->bus->clock, &part->watchdog);
    state_event(state, &part->bus->clock, &part->first);
    state_var(state, part->vbus);
    state_var(state, part->battery);
    state_var(state, part->battery_full);
    state_var(state, part->fault);
    state_var(state, part->reg);
    state_var(state, part->latched);
    state_var(state, part->pointer);
    state_var(state, part->pointed);
    state_var(state, part->cycling_done);
    state_var(state, part->blink_lit);
    state_var(state, part->lit);
}
