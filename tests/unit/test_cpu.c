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

static struct cpu_bench *cpu_bench_new(const char *program, bool fast)
{
    struct cpu_bench *b = calloc(1, sizeof *b);
    b->bench = bench_new();
    load_program(b, program);
    const struct cpu_ports ports = {
        .store_flash = no_store, .load_xip = no_xip, .cache_on = no, .held = no, .sleeps = sleeps};
    const struct cpu_speed speed = {.inline_stores = fast,
                                    .direct_registers = fast,
                                    .short_hooks = fast,
                                    .skip_spins = fast,
                                    .replay_loops = fast};
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

/* Runs a program to its end and returns how many results it noted. */
static uint32_t run_program(struct cpu_bench *b, const char *program)
{
    uint32_t finished = symbol(program, "finished"), count_at = symbol(program, "result_count");
    for (int ms = 0; ms < 3000 && !word(b, finished); ms++) {
        enum cpu_stop stop = cpu_run(&b->cpu, b->bench->bus.clock.now + CYCLES_PER_MS);
        cr_assert_eq(stop, CPU_STOP_TIME, "stopped (%d) at 0x%08x after %u results: %s", stop,
                     cpu_reg(&b->cpu, 15), word(b, count_at), b->cpu.failure);
    }
    uint32_t count = word(b, count_at);
    cr_expect_neq(word(b, finished), 0u, "not finished after %u results, at 0x%08x", count,
                  cpu_reg(&b->cpu, 15));
    return count;
}

/* Runs a program here and compares every result with QEMU's. */
static void compare(const char *program, bool fast)
{
    struct cpu_bench *b = cpu_bench_new(program, fast);
    uint32_t count = run_program(b, program), results = symbol(program, "results");

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

Test(cpu, exceptions_as_on_qemu_the_slow_way)
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

Test(cpu, priorities_as_on_qemu_the_slow_way)
{
    compare("priorities", false);
}

Test(cpu, frames_as_on_qemu_the_slow_way)
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

/* A program that notes only what is not as it expects, and "done". */
static void run_checks(const char *program, bool fast)
{
    struct cpu_bench *b = cpu_bench_new(program, fast);
    uint32_t count = run_program(b, program), results = symbol(program, "results");
    char label[128] = "";
    for (uint32_t n = 0; n < count; n++) {
        cpu_peek(&b->cpu, word(b, results + 8 * n), label, sizeof label - 1);
        cr_expect(n + 1 == count, "%s: 0x%08x", label, word(b, results + 8 * n + 4));
    }
    cr_expect_str_eq(label, "done");
    cpu_bench_free(b);
}

Test(cpu, chip)
{
    run_checks("chip", true);
}

Test(cpu, chip_the_slow_way)
{
    run_checks("chip", false);
}

/* Runs a few halfwords of code at 0x100 until something stops them, for at most a millisecond. */
static enum cpu_stop run_code(struct cpu_bench *b, const uint16_t *code, size_t halfwords,
                              uint32_t hard_fault)
{
    uint8_t *flash = b->bench->soc.flash.data;
    const uint32_t vectors[4] = {0x20001000, 0x101, 0x141, hard_fault};
    memset(flash, 0xff, 0x1000);
    memcpy(flash, vectors, sizeof vectors);
    memcpy(flash + 0x100, code, halfwords * 2);
    const uint16_t self[] = {0xe7fe, 0xdeff};
    memcpy(flash + 0x180, self, sizeof self);
    cpu_code_changed(&b->cpu, 0, b->bench->soc.flash.size);
    cpu_reset(&b->cpu);
    return cpu_run(&b->cpu, b->bench->bus.clock.now + CYCLES_PER_MS);
}

#define RUN(b, hard_fault, ...)                                                                              \
    run_code(b, (const uint16_t[]){__VA_ARGS__}, sizeof(const uint16_t[]){__VA_ARGS__} / 2, hard_fault)

static void expect_lock_up(enum cpu_stop stop, const struct cpu_bench *b, const char *what)
{
    cr_expect_eq(stop, CPU_STOP_RESET, "%s: stopped with %d", what, stop);
    cr_expect_eq(b->cpu.reset_cause, RESET_LOCKUP, "%s", what);
    cr_expect(b->cpu.locked_up, "%s", what);
}

Test(cpu, lock_up)
{
    struct cpu_bench *b = cpu_bench_new("faults", true);
    expect_lock_up(RUN(b, 0x183, 0xde00), b, "UDF, and UDF in HardFault");
    expect_lock_up(RUN(b, 0x180, 0xde00), b, "HardFault vector without T");
    expect_lock_up(RUN(b, 0xa0000001, 0xde00), b, "HardFault vector to nowhere");
    expect_lock_up(RUN(b, 0xffffffff, 0xde00), b, "HardFault vector erased");
    expect_lock_up(RUN(b, 0xfffffff9, 0xde00), b, "HardFault vector that looks like an EXC_RETURN");
    expect_lock_up(RUN(b, 0x181, 0xb671, 0xde00), b, "UDF under FAULTMASK");
    expect_lock_up(RUN(b, 0x181, 0x2000, 0x4685, 0xb4ff, 0xde00), b, "stack below memory");
    cr_expect_eq(RUN(b, 0x181, 0xde00), CPU_STOP_TIME, "UDF");
    cr_expect_eq(cpu_reg(&b->cpu, 15), 0x180u);
    cr_expect_eq(b->cpu.scb.hfsr, (uint32_t)HFSR_FORCED);
    cr_expect_eq(RUN(b, 0x181, 0xbe00), CPU_STOP_TIME, "BKPT without a debugger");
    cr_expect_eq(b->cpu.scb.hfsr, (uint32_t)HFSR_DEBUGEVT);
    cpu_bench_free(b);
}

Test(cpu, branches_to_where_no_code_is)
{
    struct cpu_bench *b = cpu_bench_new("faults", true);
    /* LDR PC, [PC, #0] and MOV PC, R0 with the engine's own end address, and with our page of CLREX. */
    static const uint32_t targets[] = {0xfffffff1, 0xfffffff0, 0xfffffffd, 0x9ffff001, 0x9ffff003,
                                       0xf0000001, 0xe000e001, 0x40000001, 0x00100001, 0x12000001};
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        uint16_t lo = (uint16_t)targets[i], hi = (uint16_t)(targets[i] >> 16);
        cr_expect_eq(RUN(b, 0x181, 0xf8df, 0xf000, lo, hi), CPU_STOP_TIME, "LDR PC, =0x%08x", targets[i]);
        cr_expect_eq(cpu_reg(&b->cpu, 15), 0x180u, "LDR PC, =0x%08x: at 0x%08x", targets[i],
                     cpu_reg(&b->cpu, 15));
        cr_expect_eq(RUN(b, 0x181, 0x4801, 0x4687, 0xbf00, 0xbf00, lo, hi), CPU_STOP_TIME, "MOV PC, 0x%08x",
                     targets[i]);
        cr_expect_eq(cpu_reg(&b->cpu, 15), 0x180u, "MOV PC, 0x%08x: at 0x%08x", targets[i],
                     cpu_reg(&b->cpu, 15));
    }
    cpu_bench_free(b);
}

/* A B.W lies on both sides of a page's end; its second half says where it leads. */
Test(cpu, code_in_ram_that_reaches_into_a_page_that_changes)
{
    struct cpu_bench *b = cpu_bench_new("faults", true);
    const uint16_t first_half = 0xf7ff;
    cr_assert_eq(cpu_poke(&b->cpu, 0x20001ffe, &first_half, 2), 0);
    for (uint16_t n = 1; n <= 3; n++) {
        const uint16_t code[] = {(uint16_t)(0x2400 | n), 0xe7fe}; /* MOVS r4, #n; B . */
        cr_assert_eq(cpu_poke(&b->cpu, 0x20001000 + 16 * n, code, sizeof code), 0);
    }
    for (uint16_t n = 1; n <= 3; n++) {
        const uint16_t second_half = (uint16_t)(0xb7ff + 8 * n);
        if (n == 3)
            cr_assert_eq(dma_write(&b->bench->bus, 0x20002000, &second_half, 2), 0);
        else /* the second time by the RAM's other address */
            cr_assert_eq(cpu_poke(&b->cpu, n == 1 ? 0x20002000 : 0x00802000, &second_half, 2), 0);
        cr_expect_eq(RUN(b, 0x181, 0xf8df, 0xf000, 0x1fff, 0x2000), CPU_STOP_TIME);
        cr_expect_eq(cpu_reg(&b->cpu, 4), n, "r4 is %u, not %u", cpu_reg(&b->cpu, 4), n);
    }
    cpu_bench_free(b);
}
