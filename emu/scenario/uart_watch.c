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
    for (size_t i = 0; i < watch->count; i++) {
        struct uart_text *text = &watch->text[i];
        if (!text->seen && (!text->expect->has_uart || text->expect->uart == sent->uart))
            text->seen = ends_with(tail, &text->expect->memory.content);
    }
}

/* Adds those of a list that are about UARTs; counts them only while there is no room yet. */
static void add(struct uart_watch *watch, const struct expect *expects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (expects[i].kind != EXPECT_UART)
            continue;
        if (watch->text)
            watch->text[watch->count].expect = &expects[i];
        watch->count++;
        if (expects[i].memory.content.length > watch->longest)
            watch->longest = expects[i].memory.content.length;
    }
}

static void add_all(struct uart_watch *watch, const struct scenario *scenario)
{
    watch->count = 0;
    add(watch, scenario->expects, scenario->expect_count);
    for (size_t i = 0; i < scenario->step_count; i++) {
        const struct step *step = &scenario->steps[i];
        for (size_t j = 0; j < step->action_count; j++)
            add(watch, step->actions[j].checks, step->actions[j].check_count);
    }
}

int uart_watch_begin(struct uart_watch *watch, const struct scenario *scenario, struct signals *signals)
{
    *watch = (struct uart_watch){.longest = UART_WATCH_TAIL};
    add_all(watch, scenario);
    if (!watch->count)
        return 0;
    watch->text = calloc(watch->count, sizeof *watch->text);
    if (!watch->text)
        return -1;
    add_all(watch, scenario);
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
    free(watch->text);
    *watch = (struct uart_watch){0};
}

void uart_watch_save(struct uart_watch *watch, struct state *state)
{
    for (unsigned i = 0; i < SIGNAL_UARTS && watch->signals; i++) {
        struct uart_tail *tail = &watch->tail[i];
        state_var(state, tail->length);
        if (tail->length <= 2 * watch->longest)
            state_bytes(state, tail->bytes, tail->length);
    }
    for (size_t i = 0; i < watch->count; i++)
        state_var(state, watch->text[i].seen);
}

bool uart_watch_seen(const struct uart_watch *watch, const struct expect *expect)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->text[i].expect == expect)
            return watch->text[i].seen;
    }
    return false;
}
