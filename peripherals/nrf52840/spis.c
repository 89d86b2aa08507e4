/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/spis.h"

enum {
    TASK_ACQUIRE = 9,
    TASK_RELEASE = 10,
};

enum {
    EVENT_END = 1,
    EVENT_ACQUIRED = 10,
};

enum {
    SEMSTAT = 0x400,
    STATUS = 0x440,
    ENABLE = 0x500,
};

#define ENABLE_SPIS  2u
#define SEMSTAT_FREE 0u
#define SEMSTAT_CPU  1u

static const struct reg regs[] = {
    {"TASKS_ACQUIRE", 0x024, REG_W, 0, 0, 0},
    {"TASKS_RELEASE", 0x028, REG_W, 0, 0, 0},
    {"EVENTS_END", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_ENDRX", 0x110, REG_RW, 0, 0, 0},
    {"EVENTS_ACQUIRED", 0x128, REG_RW, 0, 0, 0},
    {"SHORTS", REG_SHORTS, REG_RW, 0, 0, 0},
    {"INTENSET", REG_INTENSET, REG_RW, 0, 0, 0},
    {"INTENCLR", REG_INTENCLR, REG_RW, 0, 0, 0},
    {"SEMSTAT", SEMSTAT, REG_R, SEMSTAT_CPU, 0, 0},
    {"STATUS", STATUS, REG_RW, 0, 0, 0},
    {"ENABLE", ENABLE, REG_RW, 0, 0, 0},
    {"PSEL.SCK", 0x508, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.MISO", 0x50c, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.MOSI", 0x510, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.CSN", 0x514, REG_RW, 0xffffffff, 0, 0},
    {"RXD.PTR", 0x534, REG_RW, 0, 0, 0},
    {"RXD.MAXCNT", 0x538, REG_RW, 0, 0, 0},
    {"RXD.AMOUNT", 0x53c, REG_R, 0, 0, 0},
    {"RXD.LIST", 0x540, REG_RW, 0, 0, 0},
    {"TXD.PTR", 0x544, REG_RW, 0, 0, 0},
    {"TXD.MAXCNT", 0x548, REG_RW, 0, 0, 0},
    {"TXD.AMOUNT", 0x54c, REG_R, 0, 0, 0},
    {"TXD.LIST", 0x550, REG_RW, 0, 0, 0},
    {"CONFIG", 0x554, REG_RW, 0, 0, 0},
    {"DEF", 0x55c, REG_RW, 0, 0, 0},
    {"ORC", 0x5c0, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {{2, EVENT_END, TASK_ACQUIRE}, SHORTCUTS_END};

static void task(void *self, unsigned n)
{
    struct spis *spis = self;
    if (n == TASK_RELEASE) {
        block_set(spis->block, SEMSTAT, SEMSTAT_FREE);
    } else if (n == TASK_ACQUIRE) {
        block_set(spis->block, SEMSTAT, SEMSTAT_CPU);
        block_event(spis->block, EVENT_ACQUIRED);
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct spis *spis = self;
    if (offset == STATUS)
        value = block_get(spis->block, STATUS) & ~value; /* write one to clear */
    block_set(spis->block, offset, value);
}

static bool active(void *self)
{
    return (block_get(((struct spis *)self)->block, ENABLE) & 15) == ENABLE_SPIS;
}

void spis_init(struct spis *spis, struct block *block, unsigned instance)
{
    static const char *const names[] = {"SPIS0", "SPIS1", "SPIS2"};
    spis->block = block;
    block_add_face(block, &(struct face){
                              .name = names[instance],
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .write = write,
                              .task = task,
                              .active = active,
                              .self = spis,
                              .shorts = shorts,
                          });
}
