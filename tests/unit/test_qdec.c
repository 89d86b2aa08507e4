/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

enum { A_PIN = 10, B_PIN = 11 };

struct knob {
    struct bench *bench;
    int a, b;
    unsigned position;
};

/* A knob on the pins, and QDEC sampling it every 128 us with a report every 10 samples. */
static struct knob knob_new(void)
{
    struct knob knob = {.bench = bench_new()};
    knob.a = wire_add_driver(&knob.bench->bus.pin[A_PIN]);
    knob.b = wire_add_driver(&knob.bench->bus.pin[B_PIN]);
    poke(knob.bench, "QDEC.PSEL.A", A_PIN);
    poke(knob.bench, "QDEC.PSEL.B", B_PIN);
    poke(knob.bench, "QDEC.ENABLE", 1);
    return knob;
}

static void turn(struct knob *knob, int steps)
{
    static const uint8_t phases[4] = {0, 1, 3, 2}; /* A in bit 1, B in bit 0 */
    for (int i = 0; i < abs(steps); i++) {
        knob->position += steps > 0 ? 1 : 3;
        uint8_t phase = phases[knob->position % 4];
        wire_drive(&knob->bench->bus.pin[A_PIN], knob->a, WIRE_STRONG, phase & 2 ? WIRE_FULL : 0);
        wire_drive(&knob->bench->bus.pin[B_PIN], knob->b, WIRE_STRONG, phase & 1 ? WIRE_FULL : 0);
        advance_us(knob->bench, 128);
    }
}

Test(qdec, counts_turns_in_both_directions)
{
    struct knob knob = knob_new();
    poke(knob.bench, "QDEC.TASKS_START", 1);
    advance_us(knob.bench, 128);
    turn(&knob, 7);
    cr_expect_eq(peek(knob.bench, "QDEC.ACC"), 7u);
    turn(&knob, -9);
    cr_expect_eq((int32_t)peek(knob.bench, "QDEC.ACC"), -2);
    poke(knob.bench, "QDEC.TASKS_RDCLRACC", 1);
    cr_expect_eq((int32_t)peek(knob.bench, "QDEC.ACCREAD"), -2);
    cr_expect_eq(peek(knob.bench, "QDEC.ACC"), 0u);
    bench_free(knob.bench);
}

Test(qdec, report_comes_after_ten_samples_if_it_moved)
{
    struct knob knob = knob_new();
    poke(knob.bench, "QDEC.INTENSET", 1u << 1);
    poke(knob.bench, "QDEC.TASKS_START", 1);
    advance_us(knob.bench, 1280);
    cr_expect_eq(peek(knob.bench, "QDEC.EVENTS_REPORTRDY"), 0u, "nothing moved");
    turn(&knob, 1);
    advance_us(knob.bench, 8 * 128);
    cr_expect_eq(peek(knob.bench, "QDEC.EVENTS_REPORTRDY"), 0u);
    advance_us(knob.bench, 128);
    cr_expect_eq(peek(knob.bench, "QDEC.EVENTS_REPORTRDY"), 1u);
    cr_expect(knob.bench->irq[18]);
    bench_free(knob.bench);
}

Test(qdec, both_wires_at_once_count_as_double)
{
    struct knob knob = knob_new();
    poke(knob.bench, "QDEC.TASKS_START", 1);
    advance_us(knob.bench, 128);
    wire_drive(&knob.bench->bus.pin[A_PIN], knob.a, WIRE_STRONG, WIRE_FULL);
    wire_drive(&knob.bench->bus.pin[B_PIN], knob.b, WIRE_STRONG, WIRE_FULL);
    advance_us(knob.bench, 128);
    cr_expect_eq(peek(knob.bench, "QDEC.SAMPLE"), 2u);
    cr_expect_eq(peek(knob.bench, "QDEC.ACC"), 0u);
    cr_expect_eq(peek(knob.bench, "QDEC.ACCDBL"), 1u);
    bench_free(knob.bench);
}

Test(qdec, stop_stops)
{
    struct knob knob = knob_new();
    poke(knob.bench, "QDEC.TASKS_START", 1);
    advance_us(knob.bench, 128);
    poke(knob.bench, "QDEC.TASKS_STOP", 1);
    cr_expect_eq(peek(knob.bench, "QDEC.EVENTS_STOPPED"), 1u);
    turn(&knob, 3);
    cr_expect_eq(peek(knob.bench, "QDEC.ACC"), 0u);
    bench_free(knob.bench);
}
