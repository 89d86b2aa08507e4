/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intel HEX: lines of ':' length(1) address(2) type(1) data(length) checksum(1), all as pairs of hex digits.
 */
#include <stdlib.h>
#include <string.h>

#include "image/bytes.h"
#include "image/loadable_formats.h"

#define RECORD_OVERHEAD 5u   /* length, address, type and checksum */
#define RECORD_MAX      260u /* with 255 bytes of data */

enum record_type {
    RECORD_DATA = 0,
    RECORD_END = 1,
    RECORD_SEGMENT_BASE = 2,  /* bits 4..19 of the addresses that follow */
    RECORD_SEGMENT_START = 3, /* CS and IP */
    RECORD_LINEAR_BASE = 4,   /* bits 16..31 of the addresses that follow */
    RECORD_LINEAR_START = 5,  /* EIP */
};

struct hex_reader {
    const uint8_t *data;
    size_t len;
    size_t at;
    size_t line;
    uint32_t base;
    bool segmented; /* the base came from a segment record, so addresses may not pass 64 KiB */
    bool ended;
    uint8_t record[RECORD_MAX];
    size_t record_len;
    size_t used; /* bytes of the loadable's storage that are filled */
    struct loadable *out;
    struct diag *why;
};

static int complain(struct hex_reader *reader, const char *what)
{
    diag_set(reader->why, "line %zu: %s", reader->line, what);
    return LOADABLE_BAD_FILE;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Finds the next line that is not blank, without the blanks around it. False at the end of the file. */
static bool next_line(struct hex_reader *reader, const uint8_t **text, size_t *len)
{
    while (reader->at < reader->len) {
        size_t from = reader->at;
        size_t to = from;
        while (to < reader->len && reader->data[to] != '\n') {
            to++;
        }
        reader->at = to + (to < reader->len);
        reader->line++;
        while (from < to && is_blank(reader->data[from])) {
            from++;
        }
        while (to > from && is_blank(reader->data[to - 1])) {
            to--;
        }
        if (to > from) {
            *text = reader->data + from;
            *len = to - from;
            return true;
        }
    }
    return false;
}

static int decode_line(struct hex_reader *reader, const uint8_t *text, size_t len)
{
    if (text[0] != ':') {
        return complain(reader, "a record has to begin with ':'");
    }
    size_t digits = len - 1;
    if (digits % 2 != 0 || digits / 2 > RECORD_MAX) {
        return complain(reader, "a record is pairs of hex digits, at most 260 of them");
    }
    uint8_t sum = 0;
    for (size_t i = 0; i < digits / 2; i++) {
        int high = hex_digit((char)text[1 + 2 * i]);
        int low = hex_digit((char)text[2 + 2 * i]);
        if (high < 0 || low < 0) {
            return complain(reader, "a character that is not a hex digit");
        }
        reader->record[i] = (uint8_t)(high << 4 | low);
        sum = (uint8_t)(sum + reader->record[i]);
    }
    reader->record_len = digits / 2;
    if (reader->record_len < RECORD_OVERHEAD || reader->record_len != RECORD_OVERHEAD + reader->record[0]) {
        return complain(reader, "the record is not as long as its length byte says");
    }
    if (sum != 0) {
        uint8_t stored = reader->record[reader->record_len - 1];
        diag_set(reader->why, "line %zu: checksum is %02X, the bytes give %02X", reader->line, stored,
                 (uint8_t)(stored - sum));
        return LOADABLE_BAD_FILE;
    }
    return LOADABLE_OK;
}

static int add_data(struct hex_reader *reader)
{
    size_t count = reader->record[0];
    uint32_t offset = (uint32_t)reader->record[1] << 8 | reader->record[2];
    uint64_t address = (uint64_t)reader->base + offset;
    if (count == 0) {
        return LOADABLE_OK;
    }
    if (address + count > UINT32_MAX || (reader->segmented && offset + count > 0x10000)) {
        return complain(reader, "data runs past the end of the address space or of its 64 KiB segment");
    }
    uint8_t *bytes = reader->out->storage + reader->used;
    memcpy(bytes, reader->record + 4, count);
    reader->used += count;

    struct loadable *out = reader->out;
    struct loadable_segment *last = out->segment_count ? &out->segments[out->segment_count - 1] : NULL;
    if (last && (uint64_t)last->address + last->length == address) {
        last->length += count;
        return LOADABLE_OK;
    }
    struct loadable_segment fresh = {(uint32_t)address, bytes, count, reader->line};
    return loadable_add_segment(out, &fresh, reader->why);
}

static int take_record(struct hex_reader *reader)
{
    static const uint8_t lengths[] = {0, 0, 2, 4, 2, 4};
    uint8_t type = reader->record[3];
    const uint8_t *value = reader->record + 4;
    if (type >= sizeof(lengths)) {
        diag_set(reader->why, "line %zu: record type %02X is none of 00 to 05", reader->line, type);
        return LOADABLE_BAD_FILE;
    }
    if (type != RECORD_DATA && reader->record[0] != lengths[type]) {
        return complain(reader, "the record's length is not that of its type");
    }
    uint32_t half = (uint32_t)value[0] << 8 | value[1];
    switch (type) {
    case RECORD_DATA:
        return add_data(reader);
    case RECORD_END:
        reader->ended = true;
        return LOADABLE_OK;
    case RECORD_SEGMENT_BASE:
        reader->base = half << 4;
        reader->segmented = true;
        return LOADABLE_OK;
    case RECORD_LINEAR_BASE:
        reader->base = half << 16;
        reader->segmented = false;
        return LOADABLE_OK;
    default: {
        uint32_t low = (uint32_t)value[2] << 8 | value[3];
        reader->out->has_entry = true;
        reader->out->entry = type == RECORD_LINEAR_START ? half << 16 | low : (half << 4) + low;
        return LOADABLE_OK;
    }
    }
}

int loadable_parse_hex(const uint8_t *data, size_t len, struct loadable *out, struct diag *why)
{
    struct hex_reader reader = {.data = data, .len = len, .out = out, .why = why};
    out->storage = malloc(len / 2 + 1); /* two digits make a byte, so the text bounds the data */
    if (!out->storage) {
        diag_set(why, "out of memory");
        return LOADABLE_OUT_OF_MEMORY;
    }
    const uint8_t *text;
    size_t text_len;
    while (next_line(&reader, &text, &text_len)) {
        if (reader.ended) {
            return complain(&reader, "more follows after the end record");
        }
        int result = decode_line(&reader, text, text_len);
        if (result == LOADABLE_OK) {
            result = take_record(&reader);
        }
        if (result != LOADABLE_OK) {
            return result;
        }
    }
    if (!reader.ended) {
        diag_set(why, "line %zu: the file stops without an end record (truncated?)", reader.line);
        return LOADABLE_BAD_FILE;
    }
    return LOADABLE_OK;
}
