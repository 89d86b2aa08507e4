/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/json_doc.h"

#include "scenario/json_scan.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sort_entry {
    uintptr_t item;
    uint32_t index;
};

static int by_item(const void *a, const void *b)
{
    uintptr_t left = ((const struct sort_entry *)a)->item, right = ((const struct sort_entry *)b)->item;
    return left < right ? -1 : left > right;
}

/* Ties nodes and tree together: both list the values in the order of the text. */
static size_t link_nodes(struct json_doc *doc, const cJSON *item, size_t next)
{
    for (; item && next < doc->count; item = item->next) {
        doc->nodes[next++].item = item;
        if (item->child)
            next = link_nodes(doc, item->child, next);
    }
    return next;
}

static int index_nodes(struct json_doc *doc)
{
    struct sort_entry *entries = malloc(doc->count * sizeof *entries);
    doc->by_item = malloc(doc->count * sizeof *doc->by_item);
    if (!entries || !doc->by_item) {
        free(entries);
        return -1;
    }
    for (size_t i = 0; i < doc->count; i++)
        entries[i] = (struct sort_entry){(uintptr_t)doc->nodes[i].item, (uint32_t)i};
    qsort(entries, doc->count, sizeof *entries, by_item);
    for (size_t i = 0; i < doc->count; i++)
        doc->by_item[i] = entries[i].index;
    free(entries);
    return 0;
}

static const struct json_node *find_node(const struct json_doc *doc, const cJSON *item)
{
    size_t low = 0, high = doc->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct json_node *node = &doc->nodes[doc->by_item[middle]];
        if (node->item == item)
            return node;
        if ((uintptr_t)node->item < (uintptr_t)item)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const cJSON *const *)a)->string, (*(const cJSON *const *)b)->string);
}

static int check_duplicates(const struct json_doc *doc, const cJSON *object, struct diag *why)
{
    const cJSON *members[JSON_MEMBERS_MAX];
    size_t count = 0;
    for (const cJSON *child = object->child; child && count < JSON_MEMBERS_MAX; child = child->next)
        members[count++] = child;
    qsort(members, count, sizeof members[0], by_name);
    for (size_t i = 1; i < count; i++) {
        if (!strcmp(members[i - 1]->string, members[i]->string)) {
            const struct json_node *a = find_node(doc, members[i - 1]), *b = find_node(doc, members[i]);
            const cJSON *later =
                a->key_line > b->key_line || (a->key_line == b->key_line && a->key_column > b->key_column)
                    ? members[i - 1]
                    : members[i];
            return json_doc_name_error(doc, later, why, "\"%s\" is given twice", later->string);
        }
    }
    return 0;
}

static int build(struct json_doc *doc, const char *text, size_t len, struct diag *why)
{
    if (json_scan(text, len, &doc->nodes, &doc->count, why)) {
        struct diag place = *why;
        diag_set(why, "%s:%s", doc->name, place.text);
        return -1;
    }
    doc->root = cJSON_ParseWithLength(text, len);
    if (!doc->root || link_nodes(doc, doc->root, 0) != doc->count || index_nodes(doc)) {
        diag_set(why, "%s: a string holds a broken \\u escape, or memory ran out", doc->name);
        return -1;
    }
    for (size_t i = 0; i < doc->count; i++) {
        if (cJSON_IsObject(doc->nodes[i].item) && check_duplicates(doc, doc->nodes[i].item, why))
            return -1;
    }
    return 0;
}

int json_doc_parse(struct json_doc *doc, const char *name, const char *text, size_t len, struct diag *why)
{
    struct diag local;
    why = why ? why : &local;
    memset(doc, 0, sizeof *doc);
    size_t name_size = strlen(name) + 1;
    doc->name = malloc(name_size);
    if (!doc->name) {
        diag_set(why, "%s: out of memory", name);
        return -1;
    }
    memcpy(doc->name, name, name_size);
    if (!build(doc, text, len, why))
        return 0;
    json_doc_free(doc);
    return -1;
}

void json_doc_free(struct json_doc *doc)
{
    cJSON_Delete(doc->root);
    free(doc->nodes);
    free(doc->by_item);
    free(doc->name);
    memset(doc, 0, sizeof *doc);
}

static unsigned place_in_array(const cJSON *array, const cJSON *item)
{
    unsigned n = 0;
    for (const cJSON *child = array->child; child && child != item; child = child->next)
        n++;
    return n;
}

/* The path of a value, such as "timeline[2].do"; "" for the root. */
static void path_of(const struct json_doc *doc, const cJSON *item, char *text, size_t size)
{
    const struct json_node *chain[JSON_DEPTH_MAX + 1];
    size_t depth = 0, used = 0;
    assert(size);
    text[0] = '\0';
    const struct json_node *node = find_node(doc, item);
    for (; node && node != doc->nodes && depth <= JSON_DEPTH_MAX; node = &doc->nodes[node->parent])
        chain[depth++] = node;
    while (depth--) {
        const cJSON *value = chain[depth]->item, *around = doc->nodes[chain[depth]->parent].item;
        int n = cJSON_IsArray(around)
                    ? snprintf(text + used, size - used, "[%u]", place_in_array(around, value))
                    : snprintf(text + used, size - used, "%s%s", used ? "." : "", value->string);
        if (n < 0 || (size_t)n >= size - used)
            break;
        used += (size_t)n;
    }
}

unsigned json_doc_line(const struct json_doc *doc, const cJSON *item)
{
    const struct json_node *node = find_node(doc, item);
    return node ? node->line : 0;
}

static int report(const struct json_doc *doc, const cJSON *item, bool at_name, struct diag *why,
                  const char *format, va_list values)
{
    char message[DIAG_SIZE], path[160];
    const struct json_node *node = find_node(doc, item);
    vsnprintf(message, sizeof message, format, values);
    if (!node) {
        diag_set(why, "%s: %s", doc->name, message);
        return -1;
    }
    path_of(doc, at_name ? doc->nodes[node->parent].item : item, path, sizeof path);
    diag_set(why, "%s:%u:%u: %s%s%s", doc->name, at_name ? node->key_line : node->line,
             at_name ? node->key_column : node->column, path, path[0] ? ": " : "", message);
    return -1;
}

int json_doc_error(const struct json_doc *doc, const cJSON *item, struct diag *why, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int err = report(doc, item, false, why, format, values);
    va_end(values);
    return err;
}

int json_doc_name_error(const struct json_doc *doc, const cJSON *item, struct diag *why, const char *format,
                        ...)
{
    va_list values;
    va_start(values, format);
    int err = report(doc, item, true, why, format, values);
    va_end(values);
    return err;
}
