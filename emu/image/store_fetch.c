/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/data_dir.h"
#include "image/file.h"
#include "image/process.h"
#include "image/store_internal.h"

#define MOST_IMAGES   32u
#define LOG_LIMIT     0x100000u
#define LARGEST_IMAGE 0x1000000u

/* One fetch under way. The work directory lies in the cache, so that rename() can move files out of it. */
struct fetch {
    const struct board_images *board;
    const struct board_release *release;
    char work[STORE_PATH_SIZE];
    char log[STORE_PATH_SIZE];
    char archive[STORE_PATH_SIZE];
    struct diag *why;
};

static int make_directories(const char *path, struct diag *why)
{
    char partial[STORE_PATH_SIZE];
    size_t len = strlen(path);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(partial, path, i);
        partial[i] = '\0';
        if (mkdir(partial, 0777) != 0 && errno != EEXIST) {
            diag_set(why, "image cache: cannot make the directory %s: %s", partial, strerror(errno));
            return STORE_UNREADABLE;
        }
    }
    return STORE_OK;
}

/* Deletes a directory and what is in it, as far as it can; it is a tidy-up with nobody to report to. */
static void remove_tree(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    while (directory && (entry = readdir(directory)) != NULL) {
        char child[STORE_PATH_SIZE];
        struct stat about;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            path_format(child, sizeof(child), NULL, "%s/%s", path, entry->d_name) != 0) {
            continue;
        }
        if (lstat(child, &about) == 0 && S_ISDIR(about.st_mode)) {
            remove_tree(child);
        } else {
            unlink(child);
        }
    }
    if (directory) {
        closedir(directory);
    }
    rmdir(path);
}

static int make_work_directory(struct fetch *fetch)
{
    char cache[STORE_PATH_SIZE];
    int result = store_directory(cache, fetch->why);
    if (result == STORE_OK) {
        result = make_directories(cache, fetch->why);
    }
    if (result != STORE_OK) {
        return result;
    }
    if (path_format(fetch->work, sizeof(fetch->work), fetch->why, "%s/fetch.XXXXXX", cache) != 0) {
        return STORE_UNREADABLE;
    }
    if (!mkdtemp(fetch->work)) {
        diag_set(fetch->why, "image cache: cannot write in %s: %s", cache, strerror(errno));
        fetch->work[0] = '\0';
        return STORE_UNREADABLE;
    }
    return path_format(fetch->log, sizeof(fetch->log), fetch->why, "%s/log", fetch->work) == 0
               ? STORE_OK
               : STORE_UNREADABLE;
}

/* The first line of `text` that contains `word`, cut to what fits a message. */
static bool find_line(const char *text, const char *word, char line[160])
{
    const char *hit = strstr(text, word);
    if (!hit) {
        return false;
    }
    const char *from = hit;
    while (from > text && from[-1] != '\n') {
        from--;
    }
    snprintf(line, 160, "%.*s", (int)strcspn(from, "\r\n"), from);
    return true;
}

/* Puts what a program said last into words that tell what to do about it. */
static void explain_failure(struct fetch *fetch, const char *program)
{
    static const struct {
        const char *sign;
        const char *meaning;
    } causes[] = {
        {"ENOSPC", "the disk is full"},
        {"No space left", "the disk is full"},
        {"ENOTFOUND", "no network"},
        {"EAI_AGAIN", "no network"},
        {"ENETUNREACH", "no network"},
        {"EHOSTUNREACH", "no network"},
        {"ECONNREFUSED", "no network, or npm's registry does not answer"},
        {"ETIMEDOUT", "no network, or npm's registry does not answer"},
        {"ECONNRESET", "no network, or npm's registry does not answer"},
        {"E404", "npm's registry does not have this package"},
        {"ETARGET", "npm's registry does not have this version of the package"},
    };
    uint8_t *log = NULL;
    size_t len;
    char line[160] = "";
    if (file_read_all(fetch->log, LOG_LIMIT, &log, &len, NULL) != FILE_OK) {
        return;
    }
    const char *text = (const char *)log;
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
        if (find_line(text, causes[i].sign, line)) {
            diag_set(fetch->why, "%s (%s: %s)", causes[i].meaning, program, line);
            free(log);
            return;
        }
    }
    if (find_line(text, "", line) && line[0] != '\0') {
        diag_set(fetch->why, "%s: %s", fetch->why->text, line);
    }
    free(log);
}

static int run(struct fetch *fetch, const char *const *argv)
{
    int result = process_run(argv, fetch->log, fetch->why);
    if (result == PROCESS_NOT_FOUND) {
        diag_set(fetch->why, "%s, and fetching images needs it", fetch->why->text);
    } else if (result != PROCESS_OK) {
        explain_failure(fetch, argv[0]);
    }
    return result == PROCESS_OK ? STORE_OK : STORE_FETCH_FAILED;
}

/* npm names the archive after the package; whatever it is called, it is the only one there. */
static int find_archive(struct fetch *fetch)
{
    DIR *directory = opendir(fetch->work);
    const struct dirent *entry;
    bool found = false;
    while (directory && !found && (entry = readdir(directory)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (len > 4 && strcmp(entry->d_name + len - 4, ".tgz") == 0) {
            found = path_format(fetch->archive, sizeof(fetch->archive), fetch->why, "%s/%s", fetch->work,
                                entry->d_name) == 0;
        }
    }
    if (directory) {
        closedir(directory);
    }
    if (!found) {
        diag_set(fetch->why, "npm left no archive behind");
        return STORE_FETCH_FAILED;
    }
    return STORE_OK;
}

static int download(struct fetch *fetch)
{
    char package[128];
    if (path_format(package, sizeof(package), fetch->why, "%s@%s", fetch->release->package,
                    fetch->release->package_version) != 0) {
        return STORE_FETCH_FAILED;
    }
    const char *const argv[] = {"npm",
                                "pack",
                                package,
                                "--pack-destination",
                                fetch->work,
                                "--loglevel",
                                "error",
                                "--ignore-scripts",
                                "--no-color",
                                "--no-update-notifier",
                                "--fetch-retries",
                                "1",
                                NULL};
    int result = run(fetch, argv);
    return result == STORE_OK ? find_archive(fetch) : result;
}

static int extract(struct fetch *fetch)
{
    const char *argv[6 + MOST_IMAGES] = {"tar", "-xzf", fetch->archive, "-C", fetch->work};
    char members[MOST_IMAGES][256];
    if (fetch->release->image_count > MOST_IMAGES) {
        diag_set(fetch->why, "the board file lists more than %u images for one version", MOST_IMAGES);
        return STORE_FETCH_FAILED;
    }
    for (size_t i = 0; i < fetch->release->image_count; i++) {
        if (path_format(members[i], sizeof(members[i]), fetch->why, "package/%s",
                        fetch->release->images[i].path) != 0) {
            return STORE_FETCH_FAILED;
        }
        argv[5 + i] = members[i];
    }
    return run(fetch, argv);
}

static int extracted_path(struct fetch *fetch, const struct board_image *image, char path[STORE_PATH_SIZE])
{
    return path_format(path, STORE_PATH_SIZE, fetch->why, "%s/package/%s", fetch->work, image->path);
}

static int check_image(struct fetch *fetch, const struct board_image *image)
{
    char path[STORE_PATH_SIZE];
    uint8_t *data = NULL;
    size_t len;
    if (extracted_path(fetch, image, path) != 0 ||
        file_read_all(path, LARGEST_IMAGE, &data, &len, fetch->why) != FILE_OK) {
        return STORE_FETCH_FAILED;
    }
    int result = store_check(image, data, len, fetch->why);
    free(data);
    if (result != STORE_OK) {
        diag_prefix(fetch->why, "%s@%s brought a file that is not the published one: %s",
                    fetch->release->package, fetch->release->package_version, image->path);
        return STORE_FETCH_FAILED;
    }
    return STORE_OK;
}

static int check_extracted(struct fetch *fetch)
{
    int result = STORE_OK;
    for (size_t i = 0; i < fetch->release->image_count && result == STORE_OK; i++) {
        result = check_image(fetch, &fetch->release->images[i]);
    }
    return result;
}

static int move_in(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->release->image_count; i++) {
        const struct board_image *image = &fetch->release->images[i];
        char from[STORE_PATH_SIZE];
        char to[STORE_PATH_SIZE];
        int result = store_image_path(fetch->board, fetch->release->version, image, to, fetch->why);
        if (result != STORE_OK || extracted_path(fetch, image, from) != 0) {
            return STORE_UNREADABLE;
        }
        char *slash = strrchr(to, '/');
        *slash = '\0';
        result = make_directories(to, fetch->why);
        *slash = '/';
        if (result != STORE_OK) {
            return result;
        }
        if (rename(from, to) != 0) {
            diag_set(fetch->why, "image cache: cannot write %s: %s", to, strerror(errno));
            return STORE_UNREADABLE;
        }
    }
    return STORE_OK;
}

static bool is_complete(const struct board_images *board, const struct board_release *release)
{
    for (size_t i = 0; i < release->image_count; i++) {
        uint8_t *data = NULL;
        size_t len;
        int result = store_load(board, release->version, release->images[i].kind, &data, &len, NULL);
        free(data);
        if (result != STORE_OK) {
            return false;
        }
    }
    return true;
}

int store_fetch(const struct board_images *board, const char *version, struct diag *why)
{
    static int (*const steps[])(struct fetch *) = {make_work_directory, download, extract, check_extracted,
                                                   move_in};
    struct diag own;
    struct fetch fetch = {.board = board, .why = why ? why : &own};
    fetch.release = board_images_release(board, version, fetch.why);
    if (!fetch.release) {
        return STORE_UNKNOWN;
    }
    if (is_complete(board, fetch.release)) {
        return STORE_OK;
    }
    int result = STORE_OK;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && result == STORE_OK; i++) {
        result = steps[i](&fetch);
    }
    if (fetch.work[0] != '\0') {
        remove_tree(fetch.work);
    }
    return result;
}
