/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RAM that is kept over the cut of a sweep: what it held at each operation, as changes from one to the next.
 */
#include "core/ram_decay.h"
#include "core/room.h"
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int sweep_ram_begin(struct sweep_inner *inner)
{
    if (inner->scenario->state.ram == RAM_CLEARED)
        return 0;
    inner->journal.ram_now = calloc(1, NRF52840_RAM_SIZE);
    inner->ram = calloc(1, NRF52840_RAM_SIZE);
    return inner->journal.ram_now && inner->ram ? 0 : ENOMEM;
}

int sweep_ram_note(struct journal *journal, const uint8_t *ram)
{
    for (uint32_t at = 0; journal->ram_now && at < NRF52840_RAM_SIZE; at += RAM_LINE) {
        if (!memcmp(journal->ram_now + at, ram + at, RAM_LINE))
            continue;
        struct ram_line *lines =
            room_for(journal->ram, journal->ram_count + 1, &journal->ram_room, sizeof *lines);
        if (!lines)
            return ENOMEM;
        journal->ram = lines;
        struct ram_line *line = &lines[journal->ram_count++];
        line->offset = at;
        memcpy(line->bytes, ram + at, RAM_LINE);
        memcpy(journal->ram_now + at, ram + at, RAM_LINE);
    }
    return 0;
}

int sweep_ram_from(const struct sweep_inner *inner, const uint8_t *ram, struct start_extra *extra)
{
    if (inner->scenario->state.ram == RAM_CLEARED)
        return 0;
    if (!extra->ram && !(extra->ram = malloc(NRF52840_RAM_SIZE)))
        return ENOMEM;
    memcpy(extra->ram, ram, NRF52840_RAM_SIZE);
    if (inner->scenario->state.ram == RAM_DECAYED)
        ram_decay(extra->ram, NRF52840_RAM_SIZE, inner->machine_options.seed, SWEEP_OFF_MS * CYCLES_PER_MS);
    return 0;
}

int sweep_ram_at(struct sweep_inner *inner, size_t index, struct start_extra *extra)
{
    const struct journal *journal = &inner->journal;
    if (!inner->ram)
        return 0;
    size_t lines = journal->ops[index].lines;
    if (lines < inner->ram_lines) {
        memset(inner->ram, 0, NRF52840_RAM_SIZE);
        inner->ram_lines = 0;
    }
    for (; inner->ram_lines < lines; inner->ram_lines++) {
        const struct ram_line *line = &journal->ram[inner->ram_lines];
        memcpy(inner->ram + line->offset, line->bytes, RAM_LINE);
    }
    return sweep_ram_from(inner, inner->ram, extra);
}

void sweep_ram_free(struct sweep_inner *inner)
{
    free(inner->ram);
    free(inner->journal.ram);
    free(inner->journal.ram_now);
}
