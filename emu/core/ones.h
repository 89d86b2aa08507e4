/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that begins as ones, as erased flash does, and takes host memory and time only where it is changed:
 * its pages are copies, made when they are first written to, of a few that hold nothing but ones. Most of an
 * external flash stays erased, and a machine is made in a fraction of the time that filling it would take.
 *
 * Unreadable pages on both sides catch whoever leaves it.
 *
 * Where the system cannot do that, it is ordinary memory filled with ones.
 */
#ifndef SOSIM_CORE_ONES_H
#define SOSIM_CORE_ONES_H

#include <stddef.h>
#include <stdint.h>

struct ones {
    uint8_t *data; /* page-aligned */
    void *mapped;  /* NULL: ordinary memory */
    size_t mapped_size;
};

/* Makes `size` bytes of ones; 0 or ENOMEM. Whoever asked for it frees it. */
int ones_init(struct ones *ones, size_t size);
void ones_free(struct ones *ones);

#endif
