/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/start_check.h"

#include "core/ram_watch.h"
#include "scenario/device.h"

#include <string.h>

#define LONGEST 256u /* bytes of a memory that are compared */

int start_check_begin(struct start_check *check, const struct scenario *scenario, struct machine *machine)
{
    check->scenario = scenario;
    return uart_watch_begin(&check->uart, scenario, &machine->bus.signals);
}

void start_check_end(struct start_check *check)
{
    uart_watch_end(&check->uart);
}

static bool counts(const struct expect *expect)
{
    const struct flash_place *place = &expect->memory.place;
    if (expect->kind == EXPECT_MEMORY)
        return !place->file && !place->has_block && expect->memory.content.length <= LONGEST;
    return expect->kind == EXPECT_UART || (expect->kind == EXPECT_RUNNING && !expect->stage);
}

static bool memory_is(const struct start_check *check, struct machine *machine, const struct expect *expect)
{
    struct device device = {.machine = machine, .scenario = check->scenario};
    const struct byte_string *content = &expect->memory.content;
    struct nor *nor = machine_array(machine, expect->memory.place.array);
    uint8_t bytes[LONGEST];
    struct diag why;
    if (nor)
        nor_note_read(nor, expect->memory.place.offset, (uint32_t)content->length);
    else
        ram_note(&machine->bus, expect->memory.place.offset, (uint32_t)content->length, RAM_SEEN_READ);
    return !device_read(&device, &expect->memory.place, bytes, content->length, &why) &&
           !memcmp(bytes, content->bytes, content->length);
}

bool start_check_met(void *context, struct machine *machine)
{
    const struct start_check *check = context;
    const struct scenario *scenario = check->scenario;
    bool met = true;
    for (size_t i = 0; i < scenario->expect_count && met; i++) {
        const struct expect *expect = &scenario->expects[i];
        if (!counts(expect))
            continue;
        bool is = expect->kind == EXPECT_MEMORY ? memory_is(check, machine, expect)
                  : expect->kind == EXPECT_UART ? uart_watch_seen(&check->uart, expect)
                                                : cpu_runs(&machine->cpu, expect->from, expect->to);
        met = is != expect->negated;
    }
    return met;
}
