/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/json_writer.h"

#include <errno.h>
#include <inttypes.h>

void json_put(struct json_writer *writer, cJSON *object, const char *name, cJSON *value)
{
    if (value && cJSON_AddItemToObject(object, name, value))
        return;
    cJSON_Delete(value);
    writer->good = false;
}

void json_put_text(struct json_writer *writer, cJSON *object, const char *name, const char *text)
{
    json_put(writer, object, name, text ? cJSON_CreateString(text) : cJSON_CreateNull());
}

void json_put_number(struct json_writer *writer, cJSON *object, const char *name, double number)
{
    json_put(writer, object, name, cJSON_CreateNumber(number));
}

void json_put_bool(struct json_writer *writer, cJSON *object, const char *name, bool value)
{
    json_put(writer, object, name, cJSON_CreateBool(value));
}

void json_put_hex(struct json_writer *writer, cJSON *object, const char *name, uint32_t number)
{
    char text[16];
    snprintf(text, sizeof text, "0x%08" PRIx32, number);
    json_put_text(writer, object, name, text);
}

void json_put_hex64(struct json_writer *writer, cJSON *object, const char *name, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "0x%016" PRIx64, number);
    json_put_text(writer, object, name, text);
}

cJSON *json_put_object(struct json_writer *writer, cJSON *object, const char *name)
{
    cJSON *child = cJSON_AddObjectToObject(object, name);
    writer->good = child && writer->good;
    return child;
}

cJSON *json_put_array(struct json_writer *writer, cJSON *object, const char *name)
{
    cJSON *child = cJSON_AddArrayToObject(object, name);
    writer->good = child && writer->good;
    return child;
}

static cJSON *append(struct json_writer *writer, cJSON *array, cJSON *item)
{
    if (cJSON_AddItemToArray(array, item))
        return item;
    cJSON_Delete(item);
    writer->good = false;
    return NULL;
}

void json_append_text(struct json_writer *writer, cJSON *array, const char *text)
{
    append(writer, array, cJSON_CreateString(text));
}

cJSON *json_append_object(struct json_writer *writer, cJSON *array)
{
    return append(writer, array, cJSON_CreateObject());
}

int json_print(struct json_writer *writer, cJSON *root, FILE *out)
{
    char *text = writer->good ? cJSON_Print(root) : NULL;
    cJSON_Delete(root);
    if (!text) {
        errno = ENOMEM;
        return -1;
    }
    int status = fprintf(out, "%s\n", text) >= 0 && fflush(out) == 0 ? 0 : -1;
    cJSON_free(text);
    return status;
}
