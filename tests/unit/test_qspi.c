/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#include "parts/mx25l3233f.h"

#define RAM 0x20000000u

struct rig {
    struct bench *bench;
    struct mx25l3233f part;
};

/* As the Boron's bootloader sets it up: quad read and write, 16 MHz, CSN high for one 16 MHz period. */
static struct rig *rig_new(void)
{
    struct rig *rig = calloc(1, sizeof *rig);
    cr_assert_not_null(rig);
    rig->bench = bench_new();
    cr_assert_eq(mx25l3233f_init(&rig->part, &rig->bench->bus, 17), 0);
    mx25l3233f_reset(&rig->part);
    poke(rig->bench, "QSPI.PSEL.SCK", 19);
    poke(rig->bench, "QSPI.PSEL.CSN", 17);
    poke(rig->bench, "QSPI.IFCONFIG0", 0x1c);
    poke(rig->bench, "QSPI.IFCONFIG1", 0x10000001);
    poke(rig->bench, "QSPI.ENABLE", 1);
    return rig;
}

static void rig_free(struct rig *rig)
{
    mx25l3233f_destroy(&rig->part);
    bench_free(rig->bench);
    free(rig);
}

/* Cycles until READY, at most `limit`; `limit` itself if it never came. */
static uint64_t ready_after(struct rig *rig, uint64_t limit)
{
    uint64_t start = rig->bench->bus.clock.now;
    while (!peek(rig->bench, "QSPI.EVENTS_READY") && rig->bench->bus.clock.now - start < limit) {
        uint64_t next = clock_next_event(&rig->bench->bus.clock);
        if (next > start + limit)
            next = start + limit;
        advance(rig->bench, next - rig->bench->bus.clock.now);
    }
    poke(rig->bench, "QSPI.EVENTS_READY", 0);
    return rig->bench->bus.clock.now - start;
}

static uint64_t run_task(struct rig *rig, const char *task)
{
    poke(rig->bench, "QSPI.EVENTS_READY", 0);
    poke(rig->bench, task, 1);
    return ready_after(rig, CYCLES_PER_SECOND);
}

static uint64_t instruction(struct rig *rig, uint32_t config)
{
    poke(rig->bench, "QSPI.EVENTS_READY", 0);
    poke(rig->bench, "QSPI.CINSTRCONF", config);
    return ready_after(rig, CYCLES_PER_SECOND);
}

static struct rig *rig_active(void)
{
    struct rig *rig = rig_new();
    cr_assert_lt(run_task(rig, "QSPI.TASKS_ACTIVATE"), CYCLES_PER_MS);
    instruction(rig, 0x2106); /* WREN */
    poke(rig->bench, "QSPI.CINSTRDAT0", 0x40);
    instruction(rig, 0x3201); /* WRSR: QE */
    advance_us(rig->bench, rig->part.times.write_status);
    cr_assert_eq(rig->part.registers.data[MX25_STATUS], 0x40);
    return rig;
}

Test(qspi, reset_values)
{
    struct bench *bench = bench_new();
    cr_expect_eq(peek(bench, "QSPI.PSEL.IO3"), 0xffffffffu);
    cr_expect_eq(peek(bench, "QSPI.IFCONFIG1"), 0x00040480u);
    cr_expect_eq(peek(bench, "QSPI.CINSTRCONF"), 0x2000u);
    cr_expect_eq(peek(bench, "QSPI.IFTIMING"), 0x200u);
    bench_free(bench);
}

Test(qspi, activate_polls_status_once)
{
    struct rig *rig = rig_new();
    /* 16 SCK periods of 62.5 ns, and CSN high for 62.5 ns. */
    cr_expect_eq(run_task(rig, "QSPI.TASKS_ACTIVATE"), 16u * 4 + 4);
    cr_expect_eq(peek(rig->bench, "QSPI.STATUS"), 0x08u);
    rig_free(rig);
}

Test(qspi, missing_part_is_never_ready)
{
    struct bench *bench = bench_new();
    poke(bench, "QSPI.PSEL.CSN", 17);
    poke(bench, "QSPI.ENABLE", 1);
    poke(bench, "QSPI.TASKS_ACTIVATE", 1);
    advance_us(bench, 1000000);
    cr_expect_eq(peek(bench, "QSPI.EVENTS_READY"), 0u);
    cr_expect_eq(peek(bench, "QSPI.STATUS") & 8, 0u);
    bench_free(bench);
}

Test(qspi, silent_part_is_never_ready)
{
    struct rig *rig = rig_new();
    rig->part.answers = false;
    cr_expect_eq(run_task(rig, "QSPI.TASKS_ACTIVATE"), CYCLES_PER_SECOND);
    rig->part.answers = true;
    cr_expect_leq(ready_after(rig, CYCLES_PER_SECOND), 2 * CYCLES_PER_MS);
    rig_free(rig);
}

Test(qspi, interrupt_on_ready)
{
    struct rig *rig = rig_new();
    poke(rig->bench, "QSPI.INTENSET", 1);
    poke(rig->bench, "QSPI.TASKS_ACTIVATE", 1);
    cr_expect_not(rig->bench->irq[41]);
    advance_us(rig->bench, 10);
    cr_expect(rig->bench->irq[41]);
    poke(rig->bench, "QSPI.EVENTS_READY", 0);
    cr_expect_not(rig->bench->irq[41]);
    rig_free(rig);
}

Test(qspi, reads_in_every_mode_and_in_its_time)
{
    /* SCK periods of opcode, address and dummy, then of each byte: product specification and JESD216. */
    static const unsigned overhead[5] = {8 + 24 + 8, 8 + 24 + 8, 8 + 12 + 4, 8 + 24 + 8, 8 + 6 + 6};
    static const unsigned per_byte[5] = {8, 4, 4, 2, 2};
    for (unsigned mode = 0; mode < 5; mode++) {
        struct rig *rig = rig_active();
        for (unsigned i = 0; i < 1024; i++)
            rig->part.array.data[0x12340 + i] = (uint8_t)(i ^ i >> 8);
        poke(rig->bench, "QSPI.IFCONFIG0", mode);
        poke(rig->bench, "QSPI.READ.SRC", 0x12340);
        poke(rig->bench, "QSPI.READ.DST", RAM + 0x100);
        poke(rig->bench, "QSPI.READ.CNT", 1024);
        uint64_t took = run_task(rig, "QSPI.TASKS_READSTART");
        cr_expect_eq(took, 17 * 4 + 4 * (overhead[mode] + 1024u * per_byte[mode]) + 4, "mode %u", mode);
        cr_expect_arr_eq(rig->bench->ram + 0x100, rig->part.array.data + 0x12340, 1024);
        cr_expect_eq(rig->bench->ram[0x500], 0);
        rig_free(rig);
    }
}

Test(qspi, write_splits_into_pages_and_waits_between)
{
    struct rig *rig = rig_active();
    for (unsigned i = 0; i < 600; i++)
        rig->bench->ram[i] = (uint8_t)(i * 3);
    poke(rig->bench, "QSPI.WRITE.SRC", RAM);
    poke(rig->bench, "QSPI.WRITE.DST", 0x10f0);
    poke(rig->bench, "QSPI.WRITE.CNT", 600);
    uint64_t took = run_task(rig, "QSPI.TASKS_WRITESTART");
    cr_expect_eq(rig->part.array.programs, 4u, "16 + 256 + 256 + 72 bytes");
    cr_expect_gt(took, 3 * 330 * CYCLES_PER_US);
    cr_expect_lt(took, 4 * 330 * CYCLES_PER_US);
    cr_expect_arr_eq(rig->part.array.data + 0x10f0, rig->bench->ram, 600);
    cr_expect_eq(rig->part.array.data[0x10f0 + 600], 0xff);
    /* READY came with the last page's command: the part is still busy, and the next task waits for it. */
    cr_expect_gt(run_task(rig, "QSPI.TASKS_ACTIVATE"), 320 * CYCLES_PER_US);
    rig_free(rig);
}

Test(qspi, erase_lengths)
{
    static const uint32_t sizes[2] = {0x1000, 0x10000};
    for (uint32_t length = 0; length < 2; length++) {
        struct rig *rig = rig_active();
        memset(rig->part.array.data, 0, MX25L3233F_SIZE);
        poke(rig->bench, "QSPI.ERASE.PTR", 0x20000);
        poke(rig->bench, "QSPI.ERASE.LEN", length);
        cr_expect_lt(run_task(rig, "QSPI.TASKS_ERASESTART"), 10 * CYCLES_PER_US);
        cr_expect_eq(rig->part.array.data[0x1ffff], 0);
        cr_expect_eq(rig->part.array.data[0x20000], 0xff);
        cr_expect_eq(rig->part.array.data[0x20000 + sizes[length] - 1], 0xff);
        cr_expect_eq(rig->part.array.data[0x20000 + sizes[length]], 0);
        uint64_t busy = run_task(rig, "QSPI.TASKS_ACTIVATE");
        uint64_t wanted = (length ? 250000 : 25000) * CYCLES_PER_US;
        cr_expect(busy >= wanted && busy < wanted + 2 * CYCLES_PER_US + 200, "ACTIVATE waited %lu cycles",
                  (unsigned long)busy);
        rig_free(rig);
    }
}

Test(qspi, custom_instruction_brings_data_back)
{
    struct rig *rig = rig_active();
    cr_expect_eq(instruction(rig, 0x349f), 4 * 8u * 4 + 4);
    cr_expect_eq(peek(rig->bench, "QSPI.CINSTRDAT0") & 0xffffff, 0x1620c2u);
    rig_free(rig);
}

Test(qspi, custom_instruction_sends_write_enable_and_waits)
{
    struct rig *rig = rig_active();
    poke(rig->bench, "QSPI.ERASE.PTR", 0);
    poke(rig->bench, "QSPI.ERASE.LEN", 0);
    run_task(rig, "QSPI.TASKS_ERASESTART");
    /* Without WIPWAIT at once, with WIP still set; with it not before the erase is over. */
    cr_expect_lt(instruction(rig, 0x3205), 2 * CYCLES_PER_US);
    cr_expect_eq(peek(rig->bench, "QSPI.CINSTRDAT0") & 1, 1u);
    poke(rig->bench, "QSPI.CINSTRDAT0", 0x44);
    cr_expect_gt(instruction(rig, 0xf201), 24 * CYCLES_PER_MS);
    cr_expect_eq(rig->part.registers.data[MX25_STATUS], 0x44);
    rig_free(rig);
}

Test(qspi, suspend_ends_a_waiting_activate)
{
    struct rig *rig = rig_active();
    run_task(rig, "QSPI.TASKS_ERASESTART");
    poke(rig->bench, "QSPI.TASKS_ACTIVATE", 1);
    advance_us(rig->bench, 1000);
    cr_expect_eq(peek(rig->bench, "QSPI.EVENTS_READY"), 0u);
    instruction(rig, 0x31b0);
    cr_expect_lt(ready_after(rig, CYCLES_PER_SECOND), 25 * CYCLES_PER_US);
    rig_free(rig);
}

Test(qspi, long_frame_keeps_the_part_selected)
{
    struct rig *rig = rig_active();
    nor_load(&rig->part.array, 0x10, (const uint8_t *)"0123456789abcdef", 16);
    uint32_t words[2];
    instruction(rig, 0x3103 | 1u << 16);
    poke(rig->bench, "QSPI.CINSTRDAT0", 0x00100000);
    instruction(rig, 0x3400 | 1u << 16); /* three address bytes */
    instruction(rig, 0x3900 | 1u << 16);
    words[0] = peek(rig->bench, "QSPI.CINSTRDAT0");
    words[1] = peek(rig->bench, "QSPI.CINSTRDAT1");
    cr_expect_arr_eq((uint8_t *)words, "01234567", 8);
    instruction(rig, 0x3500 | 3u << 16);
    words[0] = peek(rig->bench, "QSPI.CINSTRDAT0");
    cr_expect_arr_eq((uint8_t *)words, "89ab", 4);
    instruction(rig, 0x349f);
    cr_expect_eq(peek(rig->bench, "QSPI.CINSTRDAT0") & 0xffffff, 0x1620c2u);
    rig_free(rig);
}

Test(qspi, deep_power_down)
{
    struct rig *rig = rig_active();
    poke(rig->bench, "QSPI.IFCONFIG0", 0x9c);
    poke(rig->bench, "QSPI.DPMDUR", 0x00020001);
    poke(rig->bench, "QSPI.IFCONFIG1", 0x11000001);
    cr_expect(rig->part.powered_down);
    cr_expect_eq(peek(rig->bench, "QSPI.STATUS") & 4, 0u);
    advance_us(rig->bench, 16);
    cr_expect_eq(peek(rig->bench, "QSPI.STATUS") & 4, 4u);
    poke(rig->bench, "QSPI.IFCONFIG1", 0x10000001);
    advance_us(rig->bench, 32);
    cr_expect_eq(peek(rig->bench, "QSPI.STATUS") & 4, 0u);
    cr_expect_not(rig->part.powered_down);
    rig_free(rig);
}

Test(qspi, xip_reads_through_the_window)
{
    struct rig *rig = rig_new();
    uint32_t value = 0;
    struct qspi *qspi = &rig->bench->soc.qspi;
    cr_expect_eq(qspi_xip_read(qspi, 0, 4, &value), -1);
    rig_free(rig);
    rig = rig_active();
    qspi = &rig->bench->soc.qspi;
    nor_load(&rig->part.array, 0x289000, (uint8_t[]){0x78, 0x56, 0x34, 0x12}, 4);
    uint64_t before = rig->bench->bus.clock.now;
    cr_expect_eq(qspi_xip_read(qspi, 0x289000, 4, &value), 0);
    cr_expect_eq(value, 0x12345678u);
    cr_expect_eq(rig->bench->bus.clock.now - before, 4 * (8 + 6 + 6 + 8u) + 4);
    cr_expect_eq(qspi_xip_read(qspi, 0x289002, 2, &value), 0);
    cr_expect_eq(value, 0x1234u);
    poke(rig->bench, "QSPI.XIPOFFSET", 0x289000);
    cr_expect_eq(qspi_xip_read(qspi, 1, 1, &value), 0);
    cr_expect_eq(value, 0x56u);
    cr_expect_eq(rig->bench->findings, 0);
    rig_free(rig);
}

Test(qspi, anomaly_215_is_told)
{
    struct rig *rig = rig_active();
    uint32_t value = 0;
    qspi_xip_read(&rig->bench->soc.qspi, 0, 4, &value);
    run_task(rig, "QSPI.TASKS_ACTIVATE");
    instruction(rig, 0x3205);
    cr_expect_eq(rig->bench->findings, 0);
    qspi_xip_read(&rig->bench->soc.qspi, 0, 4, &value);
    instruction(rig, 0x3205);
    cr_expect_eq(rig->bench->findings, 1);
    rig_free(rig);
}

/* Where it strikes: from IFCONFIG1 on, for good, until a reset. */
Test(qspi, anomaly_215_halts_the_cpu_of_some_chips)
{
    struct rig *rig = rig_active();
    struct qspi *qspi = &rig->bench->soc.qspi;
    uint32_t value = 0;
    cr_assert_eq(nrf52840_input(&rig->bench->soc, "anomaly_215", 1), 0);
    cr_expect_eq(nrf52840_input(&rig->bench->soc, "anomaly_216", 1), -1);
    qspi_xip_read(qspi, 0, 4, &value);
    run_task(rig, "QSPI.TASKS_ACTIVATE");
    poke(rig->bench, "QSPI.IFCONFIG1", 0x40480);
    cr_expect_not(qspi->holds_cpu);
    qspi_xip_read(qspi, 0, 4, &value);
    poke(rig->bench, "QSPI.IFCONFIG0", 0);
    cr_expect_not(qspi->holds_cpu);
    peek(rig->bench, "QSPI.IFCONFIG1");
    cr_expect(qspi->holds_cpu);
    run_task(rig, "QSPI.TASKS_ACTIVATE");
    cr_expect(qspi->holds_cpu);
    bus_reset(&rig->bench->bus, RESET_PIN);
    cr_expect_not(qspi->holds_cpu);
    cr_expect(qspi->halts);
    rig_free(rig);
}

Test(qspi, deactivate_and_disable_stop_everything)
{
    struct rig *rig = rig_active();
    run_task(rig, "QSPI.TASKS_DEACTIVATE");
    cr_expect_eq(peek(rig->bench, "QSPI.STATUS") & 8, 0u);
    run_task(rig, "QSPI.TASKS_ACTIVATE");
    poke(rig->bench, "QSPI.READ.CNT", 4096);
    poke(rig->bench, "QSPI.TASKS_READSTART", 1);
    poke(rig->bench, "QSPI.ENABLE", 0);
    advance_us(rig->bench, 10000);
    cr_expect_eq(peek(rig->bench, "QSPI.EVENTS_READY"), 0u);
    rig_free(rig);
}

Test(qspi, save_and_restore_in_the_middle_of_a_write)
{
    struct rig *rig = rig_active();
    struct state state = {0};
    for (unsigned i = 0; i < 512; i++)
        rig->bench->ram[i] = (uint8_t)i;
    poke(rig->bench, "QSPI.WRITE.SRC", RAM);
    poke(rig->bench, "QSPI.WRITE.CNT", 512);
    poke(rig->bench, "QSPI.TASKS_WRITESTART", 1);
    advance_us(rig->bench, 100);
    uint64_t then = rig->bench->bus.clock.now;
    state_begin_save(&state);
    bus_save(&rig->bench->bus, &state);
    mx25l3233f_save(&rig->part, &state);
    uint64_t first = ready_after(rig, CYCLES_PER_SECOND);
    rig->bench->bus.clock.now = then;
    state_begin_load(&state);
    bus_save(&rig->bench->bus, &state);
    mx25l3233f_save(&rig->part, &state);
    cr_expect_eq(state.error, 0);
    cr_expect_eq(rig->part.array.data[256], 0xff);
    cr_expect_eq(ready_after(rig, CYCLES_PER_SECOND), first);
    cr_expect_arr_eq(rig->part.array.data, rig->bench->ram, 512);
    state_free(&state);
    rig_free(rig);
}
