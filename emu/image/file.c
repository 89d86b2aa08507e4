/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/file.h"

#include "core/room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUFFER 65536u

/* Reads until the end rather than trusting a size asked for beforehand: it may be a pipe, or be growing. */
static int read_stream(FILE *file, const char *path, size_t limit, uint8_t **data, size_t *len,
                       struct diag *why)
{
    size_t room = 0;
    size_t used = 0;
    size_t wanted = FIRST_BUFFER;
    uint8_t *buffer = NULL;
    do {
        uint8_t *larger = room_for(buffer, wanted, &room, 1);
        if (!larger) {
            free(buffer);
        }
        buffer = larger;
        if (buffer) {
            used += fread(buffer + used, 1, room - 1 - used, file);
        }
        wanted = room + 1;
    } while (buffer && used == room - 1 && used <= limit);
    if (!buffer) {
        diag_set(why, "%s: out of memory", path);
        return FILE_OUT_OF_MEMORY;
    }
    if (ferror(file)) {
        diag_set(why, "%s: %s", path, strerror(errno));
        free(buffer);
        return FILE_UNREADABLE;
    }
    if (used > limit) {
        diag_set(why, "%s: larger than the %zu bytes that such a file can have", path, limit);
        free(buffer);
        return FILE_TOO_LARGE;
    }
    buffer[used] = 0;
    *data = buffer;
    *len = used;
    return FILE_OK;
}

int file_read_all(const char *path, size_t limit, uint8_t **data, size_t *len, struct diag *why)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        diag_set(why, "%s: %s", path, strerror(errno));
        return errno == ENOENT || errno == ENOTDIR ? FILE_MISSING : FILE_UNREADABLE;
    }
    errno = 0;
    int result = read_stream(file, path, limit, data, len, why);
    fclose(file);
    return result;
}
