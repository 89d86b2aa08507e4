/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people give to `sosim sweep` and `sosim run --point`, on the program itself: mistakes, and full disks.
 */
#include "ab_slot.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CODE_SIZE 64u
#define CODE_WIDE 1200u /* of a scenario that is large enough for two shards */

static char folder[] = "/tmp/sosim-cli-XXXXXX";

struct outcome {
    int code;
    char said[8192]; /* on stderr */
};

static void put_bytes(FILE *file, const char *address, const uint8_t *bytes, size_t size)
{
    fprintf(file, "{\"array\": \"internal\", \"address\": \"%s\", \"hex\": \"", address);
    for (size_t i = 0; i < size; i++)
        fprintf(file, "%02x", bytes[i]);
    fprintf(file, "\"}");
}

static FILE *create(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    return file;
}

/* An A/B bootloader copies the new program: two erases, its words and those of its header, and a mark. */
static void write_scenario(const char *file_name, const char *name, const char *guest, unsigned code_size)
{
    uint8_t slot[AB_HEADER_SIZE + CODE_WIDE];
    unsigned size = AB_HEADER_SIZE + code_size;
    FILE *file = create(file_name);
    fprintf(file, "{\"name\": \"%s\", \"board\": \"nrf52840\", ", name);
    fprintf(file, "\"modules\": [{\"file\": \"" TEST_FIRMWARE "/%s.bin\", \"address\": 0}], ", guest);
    fprintf(file, "\"state\": {\"start\": \"blank\", \"bytes\": [");
    ab_make_slot(slot, code_size, 1);
    put_bytes(file, "0x8000", slot, size);
    fprintf(file, ", ");
    ab_make_slot(slot, code_size, 2);
    put_bytes(file, "0xc000", slot, size);
    fprintf(file, ", ");
    put_bytes(file, "0x10000", (const uint8_t[4]){0}, 4);
    fprintf(file, "]}, \"expect\": [{\"memory\": {\"array\": \"ram\", \"address\": \"0x1000\", "
                  "\"hex\": \"02000000\"}}]}\n");
    fclose(file);
}

/* Runs a line of shell in the folder, where $SOSIM is the program; what it prints goes to a file. */
static struct outcome run(const char *line, const char *printed)
{
    static struct outcome outcome;
    char command[2048];
    snprintf(command, sizeof command, "cd %s && SOSIM=" SOSIM_PROGRAM " && { %s\n} 2>&1 >%s </dev/null",
             folder, line, printed);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    size_t size = fread(outcome.said, 1, sizeof outcome.said - 1, pipe);
    outcome.said[size] = '\0';
    int status = pclose(pipe);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
}

static void expect_run(const char *line, int code, const char *words)
{
    struct outcome outcome = run(line, "out");
    cr_expect_eq(outcome.code, code, "%s: exit code %d: %s", line, outcome.code, outcome.said);
    cr_expect_not_null(strstr(outcome.said, words), "%s: %s", line, outcome.said);
}

/* A look at what is in the folder. */
static void expect_that(const char *line)
{
    struct outcome outcome = run(line, "/dev/null");
    cr_expect_eq(outcome.code, 0, "%s: %s", line, outcome.said);
}

static void begin(void)
{
    cr_assert_not_null(mkdtemp(folder));
    write_scenario("ab.json", "ab", "ab_sound", CODE_SIZE);
    write_scenario("wide.json", "wide", "ab_sound", CODE_WIDE);
    write_scenario("hasty.json", "hasty", "ab_hasty", CODE_SIZE);
    write_scenario("other-build.json", "ab", "ab_hasty", CODE_SIZE);
}

static void end(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(cli_sweep, .init = begin, .fini = end, .timeout = 120);

Test(cli_sweep, options_that_say_nothing_or_too_much_are_refused)
{
    static const char *const wrong[] = {"--window ''",
                                        "--window int:",
                                        "--window int:1-",
                                        "--window int:9-3",
                                        "--window int:1-99999999999999999999",
                                        "--window flash",
                                        "--window 3-2ms",
                                        "--window 1-1e999ms",
                                        "--window ,int",
                                        "--faults ''",
                                        "--faults torn=0",
                                        "--faults torn=65",
                                        "--faults dropped=2",
                                        "--fail-on ''",
                                        "--fail-on SOS,",
                                        "--fail-on sos",
                                        "--shard 0/2",
                                        "--shard 3/2",
                                        "--shard 1",
                                        "--shard 1/",
                                        "--jobs 0",
                                        "--jobs 257",
                                        "--sample 0",
                                        "--seed -1",
                                        "--seed 18446744073709551616"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char line[200];
        snprintf(line, sizeof line, "$SOSIM sweep ab.json %s", wrong[i]);
        expect_run(line, 2, " cannot be \"");
    }
    expect_run("$SOSIM sweep ab.json --seed 0xffffffffffffffff --window 1e-3-200.5ms,int:0x1-3 --jobs 2", 0,
               "");
}

Test(cli_sweep, what_is_not_there_is_said)
{
    expect_run("$SOSIM sweep ab.json --window uicr", 2,
               "none of the scenario's 23 flash operations (0 ms to 171 ms) is in the window");
    expect_run("$SOSIM sweep ab.json --window int:24-99", 2, "is in the window");
    expect_run("$SOSIM run ab.json --point ab:int:24b", 2, "the scenario has no operation int:24");
    expect_run("$SOSIM run ab.json --point hasty:int:1b", 2, "is of another scenario or version than ab");
    expect_run("$SOSIM run ab.json --point ab@2.0.1:int:1b", 2, "is of another scenario or version than ab");
    expect_run("$SOSIM run ab.json --point ab:int:99999999999999999999b", 2, "is no point of a sweep");
    expect_run("$SOSIM run ab.json --point ab:int:1t0", 2, "is no point of a sweep");
    expect_run("$SOSIM run ab.json --point ab:int:1b", 0, "");
    expect_run("$SOSIM run ab.json --point ab:int:1b --json j.json", 2, "are of one run");
    expect_run("$SOSIM run ab.json --point ab:int:1x --json j.json", 1, "");
    expect_that("grep -q expectation_failed j.json");
}

Test(cli_sweep, results_of_anything_else_are_refused_before_anything_is_run)
{
    expect_run("$SOSIM sweep ab.json --resume r.txt", 0, "");
    expect_run("$SOSIM sweep ab.json --baseline r.txt --fail-on boots", 0, "");
    expect_run("$SOSIM sweep ab.json --fail-on boots", 1, "fails: ab:int:1b: boots");
    expect_run("$SOSIM sweep hasty.json --baseline r.txt", 2, "r.txt, line 1: these are results of another");
    expect_run("$SOSIM sweep other-build.json --baseline r.txt", 2,
               "r.txt, line 1: these are results of another");
    expect_run("$SOSIM sweep ab.json --baseline none", 2, "none: No such file");
    expect_that("test ! -s out"); /* the sweep's own words */
    expect_run("cp r.txt was && $SOSIM sweep other-build.json --resume r.txt", 2,
               "line 1: these are results of");
    expect_that("cmp r.txt was");
    expect_run("sed -i '3s/boots/bots/' r.txt && cp r.txt was && $SOSIM sweep ab.json --resume r.txt", 2,
               "r.txt, line 3: this is no result of this sweep");
    expect_that("cmp r.txt was");
}

/* It may be a file of the user's that was given by mistake. */
Test(cli_sweep, what_is_no_results_file_is_left_as_it_is)
{
    static const char *const others[] = {
        "tr -d '\\n' <ab.json",            /* a line that is long, and has no end */
        "printf notes",                    /* the same, and short */
        "printf 'my notes\\nof today\\n'", /* lines */
        "head -c 200 /dev/zero",
        "printf 'sosim-sweep 3 0123456789abcdef ab\\n'",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char line[200];
        snprintf(line, sizeof line, "%s >file; cp file was; $SOSIM sweep ab.json --resume file", others[i]);
        expect_run(line, 2, "file, line 1: ");
        expect_that("cmp file was");
    }
    expect_run("$SOSIM sweep ab.json --resume .", 2, ".: Is a directory");
}

Test(cli_sweep, shards_may_overlap_but_not_disagree)
{
    expect_run("$SOSIM sweep ab.json --resume a.txt --window int:1-15", 0, "");
    expect_run("$SOSIM sweep ab.json --resume b.txt --window int:10-23", 0, "");
    expect_run("cat a.txt b.txt >all.txt; $SOSIM sweep ab.json --resume all.txt", 0, "");
    expect_that("grep -q '92 points were known' out");
    expect_run("{ cat a.txt b.txt; grep -h ab:int:12b b.txt | sed 's/ boots / unmet /'; } >all.txt;"
               "$SOSIM sweep ab.json --resume all.txt",
               2, "this point is there twice, with different results");
    /* All shards choose the same sample. */
    expect_run("for n in 1 2; do $SOSIM sweep wide.json --sample 300 --shard $n/2 --resume s$n.txt; done;"
               "cat s1.txt s2.txt >all.txt; $SOSIM sweep wide.json --sample 300 --resume all.txt",
               0, "");
    expect_that("grep -q '300 points were known' out");
    /* A line that a kill cut short is run again; one in the middle is somebody's mistake. */
    expect_run("head -c -10 a.txt >cut.txt; $SOSIM sweep ab.json --resume cut.txt", 0, "");
    expect_that("grep -q '59 points were known' out && test $(grep -c . cut.txt) = 93");
    expect_run("{ head -c -10 a.txt; tail -n +2 b.txt; } >cut.txt; $SOSIM sweep ab.json --resume cut.txt", 2,
               "cut.txt, line 61: this is no result");
}

Test(cli_sweep, one_results_file_takes_one_sweep_at_a_time)
{
    char path[64];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    snprintf(path, sizeof path, "%s/r.txt", folder);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    cr_assert(fd >= 0);
    cr_assert_eq(fcntl(fd, F_SETLK, &lock), 0);
    expect_run("$SOSIM sweep ab.json --resume r.txt", 2, "r.txt: another sweep is writing to it");
    close(fd);
    expect_run("$SOSIM sweep ab.json --resume r.txt", 0, "");
}

/* What is kept stays good; what can be written is; and it is not taken for success. */
Test(cli_sweep, a_full_disk_is_told)
{
    expect_run("$SOSIM sweep ab.json --json /dev/full --junit j.xml", 2, "/dev/full: No space left");
    expect_that("grep -q '92 points' out && xmllint --noout j.xml");
    expect_run("$SOSIM sweep ab.json --junit /dev/full --json j.json", 2, "/dev/full: No space left");
    expect_that("grep -q '\"points_per_second\"' j.json");
    expect_run("$SOSIM sweep ab.json --json j.json --junit j.xml >/dev/full", 2, "could not be written");
    expect_that("grep -q '\"points_per_second\"' j.json && xmllint --noout j.xml");
    expect_run("$SOSIM sweep ab.json --json none/j.json", 2, "none/j.json: No such file");
    expect_that("test ! -s out");
    expect_run("$SOSIM run ab.json --vcd none/v", 2, "none/v: No such file");
    expect_that("test ! -s out");
    expect_run("$SOSIM run ab.json >/dev/full", 2, "could not be written");
    expect_run("$SOSIM run ab.json --quiet --json /dev/full", 2, "/dev/full: No space left");

    /* 5000 bytes are room for a part of the results. */
    expect_run("(trap '' XFSZ; ulimit -f 5; $SOSIM sweep ab.json --faults torn=9 --resume r.txt)", 2,
               "r.txt: File too large; what is there already stays good");
    expect_that("test $(grep -c . r.txt) -gt 20");
    expect_run("$SOSIM sweep ab.json --faults torn=9 --resume r.txt", 0, "");
    expect_that("test $(grep -c . r.txt) = 208");
}
