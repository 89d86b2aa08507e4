/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/cc_rng.h"

#include <string.h>

#define EHR_BITS        192u
#define SAMPLES_PER_BIT 4u
#define NOISE_STREAM    0xcc310a5e7e1be0ull

enum {
    RNG_IMR = 0x100,
    RNG_ISR = 0x104,
    RNG_ICR = 0x108,
    TRNG_VALID = 0x110,
    EHR_DATA = 0x114,
    EHR_LAST = 0x128,
    NOISE_SOURCE = 0x12c,
    SAMPLE_CNT = 0x130,
    TRNG_DEBUG = 0x138,
    RNG_SW_RESET = 0x140,
    RNG_BUSY = 0x1b8,
    TRNG_RESET = 0x1bc,
    RNG_DMA = 0x1c8,
    RNG_WATCHDOG_VAL = 0x1d8,
};

enum {
    INT_EHR_VALID = 1 << 0,
    INT_AUTOCORR_ERR = 1 << 1,
    INT_WATCHDOG = 1 << 4,
    DEBUG_VNC_BYPASS = 1 << 1,
    BUSY_ENGINE_AND_TRNG = 3,
};

static const struct reg regs[] = {
    {"RNG_IMR", 0x100, REG_RW, 0x3f, 0, 0},
    {"RNG_ISR", 0x104, REG_R, 0, 0, 0},
    {"RNG_ICR", 0x108, REG_W, 0, 0, 0},
    {"TRNG_CONFIG", 0x10c, REG_RW, 0, 0, 0},
    {"TRNG_VALID", 0x110, REG_R, 0, 0, 0},
    {"EHR_DATA", 0x114, REG_R, 0, 6, 0},
    {"NOISE_SOURCE", 0x12c, REG_RW, 0, 0, 0},
    {"SAMPLE_CNT", 0x130, REG_RW, 0xffff, 0, 0},
    {"AUTOCORR_STATISTIC", 0x134, REG_RW, 0, 0, 0},
    {"TRNG_DEBUG", 0x138, REG_RW, 0, 0, 0},
    {"RNG_SW_RESET", 0x140, REG_W, 0, 0, 0},
    {"RNG_BUSY", 0x1b8, REG_R, 0, 0, 0},
    {"TRNG_RESET", 0x1bc, REG_W, 0, 0, 0},
    {"RNG_HW_FLAGS", 0x1c0, REG_R, 0xf, 0, 0},
    {"RNG_CLK", 0x1c4, REG_W, 0, 0, 0},
    {"RNG_DMA", 0x1c8, REG_RW, 0, 0, 0},
    {"RNG_DMA_ROSC_LEN", 0x1cc, REG_RW, 0, 0, 0},
    {"RNG_DMA_SRAM_ADDR", 0x1d0, REG_RW, 0, 0, 0},
    {"RNG_DMA_SAMPLES_NUM", 0x1d4, REG_RW, 0, 0, 0},
    {"RNG_WATCHDOG_VAL", 0x1d8, REG_RW, 0, 0, 0},
    {"RNG_DMA_BUSY", 0x1dc, REG_R, 0, 0, 0},
};

static uint32_t get(const struct cc_rng *rng, uint32_t offset)
{
    return block_get(rng->host->block, offset);
}

static void set(struct cc_rng *rng, uint32_t offset, uint32_t value)
{
    block_set(rng->host->block, offset, value);
}

/* True while a collection is under way. */
static bool is_busy(const struct cc_rng *rng)
{
    return event_pending(&rng->done);
}

static struct clock *clock_of(struct cc_rng *rng)
{
    return &rng->host->block->bus->clock;
}

static void empty_ehr(struct cc_rng *rng)
{
    set(rng, TRNG_VALID, 0);
    for (uint32_t offset = EHR_DATA; offset <= EHR_LAST; offset += 4)
        set(rng, offset, 0);
}

/* Starts a collection if the noise source is on and there is room for its result. */
static void collect(struct cc_rng *rng)
{
    if (!(get(rng, NOISE_SOURCE) & 1) || get(rng, TRNG_VALID) || is_busy(rng))
        return;
    uint64_t sample = get(rng, SAMPLE_CNT) ? get(rng, SAMPLE_CNT) : 1;
    uint64_t cycles = EHR_BITS * sample;
    if (!(get(rng, TRNG_DEBUG) & DEBUG_VNC_BYPASS))
        cycles *= SAMPLES_PER_BIT;
    uint64_t limit = get(rng, RNG_WATCHDOG_VAL);
    rng->timed_out = limit && limit < cycles;
    event_after(clock_of(rng), &rng->done, rng->timed_out ? limit : cycles);
}

/* Unmasked bits of the engine's status ask for the host's interrupt as they are set. */
static void raise(struct cc_rng *rng, uint32_t bits)
{
    set(rng, RNG_ISR, get(rng, RNG_ISR) | bits);
    if (bits & ~get(rng, RNG_IMR))
        cc_host_interrupt(rng->host, CC_RNG_READY);
}

static void done(void *self)
{
    struct cc_rng *rng = self;
    if (rng->timed_out) {
        raise(rng, INT_WATCHDOG);
        return;
    }
    for (uint32_t offset = EHR_DATA; offset <= EHR_LAST; offset += 4)
        set(rng, offset, random_next(&rng->noise));
    set(rng, TRNG_VALID, 1);
    raise(rng, INT_EHR_VALID);
}

static void engine_reset(struct cc_rng *rng)
{
    event_cancel(clock_of(rng), &rng->done);
    for (size_t i = 0; i < sizeof regs / sizeof regs[0]; i++) {
        for (uint32_t n = 0; n < (regs[i].count ? regs[i].count : 1u); n++)
            set(rng, regs[i].offset + 4 * n, regs[i].reset);
    }
}

static void reset(void *self, enum reset_cause cause)
{
    struct cc_rng *rng = self;
    (void)cause;
    event_cancel(clock_of(rng), &rng->done);
}

static uint32_t read(void *self, uint32_t offset)
{
    struct cc_rng *rng = self;
    if (offset == RNG_BUSY)
        return is_busy(rng) ? BUSY_ENGINE_AND_TRNG : 0;
    uint32_t value = get(rng, offset);
    if (offset == EHR_LAST && get(rng, TRNG_VALID)) {
        empty_ehr(rng);
        collect(rng);
    }
    return value;
}

static void write_noise_source(struct cc_rng *rng, uint32_t value)
{
    set(rng, NOISE_SOURCE, value & 1);
    if (value & 1)
        collect(rng);
    else
        event_cancel(clock_of(rng), &rng->done);
}

static void unmask(struct cc_rng *rng, uint32_t mask)
{
    uint32_t opened = get(rng, RNG_IMR) & ~mask;
    set(rng, RNG_IMR, mask);
    if (opened & get(rng, RNG_ISR))
        cc_host_interrupt(rng->host, CC_RNG_READY);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct cc_rng *rng = self;
    switch (offset) {
    case RNG_IMR:
        unmask(rng, value & 0x3f);
        break;
    case RNG_ICR:
        set(rng, RNG_ISR, get(rng, RNG_ISR) & ~(value & ~(uint32_t)INT_AUTOCORR_ERR));
        break;
    case NOISE_SOURCE:
        write_noise_source(rng, value);
        break;
    case RNG_SW_RESET:
        engine_reset(rng);
        break;
    case TRNG_RESET:
        if (!(get(rng, NOISE_SOURCE) & 1))
            empty_ehr(rng);
        break;
    case RNG_DMA:
        if (value & 1)
            bus_finding(rng->host->block->bus, "cryptocell", "RNG_DMA is started, which is not modelled");
        break;
    case RNG_ISR:
    case TRNG_VALID:
    case RNG_BUSY:
        break;
    default:
        if (offset < EHR_DATA || offset > EHR_LAST)
            set(rng, offset, value);
        break;
    }
}

static void save(void *self, struct state *state)
{
    struct cc_rng *rng = self;
    state_var(state, rng->noise);
    state_var(state, rng->timed_out);
    state_event(state, clock_of(rng), &rng->done);
}

void cc_rng_init(struct cc_rng *rng, struct cc_host *host)
{
    memset(rng, 0, sizeof *rng);
    rng->host = host;
    rng->noise = host->block->bus->seed ^ NOISE_STREAM;
    event_init(&host->block->bus->clock, &rng->done, done, rng);
    block_add_face(host->block, &(struct face){
                                    .name = "CC_RNG",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .plain = true,
                                    .active = cc_engine_active,
                                    .reset = reset,
                                    .read = read,
                                    .write = write,
                                    .save = save,
                                    .self = rng,
                                });
}
