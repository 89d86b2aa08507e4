/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work to measure speed with: what firmware computes when it computes, with no device in sight. */
#include "harness.h"

#define WORDS  1024
#define SIDE   24
#define ROUNDS 1000

static uint32_t buffer[WORDS], copy[WORDS];
static int32_t left[SIDE][SIDE], right[SIDE][SIDE];
static float samples[WORDS];

static uint32_t fill(uint32_t seed)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        seed = seed * 1664525 + 1013904223;
        buffer[i] = seed;
    }
    return seed;
}

/* Bit by bit, as small bootloaders do it. */
static uint32_t crc32(const uint8_t *bytes, uint32_t size)
{
    uint32_t crc = 0xffffffffu;
    while (size--) {
        crc ^= *bytes++;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

static void sift(uint32_t *heap, uint32_t at, uint32_t count)
{
    uint32_t child;
    while ((child = 2 * at + 1) < count) {
        if (child + 1 < count && heap[child + 1] > heap[child])
            child++;
        if (heap[at] >= heap[child])
            return;
        uint32_t moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

static void sort(uint32_t *words, uint32_t count)
{
    for (uint32_t i = count / 2; i-- > 0;)
        sift(words, i, count);
    while (--count > 0) {
        uint32_t last = words[count];
        words[count] = words[0];
        words[0] = last;
        sift(words, 0, count);
    }
}

static uint32_t multiply(uint32_t seed)
{
    uint32_t total = 0;
    for (unsigned i = 0; i < SIDE * SIDE; i++) {
        left[i / SIDE][i % SIDE] = (int32_t)(seed >> (i & 15));
        right[i / SIDE][i % SIDE] = (int32_t)(seed * i);
    }
    for (unsigned row = 0; row < SIDE; row++) {
        for (unsigned column = 0; column < SIDE; column++) {
            int32_t sum = 0;
            for (unsigned i = 0; i < SIDE; i++)
                sum += (int32_t)((uint32_t)left[row][i] * (uint32_t)right[i][column]);
            total ^= (uint32_t)sum + row * column;
        }
    }
    return total;
}

/* Words four at a time, then bytes to a place that is not aligned. */
static void move(void)
{
    for (uint32_t i = 0; i < WORDS; i += 4) {
        uint32_t a = buffer[i], b = buffer[i + 1], c = buffer[i + 2], d = buffer[i + 3];
        copy[i] = a;
        copy[i + 1] = b;
        copy[i + 2] = c;
        copy[i + 3] = d;
    }
    uint8_t *to = (uint8_t *)copy + 1;
    const uint8_t *from = (const uint8_t *)buffer;
    for (uint32_t i = 0; i < WORDS; i++)
        to[i] = from[i];
}

/* A filter of second order over a noise. */
static uint32_t filter(void)
{
    float before = 0, before_that = 0, peak = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        float in = (float)(buffer[i] >> 8) / 16777216.0f - 0.5f;
        float out = 0.2f * in + 1.1f * before - 0.4f * before_that;
        before_that = before;
        before = samples[i] = out;
        if (out > peak)
            peak = out;
    }
    return (uint32_t)(peak * 65536.0f);
}

/* Not inlined: it may save FP registers as it begins, for which the FPU must be on. */
__attribute__((noinline)) static uint32_t work(void)
{
    uint32_t seed = 1, total = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        seed = fill(seed);
        total += crc32((const uint8_t *)buffer, sizeof buffer);
        total ^= multiply(seed);
        move();
        total += filter();
        sort(copy, WORDS);
        total = (total << 1 | total >> 31) ^ copy[round % WORDS];
    }
    return total;
}

void run(void)
{
    CPACR |= 0xf00000;
    barrier();
    note("work", work());
}
