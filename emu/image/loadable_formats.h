/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside image/loadable: one reader a format. Each fills segments, in the order of the file, into storage
 * that `out` owns; what they have in common (order, overlap, the file's name in messages) is loadable.c's. */
#ifndef SOSIM_IMAGE_LOADABLE_FORMATS_H
#define SOSIM_IMAGE_LOADABLE_FORMATS_H

#include "image/loadable.h"

int loadable_parse_hex(const uint8_t *data, size_t len, struct loadable *out, struct diag *why);
int loadable_parse_elf(const uint8_t *data, size_t len, struct loadable *out, struct diag *why);

/* Adds a segment; the array grows. Returns LOADABLE_OK or LOADABLE_OUT_OF_MEMORY. */
int loadable_add_segment(struct loadable *out, const struct loadable_segment *segment, struct diag *why);

#endif
