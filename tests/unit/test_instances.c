/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every peripheral of the chip is on its page, under its name, with its interrupt line. The list is typed
 * from the Product Specification's 'Instantiation' table, apart from the code it checks.
 */
#include "bench.h"

#define NO_LINE (-1)
#define ENABLE  0x500u

struct instance {
    uint32_t base;
    int irq;
    const char *name;
    uint32_t enable; /* ENABLE's value that gives a shared page to this one; 0: the page is not shared */
};

static const struct instance instances[] = {
    {0x10000000, NO_LINE, "FICR", 0},
    {0x10001000, NO_LINE, "UICR", 0},
    {0x40000000, 0, "CLOCK", 0},
    {0x40000000, 0, "POWER", 0},
    {0x40001000, 1, "RADIO", 0},
    {0x40002000, 2, "UART0", 4},
    {0x40002000, 2, "UARTE0", 8},
    {0x40003000, 3, "SPI0", 1},
    {0x40003000, 3, "SPIM0", 7},
    {0x40003000, 3, "SPIS0", 2},
    {0x40003000, 3, "TWI0", 5},
    {0x40003000, 3, "TWIM0", 6},
    {0x40003000, 3, "TWIS0", 9},
    {0x40004000, 4, "SPI1", 1},
    {0x40004000, 4, "SPIM1", 7},
    {0x40004000, 4, "SPIS1", 2},
    {0x40004000, 4, "TWI1", 5},
    {0x40004000, 4, "TWIM1", 6},
    {0x40004000, 4, "TWIS1", 9},
    {0x40005000, 5, "NFCT", 0},
    {0x40006000, 6, "GPIOTE", 0},
    {0x40007000, 7, "SAADC", 0},
    {0x40008000, 8, "TIMER0", 0},
    {0x40009000, 9, "TIMER1", 0},
    {0x4000a000, 10, "TIMER2", 0},
    {0x4000b000, 11, "RTC0", 0},
    {0x4000c000, 12, "TEMP", 0},
    {0x4000d000, 13, "RNG", 0},
    {0x4000e000, 14, "ECB", 0},
    {0x4000f000, 15, "AAR", 3},
    {0x4000f000, 15, "CCM", 2},
    {0x40010000, 16, "WDT", 0},
    {0x40011000, 17, "RTC1", 0},
    {0x40012000, 18, "QDEC", 0},
    {0x40013000, 19, "COMP", 2},
    {0x40013000, 19, "LPCOMP", 1},
    {0x40014000, 20, "EGU0", 0},
    {0x40015000, 21, "EGU1", 0},
    {0x40016000, 22, "EGU2", 0},
    {0x40017000, 23, "EGU3", 0},
    {0x40018000, 24, "EGU4", 0},
    {0x40019000, 25, "EGU5", 0},
    {0x4001a000, 26, "TIMER3", 0},
    {0x4001b000, 27, "TIMER4", 0},
    {0x4001c000, 28, "PWM0", 0},
    {0x4001d000, 29, "PDM", 0},
    {0x4001e000, NO_LINE, "ACL", 0},
    {0x4001e000, NO_LINE, "NVMC", 0},
    {0x4001f000, NO_LINE, "PPI", 0},
    {0x40020000, 32, "MWU", 0},
    {0x40021000, 33, "PWM1", 0},
    {0x40022000, 34, "PWM2", 0},
    {0x40023000, 35, "SPI2", 1},
    {0x40023000, 35, "SPIM2", 7},
    {0x40023000, 35, "SPIS2", 2},
    {0x40024000, 36, "RTC2", 0},
    {0x40025000, 37, "I2S", 0},
    {0x40026000, 38, "FPU", 0},
    {0x40027000, 39, "USBD", 0},
    {0x40028000, 40, "UARTE1", 0},
    {0x40029000, 41, "QSPI", 0},
    {0x4002d000, 45, "PWM3", 0},
    {0x4002f000, 47, "SPIM3", 0},
    {0x50000000, NO_LINE, "P0", 0},
    {0x50000000, NO_LINE, "P1", 0},
    /* CryptoCell's line is 42; it has no INTEN of Nordic's kind and drives the line itself. */
    {0x5002a000, NO_LINE, "CRYPTOCELL", 0},
    {0x5002b000, NO_LINE, "CC_PKA", 0},
};

#define INSTANCES (sizeof instances / sizeof instances[0])

static const struct block *block_of(const struct bench *bench, uint32_t base)
{
    for (unsigned i = 0; i < bench->bus.blocks; i++) {
        if (bench->bus.block[i]->base == base)
            return bench->bus.block[i];
    }
    return NULL;
}

static const struct face *face_of(const struct block *block, const char *name)
{
    for (unsigned f = 0; f < block->faces; f++) {
        if (!strcmp(block->face[f].name, name))
            return &block->face[f];
    }
    return NULL;
}

/* Offset of the face's first event register that has a bit in INTEN, or 0. */
static uint32_t first_event(const struct face *face)
{
    uint32_t first = 0;
    for (size_t i = 0; i < face->reg_count; i++) {
        uint32_t offset = face->regs[i].offset;
        if (offset >= 0x100 && offset < 0x180 && (!first || offset < first))
            first = offset;
    }
    return first;
}

Test(instances, every_peripheral_is_on_its_page_with_its_line)
{
    struct bench *bench = bench_new();
    for (unsigned i = 0; i < INSTANCES; i++) {
        const struct instance *instance = &instances[i];
        const struct block *block = block_of(bench, instance->base);
        cr_assert_not_null(block, "no block at 0x%08x (%s)", instance->base, instance->name);
        cr_expect_not_null(face_of(block, instance->name), "no %s at 0x%08x", instance->name, instance->base);
        cr_expect_eq(block->irq, instance->irq, "%s has line %d", instance->name, block->irq);
    }
    bench_free(bench);
}

Test(instances, no_page_has_a_peripheral_that_the_chip_has_not)
{
    struct bench *bench = bench_new();
    for (unsigned b = 0; b < bench->bus.blocks; b++) {
        /* Words that USB errata work-arounds write; and the ROM table, which is of the debug port. */
        bool known = bench->bus.block[b]->base == 0x4006e000 || bench->bus.block[b]->base == 0xf0000000;
        for (unsigned i = 0; i < INSTANCES && !known; i++)
            known = instances[i].base == bench->bus.block[b]->base;
        cr_expect(known, "0x%08x is no page of the nRF52840", bench->bus.block[b]->base);
    }
    bench_free(bench);
}

/* An event that is set and enabled raises the line that belongs to the peripheral, and no other. */
Test(instances, each_line_is_raised_by_its_own_peripheral)
{
    for (unsigned i = 0; i < INSTANCES; i++) {
        const struct instance *instance = &instances[i];
        struct bench *bench = bench_new();
        const struct face *face = face_of(block_of(bench, instance->base), instance->name);
        uint32_t event = face ? first_event(face) : 0;
        if (instance->irq == NO_LINE || !event) {
            bench_free(bench);
            continue;
        }
        if (instance->enable)
            cr_assert_eq(bus_write(&bench->bus, instance->base + ENABLE, 4, instance->enable), 0);
        cr_assert_eq(bus_write(&bench->bus, instance->base + REG_INTENSET, 4, 1u << EVENT_INDEX(event)), 0);
        cr_expect_not(bench->irq[instance->irq], "%s is too early", instance->name);
        cr_assert_eq(bus_write(&bench->bus, instance->base + event, 4, 1), 0);
        for (int line = 0; line < 64; line++)
            cr_expect_eq(bench->irq[line], line == instance->irq, "%s, line %d", instance->name, line);
        bench_free(bench);
    }
}

Test(instances, enable_gives_a_shared_page_to_its_owner)
{
    struct bench *bench = bench_new();
    for (unsigned i = 0; i < INSTANCES; i++) {
        const struct instance *instance = &instances[i];
        if (!instance->enable)
            continue;
        char owner[64], expected[64];
        cr_assert_eq(bus_write(&bench->bus, instance->base + ENABLE, 4, instance->enable), 0);
        bus_register_name(&bench->bus, instance->base + ENABLE, owner, sizeof owner);
        snprintf(expected, sizeof expected, "%s.ENABLE", instance->name);
        cr_expect_str_eq(owner, expected);
        cr_assert_eq(bus_write(&bench->bus, instance->base + ENABLE, 4, 0), 0);
    }
    bench_free(bench);
}

/* Words that are in no datasheet; nrfx of the years 2018 to 2026 touches them on this chip, by its address of
 * each. */
Test(instances, what_drivers_touch_beyond_the_datasheet_is_known)
{
    static const uint32_t words[] = {0x40000c34, 0x40000e00, 0x40000ee4, 0x4000173c, 0x40001740, 0x40001774,
                                     0x40005010, 0x4000568c, 0x40005ffc, 0x40007640, 0x40007644, 0x40007648,
                                     0x40007ffc, 0x40025038, 0x4002503c, 0x40027800, 0x40027804, 0x40027c1c,
                                     0x40029054, 0x4002f004, 0x4006ec00, 0x4006ec14, 0x4006ed14};
    struct bench *bench = bench_new();
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        uint32_t value;
        cr_expect_eq(bus_read(&bench->bus, words[i], 4, &value), 0, "0x%08x", words[i]);
        cr_expect_eq(bus_write(&bench->bus, words[i], 4, 1), 0, "0x%08x", words[i]);
        cr_expect_eq(bench->findings, 0, "0x%08x: %s", words[i], bench->last_finding);
        bench->findings = 0;
    }
    bench_free(bench);
}
