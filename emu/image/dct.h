/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device configuration table (DCT): the settings that a device keeps, as fields with names.
 *
 * On an nRF52840 board the DCT is the file /sys/dct.bin in the LittleFS of the external flash. Source: Device
 * OS 2.0.1 platform/MCU/nRF52840/inc/dct.h (application_dct_t), hal/src/nRF52840/dct_hal.cpp. The layout is
 * the same in 1.5.2 and in 4.0.1, where only uses differ: 4.x ignores setup_done, knows one more feature flag
 * (0x08, no listening mode), takes the byte before power_config.reserved3 apart (soc_bits), and makes the
 * file anew when it is empty.
 *
 * A field that was never written holds 0xFF bytes, "erased". Members of structures are fields of their own:
 * flash_modules[1].magic_number, system_flags.startup_mode. Together the fields cover every byte once.
 *
 * Not modelled: the copy of the system flags that the device keeps in RAM and prefers to the one here.
 */
#ifndef SOSIM_IMAGE_DCT_H
#define SOSIM_IMAGE_DCT_H

#include "image/littlefs.h"

#define DCT_PATH       "/sys/dct.bin"
#define DCT_SIZE       8391u
#define DCT_SLOT_COUNT 5u /* module slots; slot 0 is for the factory reset module */
#define DCT_SLOT_SIZE  20u
#define DCT_SLOTS_AT   2852u

enum dct_type { DCT_U8, DCT_U16, DCT_U32, DCT_BYTES, DCT_TEXT };

/* A value that has a name; a list of them ends with name NULL. */
struct dct_choice {
    const char *name;
    uint32_t value;
};

struct dct_field {
    const char *name;
    uint16_t offset, size; /* bytes */
    enum dct_type type;    /* numbers are little-endian */
    const struct dct_choice *choices;
};

/* All fields in the order of their offsets. */
extern const struct dct_field dct_fields[];
extern const size_t dct_field_count;

/* The field of that name, or NULL. */
const struct dct_field *dct_find(const char *name);

/*
 * Turns text into the field's `size` bytes. Any field: "erased". Numbers: decimal, 0x hexadecimal, or the
 * name of a choice. Bytes: hexadecimal digits, in pairs; bytes not given are 0xFF. Text: as it is, with zeros
 * behind it, or "hex:" and digits. LFS_ERR_INVAL if it does not fit.
 */
int dct_parse(const struct dct_field *field, const char *text, uint8_t *out, struct diag *diag);

/*
 * The reverse of dct_parse(); the text of a long field is cut off if `size` is short. Returns `buf`.
 * 2 * field size + 5 bytes are always enough.
 */
const char *dct_format(const struct dct_field *field, const uint8_t *bytes, char *buf, size_t size);

/* --- the DCT of a file system ---------------------------------------------------------------------- */

/*
 * Makes /sys and an erased DCT as the bootloader does on its first start with an empty file system. Fails if
 * there is a DCT.
 */
int dct_create(struct lfs_fs *fs, struct diag *diag);

/* Reads the whole DCT; LFS_ERR_INVAL if the file has another size than DCT_SIZE. */
int dct_load(const struct lfs_fs *fs, uint8_t dct[DCT_SIZE], struct diag *diag);

/* Sets a field without moving blocks; for the device's way use lfs_file_write() with the field's offset. */
int dct_set(struct lfs_fs *fs, const char *name, const char *text, struct diag *diag);

/* --- module slots ---------------------------------------------------------------------------------- */

enum {
    DCT_SLOT_PENDING = 0xABCD, /* the bootloader is to copy this module */
    DCT_SLOT_FACTORY = 0x0FAC,
    DCT_SLOT_FREE = 0xFFFF,
    DCT_INTERNAL_FLASH = 0,
    DCT_EXTERNAL_FLASH = 1
};

struct dct_slot {
    uint16_t magic_number;
    uint8_t source_device, destination_device;
    uint32_t source_address, destination_address;
    uint32_t length; /* bytes, with the CRC */
    uint8_t flags, module_function;
};

/* `slot` is 0..DCT_SLOT_COUNT - 1; other numbers give LFS_ERR_INVAL. Bytes move without blocks moving. */
int dct_slot_get(const struct lfs_fs *fs, unsigned slot, struct dct_slot *out, struct diag *diag);
int dct_slot_set(struct lfs_fs *fs, unsigned slot, const struct dct_slot *in, struct diag *diag);

/* --- differences ----------------------------------------------------------------------------------- */

/* `was` and `is` are as dct_format() gives them, cut after some 60 characters. */
typedef void (*dct_change_fn)(void *ctx, const struct dct_field *field, const char *was, const char *is);

/* Calls fn (may be NULL) for each field that differs; returns how many do. */
size_t dct_diff(const uint8_t was[DCT_SIZE], const uint8_t is[DCT_SIZE], dct_change_fn fn, void *ctx);

#endif
