/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `sosim run --point`: one point of a sweep again. */
#include "cli/run_point.h"

#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "scenario/sweep.h"

int run_point_parse(const struct scenario *scenario, const char *version, const char *id,
                    struct flash_fault *fault, char name[RUN_POINT_NAME_SIZE], struct diag *why)
{
    if (sweep_name(scenario, version, name, RUN_POINT_NAME_SIZE, why))
        return -1;
    size_t length = strlen(name);
    const char *colon = strchr(id, ':');
    const char *second = colon ? strchr(colon + 1, ':') : NULL;
    if (second && (strncmp(id, name, length) != 0 || id[length] != ':')) {
        diag_set(why, "the point \"%s\" is of another scenario or version than %s", id, name);
        return -1;
    }
    return flash_fault_parse(second ? colon + 1 : id, fault, why);
}

int run_point(const struct scenario *scenario, const struct run_options *options, const char *name,
              const struct flash_fault *fault)
{
    const struct sweep_options sweep = {.has_seed = options->has_seed, .seed = options->seed};
    struct sweep_point point;
    struct diag why;
    if (sweep_replay(scenario, &sweep, name, fault, &point, stdout, &why)) {
        fprintf(stderr, "sosim run: %s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    char id[FLASH_FAULT_ID_SIZE];
    printf("%s:%s: %s", name, flash_fault_id(fault, id), sweep_class_words(point.class));
    if (point.code)
        printf(" (SOS %d)", point.code);
    printf("\n");
    return EXIT_AS_EXPECTED;
}
