/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/json_writer.h"
#include "report/result.h"

/* Room for one edge as text. */
#define EDGE_SIZE 80

/* To the microsecond: more digits would only be noise of the division. */
static double to_us(double ms)
{
    return round(ms * 1000) / 1000;
}

static void put_ms(struct json_writer *writer, cJSON *object, const char *name, double ms)
{
    json_put_number(writer, object, name, to_us(ms));
}

static void put_ms_if(struct json_writer *writer, cJSON *object, const char *name, bool known, double ms)
{
    json_put(writer, object, name, known ? cJSON_CreateNumber(to_us(ms)) : cJSON_CreateNull());
}

static void put_phrase(struct json_writer *writer, cJSON *array, const struct led_phrase *phrase)
{
    cJSON *object = json_append_object(writer, array);
    bool flashes = phrase->kind == LED_BLINK || phrase->kind == LED_OTHER;
    bool regular = phrase->on_ms > 0;
    put_ms(writer, object, "t_ms", phrase->t_ms);
    put_ms(writer, object, "end_ms", phrase->end_ms);
    json_put_text(writer, object, "kind", led_kind_name(phrase->kind));
    json_put_text(writer, object, "color", phrase->kind == LED_OFF ? NULL : led_color_name(phrase->color));
    json_put_number(writer, object, "level", phrase->level);
    put_ms_if(writer, object, "on_ms", regular && (flashes || phrase->kind == LED_SOLID), phrase->on_ms);
    put_ms_if(writer, object, "off_ms", regular && flashes, phrase->off_ms);
    put_ms_if(writer, object, "period_ms", phrase->period_ms > 0, phrase->period_ms);
    json_put_number(writer, object, "count", phrase->count);
    json_put(writer, object, "code",
             phrase->kind == LED_SOS ? cJSON_CreateNumber(phrase->code) : cJSON_CreateNull());
    json_put_text(writer, object, "meaning", phrase->meaning);
    json_put_bool(writer, object, "ongoing", phrase->ongoing);
}

/* An hour of fading is tens of thousands of edges: they go in as ready-made text, one a line. */
static void put_edges(struct json_writer *writer, cJSON *object, const struct result_light *light)
{
    char *text = malloc(light->edge_count * EDGE_SIZE + 3);
    if (!text) {
        writer->good = false;
        return;
    }
    char *end = text;
    *end++ = '[';
    for (size_t i = 0; i < light->edge_count; i++) {
        const struct led_edge *edge = &light->edges[i];
        end += snprintf(end, EDGE_SIZE, "%s{\"t_ms\": %.3f, \"r\": %u, \"g\": %u, \"b\": %u}",
                        i ? ",\n\t\t\t" : "", edge->t_ms, edge->r, edge->g, edge->b);
    }
    strcpy(end, "]");
    json_put(writer, object, "edges", cJSON_CreateRaw(text));
    free(text);
}

static void fill_light(struct json_writer *writer, cJSON *object, const struct result_light *light)
{
    json_put_text(writer, object, "line", light->line);
    cJSON *phrases = json_put_array(writer, object, "phrases");
    for (size_t i = 0; i < light->phrases.count; i++)
        put_phrase(writer, phrases, &light->phrases.item[i]);
    put_edges(writer, object, light);
    json_put_number(writer, object, "edges_lost", (double)light->edges_lost);
}

static void put_lights(struct json_writer *writer, cJSON *root, const struct run_result *result)
{
    static const struct result_light none = {.line = "dark"};
    cJSON *led = json_put_object(writer, root, "led");
    fill_light(writer, led, result->light_count ? &result->lights[0] : &none);
    cJSON *lights = json_put_object(writer, root, "lights");
    for (size_t i = 1; i < result->light_count; i++)
        fill_light(writer, json_put_object(writer, lights, result->lights[i].name), &result->lights[i]);
}

static void put_boots(struct json_writer *writer, cJSON *root, const struct run_result *result)
{
    cJSON *boots = json_put_array(writer, root, "boots");
    for (size_t i = 0; i < result->boot_count; i++) {
        cJSON *boot = json_append_object(writer, boots);
        put_ms(writer, boot, "t_ms", result->boots[i].t_ms);
        json_put_text(writer, boot, "cause", result->boots[i].cause);
    }
    cJSON *cuts = json_put_array(writer, root, "power_cuts");
    for (size_t i = 0; i < result->cut_count; i++)
        put_ms(writer, json_append_object(writer, cuts), "t_ms", result->cuts_ms[i]);
}

static void put_panics(struct json_writer *writer, cJSON *root, const struct run_result *result)
{
    cJSON *panics = json_put_array(writer, root, "panics");
    for (size_t i = 0; i < result->panic_count; i++) {
        const struct result_panic *panic = &result->panics[i];
        cJSON *object = json_append_object(writer, panics);
        put_ms(writer, object, "t_ms", panic->t_ms);
        json_put_number(writer, object, "code", panic->code);
        json_put_text(writer, object, "name", panic->name);
        json_put_text(writer, object, "stage", panic->stage);
        json_put_hex(writer, object, "pc", panic->pc);
        json_put_hex(writer, object, "lr", panic->lr);
        json_put_text(writer, object, "site", panic->site);
    }
}

static void put_flash(struct json_writer *writer, cJSON *root, const struct run_result *result)
{
    cJSON *flash = json_put_object(writer, root, "flash");
    for (size_t i = 0; i < result->flash_count; i++) {
        cJSON *array = json_put_object(writer, flash, result->flash[i].array);
        json_put_number(writer, array, "programs", (double)result->flash[i].programs);
        json_put_number(writer, array, "erases", (double)result->flash[i].erases);
    }
}

static void put_expectations(struct json_writer *writer, cJSON *root, const struct run_result *result)
{
    cJSON *expectations = json_put_array(writer, root, "expectations");
    for (size_t i = 0; i < result->expectation_count; i++) {
        cJSON *object = json_append_object(writer, expectations);
        json_put_text(writer, object, "text", result->expectations[i].text);
        json_put_bool(writer, object, "ok", result->expectations[i].ok);
        json_put_text(writer, object, "saw", result->expectations[i].saw);
    }
}

static void put_findings(struct json_writer *writer, cJSON *root, const struct run_result *result)
{
    cJSON *findings = json_put_array(writer, root, "findings");
    for (size_t i = 0; i < result->finding_count; i++) {
        const struct result_finding *finding = &result->findings[i];
        cJSON *object = json_append_object(writer, findings);
        put_ms(writer, object, "t_ms", finding->t_ms);
        json_put_text(writer, object, "topic", finding->topic);
        json_put_text(writer, object, "text", finding->text);
        json_put_bool(writer, object, "guest_fault", finding->guest_fault);
        json_put_number(writer, object, "count", (double)finding->count);
    }
    json_put_number(writer, root, "findings_lost", (double)result->findings_lost);
}

static void put_modules(struct json_writer *writer, cJSON *root, const struct run_result *result)
{
    cJSON *modules = json_put_array(writer, root, "modules");
    for (size_t i = 0; i < result->module_count; i++) {
        cJSON *object = json_append_object(writer, modules);
        json_put_text(writer, object, "name", result->modules[i].name);
        json_put_number(writer, object, "version", result->modules[i].version);
        json_put_hex(writer, object, "address", result->modules[i].address);
        json_put_bool(writer, object, "valid", result->modules[i].valid);
        json_put_bool(writer, object, "ran", result->modules[i].ran);
    }
    cJSON *addresses = json_put_array(writer, root, "last_addresses");
    for (size_t i = 0; i < result->last_address_count; i++) {
        char text[16];
        snprintf(text, sizeof text, "0x%08lx", (unsigned long)result->last_addresses[i]);
        json_append_text(writer, addresses, text);
    }
}

static void fill(struct json_writer *writer, cJSON *root, const struct run_result *result)
{
    json_put_number(writer, root, "schema_version", RESULT_SCHEMA_VERSION);
    json_put_text(writer, root, "sosim_version", SOSIM_VERSION);
    json_put_text(writer, root, "scenario", result->scenario);
    json_put_text(writer, root, "board", result->board);
    json_put_text(writer, root, "verdict", run_verdict_name(result->verdict));
    json_put_text(writer, root, "why", result->why);
    put_ms(writer, root, "virtual_ms", result->virtual_ms);
    json_put_hex64(writer, root, "trace_hash", result->trace_hash);
    json_put_hex64(writer, root, "seed", result->seed);
    put_expectations(writer, root, result);
    put_boots(writer, root, result);
    put_panics(writer, root, result);
    put_flash(writer, root, result);
    put_findings(writer, root, result);
    put_modules(writer, root, result);
    put_lights(writer, root, result);
    json_put_number(writer, root, "wall_ms", round(result->wall_ms));
}

int result_write_json(const struct run_result *result, FILE *out)
{
    struct json_writer writer = {.good = !result->out_of_memory};
    cJSON *root = cJSON_CreateObject();
    fill(&writer, root, result);
    return json_print(&writer, root, out);
}
