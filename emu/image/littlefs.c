/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/littlefs.h"

#include "image/littlefs_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { VERSION_MAJOR = 1, VERSION_MINOR = 1 };

static bool inside(const struct lfs_image *img, uint32_t block)
{
    return block < img->block_count;
}

int lfs_image_init(struct lfs_image *img, uint8_t *data, size_t size, uint32_t block_count, struct diag *diag)
{
    if (block_count < 4 || block_count > LFS_BLOCK_COUNT_MAX) {
        diag_set(diag, "a LittleFS of %" PRIu32 " blocks: 4 to %u are possible", block_count,
                 LFS_BLOCK_COUNT_MAX);
        return LFS_ERR_INVAL;
    }
    if (size < (size_t)block_count * LFS_BLOCK_SIZE) {
        diag_set(diag, "%zu bytes are too few for a LittleFS of %" PRIu32 " blocks of %u bytes", size,
                 block_count, LFS_BLOCK_SIZE);
        return LFS_ERR_INVAL;
    }
    *img = (struct lfs_image){.data = data, .size = size, .block_count = block_count};
    return LFS_OK;
}

/* --- directory records ----------------------------------------------------------------------------- */

uint32_t lfs_crc(const uint8_t *bytes, uint32_t len)
{
    /* The format leaves out the final inversion that zlib does. */
    return ~(uint32_t)crc32(crc32(0, NULL, 0), bytes, len);
}

enum lfs_half lfs_dir_check_half(const struct lfs_image *img, uint32_t block, struct lfs_dir *out)
{
    if (!inside(img, block))
        return LFS_HALF_OUTSIDE;
    const uint8_t *p = lfs_block(img, block);
    *out = (struct lfs_dir){
        .rev = read_le32(p), .size = read_le32(p + 4), .tail = {read_le32(p + 8), read_le32(p + 12)}};
    uint32_t bytes = lfs_dir_bytes(out);
    if (bytes < LFS_DIR_HEADER + LFS_DIR_CRC || bytes > LFS_BLOCK_SIZE)
        return LFS_HALF_BAD_SIZE;
    uint32_t stored = read_le32(p + bytes - LFS_DIR_CRC);
    return stored == lfs_crc(p, bytes - LFS_DIR_CRC) ? LFS_HALF_GOOD : LFS_HALF_BAD_CRC;
}

void lfs_half_words(const struct lfs_image *img, uint32_t block, enum lfs_half half, char *buf, size_t size)
{
    const uint8_t *p = half == LFS_HALF_OUTSIDE ? NULL : lfs_block(img, block);
    switch (half) {
    case LFS_HALF_GOOD:
        snprintf(buf, size, "block %" PRIu32 " is good", block);
        break;
    case LFS_HALF_OUTSIDE:
        snprintf(buf, size, "block %#" PRIx32 " is outside 0..%" PRIu32, block, img->block_count - 1);
        break;
    case LFS_HALF_BAD_SIZE:
        snprintf(buf, size, "block %" PRIu32 " has size word %#" PRIx32 ", not 20..%u", block,
                 read_le32(p + 4), LFS_BLOCK_SIZE);
        break;
    case LFS_HALF_BAD_CRC: {
        uint32_t at = (read_le32(p + 4) & ~LFS_DIR_GOES_ON) - LFS_DIR_CRC;
        snprintf(buf, size,
                 "block %" PRIu32 " (revision %" PRIu32 ") has CRC %08" PRIx32
                 " but its bytes give %08" PRIx32,
                 block, read_le32(p), read_le32(p + at), lfs_crc(p, at));
        break;
    }
    }
}

int lfs_dir_fetch(const struct lfs_image *img, const uint32_t pair[2], struct lfs_dir *dir, struct diag *diag)
{
    const uint32_t wanted[2] = {pair[0], pair[1]}; /* `pair` may lie in `dir` */
    enum lfs_half halves[2];
    bool found = false;

    for (int i = 0; i < 2; i++) {
        struct lfs_dir test;
        halves[i] = lfs_dir_check_half(img, wanted[i], &test);
        if (halves[i] != LFS_HALF_GOOD || (found && (int32_t)(test.rev - dir->rev) < 0))
            continue;
        test.pair[0] = wanted[i];
        test.pair[1] = wanted[1 - i];
        *dir = test;
        found = true;
    }
    /* The device asks for both halves, and panics on one that is outside even if the other is good. */
    if (found && halves[0] != LFS_HALF_OUTSIDE && halves[1] != LFS_HALF_OUTSIDE)
        return LFS_OK;

    char words[2][128];
    for (int i = 0; i < 2; i++)
        lfs_half_words(img, wanted[i], halves[i], words[i], sizeof(words[i]));
    diag_set(diag, "%s; %s", words[0], words[1]);
    return LFS_ERR_CORRUPT;
}

bool lfs_dir_next(const struct lfs_image *img, const struct lfs_dir *dir, uint32_t *off, struct lfs_entry *e)
{
    if (*off + LFS_ENTRY_FIXED > lfs_dir_bytes(dir) - LFS_DIR_CRC)
        return false;
    const uint8_t *p = lfs_block(img, dir->pair[0]) + *off;
    *e = (struct lfs_entry){.off = *off,
                            .type = p[0],
                            .elen = p[1],
                            .alen = p[2],
                            .nlen = p[3],
                            .u = {read_le32(p + 4), read_le32(p + 8)}};
    *off += lfs_entry_bytes(e);
    return true;
}

const uint8_t *lfs_entry_name(const struct lfs_image *img, const struct lfs_dir *dir,
                              const struct lfs_entry *e, uint32_t *len)
{
    uint32_t at = e->off + LFS_ENTRY_PREFIX + e->elen + e->alen;
    uint32_t end = at + e->nlen;
    if (at > LFS_BLOCK_SIZE)
        at = LFS_BLOCK_SIZE;
    if (end > LFS_BLOCK_SIZE)
        end = LFS_BLOCK_SIZE;
    *len = end - at;
    return lfs_block(img, dir->pair[0]) + at;
}

/* --- the skip list of a file ----------------------------------------------------------------------- */

/* Bytes of file data in the blocks before the n-th: pointer words in blocks 1..m number 2m - popcount(m). */
static uint64_t bytes_before(uint64_t n)
{
    if (n == 0)
        return 0;
    uint64_t ones = 0;
    for (uint64_t v = n - 1; v; v &= v - 1)
        ones++;
    return n * LFS_BLOCK_SIZE - 4 * (2 * (n - 1) - ones);
}

uint32_t lfs_ctz_index(uint32_t pos, uint32_t *off)
{
    uint64_t n = pos / LFS_BLOCK_SIZE;
    while (bytes_before(n + 1) <= pos)
        n++;
    *off = (uint32_t)(pos - bytes_before(n)) + lfs_ctz_header((uint32_t)n);
    return (uint32_t)n;
}

uint32_t lfs_blocks_for_size(uint32_t size)
{
    uint32_t off;
    return size ? lfs_ctz_index(size - 1, &off) + 1 : 0;
}

uint32_t lfs_size_of_blocks(uint32_t blocks)
{
    uint64_t bytes = bytes_before(blocks);
    return bytes > INT32_MAX ? INT32_MAX : (uint32_t)bytes;
}

/* The largest power of two that both divides `at` and does not pass `target`, as an exponent. */
static unsigned widest_skip(uint32_t at, uint32_t target)
{
    unsigned skip = 0;
    while (skip < lfs_trailing_zeros(at) && ((uint64_t)2 << skip) <= at - target)
        skip++;
    return skip;
}

int lfs_ctz_find(const struct lfs_image *img, uint32_t head, uint32_t size, uint32_t n, uint32_t *block,
                 struct diag *diag)
{
    uint32_t at = lfs_blocks_for_size(size) - 1;
    if (at >= img->block_count) {
        diag_set(diag, "a size of %" PRIu32 " bytes takes more blocks than there are", size);
        return LFS_ERR_CORRUPT;
    }
    if (!inside(img, head)) {
        diag_set(diag, "head block %#" PRIx32 " is outside 0..%" PRIu32, head, img->block_count - 1);
        return LFS_ERR_CORRUPT;
    }
    while (at > n) {
        unsigned skip = widest_skip(at, n);
        uint32_t next = read_le32(lfs_block(img, head) + 4 * skip);
        if (next < 2 || !inside(img, next)) {
            diag_set(diag, "pointer %u in flash block %" PRIu32 " is %#" PRIx32 ", not 2..%" PRIu32, skip,
                     head, next, img->block_count - 1);
            return LFS_ERR_CORRUPT;
        }
        head = next;
        at -= (uint32_t)1 << skip;
    }
    *block = head;
    return LFS_OK;
}

/* --- paths ----------------------------------------------------------------------------------------- */

bool lfs_moved_away(const struct lfs_fs *fs, const struct lfs_entry *moving)
{
    static const uint32_t superblock[2] = {0, 1};
    struct lfs_dir dir;
    int err = lfs_dir_fetch(&fs->img, superblock, &dir, NULL);

    for (uint32_t i = 0; !err && i < fs->img.block_count && !lfs_pair_is_null(dir.tail); i++) {
        err = lfs_dir_fetch(&fs->img, dir.tail, &dir, NULL);
        uint32_t off = LFS_DIR_HEADER;
        struct lfs_entry e;
        while (!err && lfs_dir_next(&fs->img, &dir, &off, &e)) {
            if (!(e.type & LFS_TYPE_MOVING) && e.u[0] == moving->u[0] && e.u[1] == moving->u[1])
                return true;
        }
    }
    return false;
}

static bool entry_is(const struct lfs_fs *fs, const struct lfs_dir *dir, const struct lfs_entry *e,
                     const char *name, size_t len)
{
    if (!lfs_is_file(e) && !lfs_is_dir(e))
        return false;
    uint32_t have;
    const uint8_t *bytes = lfs_entry_name(&fs->img, dir, e, &have);
    if (have != len || memcmp(bytes, name, len) != 0)
        return false;
    return !(e->type & LFS_TYPE_MOVING) || !lfs_moved_away(fs, e);
}

/* Looks for one name in a directory, through all its records. */
static int find_name(const struct lfs_fs *fs, const uint32_t pair[2], const char *name, size_t len,
                     struct lfs_dir *dir, struct lfs_entry *e, struct diag *diag)
{
    const uint32_t *next = pair;
    for (uint32_t i = 0; i <= fs->img.block_count; i++) {
        int err = lfs_dir_fetch(&fs->img, next, dir, diag);
        if (err)
            return err;
        uint32_t off = LFS_DIR_HEADER;
        while (lfs_dir_next(&fs->img, dir, &off, e)) {
            if (entry_is(fs, dir, e, name, len)) {
                e->type &= (uint8_t)~LFS_TYPE_MOVING;
                return LFS_OK;
            }
        }
        if (!(dir->size & LFS_DIR_GOES_ON))
            return LFS_ERR_NOENT;
        next = dir->tail;
    }
    diag_set(diag, "the records of the directory at blocks %" PRIu32 " and %" PRIu32 " go round in a circle",
             pair[0], pair[1]);
    return LFS_ERR_CORRUPT;
}

int lfs_find(const struct lfs_fs *fs, const char *path, struct lfs_dir *dir, struct lfs_entry *e,
             const char **last, struct diag *diag)
{
    *e = (struct lfs_entry){.type = LFS_TYPE_DIR, .u = {fs->root[0], fs->root[1]}};
    if (last)
        *last = NULL;
    int err = lfs_dir_fetch(&fs->img, fs->root, dir, diag);
    if (err) {
        diag_prefix(diag, "root directory");
        return err;
    }
    const char *at = path + strspn(path, "/");
    while (*at) {
        size_t len = strcspn(at, "/");
        int before = (int)(at - path);
        if (!lfs_is_dir(e)) {
            diag_set(diag, "%.*s is a file, not a directory", before - 1, path);
            return LFS_ERR_NOTDIR;
        }
        const uint32_t pair[2] = {e->u[0], e->u[1]};
        err = find_name(fs, pair, at, len, dir, e, diag);
        if (err == LFS_ERR_NOENT) {
            if (last && !strchr(at, '/'))
                *last = at;
            diag_set(diag, "%.*s is not there", before + (int)len, path);
            return err;
        }
        if (err) {
            diag_prefix(diag, "directory %.*s", before, path);
            return err;
        }
        at += len;
        at += strspn(at, "/");
    }
    return LFS_OK;
}

int lfs_stat(const struct lfs_fs *fs, const char *path, struct lfs_stat *out, struct diag *diag)
{
    struct lfs_dir dir;
    struct lfs_entry e;
    int err = lfs_find(fs, path, &dir, &e, NULL, diag);
    if (err)
        return err;
    bool is_dir = lfs_is_dir(&e);
    *out = (struct lfs_stat){.is_dir = is_dir,
                             .size = is_dir ? 0 : e.u[1],
                             .head = is_dir ? LFS_NO_BLOCK : e.u[0],
                             .pair = {dir.pair[0], dir.pair[1]},
                             .entry_at = e.off};
    return LFS_OK;
}

/* --- reading --------------------------------------------------------------------------------------- */

static int stat_file(const struct lfs_fs *fs, const char *path, struct lfs_stat *out, struct diag *diag)
{
    int err = lfs_stat(fs, path, out, diag);
    if (!err && out->is_dir) {
        diag_set(diag, "%s is a directory, not a file", path);
        return LFS_ERR_ISDIR;
    }
    return err;
}

/* Where the bytes of a file from `offset` on lie: `*there`, and how many of `len` lie there in one piece. */
static int locate(const struct lfs_image *img, const struct lfs_stat *st, uint32_t offset, uint32_t len,
                  uint8_t **there, uint32_t *part, struct diag *diag)
{
    uint32_t at, block;
    uint32_t n = lfs_ctz_index(offset, &at);
    int err = lfs_ctz_find(img, st->head, st->size, n, &block, diag);
    if (err)
        return err;
    *there = lfs_block(img, block) + at;
    *part = LFS_BLOCK_SIZE - at < len ? LFS_BLOCK_SIZE - at : len;
    return LFS_OK;
}

static int stat_range(const struct lfs_fs *fs, const char *path, uint32_t offset, uint32_t len,
                      struct lfs_stat *st, struct diag *diag)
{
    int err = stat_file(fs, path, st, diag);
    if (!err && (offset > st->size || len > st->size - offset)) {
        diag_set(diag, "%s has %" PRIu32 " bytes: %" PRIu32 " bytes from %" PRIu32 " on are more than that",
                 path, st->size, len, offset);
        return LFS_ERR_INVAL;
    }
    return err;
}

int lfs_file_read(const struct lfs_fs *fs, const char *path, uint32_t offset, void *buf, uint32_t len,
                  struct diag *diag)
{
    struct lfs_stat st;
    uint8_t *out = buf, *there;
    int err = stat_range(fs, path, offset, len, &st, diag);
    if (err)
        return err;
    for (uint32_t part; len; out += part, offset += part, len -= part) {
        err = locate(&fs->img, &st, offset, len, &there, &part, diag);
        if (err) {
            diag_prefix(diag, "%s", path);
            return err;
        }
        memcpy(out, there, part);
    }
    return LFS_OK;
}

int lfs_file_patch(struct lfs_fs *fs, const char *path, uint32_t offset, const void *bytes, uint32_t len,
                   struct diag *diag)
{
    struct lfs_stat st;
    const uint8_t *in = bytes;
    uint8_t *there;
    int err = stat_range(fs, path, offset, len, &st, diag);
    if (err)
        return err;
    for (uint32_t part; len; in += part, offset += part, len -= part) {
        err = locate(&fs->img, &st, offset, len, &there, &part, diag);
        if (err) {
            diag_prefix(diag, "%s", path);
            return err;
        }
        memcpy(there, in, part);
    }
    return LFS_OK;
}

int lfs_file_load(const struct lfs_fs *fs, const char *path, uint8_t **bytes, uint32_t *len,
                  struct diag *diag)
{
    struct lfs_stat st;
    int err = stat_file(fs, path, &st, diag);
    if (err)
        return err;
    if (st.size > fs->img.size) {
        diag_set(diag, "%s claims %" PRIu32 " bytes, more than the flash has", path, st.size);
        return LFS_ERR_CORRUPT;
    }
    uint8_t *buf = malloc(st.size ? st.size : 1);
    if (!buf) {
        diag_set(diag, "no memory for the %" PRIu32 " bytes of %s", st.size, path);
        return LFS_ERR_NOMEM;
    }
    err = lfs_file_read(fs, path, 0, buf, st.size, diag);
    if (err) {
        free(buf);
        return err;
    }
    *bytes = buf;
    *len = st.size;
    return LFS_OK;
}

int lfs_file_block(const struct lfs_fs *fs, const char *path, uint32_t n, uint32_t *block, struct diag *diag)
{
    struct lfs_stat st;
    int err = stat_file(fs, path, &st, diag);
    if (err)
        return err;
    uint32_t count = lfs_blocks_for_size(st.size);
    if (n >= count) {
        diag_set(diag, "%s has %" PRIu32 " blocks: there is no block %" PRIu32 " (the first is 0)", path,
                 count, n);
        return LFS_ERR_INVAL;
    }
    err = lfs_ctz_find(&fs->img, st.head, st.size, n, block, diag);
    if (err)
        diag_prefix(diag, "%s", path);
    return err;
}

/* --- mounting and the allocator's walk ------------------------------------------------------------- */

int lfs_image_mount(const struct lfs_image *img, struct lfs_fs *fs, struct diag *diag)
{
    static const uint32_t superblock[2] = {0, 1};
    struct lfs_dir dir;
    int err = lfs_dir_fetch(img, superblock, &dir, diag);
    if (err) {
        diag_prefix(diag, "superblock");
        return err;
    }
    const uint8_t *p = lfs_block(img, dir.pair[0]) + LFS_DIR_HEADER;
    if (memcmp(p + 24, "littlefs", 8) != 0) {
        diag_set(diag, "superblock: block %" PRIu32 " lacks the word \"littlefs\" at byte %d", dir.pair[0],
                 LFS_DIR_HEADER + 24);
        return LFS_ERR_CORRUPT;
    }
    uint32_t version = read_le32(p + 20);
    if (version >> 16 != VERSION_MAJOR || (version & 0xFFFF) > VERSION_MINOR) {
        diag_set(diag, "superblock: on-disk version %" PRIu32 ".%" PRIu32 "; only 1.0 and 1.1 are known",
                 version >> 16, version & 0xFFFF);
        return LFS_ERR_CORRUPT;
    }
    *fs = (struct lfs_fs){.img = *img, .root = {read_le32(p + 4), read_le32(p + 8)}};
    fs->alloc.left = img->block_count;
    return LFS_OK;
}

int lfs_ctz_traverse(const struct lfs_image *img, uint32_t head, uint32_t size, lfs_block_fn fn, void *ctx,
                     struct diag *diag)
{
    uint32_t index = lfs_blocks_for_size(size);
    if (index == 0)
        return LFS_OK;
    if (index > img->block_count) {
        diag_set(diag, "a size of %" PRIu32 " bytes takes more blocks than there are", size);
        return LFS_ERR_CORRUPT;
    }
    index--;
    for (;;) {
        int err = fn(ctx, head);
        if (err || index == 0)
            return err;
        if (!inside(img, head)) {
            diag_set(diag, "block %" PRIu32 " of the file would be at %#" PRIx32 ", outside 0..%" PRIu32,
                     index + 1, head, img->block_count - 1);
            return LFS_ERR_CORRUPT;
        }
        const uint8_t *p = lfs_block(img, head);
        if (index & 1) {
            head = read_le32(p);
            index -= 1;
        } else {
            err = fn(ctx, read_le32(p));
            if (err)
                return err;
            head = read_le32(p + 4);
            index -= 2;
        }
    }
}

static int traverse_entries(const struct lfs_image *img, const struct lfs_dir *dir, lfs_block_fn fn,
                            void *ctx, struct diag *diag)
{
    uint32_t off = LFS_DIR_HEADER;
    struct lfs_entry e;
    while (lfs_dir_next(img, dir, &off, &e)) {
        /* Only this part of the type is looked at, so files with an unknown subtype count as well. */
        if ((e.type & 0x70) != (LFS_TYPE_REG & 0x70))
            continue;
        int err = lfs_ctz_traverse(img, e.u[0], e.u[1], fn, ctx, diag);
        if (err) {
            uint32_t len;
            const uint8_t *name = lfs_entry_name(img, dir, &e, &len);
            diag_prefix(diag, "file \"%.*s\" in the directory at block %" PRIu32, (int)len,
                        (const char *)name, dir->pair[0]);
            return err;
        }
    }
    return LFS_OK;
}

int lfs_traverse(const struct lfs_image *img, lfs_block_fn fn, void *ctx, struct diag *diag)
{
    uint32_t pair[2] = {0, 1};
    for (uint32_t i = 0; i <= img->block_count; i++) {
        int err = fn(ctx, pair[0]);
        if (!err)
            err = fn(ctx, pair[1]);
        if (err)
            return err;
        struct lfs_dir dir;
        err = lfs_dir_fetch(img, pair, &dir, diag);
        if (err) {
            diag_prefix(diag, "directory pair %" PRIu32 "/%" PRIu32, pair[0], pair[1]);
            return err;
        }
        err = traverse_entries(img, &dir, fn, ctx, diag);
        if (err)
            return err;
        if (lfs_pair_is_null(dir.tail))
            return LFS_OK;
        memcpy(pair, dir.tail, sizeof(pair));
    }
    diag_set(diag, "the thread of directories goes round in a circle");
    return LFS_ERR_CORRUPT;
}
