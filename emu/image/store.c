/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/data_dir.h"
#include "image/digest.h"
#include "image/file.h"
#include "image/store_internal.h"

int store_directory(char path[STORE_PATH_SIZE], struct diag *why)
{
    static const struct {
        const char *variable;
        const char *below;
    } places[] = {{"SOSIM_CACHE", ""}, {"XDG_CACHE_HOME", "/sosim"}, {"HOME", "/.cache/sosim"}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *value = getenv(places[i].variable);
        if (value && value[0] != '\0') {
            return path_format(path, STORE_PATH_SIZE, why, "%s%s", value, places[i].below) == 0
                       ? STORE_OK
                       : STORE_UNREADABLE;
        }
    }
    diag_set(why, "no place for the image cache: none of SOSIM_CACHE, XDG_CACHE_HOME and HOME is set");
    return STORE_UNREADABLE;
}

int store_image_path(const struct board_images *board, const char *version, const struct board_image *image,
                     char path[STORE_PATH_SIZE], struct diag *why)
{
    char directory[STORE_PATH_SIZE];
    int result = store_directory(directory, why);
    if (result != STORE_OK) {
        return result;
    }
    return path_format(path, STORE_PATH_SIZE, why, "%s/images/%s/%s/%s", directory, board->name, version,
                       image->file) == 0
               ? STORE_OK
               : STORE_UNREADABLE;
}

static void say_how_to_fetch(const struct board_images *board, const char *version, struct diag *why)
{
    diag_set(why, "%s; get it with: sosim images fetch %s --board %s", why->text, version, board->name);
}

int store_path(const struct board_images *board, const char *version, const char *kind,
               char path[STORE_PATH_SIZE], struct diag *why)
{
    struct diag own;
    why = why ? why : &own;
    const struct board_image *image = board_images_find(board, version, kind, why);
    if (!image) {
        return STORE_UNKNOWN;
    }
    int result = store_image_path(board, version, image, path, why);
    if (result != STORE_OK || access(path, R_OK) == 0) {
        return result;
    }
    diag_set(why, "%s: %s", path, strerror(errno));
    if (errno == ENOENT) {
        diag_set(why, "%s %s %s is not in the image cache", board->name, version, kind);
        say_how_to_fetch(board, version, why);
        return STORE_MISSING;
    }
    return STORE_UNREADABLE;
}

int store_check(const struct board_image *image, const uint8_t *data, size_t len, struct diag *why)
{
    if (len != image->size) {
        diag_set(why, "%zu bytes, published were %zu", len, image->size);
        return STORE_DAMAGED;
    }
    char hex[SHA256_HEX_SIZE];
    sha256_hex(data, len, hex);
    if (strcmp(hex, image->sha256) != 0) {
        diag_set(why, "SHA-256 is %s, that of the published image is %s", hex, image->sha256);
        return STORE_DAMAGED;
    }
    return STORE_OK;
}

static int read_checked(const struct board_image *image, const char *path, uint8_t **data, size_t *len,
                        struct diag *why)
{
    /* A file that is too large is damaged, and one byte more than expected is enough to know. */
    int result = file_read_all(path, image->size + 1, data, len, why);
    switch (result) {
    case FILE_OK:
        break;
    case FILE_MISSING:
        return STORE_MISSING;
    case FILE_TOO_LARGE:
        return STORE_DAMAGED;
    case FILE_OUT_OF_MEMORY:
        return STORE_OUT_OF_MEMORY;
    default:
        return STORE_UNREADABLE;
    }
    result = store_check(image, *data, *len, why);
    if (result != STORE_OK) {
        diag_prefix(why, "%s", path);
        free(*data);
        *data = NULL;
    }
    return result;
}

int store_load(const struct board_images *board, const char *version, const char *kind, uint8_t **data,
               size_t *len, struct diag *why)
{
    struct diag own;
    why = why ? why : &own;
    char path[STORE_PATH_SIZE];
    int result = store_path(board, version, kind, path, why);
    if (result != STORE_OK) {
        return result;
    }
    result = read_checked(board_images_find(board, version, kind, why), path, data, len, why);
    if (result == STORE_DAMAGED) {
        say_how_to_fetch(board, version, why);
    }
    return result;
}
