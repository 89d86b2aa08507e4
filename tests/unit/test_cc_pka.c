/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#include <gmp.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>

#define WORD     64u
#define ROUNDS   40
#define NO_PLACE 0x3fu /* a result that is thrown away */
#define ZERO     (1u << 12)
#define CARRY    (1u << 9)
#define SIGN     (1u << 8)

enum {
    ADD = 4,
    SUB,
    MOD_ADD,
    MOD_SUB,
    AND,
    OR,
    XOR,
    SHR0 = 12,
    SHR1,
    SHL0,
    SHL1,
    MUL_LOW,
    MOD_MUL,
    MOD_MUL_N,
    MOD_EXP,
    DIVISION,
    MOD_INV,
    MOD_DIV,
    MUL_HIGH,
    MOD_MLAC,
    MOD_MLAC_NR,
    REDUCTION = 27,
};

/* Registers as the published drivers use them. */
enum {
    N = 0,
    NP = 1,
    A = 2,
    B = 3,
    C = 4,
    R = 5,
    T0 = 30,
    T1 = 31,
};

/* Which PKA_L holds the size of the modulus, and which that of a whole register. */
enum {
    EXACT = 0,
    WHOLE = 1,
};

struct pka {
    struct bench *bench;
    unsigned bits;
    unsigned words; /* 32-bit words of a register */
    uint32_t base;  /* of the register file: by address, since names are looked up slowly */
    gmp_randstate_t random;
};

enum {
    MEMORY_MAP = 0x000,
    OPCODE = 0x080,
    PKA_STATUS = 0x088,
    PKA_L = 0x090,
    PKA_DONE = 0x0b4,
    PKA_SRAM_WADDR = 0x0d4,
    PKA_SRAM_WDATA = 0x0d8,
    PKA_SRAM_RDATA = 0x0dc,
    PKA_SRAM_RADDR = 0x0e4,
};

static void set(struct pka *pka, uint32_t offset, uint32_t value)
{
    cr_assert_eq(bus_write(&pka->bench->bus, pka->base + offset, 4, value), 0);
}

static uint32_t get(struct pka *pka, uint32_t offset)
{
    uint32_t value = 0;
    cr_assert_eq(bus_read(&pka->bench->bus, pka->base + offset, 4, &value), 0);
    return value;
}

static uint32_t place_of(struct pka *pka, unsigned number)
{
    return get(pka, MEMORY_MAP + 4 * number);
}

static void set_place(struct pka *pka, unsigned number, uint32_t place)
{
    set(pka, MEMORY_MAP + 4 * number, place);
}

/* Lays out the registers with one word to spare above `bits`, T0 and T1 behind the others. */
static struct pka pka_new(unsigned bits)
{
    struct pka pka = {.bench = bench_new(), .bits = bits, .words = ((bits + 8 + WORD - 1) / WORD + 1) * 2};
    unsigned count = 4096 / (4 * pka.words) < 32 ? 4096 / (4 * pka.words) : 32;
    pka.base = bench_address(pka.bench, "CC_PKA.MEMORY_MAP[0]");
    poke(pka.bench, "CRYPTOCELL.ENABLE", 1);
    poke(pka.bench, "CC_MISC.PKA_CLK", 1);
    for (unsigned i = 0; i < 32; i++)
        set_place(&pka, i, i < count - 2 ? i * pka.words : 0xffc);
    set_place(&pka, T0, (count - 2) * pka.words);
    set_place(&pka, T1, (count - 1) * pka.words);
    poke(pka.bench, "CC_PKA.N_NP_T0_T1_ADDR", 0x000ff820);
    set(&pka, PKA_L + 4 * EXACT, bits);
    set(&pka, PKA_L + 4 * WHOLE, pka.words * 32);
    gmp_randinit_mt(pka.random);
    gmp_randseed_ui(pka.random, bits);
    return pka;
}

static void pka_free(struct pka *pka)
{
    gmp_randclear(pka->random);
    bench_free(pka->bench);
}

static void wait_done(struct pka *pka)
{
    for (unsigned us = 0; us < 10000000 && !get(pka, PKA_DONE); us += 10)
        advance_us(pka->bench, 10);
    cr_assert_eq(get(pka, PKA_DONE), 1u);
}

static void put(struct pka *pka, unsigned number, const mpz_t value)
{
    uint32_t words[128] = {0};
    size_t count = 0;
    mpz_export(words, &count, -1, 4, 0, 0, value);
    cr_assert_leq(count, pka->words);
    set(pka, PKA_SRAM_WADDR, place_of(pka, number));
    for (unsigned i = 0; i < pka->words; i++)
        set(pka, PKA_SRAM_WDATA, words[i]);
}

static void fetch(struct pka *pka, unsigned number, mpz_t value)
{
    uint32_t words[128];
    set(pka, PKA_SRAM_RADDR, place_of(pka, number));
    for (unsigned i = 0; i < pka->words; i++)
        words[i] = get(pka, PKA_SRAM_RDATA);
    mpz_import(value, pka->words, -1, 4, 0, 0, words);
}

/* A field of 0x20 + c is the constant c, as in OPCODE. */
static void operate(struct pka *pka, unsigned operation, unsigned size, unsigned a, unsigned b,
                    unsigned result)
{
    set(pka, OPCODE, (uint32_t)operation << 27 | size << 24 | a << 18 | b << 12 | (result & 0x3f) << 6 | C);
    wait_done(pka);
}

static uint32_t status(struct pka *pka)
{
    return get(pka, PKA_STATUS);
}

static void expect_number(struct pka *pka, unsigned number, const mpz_t wanted, const char *what)
{
    mpz_t value;
    mpz_init(value);
    fetch(pka, number, value);
    cr_expect_eq(mpz_cmp(value, wanted), 0, "%s of %u bits", what, pka->bits);
    mpz_clear(value);
}

/* The residue that fits a whole register. */
static void to_register(const struct pka *pka, mpz_t value)
{
    mpz_fdiv_r_2exp(value, value, pka->words * 32);
}

struct numbers {
    mpz_t n, a, b, c, want;
};

static void numbers_init(struct numbers *x)
{
    mpz_inits(x->n, x->a, x->b, x->c, x->want, NULL);
}

static void numbers_clear(struct numbers *x)
{
    mpz_clears(x->n, x->a, x->b, x->c, x->want, NULL);
}

/* A random odd modulus of exactly `bits` bits and three numbers below it, all put into their registers. */
static void draw(struct pka *pka, struct numbers *x)
{
    mpz_urandomb(x->n, pka->random, pka->bits);
    mpz_setbit(x->n, pka->bits - 1);
    mpz_setbit(x->n, 0);
    mpz_urandomm(x->a, pka->random, x->n);
    mpz_urandomm(x->b, pka->random, x->n);
    mpz_urandomm(x->c, pka->random, x->n);
    put(pka, N, x->n);
    put(pka, A, x->a);
    put(pka, B, x->b);
    put(pka, C, x->c);
}

static const unsigned sizes[] = {160, 192, 256, 384, 521, 1024};

static void for_all_sizes(void (*check)(struct pka *pka, struct numbers *x))
{
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct pka pka = pka_new(sizes[i]);
        struct numbers x;
        numbers_init(&x);
        for (unsigned round = 0; round < ROUNDS; round++) {
            draw(&pka, &x);
            check(&pka, &x);
        }
        numbers_clear(&x);
        pka_free(&pka);
    }
}

static void check_sums(struct pka *pka, struct numbers *x)
{
    operate(pka, ADD, WHOLE, A, B, R);
    mpz_add(x->want, x->a, x->b);
    expect_number(pka, R, x->want, "sum");
    cr_expect_not(status(pka) & CARRY);
    operate(pka, SUB, WHOLE, A, B, R);
    mpz_sub(x->want, x->a, x->b);
    to_register(pka, x->want);
    expect_number(pka, R, x->want, "difference");
    cr_expect_eq(!!(status(pka) & CARRY), mpz_cmp(x->a, x->b) >= 0, "carry means no borrow");
    cr_expect_eq(!!(status(pka) & SIGN), mpz_cmp(x->a, x->b) < 0);
    operate(pka, SUB, WHOLE, A, 0x20 | 0x1f, R);
    mpz_add_ui(x->want, x->a, 1);
    expect_number(pka, R, x->want, "a - (-1)");
    operate(pka, SUB, WHOLE, 0x20, B, R);
    mpz_neg(x->want, x->b);
    to_register(pka, x->want);
    expect_number(pka, R, x->want, "negation");
}

Test(pka, sums)
{
    for_all_sizes(check_sums);
}

static void check_modular_sums(struct pka *pka, struct numbers *x)
{
    operate(pka, MOD_ADD, WHOLE, A, B, R);
    mpz_add(x->want, x->a, x->b);
    mpz_mod(x->want, x->want, x->n);
    expect_number(pka, R, x->want, "modular sum");
    operate(pka, MOD_SUB, WHOLE, A, B, R);
    mpz_sub(x->want, x->a, x->b);
    mpz_mod(x->want, x->want, x->n);
    expect_number(pka, R, x->want, "modular difference");
    operate(pka, MOD_SUB, WHOLE, A, 0x20 | 3, R);
    mpz_sub_ui(x->want, x->a, 3);
    mpz_mod(x->want, x->want, x->n);
    expect_number(pka, R, x->want, "modular difference of a constant");
    operate(pka, MOD_ADD, WHOLE, A, 0x20 | 0x1e, R);
    mpz_sub_ui(x->want, x->a, 2);
    mpz_mod(x->want, x->want, x->n);
    expect_number(pka, R, x->want, "modular sum of a negative constant");
    operate(pka, MOD_SUB, WHOLE, 0x20, B, R);
    mpz_neg(x->want, x->b);
    mpz_mod(x->want, x->want, x->n);
    expect_number(pka, R, x->want, "modular negation");
}

Test(pka, modular_sums)
{
    for_all_sizes(check_modular_sums);
}

static void check_logic(struct pka *pka, struct numbers *x)
{
    operate(pka, AND, WHOLE, A, B, R);
    mpz_and(x->want, x->a, x->b);
    expect_number(pka, R, x->want, "and");
    operate(pka, OR, WHOLE, A, B, R);
    mpz_ior(x->want, x->a, x->b);
    expect_number(pka, R, x->want, "or");
    operate(pka, XOR, WHOLE, A, B, R);
    mpz_xor(x->want, x->a, x->b);
    expect_number(pka, R, x->want, "xor");
    operate(pka, AND, WHOLE, A, 0x20 | 0x1e, R);
    mpz_set(x->want, x->a);
    mpz_clrbit(x->want, 0);
    expect_number(pka, R, x->want, "bit 0 cleared");
    operate(pka, XOR, WHOLE, A, 0x20 | 0x1f, R);
    mpz_com(x->want, x->a);
    to_register(pka, x->want);
    expect_number(pka, R, x->want, "all bits flipped");
    operate(pka, AND, WHOLE, A, 0x20 | 1, NO_PLACE);
    cr_expect_eq(!(status(pka) & ZERO), mpz_odd_p(x->a) != 0, "a test of bit 0");
    operate(pka, XOR, WHOLE, A, A, NO_PLACE);
    cr_expect(status(pka) & ZERO, "a number equals itself");
    expect_number(pka, A, x->a, "an operand that was only compared");
}

Test(pka, logic)
{
    for_all_sizes(check_logic);
}

static void check_shifts(struct pka *pka, struct numbers *x)
{
    unsigned amount = (unsigned)gmp_urandomm_ui(pka->random, 32);
    operate(pka, SHR0, WHOLE, A, amount, R);
    mpz_fdiv_q_2exp(x->want, x->a, amount + 1);
    expect_number(pka, R, x->want, "shift right");
    operate(pka, SHL0, WHOLE, A, amount, R);
    mpz_mul_2exp(x->want, x->a, amount + 1);
    to_register(pka, x->want);
    expect_number(pka, R, x->want, "shift left");
    operate(pka, SHL1, WHOLE, A, amount, R);
    for (unsigned bit = 0; bit <= amount; bit++)
        mpz_setbit(x->want, bit);
    expect_number(pka, R, x->want, "shift left with ones");
    operate(pka, SHR1, WHOLE, A, amount, R);
    mpz_fdiv_q_2exp(x->want, x->a, amount + 1);
    for (unsigned bit = 0; bit <= amount; bit++)
        mpz_setbit(x->want, pka->words * 32 - 1 - bit);
    expect_number(pka, R, x->want, "shift right with ones");
}

Test(pka, shifts)
{
    for_all_sizes(check_shifts);
}

static void check_products(struct pka *pka, struct numbers *x)
{
    unsigned n = (pka->bits + WORD - 1) / WORD * WORD;
    mpz_mul(x->want, x->a, x->b);
    mpz_fdiv_q_2exp(x->want, x->want, n - WORD);
    operate(pka, MUL_HIGH, EXACT, A, B, R);
    mpz_t high;
    mpz_init(high);
    fetch(pka, R, high);
    mpz_fdiv_r_2exp(high, high, n + WORD);
    cr_expect_eq(mpz_cmp(high, x->want), 0, "high half of %u bits", pka->bits);
    mpz_clear(high);
    operate(pka, MUL_LOW, WHOLE, A, B, R);
    mpz_mul(x->want, x->a, x->b);
    to_register(pka, x->want);
    expect_number(pka, R, x->want, "low half");
}

Test(pka, products)
{
    for_all_sizes(check_products);
}

static void check_modular_products(struct pka *pka, struct numbers *x)
{
    mpz_t low;
    mpz_init(low);
    static const unsigned operations[] = {MOD_MUL, MOD_MUL_N, MOD_MLAC, MOD_MLAC_NR};
    for (unsigned i = 0; i < 4; i++) {
        operate(pka, operations[i], EXACT, A, B, R);
        mpz_mul(x->want, x->a, x->b);
        if (i >= 2)
            mpz_add(x->want, x->want, x->c);
        mpz_mod(x->want, x->want, x->n);
        fetch(pka, R, low);
        mpz_fdiv_r_2exp(low, low, pka->bits + 8);
        cr_expect_eq(mpz_cmp(low, x->want), 0, "modular product %u of %u bits", i, pka->bits);
    }
    mpz_clear(low);
}

Test(pka, modular_products)
{
    for_all_sizes(check_modular_products);
}

/* Software adds and subtracts without reducing between products, up to 8 bits above the modulus. */
static void check_unreduced(struct pka *pka, struct numbers *x)
{
    mpz_mul_ui(x->a, x->n, 200);
    mpz_add(x->a, x->a, x->c);
    put(pka, A, x->a);
    operate(pka, MOD_MUL, EXACT, A, B, R);
    mpz_mul(x->want, x->c, x->b);
    mpz_mod(x->want, x->want, x->n);
    operate(pka, OR, WHOLE, R, 0x20, R);
    operate(pka, REDUCTION, EXACT, A, 0, B);
    operate(pka, SUB, EXACT, B, C, NO_PLACE);
    cr_expect(status(pka) & ZERO, "reduction of %u bits", pka->bits);
}

Test(pka, operands_that_are_not_reduced)
{
    for_all_sizes(check_unreduced);
}

static void check_division(struct pka *pka, struct numbers *x)
{
    mpz_fdiv_q_2exp(x->b, x->b, gmp_urandomm_ui(pka->random, pka->bits - 8));
    mpz_add_ui(x->b, x->b, 1);
    put(pka, B, x->b);
    operate(pka, DIVISION, WHOLE, A, B, R);
    mpz_fdiv_qr(x->want, x->c, x->a, x->b);
    expect_number(pka, R, x->want, "quotient");
    expect_number(pka, A, x->c, "rest");
}

Test(pka, division)
{
    for_all_sizes(check_division);
}

Test(pka, division_by_zero_says_so)
{
    struct pka pka = pka_new(256);
    struct numbers x;
    numbers_init(&x);
    draw(&pka, &x);
    mpz_set_ui(x.b, 0);
    put(&pka, B, x.b);
    operate(&pka, DIVISION, WHOLE, A, B, R);
    cr_expect(status(&pka) & 1u << 14);
    numbers_clear(&x);
    pka_free(&pka);
}

static void check_inverse(struct pka *pka, struct numbers *x)
{
    mpz_t got;
    mpz_init(got);
    operate(pka, MOD_INV, EXACT, 0x21, B, R);
    fetch(pka, R, got);
    mpz_fdiv_r_2exp(got, got, pka->bits + 8);
    if (!mpz_invert(x->want, x->b, x->n))
        mpz_set_ui(x->want, 0);
    cr_expect_eq(mpz_cmp(got, x->want), 0, "inverse of %u bits", pka->bits);
    mpz_gcd(x->want, x->b, x->n);
    fetch(pka, B, got);
    mpz_fdiv_r_2exp(got, got, pka->bits + 8);
    cr_expect_eq(mpz_cmp(got, x->want), 0, "operand B holds the common divisor");
    mpz_clear(got);
}

Test(pka, inverses)
{
    for_all_sizes(check_inverse);
}

Test(pka, inverse_of_zero_says_so)
{
    struct pka pka = pka_new(256);
    struct numbers x;
    numbers_init(&x);
    draw(&pka, &x);
    mpz_set_ui(x.b, 0);
    put(&pka, B, x.b);
    operate(&pka, MOD_INV, EXACT, 0x21, B, R);
    cr_expect(status(&pka) & 1u << 15);
    numbers_clear(&x);
    pka_free(&pka);
}

Test(pka, modular_quotient)
{
    struct pka pka = pka_new(256);
    struct numbers x;
    numbers_init(&x);
    draw(&pka, &x);
    mpz_nextprime(x.n, x.n);
    put(&pka, N, x.n);
    operate(&pka, MOD_DIV, EXACT, A, B, R);
    mpz_invert(x.want, x.b, x.n);
    mpz_mul(x.want, x.want, x.a);
    mpz_mod(x.want, x.want, x.n);
    expect_number(&pka, R, x.want, "modular quotient");
    numbers_clear(&x);
    pka_free(&pka);
}

Test(pka, powers)
{
    static const unsigned bits[] = {160, 256, 521, 1024, 2048};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        struct pka pka = pka_new(bits[i]);
        struct numbers x;
        numbers_init(&x);
        draw(&pka, &x);
        operate(&pka, MOD_EXP, EXACT, A, B, R);
        mpz_powm(x.want, x.a, x.b, x.n);
        fetch(&pka, R, x.c);
        mpz_fdiv_r_2exp(x.c, x.c, bits[i] + 8);
        cr_expect_eq(mpz_cmp(x.c, x.want), 0, "power of %u bits", bits[i]);
        numbers_clear(&x);
        pka_free(&pka);
    }
}

/* What the published drivers rely on: a result register is given the place of T0, and T0 the other one. */
Test(pka, a_result_changes_places_with_t0)
{
    struct pka pka = pka_new(256);
    struct numbers x;
    numbers_init(&x);
    draw(&pka, &x);
    uint32_t r = place_of(&pka, R);
    uint32_t t0 = place_of(&pka, T0);
    operate(&pka, ADD, WHOLE, A, B, R);
    cr_expect_eq(place_of(&pka, R), t0);
    cr_expect_eq(place_of(&pka, T0), r);
    operate(&pka, ADD, WHOLE, A, B, NO_PLACE);
    cr_expect_eq(place_of(&pka, T0), r);
    numbers_clear(&x);
    pka_free(&pka);
}

Test(pka, one_operation_runs_and_one_waits)
{
    struct pka pka = pka_new(256);
    struct numbers x;
    numbers_init(&x);
    draw(&pka, &x);
    uint32_t power = (uint32_t)MOD_EXP << 27 | A << 18 | B << 12 | R << 6;
    poke(pka.bench, "CC_HOST_RGF.IMR", ~(1u << 9));
    cr_expect_eq(peek(pka.bench, "CC_PKA.PKA_DONE"), 1u);
    poke(pka.bench, "CC_PKA.OPCODE", power);
    cr_expect_eq(peek(pka.bench, "CC_PKA.PKA_DONE"), 0u);
    cr_expect_eq(peek(pka.bench, "CC_PKA.PKA_PIPE"), 1u, "room for the next");
    poke(pka.bench, "CC_PKA.OPCODE", power);
    cr_expect_eq(peek(pka.bench, "CC_PKA.PKA_PIPE"), 0u);
    uint64_t cycles = (16 + 3 * 25) * 256 * 3 / 2;
    advance(pka.bench, cycles);
    cr_expect_eq(peek(pka.bench, "CC_PKA.PKA_PIPE"), 1u);
    cr_expect_not(pka.bench->irq[42]);
    advance(pka.bench, cycles - 1);
    cr_expect_eq(peek(pka.bench, "CC_PKA.PKA_DONE"), 0u);
    advance(pka.bench, 1);
    cr_expect_eq(peek(pka.bench, "CC_PKA.PKA_DONE"), 1u);
    cr_expect(pka.bench->irq[42]);
    numbers_clear(&x);
    pka_free(&pka);
}

Test(pka, nonsense_is_harmless)
{
    struct pka pka = pka_new(256);
    uint32_t opcode = 1;
    for (unsigned i = 0; i < 20000; i++) {
        opcode = opcode * 1664525 + 1013904223;
        if (i % 16 == 0)
            set(&pka, PKA_L + 4 * (opcode >> 13 & 7), opcode >> 16 & (i % 256 ? 0x1ff : 0x1fff));
        if (i % 64 == 0)
            set_place(&pka, opcode >> 9 & 31, opcode);
        bool slow = opcode >> 27 == MOD_EXP && i % 512;
        set(&pka, OPCODE, slow ? opcode ^ 1u << 31 : opcode);
    }
    pka_free(&pka);
}

/* P-256 on the accelerator: Jacobian coordinates, modular operations only, an inverse at the end. */
enum {
    X = 6,
    Y = 7,
    Z = 8,
    GX = 9,
    GY = 10,
    S = 11,
    M = 12,
    T = 13,
    U = 14,
    H = 15,
};

static void mul(struct pka *pka, unsigned result, unsigned a, unsigned b)
{
    operate(pka, MOD_MUL, EXACT, a, b, result);
}

static void plus(struct pka *pka, unsigned result, unsigned a, unsigned b)
{
    operate(pka, MOD_ADD, WHOLE, a, b, result);
}

static void minus(struct pka *pka, unsigned result, unsigned a, unsigned b)
{
    operate(pka, MOD_SUB, WHOLE, a, b, result);
}

/* (X, Y, Z) = 2 (X, Y, Z) on a curve with a = -3. */
static void double_point(struct pka *pka)
{
    mul(pka, T, Z, Z);
    minus(pka, S, X, T);
    plus(pka, T, X, T);
    mul(pka, M, S, T);
    plus(pka, T, M, M);
    plus(pka, M, T, M);
    mul(pka, Z, Y, Z);
    plus(pka, Z, Z, Z);
    mul(pka, T, Y, Y);
    mul(pka, S, X, T);
    plus(pka, S, S, S);
    plus(pka, S, S, S);
    mul(pka, X, M, M);
    minus(pka, X, X, S);
    minus(pka, X, X, S);
    mul(pka, T, T, T);
    plus(pka, T, T, T);
    plus(pka, T, T, T);
    plus(pka, T, T, T);
    minus(pka, S, S, X);
    mul(pka, Y, M, S);
    minus(pka, Y, Y, T);
}

/* (X, Y, Z) += (GX, GY). */
static void add_base(struct pka *pka)
{
    mul(pka, T, Z, Z);
    mul(pka, U, GX, T);
    minus(pka, H, U, X);
    mul(pka, S, T, Z);
    mul(pka, S, S, GY);
    minus(pka, S, S, Y);
    mul(pka, Z, Z, H);
    mul(pka, T, H, H);
    mul(pka, U, X, T);
    mul(pka, T, T, H);
    mul(pka, X, S, S);
    minus(pka, X, X, T);
    minus(pka, X, X, U);
    minus(pka, X, X, U);
    mul(pka, T, Y, T);
    minus(pka, U, U, X);
    mul(pka, Y, S, U);
    minus(pka, Y, Y, T);
}

static void to_affine(struct pka *pka)
{
    operate(pka, MOD_INV, EXACT, 0x21, Z, T);
    mul(pka, S, T, T);
    mul(pka, X, X, S);
    mul(pka, S, S, T);
    mul(pka, Y, Y, S);
}

static void put_hex(struct pka *pka, unsigned number, const char *hex)
{
    mpz_t value;
    mpz_init_set_str(value, hex, 16);
    put(pka, number, value);
    mpz_clear(value);
}

static void multiply_base(struct pka *pka, const mpz_t scalar)
{
    static const char *const base_x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    static const char *const base_y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    put_hex(pka, N, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    put_hex(pka, GX, base_x);
    put_hex(pka, GY, base_y);
    put_hex(pka, X, base_x);
    put_hex(pka, Y, base_y);
    put_hex(pka, Z, "1");
    for (size_t bit = mpz_sizeinbase(scalar, 2) - 1; bit-- > 0;) {
        double_point(pka);
        if (mpz_tstbit(scalar, bit))
            add_base(pka);
    }
    to_affine(pka);
}

Test(pka, p_256_scalar_multiplication_agrees_with_hogweed)
{
    struct pka pka = pka_new(256);
    mpz_t secret, x, y;
    mpz_inits(secret, x, y, NULL);
    for (unsigned round = 0; round < 3; round++) {
        struct ecc_scalar scalar;
        struct ecc_point point;
        ecc_scalar_init(&scalar, nettle_get_secp_256r1());
        ecc_point_init(&point, nettle_get_secp_256r1());
        mpz_urandomb(secret, pka.random, 255);
        mpz_add_ui(secret, secret, 2);
        cr_assert(ecc_scalar_set(&scalar, secret));
        ecc_point_mul_g(&point, &scalar);
        ecc_point_get(&point, x, y);
        multiply_base(&pka, secret);
        expect_number(&pka, X, x, "x of the point");
        expect_number(&pka, Y, y, "y of the point");
        ecc_point_clear(&point);
        ecc_scalar_clear(&scalar);
    }
    mpz_clears(secret, x, y, NULL);
    pka_free(&pka);
}
