/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writers are held against other people's readers: python3-jsonschema for the JSON, xmllint for the JUnit
 * XML, cJSON for the values.
 */
#include "report/result.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/data_dir.h"

#define MS 64000ull

static struct run_result result;

static void light(struct led_recorder *recorder, uint64_t on_ms, uint64_t off_ms, uint16_t r, uint16_t g,
                  uint16_t b)
{
    led_recorder_level(recorder, on_ms * MS, r, g, b);
    led_recorder_level(recorder, off_ms * MS, 0, 0, 0);
}

static void add_lights(void)
{
    struct led_recorder rgb, d7;
    led_recorder_init(&rgb, "rgb");
    led_recorder_init(&d7, "d7");
    for (uint64_t t = 313; t < 600; t += 102)
        light(&rgb, t, t + 51, 24415, 0, 24415);
    for (uint64_t t = 5000; t < 9000; t += 200)
        light(&rgb, t, t + 100, 0, 24415, 0);
    led_recorder_level(&d7, 700 * MS, 0, 0, 65535);
    led_recorder_flush(&rgb, 9000 * MS);
    led_recorder_flush(&d7, 9000 * MS);
    result_add_light(&result, &rgb, LED_LAMP_STATUS);
    result_add_light(&result, &d7, LED_LAMP_USER);
    led_recorder_free(&rgb);
    led_recorder_free(&d7);
}

static void fill(void)
{
    static const uint32_t addresses[] = {0xF7C70, 0xF4000};
    result_init(&result);
    result_name(&result, "field/f1 <\"& 'quoted'>", "boron");
    add_lights();
    result_add_boot(&result, 0, "power-on", true);
    result_add_cut(&result, 1000);
    result_add_boot(&result, 4000.0625, "power-on", true);
    result_add_boot(&result, 4500, "soft reset", false);
    result_add_panic(&result, &(struct result_panic){.t_ms = 469.9,
                                                     .code = 10,
                                                     .stage = "bootloader",
                                                     .pc = 0xF7C70,
                                                     .lr = 0xF8C12,
                                                     .site = "lfs.c:1144"});
    result_add_flash(&result, "internal", 3073, 3);
    result_add_flash(&result, "external", 38, 4);
    result_add_expectation(&result, "SOS 10, again and again", true, NULL);
    result_add_expectation(&result, "panic <10> & \"reset\"", false,
                           "a \x01 control, a bad byte \xff, a good é");
    for (int i = 0; i < 3; i++)
        result_add_finding(&result, 12.5 + i, "nvmc", "store to flash without WEN", true);
    result_add_finding(&result, 20, "bus", "read of 0x40000eec", false);
    result_add_module(&result, "bootloader", 1005, 0xF4000, true, true);
    result_set_last_addresses(&result, addresses, 2);
    result.seed = 7;
    result.trace_hash = 0x0123456789ABCDEF;
}

static void done(void)
{
    result_free(&result);
}

TestSuite(result, .init = fill, .fini = done);

static void finish(void)
{
    cr_assert_eq(result_finish(&result, VERDICT_AS_EXPECTED, NULL, 9000), 0);
}

typedef int (*writer_fn)(const struct run_result *, FILE *);

/* What a writer writes, as text to free. */
static char *written(writer_fn writer)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    cr_assert_not_null(out);
    cr_assert_eq(writer(&result, out), 0);
    fclose(out);
    return text;
}

/* Puts text into a file whose name goes to `path`. */
static void to_file(const char *text, char *path)
{
    strcpy(path, "/tmp/sosim-test-XXXXXX");
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

static bool fits_schema(const char *json)
{
    char schema[DATA_PATH_SIZE], path[64], command[DATA_PATH_SIZE + 400];
    struct diag why;
    cr_assert_eq(data_path("emu/report/result.schema.json", schema, &why), 0, "%s", why.text);
    to_file(json, path);
    snprintf(command, sizeof command,
             "python3 -c 'import json, sys, jsonschema\n"
             "schema, text = (json.load(open(name)) for name in sys.argv[1:])\n"
             "jsonschema.Draft202012Validator.check_schema(schema)\n"
             "errors = [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(text)]\n"
             "sys.exit(3 if errors else 0)' '%s' '%s'",
             schema, path);
    int status = system(command);
    unlink(path);
    cr_assert(status == 0 || status == 3 << 8, "the validator itself failed: %d", status);
    return status == 0;
}

Test(result, json_fits_its_schema)
{
    finish();
    char *json = written(result_write_json);
    cr_expect(fits_schema(json), "%s", json);
    /* Would the check notice? */
    char *place = strstr(json, "\"magenta\"");
    cr_assert_not_null(place);
    memcpy(place, "\"mauvish\"", 9);
    cr_expect_not(fits_schema(json));
    memcpy(place, "\"magenta\"", 9);
    place = strstr(json, "\"panics\"");
    memcpy(place, "\"Panics\"", 8);
    cr_expect_not(fits_schema(json));
    free(json);
}

Test(result, empty_result_fits_the_schema_too)
{
    result_free(&result);
    cr_assert_eq(result_finish(&result, VERDICT_EMULATOR_STOPPED, "no image", 0), 0);
    char *json = written(result_write_json);
    cr_expect(fits_schema(json), "%s", json);
    free(json);
    free(written(result_write_text));
    free(written(result_write_vcd));
}

static const cJSON *member(const cJSON *object, const char *path)
{
    char names[100];
    strcpy(names, path);
    for (char *name = strtok(names, "."); name; name = strtok(NULL, ".")) {
        object = strchr("0123456789", *name) ? cJSON_GetArrayItem(object, atoi(name))
                                             : cJSON_GetObjectItemCaseSensitive(object, name);
        cr_assert_not_null(object, "no %s in %s", name, path);
    }
    return object;
}

Test(result, json_says_what_was_put_in)
{
    finish();
    char *text = written(result_write_json);
    cJSON *json = cJSON_Parse(text);
    cr_assert_not_null(json);
    cr_expect_str_eq(member(json, "verdict")->valuestring, "expectation_failed");
    cr_expect_str_eq(member(json, "trace_hash")->valuestring, "0x0123456789abcdef");
    cr_expect_eq(member(json, "boots.1.t_ms")->valuedouble, 4000.063);
    cr_expect_str_eq(member(json, "panics.0.name")->valuestring, "assertion failure");
    cr_expect_str_eq(member(json, "panics.0.pc")->valuestring, "0x000f7c70");
    cr_expect_eq(member(json, "flash.internal.programs")->valuedouble, 3073);
    cr_expect_eq(cJSON_GetArraySize(member(json, "findings")), 2);
    cr_expect_eq(member(json, "findings.0.count")->valuedouble, 3);
    cr_expect_eq(member(json, "findings.0.t_ms")->valuedouble, 12.5);
    cr_expect_str_eq(member(json, "expectations.1.saw")->valuestring, "a ? control, a bad byte ?, a good é");
    cr_expect_str_eq(member(json, "last_addresses.0")->valuestring, "0x000f7c70");
    cr_expect_eq(cJSON_GetArraySize(member(json, "led.edges")), 46);
    cr_expect_eq(member(json, "led.edges.0.t_ms")->valuedouble, 313);
    cr_expect_eq(member(json, "led.edges.0.r")->valuedouble, 95);
    cr_expect_str_eq(member(json, "led.phrases.1.kind")->valuestring, "blink");
    cr_expect_eq(member(json, "led.phrases.1.on_ms")->valuedouble, 51);
    cr_expect(cJSON_IsNull(member(json, "led.phrases.1.code")));
    cr_expect_eq(member(json, "lights.d7.phrases.1.t_ms")->valuedouble, 700);
    cJSON_Delete(json);
    free(text);
}

Test(result, line_tells_cuts_but_not_the_power_that_comes_back)
{
    finish();
    cr_expect_str_eq(
        result.lights[0].line,
        "magenta blink 51/51 ms ×3, power cut, then dark 3.5 s, reset, then green blink 100/100 ms to "
        "the end (connecting to the network)");
}

Test(result, wall_time_changes_one_member_only)
{
    finish();
    char *without = written(result_write_json);
    result.wall_ms = 1234;
    char *with = written(result_write_json);
    cJSON *a = cJSON_Parse(without), *b = cJSON_Parse(with);
    cr_expect_not(cJSON_Compare(a, b, true));
    cJSON_DeleteItemFromObject(a, "wall_ms");
    cJSON_DeleteItemFromObject(b, "wall_ms");
    cr_expect(cJSON_Compare(a, b, true));
    cJSON_Delete(a);
    cJSON_Delete(b);
    char *junit[2], *vcd[2];
    for (int i = 0; i < 2; i++) {
        result.wall_ms = 100 * i;
        junit[i] = written(result_write_junit);
        vcd[i] = written(result_write_vcd);
    }
    cr_expect_str_eq(junit[0], junit[1]);
    cr_expect_str_eq(vcd[0], vcd[1]);
    for (int i = 0; i < 2; i++) {
        free(junit[i]);
        free(vcd[i]);
    }
    free(without);
    free(with);
}

static bool xpath_holds(const char *path, const char *test)
{
    char command[400];
    snprintf(command, sizeof command, "test \"$(xmllint --nonet --xpath '%s' %s)\" = true", test, path);
    return system(command) == 0;
}

Test(result, junit_is_well_formed_and_counts)
{
    finish();
    char *xml = written(result_write_junit);
    char path[64];
    to_file(xml, path);
    cr_expect(xpath_holds(path, "count(//testcase) = 3"), "%s", xml);
    cr_expect(xpath_holds(
        path, "//testsuite/@tests = 3 and //testsuite/@failures = 1 and //testsuite/@errors = 0"));
    cr_expect(xpath_holds(path, "contains(//testcase[failure]/@name, \"panic <10> & \")"));
    cr_expect_not(xpath_holds(path, "count(//testcase) = 4"));
    unlink(path);
    free(xml);
}

Test(result, junit_tells_a_run_that_did_not_end)
{
    cr_assert_eq(result_finish(&result, VERDICT_EMULATOR_STOPPED, "pc 0x0 <nothing there>", 9000), 0);
    char *xml = written(result_write_junit);
    char path[64];
    to_file(xml, path);
    cr_expect(xpath_holds(path, "//testsuite/@errors = 1 and //error/@message = \"pc 0x0 <nothing there>\""),
              "%s", xml);
    unlink(path);
    free(xml);
}

Test(result, text_begins_with_the_reading_line)
{
    finish();
    char *text = written(result_write_text);
    cr_expect_eq(strncmp(text, "magenta blink 51/51 ms ×3, power cut", 37), 0, "%s", text);
    static const char *const parts[] = {"\nd7: blue",
                                        "Verdict: NOT as expected",
                                        "NOT MET panic <10>",
                                        "10 (assertion failure) in the bootloader, pc 0x000f7c70",
                                        "firmware fault, nvmc: store to flash without WEN (×3)",
                                        "internal     3073 programs, 3 erases",
                                        "Last code addresses\n  000f7c70 000f4000"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_expect(strstr(text, parts[i]), "no \"%s\" in\n%s", parts[i], text);
    free(text);
}

Test(result, vcd_has_each_change_in_order)
{
    finish();
    char *text = written(result_write_vcd);
    cr_expect(strstr(text, "$scope module rgb $end\n$var wire 8 \" r $end\n"), "%.300s", text);
    cr_expect(strstr(text, "#313000\nb01011111 \"\nb00000000 #\nb01011111 $\n#364000\n"));
    cr_expect(strstr(text, "#4500000\n1!\n"));
    double last = -1;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (*line != '#')
            continue;
        cr_expect_gt(atof(line + 1), last);
        last = atof(line + 1);
    }
    cr_expect_eq(last, 9000000);
    free(text);
}

Test(result, verdict_follows_the_expectations)
{
    result_finish(&result, VERDICT_LIMIT, "60 s", 9000);
    cr_expect_eq(result.verdict, VERDICT_LIMIT);
    cr_expect_eq(run_verdict_exit_code(result.verdict), 4);
    result.expectations[1].ok = true;
    finish();
    cr_expect_eq(result.verdict, VERDICT_AS_EXPECTED);
    cr_expect_eq(run_verdict_exit_code(result.verdict), 0);
    cr_expect_eq(run_verdict_exit_code(VERDICT_EXPECTATION_FAILED), 1);
    cr_expect_eq(run_verdict_exit_code(VERDICT_EMULATOR_STOPPED), 3);
}

Test(result, findings_are_bounded)
{
    char text[32];
    for (int i = 0; i < RESULT_FINDINGS_MOST + 50; i++) {
        snprintf(text, sizeof text, "number %d", i);
        result_add_finding(&result, i, "bus", text, false);
    }
    cr_expect_eq(result.finding_count, RESULT_FINDINGS_MOST);
    cr_expect_eq(result.findings_lost, 52);
}

Test(result, a_full_disk_is_reported)
{
    finish();
    FILE *full = fopen("/dev/full", "w");
    cr_assert_not_null(full);
    cr_expect_eq(result_write_json(&result, full), -1);
    cr_expect_eq(result_write_text(&result, full), -1);
    cr_expect_eq(result_write_junit(&result, full), -1);
    cr_expect_eq(result_write_vcd(&result, full), -1);
    fclose(full);
}
