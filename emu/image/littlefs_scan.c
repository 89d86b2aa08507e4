/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/littlefs_scan.h"

#include "core/room.h"
#include "image/littlefs_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough for any report; a flash full of noise has no end of faults. */
#define FINDINGS_MAX 500u

struct scanner {
    const struct lfs_fs *fs;
    struct lfs_scan *out;
    size_t nodes_room, findings_room;
    bool *on_thread;   /* by block */
    bool *in_use;      /* by block, as the allocator sees it */
    uint64_t followed; /* blocks of files looked up so far */
    bool no_memory;
};

/* --- growing lists --------------------------------------------------------------------------------- */

static void *one_more(struct scanner *s, void *items, size_t count, size_t *room, size_t item_size)
{
    void *grown = room_for(items, count + 1, room, item_size);
    s->no_memory |= !grown;
    return grown;
}

/* Names come from the image, and may hold anything. */
static void make_printable(char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = '?';
    }
}

static void find_fault(struct scanner *s, uint32_t block, bool stops_device, const char *format, ...)
    DIAG_PRINTF(4, 5);

static void find_fault(struct scanner *s, uint32_t block, bool stops_device, const char *format, ...)
{
    struct lfs_scan *out = s->out;
    if (out->finding_count == FINDINGS_MAX)
        return;
    void *grown = one_more(s, out->findings, out->finding_count, &s->findings_room, sizeof(*out->findings));
    if (!grown)
        return;
    out->findings = grown;
    struct lfs_finding *f = &out->findings[out->finding_count++];
    *f = (struct lfs_finding){.block = block, .stops_device = stops_device};
    va_list values;
    va_start(values, format);
    vsnprintf(f->text, sizeof(f->text), format, values);
    va_end(values);
    make_printable(f->text);
}

static struct lfs_node *add_node(struct scanner *s, const char *parent, const uint8_t *name, uint32_t len)
{
    struct lfs_scan *out = s->out;
    void *grown = one_more(s, out->nodes, out->node_count, &s->nodes_room, sizeof(*out->nodes));
    if (!grown)
        return NULL;
    out->nodes = grown;
    size_t before = parent[1] ? strlen(parent) : 0; /* the root's slash is the name's */
    char *path = malloc(before + 1 + len + 1);
    if (!path) {
        s->no_memory = true;
        return NULL;
    }
    memcpy(path, parent, before);
    path[before] = '/';
    memcpy(path + before + 1, name, len);
    path[before + 1 + len] = '\0';
    struct lfs_node *node = &out->nodes[out->node_count++];
    *node = (struct lfs_node){.path = path, .intact = true, .head = LFS_NO_BLOCK};
    return node;
}

/* --- owners ---------------------------------------------------------------------------------------- */

const char *lfs_block_owner(const struct lfs_scan *scan, uint32_t block, char *buf, size_t size)
{
    if (block >= scan->block_count) {
        snprintf(buf, size, "outside the file system");
        return buf;
    }
    const struct lfs_owner *o = &scan->owners[block];
    const struct lfs_node *node =
        o->kind == LFS_OWNER_DIR || o->kind == LFS_OWNER_FILE ? &scan->nodes[o->node] : NULL;
    const char *age = o->nth & 1 ? "older" : "newer";

    switch (o->kind) {
    case LFS_OWNER_NONE:
        snprintf(buf, size, "free");
        break;
    case LFS_OWNER_SUPERBLOCK:
        snprintf(buf, size, "superblock, %s of pair 0/1", age);
        break;
    case LFS_OWNER_LOST:
        snprintf(buf, size, "in use, but by nothing that is listed");
        break;
    case LFS_OWNER_FILE:
        snprintf(buf, size, "%s block %" PRIu32 " of %" PRIu32, node->path, o->nth + 1, node->block_count);
        break;
    case LFS_OWNER_DIR: {
        const uint32_t *pair = &node->blocks[o->nth & ~1u];
        uint32_t low = pair[0] < pair[1] ? pair[0] : pair[1];
        uint32_t high = pair[0] < pair[1] ? pair[1] : pair[0];
        if (node->block_count > 2)
            snprintf(buf, size,
                     "directory %s part %" PRIu32 " of %" PRIu32 ", %s of pair %" PRIu32 "/%" PRIu32,
                     node->path, o->nth / 2 + 1, node->block_count / 2, age, low, high);
        else
            snprintf(buf, size, "directory %s, %s of pair %" PRIu32 "/%" PRIu32, node->path, age, low, high);
        break;
    }
    }
    make_printable(buf);
    return buf;
}

/* Notes that a block belongs to a node; false, with a finding, if it is taken. */
static bool claim(struct scanner *s, uint32_t block, enum lfs_owner_kind kind, size_t node, uint32_t nth)
{
    struct lfs_owner *o = &s->out->owners[block];
    if (o->kind != LFS_OWNER_NONE) {
        char other[160];
        lfs_block_owner(s->out, block, other, sizeof(other));
        find_fault(s, block, false, "%s: block %" PRIu32 " is also: %s", s->out->nodes[node].path, block,
                   other);
        return false;
    }
    *o = (struct lfs_owner){.kind = kind, .node = node, .nth = nth};
    return true;
}

/* --- files ----------------------------------------------------------------------------------------- */

/* Compares every pointer with the way that reads take. */
static void check_pointers(struct scanner *s, const struct lfs_node *node)
{
    for (uint32_t n = 1; n < node->block_count; n++) {
        if (node->blocks[n] == LFS_NO_BLOCK)
            continue;
        const uint8_t *p = lfs_block(&s->fs->img, node->blocks[n]);
        for (unsigned k = 0; k <= lfs_trailing_zeros(n); k++) {
            uint32_t is = read_le32(p + 4 * k);
            uint32_t goal = n - (1u << k);
            bool outside = is < 2 || is >= s->fs->img.block_count;
            if (!outside && (is == node->blocks[goal] || node->blocks[goal] == LFS_NO_BLOCK))
                continue;
            find_fault(s, node->blocks[n], outside,
                       "%s: block %" PRIu32 " of %" PRIu32 " (flash block %" PRIu32
                       "): pointer %u is %#" PRIx32 ", not to block %" PRIu32 " of the file%s",
                       node->path, n + 1, node->block_count, node->blocks[n], k, is, goal + 1,
                       outside ? "; the device panics when it follows it" : "");
        }
    }
}

static void follow_file(struct scanner *s, size_t index)
{
    const struct lfs_image *img = &s->fs->img;
    struct lfs_node *node = &s->out->nodes[index];
    uint32_t count = lfs_blocks_for_size(node->size);
    if (count > img->block_count || s->followed + count > 4 * (uint64_t)img->block_count) {
        find_fault(s, node->pair[0], true, "%s: %" PRIu32 " bytes are more than the flash can hold",
                   node->path, node->size);
        node->intact = false;
        return;
    }
    s->followed += count;
    node->blocks = calloc(count ? count : 1, sizeof(*node->blocks));
    if (!node->blocks) {
        s->no_memory = true;
        return;
    }
    node->block_count = count;
    uint32_t lost = 0;
    struct diag why;
    for (uint32_t n = 0; n < count; n++) {
        if (lfs_ctz_find(img, node->head, node->size, n, &node->blocks[n], lost ? NULL : &why)) {
            node->blocks[n] = LFS_NO_BLOCK;
            lost++;
        }
    }
    if (lost) {
        find_fault(s, node->head, true, "%s: %" PRIu32 " of its %" PRIu32 " blocks cannot be reached: %s",
                   node->path, lost, count, why.text);
        node->intact = false;
    }
    check_pointers(s, node);
    for (uint32_t n = 0; n < count; n++) {
        if (node->blocks[n] != LFS_NO_BLOCK)
            claim(s, node->blocks[n], LFS_OWNER_FILE, index, n);
    }
}

/* --- directories ----------------------------------------------------------------------------------- */

static void scan_entry(struct scanner *s, size_t dir_index, const struct lfs_dir *dir,
                       const struct lfs_entry *e)
{
    const char *parent = s->out->nodes[dir_index].path;
    if (!lfs_is_file(e) && !lfs_is_dir(e)) {
        find_fault(s, dir->pair[0], false, "directory %s: the entry at byte %" PRIu32 " has unknown type %#x",
                   parent, e->off, e->type);
        return;
    }
    uint32_t len;
    const uint8_t *name = lfs_entry_name(&s->fs->img, dir, e, &len);
    if (e->off + lfs_entry_bytes(e) > lfs_dir_bytes(dir) - LFS_DIR_CRC || len == 0) {
        find_fault(s, dir->pair[0], false,
                   "directory %s: the entry at byte %" PRIu32 " has no name or runs past the end", parent,
                   e->off);
        return;
    }
    if (e->type & LFS_TYPE_MOVING) {
        bool done = lfs_moved_away(s->fs, e);
        find_fault(s, dir->pair[0], false, "directory %s: a rename of \"%.*s\" was begun%s", parent, (int)len,
                   (const char *)name, done ? " and only its old name is left to remove" : "");
        if (done)
            return;
    }
    struct lfs_node *node = add_node(s, parent, name, len);
    if (!node)
        return;
    node->is_dir = lfs_is_dir(e);
    if (node->is_dir) {
        memcpy(node->pair, e->u, sizeof(node->pair));
        return;
    }
    memcpy(node->pair, dir->pair, sizeof(node->pair));
    node->head = e->u[0];
    node->size = e->u[1];
    follow_file(s, s->out->node_count - 1);
}

/* A half that is one revision ahead but no good is a commit that was cut off, or one that rotted. */
static void check_halves(struct scanner *s, const char *what, const struct lfs_dir *dir, bool both_expected)
{
    struct lfs_dir other;
    char words[128];
    enum lfs_half half = lfs_dir_check_half(&s->fs->img, dir->pair[1], &other);
    if (half == LFS_HALF_GOOD)
        return;
    lfs_half_words(&s->fs->img, dir->pair[1], half, words, sizeof(words));
    if (other.rev == dir->rev + 1)
        find_fault(s, dir->pair[1], false, "%s: the newest commit does not count: %s", what, words);
    else if (both_expected)
        find_fault(s, dir->pair[1], false, "%s: only one half is good: %s", what, words);
}

static bool add_pair(struct scanner *s, size_t index, const struct lfs_dir *dir)
{
    struct lfs_node *node = &s->out->nodes[index];
    uint32_t *grown = realloc(node->blocks, (node->block_count + 2) * sizeof(*grown));
    if (!grown) {
        s->no_memory = true;
        return false;
    }
    node->blocks = grown;
    if (node->block_count == 0)
        memcpy(node->pair, dir->pair, sizeof(node->pair));
    memcpy(grown + node->block_count, dir->pair, sizeof(dir->pair));
    node->block_count += 2;
    uint32_t at = node->block_count - 2;
    if (claim(s, dir->pair[0], LFS_OWNER_DIR, index, at) &&
        claim(s, dir->pair[1], LFS_OWNER_DIR, index, at + 1))
        return true;
    node->intact = false;
    return false;
}

/* Reads all records of a directory; what it holds is added behind the nodes that are there. */
static void scan_dir(struct scanner *s, size_t index)
{
    uint32_t pair[2];
    memcpy(pair, s->out->nodes[index].pair, sizeof(pair));
    for (;;) {
        struct lfs_dir dir;
        struct diag why;
        if (lfs_dir_fetch(&s->fs->img, pair, &dir, &why)) {
            find_fault(s, pair[0], true, "directory %s cannot be read: %s", s->out->nodes[index].path,
                       why.text);
            s->out->nodes[index].intact = false;
            return;
        }
        if (!add_pair(s, index, &dir))
            return;
        check_halves(s, s->out->nodes[index].path, &dir, false);
        uint32_t off = LFS_DIR_HEADER;
        struct lfs_entry e;
        while (lfs_dir_next(&s->fs->img, &dir, &off, &e) && !s->no_memory)
            scan_entry(s, index, &dir, &e);
        if (!(dir.size & LFS_DIR_GOES_ON) || s->no_memory)
            return;
        memcpy(pair, dir.tail, sizeof(pair));
    }
}

static void scan_tree(struct scanner *s)
{
    struct lfs_node *root = add_node(s, "/", (const uint8_t *)"", 0);
    if (!root)
        return;
    root->is_dir = true;
    memcpy(root->pair, s->fs->root, sizeof(root->pair));
    for (size_t i = 0; i < s->out->node_count && !s->no_memory; i++) {
        if (s->out->nodes[i].is_dir)
            scan_dir(s, i);
    }
}

/* --- the thread and the allocator ------------------------------------------------------------------ */

static void scan_superblock(struct scanner *s)
{
    static const uint32_t pair[2] = {0, 1};
    struct lfs_dir dir;
    for (uint32_t b = 0; b < 2; b++)
        s->out->owners[b] = (struct lfs_owner){.kind = LFS_OWNER_SUPERBLOCK, .nth = b};
    if (lfs_dir_fetch(&s->fs->img, pair, &dir, NULL))
        return; /* it was good when the file system was mounted; the walk of the thread will tell */
    s->out->owners[dir.pair[0]].nth = 0;
    s->out->owners[dir.pair[1]].nth = 1;
    check_halves(s, "superblock", &dir, true);
    const uint8_t *p = lfs_block(&s->fs->img, dir.pair[0]) + LFS_DIR_HEADER;
    if (read_le32(p + 12) != LFS_BLOCK_SIZE || read_le32(p + 16) != s->fs->img.block_count)
        find_fault(s, dir.pair[0], false,
                   "superblock: names %" PRIu32 " blocks of %" PRIu32 " bytes, which the device overlooks",
                   read_le32(p + 16), read_le32(p + 12));
}

static void check_on_thread(struct scanner *s, const uint32_t pair[2])
{
    const struct lfs_owner *o = &s->out->owners[pair[0]];
    for (int i = 0; i < 2; i++)
        s->on_thread[pair[i]] = true;
    if (o->kind == LFS_OWNER_SUPERBLOCK)
        return;
    if (o->kind != LFS_OWNER_DIR) {
        find_fault(s, pair[0], false,
                   "the directory at blocks %" PRIu32 " and %" PRIu32
                   " is on the thread, but no directory lists it (a removal that was cut off)",
                   pair[0], pair[1]);
        return;
    }
    const struct lfs_node *node = &s->out->nodes[o->node];
    if (node->blocks[o->nth ^ 1] != pair[1])
        find_fault(s, pair[0], false,
                   "directory %s: the thread has it at blocks %" PRIu32 " and %" PRIu32
                   ", its entry at %" PRIu32 " and %" PRIu32,
                   node->path, pair[0], pair[1], node->blocks[o->nth], node->blocks[o->nth ^ 1]);
}

static void scan_thread(struct scanner *s)
{
    uint32_t pair[2] = {0, 1};
    struct lfs_dir dir;
    while (!lfs_pair_is_null(pair)) {
        if (lfs_dir_fetch(&s->fs->img, pair, &dir, NULL))
            return; /* reported by the allocator's walk */
        if (s->on_thread[pair[0]])
            return;
        check_on_thread(s, pair);
        memcpy(pair, dir.tail, sizeof(pair));
    }
}

static int mark_in_use(void *ctx, uint32_t block)
{
    struct scanner *s = ctx;
    if (block < s->out->block_count)
        s->in_use[block] = true;
    return 0;
}

/* Finds what the allocator would hand out although something has it. */
static void check_allocator_view(struct scanner *s)
{
    for (size_t i = 0; i < s->out->node_count; i++) {
        const struct lfs_node *node = &s->out->nodes[i];
        for (uint32_t n = 0; n < node->block_count; n++) {
            if (node->blocks[n] == LFS_NO_BLOCK || s->in_use[node->blocks[n]])
                continue;
            find_fault(s, node->blocks[n], false,
                       "%s: block %" PRIu32 " is in use, but the device's allocator takes it for free",
                       node->path, node->blocks[n]);
            break;
        }
    }
}

static void scan_allocator(struct scanner *s)
{
    struct diag why;
    if (lfs_traverse(&s->fs->img, mark_in_use, s, &why)) {
        find_fault(s, LFS_NO_BLOCK, true, "the device stops at its next allocation after a mount: %s",
                   why.text);
        return;
    }
    check_allocator_view(s);
    for (uint32_t b = 0; b < s->out->block_count; b++) {
        if (!s->in_use[b])
            s->out->free_blocks++;
        else if (s->out->owners[b].kind == LFS_OWNER_NONE)
            s->out->owners[b].kind = LFS_OWNER_LOST;
    }
}

int lfs_scan(const struct lfs_fs *fs, struct lfs_scan *out, struct diag *diag)
{
    uint32_t count = fs->img.block_count;
    *out = (struct lfs_scan){.owners = calloc(count, sizeof(*out->owners)), .block_count = count};
    struct scanner s = {.fs = fs,
                        .out = out,
                        .on_thread = calloc(count, sizeof(bool)),
                        .in_use = calloc(count, sizeof(bool))};
    s.no_memory = !out->owners || !s.on_thread || !s.in_use;
    if (!s.no_memory) {
        scan_superblock(&s);
        scan_tree(&s);
        scan_thread(&s);
        scan_allocator(&s);
    }
    free(s.on_thread);
    free(s.in_use);
    if (s.no_memory) {
        lfs_scan_free(out);
        diag_set(diag, "no memory to look over the file system");
        return LFS_ERR_NOMEM;
    }
    return LFS_OK;
}

void lfs_scan_free(struct lfs_scan *scan)
{
    for (size_t i = 0; i < scan->node_count; i++) {
        free(scan->nodes[i].path);
        free(scan->nodes[i].blocks);
    }
    free(scan->nodes);
    free(scan->findings);
    free(scan->owners);
    *scan = (struct lfs_scan){0};
}

const struct lfs_node *lfs_scan_find(const struct lfs_scan *scan, const char *path)
{
    for (size_t i = 0; i < scan->node_count; i++) {
        if (strcmp(scan->nodes[i].path, path) == 0)
            return &scan->nodes[i];
    }
    return NULL;
}
