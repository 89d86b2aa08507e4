/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A JSON text whose every value knows its place, so that a mistake is reported as
 * "blank.json:12:9: timeline[2].do: ..." and not as "bad file".
 *
 * Source: RFC 8259. The text is checked by a strict scanner of our own, which notes lines and columns; cJSON
 * then makes the tree.
 *
 * Refused beyond the grammar: members named twice, nesting deeper than JSON_DEPTH_MAX, objects of more than
 * JSON_MEMBERS_MAX members, \u0000 in strings, numbers of more than JSON_NUMBER_MAX characters.
 * Not modelled: comments and other dialects. Columns count bytes, not characters.
 */
#ifndef SOSIM_SCENARIO_JSON_DOC_H
#define SOSIM_SCENARIO_JSON_DOC_H

#include "core/diag.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX   64u
#define JSON_MEMBERS_MAX 256u
#define JSON_NUMBER_MAX  40u
#define JSON_TEXT_MAX    (8u << 20) /* bytes of a scenario */

struct json_node {
    const cJSON *item;
    uint32_t line, column;         /* of the value, from 1 */
    uint32_t key_line, key_column; /* of the member's name; as the value's in an array */
    uint32_t parent;               /* index of the node around it; the root's own index for the root */
};

/* Owned by the caller; release with json_doc_free(). */
struct json_doc {
    char *name; /* of the file, for messages */
    cJSON *root;
    struct json_node *nodes; /* in the order of the text */
    uint32_t *by_item;       /* indexes of nodes, by rising item address */
    size_t count;
};

/* Parses `len` bytes of text. Returns 0, or -1 with `why`, which begins with `name` and the place. */
int json_doc_parse(struct json_doc *doc, const char *name, const char *text, size_t len, struct diag *why);
void json_doc_free(struct json_doc *doc);

/* Line of a value, 0 if it is not of this document. */
unsigned json_doc_line(const struct json_doc *doc, const cJSON *item);

/* Fills `why` with place, path and the message. Always returns -1. */
int json_doc_error(const struct json_doc *doc, const cJSON *item, struct diag *why, const char *format, ...)
    DIAG_PRINTF(4, 5);

/* The same, with the place of the member's name and the path of the object it is in. */
int json_doc_name_error(const struct json_doc *doc, const cJSON *item, struct diag *why, const char *format,
                        ...) DIAG_PRINTF(4, 5);

#endif
