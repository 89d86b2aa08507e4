/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One look over a whole LittleFS: all files and directories, who has which block, what is wrong and where,
 * and how two file systems differ.
 *
 * Modelled: what LittleFS v1.7.2 makes of an image, sound or not. Names, pairs and blocks are found as the
 * device finds them; a finding says when the device's code would panic (its assertions are left in) or loop.
 *
 * Not modelled: repair. What the device would clean up before its next change of a directory is a finding.
 */
#ifndef SOSIM_IMAGE_LITTLEFS_SCAN_H
#define SOSIM_IMAGE_LITTLEFS_SCAN_H

#include "image/littlefs.h"

struct lfs_node {
    char *path; /* absolute; "/" for the root */
    bool is_dir;
    bool intact;      /* every block of it can be reached */
    uint32_t size;    /* file: bytes */
    uint32_t head;    /* file: its last block, LFS_NO_BLOCK when empty */
    uint32_t pair[2]; /* file: the pair that lists it, newer block first; directory: its first pair */
    uint32_t *blocks; /* file: in order, LFS_NO_BLOCK if not to be reached; directory: newer, older, ... */
    uint32_t block_count;
};

struct lfs_finding {
    uint32_t block;    /* where it is seen, or LFS_NO_BLOCK */
    bool stops_device; /* the device's code panics or loops when it comes by */
    char text[280];
};

enum lfs_owner_kind { LFS_OWNER_NONE, LFS_OWNER_SUPERBLOCK, LFS_OWNER_DIR, LFS_OWNER_FILE, LFS_OWNER_LOST };

struct lfs_owner {
    enum lfs_owner_kind kind; /* LOST: the allocator counts it as in use, but nothing that is listed has it */
    size_t node;              /* DIR and FILE: index in nodes */
    uint32_t nth;             /* index in the node's blocks; SUPERBLOCK: 0 is the newer */
};

/* The caller releases it with lfs_scan_free(). */
struct lfs_scan {
    struct lfs_node *nodes; /* the root first, each directory before what it holds */
    size_t node_count;
    struct lfs_finding *findings;
    size_t finding_count;
    struct lfs_owner *owners; /* one a block */
    uint32_t block_count;
    uint32_t free_blocks; /* as the device's allocator counts; 0 if it would not get through */
};

/* Fails only for want of memory; whatever is wrong with the file system becomes a finding. */
int lfs_scan(const struct lfs_fs *fs, struct lfs_scan *out, struct diag *diag);
void lfs_scan_free(struct lfs_scan *scan);

/* The node of a path, or NULL. */
const struct lfs_node *lfs_scan_find(const struct lfs_scan *scan, const char *path);

/*
 * Says what a block is for: "/sys/dct.bin block 2 of 3", "directory /usr, newer of pair 6/7", "superblock,
 * older of pair 0/1", "free". Returns `buf`. Any block number may be asked for.
 */
const char *lfs_block_owner(const struct lfs_scan *scan, uint32_t block, char *buf, size_t size);

enum lfs_change { LFS_LOST, LFS_ADDED, LFS_CHANGED, LFS_UNREADABLE };

struct lfs_difference {
    char *path;
    enum lfs_change change;
    bool is_dir;
    uint32_t old_size, new_size; /* bytes; of a directory 0 */
    uint32_t first;              /* CHANGED: offset of the first byte that differs */
};

/* The caller releases it with lfs_files_diff_free(). */
struct lfs_differences {
    struct lfs_difference *items;
    size_t count;
};

/* What became of the files of `was`, in the order of the old file system, then what is new in `is`. */
int lfs_files_diff(const struct lfs_fs *was, const struct lfs_fs *is, struct lfs_differences *out,
                   struct diag *diag);
void lfs_files_diff_free(struct lfs_differences *diffs);

/* "/usr/log.txt lost (24000 bytes)". Returns `buf`. */
const char *lfs_difference_words(const struct lfs_difference *diff, char *buf, size_t size);

#endif
