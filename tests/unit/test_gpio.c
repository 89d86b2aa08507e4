/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#define OUTPUT          0x3u
#define INPUT           0x0u
#define INPUT_PULLUP    0xcu
#define SENSE_LOW       (3u << 16)
#define DRIVE_S0D1      (6u << 8)
#define PIN_OF_CHANNEL0 9u

/* An outside part on a pin. */
static int part(struct bench *bench, unsigned pin)
{
    int driver = wire_add_driver(&bench->bus.pin[pin]);
    cr_assert_geq(driver, 0);
    return driver;
}

Test(gpio, output_reaches_the_wire_only_with_dir_set)
{
    struct bench *bench = bench_new();
    poke(bench, "P0.OUTSET", 1u << 13);
    cr_expect_not(wire_high(&bench->bus.pin[13]));
    poke(bench, "P0.DIRSET", 1u << 13);
    cr_expect(wire_high(&bench->bus.pin[13]));
    cr_expect_eq(peek(bench, "P0.PIN_CNF[13]"), 3u);
    poke(bench, "P0.OUTCLR", 1u << 13);
    cr_expect_not(wire_high(&bench->bus.pin[13]));
    poke(bench, "P1.PIN_CNF[12]", OUTPUT);
    poke(bench, "P1.OUT", 1u << 12);
    cr_expect(wire_high(&bench->bus.pin[44]));
    cr_expect_eq(peek(bench, "P1.DIR"), 1u << 12);
    bench_free(bench);
}

Test(gpio, input_needs_its_buffer_and_pulls_yield_to_a_part)
{
    struct bench *bench = bench_new();
    poke(bench, "P0.PIN_CNF[11]", INPUT_PULLUP);
    cr_expect_eq(peek(bench, "P0.IN"), 1u << 11);
    int driver = part(bench, 11);
    wire_drive(&bench->bus.pin[11], driver, WIRE_STRONG, 0);
    cr_expect_eq(peek(bench, "P0.IN"), 0u);
    wire_drive(&bench->bus.pin[11], driver, WIRE_STRONG, WIRE_FULL);
    poke(bench, "P0.PIN_CNF[11]", INPUT_PULLUP | 2);
    cr_expect_eq(peek(bench, "P0.IN"), 0u);
    bench_free(bench);
}

Test(gpio, open_drain_lets_go_of_a_high_level)
{
    struct bench *bench = bench_new();
    int driver = part(bench, 24);
    wire_drive(&bench->bus.pin[24], driver, WIRE_PULL, WIRE_FULL);
    poke(bench, "P0.OUTSET", 1u << 24);
    poke(bench, "P0.PIN_CNF[24]", OUTPUT | DRIVE_S0D1);
    cr_expect(wire_high(&bench->bus.pin[24]));
    wire_drive(&bench->bus.pin[24], driver, WIRE_STRONG, 0);
    cr_expect_not(wire_high(&bench->bus.pin[24]));
    wire_drive(&bench->bus.pin[24], driver, WIRE_PULL, WIRE_FULL);
    poke(bench, "P0.OUTCLR", 1u << 24);
    cr_expect_not(wire_high(&bench->bus.pin[24]));
    bench_free(bench);
}

Test(gpio, a_peripheral_borrows_a_pin_and_returns_it)
{
    struct bench *bench = bench_new();
    poke(bench, "P0.PIN_CNF[13]", OUTPUT);
    poke(bench, "P0.OUTSET", 1u << 13);
    gpio_peripheral_drive(bench->bus.gpio, 13, true, WIRE_STRONG, 12345);
    cr_expect_eq(bench->bus.pin[13].level, 12345);
    poke(bench, "P0.OUTCLR", 1u << 13);
    cr_expect_eq(bench->bus.pin[13].level, 12345);
    gpio_peripheral_drive(bench->bus.gpio, 13, false, WIRE_FLOATING, 0);
    cr_expect_eq(bench->bus.pin[13].level, 0);
    gpio_psel_drive(bench->bus.gpio, 0xffffffff, true, WIRE_STRONG, WIRE_FULL);
    bench_free(bench);
}

Test(gpio, latch_and_port_event)
{
    struct bench *bench = bench_new();
    int driver = part(bench, 11);
    poke(bench, "GPIOTE.INTENSET", 1u << 31);
    poke(bench, "P0.PIN_CNF[11]", INPUT_PULLUP | SENSE_LOW);
    cr_expect_eq(peek(bench, "GPIOTE.EVENTS_PORT"), 0u);
    wire_drive(&bench->bus.pin[11], driver, WIRE_STRONG, 0);
    cr_expect_eq(peek(bench, "GPIOTE.EVENTS_PORT"), 1u);
    cr_expect(bench->irq[6]);
    cr_expect_eq(peek(bench, "P0.LATCH"), 1u << 11);
    poke(bench, "P0.LATCH", 1u << 11);
    cr_expect_eq(peek(bench, "P0.LATCH"), 1u << 11, "the pin is still low");
    wire_drive(&bench->bus.pin[11], driver, WIRE_FLOATING, 0);
    poke(bench, "P0.LATCH", 1u << 11);
    cr_expect_eq(peek(bench, "P0.LATCH"), 0u);
    bench_free(bench);
}

Test(gpio, ldetect_stays_until_the_latch_is_cleared)
{
    struct bench *bench = bench_new();
    int driver = part(bench, 11);
    poke(bench, "P0.DETECTMODE", 1);
    poke(bench, "P0.PIN_CNF[11]", INPUT_PULLUP | SENSE_LOW);
    wire_drive(&bench->bus.pin[11], driver, WIRE_STRONG, 0);
    wire_drive(&bench->bus.pin[11], driver, WIRE_FLOATING, 0);
    cr_expect(gpio_detect(&bench->soc.gpio, 0));
    poke(bench, "GPIOTE.EVENTS_PORT", 0);
    poke(bench, "P0.LATCH", 1u << 11);
    cr_expect_not(gpio_detect(&bench->soc.gpio, 0));
    cr_expect_eq(peek(bench, "GPIOTE.EVENTS_PORT"), 0u);
    bench_free(bench);
}

Test(gpio, pins_survive_system_off_only)
{
    struct bench *bench = bench_new();
    poke(bench, "P0.PIN_CNF[13]", OUTPUT);
    poke(bench, "P0.OUTSET", 1u << 13);
    bus_reset(&bench->bus, RESET_OFF_WAKE);
    cr_expect(wire_high(&bench->bus.pin[13]));
    bus_reset(&bench->bus, RESET_SOFT);
    cr_expect_not(wire_high(&bench->bus.pin[13]));
    cr_expect_eq(peek(bench, "P0.PIN_CNF[13]"), 2u);
    bench_free(bench);
}

Test(gpiote, event_channels_follow_their_polarity)
{
    struct bench *bench = bench_new();
    int driver = part(bench, PIN_OF_CHANNEL0);
    int second = part(bench, 33);
    poke(bench, "GPIOTE.CONFIG[0]", 1 | PIN_OF_CHANNEL0 << 8 | 2u << 16);
    poke(bench, "GPIOTE.CONFIG[5]", 1 | 33u << 8 | 3u << 16);
    wire_drive(&bench->bus.pin[PIN_OF_CHANNEL0], driver, WIRE_STRONG, WIRE_FULL);
    cr_expect_eq(peek(bench, "GPIOTE.EVENTS_IN[0]"), 0u);
    wire_drive(&bench->bus.pin[PIN_OF_CHANNEL0], driver, WIRE_STRONG, 0);
    cr_expect_eq(peek(bench, "GPIOTE.EVENTS_IN[0]"), 1u);
    for (int i = 0; i < 2; i++) {
        poke(bench, "GPIOTE.EVENTS_IN[5]", 0);
        wire_drive(&bench->bus.pin[33], second, WIRE_STRONG, i ? 0 : WIRE_FULL);
        cr_expect_eq(peek(bench, "GPIOTE.EVENTS_IN[5]"), 1u);
    }
    bench_free(bench);
}

Test(gpiote, task_channel_owns_its_pin)
{
    struct bench *bench = bench_new();
    poke(bench, "GPIOTE.CONFIG[2]", 3 | 13u << 8 | 3u << 16 | 1u << 20);
    cr_expect(wire_high(&bench->bus.pin[13]));
    poke(bench, "GPIOTE.TASKS_OUT[2]", 1);
    cr_expect_not(wire_high(&bench->bus.pin[13]));
    poke(bench, "GPIOTE.TASKS_SET[2]", 1);
    cr_expect(wire_high(&bench->bus.pin[13]));
    poke(bench, "GPIOTE.TASKS_CLR[2]", 1);
    cr_expect_not(wire_high(&bench->bus.pin[13]));
    poke(bench, "GPIOTE.TASKS_SET[2]", 1);
    poke(bench, "GPIOTE.CONFIG[2]", 0);
    cr_expect_not(wire_high(&bench->bus.pin[13]), "GPIO's own DIR is input");
    bench_free(bench);
}
