/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/qdec.h"

enum {
    TASK_START = 0,
    TASK_STOP = 1,
    TASK_READCLRACC = 2,
    TASK_RDCLRACC = 3,
    TASK_RDCLRDBL = 4,
    EVENT_SAMPLERDY = 0,
    EVENT_REPORTRDY = 1,
    EVENT_ACCOF = 2,
    EVENT_DBLRDY = 3,
    EVENT_STOPPED = 4,
    REG_ENABLE = 0x500,
    REG_SAMPLEPER = 0x508,
    REG_SAMPLE = 0x50C,
    REG_REPORTPER = 0x510,
    REG_ACC = 0x514,
    REG_ACCREAD = 0x518,
    REG_PSEL_A = 0x520,
    REG_PSEL_B = 0x524,
    REG_ACCDBL = 0x544,
    REG_ACCDBLREAD = 0x548,
};

enum {
    ACC_MOST = 1023,
    ACC_LEAST = -1024,
    ACCDBL_MOST = 15,
    DOUBLE = 2, /* the value of SAMPLE when both wires changed */
    SLOWEST = 10,
};

#define SHORTEST_PERIOD (128 * CYCLES_PER_US)

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x004, REG_W, 0, 0, 0},
    {"TASKS_READCLRACC", 0x008, REG_W, 0, 0, 0},
    {"TASKS_RDCLRACC", 0x00c, REG_W, 0, 0, 0},
    {"TASKS_RDCLRDBL", 0x010, REG_W, 0, 0, 0},
    {"EVENTS_SAMPLERDY", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_REPORTRDY", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_ACCOF", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_DBLRDY", 0x10c, REG_RW, 0, 0, 0},
    {"EVENTS_STOPPED", 0x110, REG_RW, 0, 0, 0},
    {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"LEDPOL", 0x504, REG_RW, 0, 0, 0},
    {"SAMPLEPER", 0x508, REG_RW, 0, 0, 0},
    {"SAMPLE", 0x50c, REG_R, 0, 0, 0},
    {"REPORTPER", 0x510, REG_RW, 0, 0, 0},
    {"ACC", 0x514, REG_R, 0, 0, 0},
    {"ACCREAD", 0x518, REG_R, 0, 0, 0},
    {"PSEL.LED", 0x51c, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.A", 0x520, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.B", 0x524, REG_RW, 0xffffffff, 0, 0},
    {"DBFEN", 0x528, REG_RW, 0, 0, 0},
    {"LEDPRE", 0x540, REG_RW, 0x10, 0, 0},
    {"ACCDBL", 0x544, REG_R, 0, 0, 0},
    {"ACCDBLREAD", 0x548, REG_R, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {0, EVENT_REPORTRDY, TASK_READCLRACC}, {1, EVENT_SAMPLERDY, TASK_STOP},
    {2, EVENT_REPORTRDY, TASK_RDCLRACC},   {3, EVENT_REPORTRDY, TASK_STOP},
    {4, EVENT_DBLRDY, TASK_RDCLRDBL},      {5, EVENT_DBLRDY, TASK_STOP},
    {6, EVENT_SAMPLERDY, TASK_READCLRACC}, SHORTCUTS_END,
};

static bool pin_high(const struct qdec *qdec, uint32_t psel)
{
    const struct wire *wire = bus_psel_wire(qdec->block.bus, block_get(&qdec->block, psel));
    return wire && wire_high(wire);
}

static uint8_t phase_now(const struct qdec *qdec)
{
    return (uint8_t)(pin_high(qdec, REG_PSEL_A) << 1 | pin_high(qdec, REG_PSEL_B));
}

/* +1, 0, -1, or DOUBLE for a step from one phase to another. */
static int32_t movement(uint8_t from, uint8_t to)
{
    static const int8_t steps[4][4] = {
        {0, 1, -1, DOUBLE},
        {-1, 0, DOUBLE, 1},
        {1, DOUBLE, 0, -1},
        {DOUBLE, -1, 1, 0},
    };
    return steps[from][to];
}

static void count_double(struct qdec *qdec)
{
    uint32_t count = block_get(&qdec->block, REG_ACCDBL);
    if (count == ACCDBL_MOST)
        block_event(&qdec->block, EVENT_ACCOF);
    else
        block_set(&qdec->block, REG_ACCDBL, count + 1);
}

static void count_step(struct qdec *qdec, int32_t step)
{
    int32_t acc = (int32_t)block_get(&qdec->block, REG_ACC) + step;
    if (acc > ACC_MOST || acc < ACC_LEAST)
        block_event(&qdec->block, EVENT_ACCOF);
    else
        block_set(&qdec->block, REG_ACC, (uint32_t)acc);
}

static void report(struct qdec *qdec)
{
    static const uint16_t periods[] = {10, 40, 80, 120, 160, 200, 240, 280, 1};
    uint32_t select = block_get(&qdec->block, REG_REPORTPER) & 0xf;
    uint32_t period = periods[select < 8 ? select : 8];
    if (++qdec->samples < period)
        return;
    qdec->samples = 0;
    bool doubles = block_get(&qdec->block, REG_ACCDBL) != 0;
    if (block_get(&qdec->block, REG_ACC) || doubles)
        block_event(&qdec->block, EVENT_REPORTRDY);
    if (doubles)
        block_event(&qdec->block, EVENT_DBLRDY);
}

static void schedule(struct qdec *qdec)
{
    uint32_t select = block_get(&qdec->block, REG_SAMPLEPER) & 0xf;
    qdec->due += SHORTEST_PERIOD << (select < SLOWEST ? select : SLOWEST);
    event_at(&qdec->block.bus->clock, &qdec->sample, qdec->due);
}

static void take_sample(void *owner)
{
    struct qdec *qdec = owner;
    uint8_t phase = phase_now(qdec);
    int32_t step = qdec->first ? 0 : movement(qdec->phase, phase);
    qdec->phase = phase;
    qdec->first = false;
    block_set(&qdec->block, REG_SAMPLE, (uint32_t)step);
    schedule(qdec);
    if (step == DOUBLE)
        count_double(qdec);
    else
        count_step(qdec, step);
    block_event(&qdec->block, EVENT_SAMPLERDY);
    report(qdec);
}

static void start(struct qdec *qdec)
{
    qdec->first = true;
    qdec->samples = 0;
    qdec->due = qdec->block.bus->clock.now;
    schedule(qdec);
}

static void read_and_clear(struct qdec *qdec, uint32_t from, uint32_t to)
{
    block_set(&qdec->block, to, block_get(&qdec->block, from));
    block_set(&qdec->block, from, 0);
}

static void task(void *self, unsigned n)
{
    struct qdec *qdec = self;
    if (!(block_get(&qdec->block, REG_ENABLE) & 1))
        return;
    if (n == TASK_START) {
        start(qdec);
    } else if (n == TASK_STOP) {
        event_cancel(&qdec->block.bus->clock, &qdec->sample);
        block_event(&qdec->block, EVENT_STOPPED);
    }
    if (n == TASK_READCLRACC || n == TASK_RDCLRACC)
        read_and_clear(qdec, REG_ACC, REG_ACCREAD);
    if (n == TASK_READCLRACC || n == TASK_RDCLRDBL)
        read_and_clear(qdec, REG_ACCDBL, REG_ACCDBLREAD);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct qdec *qdec = self;
    block_set(&qdec->block, offset, value);
    if (offset == REG_ENABLE && !(value & 1))
        event_cancel(&qdec->block.bus->clock, &qdec->sample);
}

static void reset(void *self, enum reset_cause cause)
{
    struct qdec *qdec = self;
    (void)cause;
    event_cancel(&qdec->block.bus->clock, &qdec->sample);
}

static void save(void *self, struct state *state)
{
    struct qdec *qdec = self;
    state_event(state, &qdec->block.bus->clock, &qdec->sample);
    state_var(state, qdec->due);
    state_var(state, qdec->samples);
    state_var(state, qdec->phase);
    state_var(state, qdec->first);
}

void qdec_init(struct qdec *qdec, struct bus *bus)
{
    block_init(&qdec->block, bus, 0x40012000, 18);
    block_add_face(&qdec->block, &(struct face){
                                     .name = "QDEC",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .reset = reset,
                                     .write = write,
                                     .task = task,
                                     .save = save,
                                     .shorts = shorts,
                                     .self = qdec,
                                 });
    event_init(&bus->clock, &qdec->sample, take_sample, qdec);
}
