/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest for scenarios: blinks red 50/50 ms, blue while the button of a Boron is held; after each flash of
 * the lamp it counts in RAM and programs a word of page 0x80000, which it erases before every 16th; after 40
 * it resets. With a zero at 0x90000 it stays dark and spins. A hard fault lights the lamp green for good.
 */
#include "harness.h"

#define OUTSET          REG(0x50000508)
#define OUTCLR          REG(0x5000050C)
#define IN              REG(0x50000510)
#define DIRSET          REG(0x50000518)
#define PIN_CNF(pin)    REG(0x50000700 + 4 * (pin))
#define NVMC_READY      REG(0x4001E400)
#define NVMC_CONFIG     REG(0x4001E504)
#define NVMC_ERASEPAGE  REG(0x4001E508)
#define FLASHES         REG(0x20010000)
#define PAGE            0x80000
#define QUIET           REG(0x90000)
#define RED             (1u << 13)
#define GREEN           (1u << 14)
#define BLUE            (1u << 15)
#define BUTTON          11
#define PULL_UP         0xC
#define CYCLES_PER_50MS 3200000u
#define LAST            40u

static void delay(uint32_t cycles)
{
    __asm volatile(".balign 16\n1: subs %0, #3\n bhi 1b\n" : "+r"(cycles));
}

static void write_flash(uint32_t n)
{
    if (n % 16 == 0) {
        NVMC_CONFIG = 2;
        NVMC_ERASEPAGE = PAGE;
        while (!NVMC_READY)
            ;
    }
    NVMC_CONFIG = 1;
    REG(PAGE + 4 * (n % 16)) = n;
    while (!NVMC_READY)
        ;
    NVMC_CONFIG = 0;
}

static void on_fault(struct frame *frame, uint32_t exc_return)
{
    (void)frame;
    (void)exc_return;
    OUTSET = RED | BLUE;
    OUTCLR = GREEN;
    for (;;)
        ;
}

void run(void)
{
    handlers[3] = on_fault;
    PIN_CNF(BUTTON) = PULL_UP;
    OUTSET = RED | GREEN | BLUE;
    DIRSET = RED | GREEN | BLUE;
    while (QUIET == 0)
        ;
    for (uint32_t n = 0; n < LAST; n++) {
        uint32_t color = IN & 1u << BUTTON ? RED : BLUE;
        OUTCLR = color;
        delay(CYCLES_PER_50MS);
        OUTSET = color;
        delay(CYCLES_PER_50MS);
        FLASHES = n + 1;
        write_flash(n);
    }
    AIRCR = 0x05FA0004;
    for (;;)
        ;
}
