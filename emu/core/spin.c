/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/spin.h"

#include "core/cpu.h"
#include "core/spin_round.h"

#include <string.h>

static void read_state(struct cpu *cpu, struct spin_round *r)
{
    memset(r, 0, sizeof *r);
    r->loop.cpu = cpu;
    for (unsigned i = 0; i < 15; i++)
        r->reg[i].now = cpu_reg(cpu, i);
    uint32_t xpsr = cpu_reg(cpu, 16);
    r->flags = (struct spin_flags){xpsr >> 31, xpsr >> 30 & 1, xpsr >> 29 & 1, xpsr >> 28 & 1};
    r->loop.time = cpu->bus->clock.now;
    r->rounds = SPIN_UNLIMITED;
    r->loop.expected = cpu->expected;
}

/* The state at the beginning of a round, each value as a line that a round moves on by as much as `first`, a
 * round from there, did. */
static bool assume(const struct spin_round *first, const struct spin_round *before, struct spin_round *line)
{
    *line = *before;
    line->period = first->loop.time - before->loop.time;
    for (unsigned i = 0; i < 15; i++)
        line->reg[i].step = first->reg[i].now - before->reg[i].now;
    line->words = first->words;
    for (unsigned i = 0; i < first->words; i++) {
        uint32_t there = 0;
        if (cpu_peek(line->loop.cpu, first->word[i].address, &there, sizeof there))
            return false;
        line->word[i].address = first->word[i].address;
        line->word[i].value = (struct spin_line){there, first->word[i].value.now - there};
    }
    return line->period;
}

static bool moved_on(struct spin_line from, struct spin_line to)
{
    return to.now == from.now + from.step && to.step == from.step;
}

/* True if a round did what was assumed, so that the next one will, too. */
static bool holds(const struct spin_round *assumed, const struct spin_round *after)
{
    if (memcmp(&after->flags, &assumed->flags, sizeof after->flags) || after->words != assumed->words)
        return false;
    for (unsigned i = 0; i < 15; i++) {
        if (!moved_on(assumed->reg[i], after->reg[i]))
            return false;
    }
    for (unsigned i = 0; i < after->words; i++) {
        if (!moved_on(assumed->word[i].value, after->word[i].value))
            return false;
    }
    return true;
}

/* How many rounds there is nothing to look at before, and every branch goes the same way. */
static uint64_t rounds_ahead(const struct cpu *cpu, const struct spin_round *line)
{
    uint64_t rounds = loop_rounds_in_time(cpu, line->period);
    return rounds < line->rounds - 1 ? rounds : line->rounds - 1;
}

static uint32_t after_rounds(struct spin_line line, uint64_t rounds)
{
    return line.now + (uint32_t)rounds * line.step;
}

static void move_on(struct cpu *cpu, const struct spin_round *from, uint64_t rounds)
{
    for (unsigned i = 0; i < 15; i++) {
        if (from->reg[i].step)
            cpu_set_reg(cpu, i, after_rounds(from->reg[i], rounds));
    }
    for (unsigned i = 0; i < from->words; i++) {
        uint32_t word = after_rounds(from->word[i].value, rounds);
        if (from->word[i].value.step)
            cpu_poke(cpu, from->word[i].address, &word, sizeof word);
    }
    cpu->bus->clock.now += rounds * from->period;
}

enum spin spin_skip(struct cpu *cpu, uint32_t head)
{
    struct spin_round before, first, assumed, line;
    read_state(cpu, &before);
    if (cpu_reg(cpu, 16) & LOOP_XPSR_IT)
        return SPIN_NONE;
    /* Once to see how long a round is and what it changes … */
    first = before;
    if (!spin_run_round(&first, head) || first.loop.expected != cpu->expected ||
        !assume(&first, &before, &assumed))
        return SPIN_NONE;
    /* … and once more with those changes as lines, to see that they go on. */
    line = assumed;
    if (!spin_run_round(&line, head) || !holds(&assumed, &line))
        return SPIN_NONE;
    uint64_t rounds = rounds_ahead(cpu, &line);
    if (!rounds)
        return SPIN_LATER;
    move_on(cpu, &assumed, rounds);
    return SPIN_SKIPPED;
}
