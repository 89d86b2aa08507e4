/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/process.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int start(const char *const *argv, const char *log_path, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) {
        return error;
    }
    error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0) {
        error = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_path,
                                                 O_WRONLY | O_CREAT | O_TRUNC, 0600);
    }
    if (error == 0) {
        error = posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    }
    if (error == 0) {
        /* The interface predates const; the arguments are not written to. */
        error = posix_spawnp(child, argv[0], &actions, NULL, (char *const *)argv, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

int process_run(const char *const *argv, const char *log_path, struct diag *why)
{
    pid_t child;
    int error = start(argv, log_path, &child);
    if (error == ENOENT) {
        diag_set(why, "there is no program \"%s\" in PATH", argv[0]);
        return PROCESS_NOT_FOUND;
    }
    if (error != 0) {
        diag_set(why, "%s could not be started: %s", argv[0], strerror(error));
        return PROCESS_FAILED;
    }
    int status;
    pid_t ended;
    do {
        ended = waitpid(child, &status, 0);
    } while (ended < 0 && errno == EINTR);
    if (ended != child) {
        diag_set(why, "%s: %s", argv[0], strerror(errno));
        return PROCESS_FAILED;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return PROCESS_OK;
    }
    if (WIFSIGNALED(status)) {
        diag_set(why, "%s was ended by signal %d", argv[0], WTERMSIG(status));
    } else {
        diag_set(why, "%s returned %d", argv[0], WEXITSTATUS(status));
    }
    return PROCESS_FAILED;
}
