/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sweep came to: text, JSON (scenarios/sweep.schema.json), JUnit XML. */
#include "report/json_writer.h"
#include "report/xml.h"
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX   64u
#define WORDS_SIZE 64

/* --- rows -----------------------------------------------------------------------------------------------
 */

/* The points of one class; of an SOS, those of one code. */
struct row {
    enum sweep_class class;
    int code;
    size_t count;
    size_t known; /* of these, in the baseline already */
    size_t first; /* index of the first point */
};

struct rows {
    struct row item[ROWS_MAX];
    unsigned count;
};

static struct row *row_of(struct rows *rows, const struct sweep_point *point, size_t index)
{
    for (unsigned i = 0; i < rows->count; i++) {
        if (rows->item[i].class == point->class && rows->item[i].code == point->code)
            return &rows->item[i];
    }
    if (rows->count == ROWS_MAX)
        return &rows->item[ROWS_MAX - 1];
    rows->item[rows->count] = (struct row){.class = point->class, .code = point->code, .first = index};
    return &rows->item[rows->count++];
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    return x->class != y->class ? (int)x->class - (int)y->class : x->code - y->code;
}

static struct rows rows_of(const struct sweep *sweep, const bool *known)
{
    struct rows rows = {.count = 0};
    for (size_t i = 0; i < sweep->point_count; i++) {
        if (!sweep->points[i].done)
            continue;
        struct row *row = row_of(&rows, &sweep->points[i], i);
        row->count++;
        row->known += known && known[i];
    }
    qsort(rows.item, rows.count, sizeof rows.item[0], compare_rows);
    return rows;
}

static char *words_of(const struct row *row, char words[WORDS_SIZE])
{
    if (row->class == SWEEP_SOS)
        snprintf(words, WORDS_SIZE, "SOS %d for ever", row->code);
    else if (row->class == SWEEP_SOS_ONCE)
        snprintf(words, WORDS_SIZE, "SOS %d, then boots", row->code);
    else
        snprintf(words, WORDS_SIZE, "%s", sweep_class_words(row->class));
    return words;
}

/* --- text -----------------------------------------------------------------------------------------------
 */

static double rate(const struct sweep *sweep)
{
    size_t run = sweep->point_count - sweep->resumed;
    return sweep->seconds > 0 ? (double)run / sweep->seconds : 0;
}

int sweep_write_text(struct sweep *sweep, const bool *known, FILE *out)
{
    struct rows rows = rows_of(sweep, known);
    fprintf(out, "%s: %zu points at %zu flash operations\n\n", sweep->name, sweep->point_count, sweep->ops);
    for (unsigned i = 0; i < rows.count; i++) {
        char words[WORDS_SIZE], id[SWEEP_ID_SIZE], what[SWEEP_WHAT_SIZE];
        const struct row *row = &rows.item[i];
        const struct sweep_point *first = &sweep->points[row->first];
        fprintf(out, "%8zu  %-30s first %s: %s", row->count, words_of(row, words),
                sweep_point_id(sweep, first, id), sweep_point_what(sweep, first, what));
        if (known)
            fprintf(out, " (%zu in the baseline)", row->known);
        fprintf(out, "\n");
    }
    fprintf(out, "\n%zu points, %u starts each; %zu starts were run, the others are the same as one of them",
            sweep->point_count, SWEEP_BOOTS, sweep->starts_run);
    if (sweep->starts_joined)
        fprintf(out, "; %zu of those that were run went along with a recorded one", sweep->starts_joined);
    if (sweep->resumed)
        fprintf(out, "; %zu points were known from the results file", sweep->resumed);
    fprintf(out, "\n%.1f s (and %.1f s for the run without a cut), %.0f points a second\n", sweep->seconds,
            sweep->control_seconds, rate(sweep));
    return ferror(out) ? -1 : 0;
}

/* --- JSON -----------------------------------------------------------------------------------------------
 */

static void put_row(struct json_writer *writer, cJSON *list, struct sweep *sweep, const struct row *row,
                    bool baseline)
{
    char id[SWEEP_ID_SIZE], what[SWEEP_WHAT_SIZE];
    const struct sweep_point *first = &sweep->points[row->first];
    cJSON *item = json_append_object(writer, list);
    json_put_text(writer, item, "class", sweep_class_key(row->class));
    json_put_text(writer, item, "words", sweep_class_words(row->class));
    json_put_number(writer, item, "count", (double)row->count);
    if (baseline)
        json_put_number(writer, item, "in_baseline", (double)row->known);
    json_put_text(writer, item, "first", sweep_point_id(sweep, first, id));
    json_put_text(writer, item, "what", sweep_point_what(sweep, first, what));
    if (row->code)
        json_put_number(writer, item, "code", row->code);
}

static void put_point(struct json_writer *writer, cJSON *list, const struct sweep *sweep,
                      const struct sweep_point *point)
{
    char id[SWEEP_ID_SIZE];
    cJSON *item = json_append_object(writer, list);
    json_put_text(writer, item, "id", sweep_point_id(sweep, point, id));
    json_put_text(writer, item, "class", sweep_class_key(point->class));
    if (point->code)
        json_put_number(writer, item, "code", point->code);
}

int sweep_write_json(struct sweep *sweep, const bool *known, FILE *out)
{
    char identity[20];
    struct rows rows = rows_of(sweep, known);
    struct json_writer writer = {.good = true};
    cJSON *root = cJSON_CreateObject();
    snprintf(identity, sizeof identity, "%016" PRIx64, sweep->identity);
    json_put_number(&writer, root, "schema_version", 1);
    json_put_text(&writer, root, "scenario", sweep->name);
    json_put_text(&writer, root, "identity", identity);
    json_put_number(&writer, root, "operations", (double)sweep->ops);
    json_put_number(&writer, root, "starts_each", SWEEP_BOOTS);
    json_put_number(&writer, root, "starts_run", (double)sweep->starts_run);
    json_put_number(&writer, root, "starts_joined", (double)sweep->starts_joined);
    json_put_number(&writer, root, "control_seconds", sweep->control_seconds);
    json_put_number(&writer, root, "seconds", sweep->seconds);
    json_put_number(&writer, root, "points_per_second", rate(sweep));
    cJSON *classes = json_put_array(&writer, root, "classes");
    for (unsigned i = 0; i < rows.count; i++)
        put_row(&writer, classes, sweep, &rows.item[i], known != NULL);
    cJSON *points = json_put_array(&writer, root, "points");
    for (size_t i = 0; i < sweep->point_count; i++)
        put_point(&writer, points, sweep, &sweep->points[i]);
    return json_print(&writer, root, out);
}

/* --- JUnit ----------------------------------------------------------------------------------------------
 */

static void write_case(struct sweep *sweep, const struct row *row, bool fails, FILE *out)
{
    char words[WORDS_SIZE], id[SWEEP_ID_SIZE], what[SWEEP_WHAT_SIZE];
    fprintf(out, "    <testcase");
    xml_attribute(out, "classname", sweep->name);
    xml_attribute(out, "name", words_of(row, words));
    if (fails && row->count > row->known) {
        const struct sweep_point *first = &sweep->points[row->first];
        fprintf(out, "><failure message=\"%zu points, %zu in the baseline, first %s\">", row->count,
                row->known, sweep_point_id(sweep, first, id));
        xml_text(out, sweep_point_what(sweep, first, what));
        fprintf(out, "</failure>");
    } else {
        fprintf(out, "><system-out>%zu points, %zu in the baseline</system-out>", row->count, row->known);
    }
    fprintf(out, "</testcase>\n");
}

int sweep_write_junit(struct sweep *sweep, uint32_t failing, const bool *known, FILE *out)
{
    struct rows rows = rows_of(sweep, known);
    unsigned failures = 0;
    uint32_t there = 0;
    for (unsigned i = 0; i < rows.count; i++) {
        const struct row *row = &rows.item[i];
        failures += failing >> row->class & 1 && row->count > row->known;
        there |= 1u << row->class;
    }
    /* A class that must not come, and does not, is a case that passes. */
    for (unsigned i = 0; i < SWEEP_CLASSES && rows.count < ROWS_MAX; i++) {
        if (failing >> i & 1 && !(there >> i & 1))
            rows.item[rows.count++] = (struct row){.class = (enum sweep_class)i};
    }
    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    /* Names of scenarios, and so ids, are plain words (sweep_name()): nothing to escape. */
    fprintf(out, "  <testsuite name=\"%s\" tests=\"%u\" failures=\"%u\">\n", sweep->name, rows.count,
            failures);
    for (unsigned i = 0; i < rows.count; i++)
        write_case(sweep, &rows.item[i], failing >> rows.item[i].class & 1, out);
    fprintf(out, "  </testsuite>\n</testsuites>\n");
    return ferror(out) ? -1 : 0;
}
