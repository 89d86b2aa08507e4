/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "image/board_images.h"
#include "image/store.h"

#define DEFAULT_BOARD "boron"

struct request {
    const char *verb;
    const char *board;
    char **versions; /* those of argv, moved to its front */
    size_t version_count;
};

static int parse_arguments(int argc, char **argv, struct request *request)
{
    request->board = DEFAULT_BOARD;
    request->versions = argv + 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--board") == 0) {
            if (++i == argc) {
                return cmd_bad_usage(&cmd_images, "--board needs a name");
            }
            request->board = argv[i];
        } else if (argv[i][0] == '-') {
            return cmd_bad_usage(&cmd_images, "there is no option \"%s\"", argv[i]);
        } else if (!request->verb) {
            request->verb = argv[i];
        } else {
            request->versions[request->version_count++] = argv[i];
        }
    }
    if (!request->verb) {
        return cmd_bad_usage(&cmd_images, "say what to do: list or fetch");
    }
    return EXIT_AS_EXPECTED;
}

static const char *state_name(int result)
{
    switch (result) {
    case STORE_OK:
        return "fetched";
    case STORE_MISSING:
        return "not fetched";
    case STORE_DAMAGED:
        return "damaged";
    default:
        return "unreadable";
    }
}

static void list_release(const struct board_images *board, const struct board_release *release)
{
    for (size_t i = 0; i < release->image_count; i++) {
        const struct board_image *image = &release->images[i];
        uint8_t *data = NULL;
        size_t len;
        int result = store_load(board, release->version, image->kind, &data, &len, NULL);
        free(data);
        printf("%-8s %-8s %-13s %7zu bytes  %-12s %s@%s %s\n", board->name, release->version, image->kind,
               image->size, state_name(result), release->package, release->package_version, image->path);
    }
}

static int fetch_release(const struct board_images *board, const struct board_release *release)
{
    struct diag why;
    fprintf(stderr, "%s %s: from %s@%s ... ", board->name, release->version, release->package,
            release->package_version);
    fflush(stderr);
    if (store_fetch(board, release->version, &why) != STORE_OK) {
        fprintf(stderr, "failed\nsosim images: %s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    fprintf(stderr, "good\n");
    return EXIT_AS_EXPECTED;
}

static int handle_release(const struct board_images *board, const struct board_release *release, bool fetch)
{
    if (fetch) {
        return fetch_release(board, release);
    }
    list_release(board, release);
    return EXIT_AS_EXPECTED;
}

static int handle_named(const struct board_images *board, const struct request *request, bool fetch)
{
    int code = EXIT_AS_EXPECTED;
    for (size_t i = 0; i < request->version_count && code == EXIT_AS_EXPECTED; i++) {
        struct diag why;
        const struct board_release *release = board_images_release(board, request->versions[i], &why);
        if (!release) {
            fprintf(stderr, "sosim images: %s\n", why.text);
            return EXIT_BAD_INPUT;
        }
        code = handle_release(board, release, fetch);
    }
    return code;
}

static int handle_all(const struct board_images *board, bool fetch)
{
    int code = EXIT_AS_EXPECTED;
    for (size_t i = 0; i < board->release_count && code == EXIT_AS_EXPECTED; i++) {
        code = handle_release(board, &board->releases[i], fetch);
    }
    return code;
}

static int run(int argc, char **argv)
{
    struct request request = {0};
    int code = parse_arguments(argc, argv, &request);
    if (code != EXIT_AS_EXPECTED) {
        return code;
    }
    bool fetch = strcmp(request.verb, "fetch") == 0;
    if (!fetch && strcmp(request.verb, "list") != 0) {
        return cmd_bad_usage(&cmd_images, "\"%s\" is neither list nor fetch", request.verb);
    }
    struct board_images board;
    struct diag why;
    if (board_images_load(request.board, &board, &why) != 0) {
        fprintf(stderr, "sosim images: %s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    code = request.version_count > 0 ? handle_named(&board, &request, fetch) : handle_all(&board, fetch);
    board_images_free(&board);
    return code;
}

const struct command cmd_images = {
    .name = "images",
    .summary = "list or fetch the images that a board's maker has published",
    .help = "Usage: sosim images list  [VERSION...] [--board BOARD]\n"
            "       sosim images fetch [VERSION...] [--board BOARD]\n"
            "\n"
            "VERSION is one of Device OS, such as 2.0.1; without one it is all of them. BOARD is boron\n"
            "unless given. Fetching uses npm and tar; images that are there already are only checked.\n"
            "\n"
            "They are kept in $SOSIM_CACHE, else $XDG_CACHE_HOME/sosim, else ~/.cache/sosim.\n",
    .run = run,
};
