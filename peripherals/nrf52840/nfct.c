/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/nfct.h"

enum {
    TASK_ACTIVATE = 0,
    TASK_DISABLE = 1,
    TASK_GOIDLE = 9,
    TASK_GOSLEEP = 10,
    EVENT_READY = 0,
    REG_ERRORSTATUS = 0x404,
    REG_FRAMESTATUS_RX = 0x40C,
    REG_NFCTAGSTATE = 0x410,
    REG_SLEEPSTATE = 0x420,
    REG_POWER = 0xFFC,
};

/* Values of NFCTAGSTATE. */
enum {
    TAG_DISABLED = 0,
    TAG_RAMPUP = 2,
    TAG_IDLE = 3,
};

#define RAMP_UP_CYCLES (50 * CYCLES_PER_US)

static const struct reg regs[] = {
    {"TASKS_ACTIVATE", 0x000, REG_W, 0, 0, 0},
    {"TASKS_DISABLE", 0x004, REG_W, 0, 0, 0},
    {"TASKS_SENSE", 0x008, REG_W, 0, 0, 0},
    {"TASKS_STARTTX", 0x00c, REG_W, 0, 0, 0},
    {"TASKS_ENABLERXDATA", 0x01c, REG_W, 0, 0, 0},
    {"TASKS_GOIDLE", 0x024, REG_W, 0, 0, 0},
    {"TASKS_GOSLEEP", 0x028, REG_W, 0, 0, 0},
    {"EVENTS_READY", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_FIELDDETECTED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_FIELDLOST", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_TXFRAMESTART", 0x10c, REG_RW, 0, 0, 0},
    {"EVENTS_TXFRAMEEND", 0x110, REG_RW, 0, 0, 0},
    {"EVENTS_RXFRAMESTART", 0x114, REG_RW, 0, 0, 0},
    {"EVENTS_RXFRAMEEND", 0x118, REG_RW, 0, 0, 0},
    {"EVENTS_ERROR", 0x11c, REG_RW, 0, 0, 0},
    {"EVENTS_RXERROR", 0x128, REG_RW, 0, 0, 0},
    {"EVENTS_ENDRX", 0x12c, REG_RW, 0, 0, 0},
    {"EVENTS_ENDTX", 0x130, REG_RW, 0, 0, 0},
    {"EVENTS_AUTOCOLRESSTARTED", 0x138, REG_RW, 0, 0, 0},
    {"EVENTS_COLLISION", 0x148, REG_RW, 0, 0, 0},
    {"EVENTS_SELECTED", 0x14c, REG_RW, 0, 0, 0},
    {"EVENTS_STARTED", 0x150, REG_RW, 0, 0, 0},
    {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"ERRORSTATUS", 0x404, REG_RW, 0, 0, 0},
    {"FRAMESTATUS.RX", 0x40c, REG_RW, 0, 0, 0},
    {"NFCTAGSTATE", 0x410, REG_R, 0, 0, 0},
    {"SLEEPSTATE", 0x420, REG_R, 0, 0, 0},
    {"FIELDPRESENT", 0x43c, REG_R, 0, 0, 0},
    {"FRAMEDELAYMIN", 0x504, REG_RW, 0x480, 0, 0},
    {"FRAMEDELAYMAX", 0x508, REG_RW, 0x1000, 0, 0},
    {"FRAMEDELAYMODE", 0x50c, REG_RW, 0x1, 0, 0},
    {"PACKETPTR", 0x510, REG_RW, 0, 0, 0},
    {"MAXLEN", 0x514, REG_RW, 0, 0, 0},
    {"TXD.FRAMECONFIG", 0x518, REG_RW, 0x17, 0, 0},
    {"TXD.AMOUNT", 0x51c, REG_RW, 0, 0, 0},
    {"RXD.FRAMECONFIG", 0x520, REG_RW, 0x15, 0, 0},
    {"RXD.AMOUNT", 0x524, REG_R, 0, 0, 0},
    {"NFCID1_LAST", 0x590, REG_RW, 0x6363, 0, 0},
    {"NFCID1_2ND_LAST", 0x594, REG_RW, 0, 0, 0},
    {"NFCID1_3RD_LAST", 0x598, REG_RW, 0, 0, 0},
    {"AUTOCOLRESCONFIG", 0x59c, REG_RW, 0x2, 0, 0},
    {"SENSRES", 0x5a0, REG_RW, 0x1, 0, 0},
    {"SELRES", 0x5a4, REG_RW, 0, 0, 0},
    /* Not in the datasheet. Of ERRATA_68C the anomaly list gives only the value to write; drivers end a
     * transmission by ERRATA_010, and put everything back to its beginning by POWER. */
    {"ERRATA_010", 0x010, REG_W, 0, 0, 0},
    {"ERRATA_68C", 0x68c, REG_RW, 0, 0, 0},
    {"POWER", REG_POWER, REG_RW, 1, 0, 0},
};

static void set_tag_state(struct nfct *nfct, uint32_t state)
{
    block_set(&nfct->block, REG_NFCTAGSTATE, state);
}

static void ramped_up(void *owner)
{
    struct nfct *nfct = owner;
    set_tag_state(nfct, TAG_IDLE);
    block_event(&nfct->block, EVENT_READY);
}

static void task(void *self, unsigned n)
{
    struct nfct *nfct = self;
    struct clock *clock = &nfct->block.bus->clock;
    bool disabled = block_get(&nfct->block, REG_NFCTAGSTATE) == TAG_DISABLED;
    switch (n) {
    case TASK_ACTIVATE:
        set_tag_state(nfct, TAG_RAMPUP);
        event_after(clock, &nfct->ready, RAMP_UP_CYCLES);
        break;
    case TASK_DISABLE:
        set_tag_state(nfct, TAG_DISABLED);
        event_cancel(clock, &nfct->ready);
        break;
    case TASK_GOIDLE:
        block_set(&nfct->block, REG_SLEEPSTATE, 0);
        break;
    case TASK_GOSLEEP:
        block_set(&nfct->block, REG_SLEEPSTATE, !disabled);
        break;
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct nfct *nfct = self;
    if (offset == REG_ERRORSTATUS || offset == REG_FRAMESTATUS_RX)
        value = block_get(&nfct->block, offset) & ~value;
    if (offset == REG_POWER && !(value & 1))
        block_reset(&nfct->block, RESET_SOFT);
    block_set(&nfct->block, offset, value);
}

static void reset(void *self, enum reset_cause cause)
{
    struct nfct *nfct = self;
    (void)cause;
    event_cancel(&nfct->block.bus->clock, &nfct->ready);
}

static void save(void *self, struct state *state)
{
    struct nfct *nfct = self;
    state_event(state, &nfct->block.bus->clock, &nfct->ready);
}

void nfct_init(struct nfct *nfct, struct bus *bus)
{
    block_init(&nfct->block, bus, 0x40005000u, 5);
    block_add_face(&nfct->block, &(struct face){
                                     .name = "NFCT",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .reset = reset,
                                     .write = write,
                                     .task = task,
                                     .save = save,
                                     .self = nfct,
                                 });
    event_init(&nfct->block.bus->clock, &nfct->ready, ramped_up, nfct);
}
