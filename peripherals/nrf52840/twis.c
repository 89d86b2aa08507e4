/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/twis.h"

enum {
    ERRORSRC = 0x4d0,
    ENABLE = 0x500,
};

#define ENABLE_TWIS 9u

static const struct reg regs[] = {
    {"TASKS_STOP", 0x014, REG_W, 0, 0, 0},
    {"TASKS_SUSPEND", 0x01c, REG_W, 0, 0, 0},
    {"TASKS_RESUME", 0x020, REG_W, 0, 0, 0},
    {"TASKS_PREPARERX", 0x030, REG_W, 0, 0, 0},
    {"TASKS_PREPARETX", 0x034, REG_W, 0, 0, 0},
    {"EVENTS_STOPPED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_ERROR", 0x124, REG_RW, 0, 0, 0},
    {"EVENTS_RXSTARTED", 0x14c, REG_RW, 0, 0, 0},
    {"EVENTS_TXSTARTED", 0x150, REG_RW, 0, 0, 0},
    {"EVENTS_WRITE", 0x164, REG_RW, 0, 0, 0},
    {"EVENTS_READ", 0x168, REG_RW, 0, 0, 0},
    {"SHORTS", REG_SHORTS, REG_RW, 0, 0, 0},
    {"INTEN", REG_INTEN, REG_RW, 0, 0, 0},
    {"INTENSET", REG_INTENSET, REG_RW, 0, 0, 0},
    {"INTENCLR", REG_INTENCLR, REG_RW, 0, 0, 0},
    {"ERRORSRC", ERRORSRC, REG_RW, 0, 0, 0},
    {"MATCH", 0x4d4, REG_R, 0, 0, 0},
    {"ENABLE", ENABLE, REG_RW, 0, 0, 0},
    {"PSEL.SCL", 0x508, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SDA", 0x50c, REG_RW, 0xffffffff, 0, 0},
    {"RXD.PTR", 0x534, REG_RW, 0, 0, 0},
    {"RXD.MAXCNT", 0x538, REG_RW, 0, 0, 0},
    {"RXD.AMOUNT", 0x53c, REG_R, 0, 0, 0},
    {"RXD.LIST", 0x540, REG_RW, 0, 0, 0},
    {"TXD.PTR", 0x544, REG_RW, 0, 0, 0},
    {"TXD.MAXCNT", 0x548, REG_RW, 0, 0, 0},
    {"TXD.AMOUNT", 0x54c, REG_R, 0, 0, 0},
    {"TXD.LIST", 0x550, REG_RW, 0, 0, 0},
    {"ADDRESS", 0x588, REG_RW, 0, 2, 0},
    {"CONFIG", 0x594, REG_RW, 1, 0, 0},
    {"ORC", 0x5c0, REG_RW, 0, 0, 0},
};

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct twis *twis = self;
    if (offset == ERRORSRC)
        value = block_get(twis->block, ERRORSRC) & ~value; /* write one to clear */
    block_set(twis->block, offset, value);
}

static bool active(void *self)
{
    return (block_get(((struct twis *)self)->block, ENABLE) & 15) == ENABLE_TWIS;
}

void twis_init(struct twis *twis, struct block *block, unsigned instance)
{
    static const char *const names[] = {"TWIS0", "TWIS1"};
    twis->block = block;
    block_add_face(block, &(struct face){
                              .name = names[instance],
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .write = write,
                              .active = active,
                              .self = twis,
                          });
}
