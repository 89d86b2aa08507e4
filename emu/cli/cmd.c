/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cmd_bad_usage(const struct command *command, const char *format, ...)
{
    va_list values;
    fprintf(stderr, "sosim %s: ", command->name);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fprintf(stderr, " (see: sosim %s --help)\n", command->name);
    return EXIT_BAD_INPUT;
}

const char *cmd_read_number(const char *text, uint64_t *number)
{
    static const char decimal[] = "0123456789", hexadecimal[] = "0123456789abcdefABCDEF";
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    size_t digits = strspn(hex ? text + 2 : text, hex ? hexadecimal : decimal);
    errno = 0;
    *number = digits ? strtoull(text, NULL, hex ? 16 : 10) : 0;
    return digits && !errno ? text + (hex ? 2 : 0) + digits : NULL;
}

int cmd_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    const char *end = cmd_read_number(text, number);
    return end && !*end && *number >= least && *number <= most ? 0 : -1;
}

static int complain(const struct command *command, const char *path, int error)
{
    fprintf(stderr, "sosim %s: %s: %s\n", command->name, path, strerror(error));
    return -1;
}

int cmd_check_writable(const struct command *command, const char *path)
{
    if (!path || !access(path, W_OK))
        return 0;
    if (errno != ENOENT)
        return complain(command, path, errno);
    const char *slash = strrchr(path, '/');
    char *directory = malloc(strlen(path) + 2);
    if (!directory)
        return complain(command, path, ENOMEM);
    strcpy(directory, slash ? path : ".");
    if (slash)
        directory[slash - path + 1] = '\0';
    int error = access(directory, W_OK | X_OK) ? errno : 0;
    free(directory);
    return error ? complain(command, path, error) : 0;
}

int cmd_write_file(const struct command *command, const char *path, cmd_writer write, const void *context)
{
    if (!path)
        return 0;
    FILE *out = fopen(path, "w");
    if (!out)
        return complain(command, path, errno);
    errno = 0;
    bool good = !write(context, out) && !ferror(out);
    int error = good ? 0 : errno ? errno : EIO;
    /* What is in the buffer still may be what finds no room. */
    if (fclose(out) && good)
        error = errno;
    return error ? complain(command, path, error) : 0;
}
