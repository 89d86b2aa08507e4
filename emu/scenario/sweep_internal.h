/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the sweep (sweep.c, sweep_*.c); for no others. */
#ifndef SOSIM_SCENARIO_SWEEP_INTERNAL_H
#define SOSIM_SCENARIO_SWEEP_INTERNAL_H

#include "image/dct.h"
#include "image/littlefs_scan.h"
#include "scenario/device.h"
#include "scenario/start_check.h"
#include "scenario/sweep.h"
#include "scenario/sweep_record.h"
#include "scenario/sweep_share.h"

/* One flash operation of the control run. */
struct journal_op {
    struct flash_op op;
    unsigned array; /* index in the view */
    double ms;
    size_t bytes; /* what the cells held afterwards: offset in journal.bytes */
    size_t lines; /* of journal.ram that came before or with it */
};

#define RAM_LINE 128u /* bytes */

/* A line of RAM that was not as at the operation before. */
struct ram_line {
    uint32_t offset;
    uint8_t bytes[RAM_LINE];
};

struct journal {
    struct journal_op *ops;
    size_t count, room;
    uint8_t *bytes;
    size_t used, bytes_room;
    uint8_t *ram_now; /* RAM at the last operation; NULL: nobody wants to know */
    struct ram_line *ram;
    size_t ram_count, ram_room;
    bool out_of_memory;
};

/* A start that was run: what it depended on, what became of it. */
struct known_start {
    struct page_list needed, changed;
    struct boot_outcome outcome;
};

/* Cells of one array that do not hold what is written to them; each NULL, or of the array's size. Owned. */
struct cell_marks {
    uint8_t *stuck_low, *stuck_high, *unstable;
    uint64_t unstable_reads;
};

/* What a start finds beside the content of the flashes; such a start is like no other. */
struct start_extra {
    struct cell_marks marks[FLASH_ARRAYS_MAX];
    uint8_t *ram; /* as power comes, for the next start only; NULL: zeros. Owned */
};

/* The settings and files of a state; absent if there is no file system. */
struct data_view {
    bool mounted, has_dct;
    uint8_t dct[DCT_SIZE];
    uint8_t *image; /* owned copy of the file system's flash */
    size_t size;
};

/* What settings and files may be: as before and after the control run, and as each is after more starts. */
enum { DATA_BEFORE, DATA_AFTER, DATA_AFTER_LATER, DATA_LATER, DATA_VIEWS };

enum settings_hold { SETTINGS_SAME, SETTINGS_NEW, SETTINGS_OLD, SETTINGS_MIXED };

/* An answer about a state, kept by the state's digest. */
struct class_cache {
    uint64_t digest;
    bool known, answer;
    enum settings_hold settings;
};

#define SWEEP_RECORDS 6u
#define SWEEP_JOINED  64u
#define CLASS_CACHE   256u
#define SWEEP_CHUNK   64u /* operations that stay with one shard */

struct sweep_inner {
    const struct scenario *scenario;
    struct board board;
    bool has_board;
    struct machine_options machine_options;
    struct machine machine;
    bool has_machine;
    struct state snapshot;      /* of the machine before power first came, without content */
    struct flash_counts counts; /* then */
    struct state bare;          /* of a point of a recorded start, likewise: for sweep_record.c */
    uint32_t *held;             /* what the machine's flashes hold, PAGE_UNKNOWN where that is not known */
    struct flash_view view;
    struct page_store store;
    uint32_t pages_most;       /* so many in it, and it is gone through */
    uint32_t *initial, *final; /* states before and after the control run */
    struct journal journal;
    struct known_start *known;
    size_t known_count, known_room;
    struct sweep_share *share;                 /* with other workers, or NULL */
    struct start_record record[SWEEP_RECORDS]; /* the one that was of use last comes first */
    unsigned records;
    unsigned apart;                          /* starts since the last recording that went along with none */
    unsigned vain;                           /* recordings since a start went along with one */
    unsigned misrecords;                     /* recordings that did not come out as they should */
    struct known_start joined[SWEEP_JOINED]; /* starts that went along with one, the newest ones */
    size_t joins;
    struct data_view allowed[DATA_VIEWS];
    unsigned allowed_count;
    struct class_cache data_cache[CLASS_CACHE], user_cache[CLASS_CACHE];
    /* The cells at the point that is looked at. */
    uint8_t *cells[FLASH_ARRAYS_MAX];
    uint32_t *ids;
    size_t at_op;
    uint8_t *ram; /* at the point that was asked for last; NULL if RAM is cleared */
    size_t ram_lines;
};

/* sweep_control.c: the control run; fills journal, initial and final. */
int sweep_control(struct sweep *sweep, const struct sweep_options *options, struct diag *why);
/* Whether the operation is in the window. */
bool sweep_in_window(const struct sweep_options *options, const struct journal_op *op);
/* Lets the cells be as before operation `index` of the control run (forwards or from the start). */
void sweep_cells_at(struct sweep_inner *inner, size_t index);

/* sweep_starts.c: starts of one point. */
struct point_state {
    uint32_t *ids;   /* owned by the caller */
    uint32_t struck; /* page that differs from the cells, PAGE_UNKNOWN for none */
    uint8_t *struck_bytes;
    struct start_extra *extra; /* or NULL */
};
/* Follows the starts from a state; leaves the state afterwards in state->ids. `tell` may be NULL. */
int sweep_follow(struct sweep *sweep, struct point_state *state, unsigned boots, struct boot_outcome *last,
                 struct sweep_point *point, unsigned *panics, int *code, FILE *tell);
/* Runs a start on a machine: the one of the sweep, or its like. 0 or ENOMEM; the caller frees `start`. */
int sweep_start(struct sweep_inner *inner, struct machine *machine, const struct flash_view *view,
                struct state *snapshot, const uint32_t *ids, struct start_extra *extra,
                struct known_start *start);
void known_start_free(struct known_start *start);
int known_start_copy(struct known_start *to, const struct known_start *from);
/* Begins a check and makes a probe for the sweep's machine. 0 or ENOMEM; end the check in any case. */
int sweep_probe(struct sweep_inner *inner, struct start_check *check, struct boot_probe *probe);
/* Puts the sweep's machine before its first power-on. 0 or ENOMEM. */
int sweep_rewind(struct sweep_inner *inner, const uint32_t *ids);
/* Lets the flashes of the sweep's machine hold `ids`. */
void sweep_put_flash(struct sweep_inner *inner, const uint32_t *ids);
/* They hold `ids` now; NULL: nobody knows. */
void sweep_note_held(struct sweep_inner *inner, const uint32_t *ids);
/* Takes over what `start` owns; NULL when memory ran out. */
const struct known_start *sweep_add_known(struct sweep_inner *inner, struct known_start *start);
/* Runs one point, from the cells as they are. */
int sweep_one(struct sweep *sweep, struct sweep_point *point, FILE *tell);
/* Gives each page without a number one. */
int sweep_make_known(struct sweep *sweep, struct point_state *state);

/* sweep_join.c: a start that goes along with a recorded one; `joined`: to its end. 0 or ENOMEM; the caller
 * frees `start`. */
int sweep_join(struct sweep_inner *inner, struct start_record *record, const uint32_t *ids,
               struct known_start *start, bool *joined);

/* sweep_records.c: runs a start along with a recorded one, if there is one that may fit, or by itself; and
 * records it where that promises to be of use. 0 or ENOMEM; the caller frees `start`. */
int sweep_run_or_join(struct sweep_inner *inner, const uint32_t *ids, struct known_start *start,
                      bool *joined);
/* Takes over what `start` owns, for a while. */
const struct known_start *sweep_keep_joined(struct sweep_inner *inner, struct known_start *start);
void sweep_joins_free(struct sweep_inner *inner);

/* sweep_pages.c: throws pages out of the store when there are too many; between points. 0 or ENOMEM. */
int sweep_throw_out_pages(struct sweep_inner *inner);

/* sweep_plain.c: the same by itself, all of it. 0, or an errno: EINVAL if power was never lost. */
int sweep_one_plain(struct sweep *sweep, struct sweep_point *point);

/* sweep_struck.c: a point whose fault leaves power on. */
int sweep_one_struck(struct sweep *sweep, struct sweep_point *point, FILE *tell);
bool start_extra_counts(const struct start_extra *extra);
bool start_extra_only_unstable(const struct start_extra *extra);
void start_extra_free(struct start_extra *extra);
/* Unstable cells that were all written anew are cells like any others. */
void start_extra_trim(struct start_extra *extra, const struct flash_view *view);
/* Gives a machine about to start the cells and the RAM, and takes the cells back afterwards. */
void start_extra_put(struct start_extra *extra, const struct flash_view *view, struct machine *machine);
void start_extra_take(struct start_extra *extra, const struct flash_view *view);

/* sweep_ram.c: RAM at the operations of the control run, if the scenario keeps it over a cut. */
int sweep_ram_begin(struct sweep_inner *inner);
/* Notes RAM as it is at the operation that is being recorded. 0 or ENOMEM. */
int sweep_ram_note(struct journal *journal, const uint8_t *ram);
/* Gives the first start after operation `index` what RAM holds then. 0 or ENOMEM. */
int sweep_ram_at(struct sweep_inner *inner, size_t index, struct start_extra *extra);
/* The same from RAM itself. */
int sweep_ram_from(const struct sweep_inner *inner, const uint8_t *ram, struct start_extra *extra);
void sweep_ram_free(struct sweep_inner *inner);

/* sweep_results.c: the results file. Takes the points that are there already, and opens it to be added to;
 * the caller closes it. NULL with `why`, and the file as it was, if it is no results file of this sweep. */
FILE *sweep_results_open(struct sweep *sweep, const char *path, struct diag *why);
int sweep_results_add(const struct sweep *sweep, const struct sweep_point *point, const char *path,
                      FILE *file, struct diag *why);

/* sweep_jobs.c: all points that are not done yet. */
int sweep_run_points(struct sweep *sweep, const struct sweep_options *options, struct diag *why);

/* sweep_class.c */
int sweep_classify(struct sweep *sweep, const struct point_state *start, struct point_state *end,
                   const struct boot_outcome *last, unsigned panics, struct sweep_point *point, FILE *tell);
/* The bytes of the internal flash in a state; the caller frees them. NULL when memory ran out. */
uint8_t *sweep_internal_flash(const struct sweep_inner *inner, const uint32_t *ids);
int sweep_allow_data(struct sweep_inner *inner, const uint32_t *ids);
void data_view_free(struct data_view *view);

#endif
