/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/digest.h"

#include <nettle/sha2.h>

void bytes_to_hex(const uint8_t *bytes, size_t len, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        *hex++ = digits[bytes[i] >> 4];
        *hex++ = digits[bytes[i] & 0xf];
    }
    *hex = '\0';
}

void sha256_hex(const uint8_t *data, size_t len, char hex[SHA256_HEX_SIZE])
{
    struct sha256_ctx ctx;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_init(&ctx);
    sha256_update(&ctx, len, data);
    sha256_digest(&ctx, sizeof(digest), digest);
    bytes_to_hex(digest, sizeof(digest), hex);
}
