/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "led/color.h"

#include <stddef.h>
#include <string.h>

static const char *const names[LED_COLORS] = {
    [LED_NO_COLOR] = "off",    [LED_RED] = "red",     [LED_ORANGE] = "orange", [LED_YELLOW] = "yellow",
    [LED_GREEN] = "green",     [LED_CYAN] = "cyan",   [LED_BLUE] = "blue",     [LED_VIOLET] = "violet",
    [LED_MAGENTA] = "magenta", [LED_WHITE] = "white", [LED_MIXED] = "mixed",
};

/* Where on the colour wheel (degrees, red = 0, green = 120, blue = 240) each name begins. */
static const struct {
    double from;
    enum led_color color;
} wheel[] = {
    {340, LED_RED},  {285, LED_MAGENTA}, {255, LED_VIOLET}, {200, LED_BLUE}, {155, LED_CYAN},
    {75, LED_GREEN}, {45, LED_YELLOW},   {15, LED_ORANGE},  {0, LED_RED},
};

uint8_t led_brightness(uint8_t r, uint8_t g, uint8_t b)
{
    uint8_t most = r > g ? r : g;
    return most > b ? most : b;
}

static double hue(double r, double g, double b, double most, double least)
{
    double spread = most - least;
    double degrees;
    if (most == r)
        degrees = 60 * (g - b) / spread;
    else if (most == g)
        degrees = 120 + 60 * (b - r) / spread;
    else
        degrees = 240 + 60 * (r - g) / spread;
    return degrees < 0 ? degrees + 360 : degrees;
}

enum led_color led_color_of(uint8_t r, uint8_t g, uint8_t b)
{
    double most = led_brightness(r, g, b);
    double least = r < g ? r : g;
    if (b < least)
        least = b;
    if (most <= 1)
        return LED_NO_COLOR;
    if (most - least <= 0.4 * most)
        return LED_WHITE;
    double degrees = hue(r, g, b, most, least);
    size_t i = 0;
    while (degrees < wheel[i].from)
        i++;
    return wheel[i].color;
}

const char *led_color_name(enum led_color color)
{
    return (unsigned)color < LED_COLORS ? names[color] : "off";
}

enum led_color led_color_by_name(const char *name)
{
    int color = LED_NO_COLOR;
    while (color < LED_COLORS && strcmp(names[color], name) != 0)
        color++;
    return (enum led_color)color;
}
