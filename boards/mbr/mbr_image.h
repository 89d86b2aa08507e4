/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Master Boot Record that sosim puts at flash address 0 when the user supplies none.
 *
 * It is guest code (Cortex-M4), built from mbr.c and mbr_vectors.S when sosim is built. Nordic's own MBR may
 * not be passed on with sosim, nor do the published Particle modules contain it.
 * See mbr.c for sources and for what is not modelled.
 */
#ifndef SOSIM_MBR_IMAGE_H
#define SOSIM_MBR_IMAGE_H

#include <stddef.h>

/* Exactly one flash page; unused bytes are 0xFF, as in erased flash. */
extern const unsigned char sosim_mbr[];
extern const size_t sosim_mbr_size;

#endif
