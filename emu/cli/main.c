/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"

static const struct command *const commands[] = {
    &cmd_run, &cmd_sweep, &cmd_usb, &cmd_validate, &cmd_inspect, &cmd_images, &cmd_boards,
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *to)
{
    fputs("sosim - runs the real firmware of a Particle board on an emulated board and says what happens\n"
          "\n"
          "Usage: sosim COMMAND [ARGUMENT...]\n"
          "       sosim COMMAND --help\n"
          "       sosim --help | --version\n"
          "\n"
          "Commands:\n",
          to);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs("\n"
          "Exit codes: 0 as expected; 1 an expectation failed; 2 bad usage, scenario or image, or output\n"
          "that cannot be written; 3 the emulator could not go on; 4 a limit ran out before the scenario "
          "ended.\n",
          to);
}

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_help(argv[i])) {
            fputs(command->help, stdout);
            return EXIT_AS_EXPECTED;
        }
    }
    return command->run(argc, argv);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_BAD_INPUT;
    }
    if (is_help(argv[1])) {
        print_help(stdout);
        return EXIT_AS_EXPECTED;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("sosim " SOSIM_VERSION);
        return EXIT_AS_EXPECTED;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, argv[1]) == 0) {
            return run_command(commands[i], argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "sosim: there is no command \"%s\" (see: sosim --help)\n", argv[1]);
    return EXIT_BAD_INPUT;
}

int main(int argc, char **argv)
{
    int code = dispatch(argc, argv);
    /* A full disk or a closed pipe must not look like success. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "sosim: the output could not be written\n");
        return code == EXIT_AS_EXPECTED ? EXIT_BAD_INPUT : code;
    }
    return code;
}
