/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz_loadable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct loadable_options as_hex = {.format = LOADABLE_HEX};
    struct loadable out;
    struct diag why;
    if (loadable_parse(data, len, "fuzz", &as_hex, &out, &why) != LOADABLE_OK)
        return 0;
    unsigned sum = touch_segments(&out);
    loadable_free(&out);
    return sum == UINT32_MAX;
}
