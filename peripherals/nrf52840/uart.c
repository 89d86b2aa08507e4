/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/uart.h"

enum {
    TASK_SUSPEND = 7,
    REG_RXD = 0x518,
    REG_TXD = 0x51C,
};

static const struct reg regs[] = {
    {"TASKS_STARTRX", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STOPRX", 0x004, REG_W, 0, 0, 0},
    {"TASKS_STARTTX", 0x008, REG_W, 0, 0, 0},
    {"TASKS_STOPTX", 0x00c, REG_W, 0, 0, 0},
    {"TASKS_SUSPEND", 0x01c, REG_W, 0, 0, 0},
    {"EVENTS_CTS", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_NCTS", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_RXDRDY", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_TXDRDY", 0x11c, REG_RW, 0, 0, 0},
    {"EVENTS_ERROR", 0x124, REG_RW, 0, 0, 0},
    {"EVENTS_RXTO", 0x144, REG_RW, 0, 0, 0},
    {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"ERRORSRC", 0x480, REG_RW, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"PSEL.RTS", 0x508, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.TXD", 0x50c, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.CTS", 0x510, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.RXD", 0x514, REG_RW, 0xffffffff, 0, 0},
    {"RXD", 0x518, REG_R, 0, 0, 0},
    {"TXD", 0x51c, REG_W, 0, 0, 0},
    {"BAUDRATE", 0x524, REG_RW, 0x4000000, 0, 0},
    {"CONFIG", 0x56c, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {3, UART_EVENT_CTS, UART_TASK_STARTRX},
    {4, UART_EVENT_NCTS, UART_TASK_STOPRX},
    SHORTCUTS_END,
};

static struct clock *clock_of(struct uart *uart)
{
    return &uart->block->bus->clock;
}

/* Puts the byte of TXD on the line, if the transmitter is on and CTS lets it. */
static void send(struct uart *uart)
{
    if (uart->tx_full && uart->tx_on && !event_pending(&uart->sent) && uart_line_clear_to_send(&uart->line))
        event_after(clock_of(uart), &uart->sent, uart_line_frame_cycles(&uart->line));
}

static void byte_sent(void *owner)
{
    struct uart *uart = owner;
    uart->tx_full = false;
    uart_line_send(&uart->line, uart->tx_byte);
    block_event(uart->block, UART_EVENT_TXDRDY);
}

static void update_rts(struct uart *uart)
{
    uart_line_set_ready(&uart->line,
                        uart->rx_on && !event_pending(&uart->rx_timeout) && uart_line_has_room(&uart->line));
}

static void receiver_stopped(void *owner)
{
    struct uart *uart = owner;
    uart->rx_on = false;
    block_event(uart->block, UART_EVENT_RXTO);
}

static bool receiving(void *self)
{
    return ((struct uart *)self)->rx_on;
}

static void queued(void *self)
{
    struct uart *uart = self;
    update_rts(uart);
    if (uart->line.fifo_count == 1)
        block_event(uart->block, UART_EVENT_RXDRDY);
}

/* Reading RXD takes the byte and lets the next one come up. */
static uint32_t take_rxd(struct uart *uart)
{
    uint8_t byte = uart->line.fifo[0];
    if (!uart->line.fifo_count)
        return byte;
    uart_line_drop(&uart->line, 1);
    update_rts(uart);
    if (uart->line.fifo_count)
        block_event(uart->block, UART_EVENT_RXDRDY);
    return byte;
}

static void clear_to_send(void *self)
{
    send(self);
}

static void start_rx(struct uart *uart)
{
    event_cancel(clock_of(uart), &uart->rx_timeout);
    uart->rx_on = true;
    update_rts(uart);
}

static void stop_rx(struct uart *uart)
{
    if (!uart->rx_on || event_pending(&uart->rx_timeout))
        return;
    event_after(clock_of(uart), &uart->rx_timeout, UART_RXTO_FRAMES * uart_line_frame_cycles(&uart->line));
    update_rts(uart);
}

/* Both directions stop after the byte on the line, with no event. */
static void suspend(struct uart *uart)
{
    event_cancel(clock_of(uart), &uart->rx_timeout);
    uart->tx_on = false;
    uart->rx_on = false;
    update_rts(uart);
}

static void task(void *self, unsigned n)
{
    struct uart *uart = self;
    if (!uart->line.open)
        return;
    switch (n) {
    case UART_TASK_STARTRX:
        start_rx(uart);
        break;
    case UART_TASK_STOPRX:
        stop_rx(uart);
        break;
    case UART_TASK_STARTTX:
        uart->tx_on = true;
        send(uart);
        break;
    case UART_TASK_STOPTX:
        uart->tx_on = false;
        break;
    case TASK_SUSPEND:
        suspend(uart);
        break;
    }
}

static void stop(void *self)
{
    struct uart *uart = self;
    event_cancel(clock_of(uart), &uart->sent);
    event_cancel(clock_of(uart), &uart->rx_timeout);
    uart->tx_on = false;
    uart->tx_full = false;
    uart->rx_on = false;
}

static const struct uart_owner owner = {
    .enable = ENABLE_UART,
    .receiving = receiving,
    .queued = queued,
    .clear_to_send = clear_to_send,
    .stop = stop,
};

static void changed(void *self)
{
    uart_line_follow_enable(&((struct uart *)self)->line);
}

static uint32_t read(void *self, uint32_t offset)
{
    struct uart *uart = self;
    return offset == REG_RXD ? take_rxd(uart) : block_get(uart->block, offset);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct uart *uart = self;
    if (offset != REG_TXD) {
        uart_line_write(&uart->line, offset, value);
    } else if (!uart->tx_full) {
        uart->tx_byte = (uint8_t)value;
        uart->tx_full = true;
        send(uart);
    }
}

static bool active(void *self)
{
    const struct uart *uart = self;
    return block_get(uart->block, UART_ENABLE) == ENABLE_UART;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    uart_line_stop(&((struct uart *)self)->line);
}

static void save(void *self, struct state *state)
{
    struct uart *uart = self;
    uart_line_save(&uart->line, state);
    state_event(state, clock_of(uart), &uart->sent);
    state_event(state, clock_of(uart), &uart->rx_timeout);
    state_var(state, uart->tx_on);
    state_var(state, uart->tx_full);
    state_var(state, uart->tx_byte);
    state_var(state, uart->rx_on);
}

void uart_init(struct uart *uart, struct block *block, struct gpio *gpio)
{
    uart->block = block;
    block_add_face(block, &(struct face){
                              .name = "UART0",
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .reset = reset,
                              .read = read,
                              .write = write,
                              .task = task,
                              .changed = changed,
                              .active = active,
                              .save = save,
                              .shorts = shorts,
                              .self = uart,
                          });
    uart_line_init(&uart->line, block, 0, gpio, &owner, uart);
    event_init(&block->bus->clock, &uart->sent, byte_sent, uart);
    event_init(&block->bus->clock, &uart->rx_timeout, receiver_stopped, uart);
}
