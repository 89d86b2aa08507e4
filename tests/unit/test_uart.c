/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#include "core/ports.h"

#define TXD   6u
#define RXD   8u
#define RTS   7u
#define FRAME (10u * 138u * 4u) /* 115200 as the legacy UART divides it: 16 MHz / 138 */

static void far_receive(void *self, uint8_t byte, uint32_t baud)
{
    (void)baud;
    *(int *)self = byte;
}

static struct bench *bench_with_uart(int *got, int *port)
{
    struct bench *bench = bench_new();
    *got = -1;
    *port = ports_attach_uart(bench->bus.ports, TXD, RXD,
                              &(struct uart_device){.receive = far_receive, .self = got});
    poke(bench, "UART0.BAUDRATE", 0x01d7e000);
    poke(bench, "UART0.PSEL.TXD", TXD);
    poke(bench, "UART0.PSEL.RXD", RXD);
    poke(bench, "UART0.ENABLE", 4);
    return bench;
}

Test(uart, sends_one_byte_a_frame)
{
    int got, port;
    struct bench *bench = bench_with_uart(&got, &port);
    poke(bench, "UART0.TASKS_STARTTX", 1);
    poke(bench, "UART0.TXD", 'k');
    advance(bench, FRAME - 1);
    cr_expect_eq(got, -1);
    advance(bench, 1);
    cr_expect_eq(got, 'k');
    cr_expect_eq(peek(bench, "UART0.EVENTS_TXDRDY"), 1u);
    bench_free(bench);
}

Test(uart, rxd_brings_up_one_byte_after_the_other)
{
    int got, port;
    struct bench *bench = bench_with_uart(&got, &port);
    poke(bench, "UART0.TASKS_STARTRX", 1);
    ports_uart_send(bench->bus.ports, port, 'a');
    ports_uart_send(bench->bus.ports, port, 'b');
    cr_expect_eq(peek(bench, "UART0.EVENTS_RXDRDY"), 1u);
    poke(bench, "UART0.EVENTS_RXDRDY", 0);
    cr_expect_eq(peek(bench, "UART0.RXD"), (uint32_t)'a');
    cr_expect_eq(peek(bench, "UART0.EVENTS_RXDRDY"), 1u);
    poke(bench, "UART0.EVENTS_RXDRDY", 0);
    cr_expect_eq(peek(bench, "UART0.RXD"), (uint32_t)'b');
    cr_expect_eq(peek(bench, "UART0.EVENTS_RXDRDY"), 0u);
    bench_free(bench);
}

Test(uart, seventh_unread_byte_overruns)
{
    int got, port;
    struct bench *bench = bench_with_uart(&got, &port);
    poke(bench, "UART0.TASKS_STARTRX", 1);
    for (int i = 0; i < 6; i++)
        ports_uart_send(bench->bus.ports, port, (uint8_t)i);
    cr_expect_eq(peek(bench, "UART0.EVENTS_ERROR"), 0u);
    ports_uart_send(bench->bus.ports, port, 6);
    cr_expect_eq(peek(bench, "UART0.EVENTS_ERROR"), 1u);
    cr_expect_eq(peek(bench, "UART0.ERRORSRC"), 1u);
    bench_free(bench);
}

Test(uart, rts_goes_when_four_bytes_fit)
{
    int got, port;
    struct bench *bench = bench_with_uart(&got, &port);
    struct wire *rts = &bench->bus.pin[RTS];
    poke(bench, "UART0.ENABLE", 0);
    poke(bench, "UART0.PSEL.RTS", RTS);
    poke(bench, "UART0.CONFIG", 1);
    poke(bench, "UART0.ENABLE", 4);
    cr_expect(wire_high(rts), "before STARTRX");
    poke(bench, "UART0.TASKS_STARTRX", 1);
    ports_uart_send(bench->bus.ports, port, 'a');
    cr_expect_not(wire_high(rts));
    ports_uart_send(bench->bus.ports, port, 'b');
    cr_expect(wire_high(rts));
    for (unsigned i = 0; i < 4; i++)
        ports_uart_send(bench->bus.ports, port, 'c');
    cr_expect_eq(peek(bench, "UART0.EVENTS_ERROR"), 0u);
    for (unsigned i = 0; i < 4; i++)
        peek(bench, "UART0.RXD");
    cr_expect(wire_high(rts));
    peek(bench, "UART0.RXD");
    cr_expect_not(wire_high(rts));
    bench_free(bench);
}

Test(uart, stoprx_times_out)
{
    int got, port;
    struct bench *bench = bench_with_uart(&got, &port);
    poke(bench, "UART0.TASKS_STARTRX", 1);
    poke(bench, "UART0.TASKS_STOPRX", 1);
    advance(bench, 4 * FRAME - 1);
    cr_expect_eq(peek(bench, "UART0.EVENTS_RXTO"), 0u);
    advance(bench, 1);
    cr_expect_eq(peek(bench, "UART0.EVENTS_RXTO"), 1u);
    bench_free(bench);
}

Test(uart, uarte_takes_the_page_over_by_enable)
{
    int got, port;
    struct bench *bench = bench_with_uart(&got, &port);
    poke(bench, "UARTE0.ENABLE", 8);
    bench->ram[0] = 'e';
    poke(bench, "UARTE0.TXD.PTR", 0x20000000);
    poke(bench, "UARTE0.TXD.MAXCNT", 1);
    poke(bench, "UARTE0.TASKS_STARTTX", 1);
    advance(bench, FRAME);
    cr_expect_eq(got, 'e');
    cr_expect_eq(peek(bench, "UARTE0.EVENTS_ENDTX"), 1u);
    poke(bench, "UART0.ENABLE", 4);
    poke(bench, "UART0.TASKS_STARTTX", 1);
    poke(bench, "UART0.TXD", 'u');
    advance(bench, FRAME);
    cr_expect_eq(got, 'u');
    bench_free(bench);
}
