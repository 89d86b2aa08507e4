/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TWIM by its registers, with the charger and the fuel gauge as slaves. */
#include "bench.h"

#include "core/ports.h"
#include "parts/bq24195.h"
#include "parts/max17043.h"

#define RAM 0x20000000u
#define SCL 41
#define SDA 24
#define BIT 640u /* cycles at 100 kbit/s */

enum {
    LASTTX_STARTRX = 1 << 7,
    LASTTX_SUSPEND = 1 << 8,
    LASTTX_STOP = 1 << 9,
    LASTRX_STOP = 1 << 12,
};

struct rig {
    struct bench *bench;
    struct bq24195 charger;
    struct max17043 gauge;
    unsigned lights;
    bool lit;
};

static void light(void *context, uint64_t cycle, const void *what)
{
    struct rig *rig = context;
    (void)cycle;
    rig->lights++;
    rig->lit = ((const struct light_change *)what)->r != 0;
}

static struct rig *rig_new(void)
{
    struct rig *rig = calloc(1, sizeof *rig);
    cr_assert_not_null(rig);
    rig->bench = bench_new();
    signal_subscribe(&rig->bench->bus.signals, SIGNAL_LIGHT, light, rig);
    cr_assert_eq(
        bq24195_init(&rig->charger, &rig->bench->bus, SCL, SDA, "charge", (uint16_t[]){65535, 32768, 0}), 0);
    cr_assert_eq(max17043_init(&rig->gauge, &rig->bench->bus, SCL, SDA, 5), 0);
    bq24195_reset(&rig->charger);
    max17043_reset(&rig->gauge);
    poke(rig->bench, "TWIM1.PSEL.SCL", SCL);
    poke(rig->bench, "TWIM1.PSEL.SDA", SDA);
    poke(rig->bench, "TWIM1.FREQUENCY", 0x01980000);
    poke(rig->bench, "TWIM1.ENABLE", 6);
    return rig;
}

static void rig_free(struct rig *rig)
{
    bench_free(rig->bench);
    free(rig);
}

static void run_until(struct rig *rig, const char *event)
{
    for (unsigned i = 0; i < 1000 && !peek(rig->bench, event); i++)
        advance(rig->bench, BIT);
    cr_assert(peek(rig->bench, event), "%s never came", event);
    poke(rig->bench, event, 0);
}

/* Register write as the firmware does it: one transfer, LASTTX stops. */
static void set(struct rig *rig, uint8_t address, const uint8_t *bytes, uint32_t count)
{
    memcpy(rig->bench->ram, bytes, count);
    poke(rig->bench, "TWIM1.ADDRESS", address);
    poke(rig->bench, "TWIM1.TXD.PTR", RAM);
    poke(rig->bench, "TWIM1.TXD.MAXCNT", count);
    poke(rig->bench, "TWIM1.SHORTS", LASTTX_STOP);
    poke(rig->bench, "TWIM1.TASKS_STARTTX", 1);
    run_until(rig, "TWIM1.EVENTS_STOPPED");
}

/* Register number, repeated start, `count` bytes to RAM + 0x80. */
static const uint8_t *get(struct rig *rig, uint8_t address, uint8_t number, uint32_t count)
{
    rig->bench->ram[0] = number;
    memset(rig->bench->ram + 0x80, 0xee, 16);
    poke(rig->bench, "TWIM1.ADDRESS", address);
    poke(rig->bench, "TWIM1.TXD.PTR", RAM);
    poke(rig->bench, "TWIM1.TXD.MAXCNT", 1);
    poke(rig->bench, "TWIM1.RXD.PTR", RAM + 0x80);
    poke(rig->bench, "TWIM1.RXD.MAXCNT", count);
    poke(rig->bench, "TWIM1.SHORTS", LASTTX_STARTRX | LASTRX_STOP);
    poke(rig->bench, "TWIM1.TASKS_STARTTX", 1);
    run_until(rig, "TWIM1.EVENTS_STOPPED");
    return rig->bench->ram + 0x80;
}

Test(twim, write_then_read_with_repeated_start)
{
    struct rig *rig = rig_new();
    set(rig, 0x6b, (uint8_t[]){0x02, 0x71}, 2);
    cr_expect_eq(peek(rig->bench, "TWIM1.TXD.AMOUNT"), 2u);
    cr_expect_eq(rig->charger.reg[2], 0x71);
    const uint8_t *got = get(rig, 0x6b, 0x01, 3);
    cr_expect_arr_eq(got, ((uint8_t[]){0x1b, 0x71, 0x11, 0xee}), 4);
    cr_expect_eq(peek(rig->bench, "TWIM1.RXD.AMOUNT"), 3u);
    cr_expect_eq(peek(rig->bench, "TWIM1.EVENTS_ERROR"), 0u);
    rig_free(rig);
}

Test(twim, takes_the_time_of_its_bits)
{
    struct rig *rig = rig_new();
    poke(rig->bench, "TWIM1.ADDRESS", 0x6b);
    poke(rig->bench, "TWIM1.TXD.PTR", RAM);
    poke(rig->bench, "TWIM1.TXD.MAXCNT", 2);
    poke(rig->bench, "TWIM1.SHORTS", LASTTX_STOP);
    poke(rig->bench, "TWIM1.TASKS_STARTTX", 1);
    cr_expect_eq(peek(rig->bench, "TWIM1.EVENTS_TXSTARTED"), 1u);
    advance(rig->bench, (10 + 9) * BIT - 1);
    cr_expect_eq(peek(rig->bench, "TWIM1.EVENTS_LASTTX"), 0u);
    advance(rig->bench, 1);
    cr_expect_eq(peek(rig->bench, "TWIM1.EVENTS_LASTTX"), 1u);
    advance(rig->bench, (9 + 1) * BIT - 1);
    cr_expect_eq(peek(rig->bench, "TWIM1.EVENTS_STOPPED"), 0u);
    advance(rig->bench, 1);
    cr_expect_eq(peek(rig->bench, "TWIM1.EVENTS_STOPPED"), 1u);
    rig_free(rig);
}

Test(twim, nobody_there_is_an_address_nack)
{
    struct rig *rig = rig_new();
    poke(rig->bench, "TWIM1.INTENSET", 1 << 9);
    poke(rig->bench, "TWIM1.ADDRESS", 0x12);
    poke(rig->bench, "TWIM1.TXD.MAXCNT", 1);
    poke(rig->bench, "TWIM1.SHORTS", LASTTX_STOP);
    poke(rig->bench, "TWIM1.TASKS_STARTTX", 1);
    run_until(rig, "TWIM1.EVENTS_ERROR");
    cr_expect_eq(peek(rig->bench, "TWIM1.ERRORSRC"), 2u);
    cr_expect_eq(peek(rig->bench, "TWIM1.TXD.AMOUNT"), 0u);
    advance_us(rig->bench, 10000);
    cr_expect_eq(peek(rig->bench, "TWIM1.EVENTS_STOPPED"), 0u, "only the STOP task ends it");
    poke(rig->bench, "TWIM1.TASKS_STOP", 1);
    run_until(rig, "TWIM1.EVENTS_STOPPED");
    poke(rig->bench, "TWIM1.ERRORSRC", 2);
    cr_expect_eq(peek(rig->bench, "TWIM1.ERRORSRC"), 0u);
    rig_free(rig);
}

Test(twim, other_pins_reach_nobody)
{
    struct rig *rig = rig_new();
    poke(rig->bench, "TWIM1.PSEL.SDA", 25);
    poke(rig->bench, "TWIM1.ADDRESS", 0x6b);
    poke(rig->bench, "TWIM1.TASKS_STARTRX", 1);
    run_until(rig, "TWIM1.EVENTS_ERROR");
    rig_free(rig);
}

Test(twim, suspend_holds_between_bytes)
{
    struct rig *rig = rig_new();
    rig->bench->ram[0] = 0x0a;
    poke(rig->bench, "TWIM1.ADDRESS", 0x6b);
    poke(rig->bench, "TWIM1.TXD.PTR", RAM);
    poke(rig->bench, "TWIM1.TXD.MAXCNT", 1);
    poke(rig->bench, "TWIM1.RXD.PTR", RAM + 0x80);
    poke(rig->bench, "TWIM1.RXD.MAXCNT", 1);
    poke(rig->bench, "TWIM1.SHORTS", LASTTX_SUSPEND | LASTRX_STOP);
    poke(rig->bench, "TWIM1.TASKS_STARTTX", 1);
    run_until(rig, "TWIM1.EVENTS_SUSPENDED");
    poke(rig->bench, "TWIM1.TASKS_STARTRX", 1);
    advance_us(rig->bench, 5000);
    cr_expect_eq(peek(rig->bench, "TWIM1.EVENTS_RXSTARTED"), 0u);
    poke(rig->bench, "TWIM1.TASKS_RESUME", 1);
    run_until(rig, "TWIM1.EVENTS_STOPPED");
    cr_expect_eq(rig->bench->ram[0x80], 0x23);
    rig_free(rig);
}

static bool acknowledge_address(void *self, bool read)
{
    (void)self, (void)read;
    return true;
}

static bool refuse_byte(void *self, uint8_t byte)
{
    (void)self, (void)byte;
    return false;
}

static uint8_t answer_byte(void *self)
{
    (void)self;
    return 0x5a;
}

Test(twim, a_start_that_the_error_triggers_has_an_address)
{
    struct rig *rig = rig_new();
    struct i2c_device device = {0x55, acknowledge_address, refuse_byte, answer_byte, NULL, NULL};
    cr_assert_eq(ports_attach_i2c(rig->bench->bus.ports, SCL, SDA, &device), 0);
    poke(rig->bench, "PPI.CH[0].EEP", bench_address(rig->bench, "TWIM1.EVENTS_ERROR"));
    poke(rig->bench, "PPI.CH[0].TEP", bench_address(rig->bench, "TWIM1.TASKS_STARTRX"));
    poke(rig->bench, "PPI.CHENSET", 1);
    poke(rig->bench, "TWIM1.ADDRESS", 0x55);
    poke(rig->bench, "TWIM1.TXD.PTR", RAM);
    poke(rig->bench, "TWIM1.TXD.MAXCNT", 2);
    poke(rig->bench, "TWIM1.RXD.PTR", RAM + 0x80);
    poke(rig->bench, "TWIM1.RXD.MAXCNT", 1);
    poke(rig->bench, "TWIM1.TASKS_STARTTX", 1);
    advance(rig->bench, (10 + 9) * BIT);
    cr_expect_eq(peek(rig->bench, "TWIM1.ERRORSRC"), 4u);
    cr_expect_eq(peek(rig->bench, "TWIM1.EVENTS_RXSTARTED"), 1u);
    advance(rig->bench, (10 + 9) * BIT - 1);
    cr_expect_eq(peek(rig->bench, "TWIM1.RXD.AMOUNT"), 0u);
    advance(rig->bench, 1);
    cr_expect_eq(rig->bench->ram[0x80], 0x5a);
    rig_free(rig);
}

Test(twim, interrupt_and_shared_page)
{
    struct rig *rig = rig_new();
    poke(rig->bench, "TWIM1.INTENSET", 1 << 1);
    poke(rig->bench, "TWIM1.TASKS_STOP", 1);
    cr_expect(rig->bench->irq[4]);
    poke(rig->bench, "TWIM1.EVENTS_STOPPED", 0);
    cr_expect_not(rig->bench->irq[4]);
    poke(rig->bench, "TWIM1.ENABLE", 0);
    poke(rig->bench, "TWIM1.INTENCLR", 0xffffffff);
    cr_expect_eq(peek(rig->bench, "TWIM1.INTENSET"), 0u, "INTEN works while nothing is enabled");
    poke(rig->bench, "TWIM1.TASKS_STOP", 1);
    cr_expect_eq(peek(rig->bench, "TWIM1.EVENTS_STOPPED"), 0u);
    cr_expect_eq(rig->bench->findings, 0);
    rig_free(rig);
}

Test(twim, save_and_restore_in_the_middle)
{
    struct rig *rig = rig_new();
    struct state state = {0};
    memcpy(rig->bench->ram, (uint8_t[]){0x02, 0x71, 0x22}, 3);
    poke(rig->bench, "TWIM1.ADDRESS", 0x6b);
    poke(rig->bench, "TWIM1.TXD.PTR", RAM);
    poke(rig->bench, "TWIM1.TXD.MAXCNT", 3);
    poke(rig->bench, "TWIM1.SHORTS", LASTTX_STOP);
    poke(rig->bench, "TWIM1.TASKS_STARTTX", 1);
    advance(rig->bench, 30 * BIT);
    uint64_t then = rig->bench->bus.clock.now;
    state_begin_save(&state);
    bus_save(&rig->bench->bus, &state);
    bq24195_save(&rig->charger, &state);
    run_until(rig, "TWIM1.EVENTS_STOPPED");
    rig->bench->bus.clock.now = then;
    state_begin_load(&state);
    bus_save(&rig->bench->bus, &state);
    bq24195_save(&rig->charger, &state);
    cr_expect_eq(state.error, 0);
    cr_expect_eq(rig->charger.reg[3], 0x11);
    run_until(rig, "TWIM1.EVENTS_STOPPED");
    cr_expect_eq(rig->charger.reg[2], 0x71);
    cr_expect_eq(rig->charger.reg[3], 0x22);
    state_free(&state);
    rig_free(rig);
}

Test(bq24195, registers_after_power_on)
{
    struct rig *rig = rig_new();
    static const uint8_t wanted[11] = {0x30, 0x1b, 0x60, 0x11, 0xb2, 0x9a, 0x03, 0x4b, 0x64, 0x00, 0x23};
    const uint8_t *got = get(rig, 0x6b, 0, 11);
    cr_expect_arr_eq(got, wanted, 11);
    set(rig, 0x6b, (uint8_t[]){0x0a, 0xff}, 2);
    cr_expect_eq(*get(rig, 0x6b, 0x0a, 1), 0x23);
    set(rig, 0x6b, (uint8_t[]){0x01, 0x80}, 2);
    cr_expect_eq(*get(rig, 0x6b, 0x01, 1), 0x1b);
    rig_free(rig);
}

Test(bq24195, fault_register_is_latched_until_read_twice)
{
    struct rig *rig = rig_new();
    bq24195_set_fault(&rig->charger, BQ24195_FAULT_HOT);
    bq24195_set_fault(&rig->charger, BQ24195_FAULT_NONE);
    cr_expect_eq(*get(rig, 0x6b, 9, 1), 0x02);
    cr_expect_eq(*get(rig, 0x6b, 9, 1), 0x00);
    rig_free(rig);
}

Test(bq24195, watchdog_restores_defaults)
{
    struct rig *rig = rig_new();
    set(rig, 0x6b, (uint8_t[]){0x02, 0x71}, 2);
    advance_us(rig->bench, 39000000);
    cr_expect_eq(*get(rig, 0x6b, 2, 1), 0x71);
    advance_us(rig->bench, 1100000);
    cr_expect_eq(*get(rig, 0x6b, 2, 1), 0x60);
    cr_expect_eq(*get(rig, 0x6b, 9, 1), 0x80);
    set(rig, 0x6b, (uint8_t[]){0x05, 0x8a}, 2); /* watchdog off */
    set(rig, 0x6b, (uint8_t[]){0x02, 0x71}, 2);
    advance_us(rig->bench, 200000000);
    cr_expect_eq(*get(rig, 0x6b, 2, 1), 0x71);
    rig_free(rig);
}

Test(bq24195, charge_lamp)
{
    struct rig *rig = rig_new();
    cr_expect(rig->lit && rig->lights == 1);
    cr_expect_eq(*get(rig, 0x6b, 8, 1), 0x64, "USB host, fast charging, power good");
    bq24195_set_battery(&rig->charger, true, true);
    cr_expect_not(rig->lit);
    cr_expect_eq(*get(rig, 0x6b, 8, 1), 0x74, "done");
    bq24195_set_battery(&rig->charger, true, false);
    cr_expect(rig->lit);
    bq24195_set_vbus(&rig->charger, false);
    cr_expect_not(rig->lit);
    rig_free(rig);
}

Test(bq24195, no_battery_cycles_quickly_until_charging_is_disabled)
{
    struct rig *rig = rig_new();
    bq24195_set_battery(&rig->charger, false, false);
    unsigned before = rig->lights;
    advance_us(rig->bench, 3000000);
    cr_expect_eq(rig->lights - before, 20u, "ten rounds of 300 ms");
    set(rig, 0x6b, (uint8_t[]){0x01, 0x0b}, 2);
    cr_expect_not(rig->lit);
    before = rig->lights;
    advance_us(rig->bench, 3000000);
    cr_expect_eq(rig->lights, before);
    rig_free(rig);
}

Test(bq24195, fault_blinks_at_one_hertz)
{
    struct rig *rig = rig_new();
    bq24195_set_fault(&rig->charger, BQ24195_FAULT_COLD);
    cr_expect(rig->lit);
    unsigned before = rig->lights;
    advance_us(rig->bench, 5000000);
    cr_expect_eq(rig->lights - before, 10u);
    rig_free(rig);
}

Test(bq24195, without_any_supply_it_is_silent)
{
    struct rig *rig = rig_new();
    bq24195_set_vbus(&rig->charger, false);
    bq24195_set_battery(&rig->charger, false, false);
    poke(rig->bench, "TWIM1.ADDRESS", 0x6b);
    poke(rig->bench, "TWIM1.TASKS_STARTRX", 1);
    run_until(rig, "TWIM1.EVENTS_ERROR");
    rig_free(rig);
}

Test(max17043, tells_voltage_charge_and_version)
{
    struct rig *rig = rig_new();
    max17043_set_cell(&rig->gauge, 4000, 77 * 256 + 128);
    const uint8_t *got = get(rig, 0x36, 0x02, 4);
    cr_expect_eq((got[0] << 8 | got[1]) >> 4, 4000 * 4 / 5);
    cr_expect_eq(got[2], 77);
    cr_expect_eq(got[3], 128);
    cr_expect_eq(get(rig, 0x36, 0x0c, 2)[0], 0x97);
    cr_expect_eq(get(rig, 0x36, 0x0c, 2)[1], 0x1c);
    rig_free(rig);
}

Test(max17043, alert_pulls_its_pin_until_cleared)
{
    struct rig *rig = rig_new();
    poke(rig->bench, "P0.PIN_CNF[5]", 3 << 2);
    max17043_set_cell(&rig->gauge, 3500, 10 * 256);
    cr_expect(wire_high(&rig->bench->bus.pin[5]));
    max17043_set_cell(&rig->gauge, 3500, 3 * 256);
    cr_expect_not(wire_high(&rig->bench->bus.pin[5]));
    cr_expect_eq(get(rig, 0x36, 0x0c, 2)[1], 0x3c);
    max17043_set_cell(&rig->gauge, 3900, 50 * 256);
    cr_expect_not(wire_high(&rig->bench->bus.pin[5]), "stays until software clears it");
    set(rig, 0x36, (uint8_t[]){0x0c, 0x97, 0x1c}, 3);
    cr_expect(wire_high(&rig->bench->bus.pin[5]));
    rig_free(rig);
}

Test(max17043, reset_command_and_sleep)
{
    struct rig *rig = rig_new();
    set(rig, 0x36, (uint8_t[]){0x0c, 0x50, 0x80 | 0x10}, 3);
    max17043_set_cell(&rig->gauge, 3000, 1 * 256);
    cr_expect_eq(get(rig, 0x36, 0x04, 2)[0], 80);
    set(rig, 0x36, (uint8_t[]){0xfe, 0x54, 0x00}, 3);
    cr_expect_eq(get(rig, 0x36, 0x0c, 2)[0], 0x97);
    rig_free(rig);
}
