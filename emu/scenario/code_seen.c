/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/code_seen.h"

#include "core/cpu.h"

void code_seen_note(struct code_seen *seen, const struct cpu *cpu)
{
    uint32_t trail[CPU_TRAIL];
    unsigned count = cpu_trail(cpu, trail);
    for (unsigned i = 0; i < count && !seen->many; i++) {
        unsigned j = 0;
        while (j < seen->count && seen->blocks[j] != trail[i])
            j++;
        seen->many = j == CODE_SEEN_MAX;
        if (j == seen->count && !seen->many)
            seen->blocks[seen->count++] = trail[i];
    }
}
