/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that reads one word of flash (0x80000) 50,000 times and counts in RAM (0x20010000) how often it
 * was not as before; then waits until its lowest bit is 0, and notes that at 0x20010004.
 */
#include "harness.h"

#define WORD    REG(0x80000)
#define CHANGES REG(0x20010000)
#define SEEN_0  REG(0x20010004)
#define READS   50000u

void run(void)
{
    uint32_t before = WORD, changes = 0;
    for (unsigned i = 0; i < READS; i++) {
        uint32_t now = WORD;
        changes += now != before;
        before = now;
    }
    CHANGES = changes;
    while (WORD & 1)
        ;
    SEEN_0 = 1;
    for (;;)
        ;
}
