/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CPU against an independent Cortex-M4: each program of tests/firmware notes labelled words, here and on
 * QEMU's mps2-an386, and the two lists must be the same.
 */
#include "bench.h"
#include "core/cpu.h"

#include <stdio.h>

struct cpu_bench {
    struct bench *bench;
    struct cpu cpu;
};

static int no_store(void *context, uint32_t address, unsigned size, uint32_t value)
{
    (void)context, (void)address, (void)size, (void)value;
    return 0;
}

static int no_xip(void *context, uint32_t offset, unsigned size, uint32_t *value)
{
    (void)context, (void)offset, (void)size, (void)value;
    return -1;
}

static bool no(void *context)
{
    (void)context;
    return false;
}

static void sleeps(void *context, bool asleep)
{
    (void)context, (void)asleep;
}

static void load_program(struct cpu_bench *b, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.bin", TEST_FIRMWARE, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    size_t size = fread(b->bench->soc.flash.data, 1, b->bench->soc.flash.size, file);
    fclose(file);
    cr_assert_gt(size, 256u);
}

static struct cpu_bench *cpu_bench_new(const char *program, bool inline_stores)
{
    struct cpu_bench *b = calloc(1, sizeof *b);
    b->bench = bench_new();
    load_program(b, program);
    const struct cpu_ports ports = {
        .store_flash = no_store, .load_xip = no_xip, .cache_on = no, .held = no, .sleeps = sleeps};
    const struct cpu_speed speed = {.inline_stores = inline_stores};
    cr_assert_eq(cpu_init(&b->cpu, &b->bench->bus, b->bench->soc.flash.data, b->bench->soc.flash.size,
                          b->bench->ram, NRF52840_RAM_SIZE, &ports, &speed),
                 0, "%s", b->cpu.failure);
    cpu_reset(&b->cpu);
    return b;
}

static void cpu_bench_free(struct cpu_bench *b)
{
    cpu_destroy(&b->cpu);
    bench_free(b->bench);
    free(b);
}

/* Address of a symbol, from the ELF file. */
static uint32_t symbol(const char *program, const char *name)
{
    char command[1024];
    snprintf(command, sizeof command, "arm-none-eabi-nm %s/%s.elf | grep -w %s", TEST_FIRMWARE, program,
             name);
    FILE *pipe = popen(command, "r");
    unsigned address = 0;
    cr_assert_eq(fscanf(pipe, "%x", &address), 1, "no symbol %s", name);
    pclose(pipe);
    return address;
}

static uint32_t word(struct cpu_bench *b, uint32_t address)
{
    uint32_t value = 0;
    cr_assert_eq(cpu_peek(&b->cpu, address, &value, 4), 0, "no memory at 0x%08x", address);
    return value;
}

/* Runs a program here and compares every result with QEMU's. */
static void compare(const char *program, bool inline_stores)
{
    struct cpu_bench *b = cpu_bench_new(program, inline_stores);
    uint32_t finished = symbol(program, "finished"), results = symbol(program, "results");
    uint32_t count_at = symbol(program, "result_count");
    for (int ms = 0; ms < 3000 && !word(b, finished); ms++) {
        enum cpu_stop stop = cpu_run(&b->cpu, b->bench->bus.clock.now + CYCLES_PER_MS);
        cr_assert_eq(stop, CPU_STOP_TIME, "stopped (%d) at 0x%08x after %u results: %s", stop,
                     cpu_reg(&b->cpu, 15), word(b, count_at), b->cpu.failure);
    }
    uint32_t count = word(b, count_at);
    cr_expect_neq(word(b, finished), 0u, "not finished after %u results, at 0x%08x", count,
                  cpu_reg(&b->cpu, 15));

    char command[1024];
    snprintf(
        command, sizeof command,
        "timeout 30 qemu-system-arm -M mps2-an386 -nographic -semihosting-config enable=on,target=native "
        "-monitor none -serial none -kernel %s/%s.elf 2>&1",
        TEST_FIRMWARE, program);
    FILE *qemu = popen(command, "r");
    char line[256];
    uint32_t n = 0;
    for (; fgets(line, sizeof line, qemu); n++) {
        line[strcspn(line, "\n")] = 0;
        char ours[256] = "(nothing)", label[128] = "";
        if (n < count) {
            cpu_peek(&b->cpu, word(b, results + 8 * n), label, sizeof label - 1);
            snprintf(ours, sizeof ours, "%s %08x", label, word(b, results + 8 * n + 4));
        }
        cr_expect_str_eq(ours, line, "result %u: here \"%s\", QEMU \"%s\"", n, ours, line);
    }
    pclose(qemu);
    cr_expect_eq(n, count, "QEMU notes %u results, we %u", n, count);
    cr_expect_gt(n, 10u, "QEMU ran the program");
    cpu_bench_free(b);
}

Test(cpu, exceptions_as_on_qemu)
{
    compare("exceptions", true);
}

Test(cpu, exceptions_as_on_qemu_with_slow_stores)
{
    compare("exceptions", false);
}

Test(cpu, faults_as_on_qemu)
{
    compare("faults", true);
}

Test(cpu, priorities_as_on_qemu)
{
    compare("priorities", true);
}

Test(cpu, priorities_as_on_qemu_with_slow_stores)
{
    compare("priorities", false);
}

Test(cpu, frames_as_on_qemu_with_slow_stores)
{
    compare("frames", false);
}

Test(cpu, frames_as_on_qemu)
{
    compare("frames", true);
}

Test(cpu, random_instructions_as_on_qemu)
{
    compare("random", true);
}
