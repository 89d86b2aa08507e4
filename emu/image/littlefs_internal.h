/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the LittleFS view share: the on-disk records of LittleFS v1 (SPEC.md of v1.7.2).
 *
 * Not for use outside emu/image/littlefs*.c. Functions here check block numbers against the image, so that
 * no image, however broken, leads outside the buffer.
 */
#ifndef SOSIM_IMAGE_LITTLEFS_INTERNAL_H
#define SOSIM_IMAGE_LITTLEFS_INTERNAL_H

#include "image/bytes.h"
#include "image/littlefs.h"

enum {
    LFS_TYPE_REG = 0x11,
    LFS_TYPE_DIR = 0x22,
    LFS_TYPE_SUPERBLOCK = 0x2E,
    LFS_TYPE_MOVING = 0x80, /* flag: a rename of this entry was begun */
    LFS_DIR_HEADER = 16,    /* revision, size, tail pair */
    LFS_DIR_CRC = 4,
    LFS_ENTRY_FIXED = 12, /* type, three lengths, two words */
    LFS_ENTRY_PREFIX = 4,
    LFS_SUPERBLOCK_ENTRY = 32
};

#define LFS_DIR_GOES_ON 0x80000000u /* in the size word: the tail pair is more of the same directory */

/* The record that counts of a pair. */
struct lfs_dir {
    uint32_t pair[2]; /* newer block first */
    uint32_t rev;
    uint32_t size; /* bytes with header and CRC, and LFS_DIR_GOES_ON */
    uint32_t tail[2];
};

struct lfs_entry {
    uint32_t off; /* of the entry in the block */
    uint8_t type;
    uint8_t elen, alen, nlen; /* bytes of fixed part beyond the first word, attributes, name */
    uint32_t u[2];            /* file: head and size; directory: pair */
};

/* How one block of a pair fares as a directory record. */
enum lfs_half { LFS_HALF_GOOD, LFS_HALF_OUTSIDE, LFS_HALF_BAD_SIZE, LFS_HALF_BAD_CRC };

static inline uint8_t *lfs_block(const struct lfs_image *img, uint32_t block)
{
    return img->data + (size_t)block * LFS_BLOCK_SIZE;
}

static inline uint32_t lfs_dir_bytes(const struct lfs_dir *dir)
{
    return dir->size & ~LFS_DIR_GOES_ON;
}

static inline uint32_t lfs_entry_bytes(const struct lfs_entry *e)
{
    return (uint32_t)LFS_ENTRY_PREFIX + e->elen + e->alen + e->nlen;
}

static inline bool lfs_is_file(const struct lfs_entry *e)
{
    return (e->type & 0x7F) == LFS_TYPE_REG;
}

static inline bool lfs_is_dir(const struct lfs_entry *e)
{
    return (e->type & 0x7F) == LFS_TYPE_DIR;
}

static inline bool lfs_pair_is_null(const uint32_t pair[2])
{
    return pair[0] == LFS_NO_BLOCK || pair[1] == LFS_NO_BLOCK;
}

/* Pairs count as the same when they share a block: one half may have been moved. */
static inline bool lfs_pair_same(const uint32_t a[2], const uint32_t b[2])
{
    return a[0] == b[0] || a[1] == b[1] || a[0] == b[1] || a[1] == b[0];
}

static inline unsigned lfs_trailing_zeros(uint32_t v)
{
    unsigned n = 0;
    while (v && !(v & 1)) {
        v >>= 1;
        n++;
    }
    return n;
}

/* Bytes of pointers at the start of a file's n-th block. */
static inline uint32_t lfs_ctz_header(uint32_t n)
{
    return n ? 4 * (lfs_trailing_zeros(n) + 1) : 0;
}

/* The CRC-32 that closes a directory record, over `len` bytes before it. */
uint32_t lfs_crc(const uint8_t *bytes, uint32_t len);

/* Which block of a file has byte `pos`, and where in that block. Sizes are up to 32 bits. */
uint32_t lfs_ctz_index(uint32_t pos, uint32_t *off);

/*
 * Follows the skip list as the device's reads do. `size` must not be 0 and `n` must be within it.
 * LFS_ERR_CORRUPT, with `diag` naming the pointer, if one leads outside the image.
 */
int lfs_ctz_find(const struct lfs_image *img, uint32_t head, uint32_t size, uint32_t n, uint32_t *block,
                 struct diag *diag);

enum lfs_half lfs_dir_check_half(const struct lfs_image *img, uint32_t block, struct lfs_dir *out);

/* Says in words why a half is no good. */
void lfs_half_words(const struct lfs_image *img, uint32_t block, enum lfs_half half, char *buf, size_t size);

/* Reads the newer good half of a pair. */
int lfs_dir_fetch(const struct lfs_image *img, const uint32_t pair[2], struct lfs_dir *dir,
                  struct diag *diag);

/* Steps through one record's entries; `*off` starts at LFS_DIR_HEADER. False at the end. */
bool lfs_dir_next(const struct lfs_image *img, const struct lfs_dir *dir, uint32_t *off, struct lfs_entry *e);

/* The entry's name, not terminated; `*len` is cut to what lies in the block. */
const uint8_t *lfs_entry_name(const struct lfs_image *img, const struct lfs_dir *dir,
                              const struct lfs_entry *e, uint32_t *len);

/* True if the entry's rename was finished, that is, if the same thing is listed elsewhere. */
bool lfs_moved_away(const struct lfs_fs *fs, const struct lfs_entry *e);

/*
 * Finds a path. On LFS_OK `dir` and `e` are the record and the entry; for "/" the entry has nlen 0 and the
 * root pair. On LFS_ERR_NOENT with `*last` not NULL only the last name is missing: `dir` is the last record
 * of its directory and `*last` the name.
 */
int lfs_find(const struct lfs_fs *fs, const char *path, struct lfs_dir *dir, struct lfs_entry *e,
             const char **last, struct diag *diag);

typedef int (*lfs_block_fn)(void *ctx, uint32_t block);

/* Calls fn for each block of a file as the device's allocator walks it; a call that is not 0 ends it. */
int lfs_ctz_traverse(const struct lfs_image *img, uint32_t head, uint32_t size, lfs_block_fn fn, void *ctx,
                     struct diag *diag);

/*
 * Calls fn for each block in use, in the order of the device's allocator, and fails where the device would
 * panic or never end. Block numbers given to fn may be outside the image: the device does not look either.
 */
int lfs_traverse(const struct lfs_image *img, lfs_block_fn fn, void *ctx, struct diag *diag);

#endif
