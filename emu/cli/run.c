/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/run_point.h"
#include "scenario/run.h"

struct run_arguments {
    const char *scenario;
    const char *json, *junit, *vcd;
    const char *modules_version;
    const char *point;
    bool trace, quiet;
    struct run_options options;
};

static bool take_value(int argc, char **argv, int *i, const char *name, const char **value)
{
    if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc) {
        return false;
    }
    *value = argv[++*i];
    return true;
}

static int take_seed(const char *text, struct run_options *options)
{
    options->has_seed = true;
    return cmd_number(text, 0, UINT64_MAX, &options->seed)
               ? cmd_bad_usage(&cmd_run, "\"%s\" is no seed", text)
               : EXIT_AS_EXPECTED;
}

static bool take_speed(const char *argument, struct run_options *options)
{
    bool slow = strcmp(argument, "--slow") == 0;
    bool no_inline_stores = slow || strcmp(argument, "--no-inline-stores") == 0;
    bool no_direct_registers = slow || strcmp(argument, "--no-direct-registers") == 0;
    bool no_spin_skip = slow || strcmp(argument, "--no-spin-skip") == 0;
    bool no_short_hooks = slow || strcmp(argument, "--no-short-hooks") == 0;
    bool no_hot_loops = slow || strcmp(argument, "--no-hot-loops") == 0;
    bool no_replay = slow || strcmp(argument, "--no-replay") == 0;
    options->no_inline_stores |= no_inline_stores;
    options->no_direct_registers |= no_direct_registers;
    options->no_short_hooks |= no_short_hooks;
    options->no_spin_skip |= no_spin_skip;
    options->no_hot_loops |= no_hot_loops;
    options->no_replay |= no_replay;
    return no_inline_stores || no_direct_registers || no_short_hooks || no_spin_skip || no_hot_loops ||
           no_replay;
}

static int parse_arguments(int argc, char **argv, struct run_arguments *arguments)
{
    bool options = true;
    for (int i = 1; i < argc; i++) {
        const char *seed = NULL;
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && strcmp(argv[i], "--trace") == 0) {
            arguments->trace = true;
        } else if (options && strcmp(argv[i], "--quiet") == 0) {
            arguments->quiet = true;
        } else if (options && take_speed(argv[i], &arguments->options)) {
            continue;
        } else if (options && (take_value(argc, argv, &i, "--json", &arguments->json) ||
                               take_value(argc, argv, &i, "--junit", &arguments->junit) ||
                               take_value(argc, argv, &i, "--vcd", &arguments->vcd) ||
                               take_value(argc, argv, &i, "--modules-version", &arguments->modules_version) ||
                               take_value(argc, argv, &i, "--point", &arguments->point))) {
            continue;
        } else if (options && take_value(argc, argv, &i, "--seed", &seed)) {
            if (take_seed(seed, &arguments->options) != EXIT_AS_EXPECTED) {
                return EXIT_BAD_INPUT;
            }
        } else if (options && argv[i][0] == '-') {
            return cmd_bad_usage(&cmd_run, "there is no option \"%s\", or its value is missing", argv[i]);
        } else if (arguments->scenario != NULL) {
            return cmd_bad_usage(&cmd_run, "one scenario at a time, not \"%s\" too", argv[i]);
        } else {
            arguments->scenario = argv[i];
        }
    }
    return arguments->scenario != NULL ? EXIT_AS_EXPECTED : cmd_bad_usage(&cmd_run, "which scenario?");
}

static int write_json(const void *result, FILE *out)
{
    return result_write_json(result, out);
}

static int write_junit(const void *result, FILE *out)
{
    return result_write_junit(result, out);
}

static int write_vcd(const void *result, FILE *out)
{
    return result_write_vcd(result, out);
}

/* Everything that can be written is. */
static int write_all(const struct run_arguments *arguments, const struct run_result *result)
{
    int code = run_verdict_exit_code(result->verdict);
    if (arguments->quiet) {
        printf("%s\n", result->light_count != 0 ? result->lights[0].line : "dark");
    } else if (result_write_text(result, stdout) != 0 && !ferror(stdout)) { /* main() tells the other case */
        fprintf(stderr, "sosim run: out of memory\n");
        code = EXIT_EMULATOR_STOPPED;
    }
    int err = cmd_write_file(&cmd_run, arguments->json, write_json, result);
    err |= cmd_write_file(&cmd_run, arguments->junit, write_junit, result);
    err |= cmd_write_file(&cmd_run, arguments->vcd, write_vcd, result);
    return err != 0 && code == EXIT_AS_EXPECTED ? EXIT_BAD_INPUT : code;
}

/* With --point: true if that was all, else the fault is planned for the run. */
static bool take_point(struct run_arguments *arguments, const struct scenario *scenario,
                       struct flash_plan *plan, int *code)
{
    char name[RUN_POINT_NAME_SIZE];
    struct diag why;
    if (run_point_parse(scenario, arguments->modules_version, arguments->point, &plan->fault, name, &why) !=
        0) {
        fprintf(stderr, "sosim run: %s\n", why.text);
        *code = EXIT_BAD_INPUT;
        return true;
    }
    if (plan->fault.kind <= FLASH_CUT_AFTER) {
        bool of_a_run = arguments->json || arguments->junit || arguments->vcd || arguments->trace;
        *code = of_a_run ? cmd_bad_usage(&cmd_run, "a cut is followed by several starts; --json, --junit, "
                                                   "--vcd and --trace are of one run")
                         : run_point(scenario, &arguments->options, name, &plan->fault);
        return true;
    }
    plan->seed = arguments->options.has_seed ? arguments->options.seed : scenario->seed;
    arguments->options.fault = flash_plan_ask;
    arguments->options.context = plan;
    return false;
}

static int run_scenario(struct run_arguments *arguments, struct scenario *scenario)
{
    struct run_result result;
    struct flash_plan plan = {.done = false};
    struct diag why = {{0}};
    int code = EXIT_BAD_INPUT;
    if (arguments->modules_version != NULL &&
        scenario_override_version(scenario, arguments->modules_version) != 0) {
        fprintf(stderr, "sosim run: out of memory\n");
        return EXIT_BAD_INPUT;
    }
    if (scenario_check(scenario, &why) != 0) {
        fprintf(stderr, "%s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    if (arguments->point != NULL && take_point(arguments, scenario, &plan, &code)) {
        return code;
    }
    arguments->options.trace = arguments->trace ? stderr : NULL;
    result_init(&result);
    if (scenario_run(scenario, &arguments->options, &result, &why) != 0) {
        fprintf(stderr, "%s\n", why.text);
    } else if (result.out_of_memory) {
        fprintf(stderr, "sosim run: out of memory\n");
        code = EXIT_EMULATOR_STOPPED;
    } else {
        code = write_all(arguments, &result);
    }
    result_free(&result);
    return code;
}

static int run(int argc, char **argv)
{
    struct run_arguments arguments = {0};
    struct scenario scenario;
    struct diag why;
    if (parse_arguments(argc, argv, &arguments) != EXIT_AS_EXPECTED ||
        cmd_check_writable(&cmd_run, arguments.json) || cmd_check_writable(&cmd_run, arguments.junit) ||
        cmd_check_writable(&cmd_run, arguments.vcd)) {
        return EXIT_BAD_INPUT;
    }
    if (scenario_load(&scenario, arguments.scenario, &why) != 0) {
        fprintf(stderr, "%s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    int code = run_scenario(&arguments, &scenario);
    scenario_free(&scenario);
    return code;
}

const struct command cmd_run = {
    .name = "run",
    .summary = "run a scenario and say what the device did",
    .help =
        "Usage: sosim run SCENARIO [OPTION...]\n"
        "\n"
        "Runs the scenario's firmware on the emulated board and prints what the lamp told, in one line,\n"
        "then whether that is what the scenario expects, and why.\n"
        "\n"
        "  --json FILE             write the whole result as JSON\n"
        "  --junit FILE            write the expectations as JUnit XML\n"
        "  --vcd FILE              write the lamps as a waveform\n"
        "  --trace                 print resets, flash operations and lamp changes to stderr as they come\n"
        "  --seed N                use another seed than the scenario's\n"
        "  --point ID              one point of a sweep again: cuts tell each start after them; other "
        "faults\n"
        "                          (x dropped, w doubled, d1 disturbed, s1 worn, u1 unstable) strike the\n"
        "                          scenario's run\n"
        "  --modules-version V     run the scenario with the modules of another Device OS version; A..B: an\n"
        "                          update from A to B, where the scenario has an update\n"
        "  --quiet                 print the one line only\n"
        "  --slow                  without any trick of speed; the result is the same. One at a time:\n"
        "                          --no-inline-stores, --no-direct-registers, --no-short-hooks,\n"
        "                          --no-spin-skip, --no-hot-loops, --no-replay\n"
        "\n"
        "Exit codes: 0 as expected; 1 an expectation failed; 2 the scenario cannot be run, or its result\n"
        "not be written; 3 the emulator could not go on; 4 a limit ran out before the scenario ended.\n",
    .run = run,
};
