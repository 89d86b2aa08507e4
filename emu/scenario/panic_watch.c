/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells panics with their reason: the code, the place of the failed check with its instructions, who called,
 * and what was done to the flashes just before.
 */
#include "scenario/run_internal.h"

#include "image/bytes.h"
#include "image/littlefs_scan.h"
#include "image/module_set.h"
#include "image/panic_finder.h"
#include "led/meaning.h"

#include <capstone/capstone.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STACK_WORDS   128u
#define CALLERS       4u
#define SITE_SIZE     700
#define BEFORE_SITE   24u /* bytes of code shown before an assertion, at most */
#define SAME_CALL_MS  1.0
#define SITE_LINES    3u
#define LR_EXC_RETURN 0xffffff00u

struct words {
    char text[SITE_SIZE];
    size_t used;
};

static void add(struct words *words, const char *format, ...) DIAG_PRINTF(2, 3);
static void add(struct words *words, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int n = vsnprintf(words->text + words->used, sizeof words->text - words->used, format, values);
    va_end(values);
    if (n > 0)
        words->used +=
            (size_t)n < sizeof words->text - words->used ? (size_t)n : sizeof words->text - words->used - 1;
}

const char *run_stage(const struct runner *run, uint32_t address)
{
    const struct nor *flash = &run->machine.soc.flash;
    if (address < MBR_SIZE)
        return "mbr";
    const struct board_slot *in = module_slot_at(&run->board.images, flash->data, flash->size, address);
    return !in ? NULL : in->function == MODULE_FUNCTION_USER_PART ? "user" : in->name;
}

/* Whether this only makes the call ready: what is worth telling comes before. */
static bool sets_argument(const cs_insn *insn)
{
    static const char *const plain[] = {"movs", "mov", "mov.w", "ldr", "ldr.w", "adr", "nop"};
    if (!strcmp(insn->mnemonic, "bl") || !strcmp(insn->mnemonic, "nop"))
        return true;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (!strcmp(insn->mnemonic, plain[i]) && insn->op_str[0] == 'r' && insn->op_str[1] < '3' &&
            insn->op_str[2] == ',')
            return true;
    }
    return false;
}

static void add_lines(struct words *words, const cs_insn *list, size_t count)
{
    size_t end = count;
    while (end && sets_argument(&list[end - 1]))
        end--;
    end = end ? end : count;
    for (size_t i = end > SITE_LINES ? end - SITE_LINES : 0; i < end; i++)
        add(words, "%s%s %s", i + SITE_LINES == end || !i ? ", after " : "; ", list[i].mnemonic,
            list[i].op_str);
}

/* The last instructions before the call that returns to `site`: the check that failed. */
static void add_instructions(struct words *words, const struct runner *run, uint32_t site)
{
    csh handle;
    cs_insn *list;
    const struct nor *flash = &run->machine.soc.flash;
    bool whole = false;
    if (site >= flash->size || site < BEFORE_SITE ||
        cs_open(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS, &handle))
        return;
    /* Code cannot be read backwards: begin early enough, and take a beginning from which the site is reached.
     */
    for (uint32_t back = BEFORE_SITE; back >= 4 && !whole; back -= 2) {
        size_t count = cs_disasm(handle, flash->data + site - back, back, site - back, 0, &list);
        whole = count && list[count - 1].address + list[count - 1].size == site;
        if (whole)
            add_lines(words, list, count);
        if (count)
            cs_free(list, count);
    }
    cs_close(&handle);
}

/* Values on the stack that look like return addresses. */
static void add_callers(struct words *words, const struct runner *run)
{
    const struct nor *flash = &run->machine.soc.flash;
    uint32_t sp = cpu_reg(&run->machine.cpu, 13);
    unsigned found = 0;
    for (uint32_t i = 0; i < STACK_WORDS && found < CALLERS; i++) {
        uint8_t bytes[4];
        if (cpu_peek(&run->machine.cpu, sp + 4 * i, bytes, 4))
            return;
        uint32_t value = read_le32(bytes);
        if (!(value & 1u) || value < MBR_SIZE || !panic_is_return_address(flash->data, flash->size, 0, value))
            continue;
        add(words, "%s 0x%x", found++ ? "," : ", called from", value & ~1u);
    }
}

/* Device OS 4 hands a text of the failed check over in r1. */
static void add_message(struct words *words, const struct runner *run)
{
    uint8_t text[64];
    uint32_t at = cpu_reg(&run->machine.cpu, 1);
    size_t length = 0;
    if (at < MBR_SIZE || at >= run->machine.soc.flash.size - sizeof text ||
        cpu_peek(&run->machine.cpu, at, text, sizeof text))
        return;
    while (length < sizeof text && isprint(text[length]))
        length++;
    if (length >= 8)
        add(words, " \"%.*s\"", (int)length, (const char *)text);
}

/* --- the flash operations before ------------------------------------------------------------------------
 */

static void tell_flash(struct runner *run, int code)
{
    struct words words = {{0}, 0};
    struct lfs_image image;
    struct lfs_fs fs;
    struct lfs_scan scan;
    struct nor *nor = machine_array(&run->machine, "external");
    uint64_t first = run->flash_ops > FLASH_RING ? run->flash_ops - FLASH_RING : 0;
    if (first == run->flash_ops)
        return;
    bool known = nor && !lfs_image_init(&image, nor->data, nor->size, LFS_BLOCK_COUNT, NULL) &&
                 !lfs_image_mount(&image, &fs, NULL) && !lfs_scan(&fs, &scan, NULL);
    add(&words, "last flash operations before panic %d:", code);
    for (uint64_t i = first; i < run->flash_ops; i++) {
        const struct flash_op *op = &run->ring[i % FLASH_RING];
        char owner[96];
        add(&words, "%s %s of %s 0x%06x+%u", i > first ? "," : "",
            op->kind == NOR_ERASE ? "erase" : "program", op->array, op->address, op->size);
        if (known && !strcmp(op->array, "external") && op->address / LFS_BLOCK_SIZE < LFS_BLOCK_COUNT)
            add(&words, " (%s)", lfs_block_owner(&scan, op->address / LFS_BLOCK_SIZE, owner, sizeof owner));
    }
    if (known)
        lfs_scan_free(&scan);
    result_add_finding(run->result, machine_ms(&run->machine), "panic", words.text, false);
}

/* A panic that a fault's handler raised: what faulted, and why. */
static void add_fault(struct words *words, const struct runner *run)
{
    const struct cpu *cpu = &run->machine.cpu;
    const struct nor *flash = &run->machine.soc.flash;
    csh handle;
    cs_insn *list;
    add(words, ", fault at 0x%x", run->fault_pc);
    if (run->fault_pc < flash->size - 4 && !cs_open(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS, &handle)) {
        size_t count = cs_disasm(handle, flash->data + run->fault_pc, 4, run->fault_pc, 1, &list);
        if (count) {
            add(words, " (%s %s)", list[0].mnemonic, list[0].op_str);
            cs_free(list, count);
        }
        cs_close(&handle);
    }
    add(words, ", CFSR 0x%08x, HFSR 0x%08x", cpu->scb.cfsr, cpu->scb.hfsr);
    if (cpu->scb.cfsr & CFSR_BFARVALID)
        add(words, ", address 0x%08x", cpu->scb.bfar);
    else if (cpu->scb.cfsr & CFSR_MMARVALID)
        add(words, ", address 0x%08x", cpu->scb.mmfar);
}

static void on_panic(void *context, struct cpu *cpu, uint32_t address)
{
    struct runner *run = context;
    struct words words = {{0}, 0};
    uint32_t lr = cpu_reg(cpu, 14);
    int code = (int)cpu_reg(cpu, 0);
    const struct run_result *result = run->result;
    /* A block is told again when the run stopped in front of it and goes on. */
    const struct result_panic *last = result->panic_count ? &result->panics[result->panic_count - 1] : NULL;
    if (last && last->lr == (lr & ~1u) && machine_ms(&run->machine) - last->t_ms < SAME_CALL_MS)
        return;
    add(&words, "at 0x%x", (lr & ~1u) - 4);
    if (lr < LR_EXC_RETURN) {
        add_instructions(&words, run, lr & ~1u);
        add_message(&words, run);
        if (run->fault_cycle && cpu->bus->clock.now - run->fault_cycle < CYCLES_PER_MS)
            add_fault(&words, run);
        add_callers(&words, run);
    }
    const struct result_panic panic = {.t_ms = machine_ms(&run->machine),
                                       .code = code,
                                       .stage = (char *)run_stage(run, address),
                                       .pc = address,
                                       .lr = lr & ~1u,
                                       .site = words.text};
    result_add_panic(run->result, &panic);
    run_trace(run, "panic %d %s", code, words.text);
    tell_flash(run, code);
}

void panic_watch(struct runner *run)
{
    const struct board_images *images = &run->board.images;
    struct nor *flash = &run->machine.soc.flash;
    for (size_t i = 0; i < images->slot_count; i++) {
        const struct board_slot *slot = &images->slots[i];
        struct panic_function found;
        bool code =
            slot->function == MODULE_FUNCTION_BOOTLOADER || slot->function == MODULE_FUNCTION_SYSTEM_PART;
        if (code && slot->address < flash->size && slot->size <= flash->size - slot->address &&
            panic_find(flash->data + slot->address, slot->size, slot->address, &found))
            cpu_watch(&run->machine.cpu, found.address, on_panic, run);
    }
}
