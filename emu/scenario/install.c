/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules into internal flash; see device.h. */
#include "scenario/device.h"

#include "app/apps.h"
#include "image/file.h"
#include "image/loadable.h"
#include "image/module.h"
#include "image/module_set.h"
#include "image/store.h"
#include "mbr/mbr_image.h"

#include <stdlib.h>
#include <string.h>

#define PLACED_MAX  32u
#define UICR_WINDOW 0x10001000u

/* One segment of a module on its way into flash. */
struct placed {
    const cJSON *at; /* in the scenario */
    uint32_t address;
    const uint8_t *bytes;
    size_t length;
    const struct module *module; /* NULL for what is no Particle module */
};

struct install {
    struct device *device;
    struct diag *why;
    struct placed placed[PLACED_MAX];
    size_t placed_count;
    /* What the list above points into. */
    struct source {
        uint8_t *data;
        struct loadable loadable;
        struct module_file file;
    } * sources;
    size_t source_count;
};

/* Copies one of our own user programs and gives it its checksums. */
static int load_app(const struct module_choice *choice, uint8_t **data, size_t *length, struct diag *why)
{
    const struct app_build *app = sosim_app_find(choice->app, choice->built_for, why);
    *data = app ? malloc(app->size) : NULL;
    if (!*data) {
        if (app)
            diag_set(why, "out of memory");
        return -1;
    }
    memcpy(*data, app->bytes, app->size);
    *length = app->size;
    if (module_seal(*data, *length, why) == MODULE_OK)
        return 0;
    free(*data);
    *data = NULL;
    return -1;
}

int device_module_file(const struct device *device, const struct module_choice *module, uint8_t **data,
                       size_t *length, struct diag *why)
{
    const struct scenario *scenario = device->scenario;
    struct diag reason = {{0}};
    int err;
    if (module->file) {
        char path[SCENARIO_PATH_SIZE];
        if (scenario_path(scenario, module->at, module->file, path, why))
            return -1;
        err = file_read_all(path, MODULE_MAX, data, length, &reason);
    } else if (module->app) {
        err = load_app(module, data, length, &reason);
    } else {
        err = store_load(&device->machine->board->images, module->published, module->kind, data, length,
                         &reason);
    }
    if (!err && module->pad_to && module_pad(data, length, module->pad_to, &reason)) {
        free(*data);
        *data = NULL;
        err = -1;
    }
    return err ? json_doc_error(&scenario->doc, module->at, why, "%s", reason.text) : 0;
}

static int refuse(struct install *install, const cJSON *at, const char *text)
{
    return json_doc_error(&install->device->scenario->doc, at, install->why, "%s", text);
}

/* A later module takes the place of an earlier one that begins at the same address. */
static int place(struct install *install, const struct placed *one)
{
    size_t i = 0;
    while (i < install->placed_count && install->placed[i].address != one->address)
        i++;
    if (i == PLACED_MAX)
        return refuse(install, one->at, "too many modules");
    install->placed_count += i == install->placed_count;
    install->placed[i] = *one;
    return 0;
}

/* NULL: all modules of a version. */
static const char *module_name(const struct module_choice *choice)
{
    return choice->file ? choice->file : choice->app ? choice->app : choice->kind;
}

/* Reads one file and places each of its segments. */
static int add_source(struct install *install, const struct module_choice *choice)
{
    struct source *source = &install->sources[install->source_count++];
    const struct loadable_options options = {
        .has_address = choice->has_address, .address = choice->address, .accept_problems = true};
    struct diag reason;
    size_t length;
    if (device_module_file(install->device, choice, &source->data, &length, install->why))
        return -1;
    if (loadable_parse(source->data, length, module_name(choice), &options, &source->loadable, &reason) !=
        LOADABLE_OK)
        return refuse(install, choice->at, reason.text);
    bool is_module = source->loadable.format == LOADABLE_MODULE;
    if (is_module && module_file_parse(source->data, length, &source->file, &reason) == MODULE_HAS_PROBLEMS)
        text_lines_add(&install->device->notes, "%s: %s", module_name(choice), reason.text);
    for (size_t i = 0; i < source->loadable.segment_count; i++) {
        const struct loadable_segment *segment = &source->loadable.segments[i];
        size_t number = segment->place - 1;
        struct placed one = {choice->at, segment->address, segment->bytes, segment->length, NULL};
        if (is_module && number < source->file.count)
            one.module = &source->file.modules[number];
        if (place(install, &one))
            return -1;
    }
    return 0;
}

static int add_choice(struct install *install, const struct module_choice *choice)
{
    struct diag reason;
    if (module_name(choice))
        return add_source(install, choice);
    const struct board_release *release =
        board_images_release(&install->device->machine->board->images, choice->published, &reason);
    if (!release)
        return refuse(install, choice->at, reason.text);
    for (size_t i = 0; i < release->image_count; i++) {
        struct module_choice one = *choice;
        one.kind = release->images[i].kind;
        if (add_source(install, &one))
            return -1;
    }
    return 0;
}

static int check_overlap(struct install *install)
{
    for (size_t i = 0; i < install->placed_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct placed *a = &install->placed[i], *b = &install->placed[j];
            if (a->address < b->address + b->length && b->address < a->address + a->length)
                return json_doc_error(&install->device->scenario->doc, a->at, install->why,
                                      "this module (0x%x to 0x%zx) overlaps another (0x%x to 0x%zx)",
                                      a->address, a->address + a->length, b->address, b->address + b->length);
        }
    }
    return 0;
}

/* Flash or UICR of the chip at this CPU address, or NULL. */
static struct nor *array_at(struct machine *machine, uint32_t *address, size_t length)
{
    struct nor *nor = &machine->soc.flash;
    if (*address >= UICR_WINDOW) {
        nor = &machine->soc.uicr;
        *address -= UICR_WINDOW;
    }
    return *address < nor->size && length <= nor->size - *address ? nor : NULL;
}

static int write_placed(struct install *install, const struct placed *one)
{
    uint32_t address = one->address;
    struct nor *nor = array_at(install->device->machine, &address, one->length);
    if (!nor)
        return json_doc_error(&install->device->scenario->doc, one->at, install->why,
                              "there is no flash for %zu bytes at 0x%x", one->length, one->address);
    if (nor == &install->device->machine->soc.flash) {
        uint8_t blank[NRF52840_FLASH_PAGE];
        memset(blank, 0xff, sizeof blank);
        for (uint32_t page = address / sizeof blank; page * sizeof blank < address + one->length; page++)
            nor_load(nor, page * (uint32_t)sizeof blank, blank, sizeof blank);
    }
    nor_load(nor, address, one->bytes, (uint32_t)one->length);
    return 0;
}

static void note_dependencies(struct install *install)
{
    const struct module *set[PLACED_MAX];
    size_t count = 0;
    for (size_t i = 0; i < install->placed_count; i++) {
        if (install->placed[i].module)
            set[count++] = install->placed[i].module;
    }
    modules_check_dependencies(set, count, &install->device->notes);
}

static int install_all(struct install *install, const struct module_choice *modules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (add_choice(install, &modules[i]))
            return -1;
    }
    if (check_overlap(install))
        return -1;
    for (size_t i = 0; i < install->placed_count; i++) {
        if (write_placed(install, &install->placed[i]))
            return -1;
    }
    note_dependencies(install);
    return 0;
}

static size_t most_sources(const struct device *device, const struct module_choice *modules, size_t count)
{
    size_t sources = 0;
    for (size_t i = 0; i < count; i++) {
        const struct board_release *release =
            modules[i].published && !modules[i].kind
                ? board_images_release(&device->machine->board->images, modules[i].published, NULL)
                : NULL;
        sources += release ? release->image_count : 1;
    }
    return sources;
}

int device_install(struct device *device, const struct module_choice *modules, size_t count, struct diag *why)
{
    if (!count)
        return 0;
    struct install *install = calloc(1, sizeof *install);
    struct source *sources = calloc(most_sources(device, modules, count), sizeof *sources);
    int err = -1;
    if (install && sources) {
        install->device = device;
        install->why = why;
        install->sources = sources;
        err = install_all(install, modules, count);
        for (size_t i = 0; i < install->source_count; i++) {
            loadable_free(&sources[i].loadable);
            free(sources[i].data);
        }
    } else {
        diag_set(why, "out of memory");
    }
    free(sources);
    free(install);
    return err;
}

int device_install_mbr(struct device *device, struct diag *why)
{
    const struct scenario *scenario = device->scenario;
    struct nor *flash = &device->machine->soc.flash;
    if (!scenario->mbr) {
        nor_load(flash, 0, sosim_mbr, (uint32_t)sosim_mbr_size);
        return 0;
    }
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(scenario->doc.root, "mbr");
    const struct loadable_options raw = {.has_address = true};
    char path[SCENARIO_PATH_SIZE];
    struct loadable loadable;
    struct diag reason;
    if (scenario_path(scenario, at, scenario->mbr, path, why))
        return -1;
    if (loadable_read(path, &raw, &loadable, &reason) != LOADABLE_OK)
        return json_doc_error(&scenario->doc, at, why, "%s", reason.text);
    int err = 0;
    for (size_t i = 0; i < loadable.segment_count && !err; i++) {
        const struct loadable_segment *segment = &loadable.segments[i];
        /* A HEX file of a SoftDevice has the MBR as its first page; the rest is not wanted here. */
        size_t length = segment->address < MBR_SIZE ? MBR_SIZE - segment->address : 0;
        nor_load(flash, segment->address, segment->bytes,
                 (uint32_t)(length < segment->length ? length : segment->length));
    }
    loadable_free(&loadable);
    return err;
}
