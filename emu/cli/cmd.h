/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subcommands of the program, one file each. A new one is its file, a declaration here, and a line in the
 * table of main.c.
 *
 * Data goes to stdout, progress and messages to stderr.
 */
#ifndef SOSIM_CLI_CMD_H
#define SOSIM_CLI_CMD_H

#include <stdbool.h>

/* What the program returns; scripts rely on the numbers. */
enum exit_code {
    EXIT_AS_EXPECTED = 0,
    EXIT_EXPECTATION_FAILED = 1,
    EXIT_BAD_INPUT = 2,        /* bad usage, scenario or image */
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
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int cmd_bad_usage(const struct command *command, const char *format, ...);

#endif
