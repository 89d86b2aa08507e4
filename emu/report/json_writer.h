/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making JSON with cJSON where memory may run out at any call. Adding to a NULL object yields NULL, so nobody
 * needs to look at each step: that something is missing shows at the end, when `good` is false.
 */
#ifndef SOSIM_REPORT_JSON_WRITER_H
#define SOSIM_REPORT_JSON_WRITER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_writer {
    bool good; /* true to begin with */
};

/* Members of an object. `value` is taken over; `text` NULL is null. */
void json_put(struct json_writer *writer, cJSON *object, const char *name, cJSON *value);
void json_put_text(struct json_writer *writer, cJSON *object, const char *name, const char *text);
void json_put_number(struct json_writer *writer, cJSON *object, const char *name, double number);
void json_put_bool(struct json_writer *writer, cJSON *object, const char *name, bool value);
/* Numbers that people read in hexadecimal, as text: "0x0000f4c4" and "0x00000000deadbeef". */
void json_put_hex(struct json_writer *writer, cJSON *object, const char *name, uint32_t number);
void json_put_hex64(struct json_writer *writer, cJSON *object, const char *name, uint64_t number);
cJSON *json_put_object(struct json_writer *writer, cJSON *object, const char *name);
cJSON *json_put_array(struct json_writer *writer, cJSON *object, const char *name);

/* Elements of an array. */
void json_append_text(struct json_writer *writer, cJSON *array, const char *text);
cJSON *json_append_object(struct json_writer *writer, cJSON *array);

/* Prints `root` and a newline, and deletes it. 0, or -1 if memory ran out or writing failed (errno). */
int json_print(struct json_writer *writer, cJSON *root, FILE *out);

#endif
