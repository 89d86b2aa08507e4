/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/dct.h"
#include "scenario/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const ram_words[] = {"cleared", "kept", "decayed", NULL};
static const char *const kinds[] = {"bootloader", "softdevice", "system-part1", "tinker", NULL};
static const char *const arrays[] = {"internal", "uicr", "external", "otp", "status", "ram", NULL};
static const char *const starts[] = {"blank", "factory", "provisioned", NULL};

int parse_module(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {"published", "kind",    "file",   "app",
                                          "built_for", "address", "pad_to", NULL};
    struct module_choice *module = out;
    unsigned kind = 0;
    module->at = item;
    if (read_members(r, item, members) || read_text(r, member(item, "published"), &module->published) ||
        read_text(r, member(item, "file"), &module->file) ||
        read_text(r, member(item, "app"), &module->app) ||
        read_text(r, member(item, "built_for"), &module->built_for) ||
        read_choice(r, member(item, "kind"), kinds, &kind) ||
        read_u32(r, member(item, "address"), 0, UINT32_MAX, &module->address) ||
        read_u32(r, member(item, "pad_to"), 1, MODULE_MAX, &module->pad_to))
        return -1;
    module->has_address = member(item, "address") != NULL;
    if (member(item, "kind"))
        module->kind = kinds[kind];
    if (!!module->published + !!module->file + !!module->app != 1)
        return json_doc_error(r->doc, item, r->why,
                              "a module is \"published\" (a Device OS version), a \"file\" or an \"app\"");
    if (!module->file && module->has_address)
        return json_doc_error(r->doc, member(item, "address"), r->why,
                              "a published module or an app knows its own address");
    if (!module->app && module->built_for)
        return json_doc_error(r->doc, member(item, "built_for"), r->why,
                              "only an app can be built for one version or another");
    if (!module->published && module->kind)
        return json_doc_error(r->doc, member(item, "kind"), r->why,
                              "a file or an app says itself what it is");
    return 0;
}

static int parse_block(const struct reader *r, const cJSON *item, struct flash_place *place)
{
    if (!item)
        return 0;
    place->has_block = true;
    if (cJSON_IsString(item) && !strcmp(item->valuestring, "lowest-free") && !place->file) {
        place->lowest_free = true;
        return 0;
    }
    if (cJSON_IsString(item) && !strcmp(item->valuestring, "last") && place->file) {
        place->last_block = true;
        return 0;
    }
    if (cJSON_IsString(item) && !(item->valuestring[0] >= '0' && item->valuestring[0] <= '9'))
        return json_doc_error(r->doc, item, r->why, "a block is a number, or %s",
                              place->file ? "\"last\" of the file" : "\"lowest-free\"");
    return read_u32(r, item, 0, LFS_BLOCK_COUNT_MAX, &place->block);
}

static int parse_place(const struct reader *r, const cJSON *object, struct flash_place *out)
{
    unsigned array = 0;
    const cJSON *address = member(object, "address"), *offset = member(object, "offset"),
                *block = member(object, "block");
    out->at = object;
    if (read_text(r, member(object, "file"), &out->file) ||
        read_choice(r, member(object, "array"), arrays, &array) || parse_block(r, block, out) ||
        read_u32(r, address, 0, UINT32_MAX, &out->offset) || read_u32(r, offset, 0, UINT32_MAX, &out->offset))
        return -1;
    if (member(object, "array"))
        out->array = arrays[array];
    if (out->file || out->lowest_free)
        out->array = "external";
    if (out->file && out->file[0] != '/')
        return json_doc_error(r->doc, member(object, "file"), r->why,
                              "a path in the device's file system begins with /");
    if (out->file && (member(object, "array") || address))
        return json_doc_error(r->doc, object, r->why,
                              "a place in a file has \"block\" and \"offset\", no \"array\" or \"address\"");
    if (!out->array)
        return missing(r, object, "array");
    if (!out->file && !block == !address)
        return json_doc_error(r->doc, object, r->why, "where? Give \"address\", or \"block\", or \"file\"");
    if (address && offset)
        return json_doc_error(r->doc, offset, r->why,
                              "\"address\" already says where; \"offset\" goes with \"block\"");
    if (block && offset && out->offset >= LFS_BLOCK_SIZE)
        return json_doc_error(r->doc, offset, r->why, "a block has %u bytes", LFS_BLOCK_SIZE);
    return 0;
}

#define PLACE_MEMBERS "array", "address", "file", "block", "offset"

int parse_byte_edit(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {PLACE_MEMBERS, "hex", "text", "fill", "length", NULL};
    struct byte_edit *edit = out;
    if (read_members(r, item, members) || parse_place(r, item, &edit->place))
        return -1;
    return read_content(r, item, "length", true, &edit->content);
}

static int parse_erase(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {PLACE_MEMBERS, "length", NULL};
    struct erase_edit *edit = out;
    if (read_members(r, item, members) || parse_place(r, item, &edit->place))
        return -1;
    if (!member(item, "length") && !edit->place.has_block)
        return missing(r, item, "length");
    edit->length = LFS_BLOCK_SIZE;
    return read_u32(r, member(item, "length"), 1, 0x400000u, &edit->length);
}

int parse_stuck(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {PLACE_MEMBERS, "bit", "value", NULL};
    struct stuck_edit *edit = out;
    uint32_t bit = 0, value = 0;
    if (read_members(r, item, members) || parse_place(r, item, &edit->place))
        return -1;
    if (!member(item, "bit") || !member(item, "value"))
        return missing(r, item, member(item, "bit") ? "value" : "bit");
    if (read_u32(r, member(item, "bit"), 0, 7, &bit) || read_u32(r, member(item, "value"), 0, 1, &value))
        return -1;
    if (!strcmp(edit->place.array, "ram"))
        return json_doc_error(r->doc, member(item, "array"), r->why,
                              "RAM has no stuck bits here, only flash has");
    edit->bit = bit;
    edit->value = value != 0;
    return 0;
}

int parse_unstable(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {PLACE_MEMBERS, "length", "share", NULL};
    struct unstable_edit *edit = out;
    edit->length = 1;
    edit->share = 1;
    if (read_members(r, item, members) || parse_place(r, item, &edit->place) ||
        read_u32(r, member(item, "length"), 1, 0x400000u, &edit->length) ||
        read_double(r, member(item, "share"), 0, 1, &edit->share))
        return -1;
    if (!strcmp(edit->place.array, "ram"))
        return json_doc_error(r->doc, member(item, "array"), r->why,
                              "RAM has no unstable cells here, only flash has");
    return 0;
}

static int parse_image(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {"array", "address", "image", NULL};
    struct image_edit *edit = out;
    unsigned array = 0;
    if (read_members(r, item, members))
        return -1;
    edit->place.at = item;
    if (!member(item, "array") || !member(item, "image"))
        return missing(r, item, member(item, "array") ? "image" : "array");
    if (read_choice(r, member(item, "array"), arrays, &array) ||
        read_text(r, member(item, "image"), &edit->file) ||
        read_u32(r, member(item, "address"), 0, UINT32_MAX, &edit->place.offset))
        return -1;
    edit->place.array = arrays[array];
    return 0;
}

/* --- the DCT --------------------------------------------------------------------------------------------
 */

void free_dct(struct dct_edit *edits, size_t count)
{
    for (size_t i = 0; edits && i < count; i++)
        free(edits[i].text);
    free(edits);
}

static int dct_value(const struct reader *r, const cJSON *item, const char *field_name, struct dct_edit *edit)
{
    char number[32];
    const char *text = number;
    struct diag why;
    const struct dct_field *field = dct_find(field_name);
    edit->at = item;
    if (!field)
        return json_doc_name_error(r->doc, item, r->why, "the DCT has no field \"%.60s\"", field_name);
    edit->name = field->name;
    if (cJSON_IsNumber(item)) {
        uint64_t value = 0;
        if (read_whole(r, item, 0, UINT32_MAX, &value))
            return -1;
        snprintf(number, sizeof number, "%llu", (unsigned long long)value);
    } else if (read_text(r, item, &text)) {
        return -1;
    }
    uint8_t *scratch = malloc(field->size);
    edit->text = malloc(strlen(text) + 1);
    int err = !scratch || !edit->text ? json_doc_error(r->doc, item, r->why, "out of memory") : 0;
    if (!err && dct_parse(field, text, scratch, &why))
        err = json_doc_error(r->doc, item, r->why, "%s", why.text);
    if (!err)
        memcpy(edit->text, text, strlen(text) + 1);
    free(scratch);
    return err;
}

int parse_dct(const struct reader *r, const cJSON *item, const char *prefix, struct dct_edit **out,
              size_t *count)
{
    if (!item)
        return 0;
    if (!cJSON_IsObject(item))
        return json_doc_error(r->doc, item, r->why,
                              "an object of DCT fields and their values is expected here");
    struct dct_edit *edits = calloc((size_t)cJSON_GetArraySize(item) + 1, sizeof *edits);
    if (!edits)
        return json_doc_error(r->doc, item, r->why, "out of memory");
    *out = edits;
    for (const cJSON *child = item->child; child; child = child->next) {
        char name[128];
        snprintf(name, sizeof name, "%s%.80s", prefix, child->string);
        (*count)++;
        if (dct_value(r, child, name, edits++))
            return -1;
    }
    return 0;
}

static int parse_slot(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {"slot", "module", "at", "record", NULL};
    struct slot_edit *edit = out;
    char prefix[32];
    uint32_t slot = 1;
    edit->at = item;
    if (read_members(r, item, members) || read_u32(r, member(item, "slot"), 0, DCT_SLOT_COUNT - 1, &slot) ||
        read_u32(r, member(item, "at"), 0, UINT32_MAX, &edit->source))
        return -1;
    edit->slot = slot;
    edit->has_source = member(item, "at") != NULL;
    if (!member(item, "module") && !member(item, "record"))
        return missing(r, item, "module");
    if (member(item, "module")) {
        if (parse_module(r, member(item, "module"), &edit->module))
            return -1;
        if (edit->module.published && !edit->module.kind)
            return json_doc_error(r->doc, member(item, "module"), r->why,
                                  "a slot has one module: \"kind\" is missing");
    }
    snprintf(prefix, sizeof prefix, "flash_modules[%u].", slot);
    return parse_dct(r, member(item, "record"), prefix, &edit->overrides, &edit->override_count);
}

/* --- the rest -------------------------------------------------------------------------------------------
 */

static int parse_file(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {"path", "hex", "text", "fill", "size", "delete", "directory", NULL};
    struct file_edit *edit = out;
    edit->at = item;
    if (read_members(r, item, members))
        return -1;
    if (!member(item, "path"))
        return missing(r, item, "path");
    if (read_text(r, member(item, "path"), &edit->path) ||
        read_flag(r, member(item, "delete"), &edit->remove) ||
        read_flag(r, member(item, "directory"), &edit->directory))
        return -1;
    if (edit->path[0] != '/')
        return json_doc_error(r->doc, member(item, "path"), r->why,
                              "a path in the device's file system begins with /");
    if (edit->remove || edit->directory) {
        if (cJSON_GetArraySize(item) != 2)
            return json_doc_error(r->doc, item, r->why, "what is deleted, or a directory, has no contents");
        return 0;
    }
    return read_content(r, item, "size", true, &edit->content);
}

int parse_input(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {"part", "what", "value", NULL};
    struct input_edit *edit = out;
    edit->at = item;
    if (read_members(r, item, members))
        return -1;
    for (size_t i = 0; members[i]; i++) {
        if (!member(item, members[i]))
            return missing(r, item, members[i]);
    }
    const cJSON *value = member(item, "value");
    if (cJSON_IsBool(value))
        edit->value = cJSON_IsTrue(value);
    else if (read_double(r, value, -1e12, 1e12, &edit->value))
        return -1;
    return read_text(r, member(item, "part"), &edit->part) || read_text(r, member(item, "what"), &edit->what)
               ? -1
               : 0;
}

static int parse_fill(const struct reader *r, const cJSON *item, struct device_state *state)
{
    static const char *const members[] = {"free_blocks", NULL};
    if (!item)
        return 0;
    if (read_members(r, item, members))
        return -1;
    state->fill = true;
    return member(item, "free_blocks")
               ? read_u32(r, member(item, "free_blocks"), 0, LFS_BLOCK_COUNT, &state->free_blocks)
               : missing(r, item, "free_blocks");
}

int parse_state(const struct reader *r, const cJSON *item, struct device_state *out)
{
    static const char *const members[] = {"start",           "images", "dct",   "slots", "files",
                                          "fill_filesystem", "erase",  "bytes", "stuck", "unstable",
                                          "inputs",          "ram",    NULL};
    unsigned start = START_PROVISIONED, ram = RAM_CLEARED;
    out->start = START_PROVISIONED;
    if (!item)
        return 0;
    out->at = item;
    if (read_members(r, item, members) || read_choice(r, member(item, "start"), starts, &start) ||
        read_choice(r, member(item, "ram"), ram_words, &ram))
        return -1;
    out->start = (enum state_start)start;
    out->ram = (enum ram_after_off)ram;
    int err = 0;
#define LIST(name, one, items, items_count)                                                                  \
    out->items = read_list(r, member(item, name), sizeof *out->items, one, &out->items_count, &err)
    LIST("images", parse_image, images, image_count);
    LIST("slots", parse_slot, slots, slot_count);
    LIST("files", parse_file, files, file_count);
    LIST("erase", parse_erase, erases, erase_count);
    LIST("bytes", parse_byte_edit, bytes, byte_count);
    LIST("stuck", parse_stuck, stuck, stuck_count);
    LIST("unstable", parse_unstable, unstable, unstable_count);
    LIST("inputs", parse_input, inputs, input_count);
#undef LIST
    if (err || parse_fill(r, member(item, "fill_filesystem"), out))
        return -1;
    return parse_dct(r, member(item, "dct"), "", &out->dct, &out->dct_count);
}

void free_state(struct device_state *state)
{
    for (size_t i = 0; state->slots && i < state->slot_count; i++)
        free_dct(state->slots[i].overrides, state->slots[i].override_count);
    for (size_t i = 0; state->files && i < state->file_count; i++)
        free(state->files[i].content.bytes);
    for (size_t i = 0; state->bytes && i < state->byte_count; i++)
        free(state->bytes[i].content.bytes);
    free_dct(state->dct, state->dct_count);
    free(state->images);
    free(state->slots);
    free(state->files);
    free(state->erases);
    free(state->bytes);
    free(state->stuck);
    free(state->unstable);
    free(state->inputs);
}
