/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/mwu.h"

#include "core/memory_map.h"

#include <string.h>

enum {
    REGIONS = 4,
    PREGIONS = 2,
    EVENT_PREGION = 24, /* WA and RA of each region in turn; REGIONEN and INTEN have the same order */
    NMIEN = 0x320,
    NMIENSET = 0x324,
    NMIENCLR = 0x328,
    SUBSTATWA = 0x400,
    SUBSTATRA = 0x404,
    REGIONEN = 0x510,
    REGIONENSET = 0x514,
    REGIONENCLR = 0x518,
    REGION_START = 0x600,
    REGION_END = 0x604,
    REGION_STRIDE = 0x10,
    PREGION_START = 0x6c0,
    PREGION_END = 0x6c4,
    PREGION_SUBS = 0x6c8,
    PREGION_SIZE = 0x20000,
    SUBREGION_SIZE = 0x1000,
};

static const struct reg regs[] = {
    {"EVENTS_REGION[].WA", 0x100, REG_RW, 0, REGIONS, 8},
    {"EVENTS_REGION[].RA", 0x104, REG_RW, 0, REGIONS, 8},
    {"EVENTS_PREGION[].WA", 0x160, REG_RW, 0, PREGIONS, 8},
    {"EVENTS_PREGION[].RA", 0x164, REG_RW, 0, PREGIONS, 8},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"NMIEN", NMIEN, REG_RW, 0, 0, 0},
    {"NMIENSET", NMIENSET, REG_RW, 0, 0, 0},
    {"NMIENCLR", NMIENCLR, REG_RW, 0, 0, 0},
    {"PERREGION[].SUBSTATWA", SUBSTATWA, REG_RW, 0, PREGIONS, 8},
    {"PERREGION[].SUBSTATRA", SUBSTATRA, REG_RW, 0, PREGIONS, 8},
    {"REGIONEN", REGIONEN, REG_RW, 0, 0, 0},
    {"REGIONENSET", REGIONENSET, REG_RW, 0, 0, 0},
    {"REGIONENCLR", REGIONENCLR, REG_RW, 0, 0, 0},
    {"REGION[].START", REGION_START, REG_RW, 0, REGIONS, REGION_STRIDE},
    {"REGION[].END", REGION_END, REG_RW, 0, REGIONS, REGION_STRIDE},
    {"PREGION[].START", PREGION_START, REG_R, 0, PREGIONS, REGION_STRIDE},
    {"PREGION[].END", PREGION_END, REG_R, 0, PREGIONS, REGION_STRIDE},
    {"PREGION[].SUBS", PREGION_SUBS, REG_RW, 0, PREGIONS, REGION_STRIDE},
};

static void check_region(struct mwu *mwu, unsigned event, uint32_t address)
{
    unsigned n = event / 2;
    if (address >= block_get(&mwu->block, REGION_START + REGION_STRIDE * n) &&
        address <= block_get(&mwu->block, REGION_END + REGION_STRIDE * n))
        block_event(&mwu->block, event);
}

static void check_pregion(struct mwu *mwu, unsigned event, uint32_t address, bool writing)
{
    unsigned n = (event - EVENT_PREGION) / 2;
    uint32_t inside = address - (APB_BASE + n * PREGION_SIZE);
    if (inside >= PREGION_SIZE)
        return;
    uint32_t bit = 1u << inside / SUBREGION_SIZE;
    if (!(block_get(&mwu->block, PREGION_SUBS + REGION_STRIDE * n) & bit))
        return;
    uint32_t status = (writing ? SUBSTATWA : SUBSTATRA) + 8 * n;
    block_set(&mwu->block, status, block_get(&mwu->block, status) | bit);
    block_event(&mwu->block, event);
}

/* Of writes and of reads in turn. */
#define EVENTS_OF_WRITES (0x55u | 0x5u << EVENT_PREGION)
#define EVENTS_OF_READS  (EVENTS_OF_WRITES << 1)

void mwu_access(struct mwu *mwu, uint32_t address, bool writing)
{
    uint32_t events = mwu->enabled & (writing ? EVENTS_OF_WRITES : EVENTS_OF_READS);
    for (; events; events &= events - 1) {
        unsigned event = (unsigned)__builtin_ctz(events);
        if (event < EVENT_PREGION)
            check_region(mwu, event, address);
        else
            check_pregion(mwu, event, address, writing);
    }
}

static void watched(void *context, uint32_t address, bool writing)
{
    mwu_access(context, address, writing);
}

static bool region_touches(const struct mwu *mwu, unsigned event, uint32_t base)
{
    if (event < EVENT_PREGION) {
        const unsigned n = REGION_STRIDE * (event / 2);
        return block_get(&mwu->block, REGION_START + n) <= base + (SUBREGION_SIZE - 1) &&
               block_get(&mwu->block, REGION_END + n) >= base;
    }
    unsigned n = (event - EVENT_PREGION) / 2;
    uint32_t inside = base - (APB_BASE + n * PREGION_SIZE);
    return inside < PREGION_SIZE &&
           block_get(&mwu->block, PREGION_SUBS + REGION_STRIDE * n) & 1u << inside / SUBREGION_SIZE;
}

/* Has the bus tell of the pages that a region touches, and of no other. */
static void watch_pages(struct mwu *mwu)
{
    struct bus *bus = mwu->block.bus;
    for (unsigned b = 0; b < bus->blocks; b++) {
        struct block *block = bus->block[b];
        block->watched = false;
        for (uint32_t events = mwu->enabled; events; events &= events - 1)
            block->watched |= region_touches(mwu, (unsigned)__builtin_ctz(events), block->base);
    }
}

static void enable(struct mwu *mwu, uint32_t regions)
{
    mwu->enabled = regions;
    watch_pages(mwu);
}

static uint32_t read(void *self, uint32_t offset)
{
    const struct mwu *mwu = self;
    if (offset >= NMIEN && offset <= NMIENCLR)
        return mwu->nmien;
    if (offset >= REGIONEN && offset <= REGIONENCLR)
        return mwu->enabled;
    return block_get(&mwu->block, offset);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct mwu *mwu = self;
    switch (offset) {
    case NMIEN:
        mwu->nmien = value;
        break;
    case NMIENSET:
        mwu->nmien |= value;
        break;
    case NMIENCLR:
        mwu->nmien &= ~value;
        break;
    case REGIONEN:
        enable(mwu, value);
        break;
    case REGIONENSET:
        enable(mwu, mwu->enabled | value);
        break;
    case REGIONENCLR:
        enable(mwu, mwu->enabled & ~value);
        break;
    default:
        if (offset < REGIONEN) { /* SUBSTAT: write one to clear */
            block_set(&mwu->block, offset, block_get(&mwu->block, offset) & ~value);
            break;
        }
        if (offset < PREGION_START || offset % REGION_STRIDE == PREGION_SUBS % REGION_STRIDE)
            block_set(&mwu->block, offset, value);
        watch_pages(mwu);
        break;
    }
}

static void reset(void *self, enum reset_cause cause)
{
    struct mwu *mwu = self;
    (void)cause;
    mwu->nmien = 0;
    enable(mwu, 0);
    for (uint32_t n = 0; n < PREGIONS; n++) {
        block_set(&mwu->block, PREGION_START + REGION_STRIDE * n, APB_BASE + n * PREGION_SIZE);
        block_set(&mwu->block, PREGION_END + REGION_STRIDE * n, APB_BASE + (n + 1) * PREGION_SIZE - 1);
    }
}

static void save(void *self, struct state *state)
{
    struct mwu *mwu = self;
    state_var(state, mwu->enabled);
    state_var(state, mwu->nmien);
    enable(mwu, mwu->enabled);
}

void mwu_init(struct mwu *mwu, struct bus *bus)
{
    memset(mwu, 0, sizeof *mwu);
    block_init(&mwu->block, bus, 0x40020000u, 32);
    block_add_face(&mwu->block, &(struct face){
                                    .name = "MWU",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = reset,
                                    .read = read,
                                    .write = write,
                                    .save = save,
                                    .self = mwu,
                                });
    bus->watch = watched;
    bus->watch_context = mwu;
}
