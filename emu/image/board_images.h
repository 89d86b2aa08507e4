/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a board file (boards/<name>.json) says about images: where modules lie in the board's flash, and which
 * images its maker has published, with package, path, size and SHA-256. Board files are trusted less than
 * code: what is used as a path is checked, what is missing is an error that names the member.
 *
 * Not modelled here: the board's parts and wires, which are the machine's business.
 */
#ifndef SOSIM_IMAGE_BOARD_IMAGES_H
#define SOSIM_IMAGE_BOARD_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/diag.h"

struct cJSON;

/* A place in internal flash that is meant for one module. */
struct board_slot {
    const char *name;
    uint8_t function; /* enum module_function */
    uint8_t index;
    uint32_t address;
    uint32_t size; /* bytes */
};

struct board_image {
    const char *kind;   /* "bootloader", "softdevice", "system-part1", "tinker" */
    const char *path;   /* within the package */
    const char *file;   /* last part of `path` */
    const char *sha256; /* 64 hex digits */
    size_t size;        /* bytes */
};

/* The images of one Device OS version. */
struct board_release {
    const char *version; /* of Device OS, such as "2.0.1" */
    const char *package; /* npm package, and its version */
    const char *package_version;
    struct board_image *images;
    size_t image_count;
};

/* Free with board_images_free(); all strings belong to it. */
struct board_images {
    const char *name;
    const char *description;
    unsigned platform_id;
    bool has_parts; /* the file describes the board's parts, so it can be simulated */
    struct board_slot *slots;
    size_t slot_count;
    struct board_release *releases;
    size_t release_count;
    struct cJSON *json;
};

/* Names of all boards there are, sorted. Free with board_names_free(). */
struct board_names {
    char **names;
    size_t count;
};

/* Loads the board called `name`. 0, or -1 with `why`. */
int board_images_load(const char *name, struct board_images *out, struct diag *why);
void board_images_free(struct board_images *board);

/* The release of that version, or NULL with a `why` that lists the versions there are. */
const struct board_release *board_images_release(const struct board_images *board, const char *version,
                                                 struct diag *why);

/* The image of that version and kind, or NULL with a `why` that lists what there is. */
const struct board_image *board_images_find(const struct board_images *board, const char *version,
                                            const char *kind, struct diag *why);

int board_names_list(struct board_names *out, struct diag *why);
void board_names_free(struct board_names *names);

#endif
