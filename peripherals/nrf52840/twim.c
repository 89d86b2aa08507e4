/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/twim.h"

enum {
    EVENT_RXSTARTED = 19,
    EVENT_TXSTARTED = 20,
    EVENT_LASTRX = 23,
    EVENT_LASTTX = 24,
};

enum {
    RXD_PTR = 0x534,
    TXD_PTR = 0x544,
};

#define ENABLE_TWIM 6u

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
    {"ERRORSRC", TWI_ERRORSRC, REG_RW, 0, 0, 0},
    {"ENABLE", TWI_ENABLE, REG_RW, 0, 0, 0},
    {"PSEL.SCL", TWI_PSEL_SCL, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SDA", TWI_PSEL_SDA, REG_RW, 0xffffffff, 0, 0},
    {"FREQUENCY", TWI_FREQUENCY, REG_RW, 0x04000000, 0, 0},
    {"RXD.PTR", RXD_PTR, REG_RW, 0, 0, 0},
    {"RXD.MAXCNT", 0x538, REG_RW, 0, 0, 0},
    {"RXD.AMOUNT", 0x53c, REG_R, 0, 0, 0},
    {"RXD.LIST", 0x540, REG_RW, 0, 0, 0},
    {"TXD.PTR", TXD_PTR, REG_RW, 0, 0, 0},
    {"TXD.MAXCNT", 0x548, REG_RW, 0, 0, 0},
    {"TXD.AMOUNT", 0x54c, REG_R, 0, 0, 0},
    {"TXD.LIST", 0x550, REG_RW, 0, 0, 0},
    {"ADDRESS", TWI_ADDRESS, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {7, EVENT_LASTTX, TWI_TASK_STARTRX},
    {8, EVENT_LASTTX, TWI_TASK_SUSPEND},
    {9, EVENT_LASTTX, TWI_TASK_STOP},
    {10, EVENT_LASTRX, TWI_TASK_STARTTX},
    {11, EVENT_LASTRX, TWI_TASK_SUSPEND},
    {12, EVENT_LASTRX, TWI_TASK_STOP},
    SHORTCUTS_END,
};

static struct easydma *dma_of(struct twim *twim)
{
    return twim->line.reading ? &twim->rx : &twim->tx;
}

static void started(void *self)
{
    struct twim *twim = self;
    easydma_take(dma_of(twim));
    easydma_tell_amount(dma_of(twim));
    block_event(twim->line.block, twim->line.reading ? EVENT_RXSTARTED : EVENT_TXSTARTED);
}

static void go_on(void *self)
{
    struct twim *twim = self;
    const struct easydma *dma = dma_of(twim);
    if (easydma_finished(dma)) {
        twi_line_start_asked(&twim->line);
        return;
    }
    twi_line_start_byte(&twim->line);
    if (dma->done + 1 == dma->size)
        block_event(twim->line.block, twim->line.reading ? EVENT_LASTRX : EVENT_LASTTX);
}

static bool move_byte(void *self, struct i2c_device *slave)
{
    struct twim *twim = self;
    uint8_t byte = 0xff;
    bool acknowledged = true;
    if (twim->line.reading) {
        if (slave)
            byte = slave->read(slave->self);
        easydma_write(&twim->rx, &byte, 1);
    } else {
        easydma_read(&twim->tx, &byte, 1);
        acknowledged = slave && slave->write(slave->self, byte);
    }
    easydma_tell_amount(dma_of(twim));
    return acknowledged;
}

static void failed(void *self)
{
    easydma_drop(dma_of(self));
}

static const struct twi_owner owner = {
    .started = started,
    .move_byte = move_byte,
    .failed = failed,
    .go_on = go_on,
};

static void task(void *self, unsigned n)
{
    twi_line_task(&((struct twim *)self)->line, n);
}

static void halt(struct twim *twim)
{
    twi_line_halt(&twim->line);
    easydma_drop(&twim->rx);
    easydma_drop(&twim->tx);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct twim *twim = self;
    if (offset == TWI_ERRORSRC)
        value = block_get(twim->line.block, TWI_ERRORSRC) & ~value; /* write one to clear */
    block_set(twim->line.block, offset, value);
    if (offset == TWI_ENABLE && (value & 15) != ENABLE_TWIM)
        halt(twim);
}

static bool active(void *self)
{
    return (block_get(((struct twim *)self)->line.block, TWI_ENABLE) & 15) == ENABLE_TWIM;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    halt(self);
}

static void save(void *self, struct state *state)
{
    struct twim *twim = self;
    twi_line_save(&twim->line, state);
    easydma_save(&twim->rx, state);
    easydma_save(&twim->tx, state);
}

void twim_init(struct twim *twim, struct block *block, unsigned instance)
{
    static const char *const names[] = {"TWIM0", "TWIM1"};
    twi_line_init(&twim->line, block, &owner, twim);
    easydma_init(&twim->rx, block, RXD_PTR);
    easydma_init(&twim->tx, block, TXD_PTR);
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
