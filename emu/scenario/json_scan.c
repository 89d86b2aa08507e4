/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/json_scan.h"

#include "core/room.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct scanner {
    const char *at, *end;
    const char *line_start;
    uint32_t line;
    struct json_node *nodes;
    size_t count, room;
    unsigned depth;
    struct diag *why;
};

static uint32_t column(const struct scanner *s)
{
    return (uint32_t)(s->at - s->line_start) + 1;
}

static int refuse(struct scanner *s, const char *text)
{
    diag_set(s->why, "%u:%u: %s", s->line, column(s), text);
    return -1;
}

static int peek(const struct scanner *s)
{
    return s->at < s->end ? (unsigned char)*s->at : -1;
}

static void skip_space(struct scanner *s)
{
    for (; s->at < s->end; s->at++) {
        if (*s->at == '\n') {
            s->line++;
            s->line_start = s->at + 1;
        } else if (*s->at != ' ' && *s->at != '\t' && *s->at != '\r') {
            return;
        }
    }
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* At the 'u' of an escape. cJSON joins surrogate pairs itself and refuses broken ones. */
static int scan_unicode(struct scanner *s)
{
    if (s->end - s->at < 5)
        return refuse(s, "the string does not end");
    for (int i = 1; i <= 4; i++) {
        if (!is_hex((unsigned char)s->at[i]))
            return refuse(s, "\\u needs four hexadecimal digits");
    }
    if (!memcmp(s->at + 1, "0000", 4))
        return refuse(s, "\\u0000 is not allowed in a string");
    s->at += 5;
    return 0;
}

static int scan_string(struct scanner *s)
{
    s->at++;
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at;
        if (c == '"') {
            s->at++;
            return 0;
        }
        if (c < 0x20)
            return refuse(s, c == '\n' ? "the string does not end on its line"
                                       : "control characters in a string must be escaped");
        s->at++;
        if (c != '\\')
            continue;
        int escape = peek(s);
        if (escape == 'u') {
            if (scan_unicode(s))
                return -1;
        } else if (escape > 0 && strchr("\"\\/bfnrt", escape)) {
            s->at++;
        } else {
            return refuse(s, "there is no such escape in a JSON string");
        }
    }
    return refuse(s, "the string does not end");
}

static int scan_digits(struct scanner *s)
{
    if (!is_digit(peek(s)))
        return refuse(s, "a digit is missing in this number");
    while (is_digit(peek(s)))
        s->at++;
    return 0;
}

static int scan_number(struct scanner *s)
{
    const char *start = s->at;
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0') {
        s->at++;
        if (is_digit(peek(s)) || peek(s) == 'x' || peek(s) == 'X')
            return refuse(s, "JSON numbers are decimal without leading zeros; write \"0x...\" in quotes");
    } else if (scan_digits(s)) {
        return -1;
    }
    if (peek(s) == '.') {
        s->at++;
        if (scan_digits(s))
            return -1;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        if (scan_digits(s))
            return -1;
    }
    return s->at - start > (ptrdiff_t)JSON_NUMBER_MAX ? refuse(s, "this number is too long") : 0;
}

static int scan_word(struct scanner *s)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(s->end - s->at) >= length && !memcmp(s->at, words[i], length)) {
            s->at += length;
            return 0;
        }
    }
    return refuse(s,
                  "a value is expected here: an object, an array, a string in double quotes, a number, true, "
                  "false or null");
}

static int add_node(struct scanner *s, uint32_t parent, uint32_t *index)
{
    struct json_node *more = room_for(s->nodes, s->count + 1, &s->room, sizeof *more);
    if (!more)
        return refuse(s, "out of memory");
    s->nodes = more;
    *index = (uint32_t)s->count++;
    s->nodes[*index] = (struct json_node){.line = s->line,
                                          .column = column(s),
                                          .key_line = s->line,
                                          .key_column = column(s),
                                          .parent = s->count == 1 ? 0 : parent};
    return 0;
}

static int scan_value(struct scanner *s, uint32_t parent, uint32_t *index);

/* One "name": value. */
static int scan_member(struct scanner *s, uint32_t object)
{
    if (peek(s) != '"')
        return refuse(s, "a member's name in double quotes is expected here");
    uint32_t key_line = s->line, key_column = column(s), value;
    if (scan_string(s))
        return -1;
    skip_space(s);
    if (peek(s) != ':')
        return refuse(s, "a colon is expected after a member's name");
    s->at++;
    if (scan_value(s, object, &value))
        return -1;
    s->nodes[value].key_line = key_line;
    s->nodes[value].key_column = key_column;
    return 0;
}

/* From an opening bracket to the one that closes it. */
static int scan_inside(struct scanner *s, uint32_t self, bool object)
{
    const int close = object ? '}' : ']';
    unsigned members = 0;
    s->at++;
    skip_space(s);
    if (peek(s) == close) {
        s->at++;
        return 0;
    }
    for (;;) {
        uint32_t value;
        skip_space(s);
        if (object && ++members > JSON_MEMBERS_MAX)
            return refuse(s, "this object has too many members");
        if (peek(s) == close)
            return refuse(s, "no comma is allowed before the closing bracket");
        if (object ? scan_member(s, self) : scan_value(s, self, &value))
            return -1;
        skip_space(s);
        int next = peek(s);
        if (next == close) {
            s->at++;
            return 0;
        }
        if (next != ',')
            return refuse(s, next < 0 ? "the text ends before the closing bracket"
                             : object ? "a comma or } is expected here"
                                      : "a comma or ] is expected here");
        s->at++;
    }
}

static int scan_value(struct scanner *s, uint32_t parent, uint32_t *index)
{
    skip_space(s);
    if (peek(s) < 0)
        return refuse(s, "the text ends where a value is expected");
    if (add_node(s, parent, index))
        return -1;
    int first = peek(s);
    if (first == '{' || first == '[') {
        if (++s->depth > JSON_DEPTH_MAX)
            return refuse(s, "nested too deep");
        int err = scan_inside(s, *index, first == '{');
        s->depth--;
        return err;
    }
    if (first == '"')
        return scan_string(s);
    return first == '-' || is_digit(first) ? scan_number(s) : scan_word(s);
}

int json_scan(const char *text, size_t len, struct json_node **nodes, size_t *count, struct diag *why)
{
    struct scanner s = {.at = text, .end = text + len, .line_start = text, .line = 1, .why = why};
    uint32_t root;
    int err = scan_value(&s, 0, &root);
    if (!err) {
        skip_space(&s);
        if (s.at < s.end)
            err = refuse(&s, "something follows the end of the JSON value");
    }
    *nodes = s.nodes;
    *count = s.count;
    return err;
}
