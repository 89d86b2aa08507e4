/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing: see littlefs.h. The order of steps follows the device's code, as block numbers depend on it. */
#include "image/littlefs.h"
#include "image/littlefs_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A file while it is being written: bytes up to `pos` lie in the chain that ends with `block`. */
struct chain {
    uint32_t block;
    uint32_t pos;
    bool begun; /* the chain has blocks of its own, which no directory names yet */
};

/* --- the allocator --------------------------------------------------------------------------------- */

static int mark_in_window(void *ctx, uint32_t block)
{
    struct lfs_fs *fs = ctx;
    uint32_t count = fs->img.block_count;
    uint32_t off = (block - fs->alloc.start + count) % count;
    if (off < fs->alloc.length)
        fs->alloc.in_use[off / 8] |= (uint8_t)(1u << off % 8);
    return 0;
}

static bool window_in_use(const struct lfs_fs *fs, uint32_t off)
{
    return fs->alloc.in_use[off / 8] >> off % 8 & 1;
}

static int fill_window(struct lfs_fs *fs, const struct chain *open, struct diag *diag)
{
    fs->alloc.start = (fs->alloc.start + fs->alloc.length) % fs->img.block_count;
    fs->alloc.length = fs->alloc.left < LFS_LOOKAHEAD ? fs->alloc.left : LFS_LOOKAHEAD;
    fs->alloc.next = 0;
    memset(fs->alloc.in_use, 0, sizeof(fs->alloc.in_use));

    int err = lfs_traverse(&fs->img, mark_in_window, fs, diag);
    if (!err && open && open->begun)
        err = lfs_ctz_traverse(&fs->img, open->block, open->pos, mark_in_window, fs, diag);
    if (err)
        diag_prefix(diag, "no block can be allocated");
    return err;
}

/* From here on every block may be looked at once more before the flash counts as full. */
static void alloc_renew(struct lfs_fs *fs)
{
    fs->alloc.left = fs->img.block_count;
}

static void alloc_step(struct lfs_fs *fs)
{
    fs->alloc.next++;
    fs->alloc.left--;
}

static int alloc_block(struct lfs_fs *fs, const struct chain *open, uint32_t *block, struct diag *diag)
{
    for (;;) {
        while (fs->alloc.next != fs->alloc.length) {
            uint32_t off = fs->alloc.next;
            alloc_step(fs);
            if (window_in_use(fs, off))
                continue;
            *block = (fs->alloc.start + off) % fs->img.block_count;
            while (fs->alloc.next != fs->alloc.length && window_in_use(fs, fs->alloc.next))
                alloc_step(fs);
            return LFS_OK;
        }
        if (fs->alloc.left == 0) {
            diag_set(diag, "no free block is left");
            return LFS_ERR_NOSPC;
        }
        int err = fill_window(fs, open, diag);
        if (err)
            return err;
    }
}

struct block_map {
    uint32_t count;
    bool *in_use;
};

static int mark_in_map(void *ctx, uint32_t block)
{
    struct block_map *map = ctx;
    if (block < map->count)
        map->in_use[block] = true;
    return 0;
}

int lfs_free_blocks(const struct lfs_fs *fs, uint32_t *count, struct diag *diag)
{
    struct block_map map = {fs->img.block_count, calloc(fs->img.block_count, sizeof(bool))};
    if (!map.in_use) {
        diag_set(diag, "no memory for a map of blocks");
        return LFS_ERR_NOMEM;
    }
    int err = lfs_traverse(&fs->img, mark_in_map, &map, diag);
    *count = 0;
    for (uint32_t b = 0; b < map.count; b++)
        *count += !map.in_use[b];
    free(map.in_use);
    return err;
}

/* --- directory records ----------------------------------------------------------------------------- */

/* One change to a record: the old bytes at `at` give way to the new ones. */
struct edit {
    uint32_t at, old_len;
    const uint8_t *bytes;
    uint32_t len;
};

/* Writes the record, with one edit, to the older block of its pair. */
static void dir_commit(struct lfs_fs *fs, struct lfs_dir *dir, const struct edit *edit)
{
    static const struct edit nothing = {.at = LFS_DIR_HEADER};
    if (!edit)
        edit = &nothing;
    const uint8_t *old = lfs_block(&fs->img, dir->pair[0]);
    uint32_t after = edit->at + edit->old_len;
    uint32_t old_end = lfs_dir_bytes(dir) - LFS_DIR_CRC;
    uint32_t older = dir->pair[1];

    dir->pair[1] = dir->pair[0];
    dir->pair[0] = older;
    dir->rev++;
    dir->size += edit->len - edit->old_len;
    uint32_t end = lfs_dir_bytes(dir) - LFS_DIR_CRC;

    /* Built aside, as a broken image may name one block as both halves. */
    uint8_t p[LFS_BLOCK_SIZE];
    memset(p, 0xFF, sizeof(p));
    write_le32(p, dir->rev);
    write_le32(p + 4, dir->size);
    write_le32(p + 8, dir->tail[0]);
    write_le32(p + 12, dir->tail[1]);
    memcpy(p + LFS_DIR_HEADER, old + LFS_DIR_HEADER, edit->at - LFS_DIR_HEADER);
    if (edit->len)
        memcpy(p + edit->at, edit->bytes, edit->len);
    memcpy(p + edit->at + edit->len, old + after, old_end - after);
    write_le32(p + end, lfs_crc(p, end));
    memcpy(lfs_block(&fs->img, older), p, sizeof(p));
}

static int dir_alloc(struct lfs_fs *fs, struct lfs_dir *dir, struct diag *diag)
{
    for (int i = 0; i < 2; i++) {
        int err = alloc_block(fs, NULL, &dir->pair[i], diag);
        if (err)
            return err;
    }
    /* Only the other block will be erased, so the count goes on from whatever is in this one. */
    dir->rev = read_le32(lfs_block(&fs->img, dir->pair[0])) + 1;
    dir->size = LFS_DIR_HEADER + LFS_DIR_CRC;
    dir->tail[0] = dir->tail[1] = LFS_NO_BLOCK;
    return LFS_OK;
}

static void entry_to_bytes(const struct lfs_entry *e, uint8_t out[LFS_ENTRY_FIXED])
{
    out[0] = e->type;
    out[1] = e->elen;
    out[2] = e->alen;
    out[3] = e->nlen;
    write_le32(out + 4, e->u[0]);
    write_le32(out + 8, e->u[1]);
}

/* Puts a new entry into the directory that `dir` is a record of, with a further record if need be. */
static int dir_append(struct lfs_fs *fs, struct lfs_dir *dir, const struct lfs_entry *e, const char *name,
                      struct diag *diag)
{
    uint8_t bytes[LFS_ENTRY_FIXED + LFS_NAME_MAX];
    entry_to_bytes(e, bytes);
    memcpy(bytes + LFS_ENTRY_FIXED, name, e->nlen);
    struct edit edit = {.bytes = bytes, .len = lfs_entry_bytes(e)};

    /* The device compares with the flag bit in, so a record that goes on never takes more. */
    while (dir->size + edit.len > LFS_BLOCK_SIZE) {
        if (dir->size & LFS_DIR_GOES_ON) {
            int err = lfs_dir_fetch(&fs->img, dir->tail, dir, diag);
            if (err)
                return err;
            continue;
        }
        struct lfs_dir more;
        int err = dir_alloc(fs, &more, diag);
        if (err)
            return err;
        memcpy(more.tail, dir->tail, sizeof(more.tail));
        edit.at = more.size - LFS_DIR_CRC;
        dir_commit(fs, &more, &edit);
        dir->size |= LFS_DIR_GOES_ON;
        memcpy(dir->tail, more.pair, sizeof(dir->tail));
        dir_commit(fs, dir, NULL);
        return LFS_OK;
    }
    edit.at = dir->size - LFS_DIR_CRC;
    dir_commit(fs, dir, &edit);
    return LFS_OK;
}

static void dir_update(struct lfs_fs *fs, struct lfs_dir *dir, const struct lfs_entry *e)
{
    uint8_t bytes[LFS_ENTRY_FIXED];
    entry_to_bytes(e, bytes);
    const struct edit edit = {.at = e->off, .old_len = sizeof(bytes), .bytes = bytes, .len = sizeof(bytes)};
    dir_commit(fs, dir, &edit);
}

/* Finds the record whose tail is `pair`. */
static int find_predecessor(const struct lfs_fs *fs, const uint32_t pair[2], struct lfs_dir *dir,
                            struct diag *diag)
{
    static const uint32_t superblock[2] = {0, 1};
    int err = lfs_dir_fetch(&fs->img, superblock, dir, diag);
    for (uint32_t i = 0; !err && i < fs->img.block_count && !lfs_pair_is_null(dir->tail); i++) {
        if (lfs_pair_same(dir->tail, pair))
            return LFS_OK;
        err = lfs_dir_fetch(&fs->img, dir->tail, dir, diag);
    }
    if (err)
        return err;
    diag_set(diag, "the directory at blocks %" PRIu32 " and %" PRIu32 " is not on the thread", pair[0],
             pair[1]);
    return LFS_ERR_CORRUPT;
}

static int dir_drop_entry(struct lfs_fs *fs, struct lfs_dir *dir, const struct lfs_entry *e,
                          struct diag *diag)
{
    uint32_t len = lfs_entry_bytes(e);
    if (lfs_dir_bytes(dir) == LFS_DIR_HEADER + LFS_DIR_CRC + len) {
        /* The last entry of a further record takes the record with it. */
        struct lfs_dir before;
        int err = find_predecessor(fs, dir->pair, &before, diag);
        if (err)
            return err;
        if (before.size & LFS_DIR_GOES_ON) {
            before.size &= dir->size | ~LFS_DIR_GOES_ON;
            memcpy(before.tail, dir->tail, sizeof(before.tail));
            dir_commit(fs, &before, NULL);
            return LFS_OK;
        }
    }
    if (e->off + len > lfs_dir_bytes(dir) - LFS_DIR_CRC) {
        diag_set(diag, "the entry at byte %" PRIu32 " of block %" PRIu32 " runs past the directory's end",
                 e->off, dir->pair[0]);
        return LFS_ERR_CORRUPT;
    }
    const struct edit edit = {.at = e->off, .old_len = len};
    dir_commit(fs, dir, &edit);
    return LFS_OK;
}

/* --- format and directories ------------------------------------------------------------------------ */

int lfs_image_format(struct lfs_image *img, struct diag *diag)
{
    struct lfs_fs fs = {.img = *img};
    struct lfs_dir super, root;

    fs.alloc.length = img->block_count < LFS_LOOKAHEAD ? img->block_count : LFS_LOOKAHEAD;
    alloc_renew(&fs);
    int err = dir_alloc(&fs, &super, diag);
    if (!err)
        err = dir_alloc(&fs, &root, diag);
    if (err)
        return err;
    dir_commit(&fs, &root, NULL);

    uint8_t entry[LFS_SUPERBLOCK_ENTRY] = {LFS_TYPE_SUPERBLOCK, 20, 0, 8};
    write_le32(entry + 4, root.pair[0]);
    write_le32(entry + 8, root.pair[1]);
    write_le32(entry + 12, LFS_BLOCK_SIZE);
    write_le32(entry + 16, img->block_count);
    write_le32(entry + 20, 0x00010001); /* on-disk version 1.1 */
    memcpy(entry + 24, "littlefs", 8);
    memcpy(super.tail, root.pair, sizeof(super.tail));
    /* Both halves are written, so that one can be lost. */
    const struct edit edit = {.at = LFS_DIR_HEADER, .bytes = entry, .len = sizeof(entry)};
    dir_commit(&fs, &super, &edit);
    dir_commit(&fs, &super, NULL);
    return LFS_OK;
}

/* Finds the directory where a new name is to go; `dir` is its last record. */
static int find_place(const struct lfs_fs *fs, const char *path, struct lfs_dir *dir, const char **name,
                      struct diag *diag)
{
    struct lfs_entry e;
    int err = lfs_find(fs, path, dir, &e, name, diag);
    if (!err) {
        diag_set(diag, "%s is there already", path);
        return LFS_ERR_EXIST;
    }
    if (err != LFS_ERR_NOENT || !*name)
        return err;
    if (strlen(*name) > LFS_NAME_MAX) {
        diag_set(diag, "the name %s is longer than %u bytes", *name, LFS_NAME_MAX);
        return LFS_ERR_INVAL;
    }
    diag_clear(diag);
    return LFS_OK;
}

int lfs_mkdir(struct lfs_fs *fs, const char *path, struct diag *diag)
{
    struct lfs_dir parent, dir;
    const char *name;
    int err = find_place(fs, path, &parent, &name, diag);
    if (err)
        return err;
    alloc_renew(fs);
    err = dir_alloc(fs, &dir, diag);
    if (err)
        return err;
    memcpy(dir.tail, parent.tail, sizeof(dir.tail));
    dir_commit(fs, &dir, NULL);

    const struct lfs_entry e = {.type = LFS_TYPE_DIR,
                                .elen = LFS_ENTRY_FIXED - LFS_ENTRY_PREFIX,
                                .nlen = (uint8_t)strlen(name),
                                .u = {dir.pair[0], dir.pair[1]}};
    memcpy(parent.tail, dir.pair, sizeof(parent.tail));
    err = dir_append(fs, &parent, &e, name, diag);
    if (!err)
        alloc_renew(fs);
    return err;
}

int lfs_remove(struct lfs_fs *fs, const char *path, struct diag *diag)
{
    struct lfs_dir parent, dir, before;
    struct lfs_entry e;
    int err = lfs_find(fs, path, &parent, &e, NULL, diag);
    if (err)
        return err;
    if (e.nlen == 0) {
        diag_set(diag, "the root directory cannot be removed");
        return LFS_ERR_INVAL;
    }
    if (lfs_is_dir(&e)) {
        err = lfs_dir_fetch(&fs->img, e.u, &dir, diag);
        if (err)
            return err;
        if (dir.size != LFS_DIR_HEADER + LFS_DIR_CRC) {
            diag_set(diag, "%s is not empty", path);
            return LFS_ERR_NOTEMPTY;
        }
    }
    err = dir_drop_entry(fs, &parent, &e, diag);
    if (err || !lfs_is_dir(&e))
        return err;
    err = find_predecessor(fs, dir.pair, &before, diag);
    if (err)
        return err;
    memcpy(before.tail, dir.tail, sizeof(before.tail));
    dir_commit(fs, &before, NULL);
    return LFS_OK;
}

/* --- files ----------------------------------------------------------------------------------------- */

/* Adds a block to the chain: a copy of the last one if that has room, else a new one with its pointers. */
static int chain_extend(struct lfs_fs *fs, struct chain *chain, uint32_t *off, struct diag *diag)
{
    uint32_t block;
    alloc_renew(fs);
    int err = alloc_block(fs, chain, &block, diag);
    if (err)
        return err;
    uint8_t *p = lfs_block(&fs->img, block);
    if (chain->pos == 0) {
        memset(p, 0xFF, LFS_BLOCK_SIZE);
        *off = 0;
    } else {
        uint32_t last, index = lfs_ctz_index(chain->pos - 1, &last);
        if (last + 1 < LFS_BLOCK_SIZE) {
            memmove(p, lfs_block(&fs->img, chain->block), last + 1);
            memset(p + last + 1, 0xFF, LFS_BLOCK_SIZE - (last + 1));
            *off = last + 1;
        } else {
            memset(p, 0xFF, LFS_BLOCK_SIZE);
            uint32_t target = chain->block;
            *off = lfs_ctz_header(index + 1);
            for (uint32_t at = 0; at < *off; at += 4) {
                if (target < 2 || target >= fs->img.block_count) {
                    diag_set(diag, "pointer %#" PRIx32 " in the skip list is outside 2..%" PRIu32, target,
                             fs->img.block_count - 1);
                    return LFS_ERR_CORRUPT;
                }
                write_le32(p + at, target);
                target = read_le32(lfs_block(&fs->img, target) + at);
            }
        }
    }
    chain->block = block;
    chain->begun = true;
    return LFS_OK;
}

/* Where the bytes of a file under change come from. */
struct contents {
    uint32_t old_head, old_size;
    const uint8_t *bytes; /* new ones, for offset..offset + len */
    uint32_t offset, len;
};

static int copy_old(const struct lfs_fs *fs, const struct contents *c, uint32_t pos, uint8_t *to,
                    uint32_t len, struct diag *diag)
{
    while (len) {
        uint32_t at, block;
        uint32_t n = lfs_ctz_index(pos, &at);
        int err = lfs_ctz_find(&fs->img, c->old_head, c->old_size, n, &block, diag);
        if (err)
            return err;
        uint32_t part = LFS_BLOCK_SIZE - at < len ? LFS_BLOCK_SIZE - at : len;
        memmove(to, lfs_block(&fs->img, block) + at, part); /* a broken file may share blocks */
        to += part;
        pos += part;
        len -= part;
    }
    return LFS_OK;
}

/* Fills `to` with the file's bytes from `pos` on; at most `room`, and only of one source. */
static int next_bytes(const struct lfs_fs *fs, const struct contents *c, uint32_t pos, uint8_t *to,
                      uint32_t *room, struct diag *diag)
{
    uint32_t end = c->offset + c->len;
    uint32_t until = pos < c->offset ? c->offset : pos < end ? end : c->old_size;
    if (until - pos < *room)
        *room = until - pos;
    if (pos >= c->offset && pos < end) {
        memcpy(to, c->bytes + (pos - c->offset), *room);
        return LFS_OK;
    }
    if (pos < c->old_size)
        return copy_old(fs, c, pos, to, *room, diag);
    memset(to, 0, *room);
    return LFS_OK;
}

static int write_chain(struct lfs_fs *fs, const struct contents *c, struct chain *chain, struct diag *diag)
{
    uint32_t end = c->offset + c->len > c->old_size ? c->offset + c->len : c->old_size;
    uint32_t off = LFS_BLOCK_SIZE;

    *chain = (struct chain){.block = LFS_NO_BLOCK, .pos = c->offset < c->old_size ? c->offset : c->old_size};
    if (chain->pos) {
        uint32_t at, n = lfs_ctz_index(chain->pos - 1, &at);
        int err = lfs_ctz_find(&fs->img, c->old_head, c->old_size, n, &chain->block, diag);
        if (err)
            return err;
    }
    while (chain->pos < end) {
        int err = LFS_OK;
        if (off == LFS_BLOCK_SIZE)
            err = chain_extend(fs, chain, &off, diag);
        if (err)
            return err;
        uint32_t part = LFS_BLOCK_SIZE - off;
        err = next_bytes(fs, c, chain->pos, lfs_block(&fs->img, chain->block) + off, &part, diag);
        if (err)
            return err;
        chain->pos += part;
        off += part;
        alloc_renew(fs);
    }
    return LFS_OK;
}

static int find_file(const struct lfs_fs *fs, const char *path, struct lfs_dir *dir, struct lfs_entry *e,
                     struct diag *diag)
{
    int err = lfs_find(fs, path, dir, e, NULL, diag);
    if (!err && lfs_is_dir(e)) {
        diag_set(diag, "%s is a directory, not a file", path);
        return LFS_ERR_ISDIR;
    }
    return err;
}

static int store(struct lfs_fs *fs, const char *path, struct lfs_dir *dir, struct lfs_entry *e,
                 const struct contents *c, struct diag *diag)
{
    struct chain chain;
    int err = write_chain(fs, c, &chain, diag);
    if (err) {
        diag_prefix(diag, "%s", path);
        return err;
    }
    e->u[0] = chain.block;
    e->u[1] = chain.pos;
    dir_update(fs, dir, e);
    return LFS_OK;
}

int lfs_file_write(struct lfs_fs *fs, const char *path, uint32_t offset, const void *bytes, uint32_t len,
                   struct diag *diag)
{
    struct lfs_dir dir;
    struct lfs_entry e;
    int err = find_file(fs, path, &dir, &e, diag);
    if (err || len == 0)
        return err;
    if (offset > INT32_MAX || len > INT32_MAX - offset) {
        diag_set(diag, "%s would be longer than 2 GiB", path);
        return LFS_ERR_INVAL;
    }
    const struct contents c = {
        .old_head = e.u[0], .old_size = e.u[1], .bytes = bytes, .offset = offset, .len = len};
    return store(fs, path, &dir, &e, &c, diag);
}

int lfs_file_replace(struct lfs_fs *fs, const char *path, const void *bytes, uint32_t len, struct diag *diag)
{
    struct lfs_dir dir;
    struct lfs_entry e;
    int err = find_file(fs, path, &dir, &e, diag);
    if (err || (len == 0 && e.u[1] == 0))
        return err;
    if (len > INT32_MAX) {
        diag_set(diag, "%s would be longer than 2 GiB", path);
        return LFS_ERR_INVAL;
    }
    const struct contents c = {.old_head = LFS_NO_BLOCK, .bytes = bytes, .len = len};
    return store(fs, path, &dir, &e, &c, diag);
}

int lfs_file_create(struct lfs_fs *fs, const char *path, const void *bytes, uint32_t len, struct diag *diag)
{
    struct lfs_dir dir;
    const char *name;
    int err = find_place(fs, path, &dir, &name, diag);
    if (err)
        return err;
    const struct lfs_entry e = {.type = LFS_TYPE_REG,
                                .elen = LFS_ENTRY_FIXED - LFS_ENTRY_PREFIX,
                                .nlen = (uint8_t)strlen(name),
                                .u = {LFS_NO_BLOCK, 0}};
    err = dir_append(fs, &dir, &e, name, diag);
    if (err)
        return err;
    return lfs_file_replace(fs, path, bytes, len, diag);
}
