/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/dct.h"

#include "image/bytes.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIFF_TEXT = 64 };

/* --- text to bytes --------------------------------------------------------------------------------- */

static bool number_from_text(const struct dct_field *field, const char *text, uint32_t *out)
{
    for (const struct dct_choice *c = field->choices; c && c->name; c++) {
        if (strcmp(c->name, text) == 0) {
            *out = c->value;
            return true;
        }
    }
    if (!isdigit((unsigned char)text[0]))
        return false;
    int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, base);
    if (errno || *end || value >> (8 * field->size))
        return false;
    *out = (uint32_t)value;
    return true;
}

static void list_choices(const struct dct_field *field, char *buf, size_t size)
{
    size_t used = 0;
    buf[0] = '\0';
    for (const struct dct_choice *c = field->choices; c && c->name && used < size; c++) {
        int n = snprintf(buf + used, size - used, ", %s", c->name);
        used += n > 0 ? (size_t)n : 0;
    }
}

static int parse_number(const struct dct_field *field, const char *text, uint8_t *out, struct diag *diag)
{
    uint32_t value;
    if (!number_from_text(field, text, &value)) {
        char choices[128];
        list_choices(field, choices, sizeof(choices));
        diag_set(diag, "%s: \"%s\" is not a number of %u bit%s", field->name, text, 8u * field->size,
                 choices);
        return LFS_ERR_INVAL;
    }
    for (unsigned i = 0; i < field->size; i++)
        out[i] = (uint8_t)(value >> 8 * i);
    return LFS_OK;
}

static int parse_hex(const struct dct_field *field, const char *text, uint8_t *out, struct diag *diag)
{
    size_t len = strlen(text);
    if (len % 2 || len / 2 > field->size) {
        diag_set(diag, "%s: %zu hexadecimal digits; an even number up to %u is possible", field->name, len,
                 2u * field->size);
        return LFS_ERR_INVAL;
    }
    memset(out, 0xFF, field->size);
    for (size_t i = 0; i < len; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) {
            diag_set(diag, "%s: \"%.2s\" are not two hexadecimal digits", field->name, text + i);
            return LFS_ERR_INVAL;
        }
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return LFS_OK;
}

static int parse_text(const struct dct_field *field, const char *text, uint8_t *out, struct diag *diag)
{
    if (strncmp(text, "hex:", 4) == 0)
        return parse_hex(field, text + 4, out, diag);
    size_t len = strlen(text);
    if (len > field->size) {
        diag_set(diag, "%s: %zu characters; it has room for %u", field->name, len, (unsigned)field->size);
        return LFS_ERR_INVAL;
    }
    memset(out, 0, field->size);
    memcpy(out, text, len);
    return LFS_OK;
}

int dct_parse(const struct dct_field *field, const char *text, uint8_t *out, struct diag *diag)
{
    if (strcmp(text, "erased") == 0) {
        memset(out, 0xFF, field->size);
        return LFS_OK;
    }
    switch (field->type) {
    case DCT_BYTES:
        return parse_hex(field, text, out, diag);
    case DCT_TEXT:
        return parse_text(field, text, out, diag);
    default:
        return parse_number(field, text, out, diag);
    }
}

/* --- bytes to text --------------------------------------------------------------------------------- */

static void format_number(const struct dct_field *field, const uint8_t *bytes, char *buf, size_t size)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < field->size; i++)
        value |= (uint32_t)bytes[i] << 8 * i;
    for (const struct dct_choice *c = field->choices; c && c->name; c++) {
        if (c->value == value) {
            snprintf(buf, size, "%s", c->name);
            return;
        }
    }
    snprintf(buf, size, "%#" PRIx32, value);
}

static void format_hex(const struct dct_field *field, const uint8_t *bytes, char *buf, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;
    for (size_t i = 0; i < field->size && used + 2 < size; i++) {
        buf[used++] = digits[bytes[i] >> 4];
        buf[used++] = digits[bytes[i] & 0xF];
    }
    if (size)
        buf[used] = '\0';
}

/* Text that dct_parse() would take back as these very bytes. */
static bool is_plain_text(const struct dct_field *field, const uint8_t *bytes, size_t *len)
{
    *len = 0;
    while (*len < field->size && isprint(bytes[*len]))
        (*len)++;
    for (size_t i = *len; i < field->size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return (*len < 4 || memcmp(bytes, "hex:", 4) != 0) && !(*len == 6 && memcmp(bytes, "erased", 6) == 0);
}

const char *dct_format(const struct dct_field *field, const uint8_t *bytes, char *buf, size_t size)
{
    size_t len;
    if (field->type != DCT_BYTES && field->type != DCT_TEXT) {
        format_number(field, bytes, buf, size);
    } else if (bytes_are_erased(bytes, field->size)) {
        snprintf(buf, size, "erased");
    } else if (field->type == DCT_BYTES) {
        format_hex(field, bytes, buf, size);
    } else if (is_plain_text(field, bytes, &len)) {
        snprintf(buf, size, "%.*s", (int)len, (const char *)bytes);
    } else {
        snprintf(buf, size, "hex:");
        if (size > 4)
            format_hex(field, bytes, buf + 4, size - 4);
    }
    return buf;
}

/* --- the DCT of a file system ---------------------------------------------------------------------- */

int dct_create(struct lfs_fs *fs, struct diag *diag)
{
    uint8_t erased[DCT_SIZE];
    memset(erased, 0xFF, sizeof(erased));
    int err = lfs_mkdir(fs, "/sys", diag);
    if (err && err != LFS_ERR_EXIST)
        return err;
    return lfs_file_create(fs, DCT_PATH, erased, sizeof(erased), diag);
}

int dct_load(const struct lfs_fs *fs, uint8_t dct[DCT_SIZE], struct diag *diag)
{
    struct lfs_stat st;
    int err = lfs_stat(fs, DCT_PATH, &st, diag);
    if (err)
        return err;
    if (st.is_dir || st.size != DCT_SIZE) {
        diag_set(diag, "%s has %" PRIu32 " bytes, not %u", DCT_PATH, st.size, DCT_SIZE);
        return LFS_ERR_INVAL;
    }
    return lfs_file_read(fs, DCT_PATH, 0, dct, DCT_SIZE, diag);
}

int dct_set(struct lfs_fs *fs, const char *name, const char *text, struct diag *diag)
{
    uint8_t bytes[DCT_SIZE];
    const struct dct_field *field = dct_find(name);
    if (!field) {
        diag_set(diag, "there is no DCT field \"%s\"", name);
        return LFS_ERR_INVAL;
    }
    int err = dct_parse(field, text, bytes, diag);
    return err ? err : lfs_file_patch(fs, DCT_PATH, field->offset, bytes, field->size, diag);
}

/* --- module slots ---------------------------------------------------------------------------------- */

static int slot_offset(unsigned slot, uint32_t *offset, struct diag *diag)
{
    if (slot >= DCT_SLOT_COUNT) {
        diag_set(diag, "there is no module slot %u, only 0 to %u", slot, DCT_SLOT_COUNT - 1);
        return LFS_ERR_INVAL;
    }
    *offset = DCT_SLOTS_AT + slot * DCT_SLOT_SIZE;
    return LFS_OK;
}

/* Reads the DCT_SLOT_SIZE bytes of a slot, which are at `*offset` in the DCT. */
static int read_slot(const struct lfs_fs *fs, unsigned slot, uint32_t *offset, uint8_t *bytes,
                     struct diag *diag)
{
    int err = slot_offset(slot, offset, diag);
    return err ? err : lfs_file_read(fs, DCT_PATH, *offset, bytes, DCT_SLOT_SIZE, diag);
}

int dct_slot_get(const struct lfs_fs *fs, unsigned slot, struct dct_slot *out, struct diag *diag)
{
    uint8_t p[DCT_SLOT_SIZE];
    uint32_t offset;
    int err = read_slot(fs, slot, &offset, p, diag);
    if (err)
        return err;
    *out = (struct dct_slot){.magic_number = read_le16(p),
                             .source_device = p[2],
                             .destination_device = p[3],
                             .source_address = read_le32(p + 4),
                             .destination_address = read_le32(p + 8),
                             .length = read_le32(p + 12),
                             .flags = p[16],
                             .module_function = p[17]};
    return LFS_OK;
}

static void put_le(uint8_t *p, uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

int dct_slot_set(struct lfs_fs *fs, unsigned slot, const struct dct_slot *in, struct diag *diag)
{
    uint8_t p[DCT_SLOT_SIZE];
    uint32_t offset;
    int err = read_slot(fs, slot, &offset, p, diag);
    if (err)
        return err;
    put_le(p, in->magic_number, 2);
    p[2] = in->source_device;
    p[3] = in->destination_device;
    put_le(p + 4, in->source_address, 4);
    put_le(p + 8, in->destination_address, 4);
    put_le(p + 12, in->length, 4);
    p[16] = in->flags;
    p[17] = in->module_function;
    return lfs_file_patch(fs, DCT_PATH, offset, p, sizeof(p), diag);
}

/* --- differences ----------------------------------------------------------------------------------- */

size_t dct_diff(const uint8_t was[DCT_SIZE], const uint8_t is[DCT_SIZE], dct_change_fn fn, void *ctx)
{
    size_t changed = 0;
    for (size_t i = 0; i < dct_field_count; i++) {
        const struct dct_field *field = &dct_fields[i];
        char old_text[DIFF_TEXT], new_text[DIFF_TEXT];
        if (memcmp(was + field->offset, is + field->offset, field->size) == 0)
            continue;
        changed++;
        if (fn)
            fn(ctx, field, dct_format(field, was + field->offset, old_text, sizeof(old_text)),
               dct_format(field, is + field->offset, new_text, sizeof(new_text)));
    }
    return changed;
}
