/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/ppi.h"

#include <string.h>

enum {
    CHEN = 0x500,
    CHENSET = 0x504,
    CHENCLR = 0x508,
    CH_EEP = 0x510,
    CH_TEP = 0x514,
    CH_STRIDE = 8,
    CHG = 0x800,
    FORK_TEP = 0x910,
    FREE_CHANNELS = 20,
    GROUPS = 6,
    /* A channel may lead back to its own event; silicon would go round for ever, a run must not. */
    MAX_DEPTH = 16,
    MAX_TASKS = 256,
};

static const struct reg regs[] = {
    {"TASKS_CHG[].EN", 0x000, REG_W, 0, GROUPS, 8},
    {"TASKS_CHG[].DIS", 0x004, REG_W, 0, GROUPS, 8},
    {"CHEN", CHEN, REG_RW, 0, 0, 0},
    {"CHENSET", CHENSET, REG_RW, 0, 0, 0},
    {"CHENCLR", CHENCLR, REG_RW, 0, 0, 0},
    {"CH[].EEP", CH_EEP, REG_RW, 0, FREE_CHANNELS, CH_STRIDE},
    {"CH[].TEP", CH_TEP, REG_RW, 0, FREE_CHANNELS, CH_STRIDE},
    {"CHG", CHG, REG_RW, 0, GROUPS, 0},
    {"FORK[].TEP", FORK_TEP, REG_RW, 0, PPI_CHANNELS, 0},
};

/* The pre-programmed channels. */
static const struct {
    uint32_t eep, tep;
} fixed[PPI_CHANNELS - FREE_CHANNELS] = {
    {0x40008140, 0x40001000}, /* 20: TIMER0 COMPARE[0] -> RADIO TXEN */
    {0x40008140, 0x40001004}, /* 21: TIMER0 COMPARE[0] -> RADIO RXEN */
    {0x40008144, 0x40001010}, /* 22: TIMER0 COMPARE[1] -> RADIO DISABLE */
    {0x40001128, 0x4000f000}, /* 23: RADIO BCMATCH -> AAR START */
    {0x40001100, 0x4000f000}, /* 24: RADIO READY -> CCM KSGEN */
    {0x40001104, 0x4000f004}, /* 25: RADIO ADDRESS -> CCM CRYPT */
    {0x40001104, 0x40008044}, /* 26: RADIO ADDRESS -> TIMER0 CAPTURE[1] */
    {0x4000110c, 0x40008048}, /* 27: RADIO END -> TIMER0 CAPTURE[2] */
    {0x4000b140, 0x40001000}, /* 28: RTC0 COMPARE[0] -> RADIO TXEN */
    {0x4000b140, 0x40001004}, /* 29: RTC0 COMPARE[0] -> RADIO RXEN */
    {0x4000b140, 0x4000800c}, /* 30: RTC0 COMPARE[0] -> TIMER0 CLEAR */
    {0x4000b140, 0x40008000}, /* 31: RTC0 COMPARE[0] -> TIMER0 START */
};

static void trigger(struct ppi *ppi, unsigned channel)
{
    uint32_t fork = block_get(&ppi->block, FORK_TEP + 4 * channel);
    ppi->tasks++;
    if (ppi->tep[channel])
        bus_task(ppi->block.bus, ppi->tep[channel]);
    if (fork)
        bus_task(ppi->block.bus, fork);
}

static void on_event(void *context, uint32_t address)
{
    struct ppi *ppi = context;
    if (!ppi->chen)
        return;
    /* All channels of one event are taken before any task can change CHEN. */
    uint32_t hit = 0;
    for (uint32_t left = ppi->chen; left; left &= left - 1) {
        unsigned channel = (unsigned)__builtin_ctz(left);
        if (ppi->eep[channel] == address)
            hit |= 1u << channel;
    }
    if (!hit)
        return;
    if (ppi->depth == 0)
        ppi->tasks = 0;
    if (ppi->depth == MAX_DEPTH || ppi->tasks > MAX_TASKS) {
        bus_finding(ppi->block.bus, "ppi", "channels lead round to event 0x%08x without end; stopped",
                    address);
        return;
    }
    ppi->depth++;
    for (; hit; hit &= hit - 1)
        trigger(ppi, (unsigned)__builtin_ctz(hit));
    ppi->depth--;
}

static void task(void *self, unsigned n)
{
    struct ppi *ppi = self;
    if (n >= 2 * GROUPS)
        return;
    uint32_t group = block_get(&ppi->block, CHG + 4 * (n / 2));
    if (n % 2)
        ppi->chen &= ~group;
    else
        ppi->chen |= group;
}

static uint32_t read(void *self, uint32_t offset)
{
    const struct ppi *ppi = self;
    return offset <= CHENCLR ? ppi->chen : block_get(&ppi->block, offset);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct ppi *ppi = self;
    if (offset == CHEN)
        ppi->chen = value;
    else if (offset == CHENSET)
        ppi->chen |= value;
    else if (offset == CHENCLR)
        ppi->chen &= ~value;
    else
        block_set(&ppi->block, offset, value);
    if (offset >= CH_EEP && offset < CH_EEP + FREE_CHANNELS * CH_STRIDE) {
        unsigned channel = (offset - CH_EEP) / CH_STRIDE;
        if (offset % CH_STRIDE)
            ppi->tep[channel] = value;
        else
            ppi->eep[channel] = value;
    }
}

static void reset(void *self, enum reset_cause cause)
{
    struct ppi *ppi = self;
    (void)cause;
    ppi->chen = 0;
    memset(ppi->eep, 0, sizeof ppi->eep);
    memset(ppi->tep, 0, sizeof ppi->tep);
    for (unsigned i = FREE_CHANNELS; i < PPI_CHANNELS; i++) {
        ppi->eep[i] = fixed[i - FREE_CHANNELS].eep;
        ppi->tep[i] = fixed[i - FREE_CHANNELS].tep;
    }
}

static void save(void *self, struct state *state)
{
    struct ppi *ppi = self;
    state_var(state, ppi->chen);
    state_var(state, ppi->eep);
    state_var(state, ppi->tep);
}

void ppi_init(struct ppi *ppi, struct bus *bus)
{
    memset(ppi, 0, sizeof *ppi);
    block_init(&ppi->block, bus, 0x4001f000u, -1);
    block_add_face(&ppi->block, &(struct face){
                                    .name = "PPI",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = reset,
                                    .read = read,
                                    .write = write,
                                    .task = task,
                                    .save = save,
                                    .self = ppi,
                                });
    bus->ppi = on_event;
    bus->ppi_context = ppi;
}
