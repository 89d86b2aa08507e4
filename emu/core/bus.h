/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peripheral bus: 4 KiB register blocks, their registers by name, tasks, events, shortcuts and
 * interrupts.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'Peripheral interface' (tasks at 0x000, events at
 * 0x100, SHORTS 0x200, INTEN 0x300, INTENSET 0x304, INTENCLR 0x308), 'Instantiation', and the memory map.
 *
 * A bus page of 4 KiB holds one `block`. Peripherals that share a page (CLOCK and POWER; SPIM0, SPIS0, TWIM0,
 * TWIS0 …) are `faces` of one block: an access goes to the first face that is active and lists the register.
 * Every word of a page is storage; a face's `read` and `write` decide for the registers that do something. A
 * write to a register that the face lists as read-only changes nothing.
 * An access to a register that no face lists is logged once by name and kept as storage.
 *
 * Not modelled: bus contention between masters, write buffering (peripheral writes take effect at once).
 */
#ifndef SOSIM_CORE_BUS_H
#define SOSIM_CORE_BUS_H

#include "core/clock.h"
#include "core/signal.h"
#include "core/state.h"
#include "core/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum reg_access {
    REG_R = 1,
    REG_W = 2,
    REG_RW = 3,
};

/* One register, or `count` of them `stride` bytes apart. Listed once a block; used by model, trace and tests.
 */
struct reg {
    const char *name; /* datasheet name; an array's name is printed with [n] */
    uint16_t offset;
    uint8_t access;
    uint32_t reset;
    uint16_t count;  /* 0 and 1: a single register */
    uint16_t stride; /* 0: 4 bytes */
};

#define TASK_OFFSET(n)      (4u * (n))
#define EVENT_OFFSET(n)     (0x100u + 4u * (n))
#define EVENT_INDEX(offset) (((offset)-0x100u) / 4u)
#define REG_SHORTS          0x200u
#define REG_INTEN           0x300u
#define REG_INTENSET        0x304u
#define REG_INTENCLR        0x308u

struct block;
struct bus;

/* One peripheral's view of a page. All functions but `reset` may be NULL. */
struct face {
    const char *name; /* "PWM0" */
    const struct reg *regs;
    size_t reg_count;
    bool plain; /* no task/event layout: every access goes to read/write */
    /* Registers hold their reset values already when this is called. */
    void (*reset)(void *self, enum reset_cause cause);
    /* Return what the CPU reads; the stored word is block_get(). NULL: storage, as events always are. */
    uint32_t (*read)(void *self, uint32_t offset);
    /* The stored word holds the old value; call block_set() to keep the new one. NULL: storage. */
    void (*write)(void *self, uint32_t offset, uint32_t value);
    /* Task n (offset 4n) was triggered by the CPU, PPI or a shortcut. */
    void (*task)(void *self, unsigned n);
    /* SHORTS, INTEN or an event register was written by software, or the face has just become active. */
    void (*changed)(void *self);
    /* True if this face has the page now. NULL: always. */
    bool (*active)(void *self);
    void (*save)(void *self, struct state *state);
    void *self;
    /* Shortcuts: bit `bit` of SHORTS runs `task` when `event` happens. Terminated by event 0xff; may be NULL.
     */
    const struct shortcut {
        uint8_t bit, event, task;
    } * shorts;
};

#define SHORTCUTS_END                                                                                        \
    {                                                                                                        \
        0, 0xff, 0                                                                                           \
    }

#define BLOCK_FACES 12

struct block {
    struct bus *bus;
    uint32_t base;
    int irq;      /* NVIC line, -1: none */
    bool watched; /* bus->watch wants to hear of accesses to this page */
    uint32_t inten;
    uint32_t word[1024]; /* storage of the page, by offset / 4 */
    uint8_t faces;
    struct face face[BLOCK_FACES];
    uint16_t listed[1024];    /* bit n: face n lists this word */
    uint16_t read_only[1024]; /* bit n: face n lists it with REG_R alone */
    uint32_t logged[32];      /* one bit a word: unlisted register already reported */
};

/* Called for each event that a block raises, with the event register's address. */
typedef void (*event_sink_fn)(void *context, uint32_t address);

/* Sets the level of interrupt line `irq`. */
typedef void (*irq_fn)(void *context, unsigned irq, bool level);

/* Asks for a reset of the chip; carried out before the next block of code. */
typedef void (*reset_fn)(void *context, enum reset_cause cause);

struct gpio;
struct nor;
struct part_ports;

#define BUS_MAX_BLOCKS 96
#define BUS_PINS       64
#define BUS_FINDINGS   256

/* Everything a peripheral may know. */
struct bus {
    struct clock clock;
    struct signals signals;
    struct wire pin[BUS_PINS]; /* P0.00..P0.31, P1.00..P1.31 */
    struct block *block[BUS_MAX_BLOCKS];
    unsigned blocks;
    uint8_t page_apb[256];  /* 0x40000000 + n * 0x1000 -> block number + 1 */
    uint8_t page_ahb[256];  /* 0x50000000 + n * 0x1000 */
    uint8_t page_info[2];   /* 0x10000000 FICR, 0x10001000 UICR */
    uint8_t page_rom_table; /* 0xf0000000 */
    uint8_t *ram;           /* 256 KiB at 0x20000000 */
    uint32_t ram_size;
    uint8_t *ram_seen; /* core/ram_watch.h; NULL: nobody wants to know */
    struct nor *flash; /* internal flash array, for reads by DMA of constant data */
    irq_fn irq;
    void *irq_context;
    event_sink_fn ppi;
    void *ppi_context;
    /* Hears of each access by the CPU to a block that is watched, before it happens. */
    void (*watch)(void *context, uint32_t address, bool writing);
    void *watch_context;
    reset_fn reset;
    void *reset_context;
    /* Somebody else than the CPU is about to read RAM, or to write it. NULL: it may. */
    void (*ram_wanted)(void *context);
    void *ram_wanted_context;
    /* Somebody else than the CPU has written RAM: it may hold code that the engine has translated. */
    void (*ram_written)(void *context, uint32_t address, uint32_t size);
    void *ram_written_context;
    /* True if the CPU fetches its code from internal flash now, so that a flash operation holds it. NULL:
     * yes. */
    bool (*fetching_flash)(void *context);
    void *fetching_flash_context;
    struct gpio *gpio;           /* lends pins to peripherals: nrf52840/gpio.h */
    struct part_ports *ports;    /* serial devices on pins: core/ports.h */
    uint64_t seed;               /* of everything random: RNG, TRNG, RAM decay */
    uint64_t told[BUS_FINDINGS]; /* digests of the findings emitted so far */
    unsigned tolds;
};

int bus_init(struct bus *bus, uint8_t *ram, uint32_t ram_size, uint64_t seed);
void bus_destroy(struct bus *bus);

/* Resets every block, in the order they were put on the bus. */
void bus_reset(struct bus *bus, enum reset_cause cause);

/* Saves or restores pins, findings and every block. */
void bus_save(struct bus *bus, struct state *state);

/* Puts a block on its page; asserts that the page is free. Faces are added with block_add_face. */
void block_init(struct block *block, struct bus *bus, uint32_t base, int irq);
void block_add_face(struct block *block, const struct face *face);
void block_reset(struct block *block, enum reset_cause cause);

/* CPU accesses, any width of 1, 2 or 4 bytes. Return 0, or -1 when no block is there (a bus error). */
int bus_read(struct bus *bus, uint32_t address, unsigned size, uint32_t *value);
int bus_write(struct bus *bus, uint32_t address, unsigned size, uint32_t value);

/* True if a block is on the page of this address. */
bool bus_has_block(const struct bus *bus, uint32_t address);

/* True if the CPU reads this word without a side effect and it stays as it is until the next event or write;
 * `value` gets it. Only event registers are known to be so. */
bool bus_steady(const struct bus *bus, uint32_t address, uint32_t *value);

/* Triggers a task by its address (PPI). An address that is no task is ignored and logged. */
void bus_task(struct bus *bus, uint32_t address);

/* Stored words, by offset. */
static inline uint32_t block_get(const struct block *block, uint32_t offset)
{
    return block->word[offset / 4];
}
static inline void block_set(struct block *block, uint32_t offset, uint32_t value)
{
    block->word[offset / 4] = value;
}

/* Event n happens: its register becomes 1, shortcuts run, the interrupt line follows, PPI hears of it. */
void block_event(struct block *block, unsigned n);
/* Recomputes the interrupt line from events and INTEN. */
void block_update_irq(struct block *block);

/* DMA between a peripheral and RAM (or, reading only, flash). Return 0, or -1 for an address that DMA cannot
 * reach (logged once; the bytes read are zero and writes are dropped, as the AHB error goes unseen). */
int dma_read(struct bus *bus, uint32_t address, void *bytes, uint32_t size);
int dma_write(struct bus *bus, uint32_t address, const void *bytes, uint32_t size);

/* "PWM0.SEQ[1].PTR" for a register's address; `text` gets at most `size` bytes. Unknown: "0x4001c123". */
const char *bus_register_name(const struct bus *bus, uint32_t address, char *text, size_t size);

/* Address of a register by its full name ("PWM0.SEQ[1].PTR"), or 0. For tests and scenarios. */
uint32_t bus_register_address(const struct bus *bus, const char *name);

/* A finding: printf-like text under a topic. The same text is emitted once a run; the last of BUS_FINDINGS
 * says that there are more. */
void bus_finding(struct bus *bus, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The wire of a PSEL register's value (PORT bit 5, PIN bits 0..4, CONNECT bit 31), or NULL if disconnected.
 */
struct wire *bus_psel_wire(struct bus *bus, uint32_t psel);

/* Next 32 bits of a stream that depends only on the seed, `stream` and how often it was called. */
uint32_t random_next(uint64_t *state);

#endif
