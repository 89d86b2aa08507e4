/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/twi.h"

#include "core/ports.h"
#include "nrf52840/twim.h"

enum {
    TASK_STARTRX = 0,
    TASK_STARTTX = 2,
    TASK_STOP = 5,
    TASK_SUSPEND = 7,
    TASK_RESUME = 8,
};

enum {
    EVENT_STOPPED = 1,
    EVENT_RXDREADY = 2,
    EVENT_TXDSENT = 7,
    EVENT_ERROR = 9,
    EVENT_BB = 14,
    EVENT_SUSPENDED = 18,
};

enum {
    ERRORSRC = 0x4c4,
    ENABLE = 0x500,
    PSEL_SCL = 0x508,
    PSEL_SDA = 0x50c,
    RXD = 0x518,
    TXD = 0x51c,
    FREQUENCY = 0x524,
    ADDRESS = 0x588,
};

#define ENABLE_TWI  5u
#define ERROR_ANACK (1u << 1)
#define ERROR_DNACK (1u << 2)

enum twi_phase {
    TWI_IDLE,
    TWI_ADDRESS,
    TWI_BYTE,
    TWI_HELD,
    TWI_STOPPING,
};

static const struct reg regs[] = {
    {"TASKS_STARTRX", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STARTTX", 0x008, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x014, REG_W, 0, 0, 0},
    {"TASKS_SUSPEND", 0x01c, REG_W, 0, 0, 0},
    {"TASKS_RESUME", 0x020, REG_W, 0, 0, 0},
    {"EVENTS_STOPPED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_RXDREADY", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_TXDSENT", 0x11c, REG_RW, 0, 0, 0},
    {"EVENTS_ERROR", 0x124, REG_RW, 0, 0, 0},
    {"EVENTS_BB", 0x138, REG_RW, 0, 0, 0},
    {"EVENTS_SUSPENDED", 0x148, REG_RW, 0, 0, 0},
    {"SHORTS", REG_SHORTS, REG_RW, 0, 0, 0},
    {"INTENSET", REG_INTENSET, REG_RW, 0, 0, 0},
    {"INTENCLR", REG_INTENCLR, REG_RW, 0, 0, 0},
    {"ERRORSRC", ERRORSRC, REG_RW, 0, 0, 0},
    {"ENABLE", ENABLE, REG_RW, 0, 0, 0},
    {"PSEL.SCL", PSEL_SCL, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SDA", PSEL_SDA, REG_RW, 0xffffffff, 0, 0},
    {"RXD", RXD, REG_R, 0, 0, 0},
    {"TXD", TXD, REG_RW, 0, 0, 0},
    {"FREQUENCY", FREQUENCY, REG_RW, 0x04000000, 0, 0},
    {"ADDRESS", ADDRESS, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {0, EVENT_BB, TASK_SUSPEND}, {1, EVENT_BB, TASK_STOP}, SHORTCUTS_END};

static struct i2c_device *slave(const struct twi *twi)
{
    uint32_t scl = block_get(twi->block, PSEL_SCL);
    uint32_t sda = block_get(twi->block, PSEL_SDA);
    if ((scl | sda) & 1u << 31)
        return NULL;
    return ports_find_i2c(twi->block->bus->ports, scl & 63, sda & 63, block_get(twi->block, ADDRESS) & 0x7f);
}

static void wait_for(struct twi *twi, enum twi_phase phase, uint32_t bit_count)
{
    uint64_t bit = twi_bit_cycles(block_get(twi->block, FREQUENCY));
    twi->phase = (uint8_t)phase;
    event_after(&twi->block->bus->clock, &twi->step, bit_count * bit);
}

static void start_transfer(struct twi *twi, bool reading)
{
    twi->start_asked = -1;
    twi->reading = reading;
    twi->failed = false;
    twi->rxd_full = false;
    wait_for(twi, TWI_ADDRESS, 10);
}

static bool byte_possible(const struct twi *twi)
{
    if (twi->failed)
        return false;
    return twi->reading ? !twi->rxd_full : twi->txd_full;
}

/* Between two bytes: does what has been asked for, else goes on if there is a byte to send or room for one.
 */
static void boundary(struct twi *twi)
{
    twi->phase = TWI_HELD;
    if (twi->suspend_asked) {
        twi->suspend_asked = false;
        twi->suspended = true;
        block_event(twi->block, EVENT_SUSPENDED);
    }
    if (twi->suspended)
        return;
    if (twi->stop_asked) {
        twi->stop_asked = false;
        wait_for(twi, TWI_STOPPING, 1);
    } else if (twi->start_asked >= 0) {
        start_transfer(twi, twi->start_asked);
    } else if (byte_possible(twi)) {
        wait_for(twi, TWI_BYTE, 9);
        block_event(twi->block, EVENT_BB);
    }
}

static void fail(struct twi *twi, uint32_t source)
{
    twi->failed = true;
    twi->txd_full = false;
    block_set(twi->block, ERRORSRC, block_get(twi->block, ERRORSRC) | source);
    block_event(twi->block, EVENT_ERROR);
}

static void address_done(struct twi *twi)
{
    struct i2c_device *device = slave(twi);
    if (!device || !device->start(device->self, twi->reading))
        fail(twi, ERROR_ANACK);
    boundary(twi);
}

static void byte_done(struct twi *twi)
{
    struct i2c_device *device = slave(twi);
    if (twi->reading) {
        block_set(twi->block, RXD, device ? device->read(device->self) : 0xff);
        twi->rxd_full = true;
        block_event(twi->block, EVENT_RXDREADY);
    } else {
        twi->txd_full = false;
        if (device && device->write(device->self, (uint8_t)block_get(twi->block, TXD)))
            block_event(twi->block, EVENT_TXDSENT);
        else
            fail(twi, ERROR_DNACK);
    }
    boundary(twi);
}

static void step(void *self)
{
    struct twi *twi = self;
    if (twi->phase == TWI_ADDRESS) {
        address_done(twi);
    } else if (twi->phase == TWI_BYTE) {
        byte_done(twi);
    } else {
        struct i2c_device *device = slave(twi);
        if (device)
            device->stop(device->self);
        twi->phase = TWI_IDLE;
        block_event(twi->block, EVENT_STOPPED);
    }
}

static void task(void *self, unsigned n)
{
    struct twi *twi = self;
    if (n == TASK_STARTRX || n == TASK_STARTTX) {
        if (twi->phase == TWI_IDLE)
            start_transfer(twi, n == TASK_STARTRX);
        else
            twi->start_asked = n == TASK_STARTRX;
    } else if (n == TASK_STOP && twi->phase == TWI_IDLE) {
        block_event(twi->block, EVENT_STOPPED);
    } else if (n == TASK_STOP) {
        twi->stop_asked = twi->phase != TWI_STOPPING;
    } else if (n == TASK_SUSPEND) {
        /* After the last byte there is nothing left to suspend; the next transfer must not be. */
        twi->suspend_asked = twi->phase != TWI_IDLE && twi->phase != TWI_STOPPING && !twi->suspended;
    } else if (n == TASK_RESUME) {
        twi->suspended = false;
        twi->suspend_asked = false;
    }
    if (twi->phase == TWI_HELD)
        boundary(twi);
}

static uint32_t read(void *self, uint32_t offset)
{
    struct twi *twi = self;
    uint32_t value = block_get(twi->block, offset);
    if (offset == RXD && twi->rxd_full) {
        twi->rxd_full = false;
        if (twi->phase == TWI_HELD)
            boundary(twi);
    }
    return value;
}

static void halt(struct twi *twi)
{
    event_cancel(&twi->block->bus->clock, &twi->step);
    twi->phase = TWI_IDLE;
    twi->suspended = false;
    twi->stop_asked = false;
    twi->suspend_asked = false;
    twi->failed = false;
    twi->txd_full = false;
    twi->rxd_full = false;
    twi->start_asked = -1;
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct twi *twi = self;
    if (offset == RXD)
        return;
    if (offset == ERRORSRC)
        value = block_get(twi->block, ERRORSRC) & ~value; /* write one to clear */
    block_set(twi->block, offset, value);
    if (offset == TXD) {
        twi->txd_full = true;
        if (twi->phase == TWI_HELD)
            boundary(twi);
    } else if (offset == ENABLE && (value & 15) != ENABLE_TWI) {
        halt(twi);
    }
}

static bool active(void *self)
{
    return (block_get(((struct twi *)self)->block, ENABLE) & 15) == ENABLE_TWI;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    halt(self);
}

static void save(void *self, struct state *state)
{
    struct twi *twi = self;
    state_event(state, &twi->block->bus->clock, &twi->step);
    state_var(state, twi->phase);
    state_var(state, twi->reading);
    state_var(state, twi->suspended);
    state_var(state, twi->stop_asked);
    state_var(state, twi->suspend_asked);
    state_var(state, twi->failed);
    state_var(state, twi->txd_full);
    state_var(state, twi->rxd_full);
    state_var(state, twi->start_asked);
}

void twi_init(struct twi *twi, struct block *block, unsigned instance)
{
    static const char *const names[] = {"TWI0", "TWI1"};
    *twi = (struct twi){.block = block, .start_asked = -1};
    event_init(&block->bus->clock, &twi->step, step, twi);
    block_add_face(block, &(struct face){
                              .name = names[instance],
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .reset = reset,
                              .read = read,
                              .write = write,
                              .task = task,
                              .active = active,
                              .save = save,
                              .self = twi,
                              .shorts = shorts,
                          });
}
