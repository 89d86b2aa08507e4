/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/panic_finder.h"

#include "image/bytes.h"

#include <string.h>

#define LOOK_BACK      6u /* half-words before a call in which its arguments are set */
#define CODE_MAX       14u
#define ASSERTION      10u
#define FEWEST_CALLS   8u
#define CANDIDATES     64u
#define MOVS_R0        0x20u /* upper byte of MOVS r0, #imm8 */
#define MOVS_R1_0      0x2100u
#define LDR_R1_LITERAL 0x49u

struct candidate {
    uint32_t target;
    unsigned calls;
    unsigned assertions;
};

static bool is_bl(uint16_t first, uint16_t second)
{
    return (first & 0xf800u) == 0xf000u && (second & 0xd000u) == 0xd000u;
}

/* Where a BL at `address` goes. */
static uint32_t bl_target(uint32_t address, uint16_t first, uint16_t second)
{
    uint32_t sign = first >> 10 & 1u, j1 = second >> 13 & 1u, j2 = second >> 11 & 1u;
    uint32_t offset = sign << 24 | (1u ^ j1 ^ sign) << 23 | (1u ^ j2 ^ sign) << 22 |
                      (uint32_t)(first & 0x3ffu) << 12 | (uint32_t)(second & 0x7ffu) << 1;
    if (sign)
        offset |= 0xfe000000u;
    return address + 4 + offset;
}

/* The constant that the half-words before `at` put into r0 for a panic, or 0. */
static unsigned panic_code_before(const uint8_t *code, size_t at)
{
    unsigned number = 0;
    bool r1 = false;
    size_t first = at > 2 * LOOK_BACK ? at - 2 * LOOK_BACK : 0;
    for (size_t i = first; i < at; i += 2) {
        uint16_t half = read_le16(code + i);
        if (half >> 8 == MOVS_R0)
            number = half & 0xffu;
        r1 = r1 || half == MOVS_R1_0 || half >> 8 == LDR_R1_LITERAL;
    }
    return r1 && number <= CODE_MAX ? number : 0;
}

static void count_call(struct candidate *list, size_t *count, uint32_t target, unsigned number)
{
    size_t i = 0;
    while (i < *count && list[i].target != target)
        i++;
    if (i == CANDIDATES)
        return;
    if (i == *count) {
        list[i] = (struct candidate){.target = target};
        (*count)++;
    }
    list[i].calls++;
    list[i].assertions += number == ASSERTION;
}

bool panic_find(const uint8_t *code, size_t length, uint32_t base, struct panic_function *out)
{
    struct candidate list[CANDIDATES];
    size_t count = 0;
    for (size_t at = 0; at + 4 <= length; at += 2) {
        uint16_t first = read_le16(code + at), second = read_le16(code + at + 2);
        if (!is_bl(first, second))
            continue;
        uint32_t target = bl_target(base + (uint32_t)at, first, second);
        unsigned number = target - base < length ? panic_code_before(code, at) : 0;
        if (number)
            count_call(list, &count, target, number);
    }
    const struct candidate *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!best || list[i].assertions > best->assertions)
            best = &list[i];
    }
    if (!best || best->assertions < FEWEST_CALLS)
        return false;
    *out = (struct panic_function){best->target, best->calls};
    return true;
}

bool panic_is_return_address(const uint8_t *code, size_t length, uint32_t base, uint32_t return_address)
{
    size_t at = (return_address & ~1u) - base;
    if (at < 4 || at > length)
        return false;
    uint16_t last = read_le16(code + at - 2);
    return is_bl(read_le16(code + at - 4), last) || (last & 0xff87u) == 0x4780u;
}
