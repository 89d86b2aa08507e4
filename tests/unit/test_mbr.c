/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MBR image: start order, forwarding, each command and its codes, and power cuts at every flash operation
 * of a bootloader update.
 */
#include "mbr_machine.h"

enum { COPY_BL, COPY_SD, INIT_SD, COMPARE, BASE_SET, RESERVED, FORWARD_SET };
enum { SUCCESS = 0, INTERNAL = 3, NO_MEM = 4, INVALID_PARAM = 7, INVALID_LENGTH = 9, NOT_EQUAL = 14 };
enum { FORBIDDEN = 15, INVALID_ADDR = 16 };

static void expect_started(struct machine *m, enum stop stop, uint32_t vectors)
{
    cr_expect_eq(stop, STOP_BREAK, "stopped by %d", stop);
    cr_expect_eq(reg(m, UC_ARM_REG_PC), vectors + ENTRY, "at 0x%x", reg(m, UC_ARM_REG_PC));
    cr_expect_eq(reg(m, UC_ARM_REG_SP), flash_word(m, vectors));
    cr_expect_eq(reg(m, UC_ARM_REG_LR), ERASED);
    cr_expect_eq(peek(m, RAM), vectors);
    cr_expect_eq(m->config, 0);
}

struct caller {
    bool process_stack;
    bool fp;
};

/* Issues SVC 0x18 from thread mode; a return is seen as a breakpoint behind the SVC. */
static enum stop call(struct machine *m, const uint32_t command[4], struct caller caller)
{
    for (uint32_t i = 0; i < 4; i++)
        poke(m, COMMAND + 4 * i, command[i]);
    poke(m, CODE, (BKPT << 16) | SVC | 0x18);
    reset_cpu(m);
    set_reg(m, UC_ARM_REG_MSP, MAIN_STACK);
    set_reg(m, UC_ARM_REG_PSP, PROC_STACK);
    if (caller.process_stack)
        set_reg(m, UC_ARM_REG_CONTROL, 2);
    set_reg(m, UC_ARM_REG_R0, COMMAND);
    set_reg(m, UC_ARM_REG_PC, CODE | 1);
    return run(m, caller.fp);
}

static uint32_t command(struct machine *m, uint32_t number, uint32_t arg0, uint32_t arg1, uint32_t arg2)
{
    const uint32_t words[4] = {number, arg0, arg1, arg2};
    enum stop stop = call(m, words, (struct caller){false, false});
    cr_assert_eq(stop, STOP_BREAK, "command %u stopped by %d", number, stop);
    cr_assert_eq(reg(m, UC_ARM_REG_PC), CODE + 2);
    cr_assert_eq(reg(m, UC_ARM_REG_MSP), MAIN_STACK);
    cr_assert_eq(reg(m, UC_ARM_REG_PRIMASK), 0);
    cr_assert_eq(m->config, 0);
    return reg(m, UC_ARM_REG_R0);
}

Test(mbr, image_is_one_page_with_the_address_words_erased)
{
    struct machine m;
    machine_open(&m);
    cr_assert_eq(flash_word(&m, 0), 0x20000400u);
    cr_assert_eq(flash_word(&m, 0xFF8), ERASED);
    cr_assert_eq(flash_word(&m, 0xFFC), ERASED);
    machine_close(&m);
}

Test(mbr, starts_the_bootloader_named_in_uicr)
{
    struct machine m;
    machine_open(&m);
    put_image(&m, BOOTLOADER, BOOTLOADER, 1024, 1, 1);
    put_image(&m, SOFTDEVICE, SOFTDEVICE, 1024, 2, 1);
    expect_started(&m, power_on(&m, 0, CUT_BEFORE), BOOTLOADER);
    cr_assert_eq(m.operations, 0);
    machine_close(&m);
}

Test(mbr, prefers_the_address_words_in_flash)
{
    struct machine m;
    machine_open(&m);
    put_image(&m, BOOTLOADER, BOOTLOADER, 1024, 1, 1);
    put_image(&m, 0xE0000, 0xE0000, 1024, 2, 1);
    set_flash_word(&m, 0xFF8, 0xE0000);
    expect_started(&m, power_on(&m, 0, CUT_BEFORE), 0xE0000);
    machine_close(&m);
}

Test(mbr, starts_the_softdevice_without_a_bootloader)
{
    struct machine m;
    machine_open(&m);
    poke(&m, UICR_PAGE + 0x14, ERASED);
    put_image(&m, SOFTDEVICE, SOFTDEVICE, 1024, 2, 1);
    expect_started(&m, power_on(&m, 0, CUT_BEFORE), SOFTDEVICE);
    machine_close(&m);
}

Test(mbr, sleeps_with_nothing_to_start)
{
    struct machine m;
    machine_open(&m);
    poke(&m, UICR_PAGE + 0x14, ERASED);
    cr_assert_eq(power_on(&m, 0, CUT_BEFORE), STOP_SLEEP);
    machine_close(&m);
}

static void expect_forwarded(struct machine *m, uint32_t number, bool process_stack)
{
    static const int kept[] = {UC_ARM_REG_R1, UC_ARM_REG_R2,  UC_ARM_REG_R3, UC_ARM_REG_R4,
                               UC_ARM_REG_R5, UC_ARM_REG_R6,  UC_ARM_REG_R7, UC_ARM_REG_R8,
                               UC_ARM_REG_R9, UC_ARM_REG_R10, UC_ARM_REG_R11};
    reset_cpu(m);
    set_reg(m, UC_ARM_REG_MSP, MAIN_STACK);
    set_reg(m, UC_ARM_REG_PSP, PROC_STACK);
    set_reg(m, UC_ARM_REG_CONTROL, process_stack ? 2 : 0);
    for (uint32_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        set_reg(m, kept[i], 0xA0000000u + i);
    set_reg(m, UC_ARM_REG_PC, CODE | 1);
    enter_exception(m, number, false);
    uint32_t sp = reg(m, UC_ARM_REG_SP);
    uint32_t below = peek(m, sp - 4);
    cr_assert_eq(run(m, false), STOP_BREAK, "exception %u", number);
    cr_assert_eq(reg(m, UC_ARM_REG_PC), CODE + 0x100 + 4 * number, "exception %u went elsewhere", number);
    cr_assert_eq(reg(m, UC_ARM_REG_R0), 4 * number);
    for (uint32_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        cr_assert_eq(reg(m, kept[i]), 0xA0000000u + i, "exception %u, register %u", number, i);
    cr_assert_eq(reg(m, UC_ARM_REG_SP), sp);
    cr_assert_eq(peek(m, sp - 4), below);
    cr_assert_eq(reg(m, UC_ARM_REG_LR), process_stack ? 0xFFFFFFFDu : 0xFFFFFFF9u);
}

Test(mbr, forwards_every_exception_with_its_table_offset)
{
    struct machine m;
    machine_open(&m);
    poke(&m, RAM, APP_TABLE);
    for (uint32_t n = 0; n < EXCEPTIONS; n++) {
        poke(&m, APP_TABLE + 4 * n, (CODE + 0x100 + 4 * n) | 1);
        poke(&m, CODE + 0x100 + 4 * n, BKPT);
    }
    poke(&m, CODE - 4, (uint32_t)(SVC | 0x10) << 16); /* the exception frame's return address is CODE */
    for (uint32_t n = FIRST_FORWARDED; n < EXCEPTIONS; n++) {
        expect_forwarded(&m, n, false);
        if (n != SVCALL)
            expect_forwarded(&m, n, true);
    }
    machine_close(&m);
}

Test(mbr, forwards_every_svc_number_but_its_own)
{
    struct machine m;
    machine_open(&m);
    poke(&m, RAM, APP_TABLE);
    poke(&m, APP_TABLE + 4 * SVCALL, (CODE + 0x100) | 1);
    poke(&m, CODE + 0x100, BKPT);
    for (uint32_t svc = 0; svc < 256; svc++) {
        for (int psp = 0; psp < 2; psp++) {
            const uint32_t invalid = RESERVED;
            poke(&m, COMMAND, invalid);
            poke(&m, CODE, (BKPT << 16) | SVC | svc);
            reset_cpu(&m);
            set_reg(&m, UC_ARM_REG_MSP, MAIN_STACK);
            set_reg(&m, UC_ARM_REG_PSP, PROC_STACK);
            set_reg(&m, UC_ARM_REG_CONTROL, psp ? 2 : 0);
            set_reg(&m, UC_ARM_REG_R0, COMMAND);
            set_reg(&m, UC_ARM_REG_PC, CODE | 1);
            cr_assert_eq(run(&m, false), STOP_BREAK);
            uint32_t expected = svc == 0x18 ? CODE + 2 : CODE + 0x100;
            cr_assert_eq(reg(&m, UC_ARM_REG_PC), expected, "SVC 0x%x", svc);
            cr_assert_eq(reg(&m, UC_ARM_REG_R0), svc == 0x18 ? INVALID_PARAM : 4 * SVCALL);
        }
    }
    machine_close(&m);
}

Test(mbr, returns_the_result_through_every_kind_of_frame)
{
    const uint32_t words[4] = {FORWARD_SET, APP_TABLE, 0, 0};
    struct machine m;
    machine_open(&m);
    for (int kind = 0; kind < 4; kind++) {
        poke(&m, RAM, 0);
        cr_assert_eq(call(&m, words, (struct caller){(kind & 1) != 0, (kind & 2) != 0}), STOP_BREAK);
        cr_assert_eq(reg(&m, UC_ARM_REG_PC), CODE + 2);
        cr_assert_eq(reg(&m, UC_ARM_REG_R0), SUCCESS);
        cr_assert_eq(reg(&m, UC_ARM_REG_SP), (kind & 1) != 0 ? PROC_STACK : MAIN_STACK);
        cr_assert_eq(peek(&m, RAM), APP_TABLE);
    }
    machine_close(&m);
}

Test(mbr, refuses_unknown_commands)
{
    struct machine m;
    machine_open(&m);
    cr_expect_eq(command(&m, RESERVED, 0, 0, 0), INVALID_PARAM);
    cr_expect_eq(command(&m, 7, 0, 0, 0), INVALID_PARAM);
    cr_expect_eq(command(&m, ERASED, 0, 0, 0), INVALID_PARAM);
    machine_close(&m);
}

Test(mbr, compares_words)
{
    struct machine m;
    machine_open(&m);
    poke(&m, CODE + 0x400, 1);
    poke(&m, CODE + 0x404, 2);
    poke(&m, CODE + 0x500, 1);
    poke(&m, CODE + 0x504, 3);
    cr_expect_eq(command(&m, COMPARE, CODE + 0x400, CODE + 0x500, 0), SUCCESS);
    cr_expect_eq(command(&m, COMPARE, CODE + 0x400, CODE + 0x500, 1), SUCCESS);
    cr_expect_eq(command(&m, COMPARE, CODE + 0x400, CODE + 0x500, 2), NOT_EQUAL);
    machine_close(&m);
}

/*
 * A SoftDevice as seen from outside: its reset function notes that it ran, changes r0-r3 and r12, and returns
 * to the address on top of the stack; with the forward address its own it does not return (here: it breaks).
 */
static void put_softdevice(struct machine *m)
{
    static const uint16_t code[] = {
        0xF04F, 0x5000, /* mov.w r0, #0x20000000 */
        0x6801,         /* ldr r1, [r0] */
        0xF5B1, 0x5F80, /* cmp.w r1, #0x1000 */
        0xD006,         /* beq to the breakpoint */
        0x6882,         /* ldr r2, [r0, #8] */
        0x3201,         /* adds r2, #1 */
        0x6082,         /* str r2, [r0, #8] */
        0x2300,         /* movs r3, #0 */
        0x469C,         /* mov r12, r3 */
        0xBD00,         /* pop {pc} */
        0xBF00, 0xBE00, /* nop; bkpt */
    };
    set_flash_word(m, SOFTDEVICE, RAM + 0x13C8);
    set_flash_word(m, SOFTDEVICE + 4, (SOFTDEVICE + ENTRY) | 1);
    memcpy(m->flash + SOFTDEVICE + ENTRY, code, sizeof(code));
}

Test(mbr, init_sd_runs_the_softdevice_and_comes_back)
{
    struct machine m;
    machine_open(&m);
    put_softdevice(&m);
    poke(&m, RAM, APP_TABLE);
    poke(&m, RAM + 8, 0);
    cr_expect_eq(command(&m, INIT_SD, 0, 0, 0), SUCCESS);
    cr_expect_eq(peek(&m, RAM), SOFTDEVICE);
    cr_expect_eq(peek(&m, RAM + 8), 1, "the SoftDevice ran %u times", peek(&m, RAM + 8));
    /* A second time the SoftDevice would start the application. */
    cr_expect_eq(command(&m, INIT_SD, 0, 0, 0), SUCCESS);
    cr_expect_eq(peek(&m, RAM + 8), 1);
    machine_close(&m);
}

Test(mbr, copy_sd_erases_whole_pages_and_verifies)
{
    struct machine m;
    machine_open(&m);
    memset(m.flash + 0x3000, 0, 3 * PAGE);
    put_image(&m, SOURCE, 0x3000, 1024, 7, 1);
    cr_expect_eq(command(&m, COPY_SD, SOURCE, 0x3000, 1024), SUCCESS);
    cr_expect_eq(memcmp(m.flash + 0x3000, m.flash + SOURCE, PAGE), 0);
    cr_expect_eq(flash_word(&m, 0x4000), 0, "the next page was touched");
    cr_expect_eq(command(&m, COPY_SD, SOURCE, 0x4800, 1024), SUCCESS);
    cr_expect_eq(flash_word(&m, 0x4000), ERASED);
    cr_expect_eq(flash_word(&m, 0x5FFC), ERASED);
    cr_expect_eq(memcmp(m.flash + 0x4800, m.flash + SOURCE, PAGE), 0);
    m.stuck_programs = 1;
    cr_expect_eq(command(&m, COPY_SD, SOURCE, 0x3000, 1024), INTERNAL);
    machine_close(&m);
}

Test(mbr, copy_sd_refuses_bad_ranges)
{
    struct machine m;
    machine_open(&m);
    cr_expect_eq(command(&m, COPY_SD, SOURCE, 0x3000, 1000), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_SD, SOURCE, 0, 1024), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_SD, SOURCE, 0xFF800, 1024), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_SD, SOURCE, 0x3000, 0x40000400u), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_SD, SOURCE, SOURCE + 0x800, 1024), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_SD, SOURCE + 2, 0x3000, 1024), INVALID_ADDR);
    cr_expect_eq(m.operations, 0);
    machine_close(&m);
}

Test(mbr, copy_bl_refuses_what_it_could_not_finish)
{
    struct machine m;
    machine_open(&m);
    cr_expect_eq(command(&m, COPY_BL, SOURCE, 0, 0), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_BL, SOURCE, 12 * 1024 + 1, 0), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_BL, SOURCE, 0x40000001u, 0), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_BL, 0xFFFFC, 2, 0), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_BL, CODE, 16, 0), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_BL, BOOTLOADER, 16, 0), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_BL, BOOTLOADER + 0xF00, 16, 0), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_BL, PARAMS - 8, 16, 0), INVALID_LENGTH);
    cr_expect_eq(command(&m, COPY_BL, SOURCE + 1, 16, 0), INVALID_ADDR);
    poke(&m, UICR_PAGE + 0x18, BOOTLOADER);
    cr_expect_eq(command(&m, COPY_BL, SOURCE, 16, 0), INVALID_LENGTH);
    poke(&m, UICR_PAGE + 0x18, ERASED);
    cr_expect_eq(command(&m, COPY_BL, SOURCE, 16, 0), NO_MEM);
    cr_expect_eq(command(&m, BASE_SET, 0x30000, 0, 0), NO_MEM);
    poke(&m, UICR_PAGE + 0x18, PARAMS);
    poke(&m, UICR_PAGE + 0x14, ERASED);
    cr_expect_eq(command(&m, COPY_BL, SOURCE, 16, 0), FORBIDDEN);
    cr_expect_eq(m.operations, 0);
    machine_close(&m);
}

Test(mbr, reports_a_record_that_flash_did_not_take)
{
    struct machine m;
    machine_open(&m);
    put_image(&m, SOURCE, BOOTLOADER, 1024, 7, 1);
    put_image(&m, BOOTLOADER, BOOTLOADER, 1024, 8, 1);
    m.stuck_programs = 1;
    cr_expect_eq(command(&m, COPY_BL, SOURCE, 1024, 0), INTERNAL);
    expect_started(&m, power_on(&m, 0, CUT_BEFORE), BOOTLOADER);
    cr_expect_eq(flash_word(&m, BOOTLOADER + 0x20), 8 ^ (8 * 0x01000193u));
    machine_close(&m);
}

Test(mbr, vector_table_base_outlives_resets_until_cleared)
{
    const uint32_t set[4] = {BASE_SET, 0x30000, 0, 0};
    const uint32_t clear[4] = {BASE_SET, 0, 0, 0};
    struct machine m;
    machine_open(&m);
    put_image(&m, BOOTLOADER, BOOTLOADER, 1024, 1, 1);
    put_image(&m, 0x30000, 0x30000, 1024, 2, 1);
    cr_expect_eq(command(&m, BASE_SET, FLASH_SIZE, 0, 0), INVALID_ADDR);
    cr_assert_eq(call(&m, set, (struct caller){false, false}), STOP_RESET);
    for (int i = 0; i < 2; i++)
        expect_started(&m, power_on(&m, 0, CUT_BEFORE), 0x30000);
    cr_assert_eq(call(&m, clear, (struct caller){false, false}), STOP_RESET);
    expect_started(&m, power_on(&m, 0, CUT_BEFORE), BOOTLOADER);
    machine_close(&m);
}

Test(mbr, leaves_a_parameter_page_alone_that_holds_something_else)
{
    struct machine m;
    machine_open(&m);
    put_image(&m, BOOTLOADER, BOOTLOADER, 1024, 1, 1);
    put_image(&m, PARAMS, PARAMS, 1024, 3, 1);
    expect_started(&m, power_on(&m, 0, CUT_BEFORE), BOOTLOADER);
    cr_assert_eq(m.operations, 0);
    machine_close(&m);
}

Test(mbr, copies_a_bootloader_that_fills_its_region)
{
    const uint32_t words[4] = {COPY_BL, SOURCE, 12 * 1024, 0};
    struct machine m;
    machine_open(&m);
    put_image(&m, SOURCE, BOOTLOADER, 12 * 1024, 7, 1);
    put_image(&m, BOOTLOADER, BOOTLOADER, 12 * 1024, 8, 1);
    cr_assert_eq(call(&m, words, (struct caller){true, true}), STOP_RESET);
    expect_started(&m, boot(&m), BOOTLOADER);
    cr_assert_eq(m.resets, 1);
    cr_assert_eq(memcmp(m.flash + BOOTLOADER, m.flash + SOURCE, 12 * PAGE), 0);
    cr_assert_eq(flash_word(&m, PARAMS), ERASED);
    machine_close(&m);
}

Test(mbr, copies_again_until_it_verifies_and_else_sleeps)
{
    const uint32_t words[4] = {COPY_BL, SOURCE, 1024, 0};
    struct machine m;
    machine_open(&m);
    put_image(&m, SOURCE, BOOTLOADER, 1024, 7, 1);
    cr_assert_eq(call(&m, words, (struct caller){false, false}), STOP_RESET);
    m.stuck_programs = 5000;
    cr_assert_eq(power_on(&m, 0, CUT_BEFORE), STOP_SLEEP);
    m.stuck_programs = 1;
    expect_started(&m, power_on(&m, 0, CUT_BEFORE), BOOTLOADER);
    cr_assert_eq(memcmp(m.flash + BOOTLOADER, m.flash + SOURCE, PAGE), 0);
    machine_close(&m);
}

Test(mbr, ignores_a_record_with_any_bit_wrong)
{
    const uint32_t words[4] = {COPY_BL, SOURCE, 1024, 0};
    const uint32_t record_words = 5;
    struct machine m;
    machine_open(&m);
    put_image(&m, SOURCE, BOOTLOADER, 1024, 7, 1);
    put_image(&m, BOOTLOADER, BOOTLOADER, 1024, 8, 1);
    cr_assert_eq(call(&m, words, (struct caller){false, false}), STOP_RESET);
    cr_assert_eq(reg(&m, UC_ARM_REG_PRIMASK), 1, "an interrupt handler could have come between");
    cr_assert_neq(flash_word(&m, PARAMS + 4 * (record_words - 1)), ERASED);
    cr_assert_eq(flash_word(&m, PARAMS + 4 * record_words), ERASED);
    uint32_t record[5];
    memcpy(record, m.flash + PARAMS, sizeof(record));
    for (uint32_t bit = 0; bit < 32 * record_words; bit++) {
        memcpy(m.flash + PARAMS, record, sizeof(record));
        m.flash[PARAMS + bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_started(&m, power_on(&m, 0, CUT_BEFORE), BOOTLOADER);
        cr_assert_eq(m.operations, 1, "bit %u: not just cleared up", bit);
        cr_assert_eq(flash_word(&m, PARAMS), ERASED);
    }
    machine_close(&m);
}

/* The power-loss sweeps: a bootloader of one and a half pages, most of it erased words to keep a run short.
 */
#define SWEEP_WORDS 1536u
#define SWEEP_STEP  61u

struct sweep {
    struct machine m;
    uint8_t *before;    /* flash as the command finds it */
    uint8_t *after;     /* flash with the new bootloader, the parameter page erased */
    uint32_t store_ops; /* operations up to and with the one that commits the command */
    uint32_t total_ops;
    bool foreign_params; /* the parameter page begins full of something else */
};

static const uint32_t sweep_command[4] = {COPY_BL, SOURCE, SWEEP_WORDS, 0};

/* Power-on with old bootloader running, its COPY_BL call, and all that follows until a bootloader runs. */
static enum stop update(struct machine *m, uint32_t cut_at, enum cut cut)
{
    m->operations = 0;
    m->cut_at = cut_at;
    m->cut = cut;
    enum stop stop = call(m, sweep_command, (struct caller){false, false});
    return stop == STOP_RESET ? boot(m) : stop;
}

static void sweep_open(struct sweep *s, bool foreign_params)
{
    memset(s, 0, sizeof(*s));
    s->foreign_params = foreign_params;
    machine_open(&s->m);
    s->before = malloc(FLASH_SIZE);
    s->after = malloc(FLASH_SIZE);
    cr_assert(s->before != NULL && s->after != NULL);
    put_image(&s->m, SOURCE, BOOTLOADER, SWEEP_WORDS, 0x5A5A0000u, SWEEP_STEP);
    put_image(&s->m, BOOTLOADER, BOOTLOADER, 2048, 0xC3C30000u, 1);
    if (foreign_params)
        put_image(&s->m, PARAMS, PARAMS, 1024, 0x12340000u, 1);
    memcpy(s->before, s->m.flash, FLASH_SIZE);
    memcpy(s->after, s->m.flash, FLASH_SIZE);
    memset(s->after + BOOTLOADER, 0xFF, 2 * PAGE);
    memcpy(s->after + BOOTLOADER, s->after + SOURCE, 4 * SWEEP_WORDS);
    memset(s->after + PARAMS, 0xFF, PAGE);
    cr_assert_eq(call(&s->m, sweep_command, (struct caller){false, false}), STOP_RESET);
    s->store_ops = s->m.operations;
    cr_assert_eq(boot(&s->m), STOP_BREAK);
    s->total_ops = s->m.operations;
    cr_assert_eq(memcmp(s->m.flash, s->after, FLASH_SIZE), 0, "a copy without a cut went wrong");
}

static void sweep_close(struct sweep *s)
{
    free(s->before);
    free(s->after);
    machine_close(&s->m);
}

static void sweep_restart(struct sweep *s)
{
    memcpy(s->m.flash + PARAMS, s->before + PARAMS, PAGE);
    memcpy(s->m.flash + BOOTLOADER, s->before + BOOTLOADER, 2 * PAGE);
    flash_changed(&s->m, PARAMS, PAGE);
    flash_changed(&s->m, BOOTLOADER, 2 * PAGE);
}

/* Either the command never took hold and all but the parameter page is as before, or it is fully carried out.
 */
static bool sweep_expect(struct sweep *s, bool committed, const char *what, uint32_t at, enum cut cut)
{
    struct machine *m = &s->m;
    bool is_new = memcmp(m->flash, s->after, FLASH_SIZE) == 0;
    if (committed || is_new) {
        cr_expect(is_new, "%s at %u kind %d: the new bootloader is not in place", what, at, cut);
        return is_new;
    }
    bool rest = memcmp(m->flash, s->before, PARAMS) == 0 &&
                memcmp(m->flash + PARAMS + PAGE, s->before + PARAMS + PAGE, FLASH_SIZE - PARAMS - PAGE) == 0;
    cr_expect(rest, "%s at %u kind %d: neither old nor new", what, at, cut);
    bool cleared = s->foreign_params || memcmp(m->flash + PARAMS, s->after + PARAMS, PAGE) == 0;
    cr_expect(cleared, "%s at %u kind %d: remains in the parameter page", what, at, cut);
    return rest && cleared;
}

static void sweep_once(bool foreign_params)
{
    struct sweep s;
    sweep_open(&s, foreign_params);
    for (uint32_t at = 1; at <= s.total_ops; at++) {
        for (int cut = 0; cut < CUT_KINDS; cut++) {
            sweep_restart(&s);
            cr_assert_eq(update(&s.m, at, cut), STOP_CUT, "no cut at %u", at);
            cr_assert_eq(power_on(&s.m, 0, CUT_BEFORE), STOP_BREAK, "cut at %u kind %d bricks", at, cut);
            cr_assert_eq(reg(&s.m, UC_ARM_REG_PC), BOOTLOADER + ENTRY);
            bool committed = at > s.store_ops || (at == s.store_ops && cut == CUT_AFTER);
            cr_assert(sweep_expect(&s, committed, "cut", at, cut));
        }
    }
    sweep_close(&s);
}

Test(mbr, copy_bl_survives_a_cut_at_every_operation)
{
    sweep_once(false);
}

Test(mbr, copy_bl_survives_a_cut_with_a_used_parameter_page)
{
    sweep_once(true);
}

/* Every operation of every recovery is cut in turn, until one recovery gets through. */
static void cut_the_recovery(struct sweep *s, uint32_t first, enum cut first_cut, enum cut second_cut)
{
    for (uint32_t second = 1;; second++) {
        sweep_restart(s);
        cr_assert_eq(update(&s->m, first, first_cut), STOP_CUT);
        enum stop stop = power_on(&s->m, second, second_cut);
        if (stop == STOP_BREAK)
            return;
        cr_assert_eq(stop, STOP_CUT, "cut at %u, then %u: stopped by %d", first, second, stop);
        cr_assert_eq(power_on(&s->m, 0, CUT_BEFORE), STOP_BREAK, "cut at %u, then %u bricks", first, second);
        bool committed = first > s->store_ops || (first == s->store_ops && first_cut == CUT_AFTER);
        cr_assert(sweep_expect(s, committed, "second cut", second, second_cut),
                  "after a first cut at %u kind %d", first, first_cut);
    }
}

Test(mbr, copy_bl_survives_a_cut_in_the_recovery_from_a_cut, .timeout = 120)
{
    struct sweep s;
    sweep_open(&s, false);
    for (uint32_t first = 1; first <= s.total_ops; first++) {
        for (int cut = 0; cut < CUT_KINDS * CUT_KINDS; cut++)
            cut_the_recovery(&s, first, cut / CUT_KINDS, cut % CUT_KINDS);
    }
    sweep_close(&s);
}
