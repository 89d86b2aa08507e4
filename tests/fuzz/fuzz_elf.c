/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "image/loadable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct loadable_options as_elf = {.format = LOADABLE_ELF};
    struct loadable out;
    struct diag why;
    if (loadable_parse(data, len, "fuzz", &as_elf, &out, &why) != LOADABLE_OK) {
        return 0;
    }
    /* Whatever was accepted has to be usable: touch every byte and every name. */
    unsigned sum = 0;
    for (size_t i = 0; i < out.segment_count; i++) {
        const struct loadable_segment *segment = &out.segments[i];
        sum += segment->bytes[0] + segment->bytes[segment->length - 1];
        if (i > 0 && out.segments[i - 1].address + out.segments[i - 1].length > segment->address) {
            abort();
        }
    }
    uint32_t address;
    sum += loadable_symbol(&out, "reset", &address, NULL);
    loadable_free(&out);
    return sum == UINT32_MAX;
}
