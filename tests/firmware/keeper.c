/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that depends on what RAM holds as power comes: with its magic number there it notes in flash, at
 * 0x81000, that it was started warm. It then writes the magic number to RAM, and four words to 0x80000 if
 * they are not there yet.
 */
#include "harness.h"

#define NVMC_READY  REG(0x4001E400)
#define NVMC_CONFIG REG(0x4001E504)
#define KEPT        REG(0x20020000)
#define MAGIC       0x5ca1ab1eu
#define WORDS       0x80000
#define WARM        REG(0x81000)
#define ERASED      0xffffffffu

static void store(volatile uint32_t *word, uint32_t value)
{
    NVMC_CONFIG = 1;
    *word = value;
    while (!NVMC_READY)
        ;
    NVMC_CONFIG = 0;
}

void run(void)
{
    if (KEPT == MAGIC && WARM)
        store(&WARM, 0);
    KEPT = MAGIC;
    for (unsigned i = 0; i < 4; i++) {
        if (REG(WORDS + 4 * i) == ERASED)
            store(&REG(WORDS + 4 * i), i);
    }
    for (;;)
        ;
}
