/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a log: 100 bytes each, so that 130 of them take four blocks of the file system. */
#ifndef SOSIM_APP_EVENT_LINES_H
#define SOSIM_APP_EVENT_LINES_H

#include "device_os.h"

#define LOG       "/usr/log.txt"
#define LINE_SIZE 100u
#define LINES     130u /* of the first days */

/* Writes one line at the file's position. */
static inline bool write_line(int fd, unsigned number)
{
    static const char words[] = ": pump on, 21.4 C, 3.92 V; ";
    char line[LINE_SIZE];
    for (unsigned i = 0; i < LINE_SIZE; i++)
        line[i] = words[i % (sizeof words - 1)];
    for (unsigned i = 6; i--; number /= 10)
        line[i] = (char)('0' + number % 10);
    line[LINE_SIZE - 1] = '\n';
    return write(fd, line, sizeof line) == (int)sizeof line;
}

/* The first start writes one line, the second the rest of the first days. How many lines are due, or -1. */
static inline int lines_due(int fd)
{
    long lines = lseek(fd, 0, SEEK_END) / (long)LINE_SIZE;
    if (lines <= 0)
        return lines < 0 ? -1 : 1;
    return lines < (long)LINES ? (int)((long)LINES - lines) : 0;
}

/* Adds lines at the end of the file. */
static inline bool add_lines(int fd, int count)
{
    long number = lseek(fd, 0, SEEK_END) / (long)LINE_SIZE;
    bool good = number >= 0 && count >= 0;
    for (int i = 0; i < count && good; i++)
        good = write_line(fd, (unsigned)number++);
    return good;
}

#endif
