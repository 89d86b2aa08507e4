/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The report for people: the reading line first, then the verdict, then why, then the details. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "led/story.h"
#include "report/result.h"

/* A list longer than this is cut; the JSON has it all. */
#define LINES_MOST 40

static size_t shown(size_t count)
{
    return count > LINES_MOST ? LINES_MOST : count;
}

static void say_more(FILE *out, size_t count)
{
    if (count > LINES_MOST)
        fprintf(out, "  … and %zu more\n", count - LINES_MOST);
}

static bool ever_lit(const struct result_light *light)
{
    return light->edge_count > 0;
}

static void write_lines(const struct run_result *result, FILE *out)
{
    fprintf(out, "%s\n", result->light_count ? result->lights[0].line : "dark");
    for (size_t i = 1; i < result->light_count; i++) {
        if (ever_lit(&result->lights[i]))
            fprintf(out, "%s: %s\n", result->lights[i].name, result->lights[i].line);
    }
}

static void write_verdict(const struct run_result *result, FILE *out)
{
    static const char *const words[VERDICTS] = {
        [VERDICT_AS_EXPECTED] = "as expected",
        [VERDICT_EXPECTATION_FAILED] = "NOT as expected",
        [VERDICT_EMULATOR_STOPPED] = "the emulator could not go on",
        [VERDICT_LIMIT] = "a limit ran out before the scenario ended",
    };
    fprintf(out, "\nVerdict: %s", words[result->verdict]);
    if (result->why)
        fprintf(out, ": %s", result->why);
    fputc('\n', out);
    for (size_t i = 0; i < result->expectation_count; i++) {
        const struct result_expectation *expectation = &result->expectations[i];
        fprintf(out, "  %s %s", expectation->ok ? "met    " : "NOT MET", expectation->text);
        if (expectation->saw && !expectation->ok)
            fprintf(out, "; saw: %s", expectation->saw);
        fputc('\n', out);
    }
}

static void write_panics(const struct run_result *result, FILE *out)
{
    if (result->panic_count)
        fprintf(out, "\nPanics\n");
    for (size_t i = 0; i < shown(result->panic_count); i++) {
        const struct result_panic *panic = &result->panics[i];
        fprintf(out, "%12.3f ms  %d", panic->t_ms, panic->code);
        if (panic->name)
            fprintf(out, " (%s)", panic->name);
        if (panic->stage)
            fprintf(out, " in the %s", panic->stage);
        fprintf(out, ", pc 0x%08" PRIx32 ", called from 0x%08" PRIx32, panic->pc, panic->lr);
        if (panic->site)
            fprintf(out, ", %s", panic->site);
        fputc('\n', out);
    }
    say_more(out, result->panic_count);
}

static void write_findings(const struct run_result *result, FILE *out)
{
    if (result->finding_count)
        fprintf(out, "\nFindings\n");
    for (size_t i = 0; i < shown(result->finding_count); i++) {
        const struct result_finding *finding = &result->findings[i];
        fprintf(out, "%12.3f ms  %s%s: %s", finding->t_ms, finding->guest_fault ? "firmware fault, " : "",
                finding->topic, finding->text);
        if (finding->count > 1)
            fprintf(out, " (×%" PRIu64 ")", finding->count);
        fputc('\n', out);
    }
    say_more(out, result->finding_count);
}

static int write_phrases(const struct run_result *result, FILE *out)
{
    if (!result->light_count)
        return 0;
    const struct led_phrases *phrases = &result->lights[0].phrases;
    fprintf(out, "\nStatus lamp\n");
    for (size_t i = 0; i < shown(phrases->count); i++) {
        const struct led_phrase *phrase = &phrases->item[i];
        char *words = led_phrase_words(phrase);
        if (!words)
            return -1;
        fprintf(out, "%12.3f ms  %s", phrase->t_ms, words);
        if (phrase->meaning && phrase->kind != LED_SOS)
            fprintf(out, ": %s", phrase->meaning);
        fputc('\n', out);
        free(words);
    }
    say_more(out, phrases->count);
    return 0;
}

static void write_boots(const struct run_result *result, FILE *out)
{
    if (result->boot_count)
        fprintf(out, "\nStarts\n");
    for (size_t i = 0; i < shown(result->boot_count); i++) {
        const char *cause = result->boots[i].cause;
        fprintf(out, "%12.3f ms  %s\n", result->boots[i].t_ms, cause ? cause : "unknown cause");
    }
    say_more(out, result->boot_count);
}

static void write_machine(const struct run_result *result, FILE *out)
{
    if (result->flash_count)
        fprintf(out, "\nFlash\n");
    for (size_t i = 0; i < result->flash_count; i++)
        fprintf(out, "  %-12s %" PRIu64 " programs, %" PRIu64 " erases\n", result->flash[i].array,
                result->flash[i].programs, result->flash[i].erases);
    if (result->module_count)
        fprintf(out, "\nModules at the end\n");
    for (size_t i = 0; i < result->module_count; i++)
        fprintf(out, "  %-14s %-6u at 0x%08" PRIx32 "%s\n", result->modules[i].name,
                result->modules[i].version, result->modules[i].address,
                result->modules[i].valid ? (result->modules[i].ran ? "" : ", not running")
                                         : ", CHECKSUM WRONG");
    if (result->last_address_count && result->verdict != VERDICT_AS_EXPECTED) {
        fprintf(out, "\nLast code addresses\n ");
        for (size_t i = 0; i < result->last_address_count; i++)
            fprintf(out, " %08" PRIx32, result->last_addresses[i]);
        fputc('\n', out);
    }
}

static void write_run(const struct run_result *result, FILE *out)
{
    fprintf(out, "\n%.3f s of virtual time", result->virtual_ms / 1000);
    if (result->wall_ms > 0)
        fprintf(out, " in %.1f s", result->wall_ms / 1000);
    fprintf(out, ", seed %" PRIu64 ", trace 0x%016" PRIx64 "\n", result->seed, result->trace_hash);
}

int result_write_text(const struct run_result *result, FILE *out)
{
    if (result->out_of_memory) {
        errno = ENOMEM;
        return -1;
    }
    write_lines(result, out);
    write_verdict(result, out);
    write_panics(result, out);
    write_findings(result, out);
    if (write_phrases(result, out))
        return -1;
    write_boots(result, out);
    write_machine(result, out);
    write_run(result, out);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
