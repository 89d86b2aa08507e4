/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz_loadable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct loadable_options as_elf = {.format = LOADABLE_ELF};
    struct loadable out;
    struct diag why;
    if (loadable_parse(data, len, "fuzz", &as_elf, &out, &why) != LOADABLE_OK)
        return 0;
    unsigned sum = touch_segments(&out);
    uint32_t address;
    sum += loadable_symbol(&out, "reset", &address, NULL);
    loadable_free(&out);
    return sum == UINT32_MAX;
}
