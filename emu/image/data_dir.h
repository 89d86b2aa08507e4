/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the files that come with the program lie: boards/ and scenarios/.
 *
 * In this order: $SOSIM_DATA; ../share/sosim beside the program, which is where an installation puts them;
 * the source tree that the program was built from.
 */
#ifndef SOSIM_IMAGE_DATA_DIR_H
#define SOSIM_IMAGE_DATA_DIR_H

#include <stddef.h>

#include "core/diag.h"

#define DATA_PATH_SIZE 1024

/* Writes the path of `relative` (such as "boards") within the data directory. 0, or -1 with `why`. */
int data_path(const char *relative, char path[DATA_PATH_SIZE], struct diag *why);

/* Like snprintf() into a path of `size` bytes, but a path that does not fit is an error: -1 with `why`. */
int path_format(char *path, size_t size, struct diag *why, const char *format, ...) DIAG_PRINTF(4, 5);

#endif
