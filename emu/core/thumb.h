/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the Thumb encodings say without being run: how long an instruction is, and where a branch goes. `pc`
 * is the instruction's own address; of a 32-bit one the first halfword is the upper one.
 *
 * Source: ARMv7-M Architecture Reference Manual (DDI 0403E) A5.1, A7.7.12 and A7.7.21.
 */
#ifndef SOSIM_CORE_THUMB_H
#define SOSIM_CORE_THUMB_H

#include <stdbool.h>
#include <stdint.h>

/* Bytes of the instruction that begins with this halfword: 2 or 4. */
static inline unsigned thumb_size(uint16_t first)
{
    return first >= 0xe800 ? 4 : 2;
}

/* `op` in two's complement, of which bit `sign` is the sign. */
static inline uint32_t thumb_signed(uint32_t op, unsigned sign)
{
    uint32_t weight = 1u << sign;
    return ((op & (2 * weight - 1)) ^ weight) - weight;
}

/* B, encoding T2: 0xe000 to 0xe7ff. */
static inline uint32_t thumb_b_target(uint32_t op, uint32_t pc)
{
    return pc + 4 + 2 * thumb_signed(op, 10);
}

/* B<c>, encoding T1: 0xd000 to 0xddff. */
static inline uint32_t thumb_b_if_target(uint32_t op, uint32_t pc)
{
    return pc + 4 + 2 * thumb_signed(op, 7);
}

/* CBZ and CBNZ. */
static inline uint32_t thumb_cbz_target(uint32_t op, uint32_t pc)
{
    return pc + 4 + (op >> 2 & 0x3e) + (op >> 3 & 0x40);
}

static inline bool thumb_is_bl(uint32_t op)
{
    return (op & 0xf800d000u) == 0xf000d000u;
}

/* B, encoding T4. */
static inline bool thumb_is_b_w(uint32_t op)
{
    return (op & 0xf800d000u) == 0xf0009000u;
}

/* BL, and B of encoding T4. */
static inline uint32_t thumb_bl_target(uint32_t op, uint32_t pc)
{
    uint32_t s = op >> 26 & 1, i1 = !((op >> 13 & 1) ^ s), i2 = !((op >> 11 & 1) ^ s);
    return pc + 4 +
           2 * thumb_signed(s << 23 | i1 << 22 | i2 << 21 | (op & 0x03ff0000u) >> 5 | (op & 0x7ff), 23);
}

/* B<c>, encoding T3. */
static inline uint32_t thumb_b_if_w_target(uint32_t op, uint32_t pc)
{
    uint32_t s = op >> 26 & 1, j1 = op >> 13 & 1, j2 = op >> 11 & 1;
    return pc + 4 +
           2 * thumb_signed(s << 19 | j2 << 18 | j1 << 17 | (op & 0x003f0000u) >> 5 | (op & 0x7ff), 19);
}

#endif
