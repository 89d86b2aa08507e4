/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/loop_round.h"

#include "core/cpu.h"
#include "core/cycles.h"
#include "core/thumb.h"

uint32_t loop_trail(const struct cpu *cpu, unsigned back)
{
    return cpu->trail[(cpu->trail_next - 1 - back) % CPU_TRAIL];
}

static bool is_period(const struct cpu *cpu, unsigned length)
{
    for (unsigned i = 0; i < CPU_TRAIL - length; i++) {
        if (loop_trail(cpu, i) != loop_trail(cpu, i + length))
            return false;
    }
    return true;
}

unsigned loop_in_trail(const struct cpu *cpu, uint32_t head, bool *once)
{
    *once = true;
    for (unsigned length = 1; length <= LOOP_MAX_BLOCKS && cpu->trail_next >= CPU_TRAIL; length++) {
        if (loop_trail(cpu, length - 1) != head)
            continue;
        if (is_period(cpu, length))
            return length;
        *once = false;
    }
    return 0;
}

uint64_t loop_rounds_in_time(const struct cpu *cpu, uint64_t period)
{
    uint64_t now = cpu->bus->clock.now, deadline = cpu->bus->clock.deadline;
    return deadline > now + period ? (deadline - now - 1) / period : 0;
}

/* Interprets one block; `next` gets the address of the following one. */
static bool run_block(const struct loop_round *round, const struct block_info *info,
                      loop_instruction *interpret, void *context, uint32_t *next)
{
    uint32_t pc = info->address, end = info->address + info->size;
    while (pc < end) {
        uint16_t code[2];
        uint32_t target = 0;
        if (cpu_peek(round->cpu, pc, code, 2))
            return false;
        unsigned size = thumb_size(code[0]);
        if (size == 4 && cpu_peek(round->cpu, pc + 2, code + 1, 2))
            return false;
        uint32_t op = size == 2 ? code[0] : (uint32_t)code[0] << 16 | code[1];
        enum loop_step step = interpret(context, op, size, pc, &target);
        if (step == LOOP_GIVE_UP)
            return false;
        pc += size;
        if (step == LOOP_BRANCH) {
            *next = target;
            return pc == end;
        }
    }
    *next = end;
    return true;
}

bool loop_round_run(struct loop_round *round, uint32_t head, loop_instruction *interpret, void *context)
{
    const struct cpu *cpu = round->cpu;
    uint32_t at = head;
    for (unsigned n = 0; n < LOOP_MAX_BLOCKS; n++) {
        const struct block_info *info = cpu_block(cpu, at);
        if (!info || info->flags & (BLOCK_UNMASKS | BLOCK_SEV | cpu->careful_flags) ||
            cpu_is_watched(cpu, info))
            return false;
        round->time += cpu_block_cycles(cpu, info, round->expected);
        round->expected = at + info->size;
        if (!run_block(round, info, interpret, context, &at))
            return false;
        if (at == head)
            return true;
    }
    return false;
}
