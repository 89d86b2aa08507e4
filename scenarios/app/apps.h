/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User programs of our own, for scenarios that need one which does something: {"app": "publish-queue"}. They
 * are built with arm-none-eabi-gcc when sosim is built, and are part of the program, as the MBR is.
 *
 * A module here has a header and a suffix, but no checksums yet: see module_seal().
 */
#ifndef SOSIM_APPS_H
#define SOSIM_APPS_H

#include "core/diag.h"

#include <stddef.h>

struct sosim_app {
    const char *name;
    const unsigned char *bytes;
    size_t size;
};

/* NULL, and `why` with the names that there are. */
const struct sosim_app *sosim_app_find(const char *name, struct diag *why);

#endif
