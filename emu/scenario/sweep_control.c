/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control run of a sweep, and what the flashes held at each of its operations. */
#include "core/room.h"
#include "scenario/run.h"
#include "scenario/sweep_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MS(cycle) ((double)(cycle) / (double)CYCLES_PER_MS)

struct recording {
    struct journal *journal;
    const struct flash_view *view;
};

static bool make_room(struct journal *journal, uint32_t bytes)
{
    struct journal_op *ops = room_for(journal->ops, journal->count + 1, &journal->room, sizeof *ops);
    journal->ops = ops ? ops : journal->ops;
    uint8_t *data = room_for(journal->bytes, journal->used + bytes, &journal->bytes_room, 1);
    journal->bytes = data ? data : journal->bytes;
    return ops && data;
}

static void record(void *context, struct machine *machine, const struct flash_op *op)
{
    struct recording *recording = context;
    struct journal *journal = recording->journal;
    int array = flash_view_array(recording->view, op->array);
    const struct nor *nor = machine_array(machine, op->array);
    if (array < 0 || !op->size || journal->out_of_memory)
        return;
    journal->out_of_memory = !make_room(journal, op->size);
    if (journal->out_of_memory)
        return;
    if (sweep_ram_note(journal, machine->ram)) {
        journal->out_of_memory = true;
        return;
    }
    memcpy(journal->bytes + journal->used, nor->data + op->address, op->size);
    journal->ops[journal->count++] = (struct journal_op){.op = *op,
                                                         .array = (unsigned)array,
                                                         .ms = MS(machine->bus.clock.now),
                                                         .bytes = journal->used,
                                                         .lines = journal->ram_count};
    journal->ops[journal->count - 1].op.array = recording->view->nor[array]->name;
    journal->used += op->size;
}

bool sweep_in_window(const struct sweep_options *options, const struct journal_op *op)
{
    for (unsigned i = 0; i < options->windows; i++) {
        const struct sweep_window *window = &options->window[i];
        if ((!window->array || !strcmp(window->array, op->op.array)) && op->op.number >= window->from &&
            op->op.number <= window->to && op->ms >= window->from_ms && op->ms <= window->to_ms)
            return true;
    }
    return !options->windows;
}

static int allocate(struct sweep_inner *inner)
{
    size_t size = inner->view.count * sizeof *inner->ids;
    inner->initial = malloc(size);
    inner->final = malloc(size);
    inner->ids = malloc(size);
    inner->held = malloc(size);
    if (!inner->initial || !inner->final || !inner->ids || !inner->held || page_store_init(&inner->store))
        return -1;
    for (unsigned i = 0; i < inner->view.arrays; i++) {
        if (!(inner->cells[i] = malloc(inner->view.nor[i]->size)))
            return -1;
    }
    sweep_note_held(inner, NULL);
    return flash_state_take(&inner->view, &inner->store, inner->initial);
}

/* A machine of our own, prepared like the one of the control run, that each start begins with. */
static int make_machine(struct sweep *sweep, const struct machine_options *options, struct diag *why)
{
    struct sweep_inner *inner = sweep->inner;
    if (board_load(&inner->board, inner->scenario->board, why))
        return -1;
    inner->has_board = true;
    if (machine_init(&inner->machine, &inner->board, options, why))
        return -1;
    inner->has_machine = true;
    struct device device = {.machine = &inner->machine, .scenario = inner->scenario};
    if (device_prepare(&device, why))
        return -1;
    flash_view_init(&inner->view, &inner->machine);
    flash_counts_take(&inner->view, &inner->counts);
    inner->snapshot.without_content = true;
    state_begin_save(&inner->snapshot);
    machine_save(&inner->machine, &inner->snapshot);
    if (inner->snapshot.error || allocate(inner) || sweep_ram_begin(inner)) {
        diag_set(why, "out of memory");
        return -1;
    }
    return 0;
}

/* Numbers for the pages that the cells hold. */
static int take_cells(struct sweep_inner *inner, uint32_t *ids)
{
    for (uint32_t page = 0; page < inner->view.count; page++) {
        uint32_t offset, size;
        unsigned i = flash_view_place(&inner->view, page, &offset, &size);
        ids[page] = page_store_add(&inner->store, inner->cells[i] + offset, size);
        if (ids[page] == PAGE_UNKNOWN)
            return -1;
    }
    return 0;
}

static void restart_cells(struct sweep_inner *inner)
{
    for (uint32_t page = 0; page < inner->view.count; page++) {
        uint32_t offset, size;
        unsigned i = flash_view_place(&inner->view, page, &offset, &size);
        memcpy(inner->cells[i] + offset, inner->store.bytes[inner->initial[page]], size);
        inner->ids[page] = inner->initial[page];
    }
    inner->at_op = 0;
}

void sweep_cells_at(struct sweep_inner *inner, size_t index)
{
    if (index < inner->at_op)
        restart_cells(inner);
    for (; inner->at_op < index; inner->at_op++) {
        const struct journal_op *op = &inner->journal.ops[inner->at_op];
        const struct nor *nor = inner->view.nor[op->array];
        uint8_t *cells = inner->cells[op->array];
        memcpy(cells + op->op.address, inner->journal.bytes + op->bytes, op->op.size);
        uint32_t first = inner->view.first[op->array] + op->op.address / nor->page;
        uint32_t last = inner->view.first[op->array] + (op->op.address + op->op.size - 1) / nor->page;
        for (uint32_t page = first; page <= last; page++) {
            uint32_t offset, size;
            flash_view_place(&inner->view, page, &offset, &size);
            inner->ids[page] = page_store_find(&inner->store, cells + offset, size);
        }
    }
}

static uint64_t identify(const struct sweep_inner *inner)
{
    const struct journal *journal = &inner->journal;
    uint64_t identity = flash_state_digest(&inner->store, inner->initial, inner->view.count);
    for (size_t i = 0; i < journal->count; i++)
        identity = (identity ^ journal->ops[i].op.number ^ (uint64_t)journal->ops[i].op.address << 32) *
                   0x100000001b3ull;
    return identity ^ digest_bytes(journal->bytes, journal->used);
}

int sweep_control(struct sweep *sweep, const struct sweep_options *options, struct diag *why)
{
    struct sweep_inner *inner = sweep->inner;
    inner->machine_options = (struct machine_options){
        .seed = options->has_seed ? options->seed : inner->scenario->seed, .speed = CPU_ALL_TRICKS};
    if (make_machine(sweep, &inner->machine_options, why))
        return -1;
    struct recording recording = {&inner->journal, &inner->view};
    const struct run_options run_options = {
        .has_seed = options->has_seed, .seed = options->seed, .observe = record, .context = &recording};
    struct run_result result;
    result_init(&result);
    int err = scenario_run(inner->scenario, &run_options, &result, why);
    if (!err && (result.verdict == VERDICT_EMULATOR_STOPPED || result.verdict == VERDICT_LIMIT)) {
        diag_set(why, "the run without a cut did not come to its end: %s", result.why ? result.why : "");
        err = -1;
    }
    result_free(&result);
    if (err)
        return -1;
    if (inner->journal.out_of_memory) {
        diag_set(why, "out of memory");
        return -1;
    }
    restart_cells(inner);
    sweep_cells_at(inner, inner->journal.count);
    if (take_cells(inner, inner->final)) {
        diag_set(why, "out of memory");
        return -1;
    }
    restart_cells(inner);
    sweep->ops = inner->journal.count;
    sweep->identity = identify(inner);
    return 0;
}
