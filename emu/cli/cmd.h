/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of the program, one file each. A new one is its file, a declaration here, and a line in the
 * table of main.c. What they share is in cmd.c.
 *
 * Data goes to stdout, progress and messages to stderr.
 */
#ifndef SOSIM_CLI_CMD_H
#define SOSIM_CLI_CMD_H

#include "core/diag.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What the program returns; scripts rely on the numbers. */
enum exit_code {
    EXIT_AS_EXPECTED = 0,
    EXIT_EXPECTATION_FAILED = 1,
    EXIT_BAD_INPUT = 2,        /* bad usage, scenario or image; or the output cannot be written */
    EXIT_EMULATOR_STOPPED = 3, /* the emulator could not go on */
    EXIT_LIMIT = 4,            /* a limit ran out before the scenario ended */
};

struct command {
    const char *name;
    const char *summary;               /* one line for the program's own --help */
    const char *help;                  /* the whole text for `sosim <name> --help`, ending in a newline */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns enum exit_code */
};

extern const struct command cmd_boards;
extern const struct command cmd_images;
extern const struct command cmd_inspect;
extern const struct command cmd_run;
extern const struct command cmd_sweep;
extern const struct command cmd_usb;
extern const struct command cmd_validate;

/* Prints "sosim <command>: <message>" and where to find help to stderr; returns EXIT_BAD_INPUT. */
int cmd_bad_usage(const struct command *command, const char *format, ...) DIAG_PRINTF(2, 3);

/* A whole number, decimal or "0x" hexadecimal, at the beginning of a text. Returns what follows it, or NULL
 * if there is none, or one that is too large for 64 bits. */
const char *cmd_read_number(const char *text, uint64_t *number);

/* A text that is such a number and nothing else, `least` and `most` included. 0 or -1. */
int cmd_number(const char *text, uint64_t least, uint64_t most, uint64_t *number);

/* Fills a file that is open. 0, or -1 (errno). */
typedef int (*cmd_writer)(const void *context, FILE *out);

/* Writes a file; nothing if `path` is NULL. 0, or -1 after saying on stderr what went wrong. */
int cmd_write_file(const struct command *command, const char *path, cmd_writer write, const void *context);

/* Whether a file could be written there (NULL: yes), before long work for it begins. 0, or -1, likewise. */
int cmd_check_writable(const struct command *command, const char *path);

#endif
