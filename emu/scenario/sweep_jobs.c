/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The points of a sweep, run by several processes: each is a copy of this one (fork), so that what is known
 * already, translated code included, is everyone's. They tell their results through one pipe, in records that
 * are short enough to arrive whole. The results file gets a line for each as it comes.
 */
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK_MOST  256u /* points that stay with one worker */
#define CHUNKS_EACH 16u
#define TRIES_MAX   200u
#define LINE_SIZE   320
#define FILE_MAGIC  "sosim-sweep 2"

/* One result on its way to the parent. */
struct record {
    uint64_t point, state;
    uint32_t class, boots, runs, joined, done;
    int32_t code;
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- the results file -----------------------------------------------------------------------------------
 */

static int write_head(const struct sweep *sweep, FILE *file)
{
    return fprintf(file, FILE_MAGIC " %016" PRIx64 " %s\n", sweep->identity, sweep->name) < 0 || fflush(file);
}

static int write_line(const struct sweep *sweep, const struct sweep_point *point, FILE *file)
{
    char id[SWEEP_ID_SIZE];
    return fprintf(file, "%s %s %d %u %u %016" PRIx64 "\n", sweep_point_id(sweep, point, id),
                   sweep_class_key(point->class), point->code, point->boots, point->runs, point->state) < 0 ||
           fflush(file);
}

static int class_named(const char *key)
{
    for (int i = 0; i < SWEEP_CLASSES; i++) {
        if (!strcmp(sweep_class_key((enum sweep_class)i), key))
            return i;
    }
    return -1;
}

/* The points by their faults: index + 1, 0 for free. Lines of several workers come in no order. */
struct point_index {
    size_t *table;
    size_t mask;
};

static bool same_fault(const struct flash_fault *a, const struct flash_fault *b)
{
    return a->number == b->number && a->kind == b->kind && a->variant == b->variant &&
           a->unstable == b->unstable && !strcmp(a->array, b->array);
}

/* Where the point with this fault is in the table, or would be. */
static size_t *place_of(const struct sweep *sweep, const struct point_index *index,
                        const struct flash_fault *fault)
{
    uint64_t hash =
        (fault->number << 16 ^ fault->variant << 8 ^ (unsigned)fault->kind << 4 ^ fault->unstable) *
        0x9e3779b97f4a7c15ull;
    size_t at = (size_t)((hash ^ digest_text(fault->array)) >> 20) & index->mask;
    while (index->table[at] && !same_fault(&sweep->points[index->table[at] - 1].fault, fault))
        at = (at + 1) & index->mask;
    return &index->table[at];
}

/* 0 or ENOMEM; the caller frees index->table. */
static int index_points(const struct sweep *sweep, struct point_index *index)
{
    size_t size = 16;
    while (size < 2 * sweep->point_count)
        size *= 2;
    *index = (struct point_index){calloc(size, sizeof *index->table), size - 1};
    for (size_t i = 0; index->table && i < sweep->point_count; i++)
        *place_of(sweep, index, &sweep->points[i].fault) = i + 1;
    return index->table ? 0 : ENOMEM;
}

static int take_line(struct sweep *sweep, const struct point_index *index, const char *path, unsigned number,
                     const char *line, struct diag *why)
{
    char id[SWEEP_ID_SIZE], key[32];
    struct sweep_point is = {0};
    struct diag bad;
    size_t name = strlen(sweep->name);
    if (sscanf(line, "%175s %31s %d %u %u %" SCNx64, id, key, &is.code, &is.boots, &is.runs, &is.state) !=
            6 ||
        class_named(key) < 0 || strncmp(id, sweep->name, name) != 0 || id[name] != ':' ||
        flash_fault_parse(id + name + 1, &is.fault, &bad)) {
        diag_set(why, "%s, line %u: this is no result of %s", path, number, sweep->name);
        return -1;
    }
    size_t at = *place_of(sweep, index, &is.fault);
    is.class = (enum sweep_class)class_named(key);
    if (!at)
        return 0; /* another shard's, or a fault that is not asked for now */
    struct sweep_point *point = &sweep->points[at - 1];
    if (point->done && (point->class != is.class || point->code != is.code || point->state != is.state)) {
        diag_set(why, "%s, line %u: %s is there twice, with different results", path, number, id);
        return -1;
    }
    sweep->resumed += !point->done;
    point->done = true;
    point->class = is.class;
    point->code = is.code;
    point->boots = is.boots;
    point->runs = is.runs;
    point->state = is.state;
    return 0;
}

/* Takes what is in the file. A last line without its end was cut off by a kill: `end` is where it begins. */
static int read_lines(struct sweep *sweep, const struct point_index *index, const char *path, FILE *file,
                      long *end, struct diag *why)
{
    char line[LINE_SIZE], head[LINE_SIZE];
    snprintf(head, sizeof head, FILE_MAGIC " %016" PRIx64 " %s\n", sweep->identity, sweep->name);
    for (unsigned number = 1; *end = ftell(file), fgets(line, sizeof line, file); number++) {
        if (!strchr(line, '\n'))
            return 0;
        /* Files of shards that were put one behind the other have a head each. */
        if (!strncmp(line, FILE_MAGIC, strlen(FILE_MAGIC)) ? strcmp(line, head) != 0 : number == 1) {
            diag_set(why, "%s, line %u: these are results of another scenario, version or build", path,
                     number);
            return -1;
        }
        if (strncmp(line, FILE_MAGIC, strlen(FILE_MAGIC)) != 0 &&
            take_line(sweep, index, path, number, line, why))
            return -1;
    }
    return 0;
}

static int read_results(struct sweep *sweep, const char *path, FILE *file, long *end, struct diag *why)
{
    struct point_index index;
    int err = -1;
    if (index_points(sweep, &index))
        diag_set(why, "out of memory");
    else
        err = read_lines(sweep, &index, path, file, end, why);
    free(index.table);
    return err;
}

static int open_results(struct sweep *sweep, const char *path, FILE **file, struct diag *why)
{
    long end = 0;
    *file = fopen(path, "r+");
    if (*file && read_results(sweep, path, *file, &end, why))
        return -1;
    if (!*file && errno == ENOENT)
        *file = fopen(path, "w");
    if (!*file || fflush(*file) || fseek(*file, end, SEEK_SET) || ftruncate(fileno(*file), end) ||
        (!end && write_head(sweep, *file))) {
        diag_set(why, "%s: %s", path, strerror(errno));
        return -1;
    }
    return 0;
}

int sweep_compare(const struct sweep *sweep, const char *path, bool **known, struct diag *why)
{
    struct sweep then = *sweep;
    long end;
    FILE *file = fopen(path, "r");
    *known = calloc(sweep->point_count, sizeof **known);
    then.points = malloc(sweep->point_count * sizeof *then.points);
    int err = -1;
    if (!file) {
        diag_set(why, "%s: %s", path, strerror(errno));
    } else if (!*known || !then.points) {
        diag_set(why, "out of memory");
    } else {
        memcpy(then.points, sweep->points, sweep->point_count * sizeof *then.points);
        for (size_t i = 0; i < then.point_count; i++)
            then.points[i].done = false;
        err = read_results(&then, path, file, &end, why);
        for (size_t i = 0; i < then.point_count && !err; i++)
            (*known)[i] = then.points[i].done && then.points[i].class == sweep->points[i].class;
    }
    free(then.points);
    if (file)
        fclose(file);
    return err;
}

/* --- a worker -------------------------------------------------------------------------------------------
 */

static int send_record(int fd, const struct record *record)
{
    ssize_t n;
    while ((n = write(fd, record, sizeof *record)) < 0 && errno == EINTR)
        continue;
    return n == (ssize_t)sizeof *record ? 0 : -1;
}

/* Points that are alike lie side by side, so they are taken in chunks; small ones where there are few. */
static size_t chunk_of(const struct sweep *sweep, unsigned jobs)
{
    size_t size = sweep->point_count / ((size_t)jobs * CHUNKS_EACH) + 1;
    return size < CHUNK_MOST ? size : CHUNK_MOST;
}

static int work_on(struct sweep *sweep, bool plain, size_t index, int fd)
{
    struct sweep_point *point = &sweep->points[index];
    size_t joined = sweep->starts_joined;
    if (sweep_throw_out_pages(sweep->inner))
        return 1;
    int err = plain ? sweep_one_plain(sweep, point) : sweep_one(sweep, point, NULL);
    const struct record record = {.point = index,
                                  .state = point->state,
                                  .class = (uint32_t)point->class,
                                  .boots = point->boots,
                                  .runs = point->runs,
                                  .joined = (uint32_t)(sweep->starts_joined - joined),
                                  .done = !err,
                                  .code = point->code};
    return send_record(fd, &record) || err;
}

static int work(struct sweep *sweep, struct sweep_share *share, bool plain, unsigned jobs, int fd)
{
    size_t size = chunk_of(sweep, jobs);
    sweep->inner->share = jobs > 1 ? share : NULL;
    for (size_t from; (from = size * sweep_share_next(share)) < sweep->point_count;) {
        for (size_t i = from; i < from + size && i < sweep->point_count; i++) {
            if (sweep->points[i].done)
                continue;
            sweep_share_at(share, i);
            if (work_on(sweep, plain, i, fd))
                return 1;
        }
    }
    return 0;
}

/* --- the parent -----------------------------------------------------------------------------------------
 */

static int take_records(struct sweep *sweep, const struct sweep_options *options, int fd, FILE *file,
                        struct diag *why)
{
    double start = seconds();
    size_t done = 0;
    struct record record;
    for (size_t i = 0; i < sweep->point_count; i++)
        done += sweep->points[i].done;
    for (;;) {
        ssize_t n = read(fd, &record, sizeof record);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != (ssize_t)sizeof record)
            return 0;
        if (record.point >= sweep->point_count || record.class >= SWEEP_CLASSES || !record.done)
            continue;
        struct sweep_point *point = &sweep->points[record.point];
        point->done = true;
        point->class = (enum sweep_class)record.class;
        point->code = record.code;
        point->boots = record.boots;
        point->runs = record.runs;
        point->state = record.state;
        sweep->starts_run += record.runs;
        sweep->starts_joined += record.joined;
        if (file && write_line(sweep, point, file)) {
            diag_set(why, "%s: %s; what is there already stays good", options->results, strerror(errno));
            return -1;
        }
        if (options->progress)
            options->progress(options->progress_context, ++done, sweep->point_count, seconds() - start);
    }
}

static int start_jobs(struct sweep *sweep, struct sweep_share *share, bool plain, unsigned jobs,
                      int pipe_ends[2], pid_t *pids)
{
    for (unsigned job = 0; job < jobs; job++) {
        fflush(NULL);
        pids[job] = fork();
        if (pids[job] < 0)
            return -1;
        if (!pids[job]) {
            close(pipe_ends[0]);
            share->job = job;
            _exit(work(sweep, share, plain, jobs, pipe_ends[1]));
        }
    }
    return 0;
}

/* Waits for the workers. Returns how many ended before their time; `ended` gets which. */
static unsigned wait_for_jobs(const pid_t *pids, unsigned jobs, bool stop, bool *ended)
{
    unsigned count = 0;
    for (unsigned job = 0; job < jobs; job++) {
        int status = 0;
        ended[job] = false;
        if (pids[job] <= 0)
            continue;
        if (stop)
            kill(pids[job], SIGTERM);
        while (waitpid(pids[job], &status, 0) < 0 && errno == EINTR)
            continue;
        ended[job] = status != 0;
        count += ended[job];
    }
    return count;
}

/* A worker ended before its time: what becomes of the point that it was at. */
static int judge_end(struct sweep *sweep, const struct sweep_options *options, size_t index, FILE *file,
                     struct diag *why)
{
    struct sweep_point *point = index < sweep->point_count ? &sweep->points[index] : NULL;
    if (!point || point->done)
        return 0;
    /* It may have been what the worker did before: a fresh one tries again. */
    if (!point->tried) {
        point->tried = true;
        return 0;
    }
    point->done = true;
    point->class = SWEEP_EMULATOR;
    if (!file || !write_line(sweep, point, file))
        return 0;
    diag_set(why, "%s: %s; what is there already stays good", options->results, strerror(errno));
    return -1;
}

/* Starts the workers once; `left` gets how many ended before their time. */
static int run_workers(struct sweep *sweep, const struct sweep_options *options, struct sweep_share *share,
                       unsigned jobs, FILE *file, unsigned *left, struct diag *why)
{
    pid_t pids[SWEEP_JOBS_MAX] = {0};
    bool ended[SWEEP_JOBS_MAX];
    int ends[2];
    if (pipe(ends)) {
        diag_set(why, "cannot start workers: %s", strerror(errno));
        return -1;
    }
    int err = start_jobs(sweep, share, options->plain, jobs, ends, pids);
    if (err)
        diag_set(why, "cannot start workers: %s", strerror(errno));
    close(ends[1]);
    if (!err)
        err = take_records(sweep, options, ends[0], file, why);
    close(ends[0]);
    *left = wait_for_jobs(pids, jobs, err != 0, ended);
    for (unsigned job = 0; job < jobs && !err; job++) {
        if (ended[job])
            err = judge_end(sweep, options, sweep_share_where(share, job), file, why);
    }
    return err;
}

static int run_once(struct sweep *sweep, const struct sweep_options *options, unsigned jobs, FILE *file,
                    unsigned *left, struct diag *why)
{
    struct sweep_share share;
    int err = sweep_share_open(&share, sweep->inner->store.count);
    if (err)
        diag_set(why, "cannot start workers: %s", strerror(errno));
    else
        err = run_workers(sweep, options, &share, jobs, file, left, why);
    sweep_share_close(&share);
    return err;
}

/* A point that ends the emulator twice is a result like any other, and the rest goes on without it. */
static int run_jobs(struct sweep *sweep, const struct sweep_options *options, FILE *file, struct diag *why)
{
    unsigned jobs = options->jobs < 1 ? 1 : options->jobs > SWEEP_JOBS_MAX ? SWEEP_JOBS_MAX : options->jobs;
    for (unsigned left = 1, tries = 0; left; tries++) {
        if (tries == TRIES_MAX) {
            diag_set(why, "the emulator ended before its time at %u points", TRIES_MAX);
            return -1;
        }
        if (run_once(sweep, options, jobs, file, &left, why))
            return -1;
    }
    return 0;
}

int sweep_run_points(struct sweep *sweep, const struct sweep_options *options, struct diag *why)
{
    FILE *file = NULL;
    if (options->results && open_results(sweep, options->results, &file, why)) {
        if (file)
            fclose(file);
        return -1;
    }
    int err = run_jobs(sweep, options, file, why);
    if (file && fclose(file) && !err) {
        diag_set(why, "%s: %s", options->results, strerror(errno));
        err = -1;
    }
    return err;
}
