/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A board is data: boards/NAME.json says which SoC, which parts on which pins, and (for others to read) where
 * modules go and which images are published. This is the loader of the electrical side.
 */
#ifndef SOSIM_CORE_BOARD_H
#define SOSIM_CORE_BOARD_H

#include "core/diag.h"
#include "image/board_images.h"

struct cJSON;

struct board {
    struct board_images images; /* the file itself (images.json), and its name and manifest */
    unsigned parts;             /* entries of "parts" */
};

/* Reads boards/NAME.json from the data folder ($SOSIM_DATA, else the installed or source one). 0, or -1. */
int board_load(struct board *board, const char *name, struct diag *why);
void board_free(struct board *board);

/* Entry `n` of "parts". */
const struct cJSON *board_part(const struct board *board, unsigned n);

#endif
