/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "app/apps.h"

#include <stdio.h>
#include <string.h>

#include "apps_arrays.inc"

static const struct sosim_app apps[] = {
#include "apps_table.inc"
};

#define APP_COUNT (sizeof apps / sizeof apps[0])

#define VERSION(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))
#define PART_MAX                     99u

/* In the order of the builds. */
static const unsigned releases[] = {
#include "apps_versions.inc"
};

_Static_assert(sizeof releases / sizeof releases[0] == APP_BUILDS, "apps.h has another number of builds");

/* "4.0.1" as a number, 0 for what is no version. */
static unsigned version_number(const char *text)
{
    unsigned major, minor, patch;
    char rest;
    if (sscanf(text, "%3u.%3u.%3u%c", &major, &minor, &patch, &rest) != 3 || major > PART_MAX ||
        minor > PART_MAX || patch > PART_MAX)
        return 0;
    return VERSION(major, minor, patch);
}

const struct app_build *sosim_app_find(const char *name, const char *built_for, struct diag *why)
{
    char names[DIAG_SIZE / 2] = "";
    unsigned version = built_for ? version_number(built_for) : releases[0], build = APP_BUILDS;
    while (build && releases[build - 1] > version)
        build--;
    if (!build) {
        diag_set(why, "apps are built for Device OS %u.%u.%u and later, not for \"%.60s\"", releases[0] >> 16,
                 releases[0] >> 8 & 0xff, releases[0] & 0xff, built_for);
        return NULL;
    }
    for (size_t i = 0; i < APP_COUNT; i++) {
        size_t used = strlen(names);
        if (!strcmp(apps[i].name, name))
            return &apps[i].builds[build - 1];
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", apps[i].name);
    }
    diag_set(why, "there is no app \"%.60s\"; there are: %s", name, names);
    return NULL;
}
