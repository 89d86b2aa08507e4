/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/bytes.h"
#include "image/module.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define END_OFFSET 4 /* of the end address, from the header's start */

/* Writes the SHA-256 and the CRC that the bytes call for. */
static void seal(uint8_t *data, size_t length)
{
    size_t crc_at = length - MODULE_CRC_SIZE;
    size_t digest_at = crc_at - MODULE_SUFFIX_SIZE + 2;
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, digest_at, data);
    sha256_digest(&context, MODULE_SHA256_SIZE, data + digest_at);
    uint32_t crc = (uint32_t)crc32(0, data, (uInt)crc_at);
    for (unsigned i = 0; i < 4; i++)
        data[crc_at + i] = (uint8_t)(crc >> (24 - 8 * i));
}

int module_pad(uint8_t **data, size_t *length, size_t padded, struct diag *why)
{
    struct module *module = malloc(sizeof *module);
    if (!module) {
        diag_set(why, "out of memory");
        return MODULE_OUT_OF_MEMORY;
    }
    int status = module_parse(*data, *length, module, why);
    size_t tail = (size_t)module->suffix_size + MODULE_CRC_SIZE;
    if (status == MODULE_OK && (module->flags || module->length != *length || padded < *length)) {
        diag_set(why, "only a plain module of one part can be padded, and only to more than its %zu bytes",
                 *length);
        status = MODULE_NOT_POSSIBLE;
    }
    uint8_t *grown = status == MODULE_OK ? malloc(padded) : NULL;
    if (status == MODULE_OK && !grown) {
        diag_set(why, "out of memory");
        status = MODULE_OUT_OF_MEMORY;
    }
    if (status == MODULE_OK) {
        memset(grown, 0xff, padded);
        memcpy(grown, *data, *length - tail);
        memcpy(grown + padded - tail, *data + *length - tail, tail);
        write_le32(grown + module->header_at + END_OFFSET,
                   module->start + (uint32_t)(padded - MODULE_CRC_SIZE));
        seal(grown, padded);
        free(*data);
        *data = grown;
        *length = padded;
    }
    free(module);
    return status;
}

int module_seal(uint8_t *data, size_t length, struct diag *why)
{
    struct module *module = malloc(sizeof *module);
    if (!module) {
        diag_set(why, "out of memory");
        return MODULE_OUT_OF_MEMORY;
    }
    int status = module_parse(data, length, module, why);
    if (status >= MODULE_OK) {
        bool plain = !module->flags && module->length == length && module->suffix_size >= MODULE_SUFFIX_SIZE;
        status = plain ? MODULE_OK : MODULE_NOT_POSSIBLE;
        if (!plain)
            diag_set(why, "only a plain module of one part can be given its checksums");
    }
    if (status == MODULE_OK)
        seal(data, length);
    free(module);
    return status;
}
