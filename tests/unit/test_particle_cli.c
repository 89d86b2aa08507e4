/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people did: Particle's own command line tool, and dfu-util, on the emulated Boron. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file that is gone when the command is over. */
#define WITH_FILE "F=$(mktemp); trap \"rm -f $F\" EXIT; "
#define PARTICLE  SOSIM_SOURCE "/tests/usb/particle_cli.sh "
#define PICTURES  "${SOSIM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sosim}/images/boron/2.0.1/"

struct outcome {
    int code;
    char text[65536]; /* what was printed, stdout and stderr */
};

/* Runs `sosim usb exec` with options and a shell command on the device of tests/usb/<name>.json. */
static struct outcome *run_with(const char *options, const char *name, const char *command)
{
    char line[2048];
    struct outcome *outcome = calloc(1, sizeof *outcome);
    cr_assert_not_null(outcome);
    snprintf(line, sizeof line,
             "timeout 250 " SOSIM_PROGRAM " usb exec " SOSIM_SOURCE
             "/tests/usb/%s.json %s -- sh -c '%s' 2>&1",
             name, options, command);
    FILE *pipe = popen(line, "r");
    cr_assert_not_null(pipe);
    size_t size = fread(outcome->text, 1, sizeof outcome->text - 1, pipe);
    outcome->text[size] = 0;
    int status = pclose(pipe);
    outcome->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
}

static struct outcome *run(const char *name, const char *command)
{
    return run_with("", name, command);
}

/* ... with a terminal for its serial line, in a new directory. */
static struct outcome *run_with_tty(const char *name, const char *command)
{
    char options[64] = "--tty ", *directory = options + strlen(options);
    strcat(options, "/tmp/sosim-tty-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    strcat(options, "/ttyACM0");
    struct outcome *outcome = run_with(options, name, command);
    *strrchr(options, '/') = 0;
    cr_expect_eq(rmdir(directory), 0, "the terminal is still there");
    return outcome;
}

#define expect_said(outcome, words)                                                                          \
    cr_expect_not_null(strstr((outcome)->text, words), "no \"%s\" in:\n%s", words, (outcome)->text)

Test(particle_cli, update_takes_a_device_from_2_0_0_to_2_0_1, .timeout = 300)
{
    struct outcome *outcome = run("update", PARTICLE "update");
    cr_expect_eq(outcome->code, 0, "%s", outcome->text);
    expect_said(outcome, "System firmware update successfully completed!");
    expect_said(outcome, "Verdict: as expected");
    free(outcome);
}

/* As the reporter of F1 saw it: three parts are written, the one byte is not. */
Test(particle_cli, update_of_the_broken_device_fails_at_the_last_byte, .timeout = 300)
{
    struct outcome *outcome = run("f1", PARTICLE "update -v");
    cr_expect_neq(outcome->code, 0);
    expect_said(outcome, "494444 bytes");
    expect_said(outcome, "153024 bytes");
    expect_said(outcome, "46580 bytes");
    expect_said(outcome, "dfu-util: Error during download get_status");
    expect_said(outcome, "Verdict: as expected");
    expect_said(outcome, "SOS 10");
    free(outcome);
}

Test(particle_cli, the_one_byte_fails_with_dfu_util_too, .timeout = 300)
{
    struct outcome *outcome =
        run("f1", WITH_FILE "printf \"\\245\" > $F; dfu-util -d 2b04:d00d -a 1 -i 0 -s 1753:leave -D $F");
    cr_expect_eq(outcome->code, 74);
    expect_said(outcome, "Error during download get_status");
    free(outcome);
}

Test(particle_cli, flash_refuses_a_bootloader, .timeout = 300)
{
    struct outcome *outcome = run("f1", PARTICLE "flash --usb " PICTURES "boron-bootloader@2.0.1.bin");
    cr_expect_eq(outcome->code, 1);
    expect_said(outcome, "Error writing firmware: unknown module function 2, use --force to override");
    free(outcome);
}

Test(particle_cli, flash_writes_an_application, .timeout = 300)
{
    struct outcome *outcome = run("update", PARTICLE "flash --usb " PICTURES "tinker-0.8.0-rc.27-boron.bin");
    expect_said(outcome, "Flash success!");
    expect_said(outcome, "system-part1"); /* it starts again: the report names what runs */
    free(outcome);
}

/* The way out: without the two superblocks there is no file system, and the bootloader makes a new one. */
Test(particle_cli, wiping_the_superblocks_recovers_the_broken_device, .timeout = 300)
{
    struct outcome *outcome =
        run("f1-recovered", WITH_FILE "head -c 8192 /dev/zero | tr \"\\0\" \"\\377\" > $F;"
                                      "dfu-util -d 2b04:d00d -a 2 -s 0x80000000:leave -D $F");
    cr_expect_eq(outcome->code, 0, "%s", outcome->text);
    expect_said(outcome, "listening mode");
    free(outcome);
}

Test(particle_cli, finds_and_identifies_a_device_in_listening_mode, .timeout = 300)
{
    struct outcome *outcome =
        run_with_tty("listening", PARTICLE "serial list && " PARTICLE "serial identify && " PARTICLE
                                           "identify && " PARTICLE "usb list --ids-only");
    cr_expect_eq(outcome->code, 0, "%s", outcome->text);
    expect_said(outcome, "ttyACM0 - Boron");
    expect_said(outcome, "Your device id is e00fce684f5351503053494d");
    expect_said(outcome, "Your system firmware version is 2.0.1");
    expect_said(outcome, "\ne00fce684f5351503053494d\n"); /* by control request */
    free(outcome);
}

Test(particle_cli, flash_over_the_serial_line, .timeout = 300)
{
    struct outcome *outcome = run_with_tty("flash-serial", PARTICLE "flash --serial --yes " PICTURES
                                                                    "tinker-0.8.0-rc.27-boron.bin");
    cr_expect_eq(outcome->code, 0, "%s", outcome->text);
    expect_said(outcome, "Flash success!");
    expect_said(outcome, "Verdict: as expected");
    free(outcome);
}

Test(particle_cli, changes_modes_by_control_requests, .timeout = 300)
{
    struct outcome *outcome =
        run("listening",
            PARTICLE "usb stop-listening && " PARTICLE "usb start-listening && " PARTICLE
                     "usb dfu && until dfu-util -l | grep Found; do sleep 1; done && " PARTICLE "usb reset");
    cr_expect_eq(outcome->code, 0, "%s", outcome->text);
    expect_said(outcome, "Found DFU: [2b04:d00d]");
    expect_said(outcome, "connecting to the network"); /* it has stopped listening */
    expect_said(outcome, "soft reset");
    free(outcome);
}
