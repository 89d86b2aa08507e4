/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LEDs and buttons on the chip's pins. */
#include "bench.h"

#include "parts/button.h"
#include "parts/led.h"

struct lamp_log {
    unsigned count;
    struct light_change last;
};

static void heard(void *context, uint64_t cycle, const void *what)
{
    struct lamp_log *log = context;
    (void)cycle;
    log->count++;
    log->last = *(const struct light_change *)what;
}

Test(led, active_low_is_dark_until_driven_low)
{
    struct bench *bench = bench_new();
    struct lamp_log log = {0};
    struct led led;
    signal_subscribe(&bench->bus.signals, SIGNAL_LIGHT, heard, &log);
    cr_assert_eq(led_init(&led, &bench->bus, "rgb", 13, 14, 15, true), 0);
    cr_expect_eq(log.count, 0u);
    cr_expect(wire_high(&bench->bus.pin[13]), "the diode pulls its pin up");
    poke(bench, "P0.OUTCLR", 1 << 14);
    poke(bench, "P0.DIRSET", 1 << 14);
    cr_expect_eq(log.count, 1u);
    cr_expect_str_eq(log.last.light, "rgb");
    cr_expect(log.last.r == 0 && log.last.g == 65535 && log.last.b == 0);
    poke(bench, "P0.OUTSET", 1 << 14);
    cr_expect_eq(log.last.g, 0);
    bench_free(bench);
}

Test(led, brightness_is_the_duty)
{
    struct bench *bench = bench_new();
    struct lamp_log log = {0};
    struct led led;
    signal_subscribe(&bench->bus.signals, SIGNAL_LIGHT, heard, &log);
    cr_assert_eq(led_init(&led, &bench->bus, "d7", LED_NO_PIN, LED_NO_PIN, 44, false), 0);
    gpio_peripheral_drive(&bench->soc.gpio, 44, true, WIRE_STRONG, 16384);
    cr_expect(log.last.r == 0 && log.last.g == 0 && log.last.b == 16384);
    gpio_peripheral_drive(&bench->soc.gpio, 44, false, WIRE_FLOATING, 0);
    cr_expect_eq(log.last.b, 0);
    cr_expect_eq(log.count, 2u);
    bench_free(bench);
}

Test(button, pulls_its_pin_to_ground)
{
    struct bench *bench = bench_new();
    struct button button;
    cr_assert_eq(button_init(&button, &bench->bus, 11, true), 0);
    poke(bench, "P0.PIN_CNF[11]", 0);
    cr_expect_eq(peek(bench, "P0.IN") >> 11 & 1, 1u);
    button_press(&button, true);
    cr_expect_eq(peek(bench, "P0.IN") >> 11 & 1, 0u);
    button_press(&button, false);
    cr_expect_eq(peek(bench, "P0.IN") >> 11 & 1, 1u);
    bench_free(bench);
}

Test(button, without_resistor_follows_the_chips_pull)
{
    struct bench *bench = bench_new();
    struct button button;
    cr_assert_eq(button_init(&button, &bench->bus, 11, false), 0);
    poke(bench, "P0.PIN_CNF[11]", 3 << 2);
    cr_expect_eq(peek(bench, "P0.IN") >> 11 & 1, 1u);
    button_press(&button, true);
    cr_expect_eq(peek(bench, "P0.IN") >> 11 & 1, 0u);
    bench_free(bench);
}
