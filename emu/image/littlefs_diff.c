/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/littlefs_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for each node of both file systems, so that adding cannot fail half-way. */
static int make_room(struct lfs_differences *out, size_t count, struct diag *diag)
{
    *out = (struct lfs_differences){.items = calloc(count ? count : 1, sizeof(*out->items))};
    if (out->items)
        return LFS_OK;
    diag_set(diag, "no memory for a list of differences");
    return LFS_ERR_NOMEM;
}

static int add(struct lfs_differences *out, struct lfs_difference d, const char *path, struct diag *diag)
{
    size_t size = strlen(path) + 1;
    d.path = malloc(size);
    if (!d.path) {
        diag_set(diag, "no memory for a list of differences");
        return LFS_ERR_NOMEM;
    }
    memcpy(d.path, path, size);
    out->items[out->count++] = d;
    return LFS_OK;
}

/* Offset of the first byte that differs; the shorter length if one is the beginning of the other. */
static uint32_t first_difference(const uint8_t *a, uint32_t a_len, const uint8_t *b, uint32_t b_len)
{
    uint32_t i = 0;
    while (i < a_len && i < b_len && a[i] == b[i])
        i++;
    return i;
}

static int compare_file(const struct lfs_fs *was, const struct lfs_fs *is, const struct lfs_node *old,
                        const struct lfs_node *new, struct lfs_differences *out, struct diag *diag)
{
    uint8_t *a = NULL, *b = NULL;
    uint32_t a_len, b_len;
    struct lfs_difference d = {.old_size = old->size, .new_size = new->size};
    int err = lfs_file_load(was, old->path, &a, &a_len, diag);
    if (err)
        return err == LFS_ERR_NOMEM ? err : LFS_OK; /* it could not be read before either */
    err = lfs_file_load(is, new->path, &b, &b_len, diag);
    if (err && err != LFS_ERR_NOMEM) {
        d.change = LFS_UNREADABLE;
        err = add(out, d, old->path, diag);
    } else if (!err) {
        d.change = LFS_CHANGED;
        d.first = first_difference(a, a_len, b, b_len);
        if (a_len != b_len || d.first < a_len)
            err = add(out, d, old->path, diag);
    }
    free(a);
    free(b);
    return err;
}

static int compare_node(const struct lfs_fs *was, const struct lfs_fs *is, const struct lfs_node *old,
                        const struct lfs_scan *new_scan, struct lfs_differences *out, struct diag *diag)
{
    const struct lfs_node *new = lfs_scan_find(new_scan, old->path);
    if (!new || new->is_dir != old->is_dir) {
        const struct lfs_difference d = {.change = LFS_LOST, .is_dir = old->is_dir, .old_size = old->size};
        return add(out, d, old->path, diag);
    }
    if (!old->is_dir)
        return compare_file(was, is, old, new, out, diag);
    if (old->intact && !new->intact) {
        const struct lfs_difference d = {.change = LFS_UNREADABLE, .is_dir = true};
        return add(out, d, old->path, diag);
    }
    return LFS_OK;
}

static int add_new(const struct lfs_scan *old_scan, const struct lfs_node *new, struct lfs_differences *out,
                   struct diag *diag)
{
    const struct lfs_node *old = lfs_scan_find(old_scan, new->path);
    if (old && old->is_dir == new->is_dir)
        return LFS_OK;
    const struct lfs_difference d = {.change = LFS_ADDED, .is_dir = new->is_dir, .new_size = new->size};
    return add(out, d, new->path, diag);
}

int lfs_files_diff(const struct lfs_fs *was, const struct lfs_fs *is, struct lfs_differences *out,
                   struct diag *diag)
{
    struct lfs_scan a, b;
    int err = lfs_scan(was, &a, diag);
    if (err)
        return err;
    err = lfs_scan(is, &b, diag);
    if (err) {
        lfs_scan_free(&a);
        return err;
    }
    err = make_room(out, a.node_count + b.node_count, diag);
    for (size_t i = 0; !err && i < a.node_count; i++)
        err = compare_node(was, is, &a.nodes[i], &b, out, diag);
    for (size_t i = 0; !err && i < b.node_count; i++)
        err = add_new(&a, &b.nodes[i], out, diag);
    lfs_scan_free(&a);
    lfs_scan_free(&b);
    if (err)
        lfs_files_diff_free(out);
    else
        diag_clear(diag); /* words about a file that cannot be read are in the list */
    return err;
}

void lfs_files_diff_free(struct lfs_differences *diffs)
{
    for (size_t i = 0; i < diffs->count; i++)
        free(diffs->items[i].path);
    free(diffs->items);
    *diffs = (struct lfs_differences){0};
}

const char *lfs_difference_words(const struct lfs_difference *d, char *buf, size_t size)
{
    const char *what = d->is_dir ? "directory " : "";
    switch (d->change) {
    case LFS_LOST:
        if (d->is_dir)
            snprintf(buf, size, "directory %s lost", d->path);
        else
            snprintf(buf, size, "%s lost (%" PRIu32 " bytes)", d->path, d->old_size);
        break;
    case LFS_ADDED:
        if (d->is_dir)
            snprintf(buf, size, "directory %s added", d->path);
        else
            snprintf(buf, size, "%s added (%" PRIu32 " bytes)", d->path, d->new_size);
        break;
    case LFS_CHANGED:
        snprintf(buf, size, "%s changed from byte %" PRIu32 " on (%" PRIu32 " bytes, now %" PRIu32 ")",
                 d->path, d->first, d->old_size, d->new_size);
        break;
    case LFS_UNREADABLE:
        snprintf(buf, size, "%s%s can no longer be read", what, d->path);
        break;
    }
    return buf;
}
