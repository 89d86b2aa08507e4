/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The points of a sweep, run by several processes: each is a copy of this one (fork), so that what is known
 * already, translated code included, is everyone's. They tell their results through one pipe, in records that
 * are short enough to arrive whole. The results file (sweep_results.c) gets a line for each as it comes.
 */
#include "scenario/sweep_internal.h"
#include "scenario/wall.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK_MOST  256u /* points that stay with one worker */
#define CHUNKS_EACH 16u
#define TRIES_MAX   200u

/* One result on its way to the parent. */
struct record {
    uint64_t point, state;
    uint32_t class, boots, runs, joined, done;
    int32_t code;
};

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
    double start = wall_seconds();
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
        if (file && sweep_results_add(sweep, point, options->results, file, why))
            return -1;
        if (options->progress)
            options->progress(options->progress_context, ++done, sweep->point_count, wall_seconds() - start);
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
    return file ? sweep_results_add(sweep, point, options->results, file, why) : 0;
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
        diag_set(why, "temporary files of the workers: %s", strerror(errno));
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
    if (options->results && !(file = sweep_results_open(sweep, options->results, why)))
        return -1;
    int err = run_jobs(sweep, options, file, why);
    if (file && fclose(file) && !err) {
        diag_set(why, "%s: %s", options->results, strerror(errno));
        err = -1;
    }
    return err;
}
