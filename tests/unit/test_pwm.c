/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#define RAM 0x20000000u

/* Half-words into RAM at an offset. */
static void values(struct bench *bench, uint32_t offset, const uint16_t *value, size_t count)
{
    memcpy(bench->ram + offset, value, 2 * count);
}

/* The Boron's LED set-up: 500 Hz, channels 1 to 3 on P0.13 to P0.15, both sequences on one RAM struct. */
static struct bench *boron_led(void)
{
    struct bench *bench = bench_new();
    poke(bench, "PWM0.PSEL.OUT[1]", 13);
    poke(bench, "PWM0.PSEL.OUT[2]", 14);
    poke(bench, "PWM0.PSEL.OUT[3]", 15);
    poke(bench, "PWM0.ENABLE", 1);
    poke(bench, "PWM0.COUNTERTOP", 32000);
    poke(bench, "PWM0.DECODER", 2);
    poke(bench, "PWM0.LOOP", 1);
    for (unsigned i = 0; i < 2; i++) {
        poke(bench, i ? "PWM0.SEQ[1].PTR" : "PWM0.SEQ[0].PTR", RAM + 0x100);
        poke(bench, i ? "PWM0.SEQ[1].CNT" : "PWM0.SEQ[0].CNT", 4);
        poke(bench, i ? "PWM0.SEQ[1].REFRESH" : "PWM0.SEQ[0].REFRESH", 0);
    }
    return bench;
}

/* One channel, one sequence of `count` values, top 1000 (62.5 us a period). */
static struct bench *one_sequence(const uint16_t *value, size_t count)
{
    struct bench *bench = bench_new();
    values(bench, 0, value, count);
    poke(bench, "PWM1.PSEL.OUT[0]", 5);
    poke(bench, "PWM1.ENABLE", 1);
    poke(bench, "PWM1.COUNTERTOP", 1000);
    poke(bench, "PWM1.SEQ[0].PTR", RAM);
    poke(bench, "PWM1.SEQ[0].CNT", (uint32_t)count);
    poke(bench, "PWM1.SEQ[0].REFRESH", 0);
    return bench;
}

#define PERIOD 4000u /* cycles, of one_sequence() */

static void expect_level(struct bench *bench, unsigned pin, double fraction)
{
    double level = bench->bus.pin[pin].level / 65535.0;
    cr_expect(level > fraction - 1e-4 && level < fraction + 1e-4, "P0.%u at %f, not %f", pin, level,
              fraction);
}

static bool take(struct bench *bench, const char *event)
{
    bool set = peek(bench, event);
    poke(bench, event, 0);
    return set;
}

Test(pwm, duty_and_polarity)
{
    struct bench *bench = boron_led();
    /* Low first: high for the rest of the period. Bit 15: high first. */
    values(bench, 0x100, (uint16_t[]){0, 8000, 8000 | 0x8000, 40000 & 0x7fff}, 4);
    poke(bench, "PWM0.TASKS_SEQSTART[1]", 1);
    expect_level(bench, 13, 0.75);
    expect_level(bench, 14, 0.25);
    expect_level(bench, 15, (32000.0 - 7232) / 32000);
    bench_free(bench);
}

Test(pwm, values_edited_in_ram_show_in_the_next_period_of_a_loop)
{
    struct bench *bench = boron_led();
    poke(bench, "PWM0.SHORTS", 1 << 3); /* LOOPSDONE starts sequence 1 again */
    values(bench, 0x100, (uint16_t[]){0, 32000, 32000, 32000}, 4);
    poke(bench, "PWM0.TASKS_SEQSTART[1]", 1);
    expect_level(bench, 13, 0);
    advance_us(bench, 7000);
    values(bench, 0x102, (uint16_t[]){16000}, 1);
    expect_level(bench, 13, 0);
    advance_us(bench, 999);
    expect_level(bench, 13, 0);
    advance_us(bench, 1);
    expect_level(bench, 13, 0.5);
    cr_expect_eq(bench->bus.clock.now, 8000 * CYCLES_PER_US);
    bench_free(bench);
}

Test(pwm, restart_while_running_waits_for_the_period)
{
    struct bench *bench = boron_led();
    values(bench, 0x100, (uint16_t[]){0, 32000, 32000, 32000}, 4);
    poke(bench, "PWM0.TASKS_SEQSTART[1]", 1);
    advance_us(bench, 500);
    values(bench, 0x102, (uint16_t[]){0}, 1);
    poke(bench, "PWM0.TASKS_SEQSTART[1]", 1);
    expect_level(bench, 13, 0);
    advance_us(bench, 1500);
    expect_level(bench, 13, 1);
    bench_free(bench);
}

Test(pwm, a_sequence_plays_value_by_value_and_keeps_the_last)
{
    struct bench *bench = one_sequence((uint16_t[]){0x8000 | 100, 0x8000 | 200, 0x8000 | 300}, 3);
    poke(bench, "PWM1.TASKS_SEQSTART[0]", 1);
    cr_expect(take(bench, "PWM1.EVENTS_SEQSTARTED[0]"));
    expect_level(bench, 5, 0.1);
    advance(bench, PERIOD);
    cr_expect(take(bench, "PWM1.EVENTS_PWMPERIODEND"));
    expect_level(bench, 5, 0.2);
    cr_expect_not(take(bench, "PWM1.EVENTS_SEQEND[0]"));
    advance(bench, PERIOD);
    expect_level(bench, 5, 0.3);
    cr_expect(take(bench, "PWM1.EVENTS_SEQEND[0]"));
    advance(bench, 10 * PERIOD);
    expect_level(bench, 5, 0.3);
    cr_expect(take(bench, "PWM1.EVENTS_PWMPERIODEND"));
    cr_expect_not(take(bench, "PWM1.EVENTS_SEQEND[0]"));
    bench_free(bench);
}

Test(pwm, refresh_holds_each_value)
{
    struct bench *bench = one_sequence((uint16_t[]){0x8000 | 100, 0x8000 | 200}, 2);
    poke(bench, "PWM1.SEQ[0].REFRESH", 2);
    poke(bench, "PWM1.TASKS_SEQSTART[0]", 1);
    advance(bench, 3 * PERIOD - 1);
    expect_level(bench, 5, 0.1);
    advance(bench, 1);
    expect_level(bench, 5, 0.2);
    bench_free(bench);
}

Test(pwm, stop_ends_with_the_period_and_gives_the_pin_back)
{
    struct bench *bench = one_sequence((uint16_t[]){0x8000 | 100}, 1);
    poke(bench, "P0.DIRSET", 1 << 5);
    poke(bench, "P0.OUTSET", 1 << 5);
    poke(bench, "PWM1.SHORTS", 1); /* SEQEND0 stops */
    poke(bench, "PWM1.TASKS_SEQSTART[0]", 1);
    advance(bench, PERIOD - 1);
    expect_level(bench, 5, 0.1);
    cr_expect_not(take(bench, "PWM1.EVENTS_STOPPED"));
    advance(bench, 1);
    cr_expect(take(bench, "PWM1.EVENTS_STOPPED"));
    expect_level(bench, 5, 1);
    cr_expect_eq(clock_next_event(&bench->bus.clock), CLOCK_NEVER);
    bench_free(bench);
}

Test(pwm, loops_alternate_between_the_sequences)
{
    struct bench *bench = one_sequence((uint16_t[]){0x8000 | 100, 0x8000 | 200}, 2);
    poke(bench, "PWM1.SEQ[0].CNT", 1);
    poke(bench, "PWM1.SEQ[1].PTR", RAM + 2);
    poke(bench, "PWM1.SEQ[1].CNT", 1);
    poke(bench, "PWM1.SEQ[1].REFRESH", 0);
    poke(bench, "PWM1.SEQ[1].ENDDELAY", 1);
    poke(bench, "PWM1.LOOP", 2);
    poke(bench, "PWM1.SHORTS", 1 << 4); /* LOOPSDONE stops */
    poke(bench, "PWM1.TASKS_SEQSTART[0]", 1);
    static const double wanted[6] = {0.1, 0.2, 0.2, 0.1, 0.2, 0.2};
    for (unsigned i = 0; i < 6; i++) {
        expect_level(bench, 5, wanted[i]);
        cr_expect_eq(take(bench, "PWM1.EVENTS_LOOPSDONE"), i == 5, "LOOPSDONE in period %u", i);
        cr_expect_eq(take(bench, "PWM1.EVENTS_SEQEND[1]"), i == 1 || i == 4, "SEQEND[1] in period %u", i);
        advance(bench, PERIOD);
    }
    cr_expect(take(bench, "PWM1.EVENTS_STOPPED"));
    bench_free(bench);
}

Test(pwm, next_step_waits_for_the_task)
{
    struct bench *bench = one_sequence((uint16_t[]){0x8000 | 100, 0x8000 | 200}, 2);
    poke(bench, "PWM1.DECODER", 1 << 8);
    poke(bench, "PWM1.TASKS_SEQSTART[0]", 1);
    advance(bench, 5 * PERIOD);
    expect_level(bench, 5, 0.1);
    poke(bench, "PWM1.TASKS_NEXTSTEP", 1);
    advance(bench, PERIOD);
    expect_level(bench, 5, 0.2);
    bench_free(bench);
}

Test(pwm, decoder_loads)
{
    static const double wanted[4][4] = {
        {0.1, 0.1, 0.1, 0.1}, {0.1, 0.1, 0.2, 0.2}, {0.1, 0.2, 0.3, 0.4}, {0.25, 0.5, 0.75, 0}};
    for (unsigned load = 0; load < 4; load++) {
        struct bench *bench =
            one_sequence((uint16_t[]){0x8000 | 100, 0x8000 | 200, 0x8000 | 300, 0x8000 | 400}, 4);
        static const char *const out[4] = {"PWM1.PSEL.OUT[0]", "PWM1.PSEL.OUT[1]", "PWM1.PSEL.OUT[2]",
                                           "PWM1.PSEL.OUT[3]"};
        for (unsigned i = 0; i < 4; i++)
            poke(bench, out[i], 5 + i);
        poke(bench, "PWM1.DECODER", load);
        poke(bench, "PWM1.TASKS_SEQSTART[0]", 1);
        for (unsigned i = 0; i < (load == 3 ? 3 : 4); i++)
            expect_level(bench, 5 + i, wanted[load][i]);
        /* Waveform: the fourth half-word is the top, 400 here. */
        cr_expect_eq(clock_next_event(&bench->bus.clock), load == 3 ? 1600u : PERIOD);
        bench_free(bench);
    }
}

Test(pwm, prescaler_and_counting_mode_set_the_period)
{
    struct bench *bench = one_sequence((uint16_t[]){100}, 1);
    poke(bench, "PWM1.PRESCALER", 7);
    poke(bench, "PWM1.MODE", 1);
    poke(bench, "PWM1.TASKS_SEQSTART[0]", 1);
    advance(bench, PERIOD * 128 * 2 - 1);
    cr_expect_not(take(bench, "PWM1.EVENTS_PWMPERIODEND"));
    advance(bench, 1);
    cr_expect(take(bench, "PWM1.EVENTS_PWMPERIODEND"));
    bench_free(bench);
}

Test(pwm, interrupt_lines)
{
    static const struct {
        const char *name;
        unsigned irq;
    } lines[] = {{"PWM0", 28}, {"PWM1", 33}, {"PWM2", 34}, {"PWM3", 45}};
    struct bench *bench = bench_new();
    for (unsigned i = 0; i < 4; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.ENABLE", lines[i].name);
        poke(bench, name, 1);
        snprintf(name, sizeof name, "%s.INTENSET", lines[i].name);
        poke(bench, name, 2);
        cr_expect_not(bench->irq[lines[i].irq]);
        snprintf(name, sizeof name, "%s.TASKS_STOP", lines[i].name);
        poke(bench, name, 1);
        cr_expect(bench->irq[lines[i].irq], "%s", lines[i].name);
    }
    bench_free(bench);
}

Test(pwm, disabling_stops_at_once)
{
    struct bench *bench = boron_led();
    values(bench, 0x100, (uint16_t[]){0, 0, 0, 0}, 4);
    poke(bench, "PWM0.TASKS_SEQSTART[1]", 1);
    expect_level(bench, 13, 1);
    poke(bench, "PWM0.ENABLE", 0);
    expect_level(bench, 13, 0);
    cr_expect_eq(clock_next_event(&bench->bus.clock), CLOCK_NEVER);
    bench_free(bench);
}

Test(pwm, save_and_restore)
{
    struct bench *bench = one_sequence((uint16_t[]){0x8000 | 100, 0x8000 | 200, 0x8000 | 300}, 3);
    poke(bench, "PWM1.TASKS_SEQSTART[0]", 1);
    advance(bench, PERIOD + 10);
    struct moment before = bench_save(bench);
    advance(bench, 3 * PERIOD);
    expect_level(bench, 5, 0.3);
    bench_restore(bench, &before);
    expect_level(bench, 5, 0.2);
    advance(bench, PERIOD - 11);
    expect_level(bench, 5, 0.2);
    advance(bench, 1);
    expect_level(bench, 5, 0.3);
    bench_free(bench);
}
