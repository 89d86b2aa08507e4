/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flashes of one colour are first searched for beats: three flashes or more with the same lengths. Beats of
 * the same rhythm are joined when all that lies between is the same rhythm stretched, because a stalled CPU
 * can only make a flash longer. What belongs to no beat is a blink of its own, or single solids.
 */
#include <math.h>
#include <stdlib.h>

#include "led/recognise.h"

#define BEAT_LEAST 3
/* So many flashes with the same lengths are no chance. */
#define BEAT_SURE 5
/* Flashes and pauses of one rhythm differ by no more than this. */
#define JITTER    0.12
#define JITTER_MS 3.0
/* No rhythm of a person's interest is slower; no stall of the firmware is longer. */
#define BEAT_MOST_MS  2500.0
#define STALL_MOST_MS 5000.0
/* A last flash stretched by more than this is a lamp that was left on. */
#define LAST_STRETCH_MS 300.0
/* A flash this short is never taken for a lamp that is simply on. */
#define FLASH_MOST_MS 260.0
/* Pauses this many times the usual one, and this long, may separate bursts. */
#define BURST_TIMES  2.5
#define BURST_GAP_MS 300.0

struct rhythm {
    double on, off;
};

/* Flashes first..end-1 with one rhythm. */
struct beat {
    size_t first, end;
    struct rhythm rhythm;
};

static double on_of(const struct led_flash *flash)
{
    return flash->to - flash->from;
}

static bool seen_whole(const struct led_flash *flash)
{
    return !flash->late && !flash->early;
}

static bool equal_length(double a, double b)
{
    return fabs(a - b) <= JITTER * (a > b ? a : b) + JITTER_MS;
}

static bool same_rhythm(struct rhythm a, struct rhythm b)
{
    return equal_length(a.on, b.on) && equal_length(a.off, b.off);
}

static bool not_shorter(double length, double wanted)
{
    return length >= wanted || equal_length(length, wanted);
}

static bool on_fits(const struct led_flash *flash, double on)
{
    return equal_length(on_of(flash), on) || (!seen_whole(flash) && on_of(flash) < on);
}

static bool on_stretched(const struct led_flash *flash, double on)
{
    return !seen_whole(flash) || (not_shorter(on_of(flash), on) && on_of(flash) <= STALL_MOST_MS);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double led_lower_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[(count - 1) / 2];
}

/* Median lengths of flashes first..end-1 that were seen whole, and of the pauses between them. */
static struct rhythm rhythm_of(const struct led_flash *flashes, size_t first, size_t end, double *scratch)
{
    struct rhythm rhythm = {0, 0};
    size_t n = 0;
    for (size_t i = first; i < end; i++) {
        if (seen_whole(&flashes[i]))
            scratch[n++] = on_of(&flashes[i]);
    }
    rhythm.on = n ? led_lower_median(scratch, n) : on_of(&flashes[first]);
    n = 0;
    for (size_t i = first; i + 1 < end; i++)
        scratch[n++] = flashes[i].gap;
    if (n)
        rhythm.off = led_lower_median(scratch, n);
    return rhythm;
}

static double median3(double a, double b, double c)
{
    double values[3] = {a, b, c};
    return led_lower_median(values, 3);
}

/* The rhythm of three flashes from `first` on, if they have one. */
static bool beat_begins(const struct led_flash *f, size_t first, size_t end, struct rhythm *rhythm)
{
    if (end - first < BEAT_LEAST)
        return false;
    f += first;
    rhythm->on = median3(on_of(&f[0]), on_of(&f[1]), on_of(&f[2]));
    rhythm->off = (f[0].gap + f[1].gap) / 2;
    if (rhythm->on > BEAT_MOST_MS || rhythm->off > BEAT_MOST_MS || !equal_length(f[0].gap, f[1].gap))
        return false;
    return on_fits(&f[0], rhythm->on) && on_fits(&f[1], rhythm->on) && on_fits(&f[2], rhythm->on);
}

static bool next_beat(const struct led_flash *flashes, size_t from, size_t end, struct beat *beat)
{
    for (size_t i = from; i < end; i++) {
        if (!beat_begins(flashes, i, end, &beat->rhythm))
            continue;
        beat->first = i;
        beat->end = i + BEAT_LEAST;
        while (beat->end < end && equal_length(flashes[beat->end - 1].gap, beat->rhythm.off) &&
               on_fits(&flashes[beat->end], beat->rhythm.on))
            beat->end++;
        return true;
    }
    return false;
}

/* Are the flashes first..end-1, and the pauses before each of them, this rhythm, stretched at most? */
static bool stretched(const struct led_flash *flashes, size_t first, size_t end, struct rhythm rhythm)
{
    for (size_t i = first; i < end; i++) {
        if (!on_stretched(&flashes[i], rhythm.on) || !not_shorter(flashes[i - 1].gap, rhythm.off))
            return false;
    }
    return true;
}

/*
 * Stalls of equal length can look like a short beat of their own. Beside a beat of the true rhythm it gives
 * itself away: its flashes or its pauses are those of the rhythm, and the others are longer.
 */
static bool is_doubtful(const struct led_flash *flashes, const struct beat *beat, struct rhythm rhythm)
{
    if (beat->end - beat->first >= BEAT_SURE)
        return false;
    bool on_alike = equal_length(beat->rhythm.on, rhythm.on);
    bool off_alike = equal_length(beat->rhythm.off, rhythm.off);
    return on_alike != off_alike && stretched(flashes, beat->first + 1, beat->end, rhythm);
}

/* The next beat that is not just this rhythm, stretched. */
static bool next_sure_beat(const struct led_flash *flashes, size_t from, size_t end, struct rhythm rhythm,
                           struct beat *beat)
{
    while (next_beat(flashes, from, end, beat)) {
        if (!is_doubtful(flashes, beat, rhythm))
            return true;
        from = beat->end;
    }
    return false;
}

/* Lets a beat grow over stretched flashes, up to `end`, and over further beats of its rhythm. */
static void grow(const struct led_flash *flashes, size_t end, struct beat *beat)
{
    struct beat next;
    bool more = next_sure_beat(flashes, beat->end, end, beat->rhythm, &next);
    while (more && same_rhythm(next.rhythm, beat->rhythm) &&
           stretched(flashes, beat->end, next.first + 1, beat->rhythm)) {
        beat->end = next.end;
        more = next_sure_beat(flashes, beat->end, end, beat->rhythm, &next);
    }
    size_t limit = more ? next.first : end;
    while (beat->end < limit && stretched(flashes, beat->end, beat->end + 1, beat->rhythm)) {
        if (beat->end + 1 == end && on_of(&flashes[beat->end]) > beat->rhythm.on + LAST_STRETCH_MS)
            break;
        beat->end++;
    }
}

/* The flashes from..beat->first-1 may be the same rhythm, stretched: then the beat takes them. */
static void grow_back(const struct led_flash *flashes, size_t from, struct beat *beat)
{
    while (beat->first > from && on_stretched(&flashes[beat->first - 1], beat->rhythm.on) &&
           not_shorter(flashes[beat->first - 1].gap, beat->rhythm.off))
        beat->first--;
}

static int add_solid(const struct led_flash *flash, struct led_phrases *out)
{
    return led_phrases_add(out, (struct led_phrase){.t_ms = flash->from,
                                                    .end_ms = flash->to,
                                                    .kind = LED_SOLID,
                                                    .color = flash->color,
                                                    .level = flash->level,
                                                    .on_ms = on_of(flash),
                                                    .count = 1});
}

/* The pause after the last flash belongs to the blink as far as a pause goes. */
static double end_of(const struct led_flash *last, double off)
{
    return last->to + (last->gap <= 1.35 * off + 20 ? last->gap : off);
}

static int add_blink(const struct led_flash *flashes, size_t first, size_t end, struct rhythm rhythm,
                     enum led_kind kind, struct led_phrases *out)
{
    if (end - first == 1)
        return add_solid(&flashes[first], out);
    return led_phrases_add(out,
                           (struct led_phrase){.t_ms = flashes[first].from,
                                               .end_ms = end_of(&flashes[end - 1], rhythm.off),
                                               .kind = kind,
                                               .color = flashes[first].color,
                                               .level = flashes[first].level,
                                               .on_ms = rhythm.on,
                                               .off_ms = rhythm.off,
                                               .period_ms = kind == LED_BLINK ? rhythm.on + rhythm.off : 0,
                                               .count = (unsigned)(end - first)});
}

static bool is_burst_gap(double gap, struct rhythm rhythm)
{
    return gap > BURST_TIMES * rhythm.off && gap > BURST_GAP_MS;
}

/*
 * Long pauses of the same length, after the same number of flashes each time, while no flash is stretched,
 * are meant: the flashes are bursts. (A stall comes at any point, and hits flashes as well as pauses.)
 */
static bool has_bursts(const struct led_flash *flashes, size_t first, size_t end, struct rhythm rhythm)
{
    size_t gaps = 0, burst = 0, since = 0;
    double length = 0;
    for (size_t i = first; i < end; i++) {
        if (seen_whole(&flashes[i]) && on_of(&flashes[i]) > 1.5 * rhythm.on + JITTER_MS)
            return false;
        since++;
        if (i + 1 == end || !is_burst_gap(flashes[i].gap, rhythm))
            continue;
        if (gaps == 0) {
            length = flashes[i].gap;
            burst = since;
        } else if (!equal_length(flashes[i].gap, length) || since != burst) {
            return false;
        }
        gaps++;
        since = 0;
    }
    return gaps >= 2 && since <= burst;
}

static int add_blinks(const struct led_flash *flashes, size_t first, size_t end, enum led_kind kind,
                      double *scratch, struct led_phrases *out)
{
    struct rhythm rhythm = rhythm_of(flashes, first, end, scratch);
    if (!has_bursts(flashes, first, end, rhythm))
        return add_blink(flashes, first, end, rhythm, kind, out);
    size_t start = first;
    for (size_t i = first; i < end; i++) {
        if (i + 1 < end && !is_burst_gap(flashes[i].gap, rhythm))
            continue;
        if (add_blink(flashes, start, i + 1, rhythm, kind, out))
            return -1;
        start = i + 1;
    }
    return 0;
}

/* Do at least a third of flashes and pauses have the median length? */
static bool has_rhythm(const struct led_flash *flashes, size_t first, size_t end, struct rhythm rhythm)
{
    size_t fits = 0;
    for (size_t i = first; i + 1 < end; i++)
        fits += on_fits(&flashes[i], rhythm.on) + equal_length(flashes[i].gap, rhythm.off);
    return 3 * fits >= 2 * (end - first - 1);
}

static bool all_brief(const struct led_flash *flashes, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        if (on_of(&flashes[i]) > BEAT_MOST_MS)
            return false;
    }
    return true;
}

/* Flashes without a beat: one phrase when they are alike or many, else a solid each. */
static int add_loose(const struct led_flash *flashes, size_t first, size_t end, double *scratch,
                     struct led_phrases *out)
{
    if (first == end)
        return 0;
    struct rhythm rhythm = rhythm_of(flashes, first, end, scratch);
    bool alike = true;
    for (size_t i = first; i < end; i++)
        alike = alike && (equal_length(on_of(&flashes[i]), rhythm.on) || rhythm.on <= FLASH_MOST_MS);
    if (alike) {
        bool regular = end - first < 2 * BEAT_LEAST || has_rhythm(flashes, first, end, rhythm);
        return add_blinks(flashes, first, end, regular ? LED_BLINK : LED_OTHER, scratch, out);
    }
    if (end - first >= 2 * BEAT_LEAST && all_brief(flashes, first, end))
        return add_blinks(flashes, first, end, LED_OTHER, scratch, out);
    for (size_t i = first; i < end; i++) {
        if (add_solid(&flashes[i], out))
            return -1;
    }
    return 0;
}

/* The next beat that the one after it does not show to be its own rhythm, stretched. */
static bool first_beat(const struct led_flash *flashes, size_t from, size_t end, struct beat *beat)
{
    struct beat next;
    if (!next_beat(flashes, from, end, beat))
        return false;
    while (beat->end - beat->first < BEAT_SURE && next_beat(flashes, beat->end, end, &next) &&
           is_doubtful(flashes, beat, next.rhythm))
        *beat = next;
    return true;
}

static int same_color_blinks(const struct led_flash *flashes, size_t count, double *scratch,
                             struct led_phrases *out)
{
    size_t done = 0;
    struct beat beat;
    while (first_beat(flashes, done, count, &beat)) {
        grow(flashes, count, &beat);
        grow_back(flashes, done, &beat);
        if (add_loose(flashes, done, beat.first, scratch, out) ||
            add_blinks(flashes, beat.first, beat.end, LED_BLINK, scratch, out))
            return -1;
        done = beat.end;
    }
    return add_loose(flashes, done, count, scratch, out);
}

int led_blinks(const struct led_flash *flashes, size_t count, double *scratch, struct led_phrases *out)
{
    size_t first = 0;
    for (size_t i = 0; i < count; i++) {
        bool last =
            i + 1 == count || flashes[i + 1].color != flashes[i].color || flashes[i].gap > STALL_MOST_MS;
        if (!last)
            continue;
        if (same_color_blinks(flashes + first, i + 1 - first, scratch, out))
            return -1;
        first = i + 1;
    }
    return 0;
}
