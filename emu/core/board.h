/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board is data: boards/NAME.json says which SoC, which parts on which pins, and (for others to read) where
 * modules go and which images are published. This is the loader of the electrical side.
 */
#ifndef SOSIM_CORE_BOARD_H
#define SOSIM_CORE_BOARD_H

#include "core/diag.h"

#include <stdint.h>

struct cJSON;

struct board {
    char name[32];
    struct cJSON *json; /* the whole file; owned */
    unsigned parts;     /* entries of "parts" */
};

/* Reads boards/NAME.json from the data folder ($SOSIM_DATA, else the installed or source one). 0, or -1. */
int board_load(struct board *board, const char *name, struct diag *why);
void board_free(struct board *board);

/* Entry `n` of "parts". */
const struct cJSON *board_part(const struct board *board, unsigned n);

#endif
