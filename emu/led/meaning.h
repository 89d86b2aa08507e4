/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the vendor says a signal of a lamp stands for.
 *
 * Sources: Device OS v2.0.1: system/src/system_led_signal.cpp (theme), bootloader/src/main.c (toggles every
 * 51 or 101 ms), services/inc/panic_codes.h; the BQ24195 data sheet, STAT pin (charge lamp).
 *
 * Not modelled: themes that a program or the DCT changed.
 */
#ifndef SOSIM_LED_MEANING_H
#define SOSIM_LED_MEANING_H

struct led_phrase;

enum led_lamp {
    LED_LAMP_STATUS, /* the RGB lamp */
    LED_LAMP_CHARGE, /* the charger's lamp */
    LED_LAMP_USER,   /* a lamp that belongs to the program; nothing is documented */
};

/* Constant text, or NULL when nothing is documented for this phrase. */
const char *led_meaning(enum led_lamp lamp, const struct led_phrase *phrase);

/* Name of a panic code (1..14): "assertion failure", …; NULL for any other. */
const char *led_panic_name(int code);

#endif
