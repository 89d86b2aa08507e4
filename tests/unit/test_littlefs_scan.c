/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/littlefs_scan.h"

#include "image/dct.h"

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
    struct lfs_scan scan;
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

static void rescan(struct bench *b)
{
    lfs_scan_free(&b->scan);
    remount(b);
    must(lfs_scan(&b->fs, &b->scan, &b->diag), &b->diag);
}

static void create(struct bench *b, const char *path, uint32_t len)
{
    uint8_t *bytes = malloc(len ? len : 1);
    cr_assert(bytes != NULL);
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    must(lfs_file_create(&b->fs, path, bytes, len, &b->diag), &b->diag);
    free(bytes);
}

/* A device as its first start leaves it, with one log of five blocks. */
static struct bench device(void)
{
    struct bench b = {.flash = malloc(FLASH_SIZE)};
    cr_assert(b.flash != NULL);
    memset(b.flash, 0xFF, FLASH_SIZE);
    must(lfs_image_init(&b.img, b.flash, FLASH_SIZE, LFS_BLOCK_COUNT, &b.diag), &b.diag);
    must(lfs_image_format(&b.img, &b.diag), &b.diag);
    remount(&b);
    must(dct_create(&b.fs, &b.diag), &b.diag);
    must(lfs_mkdir(&b.fs, "/usr", &b.diag), &b.diag);
    create(&b, "/usr/log.txt", 20000);
    rescan(&b);
    return b;
}

static void drop(struct bench *b)
{
    lfs_scan_free(&b->scan);
    free(b->flash);
}

static uint32_t block_of(struct bench *b, const char *path, uint32_t n)
{
    uint32_t block = 0;
    must(lfs_file_block(&b->fs, path, n, &block, &b->diag), &b->diag);
    return block;
}

static uint8_t *bytes_of(struct bench *b, uint32_t block)
{
    return b->flash + block * LFS_BLOCK_SIZE;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Closes a directory record again after a change of its bytes. */
static void reseal(uint8_t *record)
{
    uint32_t end = (get32(record + 4) & 0x7FFFFFFF) - 4;
    put32(record + end, ~(uint32_t)crc32(0, record, end));
}

static const struct lfs_finding *finding_with(const struct bench *b, const char *words)
{
    for (size_t i = 0; i < b->scan.finding_count; i++) {
        if (strstr(b->scan.findings[i].text, words))
            return &b->scan.findings[i];
    }
    return NULL;
}

static void expect_finding(const struct bench *b, const char *words, bool stops_device)
{
    const struct lfs_finding *f = finding_with(b, words);
    cr_assert(f != NULL, "no finding says: %s (of %zu; the first: %s)", words, b->scan.finding_count,
              b->scan.finding_count ? b->scan.findings[0].text : "");
    cr_expect(f->stops_device == stops_device, "%s", f->text);
}

static void expect_owner(const struct bench *b, uint32_t block, const char *words)
{
    char buf[128];
    cr_expect(eq(str, (char *)lfs_block_owner(&b->scan, block, buf, sizeof(buf)), (char *)words), "block %u",
              (unsigned)block);
}

Test(littlefs_scan, sound_device_has_no_findings)
{
    struct bench b = device();
    cr_expect(eq(sz, b.scan.finding_count, 0));
    cr_expect(eq(sz, b.scan.node_count, 5));
    /* superblock, three directories, DCT, log */
    cr_expect(eq(u32, b.scan.free_blocks, 512 - 2 - 6 - 3 - 5));
    const struct lfs_node *log = lfs_scan_find(&b.scan, "/usr/log.txt");
    cr_assert(log != NULL);
    cr_expect(eq(u32, log->size, 20000));
    cr_expect(eq(u32, log->block_count, 5));
    cr_expect(eq(u32, log->blocks[4], log->head));
    cr_expect(log->intact && !log->is_dir);
    drop(&b);
}

Test(littlefs_scan, owners)
{
    struct bench b = device();
    expect_owner(&b, 0, "superblock, newer of pair 0/1");
    expect_owner(&b, 1, "superblock, older of pair 0/1");
    expect_owner(&b, block_of(&b, DCT_PATH, 1), "/sys/dct.bin block 2 of 3");
    expect_owner(&b, block_of(&b, "/usr/log.txt", 4), "/usr/log.txt block 5 of 5");
    expect_owner(&b, 511, "free");
    expect_owner(&b, 512, "outside the file system");
    const struct lfs_node *sys = lfs_scan_find(&b.scan, "/sys");
    cr_assert(sys != NULL);
    expect_owner(&b, sys->blocks[0], "directory /sys, newer of pair 4/5");
    expect_owner(&b, sys->blocks[1], "directory /sys, older of pair 4/5");
    drop(&b);
}

/* A name is what firmware has made of it. */
Test(littlefs_scan, words_for_a_name_are_one_line)
{
    struct bench b = device();
    char words[64];
    create(&b, "/usr/a\nb\x1b[2J", 10);
    rescan(&b);
    const struct lfs_node *node = lfs_scan_find(&b.scan, "/usr/a\nb\x1b[2J");
    cr_assert(node != NULL && node->block_count == 1);
    cr_assert(eq(str, (char *)lfs_block_owner(&b.scan, node->blocks[0], words, sizeof words),
                 "/usr/a?b?[2J block 1 of 1"));
    drop(&b);
}

Test(littlefs_scan, directory_of_many_parts)
{
    struct bench b = device();
    char path[200], name[151];
    memset(name, 'n', 150);
    name[150] = '\0';
    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof(path), "/usr/%s%02d", name, i);
        create(&b, path, 10);
    }
    rescan(&b);
    cr_expect(eq(sz, b.scan.finding_count, 0));
    const struct lfs_node *usr = lfs_scan_find(&b.scan, "/usr");
    cr_assert(usr != NULL);
    cr_assert(eq(u32, usr->block_count, 6));
    char buf[128];
    cr_expect(strstr(lfs_block_owner(&b.scan, usr->blocks[3], buf, sizeof(buf)),
                     "directory /usr part 2 of 3, older of pair ") == buf);
    drop(&b);
}

/* R1a: a file of more than three blocks whose head reads as erased. */
Test(littlefs_scan, erased_head_stops_the_allocator)
{
    struct bench b = device();
    memset(bytes_of(&b, block_of(&b, "/usr/log.txt", 4)), 0xFF, LFS_BLOCK_SIZE);
    rescan(&b);
    expect_finding(&b, "stops at its next allocation", true);
    expect_finding(&b, "/usr/log.txt: block 5 of 5", true);
    cr_expect(lfs_scan_find(&b.scan, "/usr/log.txt")->intact == false);
    cr_expect(lfs_scan_find(&b.scan, DCT_PATH)->intact);
    cr_expect(eq(int, lfs_file_write(&b.fs, DCT_PATH, 1753, "\xA5", 1, &b.diag), LFS_ERR_CORRUPT));
    cr_expect(strstr(b.diag.text, "no block can be allocated") != NULL, "%s", b.diag.text);
    drop(&b);
}

/* The same in a file of three blocks is not followed by the allocator. */
Test(littlefs_scan, three_blocks_do_not_stop_the_allocator)
{
    struct bench b = device();
    create(&b, "/usr/small", 12276);
    memset(bytes_of(&b, block_of(&b, "/usr/small", 2)), 0xFF, LFS_BLOCK_SIZE);
    rescan(&b);
    expect_finding(&b, "/usr/small: 2 of its 3 blocks cannot be reached", true);
    cr_expect(finding_with(&b, "next allocation") == NULL);
    drop(&b);
}

/* R1b: the DCT's last block points nowhere: its first block still reads. */
Test(littlefs_scan, bad_pointer_of_the_dct)
{
    struct bench b = device();
    uint8_t buf[8];
    put32(bytes_of(&b, block_of(&b, DCT_PATH, 2)), 0xFFFFFFFF);
    rescan(&b);
    expect_finding(&b, "/sys/dct.bin: block 3 of 3", true);
    cr_expect(finding_with(&b, "next allocation") == NULL);
    cr_expect(eq(int, lfs_file_read(&b.fs, DCT_PATH, 0, buf, 8, &b.diag), LFS_OK));
    cr_expect(eq(int, lfs_file_read(&b.fs, DCT_PATH, 4096, buf, 8, &b.diag), LFS_ERR_CORRUPT));
    drop(&b);
}

Test(littlefs_scan, torn_commit_and_lost_pairs)
{
    struct bench b = device();
    const struct lfs_node *usr = lfs_scan_find(&b.scan, "/usr");
    uint32_t newer = usr->blocks[0];
    bytes_of(&b, newer)[20] ^= 1;
    rescan(&b);
    expect_finding(&b, "/usr: the newest commit does not count", false);
    usr = lfs_scan_find(&b.scan, "/usr");
    cr_expect(eq(u32, usr->blocks[1], newer));

    memset(bytes_of(&b, usr->blocks[0]), 0, LFS_BLOCK_SIZE);
    rescan(&b);
    expect_finding(&b, "directory /usr cannot be read", true);
    cr_expect(lfs_scan_find(&b.scan, "/usr")->intact == false);
    drop(&b);
}

Test(littlefs_scan, mount_says_what_is_wrong)
{
    struct bench b = device();
    uint8_t *one = bytes_of(&b, 1), *zero = bytes_of(&b, 0);
    one[30] ^= 1;
    rescan(&b);
    expect_finding(&b, "superblock: only one half is good: block 1", false);
    memset(zero, 0xFF, LFS_BLOCK_SIZE);
    cr_expect(eq(int, lfs_image_mount(&b.img, &b.fs, &b.diag), LFS_ERR_CORRUPT));
    cr_expect(strstr(b.diag.text, "block 0 has size word 0xffffffff") != NULL, "%s", b.diag.text);
    cr_expect(strstr(b.diag.text, "block 1 (revision ") != NULL, "%s", b.diag.text);

    one[30] ^= 1;
    remount(&b);
    one[16 + 20 + 2] = 2;
    reseal(one);
    cr_expect(eq(int, lfs_image_mount(&b.img, &b.fs, &b.diag), LFS_ERR_CORRUPT));
    cr_expect(strstr(b.diag.text, "on-disk version 2.1") != NULL, "%s", b.diag.text);
    drop(&b);
}

/* Revisions are compared as a sequence, so 0 is newer than 0xFFFFFFFF. */
Test(littlefs_scan, revisions_wrap)
{
    struct bench b = device();
    const struct lfs_node *usr = lfs_scan_find(&b.scan, "/usr");
    uint32_t newer = usr->blocks[0], older = usr->blocks[1];
    put32(bytes_of(&b, newer), 0);
    put32(bytes_of(&b, older), 0xFFFFFFFF);
    reseal(bytes_of(&b, newer));
    reseal(bytes_of(&b, older));
    rescan(&b);
    cr_expect(eq(u32, lfs_scan_find(&b.scan, "/usr")->blocks[0], newer));
    drop(&b);
}

Test(littlefs_scan, circles_end)
{
    struct bench b = device();
    uint8_t *usr = bytes_of(&b, lfs_scan_find(&b.scan, "/usr")->blocks[0]);
    put32(usr + 8, 2); /* the thread leads back to the root */
    put32(usr + 12, 3);
    reseal(usr);
    rescan(&b);
    expect_finding(&b, "goes round in a circle", true);

    const struct lfs_node *node = lfs_scan_find(&b.scan, "/usr");
    put32(usr + 4, get32(usr + 4) | 0x80000000); /* and here the directory goes on with itself */
    put32(usr + 8, node->pair[0]);
    put32(usr + 12, node->pair[1]);
    reseal(usr);
    rescan(&b);
    expect_finding(&b, "is also: directory /usr", false);
    expect_finding(&b, "goes round in a circle", true);
    struct lfs_stat st;
    cr_expect(eq(int, lfs_stat(&b.fs, "/usr/none", &st, &b.diag), LFS_ERR_CORRUPT));
    drop(&b);
}

/* A removal that was cut off: the name is gone, but the pair still hangs on the thread. */
Test(littlefs_scan, orphan_and_unthreaded_directories)
{
    struct bench b = device();
    uint8_t *root = bytes_of(&b, lfs_scan_find(&b.scan, "/")->blocks[0]);
    uint8_t name_before = root[16 + 12];
    root[16] = 0x00; /* the type of the first entry, "sys" */
    reseal(root);
    rescan(&b);
    expect_finding(&b, "has unknown type 0", false);
    expect_finding(&b, "no directory lists it", false);
    cr_expect(eq(u8, name_before, 's'));
    expect_owner(&b, 4, "in use, but by nothing that is listed");

    root[16] = 0x22;
    put32(root + 8, 0xFFFFFFFF); /* the thread ends at the root */
    put32(root + 12, 0xFFFFFFFF);
    reseal(root);
    rescan(&b);
    expect_finding(&b, "the device's allocator takes it for free", false);
    drop(&b);
}

Test(littlefs_scan, half_done_rename)
{
    struct bench b = device();
    uint8_t *usr = bytes_of(&b, lfs_scan_find(&b.scan, "/usr")->blocks[0]);
    usr[16] |= 0x80;
    reseal(usr);
    rescan(&b);
    expect_finding(&b, "a rename of \"log.txt\" was begun", false);
    cr_expect(lfs_scan_find(&b.scan, "/usr/log.txt") != NULL);

    /* The new name is there as well: the old one no longer counts. */
    uint32_t head = lfs_scan_find(&b.scan, "/usr/log.txt")->head;
    create(&b, "/new.txt", 0);
    struct lfs_stat st;
    must(lfs_stat(&b.fs, "/new.txt", &st, &b.diag), &b.diag);
    uint8_t *record = bytes_of(&b, st.pair[0]);
    put32(record + st.entry_at + 4, head);
    put32(record + st.entry_at + 8, 20000);
    reseal(record);
    rescan(&b);
    cr_expect(lfs_scan_find(&b.scan, "/usr/log.txt") == NULL);
    cr_expect(eq(int, lfs_stat(&b.fs, "/usr/log.txt", &st, &b.diag), LFS_ERR_NOENT));
    cr_expect(eq(u32, lfs_scan_find(&b.scan, "/new.txt")->size, 20000));
    drop(&b);
}

Test(littlefs_scan, filling_the_flash)
{
    struct bench b = device();
    create(&b, "/usr/fill", lfs_size_of_blocks(b.scan.free_blocks));
    rescan(&b);
    cr_expect(eq(sz, b.scan.finding_count, 0));
    cr_expect(eq(u32, b.scan.free_blocks, 0));
    cr_expect(eq(int, lfs_file_write(&b.fs, DCT_PATH, 1753, "\xA5", 1, &b.diag), LFS_ERR_NOSPC));
    cr_expect(eq(int, lfs_mkdir(&b.fs, "/more", &b.diag), LFS_ERR_NOSPC));
    drop(&b);
}

Test(littlefs_scan, patch_moves_no_block)
{
    struct bench b = device();
    uint32_t before[5], size = 0;
    uint8_t *log;
    for (uint32_t n = 0; n < 5; n++)
        before[n] = block_of(&b, "/usr/log.txt", n);
    must(lfs_file_patch(&b.fs, "/usr/log.txt", 4090, "0123456789", 10, &b.diag), &b.diag);
    for (uint32_t n = 0; n < 5; n++)
        cr_expect(eq(u32, block_of(&b, "/usr/log.txt", n), before[n]));
    must(lfs_file_load(&b.fs, "/usr/log.txt", &log, &size, &b.diag), &b.diag);
    cr_expect(eq(u32, size, 20000));
    cr_expect(memcmp(log + 4090, "0123456789", 10) == 0);
    cr_expect(log[4089] == (uint8_t)(4089 * 7 + (4089 >> 8)) &&
              log[4100] == (uint8_t)(4100 * 7 + (4100 >> 8)));
    free(log);
    cr_expect(eq(int, lfs_file_patch(&b.fs, "/usr/log.txt", 19999, "01", 2, &b.diag), LFS_ERR_INVAL));
    rescan(&b);
    cr_expect(eq(sz, b.scan.finding_count, 0));
    drop(&b);
}

Test(littlefs_scan, differences)
{
    struct bench a = device(), b = device();
    struct lfs_differences diffs;
    char words[5][128];
    create(&a, "/usr/gone", 5);
    create(&a, "/usr/broken", 5000);
    create(&b, "/usr/broken", 5000);
    must(lfs_mkdir(&b.fs, "/fresh", &b.diag), &b.diag);
    must(lfs_file_write(&b.fs, "/usr/log.txt", 19000, "!", 1, &b.diag), &b.diag);
    must(lfs_file_write(&b.fs, DCT_PATH, 100, "\xFF", 1, &b.diag), &b.diag); /* moves, but stays the same */
    put32(bytes_of(&b, block_of(&b, "/usr/broken", 1)), 0);

    must(lfs_files_diff(&a.fs, &b.fs, &diffs, &a.diag), &a.diag);
    cr_assert(eq(sz, diffs.count, 4));
    for (size_t i = 0; i < diffs.count; i++)
        lfs_difference_words(&diffs.items[i], words[i], sizeof(words[i]));
    cr_expect(eq(str, words[0], "/usr/log.txt changed from byte 19000 on (20000 bytes, now 20000)"));
    cr_expect(eq(str, words[1], "/usr/gone lost (5 bytes)"));
    cr_expect(eq(str, words[2], "/usr/broken can no longer be read"));
    cr_expect(eq(str, words[3], "directory /fresh added"));
    lfs_files_diff_free(&diffs);
    must(lfs_files_diff(&a.fs, &a.fs, &diffs, &a.diag), &a.diag);
    cr_expect(eq(sz, diffs.count, 0));
    lfs_files_diff_free(&diffs);
    drop(&a);
    drop(&b);
}

Test(littlefs_scan, refusals)
{
    struct bench b = device();
    uint8_t *bytes;
    uint32_t n;
    char name[300] = "/";
    memset(name + 1, 'x', 256);
    cr_expect(eq(int, lfs_mkdir(&b.fs, "/usr", &b.diag), LFS_ERR_EXIST));
    cr_expect(eq(int, lfs_mkdir(&b.fs, "/a/b", &b.diag), LFS_ERR_NOENT));
    cr_expect(eq(int, lfs_mkdir(&b.fs, "/usr/log.txt/b", &b.diag), LFS_ERR_NOTDIR));
    cr_expect(eq(int, lfs_mkdir(&b.fs, name, &b.diag), LFS_ERR_INVAL));
    cr_expect(eq(int, lfs_remove(&b.fs, "/usr", &b.diag), LFS_ERR_NOTEMPTY));
    cr_expect(eq(int, lfs_remove(&b.fs, "/", &b.diag), LFS_ERR_INVAL));
    cr_expect(eq(int, lfs_remove(&b.fs, "/none", &b.diag), LFS_ERR_NOENT));
    cr_expect(eq(str, b.diag.text, "/none is not there"));
    cr_expect(eq(int, lfs_file_load(&b.fs, "/usr", &bytes, &n, &b.diag), LFS_ERR_ISDIR));
    cr_expect(eq(int, lfs_file_block(&b.fs, "/usr/log.txt", 5, &n, &b.diag), LFS_ERR_INVAL));
    cr_expect(eq(int, lfs_image_init(&b.img, b.flash, FLASH_SIZE - 1, 512, &b.diag), LFS_ERR_INVAL));
    drop(&b);
}
