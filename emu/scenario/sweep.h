/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sweeps: power is lost at every flash operation of a scenario, before it, within it and after it, and each
 * time the device is started again until it is clear how it ends.
 *
 * The scenario is run once (the control run) and its flash operations are written down. What the flashes hold
 * at a point follows from that list, so no point needs the run again. From there the device is started with
 * RAM cleared, SWEEP_BOOTS times, power taken away in between once each start has its verdict
 * (scenario/boot_probe.h). A start depends only on the pages of the flashes that it reads before it erases
 * them. So a start whose state agrees with an earlier one on those pages is not run again; this is exact, not
 * a guess, because a start begins at time 0 with everything but the flashes the same. Of one that does not
 * agree only those stretches are run in which it differs from a recorded start (scenario/sweep_record.h).
 *
 * How a point ended is a class (enum sweep_class). "New" and "old" are what the module slots of internal
 * flash hold after the control run and before it; if it changes no module, the settings that it writes.
 *
 * On a board without a lamp, a start is as it should be if it meets what the scenario expects of memory
 * words, of the code that runs, and of texts on a UART (scenario/start_check.h).
 *
 * A results file has one line for each point that was run; it can be added to after a kill, merged with those
 * of other shards by putting one behind the other, and used as a baseline. What is no results file of this
 * sweep is refused before anything is run, and left as it is.
 *
 * Faults that leave power on (dropped, doubled, disturbed, worn, unstable) need the run again: it goes on
 * after the fault to its end, and the starts follow there. So there is one point for each way, at
 * SWEEP_STRUCK operations at most, spread evenly over the run, unless a sample is asked for.
 *
 * What RAM holds at the first start after a cut is what the scenario's state says: cleared (default), kept as
 * it was at the cut, or decayed for SWEEP_OFF_MS; then that start is run for each point. Later starts find it
 * cleared. Cells that are left unstable, stuck or worn stay so over all starts, which are then all run.
 *
 * Not modelled: what the rest of the timeline would have done after the cut.
 */
#ifndef SOSIM_SCENARIO_SWEEP_H
#define SOSIM_SCENARIO_SWEEP_H

#include "core/flash_fault.h"
#include "scenario/boot_probe.h"
#include "scenario/scenario.h"

#include <stdio.h>

#define SWEEP_BOOTS     4u /* the start after the cut, and three more */
#define SWEEP_WHAT_SIZE 360
#define SWEEP_WINDOWS   8u
#define SWEEP_STRUCK    100u  /* operations that are struck by faults that leave power on */
#define SWEEP_OFF_MS    1000u /* without power, for RAM that decays */
#define SWEEP_ID_SIZE   (128 + FLASH_FAULT_ID_SIZE)

enum sweep_class {
    SWEEP_NEW,       /* starts; the new firmware was there already */
    SWEEP_RESUMED,   /* starts; the new firmware was put in place after the cut */
    SWEEP_OLD,       /* starts with the old firmware */
    SWEEP_SAME,      /* starts; the control run changed no module and no setting */
    SWEEP_UNMET,     /* starts, but not as the scenario expects (boards without a lamp) */
    SWEEP_MIXED,     /* starts with some modules new and others old */
    SWEEP_SAFE_MODE, /* the system starts, the user program is not valid */
    SWEEP_DFU,       /* waits for firmware over USB */
    SWEEP_SOS_ONCE,  /* a panic, but it starts in the end */
    SWEEP_SOS,       /* panics for ever */
    SWEEP_DARK,      /* nothing to be seen for ever, and the CPU hangs */
    SWEEP_LAMP_OFF,  /* nothing to be seen for ever, but the CPU works */
    SWEEP_RESETS,    /* reset after reset, with no SOS before any */
    SWEEP_STUCK,     /* one colour for ever, or no verdict */
    SWEEP_WRONG,     /* starts with a module that is neither new nor old */
    SWEEP_DATA_LOST, /* starts, but settings or files are gone or are neither old nor new */
    SWEEP_EMULATOR,  /* the emulator could not go on */
    SWEEP_CLASSES
};

/* A part of the control run; what is not given is not limited. */
struct sweep_window {
    const char *array; /* NULL: all */
    uint64_t from, to; /* operation numbers, `to` included */
    double from_ms, to_ms;
};

struct sweep_options {
    bool has_seed;
    uint64_t seed;
    bool before, after;
    unsigned torn;          /* ways to tear each operation */
    unsigned torn_unstable; /* the same, with cells left unstable */
    /* Faults that leave power on, by kind: 0 none; ways (dropped, doubled: 1; disturbed) or cells. */
    unsigned struck[FLASH_FAULT_KINDS];
    struct sweep_window window[SWEEP_WINDOWS];
    unsigned windows;
    unsigned jobs;          /* processes */
    unsigned shard, shards; /* this is number `shard` (from 1) of `shards` */
    bool quick;             /* points chosen by the structure of the operations */
    size_t sample;          /* only so many of the points, chosen by the seed; 0: all */
    bool plain;             /* each point wholly by itself: nothing is shared */
    const char *results;    /* file to add to and to go on from, or NULL */
    const char *baseline;   /* file that sweep_compare() can read, or nothing is run; or NULL */
    /* Told now and then; may be NULL. */
    void (*progress)(void *context, size_t done, size_t all, double seconds);
    void *progress_context;
};

struct sweep_point {
    size_t op; /* index in the control run */
    struct flash_fault fault;
    bool done;
    bool tried; /* a worker ended there before its time */
    enum sweep_class class;
    int code;       /* of SOS classes */
    unsigned boots; /* starts that were looked at, run or known */
    unsigned runs;  /* of these, starts that were run */
    uint64_t state; /* digest of the flashes after the last start */
};

struct sweep_tally {
    size_t count;
    size_t first; /* index of the first point, SIZE_MAX for none */
};

struct sweep {
    char name[128]; /* first part of ids: the scenario, and what version was asked for */
    struct sweep_point *points;
    size_t point_count;
    uint64_t identity;    /* of the control run: results with another do not fit */
    size_t ops;           /* of the control run */
    size_t resumed;       /* points taken from the results file */
    size_t starts_run;    /* distinct states: starts that had to be run */
    size_t starts_joined; /* of these, those that went along with a recorded one to its end */
    double control_seconds, seconds;
    struct sweep_tally tally[SWEEP_CLASSES];
    struct sweep_inner *inner;
};

/*
 * Runs the sweep and fills `sweep`; release it with sweep_free() whatever is returned. 0, or -1 with `why`:
 * the scenario cannot be run, the window has no operations, the results file is of another sweep, ….
 */
int sweep_run(const struct scenario *scenario, const struct sweep_options *options, const char *name,
              struct sweep *sweep, struct diag *why);
void sweep_free(struct sweep *sweep);

/* "boots new", "SOS", …; and the short word for --fail-on: "new", "sos", …. */
const char *sweep_class_words(enum sweep_class class);
const char *sweep_class_key(enum sweep_class class);

/* The point's id: "interrupted-ota:ext:812t3". Returns `id`. */
char *sweep_point_id(const struct sweep *sweep, const struct sweep_point *point, char id[SWEEP_ID_SIZE]);

/* What was being written at the point: which file, settings, module. Returns `text`. */
char *sweep_point_what(struct sweep *sweep, const struct sweep_point *point, char text[SWEEP_WHAT_SIZE]);

/*
 * Runs one point and tells each start, one line each. `point` gets its class. 0, or -1 with `why`: no such
 * point in this scenario, ….
 */
int sweep_replay(const struct scenario *scenario, const struct sweep_options *options, const char *name,
                 const struct flash_fault *fault, struct sweep_point *point, FILE *out, struct diag *why);

/*
 * The first part of ids, "interrupted-ota" or "interrupted-ota@1.5.2" (`version` may be NULL). 0, or -1 with
 * `why` if the scenario's name has other characters than letters, digits, '-', '_' and '.'.
 */
int sweep_name(const struct scenario *scenario, const char *version, char *name, size_t size,
               struct diag *why);

/*
 * Compares with the results file of an earlier sweep of the same scenario, version and build: known[i] gets
 * whether point i ended in the same class then; the caller frees it. NULL for `known`: can it be compared at
 * all? 0, or -1 with `why`, and `*known` is NULL.
 */
int sweep_compare(const struct sweep *sweep, const char *path, bool **known, struct diag *why);

/*
 * sweep_report.c: for people, for programs, for test benches. `known` is of sweep_compare(), or NULL; bit n
 * of `failing` says that class n is a failure, unless it is known. 0, or -1 when writing failed (errno).
 */
int sweep_write_text(struct sweep *sweep, const bool *known, FILE *out);
int sweep_write_json(struct sweep *sweep, const bool *known, FILE *out);
int sweep_write_junit(struct sweep *sweep, uint32_t failing, const bool *known, FILE *out);

#endif
