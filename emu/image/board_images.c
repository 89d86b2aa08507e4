/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/board_images.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/room.h"
#include "image/data_dir.h"
#include "image/file.h"

#define LARGEST_BOARD_FILE 0x100000u

/* A member that was looked for in vain ends up here; checks come once, after all members were read. */
struct reader {
    const char *missing;
};

static const char *get_text(struct reader *reader, const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    if (!text || text[0] == '\0') {
        reader->missing = name;
        return "";
    }
    return text;
}

static unsigned long get_number(struct reader *reader, const cJSON *object, const char *name,
                                unsigned long most)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    /* JSON has no hexadecimal numbers, and addresses are hard to read in any other way: "0x..." is one. */
    if (cJSON_IsString(item)) {
        char *end;
        errno = 0;
        unsigned long value = strtoul(item->valuestring, &end, 16);
        if (end != item->valuestring && *end == '\0' && errno == 0 && value <= most) {
            return value;
        }
    } else if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= (double)most) {
        return (unsigned long)item->valuedouble;
    }
    reader->missing = name;
    return 0;
}

/* Text that becomes part of a path in the cache: one component, and not one that climbs. */
static const char *get_component(struct reader *reader, const cJSON *object, const char *name)
{
    const char *text = get_text(reader, object, name);
    if (text[0] == '.' || text[0] == '-' || strchr(text, '/')) {
        reader->missing = name;
    }
    return text;
}

/* Room for an array member's elements; a missing array has none. */
static int allocate(const cJSON *array, size_t element, void **out, size_t *count)
{
    *count = cJSON_IsArray(array) ? (size_t)cJSON_GetArraySize(array) : 0;
    *out = calloc(*count + 1, element);
    return *out ? 0 : -1;
}

static int read_slots(struct reader *reader, const cJSON *array, struct board_images *out)
{
    void *slots;
    if (allocate(array, sizeof(*out->slots), &slots, &out->slot_count) != 0) {
        return -1;
    }
    out->slots = slots;
    for (size_t i = 0; i < out->slot_count; i++) {
        const cJSON *item = cJSON_GetArrayItem(array, (int)i);
        struct board_slot *slot = &out->slots[i];
        slot->name = get_text(reader, item, "name");
        slot->function = (uint8_t)get_number(reader, item, "function", UINT8_MAX);
        slot->index = (uint8_t)get_number(reader, item, "index", UINT8_MAX);
        slot->address = (uint32_t)get_number(reader, item, "address", UINT32_MAX);
        slot->size = (uint32_t)get_number(reader, item, "size", UINT32_MAX);
    }
    return 0;
}

static void read_image(struct reader *reader, const cJSON *item, struct board_image *image)
{
    image->kind = get_text(reader, item, "kind");
    image->path = get_text(reader, item, "path");
    image->sha256 = get_text(reader, item, "sha256");
    image->size = get_number(reader, item, "size", 0x1000000);
    const char *slash = strrchr(image->path, '/');
    image->file = slash ? slash + 1 : image->path;
    if (image->path[0] == '/' || image->file[0] == '\0' || strstr(image->path, "..")) {
        reader->missing = "path";
    }
    if (strlen(image->sha256) != 64) {
        reader->missing = "sha256";
    }
}

static int read_releases(struct reader *reader, const cJSON *array, struct board_images *out)
{
    void *releases;
    if (allocate(array, sizeof(*out->releases), &releases, &out->release_count) != 0) {
        return -1;
    }
    out->releases = releases;
    for (size_t i = 0; i < out->release_count; i++) {
        const cJSON *item = cJSON_GetArrayItem(array, (int)i);
        struct board_release *release = &out->releases[i];
        release->version = get_component(reader, item, "version");
        release->package = get_text(reader, item, "package");
        release->package_version = get_text(reader, item, "package_version");
        const cJSON *list = cJSON_GetObjectItemCaseSensitive(item, "images");
        void *images;
        if (allocate(list, sizeof(*release->images), &images, &release->image_count) != 0) {
            return -1;
        }
        release->images = images;
        for (size_t j = 0; j < release->image_count; j++) {
            read_image(reader, cJSON_GetArrayItem(list, (int)j), &release->images[j]);
        }
    }
    return 0;
}

static int read_board(struct board_images *out, struct diag *why)
{
    struct reader reader = {0};
    out->name = get_component(&reader, out->json, "name");
    out->description = get_text(&reader, out->json, "description");
    out->platform_id = (unsigned)get_number(&reader, out->json, "platform_id", UINT16_MAX);
    out->has_parts = cJSON_GetObjectItemCaseSensitive(out->json, "parts") != NULL;
    if (read_slots(&reader, cJSON_GetObjectItemCaseSensitive(out->json, "module_slots"), out) != 0 ||
        read_releases(&reader, cJSON_GetObjectItemCaseSensitive(out->json, "published"), out) != 0) {
        diag_set(why, "out of memory");
        return -1;
    }
    if (reader.missing) {
        diag_set(why, "\"%s\" is missing somewhere, or is not what it should be", reader.missing);
        return -1;
    }
    return 0;
}

static bool is_board_name(const char *name)
{
    for (const char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_') {
            return false;
        }
    }
    return name[0] != '\0';
}

static void complain_unknown_board(const char *name, struct diag *why)
{
    struct board_names known;
    if (board_names_list(&known, why) != 0) {
        return;
    }
    diag_set(why, "no board is called \"%.60s\"; there are:", name);
    for (size_t i = 0; i < known.count; i++) {
        diag_set(why, "%s %s", why->text, known.names[i]);
    }
    board_names_free(&known);
}

int board_images_load(const char *name, struct board_images *out, struct diag *why)
{
    struct diag own;
    why = why ? why : &own;
    memset(out, 0, sizeof(*out));
    char boards[DATA_PATH_SIZE];
    char path[DATA_PATH_SIZE];
    if (data_path("boards", boards, why) != 0) {
        return -1;
    }
    uint8_t *text = NULL;
    size_t len = 0;
    int result = FILE_MISSING;
    if (is_board_name(name)) {
        if (path_format(path, sizeof(path), why, "%s/%s.json", boards, name) != 0) {
            return -1;
        }
        result = file_read_all(path, LARGEST_BOARD_FILE, &text, &len, why);
    }
    if (result == FILE_MISSING) {
        complain_unknown_board(name, why);
    }
    if (result != FILE_OK) {
        return -1;
    }
    const char *stopped = NULL;
    out->json = cJSON_ParseWithLengthOpts((const char *)text, len + 1, &stopped, true);
    if (!out->json) {
        diag_set(why, "%s: not JSON, from offset %zu on", path, (size_t)(stopped - (const char *)text));
        free(text);
        return -1;
    }
    free(text);
    if (read_board(out, why) != 0) {
        diag_prefix(why, "%s", path);
        board_images_free(out);
        return -1;
    }
    return 0;
}

void board_images_free(struct board_images *board)
{
    for (size_t i = 0; board->releases && i < board->release_count; i++) {
        free(board->releases[i].images);
    }
    free(board->releases);
    free(board->slots);
    cJSON_Delete(board->json);
    memset(board, 0, sizeof(*board));
}

const struct board_release *board_images_release(const struct board_images *board, const char *version,
                                                 struct diag *why)
{
    for (size_t i = 0; i < board->release_count; i++) {
        if (strcmp(board->releases[i].version, version) == 0) {
            return &board->releases[i];
        }
    }
    struct diag known = {{0}};
    for (size_t i = 0; i < board->release_count; i++) {
        diag_set(&known, "%s %s", known.text, board->releases[i].version);
    }
    diag_set(why, "no images of Device OS %.40s are known for %s; there are:%s", version, board->name,
             known.text);
    return NULL;
}

const struct board_image *board_images_find(const struct board_images *board, const char *version,
                                            const char *kind, struct diag *why)
{
    const struct board_release *release = board_images_release(board, version, why);
    if (!release) {
        return NULL;
    }
    struct diag known = {{0}};
    for (size_t i = 0; i < release->image_count; i++) {
        if (strcmp(release->images[i].kind, kind) == 0) {
            return &release->images[i];
        }
        diag_set(&known, "%s %s", known.text, release->images[i].kind);
    }
    diag_set(why, "Device OS %s for %s has no image of kind \"%.40s\"; there are:%s", version, board->name,
             kind, known.text);
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The name without ".json" in memory of its own; NULL when out of memory. */
static char *board_name_of(const char *file, size_t suffix_len)
{
    size_t len = strlen(file) - suffix_len;
    char *name = malloc(len + 1);
    if (name) {
        memcpy(name, file, len);
        name[len] = '\0';
    }
    return name;
}

static int collect_names(DIR *directory, struct board_names *out)
{
    static const char suffix[] = ".json";
    const size_t suffix_len = sizeof(suffix) - 1;
    const struct dirent *entry;
    size_t room = 0;
    while ((entry = readdir(directory)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (len <= suffix_len || strcmp(entry->d_name + len - suffix_len, suffix) != 0) {
            continue;
        }
        char **larger = room_for(out->names, out->count + 1, &room, sizeof(*larger));
        if (!larger) {
            return -1;
        }
        out->names = larger;
        out->names[out->count] = board_name_of(entry->d_name, suffix_len);
        if (!out->names[out->count]) {
            return -1;
        }
        out->count++;
    }
    return 0;
}

int board_names_list(struct board_names *out, struct diag *why)
{
    memset(out, 0, sizeof(*out));
    char path[DATA_PATH_SIZE];
    if (data_path("boards", path, why) != 0) {
        return -1;
    }
    DIR *directory = opendir(path);
    if (!directory) {
        diag_set(why, "%s: %s (the board files; SOSIM_DATA can say where they are)", path, strerror(errno));
        return -1;
    }
    int result = collect_names(directory, out);
    closedir(directory);
    if (result != 0) {
        board_names_free(out);
        diag_set(why, "out of memory");
        return -1;
    }
    if (out->count > 0) {
        qsort(out->names, out->count, sizeof(*out->names), by_name);
    }
    return 0;
}

void board_names_free(struct board_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i]);
    }
    free(names->names);
    memset(names, 0, sizeof(*names));
}
