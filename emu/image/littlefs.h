/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The LittleFS of an external flash, seen and changed from outside the device.
 *
 * Format: LittleFS version 1 (on-disk version 1.1), as Device OS uses it: 4096-byte blocks, 512 of them on
 * a Boron (the lower 2 MiB of the external flash). Sources: LittleFS v1.7.2 SPEC.md and DESIGN.md; Device OS
 * 2.0.1 hal/src/nRF52840/littlefs/filesystem.h.
 *
 * In short: a directory is a pair of blocks, of which the one with the newer revision and a good CRC counts.
 * All pairs hang on one thread, in which each names the next (its tail), from the superblock pair 0/1 on; the
 * allocator finds what is in use by walking it. A file is a skip list walked from its last block (its head):
 * block n starts with one pointer for each power of two that divides n, the k-th naming block n - 2^k. File
 * data has no checksum, so it can be patched where it lies.
 *
 * Modelled: format; mount; reading; a check of everything that can be checked, which knows where the device's
 * code would panic or loop; and writing that chooses blocks, commits directories and pads just as the
 * device's code does, so that an image made here equals, bit for bit, the one the device would have made by
 * the same calls after the same mount. Bytes are set as if each block had been erased before.
 *
 * Not modelled: rename; removal of orphaned directories and half-done renames (reported, not repaired);
 * moving away from bad blocks, as there are none in a buffer; power cuts in the middle of a call.
 *
 * All functions work on the caller's buffer and keep nothing between calls but what is in the caller's
 * structs. Functions that return int return 0 or a negative enum lfs_err and then fill `diag` (may be NULL).
 * Paths are absolute, with '/' between names; "." and ".." have no meaning. No function may be given an
 * image smaller than block_count blocks: lfs_image_init() checks that once.
 */
#ifndef SOSIM_IMAGE_LITTLEFS_H
#define SOSIM_IMAGE_LITTLEFS_H

#include "core/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LFS_BLOCK_SIZE      4096u
#define LFS_BLOCK_COUNT     512u   /* a Boron's */
#define LFS_BLOCK_COUNT_MAX 16384u /* 64 MiB: no board has more */
#define LFS_NAME_MAX        255u
#define LFS_NO_BLOCK        0xFFFFFFFFu
#define LFS_LOOKAHEAD       128u /* blocks that the allocator looks at in one go */

enum lfs_err {
    LFS_OK = 0,
    LFS_ERR_CORRUPT = -1,  /* the image breaks the format's rules */
    LFS_ERR_NOENT = -2,    /* no such file or directory */
    LFS_ERR_EXIST = -3,    /* the name is taken */
    LFS_ERR_NOTDIR = -4,   /* a part of the path is a file */
    LFS_ERR_ISDIR = -5,    /* the path names a directory */
    LFS_ERR_NOTEMPTY = -6, /* the directory to be removed holds something */
    LFS_ERR_NOSPC = -7,    /* no free block is left */
    LFS_ERR_INVAL = -8,    /* an argument is out of range */
    LFS_ERR_NOMEM = -9
};

/* A byte buffer that holds the file system from its first byte on. The caller owns the buffer. */
struct lfs_image {
    uint8_t *data;
    size_t size;          /* bytes in `data`; may be more than the file system takes */
    uint32_t block_count; /* blocks of LFS_BLOCK_SIZE that the file system takes */
};

/* A mounted file system. A plain value: copying it is fine, and there is nothing to release. */
struct lfs_fs {
    struct lfs_image img;
    uint32_t root[2]; /* the root directory's pair, as the superblock names it */
    /* The allocator's window; it starts at block 0 after each mount. */
    struct {
        uint32_t start, length; /* blocks looked at */
        uint32_t next;          /* next candidate, counted from start */
        uint32_t left;          /* blocks that may still be looked at before the flash counts as full */
        uint8_t in_use[LFS_LOOKAHEAD / 8];
    } alloc;
};

/* Fills `img`. LFS_ERR_INVAL if `size` is too small or `block_count` is not in 4..LFS_BLOCK_COUNT_MAX. */
int lfs_image_init(struct lfs_image *img, uint8_t *data, size_t size, uint32_t block_count,
                   struct diag *diag);

/*
 * Makes an empty file system: superblock in blocks 0 and 1, root directory in 2 and 3. Like the device's
 * code it takes revision counts on from what the blocks held, so only an erased image gives always the same
 * bytes. Other blocks are left alone.
 */
int lfs_image_format(struct lfs_image *img, struct diag *diag);

/* Makes `fs` from an image as the device's mount would; on failure says what is wrong with which block. */
int lfs_image_mount(const struct lfs_image *img, struct lfs_fs *fs, struct diag *diag);

/* --- looking --------------------------------------------------------------------------------------- */

struct lfs_stat {
    bool is_dir;
    uint32_t size;     /* file: bytes; directory: 0 */
    uint32_t head;     /* file: its last block, LFS_NO_BLOCK when empty; directory: LFS_NO_BLOCK */
    uint32_t pair[2];  /* the pair that holds the entry, newer block first; for "/" the root pair */
    uint32_t entry_at; /* file: byte offset of its entry in pair[0] */
};

int lfs_stat(const struct lfs_fs *fs, const char *path, struct lfs_stat *out, struct diag *diag);

/* Reads `len` bytes from `offset` on; LFS_ERR_INVAL if the file ends before. */
int lfs_file_read(const struct lfs_fs *fs, const char *path, uint32_t offset, void *buf, uint32_t len,
                  struct diag *diag);

/* Reads a whole file into a new buffer that the caller frees; an empty file gives a buffer all the same. */
int lfs_file_load(const struct lfs_fs *fs, const char *path, uint8_t **bytes, uint32_t *len,
                  struct diag *diag);

/* The number of the block that holds the file's n-th block of data (0 is the first). */
int lfs_file_block(const struct lfs_fs *fs, const char *path, uint32_t n, uint32_t *block, struct diag *diag);

/* How many blocks a file of `size` bytes takes. */
uint32_t lfs_blocks_for_size(uint32_t size);

/* The largest file, in bytes, that takes `blocks` blocks. */
uint32_t lfs_size_of_blocks(uint32_t blocks);

/* Blocks in use by nothing, as the device's allocator would count them. */
int lfs_free_blocks(const struct lfs_fs *fs, uint32_t *count, struct diag *diag);

/* --- writing --------------------------------------------------------------------------------------- */

int lfs_mkdir(struct lfs_fs *fs, const char *path, struct diag *diag);

/* Makes a file as open-create, write, close would. If space runs out the file stays there, empty. */
int lfs_file_create(struct lfs_fs *fs, const char *path, const void *bytes, uint32_t len, struct diag *diag);

/* Gives an existing file new contents, as open-truncate, write, close would. */
int lfs_file_replace(struct lfs_fs *fs, const char *path, const void *bytes, uint32_t len, struct diag *diag);

/*
 * Writes into an existing file as open, seek, write, close would: everything from the block of `offset` on
 * moves to new blocks. Writing beyond the end grows the file, with zeros in between.
 */
int lfs_file_write(struct lfs_fs *fs, const char *path, uint32_t offset, const void *bytes, uint32_t len,
                   struct diag *diag);

/* Overwrites bytes of an existing file where they lie, which the device itself never does. */
int lfs_file_patch(struct lfs_fs *fs, const char *path, uint32_t offset, const void *bytes, uint32_t len,
                   struct diag *diag);

/* Removes a file or an empty directory. */
int lfs_remove(struct lfs_fs *fs, const char *path, struct diag *diag);

#endif
