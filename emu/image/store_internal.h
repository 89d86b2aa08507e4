/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside image/store: what loading and fetching share. Results are those of enum store_result. */
#ifndef SOSIM_IMAGE_STORE_INTERNAL_H
#define SOSIM_IMAGE_STORE_INTERNAL_H

#include "image/store.h"

/* Where the image belongs in the cache, there or not. */
int store_image_path(const struct board_images *board, const char *version, const struct board_image *image,
                     char path[STORE_PATH_SIZE], struct diag *why);

/* Compares bytes with what was published. */
int store_check(const struct board_image *image, const uint8_t *data, size_t len, struct diag *why);

#endif
