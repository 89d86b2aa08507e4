/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One start of a device, from power-on to a verdict by its lamp: does it run, wait for firmware (DFU), show
 * SOS once or for ever, or stay dark?
 *
 * The verdict is settled when the lamp has repeated one signal for BOOT_SETTLE_MS and no flash operation came
 * for BOOT_QUIET_MS; when two resets with the same SOS left the flashes in the same state (it will go on like
 * that for ever); or when nothing changed for BOOT_STUCK_MS. A lamp that stays dark so long means a hang only
 * if the CPU is seen in the same few blocks of code. On a board without a lamp it is settled when no flash
 * operation and no reset came for BOOT_BARE_MS. All times are virtual.
 *
 * Beside the verdict it tells on which pages of the flashes the start depended, and which it changed: a start
 * from another state that agrees on the former runs just the same way, and need not be run.
 *
 * Not modelled: what a device does later than its verdict (a program that fails after minutes). What RAM held
 * before power came is not told among what a start depended on: it is the caller's to know.
 */
#ifndef SOSIM_SCENARIO_BOOT_PROBE_H
#define SOSIM_SCENARIO_BOOT_PROBE_H

#include "led/recorder.h"
#include "scenario/code_seen.h"
#include "scenario/flash_state.h"

#define BOOT_SETTLE_MS  1200.0
#define BOOT_QUIET_MS   400.0
#define BOOT_STUCK_MS   5000.0
#define BOOT_BARE_MS    200.0
#define BOOT_LIMIT_MS   180000.0
#define BOOT_LINE_SIZE  240
#define BOOT_RESETS_MAX 64u

enum boot_end {
    BOOT_RUNS,      /* the system shows a signal of its own */
    BOOT_LISTENING, /* it runs and waits to be set up */
    BOOT_SAFE_MODE,
    BOOT_DFU,
    BOOT_SOS,       /* for ever: code */
    BOOT_DARK,      /* nothing, no flash operation either, and the CPU hangs */
    BOOT_LAMP_OFF,  /* the lamp stays dark, but the CPU works */
    BOOT_RESETTING, /* reset after reset, with no SOS before any */
    BOOT_STUCK,     /* one colour for ever */
    BOOT_UNSETTLED, /* none of these within BOOT_LIMIT_MS */
    BOOT_EMULATOR,  /* the emulator could not go on */
};

struct boot_outcome {
    enum boot_end end;
    int code;        /* of the last SOS, 0 for none */
    unsigned panics; /* SOS that ended in a reset */
    bool unmet;      /* probe.met said no */
    double virtual_ms;
    char line[BOOT_LINE_SIZE]; /* what the lamp told */
};

bool boot_outcome_same(const struct boot_outcome *a, const struct boot_outcome *b);

/* A page and its content. */
struct page_is {
    uint32_t page, id;
};

struct page_list {
    struct page_is *item; /* owned */
    uint32_t count;
};

/* State of the flashes at the last SOS reset. */
struct boot_sos {
    uint64_t digest;
    int code;
    unsigned count;
};

/* How far a start has come: beside the machine, all that the verdict depends on. */
struct boot_progress {
    struct led_recorder lamp;
    double resets_ms[BOOT_RESETS_MAX];
    unsigned resets;
    bool was_reset;
    struct code_seen code; /* since the lamp is dark */
    struct boot_sos sos;
    uint64_t last_op;   /* cycle */
    uint64_t slice_end; /* cycle at which it is looked at next, unless a reset comes before */
    struct boot_outcome outcome;
};

struct boot_probe {
    struct machine *machine; /* powered off, at time 0 */
    const struct flash_view *view;
    struct page_store *store;
    enum ram_after_off ram;
    /* Asked once the verdict is there, power still on: is it as it should be? It notes what it reads of the
     * flashes (nor_note_read). NULL: yes. */
    bool (*met)(void *context, struct machine *machine);
    void *met_context;
    struct boot_progress progress;
};

/*
 * Powers the machine on, waits for the verdict, and powers it off. `needed` gets what the start depended on,
 * `changed` the pages it wrote, as they are now; the caller frees both. Returns 0, or ENOMEM.
 */
int boot_probe_run(struct boot_probe *probe, const uint32_t *ids, struct boot_outcome *outcome,
                   struct page_list *needed, struct page_list *changed);

/*
 * The same in steps. All that return an int: 0, or ENOMEM. begin: powers on. go: until the verdict is there
 * (`ended`), or to a cycle. end: powers off; must follow each begin and each resume.
 */
int boot_probe_begin(struct boot_probe *probe);
int boot_probe_go(struct boot_probe *probe, uint64_t until, bool *ended);
void boot_probe_end(struct boot_probe *probe, struct boot_outcome *outcome);

/* In place of end, for a machine that is to be put into another state. */
void boot_probe_leave(struct boot_probe *probe);

/* In place of begin, for a machine that was put into the middle of a start: takes a copy of `progress`. */
int boot_probe_resume(struct boot_probe *probe, const struct boot_progress *progress);

/* Begins to note which pages of the flashes are read and changed, or begins anew. */
int boot_probe_watch(struct machine *machine);

int boot_progress_copy(struct boot_progress *to, const struct boot_progress *from);
void boot_progress_free(struct boot_progress *progress);

/* True if the verdict is the same from both on. `shift` is how much the digests of the flashes differ, as
 * boot_page_digest() adds up to. */
bool boot_progress_same(const struct boot_progress *a, const struct boot_progress *b, uint64_t shift);

/* The part that a page has in boot_sos.digest, which is the sum over all. */
uint64_t boot_page_digest(const struct page_store *store, uint32_t page, uint32_t id);

#endif
