/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario.h"

#include "app/apps.h"
#include "image/board_images.h"
#include "image/file.h"
#include "image/store.h"
#include "scenario/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS_MAX             1e10
#define DEFAULT_VIRTUAL_MS 120000.0
#define DEFAULT_WALL_S     600.0
#define DEFAULT_BOOTS      50u

static int parse_limits(const struct reader *r, const cJSON *item, struct limits *limits)
{
    static const char *const members[] = {"virtual_ms", "wall_s", "boots", NULL};
    uint32_t boots = DEFAULT_BOOTS;
    *limits = (struct limits){DEFAULT_VIRTUAL_MS, DEFAULT_WALL_S, DEFAULT_BOOTS};
    if (!item)
        return 0;
    if (read_members(r, item, members) ||
        read_double(r, member(item, "virtual_ms"), 0.001, MS_MAX, &limits->virtual_ms) ||
        read_double(r, member(item, "wall_s"), 0.001, 1e6, &limits->wall_s) ||
        read_u32(r, member(item, "boots"), 1, UINT32_MAX, &boots))
        return -1;
    limits->boots = boots;
    return 0;
}

static int parse_mbr(const struct reader *r, const cJSON *item, const char **file)
{
    static const char *const members[] = {"file", NULL};
    if (!item || (cJSON_IsString(item) && !strcmp(item->valuestring, "replacement")))
        return 0;
    if (!cJSON_IsObject(item))
        return json_doc_error(r->doc, item, r->why, "\"replacement\" or {\"file\": ...} is expected here");
    if (read_members(r, item, members))
        return -1;
    return member(item, "file") ? read_text(r, member(item, "file"), file) : missing(r, item, "file");
}

static int parse_until(const struct reader *r, const cJSON *item, struct trigger *until)
{
    until->kind = TRIGGER_SETTLED;
    until->at = item;
    if (!item || (cJSON_IsString(item) && !strcmp(item->valuestring, "settled")))
        return 0;
    if (!cJSON_IsObject(item))
        return json_doc_error(r->doc, item, r->why, "\"settled\" or a trigger is expected here");
    return parse_trigger(r, item, until);
}

/* Without a timeline the device is switched on at time 0. */
static int default_timeline(struct scenario *scenario)
{
    scenario->steps = calloc(1, sizeof *scenario->steps);
    struct action *action = calloc(1, sizeof *action);
    if (!scenario->steps || !action) {
        free(action);
        return -1;
    }
    scenario->step_count = 1;
    scenario->steps[0].when.kind = TRIGGER_AFTER_MS;
    scenario->steps[0].actions = action;
    scenario->steps[0].action_count = 1;
    action->kind = ACTION_POWER_ON;
    return 0;
}

static int parse_timeline(const struct reader *r, const cJSON *item, struct scenario *scenario)
{
    int err = 0;
    if (!item)
        return default_timeline(scenario) ? json_doc_error(r->doc, r->doc->root, r->why, "out of memory") : 0;
    scenario->steps = read_list(r, item, sizeof *scenario->steps, parse_step, &scenario->step_count, &err);
    if (!err && scenario->step_count > SCENARIO_STEPS_MAX)
        return json_doc_error(r->doc, item, r->why, "at most %u steps are possible", SCENARIO_STEPS_MAX);
    return err;
}

static int parse_root(const struct reader *r, struct scenario *scenario)
{
    static const char *const members[] = {"$schema", "name",   "description", "board",    "seed",
                                          "modules", "mbr",    "state",       "timeline", "until",
                                          "expect",  "limits", NULL};
    const cJSON *root = r->doc->root;
    const char *schema = NULL;
    int err = 0;
    scenario->board = "boron";
    scenario->seed = 1;
    if (read_members(r, root, members) || read_text(r, member(root, "$schema"), &schema) ||
        read_text(r, member(root, "name"), &scenario->name) ||
        read_text(r, member(root, "description"), &scenario->description) ||
        read_text(r, member(root, "board"), &scenario->board) ||
        read_whole(r, member(root, "seed"), 0, UINT64_MAX, &scenario->seed) ||
        parse_mbr(r, member(root, "mbr"), &scenario->mbr))
        return -1;
    if (!scenario->name)
        return missing(r, root, "name");
    scenario->modules = read_list(r, member(root, "modules"), sizeof *scenario->modules, parse_module,
                                  &scenario->module_count, &err);
    if (err || parse_state(r, member(root, "state"), &scenario->state) ||
        parse_timeline(r, member(root, "timeline"), scenario) ||
        parse_until(r, member(root, "until"), &scenario->until) ||
        parse_limits(r, member(root, "limits"), &scenario->limits))
        return -1;
    scenario->expects = read_list(r, member(root, "expect"), sizeof *scenario->expects, parse_expect,
                                  &scenario->expect_count, &err);
    return err;
}

int scenario_parse(struct scenario *scenario, const char *name, const char *text, size_t len,
                   struct diag *why)
{
    memset(scenario, 0, sizeof *scenario);
    const char *slash = strrchr(name, '/');
    size_t length = slash ? (size_t)(slash - name) + 1 : 0;
    if (length >= sizeof scenario->directory) {
        diag_set(why, "%s: the path is too long", name);
        return -1;
    }
    memcpy(scenario->directory, name, length);
    if (json_doc_parse(&scenario->doc, name, text, len, why))
        return -1;
    const struct reader r = {&scenario->doc, why};
    if (!parse_root(&r, scenario))
        return 0;
    scenario_free(scenario);
    return -1;
}

int scenario_load(struct scenario *scenario, const char *path, struct diag *why)
{
    uint8_t *text;
    size_t length;
    if (file_read_all(path, JSON_TEXT_MAX, &text, &length, why) != FILE_OK)
        return -1;
    int err = scenario_parse(scenario, path, (const char *)text, length, why);
    free(text);
    return err;
}

void scenario_free(struct scenario *scenario)
{
    for (size_t i = 0; scenario->steps && i < scenario->step_count; i++)
        free_step(&scenario->steps[i]);
    for (size_t i = 0; scenario->expects && i < scenario->expect_count; i++)
        free_expect(&scenario->expects[i]);
    free_state(&scenario->state);
    free(scenario->steps);
    free(scenario->expects);
    free(scenario->modules);
    free(scenario->version);
    json_doc_free(&scenario->doc);
    memset(scenario, 0, sizeof *scenario);
}

int scenario_path(const struct scenario *scenario, const cJSON *at, const char *relative,
                  char path[SCENARIO_PATH_SIZE], struct diag *why)
{
    int n =
        snprintf(path, SCENARIO_PATH_SIZE, "%s%s", relative[0] == '/' ? "" : scenario->directory, relative);
    if (n < 0 || n >= SCENARIO_PATH_SIZE)
        return json_doc_error(&scenario->doc, at, why, "this path is too long");
    return 0;
}

/* --- modules --------------------------------------------------------------------------------------------
 */

/* Returns other than 0 to end the visits. */
typedef int (*visit_module)(const void *context, struct module_choice *module);

static int each_of_expects(struct expect *expects, size_t count, visit_module visit, const void *context)
{
    int err = 0;
    for (size_t i = 0; i < count && !err; i++)
        err = visit(context, &expects[i].module);
    return err;
}

static int each_of_action(struct action *action, visit_module visit, const void *context)
{
    int err = visit(context, &action->usb.module);
    for (size_t i = 0; i < action->module_count && !err; i++)
        err = visit(context, &action->modules[i]);
    return err ? err : each_of_expects(action->checks, action->check_count, visit, context);
}

/* All modules that a scenario mentions, in the order of the file's members; all is blank where one could be
 * mentioned and is not. Returns what the last visit did. */
static int each_module(const struct scenario *scenario, visit_module visit, const void *context)
{
    int err = 0;
    for (size_t i = 0; i < scenario->module_count && !err; i++)
        err = visit(context, &scenario->modules[i]);
    for (size_t i = 0; i < scenario->state.slot_count && !err; i++)
        err = visit(context, &scenario->state.slots[i].module);
    for (size_t i = 0; i < scenario->step_count; i++) {
        for (size_t j = 0; j < scenario->steps[i].action_count && !err; j++)
            err = each_of_action(&scenario->steps[i].actions[j], visit, context);
    }
    return err ? err : each_of_expects(scenario->expects, scenario->expect_count, visit, context);
}

/* --- another version ------------------------------------------------------------------------------------
 */

/* The version of the modules that the device has. */
static const char *first_version(const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->module_count; i++) {
        if (scenario->modules[i].published)
            return scenario->modules[i].published;
    }
    return NULL;
}

struct version_change {
    const char *was, *from, *to; /* to: NULL for what is not of version `was` to stay */
};

static void change_text(const struct version_change *change, const char **version)
{
    if (*version && change->was && !strcmp(*version, change->was))
        *version = change->from;
    else if (*version && change->to)
        *version = change->to;
}

static int change_version(const void *context, struct module_choice *module)
{
    change_text(context, &module->published);
    change_text(context, &module->built_for);
    return 0;
}

int scenario_override_version(struct scenario *scenario, const char *version)
{
    const char *dots = strstr(version, "..");
    struct version_change change = {.was = first_version(scenario), .to = dots ? dots + 2 : NULL};
    size_t length = dots ? (size_t)(dots - version) : strlen(version);
    char *from = malloc(length + 1);
    if (!from)
        return -1;
    memcpy(from, version, length);
    from[length] = '\0';
    char *before = scenario->version; /* modules still refer to it, if this is not the first change */
    change.from = scenario->version = from;
    each_module(scenario, change_version, &change);
    free(before);
    return 0;
}

/* --- what it refers to ----------------------------------------------------------------------------------
 */

static int check_file(const struct scenario *scenario, const cJSON *at, const char *file, struct diag *why)
{
    char path[SCENARIO_PATH_SIZE];
    if (scenario_path(scenario, at, file, path, why))
        return -1;
    return access(path, R_OK) ? json_doc_error(&scenario->doc, at, why, "there is no readable file %s", path)
                              : 0;
}

struct check {
    const struct scenario *scenario;
    const struct board_images *board;
    struct diag *why;
};

static int check_module(const void *context, struct module_choice *module)
{
    const struct check *check = context;
    const struct json_doc *doc = &check->scenario->doc;
    struct diag reason;
    if (module->file)
        return check_file(check->scenario, module->at, module->file, check->why);
    if (module->app && !sosim_app_find(module->app, module->built_for, &reason))
        return json_doc_error(doc, module->at, check->why, "%s", reason.text);
    if (!module->published)
        return 0;
    const struct board_release *release = board_images_release(check->board, module->published, &reason);
    if (!release ||
        (module->kind && !board_images_find(check->board, module->published, module->kind, &reason)))
        return json_doc_error(doc, module->at, check->why, "%s", reason.text);
    for (size_t i = 0; i < release->image_count; i++) {
        const char *kind = release->images[i].kind;
        char path[STORE_PATH_SIZE];
        if ((!module->kind || !strcmp(kind, module->kind)) &&
            store_path(check->board, module->published, kind, path, &reason) != STORE_OK)
            return json_doc_error(doc, module->at, check->why, "%s", reason.text);
    }
    return 0;
}

static int check_references(const struct scenario *scenario, const struct board_images *board,
                            struct diag *why)
{
    const struct check check = {scenario, board, why};
    const struct device_state *state = &scenario->state;
    if (scenario->mbr && check_file(scenario, member(scenario->doc.root, "mbr"), scenario->mbr, why))
        return -1;
    for (size_t i = 0; i < state->image_count; i++) {
        if (check_file(scenario, state->images[i].place.at, state->images[i].file, why))
            return -1;
    }
    return each_module(scenario, check_module, &check);
}

int scenario_check(const struct scenario *scenario, struct diag *why)
{
    struct board_images board;
    struct diag reason;
    const cJSON *named = member(scenario->doc.root, "board"), *at = named ? named : scenario->doc.root;
    if (board_images_load(scenario->board, &board, &reason))
        return json_doc_error(&scenario->doc, at, why, "%s", reason.text);
    int err = board.has_parts ? check_references(scenario, &board, why)
                              : json_doc_error(&scenario->doc, at, why,
                                               "of the board \"%s\" only the images are known, so it cannot "
                                               "run; see sosim boards",
                                               scenario->board);
    board_images_free(&board);
    return err;
}
