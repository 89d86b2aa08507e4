/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "scenario/scenario.h"

static int validate_one(const char *path)
{
    struct scenario scenario;
    struct diag why;
    if (scenario_load(&scenario, path, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    int code = EXIT_AS_EXPECTED;
    if (scenario_check(&scenario, &why)) {
        fprintf(stderr, "%s\n", why.text);
        code = EXIT_BAD_INPUT;
    } else {
        printf("%s: good (%zu steps, %zu expectations)\n", path, scenario.step_count, scenario.expect_count);
    }
    scenario_free(&scenario);
    return code;
}

static int run(int argc, char **argv)
{
    int code = EXIT_AS_EXPECTED;
    bool options = true;
    int files = 0;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
            continue;
        }
        if (options && argv[i][0] == '-')
            return cmd_bad_usage(&cmd_validate, "there is no option \"%s\"", argv[i]);
        files++;
        int one = validate_one(argv[i]);
        code = one > code ? one : code;
    }
    return files ? code : cmd_bad_usage(&cmd_validate, "which scenario?");
}

const struct command cmd_validate = {
    .name = "validate",
    .summary = "check scenarios without running them",
    .help =
        "Usage: sosim validate SCENARIO...\n"
        "\n"
        "Checks scenario files: the JSON itself, every member and value, and whether the board, the\n"
        "published modules and the files that a scenario names are there. Mistakes are reported as\n"
        "FILE:LINE:COLUMN: PATH: what is wrong.\n"
        "\n"
        "scenarios/scenario.schema.json describes the format, for editors that complete and check JSON.\n",
    .run = run,
};
