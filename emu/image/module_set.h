/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules seen together: what they need of each other, and which of them lie in a flash.
 *
 * Source: Device OS hal/src/nRF52840/ota_flash_hal.cpp (dependencies), platform/MCU/nRF52840/src/flash_mal.c
 * (where the header lies, CRC), Nordic's nrf_sdm.h (information structure of a SoftDevice).
 *
 * Not modelled: Device OS's own reading of the SoftDevice's version. It looks for a module header in the
 * installed SoftDevice, which has none, and takes the half-word at 0x120A for the version. Here the version
 * is the SoftDevice's firmware id, which is what its module header carries.
 */
#ifndef SOSIM_IMAGE_MODULE_SET_H
#define SOSIM_IMAGE_MODULE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/board_images.h"
#include "image/module.h"
#include "image/text_lines.h"

/*
 * Adds a line to `report` for each dependency of a module of `set` that no module of `set` meets. Returns how
 * many there are. It only reports: a device with unmet dependencies can be run, that is often the point.
 */
size_t modules_check_dependencies(const struct module *const *set, size_t count, struct text_lines *report);

enum module_presence {
    MODULE_ABSENT = 0, /* blank flash */
    MODULE_UNREADABLE, /* something is there, but no header that belongs to this address */
    MODULE_PRESENT,
};

/* What lies at one address of a flash. The fields after `address` count only for MODULE_PRESENT. */
struct module_found {
    enum module_presence presence;
    uint32_t address;
    uint32_t end;     /* address of the CRC */
    uint8_t function; /* enum module_function */
    uint8_t index;
    uint16_t version;
    uint16_t platform; /* 0 for a SoftDevice, whose installed bytes do not say */
    bool has_crc;      /* false for a SoftDevice: the bytes in flash cannot be checked without its header */
    bool crc_good;
};

/* Looks at each address of `starts` in the `size` bytes of `flash` (address 0 first) and fills `found`. */
void module_find_in_flash(const uint8_t *flash, size_t size, const uint32_t *starts, size_t count,
                          struct module_found *found);

/*
 * The module slot that has the address, or NULL. Slots overlap where later releases of Device OS have moved a
 * border: then it is the one whose module lies there in `flash` (`size` bytes, address 0 first), and the
 * first if none does.
 */
const struct board_slot *module_slot_at(const struct board_images *board, const uint8_t *flash, size_t size,
                                        uint32_t address);

#endif
