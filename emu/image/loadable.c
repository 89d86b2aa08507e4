/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/loadable.h"

#include <stdlib.h>
#include <string.h>

#include "core/room.h"
#include "image/file.h"
#include "image/loadable_formats.h"
#include "image/module.h"

static const char *const format_names[] = {
    [LOADABLE_AUTO] = "unknown",  [LOADABLE_MODULE] = "Particle module", [LOADABLE_RAW] = "raw binary",
    [LOADABLE_HEX] = "Intel HEX", [LOADABLE_ELF] = "ELF for ARM",
};

/* What a segment's `place` counts, for messages. */
static const char *const place_names[] = {
    [LOADABLE_AUTO] = "part", [LOADABLE_MODULE] = "module",      [LOADABLE_RAW] = "part",
    [LOADABLE_HEX] = "line",  [LOADABLE_ELF] = "program header",
};

const char *loadable_format_name(enum loadable_format format)
{
    return format_names[format];
}

int loadable_add_segment(struct loadable *out, const struct loadable_segment *segment, struct diag *why)
{
    struct loadable_segment *larger =
        room_for(out->segments, out->segment_count + 1, &out->segment_room, sizeof(*larger));
    if (!larger) {
        diag_set(why, "out of memory");
        return LOADABLE_OUT_OF_MEMORY;
    }
    out->segments = larger;
    larger[out->segment_count++] = *segment;
    return LOADABLE_OK;
}

static int parse_raw(const uint8_t *data, size_t len, const struct loadable_options *options,
                     struct loadable *out, struct diag *why)
{
    if (!options->has_address) {
        diag_set(why, "neither a Particle module nor Intel HEX nor ELF; raw bytes need an address");
        return LOADABLE_BAD_FILE;
    }
    if (len == 0) {
        diag_set(why, "the file is empty");
        return LOADABLE_BAD_FILE;
    }
    if (len > UINT32_MAX - options->address) {
        diag_set(why, "%zu bytes at 0x%08x run past the end of the address space", len,
                 (unsigned)options->address);
        return LOADABLE_BAD_FILE;
    }
    out->storage = malloc(len);
    if (!out->storage) {
        diag_set(why, "out of memory");
        return LOADABLE_OUT_OF_MEMORY;
    }
    memcpy(out->storage, data, len);
    struct loadable_segment whole = {options->address, out->storage, len, 1};
    return loadable_add_segment(out, &whole, why);
}

static int add_module(const struct module *module, size_t number, size_t *used, size_t *room,
                      struct loadable *out, struct diag *why)
{
    struct module_bytes bytes;
    int result = module_device_bytes(module, &bytes, why);
    if (result != MODULE_OK) {
        return result == MODULE_OUT_OF_MEMORY ? LOADABLE_OUT_OF_MEMORY : LOADABLE_BAD_FILE;
    }
    if (bytes.length > UINT32_MAX - bytes.address) {
        diag_set(why, "module %zu at 0x%08x runs past the end of the address space", number,
                 (unsigned)bytes.address);
        module_bytes_free(&bytes);
        return LOADABLE_BAD_FILE;
    }
    uint8_t *larger = room_for(out->storage, *used + bytes.length, room, 1);
    if (!larger) {
        diag_set(why, "out of memory");
        module_bytes_free(&bytes);
        return LOADABLE_OUT_OF_MEMORY;
    }
    out->storage = larger;
    memcpy(larger + *used, bytes.bytes, bytes.length);
    struct loadable_segment segment = {bytes.address, NULL, bytes.length, number};
    *used += bytes.length;
    module_bytes_free(&bytes);
    return loadable_add_segment(out, &segment, why);
}

/* Segments of modules get their pointers last: the storage moves while it grows. */
static void point_into_storage(struct loadable *out)
{
    size_t used = 0;
    for (size_t i = 0; i < out->segment_count; i++) {
        out->segments[i].bytes = out->storage + used;
        used += out->segments[i].length;
    }
}

static int load_modules(const struct module_file *file, struct loadable *out, struct diag *why)
{
    size_t used = 0, room = 0;
    for (size_t i = 0; i < file->count; i++) {
        int result = add_module(&file->modules[i], i + 1, &used, &room, out, why);
        if (result != LOADABLE_OK) {
            return result;
        }
    }
    point_into_storage(out);
    return LOADABLE_OK;
}

static int parse_module(const uint8_t *data, size_t len, bool accept_problems, struct loadable *out,
                        struct diag *why)
{
    /* Some 30 KiB with the lists of problems: too large for the stack. */
    struct module_file *file = malloc(sizeof(*file));
    if (!file) {
        diag_set(why, "out of memory");
        return LOADABLE_OUT_OF_MEMORY;
    }
    int result = module_file_parse(data, len, file, why);
    if (result == MODULE_OK || (result == MODULE_HAS_PROBLEMS && accept_problems)) {
        result = load_modules(file, out, why);
    } else {
        result = LOADABLE_BAD_FILE;
    }
    free(file);
    return result;
}

static bool looks_like_hex(const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] == ':') {
            return true;
        }
        if (data[i] != ' ' && data[i] != '\t' && data[i] != '\r' && data[i] != '\n') {
            return false;
        }
    }
    return false;
}

static enum loadable_format tell_format(const uint8_t *data, size_t len,
                                        const struct loadable_options *options)
{
    if (len >= 4 && memcmp(data, "\177ELF", 4) == 0) {
        return LOADABLE_ELF;
    }
    if (looks_like_hex(data, len)) {
        return LOADABLE_HEX;
    }
    if (options->has_address) {
        return LOADABLE_RAW;
    }
    struct module *module = malloc(sizeof(*module));
    bool is_module = module && module_parse(data, len, module, NULL) != MODULE_NOT_A_MODULE;
    free(module);
    return is_module ? LOADABLE_MODULE : LOADABLE_RAW;
}

static int by_address(const void *a, const void *b)
{
    const struct loadable_segment *left = a;
    const struct loadable_segment *right = b;
    if (left->address != right->address) {
        return left->address < right->address ? -1 : 1;
    }
    return left->place < right->place ? -1 : left->place > right->place;
}

static int sort_and_check(struct loadable *out, struct diag *why)
{
    if (out->segment_count == 0) {
        diag_set(why, "the file has nothing to load");
        return LOADABLE_BAD_FILE;
    }
    qsort(out->segments, out->segment_count, sizeof(out->segments[0]), by_address);
    for (size_t i = 1; i < out->segment_count; i++) {
        const struct loadable_segment *below = &out->segments[i - 1];
        const struct loadable_segment *above = &out->segments[i];
        if ((uint64_t)below->address + below->length > above->address) {
            size_t first = below->place < above->place ? below->place : above->place;
            size_t second = below->place < above->place ? above->place : below->place;
            diag_set(why, "%s %zu writes to 0x%08x again, after %s %zu", place_names[out->format], second,
                     (unsigned)above->address, place_names[out->format], first);
            return LOADABLE_BAD_FILE;
        }
    }
    return LOADABLE_OK;
}

static int parse_as(enum loadable_format format, const uint8_t *data, size_t len,
                    const struct loadable_options *options, struct loadable *out, struct diag *why)
{
    if (options->has_address && format != LOADABLE_RAW) {
        diag_set(why, "it is %s, which has addresses of its own; one was given too", format_names[format]);
        return LOADABLE_BAD_FILE;
    }
    out->format = format;
    switch (format) {
    case LOADABLE_MODULE:
        return parse_module(data, len, options->accept_problems, out, why);
    case LOADABLE_HEX:
        return loadable_parse_hex(data, len, out, why);
    case LOADABLE_ELF:
        return loadable_parse_elf(data, len, out, why);
    default:
        return parse_raw(data, len, options, out, why);
    }
}

int loadable_parse(const uint8_t *data, size_t len, const char *name, const struct loadable_options *options,
                   struct loadable *out, struct diag *why)
{
    static const struct loadable_options defaults = {0};
    memset(out, 0, sizeof(*out));
    options = options ? options : &defaults;
    enum loadable_format format = options->format;
    if (format == LOADABLE_AUTO) {
        format = tell_format(data, len, options);
    }
    int result = parse_as(format, data, len, options, out, why);
    if (result == LOADABLE_OK) {
        result = sort_and_check(out, why);
    }
    if (result != LOADABLE_OK) {
        loadable_free(out);
        if (name) {
            diag_prefix(why, "%s", name);
        }
    }
    return result;
}

int loadable_read(const char *path, const struct loadable_options *options, struct loadable *out,
                  struct diag *why)
{
    memset(out, 0, sizeof(*out));
    uint8_t *data;
    size_t len;
    if (file_read_all(path, LOADABLE_LARGEST_FILE, &data, &len, why) != FILE_OK) {
        return LOADABLE_UNREADABLE;
    }
    int result = loadable_parse(data, len, path, options, out, why);
    free(data);
    return result;
}

void loadable_free(struct loadable *loadable)
{
    free(loadable->segments);
    free(loadable->symbols);
    free(loadable->storage);
    memset(loadable, 0, sizeof(*loadable));
}

bool loadable_symbol(const struct loadable *loadable, const char *name, uint32_t *address, uint32_t *size)
{
    for (size_t i = 0; i < loadable->symbol_count; i++) {
        const struct loadable_symbol_entry *symbol = &loadable->symbols[i];
        if (strcmp(symbol->name, name) == 0) {
            *address = symbol->address;
            if (size) {
                *size = symbol->size;
            }
            return true;
        }
    }
    return false;
}
