/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work to measure speed with: arithmetic, loads and stores in the proportions of ordinary code. */
#include "harness.h"

#define WORDS  1024
#define ROUNDS 40000

static uint32_t buffer[WORDS];

static uint32_t fill(uint32_t seed)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        seed = seed * 1664525 + 1013904223;
        buffer[i] ^= seed >> 7;
    }
    return seed;
}

static uint32_t sum(void)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < WORDS; i++)
        total = (total << 1 | total >> 31) ^ buffer[i];
    return total;
}

void run(void)
{
    uint32_t seed = 1, total = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        seed = fill(seed);
        total += sum();
    }
    note("work", total);
}
