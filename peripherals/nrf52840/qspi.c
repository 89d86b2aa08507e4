/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/qspi.h"

#include "core/ports.h"

#include <string.h>

enum {
    TASK_ACTIVATE,
    TASK_READSTART,
    TASK_WRITESTART,
    TASK_ERASESTART,
    TASK_DEACTIVATE,
};

enum {
    EVENT_READY = 0,
};

enum {
    ENABLE = 0x500,
    READ_SRC = 0x504,
    READ_DST = 0x508,
    READ_CNT = 0x50c,
    WRITE_DST = 0x510,
    WRITE_SRC = 0x514,
    WRITE_CNT = 0x518,
    ERASE_PTR = 0x51c,
    ERASE_LEN = 0x520,
    PSEL_CSN = 0x528,
    XIPOFFSET = 0x540,
    IFCONFIG0 = 0x544,
    IFCONFIG1 = 0x600,
    STATUS = 0x604,
    DPMDUR = 0x614,
    ADDRCONF = 0x624,
    CINSTRCONF = 0x634,
    CINSTRDAT0 = 0x638,
    CINSTRDAT1 = 0x63c,
};

#define IFCONFIG0_ADDRMODE  (1u << 6)
#define IFCONFIG0_DPMENABLE (1u << 7)
#define IFCONFIG0_PPSIZE    (1u << 12)
#define IFCONFIG1_DPMEN     (1u << 24)
#define STATUS_DPM          (1u << 2)
#define STATUS_READY        (1u << 3)
#define CINSTRCONF_WIPWAIT  (1u << 14)
#define CINSTRCONF_WREN     (1u << 15)
#define CINSTRCONF_LFEN     (1u << 16)
#define CINSTRCONF_LFSTOP   (1u << 17)
#define COUNT_MASK          0x1ffffcu /* 21 bits, whole words */
#define CYCLES_PER_16MHZ    4u
#define CYCLES_PER_DPM_UNIT (256u * CYCLES_PER_16MHZ)
#define BUSY_LOOK_CYCLES    CYCLES_PER_MS /* a part that is busy for long is looked at this often */

enum {
    OP_WREN = 0x06,
    OP_RDSR = 0x05,
    OP_ENTER_DPM = 0xb9,
    OP_LEAVE_DPM = 0xab,
    SR_WIP = 0x01,
};

enum qspi_operation {
    QSPI_IDLE,
    QSPI_ACTIVATE,
    QSPI_READ,
    QSPI_WRITE,
    QSPI_ERASE,
};

static const struct reg regs[] = {
    {"TASKS_ACTIVATE", 0x000, REG_W, 0, 0, 0},
    {"TASKS_READSTART", 0x004, REG_W, 0, 0, 0},
    {"TASKS_WRITESTART", 0x008, REG_W, 0, 0, 0},
    {"TASKS_ERASESTART", 0x00c, REG_W, 0, 0, 0},
    {"TASKS_DEACTIVATE", 0x010, REG_W, 0, 0, 0},
    /* Undocumented; drivers write it when they shut QSPI down (anomaly 122). No effect here. */
    {"ERRATA_054", 0x054, REG_W, 0, 0, 0},
    {"EVENTS_READY", 0x100, REG_RW, 0, 0, 0},
    {"INTEN", REG_INTEN, REG_RW, 0, 0, 0},
    {"INTENSET", REG_INTENSET, REG_RW, 0, 0, 0},
    {"INTENCLR", REG_INTENCLR, REG_RW, 0, 0, 0},
    {"ENABLE", ENABLE, REG_RW, 0, 0, 0},
    {"READ.SRC", READ_SRC, REG_RW, 0, 0, 0},
    {"READ.DST", READ_DST, REG_RW, 0, 0, 0},
    {"READ.CNT", READ_CNT, REG_RW, 0, 0, 0},
    {"WRITE.DST", WRITE_DST, REG_RW, 0, 0, 0},
    {"WRITE.SRC", WRITE_SRC, REG_RW, 0, 0, 0},
    {"WRITE.CNT", WRITE_CNT, REG_RW, 0, 0, 0},
    {"ERASE.PTR", ERASE_PTR, REG_RW, 0, 0, 0},
    {"ERASE.LEN", ERASE_LEN, REG_RW, 0, 0, 0},
    {"PSEL.SCK", 0x524, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.CSN", PSEL_CSN, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.IO0", 0x530, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.IO1", 0x534, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.IO2", 0x538, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.IO3", 0x53c, REG_RW, 0xffffffff, 0, 0},
    {"XIPOFFSET", XIPOFFSET, REG_RW, 0, 0, 0},
    {"IFCONFIG0", IFCONFIG0, REG_RW, 0, 0, 0},
    {"IFCONFIG1", IFCONFIG1, REG_RW, 0x00040480, 0, 0},
    {"STATUS", STATUS, REG_R, 0, 0, 0},
    {"DPMDUR", DPMDUR, REG_RW, 0xffffffff, 0, 0},
    {"ADDRCONF", ADDRCONF, REG_RW, 0x000000b7, 0, 0},
    {"CINSTRCONF", CINSTRCONF, REG_RW, 0x00002000, 0, 0},
    {"CINSTRDAT0", CINSTRDAT0, REG_RW, 0, 0, 0},
    {"CINSTRDAT1", CINSTRDAT1, REG_RW, 0, 0, 0},
    {"IFTIMING", 0x640, REG_RW, 0x00000200, 0, 0},
};

/* How a read or program command goes over the lines. */
struct opcode {
    uint8_t code;
    uint8_t address_lines;
    uint8_t dummy_clocks; /* between address and data */
    uint8_t data_lines;
};

static const struct opcode read_opcodes[8] = {
    {0x0b, 1, 8, 1}, {0x3b, 1, 8, 2}, {0xbb, 2, 4, 2}, {0x6b, 1, 8, 4},
    {0xeb, 4, 6, 4}, {0xeb, 4, 6, 4}, {0xeb, 4, 6, 4}, {0xeb, 4, 6, 4},
};

static const struct opcode write_opcodes[4] = {
    {0x02, 1, 0, 1},
    {0xa2, 1, 0, 2},
    {0x32, 1, 0, 4},
    {0x38, 4, 0, 4},
};

static struct spi_device *part(struct qspi *qspi)
{
    uint32_t csn = block_get(&qspi->block, PSEL_CSN);
    return csn & 1u << 31 ? NULL : ports_find_spi(qspi->block.bus->ports, csn & 63);
}

static void select_part(struct spi_device *device, bool selected)
{
    if (device)
        device->select(device->self, selected);
}

/* Cycles that `clocks` SCK periods in one frame take, with the time CSN stays high after it. */
static uint64_t frame_cycles(const struct qspi *qspi, uint64_t clocks)
{
    uint32_t config = block_get(&qspi->block, IFCONFIG1);
    return clocks * 2 * ((config >> 28) + 1) + CYCLES_PER_16MHZ * (config & 0xff);
}

static unsigned address_bytes(const struct qspi *qspi)
{
    return block_get(&qspi->block, IFCONFIG0) & IFCONFIG0_ADDRMODE ? 4 : 3;
}

static uint64_t command_cycles(const struct qspi *qspi, const struct opcode *opcode, uint32_t size)
{
    uint64_t clocks = 8u + 8u * address_bytes(qspi) / opcode->address_lines + opcode->dummy_clocks;
    return frame_cycles(qspi, clocks + 8ull * size / opcode->data_lines);
}

static void send_opcode(struct spi_device *device, uint8_t opcode)
{
    select_part(device, true);
    spi_exchange(device, &opcode, NULL, 1, 1);
    select_part(device, false);
}

/* Sends opcode, address and dummy clocks; the frame stays open. */
static void open_command(struct qspi *qspi, struct spi_device *device, const struct opcode *opcode,
                         uint32_t address)
{
    uint8_t bytes[4];
    unsigned count = address_bytes(qspi);
    for (unsigned i = 0; i < count; i++)
        bytes[i] = (uint8_t)(address >> 8 * (count - 1 - i));
    select_part(device, true);
    spi_exchange(device, &opcode->code, NULL, 1, 1);
    spi_exchange(device, bytes, NULL, count, opcode->address_lines);
    static const uint8_t dummies[4] = {0};
    spi_exchange(device, dummies, NULL, opcode->dummy_clocks * opcode->address_lines / 8u,
                 opcode->address_lines);
}

static uint8_t read_status(struct qspi *qspi)
{
    struct spi_device *device = part(qspi);
    static const uint8_t opcode = OP_RDSR;
    select_part(device, true);
    spi_exchange(device, &opcode, NULL, 1, 1);
    spi_exchange(device, NULL, &qspi->status, 1, 1);
    select_part(device, false);
    return qspi->status;
}

/* Schedules the next poll of the status register; polls that cannot succeed are left out. */
static void schedule_poll(struct qspi *qspi, struct event *event)
{
    struct clock *clock = &qspi->block.bus->clock;
    uint64_t period = frame_cycles(qspi, 16);
    uint64_t skip = 0;
    uint64_t until = CLOCK_NEVER;
    const struct spi_device *device = part(qspi);
    if (device)
        until = device->busy_until ? device->busy_until(device->self) : clock->now;
    if (until > clock->now) {
        uint64_t wait = until - clock->now;
        if (wait > BUSY_LOOK_CYCLES)
            wait = BUSY_LOOK_CYCLES;
        skip = (wait - 1) / period * period;
    }
    event_after(clock, event, skip + period);
}

static void finish(struct qspi *qspi)
{
    qspi->operation = QSPI_IDLE;
    qspi->transferring = false;
    block_event(&qspi->block, EVENT_READY);
}

/* Bytes of the write that fit in the page they start in. */
static uint32_t write_chunk(const struct qspi *qspi)
{
    uint32_t page = block_get(&qspi->block, IFCONFIG0) & IFCONFIG0_PPSIZE ? 512 : 256;
    uint32_t address = (block_get(&qspi->block, WRITE_DST) & ~3u) + qspi->done;
    uint32_t left = (block_get(&qspi->block, WRITE_CNT) & COUNT_MASK) - qspi->done;
    uint32_t room = page - address % page;
    return left < room ? left : room;
}

static const struct opcode *read_opcode(const struct qspi *qspi)
{
    return &read_opcodes[block_get(&qspi->block, IFCONFIG0) & 7];
}

static const struct opcode *write_opcode(const struct qspi *qspi)
{
    return &write_opcodes[block_get(&qspi->block, IFCONFIG0) >> 3 & 3];
}

/* Time of the transfer that follows a successful poll. */
static uint64_t transfer_cycles(const struct qspi *qspi)
{
    switch (qspi->operation) {
    case QSPI_READ:
        return command_cycles(qspi, read_opcode(qspi), block_get(&qspi->block, READ_CNT) & COUNT_MASK);
    case QSPI_WRITE:
        return frame_cycles(qspi, 8) + command_cycles(qspi, write_opcode(qspi), write_chunk(qspi));
    default: /* erase: WREN, then opcode with or without an address */
        return frame_cycles(qspi, 8) + frame_cycles(qspi, (block_get(&qspi->block, ERASE_LEN) & 3) >= 2
                                                              ? 8
                                                              : 8 + 8 * address_bytes(qspi));
    }
}

static void do_read(struct qspi *qspi)
{
    struct bus *bus = qspi->block.bus;
    struct spi_device *device = part(qspi);
    uint32_t address = block_get(&qspi->block, READ_SRC) & ~3u;
    uint32_t target = block_get(&qspi->block, READ_DST) & ~3u;
    uint32_t left = block_get(&qspi->block, READ_CNT) & COUNT_MASK;
    const struct opcode *opcode = read_opcode(qspi);
    open_command(qspi, device, opcode, address);
    while (left) {
        uint8_t bytes[512];
        uint32_t chunk = left < sizeof bytes ? left : (uint32_t)sizeof bytes;
        spi_exchange(device, NULL, bytes, chunk, opcode->data_lines);
        dma_write(bus, target, bytes, chunk);
        target += chunk;
        left -= chunk;
    }
    select_part(device, false);
}

static void do_write_chunk(struct qspi *qspi)
{
    struct spi_device *device = part(qspi);
    uint8_t bytes[512];
    uint32_t chunk = write_chunk(qspi);
    const struct opcode *opcode = write_opcode(qspi);
    dma_read(qspi->block.bus, (block_get(&qspi->block, WRITE_SRC) & ~3u) + qspi->done, bytes, chunk);
    send_opcode(device, OP_WREN);
    open_command(qspi, device, opcode, (block_get(&qspi->block, WRITE_DST) & ~3u) + qspi->done);
    spi_exchange(device, bytes, NULL, chunk, opcode->data_lines);
    select_part(device, false);
    qspi->done += chunk;
}

static void do_erase(struct qspi *qspi)
{
    static const struct opcode erases[3] = {{0x20, 1, 0, 1}, {0xd8, 1, 0, 1}, {0xc7, 1, 0, 1}};
    struct spi_device *device = part(qspi);
    uint32_t length = block_get(&qspi->block, ERASE_LEN) & 3;
    send_opcode(device, OP_WREN);
    if (length >= 2) {
        send_opcode(device, erases[2].code);
        return;
    }
    open_command(qspi, device, &erases[length], block_get(&qspi->block, ERASE_PTR) & ~3u);
    select_part(device, false);
}

static void poll_for_task(struct qspi *qspi)
{
    qspi->transferring = false;
    schedule_poll(qspi, &qspi->task);
}

static void after_poll(struct qspi *qspi)
{
    if (read_status(qspi) & SR_WIP) {
        poll_for_task(qspi);
        return;
    }
    if (qspi->operation == QSPI_ACTIVATE) {
        qspi->active = true;
        finish(qspi);
        return;
    }
    if (qspi->operation == QSPI_WRITE && !write_chunk(qspi)) {
        finish(qspi);
        return;
    }
    qspi->transferring = true;
    event_after(&qspi->block.bus->clock, &qspi->task, transfer_cycles(qspi));
}

static void task_step(void *self)
{
    struct qspi *qspi = self;
    if (!qspi->transferring) {
        after_poll(qspi);
        return;
    }
    switch (qspi->operation) {
    case QSPI_READ:
        do_read(qspi);
        break;
    case QSPI_WRITE:
        do_write_chunk(qspi);
        if (qspi->done < (block_get(&qspi->block, WRITE_CNT) & COUNT_MASK)) {
            poll_for_task(qspi);
            return;
        }
        break;
    default:
        do_erase(qspi);
        break;
    }
    finish(qspi);
}

static void close_long_frame(struct qspi *qspi)
{
    if (qspi->long_frame)
        select_part(part(qspi), false);
    qspi->long_frame = false;
}

static void stop(struct qspi *qspi)
{
    struct clock *clock = &qspi->block.bus->clock;
    event_cancel(clock, &qspi->task);
    event_cancel(clock, &qspi->instruction);
    qspi->operation = QSPI_IDLE;
    qspi->transferring = false;
    qspi->instruction_sending = false;
    qspi->active = false;
}

static void start(struct qspi *qspi, enum qspi_operation operation)
{
    /* An ACTIVATE that still waits for the part may be given up for another task; nothing else may. */
    if (qspi->operation != QSPI_IDLE && qspi->operation != QSPI_ACTIVATE) {
        bus_finding(qspi->block.bus, "qspi", "QSPI task triggered while another one runs; ignored");
        return;
    }
    if (operation != QSPI_ACTIVATE && !qspi->active) {
        bus_finding(qspi->block.bus, "qspi", "QSPI task triggered while not activated; ignored");
        return;
    }
    close_long_frame(qspi);
    qspi->operation = operation;
    qspi->done = 0;
    poll_for_task(qspi);
}

static void task(void *self, unsigned n)
{
    struct qspi *qspi = self;
    if (!(block_get(&qspi->block, ENABLE) & 1))
        return;
    switch (n) {
    case TASK_ACTIVATE:
        qspi->xip_since_activate = false;
        start(qspi, QSPI_ACTIVATE);
        break;
    case TASK_READSTART:
        start(qspi, QSPI_READ);
        break;
    case TASK_WRITESTART:
        start(qspi, QSPI_WRITE);
        break;
    case TASK_ERASESTART:
        start(qspi, QSPI_ERASE);
        break;
    case TASK_DEACTIVATE:
        close_long_frame(qspi);
        stop(qspi);
        block_event(&qspi->block, EVENT_READY);
        break;
    default:
        break;
    }
}

/* Custom instructions. In a running long frame no opcode is sent, only data. */
static unsigned instruction_length(const struct qspi *qspi)
{
    unsigned length = block_get(&qspi->block, CINSTRCONF) >> 8 & 15;
    return length > 9 ? 9 : length;
}

static void send_instruction(struct qspi *qspi)
{
    struct spi_device *device = part(qspi);
    uint32_t config = block_get(&qspi->block, CINSTRCONF);
    unsigned data_bytes = instruction_length(qspi) ? instruction_length(qspi) - 1 : 0;
    if (!qspi->long_frame) {
        if (config & CINSTRCONF_WREN)
            send_opcode(device, OP_WREN);
        select_part(device, true);
        spi_exchange(device, &(uint8_t){(uint8_t)config}, NULL, 1, 1);
    }
    uint8_t out[8], in[8];
    for (unsigned i = 0; i < 8; i++)
        out[i] = (uint8_t)(block_get(&qspi->block, i < 4 ? CINSTRDAT0 : CINSTRDAT1) >> 8 * (i & 3));
    memcpy(in, out, sizeof in);
    spi_exchange(device, out, in, data_bytes, 1);
    uint32_t words[2] = {0};
    for (unsigned i = 0; i < 8; i++)
        words[i / 4] |= (uint32_t)in[i] << 8 * (i & 3);
    block_set(&qspi->block, CINSTRDAT0, words[0]);
    block_set(&qspi->block, CINSTRDAT1, words[1]);
    qspi->long_frame = (config & CINSTRCONF_LFEN) && !(config & CINSTRCONF_LFSTOP);
    if (!qspi->long_frame)
        select_part(device, false);
}

static void schedule_instruction(struct qspi *qspi)
{
    uint32_t config = block_get(&qspi->block, CINSTRCONF);
    uint64_t cycles = frame_cycles(qspi, 8 * instruction_length(qspi));
    if (config & CINSTRCONF_WREN)
        cycles += frame_cycles(qspi, 8);
    qspi->instruction_sending = true;
    event_after(&qspi->block.bus->clock, &qspi->instruction, cycles);
}

static void instruction_step(void *self)
{
    struct qspi *qspi = self;
    if (!qspi->instruction_sending) {
        if (read_status(qspi) & SR_WIP)
            schedule_poll(qspi, &qspi->instruction);
        else
            schedule_instruction(qspi);
        return;
    }
    qspi->instruction_sending = false;
    send_instruction(qspi);
    /* The instruction may have changed how long the part is busy (suspend, reset). */
    if (qspi->operation != QSPI_IDLE)
        poll_for_task(qspi);
    block_event(&qspi->block, EVENT_READY);
}

static void start_instruction(struct qspi *qspi)
{
    if (!(block_get(&qspi->block, ENABLE) & 1) || !instruction_length(qspi))
        return;
    if (qspi->transferring || event_pending(&qspi->instruction)) {
        bus_finding(qspi->block.bus, "qspi", "custom instruction written while QSPI is busy; ignored");
        return;
    }
    if (block_get(&qspi->block, CINSTRCONF) & CINSTRCONF_WIPWAIT && !qspi->long_frame)
        schedule_poll(qspi, &qspi->instruction);
    else
        schedule_instruction(qspi);
}

/* Deep power-down: the command goes out at once, STATUS.DPM follows after the time set in DPMDUR. */
static void change_power_down(struct qspi *qspi, bool enter)
{
    uint32_t duration = block_get(&qspi->block, DPMDUR);
    qspi->powering_down = enter;
    send_opcode(part(qspi), enter ? OP_ENTER_DPM : OP_LEAVE_DPM);
    event_after(&qspi->block.bus->clock, &qspi->power_down,
                (uint64_t)(enter ? duration & 0xffff : duration >> 16) * CYCLES_PER_DPM_UNIT);
}

static void power_down_done(void *self)
{
    struct qspi *qspi = self;
    uint32_t status = block_get(&qspi->block, STATUS) & ~STATUS_DPM;
    block_set(&qspi->block, STATUS, status | (qspi->powering_down ? STATUS_DPM : 0));
}

static void send_address_mode(struct qspi *qspi, uint32_t config)
{
    uint8_t bytes[3] = {(uint8_t)config, (uint8_t)(config >> 8), (uint8_t)(config >> 16)};
    struct spi_device *device = part(qspi);
    if (config & 1u << 27)
        send_opcode(device, OP_WREN);
    select_part(device, true);
    spi_exchange(device, bytes, NULL, config >> 24 & 3, 1);
    select_part(device, false);
}

static void note_anomaly_215(struct qspi *qspi, uint32_t offset)
{
    if (offset < IFCONFIG1 || !qspi->xip_since_activate)
        return;
    bus_finding(qspi->block.bus, "qspi",
                "QSPI register 0x%03x used after an XIP read without ACTIVATE (anomaly 215)%s", offset,
                qspi->halts ? ": the CPU is halted" : "");
    qspi->holds_cpu = qspi->halts;
    clock_kick(&qspi->block.bus->clock);
}

static uint32_t read(void *self, uint32_t offset)
{
    struct qspi *qspi = self;
    note_anomaly_215(qspi, offset);
    if (offset != STATUS)
        return block_get(&qspi->block, offset);
    bool ready = qspi->active && qspi->operation == QSPI_IDLE && !event_pending(&qspi->instruction);
    return (block_get(&qspi->block, STATUS) & STATUS_DPM) | (ready ? STATUS_READY : 0) |
           (uint32_t)qspi->status << 24;
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct qspi *qspi = self;
    note_anomaly_215(qspi, offset);
    uint32_t old = block_get(&qspi->block, offset);
    bool enabled = block_get(&qspi->block, ENABLE) & 1;
    if (offset == STATUS)
        return;
    block_set(&qspi->block, offset, value);
    if (offset == ENABLE && !(value & 1)) {
        close_long_frame(qspi);
        stop(qspi);
    } else if (offset == IFCONFIG1 && enabled && (old ^ value) & IFCONFIG1_DPMEN &&
               block_get(&qspi->block, IFCONFIG0) & IFCONFIG0_DPMENABLE) {
        change_power_down(qspi, value & IFCONFIG1_DPMEN);
    } else if (offset == ADDRCONF && enabled && value >> 24 & 3) {
        send_address_mode(qspi, value);
    } else if (offset == CINSTRCONF) {
        start_instruction(qspi);
    }
}

int qspi_xip_read(struct qspi *qspi, uint32_t offset, unsigned size, uint32_t *value)
{
    if (!(block_get(&qspi->block, ENABLE) & 1) || !qspi->active)
        return -1;
    if (qspi->operation != QSPI_IDLE || event_pending(&qspi->instruction) || qspi->long_frame)
        bus_finding(qspi->block.bus, "qspi", "XIP read while QSPI runs a command (anomaly 215)");
    close_long_frame(qspi);
    qspi->xip_since_activate = true;
    struct spi_device *device = part(qspi);
    const struct opcode *opcode = read_opcode(qspi);
    clock_stall(&qspi->block.bus->clock, command_cycles(qspi, opcode, size));
    uint8_t bytes[4] = {0};
    open_command(qspi, device, opcode, block_get(&qspi->block, XIPOFFSET) + offset);
    spi_exchange(device, NULL, bytes, size > 4 ? 4 : size, opcode->data_lines);
    select_part(device, false);
    *value = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    return 0;
}

static void reset(void *self, enum reset_cause cause)
{
    struct qspi *qspi = self;
    (void)cause;
    stop(qspi);
    event_cancel(&qspi->block.bus->clock, &qspi->power_down);
    qspi->long_frame = false;
    qspi->xip_since_activate = qspi->holds_cpu = false;
    qspi->powering_down = false;
    qspi->status = 0;
    qspi->done = 0;
}

static void save(void *self, struct state *state)
{
    struct qspi *qspi = self;
    struct clock *clock = &qspi->block.bus->clock;
    state_event(state, clock, &qspi->task);
    state_event(state, clock, &qspi->instruction);
    state_event(state, clock, &qspi->power_down);
    state_var(state, qspi->operation);
    state_var(state, qspi->transferring);
    state_var(state, qspi->active);
    state_var(state, qspi->instruction_sending);
    state_var(state, qspi->long_frame);
    state_var(state, qspi->xip_since_activate);
    state_var(state, qspi->halts);
    state_var(state, qspi->holds_cpu);
    state_var(state, qspi->powering_down);
    state_var(state, qspi->status);
    state_var(state, qspi->done);
}

void qspi_init(struct qspi *qspi, struct bus *bus)
{
    *qspi = (struct qspi){0};
    block_init(&qspi->block, bus, 0x40029000u, 41);
    event_init(&bus->clock, &qspi->task, task_step, qspi);
    event_init(&bus->clock, &qspi->instruction, instruction_step, qspi);
    event_init(&bus->clock, &qspi->power_down, power_down_done, qspi);
    block_add_face(&qspi->block, &(struct face){
                                     .name = "QSPI",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .reset = reset,
                                     .read = read,
                                     .write = write,
                                     .task = task,
                                     .save = save,
                                     .self = qspi,
                                 });
}
