/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/parse.h"

#include "image/bytes.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX      64u
#define NAMES_MAX     32u       /* of a table for read_one_of() */
#define CONTENT_MAX   0x400000u /* bytes: the largest memory of a board */
#define LARGEST_EXACT 9007199254740992.0
#define NEAR_ENOUGH   2u

/* Edit distance of two short words, for "did you mean". */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[WORD_MAX + 1];
    size_t length = strlen(b);
    if (length > WORD_MAX || strlen(a) > WORD_MAX)
        return WORD_MAX;
    for (unsigned j = 0; j <= length; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= length; j++) {
            unsigned above = row[j];
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = above;
        }
    }
    return row[length];
}

/* The nearest of a list of words, or NULL when none is near. */
static const char *nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    unsigned least = NEAR_ENOUGH + 1;
    for (; *words; words++) {
        unsigned d = distance(word, *words);
        if (d < least && d < strlen(*words)) {
            least = d;
            best = *words;
        }
    }
    return best;
}

static void join(char *text, size_t size, const char *const *words)
{
    size_t used = 0;
    text[0] = '\0';
    for (; *words; words++) {
        int n = snprintf(text + used, size - used, "%s%s", used ? ", " : "", *words);
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
    }
}

int read_members(const struct reader *r, const cJSON *item, const char *const *members)
{
    if (!cJSON_IsObject(item))
        return json_doc_error(r->doc, item, r->why, "an object is expected here");
    for (const cJSON *child = item->child; child; child = child->next) {
        const char *const *known = members;
        while (*known && strcmp(*known, child->string))
            known++;
        if (*known)
            continue;
        const char *near = nearest(child->string, members);
        char all[320];
        join(all, sizeof all, members);
        if (near)
            return json_doc_name_error(r->doc, child, r->why,
                                       "there is no member \"%.60s\" here; did you mean \"%s\"?",
                                       child->string, near);
        return json_doc_name_error(r->doc, child, r->why, "there is no member \"%.60s\" here; there are: %s",
                                   child->string, all);
    }
    return 0;
}

int read_one_of(const struct reader *r, const cJSON *item, const void *rows, size_t row_size, size_t count,
                size_t *which)
{
    const char *names[NAMES_MAX + 1] = {NULL};
    char all[320];
    assert(count <= NAMES_MAX);
    for (size_t i = 0; i < count; i++)
        names[i] = *(const char *const *)((const char *)rows + i * row_size);
    if (read_members(r, item, names))
        return -1;
    if (!item->child || item->child->next) {
        join(all, sizeof all, names);
        return json_doc_error(r->doc, item, r->why, "exactly one of these is expected here: %s", all);
    }
    *which = 0;
    while (strcmp(names[*which], item->child->string))
        ++*which;
    return 0;
}

const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

int missing(const struct reader *r, const cJSON *object, const char *name)
{
    return json_doc_error(r->doc, object, r->why, "\"%s\" is missing", name);
}

int read_text(const struct reader *r, const cJSON *item, const char **out)
{
    if (!item)
        return 0;
    if (!cJSON_IsString(item) || !item->valuestring[0])
        return json_doc_error(r->doc, item, r->why, "a text in double quotes is expected here");
    *out = item->valuestring;
    return 0;
}

int read_double(const struct reader *r, const cJSON *item, double min, double max, double *out)
{
    if (!item)
        return 0;
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return json_doc_error(r->doc, item, r->why, "a number is expected here");
    if (item->valuedouble < min || item->valuedouble > max)
        return json_doc_error(r->doc, item, r->why, "%.15g is not within %.15g to %.15g", item->valuedouble,
                              min, max);
    *out = item->valuedouble;
    return 0;
}

static bool whole_from_text(const char *text, uint64_t *out)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9')
        return false;
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    errno = 0;
    *out = strtoull(text, &end, hex ? 16 : 10);
    return !errno && end && *end == '\0' && (!hex || text[2] != '\0');
}

int read_whole(const struct reader *r, const cJSON *item, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (!item)
        return 0;
    if (cJSON_IsNumber(item)) {
        if (item->valuedouble < 0 || item->valuedouble > LARGEST_EXACT ||
            floor(item->valuedouble) != item->valuedouble)
            return json_doc_error(r->doc, item, r->why,
                                  "a whole number that is not negative is expected here");
        value = (uint64_t)item->valuedouble;
    } else if (!cJSON_IsString(item) || !whole_from_text(item->valuestring, &value)) {
        return json_doc_error(r->doc, item, r->why,
                              "a whole number is expected here, such as 12, or \"0x1000\" in quotes");
    }
    if (value < min || value > max)
        return json_doc_error(r->doc, item, r->why, "%llu is not within %llu to %llu",
                              (unsigned long long)value, (unsigned long long)min, (unsigned long long)max);
    *out = value;
    return 0;
}

int read_u32(const struct reader *r, const cJSON *item, uint32_t min, uint32_t max, uint32_t *out)
{
    uint64_t value = *out;
    if (read_whole(r, item, min, max, &value))
        return -1;
    *out = (uint32_t)value;
    return 0;
}

int read_flag(const struct reader *r, const cJSON *item, bool *out)
{
    if (!item)
        return 0;
    if (!cJSON_IsBool(item))
        return json_doc_error(r->doc, item, r->why, "true or false is expected here");
    *out = cJSON_IsTrue(item);
    return 0;
}

int read_choice(const struct reader *r, const cJSON *item, const char *const *words, unsigned *out)
{
    char all[320];
    if (!item)
        return 0;
    join(all, sizeof all, words);
    if (!cJSON_IsString(item))
        return json_doc_error(r->doc, item, r->why, "one of these in double quotes is expected here: %s",
                              all);
    for (unsigned i = 0; words[i]; i++) {
        if (!strcmp(words[i], item->valuestring)) {
            *out = i;
            return 0;
        }
    }
    return json_doc_error(r->doc, item, r->why, "\"%.60s\" is none of: %s", item->valuestring, all);
}

int read_hex(const struct reader *r, const cJSON *item, struct byte_string *out)
{
    if (!item)
        return 0;
    if (!cJSON_IsString(item))
        return json_doc_error(r->doc, item, r->why,
                              "bytes are expected here: hexadecimal digits in double quotes");
    const char *at = item->valuestring;
    size_t count = 0;
    uint8_t *bytes = malloc(strlen(at) / 2 + 1);
    if (!bytes)
        return json_doc_error(r->doc, item, r->why, "out of memory");
    while (*at) {
        if (*at == ' ') {
            at++;
            continue;
        }
        int high = hex_digit(at[0]), low = high < 0 ? -1 : hex_digit(at[1]);
        if (low < 0) {
            free(bytes);
            return json_doc_error(r->doc, item, r->why,
                                  "hexadecimal digits in pairs are expected here, such as \"FF 00 A5\"");
        }
        bytes[count++] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *out = (struct byte_string){bytes, count};
    return 0;
}

static int content_from_text(const struct reader *r, const cJSON *item, struct byte_string *out)
{
    const char *text = NULL;
    if (read_text(r, item, &text))
        return -1;
    size_t length = strlen(text);
    out->bytes = malloc(length);
    if (!out->bytes)
        return json_doc_error(r->doc, item, r->why, "out of memory");
    memcpy(out->bytes, text, length);
    out->length = length;
    return 0;
}

static int content_from_fill(const struct reader *r, const cJSON *fill, const cJSON *length,
                             struct byte_string *out)
{
    uint32_t value = 0xff, size = 0;
    if (read_u32(r, fill, 0, 0xff, &value) || read_u32(r, length, 0, CONTENT_MAX, &size))
        return -1;
    out->bytes = malloc(size ? size : 1);
    if (!out->bytes)
        return json_doc_error(r->doc, length, r->why, "out of memory");
    memset(out->bytes, (int)value, size);
    out->length = size;
    return 0;
}

int read_content(const struct reader *r, const cJSON *object, const char *length_name, bool required,
                 struct byte_string *out)
{
    const cJSON *hex = member(object, "hex"), *text = member(object, "text"), *fill = member(object, "fill");
    const cJSON *length = member(object, length_name);
    int ways = (hex != NULL) + (text != NULL) + (fill || length);
    if (ways > 1)
        return json_doc_error(r->doc, object, r->why,
                              "give the bytes in one way only: \"hex\", \"text\", or \"fill\" and \"%s\"",
                              length_name);
    if (!ways)
        return required ? json_doc_error(r->doc, object, r->why,
                                         "the bytes are missing: \"hex\", \"text\", or \"fill\" and \"%s\"",
                                         length_name)
                        : 0;
    if (hex)
        return read_hex(r, hex, out);
    if (text)
        return content_from_text(r, text, out);
    return length ? content_from_fill(r, fill, length, out) : missing(r, object, length_name);
}

void *read_list(const struct reader *r, const cJSON *item, size_t size, read_one_fn one, size_t *count,
                int *err)
{
    if (!item || *err)
        return NULL;
    *err = -1;
    if (!cJSON_IsArray(item)) {
        json_doc_error(r->doc, item, r->why, "an array is expected here");
        return NULL;
    }
    size_t length = (size_t)cJSON_GetArraySize(item), n = 0;
    char *items = calloc(length ? length : 1, size);
    if (!items) {
        json_doc_error(r->doc, item, r->why, "out of memory");
        return NULL;
    }
    *count = length;
    for (const cJSON *child = item->child; child; child = child->next) {
        if (one(r, child, items + n++ * size))
            return items;
    }
    *err = 0;
    return items;
}
