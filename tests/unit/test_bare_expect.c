/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is expected of a chip without a lamp: texts on its UARTs, and code that runs at the end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/device.h"
#include "scenario/run.h"
#include "scenario/start_check.h"

#define HELLO                                                                                                \
    "\"name\": \"x\", \"board\": \"nrf52840\", \"until\": {\"at_ms\": 50}, \"modules\": [{\"file\": "        \
    "\"" TEST_FIRMWARE "/hello.bin\", \"address\": 0}], \"state\": {\"start\": \"blank\", \"bytes\": "       \
    "[{\"array\": \"internal\", \"address\": \"0x80000\", \"hex\": \"efbeadde\"}]}"

static void parse(struct scenario *scenario, const char *text)
{
    struct diag why = {{0}};
    cr_assert_eq(scenario_parse(scenario, "x.json", text, strlen(text), &why), 0, "%s", why.text);
}

/* Runs hello.bin with one expectation; returns whether it was met, and what was seen. */
static bool met(const char *expectation, char saw[512])
{
    char text[2048];
    struct scenario scenario;
    struct run_result result;
    const struct run_options options = {0};
    struct diag why = {{0}};
    snprintf(text, sizeof text, "{" HELLO ", \"expect\": [%s]}", expectation);
    parse(&scenario, text);
    result_init(&result);
    cr_assert_eq(scenario_run(&scenario, &options, &result, &why), 0, "%s", why.text);
    cr_assert_eq(result.expectation_count, 1);
    bool ok = result.expectations[0].ok;
    if (saw)
        snprintf(saw, 512, "%s", result.expectations[0].saw);
    result_free(&result);
    scenario_free(&scenario);
    return ok;
}

Test(bare_expect, a_text_is_found_on_the_uart_that_sent_it)
{
    char saw[512];
    cr_expect(met("{\"uart\": {\"text\": \"word deadbeef\"}}", saw));
    cr_expect_str_eq(saw, "UART0: ok; UART1: word deadbeef..");
    cr_expect(met("{\"uart\": {\"text\": \"word deadbeef\", \"instance\": 1}}", NULL));
    cr_expect_not(met("{\"uart\": {\"text\": \"word deadbeef\", \"instance\": 0}}", NULL));
    cr_expect(met("{\"uart\": {\"hex\": \"6f 6b\", \"instance\": 0}}", NULL));
    cr_expect_not(met("{\"uart\": {\"text\": \"word deadbeee\"}}", NULL));
    /* Bytes of two UARTs are no text. */
    cr_expect_not(met("{\"uart\": {\"hex\": \"0d0a6f6b\"}}", NULL));
    cr_expect(met("{\"not\": {\"uart\": {\"text\": \"panic\"}}}", NULL));
}

Test(bare_expect, a_text_may_be_longer_than_what_is_kept_to_be_shown)
{
    char text[300];
    char filler[200];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    snprintf(text, sizeof text, "{\"uart\": {\"text\": \"%s\"}}", filler);
    cr_expect_not(met(text, NULL));
}

Test(bare_expect, the_code_that_runs_at_the_end_is_in_a_range)
{
    char saw[512];
    cr_expect(met("{\"running\": {\"address\": 0, \"length\": \"0x1000\"}}", NULL));
    cr_expect_not(met("{\"running\": {\"address\": \"0x1000\", \"length\": \"0x1000\"}}", saw));
    cr_expect_not_null(strstr(saw, "was last"), "%s", saw);
}

Test(bare_expect, a_check_in_the_timeline_may_ask_for_a_text_too)
{
    static const char text[] =
        "{" HELLO
        ", \"timeline\": [{\"do\": [\"power_on\", {\"check\": [{\"not\": {\"uart\": {\"text\": \"ok\"}}}]}]},"
        "{\"when\": {\"at_ms\": 20}, \"do\": {\"check\": [{\"uart\": {\"text\": \"ok\"}}]}}]}";
    struct scenario scenario;
    struct run_result result;
    const struct run_options options = {0};
    struct diag why = {{0}};
    parse(&scenario, text);
    result_init(&result);
    cr_assert_eq(scenario_run(&scenario, &options, &result, &why), 0, "%s", why.text);
    cr_assert_eq(result.expectation_count, 2);
    cr_expect(result.expectations[0].ok, "%s", result.expectations[0].saw);
    cr_expect(result.expectations[1].ok, "%s", result.expectations[1].saw);
    result_free(&result);
    scenario_free(&scenario);
}

/* hello.bin on a machine of its own, run by hand. */
struct hello {
    struct scenario scenario;
    struct board board;
    struct machine machine;
    struct start_check check;
};

static struct hello *hello_run(const char *expectations)
{
    char text[2048];
    struct hello *hello = calloc(1, sizeof *hello);
    struct diag why = {{0}};
    cr_assert_not_null(hello);
    snprintf(text, sizeof text, "{" HELLO ", \"expect\": [%s]}", expectations);
    parse(&hello->scenario, text);
    cr_assert_eq(board_load(&hello->board, "nrf52840", &why), 0, "%s", why.text);
    const struct machine_options options = {.seed = 1};
    cr_assert_eq(machine_init(&hello->machine, &hello->board, &options, &why), 0, "%s", why.text);
    struct device device = {.machine = &hello->machine, .scenario = &hello->scenario};
    cr_assert_eq(device_prepare(&device, &why), 0, "%s", why.text);
    cr_assert_eq(start_check_begin(&hello->check, &hello->scenario, &hello->machine), 0);
    machine_power_on(&hello->machine, RAM_CLEARED);
    cr_assert_eq(machine_run(&hello->machine, 50 * CYCLES_PER_MS), MACHINE_TIME);
    return hello;
}

static void hello_free(struct hello *hello)
{
    start_check_end(&hello->check);
    machine_destroy(&hello->machine);
    board_free(&hello->board);
    scenario_free(&hello->scenario);
    free(hello);
}

/* The guest says where it stays; the reset handler, which ran too, is long gone from the last blocks. */
Test(bare_expect, what_ran_before_does_not_count)
{
    char text[256];
    struct hello *hello = hello_run("");
    uint32_t stay, reset;
    memcpy(&stay, hello->machine.ram + 0x10000, sizeof stay);
    memcpy(&reset, hello->machine.soc.flash.data + 4, sizeof reset);
    hello_free(hello);
    snprintf(text, sizeof text, "{\"running\": {\"address\": %u, \"length\": 2}}", stay);
    cr_expect(met(text, NULL));
    snprintf(text, sizeof text, "{\"running\": {\"address\": %u, \"length\": 2}}", reset & ~1u);
    cr_expect_not(met(text, NULL));
}

/* The same questions, as a sweep asks them after each start. */
static bool start_met(const char *expectations)
{
    struct hello *hello = hello_run(expectations);
    bool is = start_check_met(&hello->check, &hello->machine);
    hello_free(hello);
    return is;
}

Test(bare_expect, starts_of_a_sweep_are_asked_the_same)
{
    cr_expect(
        start_met("{\"uart\": {\"text\": \"deadbeef\"}}, {\"running\": {\"address\": 0, \"length\": 4096}}"));
    cr_expect_not(start_met("{\"uart\": {\"text\": \"deadbeef\", \"instance\": 0}}"));
    cr_expect_not(start_met("{\"not\": {\"uart\": {\"text\": \"ok\"}}}"));
    cr_expect_not(start_met("{\"running\": {\"address\": 4096, \"length\": 4096}}"));
    cr_expect_not(
        start_met("{\"memory\": {\"array\": \"internal\", \"address\": \"0x80000\", \"hex\": \"00\"}}"));
    /* About a whole run: no business of a start. */
    cr_expect(start_met("{\"resets\": 7}, {\"running\": \"user\"}"));
}

/* Runs code at 0x80000 in its place. */
static void expect_fault(const char *code, const char *words)
{
    char text[2048];
    struct scenario scenario;
    struct run_result result;
    const struct run_options options = {0};
    struct diag why = {{0}};
    snprintf(text, sizeof text,
             "{\"name\": \"x\", \"board\": \"nrf52840\", \"until\": {\"at_ms\": 5}, \"modules\": "
             "[{\"file\": \"" TEST_FIRMWARE "/hello.bin\", \"address\": 0}], \"state\": {\"start\": "
             "\"blank\", \"bytes\": [{\"array\": \"internal\", \"address\": \"0x4\", \"hex\": "
             "\"01000800\"}, {\"array\": \"internal\", \"address\": \"0x80000\", \"hex\": \"%s\"}]}}",
             code);
    parse(&scenario, text);
    result_init(&result);
    cr_assert_eq(scenario_run(&scenario, &options, &result, &why), 0, "%s", why.text);
    cr_assert_geq(result.finding_count, 1);
    cr_expect(result.findings[0].guest_fault);
    cr_expect_str_eq(result.findings[0].text, words);
    result_free(&result);
    scenario_free(&scenario);
}

Test(bare_expect, a_fault_is_told_with_its_cause)
{
    /* MOVS r0, #0xee; LSLS r0, #24; LDR r1, [r0] */
    expect_fault("ee2000060168fee7", "HardFault at 0x00080004, data access where nothing is: 0xee000000");
    expect_fault("00de", /* UDF */ "HardFault at 0x00080000, undefined instruction");
    /* MSR MSP, r0, and then erased flash */
    expect_fault("80f30888", "HardFault at 0x00080004, undefined instruction");
}
