/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Particle module files: reading the header, judging the file, and turning it into what lands in flash.
 *
 * Source: Device OS dynalib/inc/module_info.h (layout), platform/MCU/nRF52840/src/flash_mal.c (where the
 * header lies, how a module is verified, copied and inflated), build/create_module.py (wrapped binaries).
 *
 * A module is   [vector table] header ... suffix CRC   where
 *   header   24 bytes, at +0x200 when the file starts with something that looks like an initial stack pointer
 *            in RAM, else at +0;
 *   suffix   the last bytes before the CRC: reserved u16, SHA-256, size u16 (extensions may come before);
 *   CRC      CRC-32 as in zlib over everything before it, stored big-endian at the header's end address.
 *
 * Modelled: the flags DROP_MODULE_INFO, COMPRESSED (raw Deflate) and COMBINED.
 * Not modelled: ENCRYPTED modules and PREFIX_EXTENSIONS (Device OS 5 and later): they are named, their bytes
 * are not produced. The older boards' headers at +0x184 are not looked for.
 */
#ifndef SOSIM_IMAGE_MODULE_H
#define SOSIM_IMAGE_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/diag.h"
#include "image/text_lines.h"

/* The first bytes of internal flash are the master boot record's, and no module's. */
#define MBR_SIZE 0x1000u

#define MODULE_HEADER_SIZE         24u
#define MODULE_HEADER_AFTER_VECTOR 0x200u
#define MODULE_SUFFIX_SIZE         36u
#define MODULE_CRC_SIZE            4u
#define MODULE_SHA256_SIZE         32u
#define MODULE_FILE_MAX            8u

enum module_flag {
    MODULE_DROP_MODULE_INFO = 0x01,  /* the header is not written to flash */
    MODULE_COMPRESSED = 0x02,        /* the payload is raw Deflate data */
    MODULE_COMBINED = 0x04,          /* another module follows in the same file */
    MODULE_ENCRYPTED = 0x08,         /* Device OS 5+ */
    MODULE_PREFIX_EXTENSIONS = 0x10, /* Device OS 5+ */
};

enum module_function {
    MODULE_FUNCTION_NONE = 0,
    MODULE_FUNCTION_RESOURCE = 1,
    MODULE_FUNCTION_BOOTLOADER = 2,
    MODULE_FUNCTION_MONO_FIRMWARE = 3,
    MODULE_FUNCTION_SYSTEM_PART = 4,
    MODULE_FUNCTION_USER_PART = 5,
    MODULE_FUNCTION_SETTINGS = 6,
    MODULE_FUNCTION_NCP_FIRMWARE = 7,
    MODULE_FUNCTION_RADIO_STACK = 8,
    MODULE_FUNCTION_ASSET = 9,
};

enum module_result {
    MODULE_OK = 0,
    MODULE_HAS_PROBLEMS = 1,  /* the header could be read; `problems` says what is wrong */
    MODULE_NOT_A_MODULE = -1, /* nothing that looks like a module header */
    MODULE_NOT_POSSIBLE = -2, /* what was asked cannot be done with this module */
    MODULE_OUT_OF_MEMORY = -3,
};

enum module_check {
    MODULE_CHECK_IMPOSSIBLE = 0, /* the bytes it needs are not there */
    MODULE_CHECK_GOOD,
    MODULE_CHECK_BAD,
};

struct module_dependency {
    uint8_t function; /* enum module_function; NONE means no dependency */
    uint8_t index;
    uint16_t version; /* the lowest that satisfies it */
};

struct module_compression {
    uint16_t header_size;   /* bytes, 8 or more */
    uint8_t method;         /* 0 is raw Deflate; no other is defined */
    uint8_t window_bits;    /* 8..15; 0 stands for 15 */
    uint32_t original_size; /* bytes after inflating */
};

struct module {
    const uint8_t *data; /* borrowed from the caller of module_parse() */
    size_t length;       /* bytes of `data` that belong to this module, CRC included */
    size_t header_at;    /* 0 or 0x200 */

    uint32_t start; /* address of the first byte in flash */
    uint32_t end;   /* address of the CRC */
    uint8_t mcu;
    uint8_t flags; /* bits of enum module_flag */
    uint16_t version;
    uint16_t platform;
    uint8_t function; /* enum module_function */
    uint8_t index;
    struct module_dependency dependencies[2];
    struct module_compression compression; /* all 0 unless COMPRESSED */

    enum module_check crc;
    uint32_t crc_stored;
    uint32_t crc_computed;
    enum module_check sha256;
    uint16_t suffix_size;
    uint8_t sha256_stored[MODULE_SHA256_SIZE];
    uint8_t sha256_computed[MODULE_SHA256_SIZE];

    struct text_lines problems; /* everything wrong with it, in plain words */
};

/* Every module of one file: more than one only for COMBINED images. */
struct module_file {
    size_t count;
    struct module modules[MODULE_FILE_MAX];
    struct text_lines
        problems; /* those of all modules, in order, told apart by number when there are several */
};

/* What the device ends up with in flash. Owned by the caller; free with module_bytes_free(). */
struct module_bytes {
    uint32_t address;
    uint8_t *bytes;
    size_t length;
};

/*
 * Reads the module at the start of `data`. MODULE_OK when nothing is wrong; MODULE_HAS_PROBLEMS when `out`
 * is filled but `out->problems` is not empty; MODULE_NOT_A_MODULE otherwise. `why` gets the first problem.
 */
int module_parse(const uint8_t *data, size_t len, struct module *out, struct diag *why);

/* Reads a file of one module or of several combined ones. Results as for module_parse(). */
int module_file_parse(const uint8_t *data, size_t len, struct module_file *out, struct diag *why);

/*
 * Produces the bytes that a device writes for `module`, and where: the header dropped or the payload inflated
 * if the flags say so, the CRC included. Problems of the module do not matter here, only whether it can be
 * done. Returns MODULE_OK, MODULE_NOT_POSSIBLE or MODULE_OUT_OF_MEMORY.
 */
int module_device_bytes(const struct module *module, struct module_bytes *out, struct diag *why);
void module_bytes_free(struct module_bytes *bytes);

/*
 * Makes a good, plain module `padded` bytes long: 0xFF before its suffix, end address, SHA-256 and CRC made
 * anew. To a bootloader it is what a larger program would be. `*data` is replaced (free() both the old and
 * the new the same way). Returns MODULE_OK, or what is wrong, with `why`, and everything as it was.
 */
int module_pad(uint8_t **data, size_t *length, size_t padded, struct diag *why);

/*
 * Writes the SHA-256 and the CRC of a plain module of one part that has neither, in place. Returns MODULE_OK,
 * or what is wrong, with `why`.
 */
int module_seal(uint8_t *data, size_t length, struct diag *why);

/* Names, or NULL for a number that has none. */
const char *module_function_name(unsigned function);
const char *module_platform_name(unsigned platform);

/* Writes e.g. "system part 1, version 2011" and returns `text`. */
char *module_describe(unsigned function, unsigned index, unsigned version, char *text, size_t size);

#endif
