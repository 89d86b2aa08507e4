/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The computer's own clock, for limits, rates, and programs outside. Nothing that the firmware sees knows it.
 */
#ifndef SOSIM_SCENARIO_WALL_H
#define SOSIM_SCENARIO_WALL_H

#include <time.h>

/* Seconds since some moment or other; never fewer than before. */
static inline double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
