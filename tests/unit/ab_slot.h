/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots for the A/B bootloaders of tests/firmware/ab_loader.h, for the tests that sweep them. */
#ifndef SOSIM_TESTS_AB_SLOT_H
#define SOSIM_TESTS_AB_SLOT_H

#include <stdint.h>
#include <string.h>
#include <zlib.h>

#define AB_HEADER_SIZE 16u

static inline void ab_put(uint8_t *at, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(word >> 8 * i);
}

/* A program that writes its version to RAM and stays; no word of it is erased. slot: AB_HEADER_SIZE and
 * code_size bytes, which is at least 16. */
static inline void ab_make_slot(uint8_t *slot, unsigned code_size, unsigned version)
{
    static const uint8_t code[] = {0x41, 0xf2, 0x00, 0x00, 0xc2, 0xf2, 0x00, 0x00,
                                   0x00, 0x21, 0x01, 0x60, 0xfe, 0xe7, 0x00, 0xbf};
    uint8_t *program = slot + AB_HEADER_SIZE;
    for (unsigned i = 0; i < code_size; i++)
        program[i] = (uint8_t)(i * 7 + version);
    memcpy(program, code, sizeof code);
    program[8] = (uint8_t)version;
    ab_put(slot, 0x31505041u);
    ab_put(slot + 4, version);
    ab_put(slot + 8, code_size);
    ab_put(slot + 12, (uint32_t)crc32(0, program, code_size));
}

#endif
