/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/uart_line.h"

#include "core/ports.h"
#include "nrf52840/gpio.h"

#include <string.h>

enum {
    REG_ERRORSRC = 0x480,
    REG_PSEL_RTS = 0x508,
    REG_PSEL_TXD = 0x50C,
    REG_PSEL_CTS = 0x510,
    REG_PSEL_RXD = 0x514,
    REG_BAUDRATE = 0x524,
    REG_CONFIG = 0x56C,
};

enum {
    ERRORSRC_OVERRUN = 1u << 0,
    CONFIG_HWFC = 1u << 0,
    CONFIG_PARITY = 7u << 1,
    CONFIG_TWO_STOPS = 1u << 4,
};

#define CYCLES_PER_BAUD_TICK 4u /* the baud generator runs at 16 MHz */
#define PSEL_DISCONNECTED    (1u << 31)

void uart_line_init(struct uart_line *line, struct block *block, uint8_t instance, struct gpio *gpio,
                    const struct uart_owner *owner, void *self)
{
    *line = (struct uart_line){
        .block = block,
        .gpio = gpio,
        .instance = instance,
        .owner = owner,
        .self = self,
        .tx_port = -1,
        .rx_port = -1,
    };
}

static bool flow_control(const struct uart_line *line)
{
    return block_get(line->block, REG_CONFIG) & CONFIG_HWFC;
}

static bool cts_low(const struct uart_line *line)
{
    const struct wire *wire = bus_psel_wire(line->block->bus, block_get(line->block, REG_PSEL_CTS));
    return !wire || !wire_high(wire);
}

bool uart_line_clear_to_send(const struct uart_line *line)
{
    return !flow_control(line) || cts_low(line);
}

static void cts_changed(void *context, struct wire *wire)
{
    struct uart_line *line = context;
    if (!line->open || !flow_control(line) ||
        wire != bus_psel_wire(line->block->bus, block_get(line->block, REG_PSEL_CTS)))
        return;
    bool clear = cts_low(line);
    if (clear == line->clear)
        return;
    line->clear = clear;
    if (clear)
        line->owner->clear_to_send(line->self);
    block_event(line->block, clear ? UART_EVENT_CTS : UART_EVENT_NCTS);
}

/* A wire's listener stays for good, so each pin is listened to once, when it is first used for CTS. */
static void listen_to_cts(struct uart_line *line)
{
    uint32_t psel = block_get(line->block, REG_PSEL_CTS);
    struct wire *wire = bus_psel_wire(line->block->bus, psel);
    uint64_t bit = 1ull << (psel & 63);
    if (wire && !(line->listening & bit) && wire_listen(wire, cts_changed, line) == 0)
        line->listening |= bit;
}

static void drive(struct uart_line *line, uint32_t reg, bool claim, enum wire_strength strength, bool high)
{
    gpio_psel_drive(line->gpio, block_get(line->block, reg), claim, strength, high ? WIRE_FULL : 0);
}

static void drive_rts(struct uart_line *line)
{
    if (flow_control(line))
        drive(line, REG_PSEL_RTS, true, WIRE_STRONG, !line->ready);
}

/* A byte comes to RXD. False: no room, and RTS has said so. */
static bool deliver(void *self, uint8_t byte)
{
    struct uart_line *line = self;
    const struct uart_owner *owner = line->owner;
    if (!owner->receiving(line->self))
        return !flow_control(line);
    if (owner->take && owner->take(line->self, byte))
        return true;
    if (line->fifo_count == UART_FIFO_SIZE) {
        if (flow_control(line))
            return false;
        block_set(line->block, REG_ERRORSRC, block_get(line->block, REG_ERRORSRC) | ERRORSRC_OVERRUN);
        block_event(line->block, UART_EVENT_ERROR);
        return true;
    }
    line->fifo[line->fifo_count++] = byte;
    owner->queued(line->self);
    return true;
}

void uart_line_drop(struct uart_line *line, unsigned count)
{
    line->fifo_count = (uint8_t)(line->fifo_count - count);
    memmove(line->fifo, line->fifo + count, line->fifo_count);
}

/* Finds the part on the pins and tells it where to deliver. */
static void connect(struct uart_line *line)
{
    struct part_ports *ports = line->block->bus->ports;
    uint32_t txd = block_get(line->block, REG_PSEL_TXD);
    uint32_t rxd = block_get(line->block, REG_PSEL_RXD);
    line->tx_port = -1;
    line->rx_port = -1;
    if (!(txd & PSEL_DISCONNECTED))
        line->tx_port = (int16_t)ports_find_uart_by_tx(ports, txd & 63);
    if (!(rxd & PSEL_DISCONNECTED))
        line->rx_port = (int16_t)ports_find_uart_by_rx(ports, rxd & 63);
    if (line->rx_port >= 0)
        ports->uart[line->rx_port].controller = (struct uart_controller){.deliver = deliver, .self = line};
}

static void disconnect(struct uart_line *line)
{
    struct part_ports *ports = line->block->bus->ports;
    if (line->rx_port >= 0 && ports->uart[line->rx_port].controller.self == line)
        ports->uart[line->rx_port].controller = (struct uart_controller){0};
    line->tx_port = -1;
    line->rx_port = -1;
}

static void open_line(struct uart_line *line)
{
    line->open = true;
    line->ready = false;
    drive(line, REG_PSEL_TXD, true, WIRE_STRONG, true);
    drive(line, REG_PSEL_RXD, true, WIRE_FLOATING, false);
    drive(line, REG_PSEL_CTS, true, WIRE_FLOATING, false);
    drive_rts(line);
    line->clear = cts_low(line);
    listen_to_cts(line);
    connect(line);
}

uint64_t uart_line_frame_cycles(const struct uart_line *line)
{
    uint32_t baud = block_get(line->block, REG_BAUDRATE);
    uint32_t config = block_get(line->block, REG_CONFIG);
    uint64_t divider = (1ull << 32) / (baud ? baud : 1);
    unsigned bits = 1 + 8 + ((config & CONFIG_PARITY) == CONFIG_PARITY) + (config & CONFIG_TWO_STOPS ? 2 : 1);
    return bits * divider * CYCLES_PER_BAUD_TICK;
}

void uart_line_send(struct uart_line *line, uint8_t byte)
{
    const struct serial_byte sent = {line->instance, byte};
    if (!(block_get(line->block, REG_PSEL_TXD) & PSEL_DISCONNECTED))
        signal_emit(&line->block->bus->signals, SIGNAL_SERIAL, (uint64_t)line->instance << 8 | byte, &sent);
    if (line->tx_port < 0)
        return;
    const struct uart_device *device = &line->block->bus->ports->uart[line->tx_port].device;
    uint64_t bit_cycles = (1ull << 32) / (block_get(line->block, REG_BAUDRATE) | 1) * CYCLES_PER_BAUD_TICK;
    device->receive(device->self, byte, (uint32_t)(CYCLES_PER_SECOND / (bit_cycles ? bit_cycles : 1)));
}

bool uart_line_has_room(const struct uart_line *line)
{
    return line->fifo_count < UART_FIFO_SIZE - UART_FIFO_SPARE;
}

void uart_line_set_ready(struct uart_line *line, bool ready)
{
    if (ready == line->ready)
        return;
    line->ready = ready;
    drive_rts(line);
    if (line->rx_port < 0)
        return;
    const struct uart_device *device = &line->block->bus->ports->uart[line->rx_port].device;
    if (device->ready)
        device->ready(device->self, ready);
}

static void close_line(struct uart_line *line)
{
    if (!line->open)
        return;
    uart_line_set_ready(line, false);
    line->open = false;
    disconnect(line);
    drive(line, REG_PSEL_TXD, false, WIRE_FLOATING, false);
    drive(line, REG_PSEL_RXD, false, WIRE_FLOATING, false);
    drive(line, REG_PSEL_CTS, false, WIRE_FLOATING, false);
    drive(line, REG_PSEL_RTS, false, WIRE_FLOATING, false);
}

void uart_line_stop(struct uart_line *line)
{
    close_line(line);
    line->fifo_count = 0;
    line->owner->stop(line->self);
}

void uart_line_follow_enable(struct uart_line *line)
{
    bool enabled = block_get(line->block, UART_ENABLE) == line->owner->enable;
    if (enabled && !line->open)
        open_line(line);
    else if (!enabled && line->open)
        uart_line_stop(line);
}

void uart_line_write(struct uart_line *line, uint32_t offset, uint32_t value)
{
    if (offset == REG_ERRORSRC)
        value = block_get(line->block, offset) & ~value; /* write one to clear */
    block_set(line->block, offset, value);
    if (offset == UART_ENABLE)
        uart_line_follow_enable(line);
}

void uart_line_save(struct uart_line *line, struct state *state)
{
    if (state->loading)
        disconnect(line);
    state_var(state, line->open);
    state_var(state, line->ready);
    state_var(state, line->clear);
    state_var(state, line->fifo_count);
    state_var(state, line->fifo);
    /* Who listens where is not saved but follows from the registers, which are restored already. */
    if (state->loading && line->open) {
        listen_to_cts(line);
        connect(line);
    }
}
