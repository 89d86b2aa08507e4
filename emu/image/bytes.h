/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers in the bytes of files and memories, whatever the host's byte order and alignment; and the one rule
 * of where a module keeps its header. The caller has checked that the bytes are there.
 */
#ifndef SOSIM_IMAGE_BYTES_H
#define SOSIM_IMAGE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint16_t read_le16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t read_le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint32_t read_be32(const uint8_t *at)
{
    return (uint32_t)at[3] | (uint32_t)at[2] << 8 | (uint32_t)at[1] << 16 | (uint32_t)at[0] << 24;
}

static inline void write_le32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* True if they are as erased flash is. */
static inline bool bytes_are_erased(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0xff)
            return false;
    }
    return true;
}

/* The value of a hexadecimal digit, or -1. */
static inline int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* flash_mal.c, FLASH_ModuleInfo(): an image that starts with a stack pointer into RAM has its vector table
 * first and the module header behind it. */
static inline size_t module_header_offset(uint32_t first_word)
{
    return (first_word & 0x2ffc0000u) == 0x20000000u ? 0x200u : 0u;
}

#endif
