/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/uarte.h"

#include <string.h>

enum {
    TASK_STARTRX = 0,
    TASK_STOPRX = 1,
    TASK_STARTTX = 2,
    TASK_STOPTX = 3,
    TASK_FLUSHRX = 11,
    EVENT_CTS = 0,
    EVENT_NCTS = 1,
    EVENT_RXDRDY = 2,
    EVENT_ENDRX = 4,
    EVENT_TXDRDY = 7,
    EVENT_ENDTX = 8,
    EVENT_ERROR = 9,
    EVENT_RXTO = 17,
    EVENT_RXSTARTED = 19,
    EVENT_TXSTARTED = 20,
    EVENT_TXSTOPPED = 22,
    REG_ERRORSRC = 0x480,
    REG_ENABLE = 0x500,
    REG_RXD_PTR = 0x534,
    REG_RXD_MAXCNT = 0x538,
    REG_RXD_AMOUNT = 0x53C,
    REG_TXD_PTR = 0x544,
    REG_TXD_MAXCNT = 0x548,
    REG_TXD_AMOUNT = 0x54C,
};

enum {
    ENABLE_UART = 4,
    ENABLE_UARTE = 8,
    ERRORSRC_OVERRUN = 1,
    FIFO_RTS_OFF = UARTE_FIFO_SIZE - 4, /* RTS goes when only four more bytes fit */
    RXTO_FRAMES = 4,
    COUNT_MASK = 0xffff,
};

static const struct reg regs[] = {
    {"TASKS_STARTRX", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STOPRX", 0x004, REG_W, 0, 0, 0},
    {"TASKS_STARTTX", 0x008, REG_W, 0, 0, 0},
    {"TASKS_STOPTX", 0x00c, REG_W, 0, 0, 0},
    {"TASKS_FLUSHRX", 0x02c, REG_W, 0, 0, 0},
    {"EVENTS_CTS", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_NCTS", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_RXDRDY", 0x108, REG_RW, 0, 0, 0},
    {"EVENTS_ENDRX", 0x110, REG_RW, 0, 0, 0},
    {"EVENTS_TXDRDY", 0x11c, REG_RW, 0, 0, 0},
    {"EVENTS_ENDTX", 0x120, REG_RW, 0, 0, 0},
    {"EVENTS_ERROR", 0x124, REG_RW, 0, 0, 0},
    {"EVENTS_RXTO", 0x144, REG_RW, 0, 0, 0},
    {"EVENTS_RXSTARTED", 0x14c, REG_RW, 0, 0, 0},
    {"EVENTS_TXSTARTED", 0x150, REG_RW, 0, 0, 0},
    {"EVENTS_TXSTOPPED", 0x158, REG_RW, 0, 0, 0},
    {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTEN", 0x300, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"ERRORSRC", 0x480, REG_RW, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"PSEL.RTS", 0x508, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.TXD", 0x50c, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.CTS", 0x510, REG_RW, 0xffffffff, 0, 0},
    {"PSEL.RXD", 0x514, REG_RW, 0xffffffff, 0, 0},
    {"BAUDRATE", 0x524, REG_RW, 0x4000000, 0, 0},
    {"RXD.PTR", 0x534, REG_RW, 0, 0, 0},
    {"RXD.MAXCNT", 0x538, REG_RW, 0, 0, 0},
    {"RXD.AMOUNT", 0x53c, REG_R, 0, 0, 0},
    {"TXD.PTR", 0x544, REG_RW, 0, 0, 0},
    {"TXD.MAXCNT", 0x548, REG_RW, 0, 0, 0},
    {"TXD.AMOUNT", 0x54c, REG_R, 0, 0, 0},
    {"CONFIG", 0x56c, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {5, EVENT_ENDRX, TASK_STARTRX},
    {6, EVENT_ENDRX, TASK_STOPRX},
    SHORTCUTS_END,
};

static struct clock *clock_of(struct uarte *uarte)
{
    return &uarte->block.bus->clock;
}

/* Puts the next byte on TXD, if CTS lets it. */
static void send_next(struct uarte *uarte)
{
    if (uart_line_clear_to_send(&uarte->line))
        event_after(clock_of(uarte), &uarte->sent, uart_line_frame_cycles(&uarte->line));
}

static void end_tx(struct uarte *uarte)
{
    bool stopping = uarte->tx_stopping;
    event_cancel(clock_of(uarte), &uarte->sent);
    uarte->tx_running = false;
    uarte->tx_stopping = false;
    block_set(&uarte->block, REG_TXD_AMOUNT, uarte->tx_count);
    block_event(&uarte->block, EVENT_ENDTX);
    if (stopping)
        block_event(&uarte->block, EVENT_TXSTOPPED);
}

static void byte_sent(void *owner)
{
    struct uarte *uarte = owner;
    uint8_t byte;
    dma_read(uarte->block.bus, uarte->tx_address + uarte->tx_count, &byte, 1);
    uarte->tx_count++;
    bool last = uarte->tx_stopping || uarte->tx_count == uarte->tx_size;
    if (!last)
        send_next(uarte);
    uart_line_send(&uarte->line, byte);
    block_event(&uarte->block, EVENT_TXDRDY);
    if (last)
        end_tx(uarte);
}

static void start_tx(struct uarte *uarte)
{
    uarte->tx_address = block_get(&uarte->block, REG_TXD_PTR);
    uarte->tx_size = block_get(&uarte->block, REG_TXD_MAXCNT) & COUNT_MASK;
    uarte->tx_count = 0;
    uarte->tx_running = true;
    uarte->tx_stopping = false;
    event_cancel(clock_of(uarte), &uarte->sent);
    block_event(&uarte->block, EVENT_TXSTARTED);
    if (uarte->tx_size)
        send_next(uarte);
    else
        end_tx(uarte);
}

static void stop_tx(struct uarte *uarte)
{
    if (!uarte->tx_running) {
        block_event(&uarte->block, EVENT_TXSTOPPED);
        return;
    }
    uarte->tx_stopping = true;
    if (!event_pending(&uarte->sent))
        end_tx(uarte);
}

static void end_rx(struct uarte *uarte)
{
    uarte->rx_buffer = false;
    block_set(&uarte->block, REG_RXD_AMOUNT, uarte->rx_count);
    block_event(&uarte->block, EVENT_ENDRX);
}

static void update_rts(struct uarte *uarte)
{
    uart_line_set_ready(&uarte->line, uarte->rx_state == UARTE_RX_ON && uarte->fifo_count < FIFO_RTS_OFF);
}

/* Takes the buffer that RXD.PTR names now. */
static void take_buffer(struct uarte *uarte)
{
    uarte->rx_address = block_get(&uarte->block, REG_RXD_PTR);
    uarte->rx_size = block_get(&uarte->block, REG_RXD_MAXCNT) & COUNT_MASK;
    uarte->rx_count = 0;
    uarte->rx_buffer = uarte->rx_size > 0;
}

static void store(struct uarte *uarte, uint8_t byte)
{
    dma_write(uarte->block.bus, uarte->rx_address + uarte->rx_count, &byte, 1);
    uarte->rx_count++;
}

static void drain_fifo(struct uarte *uarte)
{
    uint8_t taken = 0;
    while (taken < uarte->fifo_count && uarte->rx_count < uarte->rx_size)
        store(uarte, uarte->fifo[taken++]);
    uarte->fifo_count = (uint8_t)(uarte->fifo_count - taken);
    memmove(uarte->fifo, uarte->fifo + taken, uarte->fifo_count);
}

static void start_rx(struct uarte *uarte)
{
    event_cancel(clock_of(uarte), &uarte->rx_timeout);
    uarte->rx_state = UARTE_RX_ON;
    take_buffer(uarte);
    block_event(&uarte->block, EVENT_RXSTARTED);
    drain_fifo(uarte);
    update_rts(uarte);
    if (uarte->rx_buffer && uarte->rx_count == uarte->rx_size)
        end_rx(uarte);
}

static void stop_rx(struct uarte *uarte)
{
    if (uarte->rx_state == UARTE_RX_STOPPING)
        return;
    uarte->rx_state = UARTE_RX_STOPPING;
    update_rts(uarte);
    event_after(clock_of(uarte), &uarte->rx_timeout, RXTO_FRAMES * uart_line_frame_cycles(&uarte->line));
}

static void receiver_stopped(void *owner)
{
    struct uarte *uarte = owner;
    uarte->rx_state = UARTE_RX_OFF;
    if (uarte->rx_buffer)
        end_rx(uarte);
    block_event(&uarte->block, EVENT_RXTO);
}

static void flush_rx(struct uarte *uarte)
{
    take_buffer(uarte);
    drain_fifo(uarte);
    end_rx(uarte);
    update_rts(uarte);
}

static bool deliver(void *self, uint8_t byte)
{
    struct uarte *uarte = self;
    bool held_back = uart_line_flow_control(&uarte->line);
    if (uarte->rx_state == UARTE_RX_OFF)
        return !held_back;
    if (uarte->rx_buffer) {
        store(uarte, byte);
        block_event(&uarte->block, EVENT_RXDRDY);
        if (uarte->rx_buffer && uarte->rx_count == uarte->rx_size)
            end_rx(uarte);
        return true;
    }
    if (uarte->fifo_count == UARTE_FIFO_SIZE) {
        if (held_back)
            return false;
        block_set(&uarte->block, REG_ERRORSRC, block_get(&uarte->block, REG_ERRORSRC) | ERRORSRC_OVERRUN);
        block_event(&uarte->block, EVENT_ERROR);
        return true;
    }
    uarte->fifo[uarte->fifo_count++] = byte;
    update_rts(uarte);
    block_event(&uarte->block, EVENT_RXDRDY);
    return true;
}

static void clear_changed(void *self, bool clear)
{
    struct uarte *uarte = self;
    if (clear && uarte->tx_running && !event_pending(&uarte->sent))
        send_next(uarte);
    block_event(&uarte->block, clear ? EVENT_CTS : EVENT_NCTS);
}

static void task(void *self, unsigned n)
{
    struct uarte *uarte = self;
    if (!uarte->line.open)
        return;
    switch (n) {
    case TASK_STARTRX:
        start_rx(uarte);
        break;
    case TASK_STOPRX:
        stop_rx(uarte);
        break;
    case TASK_STARTTX:
        start_tx(uarte);
        break;
    case TASK_STOPTX:
        stop_tx(uarte);
        break;
    case TASK_FLUSHRX:
        flush_rx(uarte);
        break;
    }
}

static void stop_all(struct uarte *uarte)
{
    uart_line_close(&uarte->line);
    event_cancel(clock_of(uarte), &uarte->sent);
    event_cancel(clock_of(uarte), &uarte->rx_timeout);
    uarte->tx_running = false;
    uarte->tx_stopping = false;
    uarte->rx_state = UARTE_RX_OFF;
    uarte->rx_buffer = false;
    uarte->fifo_count = 0;
}

/* ENABLE may have been written, by way of this face or the other one. */
static void changed(void *self)
{
    struct uarte *uarte = self;
    bool enabled = block_get(&uarte->block, REG_ENABLE) == ENABLE_UARTE;
    if (enabled && !uarte->line.open)
        uart_line_open(&uarte->line);
    else if (!enabled && uarte->line.open)
        stop_all(uarte);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct uarte *uarte = self;
    if (offset == REG_ERRORSRC)
        value = block_get(&uarte->block, offset) & ~value;
    block_set(&uarte->block, offset, value);
    if (offset == REG_ENABLE)
        changed(self);
}

static bool active(void *self)
{
    const struct uarte *uarte = self;
    return block_get(&uarte->block, REG_ENABLE) != ENABLE_UART;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    stop_all(self);
}

static void save(void *self, struct state *state)
{
    struct uarte *uarte = self;
    uart_line_save(&uarte->line, state);
    state_event(state, clock_of(uarte), &uarte->sent);
    state_event(state, clock_of(uarte), &uarte->rx_timeout);
    state_var(state, uarte->tx_address);
    state_var(state, uarte->tx_size);
    state_var(state, uarte->tx_count);
    state_var(state, uarte->tx_running);
    state_var(state, uarte->tx_stopping);
    state_var(state, uarte->rx_address);
    state_var(state, uarte->rx_size);
    state_var(state, uarte->rx_count);
    state_var(state, uarte->rx_buffer);
    state_var(state, uarte->rx_state);
    state_var(state, uarte->fifo_count);
    state_var(state, uarte->fifo);
}

void uarte_init(struct uarte *uarte, struct bus *bus, struct gpio *gpio, unsigned instance)
{
    block_init(&uarte->block, bus, instance ? 0x40028000 : 0x40002000, instance ? 40 : 2);
    block_add_face(&uarte->block, &(struct face){
                                      .name = instance ? "UARTE1" : "UARTE0",
                                      .regs = regs,
                                      .reg_count = sizeof regs / sizeof regs[0],
                                      .reset = reset,
                                      .write = write,
                                      .task = task,
                                      .changed = changed,
                                      .active = active,
                                      .save = save,
                                      .shorts = shorts,
                                      .self = uarte,
                                  });
    uart_line_init(&uarte->line, &uarte->block, (uint8_t)instance, gpio, deliver, clear_changed, uarte);
    event_init(&bus->clock, &uarte->sent, byte_sent, uarte);
    event_init(&bus->clock, &uarte->rx_timeout, receiver_stopped, uarte);
}
