/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the workers of a sweep have in common: which points are to be had next, where each of them is, and the
 * starts that any of them has run, so that no other runs one like it. Starts go through an unlinked file that
 * is only added to; content that all had before they parted is told by its number, the rest in full.
 *
 * Not modelled: two workers that run the same start at the same time do so twice.
 */
#ifndef SOSIM_SCENARIO_SWEEP_SHARE_H
#define SOSIM_SCENARIO_SWEEP_SHARE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define SWEEP_JOBS_MAX 256u

struct known_start;
struct sweep_inner;
struct share_memory;

struct sweep_share {
    FILE *starts;
    struct share_memory *memory; /* of all processes */
    FILE *memory_file;
    unsigned job;
    uint32_t common; /* pages with smaller numbers are the same in all workers */
    off_t taken;     /* so far the starts of others are known here */
};

/* Before the workers part, whose pages are numbered up to `common`. 0, or -1 (errno). Close it in any case.
 */
int sweep_share_open(struct sweep_share *share, uint32_t common);
void sweep_share_close(struct sweep_share *share);

/* The next chunk of points, counted from 0; each number is given out once. */
size_t sweep_share_next(struct sweep_share *share);

/* This worker begins with the point of that index, or (SIZE_MAX) ends as it should; and where one was. */
void sweep_share_at(struct sweep_share *share, size_t point);
size_t sweep_share_where(const struct sweep_share *share, unsigned job);

/* Tells a start to the others; what cannot be told is run by them too. */
void sweep_share_tell(struct sweep_inner *inner, const struct known_start *start);

/* Adds what others told to inner->known. 0 or ENOMEM. */
int sweep_share_take(struct sweep_inner *inner);

#endif
