/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE /* memfd_create, MAP_ANONYMOUS */
#include "core/ones.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define GUARD 0x1000u
/* What is mapped again and again: to fill it takes time, and so does each mapping. */
#define PIECE   0x40000u
#define WRITTEN 0x4000u
/* A smaller memory is mostly written to: pages of its own, got all at once, cost less than copies one by one.
 */
#define LEAST_SHARED 0x200000u
#define LEAST_MAPPED 0x10000u

/* A file of PIECE bytes, all ones; -1 if there can be none. Written by one call: pages that are mapped would
 * be cleared first, one by one. */
static int file_of_ones(void)
{
    uint8_t bytes[WRITTEN];
    struct iovec parts[PIECE / WRITTEN];
    int file = memfd_create("erased flash", MFD_CLOEXEC);
    if (file < 0)
        return -1;
    memset(bytes, 0xff, sizeof bytes);
    for (size_t i = 0; i < PIECE / WRITTEN; i++)
        parts[i] = (struct iovec){bytes, sizeof bytes};
    if (writev(file, parts, PIECE / WRITTEN) == PIECE)
        return file;
    close(file);
    return -1;
}

/* Maps the file over [data, data + size), as private copies. */
static int map_shared(uint8_t *data, size_t size)
{
    int file = file_of_ones();
    void *piece = file < 0 ? MAP_FAILED : data;
    for (size_t at = 0; at < size && piece != MAP_FAILED; at += PIECE)
        piece = mmap(data + at, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0);
    if (file >= 0)
        close(file);
    return piece == MAP_FAILED ? -1 : 0;
}

static int map_own(uint8_t *data, size_t size)
{
    if (mmap(data, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1,
             0) == MAP_FAILED)
        return -1;
    memset(data, 0xff, size);
    return 0;
}

static int map_ones(struct ones *ones, size_t size)
{
    ones->mapped_size = size + 2 * (size_t)GUARD;
    ones->mapped = mmap(NULL, ones->mapped_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ones->mapped == MAP_FAILED) {
        ones->mapped = NULL;
        return -1;
    }
    ones->data = (uint8_t *)ones->mapped + GUARD;
    if (!(size >= LEAST_SHARED ? map_shared : map_own)(ones->data, size))
        return 0;
    ones_free(ones);
    return -1;
}

int ones_init(struct ones *ones, size_t size)
{
    memset(ones, 0, sizeof *ones);
    if (size >= LEAST_MAPPED && size % PIECE == 0 && !map_ones(ones, size))
        return 0;
    void *data = NULL;
    size_t room = (size + GUARD - 1) / GUARD * GUARD;
    if (posix_memalign(&data, GUARD, room ? room : GUARD))
        return ENOMEM;
    memset(data, 0xff, room);
    ones->data = data;
    return 0;
}

void ones_free(struct ones *ones)
{
    if (ones->mapped)
        munmap(ones->mapped, ones->mapped_size);
    else
        free(ones->data);
    memset(ones, 0, sizeof *ones);
}
