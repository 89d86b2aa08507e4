/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/device.h"

#include "image/bytes.h"
#include "image/dct.h"
#include "image/file.h"
#include "image/littlefs_scan.h"
#include "image/module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILL_BYTE        'x'
#define FILL_FILE        "/usr/fill"
#define VERIFY_SLOT      0x0Eu /* MODULE_VERIFY_CRC, _DESTINATION_IS_START_ADDRESS, _FUNCTION */
#define SLOT_DROP_INFO   0x10u
#define SLOT_COMPRESSED  0x20u
#define MODULE_ALIGNMENT 0x1000u
#define UNSTABLE_STREAM  0x756e7374ull

static int complain(const struct device *device, const cJSON *at, struct diag *why, const struct diag *reason)
{
    return json_doc_error(&device->scenario->doc, at, why, "%s", reason->text);
}

/* --- places ---------------------------------------------------------------------------------------------
 */

/* Whoever mounts the file system may change it. */
static int open_image(struct nor *nor, struct lfs_image *image, struct diag *why)
{
    int err = lfs_image_init(image, nor->data, nor->size, LFS_BLOCK_COUNT, why);
    if (!err)
        nor_changed(nor, 0, LFS_BLOCK_COUNT * LFS_BLOCK_SIZE);
    return err;
}

int device_mount(struct device *device, const cJSON *at, struct lfs_fs *fs, struct diag *why)
{
    struct nor *nor = machine_array(device->machine, "external");
    struct lfs_image image;
    struct diag reason;
    if (!nor)
        return json_doc_error(&device->scenario->doc, at, why, "this board has no external flash");
    if (open_image(nor, &image, &reason) || lfs_image_mount(&image, fs, &reason))
        return json_doc_error(&device->scenario->doc, at, why,
                              "this needs a file system in the external flash: %s", reason.text);
    return 0;
}

static int lowest_free(struct device *device, const struct flash_place *place, uint32_t *block,
                       struct diag *why)
{
    struct lfs_fs fs;
    struct lfs_scan scan;
    struct diag reason;
    if (device_mount(device, place->at, &fs, why))
        return -1;
    if (lfs_scan(&fs, &scan, &reason))
        return complain(device, place->at, why, &reason);
    uint32_t n = 0;
    while (n < scan.block_count && scan.owners[n].kind != LFS_OWNER_NONE)
        n++;
    bool found = n < scan.block_count;
    lfs_scan_free(&scan);
    *block = n;
    return found
               ? 0
               : json_doc_error(&device->scenario->doc, place->at, why, "the file system has no free block");
}

/* The n-th block of a directory as littlefs_scan.h counts: newer, older, then the same of each pair that
 * follows. */
static int directory_block(struct device *device, const struct flash_place *place, const struct lfs_fs *fs,
                           uint32_t *block, struct diag *why)
{
    struct lfs_scan scan;
    struct diag reason;
    if (lfs_scan(fs, &scan, &reason))
        return complain(device, place->at, why, &reason);
    const struct lfs_node *node = lfs_scan_find(&scan, place->file);
    bool found = node && place->block < node->block_count;
    if (found)
        *block = node->blocks[place->block];
    lfs_scan_free(&scan);
    return found ? 0
                 : json_doc_error(&device->scenario->doc, place->at, why, "%s has no block %u", place->file,
                                  place->block);
}

static int file_block(struct device *device, const struct flash_place *place, uint32_t *block,
                      struct diag *why)
{
    struct lfs_fs fs;
    struct lfs_stat stat;
    struct diag reason;
    if (device_mount(device, place->at, &fs, why))
        return -1;
    int err = lfs_stat(&fs, place->file, &stat, &reason);
    if (!err && stat.is_dir && !place->last_block)
        return directory_block(device, place, &fs, block, why);
    if (!err && !place->last_block)
        err = lfs_file_block(&fs, place->file, place->block, block, &reason);
    if (err)
        return complain(device, place->at, why, &reason);
    if (place->last_block)
        *block = stat.head;
    return *block == LFS_NO_BLOCK
               ? json_doc_error(&device->scenario->doc, place->at, why, "%s has no block", place->file)
               : 0;
}

/* Finds the address of a place that is not an offset in a file. */
static int resolve(struct device *device, const struct flash_place *place, uint32_t *address,
                   struct diag *why)
{
    uint32_t block = place->block;
    if (place->lowest_free ? lowest_free(device, place, &block, why)
                           : place->file && file_block(device, place, &block, why))
        return -1;
    *address = place->has_block ? block * LFS_BLOCK_SIZE + place->offset : place->offset;
    return 0;
}

static int check_room(struct device *device, const struct flash_place *place, uint32_t address, size_t length,
                      struct diag *why)
{
    const struct nor *nor = machine_array(device->machine, place->array);
    uint32_t size = !strcmp(place->array, "ram") ? NRF52840_RAM_SIZE : nor ? nor->size : 0;
    if (address < size && length <= size - address)
        return 0;
    return json_doc_error(&device->scenario->doc, place->at, why, "%s has 0x%x bytes, none at 0x%zx",
                          place->array, size, address + (length ? length - 1 : 0));
}

static bool is_file_offset(const struct flash_place *place)
{
    return place->file && !place->has_block;
}

static int patch_file(struct device *device, const struct byte_edit *edit, struct diag *why)
{
    struct lfs_fs fs;
    struct diag reason;
    if (device_mount(device, edit->place.at, &fs, why))
        return -1;
    return lfs_file_patch(&fs, edit->place.file, edit->place.offset, edit->content.bytes,
                          (uint32_t)edit->content.length, &reason)
               ? complain(device, edit->place.at, why, &reason)
               : 0;
}

static int write_at(struct device *device, const struct flash_place *place, const uint8_t *bytes,
                    size_t length, struct diag *why)
{
    uint32_t address;
    if (resolve(device, place, &address, why) || check_room(device, place, address, length, why))
        return -1;
    if (!strcmp(place->array, "ram")) {
        memcpy(device->machine->ram + address, bytes, length);
        cpu_code_changed(&device->machine->cpu, RAM_BASE + address, (uint32_t)length);
    } else {
        nor_load(machine_array(device->machine, place->array), address, bytes, (uint32_t)length);
    }
    return 0;
}

int device_write(struct device *device, const struct byte_edit *edit, struct diag *why)
{
    return is_file_offset(&edit->place)
               ? patch_file(device, edit, why)
               : write_at(device, &edit->place, edit->content.bytes, edit->content.length, why);
}

int device_read(struct device *device, const struct flash_place *place, uint8_t *bytes, size_t length,
                struct diag *why)
{
    uint32_t address;
    if (is_file_offset(place)) {
        struct lfs_fs fs;
        struct diag reason;
        if (device_mount(device, place->at, &fs, why))
            return -1;
        return lfs_file_read(&fs, place->file, place->offset, bytes, (uint32_t)length, &reason)
                   ? complain(device, place->at, why, &reason)
                   : 0;
    }
    if (resolve(device, place, &address, why) || check_room(device, place, address, length, why))
        return -1;
    const uint8_t *from = !strcmp(place->array, "ram") ? device->machine->ram
                                                       : machine_array(device->machine, place->array)->data;
    memcpy(bytes, from + address, length);
    return 0;
}

static int erase(struct device *device, const struct erase_edit *edit, struct diag *why)
{
    uint8_t *blank = malloc(edit->length);
    if (!blank)
        return json_doc_error(&device->scenario->doc, edit->place.at, why, "out of memory");
    memset(blank, 0xff, edit->length);
    const struct byte_edit bytes = {edit->place, {blank, edit->length}};
    int err = device_write(device, &bytes, why);
    free(blank);
    return err;
}

int device_stick(struct device *device, const struct stuck_edit *edit, struct diag *why)
{
    uint32_t address;
    if (is_file_offset(&edit->place))
        return json_doc_error(&device->scenario->doc, edit->place.at, why, "\"block\" is missing");
    if (resolve(device, &edit->place, &address, why) || check_room(device, &edit->place, address, 1, why))
        return -1;
    return nor_stick(machine_array(device->machine, edit->place.array), address, edit->bit, edit->value)
               ? json_doc_error(&device->scenario->doc, edit->place.at, why, "out of memory")
               : 0;
}

int device_unsettle(struct device *device, const struct unstable_edit *edit, struct diag *why)
{
    uint32_t address;
    if (is_file_offset(&edit->place))
        return json_doc_error(&device->scenario->doc, edit->place.at, why, "\"block\" is missing");
    if (resolve(device, &edit->place, &address, why) ||
        check_room(device, &edit->place, address, edit->length, why))
        return -1;
    struct nor *nor = machine_array(device->machine, edit->place.array);
    uint64_t stream = nor->seed ^ UNSTABLE_STREAM ^ address;
    for (uint32_t i = 0; i < edit->length; i++) {
        uint8_t bits = 0;
        for (unsigned bit = 0; bit < 8; bit++)
            bits |= random_next(&stream) < edit->share * 4294967296.0 ? (uint8_t)(1u << bit) : 0;
        if (bits && nor_unsettle(nor, address + i, bits))
            return json_doc_error(&device->scenario->doc, edit->place.at, why, "out of memory");
    }
    return 0;
}

int device_input(struct device *device, const struct input_edit *input, struct diag *why)
{
    struct part *part = machine_part(device->machine, input->part);
    if (!strcmp(input->part, "chip")) {
        if (nrf52840_input(&device->machine->soc, input->what, input->value))
            return json_doc_error(&device->scenario->doc, input->at, why, "the chip has no input \"%s\"",
                                  input->what);
        return 0;
    }
    if (!part)
        return json_doc_error(&device->scenario->doc, input->at, why, "the board has no part \"%s\"",
                              input->part);
    if (!part->kind->input || part->kind->input(part->model, input->what, input->value))
        return json_doc_error(&device->scenario->doc, input->at, why,
                              "the part \"%s\" (%s) has no input \"%s\"", input->part, part->kind->kind,
                              input->what);
    return 0;
}

/* --- what the factory writes ----------------------------------------------------------------------------
 */

static int factory_item(struct device *device, const cJSON *item, struct diag *why)
{
    const char *array = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "array"));
    const char *address = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "address"));
    const cJSON *words = cJSON_GetObjectItemCaseSensitive(item, "words"), *word;
    struct nor *nor = array ? machine_array(device->machine, array) : NULL;
    if (!nor || !address || !cJSON_IsArray(words)) {
        diag_set(why, "board %s: \"factory\" needs \"array\", \"address\" and \"words\"",
                 device->scenario->board);
        return -1;
    }
    uint32_t at = (uint32_t)strtoul(address, NULL, 0);
    cJSON_ArrayForEach(word, words)
    {
        const char *text = cJSON_GetStringValue(word);
        uint32_t value = text ? (uint32_t)strtoul(text, NULL, 0) : 0;
        uint8_t bytes[4];
        write_le32(bytes, value);
        nor_load(nor, at, bytes, sizeof bytes);
        at += 4;
    }
    return 0;
}

static int factory_words(struct device *device, struct diag *why)
{
    const cJSON *item;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(device->machine->board->images.json, "factory");
    cJSON_ArrayForEach(item, list)
    {
        if (factory_item(device, item, why))
            return -1;
    }
    return 0;
}

/* --- the file system and what is in it ------------------------------------------------------------------
 */

static int make_filesystem(struct device *device, struct diag *why)
{
    struct nor *nor = machine_array(device->machine, "external");
    struct lfs_image image;
    struct lfs_fs fs;
    if (!nor || device->scenario->state.start == START_BLANK)
        return 0;
    if (open_image(nor, &image, why) || lfs_image_format(&image, why) || lfs_image_mount(&image, &fs, why) ||
        dct_create(&fs, why))
        return -1;
    return device->scenario->state.start == START_PROVISIONED ? dct_set(&fs, "setup_done", "done", why) : 0;
}

static int set_dct(struct device *device, const struct dct_edit *edits, size_t count, struct diag *why)
{
    struct lfs_fs fs;
    struct diag reason;
    for (size_t i = 0; i < count; i++) {
        if (device_mount(device, edits[i].at, &fs, why))
            return -1;
        if (dct_set(&fs, edits[i].name, edits[i].text, &reason))
            return complain(device, edits[i].at, why, &reason);
    }
    return 0;
}

/* Where updates lie in the external flash; 0: the board file does not say. */
static uint32_t ota_region(const struct device *device)
{
    const cJSON *region;
    const cJSON *layout =
        cJSON_GetObjectItemCaseSensitive(device->machine->board->images.json, "external_layout");
    cJSON_ArrayForEach(region, layout)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(region, "name"));
        const char *offset = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(region, "offset"));
        if (name && offset && !strcmp(name, "ota"))
            return (uint32_t)strtoul(offset, NULL, 0);
    }
    return 0;
}

/* Bootloaders of 2.0.0 and later are copied by way of the user program's place. */
static uint32_t destination_of(const struct device *device, const struct module *module)
{
    const struct board_images *images = &device->machine->board->images;
    if (module->function == MODULE_FUNCTION_BOOTLOADER) {
        for (size_t i = 0; i < images->slot_count; i++) {
            if (images->slots[i].function == MODULE_FUNCTION_USER_PART)
                return images->slots[i].address;
        }
    }
    return module->start;
}

static void describe_slot(const struct device *device, const struct module *module, uint32_t source,
                          struct dct_slot *slot)
{
    *slot = (struct dct_slot){
        .magic_number = DCT_SLOT_PENDING,
        .source_device = DCT_EXTERNAL_FLASH,
        .destination_device = DCT_INTERNAL_FLASH,
        .source_address = source,
        .destination_address = destination_of(device, module),
        .length = module->end - module->start + MODULE_CRC_SIZE,
        .flags = VERIFY_SLOT,
        .module_function = module->function,
    };
    if (module->flags & MODULE_DROP_MODULE_INFO)
        slot->flags |= SLOT_DROP_INFO;
    if (module->flags & MODULE_COMPRESSED)
        slot->flags |= SLOT_COMPRESSED;
}

static int put_slot_module(struct device *device, const struct slot_edit *edit, const uint8_t *data,
                           size_t length, uint32_t *next, struct diag *why)
{
    struct module module;
    struct lfs_fs fs;
    struct dct_slot slot;
    struct diag reason;
    uint32_t source = edit->has_source ? edit->source : *next;
    const struct flash_place place = {.at = edit->at, .array = "external", .offset = source};
    if (module_parse(data, length, &module, &reason) < MODULE_OK)
        return complain(device, edit->at, why, &reason);
    if (!source && !edit->has_source)
        return json_doc_error(&device->scenario->doc, edit->at, why,
                              "the board has no place of its own for updates; give \"at\"");
    if (write_at(device, &place, data, length, why) || device_mount(device, edit->at, &fs, why))
        return -1;
    *next = (source + (uint32_t)length + MODULE_ALIGNMENT - 1) & ~(MODULE_ALIGNMENT - 1);
    describe_slot(device, &module, source, &slot);
    return dct_slot_set(&fs, edit->slot, &slot, &reason) ? complain(device, edit->at, why, &reason) : 0;
}

static int put_slot(struct device *device, const struct slot_edit *edit, uint32_t *next, struct diag *why)
{
    if (edit->module.at) {
        uint8_t *data;
        size_t length;
        if (device_module_file(device, &edit->module, &data, &length, why))
            return -1;
        int err = put_slot_module(device, edit, data, length, next, why);
        free(data);
        if (err)
            return -1;
    }
    return set_dct(device, edit->overrides, edit->override_count, why);
}

static int make_directories(struct lfs_fs *fs, const char *path, struct diag *reason)
{
    char *part = malloc(strlen(path) + 1);
    int err = part ? 0 : LFS_ERR_NOMEM;
    if (err)
        diag_set(reason, "out of memory");
    for (const char *slash = strchr(path + 1, '/'); slash && !err; slash = strchr(slash + 1, '/')) {
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        err = lfs_mkdir(fs, part, reason);
        err = err == LFS_ERR_EXIST ? 0 : err;
    }
    free(part);
    return err;
}

static int put_file(struct device *device, const struct file_edit *edit, struct diag *why)
{
    struct lfs_fs fs;
    struct lfs_stat stat;
    struct diag reason;
    int err;
    if (device_mount(device, edit->at, &fs, why))
        return -1;
    if (edit->remove) {
        err = lfs_remove(&fs, edit->path, &reason);
    } else {
        uint32_t length = (uint32_t)edit->content.length;
        err = make_directories(&fs, edit->path, &reason);
        if (!err && edit->directory)
            err = lfs_mkdir(&fs, edit->path, &reason);
        else if (!err)
            err = lfs_stat(&fs, edit->path, &stat, NULL)
                      ? lfs_file_create(&fs, edit->path, edit->content.bytes, length, &reason)
                      : lfs_file_replace(&fs, edit->path, edit->content.bytes, length, &reason);
    }
    return err ? complain(device, edit->at, why, &reason) : 0;
}

static int fill_filesystem(struct device *device, struct diag *why)
{
    const struct device_state *state = &device->scenario->state;
    struct file_edit edit = {.at = state->at, .path = FILL_FILE};
    struct file_edit directory = {.at = state->at, .path = "/usr", .directory = true};
    struct lfs_fs fs;
    struct lfs_stat stat;
    struct diag reason;
    uint32_t free_blocks = 0;
    if (!state->fill)
        return 0;
    if (device_mount(device, state->at, &fs, why) ||
        (lfs_stat(&fs, directory.path, &stat, NULL) && put_file(device, &directory, why)))
        return -1;
    if (device_mount(device, state->at, &fs, why))
        return -1;
    if (lfs_free_blocks(&fs, &free_blocks, &reason))
        return complain(device, state->at, why, &reason);
    if (free_blocks < state->free_blocks)
        return json_doc_error(&device->scenario->doc, state->at, why, "only %u blocks are free", free_blocks);
    edit.content.length = lfs_size_of_blocks(free_blocks - state->free_blocks);
    edit.content.bytes = malloc(edit.content.length + 1);
    if (!edit.content.bytes)
        return json_doc_error(&device->scenario->doc, state->at, why, "out of memory");
    memset(edit.content.bytes, FILL_BYTE, edit.content.length);
    int err = put_file(device, &edit, why);
    free(edit.content.bytes);
    return err;
}

static int put_image(struct device *device, const struct image_edit *edit, struct diag *why)
{
    char path[SCENARIO_PATH_SIZE];
    struct diag reason;
    uint8_t *data;
    size_t length;
    if (scenario_path(device->scenario, edit->place.at, edit->file, path, why))
        return -1;
    if (file_read_all(path, 0x1000000u, &data, &length, &reason) != FILE_OK)
        return complain(device, edit->place.at, why, &reason);
    int err = write_at(device, &edit->place, data, length, why);
    free(data);
    return err;
}

/* Runs fn over a list; stops at the first failure. */
#define EACH(list, list_count, call)                                                                         \
    for (size_t i = 0; i < (list_count); i++) {                                                              \
        if (call(device, &(list)[i], why))                                                                   \
            return -1;                                                                                       \
    }

static int apply_state(struct device *device, struct diag *why)
{
    const struct device_state *state = &device->scenario->state;
    uint32_t next = ota_region(device);
    if (make_filesystem(device, why))
        return -1;
    EACH(state->images, state->image_count, put_image);
    if (set_dct(device, state->dct, state->dct_count, why))
        return -1;
    for (size_t i = 0; i < state->slot_count; i++) {
        if (put_slot(device, &state->slots[i], &next, why))
            return -1;
    }
    EACH(state->files, state->file_count, put_file);
    if (fill_filesystem(device, why))
        return -1;
    EACH(state->erases, state->erase_count, erase);
    EACH(state->bytes, state->byte_count, device_write);
    EACH(state->stuck, state->stuck_count, device_stick);
    EACH(state->unstable, state->unstable_count, device_unsettle);
    EACH(state->inputs, state->input_count, device_input);
    return 0;
}

int device_prepare(struct device *device, struct diag *why)
{
    return factory_words(device, why) || device_install_mbr(device, why) ||
                   device_install(device, device->scenario->modules, device->scenario->module_count, why) ||
                   apply_state(device, why)
               ? -1
               : 0;
}
