/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine by itself, to compare sosim's speed with: no hook, no time, no devices.
 *
 *   engine PROGRAM.bin [inline-stores]
 *
 * Runs a program of tests/firmware to its end, prints what it prints by semihosting, and then the seconds.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicorn/unicorn.h>

#define FLASH_SIZE 0x40000u
#define RAM_BASE   0x20000000u
#define RAM_SIZE   0x20000u

static uint8_t flash[FLASH_SIZE], ram[RAM_SIZE];
static bool inline_stores;

/* See emu/core/fast_store.h; here no page of RAM holds code. */
__attribute__((visibility("default"))) void tlb_set_page_with_attrs_arm(void *cpu, uint32_t address,
                                                                        uint64_t physical,
                                                                        uint32_t attributes, int prot,
                                                                        int mmu_index, uint32_t size);

void tlb_set_page_with_attrs_arm(void *cpu, uint32_t address, uint64_t physical, uint32_t attributes,
                                 int prot, int mmu_index, uint32_t size)
{
    void (*set_page)(void *, uint32_t, uint64_t, uint32_t, int, int, uint32_t) = NULL;
    void (*set_dirty)(void *, uint32_t) = NULL;
    *(void **)&set_page = dlsym(RTLD_NEXT, "tlb_set_page_with_attrs_arm");
    *(void **)&set_dirty = dlsym(RTLD_NEXT, "tlb_set_dirty_arm");
    set_page(cpu, address, physical, attributes, prot, mmu_index, size);
    if (inline_stores && set_dirty && address - RAM_BASE < RAM_SIZE) {
        set_dirty(cpu, address);
    }
}

static void check(uc_err error, const char *what)
{
    if (error != UC_ERR_OK) {
        fprintf(stderr, "engine: %s: %s\n", what, uc_strerror(error));
        exit(1);
    }
}

static void on_interrupt(uc_engine *uc, uint32_t number, void *context)
{
    (void)number, (void)context;
    uc_emu_stop(uc);
}

static uint32_t reg(uc_engine *uc, int which)
{
    uint32_t value = 0;
    uc_reg_read(uc, which, &value);
    return value;
}

/* Serves the semihosting call at the PC; false if the program ends with it. */
static bool serve(uc_engine *uc)
{
    if (reg(uc, UC_ARM_REG_R0) != 4) { /* SYS_WRITE0 */
        return false;
    }
    uint32_t at = reg(uc, UC_ARM_REG_R1);
    char byte = 0;
    while (uc_mem_read(uc, at++, &byte, 1) == UC_ERR_OK && byte != '\0') {
        putchar(byte);
    }
    uint32_t pc = reg(uc, UC_ARM_REG_PC) + 2;
    uc_reg_write(uc, UC_ARM_REG_PC, &pc);
    return true;
}

static uc_engine *boot(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fread(flash, 1, sizeof(flash), file) < 256) {
        fprintf(stderr, "engine: cannot read %s\n", path);
        exit(2);
    }
    fclose(file);
    uc_engine *uc = NULL;
    uc_hook hook;
    check(uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &uc), "open");
    check(uc_ctl_set_cpu_model(uc, UC_CPU_ARM_CORTEX_M4), "model");
    check(uc_mem_map_ptr(uc, 0, FLASH_SIZE, UC_PROT_READ | UC_PROT_EXEC, flash), "flash");
    check(uc_mem_map_ptr(uc, RAM_BASE, RAM_SIZE, UC_PROT_ALL, ram), "RAM");
    check(uc_mem_map(uc, 0x10000000, 0x1000, UC_PROT_READ), "FICR");
    check(uc_mem_map(uc, 0xe000e000, 0x1000, UC_PROT_READ | UC_PROT_WRITE), "SCS");
    check(uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)on_interrupt, NULL, 1, 0), "hook");
    uint32_t start[2];
    memcpy(start, flash, sizeof(start));
    uc_reg_write(uc, UC_ARM_REG_SP, &start[0]);
    uc_reg_write(uc, UC_ARM_REG_PC, &start[1]);
    return uc;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: engine PROGRAM.bin [inline-stores]\n");
        return 2;
    }
    inline_stores = argc > 2 && strcmp(argv[2], "inline-stores") == 0;
    uc_engine *uc = boot(argv[1]);
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    do {
        check(uc_emu_start(uc, reg(uc, UC_ARM_REG_PC) | 1, 0xffffffff, 0, 0), "run");
    } while (serve(uc));
    clock_gettime(CLOCK_MONOTONIC, &to);
    uc_close(uc);
    printf("seconds %.3f\n", (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    return 0;
}
