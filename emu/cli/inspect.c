/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "image/board_images.h"
#include "image/bytes.h"
#include "image/file.h"
#include "image/module_set.h"

/* Where Device OS looks for the version of the SoftDevice that is installed at 0x1000. */
#define SOFTDEVICE_START      MBR_SIZE
#define SUPPOSED_VERSION_AT   (MODULE_HEADER_AFTER_VECTOR + 10u)
#define MOST_MODULES_TOGETHER 64u

static int parse_arguments(int argc, char **argv, char **paths, size_t *path_count, bool *json)
{
    bool options = true;
    for (int i = 1; i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0) {
            options = false;
        } else if (options && strcmp(argv[i], "--json") == 0) {
            *json = true;
        } else if (options && argv[i][0] == '-') {
            return cmd_bad_usage(&cmd_inspect, "there is no option \"%s\"", argv[i]);
        } else {
            paths[(*path_count)++] = argv[i];
        }
    }
    if (*path_count == 0) {
        return cmd_bad_usage(&cmd_inspect, "which file?");
    }
    return EXIT_AS_EXPECTED;
}

bool inspected_file_is_good(const struct inspected_file *file)
{
    return file->format != LOADABLE_AUTO && file->modules.problems.count == 0;
}

void inspect_notes(const struct module *module, struct text_lines *notes)
{
    struct module_bytes bytes;
    if (module->function != MODULE_FUNCTION_RADIO_STACK || module->start != SOFTDEVICE_START ||
        module_device_bytes(module, &bytes, NULL) != MODULE_OK) {
        return;
    }
    if (bytes.length >= SUPPOSED_VERSION_AT + 2) {
        text_lines_add(
            notes,
            "once installed it has no header; Device OS 2.x takes %u, the half-word at 0x%04x, for "
            "its version",
            read_le16(bytes.bytes + SUPPOSED_VERSION_AT), SOFTDEVICE_START + SUPPOSED_VERSION_AT);
    }
    module_bytes_free(&bytes);
}

static void append_published(const struct board_images *board, struct inspected_file *file)
{
    for (size_t i = 0; i < board->release_count; i++) {
        const struct board_release *release = &board->releases[i];
        for (size_t j = 0; j < release->image_count; j++) {
            const struct board_image *image = &release->images[j];
            size_t used = strlen(file->published);
            size_t room = sizeof(file->published) - used;
            if (strcmp(image->sha256, file->sha256) != 0) {
                continue;
            }
            if (used == 0) {
                snprintf(file->published, room, "%s %s of Device OS %s", board->name, image->kind,
                         release->version);
            } else {
                snprintf(file->published + used, room, ", %s", release->version);
            }
        }
    }
}

/* Looks the file up among the published images. Without board files there is nothing to look up in. */
static void find_published(struct inspected_file *file)
{
    struct board_names names;
    if (board_names_list(&names, NULL) != 0) {
        return;
    }
    for (size_t i = 0; i < names.count && file->published[0] == '\0'; i++) {
        struct board_images board;
        if (board_images_load(names.names[i], &board, NULL) == 0) {
            append_published(&board, file);
            board_images_free(&board);
        }
    }
    board_names_free(&names);
}

static void examine(const char *path, struct inspected_file *file)
{
    file->path = path;
    if (file_read_all(path, LOADABLE_LARGEST_FILE, &file->data, &file->len, &file->error) != FILE_OK) {
        return;
    }
    sha256_hex(file->data, file->len, file->sha256);
    find_published(file);
    /* A damaged module is still described, so modules are read here and not through the loader. */
    if (module_file_parse(file->data, file->len, &file->modules, NULL) != MODULE_NOT_A_MODULE) {
        file->format = LOADABLE_MODULE;
    } else if (loadable_parse(file->data, file->len, path, NULL, &file->loadable, &file->error) ==
               LOADABLE_OK) {
        file->format = file->loadable.format;
    }
}

static void check_together(struct inspection *inspection)
{
    const struct module *set[MOST_MODULES_TOGETHER];
    size_t count = 0;
    for (size_t i = 0; i < inspection->file_count; i++) {
        const struct module_file *modules = &inspection->files[i].modules;
        for (size_t j = 0; j < modules->count && count < MOST_MODULES_TOGETHER; j++) {
            set[count++] = &modules->modules[j];
        }
    }
    if (count > 1) {
        modules_check_dependencies(set, count, &inspection->dependencies);
    }
}

static int report(const struct inspection *inspection, bool json)
{
    if (!json) {
        inspect_print_text(inspection);
    } else if (!inspect_print_json(inspection)) {
        fprintf(stderr, "sosim inspect: out of memory\n");
        return EXIT_EMULATOR_STOPPED;
    }
    for (size_t i = 0; i < inspection->file_count; i++) {
        if (!inspected_file_is_good(&inspection->files[i])) {
            return EXIT_BAD_INPUT;
        }
    }
    return EXIT_AS_EXPECTED;
}

static int inspect(char **paths, size_t path_count, bool json)
{
    struct inspection inspection = {0};
    inspection.files = calloc(path_count, sizeof(*inspection.files));
    if (!inspection.files) {
        fprintf(stderr, "sosim inspect: out of memory\n");
        return EXIT_EMULATOR_STOPPED;
    }
    inspection.file_count = path_count;
    for (size_t i = 0; i < path_count; i++) {
        examine(paths[i], &inspection.files[i]);
    }
    check_together(&inspection);
    int code = report(&inspection, json);
    for (size_t i = 0; i < path_count; i++) {
        loadable_free(&inspection.files[i].loadable);
        free(inspection.files[i].data);
    }
    free(inspection.files);
    return code;
}

static int run(int argc, char **argv)
{
    char **paths = calloc((size_t)argc, sizeof(*paths));
    if (!paths) {
        fprintf(stderr, "sosim inspect: out of memory\n");
        return EXIT_EMULATOR_STOPPED;
    }
    size_t path_count = 0;
    bool json = false;
    int code = parse_arguments(argc, argv, paths, &path_count, &json);
    if (code == EXIT_AS_EXPECTED) {
        code = inspect(paths, path_count, json);
    }
    free(paths);
    return code;
}

const struct command cmd_inspect = {
    .name = "inspect",
    .summary = "say what image files are, and what is wrong with them",
    .help =
        "Usage: sosim inspect FILE... [--json]\n"
        "\n"
        "Reads Particle modules (single or combined), Intel HEX and ELF files and prints what they hold,\n"
        "where it goes, and everything that is wrong. Given several modules, it also says which of their\n"
        "dependencies the others do not meet. --json prints one JSON object instead of text.\n"
        "\n"
        "Returns 0 if all files are good, 2 if one is not.\n",
    .run = run,
};
