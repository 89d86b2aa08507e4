/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/store.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/digest.h"
#include "samples.h"

/* A world of its own for each test: a data directory with one board, a cache, and a PATH with a fake npm. */
struct world {
    char root[64];
    char cache[96];
    struct board_images board;
};

static void write_text(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file, "%s", path);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void write_board(struct world *world, const char *sha256, size_t size)
{
    char path[128];
    char text[1024];
    snprintf(text, sizeof(text),
             "{\"name\": \"toy\", \"description\": \"Toy\", \"platform_id\": 13, \"published\": [\n"
             "{\"version\": \"1.0.0\", \"package\": \"toy-images\", \"package_version\": \"9.9.9\", "
             "\"images\": [\n"
             "{\"kind\": \"user\", \"path\": \"assets/user.bin\", \"size\": %zu, \"sha256\": \"%s\"}]}]}\n",
             size, sha256);
    snprintf(path, sizeof(path), "%s/boards", world->root);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/boards/toy.json", world->root);
    write_text(path, text, 0644);
}

/* `script` is the body of a shell script that stands in for npm. */
static void fake_npm(struct world *world, const char *script)
{
    char path[128];
    char text[2048];
    snprintf(path, sizeof(path), "%s/bin", world->root);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/bin/npm", world->root);
    snprintf(text, sizeof(text), "#!/bin/sh\n%s\n", script);
    write_text(path, text, 0755);
    snprintf(text, sizeof(text), "%s/bin:/usr/bin:/bin", world->root);
    setenv("PATH", text, 1);
}

/* Packs the sample as npm would: <destination>/<something>.tgz with package/assets/user.bin inside. */
static void fake_npm_with(struct world *world, const char *sample)
{
    char script[1024];
    snprintf(script, sizeof(script),
             "test \"$1 $2 $3\" = 'pack toy-images@9.9.9 --pack-destination' || exit 9\n"
             "mkdir -p %s/made/package/assets\n"
             "cp %s/%s %s/made/package/assets/user.bin\n"
             "tar -czf \"$4/toy-images-9.9.9.tgz\" -C %s/made package",
             world->root, SOSIM_SAMPLES, sample, world->root, world->root);
    fake_npm(world, script);
}

static void set_up(struct world *world)
{
    struct diag why;
    char hex[SHA256_HEX_SIZE];
    struct sample user = sample_read("user.bin");
    sha256_hex(user.data, user.len, hex);
    strcpy(world->root, "/tmp/sosim-test-store.XXXXXX");
    cr_assert_not_null(mkdtemp(world->root));
    snprintf(world->cache, sizeof(world->cache), "%s/cache", world->root);
    setenv("SOSIM_DATA", world->root, 1);
    setenv("SOSIM_CACHE", world->cache, 1);
    write_board(world, hex, user.len);
    cr_assert_eq(board_images_load("toy", &world->board, &why), 0, "%s", why.text);
}

static void tear_down(struct world *world)
{
    char command[128];
    snprintf(command, sizeof(command), "/bin/rm -rf %s", world->root);
    cr_assert_eq(system(command), 0);
    board_images_free(&world->board);
}

/* Nothing but whole images may be left behind in the cache. */
static void assert_cache_is_empty(struct world *world)
{
    DIR *directory = opendir(world->cache);
    const struct dirent *entry;
    while (directory && (entry = readdir(directory)) != NULL) {
        cr_assert(entry->d_name[0] == '.', "%s is left in the cache", entry->d_name);
    }
    if (directory) {
        closedir(directory);
    }
}

static void assert_fetch_fails(struct world *world, int expected, const char *words)
{
    struct diag why;
    cr_assert_eq(store_fetch(&world->board, "1.0.0", &why), expected, "%s", why.text);
    cr_assert(strstr(why.text, words), "\"%s\" expected, got \"%s\"", words, why.text);
}

Test(store, fetches_then_loads)
{
    struct world world;
    struct diag why;
    set_up(&world);
    fake_npm_with(&world, "user.bin");
    cr_assert_eq(store_fetch(&world.board, "1.0.0", &why), STORE_OK, "%s", why.text);

    struct sample user = sample_read("user.bin");
    uint8_t *data;
    size_t len;
    char path[STORE_PATH_SIZE];
    char expected[STORE_PATH_SIZE];
    cr_assert_eq(store_load(&world.board, "1.0.0", "user", &data, &len, &why), STORE_OK, "%s", why.text);
    cr_assert_eq(len, user.len);
    cr_assert_arr_eq(data, user.data, len);
    cr_assert_eq(store_path(&world.board, "1.0.0", "user", path, &why), STORE_OK);
    snprintf(expected, sizeof(expected), "%s/images/toy/1.0.0/user.bin", world.cache);
    cr_assert_str_eq(path, expected);

    fake_npm(&world, "echo must not be asked again; exit 1");
    cr_assert_eq(store_fetch(&world.board, "1.0.0", &why), STORE_OK, "%s", why.text);
    tear_down(&world);
}

Test(store, damage_in_the_cache_is_seen_and_mended)
{
    struct world world;
    struct diag why;
    uint8_t *data;
    size_t len;
    char path[STORE_PATH_SIZE];
    set_up(&world);
    fake_npm_with(&world, "user.bin");
    cr_assert_eq(store_fetch(&world.board, "1.0.0", &why), STORE_OK, "%s", why.text);
    cr_assert_eq(store_path(&world.board, "1.0.0", "user", path, &why), STORE_OK);
    FILE *file = fopen(path, "r+b");
    fseek(file, 50, SEEK_SET);
    fputc('!', file);
    fclose(file);
    cr_assert_eq(store_load(&world.board, "1.0.0", "user", &data, &len, &why), STORE_DAMAGED);
    cr_assert(strstr(why.text, "sosim images fetch 1.0.0 --board toy"), "%s", why.text);
    cr_assert_eq(store_fetch(&world.board, "1.0.0", &why), STORE_OK, "%s", why.text);
    cr_assert_eq(store_load(&world.board, "1.0.0", "user", &data, &len, &why), STORE_OK, "%s", why.text);

    cr_assert_eq(truncate(path, 10), 0);
    cr_assert_eq(store_load(&world.board, "1.0.0", "user", &data, &len, &why), STORE_DAMAGED);
    tear_down(&world);
}

Test(store, missing_image_says_how_to_get_it)
{
    struct world world;
    struct diag why;
    char path[STORE_PATH_SIZE];
    set_up(&world);
    cr_assert_eq(store_path(&world.board, "1.0.0", "user", path, &why), STORE_MISSING);
    cr_assert_str_eq(why.text,
                     "toy 1.0.0 user is not in the image cache; get it with: sosim images fetch 1.0.0 "
                     "--board toy");
    cr_assert_eq(store_path(&world.board, "2.0.0", "user", path, &why), STORE_UNKNOWN);
    cr_assert(strstr(why.text, "there are: 1.0.0"), "%s", why.text);
    cr_assert_eq(store_path(&world.board, "1.0.0", "kernel", path, &why), STORE_UNKNOWN);
    cr_assert(strstr(why.text, "there are: user"), "%s", why.text);
    tear_down(&world);
}

Test(store, wrong_bytes_are_not_let_in)
{
    struct world world;
    set_up(&world);
    fake_npm_with(&world, "damaged.bin");
    assert_fetch_fails(&world, STORE_FETCH_FAILED, "SHA-256 is ");
    assert_cache_is_empty(&world);
    fake_npm_with(&world, "radio.bin");
    assert_fetch_fails(&world, STORE_FETCH_FAILED, "published were 2112");
    assert_cache_is_empty(&world);
    tear_down(&world);
}

Test(store, no_npm_is_said)
{
    struct world world;
    set_up(&world);
    setenv("PATH", world.root, 1);
    assert_fetch_fails(&world, STORE_FETCH_FAILED, "no program \"npm\" in PATH");
    assert_cache_is_empty(&world);
    tear_down(&world);
}

Test(store, npm_failures_are_explained)
{
    static const char *const cases[][2] = {
        {"echo 'npm error code ENOTFOUND' >&2; exit 1", "no network (npm: npm error code ENOTFOUND)"},
        {"echo 'npm error code ECONNREFUSED' >&2; exit 1", "registry does not answer"},
        {"echo 'npm ERR! code E404'; exit 1", "does not have this package"},
        {"echo 'npm error code ENOSPC' >&2; exit 228", "the disk is full"},
        {"echo 'some new trouble' >&2; exit 3", "npm returned 3: some new trouble"},
        {"exit 0", "no archive"},
        {"kill -9 $$", "ended by signal 9"},
        {"echo rubbish > \"$4/toy.tgz\"", "tar returned 2"},
        {"mkdir \"$4/package\"; tar -czf \"$4/toy.tgz\" -C \"$4\" package", "tar returned 2"},
    };
    struct world world;
    set_up(&world);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_npm(&world, cases[i][0]);
        assert_fetch_fails(&world, STORE_FETCH_FAILED, cases[i][1]);
        assert_cache_is_empty(&world);
    }
    tear_down(&world);
}

Test(store, unusable_cache_is_said)
{
    struct world world;
    set_up(&world);
    char file[128];
    snprintf(file, sizeof(file), "%s/plain-file", world.root);
    write_text(file, "in the way\n", 0644);
    setenv("SOSIM_CACHE", file, 1);
    assert_fetch_fails(&world, STORE_UNREADABLE, "image cache: cannot");
    char path[STORE_PATH_SIZE];
    struct diag why;
    cr_assert_eq(store_path(&world.board, "1.0.0", "user", path, &why), STORE_UNREADABLE);
    unsetenv("SOSIM_CACHE");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_fetch_fails(&world, STORE_UNREADABLE, "none of SOSIM_CACHE, XDG_CACHE_HOME and HOME is set");
    tear_down(&world);
}

Test(store, place_follows_the_environment)
{
    char path[STORE_PATH_SIZE];
    setenv("HOME", "/home/someone", 1);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("SOSIM_CACHE");
    store_directory(path, NULL);
    cr_assert_str_eq(path, "/home/someone/.cache/sosim");
    setenv("XDG_CACHE_HOME", "/var/tmp/x", 1);
    store_directory(path, NULL);
    cr_assert_str_eq(path, "/var/tmp/x/sosim");
    setenv("SOSIM_CACHE", "/var/tmp/own", 1);
    store_directory(path, NULL);
    cr_assert_str_eq(path, "/var/tmp/own");
}

Test(store, board_files_that_climb_are_refused)
{
    struct world world;
    struct diag why;
    char path[128];
    set_up(&world);
    snprintf(path, sizeof(path), "%s/boards/toy.json", world.root);
    write_text(
        path,
        "{\"name\": \"toy\", \"description\": \"T\", \"platform_id\": 13, \"published\": [{\"version\": "
        "\"../../x\", \"package\": \"p\", \"package_version\": \"1\", \"images\": []}]}",
        0644);
    struct board_images board;
    cr_assert_eq(board_images_load("toy", &board, &why), -1);
    cr_assert(strstr(why.text, "\"version\""), "%s", why.text);
    write_text(path, "{\"name\": ", 0644);
    cr_assert_eq(board_images_load("toy", &board, &why), -1);
    cr_assert(strstr(why.text, "not JSON"), "%s", why.text);
    cr_assert_eq(board_images_load("../toy", &board, &why), -1);
    cr_assert(strstr(why.text, "there are: toy"), "%s", why.text);
    tear_down(&world);
}
