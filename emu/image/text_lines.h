/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A short, bounded list of plain sentences, for checks that report everything they find rather than the
 * first thing. When the list is full its last line says so, so nothing is dropped without a word.
 */
#ifndef SOSIM_IMAGE_TEXT_LINES_H
#define SOSIM_IMAGE_TEXT_LINES_H

#include "core/diag.h"

#include <stddef.h>

#define TEXT_LINES_MAX  16
#define TEXT_LINES_SIZE 192

struct text_lines {
    size_t count;
    char line[TEXT_LINES_MAX][TEXT_LINES_SIZE];
};

void text_lines_add(struct text_lines *lines, const char *format, ...) DIAG_PRINTF(2, 3);

#endif
