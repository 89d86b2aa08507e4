/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/module.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "image/bytes.h"

#define INTERNAL_FLASH_SIZE     0x100000u
#define KNOWN_FLAGS             0x1fu
#define COMPRESSION_HEADER_SIZE 8u
#define SMALLEST_SPAN           (MODULE_HEADER_SIZE + MODULE_SUFFIX_SIZE)
#define LARGEST_SPAN            0x1000000u

struct platform {
    uint16_t id;
    bool nrf52840;
    const char *name;
};

static const struct platform platforms[] = {
    {3, false, "gcc"},     {6, false, "photon"},   {8, false, "p1"},    {10, false, "electron"},
    {12, true, "argon"},   {13, true, "boron"},    {14, true, "xenon"}, {15, true, "esomx"},
    {22, true, "asom"},    {23, true, "bsom"},     {24, true, "xsom"},  {25, true, "b5som"},
    {26, true, "tracker"}, {28, true, "trackerm"}, {32, false, "p2"},   {35, false, "msom"},
};

static const char *const function_names[] = {
    [MODULE_FUNCTION_RESOURCE] = "resource",
    [MODULE_FUNCTION_BOOTLOADER] = "bootloader",
    [MODULE_FUNCTION_MONO_FIRMWARE] = "mono firmware",
    [MODULE_FUNCTION_SYSTEM_PART] = "system part",
    [MODULE_FUNCTION_USER_PART] = "user part",
    [MODULE_FUNCTION_SETTINGS] = "settings",
    [MODULE_FUNCTION_NCP_FIRMWARE] = "NCP firmware",
    [MODULE_FUNCTION_RADIO_STACK] = "radio stack",
    [MODULE_FUNCTION_ASSET] = "asset",
};

static const struct platform *find_platform(unsigned id)
{
    for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++) {
        if (platforms[i].id == id) {
            return &platforms[i];
        }
    }
    return NULL;
}

const char *module_function_name(unsigned function)
{
    return function < sizeof(function_names) / sizeof(function_names[0]) ? function_names[function] : NULL;
}

const char *module_platform_name(unsigned platform)
{
    const struct platform *known = find_platform(platform);
    return known ? known->name : NULL;
}

/* True for the boards that carry an nRF52840. */
static bool is_nrf52840(unsigned platform)
{
    const struct platform *known = find_platform(platform);
    return known && known->nrf52840;
}

char *module_describe(unsigned function, unsigned index, unsigned version, char *text, size_t size)
{
    const char *name = module_function_name(function);
    /* Only parts come in several; the others are counted 0 and read better without a number. */
    char number[16] = "";
    if (index != 0) {
        snprintf(number, sizeof(number), " %u", index);
    }
    if (name) {
        snprintf(text, size, "%s%s, version %u", name, number, version);
    } else {
        snprintf(text, size, "function %u%s, version %u", function, number, version);
    }
    return text;
}

static void read_header(const uint8_t *at, struct module *out)
{
    out->start = read_le32(at);
    out->end = read_le32(at + 4);
    out->mcu = at[8];
    out->flags = at[9];
    out->version = read_le16(at + 10);
    out->platform = read_le16(at + 12);
    out->function = at[14];
    out->index = at[15];
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *dependency = at + 16 + 4 * i;
        out->dependencies[i].function = dependency[0];
        out->dependencies[i].index = dependency[1];
        out->dependencies[i].version = read_le16(dependency + 2);
    }
}

static bool span_is_plausible(const struct module *module)
{
    return module->end > module->start && module->end - module->start >= SMALLEST_SPAN &&
           module->end - module->start <= LARGEST_SPAN;
}

/* One wrong field must not hide that a file is a damaged module, so two of three telling signs are enough. */
static bool looks_like_a_header(const struct module *module)
{
    int signs = 0;
    signs += find_platform(module->platform) != NULL;
    signs += module_function_name(module->function) != NULL;
    signs += span_is_plausible(module);
    return signs >= 2;
}

static void check_platform(struct module *module)
{
    if (!find_platform(module->platform)) {
        text_lines_add(&module->problems, "platform id %u is none that is known", module->platform);
    }
    if (!module_function_name(module->function)) {
        text_lines_add(&module->problems, "module function %u is none that is known", module->function);
    }
    if (module->flags & ~KNOWN_FLAGS) {
        text_lines_add(&module->problems, "flags 0x%02x has bits that mean nothing known", module->flags);
    }
}

static bool lives_in_internal_flash(const struct module *module)
{
    switch (module->function) {
    case MODULE_FUNCTION_BOOTLOADER:
    case MODULE_FUNCTION_MONO_FIRMWARE:
    case MODULE_FUNCTION_SYSTEM_PART:
    case MODULE_FUNCTION_USER_PART:
    case MODULE_FUNCTION_RADIO_STACK:
        return is_nrf52840(module->platform);
    default:
        return false;
    }
}

static void check_range(struct module *module)
{
    if (!span_is_plausible(module)) {
        text_lines_add(&module->problems, "address range 0x%08x..0x%08x makes no sense",
                       (unsigned)module->start, (unsigned)module->end);
        return;
    }
    if (!lives_in_internal_flash(module)) {
        return;
    }
    if (module->start < MBR_SIZE) {
        text_lines_add(&module->problems, "start 0x%08x lies in the MBR (0x00000000..0x00000fff)",
                       (unsigned)module->start);
    }
    if (module->end > INTERNAL_FLASH_SIZE - MODULE_CRC_SIZE) {
        text_lines_add(&module->problems,
                       "end 0x%08x leaves no room for the CRC in the 1 MiB of internal flash",
                       (unsigned)module->end);
    }
}

static void check_length(struct module *module, size_t available)
{
    size_t wanted = (size_t)(module->end - module->start) + MODULE_CRC_SIZE;
    if (available < wanted) {
        text_lines_add(&module->problems,
                       "truncated: the header says %zu bytes (0x%08x..0x%08x and the CRC), there are %zu",
                       wanted, (unsigned)module->start, (unsigned)module->end, available);
        return;
    }
    module->length = wanted;
    if (available > wanted && !(module->flags & MODULE_COMBINED)) {
        text_lines_add(&module->problems, "oversized: %zu bytes follow the module's end at offset 0x%zx",
                       available - wanted, wanted);
    }
}

static void check_crc(struct module *module)
{
    size_t covered = module->length - MODULE_CRC_SIZE;
    module->crc_stored = read_be32(module->data + covered);
    module->crc_computed = (uint32_t)crc32(0, module->data, (uInt)covered);
    module->crc = module->crc_stored == module->crc_computed ? MODULE_CHECK_GOOD : MODULE_CHECK_BAD;
    if (module->crc == MODULE_CHECK_BAD) {
        text_lines_add(&module->problems, "CRC-32 wrong: the file says %08x, its bytes give %08x",
                       (unsigned)module->crc_stored, (unsigned)module->crc_computed);
    }
}

static void compute_sha256(const uint8_t *data, size_t len, uint8_t digest[MODULE_SHA256_SIZE])
{
    struct sha256_ctx ctx;
    sha256_init(&ctx);
    sha256_update(&ctx, len, data);
    sha256_digest(&ctx, MODULE_SHA256_SIZE, digest);
}

static void check_sha256(struct module *module)
{
    size_t suffix_end = module->length - MODULE_CRC_SIZE;
    size_t suffix = suffix_end - MODULE_SUFFIX_SIZE;
    module->suffix_size = read_le16(module->data + suffix_end - 2);
    if (module->suffix_size < MODULE_SUFFIX_SIZE || module->suffix_size > suffix_end) {
        text_lines_add(&module->problems, "suffix says that it is %u bytes long, which cannot be",
                       module->suffix_size);
        return;
    }
    memcpy(module->sha256_stored, module->data + suffix + 2, MODULE_SHA256_SIZE);

    /* A module that was linked as one is hashed from its first byte to the hash; a binary that was wrapped
     * later is hashed alone, without the header in front and the suffix behind. */
    compute_sha256(module->data, suffix + 2, module->sha256_computed);
    bool good = memcmp(module->sha256_stored, module->sha256_computed, MODULE_SHA256_SIZE) == 0;
    if (!good && (module->flags & MODULE_DROP_MODULE_INFO)) {
        compute_sha256(module->data + MODULE_HEADER_SIZE, suffix - MODULE_HEADER_SIZE,
                       module->sha256_computed);
        good = memcmp(module->sha256_stored, module->sha256_computed, MODULE_SHA256_SIZE) == 0;
    }
    module->sha256 = good ? MODULE_CHECK_GOOD : MODULE_CHECK_BAD;
    if (!good) {
        text_lines_add(&module->problems,
                       "SHA-256 wrong: the suffix says %02x%02x%02x%02x.., the bytes give %02x%02x%02x%02x..",
                       module->sha256_stored[0], module->sha256_stored[1], module->sha256_stored[2],
                       module->sha256_stored[3], module->sha256_computed[0], module->sha256_computed[1],
                       module->sha256_computed[2], module->sha256_computed[3]);
    }
}

static void check_compression(struct module *module)
{
    if (!(module->flags & MODULE_COMPRESSED)) {
        return;
    }
    struct module_compression *compression = &module->compression;
    if (module->header_at + MODULE_HEADER_SIZE + COMPRESSION_HEADER_SIZE > module->length) {
        text_lines_add(&module->problems, "no room for the compression header");
        return;
    }
    const uint8_t *at = module->data + module->header_at + MODULE_HEADER_SIZE;
    compression->header_size = read_le16(at);
    compression->method = at[2];
    compression->window_bits = at[3];
    compression->original_size = read_le32(at + 4);
    if (compression->header_size < COMPRESSION_HEADER_SIZE) {
        text_lines_add(&module->problems, "compression header says that it is %u bytes long, the least is %u",
                       compression->header_size, COMPRESSION_HEADER_SIZE);
    }
    if (compression->method != 0) {
        text_lines_add(&module->problems, "compression method %u is not raw Deflate (0)",
                       compression->method);
    }
    if (compression->window_bits != 0 && (compression->window_bits < 8 || compression->window_bits > 15)) {
        text_lines_add(&module->problems, "compression window of %u bits is outside 8..15",
                       compression->window_bits);
    }
    struct module_bytes inflated;
    struct diag why;
    if (module_device_bytes(module, &inflated, &why) == MODULE_OK) {
        module_bytes_free(&inflated);
    } else {
        text_lines_add(&module->problems, "%.180s", why.text);
    }
}

static void check_flags(struct module *module)
{
    if (module->header_at != 0 && (module->flags & (MODULE_DROP_MODULE_INFO | MODULE_COMPRESSED))) {
        text_lines_add(&module->problems,
                       "flags DROP_MODULE_INFO and COMPRESSED need the header at the file's start");
    }
    if ((module->flags & MODULE_COMBINED) && module->length == 0) {
        text_lines_add(&module->problems, "combined, but where the next module starts cannot be told");
    }
}

int module_parse(const uint8_t *data, size_t len, struct module *out, struct diag *why)
{
    memset(out, 0, sizeof(*out));
    out->data = data;
    if (len < MODULE_HEADER_SIZE) {
        diag_set(why, "not a Particle module: %zu bytes are fewer than its header has (%u)", len,
                 MODULE_HEADER_SIZE);
        return MODULE_NOT_A_MODULE;
    }
    out->header_at = module_header_offset(read_le32(data));
    if (out->header_at + MODULE_HEADER_SIZE > len) {
        diag_set(why, "not a Particle module: it ends before the header at offset 0x%zx", out->header_at);
        return MODULE_NOT_A_MODULE;
    }
    read_header(data + out->header_at, out);
    if (!looks_like_a_header(out)) {
        diag_set(why, "not a Particle module: nothing like a module header at offset 0x%zx", out->header_at);
        return MODULE_NOT_A_MODULE;
    }

    check_platform(out);
    check_range(out);
    if (span_is_plausible(out)) {
        check_length(out, len);
    }
    bool whole = out->length != 0;
    check_flags(out);
    if (whole && out->header_at + MODULE_HEADER_SIZE + MODULE_SUFFIX_SIZE + MODULE_CRC_SIZE <= out->length) {
        check_crc(out);
        check_sha256(out);
        check_compression(out);
    } else if (whole) {
        text_lines_add(&out->problems, "no room for header, suffix and CRC in %zu bytes", out->length);
    } else {
        out->length = len;
    }
    if (out->problems.count == 0) {
        return MODULE_OK;
    }
    diag_set(why, "%s", out->problems.line[0]);
    return MODULE_HAS_PROBLEMS;
}

static void collect_problems(struct module_file *file, bool several)
{
    for (size_t i = 0; i < file->count; i++) {
        const struct text_lines *problems = &file->modules[i].problems;
        for (size_t j = 0; j < problems->count; j++) {
            if (several) {
                text_lines_add(&file->problems, "module %zu: %.170s", i + 1, problems->line[j]);
            } else {
                text_lines_add(&file->problems, "%s", problems->line[j]);
            }
        }
    }
}

int module_file_parse(const uint8_t *data, size_t len, struct module_file *out, struct diag *why)
{
    memset(out, 0, sizeof(*out));
    size_t at = 0;
    bool more = true;
    while (more && out->count < MODULE_FILE_MAX) {
        struct module *module = &out->modules[out->count];
        struct diag unreadable;
        if (module_parse(data + at, len - at, module, &unreadable) == MODULE_NOT_A_MODULE) {
            if (out->count == 0) {
                diag_set(why, "%s", unreadable.text);
                return MODULE_NOT_A_MODULE;
            }
            text_lines_add(&out->modules[out->count - 1].problems,
                           "combined, but what follows at offset 0x%zx is %.120s", at, unreadable.text);
            break;
        }
        out->count++;
        at += module->length;
        more = module->flags & MODULE_COMBINED;
    }
    if (more && out->count == MODULE_FILE_MAX) {
        text_lines_add(&out->modules[out->count - 1].problems, "more than %u modules combined",
                       MODULE_FILE_MAX);
    }
    collect_problems(out, out->count > 1);
    if (out->problems.count == 0) {
        return MODULE_OK;
    }
    diag_set(why, "%s", out->problems.line[0]);
    return MODULE_HAS_PROBLEMS;
}
