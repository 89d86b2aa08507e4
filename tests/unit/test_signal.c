/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/signal.h"

#include <criterion/criterion.h>
#include <string.h>

/* Whatever is changed, and wherever, the digest is another; where the bytes lie does not count. */
Test(signal, digests_tell_bytes_apart)
{
    uint8_t bytes[200], moved[201];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37);
    for (unsigned size = 0; size < sizeof bytes; size++) {
        uint64_t digest = digest_bytes(bytes, size);
        memcpy(moved + 1, bytes, size);
        cr_expect_eq(digest_bytes(moved + 1, size), digest, "%u bytes", size);
        cr_expect_neq(digest_bytes(bytes, size + 1), digest, "%u bytes and one more", size);
        for (unsigned bit = 0; bit < 8 * size; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            cr_expect_neq(digest_bytes(bytes, size), digest, "bit %u of %u bytes", bit, size);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* Torn words in the scenarios' flash depend on it: published values of FNV-1a. */
Test(signal, digests_of_names_stay)
{
    cr_expect_eq(digest_text(""), 0xcbf29ce484222325ull);
    cr_expect_eq(digest_text("a"), 0xaf63dc4c8601ec8cull);
    cr_expect_eq(digest_text("foobar"), 0x85944171f73967e8ull);
}

/* Words that change their places are not the same bytes, nor are those of erased flash of another size. */
Test(signal, digests_tell_orders_and_sizes_apart)
{
    uint64_t words[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t erased[256];
    const uint64_t digest = digest_bytes(words, sizeof words);
    for (unsigned a = 0; a < 8; a++) {
        for (unsigned b = a + 1; b < 8; b++) {
            uint64_t first = words[a];
            words[a] = words[b];
            words[b] = first;
            cr_expect_neq(digest_bytes(words, sizeof words), digest, "words %u and %u", a, b);
            words[b] = words[a];
            words[a] = first;
        }
    }
    memset(erased, 0xff, sizeof erased);
    for (unsigned size = 1; size < sizeof erased; size++)
        cr_expect_neq(digest_bytes(erased, size), digest_bytes(erased, size - 1));
}
