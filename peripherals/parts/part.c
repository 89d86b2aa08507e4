/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parts/part.h"

#include "parts/bq24195.h"
#include "parts/button.h"
#include "parts/led.h"
#include "parts/max17043.h"
#include "parts/mx25l3233f.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- entries of the board file ----------------------------------------------------------------------------
 */

/* A pin "P0.13" -> 0..63. */
static int read_pin(const cJSON *entry, const char *member, uint8_t *pin, struct diag *why)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(entry, member);
    unsigned port = 0, number = 0;
    int end = 0;
    if (!cJSON_IsString(item) || sscanf(item->valuestring, "P%1u.%2u%n", &port, &number, &end) != 2 ||
        item->valuestring[end] || port > 1 || number > 31) {
        diag_set(why, "\"%s\" must name a pin such as \"P0.13\"", member);
        return -1;
    }
    *pin = (uint8_t)(port * 32 + number);
    return 0;
}

static bool read_flag(const cJSON *entry, const char *member, bool otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(entry, member);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : otherwise;
}

/* --- the kinds --------------------------------------------------------------------------------------------
 */

static int create_mx25l3233f(void *model, struct bus *bus, const char *name, const cJSON *entry,
                             struct diag *why)
{
    uint8_t csn;
    (void)name;
    if (read_pin(entry, "csn", &csn, why))
        return -1;
    if (mx25l3233f_init(model, bus, csn)) {
        diag_set(why, "out of memory, or no room for another SPI part");
        return -1;
    }
    return 0;
}

static void destroy_mx25l3233f(void *model)
{
    mx25l3233f_destroy(model);
}

static void power_mx25l3233f(void *model, bool on)
{
    if (on)
        mx25l3233f_reset(model);
}

static void supply_fails_mx25l3233f(void *model)
{
    mx25l3233f_supply_fails(model);
}

static void save_mx25l3233f(void *model, struct state *state)
{
    mx25l3233f_save(model, state);
}

#define SILENT_MS_MOST 1000000000ull

static int input_mx25l3233f(void *model, const char *what, double value)
{
    struct mx25l3233f *part = model;
    if (!strcmp(what, "answers"))
        part->answers = value != 0;
    else if (!strcmp(what, "silent_ms") && value >= 0)
        mx25l3233f_silence(part, value < SILENT_MS_MOST ? (uint64_t)(value * 1000) : SILENT_MS_MOST * 1000u);
    else if (!strcmp(what, "vdd_mv") && value >= 0)
        mx25l3233f_set_supply(part, value < UINT16_MAX ? (uint32_t)value : UINT16_MAX);
    else
        return -1;
    return 0;
}

static struct nor *array_mx25l3233f(void *model, const char *name)
{
    struct mx25l3233f *part = model;
    if (!strcmp(name, part->array.name))
        return &part->array;
    if (!strcmp(name, part->registers.name))
        return &part->registers;
    return strcmp(name, part->otp.name) ? NULL : &part->otp;
}

/* A pin that need not be there. */
static int optional_pin(const cJSON *entry, const char *member, uint8_t *pin, uint8_t otherwise,
                        struct diag *why)
{
    *pin = otherwise;
    return cJSON_HasObjectItem(entry, member) ? read_pin(entry, member, pin, why) : 0;
}

static int create_led(void *model, struct bus *bus, const char *name, const cJSON *entry, struct diag *why)
{
    uint8_t red, green, blue;
    if (optional_pin(entry, "red", &red, LED_NO_PIN, why) ||
        optional_pin(entry, "green", &green, LED_NO_PIN, why) ||
        optional_pin(entry, "blue", &blue, LED_NO_PIN, why))
        return -1;
    if (!led_init(model, bus, name, red, green, blue, read_flag(entry, "active_low", false)))
        return 0;
    diag_set(why, "a pin has no room for this LED");
    return -1;
}

static void power_led(void *model, bool on)
{
    (void)on;
    led_reset(model);
}

static void save_led(void *model, struct state *state)
{
    led_save(model, state);
}

static int create_button(void *model, struct bus *bus, const char *name, const cJSON *entry, struct diag *why)
{
    uint8_t pin;
    (void)name;
    if (read_pin(entry, "pin", &pin, why))
        return -1;
    if (!button_init(model, bus, pin, read_flag(entry, "pull_up", true)))
        return 0;
    diag_set(why, "the pin has no room for this button");
    return -1;
}

static void save_button(void *model, struct state *state)
{
    button_save(model, state);
}

static int input_button(void *model, const char *what, double value)
{
    if (strcmp(what, "pressed"))
        return -1;
    button_press(model, value != 0);
    return 0;
}

/* The lamp's colour: "light_color": [r, g, b], each 0 to 255. */
static void read_color(const cJSON *entry, uint16_t color[3])
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(entry, "light_color");
    for (int i = 0; i < 3; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        double value = cJSON_IsNumber(item) ? item->valuedouble : 255;
        color[i] = (uint16_t)((value < 0 ? 0 : value > 255 ? 255 : value) * 257);
    }
}

static int create_bq24195(void *model, struct bus *bus, const char *name, const cJSON *entry,
                          struct diag *why)
{
    uint8_t scl, sda;
    uint16_t color[3];
    if (read_pin(entry, "scl", &scl, why) || read_pin(entry, "sda", &sda, why))
        return -1;
    read_color(entry, color);
    if (!bq24195_init(model, bus, scl, sda, read_flag(entry, "light", true) ? name : NULL, color))
        return 0;
    diag_set(why, "no room for another I2C part");
    return -1;
}

/* The charger lives on its own supplies: the board's power switch is the battery's and USB's (input). */
static void save_bq24195(void *model, struct state *state)
{
    bq24195_save(model, state);
}

static int input_bq24195(void *model, const char *what, double value)
{
    struct bq24195 *part = model;
    if (!strcmp(what, "vbus"))
        bq24195_set_vbus(part, value != 0);
    else if (!strcmp(what, "battery"))
        bq24195_set_battery(part, value != 0, part->battery_full);
    else if (!strcmp(what, "battery_full"))
        bq24195_set_battery(part, part->battery, value != 0);
    else if (!strcmp(what, "fault"))
        bq24195_set_fault(part, (uint8_t)value);
    else
        return -1;
    return 0;
}

static int create_max17043(void *model, struct bus *bus, const char *name, const cJSON *entry,
                           struct diag *why)
{
    uint8_t scl, sda, alert;
    (void)name;
    if (read_pin(entry, "scl", &scl, why) || read_pin(entry, "sda", &sda, why) ||
        read_pin(entry, "alert", &alert, why))
        return -1;
    if (!max17043_init(model, bus, scl, sda, alert))
        return 0;
    diag_set(why, "no room for another I2C part");
    return -1;
}

static void power_max17043(void *model, bool on)
{
    if (on)
        max17043_reset(model);
}

static void save_max17043(void *model, struct state *state)
{
    max17043_save(model, state);
}

static int input_max17043(void *model, const char *what, double value)
{
    if (strcmp(what, "millivolts"))
        return -1;
    /* State of charge: a straight line between an empty cell at 3.3 V and a full one at 4.2 V. */
    double percent = (value - 3300) / 9;
    percent = percent < 0 ? 0 : percent > 100 ? 100 : percent;
    max17043_set_cell(model, (uint32_t)value, (uint16_t)(percent * 256));
    return 0;
}

static const struct part_kind kinds[] = {
    {"bq24195", sizeof(struct bq24195), create_bq24195, NULL, NULL, save_bq24195, input_bq24195, NULL, NULL},
    {"button", sizeof(struct button), create_button, NULL, NULL, save_button, input_button, NULL, NULL},
    {"led", sizeof(struct led), create_led, NULL, power_led, save_led, NULL, NULL, NULL},
    {"max17043", sizeof(struct max17043), create_max17043, NULL, power_max17043, save_max17043,
     input_max17043, NULL, NULL},
    {"mx25l3233f", sizeof(struct mx25l3233f), create_mx25l3233f, destroy_mx25l3233f, power_mx25l3233f,
     save_mx25l3233f, input_mx25l3233f, array_mx25l3233f, supply_fails_mx25l3233f},
};

int part_create(struct part *part, struct bus *bus, const cJSON *entry, struct diag *why)
{
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(entry, "kind");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(entry, "name");
    if (!cJSON_IsString(kind) || !cJSON_IsString(name)) {
        diag_set(why, "a part needs a \"kind\" and a \"name\"");
        return -1;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].kind, kind->valuestring))
            continue;
        void *model = calloc(1, kinds[i].size);
        if (!model) {
            diag_set(why, "out of memory");
            return -1;
        }
        snprintf(part->name, sizeof part->name, "%s", name->valuestring);
        if (kinds[i].create(model, bus, part->name, entry, why)) {
            free(model);
            return -1;
        }
        part->model = model;
        part->kind = &kinds[i];
        return 0;
    }
    diag_set(why, "there is no part of kind \"%s\"", kind->valuestring);
    return -1;
}

void part_destroy(struct part *part)
{
    if (!part->kind)
        return;
    if (part->kind->destroy)
        part->kind->destroy(part->model);
    free(part->model);
    memset(part, 0, sizeof *part);
}
