/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Boron with published images on it, for tests that run real firmware. The external flash is blank, so the
 * device formats it at its first start.
 */
#ifndef SOSIM_TESTS_BORON_H
#define SOSIM_TESTS_BORON_H

#include "core/machine.h"
#include "image/store.h"
#include "mbr/mbr_image.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM_START     0x30000u
#define SYSTEM_LENGTH    494444u
#define BOOTLOADER_START 0xF4000u
#define SOFTDEVICE_START 0x1000u
#define APP_START        0xD4000u
#define SOFTDEVICE_HEAD  24u /* module header that is not installed */

struct boron {
    struct board board;
    struct machine machine;
};

static inline uint8_t *boron_image(struct boron *boron, const char *version, const char *kind, size_t *size)
{
    struct diag why = {{0}};
    uint8_t *data = NULL;
    int err = store_load(&boron->board.images, version, kind, &data, size, &why);
    cr_assert_eq(err, 0, "%s (run: sosim images fetch)", why.text);
    return data;
}

static inline void boron_install(struct boron *boron, const char *version, const char *kind, uint32_t address,
                                 size_t skip)
{
    size_t size = 0;
    uint8_t *data = boron_image(boron, version, kind, &size);
    nor_load(&boron->machine.soc.flash, address, data + skip, (uint32_t)(size - skip));
    free(data);
}

static inline struct boron *boron_new(const char *version)
{
    struct boron *boron = calloc(1, sizeof *boron);
    struct diag why = {{0}};
    const struct machine_options options = {.seed = 1, .speed = CPU_ALL_TRICKS};
    const uint32_t uicr[2] = {BOOTLOADER_START, 0x2F000};
    cr_assert_not_null(boron);
    cr_assert_eq(board_load(&boron->board, "boron", &why), 0, "%s", why.text);
    cr_assert_eq(machine_init(&boron->machine, &boron->board, &options, &why), 0, "%s", why.text);
    nor_load(&boron->machine.soc.flash, 0, sosim_mbr, (uint32_t)sosim_mbr_size);
    nor_load(&boron->machine.soc.uicr, 0x14, (const uint8_t *)uicr, sizeof uicr);
    boron_install(boron, version, "bootloader", BOOTLOADER_START, 0);
    boron_install(boron, version, "softdevice", SOFTDEVICE_START, SOFTDEVICE_HEAD);
    boron_install(boron, version, "system-part1", SYSTEM_START, 0);
    boron_install(boron, version, "tinker", APP_START, 0);
    return boron;
}

static inline void boron_free(struct boron *boron)
{
    machine_destroy(&boron->machine);
    board_free(&boron->board);
    free(boron);
}

static inline void boron_run_ms(struct boron *boron, uint64_t ms)
{
    uint64_t until = boron->machine.bus.clock.now + ms * CYCLES_PER_MS;
    cr_assert_eq(machine_run(&boron->machine, until), MACHINE_TIME, "%s", machine_failure(&boron->machine));
}

#endif
