/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files that parse a scenario (scenario.c, parse_*.c): reading one JSON value of a known type,
 * with a message that names its place when it is another. For no others.
 *
 * All functions that return int return 0, or -1 with the reader's `why` filled. Optional members: every
 * read_* but read_members() accepts NULL for `item` and then leaves `out` alone.
 */
#ifndef SOSIM_SCENARIO_PARSE_H
#define SOSIM_SCENARIO_PARSE_H

#include "scenario/scenario.h"

struct reader {
    const struct json_doc *doc;
    struct diag *why;
};

/* Checks that `item` is an object with no members but those in the NULL-terminated list. */
int read_members(const struct reader *r, const cJSON *item, const char *const *members);

/* Checks that `item` is an object with one member, named as one of the rows of a table: each has `row_size`
 * bytes and begins with its name, a const char *. `which` gets the row. */
int read_one_of(const struct reader *r, const cJSON *item, const void *rows, size_t row_size, size_t count,
                size_t *which);

/* Member of an object, or NULL. */
const cJSON *member(const cJSON *object, const char *name);

/* Complains that a required member is missing. */
int missing(const struct reader *r, const cJSON *object, const char *name);

/* A string that is not empty. */
int read_text(const struct reader *r, const cJSON *item, const char **out);
int read_double(const struct reader *r, const cJSON *item, double min, double max, double *out);
/* A whole number, or one in quotes, decimal or "0x" hexadecimal. */
int read_whole(const struct reader *r, const cJSON *item, uint64_t min, uint64_t max, uint64_t *out);
int read_u32(const struct reader *r, const cJSON *item, uint32_t min, uint32_t max, uint32_t *out);
int read_flag(const struct reader *r, const cJSON *item, bool *out);
/* One of a NULL-terminated list of words. */
int read_choice(const struct reader *r, const cJSON *item, const char *const *words, unsigned *out);
/* Bytes as hexadecimal digits in pairs; spaces between bytes are fine. */
int read_hex(const struct reader *r, const cJSON *item, struct byte_string *out);
/* {"hex"} or {"text"} or {"fill", "length"} among the members of `object`; `required`: one of them must be.
 */
int read_content(const struct reader *r, const cJSON *object, const char *length_name, bool required,
                 struct byte_string *out);

/*
 * An array; calls `one` with each element and its place in a zeroed list of `size` bytes each. Returns the
 * list, which the caller owns even after a failure, so that what was read before it can be released; NULL
 * when `item` is NULL. Does nothing when *err is set already.
 */
typedef int (*read_one_fn)(const struct reader *r, const cJSON *item, void *out);
void *read_list(const struct reader *r, const cJSON *item, size_t size, read_one_fn one, size_t *count,
                int *err);

/* parse_state.c */
int parse_module(const struct reader *r, const cJSON *item, void *out); /* struct module_choice */
int parse_byte_edit(const struct reader *r, const cJSON *item, void *out);
int parse_stuck(const struct reader *r, const cJSON *item, void *out);
int parse_unstable(const struct reader *r, const cJSON *item, void *out); /* struct unstable_edit */
int parse_input(const struct reader *r, const cJSON *item, void *out);    /* struct input_edit */
int parse_dct(const struct reader *r, const cJSON *item, const char *prefix, struct dct_edit **out,
              size_t *count);
int parse_state(const struct reader *r, const cJSON *item, struct device_state *out);
void free_dct(struct dct_edit *edits, size_t count);
void free_state(struct device_state *state);
extern const char *const ram_words[];

/* parse_fault.c */
extern const char *const nor_array_words[];
int parse_tear(const struct reader *r, const cJSON *item, struct flash_tear *out);
int parse_fault(const struct reader *r, const cJSON *item, struct fault_action *out);
int parse_supply(const struct reader *r, const cJSON *item, struct supply_sag *out);
/* Whether the faults of a step's actions and its trigger go together; `item` is the step. */
int check_faults(const struct reader *r, const cJSON *item, const struct step *step);

/* parse_timeline.c */
int parse_trigger(const struct reader *r, const cJSON *item, struct trigger *out);
int parse_step(const struct reader *r, const cJSON *item, void *out);
void free_step(struct step *step);

/* parse_usb.c */
int parse_usb(const struct reader *r, const cJSON *item, struct usb_action *out);
int parse_usb_moment(const struct reader *r, const cJSON *item, struct trigger *out);
void free_usb(struct usb_action *action);

/* parse_expect.c */
int parse_pattern(const struct reader *r, const cJSON *item, void *out); /* struct led_pattern */
int parse_expect(const struct reader *r, const cJSON *item, void *out);
void free_expect(struct expect *expect);

#endif
