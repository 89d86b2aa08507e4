/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/uarte.h"

enum {
    TASK_FLUSHRX = 11,
    EVENT_ENDRX = 4,
    EVENT_ENDTX = 8,
    EVENT_RXSTARTED = 19,
    EVENT_TXSTARTED = 20,
    EVENT_TXSTOPPED = 22,
    REG_RXD_PTR = 0x534,
    REG_TXD_PTR = 0x544,
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
    {5, EVENT_ENDRX, UART_TASK_STARTRX},
    {6, EVENT_ENDRX, UART_TASK_STOPRX},
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
    easydma_tell_amount(&uarte->tx);
    block_event(&uarte->block, EVENT_ENDTX);
    if (stopping)
        block_event(&uarte->block, EVENT_TXSTOPPED);
}

static void byte_sent(void *owner)
{
    struct uarte *uarte = owner;
    uint8_t byte;
    easydma_read(&uarte->tx, &byte, 1);
    bool last = uarte->tx_stopping || easydma_finished(&uarte->tx);
    if (!last)
        send_next(uarte);
    uart_line_send(&uarte->line, byte);
    block_event(&uarte->block, UART_EVENT_TXDRDY);
    if (last)
        end_tx(uarte);
}

static void start_tx(struct uarte *uarte)
{
    easydma_take(&uarte->tx);
    uarte->tx_running = true;
    uarte->tx_stopping = false;
    event_cancel(clock_of(uarte), &uarte->sent);
    block_event(&uarte->block, EVENT_TXSTARTED);
    if (easydma_finished(&uarte->tx))
        end_tx(uarte);
    else
        send_next(uarte);
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
    easydma_tell_amount(&uarte->rx);
    block_event(&uarte->block, EVENT_ENDRX);
}

static void update_rts(struct uarte *uarte)
{
    uart_line_set_ready(&uarte->line, uarte->rx_state == UARTE_RX_ON && uart_line_has_room(&uarte->line));
}

static void take_buffer(struct uarte *uarte)
{
    easydma_take(&uarte->rx);
    uarte->rx_buffer = !easydma_finished(&uarte->rx);
}

static void drain_fifo(struct uarte *uarte)
{
    uint32_t before = uarte->rx.done;
    easydma_write(&uarte->rx, uarte->line.fifo, uarte->line.fifo_count);
    uart_line_drop(&uarte->line, uarte->rx.done - before);
}

static void start_rx(struct uarte *uarte)
{
    event_cancel(clock_of(uarte), &uarte->rx_timeout);
    uarte->rx_state = UARTE_RX_ON;
    take_buffer(uarte);
    block_event(&uarte->block, EVENT_RXSTARTED);
    drain_fifo(uarte);
    update_rts(uarte);
    if (uarte->rx_buffer && easydma_finished(&uarte->rx))
        end_rx(uarte);
}

static void stop_rx(struct uarte *uarte)
{
    if (uarte->rx_state == UARTE_RX_STOPPING)
        return;
    uarte->rx_state = UARTE_RX_STOPPING;
    update_rts(uarte);
    event_after(clock_of(uarte), &uarte->rx_timeout, UART_RXTO_FRAMES * uart_line_frame_cycles(&uarte->line));
}

static void receiver_stopped(void *owner)
{
    struct uarte *uarte = owner;
    uarte->rx_state = UARTE_RX_OFF;
    if (uarte->rx_buffer)
        end_rx(uarte);
    block_event(&uarte->block, UART_EVENT_RXTO);
}

static void flush_rx(struct uarte *uarte)
{
    take_buffer(uarte);
    drain_fifo(uarte);
    end_rx(uarte);
    update_rts(uarte);
}

static bool receiving(void *self)
{
    return ((struct uarte *)self)->rx_state != UARTE_RX_OFF;
}

static bool take(void *self, uint8_t byte)
{
    struct uarte *uarte = self;
    if (!uarte->rx_buffer)
        return false;
    easydma_write(&uarte->rx, &byte, 1);
    block_event(&uarte->block, UART_EVENT_RXDRDY);
    if (uarte->rx_buffer && easydma_finished(&uarte->rx))
        end_rx(uarte);
    return true;
}

static void queued(void *self)
{
    struct uarte *uarte = self;
    update_rts(uarte);
    block_event(&uarte->block, UART_EVENT_RXDRDY);
}

static void clear_to_send(void *self)
{
    struct uarte *uarte = self;
    if (uarte->tx_running && !event_pending(&uarte->sent))
        send_next(uarte);
}

static void task(void *self, unsigned n)
{
    struct uarte *uarte = self;
    if (!uarte->line.open)
        return;
    switch (n) {
    case UART_TASK_STARTRX:
        start_rx(uarte);
        break;
    case UART_TASK_STOPRX:
        stop_rx(uarte);
        break;
    case UART_TASK_STARTTX:
        start_tx(uarte);
        break;
    case UART_TASK_STOPTX:
        stop_tx(uarte);
        break;
    case TASK_FLUSHRX:
        flush_rx(uarte);
        break;
    }
}

static void stop(void *self)
{
    struct uarte *uarte = self;
    event_cancel(clock_of(uarte), &uarte->sent);
    event_cancel(clock_of(uarte), &uarte->rx_timeout);
    uarte->tx_running = false;
    uarte->tx_stopping = false;
    uarte->rx_state = UARTE_RX_OFF;
    uarte->rx_buffer = false;
}

static const struct uart_owner owner = {
    .enable = ENABLE_UARTE,
    .receiving = receiving,
    .take = take,
    .queued = queued,
    .clear_to_send = clear_to_send,
    .stop = stop,
};

static void changed(void *self)
{
    uart_line_follow_enable(&((struct uarte *)self)->line);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    uart_line_write(&((struct uarte *)self)->line, offset, value);
}

static bool active(void *self)
{
    const struct uarte *uarte = self;
    return block_get(&uarte->block, UART_ENABLE) != ENABLE_UART;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    uart_line_stop(&((struct uarte *)self)->line);
}

static void save(void *self, struct state *state)
{
    struct uarte *uarte = self;
    uart_line_save(&uarte->line, state);
    state_event(state, clock_of(uarte), &uarte->sent);
    state_event(state, clock_of(uarte), &uarte->rx_timeout);
    easydma_save(&uarte->tx, state);
    easydma_save(&uarte->rx, state);
    state_var(state, uarte->tx_running);
    state_var(state, uarte->tx_stopping);
    state_var(state, uarte->rx_buffer);
    state_var(state, uarte->rx_state);
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
    uart_line_init(&uarte->line, &uarte->block, (uint8_t)instance, gpio, &owner, uarte);
    easydma_init(&uarte->tx, &uarte->block, REG_TXD_PTR);
    easydma_init(&uarte->rx, &uarte->block, REG_RXD_PTR);
    event_init(&bus->clock, &uarte->sent, byte_sent, uarte);
    event_init(&bus->clock, &uarte->rx_timeout, receiver_stopped, uarte);
}
