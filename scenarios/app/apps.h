/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User programs of our own, for scenarios that need one which does something: {"app": "publish-queue"}. They
 * are built with arm-none-eabi-gcc when sosim is built, and are part of the program, as the MBR is.
 *
 * Each is there three times, built for Device OS 2.0.1, 3.0.0 and 3.1.0: it needs a system of that release or
 * a later one. User programs have 128 KiB at 0xD4000 (module index 1), and from 3.1.0 on 256 KiB at 0xB4000
 * (index 2), where those built for the other place still run. Source: Device OS,
 * hal/src/nRF52840/ota_module_bounds.c and user_hal.cpp, modules/shared/system_module_version.mk.
 *
 * A module here has a header and a suffix, but no checksums yet: see module_seal().
 */
#ifndef SOSIM_APPS_H
#define SOSIM_APPS_H

#include "core/diag.h"

#include <stddef.h>

enum { APP_BUILDS = 3 };

struct app_build {
    const unsigned char *bytes;
    size_t size;
};

struct sosim_app {
    const char *name;
    struct app_build builds[APP_BUILDS];
};

/*
 * The program `name` in the newest build that is not newer than Device OS `built_for`, such as "4.0.1" (NULL:
 * the oldest there is). NULL, and `why`, for a name or a version that there is not.
 */
const struct app_build *sosim_app_find(const char *name, const char *built_for, struct diag *why);

#endif
