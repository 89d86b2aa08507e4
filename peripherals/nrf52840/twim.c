/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/twim.h"

#include "core/ports.h"

enum {
    TASK_STARTRX = 0,
    TASK_STARTTX = 2,
    TASK_STOP = 5,
    TASK_SUSPEND = 7,
    TASK_RESUME = 8,
};

enum {
    EVENT_STOPPED = 1,
    EVENT_ERROR = 9,
    EVENT_SUSPENDED = 18,
    EVENT_RXSTARTED = 19,
    EVENT_TXSTARTED = 20,
    EVENT_LASTRX = 23,
    EVENT_LASTTX = 24,
};

enum {
    ERRORSRC = 0x4c4,
    ENABLE = 0x500,
    PSEL_SCL = 0x508,
    PSEL_SDA = 0x50c,
    FREQUENCY = 0x524,
    RXD_PTR = 0x534,
    RXD_MAXCNT = 0x538,
    RXD_AMOUNT = 0x53c,
    TXD_PTR = 0x544,
    TXD_MAXCNT = 0x548,
    TXD_AMOUNT = 0x54c,
    ADDRESS = 0x588,
};

#define ENABLE_TWIM 6u
#define ERROR_ANACK (1u << 1)
#define ERROR_DNACK (1u << 2)

enum twim_phase {
    TWIM_IDLE,
    TWIM_ADDRESS,  /* start condition and address are on the line */
    TWIM_BYTE,     /* a data byte is on the line */
    TWIM_HELD,     /* between bytes, waiting for a task */
    TWIM_STOPPING, /* stop condition is on the line */
};

static const struct reg regs[] = {
    {"TASKS_STARTRX", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STARTTX", 0x008, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x014, REG_W, 0, 0, 0},
    {"TASKS_SUSPEND", 0x01c, REG_W, 0, 0, 0},
    {"TASKS_RESUME", 0x020, REG_W, 0, 0, 0},
    {"EVENTS_STOPPED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_ERROR", 0x124, REG_RW, 0, 0, 0},
    {"EVENTS_SUSPENDED", 0x148, REG_RW, 0, 0, 0},
    {"EVENTS_RXSTARTED", 0x14c, REG_RW, 0, 0, 0},
    {"EVENTS_TXSTARTED", 0x150, REG_RW, 0, 0, 0},
    {"EVENTS_LASTRX", 0x15c, REG_RW, 0, 0, 0},
    {"EVENTS_LASTTX", 0x160, REG_RW, 0, 0, 0},
    {"SHORTS", REG_SHORTS, REG_RW, 0, 0, 0},
    {"INTEN", REG_INTEN, REG_RW, 0, 0, 0},
    {"INTENSET", REG_INTENSET, REG_RW, 0, 0, 0},
    {"INTENCLR", REG_INTENCLR, REG_RW, 0, 0, 0},
    {"ERRORSRC", ERRORSRC, REG_RW, 0, 0, 0},
    {"ENABLE", ENABLE, REG_RW, 0, 0, 0},
    {"PSEL.SCL", PSEL_SCL, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SDA", PSEL_SDA, REG_RW, 0xffffffff, 0, 0},
    {"FREQUENCY", FREQUENCY, REG_RW, 0x04000000, 0, 0},
    {"RXD.PTR", RXD_PTR, REG_RW, 0, 0, 0},
    {"RXD.MAXCNT", RXD_MAXCNT, REG_RW, 0, 0, 0},
    {"RXD.AMOUNT", RXD_AMOUNT, REG_R, 0, 0, 0},
    {"RXD.LIST", 0x540, REG_RW, 0, 0, 0},
    {"TXD.PTR", TXD_PTR, REG_RW, 0, 0, 0},
    {"TXD.MAXCNT", TXD_MAXCNT, REG_RW, 0, 0, 0},
    {"TXD.AMOUNT", TXD_AMOUNT, REG_R, 0, 0, 0},
    {"TXD.LIST", 0x550, REG_RW, 0, 0, 0},
    {"ADDRESS", ADDRESS, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {7, EVENT_LASTTX, TASK_STARTRX},
    {8, EVENT_LASTTX, TASK_SUSPEND},
    {9, EVENT_LASTTX, TASK_STOP},
    {10, EVENT_LASTRX, TASK_STARTTX},
    {11, EVENT_LASTRX, TASK_SUSPEND},
    {12, EVENT_LASTRX, TASK_STOP},
    SHORTCUTS_END,
};

uint32_t twi_bit_cycles(uint32_t frequency)
{
    switch (frequency) {
    case 0x01980000: /* 100 kbit/s */
        return 640;
    case 0x06400000: /* 400 kbit/s */
        return 160;
    default: /* the register is a fraction of 16 MHz in 2^-32 */
        return frequency ? (uint32_t)((4ull << 32) / frequency) : UINT32_MAX;
    }
}

static uint64_t bits(const struct twim *twim, uint32_t count)
{
    return (uint64_t)count * twi_bit_cycles(block_get(twim->block, FREQUENCY));
}

static struct i2c_device *slave(const struct twim *twim)
{
    uint32_t scl = block_get(twim->block, PSEL_SCL);
    uint32_t sda = block_get(twim->block, PSEL_SDA);
    if ((scl | sda) & 1u << 31)
        return NULL;
    return ports_find_i2c(twim->block->bus->ports, scl & 63, sda & 63,
                          block_get(twim->block, ADDRESS) & 0x7f);
}

static void wait_for(struct twim *twim, enum twim_phase phase, uint32_t bit_count)
{
    twim->phase = (uint8_t)phase;
    event_after(&twim->block->bus->clock, &twim->step, bits(twim, bit_count));
}

static void start_transfer(struct twim *twim, bool reading)
{
    twim->start_asked = -1;
    twim->reading = reading;
    twim->done = 0;
    twim->buffer = block_get(twim->block, reading ? RXD_PTR : TXD_PTR);
    twim->size = block_get(twim->block, reading ? RXD_MAXCNT : TXD_MAXCNT) & 0xffff;
    block_set(twim->block, reading ? RXD_AMOUNT : TXD_AMOUNT, 0);
    wait_for(twim, TWIM_ADDRESS, 10); /* start condition, 7 bits, direction, acknowledge */
    block_event(twim->block, reading ? EVENT_RXSTARTED : EVENT_TXSTARTED);
}

static void start_byte(struct twim *twim)
{
    wait_for(twim, TWIM_BYTE, 9);
    if (twim->done + 1 == twim->size)
        block_event(twim->block, twim->reading ? EVENT_LASTRX : EVENT_LASTTX);
}

static void fail(struct twim *twim, uint32_t source)
{
    twim->size = twim->done;
    block_set(twim->block, ERRORSRC, block_get(twim->block, ERRORSRC) | source);
    block_event(twim->block, EVENT_ERROR);
}

/* Between two bytes: does what has been asked for, else goes on. */
static void boundary(struct twim *twim)
{
    twim->phase = TWIM_HELD;
    if (twim->suspend_asked) {
        twim->suspend_asked = false;
        twim->suspended = true;
        block_event(twim->block, EVENT_SUSPENDED);
    }
    if (twim->suspended)
        return;
    if (twim->stop_asked) {
        twim->stop_asked = false;
        wait_for(twim, TWIM_STOPPING, 1);
    } else if (twim->done < twim->size) {
        start_byte(twim);
    } else if (twim->start_asked >= 0) {
        start_transfer(twim, twim->start_asked);
    }
}

static void address_done(struct twim *twim)
{
    struct i2c_device *device = slave(twim);
    if (!device || !device->start(device->self, twim->reading))
        fail(twim, ERROR_ANACK);
    boundary(twim);
}

static void byte_done(struct twim *twim)
{
    struct i2c_device *device = slave(twim);
    struct bus *bus = twim->block->bus;
    uint32_t place = twim->buffer + twim->done++;
    uint8_t byte = 0xff;
    bool acknowledged = true;
    block_set(twim->block, twim->reading ? RXD_AMOUNT : TXD_AMOUNT, twim->done);
    if (twim->reading) {
        if (device)
            byte = device->read(device->self);
        dma_write(bus, place, &byte, 1);
    } else {
        dma_read(bus, place, &byte, 1);
        acknowledged = device && device->write(device->self, byte);
    }
    if (!acknowledged)
        fail(twim, ERROR_DNACK);
    boundary(twim);
}

static void step(void *self)
{
    struct twim *twim = self;
    if (twim->phase == TWIM_ADDRESS) {
        address_done(twim);
    } else if (twim->phase == TWIM_BYTE) {
        byte_done(twim);
    } else {
        struct i2c_device *device = slave(twim);
        if (device)
            device->stop(device->self);
        twim->phase = TWIM_IDLE;
        block_event(twim->block, EVENT_STOPPED);
    }
}

static void ask_start(struct twim *twim, bool reading)
{
    bool free = twim->phase == TWIM_IDLE || (twim->phase == TWIM_HELD && twim->done >= twim->size);
    if (free && !twim->suspended)
        start_transfer(twim, reading);
    else
        twim->start_asked = reading;
}

static void ask_stop(struct twim *twim)
{
    if (twim->phase == TWIM_IDLE) {
        block_event(twim->block, EVENT_STOPPED);
        return;
    }
    twim->stop_asked = twim->phase != TWIM_STOPPING;
    if (twim->phase == TWIM_HELD)
        boundary(twim);
}

static void ask_suspend(struct twim *twim)
{
    if (twim->phase == TWIM_IDLE || twim->phase == TWIM_STOPPING || twim->suspended)
        return;
    twim->suspend_asked = true;
    if (twim->phase == TWIM_HELD)
        boundary(twim);
}

static void resume(struct twim *twim)
{
    twim->suspend_asked = false;
    if (!twim->suspended)
        return;
    twim->suspended = false;
    boundary(twim);
}

static void task(void *self, unsigned n)
{
    struct twim *twim = self;
    if (n == TASK_STARTRX || n == TASK_STARTTX)
        ask_start(twim, n == TASK_STARTRX);
    else if (n == TASK_STOP)
        ask_stop(twim);
    else if (n == TASK_SUSPEND)
        ask_suspend(twim);
    else if (n == TASK_RESUME)
        resume(twim);
}

static void halt(struct twim *twim)
{
    event_cancel(&twim->block->bus->clock, &twim->step);
    twim->phase = TWIM_IDLE;
    twim->suspended = false;
    twim->stop_asked = false;
    twim->suspend_asked = false;
    twim->start_asked = -1;
    twim->done = 0;
    twim->size = 0;
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct twim *twim = self;
    if (offset == ERRORSRC)
        value = block_get(twim->block, ERRORSRC) & ~value; /* write one to clear */
    else if (offset == RXD_AMOUNT || offset == TXD_AMOUNT)
        return;
    block_set(twim->block, offset, value);
    if (offset == ENABLE && (value & 15) != ENABLE_TWIM)
        halt(twim);
}

static bool active(void *self)
{
    return (block_get(((struct twim *)self)->block, ENABLE) & 15) == ENABLE_TWIM;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    halt(self);
}

static void save(void *self, struct state *state)
{
    struct twim *twim = self;
    state_event(state, &twim->block->bus->clock, &twim->step);
    state_var(state, twim->phase);
    state_var(state, twim->reading);
    state_var(state, twim->suspended);
    state_var(state, twim->stop_asked);
    state_var(state, twim->suspend_asked);
    state_var(state, twim->start_asked);
    state_var(state, twim->buffer);
    state_var(state, twim->size);
    state_var(state, twim->done);
}

void twim_init(struct twim *twim, struct block *block, unsigned instance)
{
    static const char *const names[] = {"TWIM0", "TWIM1"};
    *twim = (struct twim){.block = block, .start_asked = -1};
    event_init(&block->bus->clock, &twim->step, step, twim);
    block_add_face(block, &(struct face){
                              .name = names[instance],
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .reset = reset,
                              .write = write,
                              .task = task,
                              .active = active,
                              .save = save,
                              .self = twim,
                              .shorts = shorts,
                          });
}
