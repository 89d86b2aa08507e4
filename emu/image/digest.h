/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 (FIPS 180-4) as the 64 lower-case hex digits that manifests and people use. */
#ifndef SOSIM_IMAGE_DIGEST_H
#define SOSIM_IMAGE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEX_SIZE 65 /* with the terminating zero */

void sha256_hex(const uint8_t *data, size_t len, char hex[SHA256_HEX_SIZE]);

/* Writes `len` bytes as hex digits; `hex` has room for 2 * len + 1 characters. */
void bytes_to_hex(const uint8_t *bytes, size_t len, char *hex);

#endif
