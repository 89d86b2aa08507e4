/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of colours, as the vendor's table of LED signals uses them, whatever the brightness.
 *
 * Not modelled: shades. Ten names are all a person needs to tell one signal from another.
 */
#ifndef SOSIM_LED_COLOR_H
#define SOSIM_LED_COLOR_H

#include <stdint.h>

enum led_color {
    LED_NO_COLOR, /* dark */
    LED_RED,
    LED_ORANGE,
    LED_YELLOW,
    LED_GREEN,
    LED_CYAN,
    LED_BLUE,
    LED_VIOLET,
    LED_MAGENTA,
    LED_WHITE,
    LED_MIXED, /* several, one after another, in one phrase */
    LED_COLORS
};

/* The brightest channel, 0..255. */
uint8_t led_brightness(uint8_t r, uint8_t g, uint8_t b);

/* A lamp at 1/255 or less is dark to the eye. */
enum led_color led_color_of(uint8_t r, uint8_t g, uint8_t b);

/* "off" for LED_NO_COLOR, else "red", …; never NULL. */
const char *led_color_name(enum led_color color);

/* The colour called `name`, or LED_COLORS when there is none. */
enum led_color led_color_by_name(const char *name);

#endif
