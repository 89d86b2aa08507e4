/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flash faults of a timeline, on each memory of a Boron (tests/firmware/arrays.c). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "scenario/run.h"

#define GUEST                                                                                                \
    "\"name\": \"x\", \"modules\": [{\"file\": \"" TEST_FIRMWARE "/arrays.bin\", \"address\": 0}], "         \
    "\"state\": {\"start\": \"blank\"}, \"until\": {\"at_ms\": 200}"

/* What the guest reads back, in RAM; whole values are little-endian. */
#define RESULT(n, hex) "{\"memory\": {\"array\": \"ram\", \"address\": \"0x100" n "\", \"hex\": \"" hex "\"}}"
#define INTERNAL(hex)  RESULT("00", hex)
#define UICR(hex)      RESULT("04", hex)
#define EXTERNAL(hex)  RESULT("08", hex)
#define OTP(hex)       RESULT("0c", hex)
#define AGAIN(hex)     RESULT("10", hex)
#define DONE           RESULT("14", "01000000")
#define VALUE          "78563412"
#define INVERSE        "87A9CBED"

/* Power comes; then these steps; then these expectations are met. */
static void story(const char *steps, const char *expect)
{
    char text[4096];
    struct scenario scenario;
    struct run_result result;
    const struct run_options options = {0};
    struct diag why = {{0}};
    snprintf(text, sizeof text, "{" GUEST ", \"timeline\": [{\"do\": [\"power_on\"]}%s%s], \"expect\": [%s]}",
             *steps ? ", " : "", steps, expect);
    result_init(&result);
    cr_assert_eq(scenario_parse(&scenario, "x.json", text, strlen(text), &why), 0, "%s", why.text);
    cr_assert_eq(scenario_run(&scenario, &options, &result, &why), 0, "%s", why.text);
    cr_expect_eq(result.verdict, VERDICT_AS_EXPECTED, "%s", result.why ? result.why : "");
    for (size_t i = 0; i < result.expectation_count; i++)
        cr_expect(result.expectations[i].ok, "%s; saw: %s", result.expectations[i].text,
                  result.expectations[i].saw);
    result_free(&result);
    scenario_free(&scenario);
}

#define STRIKE(array, op, fault)                                                                             \
    "{\"when\": {\"flash\": {\"array\": \"" array "\", \"op\": \"" op "\", \"moment\": \"within\"}}, "       \
    "\"do\": {\"fault\": {" fault "}}}"

Test(run_fault, without_faults_everything_is_written)
{
    story("", INTERNAL(VALUE) ", " UICR(VALUE) ", " EXTERNAL(VALUE) ", " OTP(VALUE) ", " AGAIN(
                  INVERSE) ", " DONE ", {\"not\": {\"finding\": \"fault\"}}");
}

Test(run_fault, a_dropped_program_leaves_each_memory_erased_and_no_other)
{
    story(STRIKE("internal", "program", "\"kind\": \"dropped\""),
          INTERNAL("FFFFFFFF") ", " UICR(VALUE) ", " AGAIN(INVERSE) ", {\"finding\": \"dropped\"}");
    story(STRIKE("uicr", "program", "\"kind\": \"dropped\""), UICR("FFFFFFFF") ", " EXTERNAL(VALUE));
    story(STRIKE("external", "program", "\"kind\": \"dropped\""), EXTERNAL("FFFFFFFF") ", " OTP(VALUE));
    story(STRIKE("otp", "program", "\"kind\": \"dropped\""), OTP("FFFFFFFF") ", " EXTERNAL(VALUE) ", " DONE);
}

Test(run_fault, a_dropped_erase_lets_the_next_program_meet_the_old_bits)
{
    story(STRIKE("internal", "erase", "\"kind\": \"dropped\""), INTERNAL(VALUE) ", " AGAIN("00000000"));
}

Test(run_fault, a_doubled_program_lands_behind_it_too)
{
    story(STRIKE("uicr", "program", "\"kind\": \"doubled\""),
          "{\"memory\": {\"array\": \"uicr\", \"address\": \"0x84\", \"hex\": \"" VALUE "\"}}");
    story(STRIKE("otp", "program", "\"kind\": \"doubled\""),
          "{\"memory\": {\"array\": \"otp\", \"address\": \"0x4\", \"hex\": \"" VALUE "\"}}");
}

Test(run_fault, worn_cells_show_after_the_next_erase)
{
    /* All 32768 cells of the page, give or take some that are drawn twice: few stay erased. */
    story("{\"when\": {\"flash\": {\"array\": \"internal\", \"moment\": \"within\"}}, \"do\": {\"fault\": "
          "{\"kind\": \"worn\", \"cells\": 9999}}}",
          "{\"not\": {\"memory\": {\"array\": \"internal\", \"address\": \"0x80004\", \"fill\": 255, "
          "\"length\": "
          "4000}}}");
}

Test(run_fault, faults_may_wait_for_the_next_operations_that_fit)
{
    /* From the start: the first two programs of internal flash, whatever comes between. */
    story("{\"do\": {\"fault\": {\"kind\": \"dropped\", \"array\": \"internal\", \"op\": \"program\", "
          "\"times\": "
          "2}}}",
          INTERNAL("FFFFFFFF") ", " UICR(VALUE) ", " OTP(VALUE) ", " AGAIN("FFFFFFFF"));
    /* Any array: internal, UICR and external; not OTP. */
    story("{\"do\": {\"fault\": {\"kind\": \"dropped\", \"times\": 3}}}",
          INTERNAL("FFFFFFFF") ", " UICR("FFFFFFFF") ", " EXTERNAL("FFFFFFFF") ", " OTP(VALUE));
    /* With a moment: the one that is named, and one more of its kind. */
    story(STRIKE("internal", "program", "\"kind\": \"dropped\", \"times\": 2"),
          INTERNAL("FFFFFFFF") ", " AGAIN("FFFFFFFF") ", " UICR(VALUE));
}

Test(run_fault, unstable_cells_come_from_a_weak_write_and_from_the_state)
{
    story("{\"when\": {\"at_ms\": 100}, \"do\": {\"unsettle\": {\"array\": \"otp\", \"address\": 0, "
          "\"length\": "
          "64, \"share\": 0.5}}}",
          OTP(VALUE));
    story(STRIKE("uicr", "program", "\"kind\": \"unstable\", \"cells\": 9999"),
          "{\"not\": " UICR(VALUE) "}, {\"finding\": \"unstable\"}");
}

#define CUT(array, op, tear)                                                                                 \
    "{\"when\": {\"flash\": {\"array\": \"" array "\", \"op\": \"" op "\", \"moment\": \"within\"}}, "       \
    "\"do\": {\"power_off\": {\"torn\": {" tear "}}}}"

Test(run_fault, an_operation_can_be_torn_exactly_on_each_memory)
{
    story(CUT("internal", "program", "\"bits\": \"0x000000ff\""),
          "{\"memory\": {\"array\": \"internal\", \"address\": \"0x80000\", \"hex\": \"78FFFFFF\"}}");
    story(CUT("uicr", "program", "\"bits\": \"0xff000000\""),
          "{\"memory\": {\"array\": \"uicr\", \"address\": \"0x80\", \"hex\": \"FFFFFF12\"}}");
    story(CUT("external", "program", "\"bytes\": 2"),
          "{\"memory\": {\"array\": \"external\", \"address\": \"0x1000\", \"hex\": \"7856FFFFFF\"}}");
    story(CUT("otp", "program", "\"bytes\": 1"),
          "{\"memory\": {\"array\": \"otp\", \"address\": \"0\", \"hex\": \"78FFFFFFFF\"}}");
    story(CUT("internal", "erase", "\"share\": 0"),
          "{\"memory\": {\"array\": \"internal\", \"address\": \"0x80000\", \"hex\": \"" VALUE "\"}}");
    story(CUT("internal", "erase", "\"share\": 1, \"unstable\": true"),
          "{\"memory\": {\"array\": \"internal\", \"address\": \"0x80000\", \"hex\": \"FFFFFFFF\"}}");
}

/* Power comes back after a torn write with unstable cells: they are not what the guest then programs. */
Test(run_fault, what_is_left_unstable_stays_so_over_a_cut)
{
    struct scenario scenario;
    struct run_result one, two;
    const struct run_options options = {0};
    struct diag why = {{0}};
    const char *text =
        "{" GUEST
        ", \"timeline\": [{\"do\": \"power_on\"}, {\"when\": {\"flash\": {\"array\": \"uicr\", \"moment\": "
        "\"within\"}}, \"do\": {\"power_off\": {\"torn\": {\"way\": 5, \"unstable\": true}}}},"
        "{\"when\": {\"after_ms\": 10}, \"do\": \"power_on\"}], \"expect\": [" UICR(VALUE) "]}";
    cr_assert_eq(scenario_parse(&scenario, "x.json", text, strlen(text), &why), 0, "%s", why.text);
    result_init(&one);
    result_init(&two);
    cr_assert_eq(scenario_run(&scenario, &options, &one, &why), 0, "%s", why.text);
    cr_assert_eq(scenario_run(&scenario, &options, &two, &why), 0, "%s", why.text);
    /* The second start programs the same word again, which settles it. */
    cr_expect(one.expectations[0].ok, "%s", one.expectations[0].saw);
    cr_expect_eq(one.trace_hash, two.trace_hash);
    result_free(&one);
    result_free(&two);
    scenario_free(&scenario);
}

static void refuse(const char *step, const char *expected)
{
    char text[2048];
    struct scenario scenario;
    struct diag why = {{0}};
    snprintf(text, sizeof text, "{\"name\": \"x\", \"timeline\": [%s]}", step);
    cr_assert_eq(scenario_parse(&scenario, "x.json", text, strlen(text), &why), -1, "accepted: %s", step);
    cr_expect_not_null(strstr(why.text, expected), "got: %s", why.text);
    cr_expect_eq(strncmp(why.text, "x.json:1:", 9), 0, "no place: %s", why.text);
}

Test(run_fault, mistakes_are_named)
{
    refuse("{\"do\": {\"fault\": {}}}", "timeline[0].do.fault: \"kind\" is missing");
    refuse("{\"do\": {\"fault\": {\"kind\": \"droped\"}}}",
           "fault.kind: \"droped\" is none of: dropped, doubled");
    refuse("{\"do\": {\"fault\": {\"kind\": \"dropped\", \"cells\": 3}}}", "fault.cells: only \"worn\"");
    refuse("{\"do\": {\"fault\": {\"kind\": \"worn\", \"cells\": 0}}}", "fault.cells: 0 is not within 1");
    refuse("{\"do\": {\"fault\": {\"kind\": \"worn\", \"way\": 1}}}", "fault.way: only \"disturbed\"");
    refuse("{\"do\": {\"fault\": {\"kind\": \"dropped\", \"array\": \"ram\"}}}",
           "fault.array: \"ram\" is none of");
    refuse("{\"do\": {\"fault\": {\"kind\": \"dropped\", \"times\": 0}}}", "fault.times: 0 is not within");
    refuse("{\"when\": {\"flash\": {\"moment\": \"before\"}}, \"do\": {\"fault\": {\"kind\": \"dropped\"}}}",
           "timeline[0]: before and within");
    refuse(STRIKE("otp", "program", "\"kind\": \"dropped\", \"array\": \"otp\""),
           "do.fault: the trigger says already");
    refuse("{\"do\": {\"power_off\": {\"torn\": {}}}}", "do: only an operation within which");
    refuse(CUT("otp", "erase", "\"bits\": 1"), "do: \"bits\" and \"bytes\" are of a program");
    refuse(CUT("otp", "program", "\"share\": 0.5"), "do: \"share\" is of an erase");
    refuse(CUT("otp", "erase", "\"share\": 1.5"), "torn.share: 1.5 is not within 0 to 1");
    refuse(CUT("otp", "program", "\"bits\": 1, \"bytes\": 1"), "torn: give one of");
    refuse("{\"do\": {\"unsettle\": {\"array\": \"ram\", \"address\": 0}}}",
           "unsettle.array: RAM has no unstable");
    refuse("{\"do\": {\"supply\": {}}}", "do.supply: \"mv\" is missing");
    refuse("{\"do\": {\"supply\": {\"mv\": 6000}}}", "supply.mv: 6000 is not within 0 to 5500");
    refuse("{\"do\": {\"supply\": {\"mv\": 2000, \"for_ms\": 1}}}", "do.supply: and after");
    refuse("{\"do\": {\"supply\": {\"mv\": 2000, \"then\": \"die\"}}}",
           "supply.then: \"die\" is none of: stay, recover");
    refuse("{\"do\": {\"supply\": {\"mv\": 2000, \"rail\": \"3v3\"}}}",
           "supply.rail: \"3v3\" is none of: vdd, vddh");
    refuse("{\"do\": {\"unsettle\": {\"array\": \"uicr\", \"address\": 0, \"share\": 2}}}",
           "unsettle.share: 2 is not");
}

/* lamp.bin blinks on, whatever happens to its supply, and uses no comparator. */
static void sag(const char *supply, struct run_result *result)
{
    char text[1024];
    struct scenario scenario;
    const struct run_options options = {0};
    struct diag why = {{0}};
    snprintf(
        text, sizeof text,
        "{\"name\": \"x\", \"modules\": [{\"file\": \"" TEST_FIRMWARE "/lamp.bin\", \"address\": 0}], "
        "\"timeline\": [{\"do\": \"power_on\"}, {\"when\": {\"at_ms\": 10}, \"do\": {\"supply\": {%s}}}, "
        "{\"when\": {\"at_ms\": 100}, \"do\": \"power_on\"}], \"until\": {\"at_ms\": 150}}",
        supply);
    result_init(result);
    cr_assert_eq(scenario_parse(&scenario, "x.json", text, strlen(text), &why), 0, "%s", why.text);
    cr_assert_eq(scenario_run(&scenario, &options, result, &why), 0, "%s", why.text);
    scenario_free(&scenario);
}

Test(run_fault, a_sag_that_ends_in_a_cut_takes_power_away)
{
    struct run_result result;
    sag("\"mv\": 2000, \"over_ms\": 10, \"for_ms\": 20, \"then\": \"power_off\"", &result);
    cr_assert_eq(result.cut_count, 1);
    cr_expect_float_eq(result.cuts_ms[0], 40, 0.1);
    cr_assert_eq(result.boot_count, 2);
    cr_expect_str_eq(result.boots[1].cause, "power-on");
    cr_expect_float_eq(result.boots[1].t_ms, 100, 0.1);
    result_free(&result);
}

Test(run_fault, a_brown_out_is_one_start_when_the_supply_is_back)
{
    struct run_result result;
    sag("\"mv\": 1500, \"for_ms\": 20, \"then\": \"recover\"", &result);
    cr_expect_eq(result.cut_count, 0);
    cr_assert_eq(result.boot_count, 2);
    cr_expect_str_eq(result.boots[1].cause, "brown-out");
    cr_expect_float_eq(result.boots[1].t_ms, 30, 0.1);
    result_free(&result);
    /* Above 1.7 V nothing happens to a chip whose comparator is off. */
    sag("\"mv\": 1800, \"for_ms\": 20, \"then\": \"recover\"", &result);
    cr_expect_eq(result.boot_count, 1);
    result_free(&result);
}
