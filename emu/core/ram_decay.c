/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ram_decay.h"

#include "core/bus.h"

#include <string.h>

#define HALF_LIFE (RAM_HALF_LIFE_MS * CYCLES_PER_MS)
#define ALL       256u
#define HALVES    8u /* half-lives after which less than one cell in ALL has its content */

/* Lost cells in 256ths: a straight line between the half-lives. */
static uint32_t lost_share(uint64_t cycles)
{
    uint64_t halves = cycles / HALF_LIFE;
    if (halves >= HALVES)
        return ALL;
    uint32_t kept = ALL >> halves;
    return ALL - kept + (uint32_t)(kept * (cycles % HALF_LIFE) / (2 * HALF_LIFE));
}

/* A 1 for each cell of a word that is lost; each cell has a number below 256 of its own to compare with. */
static uint32_t lost_cells(uint64_t *stream, uint32_t share)
{
    uint32_t lost = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint32_t random = random_next(stream);
        for (unsigned cell = 0; cell < 4; cell++)
            lost |= (random >> 8 * cell & 0xff) < share ? 1u << (4 * i + cell) : 0;
    }
    return lost;
}

void ram_decay(uint8_t *ram, uint32_t size, uint64_t seed, uint64_t cycles)
{
    uint32_t share = lost_share(cycles);
    uint64_t stream = seed ^ 0x73656c6c65636d72ull;
    for (uint32_t at = 0; at + 4 <= size; at += 4) {
        uint32_t word;
        uint32_t prefers = random_next(&stream);
        uint32_t lost = lost_cells(&stream, share);
        memcpy(&word, ram + at, 4);
        word = (word & ~lost) | (prefers & lost);
        memcpy(ram + at, &word, 4);
    }
}
