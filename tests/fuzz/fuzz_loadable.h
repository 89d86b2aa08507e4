/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets of the file formats have in common: whatever was accepted has to be usable. */
#ifndef SOSIM_TESTS_FUZZ_LOADABLE_H
#define SOSIM_TESTS_FUZZ_LOADABLE_H

#include "image/loadable.h"

#include <stdint.h>
#include <stdlib.h>

/* Touches the ends of every segment, and aborts if two overlap. The sum keeps the reads from being optimised
 * away. */
static inline unsigned touch_segments(const struct loadable *loaded)
{
    unsigned sum = 0;
    for (size_t i = 0; i < loaded->segment_count; i++) {
        const struct loadable_segment *segment = &loaded->segments[i];
        sum += segment->bytes[0] + segment->bytes[segment->length - 1];
        if (i > 0 && loaded->segments[i - 1].address + loaded->segments[i - 1].length > segment->address)
            abort();
    }
    return sum;
}

#endif
