/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic on the big numbers of the CryptoCell's public key accelerator.
 *
 * Numbers are arrays of 64-bit words, least significant first, in the caller's memory. GMP's low-level
 * functions do the long multiplication and division: they are fast, well tested, and, other than its mpz
 * numbers, do not end the process when memory runs out. Sizes are at most PKA_MAX_WORDS.
 */
#ifndef SOSIM_NRF52840_CC_PKA_MATH_H
#define SOSIM_NRF52840_CC_PKA_MATH_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>

/* 8191 bits, the most that a PKA_L register can say, and the extra bits of modular results. */
#define PKA_MAX_WORDS 130

typedef mp_limb_t pka_word;
_Static_assert(sizeof(pka_word) == 8 && GMP_NAIL_BITS == 0,
               "a PKA word has 64 bits, as GMP's limb must have");

bool pka_is_zero(const pka_word *a, size_t n);

/* r = a mod m, `an` words in and `n` out. The modulus must not be 0. */
void pka_mod(pka_word *r, const pka_word *a, size_t an, const pka_word *m, size_t n);

/* r = (a * b + c) mod m; c may be NULL. The modulus must not be 0; r may be any of the operands. */
void pka_mod_mul_add(pka_word *r, const pka_word *a, const pka_word *b, const pka_word *c, const pka_word *m,
                     size_t n);

/* r = a ^ e mod m. The modulus must not be 0. */
void pka_mod_exp(pka_word *r, const pka_word *a, const pka_word *e, const pka_word *m, size_t n);

/* r = 1 / a mod m and gcd = the greatest common divisor of a and m; r is 0 when there is no inverse. The
 * modulus must not be 0. */
void pka_mod_inverse(pka_word *r, pka_word *gcd, const pka_word *a, const pka_word *m, size_t n);

/* quotient = a / b and a = a mod b. b must not be 0. */
void pka_divide(pka_word *quotient, pka_word *a, const pka_word *b, size_t n);

/* product = a * b, 2 * n words. */
void pka_multiply(pka_word *product, const pka_word *a, const pka_word *b, size_t n);

/* r = a shifted by `bits` (1..32) to the left or right, ones or zeros coming in. */
void pka_shift(pka_word *r, const pka_word *a, unsigned bits, bool left, bool ones, size_t n);

#endif
