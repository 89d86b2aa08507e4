/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The expected CRC-32 values of whole images come from the device's own code: the same steps were run with
 * LittleFS v1.7.2, configured as in Device OS, on an erased (or, where said, a used) flash.
 */
#include "image/littlefs.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FLASH_SIZE (LFS_BLOCK_COUNT * LFS_BLOCK_SIZE)

struct bench {
    uint8_t *flash;
    struct lfs_image img;
    struct lfs_fs fs;
    struct diag diag;
};

static void must(int err, const struct diag *diag)
{
    cr_assert(zero(int, err), "%s", diag->text);
}

static void remount(struct bench *b)
{
    must(lfs_image_mount(&b->img, &b->fs, &b->diag), &b->diag);
}

static struct bench formatted(void)
{
    struct bench b = {.flash = malloc(FLASH_SIZE)};
    cr_assert(b.flash != NULL);
    memset(b.flash, 0xFF, FLASH_SIZE);
    must(lfs_image_init(&b.img, b.flash, FLASH_SIZE, LFS_BLOCK_COUNT, &b.diag), &b.diag);
    must(lfs_image_format(&b.img, &b.diag), &b.diag);
    remount(&b);
    return b;
}

static uint8_t *pattern(uint32_t len)
{
    uint8_t *bytes = malloc(len ? len : 1);
    cr_assert(bytes != NULL);
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    return bytes;
}

static void mkdir_at(struct bench *b, const char *path)
{
    must(lfs_mkdir(&b->fs, path, &b->diag), &b->diag);
}

static void create(struct bench *b, const char *path, uint32_t len)
{
    uint8_t *bytes = pattern(len);
    must(lfs_file_create(&b->fs, path, bytes, len, &b->diag), &b->diag);
    free(bytes);
}

static void replace(struct bench *b, const char *path, uint32_t len)
{
    uint8_t *bytes = pattern(len);
    must(lfs_file_replace(&b->fs, path, bytes, len, &b->diag), &b->diag);
    free(bytes);
}

static void write_at(struct bench *b, const char *path, uint32_t offset, uint32_t len)
{
    uint8_t *bytes = pattern(len);
    must(lfs_file_write(&b->fs, path, offset, bytes, len, &b->diag), &b->diag);
    free(bytes);
}

static void remove_at(struct bench *b, const char *path)
{
    must(lfs_remove(&b->fs, path, &b->diag), &b->diag);
}

/* --- steps whose outcome the device's code was asked for ------------------------------------------- */

static void steps_none(struct bench *b)
{
    (void)b;
}

static void steps_first_boot(struct bench *b)
{
    mkdir_at(b, "/sys");
    create(b, "/sys/dct.bin", 8391);
    remount(b);
    mkdir_at(b, "/usr");
    write_at(b, "/sys/dct.bin", 2872, 20);
}

/* More names than one record holds, then whole records emptied again. */
static void steps_many_names(struct bench *b)
{
    char path[128];
    mkdir_at(b, "/usr");
    for (int i = 0; i < 150; i++) {
        snprintf(path, sizeof(path), "/usr/a-rather-long-name-for-a-little-file-so-that-records-fill-%03d",
                 i);
        if (i % 10 == 9)
            mkdir_at(b, path);
        else
            create(b, path, (uint32_t)i);
    }
    for (int i = 0; i < 150; i++) {
        snprintf(path, sizeof(path), "/usr/a-rather-long-name-for-a-little-file-so-that-records-fill-%03d",
                 i);
        if (i % 3 == 0 || (i > 40 && i < 120))
            remove_at(b, path);
    }
}

/* Sizes on, before and behind block boundaries, growth, holes, and a flash that goes once round. */
static void steps_files(struct bench *b)
{
    static const uint32_t blocks[] = {1, 2, 3, 4, 5, 8, 9, 17};
    char path[32];
    for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
        uint32_t size = lfs_size_of_blocks(blocks[i]);
        for (uint32_t j = 0; j < 3; j++) {
            snprintf(path, sizeof(path), "/f%u-%u", (unsigned)blocks[i], (unsigned)j);
            create(b, path, size - 1 + j);
        }
    }
    for (uint32_t i = 0; i < 12; i++)
        write_at(b, "/f17-1", i * 4090, 100 * i + 1);
    write_at(b, "/f5-2", 100000, 10);
    replace(b, "/f9-0", 200000);
    for (uint32_t i = 0; i < 40; i++)
        write_at(b, "/f9-0", lfs_size_of_blocks(i), 5000);
    remount(b);
    replace(b, "/f9-0", 0);
    create(b, "/last", 500000);
}

struct recipe {
    const char *name;
    void (*steps)(struct bench *b);
    uint32_t crc;
};

static const struct recipe recipes[] = {
    {"none", steps_none, 0xF084136A},
    {"first boot", steps_first_boot, 0x92983E28},
    {"many names", steps_many_names, 0x41D7CCEA},
    {"files", steps_files, 0x7365DEF7},
};

Test(littlefs, images_equal_those_of_the_device)
{
    for (size_t i = 0; i < sizeof(recipes) / sizeof(*recipes); i++) {
        struct bench b = formatted();
        recipes[i].steps(&b);
        uint32_t crc = (uint32_t)crc32(0, b.flash, FLASH_SIZE);
        cr_expect(eq(u32, crc, recipes[i].crc), "%s", recipes[i].name);
        free(b.flash);
    }
}
