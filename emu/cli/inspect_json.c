/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/inspect.h"

#define SCHEMA_VERSION 1

/* Adding to a NULL object fails and yields NULL, so a lack of memory shows at the end, when `good` is false.
 */
struct writer {
    bool good;
};

static void put_text(struct writer *writer, cJSON *object, const char *name, const char *text)
{
    writer->good = cJSON_AddStringToObject(object, name, text) && writer->good;
}

static void put_number(struct writer *writer, cJSON *object, const char *name, double number)
{
    writer->good = cJSON_AddNumberToObject(object, name, number) && writer->good;
}

static void put_hex(struct writer *writer, cJSON *object, const char *name, uint32_t number)
{
    char text[16];
    snprintf(text, sizeof(text), "0x%08x", (unsigned)number);
    put_text(writer, object, name, text);
}

static cJSON *put_array(struct writer *writer, cJSON *object, const char *name)
{
    cJSON *array = cJSON_AddArrayToObject(object, name);
    writer->good = array && writer->good;
    return array;
}

static cJSON *append_object(struct writer *writer, cJSON *array)
{
    cJSON *object = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(array, object)) {
        cJSON_Delete(object);
        writer->good = false;
        return NULL;
    }
    return object;
}

static void put_lines(struct writer *writer, cJSON *object, const char *name, const struct text_lines *lines)
{
    cJSON *array = put_array(writer, object, name);
    for (size_t i = 0; i < lines->count; i++) {
        cJSON *line = cJSON_CreateString(lines->line[i]);
        if (!cJSON_AddItemToArray(array, line)) {
            cJSON_Delete(line);
            writer->good = false;
        }
    }
}

static void put_function(struct writer *writer, cJSON *object, unsigned function, unsigned index,
                         unsigned version)
{
    const char *name = module_function_name(function);
    put_text(writer, object, "function", name ? name : "unknown");
    put_number(writer, object, "function_id", function);
    put_number(writer, object, "index", index);
    put_number(writer, object, "version", version);
}

static void put_dependencies(struct writer *writer, cJSON *object, const struct module *module)
{
    cJSON *array = put_array(writer, object, "dependencies");
    for (size_t i = 0; i < 2; i++) {
        const struct module_dependency *dependency = &module->dependencies[i];
        if (dependency->function != MODULE_FUNCTION_NONE) {
            put_function(writer, append_object(writer, array), dependency->function, dependency->index,
                         dependency->version);
        }
    }
}

static void put_flags(struct writer *writer, cJSON *object, unsigned flags)
{
    put_number(writer, object, "flags", flags);
    bool *good = &writer->good;
    *good =
        cJSON_AddBoolToObject(object, "drop_module_info", (flags & MODULE_DROP_MODULE_INFO) != 0) && *good;
    *good = cJSON_AddBoolToObject(object, "compressed", (flags & MODULE_COMPRESSED) != 0) && *good;
    *good = cJSON_AddBoolToObject(object, "combined", (flags & MODULE_COMBINED) != 0) && *good;
}

static void put_module(struct writer *writer, cJSON *object, const struct module *module)
{
    static const char *const verdicts[] = {"unchecked", "good", "wrong"};
    const char *platform = module_platform_name(module->platform);
    char hex[SHA256_HEX_SIZE];
    put_function(writer, object, module->function, module->index, module->version);
    put_text(writer, object, "platform", platform ? platform : "unknown");
    put_number(writer, object, "platform_id", module->platform);
    put_hex(writer, object, "start", module->start);
    put_hex(writer, object, "end", module->end);
    put_number(writer, object, "header_offset", (double)module->header_at);
    put_number(writer, object, "length", (double)module->length);
    put_flags(writer, object, module->flags);
    put_dependencies(writer, object, module);
    put_text(writer, object, "crc32", verdicts[module->crc]);
    put_hex(writer, object, "crc32_stored", module->crc_stored);
    put_hex(writer, object, "crc32_computed", module->crc_computed);
    put_text(writer, object, "sha256", verdicts[module->sha256]);
    bytes_to_hex(module->sha256_stored, MODULE_SHA256_SIZE, hex);
    put_text(writer, object, "sha256_stored", hex);
    struct text_lines notes = {0};
    inspect_notes(module, &notes);
    put_lines(writer, object, "problems", &module->problems);
    put_lines(writer, object, "notes", &notes);
}

static void put_segments(struct writer *writer, cJSON *object, const struct loadable *loadable)
{
    cJSON *array = put_array(writer, object, "segments");
    for (size_t i = 0; i < loadable->segment_count; i++) {
        cJSON *segment = append_object(writer, array);
        put_hex(writer, segment, "address", loadable->segments[i].address);
        put_number(writer, segment, "length", (double)loadable->segments[i].length);
    }
    if (loadable->has_entry) {
        put_hex(writer, object, "entry", loadable->entry);
    }
    put_number(writer, object, "symbols", (double)loadable->symbol_count);
}

static void put_file(struct writer *writer, cJSON *object, const struct inspected_file *file)
{
    put_text(writer, object, "path", file->path);
    writer->good = cJSON_AddBoolToObject(object, "good", inspected_file_is_good(file)) && writer->good;
    if (file->format == LOADABLE_AUTO) {
        put_text(writer, object, "error", file->error.text);
        return;
    }
    put_text(writer, object, "format", loadable_format_name(file->format));
    put_number(writer, object, "size", (double)file->len);
    put_text(writer, object, "file_sha256", file->sha256);
    if (file->published[0] != '\0') {
        put_text(writer, object, "published", file->published);
    }
    if (file->format != LOADABLE_MODULE) {
        put_segments(writer, object, &file->loadable);
        return;
    }
    cJSON *modules = put_array(writer, object, "modules");
    for (size_t i = 0; i < file->modules.count; i++) {
        put_module(writer, append_object(writer, modules), &file->modules.modules[i]);
    }
}

bool inspect_print_json(const struct inspection *inspection)
{
    struct writer writer = {.good = true};
    cJSON *root = cJSON_CreateObject();
    put_number(&writer, root, "schema_version", SCHEMA_VERSION);
    cJSON *files = put_array(&writer, root, "files");
    for (size_t i = 0; i < inspection->file_count; i++) {
        put_file(&writer, append_object(&writer, files), &inspection->files[i]);
    }
    put_lines(&writer, root, "unmet_dependencies", &inspection->dependencies);
    char *text = writer.good ? cJSON_Print(root) : NULL;
    cJSON_Delete(root);
    if (!text) {
        return false;
    }
    puts(text);
    free(text);
    return true;
}
