/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One plain sentence about what went wrong, carried up from the place that knows to the one that prints.
 *
 * A function that can fail on outside input takes a `struct diag *` and fills it on failure; the caller may
 * pass NULL when it has no use for the words. The text names the file and the place in it where there is one
 * ("app.hex, line 12: ..."). It ends without a newline and without a full stop.
 *
 * Not modelled: severity and translation. A list of messages is an array of these.
 */
#ifndef SOSIM_CORE_DIAG_H
#define SOSIM_CORE_DIAG_H

#define DIAG_SIZE 512

struct diag {
    char text[DIAG_SIZE]; /* always terminated; "" means that nothing was reported */
};

#if defined(__GNUC__)
#define DIAG_PRINTF(format_at, values_at) __attribute__((format(printf, format_at, values_at)))
#else
#define DIAG_PRINTF(format_at, values_at)
#endif

/* Empties the message. `diag` may be NULL. */
void diag_clear(struct diag *diag);

/* Replaces the message; longer text is cut and ends in "...". `diag` may be NULL. */
void diag_set(struct diag *diag, const char *format, ...) DIAG_PRINTF(2, 3);

/* Puts "<prefix>: " before the message that is there, cutting its tail if need be. `diag` may be NULL. */
void diag_prefix(struct diag *diag, const char *format, ...) DIAG_PRINTF(2, 3);

#endif
