/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File work for sweeps of power cuts: a file of 13000 bytes grows to 16000, a mark is made, and the file is
 * cut in steps to 13200, never to where a block ends. Each step looks at the files to know where it is, and a
 * byte's value depends on its place alone: however often power goes off, the end is the same, or something
 * was lost.
 */
#include "device_os.h"

#define DATA    "/usr/data.txt"
#define MARK    "/usr/mark"
#define FULL    16000
#define APPEND  1000
#define CUT     700
#define REST    13200
#define LOOP_MS 20u

static bool done;

static bool append(int fd, long at)
{
    char bytes[APPEND];
    for (int i = 0; i < APPEND; i++)
        bytes[i] = (char)('a' + (at + i) % 26);
    return write(fd, bytes, sizeof bytes) == (int)sizeof bytes;
}

static bool exists(const char *path)
{
    int fd = open(path, O_RDONLY);
    return fd >= 0 && close(fd) == 0;
}

static bool make_mark(void)
{
    int fd = open(MARK, O_CREAT | O_WRONLY);
    return fd >= 0 && close(fd) == 0;
}

static bool step(void)
{
    bool cutting = exists(MARK);
    int fd = open(DATA, O_CREAT | O_RDWR);
    long size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    bool good = size >= 0;
    if (good && cutting && size > REST)
        good = ftruncate(fd, size - CUT) == 0;
    else if (good && !cutting && size < FULL)
        good = append(fd, size);
    else
        done = cutting;
    good = fd >= 0 && close(fd) == 0 && good;
    if (good && !cutting && size >= FULL)
        good = make_mark();
    return good;
}

void setup(void)
{
}

void loop(void)
{
    delay_ms(LOOP_MS);
    if (!done)
        done = !step();
}
