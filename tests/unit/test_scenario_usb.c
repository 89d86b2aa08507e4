/* SPDX-License-Identifier: GPL-2.0-or-later */
/* USB actions and triggers of scenarios: what is said about mistakes in them. */
#include "scenario/scenario.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Parses a scenario with one step; returns what is wrong, "" for nothing. */
static const char *mistake_in(const char *when, const char *act)
{
    static struct diag why;
    char text[1024];
    struct scenario scenario;
    why = (struct diag){{0}};
    snprintf(text, sizeof text,
             "{\"name\": \"x\", \"modules\": [{\"published\": \"2.0.1\"}],"
             " \"timeline\": [{\"when\": %s, \"do\": {\"usb\": %s}}]}",
             when, act);
    if (!scenario_parse(&scenario, "x.json", text, strlen(text), &why))
        scenario_free(&scenario);
    return why.text;
}

#define expect_good(act) cr_expect_str_eq(mistake_in("{\"usb\": \"done\"}", act), "")
#define expect_bad(act, words)                                                                               \
    cr_expect_not_null(strstr(mistake_in("{\"usb\": \"done\"}", act), words), "%s: \"%s\"", act,             \
                       mistake_in("{\"usb\": \"done\"}", act))

Test(scenario_usb, good_actions_are_taken)
{
    expect_good("{\"plug\": false}");
    expect_good("{\"download\": {\"alt\": 1, \"address\": 1753, \"hex\": \"A5\", \"fails\": \"timed out\"}}");
    expect_good("{\"download\": {\"alt\": 0, \"address\": \"0x1000\", \"skip\": 24, \"leave\": true,"
                " \"module\": {\"published\": \"2.0.1\", \"kind\": \"softdevice\"}}}");
    expect_good("{\"upload\": {\"alt\": 2, \"address\": \"0x80000000\", \"fill\": \"0xFF\", \"length\": 9}}");
    expect_good(
        "{\"control\": {\"type\": \"0x80\", \"request\": 6, \"wlength\": 18, \"answer\": \"12 01\"}}");
    expect_good("{\"request\": {\"number\": 20}}");
    expect_good("{\"update\": {\"module\": {\"file\": \"app.bin\"}}}");
    expect_good("{\"ymodem\": {\"module\": {\"file\": \"app.bin\"}, \"fails\": \"cancelled\"}}");
    expect_good("{\"serial\": {\"text\": \"i\", \"wait\": \"Device ID\", \"within_ms\": 100}}");
}

Test(scenario_usb, mistakes_are_named)
{
    expect_bad("{}", "exactly one of these is expected here: plug, download");
    expect_bad("{\"plug\": true, \"upload\": {}}", "exactly one of");
    expect_bad("{\"reset\": true}", "no member \"reset\"");
    expect_bad("{\"download\": {\"address\": 0, \"hex\": \"00\"}}", "alt");
    expect_bad("{\"download\": {\"alt\": 0, \"hex\": \"00\"}}", "address");
    expect_bad("{\"download\": {\"alt\": 0, \"address\": 0}}", "bytes are missing");
    expect_bad("{\"download\": {\"alt\": 0, \"address\": 0, \"hex\": \"00\", \"skip\": 1}}", "\"skip\"");
    expect_bad("{\"download\": {\"alt\": 0, \"address\": 0, \"module\": {\"published\": \"2.0.1\"}}}",
               "kind");
    expect_bad("{\"download\": {\"alt\": 0, \"address\": 0, \"hex\": \"00\","
               " \"module\": {\"file\": \"a\"}}}",
               "not both");
    expect_bad("{\"control\": {\"type\": 0, \"request\": 9, \"answer\": \"00\"}}", "wlength");
    expect_bad("{\"control\": {\"type\": \"0x80\", \"request\": 6, \"hex\": \"00\"}}", "wlength");
    expect_bad("{\"control\": {\"type\": 256, \"request\": 6}}", "255");
    expect_bad("{\"request\": {\"number\": 10, \"fill\": 0, \"length\": 4097}}", "4096");
    expect_bad("{\"update\": {}}", "module");
    expect_bad("{\"ymodem\": {\"file\": \"app.bin\"}}", "no member \"file\"");
}

Test(scenario_usb, moments_are_known)
{
    cr_expect_str_eq(mistake_in("{\"usb\": \"configured\"}", "{\"plug\": true}"), "");
    cr_expect_str_eq(mistake_in("{\"usb\": \"left\"}", "{\"plug\": true}"), "");
    cr_expect(strstr(mistake_in("{\"usb\": \"gone\"}", "{\"plug\": true}"), "configured"));
}
