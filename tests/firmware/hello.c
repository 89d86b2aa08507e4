/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest without a lamp: says on UARTE1 what the word at 0x80000 is, and "ok" on UART0, and stays at a known
 * place: the loop at `stay`, whose address it leaves in RAM at 0x20010000.
 */
#include "harness.h"

#define UARTE1(offset) REG(0x40028000 + (offset))
#define UART0(offset)  REG(0x40002000 + (offset))
#define STARTTX        0x008
#define TXDRDY         0x11c
#define ENDTX          0x120
#define ENABLE         0x500
#define PSEL_TXD       0x50c
#define TXD            0x51c
#define BAUDRATE       0x524
#define TXD_PTR        0x544
#define TXD_MAXCNT     0x548
#define BAUD_1M        0x10000000
#define STAY_AT        REG(0x20010000)
#define WORD           REG(0x80000)

static __attribute__((noinline)) void stay(void)
{
    for (;;)
        ;
}

static void say_word(uint32_t word)
{
    static char text[] = "word ........\r\n";
    for (unsigned i = 0; i < 8; i++) {
        uint32_t digit = word >> 4 * (7 - i) & 15;
        text[5 + i] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
    }
    UARTE1(PSEL_TXD) = 6;
    UARTE1(BAUDRATE) = BAUD_1M;
    UARTE1(ENABLE) = 8;
    UARTE1(TXD_PTR) = (uint32_t)text;
    UARTE1(TXD_MAXCNT) = sizeof text - 1;
    barrier();
    UARTE1(STARTTX) = 1;
    while (!UARTE1(ENDTX))
        ;
}

static void say_ok(void)
{
    UART0(PSEL_TXD) = 8;
    UART0(BAUDRATE) = BAUD_1M;
    UART0(ENABLE) = 4;
    UART0(STARTTX) = 1;
    for (const char *at = "ok"; *at; at++) {
        UART0(TXDRDY) = 0;
        UART0(TXD) = (uint32_t)*at;
        while (!UART0(TXDRDY))
            ;
    }
}

void run(void)
{
    say_word(WORD);
    say_ok();
    STAY_AT = (uint32_t)stay & ~1u;
    stay();
}
