/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The starts that follow a cut: run, or known from an earlier one. */
#include "core/room.h"
#include "scenario/start_check.h"
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- starts that were run -------------------------------------------------------------------------------
 */

static bool agrees(const struct known_start *known, const uint32_t *ids)
{
    for (uint32_t i = 0; i < known->needed.count; i++) {
        if (ids[known->needed.item[i].page] != known->needed.item[i].id)
            return false;
    }
    return true;
}

/* The start that would run just like one from this state, or NULL. It becomes the first to be tried. */
static const struct known_start *find_known(struct sweep_inner *inner, const uint32_t *ids)
{
    for (size_t i = 0; i < inner->known_count; i++) {
        if (!agrees(&inner->known[i], ids))
            continue;
        struct known_start found = inner->known[i];
        memmove(inner->known + 1, inner->known, i * sizeof *inner->known);
        inner->known[0] = found;
        return inner->known;
    }
    for (size_t i = 0; i < inner->joins && i < SWEEP_JOINED; i++) {
        const struct known_start *joined = &inner->joined[(inner->joins - 1 - i) % SWEEP_JOINED];
        if (agrees(joined, ids))
            return joined;
    }
    return NULL;
}

/* The same, of starts that other workers ran too. */
static const struct known_start *find_of_all(struct sweep_inner *inner, const uint32_t *ids)
{
    const struct known_start *known = find_known(inner, ids);
    size_t before = inner->known_count;
    if (known || sweep_share_take(inner) || inner->known_count == before)
        return known;
    return find_known(inner, ids);
}

void known_start_free(struct known_start *start)
{
    free(start->needed.item);
    free(start->changed.item);
    *start = (struct known_start){0};
}

static int copy_list(struct page_list *to, const struct page_list *from)
{
    *to = (struct page_list){.item = malloc((from->count + 1) * sizeof *to->item)};
    if (!to->item)
        return ENOMEM;
    memcpy(to->item, from->item, from->count * sizeof *to->item);
    to->count = from->count;
    return 0;
}

int known_start_copy(struct known_start *to, const struct known_start *from)
{
    *to = (struct known_start){.outcome = from->outcome};
    return copy_list(&to->needed, &from->needed) || copy_list(&to->changed, &from->changed) ? ENOMEM : 0;
}

/* --- the sweep's machine --------------------------------------------------------------------------------
 */

void sweep_note_held(struct sweep_inner *inner, const uint32_t *ids)
{
    size_t size = inner->view.count * sizeof *inner->held;
    if (ids)
        memcpy(inner->held, ids, size);
    else
        memset(inner->held, 0xff, size);
}

void sweep_put_flash(struct sweep_inner *inner, const uint32_t *ids)
{
    for (uint32_t page = 0; page < inner->view.count; page++) {
        uint32_t offset, size;
        if (inner->held[page] == ids[page])
            continue;
        struct nor *nor = flash_view_page(&inner->view, page, &offset, &size);
        const uint8_t *bytes = inner->store.bytes[ids[page]];
        if (memcmp(nor->data + offset, bytes, size) != 0)
            nor_load(nor, offset, bytes, size);
        inner->held[page] = ids[page];
    }
}

int sweep_rewind(struct sweep_inner *inner, const uint32_t *ids)
{
    state_begin_load(&inner->snapshot);
    machine_save(&inner->machine, &inner->snapshot);
    if (inner->snapshot.error)
        return ENOMEM;
    sweep_put_flash(inner, ids);
    flash_counts_put(&inner->view, &inner->counts, &inner->counts, &inner->counts);
    /* What the state puts into RAM before power first comes is gone by now. */
    memset(inner->machine.ram, 0, NRF52840_RAM_SIZE);
    return 0;
}

/* --- running starts -------------------------------------------------------------------------------------
 */

static int make_probe(struct sweep_inner *inner, struct machine *machine, const struct flash_view *view,
                      struct start_check *check, struct boot_probe *probe)
{
    *probe = (struct boot_probe){.machine = machine, .view = view, .store = &inner->store, .ram = RAM_KEPT};
    if (!machine_part(machine, "rgb")) {
        probe->met = start_check_met;
        probe->met_context = check;
    }
    return start_check_begin(check, inner->scenario, machine) ? ENOMEM : 0;
}

int sweep_probe(struct sweep_inner *inner, struct start_check *check, struct boot_probe *probe)
{
    return make_probe(inner, &inner->machine, &inner->view, check, probe);
}

/* A machine of a point alone, put before its first power-on. */
static int rewind_other(struct sweep_inner *inner, struct machine *machine, const struct flash_view *view,
                        struct state *snapshot, const uint32_t *ids)
{
    state_begin_load(snapshot);
    machine_save(machine, snapshot);
    flash_state_put(view, &inner->store, inner->initial, ids);
    memset(machine->ram, 0, NRF52840_RAM_SIZE);
    return snapshot->error;
}

int sweep_start(struct sweep_inner *inner, struct machine *machine, const struct flash_view *view,
                struct state *snapshot, const uint32_t *ids, struct start_extra *extra,
                struct known_start *start)
{
    struct start_check check;
    struct boot_probe probe;
    bool own = machine == &inner->machine;
    *start = (struct known_start){0};
    if (own ? sweep_rewind(inner, ids) : rewind_other(inner, machine, view, snapshot, ids))
        return ENOMEM;
    if (own)
        sweep_note_held(inner, NULL);
    if (extra)
        start_extra_put(extra, view, machine);
    int error = make_probe(inner, machine, view, &check, &probe);
    if (!error)
        error = boot_probe_run(&probe, ids, &start->outcome, &start->needed, &start->changed);
    start_check_end(&check);
    if (extra)
        start_extra_take(extra, view);
    if (error)
        known_start_free(start);
    return error ? ENOMEM : 0;
}

const struct known_start *sweep_add_known(struct sweep_inner *inner, struct known_start *start)
{
    struct known_start *known =
        room_for(inner->known, inner->known_count + 1, &inner->known_room, sizeof *known);
    if (!known)
        return NULL;
    inner->known = known;
    known[inner->known_count] = *start;
    return &known[inner->known_count++];
}

static const struct known_start *run_start(struct sweep *sweep, const uint32_t *ids)
{
    struct sweep_inner *inner = sweep->inner;
    struct known_start start;
    bool joined;
    if (sweep_run_or_join(inner, ids, &start, &joined))
        return NULL;
    sweep->starts_run++;
    sweep->starts_joined += joined;
    if (joined)
        return sweep_keep_joined(inner, &start);
    sweep_share_tell(inner, &start);
    const struct known_start *known = sweep_add_known(inner, &start);
    if (!known)
        known_start_free(&start);
    return known;
}

/* A start that finds more than the content of the flashes. */
static const struct known_start *run_alone(struct sweep *sweep, const struct point_state *state,
                                           struct known_start *own)
{
    struct sweep_inner *inner = sweep->inner;
    if (sweep_start(inner, &inner->machine, &inner->view, &inner->snapshot, state->ids, state->extra, own))
        return NULL;
    sweep->starts_run++;
    return own;
}

/* Takes the pages with unstable cells out of `ids`: their content is not known. */
static void hide_unstable(const struct flash_view *view, const struct start_extra *extra, uint32_t *ids)
{
    for (uint32_t page = 0; page < view->count; page++) {
        uint32_t offset, size;
        const uint8_t *cells = extra->marks[flash_view_place(view, page, &offset, &size)].unstable;
        for (uint32_t n = 0; cells && n < size; n++) {
            if (cells[offset + n])
                ids[page] = PAGE_UNKNOWN;
        }
    }
}

/* Pages that a start erased have no unstable cells any more. */
static void settle_erased(const struct flash_view *view, const struct known_start *known,
                          struct start_extra *extra)
{
    for (uint32_t n = 0; n < known->changed.count; n++) {
        uint32_t offset, size;
        unsigned i = flash_view_place(view, known->changed.item[n].page, &offset, &size);
        if (extra->marks[i].unstable)
            memset(extra->marks[i].unstable + offset, 0, size);
    }
    start_extra_trim(extra, view);
}

/*
 * A start that reads no page with unstable cells before it erases it is the same as one without them: one
 * that is known, or is run now. Returns it, with `extra` as it leaves it; or NULL if there is none.
 */
static const struct known_start *find_unaffected(struct sweep *sweep, struct point_state *state, bool *run)
{
    struct sweep_inner *inner = sweep->inner;
    uint32_t *hidden = malloc(inner->view.count * sizeof *hidden);
    if (!hidden)
        return NULL;
    memcpy(hidden, state->ids, inner->view.count * sizeof *hidden);
    hide_unstable(&inner->view, state->extra, hidden);
    const struct known_start *known = find_of_all(inner, hidden);
    *run = !known;
    if (!known && !sweep_make_known(sweep, state))
        known = run_start(sweep, state->ids);
    if (known && !agrees(known, hidden))
        known = NULL;
    if (known)
        settle_erased(&inner->view, known, state->extra);
    free(hidden);
    return known;
}

int sweep_make_known(struct sweep *sweep, struct point_state *state)
{
    struct sweep_inner *inner = sweep->inner;
    for (uint32_t page = 0; page < inner->view.count; page++) {
        uint32_t offset, size;
        if (state->ids[page] != PAGE_UNKNOWN)
            continue;
        unsigned i = flash_view_place(&inner->view, page, &offset, &size);
        const uint8_t *bytes = page == state->struck ? state->struck_bytes : inner->cells[i] + offset;
        state->ids[page] = page_store_add(&inner->store, bytes, size);
        if (state->ids[page] == PAGE_UNKNOWN)
            return ENOMEM;
        /* The cells keep it for the points that follow. */
        if (page != state->struck)
            inner->ids[page] = state->ids[page];
    }
    return 0;
}

/* Returns whether the state is the same afterwards. */
static bool apply_changes(const struct known_start *known, uint32_t *ids)
{
    bool same = true;
    for (uint32_t i = 0; i < known->changed.count; i++) {
        const struct page_is *is = &known->changed.item[i];
        same &= ids[is->page] == is->id;
        ids[is->page] = is->id;
    }
    return same;
}

int sweep_follow(struct sweep *sweep, struct point_state *state, unsigned boots, struct boot_outcome *last,
                 struct sweep_point *point, unsigned *panics, int *code, FILE *tell)
{
    *panics = 0;
    *code = 0;
    for (unsigned i = 0; i < boots; i++) {
        struct known_start own = {0};
        bool alone = start_extra_counts(state->extra), run = true;
        const struct known_start *known = !alone ? find_of_all(sweep->inner, state->ids)
                                          : start_extra_only_unstable(state->extra)
                                              ? find_unaffected(sweep, state, &run)
                                              : NULL;
        run &= alone || !known;
        if (!known && (sweep_make_known(sweep, state) ||
                       !(known = alone ? run_alone(sweep, state, &own) : run_start(sweep, state->ids))))
            return ENOMEM;
        *last = known->outcome;
        *panics += known->outcome.panics;
        if (known->outcome.code)
            *code = known->outcome.code;
        point->boots++;
        point->runs += run;
        bool same = apply_changes(known, state->ids);
        if (tell)
            fprintf(tell, "start %u: %s%s (%.0f ms of virtual time%s)\n", i + 1, known->outcome.line,
                    known->outcome.end == BOOT_DARK       ? ", and the CPU hangs"
                    : known->outcome.end == BOOT_LAMP_OFF ? ", but the CPU works"
                                                          : "",
                    known->outcome.virtual_ms, same ? "; leaves the flashes as they were" : "");
        known_start_free(&own);
        /* All further starts are the same. */
        if (same && !tell && !start_extra_counts(state->extra)) {
            point->boots = boots;
            break;
        }
    }
    return 0;
}

/* --- one point ------------------------------------------------------------------------------------------
 */

/* The part of an operation that is in the page at `start`. */
static struct flash_op part_of(const struct journal_op *op, uint32_t start, uint32_t size)
{
    struct flash_op part = op->op;
    if (part.size > start + size - part.address)
        part.size = start + size - part.address;
    return part;
}

static void mark(void *context, uint32_t offset, uint8_t bits)
{
    ((uint8_t *)context)[offset] |= bits;
}

/* What is left of the page when power is lost within the operation. Of an operation over several pages the
 * first is torn and the others are as they were. 0 or ENOMEM. */
static int tear_page(const struct sweep_inner *inner, const struct journal_op *op,
                     const struct flash_fault *fault, uint8_t *page, uint32_t start, uint32_t size,
                     struct start_extra *extra)
{
    const struct flash_tear tear = {TEAR_VARIANT, fault->variant, fault->unstable};
    const struct flash_op part = part_of(op, start, size);
    const uint8_t *bytes = part.kind == NOR_ERASE ? NULL : inner->journal.bytes + op->bytes;
    uint8_t *cells = page + (part.address - start);
    uint64_t seed = inner->machine_options.seed;
    if (fault->unstable) {
        uint8_t **unstable = &extra->marks[op->array].unstable;
        if (!(*unstable = calloc(1, inner->view.nor[op->array]->size)))
            return ENOMEM;
        flash_tear_unstable(cells, &part, bytes, &tear, seed, mark, *unstable + part.address);
    }
    flash_tear_as(cells, &part, bytes, &tear, seed);
    return 0;
}

int sweep_one(struct sweep *sweep, struct sweep_point *point, FILE *tell)
{
    struct sweep_inner *inner = sweep->inner;
    if (point->fault.kind > FLASH_CUT_AFTER)
        return sweep_one_struck(sweep, point, tell);
    sweep_cells_at(inner, point->op + (point->fault.kind == FLASH_CUT_AFTER));
    const struct journal_op *op = &inner->journal.ops[point->op];
    uint32_t start, size;
    uint32_t page = inner->view.first[op->array] + op->op.address / inner->view.nor[op->array]->page;
    uint8_t struck[FLASH_PAGE_SIZE];
    flash_view_place(&inner->view, page, &start, &size);
    size_t bytes = inner->view.count * sizeof *inner->ids;
    struct start_extra extra = {0};
    struct point_state before = {.ids = malloc(bytes), .struck = PAGE_UNKNOWN};
    struct point_state after = {
        .ids = malloc(bytes), .struck = PAGE_UNKNOWN, .struck_bytes = struck, .extra = &extra};
    struct boot_outcome last;
    unsigned panics;
    int err = before.ids && after.ids ? sweep_ram_at(inner, point->op, &extra) : ENOMEM;
    if (!err) {
        memcpy(before.ids, inner->ids, bytes);
        if (point->fault.kind == FLASH_TORN) {
            memcpy(struck, inner->cells[op->array] + start, size);
            err = tear_page(inner, op, &point->fault, struck, start, size, &extra);
            after.struck = page;
            before.ids[after.struck] = page_store_find(&inner->store, struck, size);
        }
        memcpy(after.ids, before.ids, bytes);
        point->boots = point->runs = 0;
    }
    if (!err)
        err = sweep_follow(sweep, &after, SWEEP_BOOTS, &last, point, &panics, &point->code, tell);
    if (!err)
        err = sweep_classify(sweep, &before, &after, &last, panics, point, tell);
    point->done = !err;
    start_extra_free(&extra);
    free(before.ids);
    free(after.ids);
    return err;
}
