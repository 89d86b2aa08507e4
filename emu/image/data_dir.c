/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/data_dir.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int path_format(char *path, size_t size, struct diag *why, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int wanted = vsnprintf(path, size, format, values);
    va_end(values);
    if (wanted < 0 || (size_t)wanted >= size) {
        diag_set(why, "path too long: %.100s...", path);
        return -1;
    }
    return 0;
}

/* The directory of the running program, without a slash at its end. */
static bool program_directory(char path[DATA_PATH_SIZE])
{
    ssize_t length = readlink("/proc/self/exe", path, DATA_PATH_SIZE - 1);
    if (length <= 0) {
        return false;
    }
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash) {
        return false;
    }
    *slash = '\0';
    return true;
}

int data_path(const char *relative, char path[DATA_PATH_SIZE], struct diag *why)
{
    const char *chosen = getenv("SOSIM_DATA");
    if (chosen && chosen[0] != '\0') {
        return path_format(path, DATA_PATH_SIZE, why, "%s/%s", chosen, relative);
    }
    char program[DATA_PATH_SIZE];
    if (program_directory(program) &&
        path_format(path, DATA_PATH_SIZE, why, "%s/../share/sosim/%s", program, relative) == 0 &&
        access(path, R_OK) == 0) {
        return 0;
    }
    return path_format(path, DATA_PATH_SIZE, why, "%s/%s", SOSIM_SOURCE_DIR, relative);
}
