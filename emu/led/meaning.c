/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "led/meaning.h"

#include <math.h>
#include <stddef.h>

#include "led/phrases.h"

/* How far a rhythm may be from the documented one, as a part of it. */
#define RHYTHM_TOLERANCE 0.2

struct meaning {
    enum led_kind kind;
    enum led_color color;
    double on_ms; /* blink: length of a flash */
    const char *text;
};

static const struct meaning status_meanings[] = {
    {LED_BLINK, LED_MAGENTA, 51, "bootloader is installing a firmware module"},
    {LED_BLINK, LED_MAGENTA, 101, "MODE held at start: safe mode when let go"},
    {LED_BLINK, LED_YELLOW, 101, "DFU mode: waiting for firmware over USB"},
    {LED_BLINK, LED_GREEN, 51,
     "bootloader is restoring the factory firmware, or asking the network for an address"},
    {LED_BLINK, LED_WHITE, 51, "MODE held at start: settings are reset when let go"},
    {LED_BLINK, LED_GREEN, 100, "connecting to the network"},
    {LED_BLINK, LED_CYAN, 100, "connecting to the device cloud"},
    {LED_BLINK, LED_CYAN, 50, "handshake with the device cloud"},
    {LED_BLINK, LED_BLUE, 250, "listening mode: waiting to be set up"},
    {LED_BREATHE, LED_WHITE, 0, "network is off"},
    {LED_BREATHE, LED_BLUE, 0, "network is on, not connected"},
    {LED_BREATHE, LED_GREEN, 0, "connected to the network, not to the cloud"},
    {LED_BREATHE, LED_CYAN, 0, "connected to the device cloud"},
    {LED_BREATHE, LED_MAGENTA, 0, "safe mode: connected to the device cloud, program not running"},
    {LED_SOLID, LED_WHITE, 0, "system starting, or external flash being formatted"},
};

static const struct meaning charge_meanings[] = {
    {LED_OFF, LED_NO_COLOR, 0, "not charging: battery full, or no supply"},
    {LED_SOLID, LED_YELLOW, 0, "charging"},
    {LED_BLINK, LED_YELLOW, 500, "charger fault"},
};

/* The charger looks for a battery that is not there: it starts and stops several times a second. */
#define CHARGE_FLICKER_MS 300
static const char charge_flicker[] = "charger finds no battery";

static const char *const panic_names[] = {
    [1] = "hard fault",
    [2] = "NMI",
    [3] = "memory management fault",
    [4] = "bus fault",
    [5] = "usage fault",
    [6] = "invalid length",
    [7] = "exit",
    [8] = "out of heap",
    [9] = "SPI overrun",
    [10] = "assertion failure",
    [11] = "invalid case",
    [12] = "pure virtual call",
    [13] = "stack overflow",
    [14] = "heap error",
};

const char *led_panic_name(int code)
{
    if (code < 1 || (size_t)code >= sizeof panic_names / sizeof *panic_names)
        return NULL;
    return panic_names[code];
}

/* Part of the documented length by which the phrase's flashes miss it; 0 when length does not matter. */
static double miss(const struct meaning *meaning, const struct led_phrase *phrase)
{
    return meaning->on_ms > 0 ? fabs(phrase->on_ms - meaning->on_ms) / meaning->on_ms : 0;
}

static const char *look_up(const struct meaning *table, size_t count, const struct led_phrase *phrase)
{
    const char *text = NULL;
    double best = RHYTHM_TOLERANCE;
    for (size_t i = 0; i < count; i++) {
        if (table[i].kind != phrase->kind || table[i].color != phrase->color)
            continue;
        if (miss(&table[i], phrase) <= best) {
            best = miss(&table[i], phrase);
            text = table[i].text;
        }
    }
    return text;
}

const char *led_meaning(enum led_lamp lamp, const struct led_phrase *phrase)
{
    switch (lamp) {
    case LED_LAMP_STATUS:
        if (phrase->kind == LED_SOS)
            return phrase->count ? led_panic_name(phrase->code) : NULL;
        return look_up(status_meanings, sizeof status_meanings / sizeof *status_meanings, phrase);
    case LED_LAMP_CHARGE:
        if ((phrase->kind == LED_BLINK || phrase->kind == LED_OTHER) && phrase->on_ms < CHARGE_FLICKER_MS)
            return charge_flicker;
        return look_up(charge_meanings, sizeof charge_meanings / sizeof *charge_meanings, phrase);
    case LED_LAMP_USER:
        break;
    }
    return NULL;
}
