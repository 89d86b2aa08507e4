/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a user program may call in Device OS on a Boron, and what it has to bring itself.
 *
 * Sources of the numbers: Device OS 2.0.1 and 4.0.1, modules/boron/system-part1/module_system_part1_export.ld
 * (where the tables of system-part1 are), system/inc/system_dynalib.h and hal/inc/hal_dynalib_posix_syscall.h
 * (places in the tables), dynalib/inc/module_info.h (header), modules/shared/nRF52840/inc/user_dynalib.h
 * (entry points), hal/inc/hal_dynalib_core.h and core_hal.h (features), system/inc/system_update.h (flags).
 * Tables only grow from one release to the next, so a program built for 2.0.1 runs on later ones. Flags of
 * open() are newlib's.
 *
 * Modelled: files, the system mode, waiting, resets put off. Not modelled: everything else that Wiring has.
 */
#ifndef SOSIM_APP_DEVICE_OS_H
#define SOSIM_APP_DEVICE_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The list of tables follows the vectors and the module header of system-part1. */
#define SYSTEM_PART1_TABLES 0x30218u

enum system_part1_table { TABLE_SYSTEM = 2, TABLE_CORE = 7, TABLE_POSIX = 27 };
enum system_function { SYSTEM_SET_MODE = 1, SYSTEM_DELAY = 5, SYSTEM_SET_FLAG = 14 };
enum core_function { CORE_SET_FEATURE = 25 };
enum posix_function {
    POSIX_OPEN = 0,
    POSIX_WRITE = 1,
    POSIX_READ = 2,
    POSIX_CLOSE = 3,
    POSIX_FSYNC = 4,
    POSIX_LSEEK = 8,
    POSIX_FTRUNCATE = 26,
};

enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_APPEND = 0x8, O_CREAT = 0x200, O_TRUNC = 0x400 };
enum { SEEK_SET, SEEK_CUR, SEEK_END };
enum { SEMI_AUTOMATIC = 2 };
enum { FEATURE_RESET_INFO = 4 };
enum { FLAG_RESET_ENABLED = 3 };

/* The address of a function of the system, which is looked up at each call: an update may have moved it. */
static inline uintptr_t system_function(unsigned table, unsigned index)
{
    const uintptr_t *const *tables = (const uintptr_t *const *)SYSTEM_PART1_TABLES;
    return tables[table][index];
}

/* As in POSIX; -1 is an error. */
static inline int open(const char *path, int flags)
{
    return ((int (*)(const char *, int, ...))system_function(TABLE_POSIX, POSIX_OPEN))(path, flags);
}

static inline int write(int fd, const void *bytes, size_t size)
{
    return ((int (*)(int, const void *, size_t))system_function(TABLE_POSIX, POSIX_WRITE))(fd, bytes, size);
}

static inline int read(int fd, void *bytes, size_t size)
{
    return ((int (*)(int, void *, size_t))system_function(TABLE_POSIX, POSIX_READ))(fd, bytes, size);
}

static inline int close(int fd)
{
    return ((int (*)(int))system_function(TABLE_POSIX, POSIX_CLOSE))(fd);
}

static inline int fsync(int fd)
{
    return ((int (*)(int))system_function(TABLE_POSIX, POSIX_FSYNC))(fd);
}

static inline long lseek(int fd, long offset, int whence)
{
    return ((long (*)(int, long, int))system_function(TABLE_POSIX, POSIX_LSEEK))(fd, offset, whence);
}

static inline int ftruncate(int fd, long size)
{
    return ((int (*)(int, long))system_function(TABLE_POSIX, POSIX_FTRUNCATE))(fd, size);
}

/* Waits, while the system goes on with its own work. */
static inline void delay_ms(unsigned long ms)
{
    ((void (*)(unsigned long, bool))system_function(TABLE_SYSTEM, SYSTEM_DELAY))(ms, false);
}

/* SEMI_AUTOMATIC: the program runs without waiting for the cloud. */
static inline void set_system_mode(int mode)
{
    ((void (*)(int))system_function(TABLE_SYSTEM, SYSTEM_SET_MODE))(mode);
}

/* System.enableReset() and disableReset(): a reset that the system wants waits until it is allowed. */
static inline void allow_reset(bool allowed)
{
    ((int (*)(int, uint8_t, void *))system_function(TABLE_SYSTEM, SYSTEM_SET_FLAG))(FLAG_RESET_ENABLED,
                                                                                    allowed, NULL);
}

/* System.enableFeature() and disableFeature(): a setting, kept in the DCT. 0, or an error below 0. */
static inline int set_feature(int feature, bool enabled)
{
    return ((int (*)(int, bool))system_function(TABLE_CORE, CORE_SET_FEATURE))(feature, enabled);
}

/* The program brings these; module.c has the rest. */
void setup(void);
void loop(void);

#endif
