/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log that stays open, and a command (from the cloud, say) that clears it through a second handle and
 * stores a setting: two parts of a program that do not know of each other. After the log's first days, the
 * command comes five seconds after a start, and the next line one second later.
 */
#include "event_lines.h"

#define LOOP_MS 100u
#define COMMAND 50u /* loops */
#define NEXT    60u

static int handle;
static unsigned loops;
static bool done;

static void clear_log(void)
{
    int fd = open(LOG, O_RDWR | O_TRUNC);
    if (fd >= 0)
        close(fd);
    set_feature(FEATURE_RESET_INFO, true);
}

void setup(void)
{
    handle = open(LOG, O_CREAT | O_RDWR | O_APPEND);
    int due = handle < 0 ? -1 : lines_due(handle);
    done = due != 0;
    if (due > 0 && add_lines(handle, due))
        fsync(handle);
}

void loop(void)
{
    delay_ms(LOOP_MS);
    if (done)
        return;
    loops++;
    if (loops == COMMAND)
        clear_log();
    if (loops < NEXT)
        return;
    write_line(handle, LINES);
    fsync(handle);
    done = true;
}
