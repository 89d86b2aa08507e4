/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/result.h"

#include <stdlib.h>
#include <string.h>

#include "core/room.h"
#include "led/story.h"
#include "report/plain_text.h"

static const char *const verdict_names[VERDICTS] = {
    [VERDICT_AS_EXPECTED] = "as_expected",
    [VERDICT_EXPECTATION_FAILED] = "expectation_failed",
    [VERDICT_EMULATOR_STOPPED] = "emulator_stopped",
    [VERDICT_LIMIT] = "limit",
};

const char *run_verdict_name(enum run_verdict verdict)
{
    return (unsigned)verdict < VERDICTS ? verdict_names[verdict] : "emulator_stopped";
}

int run_verdict_exit_code(enum run_verdict verdict)
{
    static const int codes[VERDICTS] = {0, 1, 3, 4};
    return (unsigned)verdict < VERDICTS ? codes[verdict] : 3;
}

/* A copy fit for any of the writers; NULL stays NULL. */
static char *copy_text(struct run_result *result, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (!copy) {
        result->out_of_memory = true;
        return NULL;
    }
    memcpy(copy, text, size);
    return plain_text(copy);
}

/* Makes room for one more; NULL when there is none. */
static void *grown(struct run_result *result, void *items, size_t count, size_t *room, size_t size)
{
    void *more = room_for(items, count + 1, room, size);
    result->out_of_memory |= !more;
    return more;
}

void result_init(struct run_result *result)
{
    *result = (struct run_result){0};
}

static void free_light(struct result_light *light)
{
    free(light->edges);
    free(light->line);
    led_phrases_free(&light->phrases);
}

static void free_lists(struct run_result *result)
{
    for (size_t i = 0; i < result->light_count; i++)
        free_light(&result->lights[i]);
    for (size_t i = 0; i < result->boot_count; i++)
        free(result->boots[i].cause);
    for (size_t i = 0; i < result->panic_count; i++) {
        free(result->panics[i].name);
        free(result->panics[i].stage);
        free(result->panics[i].site);
    }
    for (size_t i = 0; i < result->flash_count; i++)
        free(result->flash[i].array);
    for (size_t i = 0; i < result->expectation_count; i++) {
        free(result->expectations[i].text);
        free(result->expectations[i].saw);
    }
    for (size_t i = 0; i < result->finding_count; i++) {
        free(result->findings[i].topic);
        free(result->findings[i].text);
    }
    for (size_t i = 0; i < result->module_count; i++)
        free(result->modules[i].name);
}

void result_free(struct run_result *result)
{
    free_lists(result);
    free(result->lights);
    free(result->boots);
    free(result->cuts_ms);
    free(result->panics);
    free(result->flash);
    free(result->expectations);
    free(result->findings);
    free(result->modules);
    free(result->last_addresses);
    free(result->scenario);
    free(result->board);
    free(result->why);
    result_init(result);
}

void result_name(struct run_result *result, const char *scenario, const char *board)
{
    free(result->scenario);
    free(result->board);
    result->scenario = copy_text(result, scenario);
    result->board = copy_text(result, board);
}

void result_add_light(struct run_result *result, const struct led_recorder *recorder, enum led_lamp lamp)
{
    struct result_light *lights =
        grown(result, result->lights, result->light_count, &result->light_room, sizeof *lights);
    if (!lights)
        return;
    result->lights = lights;
    const struct led_edges *edges = &recorder->edges;
    struct led_edge *copy = malloc((edges->count + 1) * sizeof *copy);
    if (!copy) {
        result->out_of_memory = true;
        return;
    }
    if (edges->count)
        memcpy(copy, edges->item, edges->count * sizeof *copy);
    struct result_light *light = &lights[result->light_count++];
    *light = (struct result_light){
        .edges = copy, .edge_count = edges->count, .edges_lost = edges->lost, .lamp = lamp};
    memcpy(light->name, recorder->name, sizeof light->name);
}

void result_add_boot(struct run_result *result, double t_ms, const char *cause, bool cold)
{
    struct result_boot *boots =
        grown(result, result->boots, result->boot_count, &result->boot_room, sizeof *boots);
    if (!boots)
        return;
    result->boots = boots;
    boots[result->boot_count++] = (struct result_boot){t_ms, copy_text(result, cause), cold};
}

void result_add_cut(struct run_result *result, double t_ms)
{
    double *cuts = grown(result, result->cuts_ms, result->cut_count, &result->cut_room, sizeof *cuts);
    if (!cuts)
        return;
    result->cuts_ms = cuts;
    cuts[result->cut_count++] = t_ms;
}

void result_add_panic(struct run_result *result, const struct result_panic *panic)
{
    struct result_panic *panics =
        grown(result, result->panics, result->panic_count, &result->panic_room, sizeof *panics);
    if (!panics)
        return;
    result->panics = panics;
    struct result_panic *added = &panics[result->panic_count++];
    *added = *panic;
    added->name = copy_text(result, panic->name ? panic->name : led_panic_name(panic->code));
    added->stage = copy_text(result, panic->stage);
    added->site = copy_text(result, panic->site);
}

void result_add_flash(struct run_result *result, const char *array, uint64_t programs, uint64_t erases)
{
    struct result_flash *flash =
        grown(result, result->flash, result->flash_count, &result->flash_room, sizeof *flash);
    if (!flash)
        return;
    result->flash = flash;
    flash[result->flash_count++] = (struct result_flash){copy_text(result, array), programs, erases};
}

void result_add_expectation(struct run_result *result, const char *text, bool ok, const char *saw)
{
    struct result_expectation *expectations = grown(result, result->expectations, result->expectation_count,
                                                    &result->expectation_room, sizeof *expectations);
    if (!expectations)
        return;
    result->expectations = expectations;
    expectations[result->expectation_count++] =
        (struct result_expectation){copy_text(result, text), ok, copy_text(result, saw)};
}

static bool count_again(struct run_result *result, const char *topic, const char *text)
{
    for (size_t i = 0; i < result->finding_count; i++) {
        struct result_finding *finding = &result->findings[i];
        if (finding->topic && finding->text && strcmp(finding->topic, topic) == 0 &&
            strcmp(finding->text, text) == 0) {
            finding->count++;
            return true;
        }
    }
    return false;
}

void result_add_finding(struct run_result *result, double t_ms, const char *topic, const char *text,
                        bool guest_fault)
{
    char *own_topic = copy_text(result, topic);
    char *own_text = copy_text(result, text);
    struct result_finding *findings = NULL;
    bool known = !own_topic || !own_text || count_again(result, own_topic, own_text);
    if (!known && result->finding_count == RESULT_FINDINGS_MOST)
        result->findings_lost++;
    else if (!known)
        findings =
            grown(result, result->findings, result->finding_count, &result->finding_room, sizeof *findings);
    if (!findings) {
        free(own_topic);
        free(own_text);
        return;
    }
    result->findings = findings;
    findings[result->finding_count++] = (struct result_finding){t_ms, own_topic, own_text, guest_fault, 1};
}

void result_add_module(struct run_result *result, const char *name, unsigned version, uint32_t address,
                       bool valid, bool ran)
{
    struct result_module *modules =
        grown(result, result->modules, result->module_count, &result->module_room, sizeof *modules);
    if (!modules)
        return;
    result->modules = modules;
    modules[result->module_count++] =
        (struct result_module){copy_text(result, name), version, address, valid, ran};
}

void result_set_last_addresses(struct run_result *result, const uint32_t *addresses, size_t count)
{
    uint32_t *copy = malloc((count + 1) * sizeof *copy);
    if (!copy) {
        result->out_of_memory = true;
        return;
    }
    if (count)
        memcpy(copy, addresses, count * sizeof *copy);
    free(result->last_addresses);
    result->last_addresses = copy;
    result->last_address_count = count;
}

/* How a story calls a start of the firmware: mostly by its cause. */
static const char *reset_word(const char *cause)
{
    if (!cause || strcmp(cause, "soft reset") == 0)
        return "reset";
    return strcmp(cause, "watchdog") == 0 ? "watchdog reset" : cause;
}

/* Resets and power cuts in order of time. Power that comes back is no event of its own: the cut was. */
size_t result_resets(const struct run_result *result, struct led_reset *resets)
{
    size_t count = 0, cut = 0;
    for (size_t i = 0; i < result->boot_count; i++) {
        const struct result_boot *boot = &result->boots[i];
        for (; cut < result->cut_count && result->cuts_ms[cut] <= boot->t_ms; cut++)
            resets[count++] = (struct led_reset){result->cuts_ms[cut], "power cut"};
        if (!boot->cold)
            resets[count++] = (struct led_reset){boot->t_ms, reset_word(boot->cause)};
    }
    for (; cut < result->cut_count; cut++)
        resets[count++] = (struct led_reset){result->cuts_ms[cut], "power cut"};
    return count;
}

static int finish_light(struct result_light *light, const struct led_reset *resets, const double *resets_ms,
                        size_t reset_count, double end_ms)
{
    struct led_timeline timeline = {.edges = light->edges,
                                    .edge_count = light->edge_count,
                                    .resets_ms = resets_ms,
                                    .reset_count = reset_count,
                                    .end_ms = end_ms,
                                    .lamp = light->lamp};
    struct led_story story;
    led_phrases_free(&light->phrases);
    free(light->line);
    light->line = NULL;
    if (led_phrases_find(&timeline, &light->phrases))
        return -1;
    if (led_story_make(light->phrases.item, light->phrases.count, resets, reset_count, &story))
        return -1;
    light->line = led_story_line(&story);
    led_story_free(&story);
    return light->line ? 0 : -1;
}

static int finish_lights(struct run_result *result)
{
    size_t room = result->boot_count + result->cut_count + 1;
    struct led_reset *resets = malloc(room * sizeof *resets);
    double *resets_ms = malloc(room * sizeof *resets_ms);
    int status = resets && resets_ms ? 0 : -1;
    size_t count = status ? 0 : result_resets(result, resets);
    for (size_t i = 0; i < count; i++)
        resets_ms[i] = resets[i].t_ms;
    for (size_t i = 0; i < result->light_count && !status; i++)
        status = finish_light(&result->lights[i], resets, resets_ms, count, result->virtual_ms);
    free(resets);
    free(resets_ms);
    return status;
}

int result_finish(struct run_result *result, enum run_verdict verdict, const char *why, double virtual_ms)
{
    result->virtual_ms = virtual_ms;
    result->verdict = verdict;
    free(result->why);
    result->why = copy_text(result, why);
    for (size_t i = 0; i < result->expectation_count; i++) {
        if (verdict == VERDICT_AS_EXPECTED && !result->expectations[i].ok)
            result->verdict = VERDICT_EXPECTATION_FAILED;
    }
    if (finish_lights(result))
        result->out_of_memory = true;
    return result->out_of_memory ? -1 : 0;
}
