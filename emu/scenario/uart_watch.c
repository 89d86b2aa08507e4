/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/uart_watch.h"

#include <stdlib.h>
#include <string.h>

static bool ends_with(const struct uart_tail *tail, const struct byte_string *text)
{
    return tail->length >= text->length &&
           !memcmp(tail->bytes + tail->length - text->length, text->bytes, text->length);
}

static void keep(struct uart_watch *watch, struct uart_tail *tail, uint8_t byte)
{
    /* Twice the room, so that bytes are moved down once in a while only. */
    if (tail->length == 2 * watch->longest) {
        memmove(tail->bytes, tail->bytes + tail->length - watch->longest, watch->longest);
        tail->length = watch->longest;
    }
    tail->bytes[tail->length++] = byte;
}

static void on_serial(void *context, uint64_t cycle, const void *what)
{
    struct uart_watch *watch = context;
    const struct serial_byte *sent = what;
    struct uart_tail *tail = &watch->tail[sent->uart];
    (void)cycle;
    keep(watch, tail, sent->byte);
    for (size_t i = 0; i < watch->scenario->expect_count; i++) {
        const struct expect *expect = &watch->scenario->expects[i];
        if (expect->kind == EXPECT_UART && (!expect->has_uart || expect->uart == sent->uart) &&
            !watch->seen[i])
            watch->seen[i] = ends_with(tail, &expect->memory.content);
    }
}

int uart_watch_begin(struct uart_watch *watch, const struct scenario *scenario, struct signals *signals)
{
    *watch = (struct uart_watch){.scenario = scenario, .longest = UART_WATCH_TAIL};
    bool wanted = false;
    for (size_t i = 0; i < scenario->expect_count; i++) {
        const struct expect *expect = &scenario->expects[i];
        if (expect->kind != EXPECT_UART)
            continue;
        wanted = true;
        if (expect->memory.content.length > watch->longest)
            watch->longest = expect->memory.content.length;
    }
    if (!wanted)
        return 0;
    watch->seen = calloc(scenario->expect_count, sizeof *watch->seen);
    if (!watch->seen)
        return -1;
    for (unsigned i = 0; i < SIGNAL_UARTS; i++) {
        if (!(watch->tail[i].bytes = malloc(2 * watch->longest)))
            return -1;
    }
    if (signal_subscribe(signals, SIGNAL_SERIAL, on_serial, watch))
        return -1;
    watch->signals = signals;
    return 0;
}

void uart_watch_end(struct uart_watch *watch)
{
    if (watch->signals)
        signal_unsubscribe(watch->signals, SIGNAL_SERIAL, on_serial, watch);
    for (unsigned i = 0; i < SIGNAL_UARTS; i++)
        free(watch->tail[i].bytes);
    free(watch->seen);
    *watch = (struct uart_watch){0};
}

bool uart_watch_seen(const struct uart_watch *watch, size_t index)
{
    return watch->seen && watch->seen[index];
}
