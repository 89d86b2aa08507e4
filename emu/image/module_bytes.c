/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "image/bytes.h"
#include "image/module.h"

/* Nothing that a board carries is larger than its 4 MiB external flash. */
#define LARGEST_INFLATED 0x400000u

void module_bytes_free(struct module_bytes *bytes)
{
    free(bytes->bytes);
    memset(bytes, 0, sizeof(*bytes));
}

static int copy_bytes(const struct module *module, size_t skip, struct module_bytes *out, struct diag *why)
{
    if (module->length <= skip) {
        diag_set(why, "nothing is left of the module's %zu bytes without the header", module->length);
        return MODULE_NOT_POSSIBLE;
    }
    out->length = module->length - skip;
    out->bytes = malloc(out->length);
    if (!out->bytes) {
        diag_set(why, "out of memory");
        return MODULE_OUT_OF_MEMORY;
    }
    memcpy(out->bytes, module->data + skip, out->length);
    return MODULE_OK;
}

/* Finds the Deflate data between the two headers and the suffix, as flash_mal.c does. */
static int find_deflated(const struct module *module, const uint8_t **data, size_t *len, struct diag *why)
{
    size_t front = MODULE_HEADER_SIZE + (size_t)module->compression.header_size;
    if (module->length < front + 2 + MODULE_CRC_SIZE) {
        diag_set(why, "compressed module is too short for its headers, suffix and CRC");
        return MODULE_NOT_POSSIBLE;
    }
    size_t back = MODULE_CRC_SIZE;
    back += read_le16(module->data + module->length - back - 2);
    if (module->length - front < back) {
        diag_set(why, "suffix of the compressed module is longer than its payload");
        return MODULE_NOT_POSSIBLE;
    }
    *data = module->data + front;
    *len = module->length - front - back;
    return MODULE_OK;
}

static int inflate_all(const uint8_t *data, size_t len, uint8_t *out, size_t out_len, struct diag *why)
{
    z_stream stream = {0};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        diag_set(why, "out of memory");
        return MODULE_OUT_OF_MEMORY;
    }
    stream.next_in = (z_const Bytef *)data;
    stream.avail_in = (uInt)len;
    stream.next_out = out;
    stream.avail_out = (uInt)out_len;
    int result = inflate(&stream, Z_FINISH);
    size_t produced = out_len - stream.avail_out;
    inflateEnd(&stream);
    if (result == Z_STREAM_END && produced == out_len) {
        return MODULE_OK;
    }
    if (result == Z_DATA_ERROR) {
        diag_set(why, "compressed data is damaged after %zu inflated bytes", produced);
    } else if (produced == out_len) {
        diag_set(why, "compressed data inflates to more than the %zu bytes that its header says", out_len);
    } else {
        diag_set(why, "compressed data ends after %zu inflated bytes of the %zu that its header says",
                 produced, out_len);
    }
    return MODULE_NOT_POSSIBLE;
}

static int inflate_bytes(const struct module *module, struct module_bytes *out, struct diag *why)
{
    size_t size = module->compression.original_size;
    if (module->header_at != 0 || module->compression.method != 0) {
        diag_set(why, "not a form of compression that a device can inflate");
        return MODULE_NOT_POSSIBLE;
    }
    if (size == 0 || size > LARGEST_INFLATED) {
        diag_set(why, "inflated size of %zu bytes is outside 1..%u", size, LARGEST_INFLATED);
        return MODULE_NOT_POSSIBLE;
    }
    const uint8_t *data;
    size_t len;
    int result = find_deflated(module, &data, &len, why);
    if (result != MODULE_OK) {
        return result;
    }
    out->bytes = malloc(size);
    if (!out->bytes) {
        diag_set(why, "out of memory");
        return MODULE_OUT_OF_MEMORY;
    }
    out->length = size;
    result = inflate_all(data, len, out->bytes, size, why);
    if (result != MODULE_OK) {
        module_bytes_free(out);
    }
    return result;
}

int module_device_bytes(const struct module *module, struct module_bytes *out, struct diag *why)
{
    memset(out, 0, sizeof(*out));
    if (module->flags & (MODULE_ENCRYPTED | MODULE_PREFIX_EXTENSIONS)) {
        diag_set(why, "encrypted modules and modules with prefix extensions are not supported");
        return MODULE_NOT_POSSIBLE;
    }
    int result;
    if (module->flags & MODULE_COMPRESSED) {
        result = inflate_bytes(module, out, why);
    } else {
        /* A header behind a vector table is part of the running image and cannot be dropped. */
        bool drop = (module->flags & MODULE_DROP_MODULE_INFO) && module->header_at == 0;
        result = copy_bytes(module, drop ? MODULE_HEADER_SIZE : 0, out, why);
    }
    if (result == MODULE_OK) {
        out->address = module->start;
    }
    return result;
}
