/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/pwm.h"

enum {
    TASK_STOP = 1,
    TASK_SEQSTART0 = 2,
    TASK_SEQSTART1 = 3,
    TASK_NEXTSTEP = 4,
};

enum {
    EVENT_STOPPED = 1,
    EVENT_SEQSTARTED0 = 2,
    EVENT_SEQEND0 = 4,
    EVENT_SEQEND1 = 5,
    EVENT_PWMPERIODEND = 6,
    EVENT_LOOPSDONE = 7,
};

enum {
    ENABLE = 0x500,
    MODE = 0x504,
    COUNTERTOP = 0x508,
    PRESCALER = 0x50c,
    DECODER = 0x510,
    LOOP = 0x514,
    SEQ_PTR = 0x520,
    SEQ_CNT = 0x524,
    SEQ_REFRESH = 0x528,
    SEQ_ENDDELAY = 0x52c,
    SEQ_STRIDE = 0x20,
    PSEL_OUT = 0x560,
};

enum load {
    LOAD_COMMON,
    LOAD_GROUPED,
    LOAD_INDIVIDUAL,
    LOAD_WAVEFORM,
};

#define DECODER_NEXTSTEP (1u << 8)
#define COMPARE_FALLING  0x8000u
#define COUNTERTOP_MIN   3u
#define CYCLES_PER_16MHZ 4u

static const struct reg regs[] = {
    {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"TASKS_SEQSTART", 0x008, REG_W, 0, 2, 0},
    {"TASKS_NEXTSTEP", 0x010, REG_W, 0, 0, 0},
    {"EVENTS_STOPPED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_SEQSTARTED", 0x108, REG_RW, 0, 2, 0},
    {"EVENTS_SEQEND", 0x110, REG_RW, 0, 2, 0},
    {"EVENTS_PWMPERIODEND", 0x118, REG_RW, 0, 0, 0},
    {"EVENTS_LOOPSDONE", 0x11c, REG_RW, 0, 0, 0},
    {"SHORTS", REG_SHORTS, REG_RW, 0, 0, 0},
    {"INTEN", REG_INTEN, REG_RW, 0, 0, 0},
    {"INTENSET", REG_INTENSET, REG_RW, 0, 0, 0},
    {"INTENCLR", REG_INTENCLR, REG_RW, 0, 0, 0},
    {"ENABLE", ENABLE, REG_RW, 0, 0, 0},
    {"MODE", MODE, REG_RW, 0, 0, 0},
    {"COUNTERTOP", COUNTERTOP, REG_RW, 0x3ff, 0, 0},
    {"PRESCALER", PRESCALER, REG_RW, 0, 0, 0},
    {"DECODER", DECODER, REG_RW, 0, 0, 0},
    {"LOOP", LOOP, REG_RW, 0, 0, 0},
    {"SEQ[].PTR", SEQ_PTR, REG_RW, 0, 2, SEQ_STRIDE},
    {"SEQ[].CNT", SEQ_CNT, REG_RW, 0, 2, SEQ_STRIDE},
    {"SEQ[].REFRESH", SEQ_REFRESH, REG_RW, 1, 2, SEQ_STRIDE},
    {"SEQ[].ENDDELAY", SEQ_ENDDELAY, REG_RW, 0, 2, SEQ_STRIDE},
    {"PSEL.OUT", PSEL_OUT, REG_RW, 0xffffffff, 4, 0},
};

static const struct shortcut shorts[] = {
    {0, EVENT_SEQEND0, TASK_STOP},        {1, EVENT_SEQEND1, TASK_STOP},
    {2, EVENT_LOOPSDONE, TASK_SEQSTART0}, {3, EVENT_LOOPSDONE, TASK_SEQSTART1},
    {4, EVENT_LOOPSDONE, TASK_STOP},      SHORTCUTS_END,
};

static uint32_t sequence_reg(const struct pwm *pwm, uint32_t offset)
{
    return block_get(&pwm->block, offset + SEQ_STRIDE * pwm->sequence);
}

static uint32_t sequence_count(const struct pwm *pwm)
{
    return sequence_reg(pwm, SEQ_CNT) & 0x7fff;
}

static bool next_step_mode(const struct pwm *pwm)
{
    return block_get(&pwm->block, DECODER) & DECODER_NEXTSTEP;
}

/* Part of the time, 0..65535, that a channel with this compare value is high. */
static uint16_t duty(const struct pwm *pwm, uint16_t compare)
{
    uint32_t edge = compare & ~COMPARE_FALLING;
    if (edge > pwm->top)
        edge = pwm->top;
    uint32_t before = (edge * WIRE_FULL + pwm->top / 2u) / pwm->top;
    return (uint16_t)(compare & COMPARE_FALLING ? before : WIRE_FULL - before);
}

static void drive_outputs(struct pwm *pwm)
{
    for (unsigned i = 0; i < PWM_CHANNELS; i++) {
        uint16_t level = duty(pwm, pwm->compare[i]);
        if (pwm->level[i] == level)
            continue;
        pwm->level[i] = level;
        gpio_psel_drive(pwm->gpio, block_get(&pwm->block, PSEL_OUT + 4 * i), true, WIRE_STRONG, level);
    }
}

static void release_output(struct pwm *pwm, unsigned channel)
{
    if (pwm->level[channel] < 0)
        return;
    pwm->level[channel] = -1;
    gpio_psel_drive(pwm->gpio, block_get(&pwm->block, PSEL_OUT + 4 * channel), false, WIRE_FLOATING, 0);
}

static void halt(struct pwm *pwm)
{
    event_cancel(&pwm->block.bus->clock, &pwm->period);
    pwm->running = false;
    pwm->stopping = false;
    pwm->start_asked = -1;
    for (unsigned i = 0; i < PWM_CHANNELS; i++)
        release_output(pwm, i);
}

/* Puts the half-words of one step where the decoder says they belong. */
static void decode(struct pwm *pwm, const uint16_t *values)
{
    enum load load = block_get(&pwm->block, DECODER) & 3;
    for (unsigned i = 0; i < PWM_CHANNELS; i++) {
        if (load == LOAD_COMMON)
            pwm->compare[i] = values[0];
        else if (load == LOAD_GROUPED)
            pwm->compare[i] = values[i / 2];
        else if (load == LOAD_INDIVIDUAL || i < 3)
            pwm->compare[i] = values[i];
    }
    if (load == LOAD_WAVEFORM)
        pwm->top = values[3] & 0x7fff;
    else
        pwm->top = block_get(&pwm->block, COUNTERTOP) & 0x7fff;
    if (pwm->top < COUNTERTOP_MIN)
        pwm->top = COUNTERTOP_MIN;
}

static uint32_t step_size(const struct pwm *pwm)
{
    static const uint8_t half_words[4] = {1, 2, 4, 4};
    return half_words[block_get(&pwm->block, DECODER) & 3];
}

static void load_value(struct pwm *pwm)
{
    uint16_t values[4] = {0};
    uint32_t size = step_size(pwm);
    dma_read(pwm->block.bus, sequence_reg(pwm, SEQ_PTR) + 2 * pwm->index, values, 2 * size);
    decode(pwm, values);
    pwm->index += size;
    pwm->last_value = pwm->index + size > sequence_count(pwm);
    pwm->hold = sequence_reg(pwm, SEQ_REFRESH) & 0xffffff;
    if (!pwm->last_value)
        return;
    pwm->hold += sequence_reg(pwm, SEQ_ENDDELAY) & 0xffffff;
    block_event(&pwm->block, EVENT_SEQEND0 + pwm->sequence);
}

static void begin_sequence(struct pwm *pwm, unsigned n)
{
    pwm->sequence = (uint8_t)n;
    pwm->index = 0;
    pwm->over = !sequence_count(pwm);
    if (pwm->over) {
        bus_finding(pwm->block.bus, "pwm", "%s: sequence %u has CNT 0", pwm->block.face[0].name, n);
        return;
    }
    block_event(&pwm->block, EVENT_SEQSTARTED0 + n);
    load_value(pwm);
}

static void next_value(struct pwm *pwm)
{
    if (!pwm->last_value) {
        load_value(pwm);
    } else if (pwm->loops && pwm->sequence == 0) {
        begin_sequence(pwm, 1);
    } else if (pwm->loops > 1) {
        pwm->loops--;
        begin_sequence(pwm, 0);
    } else {
        pwm->over = true;
    }
}

static void start_asked_sequence(struct pwm *pwm)
{
    unsigned n = (unsigned)pwm->start_asked;
    pwm->start_asked = -1;
    pwm->step_asked = false;
    pwm->loops = (uint16_t)block_get(&pwm->block, LOOP);
    pwm->loops_done = false;
    begin_sequence(pwm, n);
}

/* What the new period plays. */
static void advance(struct pwm *pwm)
{
    if (pwm->start_asked >= 0) {
        start_asked_sequence(pwm);
    } else if (pwm->over) {
        return;
    } else if (next_step_mode(pwm)) {
        if (pwm->step_asked)
            next_value(pwm);
        pwm->step_asked = false;
    } else if (pwm->hold) {
        pwm->hold--;
    } else {
        next_value(pwm);
    }
}

static void start_period(struct pwm *pwm)
{
    advance(pwm);
    drive_outputs(pwm);
    pwm->length = pwm->top * CYCLES_PER_16MHZ << (block_get(&pwm->block, PRESCALER) & 7);
    if (block_get(&pwm->block, MODE) & 1)
        pwm->length *= 2;
    event_at(&pwm->block.bus->clock, &pwm->period, pwm->period_start + pwm->length);
    bool final = pwm->last_value && pwm->sequence == 1 && pwm->loops == 1;
    if (final && !pwm->loops_done && (!pwm->hold || next_step_mode(pwm))) {
        pwm->loops_done = true;
        block_event(&pwm->block, EVENT_LOOPSDONE);
    }
}

static void period_end(void *self)
{
    struct pwm *pwm = self;
    pwm->period_start += pwm->length;
    block_event(&pwm->block, EVENT_PWMPERIODEND);
    if (pwm->stopping) {
        halt(pwm);
        block_event(&pwm->block, EVENT_STOPPED);
    } else if (pwm->running) {
        start_period(pwm);
    }
}

static void start(struct pwm *pwm, unsigned n)
{
    pwm->start_asked = (int8_t)n;
    pwm->stopping = false;
    if (pwm->running)
        return;
    pwm->running = true;
    pwm->over = false;
    pwm->period_start = pwm->block.bus->clock.now;
    start_period(pwm);
}

static void task(void *self, unsigned n)
{
    struct pwm *pwm = self;
    if (!(block_get(&pwm->block, ENABLE) & 1))
        return;
    if (n == TASK_SEQSTART0 || n == TASK_SEQSTART1)
        start(pwm, n - TASK_SEQSTART0);
    else if (n == TASK_NEXTSTEP)
        pwm->step_asked = true;
    else if (n == TASK_STOP && pwm->running)
        pwm->stopping = true;
    else if (n == TASK_STOP)
        block_event(&pwm->block, EVENT_STOPPED);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct pwm *pwm = self;
    if (offset >= PSEL_OUT && offset < PSEL_OUT + 4 * PWM_CHANNELS) {
        release_output(pwm, (offset - PSEL_OUT) / 4);
        block_set(&pwm->block, offset, value);
        if (pwm->running)
            drive_outputs(pwm);
        return;
    }
    block_set(&pwm->block, offset, value);
    if (offset == ENABLE && !(value & 1))
        halt(pwm);
}

static void reset(void *self, enum reset_cause cause)
{
    struct pwm *pwm = self;
    (void)cause;
    /* GPIO takes the pins back by itself, and PSEL no longer names them. */
    for (unsigned i = 0; i < PWM_CHANNELS; i++) {
        pwm->level[i] = -1;
        pwm->compare[i] = 0;
    }
    halt(pwm);
    pwm->step_asked = false;
    pwm->over = false;
    pwm->last_value = false;
    pwm->hold = 0;
    pwm->loops = 0;
    pwm->loops_done = false;
    pwm->sequence = 0;
    pwm->index = 0;
    pwm->top = COUNTERTOP_MIN;
}

static void save(void *self, struct state *state)
{
    struct pwm *pwm = self;
    state_event(state, &pwm->block.bus->clock, &pwm->period);
    state_var(state, pwm->period_start);
    state_var(state, pwm->length);
    state_var(state, pwm->running);
    state_var(state, pwm->stopping);
    state_var(state, pwm->step_asked);
    state_var(state, pwm->over);
    state_var(state, pwm->last_value);
    state_var(state, pwm->start_asked);
    state_var(state, pwm->sequence);
    state_var(state, pwm->index);
    state_var(state, pwm->hold);
    state_var(state, pwm->loops);
    state_var(state, pwm->loops_done);
    state_var(state, pwm->top);
    state_var(state, pwm->compare);
    state_var(state, pwm->level);
}

void pwm_init(struct pwm *pwm, struct bus *bus, struct gpio *gpio, unsigned instance)
{
    static const struct {
        const char *name;
        uint32_t base;
        int irq;
    } places[] = {{"PWM0", 0x4001c000, 28},
                  {"PWM1", 0x40021000, 33},
                  {"PWM2", 0x40022000, 34},
                  {"PWM3", 0x4002d000, 45}};
    *pwm = (struct pwm){.gpio = gpio, .start_asked = -1};
    block_init(&pwm->block, bus, places[instance].base, places[instance].irq);
    event_init(&bus->clock, &pwm->period, period_end, pwm);
    block_add_face(&pwm->block, &(struct face){
                                    .name = places[instance].name,
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = reset,
                                    .write = write,
                                    .task = task,
                                    .save = save,
                                    .self = pwm,
                                    .shorts = shorts,
                                });
}
