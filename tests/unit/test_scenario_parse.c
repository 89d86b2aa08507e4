/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenario texts, good and bad: what is made of them, and where mistakes are said to be. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

static void parse(struct scenario *scenario, const char *text)
{
    struct diag why = {{0}};
    cr_assert_eq(scenario_parse(scenario, "dir/x.json", text, strlen(text), &why), 0, "%s", why.text);
}

static void refuse(const char *text, const char *expected)
{
    struct scenario scenario;
    struct diag why = {{0}};
    int err = scenario_parse(&scenario, "dir/x.json", text, strlen(text), &why);
    cr_assert_eq(err, -1, "was accepted: %s", text);
    cr_expect_eq(strncmp(why.text, expected, strlen(expected)), 0, "got: %s", why.text);
}

Test(scenario_parse, the_least_scenario_switches_a_provisioned_boron_on)
{
    struct scenario s;
    parse(&s, "{\"name\": \"x\"}");
    cr_expect_str_eq(s.name, "x");
    cr_expect_str_eq(s.board, "boron");
    cr_expect_str_eq(s.directory, "dir/");
    cr_expect_eq(s.state.start, START_PROVISIONED);
    cr_expect_eq(s.step_count, 1);
    cr_expect_eq(s.steps[0].actions[0].kind, ACTION_POWER_ON);
    cr_expect_eq(s.until.kind, TRIGGER_SETTLED);
    scenario_free(&s);
}

Test(scenario_parse, every_kind_of_state_is_kept)
{
    struct scenario s;
    parse(&s, "{\"name\": \"x\", \"seed\": \"0xffffffffffffffff\","
              "\"modules\": [{\"published\": \"2.0.1\"}, {\"file\": \"a.bin\", \"address\": \"0xD4000\"}],"
              "\"state\": {\"start\": \"factory\", \"dct\": {\"setup_done\": 1, \"claimed\": \"claimed\"},"
              "\"slots\": [{\"slot\": 2, \"module\": {\"published\": \"2.0.1\", \"kind\": \"tinker\"},"
              "\"at\": \"0x290000\", \"record\": {\"flags\": 2}}],"
              "\"files\": [{\"path\": \"/usr/x\", \"fill\": 7, \"size\": 3}, {\"path\": \"/usr/y\", "
              "\"delete\": true}],"
              "\"fill_filesystem\": {\"free_blocks\": 2},"
              "\"bytes\": [{\"file\": \"/sys/dct.bin\", \"block\": 2, \"offset\": 1, \"hex\": \"FF 00a5\"}],"
              "\"erase\": [{\"array\": \"internal\", \"address\": \"0x1000\", \"length\": 16}],"
              "\"stuck\": [{\"block\": \"lowest-free\", \"offset\": 4, \"bit\": 1, \"value\": 0}],"
              "\"inputs\": [{\"part\": \"flash\", \"what\": \"answers\", \"value\": false}],"
              "\"ram\": \"decayed\"}}");
    cr_expect_eq(s.seed, UINT64_MAX);
    cr_expect_eq(s.module_count, 2);
    cr_expect_eq(s.modules[1].address, 0xD4000);
    cr_expect_eq(s.state.dct_count, 2);
    cr_expect_str_eq(s.state.dct[1].name, "claimed");
    cr_expect_str_eq(s.state.dct[1].text, "claimed");
    cr_expect_eq(s.state.slots[0].slot, 2);
    cr_expect_eq(s.state.slots[0].source, 0x290000);
    cr_expect_str_eq(s.state.slots[0].overrides[0].name, "flash_modules[2].flags");
    cr_expect_eq(s.state.files[0].content.length, 3);
    cr_expect_eq(s.state.files[0].content.bytes[2], 7);
    cr_expect(s.state.files[1].remove);
    cr_expect(s.state.fill);
    cr_expect_eq(s.state.free_blocks, 2);
    cr_expect_arr_eq(s.state.bytes[0].content.bytes, "\xff\x00\xa5", 3);
    cr_expect_str_eq(s.state.bytes[0].place.array, "external");
    cr_expect_eq(s.state.bytes[0].place.block, 2);
    cr_expect_eq(s.state.erases[0].length, 16);
    cr_expect(s.state.stuck[0].place.lowest_free);
    cr_expect_eq(s.state.inputs[0].value, 0);
    cr_expect_eq(s.state.ram, RAM_DECAYED);
    scenario_free(&s);
}

Test(scenario_parse, every_kind_of_step_is_kept)
{
    struct scenario s;
    parse(&s,
          "{\"name\": \"x\", \"timeline\": ["
          "{\"when\": {\"at_ms\": 0}, \"do\": [{\"press\": \"mode\"}, {\"power_on\": {\"ram\": \"kept\"}}]},"
          "{\"when\": {\"flash\": {\"array\": \"internal\", \"op\": \"erase\", \"nth\": 52, \"moment\": "
          "\"within\"}},"
          " \"do\": \"power_off\"},"
          "{\"when\": {\"led\": {\"kind\": \"blink\", \"color\": \"magenta\", \"on_ms\": 51}}, \"do\": "
          "{\"release\": \"mode\"}},"
          "{\"when\": {\"pc\": \"0xF4220\"}, \"do\": {\"exception\": 3}},"
          "{\"when\": {\"pc\": {\"address\": 8, \"nth\": 3}}, \"do\": \"reset\"},"
          "{\"when\": {\"reset\": 2}, \"do\": {\"load\": [{\"published\": \"2.0.1\"}]}},"
          "{\"when\": {\"exception\": 3}, \"do\": {\"patch\": {\"array\": \"ram\", \"address\": 4, \"hex\": "
          "\"00\"}}},"
          "{\"when\": {\"after_ms\": 1.5}, \"do\": \"stop\"}], \"until\": {\"at_ms\": 9}}");
    cr_assert_eq(s.step_count, 8);
    cr_expect_eq(s.steps[0].action_count, 2);
    cr_expect_eq(s.steps[0].actions[0].kind, ACTION_PRESS);
    cr_expect_eq(s.steps[0].actions[1].ram, RAM_KEPT);
    cr_expect_eq(s.steps[1].when.nth, 52);
    cr_expect_eq(s.steps[1].when.moment, FLASH_WITHIN);
    cr_expect_eq(s.steps[1].when.op, NOR_ERASE);
    cr_expect_eq(s.steps[2].when.led.color, LED_MAGENTA);
    cr_expect_float_eq(s.steps[2].when.led.tolerance_ms, 5.1, 1e-9);
    cr_expect_eq(s.steps[3].actions[0].exception, 3);
    cr_expect_eq(s.steps[4].when.nth, 3);
    cr_expect_eq(s.steps[5].actions[0].module_count, 1);
    cr_expect_float_eq(s.steps[7].when.ms, 1.5, 1e-9);
    cr_expect_eq(s.until.kind, TRIGGER_AT_MS);
    scenario_free(&s);
}

Test(scenario_parse, every_kind_of_expectation_is_kept)
{
    struct scenario s;
    parse(&s, "{\"name\": \"x\", \"expect\": ["
              "{\"led\": {\"kind\": \"sos\", \"code\": 10, \"count\": {\"min\": 2}}, \"text\": \"t\"},"
              "{\"led_sequence\": [{\"color\": \"white\"}, {\"color\": \"green\", \"at_end\": true}]},"
              "{\"not\": {\"panic\": {\"code\": 10, \"stage\": \"bootloader\"}}}, {\"resets\": 2},"
              "{\"memory\": {\"array\": \"internal\", \"address\": 0, \"hex\": \"00\"}}, {\"dct\": "
              "{\"setup_done\": 1}},"
              "{\"file\": {\"path\": \"/usr/x\", \"size\": 3}}, {\"slot\": {\"slot\": 1, \"is\": \"free\"}},"
              "{\"module\": {\"kind\": \"user\", \"published\": \"2.0.1\", \"valid\": true}}, {\"running\": "
              "\"bootloader\"},"
              "{\"hang\": true}, {\"finding\": \"flash\"}, {\"repeats\": true},"
              "{\"running\": {\"address\": \"0x27000\", \"length\": 16}},"
              "{\"uart\": {\"text\": \"ok\", \"instance\": 1}}]}");
    cr_assert_eq(s.expect_count, 15);
    cr_expect_eq(s.expects[0].patterns[0].code, 10);
    cr_expect_eq(s.expects[0].patterns[0].count_min, 2);
    cr_expect_eq(s.expects[0].patterns[0].count_max, UINT32_MAX);
    cr_expect(s.expects[1].patterns[1].at_end);
    cr_expect(s.expects[2].negated);
    cr_expect_eq(s.expects[2].kind, EXPECT_PANIC);
    cr_expect_eq(s.expects[3].max, 2);
    cr_expect_eq(s.expects[7].slot_state, SLOT_FREE);
    cr_expect_str_eq(s.expects[8].module.kind, "tinker");
    cr_expect_eq(s.expects[12].kind, EXPECT_REPEATS);
    cr_expect_null(s.expects[13].stage);
    cr_expect_eq(s.expects[13].from, 0x27000);
    cr_expect_eq(s.expects[13].to, 0x27010);
    cr_expect(s.expects[14].has_uart);
    cr_expect_eq(s.expects[14].uart, 1);
    cr_expect_arr_eq(s.expects[14].memory.content.bytes, "ok", 2);
    scenario_free(&s);
}

Test(scenario_parse, mistakes_are_found_where_they_are)
{
    refuse("", "dir/x.json:1:1: the text ends");
    refuse("{\n \"name\": \"x\",\n}", "dir/x.json:3:1: no comma");
    refuse("{\"name\": \"x\"} y", "dir/x.json:1:15: something follows");
    refuse("{\"name\": \"x\n\"}", "dir/x.json:1:12: the string does not end");
    refuse("{\"name\": \"\\x\"}", "dir/x.json:1:12: there is no such escape");
    refuse("{\"name\": \"a\\u0000b\"}", "dir/x.json:1:13: \\u0000");
    refuse("{\"name\": \"x\", \"seed\": 0x10}", "dir/x.json:1:24: JSON numbers are decimal");
    refuse("[]", "dir/x.json:1:1: an object");
    refuse("{\"description\": \"x\"}", "dir/x.json:1:1: \"name\" is missing");
    refuse("{\"name\": \"x\",\n  \"name\": \"y\"}", "dir/x.json:2:3: \"name\" is given twice");
    refuse("{\"name\": \"x\",\n  \"state\": {\n    \"strat\": \"blank\"}}",
           "dir/x.json:3:5: state: there is no member \"strat\" here; did you mean \"start\"?");
    refuse("{\"name\": \"x\",\n  \"frobnicate\": 1}",
           "dir/x.json:2:3: there is no member \"frobnicate\" here; there are: ");
    refuse("{\"name\": 7}", "dir/x.json:1:10: name: a text in double quotes");
    refuse("{\"name\": \"x\", \"timeline\": [{\"do\": \"stop\"},\n {\"when\": {\"at_ms\": -1}, \"do\": "
           "\"stop\"}]}",
           "dir/x.json:2:21: timeline[1].when.at_ms: -1 is not within");
    refuse("{\"name\": \"x\", \"timeline\": [{\"do\": \"powr_on\"}]}",
           "dir/x.json:1:35: timeline[0].do: \"powr_on\" is none of");
    refuse("{\"name\": \"x\", \"timeline\": [{\"when\": {\"at_ms\": 1, \"reset\": 1}, \"do\": \"stop\"}]}",
           "dir/x.json:1:37: timeline[0].when: exactly one of these is expected here: at_ms, after_ms");
    refuse("{\"name\": \"x\", \"timeline\": [{\"do\": {\"press\": \"mode\", \"load\": []}}]}",
           "dir/x.json:1:35: timeline[0].do: several actions are an array of objects");
    refuse("{\"name\": \"x\", \"timeline\": [{\"do\": {\"usb\": {}}}]}",
           "dir/x.json:1:43: timeline[0].do.usb: exactly one of these is expected here: plug");
    refuse("{\"name\": \"x\", \"state\": {\"dct\": {\"setup_dome\": 1}}}",
           "dir/x.json:1:33: state.dct: the DCT has no field \"setup_dome\"");
    refuse("{\"name\": \"x\", \"state\": {\"dct\": {\"setup_done\": 300}}}",
           "dir/x.json:1:47: state.dct.setup_done: ");
    refuse("{\"name\": \"x\", \"state\": {\"bytes\": [{\"array\": \"external\", \"hex\": \"00\"}]}}",
           "dir/x.json:1:35: state.bytes[0]: where?");
    refuse("{\"name\": \"x\", \"state\": {\"bytes\": [{\"array\": \"external\", \"address\": 0, \"hex\": "
           "\"0\"}]}}",
           "dir/x.json:1:78: state.bytes[0].hex: hexadecimal digits in pairs");
    refuse("{\"name\": \"x\", \"modules\": [{\"published\": \"2.0.1\", \"file\": \"x\"}]}",
           "dir/x.json:1:27: modules[0]: a module is \"published\"");
    refuse("{\"name\": \"x\", \"modules\": [{\"app\": \"publish-queue\", \"address\": 0}]}",
           "dir/x.json:1:63: modules[0].address: a published module or an app");
    refuse("{\"name\": \"x\", \"modules\": [{\"app\": \"publish-queue\", \"kind\": \"tinker\"}]}",
           "dir/x.json:1:60: modules[0].kind: a file or an app");
    refuse("{\"name\": \"x\", \"modules\": [{\"published\": \"2.0.1\", \"built_for\": \"4.0.1\"}]}",
           "dir/x.json:1:63: modules[0].built_for: only an app");
    refuse(
        "{\"name\": \"x\", \"expect\": [{\"module\": {\"kind\": \"user-256k\", \"published\": \"4.0.1\"}}]}",
        "dir/x.json:1:72: expect[0].module.published: no published user program");
    refuse("{\"name\": \"x\", \"expect\": [{\"file_system\": {\"finding\": \"x\"}}]}",
           "dir/x.json:1:42: expect[0].file_system: \"is\" is missing");
    refuse("{\"name\": \"x\", \"expect\": [{\"file_system\": {\"is\": \"sound\", \"finding\": \"x\"}}]}",
           "dir/x.json:1:69: expect[0].file_system.finding: a sound");
    refuse("{\"name\": \"x\", \"timeline\": [{\"do\": {\"check\": [{\"resets\": 1}, {\"rests\": 1}]}}]}",
           "dir/x.json:1:62: timeline[0].do.check[1]: there is no member \"rests\"");
    refuse("{\"name\": \"x\", \"expect\": [{\"not\": {\"not\": {\"resets\": 1}}}]}",
           "dir/x.json:1:42: expect[0].not.not: ");
    refuse("{\"name\": \"x\", \"expect\": [{\"running\": {\"address\": 4}}]}",
           "dir/x.json:1:38: expect[0].running: \"length\" is missing");
    refuse("{\"name\": \"x\", \"expect\": [{\"running\": \"app\"}]}",
           "dir/x.json:1:38: expect[0].running: \"app\" is none of: bootloader");
    refuse("{\"name\": \"x\", \"expect\": [{\"uart\": {\"instance\": 1}}]}",
           "dir/x.json:1:35: expect[0].uart: the bytes are missing");
    refuse("{\"name\": \"x\", \"expect\": [{\"uart\": {\"text\": \"x\", \"instance\": 2}}]}",
           "dir/x.json:1:61: expect[0].uart.instance: 2 is not within 0 to 1");
    refuse("{\"name\": \"x\", \"expect\": [{\"text\": \"x\"}]}",
           "dir/x.json:1:26: expect[0]: an expectation is");
    refuse("{\"name\": \"x\", \"expect\": [{\"led\": {\"kind\": \"blink\", \"code\": 3}}]}",
           "dir/x.json:1:60: expect[0].led.code: only");
    refuse("{\"name\": \"x\", \"timeline\": [{\"when\": {\"flash\": {\"moment\": \"before\"}}, \"do\": "
           "\"reset\"}]}",
           "dir/x.json:1:28: timeline[0]: before and within");
}

Test(scenario_parse, what_is_checked_on_the_way_is_kept)
{
    struct scenario s;
    struct diag why = {{0}};
    parse(&s, "{\"name\": \"x\", \"modules\": [{\"app\": \"publish-queue\", \"pad_to\": 4096}],"
              "\"timeline\": [{\"do\": {\"check\": [{\"not\": {\"file_system\": {\"is\": \"fatal\", "
              "\"finding\": \"/usr/x\"}}}, {\"led\": {}}]}}]}");
    cr_expect_str_eq(s.modules[0].app, "publish-queue");
    cr_expect_eq(s.modules[0].pad_to, 4096);
    const struct action *action = &s.steps[0].actions[0];
    cr_assert_eq(action->kind, ACTION_CHECK);
    cr_assert_eq(action->check_count, 2);
    cr_expect_eq(action->checks[0].kind, EXPECT_FILE_SYSTEM);
    cr_expect_eq(action->checks[0].file_system, FILE_SYSTEM_FATAL);
    cr_expect(action->checks[0].negated);
    cr_expect_str_eq(action->checks[0].contains, "/usr/x");
    cr_expect_eq(scenario_check(&s, &why), 0, "%s", why.text);
    scenario_free(&s);

    parse(&s, "{\"name\": \"x\", \"timeline\": [{\"do\": {\"usb\": {\"update\": {\"module\": "
              "{\"app\": \"publish-cue\"}}}}}]}");
    cr_expect_eq(scenario_check(&s, &why), -1);
    cr_expect(strstr(why.text, "there is no app \"publish-cue\"; there are: publish-queue") != NULL, "%s",
              why.text);
    scenario_free(&s);
}

Test(scenario_parse, an_app_is_built_for_the_version_that_runs)
{
    struct scenario s;
    struct diag why = {{0}};
    parse(&s, "{\"name\": \"x\", \"modules\": [{\"published\": \"4.0.1\"}, "
              "{\"app\": \"event-log\", \"built_for\": \"4.0.1\"}, {\"app\": \"event-log\"}]}");
    cr_expect_str_eq(s.modules[1].built_for, "4.0.1");
    cr_assert_eq(scenario_override_version(&s, "2.2.0"), 0);
    cr_expect_str_eq(s.modules[1].built_for, "2.2.0");
    cr_expect_null(s.modules[2].built_for);
    cr_expect_eq(scenario_check(&s, &why), 0, "%s", why.text);
    cr_assert_eq(scenario_override_version(&s, "1.5.2"), 0);
    cr_expect_eq(scenario_check(&s, &why), -1);
    cr_expect(strstr(why.text,
                     "modules[1]: apps are built for Device OS 2.0.1 and later, not for \"1.5.2\"") != NULL,
              "%s", why.text);
    scenario_free(&s);
}

Test(scenario_parse, nesting_has_a_limit)
{
    char text[300] = "{\"name\": ";
    memset(text + strlen(text), '[', 64);
    refuse(text, "dir/x.json:1:73: nested too deep");
}

Test(scenario_parse, a_long_object_is_refused_rather_than_searched)
{
    char *text = malloc(8000);
    cr_assert_not_null(text);
    size_t used = (size_t)sprintf(text, "{");
    for (int i = 0; i < 300; i++)
        used += (size_t)sprintf(text + used, "%s\"m%d\": 0", i ? "," : "", i);
    strcpy(text + used, "}");
    refuse(text, "dir/x.json:1:");
    free(text);
}

Test(scenario_parse, paths_are_relative_to_the_scenario)
{
    struct scenario s;
    char path[SCENARIO_PATH_SIZE];
    parse(&s, "{\"name\": \"x\"}");
    cr_expect_eq(scenario_path(&s, s.doc.root, "a/b.bin", path, NULL), 0);
    cr_expect_str_eq(path, "dir/a/b.bin");
    cr_expect_eq(scenario_path(&s, s.doc.root, "/b.bin", path, NULL), 0);
    cr_expect_str_eq(path, "/b.bin");
    scenario_free(&s);
}

Test(scenario_parse, references_are_checked_with_their_place)
{
    struct scenario s;
    struct diag why = {{0}};
    parse(&s, "{\"name\": \"x\",\n \"modules\": [{\"published\": \"9.9.9\"}]}");
    cr_expect_eq(scenario_check(&s, &why), -1);
    cr_expect_eq(strncmp(why.text, "dir/x.json:2:14: modules[0]: ", 29), 0, "got: %s", why.text);
    scenario_free(&s);
    parse(&s, "{\"name\": \"x\",\n \"modules\": [{\"file\": \"nothing.bin\"}]}");
    cr_expect_eq(scenario_check(&s, &why), -1);
    cr_expect_str_eq(why.text, "dir/x.json:2:14: modules[0]: there is no readable file dir/nothing.bin");
    scenario_free(&s);
    parse(&s, "{\"name\": \"x\", \"board\": \"borom\"}");
    cr_expect_eq(scenario_check(&s, &why), -1);
    cr_expect_eq(strncmp(why.text, "dir/x.json:1:24: board: ", 24), 0, "got: %s", why.text);
    scenario_free(&s);
    parse(&s, "{\"name\": \"x\", \"board\": \"tracker\"}");
    cr_expect_eq(scenario_check(&s, &why), -1);
    cr_expect(strstr(why.text, "dir/x.json:1:24: board: ") && strstr(why.text, "cannot run"), "got: %s",
              why.text);
    scenario_free(&s);
}

Test(scenario_parse, another_version_or_a_pair_of_them_can_be_asked_for)
{
    static const char text[] =
        "{\"name\": \"x\", \"modules\": [{\"published\": \"2.0.1\"}], \"state\": {\"slots\": ["
        "{\"module\": {\"published\": \"2.1.0\", \"kind\": \"tinker\"}},"
        "{\"module\": {\"published\": \"2.0.1\", \"kind\": \"tinker\"}}]}}";
    struct scenario s;
    parse(&s, text);
    cr_expect_eq(scenario_override_version(&s, "1.5.2"), 0);
    cr_expect_str_eq(s.modules[0].published, "1.5.2");
    cr_expect_str_eq(s.state.slots[0].module.published, "2.1.0");
    cr_expect_str_eq(s.state.slots[1].module.published, "1.5.2");
    scenario_free(&s);
    parse(&s, text);
    cr_expect_eq(scenario_override_version(&s, "1.5.0..4.0.2"), 0);
    cr_expect_str_eq(s.modules[0].published, "1.5.0");
    cr_expect_str_eq(s.state.slots[0].module.published, "4.0.2");
    cr_expect_str_eq(s.state.slots[1].module.published, "1.5.0");
    scenario_free(&s);
}

/* Wherever a scenario can name a module, another version is meant, and what there is not is found. */
Test(scenario_parse, modules_are_found_wherever_they_are_named)
{
    static const char module[] = "{\"published\": \"2.0.1\", \"kind\": \"tinker\"}";
    static const char expect[] = "{\"module\": {\"kind\": \"user\", \"published\": \"2.0.1\"}}";
    static const struct {
        const char *before, *what, *behind, *place;
    } places[] = {
        {"\"state\": {\"slots\": [{\"module\": ", module, "}]}", "state.slots[0].module"},
        {"\"timeline\": [{\"do\": {\"load\": [", module, "]}}]", "timeline[0].do.load[0]"},
        {"\"timeline\": [{\"do\": {\"usb\": {\"update\": {\"module\": ", module, "}}}}]",
         "timeline[0].do.usb.update.module"},
        {"\"timeline\": [{\"do\": {\"check\": [", expect, "]}}]", "timeline[0].do.check[0].module"},
        {"\"expect\": [{\"not\": ", expect, "}]", "expect[0].not.module"},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct scenario s;
        struct diag why = {{0}};
        char text[400], place[80];
        snprintf(text, sizeof text, "{\"name\": \"x\", \"modules\": [{\"published\": \"2.0.1\"}], %s%s%s}",
                 places[i].before, places[i].what, places[i].behind);
        snprintf(place, sizeof place, ": %s: no images of Device OS 9.9.9", places[i].place);
        parse(&s, text);
        cr_expect_eq(scenario_check(&s, &why), 0, "%s", why.text);
        cr_assert_eq(scenario_override_version(&s, "9.9.9"), 0);
        s.module_count = 0; /* it would be found there first */
        cr_expect_eq(scenario_check(&s, &why), -1, "%s", text);
        cr_expect_not_null(strstr(why.text, place), "%s, not at %s", why.text, place);
        scenario_free(&s);
    }
}
