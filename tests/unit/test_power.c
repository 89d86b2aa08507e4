/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

Test(clocks, hfxo_starts_in_360_us)
{
    struct bench *bench = bench_new();
    cr_expect_eq(peek(bench, "CLOCK.HFCLKSTAT"), 0x10000u);
    poke(bench, "CLOCK.INTENSET", 1);
    poke(bench, "CLOCK.TASKS_HFCLKSTART", 1);
    cr_expect_eq(peek(bench, "CLOCK.HFCLKRUN"), 1u);
    advance(bench, 360 * CYCLES_PER_US - 1);
    cr_expect_not(bench->irq[0]);
    advance(bench, 1);
    cr_expect(bench->irq[0]);
    cr_expect_eq(peek(bench, "CLOCK.HFCLKSTAT"), 0x10001u);
    poke(bench, "CLOCK.TASKS_HFCLKSTOP", 1);
    cr_expect_eq(peek(bench, "CLOCK.HFCLKSTAT"), 0x10000u);
    bench_free(bench);
}

Test(clocks, lfxo_is_preceded_by_lfrc)
{
    struct bench *bench = bench_new();
    poke(bench, "CLOCK.LFCLKSRC", 1);
    poke(bench, "CLOCK.TASKS_LFCLKSTART", 1);
    cr_expect_eq(peek(bench, "CLOCK.LFCLKSTAT"), 0u);
    advance_us(bench, 600);
    cr_expect_eq(peek(bench, "CLOCK.LFCLKSTAT"), 0x10000u);
    cr_expect_eq(peek(bench, "CLOCK.EVENTS_LFCLKSTARTED"), 0u);
    advance_us(bench, 249400);
    cr_expect_eq(peek(bench, "CLOCK.LFCLKSTAT"), 0x10001u);
    cr_expect_eq(peek(bench, "CLOCK.LFCLKSRCCOPY"), 1u);
    cr_expect_eq(peek(bench, "CLOCK.EVENTS_LFCLKSTARTED"), 1u);
    bench_free(bench);
}

Test(clocks, calibration_timer_counts_quarter_seconds)
{
    struct bench *bench = bench_new();
    poke(bench, "CLOCK.CTIV", 3);
    poke(bench, "CLOCK.TASKS_CTSTART", 1);
    advance_us(bench, 749999);
    cr_expect_eq(peek(bench, "CLOCK.EVENTS_CTTO"), 0u);
    advance_us(bench, 1);
    cr_expect_eq(peek(bench, "CLOCK.EVENTS_CTTO"), 1u);
    bench_free(bench);
}

Test(power, reset_reasons_add_up_until_cleared)
{
    static const struct {
        enum reset_cause cause;
        uint32_t bit;
    } rows[] = {{RESET_PIN, 1u << 0},
                {RESET_WATCHDOG, 1u << 1},
                {RESET_SOFT, 1u << 2},
                {RESET_LOCKUP, 1u << 3},
                {RESET_OFF_WAKE, 1u << 16}};
    struct bench *bench = bench_new();
    uint32_t all = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bus_reset(&bench->bus, rows[i].cause);
        all |= rows[i].bit;
        cr_expect_eq(peek(bench, "POWER.RESETREAS"), all);
    }
    poke(bench, "POWER.RESETREAS", 0xfffffffe);
    cr_expect_eq(peek(bench, "POWER.RESETREAS"), 1u);
    bus_reset(&bench->bus, RESET_BROWNOUT);
    cr_expect_eq(peek(bench, "POWER.RESETREAS"), 0u);
    bench_free(bench);
}

Test(power, gpregret_outlives_soft_resets_only)
{
    static const struct {
        enum reset_cause cause;
        bool kept;
    } rows[] = {{RESET_SOFT, true}, {RESET_LOCKUP, true},    {RESET_OFF_WAKE, true},
                {RESET_PIN, false}, {RESET_WATCHDOG, false}, {RESET_POWER_ON, false}};
    struct bench *bench = bench_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        poke(bench, "POWER.GPREGRET", 0xb1);
        poke(bench, "POWER.GPREGRET2", 0x22);
        bus_reset(&bench->bus, rows[i].cause);
        cr_expect_eq(peek(bench, "POWER.GPREGRET"), rows[i].kept ? 0xb1u : 0u);
        cr_expect_eq(peek(bench, "POWER.GPREGRET2"), rows[i].kept ? 0x22u : 0u);
    }
    bench_free(bench);
}

Test(power, vbus_is_told_and_told_again_after_reset)
{
    struct bench *bench = bench_new();
    power_set_vbus(&bench->soc.power, true);
    cr_expect_eq(peek(bench, "POWER.EVENTS_USBDETECTED"), 1u);
    cr_expect_eq(peek(bench, "POWER.USBREGSTATUS"), 1u);
    advance_us(bench, 1000);
    cr_expect_eq(peek(bench, "POWER.EVENTS_USBPWRRDY"), 1u);
    cr_expect_eq(peek(bench, "POWER.USBREGSTATUS"), 3u);
    bus_reset(&bench->bus, RESET_SOFT);
    cr_expect_not(bench->irq[0]);
    poke(bench, "POWER.INTENSET", 1u << 7);
    cr_expect(bench->irq[0]);
    power_set_vbus(&bench->soc.power, false);
    cr_expect_eq(peek(bench, "POWER.EVENTS_USBREMOVED"), 1u);
    cr_expect_eq(peek(bench, "POWER.USBREGSTATUS"), 0u);
    bench_free(bench);
}

Test(power, the_comparator_warns_on_the_way_down)
{
    struct bench *bench = bench_new();
    poke(bench, "POWER.POFCON", 1 | 15u << 1); /* 2.8 V */
    power_set_supply(&bench->soc.power, 2800, 2800);
    cr_expect_eq(peek(bench, "POWER.EVENTS_POFWARN"), 0u);
    power_set_supply(&bench->soc.power, 2799, 2799);
    cr_expect_eq(peek(bench, "POWER.EVENTS_POFWARN"), 1u);
    cr_expect_not(power_holds_reset(&bench->soc.power));
    power_set_supply(&bench->soc.power, 1500, 1500);
    cr_expect(power_holds_reset(&bench->soc.power));
    cr_expect_eq(bench->last_reset, RESET_BROWNOUT);
    bench_free(bench);
}

Test(power, system_off_keeps_pins_and_wakes_on_detect)
{
    struct bench *bench = bench_new();
    int driver = wire_add_driver(&bench->bus.pin[11]);
    poke(bench, "P0.PIN_CNF[11]", 0xcu | 3u << 16);
    poke(bench, "P0.PIN_CNF[13]", 3);
    poke(bench, "P0.OUTSET", 1u << 13);
    poke(bench, "CLOCK.TASKS_HFCLKSTART", 1);
    poke(bench, "POWER.SYSTEMOFF", 1);
    cr_expect(power_is_off(&bench->soc.power));
    advance_us(bench, 1000);
    cr_expect_eq(peek(bench, "CLOCK.EVENTS_HFCLKSTARTED"), 0u);
    cr_expect(wire_high(&bench->bus.pin[13]));
    cr_expect_eq(bench->resets, 0);
    wire_drive(&bench->bus.pin[11], driver, WIRE_STRONG, 0);
    cr_expect_eq(bench->resets, 1);
    cr_expect_eq(bench->last_reset, RESET_OFF_WAKE);
    bus_reset(&bench->bus, RESET_OFF_WAKE);
    cr_expect_not(power_is_off(&bench->soc.power));
    cr_expect_eq(peek(bench, "POWER.RESETREAS"), 1u << 16);
    bench_free(bench);
}

Test(power, vbus_wakes_with_its_own_reason)
{
    struct bench *bench = bench_new();
    poke(bench, "POWER.SYSTEMOFF", 1);
    advance_us(bench, 10);
    power_set_vbus(&bench->soc.power, true);
    cr_expect_eq(bench->last_reset, RESET_OFF_WAKE);
    bus_reset(&bench->bus, RESET_OFF_WAKE);
    cr_expect_eq(peek(bench, "POWER.RESETREAS"), 1u << 20);
    bench_free(bench);
}

Test(power, nreset_is_where_uicr_says)
{
    struct bench *bench = bench_new();
    const uint8_t pin[8] = {18, 0, 0, 0, 18, 0, 0, 0};
    int driver = wire_add_driver(&bench->bus.pin[18]);
    wire_drive(&bench->bus.pin[18], driver, WIRE_STRONG, 0);
    cr_expect_not(power_holds_reset(&bench->soc.power));
    wire_drive(&bench->bus.pin[18], driver, WIRE_FLOATING, 0);
    nor_load(&bench->soc.uicr, 0x200, pin, sizeof pin);
    bus_reset(&bench->bus, RESET_POWER_ON);
    cr_expect(wire_high(&bench->bus.pin[18]), "pulled up");
    cr_expect_not(power_holds_reset(&bench->soc.power));
    wire_drive(&bench->bus.pin[18], driver, WIRE_STRONG, 0);
    cr_expect_eq(bench->last_reset, RESET_PIN);
    cr_expect(power_holds_reset(&bench->soc.power));
    wire_drive(&bench->bus.pin[18], driver, WIRE_FLOATING, 0);
    cr_expect_not(power_holds_reset(&bench->soc.power));
    bench_free(bench);
}

Test(power, retention_follows_the_ram_sections)
{
    struct bench *bench = bench_new();
    poke(bench, "POWER.RAM[8].POWERSET", 1u << 21);
    poke(bench, "POWER.RAM[2].POWERSET", 1u << 17);
    cr_expect_not(power_retains(&bench->soc.power, 0x37fff));
    cr_expect(power_retains(&bench->soc.power, 0x38000));
    cr_expect(power_retains(&bench->soc.power, 0x3ffff));
    cr_expect_not(power_retains(&bench->soc.power, 0x4fff));
    cr_expect(power_retains(&bench->soc.power, 0x5000));
    cr_expect_not(power_retains(&bench->soc.power, 0x6000));
    poke(bench, "POWER.RAM[8].POWERCLR", 1u << 21);
    cr_expect_not(power_retains(&bench->soc.power, 0x38000));
    bench_free(bench);
}
