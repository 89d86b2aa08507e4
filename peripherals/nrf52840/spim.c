/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/spim.h"

#include "core/ports.h"

#include <string.h>

enum {
    TASK_START = 4,
    TASK_STOP = 5,
    TASK_SUSPEND = 7,
    TASK_RESUME = 8,
};

enum {
    EVENT_STOPPED = 1,
    EVENT_ENDRX = 4,
    EVENT_END = 6,
    EVENT_ENDTX = 8,
    EVENT_STARTED = 19,
};

enum {
    ENABLE = 0x500,
    PSEL_MISO = 0x510,
    PSEL_CSN = 0x514,
    FREQUENCY = 0x524,
    RXD_PTR = 0x534,
    TXD_PTR = 0x544,
    CONFIG = 0x554,
    ORC = 0x5c0,
};

#define ENABLE_SPIM      7u
#define CONFIG_LSB_FIRST 1u
#define CHUNK            64u

static const struct reg regs[] = {
    {"TASKS_START", 0x010, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x014, REG_W, 0, 0, 0},
    {"TASKS_SUSPEND", 0x01c, REG_W, 0, 0, 0},
    {"TASKS_RESUME", 0x020, REG_W, 0, 0, 0},
    {"EVENTS_STOPPED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_ENDRX", 0x110, REG_RW, 0, 0, 0},
    {"EVENTS_END", 0x118, REG_RW, 0, 0, 0},
    {"EVENTS_ENDTX", 0x120, REG_RW, 0, 0, 0},
    {"EVENTS_STARTED", 0x14c, REG_RW, 0, 0, 0},
    {"SHORTS", REG_SHORTS, REG_RW, 0, 0, 0},
    {"INTEN", REG_INTEN, REG_RW, 0, 0, 0},
    {"INTENSET", REG_INTENSET, REG_RW, 0, 0, 0},
    {"INTENCLR", REG_INTENCLR, REG_RW, 0, 0, 0},
    {"STALLSTAT", 0x400, REG_RW, 0, 0, 0},
    {"ENABLE", ENABLE, REG_RW, 0, 0, 0},
    {"PSEL.SCK", 0x508, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.MOSI", 0x50c, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.MISO", PSEL_MISO, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.CSN", PSEL_CSN, REG_RW, 0xffffffff, 0, 0},
    {"FREQUENCY", FREQUENCY, REG_RW, 0x04000000, 0, 0},
    {"RXD.PTR", RXD_PTR, REG_RW, 0, 0, 0},
    {"RXD.MAXCNT", 0x538, REG_RW, 0, 0, 0},
    {"RXD.AMOUNT", 0x53c, REG_R, 0, 0, 0},
    {"RXD.LIST", 0x540, REG_RW, 0, 0, 0},
    {"TXD.PTR", TXD_PTR, REG_RW, 0, 0, 0},
    {"TXD.MAXCNT", 0x548, REG_RW, 0, 0, 0},
    {"TXD.AMOUNT", 0x54c, REG_R, 0, 0, 0},
    {"TXD.LIST", 0x550, REG_RW, 0, 0, 0},
    {"CONFIG", CONFIG, REG_RW, 0, 0, 0},
    {"IFTIMING.RXDELAY", 0x560, REG_RW, 2, 0, 0},
    {"IFTIMING.CSNDUR", 0x564, REG_RW, 2, 0, 0},
    {"CSNPOL", 0x568, REG_RW, 0, 0, 0},
    {"PSELDCX", 0x56c, REG_RW, 0xffffffff, 0, 0},
    {"DCXCNT", 0x570, REG_RW, 0, 0, 0},
    {"ORC", ORC, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {{17, EVENT_END, TASK_START}, SHORTCUTS_END};

uint32_t spi_bit_cycles(uint32_t frequency)
{
    switch (frequency) {
    case 0x0a000000: /* 16 and 32 Mbit/s do not follow the rule */
        return 4;
    case 0x14000000:
        return 2;
    default: /* the register is a fraction of 16 MHz in 2^-32 */
        return frequency ? (uint32_t)((4ull << 32) / frequency) : UINT32_MAX;
    }
}

static uint64_t byte_cycles(const struct spim *spim)
{
    return 8ull * spi_bit_cycles(block_get(spim->block, FREQUENCY));
}

static struct spi_device *part(const struct spim *spim)
{
    uint32_t csn = block_get(spim->block, PSEL_CSN);
    return csn & 1u << 31 ? NULL : ports_find_spi(spim->block->bus->ports, csn & 63);
}

static void select_part(const struct spim *spim, bool selected)
{
    struct spi_device *device = part(spim);
    if (device)
        device->select(device->self, selected);
}

static void reverse_bits(uint8_t *bytes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t in = bytes[i], out = 0;
        for (unsigned bit = 0; bit < 8; bit++)
            out |= (uint8_t)((in >> bit & 1) << (7 - bit));
        bytes[i] = out;
    }
}

static void exchange(struct spim *spim, uint8_t *out, uint8_t *in, uint32_t count)
{
    struct spi_device *device = part(spim);
    bool reversed = block_get(spim->block, CONFIG) & CONFIG_LSB_FIRST;
    if (!device) {
        const struct wire *miso = bus_psel_wire(spim->block->bus, block_get(spim->block, PSEL_MISO));
        memset(in, miso && wire_high(miso) ? 0xff : 0x00, count);
        return;
    }
    if (reversed)
        reverse_bits(out, count);
    spi_exchange(device, out, in, count, 1);
    if (reversed)
        reverse_bits(in, count);
}

static void move_bytes(struct spim *spim, uint32_t end)
{
    while (spim->moved < end) {
        uint8_t out[CHUNK], in[CHUNK];
        uint32_t left = end - spim->moved;
        uint32_t count = left < CHUNK ? left : CHUNK;
        memset(out, (int)(block_get(spim->block, ORC) & 0xff), count);
        easydma_read(&spim->tx, out, count);
        exchange(spim, out, in, count);
        easydma_write(&spim->rx, in, count);
        spim->moved += count;
    }
    spim->since = spim->block->bus->clock.now;
    easydma_tell_amount(&spim->tx);
    easydma_tell_amount(&spim->rx);
}

static uint32_t total(const struct spim *spim)
{
    return spim->tx.size > spim->rx.size ? spim->tx.size : spim->rx.size;
}

static void schedule(struct spim *spim, uint32_t target)
{
    spim->target = target;
    event_at(&spim->block->bus->clock, &spim->step, spim->since + (target - spim->moved) * byte_cycles(spim));
}

/* On to the end of the shorter buffer, then to that of the longer one. */
static void go_on(struct spim *spim)
{
    uint32_t shorter = spim->tx.size < spim->rx.size ? spim->tx.size : spim->rx.size;
    schedule(spim, spim->moved < shorter ? shorter : total(spim));
}

static void start(struct spim *spim)
{
    if (spim->running)
        return;
    spim->running = true;
    spim->stop_asked = false;
    spim->suspend_asked = false;
    spim->suspended = false;
    easydma_take(&spim->tx);
    easydma_take(&spim->rx);
    spim->moved = 0;
    spim->since = spim->block->bus->clock.now;
    select_part(spim, true);
    go_on(spim);
    block_event(spim->block, EVENT_STARTED);
}

static void finish(struct spim *spim)
{
    spim->running = false;
    spim->suspended = false;
    select_part(spim, false);
}

/* True if the end of a buffer of `size` bytes has come since `before` bytes; that of an empty one comes
 * first.
 */
static bool end_passed(const struct spim *spim, uint32_t before, uint32_t size)
{
    return spim->moved >= size && (before < size || before == 0);
}

static void step(void *self)
{
    struct spim *spim = self;
    uint32_t before = spim->moved;
    move_bytes(spim, spim->target);
    if (end_passed(spim, before, spim->tx.size))
        block_event(spim->block, EVENT_ENDTX);
    if (end_passed(spim, before, spim->rx.size))
        block_event(spim->block, EVENT_ENDRX);
    if (spim->stop_asked) {
        spim->stop_asked = false;
        finish(spim);
        block_event(spim->block, EVENT_STOPPED);
    } else if (spim->moved >= total(spim)) {
        finish(spim);
        block_event(spim->block, EVENT_END);
    } else if (spim->suspend_asked) {
        spim->suspend_asked = false;
        spim->suspended = true;
    } else {
        go_on(spim);
    }
}

/* Ends the present stretch with the byte that is on the line. */
static void cut_at_boundary(struct spim *spim)
{
    uint64_t elapsed = spim->block->bus->clock.now - spim->since;
    uint64_t bytes = (elapsed + byte_cycles(spim) - 1) / byte_cycles(spim);
    if (spim->suspended)
        bytes = 0;
    if (spim->moved + bytes < spim->target || spim->suspended) {
        if (spim->suspended)
            spim->since = spim->block->bus->clock.now;
        schedule(spim, spim->moved + (uint32_t)bytes);
    }
}

static void stop(struct spim *spim)
{
    if (!spim->running) {
        block_event(spim->block, EVENT_STOPPED);
        return;
    }
    spim->stop_asked = true;
    cut_at_boundary(spim);
}

static void task(void *self, unsigned n)
{
    struct spim *spim = self;
    if (n == TASK_START) {
        start(spim);
    } else if (n == TASK_STOP) {
        stop(spim);
    } else if (n == TASK_SUSPEND && spim->running && !spim->suspended) {
        spim->suspend_asked = true;
        cut_at_boundary(spim);
    } else if (n == TASK_RESUME && spim->suspended) {
        spim->suspended = false;
        spim->since = spim->block->bus->clock.now;
        go_on(spim);
    }
}

static void halt(struct spim *spim)
{
    event_cancel(&spim->block->bus->clock, &spim->step);
    spim->running = false;
    spim->suspended = false;
    spim->stop_asked = false;
    spim->suspend_asked = false;
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct spim *spim = self;
    if (offset == ENABLE && (value & 15) != ENABLE_SPIM) {
        if (spim->running)
            select_part(spim, false);
        halt(spim);
    }
    block_set(spim->block, offset, value);
}

static bool active(void *self)
{
    return (block_get(((struct spim *)self)->block, ENABLE) & 15) == ENABLE_SPIM;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    halt(self);
}

static void save(void *self, struct state *state)
{
    struct spim *spim = self;
    state_event(state, &spim->block->bus->clock, &spim->step);
    state_var(state, spim->running);
    state_var(state, spim->suspended);
    state_var(state, spim->stop_asked);
    state_var(state, spim->suspend_asked);
    easydma_save(&spim->tx, state);
    easydma_save(&spim->rx, state);
    state_var(state, spim->moved);
    state_var(state, spim->target);
    state_var(state, spim->since);
}

void spim_init(struct spim *spim, struct block *block, unsigned instance)
{
    static const char *const names[] = {"SPIM0", "SPIM1", "SPIM2", "SPIM3"};
    *spim = (struct spim){.block = block};
    easydma_init(&spim->tx, block, TXD_PTR);
    easydma_init(&spim->rx, block, RXD_PTR);
    event_init(&block->bus->clock, &spim->step, step, spim);
    block_add_face(block, &(struct face){
                              .name = names[instance],
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .reset = reset,
                              .write = write,
                              .task = task,
                              .active = active,
                              .save = save,
                              .self = spim,
                              .shorts = shorts,
                          });
}
