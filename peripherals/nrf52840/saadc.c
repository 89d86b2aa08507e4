/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/saadc.h"

#include "nrf52840/analog.h"
#include "nrf52840/power.h"

enum {
    TASK_START = 0,
    TASK_SAMPLE = 1,
    TASK_STOP = 2,
    TASK_CALIBRATEOFFSET = 3,
    EVENT_STARTED = 0,
    EVENT_END = 1,
    EVENT_DONE = 2,
    EVENT_RESULTDONE = 3,
    EVENT_CALIBRATEDONE = 4,
    EVENT_STOPPED = 5,
    EVENT_LIMITH = 6, /* of channel 0; LIMITL follows, then channel 1 */
};

enum {
    REG_STATUS = 0x400,
    REG_ENABLE = 0x500,
    REG_CH = 0x510,
    CH_STRIDE = 0x10,
    CH_PSELP = 0,
    CH_PSELN = 4,
    CH_CONFIG = 8,
    CH_LIMIT = 12,
    REG_RESOLUTION = 0x5F0,
    REG_OVERSAMPLE = 0x5F4,
    REG_SAMPLERATE = 0x5F8,
    REG_RESULT_PTR = 0x62C,
    REG_RESULT_MAXCNT = 0x630,
    REG_RESULT_AMOUNT = 0x634,
    REG_POWER = 0xFFC,
};

enum {
    PSEL_AIN0 = 1,
    PSEL_AIN7 = 8,
    PSEL_VDD = 9,
    PSEL_VDDHDIV5 = 13,
    CONFIG_REF_VDD = 1u << 12,
    CONFIG_DIFFERENTIAL = 1u << 20,
    CONFIG_BURST = 1u << 24,
    SAMPLERATE_TIMERS = 1u << 12,
    SAMPLERATE_CC = 0x7ff,
    SAMPLERATE_LEAST = 80,
    INTERNAL_REFERENCE_MV = 600,
    MAXCNT_MASK = 0x7fff,
};

#define CONVERSION_CYCLES  (2 * CYCLES_PER_US)
#define CALIBRATION_CYCLES (100 * CYCLES_PER_US)
#define CYCLES_PER_CC      4u /* SAMPLERATE counts 16 MHz */

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},
    {"TASKS_SAMPLE", 0x004, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x008, REG_W, 0, 0, 0},
    {"TASKS_CALIBRATEOFFSET", 0x00c, REG_W, 0, 0, 0},
    {"EVENTS_STARTED", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_END", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_DONE", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_RESULTDONE", 0x10c, REG_RW, 0, 0, 0},
    {"EVENTS_CALIBRATEDONE", 0x110, REG_RW, 0, 0, 0},
    {"EVENTS_STOPPED", 0x114, REG_RW, 0, 0, 0},
    {"EVENTS_CH[].LIMITH", 0x118, REG_RW, 0, 8, 0x8},
    {"EVENTS_CH[].LIMITL", 0x11c, REG_RW, 0, 8, 0x8},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"STATUS", 0x400, REG_R, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"CH[].PSELP", 0x510, REG_RW, 0, 8, 0x10},
    {"CH[].PSELN", 0x514, REG_RW, 0, 8, 0x10},
    {"CH[].CONFIG", 0x518, REG_RW, 0x20000, 8, 0x10},
    {"CH[].LIMIT", 0x51c, REG_RW, 0x7fff8000, 8, 0x10},
    {"RESOLUTION", 0x5f0, REG_RW, 0x1, 0, 0},
    {"OVERSAMPLE", 0x5f4, REG_RW, 0, 0, 0},
    {"SAMPLERATE", 0x5f8, REG_RW, 0, 0, 0},
    {"RESULT.PTR", 0x62c, REG_RW, 0, 0, 0},
    {"RESULT.MAXCNT", 0x630, REG_RW, 0, 0, 0},
    {"RESULT.AMOUNT", 0x634, REG_R, 0, 0, 0},
    /* Not in the datasheet: drivers put everything back to its beginning by POWER, and keep these words over
     * it (anomaly 212). */
    {"ERRATA_640", 0x640, REG_RW, 0, 3, 0},
    {"POWER", REG_POWER, REG_RW, 1, 0, 0},
};

static struct clock *clock_of(struct saadc *saadc)
{
    return &saadc->block.bus->clock;
}

static uint32_t channel_get(const struct saadc *saadc, unsigned channel, uint32_t offset)
{
    return block_get(&saadc->block, REG_CH + channel * CH_STRIDE + offset);
}

static bool connected(const struct saadc *saadc, unsigned channel)
{
    return channel_get(saadc, channel, CH_PSELP) != 0;
}

static int32_t input_mv(const struct saadc *saadc, uint32_t psel)
{
    if (psel >= PSEL_AIN0 && psel <= PSEL_AIN7)
        return analog_input(saadc->block.bus, saadc->power, psel - PSEL_AIN0);
    if (psel == PSEL_VDD)
        return (int32_t)saadc->power->vdd_mv;
    if (psel == PSEL_VDDHDIV5)
        return (int32_t)(saadc->power->vddh_mv / 5);
    return 0;
}

/* RESULT = (V(P) - V(N)) * GAIN / REFERENCE * 2^(RESOLUTION - m), m = 1 when differential. */
static int32_t convert(const struct saadc *saadc, unsigned channel)
{
    /* Numerator and denominator. */
    static const uint8_t gain[8][2] = {{1, 6}, {1, 5}, {1, 4}, {1, 3}, {1, 2}, {1, 1}, {2, 1}, {4, 1}};
    uint32_t config = channel_get(saadc, channel, CH_CONFIG);
    bool differential = config & CONFIG_DIFFERENTIAL;
    const uint8_t *g = gain[config >> 8 & 7];
    uint32_t resolution = block_get(&saadc->block, REG_RESOLUTION) & 7;
    uint32_t bits = 8 + 2 * (resolution < 3 ? resolution : 3) - differential;
    int64_t reference = config & CONFIG_REF_VDD ? (int64_t)saadc->power->vdd_mv / 4 : INTERNAL_REFERENCE_MV;
    int64_t mv = input_mv(saadc, channel_get(saadc, channel, CH_PSELP));
    if (differential)
        mv -= input_mv(saadc, channel_get(saadc, channel, CH_PSELN));
    int64_t full = (int64_t)1 << bits;
    int64_t result = reference ? mv * g[0] * full / (g[1] * reference) : 0;
    int64_t least = differential ? -full : 0;
    return (int32_t)(result < least ? least : result > full - 1 ? full - 1 : result);
}

/* Acquisition and conversion of one sample, or of all that a burst takes. */
static uint64_t channel_cycles(const struct saadc *saadc, unsigned channel)
{
    static const uint8_t acquisition_us[8] = {3, 5, 10, 15, 20, 40, 40, 40};
    uint32_t config = channel_get(saadc, channel, CH_CONFIG);
    uint64_t cycles = acquisition_us[config >> 16 & 7] * CYCLES_PER_US + CONVERSION_CYCLES;
    return config & CONFIG_BURST ? cycles << (block_get(&saadc->block, REG_OVERSAMPLE) & 0xf) : cycles;
}

static void check_limits(struct saadc *saadc, unsigned channel, int32_t result)
{
    uint32_t limit = channel_get(saadc, channel, CH_LIMIT);
    if (result >= (int16_t)(limit >> 16))
        block_event(&saadc->block, EVENT_LIMITH + 2 * channel);
    if (result <= (int16_t)(limit & 0xffff))
        block_event(&saadc->block, EVENT_LIMITH + 2 * channel + 1);
}

static void store(struct saadc *saadc, int32_t result)
{
    uint8_t bytes[2] = {(uint8_t)result, (uint8_t)((uint32_t)result >> 8)};
    dma_write(saadc->block.bus, saadc->address + 2 * saadc->amount, bytes, sizeof bytes);
    saadc->amount++;
    block_set(&saadc->block, REG_RESULT_AMOUNT, saadc->amount);
    block_event(&saadc->block, EVENT_RESULTDONE);
    if (saadc->amount < saadc->size)
        return;
    saadc->started = false;
    block_event(&saadc->block, EVENT_END);
}

/* Starts the next connected channel from `first` on; ends the scan when there is none. */
static void convert_from(struct saadc *saadc, unsigned first)
{
    unsigned channel = first;
    while (channel < SAADC_CHANNELS && !connected(saadc, channel))
        channel++;
    bool more = channel < SAADC_CHANNELS;
    block_set(&saadc->block, REG_STATUS, more);
    if (!more)
        return;
    saadc->channel = (uint8_t)channel;
    event_after(clock_of(saadc), &saadc->converted, channel_cycles(saadc, channel));
}

/* True if a sample completes a result: oversampling without burst takes one sample a scan. */
static bool result_is_complete(struct saadc *saadc)
{
    uint32_t needed = 1u << (block_get(&saadc->block, REG_OVERSAMPLE) & 0xf);
    if (channel_get(saadc, saadc->channel, CH_CONFIG) & CONFIG_BURST)
        needed = 1;
    if (++saadc->accumulated < needed)
        return false;
    saadc->accumulated = 0;
    return true;
}

static void conversion_done(void *owner)
{
    struct saadc *saadc = owner;
    unsigned channel = saadc->channel;
    bool complete = result_is_complete(saadc);
    int32_t result = convert(saadc, channel);
    convert_from(saadc, channel + 1);
    block_event(&saadc->block, EVENT_DONE);
    if (!complete)
        return;
    if (saadc->started)
        store(saadc, result);
    check_limits(saadc, channel, result);
}

static void scan(struct saadc *saadc)
{
    if (!event_pending(&saadc->converted))
        convert_from(saadc, 0);
}

static void arm_next_scan(struct saadc *saadc)
{
    uint32_t cc = block_get(&saadc->block, REG_SAMPLERATE) & SAMPLERATE_CC;
    saadc->scan_due += (cc < SAMPLERATE_LEAST ? SAMPLERATE_LEAST : cc) * CYCLES_PER_CC;
    event_at(clock_of(saadc), &saadc->next_scan, saadc->scan_due);
}

static void next_scan_due(void *owner)
{
    struct saadc *saadc = owner;
    arm_next_scan(saadc);
    scan(saadc);
}

static void sample(struct saadc *saadc)
{
    scan(saadc);
    if (!(block_get(&saadc->block, REG_SAMPLERATE) & SAMPLERATE_TIMERS))
        return;
    saadc->scan_due = clock_of(saadc)->now;
    arm_next_scan(saadc);
}

static void start(struct saadc *saadc)
{
    saadc->address = block_get(&saadc->block, REG_RESULT_PTR);
    saadc->size = block_get(&saadc->block, REG_RESULT_MAXCNT) & MAXCNT_MASK;
    saadc->amount = 0;
    saadc->started = saadc->size > 0;
    block_set(&saadc->block, REG_RESULT_AMOUNT, 0);
    block_event(&saadc->block, EVENT_STARTED);
}

static void stop_all(struct saadc *saadc)
{
    event_cancel(clock_of(saadc), &saadc->converted);
    event_cancel(clock_of(saadc), &saadc->calibrated);
    event_cancel(clock_of(saadc), &saadc->next_scan);
    saadc->started = false;
    saadc->accumulated = 0;
    block_set(&saadc->block, REG_STATUS, 0);
}

static void calibration_done(void *owner)
{
    struct saadc *saadc = owner;
    block_event(&saadc->block, EVENT_CALIBRATEDONE);
}

static void task(void *self, unsigned n)
{
    struct saadc *saadc = self;
    if (!(block_get(&saadc->block, REG_ENABLE) & 1))
        return;
    switch (n) {
    case TASK_START:
        start(saadc);
        break;
    case TASK_SAMPLE:
        sample(saadc);
        break;
    case TASK_STOP:
        stop_all(saadc);
        block_event(&saadc->block, EVENT_STOPPED);
        break;
    case TASK_CALIBRATEOFFSET:
        event_after(clock_of(saadc), &saadc->calibrated, CALIBRATION_CYCLES);
        break;
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct saadc *saadc = self;
    if (offset == REG_POWER && !(value & 1))
        block_reset(&saadc->block, RESET_SOFT);
    block_set(&saadc->block, offset, value);
    if (offset == REG_ENABLE && !(value & 1))
        stop_all(saadc);
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    stop_all(self);
}

static void save(void *self, struct state *state)
{
    struct saadc *saadc = self;
    state_event(state, clock_of(saadc), &saadc->converted);
    state_event(state, clock_of(saadc), &saadc->calibrated);
    state_event(state, clock_of(saadc), &saadc->next_scan);
    state_var(state, saadc->scan_due);
    state_var(state, saadc->started);
    state_var(state, saadc->channel);
    state_var(state, saadc->accumulated);
    state_var(state, saadc->address);
    state_var(state, saadc->size);
    state_var(state, saadc->amount);
}

void saadc_init(struct saadc *saadc, struct bus *bus, const struct power *power)
{
    saadc->power = power;
    block_init(&saadc->block, bus, 0x40007000, 7);
    block_add_face(&saadc->block, &(struct face){
                                      .name = "SAADC",
                                      .regs = regs,
                                      .reg_count = sizeof regs / sizeof regs[0],
                                      .reset = reset,
                                      .write = write,
                                      .task = task,
                                      .save = save,
                                      .self = saadc,
                                  });
    event_init(&bus->clock, &saadc->converted, conversion_done, saadc);
    event_init(&bus->clock, &saadc->calibrated, calibration_done, saadc);
    event_init(&bus->clock, &saadc->next_scan, next_scan_due, saadc);
}
