/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All lengths are measured in the preamble's own short flash (150 ms as the firmware means it), so a delay
 * loop that runs fast or slow does not matter: short 1, long 2, gap within a letter 2/3, between letters 4/3,
 * before the code 20/3, code 2 on 2 off, pause after it 22/3.
 */
#include "led/recognise.h"

#define PREAMBLE      9
#define UNIT_LEAST_MS 75.0
#define UNIT_MOST_MS  300.0
#define CODE_ON       2.0
#define CODE_GAP_MOST 4.0
#define ROUND_PAUSE   (22.0 / 3.0)
/* A pause this long can only be the one after the code. */
#define PAUSE_LEAST 5.0

static bool near_to(double length, double wanted, double unit)
{
    double slack = 0.3 * wanted * unit + 5;
    return length >= wanted * unit - slack && length <= wanted * unit + slack;
}

/* The mean of the first three flashes; 0 when they cannot be an S. */
static double unit_of(const struct led_flash *flashes)
{
    double sum = 0;
    for (int i = 0; i < 3; i++)
        sum += flashes[i].to - flashes[i].from;
    double unit = sum / 3;
    return unit >= UNIT_LEAST_MS && unit <= UNIT_MOST_MS ? unit : 0;
}

static bool is_preamble(const struct led_flash *flashes, double unit)
{
    static const double on[PREAMBLE] = {1, 1, 1, 2, 2, 2, 1, 1, 1};
    static const double gap[PREAMBLE - 1] = {2 / 3.0, 2 / 3.0, 4 / 3.0, 2 / 3.0,
                                             2 / 3.0, 4 / 3.0, 2 / 3.0, 2 / 3.0};
    for (int i = 0; i < PREAMBLE; i++) {
        if (flashes[i].color != flashes[0].color || !near_to(flashes[i].to - flashes[i].from, on[i], unit))
            return false;
        if (i < PREAMBLE - 1 && !near_to(flashes[i].gap, gap[i], unit))
            return false;
    }
    return true;
}

static bool is_code_flash(const struct led_flash *flash, enum led_color color, double unit)
{
    if (flash->color != color)
        return false;
    double on = flash->to - flash->from;
    return near_to(on, CODE_ON, unit) || (flash->early && on < CODE_ON * unit);
}

/* How many flashes of code follow the preamble whose last flash is flashes[0]. */
static size_t code_flashes(const struct led_flash *flashes, size_t count, double unit)
{
    size_t code = 0;
    if (flashes[0].gap < PAUSE_LEAST * unit)
        return 0;
    while (code + 1 < count && is_code_flash(&flashes[code + 1], flashes[0].color, unit)) {
        code++;
        if (flashes[code].gap > CODE_GAP_MOST * unit)
            break;
    }
    return code;
}

size_t led_sos_at(const struct led_flash *flashes, size_t count, struct led_phrase *phrase)
{
    if (count < PREAMBLE)
        return 0;
    double unit = unit_of(flashes);
    if (unit == 0 || !is_preamble(flashes, unit))
        return 0;
    size_t code = code_flashes(flashes + PREAMBLE - 1, count - PREAMBLE + 1, unit);
    const struct led_flash *last = &flashes[PREAMBLE - 1 + code];
    double pause = last->gap < 1.3 * ROUND_PAUSE * unit ? last->gap : ROUND_PAUSE * unit;
    *phrase = (struct led_phrase){.t_ms = flashes[0].from,
                                  .end_ms = last->to + pause,
                                  .kind = LED_SOS,
                                  .color = flashes[0].color,
                                  .level = flashes[0].level,
                                  .count = code > 0 && last->gap >= PAUSE_LEAST * unit,
                                  .code = (int)code};
    return PREAMBLE + code;
}
