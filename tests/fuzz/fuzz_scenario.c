/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct scenario scenario;
    struct diag why = {{0}};
    if (scenario_parse(&scenario, "fuzz", (const char *)data, len, &why) != 0) {
        /* Every refusal names the file and says why. */
        if (strncmp(why.text, "fuzz:", 5) != 0) {
            abort();
        }
        return 0;
    }
    if (!scenario.name || !scenario.step_count != !scenario.steps) {
        abort();
    }
    scenario_free(&scenario);
    return 0;
}
