/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/twi.h"

enum {
    EVENT_RXDREADY = 2,
    EVENT_TXDSENT = 7,
    EVENT_BB = 14,
};

enum {
    RXD = 0x518,
    TXD = 0x51c,
};

#define ENABLE_TWI 5u

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
    {"ERRORSRC", TWI_ERRORSRC, REG_RW, 0, 0, 0},
    {"ENABLE", TWI_ENABLE, REG_RW, 0, 0, 0},
    {"PSEL.SCL", TWI_PSEL_SCL, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SDA", TWI_PSEL_SDA, REG_RW, 0xffffffff, 0, 0},
    {"RXD", RXD, REG_R, 0, 0, 0},
    {"TXD", TXD, REG_RW, 0, 0, 0},
    {"FREQUENCY", TWI_FREQUENCY, REG_RW, 0x04000000, 0, 0},
    {"ADDRESS", TWI_ADDRESS, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {0, EVENT_BB, TWI_TASK_SUSPEND}, {1, EVENT_BB, TWI_TASK_STOP}, SHORTCUTS_END};

static void started(void *self)
{
    struct twi *twi = self;
    twi->failed = false;
    twi->rxd_full = false;
}

static bool byte_possible(const struct twi *twi)
{
    if (twi->failed)
        return false;
    return twi->line.reading ? !twi->rxd_full : twi->txd_full;
}

static void go_on(void *self)
{
    struct twi *twi = self;
    if (twi_line_start_asked(&twi->line) || !byte_possible(twi))
        return;
    twi_line_start_byte(&twi->line);
    block_event(twi->line.block, EVENT_BB);
}

static bool move_byte(void *self, struct i2c_device *slave)
{
    struct twi *twi = self;
    struct block *block = twi->line.block;
    if (twi->line.reading) {
        block_set(block, RXD, slave ? slave->read(slave->self) : 0xff);
        twi->rxd_full = true;
        block_event(block, EVENT_RXDREADY);
        return true;
    }
    twi->txd_full = false;
    if (!slave || !slave->write(slave->self, (uint8_t)block_get(block, TXD)))
        return false;
    block_event(block, EVENT_TXDSENT);
    return true;
}

static void failed(void *self)
{
    struct twi *twi = self;
    twi->failed = true;
    twi->txd_full = false;
}

static const struct twi_owner owner = {
    .started = started,
    .move_byte = move_byte,
    .failed = failed,
    .go_on = go_on,
};

static void task(void *self, unsigned n)
{
    twi_line_task(&((struct twi *)self)->line, n);
}

static uint32_t read(void *self, uint32_t offset)
{
    struct twi *twi = self;
    uint32_t value = block_get(twi->line.block, offset);
    if (offset == RXD && twi->rxd_full) {
        twi->rxd_full = false;
        twi_line_continue(&twi->line);
    }
    return value;
}

static void halt(struct twi *twi)
{
    twi_line_halt(&twi->line);
    twi->failed = false;
    twi->txd_full = false;
    twi->rxd_full = false;
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct twi *twi = self;
    if (offset == TWI_ERRORSRC)
        value = block_get(twi->line.block, TWI_ERRORSRC) & ~value; /* write one to clear */
    block_set(twi->line.block, offset, value);
    if (offset == TXD) {
        twi->txd_full = true;
        twi_line_continue(&twi->line);
    } else if (offset == TWI_ENABLE && (value & 15) != ENABLE_TWI) {
        halt(twi);
    }
}

static bool active(void *self)
{
    return (block_get(((struct twi *)self)->line.block, TWI_ENABLE) & 15) == ENABLE_TWI;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    halt(self);
}

static void save(void *self, struct state *state)
{
    struct twi *twi = self;
    twi_line_save(&twi->line, state);
    state_var(state, twi->failed);
    state_var(state, twi->txd_full);
    state_var(state, twi->rxd_full);
}

void twi_init(struct twi *twi, struct block *block, unsigned instance)
{
    static const char *const names[] = {"TWI0", "TWI1"};
    *twi = (struct twi){0};
    twi_line_init(&twi->line, block, &owner, twi);
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
