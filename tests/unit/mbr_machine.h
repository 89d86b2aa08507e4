/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine just large enough for the MBR, on a plain Unicorn: flash with an NVMC, RAM, the reset request,
 * and exception entry and return. It is its own oracle for flash use: a store without write enable, a program
 * of a bit that is not erased, an operation while busy and an erase without erase enable are all counted as
 * misuse.
 *
 * Modelled: power cuts before, within and after a flash operation; programs that are lost.
 * Not modelled: time, interrupts that arrive by themselves, priorities, all other peripherals.
 */
#ifndef TEST_MBR_MACHINE_H
#define TEST_MBR_MACHINE_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicorn/unicorn.h>

#include "mbr/mbr_image.h"

#define PAGE            0x1000u
#define FLASH_SIZE      0x100000u
#define RAM             0x20000000u
#define RAM_SIZE        0x40000u
#define UICR_PAGE       0x10001000u
#define NVMC_PAGE       0x4001E000u
#define SCS_PAGE        0xE000E000u
#define ERASED          0xFFFFFFFFu
#define BOOTLOADER      0xF4000u
#define PARAMS          0x2F000u
#define SOFTDEVICE      0x1000u
#define SOURCE          0xD4000u
#define APP_TABLE       0x20005C00u
#define CODE            0x20008000u
#define COMMAND         0x20009000u
#define MAIN_STACK      0x20010000u
#define PROC_STACK      0x20018000u
#define BKPT            0xBE00u
#define SVC             0xDF00u
#define ENTRY           0x200u /* offset of the first instruction in the images made here */
#define BUSY_POLLS      2
#define RUN_BLOCKS      5000000u
#define MAX_RESETS      8
#define FIRST_FORWARDED 2
#define SVCALL          11
#define EXCEPTIONS      64

/* What ended a run of the guest. */
enum stop { STOP_NONE, STOP_BREAK, STOP_RESET, STOP_SLEEP, STOP_CUT, STOP_SVC, STOP_RETURN, STOP_ERROR };

/* How much of the flash operation in progress survives a power cut. */
enum cut { CUT_BEFORE, CUT_LOW_HALF, CUT_HIGH_HALF, CUT_SCATTERED, CUT_AFTER, CUT_KINDS };

struct machine {
    uc_engine *uc;
    uint8_t *flash;
    uint32_t config;
    uint32_t busy_polls;
    uint32_t operations; /* programs and erases since the last power-on */
    uint32_t cut_at;     /* cut power at this operation, counted from 1; 0 for never */
    enum cut cut;
    uint32_t stuck_programs; /* so many programs are lost from here on */
    uint32_t misuse;
    uint32_t resets;
    uint32_t blocks;
    enum stop stop;
};

static uint32_t flash_word(const struct machine *m, uint32_t address)
{
    uint32_t value;
    memcpy(&value, m->flash + address, 4);
    return value;
}

static void set_flash_word(struct machine *m, uint32_t address, uint32_t value)
{
    memcpy(m->flash + address, &value, 4);
}

static uint32_t peek(struct machine *m, uint32_t address)
{
    uint32_t value = 0;
    cr_assert_eq(uc_mem_read(m->uc, address, &value, 4), UC_ERR_OK, "reading 0x%x", address);
    return value;
}

static void poke(struct machine *m, uint32_t address, uint32_t value)
{
    cr_assert_eq(uc_mem_write(m->uc, address, &value, 4), UC_ERR_OK, "writing 0x%x", address);
}

static uint32_t reg(struct machine *m, int id)
{
    uint32_t value = 0;
    uc_reg_read(m->uc, id, &value);
    return value;
}

static void set_reg(struct machine *m, int id, uint32_t value)
{
    uc_reg_write(m->uc, id, &value);
}

/* The part of the bits of a torn operation that changes; the scattered kind differs from place to place. */
static uint32_t torn_mask(enum cut cut, uint32_t address)
{
    uint32_t mix = address * 2654435761u;
    switch (cut) {
    case CUT_BEFORE:
        return 0;
    case CUT_LOW_HALF:
        return 0x0000FFFFu;
    case CUT_HIGH_HALF:
        return 0xFFFF0000u;
    case CUT_SCATTERED:
        return mix ^ (mix >> 13);
    default:
        return ERASED;
    }
}

/* Counts an operation; returns the mask of bits that it changes. */
static uint32_t begin_operation(struct machine *m, uint32_t address)
{
    m->operations++;
    m->busy_polls = BUSY_POLLS;
    if (m->operations != m->cut_at)
        return ERASED;
    m->stop = STOP_CUT;
    return torn_mask(m->cut, address);
}

static void flash_changed(struct machine *m, uint32_t address, uint32_t size)
{
    uc_ctl_remove_cache(m->uc, address, address + size);
}

static void program(struct machine *m, uint32_t address, uint32_t value)
{
    uint32_t old = flash_word(m, address);
    if (m->config != 1 || m->busy_polls != 0 || address < PAGE || (value & ~old) != 0)
        m->misuse++;
    uint32_t mask = begin_operation(m, address);
    if (m->stuck_programs > 0) {
        m->stuck_programs--;
        return;
    }
    set_flash_word(m, address, old & (value | ~mask));
    flash_changed(m, address, 4);
}

static void erase(struct machine *m, uint32_t page)
{
    if (m->config != 2 || m->busy_polls != 0 || page < PAGE || page >= FLASH_SIZE || page % PAGE != 0) {
        m->misuse++;
        return;
    }
    bool cut_here = begin_operation(m, page) != ERASED;
    for (uint32_t word = page; word < page + PAGE; word += 4) {
        uint32_t mask = ERASED;
        if (cut_here && m->cut == CUT_LOW_HALF) /* for a page: the first half of the words, not of the bits */
            mask = word < page + PAGE / 2 ? ERASED : 0;
        else if (cut_here && m->cut == CUT_HIGH_HALF)
            mask = word < page + PAGE / 2 ? 0 : ERASED;
        else if (cut_here)
            mask = torn_mask(m->cut, word);
        set_flash_word(m, word, flash_word(m, word) | mask);
    }
    flash_changed(m, page, PAGE);
}

static bool on_flash_write(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                           void *user)
{
    struct machine *m = user;
    (void)uc;
    (void)type;
    if (m->stop != STOP_NONE)
        return true;
    if (size != 4 || address % 4 != 0 || address + 4 > FLASH_SIZE)
        m->misuse++;
    else
        program(m, (uint32_t)address, (uint32_t)value);
    return true;
}

static uint64_t on_nvmc_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    struct machine *m = user;
    (void)uc;
    (void)size;
    if (offset == 0x504)
        return m->config;
    if (offset != 0x400)
        return 0;
    if (m->busy_polls == 0)
        return 1;
    m->busy_polls--;
    return 0;
}

static void on_nvmc_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    struct machine *m = user;
    (void)uc;
    (void)size;
    if (m->stop != STOP_NONE)
        return;
    if (offset == 0x504)
        m->config = (uint32_t)value;
    else if (offset == 0x508)
        erase(m, (uint32_t)value);
}

static uint64_t on_scs_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    (void)uc;
    (void)offset;
    (void)size;
    (void)user;
    return 0;
}

static void on_scs_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    struct machine *m = user;
    (void)uc;
    (void)size;
    if (offset == 0xD0C && value == 0x05FA0004u && m->stop == STOP_NONE)
        m->stop = STOP_RESET;
}

/* The engine is only stopped here, where its state is exact; callbacks before merely ask for it. */
static void on_block(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
    struct machine *m = user;
    (void)address;
    (void)size;
    if (m->stop == STOP_NONE && ++m->blocks > RUN_BLOCKS)
        m->stop = STOP_ERROR;
    if (m->stop != STOP_NONE)
        uc_emu_stop(uc);
}

static void on_exception(uc_engine *uc, uint32_t number, void *user)
{
    struct machine *m = user;
    if (m->stop == STOP_NONE)
        m->stop = number == 2 ? STOP_SVC : number == 7 ? STOP_BREAK : number == 8 ? STOP_RETURN : STOP_ERROR;
    uc_emu_stop(uc);
}

static void machine_open(struct machine *m)
{
    uc_hook hook;
    memset(m, 0, sizeof(*m));
    m->flash = aligned_alloc(PAGE, FLASH_SIZE);
    cr_assert_not_null(m->flash);
    memset(m->flash, 0xFF, FLASH_SIZE);
    cr_assert_eq(sosim_mbr_size, PAGE);
    memcpy(m->flash, sosim_mbr, sosim_mbr_size);
    cr_assert_eq(uc_open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &m->uc), UC_ERR_OK);
    uc_ctl_set_cpu_model(m->uc, UC_CPU_ARM_CORTEX_M4);
    /* uc_mem_map_ptr does not make the memory read-only, whatever its protection: stores would still arrive.
     */
    uc_mem_map_ptr(m->uc, 0, FLASH_SIZE, UC_PROT_ALL, m->flash);
    uc_mem_protect(m->uc, 0, FLASH_SIZE, UC_PROT_READ | UC_PROT_EXEC);
    uc_mem_map(m->uc, RAM, RAM_SIZE, UC_PROT_ALL);
    uc_mem_map(m->uc, UICR_PAGE, PAGE, UC_PROT_READ);
    uc_mmio_map(m->uc, NVMC_PAGE, PAGE, on_nvmc_read, m, on_nvmc_write, m);
    uc_mmio_map(m->uc, SCS_PAGE, PAGE, on_scs_read, m, on_scs_write, m);
    uc_hook_add(m->uc, &hook, UC_HOOK_MEM_WRITE_PROT, (void *)on_flash_write, m, 1, 0);
    uc_hook_add(m->uc, &hook, UC_HOOK_BLOCK, (void *)on_block, m, 1, 0);
    uc_hook_add(m->uc, &hook, UC_HOOK_INTR, (void *)on_exception, m, 1, 0);
    poke(m, UICR_PAGE + 0x14, BOOTLOADER);
    poke(m, UICR_PAGE + 0x18, PARAMS);
}

static void machine_close(struct machine *m)
{
    cr_expect_eq(m->misuse, 0, "flash misused %u times", m->misuse);
    uc_close(m->uc);
    free(m->flash);
}

/* Standard exception entry; with fp the frame has room for the FP registers below the caller's stack. */
static void enter_exception(struct machine *m, uint32_t number, bool fp)
{
    static const int stacked[8] = {UC_ARM_REG_R0,  UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3,
                                   UC_ARM_REG_R12, UC_ARM_REG_LR, UC_ARM_REG_PC, UC_ARM_REG_XPSR};
    bool handler = reg(m, UC_ARM_REG_IPSR) != 0;
    bool psp = !handler && (reg(m, UC_ARM_REG_CONTROL) & 2) != 0;
    uint32_t sp = reg(m, UC_ARM_REG_SP);
    uint32_t frame = (sp - (fp ? 104 : 32)) & ~7u;
    for (uint32_t i = 0; i < 8; i++)
        poke(m, frame + 4 * i, reg(m, stacked[i]));
    set_reg(m, UC_ARM_REG_SP, frame);
    set_reg(m, UC_ARM_REG_LR,
            (handler ? 0xFFFFFFF1u
             : psp   ? 0xFFFFFFFDu
                     : 0xFFFFFFF9u) &
                (fp ? ~0x10u : ERASED));
    set_reg(m, UC_ARM_REG_CONTROL, reg(m, UC_ARM_REG_CONTROL) & ~2u);
    set_reg(m, UC_ARM_REG_IPSR, number);
    set_reg(m, UC_ARM_REG_PC, flash_word(m, 4 * number));
}

static void leave_exception(struct machine *m)
{
    static const int stacked[7] = {UC_ARM_REG_R0,  UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3,
                                   UC_ARM_REG_R12, UC_ARM_REG_LR, UC_ARM_REG_PC};
    uint32_t kind = reg(m, UC_ARM_REG_PC) | 1;
    bool fp = (kind & 0x10) == 0;
    cr_assert((kind | 0x10) == 0xFFFFFFF9u || (kind | 0x10) == 0xFFFFFFFDu, "EXC_RETURN 0x%x", kind);
    set_reg(m, UC_ARM_REG_IPSR, 0);
    set_reg(m, UC_ARM_REG_CONTROL, (kind & 4) != 0 ? 2 : 0);
    uint32_t frame = reg(m, UC_ARM_REG_SP);
    for (uint32_t i = 0; i < 6; i++)
        set_reg(m, stacked[i], peek(m, frame + 4 * i));
    uint32_t pc = peek(m, frame + 24);
    set_reg(m, UC_ARM_REG_SP, frame + (fp ? 104 : 32));
    set_reg(m, UC_ARM_REG_PC, pc | 1);
}

static void reset_cpu(struct machine *m)
{
    set_reg(m, UC_ARM_REG_IPSR, 0);
    set_reg(m, UC_ARM_REG_CONTROL, 0);
    set_reg(m, UC_ARM_REG_PRIMASK, 0);
    set_reg(m, UC_ARM_REG_MSP, flash_word(m, 0));
    set_reg(m, UC_ARM_REG_LR, ERASED);
    set_reg(m, UC_ARM_REG_PC, flash_word(m, 4));
    m->config = 0;
    m->busy_polls = 0;
}

/* Runs from the current state to a breakpoint, sleep, power cut, or the first reset. */
static enum stop run(struct machine *m, bool fp)
{
    m->blocks = 0;
    for (;;) {
        m->stop = STOP_NONE;
        uc_err err = uc_emu_start(m->uc, reg(m, UC_ARM_REG_PC) | 1, ERASED & ~1u, 0, 0);
        if (err == UC_ERR_INSN_INVALID && m->stop == STOP_NONE) {
            uint32_t pc = reg(m, UC_ARM_REG_PC);
            return pc >= 2 && pc < FLASH_SIZE && (peek(m, pc - 2) & 0xFFFF) == 0xBF20 ? STOP_SLEEP
                                                                                      : STOP_ERROR;
        }
        if (m->stop == STOP_SVC)
            enter_exception(m, SVCALL, fp);
        else if (m->stop == STOP_RETURN)
            leave_exception(m);
        else
            return m->stop == STOP_NONE ? STOP_ERROR : m->stop;
    }
}

/* Goes through resets until the started firmware reaches its breakpoint, or something else ends the run. */
static enum stop boot(struct machine *m)
{
    reset_cpu(m);
    for (uint32_t i = 0; i < MAX_RESETS; i++) {
        enum stop stop = run(m, false);
        if (stop != STOP_RESET)
            return stop;
        m->resets++;
        reset_cpu(m);
    }
    return STOP_ERROR;
}

static enum stop power_on(struct machine *m, uint32_t cut_at, enum cut cut)
{
    m->operations = 0;
    m->cut_at = cut_at;
    m->cut = cut;
    poke(m, RAM, 0xDEADBEEF); /* RAM holds nothing useful after power-on */
    return boot(m);
}

/* An image that breaks as soon as it is started; fill makes its contents its own. */
static void put_image(struct machine *m, uint32_t at, uint32_t runs_at, uint32_t words, uint32_t fill,
                      uint32_t step)
{
    set_flash_word(m, at, RAM + 0x3F000);
    set_flash_word(m, at + 4, (runs_at + ENTRY) | 1);
    set_flash_word(m, at + ENTRY, 0xBF000000u | BKPT);
    for (uint32_t i = 8; i < words; i++) {
        if (4 * i != ENTRY && i % step == 0)
            set_flash_word(m, at + 4 * i, fill ^ (i * 0x01000193u));
    }
    flash_changed(m, at, 4 * words);
}

#endif
