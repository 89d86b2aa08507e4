/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that is never run: its ELF and HEX files are what the loader's tests read. */
#include <stdint.h>

const uint32_t table[] = {0x12345678, 0x9abcdef0};
uint32_t counter = 0xfeedface; /* loaded from flash, runs in RAM: two different addresses in one segment */
uint32_t zeroed[64];           /* not in the file */

static uint32_t local_step(uint32_t value)
{
    return value + table[value & 1];
}

__attribute__((noinline)) uint32_t guest_step(uint32_t value)
{
    return local_step(value) + counter++ + zeroed[value & 63];
}

void guest_reset(void)
{
    for (uint32_t i = 0;; i++) {
        guest_step(i);
    }
}

__attribute__((section(".vectors"), used)) const void *const vectors[] = {(void *)0x20040000, guest_reset};
