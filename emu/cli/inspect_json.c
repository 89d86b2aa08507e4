/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/inspect.h"
#include "report/json_writer.h"

#define SCHEMA_VERSION 1

static void put_lines(struct json_writer *writer, cJSON *object, const char *name,
                      const struct text_lines *lines)
{
    cJSON *array = json_put_array(writer, object, name);
    for (size_t i = 0; i < lines->count; i++) {
        json_append_text(writer, array, lines->line[i]);
    }
}

static void put_function(struct json_writer *writer, cJSON *object, unsigned function, unsigned index,
                         unsigned version)
{
    const char *name = module_function_name(function);
    json_put_text(writer, object, "function", name ? name : "unknown");
    json_put_number(writer, object, "function_id", function);
    json_put_number(writer, object, "index", index);
    json_put_number(writer, object, "version", version);
}

static void put_dependencies(struct json_writer *writer, cJSON *object, const struct module *module)
{
    cJSON *array = json_put_array(writer, object, "dependencies");
    for (size_t i = 0; i < 2; i++) {
        const struct module_dependency *dependency = &module->dependencies[i];
        if (dependency->function != MODULE_FUNCTION_NONE) {
            put_function(writer, json_append_object(writer, array), dependency->function, dependency->index,
                         dependency->version);
        }
    }
}

static void put_flags(struct json_writer *writer, cJSON *object, unsigned flags)
{
    json_put_number(writer, object, "flags", flags);
    json_put_bool(writer, object, "drop_module_info", (flags & MODULE_DROP_MODULE_INFO) != 0);
    json_put_bool(writer, object, "compressed", (flags & MODULE_COMPRESSED) != 0);
    json_put_bool(writer, object, "combined", (flags & MODULE_COMBINED) != 0);
}

static void put_module(struct json_writer *writer, cJSON *object, const struct module *module)
{
    static const char *const verdicts[] = {"unchecked", "good", "wrong"};
    const char *platform = module_platform_name(module->platform);
    char hex[SHA256_HEX_SIZE];
    put_function(writer, object, module->function, module->index, module->version);
    json_put_text(writer, object, "platform", platform ? platform : "unknown");
    json_put_number(writer, object, "platform_id", module->platform);
    json_put_hex(writer, object, "start", module->start);
    json_put_hex(writer, object, "end", module->end);
    json_put_number(writer, object, "header_offset", (double)module->header_at);
    json_put_number(writer, object, "length", (double)module->length);
    put_flags(writer, object, module->flags);
    put_dependencies(writer, object, module);
    json_put_text(writer, object, "crc32", verdicts[module->crc]);
    json_put_hex(writer, object, "crc32_stored", module->crc_stored);
    json_put_hex(writer, object, "crc32_computed", module->crc_computed);
    json_put_text(writer, object, "sha256", verdicts[module->sha256]);
    bytes_to_hex(module->sha256_stored, MODULE_SHA256_SIZE, hex);
    json_put_text(writer, object, "sha256_stored", hex);
    struct text_lines notes = {0};
    inspect_notes(module, &notes);
    put_lines(writer, object, "problems", &module->problems);
    put_lines(writer, object, "notes", &notes);
}

static void put_segments(struct json_writer *writer, cJSON *object, const struct loadable *loadable)
{
    cJSON *array = json_put_array(writer, object, "segments");
    for (size_t i = 0; i < loadable->segment_count; i++) {
        cJSON *segment = json_append_object(writer, array);
        json_put_hex(writer, segment, "address", loadable->segments[i].address);
        json_put_number(writer, segment, "length", (double)loadable->segments[i].length);
    }
    if (loadable->has_entry) {
        json_put_hex(writer, object, "entry", loadable->entry);
    }
    json_put_number(writer, object, "symbols", (double)loadable->symbol_count);
}

static void put_file(struct json_writer *writer, cJSON *object, const struct inspected_file *file)
{
    json_put_text(writer, object, "path", file->path);
    json_put_bool(writer, object, "good", inspected_file_is_good(file));
    if (file->format == LOADABLE_AUTO) {
        json_put_text(writer, object, "error", file->error.text);
        return;
    }
    json_put_text(writer, object, "format", loadable_format_name(file->format));
    json_put_number(writer, object, "size", (double)file->len);
    json_put_text(writer, object, "file_sha256", file->sha256);
    if (file->published[0] != '\0') {
        json_put_text(writer, object, "published", file->published);
    }
    if (file->format != LOADABLE_MODULE) {
        put_segments(writer, object, &file->loadable);
        return;
    }
    cJSON *modules = json_put_array(writer, object, "modules");
    for (size_t i = 0; i < file->modules.count; i++) {
        put_module(writer, json_append_object(writer, modules), &file->modules.modules[i]);
    }
}

bool inspect_print_json(const struct inspection *inspection)
{
    struct json_writer writer = {.good = true};
    cJSON *root = cJSON_CreateObject();
    json_put_number(&writer, root, "schema_version", SCHEMA_VERSION);
    cJSON *files = json_put_array(&writer, root, "files");
    for (size_t i = 0; i < inspection->file_count; i++) {
        put_file(&writer, json_append_object(&writer, files), &inspection->files[i]);
    }
    put_lines(&writer, root, "unmet_dependencies", &inspection->dependencies);
    return !json_print(&writer, root, stdout) || ferror(stdout);
}
