/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/inspect.h"
#include "image/bytes.h"

static void print_lines(const char *label, const struct text_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        printf("  %-10s %s\n", label, lines->line[i]);
    }
}

static void print_flags(unsigned flags)
{
    static const char *const names[] = {"DROP_MODULE_INFO", "COMPRESSED", "COMBINED", "ENCRYPTED",
                                        "PREFIX_EXTENSIONS"};
    printf("  %-10s 0x%02x", "flags", flags);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (flags & 1u << i) {
            printf(" %s", names[i]);
        }
    }
    printf("\n");
}

static void print_dependencies(const struct module *module)
{
    for (size_t i = 0; i < 2; i++) {
        const struct module_dependency *dependency = &module->dependencies[i];
        char text[64];
        if (dependency->function != MODULE_FUNCTION_NONE) {
            printf("  %-10s %s or later\n", "needs",
                   module_describe(dependency->function, dependency->index, dependency->version, text,
                                   sizeof(text)));
        }
    }
}

static void print_checks(const struct module *module)
{
    static const char *const verdicts[] = {"cannot be checked", "good", "WRONG"};
    if (module->crc == MODULE_CHECK_IMPOSSIBLE) {
        printf("  %-10s %s\n", "CRC-32", verdicts[module->crc]);
    } else {
        printf("  %-10s %08x, %s\n", "CRC-32", (unsigned)module->crc_stored, verdicts[module->crc]);
    }
    if (module->sha256 == MODULE_CHECK_IMPOSSIBLE) {
        printf("  %-10s %s\n", "SHA-256", verdicts[module->sha256]);
    } else {
        char hex[SHA256_HEX_SIZE];
        bytes_to_hex(module->sha256_stored, MODULE_SHA256_SIZE, hex);
        printf("  %-10s %s, %s\n", "SHA-256", hex, verdicts[module->sha256]);
    }
}

static void print_flash_bytes(const struct module *module)
{
    struct module_bytes bytes;
    struct diag why;
    if (module_device_bytes(module, &bytes, &why) != MODULE_OK) {
        printf("  %-10s cannot be told: %s\n", "in flash", why.text);
        return;
    }
    printf("  %-10s %zu bytes at 0x%08x", "in flash", bytes.length, (unsigned)bytes.address);
    if (module->header_at != 0) {
        printf(", stack 0x%08x, reset 0x%08x", (unsigned)read_le32(module->data),
               (unsigned)read_le32(module->data + 4));
    }
    printf("\n");
    module_bytes_free(&bytes);
}

static void print_module(const struct module *module)
{
    char text[64];
    const char *platform = module_platform_name(module->platform);
    printf("  %-10s %s\n", "module",
           module_describe(module->function, module->index, module->version, text, sizeof(text)));
    printf("  %-10s %u (%s)\n", "platform", module->platform, platform ? platform : "unknown");
    printf("  %-10s 0x%08x..0x%08x, header at +0x%zx\n", "range", (unsigned)module->start,
           (unsigned)module->end, module->header_at);
    print_flags(module->flags);
    print_dependencies(module);
    print_checks(module);
    print_flash_bytes(module);
    struct text_lines notes = {0};
    inspect_notes(module, &notes);
    print_lines("note", &notes);
}

static void print_segments(const struct loadable *loadable)
{
    for (size_t i = 0; i < loadable->segment_count; i++) {
        const struct loadable_segment *segment = &loadable->segments[i];
        printf("  %-10s %zu bytes at 0x%08x\n", "segment", segment->length, (unsigned)segment->address);
    }
    if (loadable->has_entry) {
        printf("  %-10s 0x%08x\n", "entry", (unsigned)loadable->entry);
    }
    if (loadable->symbol_count > 0) {
        printf("  %-10s %zu\n", "symbols", loadable->symbol_count);
    }
}

static void print_file(const struct inspected_file *file)
{
    if (file->format == LOADABLE_AUTO) {
        printf("%s\n", file->error.text);
        return;
    }
    printf("%s: %s, %zu bytes\n", file->path, loadable_format_name(file->format), file->len);
    for (size_t i = 0; i < file->modules.count; i++) {
        print_module(&file->modules.modules[i]);
    }
    print_segments(&file->loadable);
    if (file->published[0] != '\0') {
        printf("  %-10s %s\n", "published", file->published);
    }
    print_lines("PROBLEM", &file->modules.problems);
}

void inspect_print_text(const struct inspection *inspection)
{
    for (size_t i = 0; i < inspection->file_count; i++) {
        print_file(&inspection->files[i]);
    }
    for (size_t i = 0; i < inspection->dependencies.count; i++) {
        printf("unmet: %s\n", inspection->dependencies.line[i]);
    }
}
