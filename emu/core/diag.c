/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_if_cut(struct diag *diag, int wanted)
{
    if (wanted >= DIAG_SIZE) {
        memcpy(diag->text + DIAG_SIZE - 4, "...", 4);
    }
}

void diag_clear(struct diag *diag)
{
    if (diag) {
        diag->text[0] = '\0';
    }
}

void diag_set(struct diag *diag, const char *format, ...)
{
    if (!diag) {
        return;
    }
    /* Through a copy, since the arguments may point into the message that is being replaced. */
    struct diag fresh = {{0}};
    va_list values;
    va_start(values, format);
    int wanted = vsnprintf(fresh.text, sizeof(fresh.text), format, values);
    va_end(values);
    mark_if_cut(&fresh, wanted);
    *diag = fresh;
}

void diag_prefix(struct diag *diag, const char *format, ...)
{
    if (!diag) {
        return;
    }
    char prefix[DIAG_SIZE] = "";
    va_list values;
    va_start(values, format);
    vsnprintf(prefix, sizeof(prefix), format, values);
    va_end(values);

    struct diag joined = {{0}};
    int wanted = snprintf(joined.text, sizeof(joined.text), "%s: %s", prefix, diag->text);
    mark_if_cut(&joined, wanted);
    *diag = joined;
}
