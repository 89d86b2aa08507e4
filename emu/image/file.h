/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files into memory, with a limit and with words for what went wrong. */
#ifndef SOSIM_IMAGE_FILE_H
#define SOSIM_IMAGE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/diag.h"

enum file_result {
    FILE_OK = 0,
    FILE_MISSING = -1,
    FILE_UNREADABLE = -2,
    FILE_TOO_LARGE = -3,
    FILE_OUT_OF_MEMORY = -4,
};

/*
 * Reads all of `path`, at most `limit` bytes. The caller frees `*data`, which has one zero byte more than
 * `*len` so that text can be parsed in place. `why` begins with the path.
 */
int file_read_all(const char *path, size_t limit, uint8_t **data, size_t *len, struct diag *why);

#endif
