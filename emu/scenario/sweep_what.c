/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names a point of a sweep, and says what was being written there. */
#include "image/bytes.h"
#include "image/module_set.h"
#include "report/plain_text.h"
#include "scenario/sweep_internal.h"

#include <stdlib.h>
#include <string.h>

#define MBR_PARAMETERS 0x18u /* UICR.NRFFW[1] */
#define FIELDS_NAMED   3u
#define COMMIT_WITHIN  400u /* a setting that is being written is there after so many operations */

char *sweep_point_id(const struct sweep *sweep, const struct sweep_point *point, char id[SWEEP_ID_SIZE])
{
    char fault[FLASH_FAULT_ID_SIZE];
    snprintf(id, SWEEP_ID_SIZE, "%s:%s", sweep->name, flash_fault_id(&point->fault, fault));
    return id;
}

/* --- settings -------------------------------------------------------------------------------------------
 */

struct field_names {
    char *text;
    size_t size, used;
    unsigned count;
};

static void add_field(void *context, const struct dct_field *field, const char *was, const char *is)
{
    struct field_names *names = context;
    (void)was;
    (void)is;
    if (names->count++ < FIELDS_NAMED && names->used < names->size)
        names->used += (size_t)snprintf(names->text + names->used, names->size - names->used, "%s%s",
                                        names->count > 1 ? ", " : "; sets ", field->name);
}

static bool load_settings(struct sweep_inner *inner, unsigned array, uint8_t dct[DCT_SIZE])
{
    struct lfs_image image;
    struct lfs_fs fs;
    return !lfs_image_init(&image, inner->cells[array], inner->view.nor[array]->size, LFS_BLOCK_COUNT,
                           NULL) &&
           !lfs_image_mount(&image, &fs, NULL) && !dct_load(&fs, dct, NULL);
}

/* The fields that the write under way changes, once its last operation has been done. */
static void tell_fields(struct sweep_inner *inner, const struct journal_op *op, size_t index, char *text,
                        size_t size)
{
    uint8_t was[DCT_SIZE], is[DCT_SIZE];
    struct field_names names = {.text = text, .size = size};
    *text = '\0';
    sweep_cells_at(inner, index);
    if (!load_settings(inner, op->array, was))
        return;
    for (size_t next = index + 1; next <= inner->journal.count && next <= index + COMMIT_WITHIN; next++) {
        sweep_cells_at(inner, next);
        if (!load_settings(inner, op->array, is) || !memcmp(was, is, DCT_SIZE))
            continue;
        dct_diff(was, is, add_field, &names);
        if (names.count > FIELDS_NAMED && names.used < size)
            snprintf(text + names.used, size - names.used, " and %u more", names.count - FIELDS_NAMED);
        return;
    }
}

/* --- the place ------------------------------------------------------------------------------------------
 */

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
static void tell_block(struct sweep_inner *inner, const struct journal_op *op, size_t index, char *text,
                       size_t size)
{
    uint32_t block = op->op.address / LFS_BLOCK_SIZE;
    size_t cells_size = inner->view.nor[op->array]->size;
    char owner[96];
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

static void tell_external(struct sweep_inner *inner, const struct journal_op *op, size_t index, char *text,
                          size_t size)
{
    char fields[120] = "";
    if (op->op.address / LFS_BLOCK_SIZE >= LFS_BLOCK_COUNT) {
        snprintf(text, size, "outside the file system");
        return;
    }
    tell_block(inner, op, index, text, size);
    if (!strncmp(text, DCT_PATH, strlen(DCT_PATH)) || !strncmp(text, "directory /sys", 14))
        tell_fields(inner, op, index, fields, sizeof fields);
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s", fields);
}

static void tell_internal(const struct sweep_inner *inner, uint32_t address, char *text, size_t size)
{
    int uicr = flash_view_array(&inner->view, "uicr");
    if (uicr >= 0 && read_le32(inner->cells[uicr] + MBR_PARAMETERS) == (address & ~(FLASH_PAGE_SIZE - 1))) {
        snprintf(text, size, "parameter page of the MBR");
        return;
    }
    /* What is being written may not be a module yet: it is told by what is there in the end. */
    uint8_t *flash = sweep_internal_flash(inner, inner->final);
    const struct board_slot *in =
        flash ? module_slot_at(&inner->board.images, flash, inner->machine.soc.flash.size, address) : NULL;
    free(flash);
    if (in)
        snprintf(text, size, "module %s + 0x%x", in->name, address - in->address);
    else
        snprintf(text, size, address < MBR_SIZE ? "MBR" : "no module");
}

char *sweep_point_what(struct sweep *sweep, const struct sweep_point *point, char text[SWEEP_WHAT_SIZE])
{
    struct sweep_inner *inner = sweep->inner;
    const struct journal_op *op = &inner->journal.ops[point->op];
    char place[240] = "";
    sweep_cells_at(inner, point->op);
    if (!strcmp(op->op.array, "external"))
        tell_external(inner, op, point->op, place, sizeof place);
    else if (!strcmp(op->op.array, "internal"))
        tell_internal(inner, op->op.address, place, sizeof place);
    snprintf(text, SWEEP_WHAT_SIZE, "%s%s %s of %s 0x%06x+%u%s%s", flash_fault_kind_name(point->fault.kind),
             point->fault.unstable ? ", unstable," : "", op->op.kind == NOR_ERASE ? "erase" : "program",
             op->op.array, op->op.address, op->op.size, *place ? ", " : "", place);
    return plain_text(text); /* names of files may hold any byte */
}
