/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/cmd.h"
#include "image/board_images.h"

static int print_board(const char *name)
{
    struct board_images board;
    struct diag why;
    if (board_images_load(name, &board, &why) != 0) {
        fprintf(stderr, "sosim boards: %s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    printf("%-10s %-30s platform %-3u %-12s images:", board.name, board.description, board.platform_id,
           board.has_parts ? "simulated" : "images only");
    for (size_t i = 0; i < board.release_count; i++) {
        printf(" %s", board.releases[i].version);
    }
    printf("\n");
    board_images_free(&board);
    return EXIT_AS_EXPECTED;
}

static int run(int argc, char **argv)
{
    if (argc > 1) {
        return cmd_bad_usage(&cmd_boards, "it takes no argument, got \"%s\"", argv[1]);
    }
    struct board_names names;
    struct diag why;
    if (board_names_list(&names, &why) != 0) {
        fprintf(stderr, "sosim boards: %s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    int code = EXIT_AS_EXPECTED;
    for (size_t i = 0; i < names.count; i++) {
        int one = print_board(names.names[i]);
        code = one > code ? one : code;
    }
    board_names_free(&names);
    return code;
}

const struct command cmd_boards = {
    .name = "boards",
    .summary = "list the boards and the Device OS versions whose images are known",
    .help = "Usage: sosim boards\n"
            "\n"
            "Lists the boards there are. \"simulated\" boards can be run; of \"images only\" boards the\n"
            "published images can be fetched and inspected.\n",
    .run = run,
};
