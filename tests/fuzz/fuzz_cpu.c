/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random bytes as firmware: whatever it does, the machine goes on, resets, or stands still, and time passes.
 * And it does the same with all tricks of speed as with none. */
#include "core/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_CYCLES (CYCLES_PER_MS / 4)
#define HEADER     16

/* Vectors and stack that a reset can do something with, if the input asks for it by its first byte. */
static void put_vectors(uint8_t *flash, uint8_t wish)
{
    const uint32_t entry = 0x100 + HEADER * 4u + (wish & 0xfe) * 2u;
    const uint32_t stack = wish & 1 ? 0x20008000u : 0x20000100u;
    for (uint32_t n = 0; n < 64; n++) {
        uint32_t vector = n ? (entry + n * (wish >> 4)) | 1u : stack;
        memcpy(flash + 4 * n, &vector, 4);
    }
}

/* What a run came to. */
struct outcome {
    uint64_t cycle, trace;
    uint32_t reg[17];
};

static struct outcome run(const uint8_t *data, size_t size, struct cpu_speed speed)
{
    struct machine *machine = calloc(1, sizeof *machine);
    const struct board board = {0}; /* a bare chip: parts on its pins do not run code */
    struct diag why;
    const struct machine_options options = {.seed = 1, .speed = speed};
    struct outcome outcome;
    if (!machine || machine_init(machine, &board, &options, &why))
        abort();
    uint8_t *flash = machine->soc.flash.data;
    size_t length = size - 2 < machine->soc.flash.size ? size - 2 : machine->soc.flash.size;
    memcpy(flash, data + 2, length);
    if (!(data[1] & 2)) {
        size_t at = length < machine->soc.flash.size - 0x100 ? length : machine->soc.flash.size - 0x100;
        memmove(flash + 0x100, data + 2, at);
        put_vectors(flash, data[0]);
    }
    machine_power_on(machine, data[1] & 4 ? RAM_DECAYED : RAM_CLEARED);
    if (machine_run(machine, RUN_CYCLES) == MACHINE_FAILED || machine->bus.clock.now < RUN_CYCLES)
        abort();
    outcome.cycle = machine->bus.clock.now;
    outcome.trace = machine_trace_hash(machine);
    for (unsigned i = 0; i < 17; i++)
        outcome.reg[i] = cpu_reg(&machine->cpu, i);
    machine_destroy(machine);
    free(machine);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    const struct outcome plain = run(data, size, (struct cpu_speed){0}),
                         fast = run(data, size, (struct cpu_speed)CPU_ALL_TRICKS);
    if (plain.cycle == fast.cycle && plain.trace == fast.trace &&
        !memcmp(plain.reg, fast.reg, sizeof plain.reg))
        return 0;
    fprintf(stderr, "fuzz_cpu: with tricks of speed the run is another one\n");
    abort();
}
