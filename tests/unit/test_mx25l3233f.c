/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#include "core/ports.h"
#include "parts/mx25l3233f.h"

#define CSN 17

struct rig {
    struct bench *bench;
    struct mx25l3233f part;
    struct spi_device *spi;
};

static struct rig *rig_new(void)
{
    struct rig *rig = calloc(1, sizeof *rig);
    cr_assert_not_null(rig);
    rig->bench = bench_new();
    cr_assert_eq(mx25l3233f_init(&rig->part, &rig->bench->bus, CSN), 0);
    mx25l3233f_reset(&rig->part);
    rig->spi = ports_find_spi(rig->bench->bus.ports, CSN);
    cr_assert_not_null(rig->spi);
    return rig;
}

static void rig_free(struct rig *rig)
{
    mx25l3233f_destroy(&rig->part);
    bench_free(rig->bench);
    free(rig);
}

/* One frame byte by byte: sends `out`, then reads `in`. */
static void frame(struct rig *rig, const uint8_t *out, size_t sent, uint8_t *in, size_t wanted)
{
    rig->spi->select(rig->spi->self, true);
    for (size_t i = 0; i < sent; i++)
        rig->spi->transfer(rig->spi->self, out[i], 1);
    for (size_t i = 0; i < wanted; i++)
        in[i] = rig->spi->transfer(rig->spi->self, 0, 1);
    rig->spi->select(rig->spi->self, false);
}

#define SEND(rig, ...) frame(rig, (const uint8_t[]){__VA_ARGS__}, sizeof(uint8_t[]){__VA_ARGS__}, NULL, 0)

static uint8_t ask(struct rig *rig, uint8_t opcode)
{
    uint8_t got;
    frame(rig, &opcode, 1, &got, 1);
    return got;
}

static uint8_t byte_at(struct rig *rig, uint32_t address)
{
    uint8_t got;
    frame(rig, (uint8_t[]){0x03, (uint8_t)(address >> 16), (uint8_t)(address >> 8), (uint8_t)address}, 4,
          &got, 1);
    return got;
}

Test(mx25l3233f, identifies_itself)
{
    struct rig *rig = rig_new();
    uint8_t id[3], rems[2], res, dfp[4];
    frame(rig, (uint8_t[]){0x9f}, 1, id, 3);
    cr_expect_arr_eq(id, ((uint8_t[]){0xc2, 0x20, 0x16}), 3);
    frame(rig, (uint8_t[]){0x90, 0, 0, 0}, 4, rems, 2);
    cr_expect_arr_eq(rems, ((uint8_t[]){0xc2, 0x15}), 2);
    frame(rig, (uint8_t[]){0xab, 0, 0, 0}, 4, &res, 1);
    cr_expect_eq(res, 0x15);
    frame(rig, (uint8_t[]){0x5a, 0, 0, 0, 0}, 5, dfp, 4);
    cr_expect_arr_eq(dfp, "SFDP", 4);
    frame(rig, (uint8_t[]){0x5a, 0, 0, 0x34, 0}, 5, dfp, 4);
    uint32_t bits = dfp[0] | (uint32_t)dfp[1] << 8 | (uint32_t)dfp[2] << 16 | (uint32_t)dfp[3] << 24;
    cr_expect_eq(bits + 1, MX25L3233F_SIZE * 8, "SFDP density");
    cr_expect_eq(rig->bench->findings, 0);
    rig_free(rig);
}

Test(mx25l3233f, program_takes_its_time_and_only_clears_bits)
{
    struct rig *rig = rig_new();
    SEND(rig, 0x06);
    cr_expect_eq(ask(rig, 0x05), 0x02);
    SEND(rig, 0x02, 0x00, 0x10, 0x04, 0xf0, 0x5a);
    cr_expect_eq(ask(rig, 0x05), 0x03);
    advance_us(rig->bench, 329);
    cr_expect_eq(ask(rig, 0x05), 0x03);
    advance_us(rig->bench, 1);
    cr_expect_eq(ask(rig, 0x05), 0x00, "WEL must clear with WIP");
    cr_expect_eq(byte_at(rig, 0x1004), 0xf0);
    cr_expect_eq(byte_at(rig, 0x1005), 0x5a);
    cr_expect_eq(rig->part.array.programs, 1u);
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0x00, 0x10, 0x04, 0x3c);
    advance_us(rig->bench, 330);
    cr_expect_eq(byte_at(rig, 0x1004), 0x30);
    rig_free(rig);
}

Test(mx25l3233f, program_wraps_inside_its_page)
{
    struct rig *rig = rig_new();
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0x00, 0x20, 0xfe, 1, 2, 3);
    advance_us(rig->bench, 330);
    cr_expect_eq(byte_at(rig, 0x20fe), 1);
    cr_expect_eq(byte_at(rig, 0x20ff), 2);
    cr_expect_eq(byte_at(rig, 0x2000), 3);
    cr_expect_eq(byte_at(rig, 0x2100), 0xff);
    cr_expect_eq(rig->part.array.operations, 1u);
    rig_free(rig);
}

Test(mx25l3233f, nothing_changes_without_write_enable)
{
    struct rig *rig = rig_new();
    SEND(rig, 0x02, 0, 0, 0, 0);
    cr_expect_eq(ask(rig, 0x05), 0);
    cr_expect_eq(byte_at(rig, 0), 0xff);
    cr_expect_eq(rig->part.array.operations, 0u);
    cr_expect_eq(rig->bench->findings, 1);
    rig_free(rig);
}

Test(mx25l3233f, erases_of_each_size)
{
    static const struct {
        uint8_t opcode;
        uint32_t size, us;
    } cases[] = {{0x20, 0x1000, 25000}, {0x52, 0x8000, 140000}, {0xd8, 0x10000, 250000}};
    for (size_t i = 0; i < 3; i++) {
        struct rig *rig = rig_new();
        memset(rig->part.array.data, 0, MX25L3233F_SIZE);
        SEND(rig, 0x06);
        SEND(rig, cases[i].opcode, 0x11, 0x12, 0x34);
        uint32_t start = 0x111234 & ~(cases[i].size - 1);
        advance_us(rig->bench, cases[i].us - 1);
        cr_expect_eq(ask(rig, 0x05) & 1, 1);
        advance_us(rig->bench, 1);
        cr_expect_eq(ask(rig, 0x05) & 1, 0);
        cr_expect_eq(byte_at(rig, start - 1), 0);
        cr_expect_eq(byte_at(rig, start), 0xff);
        cr_expect_eq(byte_at(rig, start + cases[i].size - 1), 0xff);
        cr_expect_eq(byte_at(rig, start + cases[i].size), 0);
        rig_free(rig);
    }
}

Test(mx25l3233f, busy_part_ignores_commands)
{
    struct rig *rig = rig_new();
    nor_load(&rig->part.array, 0, (uint8_t[]){0x11}, 1);
    SEND(rig, 0x06);
    SEND(rig, 0x20, 0, 0x10, 0);
    cr_expect_eq(byte_at(rig, 0), 0xff);
    cr_expect_eq(rig->bench->findings, 1);
    advance_us(rig->bench, 25000);
    cr_expect_eq(byte_at(rig, 0), 0x11);
    rig_free(rig);
}

Test(mx25l3233f, suspended_erase_lets_read_and_then_goes_on)
{
    struct rig *rig = rig_new();
    nor_load(&rig->part.array, 0, (uint8_t[]){0x11}, 1);
    SEND(rig, 0x06);
    SEND(rig, 0x20, 0, 0x10, 0);
    advance_us(rig->bench, 5000);
    SEND(rig, 0xb0);
    advance_us(rig->bench, 20);
    cr_expect_eq(ask(rig, 0x05) & 1, 0);
    cr_expect_eq(ask(rig, 0x2b), 0x08, "ESB");
    cr_expect_eq(byte_at(rig, 0), 0x11);
    SEND(rig, 0x30);
    cr_expect_eq(ask(rig, 0x2b), 0);
    advance_us(rig->bench, 19999);
    cr_expect_eq(ask(rig, 0x05) & 1, 1);
    advance_us(rig->bench, 1);
    cr_expect_eq(ask(rig, 0x05) & 1, 0);
    rig_free(rig);
}

static unsigned ones(const struct rig *rig, uint32_t address, uint32_t size)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < 8 * size; i++)
        count += rig->part.array.data[address + i / 8] >> i % 8 & 1;
    return count;
}

Test(mx25l3233f, a_supply_that_fails_leaves_an_erase_as_far_as_it_came)
{
    struct rig *rig = rig_new();
    memset(rig->part.array.data + 0x1000, 0, 0x1000);
    SEND(rig, 0x06);
    SEND(rig, 0x20, 0, 0x10, 0);
    advance_us(rig->bench, 10000); /* of 25000 */
    mx25l3233f_supply_fails(&rig->part);
    unsigned set = ones(rig, 0x1000, 0x1000);
    cr_expect(set > 32768 * 38 / 100 && set < 32768 * 42 / 100, "%u of 32768 bits", set);
    cr_expect_eq(ones(rig, 0x2000, 0x1000), 32768);
    rig_free(rig);
}

Test(mx25l3233f, a_suspended_erase_has_come_as_far_as_it_was)
{
    struct rig *rig = rig_new();
    memset(rig->part.array.data + 0x1000, 0, 0x1000);
    SEND(rig, 0x06);
    SEND(rig, 0x20, 0, 0x10, 0);
    advance_us(rig->bench, 5000);
    SEND(rig, 0xb0);
    advance_us(rig->bench, 100000);
    cr_expect_eq(ask(rig, 0x05) & 1, 0);
    /* Meanwhile a program comes half of its way. */
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0, 0x20, 0, 1, 2, 3, 4, 5, 6, 7, 8);
    advance_us(rig->bench, rig->part.times.page_program / 2 + 1);
    mx25l3233f_supply_fails(&rig->part);
    cr_expect_eq(rig->part.array.data[0x2003], 4);
    cr_expect_eq(rig->part.array.data[0x2004], 0xff);
    unsigned set = ones(rig, 0x1000, 0x1000);
    cr_expect(set > 32768 * 18 / 100 && set < 32768 * 22 / 100, "%u of 32768 bits", set);
    rig_free(rig);
}

Test(mx25l3233f, a_supply_that_fails_leaves_the_first_bytes_of_a_program)
{
    struct rig *rig = rig_new();
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0, 0, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    advance_us(rig->bench, rig->part.times.page_program * 4 / 10 + 1);
    mx25l3233f_supply_fails(&rig->part);
    const uint8_t expected[10] = {1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    cr_expect_arr_eq(rig->part.array.data + 0x10, expected, sizeof expected);
    rig_free(rig);
}

/* Neither a program that is over nor one that a fault dropped is there to be spoiled. */
static enum nor_fault drop(void *context, struct nor *nor, const struct flash_op *op, const uint8_t *bytes)
{
    (void)context, (void)nor, (void)op, (void)bytes;
    return NOR_FAULT_DROP;
}

Test(mx25l3233f, what_is_over_is_not_spoiled)
{
    struct rig *rig = rig_new();
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0, 0, 0x10, 1, 2);
    advance_us(rig->bench, rig->part.times.page_program);
    mx25l3233f_supply_fails(&rig->part);
    cr_expect_eq(rig->part.array.data[0x11], 2);
    rig->part.array.fault = drop;
    SEND(rig, 0x06);
    SEND(rig, 0x20, 0, 0, 0);
    advance_us(rig->bench, 100);
    mx25l3233f_supply_fails(&rig->part);
    cr_expect_eq(rig->part.array.data[0x11], 2);
    rig_free(rig);
}

Test(mx25l3233f, block_protection_covers_the_top)
{
    struct rig *rig = rig_new();
    SEND(rig, 0x06);
    SEND(rig, 0x01, 0x08); /* BP = 2: the last two 64 KiB blocks */
    advance_us(rig->bench, rig->part.times.write_status);
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0x3e, 0, 0, 0);
    cr_expect_eq(ask(rig, 0x2b) & 0x20, 0x20, "P_FAIL");
    cr_expect_eq(rig->part.array.operations, 0u);
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0x3d, 0xff, 0xff, 0);
    advance_us(rig->bench, 330);
    cr_expect_eq(byte_at(rig, 0x3dffff), 0);
    SEND(rig, 0x06);
    SEND(rig, 0xc7);
    cr_expect_eq(ask(rig, 0x2b) & 0x40, 0x40, "E_FAIL");
    rig_free(rig);
}

Test(mx25l3233f, secured_otp_is_an_array_of_its_own_and_locks)
{
    struct rig *rig = rig_new();
    SEND(rig, 0xb1);
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0, 0, 0x20, 0x44);
    advance_us(rig->bench, 330);
    cr_expect_eq(byte_at(rig, 0x20), 0x44);
    SEND(rig, 0xc1);
    cr_expect_eq(byte_at(rig, 0x20), 0xff);
    cr_expect_eq(rig->part.otp.programs, 1u);
    cr_expect_eq(rig->part.array.programs, 0u);
    SEND(rig, 0x06);
    SEND(rig, 0x2f);
    advance_us(rig->bench, rig->part.times.write_status);
    cr_expect_eq(ask(rig, 0x2b), 0x02, "LDSO");
    SEND(rig, 0xb1);
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0, 0, 0x21, 0x00);
    cr_expect_eq(rig->part.otp.programs, 1u);
    rig_free(rig);
}

Test(mx25l3233f, sleeps_and_wakes)
{
    struct rig *rig = rig_new();
    nor_load(&rig->part.array, 0, (uint8_t[]){0x11}, 1);
    SEND(rig, 0xb9);
    cr_expect_neq(byte_at(rig, 0), 0x11);
    SEND(rig, 0xab);
    cr_expect_eq(byte_at(rig, 0), 0x11);
    rig_free(rig);
}

Test(mx25l3233f, reset_needs_its_enable)
{
    struct rig *rig = rig_new();
    SEND(rig, 0xb1);
    SEND(rig, 0x99);
    cr_expect(rig->part.otp_mode);
    SEND(rig, 0x66);
    SEND(rig, 0x99);
    cr_expect_not(rig->part.otp_mode);
    rig_free(rig);
}

Test(mx25l3233f, block_transfer_equals_byte_transfer)
{
    struct rig *rig = rig_new();
    for (uint32_t i = 0; i < 600; i++)
        rig->part.array.data[(0x3fff00 + i) % MX25L3233F_SIZE] = (uint8_t)(i * 7);
    uint8_t slow[600], fast[600];
    const uint8_t out[4] = {0x03, 0x3f, 0xff, 0x00};
    frame(rig, out, 4, slow, sizeof slow);
    rig->spi->select(rig->spi->self, true);
    spi_exchange(rig->spi, out, NULL, 4, 1);
    spi_exchange(rig->spi, NULL, fast, sizeof fast, 1);
    rig->spi->select(rig->spi->self, false);
    cr_expect_arr_eq(slow, fast, sizeof slow);
    cr_expect_eq(slow[599], (uint8_t)(599 * 7), "reading wraps at the end of the array");
    rig_free(rig);
}

Test(mx25l3233f, no_answer_reads_as_ones)
{
    struct rig *rig = rig_new();
    rig->part.answers = false;
    cr_expect_eq(ask(rig, 0x05), 0xff);
    rig_free(rig);
}

Test(mx25l3233f, save_and_restore_keep_a_running_erase)
{
    struct rig *rig = rig_new();
    struct state state = {0};
    SEND(rig, 0x06);
    SEND(rig, 0x20, 0, 0, 0);
    uint64_t until = rig->part.busy_until;
    state_begin_save(&state);
    mx25l3233f_save(&rig->part, &state);
    mx25l3233f_reset(&rig->part);
    cr_expect_eq(ask(rig, 0x05), 0);
    state_begin_load(&state);
    mx25l3233f_save(&rig->part, &state);
    cr_expect_eq(state.error, 0);
    cr_expect_eq(rig->part.busy_until, until);
    cr_expect_eq(ask(rig, 0x05), 0x03);
    rig->part.work.before[5] = 0;
    mx25l3233f_supply_fails(&rig->part);
    cr_expect_eq(rig->part.array.data[5], 0, "what was there comes back as well");
    state_free(&state);
    rig_free(rig);
}

Test(mx25l3233f, unstable_cells_of_array_and_otp_differ_from_read_to_read)
{
    struct rig *rig = rig_new();
    unsigned array = 0, otp = 0;
    cr_assert_eq(nor_unsettle(&rig->part.array, 0x1234, 0x10), 0);
    cr_assert_eq(nor_unsettle(&rig->part.otp, 0x20, 0x10), 0);
    for (unsigned i = 0; i < 64; i++)
        array += byte_at(rig, 0x1234) == 0xef;
    SEND(rig, 0xb1);
    for (unsigned i = 0; i < 64; i++)
        otp += byte_at(rig, 0x20) == 0xef;
    cr_expect(array > 8 && array < 56, "%u of 64", array);
    cr_expect(otp > 8 && otp < 56, "%u of 64", otp);
    rig_free(rig);
}

Test(mx25l3233f, silent_for_a_time_it_reads_as_ones_and_then_answers_again)
{
    struct rig *rig = rig_new();
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0x00, 0x10, 0x00, 0x5a);
    mx25l3233f_silence(&rig->part, 5000);
    advance_us(rig->bench, 4999);
    cr_expect_eq(ask(rig, 0x05), 0xff);
    cr_expect_eq(ask(rig, 0x9f), 0xff);
    /* What comes in that time is lost: this write enable and erase. */
    SEND(rig, 0x06);
    SEND(rig, 0x20, 0x00, 0x10, 0x00);
    cr_expect_eq(rig->spi->busy_until(rig->spi->self), 5000 * CYCLES_PER_US);
    advance_us(rig->bench, 1);
    cr_expect_eq(ask(rig, 0x05), 0x00);
    cr_expect_eq(ask(rig, 0x9f), 0xc2);
    cr_expect_eq(byte_at(rig, 0x1000), 0x5a, "the program before went on inside");
    rig_free(rig);
}

Test(mx25l3233f, a_frame_that_silence_cut_off_does_not_go_on)
{
    struct rig *rig = rig_new();
    uint8_t got;
    rig->spi->select(rig->spi->self, true);
    rig->spi->transfer(rig->spi->self, 0x9f, 1);
    mx25l3233f_silence(&rig->part, 10);
    cr_expect_eq(rig->spi->transfer(rig->spi->self, 0, 1), 0xff);
    rig->spi->select(rig->spi->self, false);
    advance_us(rig->bench, 10);
    got = rig->spi->transfer(rig->spi->self, 0, 1);
    cr_expect_eq(got, 0xff, "not selected, it sends 0x%02x", got);
    rig_free(rig);
}

Test(mx25l3233f, with_too_low_a_supply_nothing_is_written)
{
    struct rig *rig = rig_new();
    mx25l3233f_set_supply(&rig->part, 1900);
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0x00, 0x10, 0x00, 0x5a);
    advance_us(rig->bench, 330);
    cr_expect_eq(byte_at(rig, 0x1000), 0xff);
    mx25l3233f_set_supply(&rig->part, 2700);
    SEND(rig, 0x06);
    SEND(rig, 0x02, 0x00, 0x10, 0x00, 0x5a);
    advance_us(rig->bench, 330);
    cr_expect_eq(byte_at(rig, 0x1000), 0x5a);
    rig_free(rig);
}

static enum nor_fault cut_second(void *context, struct nor *nor, const struct flash_op *op,
                                 const uint8_t *bytes)
{
    (void)context, (void)nor, (void)bytes;
    return op->number == 2 ? NOR_FAULT_CUT : NOR_FAULT_NONE;
}

/* Erased and not yet programmed, all protection bits are set. */
Test(mx25l3233f, a_status_write_that_is_cut_may_leave_the_whole_part_protected)
{
    struct rig *rig = rig_new();
    rig->part.registers.fault = cut_second;
    SEND(rig, 0x06);
    SEND(rig, 0x01, 0x40);
    cr_expect_eq(ask(rig, 0x05), 0xff, "without power it does not answer");
    mx25l3233f_reset(&rig->part);
    rig->part.registers.fault = NULL;
    cr_expect_eq(ask(rig, 0x05), 0xfc);
    SEND(rig, 0x06);
    SEND(rig, 0x20, 0x00, 0x00, 0x00);
    cr_expect_eq(rig->part.array.erases, 0u);
    /* The next write mends it. */
    SEND(rig, 0x06);
    SEND(rig, 0x01, 0x40);
    advance_us(rig->bench, rig->part.times.write_status);
    cr_expect_eq(ask(rig, 0x05), 0x40);
    SEND(rig, 0x06);
    SEND(rig, 0x20, 0x00, 0x00, 0x00);
    cr_expect_eq(rig->part.array.erases, 1u);
    rig_free(rig);
}

Test(mx25l3233f, a_status_bit_can_be_stuck)
{
    struct rig *rig = rig_new();
    cr_assert_eq(nor_stick(&rig->part.registers, MX25_STATUS, 6, false), 0);
    SEND(rig, 0x06);
    SEND(rig, 0x01, 0x40);
    advance_us(rig->bench, rig->part.times.write_status);
    cr_expect_eq(ask(rig, 0x05), 0x00, "QE cannot be set");
    rig_free(rig);
}
