/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a run came to: verdict, what the lamps showed, starts, panics, flash wear, expectations and findings.
 * The run fills it in, and four writers print it: for people (text), for programs (JSON by
 * result.schema.json), for test benches (JUnit XML) and for waveform viewers (VCD).
 *
 * Everything but wall_ms is the same for each run with the same inputs and seed. Texts are copied in; bytes
 * that are no printable UTF-8 become '?'. Adding never fails visibly: once memory has run out,
 * `out_of_memory` is set, and the writers refuse.
 *
 * Not modelled: HTML; the difference of two results.
 */
#ifndef SOSIM_REPORT_RESULT_H
#define SOSIM_REPORT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "led/phrases.h"
#include "led/recorder.h"
#include "led/story.h"

#define RESULT_SCHEMA_VERSION 1
/* Different findings; more are only counted. */
#define RESULT_FINDINGS_MOST 1000

enum run_verdict {
    VERDICT_AS_EXPECTED,
    VERDICT_EXPECTATION_FAILED,
    VERDICT_EMULATOR_STOPPED, /* the emulator could not go on */
    VERDICT_LIMIT,            /* a limit ran out before the scenario ended */
    VERDICTS
};

struct result_light {
    char name[16];
    struct led_edge *edges; /* a copy */
    size_t edge_count;
    uint64_t edges_lost; /* beyond the recorder's limit */
    enum led_lamp lamp;
    struct led_phrases phrases; /* from result_finish() on */
    char *line;                 /* the lamp's story, from result_finish() on */
};

struct result_boot {
    double t_ms;
    char *cause;
    bool cold; /* power came: no reset that a lamp's story would tell */
};

struct result_panic {
    double t_ms;
    int code;
    char *name;  /* "assertion failure", … */
    char *stage; /* "bootloader", "system-part1", "user", "mbr", …; or NULL */
    uint32_t pc, lr;
    char *site; /* the code around the call, its message and callers, as far as known; or NULL */
};

struct result_flash {
    char *array;
    uint64_t programs, erases;
};

struct result_expectation {
    char *text;
    bool ok;
    char *saw; /* what there was instead, or what met it; or NULL */
};

struct result_finding {
    double t_ms; /* of the first */
    char *topic;
    char *text;
    bool guest_fault; /* the firmware did what a real chip would not forgive */
    uint64_t count;
};

struct result_module {
    char *name; /* "bootloader", "system-part1", "user", … */
    unsigned version;
    uint32_t address;
    bool valid; /* its checksum holds */
    bool ran;   /* code of it was run in the last second or two */
};

struct run_result {
    char *scenario, *board; /* names, or NULL */
    enum run_verdict verdict;
    char *why; /* emulator stopped, limit: where and why; or NULL */
    double virtual_ms;
    double wall_ms; /* 0: not measured */
    uint64_t trace_hash, seed;

    struct result_light *lights; /* the first is the status lamp */
    size_t light_count, light_room;
    struct result_boot *boots;
    size_t boot_count, boot_room;
    double *cuts_ms; /* times at which power was taken away */
    size_t cut_count, cut_room;
    struct result_panic *panics;
    size_t panic_count, panic_room;
    struct result_flash *flash;
    size_t flash_count, flash_room;
    struct result_expectation *expectations;
    size_t expectation_count, expectation_room;
    struct result_finding *findings;
    size_t finding_count, finding_room;
    uint64_t findings_lost;
    struct result_module *modules; /* as they are when the run ends */
    size_t module_count, module_room;
    uint32_t *last_addresses; /* of code, oldest first */
    size_t last_address_count;

    bool out_of_memory;
};

void result_init(struct run_result *result);
void result_free(struct run_result *result);

/* Both names may be NULL. */
void result_name(struct run_result *result, const char *scenario, const char *board);

/* Takes a copy of what was recorded; flush the recorder first. The status lamp comes first. */
void result_add_light(struct run_result *result, const struct led_recorder *recorder, enum led_lamp lamp);

/* The firmware started. `cause` as in core/signal.h; `cold` when power had just come. In order of time. */
void result_add_boot(struct run_result *result, double t_ms, const char *cause, bool cold);

/* Power was taken away. In order of time. */
void result_add_cut(struct run_result *result, double t_ms);

/* The texts in `panic` are copied; `name` NULL means the documented name of the code, others may be NULL. */
void result_add_panic(struct run_result *result, const struct result_panic *panic);
void result_add_flash(struct run_result *result, const char *array, uint64_t programs, uint64_t erases);
void result_add_expectation(struct run_result *result, const char *text, bool ok, const char *saw);

/* Repeating topic and text only counts. */
void result_add_finding(struct run_result *result, double t_ms, const char *topic, const char *text,
                        bool guest_fault);
void result_add_module(struct run_result *result, const char *name, unsigned version, uint32_t address,
                       bool valid, bool ran);
void result_set_last_addresses(struct run_result *result, const uint32_t *addresses, size_t count);

/*
 * The resets and power cuts so far in order of time, as a lamp's story wants them; `resets` has room for all
 * boots and cuts. Returns how many there are.
 */
size_t result_resets(const struct run_result *result, struct led_reset *resets);

/*
 * Ends the collection: recognises what the lamps showed up to `virtual_ms` and settles the verdict. `verdict`
 * is the run's own; VERDICT_AS_EXPECTED becomes VERDICT_EXPECTATION_FAILED when an expectation is not met.
 * `why` may be NULL. Returns 0, or -1 when memory ran out now or before.
 */
int result_finish(struct run_result *result, enum run_verdict verdict, const char *why, double virtual_ms);

/* "as_expected", "expectation_failed", "emulator_stopped", "limit"; never NULL. */
const char *run_verdict_name(enum run_verdict verdict);

/* The program's exit code for it: 0, 1, 3 or 4. */
int run_verdict_exit_code(enum run_verdict verdict);

/*
 * The writers, for results that were finished. Each returns 0, or -1 when memory ran out or writing failed
 * (errno says why). They leave `out` open.
 */
int result_write_text(const struct run_result *result, FILE *out);
int result_write_json(const struct run_result *result, FILE *out);
int result_write_junit(const struct run_result *result, FILE *out);
int result_write_vcd(const struct run_result *result, FILE *out);

#endif
