/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which bytes of RAM count: those whose content is read before it is written over. Whoever wants to know sets
 * bus->ram_seen, and every reader and writer of RAM says what it does: the CPU's loads and stores (through
 * the engine's hooks), code that runs from RAM, stacking, DMA.
 *
 * While it is watched the machine runs many times slower, and the same.
 *
 * Not modelled: reads that leave no trace in the machine count as well (spin.h looks ahead).
 */
#ifndef SOSIM_CORE_RAM_WATCH_H
#define SOSIM_CORE_RAM_WATCH_H

#include "core/bus.h"

struct cpu;

/* What was done with a byte first: values of bus->ram_seen[]. */
enum ram_seen {
    RAM_SEEN_NOT,
    RAM_SEEN_READ,
    RAM_SEEN_WRITTEN,
};

/* Notes from now on in `seen`, bus->ram_size bytes that the caller owns and clears. 0, or -1 with
 * cpu->failure set. */
int ram_watch_begin(struct cpu *cpu, uint8_t *seen);
void ram_watch_end(struct cpu *cpu);

static inline void ram_note(const struct bus *bus, uint32_t offset, uint32_t size, enum ram_seen what)
{
    if (!bus->ram_seen)
        return;
    for (uint32_t at = offset; at < bus->ram_size && at - offset < size; at++) {
        if (!bus->ram_seen[at])
            bus->ram_seen[at] = (uint8_t)what;
    }
}

#endif
