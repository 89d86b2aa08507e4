/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small bootloader with two slots, for sweeps: if an update waits in slot B it is copied over slot A; then
 * the program in A is started if its checksum holds. AB_HASTY notes the update as done before the copy
 * instead of after it: a cut in between leaves half a program and nothing that would mend it.
 *
 * A slot: magic, version, length of the code in bytes, CRC-32 of the code, code.
 */
#include "harness.h"

#include <stdint.h>

#define NVMC(offset) (*(volatile uint32_t *)(0x4001e000u + (offset)))
#define READY        NVMC(0x400)
#define CONFIG       NVMC(0x504)
#define ERASEPAGE    NVMC(0x508)

#define PAGE       0x1000u
#define SLOT_A     0x8000u
#define SLOT_B     0xc000u
#define SLOT_SIZE  0x2000u
#define MARKS      0x10000u /* word 0: an update waits if 0; word 1: it is done if not erased */
#define MAGIC      0x31505041u
#define ERASED     0xffffffffu
#define VERDICT    (*(volatile uint32_t *)0x20001000u)
#define NO_PROGRAM 0xdeadu

static uint32_t word_at(uint32_t address)
{
    return *(volatile uint32_t *)address;
}

static void write_word(uint32_t address, uint32_t value)
{
    CONFIG = 1;
    *(volatile uint32_t *)address = value;
    while (!READY)
        continue;
    CONFIG = 0;
}

static void erase_page(uint32_t address)
{
    CONFIG = 2;
    ERASEPAGE = address;
    while (!READY)
        continue;
    CONFIG = 0;
}

static uint32_t crc32(uint32_t from, uint32_t size)
{
    uint32_t crc = ERASED;
    for (uint32_t at = from; at < from + size; at++) {
        crc ^= *(volatile uint8_t *)at;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

static int is_valid(uint32_t slot)
{
    uint32_t size = word_at(slot + 8);
    return word_at(slot) == MAGIC && size <= SLOT_SIZE - 16 && crc32(slot + 16, size) == word_at(slot + 12);
}

static void copy(void)
{
    for (uint32_t page = 0; page < SLOT_SIZE; page += PAGE)
        erase_page(SLOT_A + page);
    for (uint32_t at = 0; at < SLOT_SIZE; at += 4) {
        uint32_t word = word_at(SLOT_B + at);
        if (word != ERASED)
            write_word(SLOT_A + at, word);
    }
}

static void update(void)
{
    if (word_at(MARKS) || word_at(MARKS + 4) != ERASED || !is_valid(SLOT_B))
        return;
#ifdef AB_HASTY
    write_word(MARKS + 4, 0);
    copy();
#else
    copy();
    write_word(MARKS + 4, 0);
#endif
}

void run(void)
{
    update();
    if (is_valid(SLOT_A))
        ((void (*)(void))(SLOT_A + 16 + 1))();
    VERDICT = NO_PROGRAM;
}
