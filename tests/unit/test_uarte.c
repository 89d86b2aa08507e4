/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#include "core/ports.h"

#define TXD 37u
#define RXD 36u
#define CTS 38u
#define RTS 39u

#define TX_DATA 0x20001000u
#define RX_DATA 0x20002000u

/* 115200 in the datasheet's table: 16 MHz / 139, ten bits a byte. */
#define FRAME (10u * 139u * 4u)

struct far_end {
    struct bench *bench;
    int port;
    char got[64];
    unsigned count;
    uint32_t baud;
    bool ready;
};

static void far_receive(void *self, uint8_t byte, uint32_t baud)
{
    struct far_end *far = self;
    far->got[far->count++ % sizeof far->got] = (char)byte;
    far->baud = baud;
}

static void far_ready(void *self, bool ready)
{
    ((struct far_end *)self)->ready = ready;
}

static void far_attach(struct far_end *far, struct bench *bench)
{
    *far = (struct far_end){.bench = bench};
    far->port =
        ports_attach_uart(bench->bus.ports, TXD, RXD,
                          &(struct uart_device){.receive = far_receive, .ready = far_ready, .self = far});
}

static bool far_send(struct far_end *far, uint8_t byte)
{
    return ports_uart_send(far->bench->bus.ports, far->port, byte);
}

/* Each byte of a text; false if one of them was refused. */
static bool far_send_all(struct far_end *far, const char *text)
{
    bool taken = true;
    for (; *text; text++)
        taken &= far_send(far, (uint8_t)*text);
    return taken;
}

static void enable(struct bench *bench, uint32_t config)
{
    poke(bench, "UARTE1.BAUDRATE", 0x01d60000);
    poke(bench, "UARTE1.CONFIG", config);
    poke(bench, "UARTE1.PSEL.TXD", TXD);
    poke(bench, "UARTE1.PSEL.RXD", RXD);
    poke(bench, "UARTE1.PSEL.RTS", RTS);
    poke(bench, "UARTE1.PSEL.CTS", CTS);
    poke(bench, "UARTE1.ENABLE", 8);
}

/* UARTE1 is enabled, and `far` is on its pins. */
static struct bench *bench_with_far_end(struct far_end *far, uint32_t config)
{
    struct bench *bench = bench_new();
    far_attach(far, bench);
    enable(bench, config);
    return bench;
}

static void start_tx(struct bench *bench, const char *text)
{
    memcpy(bench->ram + (TX_DATA - 0x20000000u), text, strlen(text));
    poke(bench, "UARTE1.TXD.PTR", TX_DATA);
    poke(bench, "UARTE1.TXD.MAXCNT", (uint32_t)strlen(text));
    poke(bench, "UARTE1.TASKS_STARTTX", 1);
}

static void start_rx(struct bench *bench, uint32_t size)
{
    poke(bench, "UARTE1.RXD.PTR", RX_DATA);
    poke(bench, "UARTE1.RXD.MAXCNT", size);
    poke(bench, "UARTE1.TASKS_STARTRX", 1);
}

static const uint8_t *received(struct bench *bench)
{
    return bench->ram + (RX_DATA - 0x20000000u);
}

Test(uarte, sends_byte_by_byte_in_the_time_of_a_frame)
{
    struct far_end far;
    struct bench *bench = bench_with_far_end(&far, 0);
    poke(bench, "UARTE1.INTENSET", 1u << 8);
    start_tx(bench, "AT\r");
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_TXSTARTED"), 1u);
    advance(bench, FRAME - 1);
    cr_expect_eq(far.count, 0u);
    advance(bench, 1);
    cr_expect_eq(far.count, 1u);
    cr_expect_eq(far.baud, 115107u);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_TXDRDY"), 1u);
    advance(bench, 2 * FRAME - 1);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDTX"), 0u);
    advance(bench, 1);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDTX"), 1u);
    cr_expect_eq(peek(bench, "UARTE1.TXD.AMOUNT"), 3u);
    cr_expect(bench->irq[40]);
    cr_expect_arr_eq(far.got, "AT\r", 3);
    bench_free(bench);
}

Test(uarte, parity_and_second_stop_bit_take_time)
{
    struct bench *bench = bench_new();
    enable(bench, 7u << 1 | 1u << 4);
    start_tx(bench, "x");
    advance(bench, FRAME * 12 / 10 - 1);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDTX"), 0u);
    advance(bench, 1);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDTX"), 1u);
    bench_free(bench);
}

/* That of a UART, which is not there: the page is nobody's in between. */
Test(uarte, is_enabled_after_a_value_that_it_has_not)
{
    struct far_end far;
    struct bench *bench = bench_with_far_end(&far, 0);
    poke(bench, "UARTE1.ENABLE", 4);
    poke(bench, "UARTE1.ENABLE", 8);
    start_tx(bench, "x");
    advance(bench, FRAME);
    cr_expect_eq(far.count, 1u);
    bench_free(bench);
}

Test(uarte, stoptx_finishes_the_byte)
{
    struct far_end far;
    struct bench *bench = bench_with_far_end(&far, 0);
    start_tx(bench, "abcdef");
    advance(bench, FRAME + FRAME / 2);
    poke(bench, "UARTE1.TASKS_STOPTX", 1);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_TXSTOPPED"), 0u);
    advance(bench, FRAME * 10);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDTX"), 1u);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_TXSTOPPED"), 1u);
    cr_expect_eq(peek(bench, "UARTE1.TXD.AMOUNT"), 2u);
    cr_expect_eq(far.count, 2u);
    bench_free(bench);
}

Test(uarte, stoptx_when_idle_is_answered)
{
    struct bench *bench = bench_new();
    enable(bench, 0);
    poke(bench, "UARTE1.TASKS_STOPTX", 1);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_TXSTOPPED"), 1u);
    bench_free(bench);
}

Test(uarte, cts_holds_back_and_lets_go)
{
    struct bench *bench = bench_new();
    struct far_end far;
    far_attach(&far, bench);
    int driver = wire_add_driver(&bench->bus.pin[CTS]);
    enable(bench, 1);
    wire_drive(&bench->bus.pin[CTS], driver, WIRE_STRONG, WIRE_FULL);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_NCTS"), 1u);
    start_tx(bench, "hi");
    advance(bench, 20 * FRAME);
    cr_expect_eq(far.count, 0u);
    wire_drive(&bench->bus.pin[CTS], driver, WIRE_STRONG, 0);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_CTS"), 1u);
    advance(bench, 2 * FRAME);
    cr_expect_eq(far.count, 2u);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDTX"), 1u);
    bench_free(bench);
}

Test(uarte, receives_into_ram_and_ends_when_full)
{
    struct bench *bench = bench_new();
    struct far_end far;
    far_attach(&far, bench);
    cr_expect_not(far_send(&far, 'x'), "nobody listens before ENABLE");
    enable(bench, 0);
    start_rx(bench, 3);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_RXSTARTED"), 1u);
    far_send(&far, 'a');
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_RXDRDY"), 1u);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDRX"), 0u);
    far_send(&far, 'b');
    far_send(&far, 'c');
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDRX"), 1u);
    cr_expect_eq(peek(bench, "UARTE1.RXD.AMOUNT"), 3u);
    cr_expect_arr_eq(received(bench), "abc", 3);
    bench_free(bench);
}

Test(uarte, shortcut_goes_on_into_the_next_buffer)
{
    struct far_end far;
    struct bench *bench = bench_with_far_end(&far, 0);
    poke(bench, "UARTE1.SHORTS", 1u << 5);
    start_rx(bench, 2);
    poke(bench, "UARTE1.RXD.PTR", RX_DATA + 0x10); /* taken by the shortcut's STARTRX */
    far_send_all(&far, "wxyz");
    cr_expect_arr_eq(received(bench), "wx", 2);
    cr_expect_arr_eq(received(bench) + 0x10, "yz", 2);
    cr_expect_eq(peek(bench, "UARTE1.ERRORSRC"), 0u);
    bench_free(bench);
}

Test(uarte, fifo_holds_six_then_overruns)
{
    struct far_end far;
    struct bench *bench = bench_with_far_end(&far, 0);
    start_rx(bench, 1);
    cr_expect(far_send_all(&far, "A123456"));
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ERROR"), 0u);
    cr_expect(far_send(&far, '7'), "the byte was on the line, though nobody took it");
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ERROR"), 1u);
    cr_expect_eq(peek(bench, "UARTE1.ERRORSRC"), 1u);
    poke(bench, "UARTE1.ERRORSRC", 1);
    cr_expect_eq(peek(bench, "UARTE1.ERRORSRC"), 0u);
    start_rx(bench, 8);
    cr_expect_arr_eq(received(bench), "123456", 6);
    bench_free(bench);
}

Test(uarte, rts_goes_when_four_bytes_fit_and_no_byte_is_lost)
{
    struct far_end far;
    struct bench *bench = bench_with_far_end(&far, 1);
    cr_expect(wire_high(&bench->bus.pin[RTS]));
    start_rx(bench, 1);
    cr_expect(far.ready);
    cr_expect_not(wire_high(&bench->bus.pin[RTS]));
    far_send(&far, 'A');
    far_send(&far, '1');
    cr_expect(far.ready);
    far_send(&far, '2');
    cr_expect_not(far.ready);
    cr_expect(wire_high(&bench->bus.pin[RTS]));
    cr_expect(far_send_all(&far, "3456"));
    cr_expect_not(far_send(&far, '7'));
    cr_expect_eq(peek(bench, "UARTE1.ERRORSRC"), 0u);
    start_rx(bench, 8);
    cr_expect(far.ready);
    bench_free(bench);
}

Test(uarte, stoprx_gives_endrx_and_rxto_after_four_frames)
{
    struct far_end far;
    struct bench *bench = bench_with_far_end(&far, 0);
    start_rx(bench, 100);
    far_send(&far, 'a');
    poke(bench, "UARTE1.TASKS_STOPRX", 1);
    far_send(&far, 'b');
    advance(bench, 4 * FRAME - 1);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_RXTO"), 0u);
    advance(bench, 1);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_RXTO"), 1u);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDRX"), 1u);
    cr_expect_eq(peek(bench, "UARTE1.RXD.AMOUNT"), 2u);
    bench_free(bench);
}

Test(uarte, flushrx_empties_the_fifo)
{
    struct far_end far;
    struct bench *bench = bench_with_far_end(&far, 0);
    start_rx(bench, 1);
    poke(bench, "UARTE1.TASKS_STOPRX", 1);
    far_send_all(&far, "Apq");
    advance(bench, 4 * FRAME);
    poke(bench, "UARTE1.EVENTS_ENDRX", 0);
    poke(bench, "UARTE1.RXD.MAXCNT", 5);
    poke(bench, "UARTE1.TASKS_FLUSHRX", 1);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDRX"), 1u);
    cr_expect_eq(peek(bench, "UARTE1.RXD.AMOUNT"), 2u);
    cr_expect_arr_eq(received(bench), "pq", 2);
    bench_free(bench);
}

Test(uarte, other_pins_reach_nobody)
{
    struct far_end far;
    struct bench *bench = bench_with_far_end(&far, 0);
    poke(bench, "UARTE1.ENABLE", 0);
    poke(bench, "UARTE1.PSEL.TXD", 5);
    poke(bench, "UARTE1.PSEL.RXD", 6);
    poke(bench, "UARTE1.ENABLE", 8);
    start_tx(bench, "lost");
    advance(bench, 10 * FRAME);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDTX"), 1u);
    cr_expect_eq(far.count, 0u);
    cr_expect_not(far_send(&far, 'x'));
    bench_free(bench);
}

Test(uarte, a_snapshot_holds_a_transfer_and_the_connection)
{
    struct far_end far;
    struct bench *bench = bench_with_far_end(&far, 0);
    start_rx(bench, 8);
    start_tx(bench, "xyz");
    advance(bench, FRAME);
    struct moment before = bench_save(bench);
    poke(bench, "UARTE1.ENABLE", 0);
    bench_restore(bench, &before);
    advance(bench, 2 * FRAME);
    cr_expect_arr_eq(far.got, "xyz", 3);
    cr_expect(far_send(&far, 'r'));
    cr_expect_eq(received(bench)[0], 'r');
    bench_free(bench);
}

Test(uarte, absurd_settings_do_not_hang)
{
    struct bench *bench = bench_new();
    enable(bench, 0);
    poke(bench, "UARTE1.BAUDRATE", 0xffffffff);
    start_tx(bench, "fast");
    poke(bench, "UARTE1.SHORTS", 1u << 5);
    start_rx(bench, 0);
    advance(bench, 1000000);
    cr_expect_eq(peek(bench, "UARTE1.EVENTS_ENDTX"), 1u);
    poke(bench, "UARTE1.BAUDRATE", 0);
    start_tx(bench, "slow");
    advance(bench, 1000000);
    bench_free(bench);
}
