/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/board.h"

#include <cjson/cJSON.h>
#include <string.h>

int board_load(struct board *board, const char *name, struct diag *why)
{
    memset(board, 0, sizeof *board);
    if (board_images_load(name, &board->images, why))
        return -1;
    const cJSON *parts = cJSON_GetObjectItemCaseSensitive(board->images.json, "parts");
    board->parts = cJSON_IsArray(parts) ? (unsigned)cJSON_GetArraySize(parts) : 0;
    return 0;
}

void board_free(struct board *board)
{
    board_images_free(&board->images);
    memset(board, 0, sizeof *board);
}

const cJSON *board_part(const struct board *board, unsigned n)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(board->images.json, "parts"), (int)n);
}
