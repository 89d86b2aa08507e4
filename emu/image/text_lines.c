/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/text_lines.h"

#include <stdarg.h>
#include <stdio.h>

void text_lines_add(struct text_lines *lines, const char *format, ...)
{
    if (lines->count == TEXT_LINES_MAX) {
        snprintf(lines->line[TEXT_LINES_MAX - 1], TEXT_LINES_SIZE, "and more");
        return;
    }
    va_list values;
    va_start(values, format);
    vsnprintf(lines->line[lines->count++], TEXT_LINES_SIZE, format, values);
    va_end(values);
}
