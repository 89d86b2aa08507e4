/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program with a job that may not be interrupted: it forbids resets while it works (System.disableReset()),
 * for a minute from its start, and then allows them. An update that comes in that minute waits for its end.
 */
#include "device_os.h"

#define JOB_MS  60000u
#define LOOP_MS 100u

static unsigned loops;

void setup(void)
{
    allow_reset(false);
}

void loop(void)
{
    delay_ms(LOOP_MS);
    if (++loops == JOB_MS / LOOP_MS)
        allow_reset(true);
}
