/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/sweep_record.h"

#include "core/ram_watch.h"
#include "core/room.h"
#include "scenario/start_check.h"
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK       512u /* bytes */
#define POINTS_MOST 3000u
#define BITMAP      (NRF52840_RAM_SIZE / 8)

/* The cycle at which the next point is: most of what starts differ in they look at soon. */
static uint64_t record_next(uint64_t cycle)
{
    static const struct {
        uint64_t until, step;
    } steps[] = {{CYCLES_PER_SECOND, CYCLES_PER_MS},
                 {4 * CYCLES_PER_SECOND, 5 * CYCLES_PER_MS},
                 {CLOCK_NEVER, 50 * CYCLES_PER_MS}};
    unsigned i = 0;
    while (cycle >= steps[i].until)
        i++;
    return (cycle / steps[i].step + 1) * steps[i].step;
}

void record_free(struct start_record *record)
{
    for (uint32_t i = 0; i < record->points; i++) {
        boot_progress_free(&record->point[i].progress);
        free(record->point[i].chunk);
    }
    if (record->start)
        known_start_free(record->start);
    free(record->start);
    free(record->point);
    free(record->pool);
    free(record->ids);
    free(record->end_ids);
    *record = (struct start_record){0};
}

/* --- what points keep -----------------------------------------------------------------------------------
 */

static size_t chunks_in(size_t bytes)
{
    return (bytes + CHUNK - 1) / CHUNK;
}

static struct record_layout layout_for(uint32_t pages)
{
    struct record_layout layout = {.pages = pages, .ids = NRF52840_RAM_SIZE};
    layout.seen = layout.ids + chunks_in(pages * sizeof(uint32_t)) * CHUNK;
    layout.read = layout.seen + chunks_in(pages) * CHUNK;
    layout.written = layout.read + BITMAP;
    layout.state = layout.written + BITMAP;
    return layout;
}

size_t record_bytes(const struct start_record *record)
{
    size_t index = 0;
    for (uint32_t i = 0; i < record->points; i++)
        index += chunks_in(record->layout.state + record->point[i].state_size) * sizeof(uint32_t);
    return record->room * CHUNK + index + record->points * sizeof *record->point;
}

static const uint8_t *chunk_at(const struct start_record *record, uint32_t point, size_t position)
{
    return record->pool + (size_t)record->point[point].chunk[position / CHUNK] * CHUNK;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

static int new_chunk(struct start_record *record, const uint8_t *bytes, size_t size, uint32_t *number)
{
    uint8_t *pool = room_for(record->pool, record->chunks + 1, &record->room, CHUNK);
    if (!pool)
        return ENOMEM;
    record->pool = pool;
    uint8_t *chunk = pool + record->chunks * CHUNK;
    memset(chunk, 0, CHUNK);
    memcpy(chunk, bytes, size);
    *number = (uint32_t)record->chunks++;
    return 0;
}

/* Keeps bytes of a point at a position where a chunk begins. */
static int keep(struct start_record *record, uint32_t point, size_t position, const void *from, size_t size)
{
    const uint8_t *bytes = from;
    const struct record_point *before = point ? &record->point[point - 1] : NULL;
    uint32_t *chunk = record->point[point].chunk + position / CHUNK;
    size_t known = before ? chunks_in(record->layout.state + before->state_size) : 0;
    for (size_t at = 0; at < size; at += CHUNK, chunk++, position += CHUNK) {
        size_t part = size - at < CHUNK ? size - at : CHUNK;
        if (is_zero(bytes + at, part))
            *chunk = 0;
        else if (position / CHUNK < known && !memcmp(chunk_at(record, point - 1, position), bytes + at, part))
            *chunk = before->chunk[position / CHUNK];
        else if (new_chunk(record, bytes + at, part, chunk))
            return ENOMEM;
    }
    return 0;
}

static void take_out(const struct start_record *record, uint32_t point, size_t position, void *to,
                     size_t size)
{
    uint8_t *bytes = to;
    for (size_t at = 0; at < size; at += CHUNK)
        memcpy(bytes + at, chunk_at(record, point, position + at), size - at < CHUNK ? size - at : CHUNK);
}

void record_ids(const struct start_record *record, uint32_t point, uint32_t *ids)
{
    take_out(record, point, record->layout.ids, ids, record->layout.pages * sizeof *ids);
}

uint8_t record_page_seen(const struct start_record *record, uint32_t point, uint32_t page)
{
    return chunk_at(record, point, record->layout.seen + page)[page % CHUNK];
}

static bool has_bit(const struct start_record *record, uint32_t point, size_t bitmap, uint32_t bit)
{
    return chunk_at(record, point, bitmap + bit / 8)[bit / 8 % CHUNK] >> bit % 8 & 1;
}

enum ram_seen record_byte_seen(const struct start_record *record, uint32_t point, uint32_t offset)
{
    return has_bit(record, point, record->layout.read, offset)      ? RAM_SEEN_READ
           : has_bit(record, point, record->layout.written, offset) ? RAM_SEEN_WRITTEN
                                                                    : RAM_SEEN_NOT;
}

/* --- a machine and a point ------------------------------------------------------------------------------
 */

/* All but flashes and RAM, in inner->bare. */
static int save_bare(struct sweep_inner *inner, struct start_check *check)
{
    struct state *state = &inner->bare;
    state->without_content = true;
    state_begin_save(state);
    machine_save(&inner->machine, state);
    uart_watch_save(&check->uart, state);
    return state->error ? ENOMEM : 0;
}

static int put_bare(struct sweep_inner *inner, const struct start_record *record, uint32_t point,
                    struct start_check *check)
{
    struct state *state = &inner->bare;
    size_t size = record->point[point].state_size;
    uint8_t *data = room_for(state->data, size, &state->capacity, 1);
    if (!data)
        return ENOMEM;
    state->data = data;
    take_out(record, point, record->layout.state, data, size);
    state->size = size;
    state->without_content = true;
    state_begin_load(state);
    machine_save(&inner->machine, state);
    uart_watch_save(&check->uart, state);
    return state->error ? ENOMEM : 0;
}

int record_put(struct sweep_inner *inner, const struct start_record *record, uint32_t point,
               struct start_check *check)
{
    uint8_t *ram = inner->machine.ram;
    for (uint32_t at = 0; at < NRF52840_RAM_SIZE; at += CHUNK)
        memcpy(ram + at, chunk_at(record, point, at), CHUNK);
    return put_bare(inner, record, point, check);
}

/* Most that differ do so here: where the CPU is in the midst of computing something else. */
static bool same_registers(const struct cpu *cpu, const struct record_point *point)
{
    unsigned i = 0;
    while (i < CPU_REGS && cpu_reg(cpu, i) == point->reg[i])
        i++;
    return i == CPU_REGS;
}

static bool same_bare(struct sweep_inner *inner, const struct start_record *record, uint32_t point,
                      struct start_check *check)
{
    const struct state *state = &inner->bare;
    const struct record_point *there = &record->point[point];
    if (save_bare(inner, check) || state->size != there->state_size)
        return false;
    for (size_t at = 0; at < state->size; at += CHUNK) {
        size_t part = state->size - at < CHUNK ? state->size - at : CHUNK;
        if (memcmp(state->data + at, chunk_at(record, point, record->layout.state + at), part) != 0)
            return false;
    }
    return true;
}

bool record_meets(struct sweep_inner *inner, const struct start_record *record, uint32_t point,
                  struct start_check *check, struct ram_byte *bytes, uint32_t most, uint32_t *count)
{
    const uint8_t *ram = inner->machine.ram;
    *count = 0;
    const struct cpu *cpu = &inner->machine.cpu;
    if (cpu->monitor_open || !same_registers(cpu, &record->point[point]) ||
        !same_bare(inner, record, point, check))
        return false;
    for (uint32_t at = 0; at < NRF52840_RAM_SIZE; at += CHUNK) {
        const uint8_t *chunk = chunk_at(record, point, at);
        if (!memcmp(ram + at, chunk, CHUNK))
            continue;
        for (uint32_t i = 0; i < CHUNK; i++) {
            if (ram[at + i] == chunk[i])
                continue;
            if (*count == most)
                return false;
            bytes[(*count)++] = (struct ram_byte){at + i, ram[at + i]};
        }
    }
    return true;
}

/* --- recording ------------------------------------------------------------------------------------------
 */

struct recorder {
    struct sweep_inner *inner;
    struct start_record *record;
    struct start_check *check;
    uint32_t *ids; /* what the flashes hold now */
    uint8_t *ram_seen, *bitmap;
    size_t room; /* in record->point */
};

/* The machine is at a point. */
static int add_point(struct recorder *recorder, const struct boot_probe *probe, uint64_t until)
{
    struct sweep_inner *inner = recorder->inner;
    struct start_record *record = recorder->record;
    struct record_point *points =
        room_for(record->point, record->points + 1, &recorder->room, sizeof *points);
    if (!points)
        return ENOMEM;
    record->point = points;
    if (save_bare(inner, recorder->check))
        return ENOMEM;
    struct record_point *point = &record->point[record->points];
    *point = (struct record_point){.until = until, .state_size = inner->bare.size};
    flash_counts_take(&inner->view, &point->counts);
    for (unsigned i = 0; i < CPU_REGS; i++)
        point->reg[i] = cpu_reg(&inner->machine.cpu, i);
    point->chunk = calloc(chunks_in(record->layout.state + point->state_size), sizeof *point->chunk);
    if (!point->chunk || boot_progress_copy(&point->progress, &probe->progress)) {
        free(point->chunk);
        return ENOMEM;
    }
    uint32_t n = record->points++;
    return keep(record, n, 0, inner->machine.ram, NRF52840_RAM_SIZE) ||
                   keep(record, n, record->layout.ids, recorder->ids,
                        record->layout.pages * sizeof *recorder->ids) ||
                   keep(record, n, record->layout.state, inner->bare.data, inner->bare.size)
               ? ENOMEM
               : 0;
}

static uint8_t bits_of(const uint8_t *seen, enum ram_seen what)
{
    uint8_t bits = 0;
    for (unsigned i = 0; i < 8; i++)
        bits |= (uint8_t)((seen[i] == what) << i);
    return bits;
}

static int keep_bitmap(struct recorder *recorder, size_t position, enum ram_seen what)
{
    const uint8_t nothing[8] = {0};
    for (uint32_t at = 0; at < NRF52840_RAM_SIZE; at += 8) {
        const uint8_t *seen = recorder->ram_seen + at;
        recorder->bitmap[at / 8] = memcmp(seen, nothing, 8) ? bits_of(seen, what) : 0;
    }
    return keep(recorder->record, recorder->record->points - 1, position, recorder->bitmap, BITMAP);
}

/* A stretch is over: keeps what it read, and begins to note anew. */
static int end_stretch(struct recorder *recorder)
{
    struct sweep_inner *inner = recorder->inner;
    struct start_record *record = recorder->record;
    uint8_t *seen = malloc(record->layout.pages);
    int error = seen ? 0 : ENOMEM;
    for (uint32_t page = 0; page < record->layout.pages && !error; page++) {
        seen[page] = flash_page_seen(&inner->view, page);
        if (seen[page] & NOR_SEEN_CHANGED)
            recorder->ids[page] = flash_page_take(&inner->view, &inner->store, page);
        error = recorder->ids[page] == PAGE_UNKNOWN ? ENOMEM : 0;
    }
    if (!error)
        error = keep(record, record->points - 1, record->layout.seen, seen, record->layout.pages) ||
                        keep_bitmap(recorder, record->layout.read, RAM_SEEN_READ) ||
                        keep_bitmap(recorder, record->layout.written, RAM_SEEN_WRITTEN)
                    ? ENOMEM
                    : 0;
    free(seen);
    memset(recorder->ram_seen, 0, NRF52840_RAM_SIZE);
    return error ? error : boot_probe_watch(&inner->machine);
}

static uint64_t flash_digest(const struct sweep_inner *inner)
{
    uint64_t digest = 0;
    for (unsigned i = 0; i < inner->view.arrays; i++)
        digest = digest * 31 + digest_bytes(inner->view.nor[i]->data, inner->view.nor[i]->size);
    return digest;
}

static int run_recorded(struct recorder *recorder, struct boot_probe *probe, struct boot_outcome *outcome)
{
    struct sweep_inner *inner = recorder->inner;
    const struct clock *clock = &inner->machine.bus.clock;
    bool ended = false;
    int error = boot_probe_watch(&inner->machine);
    if (!error)
        error = add_point(recorder, probe, 0);
    if (!error)
        error = boot_probe_begin(probe);
    for (uint64_t until = 0; !error && !ended;) {
        until = recorder->record->points < POINTS_MOST ? record_next(clock->now) : CLOCK_NEVER;
        error = boot_probe_go(probe, until, &ended);
        if (error || ended || inner->machine.cpu.monitor_open)
            continue;
        error = end_stretch(recorder);
        if (!error)
            error = add_point(recorder, probe, until);
    }
    uint64_t digest = flash_digest(inner);
    boot_probe_end(probe, outcome);
    /* What is torn when power goes depends on how many operations there were, too. */
    if (!error && digest != flash_digest(inner))
        error = EAGAIN;
    return error ? error : end_stretch(recorder);
}

static int record_with(struct recorder *recorder, const uint32_t *ids, struct boot_outcome *outcome)
{
    struct sweep_inner *inner = recorder->inner;
    struct start_check check;
    struct boot_probe probe;
    int error = sweep_probe(inner, &check, &probe) || sweep_rewind(inner, ids) ? ENOMEM : 0;
    recorder->check = &check;
    if (!error && !(error = ram_watch_begin(&inner->machine.cpu, recorder->ram_seen) ? ENOMEM : 0)) {
        error = run_recorded(recorder, &probe, outcome);
        ram_watch_end(&inner->machine.cpu);
    }
    start_check_end(&check);
    sweep_note_held(inner, error ? NULL : recorder->ids);
    return error;
}

/* True if what was changed is now as it was then. */
static bool same_end(const struct start_record *record, const struct known_start *of)
{
    bool same = true;
    for (uint32_t i = 0; i < of->changed.count; i++)
        same &= record->end_ids[of->changed.item[i].page] == of->changed.item[i].id;
    return same;
}

int record_make(struct sweep_inner *inner, const uint32_t *ids, const struct known_start *of,
                struct start_record *record)
{
    size_t size = inner->view.count * sizeof *ids;
    struct boot_outcome outcome = {0};
    *record = (struct start_record){.layout = layout_for(inner->view.count),
                                    .ids = malloc(size),
                                    .end_ids = malloc(size),
                                    .start = calloc(1, sizeof *record->start)};
    struct recorder recorder = {.inner = inner,
                                .record = record,
                                .ids = record->end_ids,
                                .ram_seen = calloc(1, NRF52840_RAM_SIZE),
                                .bitmap = malloc(BITMAP)};
    const uint8_t zeros[CHUNK] = {0};
    uint32_t zero;
    int error = ENOMEM;
    if (record->ids && record->end_ids && record->start && recorder.ram_seen && recorder.bitmap &&
        !new_chunk(record, zeros, CHUNK, &zero) && !known_start_copy(record->start, of)) {
        memcpy(record->ids, ids, size);
        memcpy(record->end_ids, ids, size);
        error = record_with(&recorder, ids, &outcome);
    }
    free(recorder.ram_seen);
    free(recorder.bitmap);
    if (!error && (!boot_outcome_same(&outcome, &of->outcome) || !same_end(record, of)))
        error = EAGAIN;
    return error;
}
