/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "app/apps.h"

#include <stdio.h>
#include <string.h>

static const unsigned char publish_queue[] = {
#include "publish_queue.inc"
};
static const unsigned char publish_queue_2[] = {
#include "publish_queue_2.inc"
};
static const unsigned char event_log[] = {
#include "event_log.inc"
};
static const unsigned char event_log_open[] = {
#include "event_log_open.inc"
};
static const unsigned char event_queue[] = {
#include "event_queue.inc"
};
static const unsigned char file_work[] = {
#include "file_work.inc"
};

static const struct sosim_app apps[] = {
    {"publish-queue", publish_queue, sizeof publish_queue},
    {"publish-queue-2", publish_queue_2, sizeof publish_queue_2},
    {"event-log", event_log, sizeof event_log},
    {"event-log-open", event_log_open, sizeof event_log_open},
    {"event-queue", event_queue, sizeof event_queue},
    {"file-work", file_work, sizeof file_work},
};

#define APP_COUNT (sizeof apps / sizeof apps[0])

const struct sosim_app *sosim_app_find(const char *name, struct diag *why)
{
    char names[DIAG_SIZE / 2] = "";
    for (size_t i = 0; i < APP_COUNT; i++) {
        size_t used = strlen(names);
        if (!strcmp(apps[i].name, name))
            return &apps[i];
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", apps[i].name);
    }
    diag_set(why, "there is no app \"%.60s\"; there are: %s", name, names);
    return NULL;
}
