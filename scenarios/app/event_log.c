/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log that is opened for each line and closed behind it: the careful way. After its first days it gets one
 * more line at each start, once the device has run for ten seconds.
 */
#include "event_lines.h"

#define LOOP_MS 100u
#define SETTLED 100u /* loops */

static unsigned loops;
static bool done;

static void add(bool first_days)
{
    int fd = open(LOG, O_CREAT | O_RDWR | O_APPEND);
    if (fd < 0)
        return;
    int due = lines_due(fd);
    done = due != 0;
    add_lines(fd, first_days ? due : 1);
    close(fd);
}

void setup(void)
{
    add(true);
}

void loop(void)
{
    delay_ms(LOOP_MS);
    if (done || ++loops < SETTLED)
        return;
    add(false);
    done = true;
}
