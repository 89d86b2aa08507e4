/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/sweep.h"

#include "core/room.h"
#include "scenario/sweep_internal.h"
#include "scenario/wall.h"

#include <stdlib.h>
#include <string.h>

#define QUICK_EACH 97u /* with --quick: one in so many of a run of programs, beside its first and last */

/* --- which points ---------------------------------------------------------------------------------------
 */

/* True if the operation goes on where the one before it on the array ended, in the same page. */
static bool continues(const struct sweep_inner *inner, size_t op, int step)
{
    const struct journal *journal = &inner->journal;
    size_t other = op + (size_t)step;
    if (other >= journal->count)
        return false;
    const struct journal_op *a = &journal->ops[op], *b = &journal->ops[other];
    uint32_t page = inner->view.nor[a->array]->page;
    return a->array == b->array && a->op.kind == NOR_PROGRAM && b->op.kind == NOR_PROGRAM &&
           a->op.address / page == b->op.address / page;
}

/* With --quick: erases, the first and the last program of a page, and a few between. */
static bool is_telling(const struct sweep_inner *inner, size_t op)
{
    return !continues(inner, op, -1) || !continues(inner, op, 1) || op % QUICK_EACH == 0;
}

static int add_point(struct sweep *sweep, size_t *room, size_t op, struct flash_fault fault)
{
    const struct journal_op *of = &sweep->inner->journal.ops[op];
    struct sweep_point *points = room_for(sweep->points, sweep->point_count + 1, room, sizeof *points);
    if (!points)
        return -1;
    sweep->points = points;
    fault.array = of->op.array;
    fault.number = of->op.number;
    sweep->points[sweep->point_count++] = (struct sweep_point){.op = op, .fault = fault};
    return 0;
}

static int add_points_of(struct sweep *sweep, const struct sweep_options *options, size_t *room, size_t op)
{
    if (options->before && add_point(sweep, room, op, (struct flash_fault){.kind = FLASH_CUT_BEFORE}))
        return -1;
    for (unsigned i = 1; i <= options->torn; i++) {
        if (add_point(sweep, room, op, (struct flash_fault){.kind = FLASH_TORN, .variant = i}))
            return -1;
    }
    for (unsigned i = 1; i <= options->torn_unstable; i++) {
        const struct flash_fault torn = {.kind = FLASH_TORN, .variant = i, .unstable = true};
        if (add_point(sweep, room, op, torn))
            return -1;
    }
    return options->after ? add_point(sweep, room, op, (struct flash_fault){.kind = FLASH_CUT_AFTER}) : 0;
}

/* Points whose fault leaves power on. */
static int add_struck_of(struct sweep *sweep, const struct sweep_options *options, size_t *room, size_t op)
{
    static const enum flash_fault_kind kinds[] = {FLASH_DROPPED, FLASH_DOUBLED, FLASH_WORN, FLASH_UNSTABLE};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool has_cells = kinds[i] == FLASH_WORN || kinds[i] == FLASH_UNSTABLE;
        unsigned wanted = options->struck[kinds[i]];
        const struct flash_fault fault = {.kind = kinds[i], .variant = has_cells ? wanted : 0};
        if (wanted && add_point(sweep, room, op, fault))
            return -1;
    }
    for (unsigned i = 1; i <= options->struck[FLASH_DISTURBED]; i++) {
        if (add_point(sweep, room, op, (struct flash_fault){.kind = FLASH_DISTURBED, .variant = i}))
            return -1;
    }
    return 0;
}

/* True if the operation may have points at all. */
static bool is_eligible(const struct sweep *sweep, const struct sweep_options *options, size_t op)
{
    const struct journal_op *of = &sweep->inner->journal.ops[op];
    return !of->op.cut && sweep_in_window(options, of) && (!options->quick || is_telling(sweep->inner, op));
}

/* True for SWEEP_STRUCK of `all` operations at most, spread evenly; for all of them where a sample is taken.
 */
static bool is_struck(const struct sweep_options *options, size_t nth, size_t all)
{
    return options->sample || all <= SWEEP_STRUCK ||
           nth * SWEEP_STRUCK / all != (nth + 1) * SWEEP_STRUCK / all;
}

/* Keeps so many of the points, each as likely as any other; the same ones for the same seed. */
static void choose_sample(struct sweep *sweep, const struct sweep_options *options)
{
    uint64_t stream = sweep->inner->machine_options.seed ^ 0x73616d706c65ull;
    size_t kept = 0;
    for (size_t i = 0; i < sweep->point_count && kept < options->sample; i++) {
        if (random_next(&stream) % (sweep->point_count - i) < options->sample - kept)
            sweep->points[kept++] = sweep->points[i];
    }
    sweep->point_count = kept;
}

/* Keeps those of this shard. Shards take runs of operations, so that starts which are alike stay together;
 * all of them choose the same sample before, so that they make a whole. */
static void choose_shard(struct sweep *sweep, const struct sweep_options *options)
{
    size_t nth = 0, kept = 0, at = 0;
    for (size_t op = 0; op < sweep->inner->journal.count; op++) {
        bool mine = nth / SWEEP_CHUNK % options->shards == options->shard - 1;
        nth += is_eligible(sweep, options, op);
        for (; at < sweep->point_count && sweep->points[at].op == op; at++) {
            if (mine)
                sweep->points[kept++] = sweep->points[at];
        }
    }
    sweep->point_count = kept;
}

static int choose_points(struct sweep *sweep, const struct sweep_options *options, struct diag *why)
{
    const struct sweep_inner *inner = sweep->inner;
    size_t room = 0, nth = 0, all = 0;
    for (size_t op = 0; op < inner->journal.count; op++)
        all += is_eligible(sweep, options, op);
    for (size_t op = 0; op < inner->journal.count; op++) {
        if (!is_eligible(sweep, options, op))
            continue;
        if (add_points_of(sweep, options, &room, op) ||
            (is_struck(options, nth++, all) && add_struck_of(sweep, options, &room, op))) {
            diag_set(why, "out of memory");
            return -1;
        }
    }
    if (options->sample)
        choose_sample(sweep, options);
    if (options->shards > 1)
        choose_shard(sweep, options);
    if (sweep->point_count)
        return 0;
    if (!inner->journal.count)
        diag_set(why, "the scenario has no flash operations");
    else
        diag_set(why,
                 "none of the scenario's %zu flash operations (0 ms to %.0f ms) is in the window or shard",
                 inner->journal.count, inner->journal.ops[inner->journal.count - 1].ms);
    return -1;
}

/* --- the sweep ------------------------------------------------------------------------------------------
 */

/* Settings and files may be as before the control run, as after it, or as after more starts. */
static int allow(struct sweep *sweep)
{
    struct sweep_inner *inner = sweep->inner;
    size_t size = inner->view.count * sizeof *inner->ids;
    struct point_state state = {.ids = malloc(size), .struck = PAGE_UNKNOWN};
    struct sweep_point point = {0};
    struct boot_outcome last;
    unsigned panics;
    int code;
    int err = !state.ids || sweep_allow_data(inner, inner->initial) || sweep_allow_data(inner, inner->final);
    for (unsigned i = 0; i < 2 && !err; i++) {
        memcpy(state.ids, i ? inner->initial : inner->final, size);
        err = sweep_follow(sweep, &state, SWEEP_BOOTS, &last, &point, &panics, &code, NULL) ||
              sweep_allow_data(inner, state.ids);
    }
    free(state.ids);
    return err;
}

static int prepare(const struct scenario *scenario, const struct sweep_options *options, const char *name,
                   struct sweep *sweep, struct diag *why)
{
    memset(sweep, 0, sizeof *sweep);
    snprintf(sweep->name, sizeof sweep->name, "%s", name);
    double start = wall_seconds();
    if (!(sweep->inner = calloc(1, sizeof *sweep->inner))) {
        diag_set(why, "out of memory");
        return -1;
    }
    sweep->inner->scenario = scenario;
    if (sweep_control(sweep, options, why))
        return -1;
    if (allow(sweep)) {
        diag_set(why, "out of memory");
        return -1;
    }
    sweep->control_seconds = wall_seconds() - start;
    return 0;
}

static void count(struct sweep *sweep)
{
    for (unsigned i = 0; i < SWEEP_CLASSES; i++)
        sweep->tally[i] = (struct sweep_tally){0, SIZE_MAX};
    for (size_t i = 0; i < sweep->point_count; i++) {
        struct sweep_tally *tally = &sweep->tally[sweep->points[i].class];
        if (!sweep->points[i].done)
            continue;
        tally->count++;
        tally->first = tally->first == SIZE_MAX ? i : tally->first;
    }
}

int sweep_name(const struct scenario *scenario, const char *version, char *name, size_t size,
               struct diag *why)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = strlen(scenario->name);
    if (!length || strspn(scenario->name, plain) != length || length > 80) {
        diag_set(why,
                 "\"%s\" cannot be the first part of a point's id: letters, digits, '-', '_' and '.' only",
                 scenario->name);
        return -1;
    }
    snprintf(name, size, "%s%s%.32s", scenario->name, version ? "@" : "", version ? version : "");
    return 0;
}

int sweep_run(const struct scenario *scenario, const struct sweep_options *options, const char *name,
              struct sweep *sweep, struct diag *why)
{
    if (prepare(scenario, options, name, sweep, why) || choose_points(sweep, options, why))
        return -1;
    if (options->baseline && sweep_compare(sweep, options->baseline, NULL, why))
        return -1;
    double start = wall_seconds();
    if (sweep_run_points(sweep, options, why))
        return -1;
    sweep->seconds = wall_seconds() - start;
    count(sweep);
    return 0;
}

int sweep_replay(const struct scenario *scenario, const struct sweep_options *options, const char *name,
                 const struct flash_fault *fault, struct sweep_point *point, FILE *out, struct diag *why)
{
    struct sweep sweep;
    int err = prepare(scenario, options, name, &sweep, why);
    size_t op = 0;
    if (!err) {
        const struct journal *journal = &sweep.inner->journal;
        while (op < journal->count && (journal->ops[op].op.number != fault->number ||
                                       strcmp(journal->ops[op].op.array, fault->array) != 0))
            op++;
        if (op == journal->count) {
            diag_set(why, "the scenario has no operation %s:%llu; another version of it may have",
                     flash_array_short(fault->array), (unsigned long long)fault->number);
            err = -1;
        }
    }
    if (!err) {
        char what[SWEEP_WHAT_SIZE];
        *point = (struct sweep_point){.op = op, .fault = *fault};
        fprintf(out, "%s at %.3f ms: %s\n", fault->kind > FLASH_CUT_AFTER ? "struck" : "power lost",
                sweep.inner->journal.ops[op].ms, sweep_point_what(&sweep, point, what));
        if (sweep_one(&sweep, point, out)) {
            diag_set(why, "out of memory");
            err = -1;
        }
    }
    sweep_free(&sweep);
    return err;
}

void sweep_free(struct sweep *sweep)
{
    struct sweep_inner *inner = sweep->inner;
    free(sweep->points);
    if (inner) {
        for (size_t i = 0; i < inner->known_count; i++)
            known_start_free(&inner->known[i]);
        free(inner->known);
        sweep_joins_free(inner);
        for (unsigned i = 0; i < inner->allowed_count; i++)
            data_view_free(&inner->allowed[i]);
        for (unsigned i = 0; i < FLASH_ARRAYS_MAX; i++)
            free(inner->cells[i]);
        free(inner->journal.ops);
        free(inner->journal.bytes);
        sweep_ram_free(inner);
        free(inner->initial);
        free(inner->final);
        free(inner->ids);
        free(inner->held);
        page_store_free(&inner->store);
        state_free(&inner->snapshot);
        state_free(&inner->bare);
        if (inner->has_machine)
            machine_destroy(&inner->machine);
        if (inner->has_board)
            board_free(&inner->board);
    }
    free(inner);
    memset(sweep, 0, sizeof *sweep);
}
