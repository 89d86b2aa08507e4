/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A part on a board, as the machine sees it: one of the kinds in part.c's table, made from the board file's
 * entry. A part knows the wires and serial ports it is attached to and nothing else.
 *
 * To add a part: write its file pair beside this one and a line in part.c.
 */
#ifndef SOSIM_PARTS_PART_H
#define SOSIM_PARTS_PART_H

#include "core/bus.h"
#include "core/diag.h"
#include "core/nor.h"

struct cJSON;

struct part_kind {
    const char *kind; /* as in the board file: "rgb_led" */
    size_t size;      /* of the model's struct */
    /* Attaches the part to the bus by the board file's entry. Returns 0, or -1 with `why`. */
    int (*create)(void *model, struct bus *bus, const char *name, const struct cJSON *entry,
                  struct diag *why);
    void (*destroy)(void *model);
    /* Power of the board came or went. */
    void (*power)(void *model, bool on);
    void (*save)(void *model, struct state *state);
    /* An input from the scenario: `what` and `value` are the kind's own ("pressed" 1, "vbus" 0 …).
     * Returns 0, or -1 if the part has no such input. NULL: none. */
    int (*input)(void *model, const char *what, double value);
    /* The part's NOR array of that name, or NULL. */
    struct nor *(*array)(void *model, const char *name);
    /* Power is about to go, whatever the part is doing. NULL: that does not matter to it. */
    void (*supply_fails)(void *model);
};

struct part {
    const struct part_kind *kind;
    char name[32];
    void *model;
};

/* Makes the part that a board file's entry describes: {"kind": …, "name": …, pins and settings …}. */
int part_create(struct part *part, struct bus *bus, const struct cJSON *entry, struct diag *why);
void part_destroy(struct part *part);

#endif
