/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `sosim usb`: the emulated device's USB port for programs outside. */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "core/machine.h"
#include "host/usb_tty.h"
#include "host/usbip.h"
#include "scenario/run.h"
#include "scenario/wall.h"

#define SLICE      (2 * CYCLES_PER_MS) /* between two looks at the clients */
#define LEAD_MS    1000.0              /* the device's clock may lead while a client waits for it */
#define LAG_MS     500.0               /* more than this is not caught up with */
#define START_MS   15000.0             /* CMD is started without a device after this */
#define PAUSE_MS   20
#define PATH_ROOM  4096
#define NOT_FOUND  127
#define MAX_SUFFIX 64

struct usb_arguments {
    const char *scenario;
    const char *address;
    const char *json;
    const char *tty; /* path of a terminal for the serial line, or NULL */
    uint16_t port;
    bool quiet, trace;
    char **command; /* NULL: serve */
};

struct session {
    const struct usb_arguments *arguments;
    struct usbip_server server;
    struct usb_tty tty;
    struct machine *machine;
    struct usb_host *host;
    bool open;
    pid_t child; /* 0: not started */
    int status;  /* of the child that has ended */
    bool ended;
    bool waiting;     /* a client was, when last looked at */
    double wall_base; /* ms of the wall clock and of the device's that belong together */
    double device_base;
    double started_wall; /* ms of both clocks when the program was started */
    double started_device;
    double took_wall; /* ms from then to its end */
    double took_device;
    double steps_done_at; /* ms of the device's clock; negative: not yet */
};

static double wall_ms(void)
{
    return wall_seconds() * 1000;
}

/* --- the program ------------------------------------------------------------------------------------------
 */

static bool readable(const char *directory, const char *suffix, char path[PATH_ROOM])
{
    snprintf(path, PATH_ROOM, "%.*s%s", PATH_ROOM - MAX_SUFFIX, directory, suffix);
    return access(path, R_OK) == 0;
}

/* Our libusb lies beside the program in a build tree, and in ../lib/sosim when installed. */
static bool find_library(char path[PATH_ROOM])
{
    char program[PATH_ROOM];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    if (size <= 0) {
        return false;
    }
    program[size] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    return readable(program, "/libsosim_usb.so", path) ||
           readable(program, "/../lib/sosim/libsosim_usb.so", path);
}

static int set_environment(const struct session *session)
{
    char library[PATH_ROOM];
    char preload[2 * PATH_ROOM];
    char port[16];
    const char *before = getenv("LD_PRELOAD");
    if (!find_library(library)) {
        fprintf(stderr, "sosim usb: libsosim_usb.so is not where it should be, beside sosim\n");
        return -1;
    }
    snprintf(preload, sizeof preload, "%s%s%.*s", library, before && *before ? ":" : "", PATH_ROOM - 2,
             before ? before : "");
    snprintf(port, sizeof port, "%u", (unsigned)session->server.port);
    const char *tty = session->arguments->tty;
    return setenv("LD_PRELOAD", preload, 1) != 0 || setenv("SOSIM_USB_PORT", port, 1) != 0 ||
                   (tty != NULL && setenv("SOSIM_TTY", tty, 1) != 0)
               ? -1
               : 0;
}

/* The child gets the signals that we keep from ourselves. */
static pid_t spawn(char **command)
{
    extern char **environ;
    pid_t child = -1;
    sigset_t none;
    posix_spawnattr_t attributes;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int err = posix_spawnp(&child, command[0], NULL, &attributes, command, environ);
    posix_spawnattr_destroy(&attributes);
    if (err != 0) {
        fprintf(stderr, "sosim usb: %s: %s\n", command[0], strerror(err));
        return -1;
    }
    return child;
}

static void start_child(struct session *session)
{
    if (set_environment(session) == 0) {
        session->child = spawn(session->arguments->command);
    }
    unsetenv("LD_PRELOAD");
    if (session->child <= 0) {
        session->child = -1;
        session->ended = true;
        session->status = NOT_FOUND;
    }
}

static void look_after_child(struct session *session)
{
    int status;
    if (session->child <= 0 || session->ended || waitpid(session->child, &status, WNOHANG) <= 0) {
        return;
    }
    session->ended = true;
    session->took_wall = wall_ms() - session->started_wall;
    session->took_device = machine_ms(session->machine) - session->started_device;
    session->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool interrupted(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM));
}

/* --- time -------------------------------------------------------------------------------------------------
 */

/* From now on the two clocks are compared anew. */
static void rebase(struct session *session)
{
    session->wall_base = wall_ms();
    session->device_base = machine_ms(session->machine);
}

/* ms by which the device's clock is ahead of what it may be. */
static double too_early(const struct session *session)
{
    double lead = machine_ms(session->machine) - session->device_base - (wall_ms() - session->wall_base);
    return lead - (session->waiting ? LEAD_MS : 0);
}

static void poll_clients(struct session *session, int timeout_ms)
{
    usbip_poll(&session->server, timeout_ms);
    if (session->arguments->tty != NULL) {
        usb_tty_poll(&session->tty);
    }
}

/*
 * While nobody waits, a second of the device's is a second. A transfer under way may run ahead, so that
 * flash work that takes the emulator no time costs the client none, but not for long: a device that never
 * answers must not live through minutes in the seconds until the client gives up.
 */
static void keep_time(struct session *session)
{
    poll_clients(session, 0);
    for (;;) {
        bool waiting = usbip_waiting(&session->server);
        if (waiting != session->waiting) {
            session->waiting = waiting;
            rebase(session);
        }
        double early = too_early(session);
        if (early < -LAG_MS - LEAD_MS) {
            rebase(session);
        }
        if (early < 1 || interrupted()) {
            return;
        }
        poll_clients(session, early < PAUSE_MS ? (int)early : PAUSE_MS);
        look_after_child(session);
    }
}

/* --- taking part in the run -------------------------------------------------------------------------------
 */

static void answered(void *context)
{
    machine_stop(context);
}

static int begin(void *self, struct machine *machine, struct usb_host *host, struct diag *why)
{
    struct session *session = self;
    session->machine = machine;
    session->host = host;
    session->steps_done_at = -1;
    const char *tty = session->arguments->tty;
    if (tty != NULL && usb_tty_init(&session->tty, host, tty, why) != 0) {
        return -1;
    }
    if (usbip_open(&session->server, host, session->arguments->address, session->arguments->port, why) != 0) {
        return -1;
    }
    session->open = true;
    session->server.answered = answered;
    session->server.answered_context = machine;
    if (session->arguments->command == NULL) {
        fprintf(stderr, "sosim usb: USB/IP on port %u, bus id 1-1; Ctrl-C ends\n",
                (unsigned)session->server.port);
    }
    return 0;
}

static uint64_t next(void *self)
{
    const struct session *session = self;
    return session->machine->bus.clock.now + SLICE;
}

/* The program starts when the timeline is done and there is a device, or none came for long. */
static bool time_to_start(struct session *session, bool steps_done)
{
    double now = machine_ms(session->machine);
    if (!steps_done) {
        return false;
    }
    if (session->steps_done_at < 0) {
        session->steps_done_at = now;
    }
    return session->host->state == USB_HOST_CONFIGURED || now - session->steps_done_at >= START_MS;
}

static bool between(void *self, bool steps_done)
{
    struct session *session = self;
    if (interrupted()) {
        return false;
    }
    if (session->arguments->command != NULL && session->child == 0) {
        if (!time_to_start(session, steps_done)) {
            return true; /* nobody looks yet: as fast as it goes */
        }
        rebase(session);
        poll_clients(session, 0); /* the terminal is there before the program looks for it */
        session->started_wall = wall_ms();
        session->started_device = machine_ms(session->machine);
        start_child(session);
    }
    keep_time(session);
    look_after_child(session);
    return !session->ended || usbip_waiting(&session->server);
}

static void end(void *self)
{
    struct session *session = self;
    if (session->open) {
        usbip_close(&session->server);
    }
    if (session->open && session->arguments->tty != NULL) {
        usb_tty_close(&session->tty);
    }
    if (session->child > 0 && !session->ended) {
        kill(session->child, SIGTERM);
        waitpid(session->child, &session->status, 0);
        session->status = 128 + SIGTERM;
    }
}

/* --- the command ------------------------------------------------------------------------------------------
 */

static int write_json(const void *result, FILE *out)
{
    return result_write_json(result, out);
}

static int report(const struct usb_arguments *arguments, const struct run_result *result)
{
    int code = run_verdict_exit_code(result->verdict);
    if (!arguments->quiet) {
        result_write_text(result, arguments->command != NULL ? stderr : stdout);
    }
    int err = cmd_write_file(&cmd_usb, arguments->json, write_json, result);
    return err != 0 && code == EXIT_AS_EXPECTED ? EXIT_BAD_INPUT : code;
}

static void tell_times(const struct session *session)
{
    if (session->child > 0 && session->ended && !session->arguments->quiet) {
        fprintf(stderr, "sosim usb: the command took %.1f s, and %.1f s of the device's time\n",
                session->took_wall / 1000, session->took_device / 1000);
    }
}

static int run_session(struct session *session, const struct scenario *scenario)
{
    const struct run_companion companion = {
        .begin = begin, .next = next, .between = between, .end = end, .self = session};
    const struct run_options options = {.companion = &companion,
                                        .trace = session->arguments->trace ? stderr : NULL};
    struct run_result result;
    struct diag why = {{0}};
    int code = EXIT_BAD_INPUT;
    if (scenario_check(scenario, &why) != 0) {
        fprintf(stderr, "%s\n", why.text);
        return EXIT_BAD_INPUT;
    }
    result_init(&result);
    if (scenario_run(scenario, &options, &result, &why) != 0) {
        fprintf(stderr, "%s\n", why.text);
    } else {
        tell_times(session);
        code = report(session->arguments, &result);
    }
    result_free(&result);
    return session->status != 0 ? session->status : code;
}

static int run_usb(const struct usb_arguments *arguments)
{
    struct session *session = calloc(1, sizeof *session);
    struct scenario scenario;
    struct diag why;
    sigset_t signals;
    if (session == NULL) {
        fprintf(stderr, "sosim usb: out of memory\n");
        return EXIT_EMULATOR_STOPPED;
    }
    session->arguments = arguments;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int code = EXIT_BAD_INPUT;
    if (scenario_load(&scenario, arguments->scenario, &why) != 0) {
        fprintf(stderr, "%s\n", why.text);
    } else {
        code = run_session(session, &scenario);
        scenario_free(&scenario);
    }
    free(session);
    return code;
}

static int take_port(const char *text, uint16_t *port)
{
    uint64_t value;
    if (cmd_number(text, 0, UINT16_MAX, &value) != 0) {
        return cmd_bad_usage(&cmd_usb, "\"%s\" is no port", text);
    }
    *port = (uint16_t)value;
    return EXIT_AS_EXPECTED;
}

/* Returns how many arguments an option took, 0 if it is none, or -1. */
static int take_option(char **argv, int left, struct usb_arguments *arguments)
{
    if (strcmp(argv[0], "--quiet") == 0) {
        arguments->quiet = true;
        return 1;
    }
    if (strcmp(argv[0], "--trace") == 0) {
        arguments->trace = true;
        return 1;
    }
    if (left < 2) {
        return 0;
    }
    if (strcmp(argv[0], "--port") == 0) {
        return take_port(argv[1], &arguments->port) == EXIT_AS_EXPECTED ? 2 : -1;
    }
    if (strcmp(argv[0], "--listen") == 0) {
        arguments->address = argv[1];
        return 2;
    }
    if (strcmp(argv[0], "--tty") == 0) {
        arguments->tty = argv[1];
        return 2;
    }
    if (strcmp(argv[0], "--json") == 0) {
        arguments->json = argv[1];
        return 2;
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct usb_arguments arguments = {.port = USBIP_PORT};
    if (argc < 2 || (strcmp(argv[1], "serve") != 0 && strcmp(argv[1], "exec") != 0)) {
        return cmd_bad_usage(&cmd_usb, "serve or exec?");
    }
    bool exec = strcmp(argv[1], "exec") == 0;
    if (exec) {
        arguments.port = 0;
    }
    int i = 2;
    while (i < argc && strcmp(argv[i], "--") != 0) {
        int taken = take_option(argv + i, argc - i, &arguments);
        if (taken < 0) {
            return EXIT_BAD_INPUT;
        }
        if (taken == 0 && (argv[i][0] == '-' || arguments.scenario != NULL)) {
            return cmd_bad_usage(&cmd_usb, "what is \"%s\"?", argv[i]);
        }
        if (taken == 0) {
            arguments.scenario = argv[i];
            taken = 1;
        }
        i += taken;
    }
    if (arguments.scenario == NULL) {
        return cmd_bad_usage(&cmd_usb, "which scenario?");
    }
    if (exec != (i + 1 < argc)) {
        return cmd_bad_usage(&cmd_usb, exec ? "which command? It comes after --" : "serve runs no command");
    }
    arguments.command = exec ? argv + i + 1 : NULL;
    return cmd_check_writable(&cmd_usb, arguments.json) ? EXIT_BAD_INPUT : run_usb(&arguments);
}

const struct command cmd_usb = {
    .name = "usb",
    .summary = "let programs use the emulated device's USB port",
    .help = "Usage: sosim usb exec SCENARIO [OPTION...] -- COMMAND [ARGUMENT...]\n"
            "       sosim usb serve SCENARIO [OPTION...]\n"
            "\n"
            "Runs the scenario's timeline with a host on the device's USB plug. `exec` then runs a program\n"
            "that uses libusb-1.0, unmodified, on that device, as in\n"
            "    sosim usb exec dfu.json -- dfu-util -l\n"
            "and, when the program has ended, goes on to the scenario's `until` and its expectations.\n"
            "`serve` is a USB/IP server for the whole run: `usbip attach -r 127.0.0.1 -b 1-1` on Linux\n"
            "connects the device to the kernel. Ctrl-C ends it.\n"
            "\n"
            "  --port N       TCP port; 0: any free one (serve: 3240, exec: 0)\n"
            "  --listen IP    address to listen on (127.0.0.1). Who reaches it can use the device.\n"
            "  --tty PATH     while the device has a serial line, PATH is a terminal connected to it; the\n"
            "                 command of `exec` finds PATH in $SOSIM_TTY\n"
            "  --json FILE    write the result as `sosim run` does\n"
            "  --trace        print resets, flash operations and lamp changes to stderr\n"
            "  --quiet        do not print the result\n"
            "\n"
            "Exit codes: the command's if that is not 0, else as those of `sosim run`.\n",
    .run = run,
};
