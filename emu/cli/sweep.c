/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "scenario/sweep.h"

#define TORN_DEFAULT 2u
#define TORN_MOST    64u
#define CELLS_MOST   9999u
#define JOBS_MOST    256u
#define SHARDS_MOST  100000u
#define SAMPLE_MOST  1000000000u

struct sweep_arguments {
    const char *scenario;
    const char *json, *junit;
    const char *modules_version;
    uint32_t failing; /* bit n: class n fails */
    bool faults_given;
    struct sweep_options options;
};

/* --- arguments ------------------------------------------------------------------------------------------
 */

static int take_number(const char *text, unsigned most, unsigned *number)
{
    uint64_t value;
    int err = cmd_number(text, 1, most, &value);
    *number = (unsigned)value;
    return err;
}

/* Calls `take` for each word between commas; there is at least one. */
static int each_word(const char *list, int (*take)(struct sweep_arguments *, const char *),
                     struct sweep_arguments *arguments)
{
    char word[64];
    for (;; list++) {
        size_t length = strcspn(list, ",");
        if (!length || length >= sizeof word)
            return -1;
        memcpy(word, list, length);
        word[length] = '\0';
        if (take(arguments, word))
            return -1;
        list += length;
        if (!*list)
            return 0;
    }
}

/* A fault of --faults; a number may follow its name. */
struct fault_word {
    const char *word;
    unsigned without, most; /* number if none is given, and the greatest; most 0: it has none */
};

static int take_fault(struct sweep_arguments *arguments, const char *word)
{
    struct sweep_options *options = &arguments->options;
    const struct {
        struct fault_word is;
        unsigned *number;
    } counted[] = {
        {{"torn", TORN_DEFAULT, TORN_MOST}, &options->torn},
        {{"torn-unstable", TORN_DEFAULT, TORN_MOST}, &options->torn_unstable},
        {{"dropped", 1, 0}, &options->struck[FLASH_DROPPED]},
        {{"doubled", 1, 0}, &options->struck[FLASH_DOUBLED]},
        {{"disturbed", 1, TORN_MOST}, &options->struck[FLASH_DISTURBED]},
        {{"worn", 1, CELLS_MOST}, &options->struck[FLASH_WORN]},
        {{"unstable", 1, CELLS_MOST}, &options->struck[FLASH_UNSTABLE]},
    };
    size_t length = strcspn(word, "=");
    arguments->faults_given = true;
    if (!strcmp(word, "before") || !strcmp(word, "after")) {
        *(word[0] == 'b' ? &options->before : &options->after) = true;
        return 0;
    }
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++) {
        const struct fault_word *is = &counted[i].is;
        if (strlen(is->word) != length || memcmp(is->word, word, length) != 0)
            continue;
        *counted[i].number = is->without;
        return word[length] ? (is->most ? take_number(word + length + 1, is->most, counted[i].number) : -1)
                            : 0;
    }
    return -1;
}

static int take_class(struct sweep_arguments *arguments, const char *word)
{
    for (int i = 0; i < SWEEP_CLASSES; i++) {
        if (!strcmp(word, sweep_class_key((enum sweep_class)i))) {
            arguments->failing |= 1u << i;
            return 0;
        }
    }
    return -1;
}

/* "100-200" or "100". 0 or -1. */
static int take_operations(const char *text, struct sweep_window *window)
{
    const char *end = cmd_read_number(text, &window->from);
    window->to = window->from;
    if (end && *end == '-')
        end = cmd_read_number(end + 1, &window->to);
    return end && !*end && window->from <= window->to ? 0 : -1;
}

/* "300-900ms"; fractions are fine. 0 or -1. */
static int take_times(const char *text, struct sweep_window *window)
{
    char *end;
    window->from_ms = strtod(text, &end);
    if (*end != '-' || !isdigit((unsigned char)end[1]))
        return -1;
    window->to_ms = strtod(end + 1, &end);
    return strcmp(end, "ms") || window->from_ms > window->to_ms || !isfinite(window->to_ms) ? -1 : 0;
}

/* "ext", "int:100-200", "300-900ms". */
static int take_window(struct sweep_arguments *arguments, const char *word)
{
    struct sweep_options *options = &arguments->options;
    struct sweep_window window = {.to = UINT64_MAX, .to_ms = DBL_MAX};
    if (options->windows == SWEEP_WINDOWS)
        return -1;
    if (isdigit((unsigned char)*word)) {
        if (take_times(word, &window))
            return -1;
    } else {
        size_t length = strcspn(word, ":");
        window.array = flash_array_named(word, length);
        if (!window.array || (word[length] && take_operations(word + length + 1, &window)))
            return -1;
    }
    options->window[options->windows++] = window;
    return 0;
}

static int take_shard(const char *text, struct sweep_options *options)
{
    uint64_t shard, shards;
    const char *slash = cmd_read_number(text, &shard);
    if (!slash || *slash != '/' || cmd_number(slash + 1, 1, SHARDS_MOST, &shards) || !shard || shard > shards)
        return -1;
    options->shard = (unsigned)shard;
    options->shards = (unsigned)shards;
    return 0;
}

static int take_sample(const char *text, struct sweep_options *options)
{
    uint64_t number;
    int err = cmd_number(text, 1, SAMPLE_MOST, &number);
    options->sample = (size_t)number;
    return err;
}

static int take_seed(const char *text, struct sweep_options *options)
{
    options->has_seed = true;
    return cmd_number(text, 0, UINT64_MAX, &options->seed);
}

/* An option with a value. Returns 1 if there is no such option, -1 if the value does not fit. */
static int take_option(struct sweep_arguments *arguments, const char *name, const char *value)
{
    struct sweep_options *options = &arguments->options;
    if (!strcmp(name, "--faults"))
        return each_word(value, take_fault, arguments);
    if (!strcmp(name, "--window"))
        return each_word(value, take_window, arguments);
    if (!strcmp(name, "--fail-on"))
        return each_word(value, take_class, arguments);
    if (!strcmp(name, "--jobs"))
        return take_number(value, JOBS_MOST, &options->jobs);
    if (!strcmp(name, "--sample"))
        return take_sample(value, options);
    if (!strcmp(name, "--shard"))
        return take_shard(value, options);
    if (!strcmp(name, "--seed"))
        return take_seed(value, options);
    const char **text = !strcmp(name, "--json")              ? &arguments->json
                        : !strcmp(name, "--junit")           ? &arguments->junit
                        : !strcmp(name, "--resume")          ? &options->results
                        : !strcmp(name, "--baseline")        ? &options->baseline
                        : !strcmp(name, "--modules-version") ? &arguments->modules_version
                                                             : NULL;
    if (!text)
        return 1;
    *text = value;
    return 0;
}

static int parse_arguments(int argc, char **argv, struct sweep_arguments *arguments)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--quick") || !strcmp(argv[i], "--plain")) {
            *(argv[i][2] == 'q' ? &arguments->options.quick : &arguments->options.plain) = true;
            continue;
        }
        if (argv[i][0] != '-') {
            if (arguments->scenario)
                return cmd_bad_usage(&cmd_sweep, "one scenario at a time, not \"%s\" too", argv[i]);
            arguments->scenario = argv[i];
            continue;
        }
        int taken = i + 1 < argc ? take_option(arguments, argv[i], argv[i + 1]) : 1;
        if (taken > 0)
            return cmd_bad_usage(&cmd_sweep, "there is no option \"%s\", or its value is missing", argv[i]);
        if (taken < 0)
            return cmd_bad_usage(&cmd_sweep, "%s cannot be \"%s\"", argv[i], argv[i + 1]);
        i++;
    }
    if (!arguments->scenario)
        return cmd_bad_usage(&cmd_sweep, "which scenario?");
    if (!arguments->faults_given) {
        arguments->options.before = arguments->options.after = true;
        arguments->options.torn = TORN_DEFAULT;
    }
    return EXIT_AS_EXPECTED;
}

/* --- the run --------------------------------------------------------------------------------------------
 */

struct progress {
    bool terminal;
    bool began;
    size_t done_before; /* points that were there when it began */
    double told;
};

static void show_progress(void *context, size_t done, size_t all, double seconds)
{
    static const char full[] = "##############################", none[] = "..............................";
    struct progress *progress = context;
    int wide = (int)(sizeof full - 1), filled = (int)(done * (sizeof full - 1) / all);
    if (seconds - progress->told < (progress->terminal ? 0.2 : 10) && done != all)
        return;
    if (!progress->began) {
        progress->began = true;
        progress->done_before = done - 1;
    }
    progress->told = seconds;
    double rate = seconds > 0 ? (double)(done - progress->done_before) / seconds : 0;
    if (progress->terminal)
        fprintf(stderr, "\r[%.*s%.*s] %zu of %zu points, %.0f a second, %.0f s to go \033[K%s", filled, full,
                wide - filled, none, done, all, rate, rate > 0 ? (double)(all - done) / rate : 0,
                done == all ? "\n" : "");
    else
        fprintf(stderr, "%zu of %zu points\n", done, all);
}

/* What the writers of files need. */
struct report {
    struct sweep *sweep;
    const bool *known;
    uint32_t failing;
};

static int write_json(const void *context, FILE *out)
{
    const struct report *report = context;
    return sweep_write_json(report->sweep, report->known, out);
}

static int write_junit(const void *context, FILE *out)
{
    const struct report *report = context;
    return sweep_write_junit(report->sweep, report->failing, report->known, out);
}

static int judge(const struct sweep_arguments *arguments, const struct sweep *sweep, const bool *known)
{
    size_t bad = 0;
    for (size_t i = 0; i < sweep->point_count; i++) {
        const struct sweep_point *point = &sweep->points[i];
        char id[SWEEP_ID_SIZE];
        if (!(arguments->failing >> point->class & 1) || (known && known[i]))
            continue;
        if (!bad++)
            fprintf(stderr, "fails: %s: %s\n", sweep_point_id(sweep, point, id),
                    sweep_class_words(point->class));
    }
    if (bad > 1)
        fprintf(stderr, "and %zu more\n", bad - 1);
    return bad ? EXIT_EXPECTATION_FAILED : EXIT_AS_EXPECTED;
}

/* The sweep was run: says what it came to. Everything that can be written is. */
static int tell(struct sweep_arguments *arguments, struct sweep *sweep)
{
    bool *known = NULL;
    struct diag why;
    int err = 0;
    const char *baseline = arguments->options.baseline;
    if (baseline && sweep_compare(sweep, baseline, &known, &why)) {
        fprintf(stderr, "sosim sweep: %s\n", why.text);
        err = -1;
    }
    int code = judge(arguments, sweep, known);
    const struct report report = {sweep, known, arguments->failing};
    if (sweep_write_text(sweep, known, stdout) || fflush(stdout))
        err = -1; /* main() says so */
    err |= cmd_write_file(&cmd_sweep, arguments->json, write_json, &report);
    err |= cmd_write_file(&cmd_sweep, arguments->junit, write_junit, &report);
    free(known);
    return err ? EXIT_BAD_INPUT : code;
}

static int sweep_scenario(struct sweep_arguments *arguments, struct scenario *scenario)
{
    struct progress progress = {.terminal = isatty(STDERR_FILENO)};
    struct sweep sweep;
    struct diag why = {{0}};
    char name[128];
    if (arguments->modules_version && scenario_override_version(scenario, arguments->modules_version)) {
        fprintf(stderr, "sosim sweep: out of memory\n");
        return EXIT_BAD_INPUT;
    }
    if (sweep_name(scenario, arguments->modules_version, name, sizeof name, &why) ||
        scenario_check(scenario, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    arguments->options.progress = show_progress;
    arguments->options.progress_context = &progress;
    int code = EXIT_BAD_INPUT;
    if (sweep_run(scenario, &arguments->options, name, &sweep, &why)) {
        fprintf(stderr, "sosim sweep: %s\n", why.text);
    } else {
        code = tell(arguments, &sweep);
    }
    sweep_free(&sweep);
    return code;
}

static int run(int argc, char **argv)
{
    struct sweep_arguments arguments = {.options = {.jobs = 1}};
    struct scenario scenario;
    struct diag why;
    if (parse_arguments(argc, argv, &arguments) != EXIT_AS_EXPECTED ||
        cmd_check_writable(&cmd_sweep, arguments.json) || cmd_check_writable(&cmd_sweep, arguments.junit))
        return EXIT_BAD_INPUT;
    if (scenario_load(&scenario, arguments.scenario, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    int code = sweep_scenario(&arguments, &scenario);
    scenario_free(&scenario);
    return code;
}

const struct command cmd_sweep = {
    .name = "sweep",
    .summary = "cut the power at every flash operation of a scenario and say how each ends",
    .help =
        "Usage: sosim sweep SCENARIO [OPTION...]\n"
        "\n"
        "Runs the scenario once and numbers its flash operations. Then, for each of them, power is lost\n"
        "before, within and after it; the device is started again, four times; and what became of it is\n"
        "counted. `sosim run SCENARIO --point ID` shows one of the points again.\n"
        "\n"
        "  --faults LIST           cuts: before, torn, after (all three if not given), torn-unstable; "
        "torn=N\n"
        "                          tears each operation in N ways (2 if not given). Faults that leave power\n"
        "                          on, for which the scenario runs again each time, at 100 operations "
        "spread\n"
        "                          over it, or as --sample says: dropped, doubled, disturbed (=N ways), "
        "worn\n"
        "                          (=N cells), unstable (=N cells)\n"
        "  --window LIST           parts of the run: an array (int, uicr, ext, otp), operations of it\n"
        "                          (int:100-200), or times (300-900ms); default the whole\n"
        "  --quick                 erases, first and last write of each page, and a few between\n"
        "  --sample N              only N of the points, chosen by the seed\n"
        "  --plain                 run each point wholly by itself, from the scenario's beginning: slow, and "
        "to\n"
        "                          compare with. A results file refuses points that ended differently\n"
        "  --jobs N                use N processes\n"
        "  --shard K/N             only the K-th of N parts of the points\n"
        "  --resume FILE           keep results in FILE, and go on from what is there. Files of shards put\n"
        "                          one behind the other are a file of the whole\n"
        "  --json FILE, --junit FILE   write the results\n"
        "  --fail-on LIST          classes that make the exit code 1: new, resumed, old, boots, unmet, "
        "mixed,\n"
        "                          safe-mode, DFU, SOS-once, SOS, dark, lamp-off, resets, stuck, wrong,\n"
        "                          data-lost, emulator\n"
        "  --baseline FILE         an earlier results file: what failed there already does not count\n"
        "  --seed N                use another seed than the scenario's\n"
        "  --modules-version V     run the scenario with the modules of another Device OS version; A..B: an\n"
        "                          update from A to B, where the scenario has an update\n"
        "\n"
        "Exit codes: 0 no point is of a class of --fail-on; 1 some are; 2 the sweep cannot be run, or its\n"
        "results not be written.\n",
    .run = run,
};
