/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any file that holds something to put in memory, as segments of address and bytes.
 *
 * Formats: Particle module files (image/module.h), raw binaries, Intel HEX (Intel, Hexadecimal Object File
 * Format Specification, revision A: record types 00 to 05), ELF32 for ARM (System V ABI and ELF for the Arm
 * Architecture: PT_LOAD segments at their physical addresses, the entry point, the symbol table).
 *
 * Files are not trusted: every size and offset is checked against the file, and two segments that claim the
 * same address are refused.
 *
 * Not modelled: relocatable or dynamic ELF files, sections without a segment, zero-filled tails of segments
 * (a start-up code clears its own .bss), Intel HEX data records that wrap around a 64 KiB segment.
 */
#ifndef SOSIM_IMAGE_LOADABLE_H
#define SOSIM_IMAGE_LOADABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/diag.h"

#define LOADABLE_LARGEST_FILE 0x2000000u /* 32 MiB: an ELF file with debug information, or HEX of 4 MiB */

enum loadable_format {
    LOADABLE_AUTO = 0, /* told from the contents */
    LOADABLE_MODULE,
    LOADABLE_RAW,
    LOADABLE_HEX,
    LOADABLE_ELF,
};

enum loadable_result {
    LOADABLE_OK = 0,
    LOADABLE_BAD_FILE = -1,
    LOADABLE_UNREADABLE = -2, /* the file could not be read */
    LOADABLE_OUT_OF_MEMORY = -3,
};

struct loadable_options {
    enum loadable_format format;
    bool has_address;     /* LOADABLE_AUTO with an address takes what is neither ELF nor HEX as raw bytes */
    uint32_t address;     /* where raw bytes go */
    bool accept_problems; /* take a damaged module as it is, for scenarios about damaged modules */
};

struct loadable_segment {
    uint32_t address;
    const uint8_t *bytes; /* within the loadable's own storage */
    size_t length;        /* at least 1; address + length does not pass 2^32 */
    size_t place; /* where it came from: line (HEX), program header or module number, counted from 1 */
};

struct loadable_symbol_entry {
    const char *name; /* within the loadable's own storage */
    uint32_t address;
    uint32_t size;
};

/* Owns its storage; free with loadable_free(). */
struct loadable {
    enum loadable_format format;       /* never LOADABLE_AUTO */
    struct loadable_segment *segments; /* by rising address, without overlap */
    size_t segment_count;              /* at least 1 */
    size_t segment_room;
    bool has_entry;
    uint32_t entry;                        /* as the file has it: bit 0 set for Thumb code */
    struct loadable_symbol_entry *symbols; /* ELF only, NULL when stripped */
    size_t symbol_count;
    uint8_t *storage;
};

/* Reads the file at `path`. `options` may be NULL for all defaults. `why` begins with the path. */
int loadable_read(const char *path, const struct loadable_options *options, struct loadable *out,
                  struct diag *why);

/* The same for bytes already in memory; they are copied. `why` begins with `name` unless that is NULL. */
int loadable_parse(const uint8_t *data, size_t len, const char *name, const struct loadable_options *options,
                   struct loadable *out, struct diag *why);

void loadable_free(struct loadable *loadable);

/*
 * Finds an ELF symbol by its exact name. The address of a function comes without the Thumb bit. `size` may be
 * NULL. Returns false when there is none; a global symbol wins over a local one of the same name.
 */
bool loadable_symbol(const struct loadable *loadable, const char *name, uint32_t *address, uint32_t *size);

/* "Intel HEX" and the like. */
const char *loadable_format_name(enum loadable_format format);

#endif
