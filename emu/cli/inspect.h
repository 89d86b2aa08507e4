/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside cli/inspect: what was found out about files, and the two ways of printing it. */
#ifndef SOSIM_CLI_INSPECT_H
#define SOSIM_CLI_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/diag.h"
#include "image/digest.h"
#include "image/loadable.h"
#include "image/module.h"
#include "image/text_lines.h"

struct inspected_file {
    const char *path;
    uint8_t *data;
    size_t len;
    char sha256[SHA256_HEX_SIZE];
    char published[256];         /* "boron bootloader of Device OS 2.0.1", or "" */
    enum loadable_format format; /* LOADABLE_AUTO when it is nothing that is known */
    struct module_file modules;  /* for LOADABLE_MODULE */
    struct loadable loadable;    /* for LOADABLE_HEX and LOADABLE_ELF */
    struct diag error;           /* why it is none of them, or could not be read */
};

struct inspection {
    struct inspected_file *files;
    size_t file_count;
    struct text_lines dependencies; /* needs that no module among the files meets; only for several modules */
};

bool inspected_file_is_good(const struct inspected_file *file);

/* Remarks about one module that are neither facts of the header nor problems. */
void inspect_notes(const struct module *module, struct text_lines *notes);

void inspect_print_text(const struct inspection *inspection);

/* Prints one JSON object. False when out of memory. */
bool inspect_print_json(const struct inspection *inspection);

#endif
