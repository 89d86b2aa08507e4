/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MX25L3233F – Macronix 32 Mbit serial NOR flash with 4 KiB sectors and 512 bytes of secured OTP.
 *
 * Source: Macronix MX25L3233F datasheet: command set, status, configuration and security registers, block
 * protection, SFDP, AC characteristics (typical values).
 * Modelled: single, dual and quad reads; page program with wrap inside 256 bytes; sector, block and chip
 * erase; WIP and WEL with typical times; BP3–0 and TB protection; QE; deep power-down; suspend and resume;
 * software reset; identification; SFDP; OTP with its lock-down. A command that comes while the part is busy,
 * or that it does not know, is ignored and told as a finding. A program or erase changes the array as its
 * chip select goes up and then takes its time.
 * The datasheet gives no typical time for a status write (40 ms at most); 1 ms is taken. It is an erase and a
 * program of an array of its own ("status"), so that it can be cut and struck as any other; what lies between
 * is all ones. The part without an answer (`answers`, or silent for a time) reads as ones, as if its output
 * were stuck high; asleep it reads as zeros. Below the write inhibit voltage nothing is written, and what was
 * going on is left half-way.
 *
 * Not modelled: performance enhance (continuous read) mode, wrapped burst reads,
 * WP# and HOLD# pins, an erase or program that is abandoned by suspend and reset (its bits have changed
 * already), factory-locked OTP, analog limits (clock frequency, power-up time tVSL, wait time after leaving
 * power-down).
 */
#ifndef SOSIM_PARTS_MX25L3233F_H
#define SOSIM_PARTS_MX25L3233F_H

#include "core/bus.h"
#include "core/flash_work.h"
#include "core/nor.h"

#define MX25L3233F_SIZE     0x400000u
#define MX25L3233F_SECTOR   0x1000u
#define MX25L3233F_PAGE     256u
#define MX25L3233F_OTP_SIZE 512u

/* Bytes of the array of registers. */
enum mx25_register {
    MX25_STATUS,        /* BP, QE, SRWD as stored */
    MX25_CONFIGURATION, /* TB, DC, ODS */
    MX25_LOCK,          /* OTP can be written while it is erased */
    MX25_REGISTERS = 4
};

/* Microseconds each operation takes. */
struct mx25l3233f_times {
    uint32_t page_program;
    uint32_t sector_erase;     /* 4 KiB */
    uint32_t half_block_erase; /* 32 KiB */
    uint32_t block_erase;      /* 64 KiB */
    uint32_t chip_erase;
    uint32_t write_status;
    uint32_t suspend;       /* until a suspended operation lets the part be read */
    uint32_t reset;         /* software reset while idle, reading or programming */
    uint32_t reset_erasing; /* software reset during an erase */
};

struct mx25l3233f {
    struct bus *bus;
    struct nor array; /* "external" */
    struct nor otp;   /* "otp" */
    /* "status": the non-volatile bits, enum mx25_register. */
    struct nor registers;
    struct mx25l3233f_times times;
    bool answers;          /* fault knob; false: the part does nothing and its output reads as ones */
    uint64_t silent_until; /* cycle; until then it does not answer either */
    bool inhibited;        /* the supply is too low to program and erase */

    /* Volatile state. */
    bool halted; /* power went while an operation ran: nothing more happens until reset */
    bool write_enabled;
    bool powered_down;
    bool otp_mode;
    bool reset_enabled;
    bool program_failed, erase_failed;
    uint8_t running;                  /* enum mx25_work: what WIP stands for */
    uint8_t suspended;                /* enum mx25_work: what a suspend put aside */
    uint64_t busy_until;              /* cycle */
    uint64_t suspended_cycles;        /* left to do when resumed */
    struct flash_work work;           /* that a failing supply spoils … */
    struct flash_work suspended_work; /* … and what a suspend put aside, as well */

    /* The frame since chip select went down. */
    bool selected;
    bool ignored;   /* the rest of this frame means nothing */
    uint32_t count; /* bytes since chip select, without counting in the data phase of a read */
    uint8_t opcode;
    uint8_t command; /* place in the table of commands */
    uint32_t address;
    uint32_t data; /* bytes of the data phase */
    uint8_t page[MX25L3233F_PAGE];
};

/* Allocates the arrays (erased) and attaches the part to chip select pin `csn` (0..63). Returns 0, ENOMEM, or
 * ENOSPC when the bus has no room for another part. */
int mx25l3233f_init(struct mx25l3233f *part, struct bus *bus, uint8_t csn);
void mx25l3233f_destroy(struct mx25l3233f *part);

/* The part does not answer for so many microseconds from now on; what it is doing goes on inside. */
void mx25l3233f_silence(struct mx25l3233f *part, uint64_t us);

/* Sets the supply in millivolts: below the write inhibit voltage the part neither programs nor erases. */
void mx25l3233f_set_supply(struct mx25l3233f *part, uint32_t mv);

/* The supply fails: a program or an erase that is going on, or suspended, is left half-way. */
void mx25l3233f_supply_fails(struct mx25l3233f *part);

/* Power comes back: volatile state as after power-up; arrays and non-volatile bits stay. */
void mx25l3233f_reset(struct mx25l3233f *part);

void mx25l3233f_save(struct mx25l3233f *part, struct state *state);

#endif
