/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where traces may begin (core/replay.h): the search for loops, the recording of one, and what was learnt
 * about each place where that was done, its head. Between replay_find.c, which does this, and replay.c, which
 * runs the traces.
 */
#ifndef SOSIM_CORE_REPLAY_FIND_H
#define SOSIM_CORE_REPLAY_FIND_H

#include "core/replay_make.h"

#define REPLAY_HEADS  250  /* at most: the index holds bytes */
#define REPLAY_INDEX  1024 /* a power of two, well above REPLAY_HEADS */
#define REPLAY_TRACES 8    /* of one head */
#define REPLAY_WAYS   4    /* of a loop that may be worth a trace */
#define REPLAY_PAUSED 4    /* traces that were left to look around: by a thread, by an interrupt in it, … */

struct session;

/* A block where traces begin. All interrupts may come to the same block first: each has a head of its own. */
struct head {
    uint32_t address;
    unsigned exception; /* in the handler of which it is, 0: in thread mode */
    struct trace *trace[REPLAY_TRACES];
    unsigned traces;
    unsigned next;          /* to be replaced when there is no more room */
    bool record;            /* when the CPU is here next */
    bool loop;              /* to be recorded until the CPU is here again */
    unsigned loops_in_vain; /* recordings of a loop that made none … */
    uint64_t no_loop_until; /* … and the cycle from which there may be another */
    unsigned exits, misses, failures, poor, given_up;
    uint64_t gain;  /* blocks run from here since the last recording */
    unsigned rest;  /* arrivals to let pass */
    unsigned rests; /* such as were in vain */
    struct replay_wishes wishes;
    uint64_t useful_at;      /* cycle at which a run from here paid last */
    uint64_t given_up_until; /* cycle */
};

/* How a round of a loop went. */
struct way {
    uint64_t path;
    unsigned blocks;
};

struct replay {
    struct cpu *cpu;
    struct head head[REPLAY_HEADS];
    unsigned heads;
    uint8_t index[REPLAY_INDEX];         /* of head, plus 1, by address */
    uint32_t bypass;                     /* a block that the engine goes on from */
    uint64_t blocks;                     /* run by traces */
    struct trace *paused[REPLAY_PAUSED]; /* or NULL */
    unsigned next_paused;
    bool disturbed;
    bool running;              /* traces run, so that none may be dropped */
    bool forget;               /* all of them, when they do not run any more */
    struct session *in_access; /* of a register, before which its stores were put off; or NULL */

    uint64_t search_at; /* cycle from which on loops are looked for */
    unsigned in_vain;   /* searches and recordings that came to nothing */
    /* The search for loops: a block, and how it was reached since it was there last. */
    uint32_t candidate;
    unsigned age;
    uint64_t path;
    struct way way[REPLAY_WAYS]; /* of its rounds, the last different ones */
    unsigned ways, last_way;
    unsigned alike;        /* rounds in a row that went the last way, too */
    unsigned known, tries; /* rounds that went a way in the list, or not */
    unsigned searched;     /* blocks since the last rest */

    struct head *recording; /* NULL: nothing is recorded */
    struct replay_log log;
    struct maker maker;
};

/* The head at an address in the mode that the CPU is in, or NULL. */
struct head *replay_head(struct replay *replay, uint32_t address);

/* Nothing good begins here, at least for now. Its traces are freed. */
void replay_give_up(struct cpu *cpu, struct head *head);

/* The head's trace is freed, and another one recorded. */
void replay_anew(struct replay *replay, struct head *head, struct trace *trace);

/* The search for loops sees what traces run, too: so many blocks, and that the CPU is at `pc` then. */
void replay_search_over(struct cpu *cpu, const struct trace *trace, uint64_t blocks);
void replay_search_at(struct cpu *cpu, uint32_t pc);

/* A trace was left for the block at `pc`: one from there on may pay, too. */
void replay_note_exit(struct cpu *cpu, uint32_t pc);

/* True if the CPU is in a state in which all that a trace does can be done. */
bool replay_possible(const struct cpu *cpu);

void replay_read_cpu(struct cpu *cpu, uint32_t place[PLACES], struct replay_mode *mode);

#endif
