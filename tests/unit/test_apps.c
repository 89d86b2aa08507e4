/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own user programs: each is a good module for each place that Device OS has had, and runs in the newer
 * one. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "app/apps.h"
#include "image/bytes.h"
#include "image/module.h"
#include "scenario/run_internal.h"

#define TABLE_AT   24u /* behind the header: where the list of entry points is */
#define FLASH_SIZE 0x100000u

static void expect_module_at(const char *name, const char *built_for, uint32_t start, uint8_t index,
                             uint16_t system)
{
    struct diag why = {{0}};
    struct module module;
    const struct app_build *build = sosim_app_find(name, built_for, &why);
    cr_assert_not_null(build, "%s", why.text);
    uint8_t *bytes = malloc(build->size);
    cr_assert_not_null(bytes);
    memcpy(bytes, build->bytes, build->size);
    cr_expect_eq(module_seal(bytes, build->size, &why), MODULE_OK, "%s", why.text);
    cr_expect_eq(module_parse(bytes, build->size, &module, &why), MODULE_OK, "%s: %s", name, why.text);
    cr_expect_eq(module.start, start, "%s", name);
    cr_expect_eq(module.index, index, "%s", name);
    cr_expect_eq(module.dependencies[0].version, system, "%s", name);
    uint32_t entries = read_le32(bytes + TABLE_AT);
    cr_expect(entries > start && entries < start + build->size, "%s", name);
    free(bytes);
}

Test(apps, each_is_built_for_every_place)
{
    static const char *const names[] = {"publish-queue", "publish-queue-2", "event-log",  "event-log-open",
                                        "event-queue",   "file-work",       "reset-later"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        expect_module_at(names[i], NULL, 0xD4000, 1, 2011);
        expect_module_at(names[i], "2.0.1", 0xD4000, 1, 2011);
        expect_module_at(names[i], "2.2.0", 0xD4000, 1, 2011);
        expect_module_at(names[i], "3.0.0", 0xD4000, 1, 3005);
        expect_module_at(names[i], "3.1.0", 0xB4000, 2, 3103);
        expect_module_at(names[i], "4.0.2", 0xB4000, 2, 3103);
    }
}

Test(apps, others_are_not_there)
{
    static const char *const versions[] = {"2.0.0", "1.5.2", "4", "4.0", "4.0.1-rc.1", "4.0.100", "x", ""};
    struct diag why;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        cr_expect_null(sosim_app_find("event-log", versions[i], &why), "%s", versions[i]);
    cr_expect_null(sosim_app_find("event", "4.0.1", &why));
    cr_expect(strstr(why.text, "there is no app \"event\"") != NULL, "%s", why.text);
}

/* 0xB4000 is inside of the place that systems before 3.1 had. */
Test(apps, code_is_the_programs_as_far_as_it_goes)
{
    struct diag why = {{0}};
    const struct app_build *build = sosim_app_find("event-log", "4.0.1", &why);
    struct runner *run = calloc(1, sizeof *run);
    uint8_t *flash = malloc(FLASH_SIZE);
    cr_assert(run && flash && build);
    memset(flash, 0xff, FLASH_SIZE);
    run->machine.soc.flash.data = flash;
    run->machine.soc.flash.size = FLASH_SIZE;
    cr_assert_eq(board_images_load("boron", &run->board.images, &why), 0, "%s", why.text);
    cr_expect_str_eq(run_stage(run, 0xB4100), "system-part1");
    memcpy(flash + 0xB4000, build->bytes, build->size);
    cr_assert_eq(module_seal(flash + 0xB4000, build->size, &why), MODULE_OK, "%s", why.text);
    cr_expect_str_eq(run_stage(run, 0xB3FFE), "system-part1");
    cr_expect_str_eq(run_stage(run, 0xB4000), "user");
    cr_expect_str_eq(run_stage(run, 0xB4000 + (uint32_t)build->size - 6), "user");
    cr_expect_str_eq(run_stage(run, 0xB4000 + (uint32_t)build->size), "system-part1");
    cr_expect_str_eq(run_stage(run, 0xD4000), "user");
    board_images_free(&run->board.images);
    free(flash);
    free(run);
}
