/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Brings a machine's memories into the state that a scenario starts from: what the factory writes (the board
 * file's "factory"), the modules, and the external flash with its file system, settings and module slots.
 *
 * Sources: Device OS 2.0.1 hal/src/nRF52840/ota_flash_hal.cpp (what the system writes into a module slot),
 * dct_hal.cpp (the DCT's file). File systems are made by image/littlefs.h, block by block as a device makes
 * them.
 *
 * Not modelled: keys and identity in a provisioned device's DCT; they stay erased, and the device makes its
 * own.
 */
#ifndef SOSIM_SCENARIO_DEVICE_H
#define SOSIM_SCENARIO_DEVICE_H

#include "image/littlefs.h"
#include "image/text_lines.h"
#include "scenario/scenario.h"

/* A machine and the scenario it is made ready for. */
struct device {
    struct machine *machine;
    const struct scenario *scenario;
    struct text_lines notes; /* worth telling: damaged modules, dependencies that are not met */
};

/* All functions return 0, or -1 with `why`, which names the place in the scenario. */

/* Puts everything into the memories of a machine that never had power. */
int device_prepare(struct device *device, struct diag *why);

/* install.c: puts modules into internal flash, pages erased first. */
int device_install(struct device *device, const struct module_choice *modules, size_t count,
                   struct diag *why);

/* install.c: the whole bytes of a module file; the caller frees `*data`. */
int device_module_file(const struct device *device, const struct module_choice *module, uint8_t **data,
                       size_t *length, struct diag *why);

/* install.c: puts the MBR at address 0. */
int device_install_mbr(struct device *device, struct diag *why);

int device_write(struct device *device, const struct byte_edit *edit, struct diag *why);
int device_stick(struct device *device, const struct stuck_edit *edit, struct diag *why);
/* Bits that become unstable are chosen by the machine's seed. */
int device_unsettle(struct device *device, const struct unstable_edit *edit, struct diag *why);
int device_input(struct device *device, const struct input_edit *input, struct diag *why);

/* Reads `length` bytes of a place. */
int device_read(struct device *device, const struct flash_place *place, uint8_t *bytes, size_t length,
                struct diag *why);

/* Mounts the file system of the external flash as it is now; `at` is what needs it. */
int device_mount(struct device *device, const cJSON *at, struct lfs_fs *fs, struct diag *why);

#endif
