/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A start that was run once more to be recorded: at moments some ms apart, its points, the whole state of
 * the machine and of the verdict is kept; and for the stretch from each point to the next, which pages of the
 * flashes and which bytes of RAM are read before they are erased or written over.
 *
 * So another start that comes to the same state at a point, but for pages and bytes that are not read later,
 * is known from there on (sweep_join.c).
 *
 * Points are kept as chunks of bytes, those that differ from the point before: some 20 KB each.
 *
 * Not modelled: starts that find more than the content of the flashes (struct start_extra) are not recorded.
 */
#ifndef SOSIM_SCENARIO_SWEEP_RECORD_H
#define SOSIM_SCENARIO_SWEEP_RECORD_H

#include "scenario/boot_probe.h"

#include <stddef.h>

#define CPU_REGS 17u /* as cpu_reg() counts them */

struct start_check;
struct sweep_inner;
struct known_start;

struct record_point {
    uint64_t until;                /* cycle that the machine was told to run to */
    uint32_t reg[CPU_REGS];        /* of the CPU: part of the state, and what differs first */
    struct boot_progress progress; /* owned */
    uint32_t *chunk;               /* owned: numbers in the pool, by position */
    size_t state_size;
    struct flash_counts counts;
};

/* Where the parts of a point are, as if they lay one behind the other; RAM comes first. */
struct record_layout {
    uint32_t pages;
    size_t ids, seen, read, written, state;
};

struct start_record {
    struct known_start *start; /* the start itself, owned; needed and outcome as when it was not recorded */
    uint32_t *ids, *end_ids;   /* what the flashes hold before and after; owned */
    struct record_layout layout;
    struct record_point *point;
    uint32_t points;
    uint8_t *pool; /* chunks; number 0 is zeros */
    size_t chunks, room;
    unsigned joined, failed; /* starts that tried to go along with it */
};

/* Runs the start from `ids` and records it. 0; ENOMEM; or EAGAIN if it did not come out like `of`, which is
 * the same start. Free the record in any case. */
int record_make(struct sweep_inner *inner, const uint32_t *ids, const struct known_start *of,
                struct start_record *record);
void record_free(struct start_record *record);
size_t record_bytes(const struct start_record *record);

/* What the flashes hold at a point: record->layout.pages numbers. */
void record_ids(const struct start_record *record, uint32_t point, uint32_t *ids);

/* What the stretch after a point does with a page (enum nor_seen), and with a byte of RAM first. */
uint8_t record_page_seen(const struct start_record *record, uint32_t point, uint32_t page);
enum ram_seen record_byte_seen(const struct start_record *record, uint32_t point, uint32_t offset);

/* Puts the machine into the state of a point, but for the flashes and their counts. 0 or ENOMEM. */
int record_put(struct sweep_inner *inner, const struct start_record *record, uint32_t point,
               struct start_check *check);

/* A byte of RAM that differs. */
struct ram_byte {
    uint32_t offset;
    uint8_t is;
};

/* True if the machine is where it was at a point, but for flashes, their counts, and at most `most` bytes of
 * RAM: `bytes` gets those, `count` their number. */
bool record_meets(struct sweep_inner *inner, const struct start_record *record, uint32_t point,
                  struct start_check *check, struct ram_byte *bytes, uint32_t most, uint32_t *count);

#endif
