/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/twi_line.h"

enum {
    EVENT_STOPPED = 1,
    EVENT_ERROR = 9,
    EVENT_SUSPENDED = 18,
};

#define ERROR_ANACK (1u << 1)
#define ERROR_DNACK (1u << 2)

/* Bits on the line. */
#define ADDRESS_BITS 10 /* start condition, 7 bits, direction, acknowledge */
#define BYTE_BITS    9
#define STOP_BITS    1

static uint64_t bit_cycles(const struct twi_line *line)
{
    uint32_t frequency = block_get(line->block, TWI_FREQUENCY);
    switch (frequency) {
    case 0x01980000: /* 100 kbit/s */
        return 640;
    case 0x06400000: /* 400 kbit/s */
        return 160;
    default: /* the register is a fraction of 16 MHz in 2^-32 */
        return frequency ? (uint32_t)((4ull << 32) / frequency) : UINT32_MAX;
    }
}

static struct i2c_device *slave(const struct twi_line *line)
{
    uint32_t scl = block_get(line->block, TWI_PSEL_SCL);
    uint32_t sda = block_get(line->block, TWI_PSEL_SDA);
    if ((scl | sda) & 1u << 31)
        return NULL;
    return ports_find_i2c(line->block->bus->ports, scl & 63, sda & 63,
                          block_get(line->block, TWI_ADDRESS) & 0x7f);
}

static void wait_for(struct twi_line *line, enum twi_phase phase, uint32_t bits)
{
    line->phase = (uint8_t)phase;
    event_after(&line->block->bus->clock, &line->step, bits * bit_cycles(line));
}

static void start(struct twi_line *line, bool reading)
{
    line->start_asked = -1;
    line->reading = reading;
    wait_for(line, TWI_ADDRESSING, ADDRESS_BITS);
    line->owner->started(line->self);
}

bool twi_line_start_asked(struct twi_line *line)
{
    if (line->start_asked < 0)
        return false;
    start(line, line->start_asked);
    return true;
}

void twi_line_start_byte(struct twi_line *line)
{
    wait_for(line, TWI_BYTE, BYTE_BITS);
}

static void byte_boundary(struct twi_line *line)
{
    line->phase = TWI_HELD;
    if (line->suspend_asked) {
        line->suspend_asked = false;
        line->suspended = true;
        block_event(line->block, EVENT_SUSPENDED);
    }
    if (line->suspended)
        return;
    if (line->stop_asked) {
        line->stop_asked = false;
        wait_for(line, TWI_STOPPING, STOP_BITS);
    } else {
        line->owner->go_on(line->self);
    }
}

void twi_line_continue(struct twi_line *line)
{
    if (line->phase == TWI_HELD)
        byte_boundary(line);
}

static void fail(struct twi_line *line, uint32_t source)
{
    line->owner->failed(line->self);
    block_set(line->block, TWI_ERRORSRC, block_get(line->block, TWI_ERRORSRC) | source);
    block_event(line->block, EVENT_ERROR);
}

static void stopped(struct twi_line *line, struct i2c_device *device)
{
    if (device)
        device->stop(device->self);
    line->phase = TWI_IDLE;
    block_event(line->block, EVENT_STOPPED);
}

static void step(void *self)
{
    struct twi_line *line = self;
    struct i2c_device *device = slave(line);
    if (line->phase == TWI_STOPPING) {
        stopped(line, device);
        return;
    }
    if (line->phase == TWI_BYTE) {
        if (!line->owner->move_byte(line->self, device))
            fail(line, ERROR_DNACK);
    } else if (!device || !device->start(device->self, line->reading)) {
        fail(line, ERROR_ANACK);
    }
    byte_boundary(line);
}

static void ask_start(struct twi_line *line, bool reading)
{
    if (line->phase == TWI_IDLE) {
        start(line, reading);
        return;
    }
    line->start_asked = reading;
    twi_line_continue(line);
}

static void ask_stop(struct twi_line *line)
{
    if (line->phase == TWI_IDLE) {
        block_event(line->block, EVENT_STOPPED);
        return;
    }
    line->stop_asked = line->phase != TWI_STOPPING;
    twi_line_continue(line);
}

static void ask_suspend(struct twi_line *line)
{
    /* After the last byte there is nothing left to suspend; the next transfer must not be. */
    if (line->phase == TWI_IDLE || line->phase == TWI_STOPPING || line->suspended)
        return;
    line->suspend_asked = true;
    twi_line_continue(line);
}

static void resume(struct twi_line *line)
{
    line->suspend_asked = false;
    line->suspended = false;
    twi_line_continue(line);
}

void twi_line_task(struct twi_line *line, unsigned n)
{
    switch (n) {
    case TWI_TASK_STARTRX:
    case TWI_TASK_STARTTX:
        ask_start(line, n == TWI_TASK_STARTRX);
        break;
    case TWI_TASK_STOP:
        ask_stop(line);
        break;
    case TWI_TASK_SUSPEND:
        ask_suspend(line);
        break;
    case TWI_TASK_RESUME:
        resume(line);
        break;
    }
}

void twi_line_halt(struct twi_line *line)
{
    event_cancel(&line->block->bus->clock, &line->step);
    line->phase = TWI_IDLE;
    line->suspended = false;
    line->stop_asked = false;
    line->suspend_asked = false;
    line->start_asked = -1;
}

void twi_line_save(struct twi_line *line, struct state *state)
{
    state_event(state, &line->block->bus->clock, &line->step);
    state_var(state, line->phase);
    state_var(state, line->reading);
    state_var(state, line->suspended);
    state_var(state, line->stop_asked);
    state_var(state, line->suspend_asked);
    state_var(state, line->start_asked);
}

void twi_line_init(struct twi_line *line, struct block *block, const struct twi_owner *owner, void *self)
{
    *line = (struct twi_line){.block = block, .owner = owner, .self = self, .start_asked = -1};
    event_init(&block->bus->clock, &line->step, step, line);
}
