/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sweep came to: text, JSON (scenarios/sweep.schema.json), JUnit XML. */
#include "image/bytes.h"
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MBR_PARAMETERS 0x18u /* UICR.NRFFW[1] */

/* --- what was being written -----------------------------------------------------------------------------
 */

char *sweep_point_id(const struct sweep *sweep, const struct sweep_point *point, char id[SWEEP_ID_SIZE])
{
    char fault[FLASH_FAULT_ID_SIZE];
    snprintf(id, SWEEP_ID_SIZE, "%s:%s", sweep->name, flash_fault_id(&point->fault, fault));
    return id;
}

/* Owner of a block of the file system in the given cells; false if it has none there. */
static bool block_owner(uint8_t *cells, size_t size, uint32_t block, char *text, size_t text_size)
{
    struct lfs_image image;
    struct lfs_fs fs;
    struct lfs_scan scan;
    if (lfs_image_init(&image, cells, size, LFS_BLOCK_COUNT, NULL) || lfs_image_mount(&image, &fs, NULL) ||
        lfs_scan(&fs, &scan, NULL))
        return false;
    bool owned = block < scan.block_count && scan.owners[block].kind != LFS_OWNER_NONE;
    lfs_block_owner(&scan, block, text, text_size);
    lfs_scan_free(&scan);
    return owned;
}

/* A free block is named by what it becomes. */
static void tell_external(struct sweep_inner *inner, const struct journal_op *op, size_t index, char *text,
                          size_t size)
{
    uint32_t block = op->op.address / LFS_BLOCK_SIZE;
    size_t cells_size = inner->view.nor[op->array]->size;
    char owner[96];
    *text = '\0';
    if (block >= LFS_BLOCK_COUNT) {
        snprintf(text, size, "outside the file system");
        return;
    }
    if (block_owner(inner->cells[op->array], cells_size, block, owner, sizeof owner)) {
        snprintf(text, size, "%s", owner);
        return;
    }
    /* It gets its meaning by a later write to a directory: look at each of the next few operations. */
    for (size_t next = index + 1; next <= inner->journal.count; next++) {
        bool last = next == inner->journal.count;
        if (!last &&
            (inner->journal.ops[next].array != op->array || inner->journal.ops[next].op.kind == NOR_PROGRAM))
            continue;
        sweep_cells_at(inner, next);
        if (block_owner(inner->cells[op->array], cells_size, block, owner, sizeof owner)) {
            snprintf(text, size, "%s, to be", owner);
            return;
        }
    }
    snprintf(text, size, "a free block");
}

static void tell_internal(const struct sweep_inner *inner, uint32_t address, char *text, size_t size)
{
    int uicr = flash_view_array(&inner->view, "uicr");
    if (uicr >= 0 && read_le32(inner->cells[uicr] + MBR_PARAMETERS) == (address & ~(FLASH_PAGE_SIZE - 1))) {
        snprintf(text, size, "parameter page of the MBR");
        return;
    }
    for (size_t i = 0; i < inner->board.images.slot_count; i++) {
        const struct board_slot *slot = &inner->board.images.slots[i];
        if (address - slot->address < slot->size) {
            snprintf(text, size, "module %s + 0x%x", slot->name, address - slot->address);
            return;
        }
    }
    snprintf(text, size, address < 0x1000 ? "MBR" : "no module");
}

char *sweep_point_what(struct sweep *sweep, const struct sweep_point *point, char text[SWEEP_WHAT_SIZE])
{
    struct sweep_inner *inner = sweep->inner;
    const struct journal_op *op = &inner->journal.ops[point->op];
    char place[120] = "";
    sweep_cells_at(inner, point->op);
    if (!strcmp(op->op.array, "external"))
        tell_external(inner, op, point->op, place, sizeof place);
    else if (!strcmp(op->op.array, "internal"))
        tell_internal(inner, op->op.address, place, sizeof place);
    snprintf(text, SWEEP_WHAT_SIZE, "%s %s of %s 0x%06x+%u%s%s", flash_fault_kind_name(point->fault.kind),
             op->op.kind == NOR_ERASE ? "erase" : "program", op->op.array, op->op.address, op->op.size,
             *place ? ", " : "", place);
    return text;
}

/* --- text -----------------------------------------------------------------------------------------------
 */

static double rate(const struct sweep *sweep)
{
    size_t run = sweep->point_count - sweep->resumed;
    return sweep->seconds > 0 ? (double)run / sweep->seconds : 0;
}

/* Shown behind the class: "10" of "SOS 10 for ever". */
static void words_of(const struct sweep *sweep, enum sweep_class class, char *words, size_t size)
{
    const struct sweep_point *first = &sweep->points[sweep->tally[class].first];
    if (class == SWEEP_SOS)
        snprintf(words, size, "SOS %d for ever", first->code);
    else if (class == SWEEP_SOS_ONCE)
        snprintf(words, size, "SOS %d, then boots", first->code);
    else
        snprintf(words, size, "%s", sweep_class_words(class));
}

int sweep_write_text(struct sweep *sweep, FILE *out)
{
    fprintf(out, "%s: %zu points at %zu flash operations\n\n", sweep->name, sweep->point_count, sweep->ops);
    for (int i = 0; i < SWEEP_CLASSES; i++) {
        char words[64], id[SWEEP_ID_SIZE], what[SWEEP_WHAT_SIZE];
        const struct sweep_tally *tally = &sweep->tally[i];
        if (!tally->count)
            continue;
        const struct sweep_point *first = &sweep->points[tally->first];
        words_of(sweep, (enum sweep_class)i, words, sizeof words);
        fprintf(out, "%8zu  %-30s first %s: %s\n", tally->count, words, sweep_point_id(sweep, first, id),
                sweep_point_what(sweep, first, what));
    }
    fprintf(out, "\n%zu points, %u starts each; %zu starts were run, the others are the same as one of them",
            sweep->point_count, SWEEP_BOOTS, sweep->starts_run);
    if (sweep->resumed)
        fprintf(out, "; %zu points were known from the results file", sweep->resumed);
    fprintf(out, "\n%.1f s (and %.1f s for the run without a cut), %.0f points a second\n", sweep->seconds,
            sweep->control_seconds, rate(sweep));
    return ferror(out) ? -1 : 0;
}

/* --- JSON -----------------------------------------------------------------------------------------------
 */

static cJSON *class_json(struct sweep *sweep, enum sweep_class class)
{
    char id[SWEEP_ID_SIZE], what[SWEEP_WHAT_SIZE];
    const struct sweep_point *first = &sweep->points[sweep->tally[class].first];
    cJSON *item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "class", sweep_class_key(class));
    cJSON_AddStringToObject(item, "words", sweep_class_words(class));
    cJSON_AddNumberToObject(item, "count", (double)sweep->tally[class].count);
    cJSON_AddStringToObject(item, "first", sweep_point_id(sweep, first, id));
    cJSON_AddStringToObject(item, "what", sweep_point_what(sweep, first, what));
    if (first->code)
        cJSON_AddNumberToObject(item, "code", first->code);
    return item;
}

static cJSON *points_json(const struct sweep *sweep)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < sweep->point_count; i++) {
        char id[SWEEP_ID_SIZE];
        const struct sweep_point *point = &sweep->points[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "id", sweep_point_id(sweep, point, id));
        cJSON_AddStringToObject(item, "class", sweep_class_key(point->class));
        if (point->code)
            cJSON_AddNumberToObject(item, "code", point->code);
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

int sweep_write_json(struct sweep *sweep, FILE *out)
{
    char identity[20];
    cJSON *root = cJSON_CreateObject(), *classes = cJSON_CreateArray();
    snprintf(identity, sizeof identity, "%016" PRIx64, sweep->identity);
    cJSON_AddNumberToObject(root, "schema_version", 1);
    cJSON_AddStringToObject(root, "scenario", sweep->name);
    cJSON_AddStringToObject(root, "identity", identity);
    cJSON_AddNumberToObject(root, "operations", (double)sweep->ops);
    cJSON_AddNumberToObject(root, "starts_each", SWEEP_BOOTS);
    cJSON_AddNumberToObject(root, "starts_run", (double)sweep->starts_run);
    cJSON_AddNumberToObject(root, "control_seconds", sweep->control_seconds);
    cJSON_AddNumberToObject(root, "seconds", sweep->seconds);
    cJSON_AddNumberToObject(root, "points_per_second", rate(sweep));
    for (int i = 0; i < SWEEP_CLASSES; i++) {
        if (sweep->tally[i].count)
            cJSON_AddItemToArray(classes, class_json(sweep, (enum sweep_class)i));
    }
    cJSON_AddItemToObject(root, "classes", classes);
    cJSON_AddItemToObject(root, "points", points_json(sweep));
    char *text = cJSON_Print(root);
    int err = !text || fprintf(out, "%s\n", text) < 0 ? -1 : 0;
    cJSON_free(text);
    cJSON_Delete(root);
    return err;
}

/* --- JUnit ----------------------------------------------------------------------------------------------
 */

int sweep_write_junit(struct sweep *sweep, uint32_t failing, FILE *out)
{
    unsigned cases = 0, failures = 0;
    for (int i = 0; i < SWEEP_CLASSES; i++) {
        cases += sweep->tally[i].count || failing >> i & 1;
        failures += sweep->tally[i].count && failing >> i & 1;
    }
    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    /* Names of scenarios are checked to be plain words when ids are made of them: nothing to escape. */
    fprintf(out, "  <testsuite name=\"%s\" tests=\"%u\" failures=\"%u\">\n", sweep->name, cases, failures);
    for (int i = 0; i < SWEEP_CLASSES; i++) {
        char id[SWEEP_ID_SIZE], what[SWEEP_WHAT_SIZE];
        const struct sweep_tally *tally = &sweep->tally[i];
        bool fails = failing >> i & 1;
        if (!tally->count && !fails)
            continue;
        fprintf(out, "    <testcase classname=\"%s\" name=\"%s\"", sweep->name,
                sweep_class_words((enum sweep_class)i));
        if (!tally->count || !fails) {
            fprintf(out, "><system-out>%zu points</system-out></testcase>\n", tally->count);
            continue;
        }
        const struct sweep_point *first = &sweep->points[tally->first];
        fprintf(out, "><failure message=\"%zu points, first %s\">%s</failure></testcase>\n", tally->count,
                sweep_point_id(sweep, first, id), sweep_point_what(sweep, first, what));
    }
    fprintf(out, "  </testsuite>\n</testsuites>\n");
    return ferror(out) ? -1 : 0;
}
