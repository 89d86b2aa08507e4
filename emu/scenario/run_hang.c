/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Dark for ever": the lamp is off for DARK_MS and the CPU was seen in the same few blocks of code all the
 * time, or is halted; or it resets again and again without getting as far as the lamp. A device that works is
 * never dark so long, whatever it does.
 */
#include "scenario/run_internal.h"

#include <stdio.h>
#include <string.h>

static bool is_dark(const struct runner *run)
{
    const struct led_level *level = &run->lights[0].level;
    return !level->r && !level->g && !level->b;
}

static void tell(struct runner *run)
{
    char text[320];
    struct spin *spin = &run->spin;
    const char *stage = spin->code.count ? run_stage(run, spin->code.blocks[0]) : NULL;
    const char *does = run->dark_resets >= DARK_RESETS    ? "resets again and again"
                       : machine_is_halted(&run->machine) ? "is halted"
                       : run->machine.cpu.sleeping        ? "sleeps"
                                                          : "spins";
    int used = snprintf(text, sizeof text,
                        "the lamp stays dark, and the CPU %s in the %s, in %u blocks of code:", does,
                        stage ? stage : "RAM or nowhere", spin->code.count);
    for (unsigned i = 0; i < spin->code.count && used > 0 && (size_t)used < sizeof text - 14; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, " 0x%x", spin->code.blocks[i]);
    result_add_finding(run->result, machine_ms(&run->machine), "hang", text, false);
    spin->told = true;
}

void run_hang_reset(struct runner *run, bool cold)
{
    run->dark_resets = cold ? 0 : run->dark_resets + 1;
    if (run->dark_resets == 1)
        run->spin.code = (struct code_seen){0};
    if (run->dark_resets == DARK_RESETS)
        machine_stop(&run->machine);
}

void run_watch_hang(struct runner *run)
{
    struct spin *spin = &run->spin;
    double now = machine_ms(&run->machine);
    if (!run->machine.powered || !is_dark(run)) {
        *spin = (struct spin){.dark_since_ms = -1, .told = spin->told};
        return;
    }
    if (spin->dark_since_ms < 0)
        *spin = (struct spin){.dark_since_ms = now, .told = spin->told};
    code_seen_note(&spin->code, &run->machine.cpu);
    if (spin->code.many && run->dark_resets < DARK_RESETS && !machine_is_halted(&run->machine)) {
        spin->hung = false;
        if (now - spin->dark_since_ms >= DARK_MS)
            *spin = (struct spin){.dark_since_ms = now, .told = spin->told};
        return;
    }
    spin->hung = run->dark_resets >= DARK_RESETS || now - spin->dark_since_ms >= DARK_MS;
    if (spin->hung && !spin->told)
        tell(run);
}
