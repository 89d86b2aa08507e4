/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JUnit XML, as test benches read it: one test case for the run itself, which fails with an error when the
 * run did not come to its end, and one for each expectation. Times are virtual, so that equal runs give equal
 * files.
 */
#include <errno.h>

#include "report/result.h"
#include "report/xml.h"

static const char *suite_name(const struct run_result *result)
{
    return result->scenario ? result->scenario : "run";
}

static bool came_to_its_end(const struct run_result *result)
{
    return result->verdict == VERDICT_AS_EXPECTED || result->verdict == VERDICT_EXPECTATION_FAILED;
}

static void write_run_case(const struct run_result *result, FILE *out)
{
    fprintf(out, "    <testcase");
    xml_attribute(out, "classname", suite_name(result));
    xml_attribute(out, "name", "runs to its end");
    fprintf(out, " time=\"%.3f\">\n", result->virtual_ms / 1000);
    if (!came_to_its_end(result)) {
        fprintf(out, "      <error");
        xml_attribute(out, "type", run_verdict_name(result->verdict));
        xml_attribute(out, "message", result->why);
        fprintf(out, "/>\n");
    }
    fprintf(out, "      <system-out>");
    xml_text(out, result->light_count ? result->lights[0].line : "dark");
    fprintf(out, "</system-out>\n    </testcase>\n");
}

static void write_case(const struct run_result *result, const struct result_expectation *expectation,
                       FILE *out)
{
    fprintf(out, "    <testcase");
    xml_attribute(out, "classname", suite_name(result));
    xml_attribute(out, "name", expectation->text);
    if (expectation->ok) {
        fprintf(out, "/>\n");
        return;
    }
    fprintf(out, ">\n      <failure type=\"expectation\"");
    xml_attribute(out, "message", expectation->saw ? expectation->saw : "not met");
    fprintf(out, "/>\n    </testcase>\n");
}

int result_write_junit(const struct run_result *result, FILE *out)
{
    if (result->out_of_memory) {
        errno = ENOMEM;
        return -1;
    }
    size_t failures = 0;
    for (size_t i = 0; i < result->expectation_count; i++)
        failures += !result->expectations[i].ok;
    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite");
    xml_attribute(out, "name", suite_name(result));
    fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%d\" time=\"%.3f\">\n",
            result->expectation_count + 1, failures, !came_to_its_end(result), result->virtual_ms / 1000);
    write_run_case(result, out);
    for (size_t i = 0; i < result->expectation_count; i++)
        write_case(result, &result->expectations[i], out);
    fprintf(out, "  </testsuite>\n</testsuites>\n");
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
