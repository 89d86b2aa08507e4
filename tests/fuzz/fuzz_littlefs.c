/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any image may be mounted, looked over, read, patched and written to without a crash or an endless loop.
 *
 * Input: first byte even: the rest is the start of a 2 MiB flash that is erased behind it. First byte odd:
 * the rest are changes to a small sound file system, 8 bytes each (block, offset of two bytes, what to do,
 * four bytes of value); directory records get a good CRC again if asked, as chance never finds one.
 */
#include "image/dct.h"
#include "image/littlefs_scan.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SMALL_BLOCKS = 32, CHANGE_SIZE = 8, RESEAL = 1, WHOLE_BLOCK = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build_small(struct lfs_image *img)
{
    static const uint8_t text[20000] = "log";
    struct lfs_fs fs;
    if (lfs_image_format(img, NULL) || lfs_image_mount(img, &fs, NULL) || dct_create(&fs, NULL) ||
        lfs_mkdir(&fs, "/usr", NULL) || lfs_mkdir(&fs, "/usr/sub", NULL) ||
        lfs_file_create(&fs, "/usr/log.txt", text, sizeof(text), NULL) ||
        lfs_file_create(&fs, "/usr/sub/empty", NULL, 0, NULL))
        abort();
}

static void reseal(uint8_t *block)
{
    uint32_t bytes = (uint32_t)block[4] | (uint32_t)block[5] << 8 | (uint32_t)block[6] << 16;
    if (bytes < 20 || bytes > LFS_BLOCK_SIZE)
        return;
    uint32_t crc = ~(uint32_t)crc32(0, block, bytes - 4);
    for (int i = 0; i < 4; i++)
        block[bytes - 4 + (uint32_t)i] = (uint8_t)(crc >> 8 * i);
}

static void change(uint8_t *flash, const uint8_t *data, size_t size)
{
    for (; size >= CHANGE_SIZE; data += CHANGE_SIZE, size -= CHANGE_SIZE) {
        uint8_t *block = flash + (size_t)(data[0] % SMALL_BLOCKS) * LFS_BLOCK_SIZE;
        size_t at = (size_t)(data[1] | data[2] << 8) % (LFS_BLOCK_SIZE - 3);
        if (data[3] & WHOLE_BLOCK)
            memset(block, data[4], LFS_BLOCK_SIZE);
        else
            memcpy(block + at, data + 4, 4);
        if (data[3] & RESEAL)
            reseal(block);
    }
}

static void look(const struct lfs_fs *fs)
{
    struct lfs_scan scan;
    struct diag diag;
    char words[64];
    uint32_t len, free_blocks;
    uint8_t *bytes;

    if (lfs_scan(fs, &scan, &diag))
        return;
    for (uint32_t b = 0; b <= scan.block_count; b++)
        lfs_block_owner(&scan, b, words, sizeof(words));
    for (size_t i = 0; i < scan.node_count && i < 100; i++) {
        if (lfs_file_load(fs, scan.nodes[i].path, &bytes, &len, &diag) == LFS_OK)
            free(bytes);
    }
    lfs_free_blocks(fs, &free_blocks, &diag);
    lfs_scan_free(&scan);
}

static void use(struct lfs_fs *fs)
{
    static const uint8_t text[9000] = "new";
    uint8_t dct[DCT_SIZE];
    struct diag diag;
    struct dct_slot slot;

    look(fs);
    dct_create(fs, &diag);
    dct_load(fs, dct, &diag);
    if (dct_slot_get(fs, 1, &slot, &diag) == LFS_OK)
        dct_slot_set(fs, 2, &slot, &diag);
    dct_set(fs, "setup_done", "done", &diag);
    lfs_file_write(fs, "/usr/log.txt", 5000, text, sizeof(text), &diag);
    lfs_file_replace(fs, DCT_PATH, text, sizeof(text), &diag);
    lfs_file_create(fs, "/usr/sub/new", text, sizeof(text), &diag);
    lfs_remove(fs, "/usr/log.txt", &diag);
    lfs_remove(fs, "/usr/sub/empty", &diag);
    lfs_remove(fs, "/usr/sub/new", &diag);
    lfs_remove(fs, "/usr/sub", &diag);
    lfs_mkdir(fs, "/usr/more", &diag);
    look(fs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint32_t blocks = data[0] & 1 ? SMALL_BLOCKS : LFS_BLOCK_COUNT;
    size_t flash_size = (size_t)blocks * LFS_BLOCK_SIZE;
    uint8_t *flash = malloc(flash_size);
    struct lfs_image img;
    struct lfs_fs fs;
    struct lfs_differences diffs;
    struct diag diag;

    if (!flash || lfs_image_init(&img, flash, flash_size, blocks, &diag))
        abort();
    memset(flash, 0xFF, flash_size);
    if (data[0] & 1) {
        build_small(&img);
        change(flash, data + 1, size - 1);
    } else {
        memcpy(flash, data + 1, size - 1 < flash_size ? size - 1 : flash_size);
    }
    if (lfs_image_mount(&img, &fs, &diag) == LFS_OK) {
        use(&fs);
        if (lfs_files_diff(&fs, &fs, &diffs, &diag) == LFS_OK)
            lfs_files_diff_free(&diffs);
    }
    free(flash);
    return 0;
}
