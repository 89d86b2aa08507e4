/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/i2s.h"

enum {
    TASK_START = 0,
    TASK_STOP = 1,
    EVENT_RXPTRUPD = 1,
    EVENT_STOPPED = 2,
    EVENT_TXPTRUPD = 5,
    REG_ENABLE = 0x500,
    REG_CONFIG_RXEN = 0x508,
    REG_CONFIG_TXEN = 0x50C,
    REG_CONFIG_MCKFREQ = 0x514,
    REG_CONFIG_RATIO = 0x518,
    REG_CONFIG_SWIDTH = 0x51C,
    REG_CONFIG_CHANNELS = 0x528,
    REG_RXD_PTR = 0x538,
    REG_RXTXD_MAXCNT = 0x550,
    MAXCNT_MASK = 0x3fff,
};

#define CYCLES_PER_32MHZ 2u

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"EVENTS_RXPTRUPD", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_STOPPED", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_TXPTRUPD", 0x114, REG_RW, 0, 0, 0},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"CONFIG.MODE", 0x504, REG_RW, 0, 0, 0},
    {"CONFIG.RXEN", 0x508, REG_RW, 0, 0, 0},
    {"CONFIG.TXEN", 0x50c, REG_RW, 0x1, 0, 0},
    {"CONFIG.MCKEN", 0x510, REG_RW, 0x1, 0, 0},
    {"CONFIG.MCKFREQ", 0x514, REG_RW, 0x20000000, 0, 0},
    {"CONFIG.RATIO", 0x518, REG_RW, 0x6, 0, 0},
    {"CONFIG.SWIDTH", 0x51c, REG_RW, 0x1, 0, 0},
    {"CONFIG.ALIGN", 0x520, REG_RW, 0, 0, 0},
    {"CONFIG.FORMAT", 0x524, REG_RW, 0, 0, 0},
    {"CONFIG.CHANNELS", 0x528, REG_RW, 0, 0, 0},
    {"RXD.PTR", 0x538, REG_RW, 0, 0, 0},
    {"TXD.PTR", 0x540, REG_RW, 0, 0, 0},
    {"RXTXD.MAXCNT", 0x550, REG_RW, 0, 0, 0},
    {"PSEL.MCK", 0x560, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SCK", 0x564, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.LRCK", 0x568, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SDIN", 0x56c, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.SDOUT", 0x570, REG_RW, 0xffffffff, 0, 0},
};

static struct clock *clock_of(struct i2s *i2s)
{
    return &i2s->block.bus->clock;
}

/* Cycles of one frame (a left and a right sample): MCK is 32 MHz / (2^32 / MCKFREQ). */
static uint64_t frame_cycles(const struct i2s *i2s)
{
    static const uint16_t ratios[] = {32, 48, 64, 96, 128, 192, 256, 384, 512};
    uint32_t frequency = block_get(&i2s->block, REG_CONFIG_MCKFREQ);
    uint32_t select = block_get(&i2s->block, REG_CONFIG_RATIO) & 0xf;
    uint64_t divider = (1ull << 32) / (frequency ? frequency : 1);
    return divider * CYCLES_PER_32MHZ * ratios[select < 9 ? select : 8];
}

/* Frames that a buffer of `words` words holds: a word takes 8-bit samples by four, 16-bit by two, 24 by one.
 */
static uint64_t frames(const struct i2s *i2s, uint32_t words)
{
    static const uint8_t samples_per_word[] = {4, 2, 1, 1};
    uint64_t samples = (uint64_t)words * samples_per_word[block_get(&i2s->block, REG_CONFIG_SWIDTH) & 3];
    bool stereo = (block_get(&i2s->block, REG_CONFIG_CHANNELS) & 3) == 0;
    return stereo ? (samples + 1) / 2 : samples;
}

/* Takes the pointers over for the next buffer and tells that they may be written again. */
static void take_buffers(struct i2s *i2s)
{
    i2s->rx_address = block_get(&i2s->block, REG_RXD_PTR);
    i2s->words = block_get(&i2s->block, REG_RXTXD_MAXCNT) & MAXCNT_MASK;
    uint64_t count = frames(i2s, i2s->words);
    i2s->due += (count ? count : 1) * frame_cycles(i2s);
    event_at(clock_of(i2s), &i2s->buffer_end, i2s->due);
    if (block_get(&i2s->block, REG_CONFIG_RXEN) & 1)
        block_event(&i2s->block, EVENT_RXPTRUPD);
    if (block_get(&i2s->block, REG_CONFIG_TXEN) & 1)
        block_event(&i2s->block, EVENT_TXPTRUPD);
}

static void receive_silence(struct i2s *i2s)
{
    static const uint8_t silence[4];
    for (uint32_t i = 0; i < i2s->words; i++)
        dma_write(i2s->block.bus, i2s->rx_address + 4 * i, silence, sizeof silence);
}

static void buffer_ended(void *owner)
{
    struct i2s *i2s = owner;
    if (block_get(&i2s->block, REG_CONFIG_RXEN) & 1)
        receive_silence(i2s);
    take_buffers(i2s);
}

static void task(void *self, unsigned n)
{
    struct i2s *i2s = self;
    if (!(block_get(&i2s->block, REG_ENABLE) & 1))
        return;
    if (n == TASK_START) {
        i2s->due = clock_of(i2s)->now;
        take_buffers(i2s);
    } else if (n == TASK_STOP) {
        event_cancel(clock_of(i2s), &i2s->buffer_end);
        block_event(&i2s->block, EVENT_STOPPED);
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct i2s *i2s = self;
    block_set(&i2s->block, offset, value);
    if (offset == REG_ENABLE && !(value & 1))
        event_cancel(clock_of(i2s), &i2s->buffer_end);
}

static void reset(void *self, enum reset_cause cause)
{
    struct i2s *i2s = self;
    (void)cause;
    event_cancel(clock_of(i2s), &i2s->buffer_end);
}

static void save(void *self, struct state *state)
{
    struct i2s *i2s = self;
    state_event(state, clock_of(i2s), &i2s->buffer_end);
    state_var(state, i2s->due);
    state_var(state, i2s->rx_address);
    state_var(state, i2s->words);
}

void i2s_init(struct i2s *i2s, struct bus *bus)
{
    block_init(&i2s->block, bus, 0x40025000, 37);
    block_add_face(&i2s->block, &(struct face){
                                    .name = "I2S",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = reset,
                                    .write = write,
                                    .task = task,
                                    .save = save,
                                    .self = i2s,
                                });
    event_init(&bus->clock, &i2s->buffer_end, buffer_ended, i2s);
}
