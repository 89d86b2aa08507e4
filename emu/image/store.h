/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The published images that a board file names, kept in a cache outside any source tree.
 *
 * The cache is $SOSIM_CACHE, else $XDG_CACHE_HOME/sosim, else ~/.cache/sosim; an image lies in it at
 * images/<board>/<Device OS version>/<file name>. Fetching asks npm for the package, checks size and SHA-256
 * of every image, and only then moves them in with rename(), so that what is in the cache is whole. Loading
 * checks the SHA-256 again: what runs is what was published, or nothing.
 *
 * Not modelled: getting rid of old images. Deleting the cache directory at any time is fine.
 */
#ifndef SOSIM_IMAGE_STORE_H
#define SOSIM_IMAGE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "core/diag.h"
#include "image/board_images.h"

#define STORE_PATH_SIZE 1024

enum store_result {
    STORE_OK = 0,
    STORE_UNKNOWN = -1,      /* the board file knows no such version or kind */
    STORE_MISSING = -2,      /* not fetched yet; `why` says how to */
    STORE_DAMAGED = -3,      /* in the cache, but not the bytes that were published */
    STORE_UNREADABLE = -4,   /* the cache directory or a file in it cannot be used */
    STORE_FETCH_FAILED = -5, /* npm or tar could not do it, or what came is not what was published */
    STORE_OUT_OF_MEMORY = -6,
};

/* The cache directory, which need not exist. */
int store_directory(char path[STORE_PATH_SIZE], struct diag *why);

/* The path of an image in the cache. STORE_OK only if it is there; its bytes are not checked. */
int store_path(const struct board_images *board, const char *version, const char *kind,
               char path[STORE_PATH_SIZE], struct diag *why);

/* Reads an image and checks it. The caller frees `*data`. */
int store_load(const struct board_images *board, const char *version, const char *kind, uint8_t **data,
               size_t *len, struct diag *why);

/* Gets all images of one version, unless they are there and good already. Needs npm, tar and a network. */
int store_fetch(const struct board_images *board, const char *version, struct diag *why);

#endif
