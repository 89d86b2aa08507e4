/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every trigger, action and expectation, on a guest of a few lines (tests/firmware/lamp.c) whose behaviour is
 * known to the millisecond: red 50/50 ms, blue while the button is held, a flash program after each, an erase
 * (85 ms) before every 16th, a reset after 40.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/run.h"

#define GUEST "\"name\": \"x\", \"modules\": [{\"file\": \"" TEST_FIRMWARE "/lamp.bin\", \"address\": 0}]"
#define RED   "{\"kind\": \"blink\", \"color\": \"red\", \"on_ms\": 50, \"off_ms\": 50}"

static void run_as(struct run_result *result, const struct run_options *options, const char *text)
{
    struct scenario scenario;
    struct diag why = {{0}};
    result_init(result);
    cr_assert_eq(scenario_parse(&scenario, "x.json", text, strlen(text), &why), 0, "%s", why.text);
    cr_assert_eq(scenario_run(&scenario, options, result, &why), 0, "%s", why.text);
    cr_assert_not(result->out_of_memory);
    scenario_free(&scenario);
}

static void run(struct run_result *result, const char *text)
{
    const struct run_options options = {0};
    run_as(result, &options, text);
}

/* Runs it and expects that every expectation is met. */
static void as_expected(const char *text)
{
    struct run_result result;
    run(&result, text);
    for (size_t i = 0; i < result.expectation_count; i++)
        cr_expect(result.expectations[i].ok, "%s; saw: %s", result.expectations[i].text,
                  result.expectations[i].saw);
    cr_expect_eq(result.verdict, VERDICT_AS_EXPECTED, "%s", result.why ? result.why : "");
    result_free(&result);
}

static void refused(const char *text, const char *expected)
{
    struct scenario scenario;
    struct run_result result;
    const struct run_options options = {0};
    struct diag why = {{0}};
    result_init(&result);
    cr_assert_eq(scenario_parse(&scenario, "x.json", text, strlen(text), &why), 0, "%s", why.text);
    cr_expect_eq(scenario_run(&scenario, &options, &result, &why), -1);
    cr_expect_eq(strncmp(why.text, expected, strlen(expected)), 0, "got: %s", why.text);
    scenario_free(&scenario);
    result_free(&result);
}

Test(scenario_run, without_a_timeline_it_is_switched_on_and_settles)
{
    as_expected("{" GUEST ", \"expect\": [{\"led\": " RED
                "}, {\"resets\": {\"min\": 2}}, {\"repeats\": true},"
                "{\"not\": {\"panic\": {}}}, {\"not\": {\"hang\": true}}]}");
}

Test(scenario_run, a_reset_is_answered_at_once)
{
    struct run_result result;
    run(&result,
        "{" GUEST
        ", \"timeline\": [{\"do\": \"power_on\"}, {\"when\": {\"reset\": 1}, \"do\": \"power_off\"}], "
        "\"until\": {\"after_ms\": 10}}");
    cr_assert_eq(result.boot_count, 2);
    cr_assert_eq(result.cut_count, 1);
    cr_expect_float_eq(result.cuts_ms[0], result.boots[1].t_ms, 0.1);
    result_free(&result);
}

Test(scenario_run, a_device_that_only_resets_hangs)
{
    /* Vectors to nowhere: the CPU locks up, and lock-up is a reset. */
    struct run_result result;
    run(&result, "{" GUEST ", \"state\": {\"bytes\": [{\"array\": \"internal\", \"address\": 4, \"fill\": "
                 "255, \"length\": 60}]}, "
                 "\"expect\": [{\"hang\": true}, {\"resets\": {\"min\": 20}}]}");
    cr_expect_eq(result.verdict, VERDICT_AS_EXPECTED, "%s", result.why ? result.why : "");
    cr_expect_lt(result.boot_count, 40);
    result_free(&result);
}

Test(scenario_run, time_triggers_are_exact)
{
    struct run_result result;
    run(&result, "{" GUEST ", \"timeline\": [{\"when\": {\"at_ms\": 123.25}, \"do\": \"power_on\"},"
                 "{\"when\": {\"after_ms\": 1000}, \"do\": \"power_off\"},"
                 "{\"when\": {\"at_ms\": 2000}, \"do\": {\"power_on\": {\"ram\": \"kept\"}}}], \"until\": "
                 "{\"at_ms\": 3000}}");
    cr_assert_eq(result.boot_count, 2);
    cr_expect_float_eq(result.boots[0].t_ms, 123.25, 1e-9);
    cr_expect_float_eq(result.cuts_ms[0], 1123.25, 0.01);
    cr_expect_float_eq(result.boots[1].t_ms, 2000, 0.01);
    cr_expect_float_eq(result.virtual_ms, 3000, 0.01);
    result_free(&result);
}

Test(scenario_run, buttons_and_lamp_triggers)
{
    as_expected(
        "{" GUEST ", \"timeline\": [{\"do\": \"power_on\"},"
        "{\"when\": {\"led\": {\"color\": \"red\", \"count\": {\"min\": 3}}}, \"do\": {\"press\": \"mode\"}},"
        "{\"when\": {\"led\": {\"color\": \"blue\", \"count\": {\"min\": 3}}}, \"do\": {\"release\": "
        "\"mode\"}},"
        "{\"when\": {\"after_ms\": 500}, \"do\": \"stop\"}],"
        "\"expect\": [{\"led_sequence\": [{\"color\": \"red\", \"count\": {\"min\": 3, \"max\": 5}},"
        "{\"color\": \"blue\", \"count\": {\"min\": 3, \"max\": 5}}, {\"color\": \"red\", \"at_end\": "
        "true}]},"
        "{\"not\": {\"led\": {\"color\": \"green\"}}}]}");
}

Test(scenario_run, flash_triggers_count_operations_of_their_kind)
{
    struct run_result result;
    run(&result,
        "{" GUEST ", \"timeline\": [{\"do\": \"power_on\"},"
        "{\"when\": {\"flash\": {\"array\": \"internal\", \"op\": \"program\", \"nth\": 7}}, \"do\": "
        "\"power_off\"}],"
        "\"until\": {\"after_ms\": 10},"
        "\"expect\": [{\"memory\": {\"array\": \"internal\", \"address\": \"0x80018\","
        "\"hex\": \"06000000 FFFFFFFF\"}}, {\"memory\": {\"array\": \"ram\", \"address\": \"0x10000\","
        "\"hex\": \"07000000\"}}]}");
    cr_expect_eq(result.verdict, VERDICT_AS_EXPECTED);
    cr_expect_eq(result.flash[0].programs, 7);
    cr_expect_eq(result.flash[0].erases, 1);
    cr_expect_eq(result.cut_count, 1);
    result_free(&result);
}

Test(scenario_run, power_goes_before_or_within_an_operation)
{
    as_expected(
        "{" GUEST ", \"timeline\": [{\"do\": \"power_on\"},"
        "{\"when\": {\"flash\": {\"op\": \"program\", \"address\": \"0x80008\", \"moment\": \"before\"}},"
        "\"do\": \"power_off\"}], \"until\": {\"after_ms\": 10},"
        "\"expect\": [{\"memory\": {\"array\": \"internal\", \"address\": \"0x80004\","
        "\"hex\": \"01000000 FFFFFFFF\"}}]}");
    as_expected(
        "{" GUEST ", \"timeline\": [{\"do\": \"power_on\"},"
        "{\"when\": {\"flash\": {\"op\": \"program\", \"address\": \"0x80008\", \"moment\": \"within\"}},"
        "\"do\": \"power_off\"}], \"until\": {\"after_ms\": 10},"
        "\"expect\": [{\"memory\": {\"array\": \"internal\", \"address\": \"0x80004\","
        "\"hex\": \"01000000 0200FFFF\"}}]}");
    as_expected(
        "{" GUEST ", \"state\": {\"bytes\": [{\"array\": \"internal\", \"address\": \"0x80000\", \"fill\": 0,"
        "\"length\": 4096}]}, \"timeline\": [{\"do\": \"power_on\"},"
        "{\"when\": {\"flash\": {\"op\": \"erase\", \"moment\": \"within\"}}, \"do\": \"power_off\"}],"
        "\"until\": {\"after_ms\": 10}, \"expect\": [{\"memory\": {\"array\": \"internal\","
        "\"address\": \"0x807FC\", \"hex\": \"FFFFFFFF 00000000\"}}]}");
}

/* The guest's first erase is from 100 to 185 ms, and the CPU stands still. */
Test(scenario_run, power_goes_by_the_clock_within_an_operation)
{
#define ZEROS                                                                                                \
    "\"state\": {\"bytes\": [{\"array\": \"internal\", \"address\": \"0x80000\", \"fill\": 0,"               \
    "\"length\": 4096}]}, \"timeline\": [{\"do\": \"power_on\"},"
#define IS(hex) "{\"memory\": {\"array\": \"internal\", \"address\": \"0x80400\", \"hex\": \"" hex "\"}}"
#define ONES    "FFFFFFFFFFFFFFFF FFFFFFFFFFFFFFFF FFFFFFFFFFFFFFFF"
#define NULLS   "0000000000000000 0000000000000000 0000000000000000"
    as_expected(
        "{" GUEST ", " ZEROS "{\"when\": {\"at_ms\": 140}, \"do\": \"power_off\"}],"
        "\"until\": {\"after_ms\": 100}, \"expect\": [{\"not\": " IS(ONES) "}, {\"not\": " IS(
            NULLS) "},"
                   "{\"finding\": \"the supply failed within the erase of internal 0x080000+4096\"}]}");
    as_expected(
        "{" GUEST ", " ZEROS "{\"when\": {\"at_ms\": 195}, \"do\": \"power_off\"}],"
        "\"until\": {\"after_ms\": 100}, \"expect\": [" IS(ONES) ", {\"not\": {\"finding\": \"supply\"}}]}");
    as_expected(
        "{" GUEST ", " ZEROS "{\"when\": {\"flash\": {\"op\": \"erase\"}}, \"do\": \"power_off\"}],"
        "\"until\": {\"after_ms\": 100}, \"expect\": [" IS(ONES) ", {\"not\": {\"finding\": \"supply\"}}]}");
    as_expected(
        "{" GUEST ", " ZEROS
        "{\"when\": {\"at_ms\": 100}, \"do\": {\"supply\": {\"mv\": 2900, \"over_ms\": 0,"
        "\"for_ms\": 40, \"then\": \"power_off\"}}}],"
        "\"until\": {\"after_ms\": 200}, \"expect\": [{\"not\": " IS(ONES) "}, {\"not\": " IS(
            NULLS) "},"
                   "{\"finding\": \"the supply failed within the erase of internal 0x080000+4096\"}]}");
}

Test(scenario_run, resets_code_addresses_and_exceptions_are_triggers)
{
    as_expected("{" GUEST
                ", \"timeline\": [{\"do\": \"power_on\"}, {\"when\": {\"reset\": 2}, \"do\": \"stop\"}],"
                "\"expect\": [{\"resets\": 2}]}");
    as_expected(
        "{" GUEST
        ", \"timeline\": [{\"do\": \"power_on\"}, {\"when\": {\"at_ms\": 200}, \"do\": {\"exception\": 3}},"
        "{\"when\": {\"exception\": 3}, \"do\": []}, {\"when\": {\"after_ms\": 100}, \"do\": \"stop\"}],"
        "\"expect\": [{\"led\": {\"kind\": \"solid\", \"color\": \"green\", \"at_end\": true}}]}");
}

Test(scenario_run, the_reset_pin_and_a_watched_address)
{
    struct run_result result;
    /* The reset handler is the second word of the image; it runs once a start. */
    char text[1024];
    uint8_t head[8];
    FILE *file = fopen(TEST_FIRMWARE "/lamp.bin", "rb");
    cr_assert_not_null(file);
    cr_assert_eq(fread(head, 1, sizeof head, file), sizeof head);
    fclose(file);
    snprintf(text, sizeof text,
             "{" GUEST
             ", \"timeline\": [{\"do\": \"power_on\"}, {\"when\": {\"at_ms\": 100}, \"do\": \"reset\"},"
             "{\"when\": {\"pc\": %u}, \"do\": []}], \"until\": {\"after_ms\": 0}}",
             head[4] | head[5] << 8);
    run(&result, text);
    cr_expect_eq(result.verdict, VERDICT_AS_EXPECTED, "%s", result.why ? result.why : "");
    cr_assert_eq(result.boot_count, 2);
    cr_expect_str_eq(result.boots[1].cause, reset_cause_name(RESET_PIN));
    cr_expect_float_eq(result.virtual_ms, result.boots[1].t_ms, 0.1);
    result_free(&result);
}

Test(scenario_run, memory_can_be_patched_and_cells_can_stick_while_it_runs)
{
    as_expected(
        "{" GUEST ", \"timeline\": [{\"do\": \"power_on\"},"
        "{\"when\": {\"at_ms\": 10}, \"do\": [{\"patch\": {\"array\": \"ram\", \"address\": \"0x8000\","
        "\"hex\": \"A5\"}}, {\"stick\": {\"array\": \"internal\", \"address\": \"0x80004\", \"bit\": 0, "
        "\"value\": 0}}]}],"
        "\"until\": {\"at_ms\": 600}, \"expect\": [{\"memory\": {\"array\": \"ram\", \"address\": \"0x8000\","
        "\"hex\": \"A5\"}}, {\"memory\": {\"array\": \"internal\", \"address\": \"0x80004\", \"hex\": "
        "\"00\"}}]}");
}

Test(scenario_run, a_device_that_stays_dark_is_told_as_a_hang)
{
    struct run_result result;
    run(&result,
        "{" GUEST ", \"state\": {\"bytes\": [{\"array\": \"internal\", \"address\": \"0x90000\", \"hex\":"
        "\"00000000\"}]}, \"expect\": [{\"hang\": true}, {\"finding\": \"stays dark\"}]}");
    cr_expect_eq(result.verdict, VERDICT_AS_EXPECTED);
    cr_expect_lt(result.virtual_ms, 11000);
    result_free(&result);
}

Test(scenario_run, limits_end_a_run_and_say_what_was_waited_for)
{
    struct run_result result;
    run(&result, "{" GUEST ", \"timeline\": [{\"do\": \"power_on\"},\n"
                 "{\"when\": {\"led\": {\"color\": \"violet\"}}, \"do\": \"stop\"}], \"limits\": "
                 "{\"virtual_ms\": 500}}");
    cr_expect_eq(result.verdict, VERDICT_LIMIT);
    cr_expect_not_null(strstr(result.why, "limits.virtual_ms; step 2 of the timeline (line 2)"), "%s",
                       result.why);
    result_free(&result);
    run(&result, "{" GUEST ", \"limits\": {\"boots\": 1}, \"until\": {\"at_ms\": 60000}}");
    cr_expect_eq(result.verdict, VERDICT_LIMIT);
    cr_expect_lt(result.virtual_ms, 10000);
    result_free(&result);
}

Test(scenario_run, failed_expectations_say_what_was_seen)
{
    struct run_result result;
    run(&result,
        "{" GUEST ", \"until\": {\"at_ms\": 1000}, \"expect\": [{\"resets\": 7, \"text\": \"seven resets\"},"
        "{\"led\": {\"color\": \"cyan\"}}, {\"not\": {\"led\": {\"color\": \"red\"}}}]}");
    cr_expect_eq(result.verdict, VERDICT_EXPECTATION_FAILED);
    cr_expect_str_eq(result.expectations[0].text, "seven resets [resets: 7]");
    cr_expect_str_eq(result.expectations[0].saw, "0");
    cr_expect_eq(strncmp(result.expectations[1].saw, "red blink 50/50 ms", 18), 0, "%s",
                 result.expectations[1].saw);
    cr_expect_not(result.expectations[2].ok);
    result_free(&result);
}

/* Words of a scenario's author may be of any length; what is said of them is cut. */
Test(scenario_run, a_light_with_a_long_name_is_no_harm)
{
    static const char head[] =
        "{" GUEST ", \"until\": {\"at_ms\": 10}, \"expect\": [{\"led\": {\"light\": \"";
    static const char tail[] = "\", \"kind\": \"blink\", \"count\": 3, \"on_ms\": 5, \"at_end\": true}}]}";
    const size_t length = 500000;
    struct run_result result;
    char *text = malloc(sizeof head + length + sizeof tail);
    cr_assert_not_null(text);
    strcpy(text, head);
    memset(text + sizeof head - 1, 'x', length);
    strcpy(text + sizeof head - 1 + length, tail);
    run(&result, text);
    cr_assert_eq(result.expectation_count, 1);
    cr_expect_not(result.expectations[0].ok);
    cr_expect_eq(strncmp(result.expectations[0].text, "xxxx", 4), 0);
    cr_expect_lt(strlen(result.expectations[0].text), 1100);
    result_free(&result);
    free(text);
}

Test(scenario_run, files_slots_and_settings_are_there)
{
    as_expected(
        "{" GUEST ", \"state\": {\"start\": \"factory\", \"dct\": {\"claimed\": \"claimed\"},"
        "\"slots\": [{\"slot\": 2, \"module\": {\"published\": \"2.0.1\", \"kind\": \"tinker\"}}],"
        "\"files\": [{\"path\": \"/usr/a/b.txt\", \"text\": \"hello\"}],"
        "\"fill_filesystem\": {\"free_blocks\": 3}},"
        "\"timeline\": [], \"until\": {\"at_ms\": 1},"
        "\"expect\": [{\"file\": {\"path\": \"/usr/a/b.txt\", \"text\": \"hello\"}},"
        "{\"file\": {\"path\": \"/sys/dct.bin\", \"size\": 8391}},"
        "{\"dct\": {\"claimed\": \"claimed\", \"setup_done\": \"erased\","
        "\"flash_modules[2].destination_address\": \"0xD4000\", \"flash_modules[2].length\": 11412,"
        "\"flash_modules[2].source_address\": \"0x289000\", \"flash_modules[2].flags\": 14,"
        "\"flash_modules[2].module_function\": \"user_part\"}},"
        "{\"slot\": {\"slot\": 2, \"is\": \"pending\"}}, {\"slot\": {\"slot\": 1, \"is\": \"free\"}},"
        "{\"module\": {\"kind\": \"bootloader\", \"valid\": false}},"
        "{\"memory\": {\"array\": \"uicr\", \"address\": \"0x14\", \"hex\": \"00400F00 00F00200\"}}]}");
}

Test(scenario_run, a_path_may_be_longer_than_any_of_its_names)
{
    char name[201], text[4000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(text, sizeof text,
             "{" GUEST ", \"state\": {\"files\": [{\"path\": \"/%s/%s/%s\", \"text\": \"x\"}]}, "
             "\"timeline\": [], \"until\": {\"at_ms\": 1}, "
             "\"expect\": [{\"file\": {\"path\": \"/%s/%s/%s\", \"text\": \"x\"}}]}",
             name, name, name, name, name, name);
    as_expected(text);
}

Test(scenario_run, what_cannot_be_done_is_refused_with_its_place)
{
    refused("{" GUEST ",\n\"state\": {\"start\": \"blank\", \"dct\": {\"claimed\": 1}}}",
            "x.json:2:48: state.dct.claimed: this needs a file system");
    refused("{" GUEST ",\n\"timeline\": [{\"do\": {\"press\": \"mood\"}}]}",
            "x.json:2:31: timeline[0].do.press: the board has no part \"mood\"");
    refused("{" GUEST
            ",\n\"state\": {\"inputs\": [{\"part\": \"mode\", \"what\": \"volume\", \"value\": 1}]}}",
            "x.json:2:22: state.inputs[0]: the part \"mode\" (button) has no input \"volume\"");
    refused("{" GUEST
            ",\n\"state\": {\"inputs\": [{\"part\": \"chip\", \"what\": \"anomaly_1\", \"value\": 1}]}}",
            "x.json:2:22: state.inputs[0]: the chip has no input \"anomaly_1\"");
    refused(
        "{" GUEST
        ",\n\"state\": {\"bytes\": [{\"array\": \"internal\", \"address\": \"0x100000\", \"hex\": \"00\"}]}}",
        "x.json:2:21: state.bytes[0]: internal has 0x100000 bytes");
    refused("{\"name\": \"x\",\n\"modules\": [{\"published\": \"2.0.1\"}, {\"file\": \"" TEST_FIRMWARE
            "/lamp.bin\", \"address\": \"0xD4100\"}]}",
            "x.json:2:37: modules[1]: this module (0xd4100 to");
}

Test(scenario_run, the_same_scenario_gives_the_same_run)
{
    static const char text[] = "{" GUEST ", \"until\": {\"at_ms\": 2500}}";
    struct run_result a, b, c;
    const struct run_options other = {.has_seed = true, .seed = 99};
    run(&a, text);
    run(&b, text);
    run_as(&c, &other, text);
    cr_expect_eq(a.trace_hash, b.trace_hash);
    cr_expect_eq(c.seed, 99);
    result_free(&a);
    result_free(&b);
    result_free(&c);
}

Test(scenario_run, how_often_the_lamp_is_looked_at_changes_nothing)
{
    /* A lamp trigger is looked for every 20 ms, the end every 250 ms. */
    struct run_result a, b;
    run(&a, "{" GUEST ", \"until\": {\"at_ms\": 2500}}");
    run(&b,
        "{" GUEST ", \"timeline\": [{\"do\": \"power_on\"}, {\"when\": {\"led\": {\"color\": \"violet\"}},"
        "\"do\": \"stop\"}], \"limits\": {\"virtual_ms\": 2500}}");
    cr_expect_eq(a.trace_hash, b.trace_hash);
    result_free(&a);
    result_free(&b);
}

Test(scenario_run, what_is_checked_on_the_way_is_judged_then)
{
    struct run_result result;
    as_expected("{" GUEST ", \"timeline\": [{\"do\": \"power_on\"}, {\"when\": {\"at_ms\": 1000}, \"do\": "
                "{\"check\": [{\"resets\": 0}]}}, {\"when\": {\"reset\": 1}, \"do\": "
                "{\"check\": [{\"resets\": 1}]}}], \"expect\": [{\"resets\": {\"min\": 1}}]}");
    run(&result, "{" GUEST ", \"timeline\": [{\"do\": \"power_on\"}, {\"when\": {\"at_ms\": 1000}, \"do\": "
                 "[{\"check\": [{\"resets\": 1}]}, \"stop\"]}]}");
    cr_expect_eq(result.verdict, VERDICT_EXPECTATION_FAILED);
    cr_assert_eq(result.expectation_count, 1);
    cr_expect_str_eq(result.expectations[0].text, "at 1000 ms: resets: 1");
    result_free(&result);
}

#define QUEUE "\"files\": [{\"path\": \"/usr/queue\", \"fill\": 65, \"size\": 24000}]"

Test(scenario_run, a_file_system_is_sound_or_not)
{
    as_expected("{" GUEST ", \"state\": {" QUEUE "}, \"expect\": [{\"file_system\": {\"is\": \"sound\"}}, "
                "{\"not\": {\"file_system\": {\"is\": \"damaged\"}}}]}");
    as_expected(
        "{" GUEST ", \"state\": {" QUEUE ", \"erase\": [{\"file\": \"/usr/queue\", \"block\": "
        "\"last\"}]}, \"expect\": [{\"file_system\": {\"is\": \"fatal\", \"finding\": \"/usr/queue\"}}, "
        "{\"file_system\": {\"is\": \"damaged\"}}, {\"not\": {\"file_system\": {\"is\": \"sound\"}}}, "
        "{\"not\": {\"file_system\": {\"is\": \"fatal\", \"finding\": \"/sys/dct.bin\"}}}]}");
}

Test(scenario_run, a_directory_has_a_newer_and_an_older_block)
{
    /* Without the newer one /usr is as it was before its last change. */
    as_expected("{" GUEST ", \"state\": {" QUEUE
                ", \"bytes\": [{\"file\": \"/usr\", \"block\": 0, \"offset\": 4, "
                "\"hex\": \"00\"}]}, \"expect\": [{\"file\": {\"path\": \"/usr/queue\", \"size\": 0}}, "
                "{\"file_system\": {\"is\": \"damaged\", \"finding\": \"/usr: the newest commit\"}}]}");
    as_expected("{" GUEST ", \"state\": {" QUEUE
                ", \"bytes\": [{\"file\": \"/usr\", \"block\": 1, \"offset\": 4, "
                "\"hex\": \"00\"}]}, \"expect\": [{\"file\": {\"path\": \"/usr/queue\", \"size\": 24000}}]}");
    refused("{" GUEST ", \"state\": {\"bytes\": [{\"file\": \"/usr\", \"block\": 2, \"hex\": \"00\"}]}}",
            "x.json:1:");
}

#define RAM_IS(hex) "{\"memory\": {\"array\": \"ram\", \"address\": \"0x8000\", \"hex\": \"" hex "\"}}"
#define RAM_STORY(state, again, hex)                                                                         \
    "{" GUEST ", \"state\": {" state "\"bytes\": [{\"array\": \"ram\", \"address\": \"0x8000\", \"hex\": "   \
    "\"A55A\"}]}, \"timeline\": [{\"do\": \"power_on\"}, {\"when\": {\"after_ms\": 20}, \"do\": "            \
    "[{\"check\": [" RAM_IS("A55A") "]}, \"power_off\"]}, {\"when\": {\"after_ms\": 20000}, \"do\": " again  \
                                    "}], \"until\": {\"after_ms\": 10}, \"expect\": [" hex "]}"

Test(scenario_run, ram_after_a_cut_is_what_the_state_says_unless_the_step_does)
{
    /* What was put into RAM is there at the first start in any case. */
    as_expected(RAM_STORY("", "\"power_on\"", RAM_IS("0000")));
    as_expected(RAM_STORY("\"ram\": \"kept\", ", "\"power_on\"", RAM_IS("A55A")));
    as_expected(RAM_STORY("\"ram\": \"kept\", ", "{\"power_on\": {\"ram\": \"cleared\"}}", RAM_IS("0000")));
    as_expected(RAM_STORY("", "{\"power_on\": {\"ram\": \"kept\"}}", RAM_IS("A55A")));
    as_expected(RAM_STORY("", "{\"power_on\": {\"ram\": \"decayed\"}}",
                          "{\"not\": " RAM_IS("A55A") "}, {\"not\": " RAM_IS("0000") "}"));
}
