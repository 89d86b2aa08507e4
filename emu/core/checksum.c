/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/checksum.h"

#include "core/checksum_round.h"
#include "core/cpu.h"
#include "core/nor.h"

#include <string.h>

#define ENTRIES   256u
#define AT_ONCE   8u    /* bytes */
#define WORTH_IT  1024u /* bytes, to make tables that take so many */
#define UNLIMITED (1ull << 32)

/* --- sums -------------------------------------------------------------------------------------------------
 */

struct tables {
    uint32_t of[AT_ONCE][ENTRIES]; /* [n]: what a byte does that n others come after; [0]: the guest's own */
};

static bool is_linear(const uint32_t *table)
{
    for (unsigned i = 1; i < ENTRIES; i++) {
        unsigned rest = i & (i - 1);
        if (rest && table[i] != (table[rest] ^ table[i ^ rest]))
            return false;
    }
    return !table[0];
}

static void fill_tables(struct tables *tables)
{
    for (unsigned n = 1; n < AT_ONCE; n++) {
        for (unsigned i = 0; i < ENTRIES; i++) {
            uint32_t sum = tables->of[n - 1][i];
            tables->of[n][i] = tables->of[0][sum & 0xff] ^ sum >> 8;
        }
    }
}

static uint32_t add_eight(const struct tables *tables, uint32_t sum, const uint8_t *bytes)
{
    uint32_t result = 0;
    for (unsigned i = 0; i < AT_ONCE; i++)
        result ^= tables->of[AT_ONCE - 1 - i][bytes[i] ^ (i < 4 ? sum >> 8 * i & 0xff : 0)];
    return result;
}

static uint32_t add_bytes(struct tables *tables, uint32_t sum, const uint8_t *bytes, uint64_t count)
{
    if (count >= WORTH_IT && is_linear(tables->of[0])) {
        fill_tables(tables);
        for (; count >= AT_ONCE; count -= AT_ONCE, bytes += AT_ONCE)
            sum = add_eight(tables, sum, bytes);
    }
    for (; count; count--, bytes++)
        sum = tables->of[0][(sum ^ *bytes) & 0xff] ^ sum >> 8;
    return sum;
}

/* --- the loop ---------------------------------------------------------------------------------------------
 */

static void read_state(struct cpu *cpu, struct sum_round *r)
{
    uint32_t xpsr = cpu_reg(cpu, 16);
    *r = (struct sum_round){.loop = {cpu, cpu->bus->clock.now, cpu->expected}};
    for (unsigned i = 0; i < SUM_REGISTERS; i++)
        r->reg[i] = (struct sum_value){cpu_reg(cpu, i), SUM_LINE, i, 0};
    r->n = xpsr >> 31;
    r->z = xpsr >> 30 & 1;
    r->c = xpsr >> 29 & 1;
    r->v = xpsr >> 28 & 1;
    r->flags.a.what = r->flags.b.what = SUM_OTHER;
}

/* What a round adds to a register; SUM_NONE has 0. */
static uint32_t step_of(const struct sum_round *r, unsigned reg)
{
    return reg == SUM_NONE ? 0 : r->reg[reg].add;
}

static bool moves_on(const struct sum_round *r, unsigned reg)
{
    return reg == SUM_NONE || (r->reg[reg].what == SUM_LINE && r->reg[reg].reg == reg);
}

/* The register of the sum, if the round did nothing but add a byte to it; or SUM_NONE. */
static unsigned find_sum(const struct sum_round *r)
{
    unsigned sum = SUM_NONE;
    if (!r->loads || !r->looks || !moves_on(r, r->from.reg) || step_of(r, r->from.reg) != 1 ||
        !moves_on(r, r->table.reg) || step_of(r, r->table.reg))
        return SUM_NONE;
    for (unsigned i = 0; i < SUM_REGISTERS; i++) {
        if (r->reg[i].what == SUM_NEW && r->reg[i].reg == i)
            sum = i;
        else if (!moves_on(r, i) && r->used >> i & 1)
            return SUM_NONE;
    }
    return sum;
}

/* For how many rounds from this one on two values are equal as they are now, or are not. */
static uint64_t rounds_alike(const struct sum_round *r, const struct sum_decision *decision)
{
    uint32_t step = step_of(r, decision->a.reg) - step_of(r, decision->b.reg);
    uint32_t apart = decision->a.now - decision->b.now;
    if (!moves_on(r, decision->a.reg) || !moves_on(r, decision->b.reg))
        return 0;
    if (!step)
        return UNLIMITED;
    if (!apart || (step != 1 && step != UINT32_MAX))
        return 0;
    return step == 1 ? 0u - apart : apart;
}

/* How many rounds there is nothing to look at before, every branch goes the same way, and there are bytes. */
static uint64_t rounds_ahead(const struct sum_round *r)
{
    const struct cpu *cpu = r->loop.cpu;
    uint64_t rounds = loop_rounds_in_time(cpu, r->loop.time - cpu->bus->clock.now);
    if (rounds > cpu->flash_size - r->from.now)
        rounds = cpu->flash_size - r->from.now;
    for (unsigned i = 0; i < r->decisions; i++) {
        uint64_t alike = rounds_alike(r, &r->decision[i]);
        rounds = alike < rounds ? alike : rounds;
    }
    return rounds;
}

/* Moves the state at a round's beginning on by some rounds, but for what no round looks at. */
static bool move_on(struct sum_round *state, const struct sum_round *round, unsigned sum, uint64_t rounds)
{
    struct cpu *cpu = state->loop.cpu;
    struct nor *flash = cpu->bus->flash;
    struct tables tables;
    uint32_t table = round->table.now, size = sizeof tables.of[0], bytes = (uint32_t)rounds + 1;
    if (table & 3 || table >= cpu->flash_size || cpu->flash_size - table < size ||
        nor_is_unstable(flash, table, size) || nor_is_unstable(flash, round->from.now, bytes))
        return false;
    memcpy(tables.of[0], cpu->flash + table, size);
    if (cpu->flash_watched) {
        nor_note_read(flash, table, size);
        nor_note_read(flash, round->from.now, bytes);
    }
    for (unsigned i = 0; i < SUM_REGISTERS; i++) {
        if (moves_on(round, i))
            state->reg[i].now += (uint32_t)rounds * step_of(round, i);
    }
    state->reg[sum].now = add_bytes(&tables, state->reg[sum].now, cpu->flash + round->from.now, rounds);
    state->loop.time += rounds * (round->loop.time - state->loop.time);
    return true;
}

static void write_state(const struct sum_round *r)
{
    struct cpu *cpu = r->loop.cpu;
    uint32_t xpsr = (cpu_reg(cpu, 16) & 0x0fffffffu) | (uint32_t)r->n << 31 | (uint32_t)r->z << 30 |
                    (uint32_t)r->c << 29 | (uint32_t)r->v << 28;
    for (unsigned i = 0; i < 13; i++)
        cpu_set_reg(cpu, i, r->reg[i].now);
    uc_reg_write(cpu->uc, UC_ARM_REG_XPSR_NZCVQG, &xpsr);
    cpu->bus->clock.now = r->loop.time;
}

enum spin checksum_skip(struct cpu *cpu, uint32_t head)
{
    struct sum_round before, round;
    read_state(cpu, &before);
    round = before;
    if (cpu_reg(cpu, 16) & LOOP_XPSR_IT || !sum_run_round(&round, head) ||
        round.loop.expected != before.loop.expected)
        return SPIN_NONE;
    unsigned sum = find_sum(&round);
    if (sum == SUM_NONE)
        return SPIN_NONE;
    uint64_t rounds = rounds_ahead(&round);
    if (rounds < 2)
        return SPIN_LATER;
    if (!move_on(&before, &round, sum, rounds - 1) || !sum_run_round(&before, head))
        return SPIN_NONE;
    write_state(&before);
    return SPIN_SKIPPED;
}
