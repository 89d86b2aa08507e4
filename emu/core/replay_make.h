/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a trace (core/replay.h) of what the engine was seen to do: interprets the same instructions once
 * more, from a copy of the state at the beginning, and keeps only what depends on values that may differ next
 * time.
 *
 * A loop that computes (core/hot_loop.h) is interpreted in the same way, with nothing known but its code.
 *
 * Between the files of the replay and of hot loops; nobody else needs this.
 */
#ifndef SOSIM_CORE_REPLAY_MAKE_H
#define SOSIM_CORE_REPLAY_MAKE_H

#include "core/cpu.h"
#include "core/replay_ir.h"

#define REPLAY_BLOCKS    512 /* the longest loop */
#define REPLAY_ACCESSES  128
#define REPLAY_WORDS     512
#define REPLAY_TABLE     1024 /* hash table of the words: a power of two, at least twice as many */
#define REPLAY_SLOTS     8192
#define REPLAY_KNOWN     4096
#define REPLAY_OPS       4096
#define REPLAY_EXITS     1024
#define REPLAY_STORES    4096 /* that were put off */
#define REPLAY_VARIABLES 64
#define REPLAY_PAGES     48

/* The state of the CPU that a loop works on, as 32-bit values: r0–r14, then the flags. */
enum place {
    PLACE_SP = 13,
    PLACE_LR = 14,
    PLACE_N,
    PLACE_Z,
    PLACE_C,
    PLACE_V,
    PLACES,
};

/* What is not in those, and does not change in a loop but for the masks. */
struct replay_mode {
    uint32_t xpsr; /* but the flags */
    uint32_t primask;
    uint32_t basepri;
};

static inline unsigned replay_in_handler(const struct replay_mode *mode)
{
    return mode->xpsr & 0x1ff; /* IPSR */
}

/* One block as the engine ran it. */
struct replay_block {
    uint32_t address;
    uint32_t size;
    uint32_t cycles;
    uint16_t flags; /* enum block_flag */
};

struct replay_access {
    uint32_t address;
    uint32_t value;
    uint16_t block; /* during which it was made */
    uint8_t size;
    bool writes;
};

/* The engine's run from `place`, … to the block after the last one, `end`. */
struct replay_log {
    uint32_t place[PLACES];
    struct replay_mode mode;
    uint32_t expected; /* cpu->expected at the beginning */
    bool cache_is_on;
    struct mpu mpu; /* what it allowed then, it allows as long as it is the same */
    struct replay_block block[REPLAY_BLOCKS];
    unsigned blocks;
    struct replay_access access[REPLAY_ACCESSES];
    unsigned accesses;
    uint32_t end;
    uint8_t *ram; /* a copy, from the beginning */
};

/* A place of the CPU or (from RAM_BASE) a word of RAM. */
struct replay_variable {
    uint32_t where;
    uint16_t slot;
    uint16_t after;      /* slot of what it is at the end */
    uint16_t used_until; /* of a word: so many blocks */
};

/* A store to a word of RAM that is only made when somebody could see it: where the trace is left, or a
 * register access lets DMA come by. */
struct replay_store {
    uint32_t offset;
    uint16_t slot;
    uint8_t bytes;       /* bit n: byte n of the word is stored */
    uint16_t used_until; /* so many blocks is what was stored read */
};

struct replay_stores {
    uint16_t first, count;
};

/* What an exit needs that is taken often: of each word the last store, and the computations that the list
 * without looks left out. */
struct way_out {
    struct replay_store *store;
    unsigned stores;
    struct ir *ops, *end;
};

/* How the state is made when a trace is left. */
struct replay_exit {
    uint32_t pc;
    uint16_t slot[PLACES]; /* 0: the place is as it was */
    uint16_t blocks;       /* that were run */
    uint32_t primask, basepri;
    uint32_t stretch; /* if the next block does not end at an exit, longest time in cycles to one; or 0 */
    uint16_t stores;  /* list of those that were put off, in their order */
    uint16_t quiet;   /* of a look: place in the list without looks from which that may go on … */
    uint32_t gone;    /* … and how many cycles went by since the effect before that place */
    unsigned taken;   /* so often, while there is no way out */
    struct way_out *out;
};

struct replay_word {
    uint32_t offset; /* in RAM */
    uint32_t value;
    uint16_t used_until;
};

/* Where a trace was left to look around, and how all it builds on was then. */
struct replay_pause {
    bool on;
    const struct replay_exit *exit; /* by which it was left */
    const struct ir *next;
    uint32_t pc;
    uint32_t blocks;   /* of the round, before */
    uint32_t expected; /* cpu->expected */
    uint32_t stretch;
    uint32_t place[PLACES];
    struct replay_mode mode;
    const struct replay_store *store; /* that the round had made */
    unsigned stores;
    bool changed;    /* words that the round began with were other ones after a pause before */
    uint32_t *ram;   /* the words that it assumes, begins with, and had stored */
    unsigned misses; /* how often one of the first two was another afterwards */
};

struct trace {
    /* What must be as it was. */
    struct replay_mode mode;
    uint32_t expected;
    bool cache_is_on;
    struct mpu mpu;
    uint32_t assumed_places; /* bit mask */
    uint32_t place[PLACES];
    struct replay_word *words;
    unsigned word_count;
    /* What it begins with. */
    struct replay_variable variable[REPLAY_VARIABLES];
    unsigned variables;
    struct ir *ops;
    const struct ir *end; /* the last of them */
    struct ir *quiet_ops; /* the same but for looks, at which nothing is seen, and what only exits show */
    uint32_t *slots;
    uint32_t *other_slots;      /* of the round before, or to be of the next */
    struct replay_store *store; /* in their order, then those of the end */
    unsigned store_count;       /* of the former */
    struct replay_stores *stores;
    /* Of those at the end, which come first, how many differ from round to round: what is known stays stored.
     */
    unsigned varying;
    struct replay_exit *exits;
    unsigned exit_count;
    uint32_t *block; /* addresses */
    uint32_t *block_end;
    unsigned blocks;
    uint16_t flags; /* of all blocks */
    uint64_t cycles;
    uint32_t first_cycles; /* of its first block */
    uint32_t stretch;      /* likewise, from the beginning */
    bool stable;           /* a loop, at whose end everything is as it must be at its beginning */
    bool idle;             /* and it does nothing but take time: the second time round is like the first */
    uint16_t page[REPLAY_PAGES]; /* of flash that it runs, or (with PAGE_READ) reads */
    unsigned pages;
    struct replay_pause pause;
    unsigned watch_changes; /* watches were last looked at after so many … */
    bool watched;           /* … and whether it contains one of them */
    uint64_t ran_windows;   /* the last in which all its pages were known to run */
};

#define PAGE_READ 0x8000u

/* A value: known, or the content of a slot (0: known). */
struct val {
    uint32_t v;
    uint16_t slot;
};

struct shadow {
    uint32_t offset;
    uint32_t initial;
    struct val now; /* if it is not valid: of the bytes that were stored, the others are 0 */
    bool used;
    bool assumed; /* to be `initial` at the beginning */
    bool valid;
    uint8_t bytes;       /* bit n: byte n was stored */
    uint16_t used_until; /* the number of the block that reads `initial` last, plus 1 */
    uint16_t stored_by;  /* operation, plus 1 */
};

/* Which places and words are to be variables, and which must be known; and which words are not the trace's
 * own: handlers of interrupts, that come by while it runs, change them. */
#define REPLAY_NEVER    16
#define REPLAY_VOLATILE 16
struct replay_wishes {
    uint32_t wanted[REPLAY_VARIABLES];
    unsigned wanted_count;
    uint32_t never[REPLAY_NEVER];
    unsigned nevers;
    uint32_t volatiles[REPLAY_VOLATILE];
    unsigned volatile_count;
};

struct maker {
    struct cpu *cpu;
    const struct replay_log *log;
    struct replay_wishes *wishes; /* not of a loop that computes */
    bool computes;                /* it may begin with anything, and access RAM anywhere: core/hot_loop.h */

    struct val place[PLACES];
    uint32_t assumed, written; /* bit masks of places */
    uint32_t primask, basepri;
    struct shadow table[REPLAY_TABLE];
    unsigned words;

    struct ir op[REPLAY_OPS];
    unsigned ops;
    uint32_t slot[REPLAY_SLOTS];
    uint16_t known[REPLAY_KNOWN]; /* slots of known values, by a hash of them */
    bool slot_known[REPLAY_SLOTS];
    uint16_t made_by[REPLAY_SLOTS]; /* operation, plus 1 */
    uint16_t alike[REPLAY_KNOWN];   /* operations, plus 1, by a hash of what they compute */
    unsigned slots;
    struct replay_exit exit[REPLAY_EXITS];
    unsigned exits;
    struct replay_store store[REPLAY_STORES];
    struct replay_stores stores[REPLAY_EXITS + REPLAY_ACCESSES];
    unsigned store_count, stores_before_end, lists, varying;
    struct replay_variable variable[REPLAY_VARIABLES];
    unsigned variables;
    uint16_t page[REPLAY_PAGES];
    unsigned pages;

    unsigned block; /* being interpreted */
    unsigned access;
    uint32_t cycles; /* since the last effect */
    bool look;       /* after this block */
    bool failed;
    bool again;       /* it may be made with the wishes as they are now */
    uint16_t culprit; /* slot of the value that would have had to be known, or 0 */
    uint8_t it;       /* ITSTATE */
    bool monitor_open;
    /* How the block ends. */
    bool branched;
    uint32_t target;
    struct val condition; /* of the branch, if it is not known for ever */
    uint32_t other;       /* where it goes otherwise */
    uint32_t next;        /* where it led when it was recorded */
};

/* Makes a trace of the log, at whose end the engine's CPU holds `place`; NULL if it cannot be done. What
 * changes from round to round is added to the wishes. The caller frees. */
struct trace *replay_make(struct maker *maker, struct cpu *cpu, const struct replay_log *log,
                          const uint32_t place[PLACES], struct replay_wishes *wishes);
void trace_free(struct trace *trace);

/* Interprets a loop that computes: the log holds its blocks, and where the last one leads. Nothing is known
 * at its beginning but its code; operations and places are left in the maker. False if it cannot be done. */
bool replay_make_hot(struct maker *maker, struct cpu *cpu, const struct replay_log *log);

/* Of what was interpreted to the end (replay_trace.c). NULL if it is too large. */
struct trace *make_trace(struct maker *m);

/* Adds the store to those to be made, or has it take the place of one to the same word. */
void replay_put_off(struct replay_store *pending, unsigned *count, const struct replay_store *store);

/* True if what the loop takes for known is not so any more after a round. */
bool make_place_changed(const struct maker *m, unsigned place);
bool make_word_changed(const struct shadow *word);

/* After a failure: what must be known, an address mostly, is no longer wanted, but never to be a variable.
 * False if that was not the reason, or there is no room. */
bool replay_blame(const struct maker *maker, struct replay_wishes *wishes);

static inline bool replay_listed(const uint32_t *list, unsigned count, uint32_t where)
{
    for (unsigned i = 0; i < count; i++) {
        if (list[i] == where)
            return true;
    }
    return false;
}

/* --- values (replay_value.c) -------------------------------------------------------------------------------
 */

static inline struct val known(uint32_t value)
{
    return (struct val){value, 0};
}

/* A new slot that holds `value`, as it was recorded. m->failed if there is no room, likewise below. */
uint16_t make_slot(struct maker *m, uint32_t value);

/* The slot of a value; known ones get one that nothing writes. */
uint16_t make_slot_of(struct maker *m, struct val value);

/* A new operation, and one that lets the cycles go by that have come together. */
struct ir *make_op(struct maker *m, enum ir_op op);
struct ir *make_effect(struct maker *m, enum ir_op op);

/* What an operation yields. */
struct val make_value(struct maker *m, enum ir_op op, struct val a, struct val b, struct val c);

/* False, and the making fails, if the value is not known. */
bool make_known(struct maker *m, struct val value);

/* The operation that computes the slot, or NULL. */
const struct ir *make_made_by(const struct maker *m, uint16_t slot);

/* The slot of what this one holds with these bits turned, all or, of a truth, the lowest; 0: there is none.
 */
uint16_t make_turned(const struct maker *m, uint16_t slot, uint32_t bits);

/* --- for the instructions (replay_decode.c, replay_thumb.c) ------------------------------------------------
 */

/* Interprets the block; false if it has an instruction that is not known. */
bool replay_interpret(struct maker *m, const struct replay_block *block);

struct val make_get(struct maker *m, unsigned place);
void make_set(struct maker *m, unsigned place, struct val value);
/* Loads zero-extended; m->failed if that cannot be had. */
struct val make_load(struct maker *m, struct val address, unsigned size);
void make_store(struct maker *m, struct val address, struct val value, unsigned size);

#endif
