/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/cc_pka_math.h"

#include <string.h>

#define WORD_BITS 64u

static size_t trimmed(const pka_word *a, size_t n)
{
    while (n && !a[n - 1])
        n--;
    return n;
}

bool pka_is_zero(const pka_word *a, size_t n)
{
    return !trimmed(a, n);
}

void pka_mod(pka_word *r, const pka_word *a, size_t an, const pka_word *m, size_t n)
{
    pka_word quotient[2 * PKA_MAX_WORDS + 2];
    pka_word rest[PKA_MAX_WORDS];
    size_t mn = trimmed(m, n);
    an = trimmed(a, an);
    if (an < mn) {
        memmove(r, a, an * sizeof *r);
        memset(r + an, 0, (n - an) * sizeof *r);
        return;
    }
    mpn_tdiv_qr(quotient, rest, 0, a, (mp_size_t)an, m, (mp_size_t)mn);
    memcpy(r, rest, mn * sizeof *r);
    memset(r + mn, 0, (n - mn) * sizeof *r);
}

void pka_multiply(pka_word *product, const pka_word *a, const pka_word *b, size_t n)
{
    mpn_mul_n(product, a, b, (mp_size_t)n);
}

void pka_mod_mul_add(pka_word *r, const pka_word *a, const pka_word *b, const pka_word *c, const pka_word *m,
                     size_t n)
{
    pka_word sum[2 * PKA_MAX_WORDS + 1];
    pka_multiply(sum, a, b, n);
    sum[2 * n] = c ? mpn_add(sum, sum, (mp_size_t)(2 * n), c, (mp_size_t)n) : 0;
    pka_mod(r, sum, 2 * n + 1, m, n);
}

void pka_mod_exp(pka_word *r, const pka_word *a, const pka_word *e, const pka_word *m, size_t n)
{
    pka_word base[PKA_MAX_WORDS];
    pka_word power[PKA_MAX_WORDS] = {1};
    pka_mod(base, a, n, m, n);
    pka_mod(power, power, n, m, n);
    for (size_t bit = trimmed(e, n) * WORD_BITS; bit-- > 0;) {
        pka_mod_mul_add(power, power, power, NULL, m, n);
        if (e[bit / WORD_BITS] >> bit % WORD_BITS & 1)
            pka_mod_mul_add(power, power, base, NULL, m, n);
    }
    memcpy(r, power, n * sizeof *r);
}

void pka_mod_inverse(pka_word *r, pka_word *gcd, const pka_word *a, const pka_word *m, size_t n)
{
    /* mpn_gcdext wants the first number to be the longer one: a + m is, and has the same divisors. Both
     * operands are destroyed, with a word beyond their ends. */
    pka_word u[PKA_MAX_WORDS + 2];
    pka_word v[PKA_MAX_WORDS + 2];
    pka_word cofactor[PKA_MAX_WORDS + 2] = {0};
    pka_word divisor[PKA_MAX_WORDS + 2] = {0};
    mp_size_t cofactor_size = 0;
    u[n] = mpn_add_n(u, a, m, (mp_size_t)n);
    memcpy(v, m, n * sizeof *v);
    size_t size = (size_t)mpn_gcdext(divisor, cofactor, &cofactor_size, u, (mp_size_t)trimmed(u, n + 1), v,
                                     (mp_size_t)trimmed(m, n));
    memset(r, 0, n * sizeof *r);
    if (size == 1 && divisor[0] == 1) {
        size_t magnitude = (size_t)(cofactor_size < 0 ? -cofactor_size : cofactor_size);
        memcpy(r, cofactor, magnitude * sizeof *r);
        if (cofactor_size < 0)
            mpn_sub_n(r, m, r, (mp_size_t)n);
        pka_mod(r, r, n, m, n);
    }
    memcpy(gcd, divisor, size * sizeof *gcd);
    memset(gcd + size, 0, (n - size) * sizeof *gcd);
}

void pka_divide(pka_word *quotient, pka_word *a, const pka_word *b, size_t n)
{
    pka_word result[PKA_MAX_WORDS + 1];
    pka_word rest[PKA_MAX_WORDS];
    size_t an = trimmed(a, n);
    size_t bn = trimmed(b, n);
    memset(quotient, 0, n * sizeof *quotient);
    if (an < bn)
        return;
    mpn_tdiv_qr(result, rest, 0, a, (mp_size_t)an, b, (mp_size_t)bn);
    memcpy(quotient, result, (an - bn + 1) * sizeof *quotient);
    memcpy(a, rest, bn * sizeof *a);
    memset(a + bn, 0, (n - bn) * sizeof *a);
}

void pka_shift(pka_word *r, const pka_word *a, unsigned bits, bool left, bool ones, size_t n)
{
    pka_word fill = ones ? ((pka_word)1 << bits) - 1 : 0;
    if (left) {
        mpn_lshift(r, a, (mp_size_t)n, bits);
        r[0] |= fill;
    } else {
        mpn_rshift(r, a, (mp_size_t)n, bits);
        r[n - 1] |= fill << (WORD_BITS - bits);
    }
}
