/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/pdm.h"

enum {
    TASK_START = 0,
    TASK_STOP = 1,
    EVENT_STARTED = 0,
    EVENT_STOPPED = 1,
    EVENT_END = 2,
    REG_ENABLE = 0x500,
    REG_PDMCLKCTRL = 0x504,
    REG_MODE = 0x508,
    REG_RATIO = 0x520,
    REG_SAMPLE_PTR = 0x560,
    REG_SAMPLE_MAXCNT = 0x564,
    MODE_MONO = 1u << 0,
    MAXCNT_MASK = 0x7fff,
};

#define CYCLES_PER_32MHZ 2u

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"EVENTS_STARTED", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_STOPPED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_END", 0x108, REG_RW, 0, 0, 0},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"PDMCLKCTRL", 0x504, REG_RW, 0x8400000, 0, 0},
    {"MODE", 0x508, REG_RW, 0, 0, 0},
    {"GAINL", 0x518, REG_RW, 0x28, 0, 0},
    {"GAINR", 0x51c, REG_RW, 0x28, 0, 0},
    {"RATIO", 0x520, REG_RW, 0, 0, 0},
    {"PSEL.CLK", 0x540, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.DIN", 0x544, REG_RW, 0xffffffff, 0, 0},
    {"SAMPLE.PTR", 0x560, REG_RW, 0, 0, 0},
    {"SAMPLE.MAXCNT", 0x564, REG_RW, 0, 0, 0},
};

static struct clock *clock_of(struct pdm *pdm)
{
    return &pdm->block.bus->clock;
}

/* Cycles between samples of one channel: the clock is 32 MHz / (2^32 / PDMCLKCTRL). */
static uint64_t sample_cycles(const struct pdm *pdm)
{
    uint32_t control = block_get(&pdm->block, REG_PDMCLKCTRL);
    uint64_t divider = (1ull << 32) / (control ? control : 1);
    return divider * CYCLES_PER_32MHZ * (block_get(&pdm->block, REG_RATIO) & 1 ? 80 : 64);
}

static void take_buffer(struct pdm *pdm)
{
    pdm->address = block_get(&pdm->block, REG_SAMPLE_PTR);
    pdm->samples = block_get(&pdm->block, REG_SAMPLE_MAXCNT) & MAXCNT_MASK;
    uint64_t frames = block_get(&pdm->block, REG_MODE) & MODE_MONO ? pdm->samples : (pdm->samples + 1) / 2;
    pdm->due += (frames ? frames : 1) * sample_cycles(pdm);
    event_at(clock_of(pdm), &pdm->buffer_end, pdm->due);
    block_event(&pdm->block, EVENT_STARTED);
}

static void buffer_ended(void *owner)
{
    static const uint8_t silence[2];
    struct pdm *pdm = owner;
    for (uint32_t i = 0; i < pdm->samples; i++)
        dma_write(pdm->block.bus, pdm->address + 2 * i, silence, sizeof silence);
    block_event(&pdm->block, EVENT_END);
    take_buffer(pdm);
}

static void task(void *self, unsigned n)
{
    struct pdm *pdm = self;
    if (!(block_get(&pdm->block, REG_ENABLE) & 1))
        return;
    if (n == TASK_START) {
        pdm->due = clock_of(pdm)->now;
        take_buffer(pdm);
    } else if (n == TASK_STOP) {
        event_cancel(clock_of(pdm), &pdm->buffer_end);
        block_event(&pdm->block, EVENT_STOPPED);
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct pdm *pdm = self;
    block_set(&pdm->block, offset, value);
    if (offset == REG_ENABLE && !(value & 1))
        event_cancel(clock_of(pdm), &pdm->buffer_end);
}

static void reset(void *self, enum reset_cause cause)
{
    struct pdm *pdm = self;
    (void)cause;
    event_cancel(clock_of(pdm), &pdm->buffer_end);
}

static void save(void *self, struct state *state)
{
    struct pdm *pdm = self;
    state_event(state, clock_of(pdm), &pdm->buffer_end);
    state_var(state, pdm->due);
    state_var(state, pdm->address);
    state_var(state, pdm->samples);
}

void pdm_init(struct pdm *pdm, struct bus *bus)
{
    block_init(&pdm->block, bus, 0x4001D000, 29);
    block_add_face(&pdm->block, &(struct face){
                                    .name = "PDM",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = reset,
                                    .write = write,
                                    .task = task,
                                    .save = save,
                                    .self = pdm,
                                });
    event_init(&bus->clock, &pdm->buffer_end, buffer_ended, pdm);
}
