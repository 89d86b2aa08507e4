/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results file of a sweep: a head that says of which sweep it is, and a line for each point. What is
 * there is only added to, but for the beginning of a line that a kill, or a full disk, cut short.
 */
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE  320
#define KEY_SIZE   32
#define FILE_MAGIC "sosim-sweep 2"

static void make_head(const struct sweep *sweep, char line[LINE_SIZE])
{
    snprintf(line, LINE_SIZE, FILE_MAGIC " %016" PRIx64 " %s\n", sweep->identity, sweep->name);
}

static void make_line(const struct sweep *sweep, const struct sweep_point *point, char line[LINE_SIZE])
{
    char id[SWEEP_ID_SIZE];
    snprintf(line, LINE_SIZE, "%s %s %d %u %u %016" PRIx64 "\n", sweep_point_id(sweep, point, id),
             sweep_class_key(point->class), point->code, point->boots, point->runs, point->state);
}

static int class_named(const char *key)
{
    for (int i = 0; i < SWEEP_CLASSES; i++) {
        if (!strcmp(sweep_class_key((enum sweep_class)i), key))
            return i;
    }
    return -1;
}

/* --- which point a line is of ---------------------------------------------------------------------------
 */

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

/* --- reading --------------------------------------------------------------------------------------------
 */

struct results_reader {
    struct sweep *sweep;
    const char *path;
    FILE *file;
    struct point_index index;
    char head[LINE_SIZE], line[LINE_SIZE];
    unsigned number;     /* of the line */
    bool whole, nothing; /* the line ends as it should; the file does, before it */
    long end;            /* of what is good in the file */
    struct diag *why;
};

static int refuse(const struct results_reader *reader, const char *text)
{
    diag_set(reader->why, "%s, line %u: %s", reader->path, reader->number, text);
    return -1;
}

/* Reads a line into a point: true if it is just as it would be written. */
static bool parse_line(const struct results_reader *reader, struct sweep_point *is)
{
    _Static_assert(SWEEP_ID_SIZE == 176 && KEY_SIZE == 32, "the format below has these widths");
    char id[SWEEP_ID_SIZE], key[KEY_SIZE], again[LINE_SIZE];
    struct diag why;
    size_t name = strlen(reader->sweep->name);
    *is = (struct sweep_point){0};
    if (sscanf(reader->line, "%175s %31s %9d %9u %9u %16" SCNx64, id, key, &is->code, &is->boots, &is->runs,
               &is->state) != 6 ||
        class_named(key) < 0 || strncmp(id, reader->sweep->name, name) != 0 || id[name] != ':' ||
        flash_fault_parse(id + name + 1, &is->fault, &why))
        return false;
    is->class = (enum sweep_class)class_named(key);
    make_line(reader->sweep, is, again);
    return !strcmp(reader->line, again);
}

static int take_line(const struct results_reader *reader)
{
    struct sweep_point is;
    if (!reader->whole || !parse_line(reader, &is))
        return refuse(reader, "this is no result of this sweep");
    size_t at = *place_of(reader->sweep, &reader->index, &is.fault);
    if (!at)
        return 0; /* another shard's, or a fault that is not asked for now */
    struct sweep_point *point = &reader->sweep->points[at - 1];
    if (point->done && (point->class != is.class || point->code != is.code || point->state != is.state))
        return refuse(reader, "this point is there twice, with different results");
    reader->sweep->resumed += !point->done;
    point->done = true;
    point->class = is.class;
    point->code = is.code;
    point->boots = is.boots;
    point->runs = is.runs;
    point->state = is.state;
    return 0;
}

/* Files of shards that were put one behind the other have a head each. */
static int take_head(const struct results_reader *reader)
{
    if (strncmp(reader->line, FILE_MAGIC " ", strlen(FILE_MAGIC " ")) != 0)
        return refuse(reader, "this is no results file of a sweep");
    return strcmp(reader->line, reader->head) != 0
               ? refuse(reader, "these are results of another scenario, version or build")
               : 0;
}

/* The next line. 0 or -1. */
static int next_line(struct results_reader *reader)
{
    reader->end = ftell(reader->file);
    reader->number++;
    reader->nothing = !fgets(reader->line, sizeof reader->line, reader->file);
    if (ferror(reader->file) || reader->end < 0)
        return refuse(reader, strerror(errno));
    size_t length = reader->nothing ? 0 : strlen(reader->line);
    reader->whole = length && reader->line[length - 1] == '\n';
    /* The last line may be the beginning of one: then a kill cut it off. The head's must be the head's, or
     * the file is something else, and not ours to write to. */
    if (!reader->whole && feof(reader->file) && ftell(reader->file) - reader->end == (long)length)
        reader->nothing = reader->number > 1 || !strncmp(reader->line, reader->head, length);
    return 0;
}

static int read_lines(struct results_reader *reader)
{
    for (;;) {
        if (next_line(reader))
            return -1;
        if (reader->nothing)
            return 0;
        bool head = reader->number == 1 || !strncmp(reader->line, FILE_MAGIC, strlen(FILE_MAGIC));
        if (head ? take_head(reader) : take_line(reader))
            return -1;
    }
}

/* Takes what is in the file; `end` gets where what is good there ends. */
static int read_results(struct sweep *sweep, const char *path, FILE *file, long *end, struct diag *why)
{
    struct results_reader reader = {.sweep = sweep, .path = path, .file = file, .why = why};
    int err = -1;
    make_head(sweep, reader.head);
    if (index_points(sweep, &reader.index))
        diag_set(why, "out of memory");
    else
        err = read_lines(&reader);
    free(reader.index.table);
    *end = reader.end;
    return err;
}

/* --- writing --------------------------------------------------------------------------------------------
 */

static int put(FILE *file, const char *line)
{
    return fputs(line, file) < 0 || fflush(file) ? -1 : 0;
}

/* Two sweeps that wrote to one file would write over each other. 0, or -1 (errno). */
static int lock(FILE *file)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (!fcntl(fileno(file), F_SETLK, &whole))
        return 0;
    /* Some file systems have no locks. */
    return errno == EACCES || errno == EAGAIN ? -1 : 0;
}

/* Makes an open file ready to be added to. */
static int prepare(struct sweep *sweep, const char *path, FILE *file, struct diag *why)
{
    char head[LINE_SIZE];
    long end;
    if (lock(file)) {
        diag_set(why, "%s: another sweep is writing to it", path);
        return -1;
    }
    if (read_results(sweep, path, file, &end, why))
        return -1;
    make_head(sweep, head);
    if (fseek(file, end, SEEK_SET) || ftruncate(fileno(file), end) || (!end && put(file, head))) {
        diag_set(why, "%s: %s", path, strerror(errno));
        return -1;
    }
    return 0;
}

FILE *sweep_results_open(struct sweep *sweep, const char *path, struct diag *why)
{
    int fd = open(path, O_RDWR | O_CREAT, 0666);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r+");
    if (!file) {
        diag_set(why, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (!prepare(sweep, path, file, why))
        return file;
    fclose(file);
    return NULL;
}

int sweep_results_add(const struct sweep *sweep, const struct sweep_point *point, const char *path,
                      FILE *file, struct diag *why)
{
    char line[LINE_SIZE];
    make_line(sweep, point, line);
    if (!put(file, line))
        return 0;
    diag_set(why, "%s: %s; what is there already stays good", path, strerror(errno));
    return -1;
}

/* --- comparing ------------------------------------------------------------------------------------------
 */

int sweep_compare(const struct sweep *sweep, const char *path, bool **known, struct diag *why)
{
    struct sweep then = *sweep;
    long end;
    FILE *file = fopen(path, "r");
    bool *same = calloc(sweep->point_count + 1, sizeof *same);
    then.points = calloc(sweep->point_count + 1, sizeof *then.points);
    int err = -1;
    if (!file) {
        diag_set(why, "%s: %s", path, strerror(errno));
    } else if (!same || !then.points) {
        diag_set(why, "out of memory");
    } else {
        memcpy(then.points, sweep->points, sweep->point_count * sizeof *then.points);
        for (size_t i = 0; i < then.point_count; i++)
            then.points[i].done = false;
        err = read_results(&then, path, file, &end, why);
        for (size_t i = 0; i < then.point_count && !err; i++)
            same[i] = then.points[i].done && then.points[i].class == sweep->points[i].class;
    }
    free(then.points);
    if (file)
        fclose(file);
    if (known)
        *known = err ? NULL : same;
    if (err || !known)
        free(same);
    return err;
}
