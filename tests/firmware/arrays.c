/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest for flash faults: programs one value into each memory of a Boron (internal flash, UICR, external
 * flash, OTP), erases and programs the page of internal flash again, and leaves in RAM, from 0x20010000 on,
 * what it then reads: five words, and 1 behind them when it is done.
 */
#include "harness.h"

#define NVMC(offset)  REG(0x4001E000 + (offset))
#define NVMC_READY    NVMC(0x400)
#define NVMC_CONFIG   NVMC(0x504)
#define NVMC_ERASE    NVMC(0x508)
#define QSPI(offset)  REG(0x40029000 + (offset))
#define QSPI_ACTIVATE QSPI(0x000)
#define QSPI_READY    QSPI(0x100)
#define QSPI_ENABLE   QSPI(0x500)
#define QSPI_PSEL(n)  QSPI(0x524 + 4 * (n))
#define CINSTRCONF    QSPI(0x634)
#define CINSTRDAT0    QSPI(0x638)
#define CINSTRDAT1    QSPI(0x63C)
#define WIPWAIT       (1u << 14)
#define WREN          (1u << 15)
#define RESULT(n)     REG(0x20010000 + 4 * (n))
#define PAGE          0x80000
#define INTERNAL      REG(PAGE)
#define UICR          REG(0x10001080)
#define VALUE         0x12345678u

enum {
    OP_PROGRAM = 0x02,
    OP_READ = 0x03,
    OP_ENTER_OTP = 0xb1,
    OP_LEAVE_OTP = 0xc1,
};

static void store(volatile uint32_t *word, uint32_t value)
{
    NVMC_CONFIG = 1;
    *word = value;
    while (!NVMC_READY)
        ;
    NVMC_CONFIG = 0;
}

static void erase(uint32_t page)
{
    NVMC_CONFIG = 2;
    NVMC_ERASE = page;
    while (!NVMC_READY)
        ;
    NVMC_CONFIG = 0;
}

static void instruction(uint32_t opcode, uint32_t length, uint32_t flags)
{
    QSPI_READY = 0;
    CINSTRCONF = opcode | length << 8 | 1u << 12 | 1u << 13 | WIPWAIT | flags;
    while (!QSPI_READY)
        ;
}

/* Three bytes of address 0x001000, then the value, low byte first. */
static void program(uint32_t value)
{
    CINSTRDAT0 = 0x10u << 8 | value << 24;
    CINSTRDAT1 = value >> 8;
    instruction(OP_PROGRAM, 8, WREN);
}

static uint32_t read_back(void)
{
    CINSTRDAT0 = 0x10u << 8;
    CINSTRDAT1 = 0;
    instruction(OP_READ, 8, 0);
    return CINSTRDAT0 >> 24 | CINSTRDAT1 << 8;
}

static void start_qspi(void)
{
    static const uint8_t pins[7] = {19, 17, 0xff, 20, 21, 22, 23};
    for (unsigned i = 0; i < 7; i++) {
        if (pins[i] != 0xff)
            QSPI_PSEL(i) = pins[i];
    }
    QSPI_ENABLE = 1;
    QSPI_ACTIVATE = 1;
    while (!QSPI_READY)
        ;
}

void run(void)
{
    store(&INTERNAL, VALUE);
    RESULT(0) = INTERNAL;
    store(&UICR, VALUE);
    RESULT(1) = UICR;
    start_qspi();
    program(VALUE);
    RESULT(2) = read_back();
    instruction(OP_ENTER_OTP, 1, 0);
    program(VALUE);
    RESULT(3) = read_back();
    instruction(OP_LEAVE_OTP, 1, 0);
    erase(PAGE);
    store(&INTERNAL, ~VALUE);
    RESULT(4) = INTERNAL;
    RESULT(5) = 1;
    for (;;)
        ;
}
