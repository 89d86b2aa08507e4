/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/radio.h"

#include "nrf52840/radio_air.h"

enum {
    TASK_TXEN = 0,
    TASK_RXEN = 1,
    TASK_START = 2,
    TASK_STOP = 3,
    TASK_DISABLE = 4,
    TASK_RSSISTART = 5,
    TASK_RSSISTOP = 6,
    TASK_BCSTART = 7,
    TASK_BCSTOP = 8,
    TASK_EDSTART = 9,
    TASK_EDSTOP = 10,
    TASK_CCASTART = 11,
    TASK_CCASTOP = 12,
};

enum {
    EVENT_READY = 0,
    EVENT_ADDRESS = 1,
    EVENT_PAYLOAD = 2,
    EVENT_END = 3,
    EVENT_DISABLED = 4,
    EVENT_RSSIEND = 7,
    EVENT_BCMATCH = 10,
    EVENT_FRAMESTART = 14,
    EVENT_EDEND = 15,
    EVENT_EDSTOPPED = 16,
    EVENT_CCAIDLE = 17,
    EVENT_CCABUSY = 18,
    EVENT_CCASTOPPED = 19,
    EVENT_TXREADY = 21,
    EVENT_RXREADY = 22,
    EVENT_PHYEND = 27,
};

enum {
    REG_PACKETPTR = 0x504,
    REG_MODE = 0x510,
    REG_PCNF0 = 0x514,
    REG_PCNF1 = 0x518,
    REG_CRCCNF = 0x534,
    REG_TIFS = 0x544,
    REG_RSSISAMPLE = 0x548,
    REG_STATE = 0x550,
    REG_BCC = 0x560,
    REG_MODECNF0 = 0x650,
    REG_EDCNT = 0x664,
    REG_EDSAMPLE = 0x668,
    REG_POWER = 0xFFC,
};

/* Values of STATE. */
enum {
    STATE_DISABLED = 0,
    STATE_RXRU = 1,
    STATE_RXIDLE = 2,
    STATE_RX = 3,
    STATE_RXDISABLE = 4,
    STATE_TXRU = 9,
    STATE_TXIDLE = 10,
    STATE_TX = 11,
    STATE_TXDISABLE = 12,
};

/* What the `step` event is the end of. */
enum radio_phase {
    PHASE_RAMP_UP,
    PHASE_ADDRESS,
    PHASE_FRAME_START,
    PHASE_PAYLOAD,
    PHASE_CRC,
    PHASE_TERMINATION,
    PHASE_DISABLING,
};

enum {
    SHORT_END_DISABLE = 1u << 1,
    SHORT_DISABLED_TXEN = 1u << 2,
    SHORT_DISABLED_RXEN = 1u << 3,
    EDCNT_MASK = 0x1fffff,
    QUIET_DBM = 100, /* RSSISAMPLE of a quiet channel: -100 dBm, about the noise floor */
};

#define RSSI_CYCLES (CYCLES_PER_US / 4)
#define ED_CYCLES   (128 * CYCLES_PER_US) /* one measurement of 8 symbols, also for CCA */

static const struct reg regs[] = {
    {"TASKS_TXEN", 0x000, REG_W, 0, 0, 0},
    {"TASKS_RXEN", 0x004, REG_W, 0, 0, 0},
    {"TASKS_START", 0x008, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x00c, REG_W, 0, 0, 0},
    {"TASKS_DISABLE", 0x010, REG_W, 0, 0, 0},
    {"TASKS_RSSISTART", 0x014, REG_W, 0, 0, 0},
    {"TASKS_RSSISTOP", 0x018, REG_W, 0, 0, 0},
    {"TASKS_BCSTART", 0x01c, REG_W, 0, 0, 0},
    {"TASKS_BCSTOP", 0x020, REG_W, 0, 0, 0},
    {"TASKS_EDSTART", 0x024, REG_W, 0, 0, 0},
    {"TASKS_EDSTOP", 0x028, REG_W, 0, 0, 0},
    {"TASKS_CCASTART", 0x02c, REG_W, 0, 0, 0},
    {"TASKS_CCASTOP", 0x030, REG_W, 0, 0, 0},
    {"EVENTS_READY", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_ADDRESS", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_PAYLOAD", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_END", 0x10c, REG_RW, 0, 0, 0},
    {"EVENTS_DISABLED", 0x110, REG_RW, 0, 0, 0},
    {"EVENTS_DEVMATCH", 0x114, REG_RW, 0, 0, 0},
    {"EVENTS_DEVMISS", 0x118, REG_RW, 0, 0, 0},
    {"EVENTS_RSSIEND", 0x11c, REG_RW, 0, 0, 0},
    {"EVENTS_BCMATCH", 0x128, REG_RW, 0, 0, 0},
    {"EVENTS_CRCOK", 0x130, REG_RW, 0, 0, 0},
    {"EVENTS_CRCERROR", 0x134, REG_RW, 0, 0, 0},
    {"EVENTS_FRAMESTART", 0x138, REG_RW, 0, 0, 0},
    {"EVENTS_EDEND", 0x13c, REG_RW, 0, 0, 0},
    {"EVENTS_EDSTOPPED", 0x140, REG_RW, 0, 0, 0},
    {"EVENTS_CCAIDLE", 0x144, REG_RW, 0, 0, 0},
    {"EVENTS_CCABUSY", 0x148, REG_RW, 0, 0, 0},
    {"EVENTS_CCASTOPPED", 0x14c, REG_RW, 0, 0, 0},
    {"EVENTS_RATEBOOST", 0x150, REG_RW, 0, 0, 0},
    {"EVENTS_TXREADY", 0x154, REG_RW, 0, 0, 0},
    {"EVENTS_RXREADY", 0x158, REG_RW, 0, 0, 0},
    {"EVENTS_MHRMATCH", 0x15c, REG_RW, 0, 0, 0},
    {"EVENTS_SYNC", 0x168, REG_RW, 0, 0, 0},
    {"EVENTS_PHYEND", 0x16c, REG_RW, 0, 0, 0},
    {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"CRCSTATUS", 0x400, REG_R, 0, 0, 0},
    {"RXMATCH", 0x408, REG_R, 0, 0, 0},
    {"RXCRC", 0x40c, REG_R, 0, 0, 0},
    {"DAI", 0x410, REG_R, 0, 0, 0},
    {"PDUSTAT", 0x414, REG_R, 0, 0, 0},
    {"PACKETPTR", 0x504, REG_RW, 0, 0, 0},
    {"FREQUENCY", 0x508, REG_RW, 0x2, 0, 0},
    {"TXPOWER", 0x50c, REG_RW, 0, 0, 0},
    {"MODE", 0x510, REG_RW, 0, 0, 0},
    {"PCNF0", 0x514, REG_RW, 0, 0, 0},
    {"PCNF1", 0x518, REG_RW, 0, 0, 0},
    {"BASE0", 0x51c, REG_RW, 0, 0, 0},
    {"BASE1", 0x520, REG_RW, 0, 0, 0},
    {"PREFIX0", 0x524, REG_RW, 0, 0, 0},
    {"PREFIX1", 0x528, REG_RW, 0, 0, 0},
    {"TXADDRESS", 0x52c, REG_RW, 0, 0, 0},
    {"RXADDRESSES", 0x530, REG_RW, 0, 0, 0},
    {"CRCCNF", 0x534, REG_RW, 0, 0, 0},
    {"CRCPOLY", 0x538, REG_RW, 0, 0, 0},
    {"CRCINIT", 0x53c, REG_RW, 0, 0, 0},
    {"TIFS", 0x544, REG_RW, 0, 0, 0},
    {"RSSISAMPLE", 0x548, REG_R, 0, 0, 0},
    {"STATE", 0x550, REG_R, 0, 0, 0},
    {"DATAWHITEIV", 0x554, REG_RW, 0x40, 0, 0},
    {"BCC", 0x560, REG_RW, 0, 0, 0},
    {"DAB", 0x600, REG_RW, 0, 8, 0},
    {"DAP", 0x620, REG_RW, 0, 8, 0},
    {"DACNF", 0x640, REG_RW, 0, 0, 0},
    {"MHRMATCHCONF", 0x644, REG_RW, 0, 0, 0},
    {"MHRMATCHMAS", 0x648, REG_RW, 0, 0, 0},
    {"MODECNF0", 0x650, REG_RW, 0x200, 0, 0},
    {"SFD", 0x660, REG_RW, 0xa7, 0, 0},
    {"EDCNT", 0x664, REG_RW, 0, 0, 0},
    {"EDSAMPLE", 0x668, REG_RW, 0, 0, 0},
    {"CCACTRL", 0x66c, REG_RW, 0x52d0000, 0, 0},
    /* Touched by the SoftDevice and by published errata work-arounds; what they do is not published. */
    {"ERRATA_73C", 0x73c, REG_RW, 0, 0, 0},
    {"ERRATA_740", 0x740, REG_RW, 0, 0, 0},
    {"ERRATA_774", 0x774, REG_RW, 0, 0, 0},
    {"ERRATA_778", 0x778, REG_RW, 0, 0, 0},
    {"ERRATA_77C", 0x77c, REG_RW, 0, 0, 0},
    {"ERRATA_788", 0x788, REG_RW, 0, 0, 0},
    {"POWER", 0xffc, REG_RW, 0x1, 0, 0},
};

static const struct shortcut shorts[] = {
    {0, EVENT_READY, TASK_START},       {1, EVENT_END, TASK_DISABLE},
    {2, EVENT_DISABLED, TASK_TXEN},     {3, EVENT_DISABLED, TASK_RXEN},
    {4, EVENT_ADDRESS, TASK_RSSISTART}, {5, EVENT_END, TASK_START},
    {6, EVENT_ADDRESS, TASK_BCSTART},   {8, EVENT_DISABLED, TASK_RSSISTOP},
    {11, EVENT_RXREADY, TASK_CCASTART}, {12, EVENT_CCAIDLE, TASK_TXEN},
    {13, EVENT_CCABUSY, TASK_DISABLE},  {14, EVENT_FRAMESTART, TASK_BCSTART},
    {15, EVENT_READY, TASK_EDSTART},    {16, EVENT_EDEND, TASK_DISABLE},
    {17, EVENT_CCAIDLE, TASK_STOP},     {18, EVENT_TXREADY, TASK_START},
    {19, EVENT_RXREADY, TASK_START},    {20, EVENT_PHYEND, TASK_DISABLE},
    {21, EVENT_PHYEND, TASK_START},     SHORTCUTS_END,
};

static struct clock *clock_of(struct radio *radio)
{
    return &radio->block.bus->clock;
}

static uint32_t state_of(const struct radio *radio)
{
    return block_get(&radio->block, REG_STATE);
}

static void set_state(struct radio *radio, uint32_t state)
{
    block_set(&radio->block, REG_STATE, state);
}

static struct radio_air air_of(const struct radio *radio)
{
    return (struct radio_air){
        .mode = block_get(&radio->block, REG_MODE),
        .modecnf0 = block_get(&radio->block, REG_MODECNF0),
        .pcnf0 = block_get(&radio->block, REG_PCNF0),
        .pcnf1 = block_get(&radio->block, REG_PCNF1),
        .crccnf = block_get(&radio->block, REG_CRCCNF),
    };
}

/* The cycle that a task counts from. */
static uint64_t start_of_task(struct radio *radio)
{
    return radio->stepping ? radio->step_time : clock_of(radio)->now;
}

static void enter_phase(struct radio *radio, enum radio_phase phase, uint64_t cycles)
{
    radio->due = start_of_task(radio) + cycles;
    radio->phase = (uint8_t)phase;
    event_at(clock_of(radio), &radio->step, radio->due);
}

static void stop_counting(struct radio *radio)
{
    radio->counting = false;
    event_cancel(clock_of(radio), &radio->bit_match);
}

static void update_bit_match(struct radio *radio)
{
    struct radio_air air = air_of(radio);
    uint64_t bits = block_get(&radio->block, REG_BCC);
    uint64_t at = radio->counting_since + bits * radio_air_bit(&air);
    event_cancel(clock_of(radio), &radio->bit_match);
    /* Bits pass only while a packet is on the air, and a count that is over does not match again. */
    if (radio->counting && bits && at >= clock_of(radio)->now)
        event_at(clock_of(radio), &radio->bit_match, at);
}

static void bits_matched(void *owner)
{
    struct radio *radio = owner;
    block_event(&radio->block, EVENT_BCMATCH);
}

static void ramp_up(struct radio *radio, uint32_t state)
{
    struct radio_air air = air_of(radio);
    uint64_t start = start_of_task(radio);
    uint64_t cycles = radio_air_ramp_up(&air);
    uint64_t spaced = radio->end + block_get(&radio->block, REG_TIFS) * CYCLES_PER_US;
    if (radio->turnaround && spaced > start + cycles)
        cycles = spaced - start;
    set_state(radio, state);
    enter_phase(radio, PHASE_RAMP_UP, cycles);
}

static void enable(struct radio *radio, uint32_t ramp_state)
{
    uint32_t state = state_of(radio);
    /* From RX too: a clear channel assessment ends in TXEN. */
    if (state == STATE_DISABLED || state == STATE_RXIDLE || state == STATE_RX || state == STATE_TXIDLE)
        ramp_up(radio, ramp_state);
}

static void start(struct radio *radio)
{
    struct radio_air air = air_of(radio);
    if (state_of(radio) == STATE_RXIDLE) {
        set_state(radio, STATE_RX);
    } else if (state_of(radio) == STATE_TXIDLE) {
        set_state(radio, STATE_TX);
        enter_phase(radio, PHASE_ADDRESS, radio_air_address(&air));
    }
}

static void stop(struct radio *radio)
{
    if (state_of(radio) == STATE_RX)
        set_state(radio, STATE_RXIDLE);
    if (state_of(radio) != STATE_TX)
        return;
    set_state(radio, STATE_TXIDLE);
    event_cancel(clock_of(radio), &radio->step);
    stop_counting(radio);
}

static void stop_measuring(struct radio *radio)
{
    event_cancel(clock_of(radio), &radio->rssi);
    event_cancel(clock_of(radio), &radio->energy);
    event_cancel(clock_of(radio), &radio->clear);
}

static void disable(struct radio *radio)
{
    struct radio_air air = air_of(radio);
    uint32_t state = state_of(radio);
    if (state == STATE_RXDISABLE || state == STATE_TXDISABLE)
        return;
    stop_counting(radio);
    stop_measuring(radio);
    if (state == STATE_DISABLED) {
        block_event(&radio->block, EVENT_DISABLED);
    } else if (state < STATE_RXDISABLE) {
        set_state(radio, STATE_RXDISABLE);
        enter_phase(radio, PHASE_DISABLING, radio_air_rx_disable(&air));
    } else {
        set_state(radio, STATE_TXDISABLE);
        enter_phase(radio, PHASE_DISABLING, radio_air_tx_disable(&air));
    }
}

static void ramped_up(struct radio *radio)
{
    bool sending = state_of(radio) == STATE_TXRU;
    set_state(radio, sending ? STATE_TXIDLE : STATE_RXIDLE);
    block_event(&radio->block, EVENT_READY);
    block_event(&radio->block, sending ? EVENT_TXREADY : EVENT_RXREADY);
}

/* The packet's header is read no sooner, so that what fills it may run beside the preamble. */
static void begin_payload(struct radio *radio, const struct radio_air *air)
{
    uint8_t header[2];
    dma_read(radio->block.bus, block_get(&radio->block, REG_PACKETPTR), header, sizeof header);
    enter_phase(radio, PHASE_PAYLOAD, radio_air_payload(air, header));
}

static void address_sent(struct radio *radio, const struct radio_air *air)
{
    if (radio_air_has_frame_start(air))
        enter_phase(radio, PHASE_FRAME_START, radio_air_frame_start(air));
    else
        begin_payload(radio, air);
    if (radio_air_has_address(air))
        block_event(&radio->block, EVENT_ADDRESS);
}

static void frame_started(struct radio *radio, const struct radio_air *air)
{
    begin_payload(radio, air);
    block_event(&radio->block, EVENT_FRAMESTART);
}

static void payload_sent(struct radio *radio, const struct radio_air *air)
{
    enter_phase(radio, PHASE_CRC, radio_air_crc(air));
    block_event(&radio->block, EVENT_PAYLOAD);
}

/* The last bit has left the antenna. */
static void end_packet(struct radio *radio)
{
    radio->packets_sent++;
    radio->end = start_of_task(radio);
    set_state(radio, STATE_TXIDLE);
    stop_counting(radio);
}

static void crc_sent(struct radio *radio, const struct radio_air *air)
{
    uint64_t termination = radio_air_termination(air);
    if (termination)
        enter_phase(radio, PHASE_TERMINATION, termination);
    else
        end_packet(radio);
    block_event(&radio->block, EVENT_END);
    if (!termination && radio_air_has_frame_start(air))
        block_event(&radio->block, EVENT_PHYEND);
}

static void termination_sent(struct radio *radio)
{
    end_packet(radio);
    block_event(&radio->block, EVENT_PHYEND);
}

static void disabled(struct radio *radio)
{
    uint32_t enabled = block_get(&radio->block, REG_SHORTS);
    set_state(radio, STATE_DISABLED);
    radio->turnaround = enabled & SHORT_END_DISABLE && enabled & (SHORT_DISABLED_TXEN | SHORT_DISABLED_RXEN);
    block_event(&radio->block, EVENT_DISABLED);
    radio->turnaround = false;
}

static void step(void *owner)
{
    struct radio *radio = owner;
    struct radio_air air = air_of(radio);
    radio->step_time = radio->due;
    radio->stepping = true;
    switch ((enum radio_phase)radio->phase) {
    case PHASE_RAMP_UP:
        ramped_up(radio);
        break;
    case PHASE_ADDRESS:
        address_sent(radio, &air);
        break;
    case PHASE_FRAME_START:
        frame_started(radio, &air);
        break;
    case PHASE_PAYLOAD:
        payload_sent(radio, &air);
        break;
    case PHASE_CRC:
        crc_sent(radio, &air);
        break;
    case PHASE_TERMINATION:
        termination_sent(radio);
        break;
    case PHASE_DISABLING:
        disabled(radio);
        break;
    }
    radio->stepping = false;
}

static void start_counting(struct radio *radio)
{
    if (state_of(radio) != STATE_TX)
        return;
    radio->counting = true;
    radio->counting_since = start_of_task(radio);
    update_bit_match(radio);
}

static bool listening(const struct radio *radio)
{
    return state_of(radio) == STATE_RX || state_of(radio) == STATE_RXIDLE;
}

static void rssi_measured(void *owner)
{
    struct radio *radio = owner;
    block_set(&radio->block, REG_RSSISAMPLE, QUIET_DBM);
    block_event(&radio->block, EVENT_RSSIEND);
}

static void energy_measured(void *owner)
{
    struct radio *radio = owner;
    block_set(&radio->block, REG_EDSAMPLE, 0);
    block_event(&radio->block, EVENT_EDEND);
}

static void channel_is_clear(void *owner)
{
    struct radio *radio = owner;
    block_event(&radio->block, EVENT_CCAIDLE);
}

/* Starts a measurement, which needs the receiver on. */
static void measure(struct radio *radio, struct event *event, uint64_t cycles)
{
    if (listening(radio))
        event_at(clock_of(radio), event, start_of_task(radio) + cycles);
}

/* The tasks that measure. */
static void measuring_task(struct radio *radio, unsigned n)
{
    switch (n) {
    case TASK_RSSISTART:
        measure(radio, &radio->rssi, RSSI_CYCLES);
        break;
    case TASK_RSSISTOP:
        event_cancel(clock_of(radio), &radio->rssi);
        break;
    case TASK_EDSTART:
        measure(radio, &radio->energy, ((block_get(&radio->block, REG_EDCNT) & EDCNT_MASK) + 1) * ED_CYCLES);
        break;
    case TASK_EDSTOP:
        event_cancel(clock_of(radio), &radio->energy);
        block_event(&radio->block, EVENT_EDSTOPPED);
        break;
    case TASK_CCASTART:
        measure(radio, &radio->clear, ED_CYCLES);
        break;
    case TASK_CCASTOP:
        event_cancel(clock_of(radio), &radio->clear);
        block_event(&radio->block, EVENT_CCASTOPPED);
        break;
    }
}

static void task(void *self, unsigned n)
{
    struct radio *radio = self;
    if (!(block_get(&radio->block, REG_POWER) & 1))
        return;
    switch (n) {
    case TASK_TXEN:
        enable(radio, STATE_TXRU);
        break;
    case TASK_RXEN:
        enable(radio, STATE_RXRU);
        break;
    case TASK_START:
        start(radio);
        break;
    case TASK_STOP:
        stop(radio);
        break;
    case TASK_DISABLE:
        disable(radio);
        break;
    case TASK_BCSTART:
        start_counting(radio);
        break;
    case TASK_BCSTOP:
        stop_counting(radio);
        break;
    default:
        measuring_task(radio, n);
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct radio *radio = self;
    if (offset == REG_STATE)
        return;
    if (offset == REG_POWER && !(value & 1))
        block_reset(&radio->block, RESET_SOFT); /* all registers fall back to their initial values */
    block_set(&radio->block, offset, value);
    if (offset == REG_BCC)
        update_bit_match(radio);
}

static void reset(void *self, enum reset_cause cause)
{
    struct radio *radio = self;
    (void)cause;
    event_cancel(clock_of(radio), &radio->step);
    stop_counting(radio);
    stop_measuring(radio);
}

static void save(void *self, struct state *state)
{
    struct radio *radio = self;
    struct clock *clock = clock_of(radio);
    state_event(state, clock, &radio->step);
    state_event(state, clock, &radio->bit_match);
    state_event(state, clock, &radio->rssi);
    state_event(state, clock, &radio->energy);
    state_event(state, clock, &radio->clear);
    state_var(state, radio->phase);
    state_var(state, radio->counting);
    state_var(state, radio->due);
    state_var(state, radio->end);
    state_var(state, radio->counting_since);
    state_var(state, radio->packets_sent);
}

void radio_init(struct radio *radio, struct bus *bus)
{
    *radio = (struct radio){0};
    block_init(&radio->block, bus, 0x40001000, 1);
    block_add_face(&radio->block, &(struct face){
                                      .name = "RADIO",
                                      .regs = regs,
                                      .reg_count = sizeof regs / sizeof regs[0],
                                      .reset = reset,
                                      .write = write,
                                      .task = task,
                                      .save = save,
                                      .shorts = shorts,
                                      .self = radio,
                                  });
    event_init(&bus->clock, &radio->step, step, radio);
    event_init(&bus->clock, &radio->bit_match, bits_matched, radio);
    event_init(&bus->clock, &radio->rssi, rssi_measured, radio);
    event_init(&bus->clock, &radio->energy, energy_measured, radio);
    event_init(&bus->clock, &radio->clear, channel_is_clear, radio);
}
