/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/parse.h"

#include <stdlib.h>
#include <string.h>

#define MS_MAX 1e10 /* four months */

/* --- triggers -------------------------------------------------------------------------------------------
 */

static int trigger_ms(const struct reader *r, const cJSON *item, struct trigger *out)
{
    return read_double(r, item, 0, MS_MAX, &out->ms);
}

static int trigger_led(const struct reader *r, const cJSON *item, struct trigger *out)
{
    if (parse_pattern(r, item, &out->led))
        return -1;
    if (out->led.at_end)
        return json_doc_error(r->doc, member(item, "at_end"), r->why,
                              "a trigger cannot know where the end is");
    return 0;
}

static int trigger_flash(const struct reader *r, const cJSON *item, struct trigger *out)
{
    static const char *const members[] = {"array", "op", "nth", "address", "length", "moment", NULL};
    static const char *const ops[] = {"program", "erase", NULL};
    static const char *const moments[] = {"after", "before", "within", NULL};
    unsigned array = 0, op = 0, moment = FLASH_AFTER;
    uint32_t length = 1;
    if (read_members(r, item, members) || read_choice(r, member(item, "array"), nor_array_words, &array) ||
        read_choice(r, member(item, "op"), ops, &op) ||
        read_choice(r, member(item, "moment"), moments, &moment) ||
        read_whole(r, member(item, "nth"), 1, UINT64_MAX, &out->nth) ||
        read_u32(r, member(item, "address"), 0, UINT32_MAX, &out->from) ||
        read_u32(r, member(item, "length"), 1, UINT32_MAX, &length))
        return -1;
    out->array = member(item, "array") ? nor_array_words[array] : NULL;
    out->has_op = member(item, "op") != NULL;
    out->op = (enum nor_kind)op;
    out->moment = (enum flash_moment)moment;
    out->to = UINT32_MAX;
    if (member(item, "length") && !member(item, "address"))
        return missing(r, item, "address");
    if (member(item, "address"))
        out->to = length > UINT32_MAX - out->from ? UINT32_MAX : out->from + length;
    return 0;
}

static int trigger_pc(const struct reader *r, const cJSON *item, struct trigger *out)
{
    static const char *const members[] = {"address", "nth", NULL};
    if (!cJSON_IsObject(item))
        return read_u32(r, item, 0, UINT32_MAX, &out->address);
    if (read_members(r, item, members))
        return -1;
    if (!member(item, "address"))
        return missing(r, item, "address");
    return read_u32(r, member(item, "address"), 0, UINT32_MAX, &out->address) ||
                   read_whole(r, member(item, "nth"), 1, UINT64_MAX, &out->nth)
               ? -1
               : 0;
}

static int trigger_reset(const struct reader *r, const cJSON *item, struct trigger *out)
{
    return read_whole(r, item, 1, UINT64_MAX, &out->nth);
}

static int trigger_exception(const struct reader *r, const cJSON *item, struct trigger *out)
{
    static const char *const members[] = {"number", "nth", NULL};
    if (!cJSON_IsObject(item))
        return read_u32(r, item, 1, 255, &out->number);
    if (read_members(r, item, members))
        return -1;
    if (!member(item, "number"))
        return missing(r, item, "number");
    return read_u32(r, member(item, "number"), 1, 255, &out->number) ||
                   read_whole(r, member(item, "nth"), 1, UINT64_MAX, &out->nth)
               ? -1
               : 0;
}

static const struct {
    const char *name;
    enum trigger_kind kind;
    int (*parse)(const struct reader *r, const cJSON *item, struct trigger *out);
} triggers[] = {
    {"at_ms", TRIGGER_AT_MS, trigger_ms},
    {"after_ms", TRIGGER_AFTER_MS, trigger_ms},
    {"led", TRIGGER_LED, trigger_led},
    {"flash", TRIGGER_FLASH, trigger_flash},
    {"pc", TRIGGER_PC, trigger_pc},
    {"reset", TRIGGER_RESET, trigger_reset},
    {"exception", TRIGGER_EXCEPTION, trigger_exception},
    {"usb", TRIGGER_USB, parse_usb_moment},
};

int parse_trigger(const struct reader *r, const cJSON *item, struct trigger *out)
{
    size_t which;
    out->at = item;
    out->nth = 1;
    if (read_one_of(r, item, triggers, sizeof triggers[0], sizeof triggers / sizeof triggers[0], &which))
        return -1;
    out->kind = triggers[which].kind;
    return triggers[which].parse(r, item->child, out);
}

/* --- actions --------------------------------------------------------------------------------------------
 */

static int action_plain(const struct reader *r, const cJSON *item, struct action *out)
{
    (void)out;
    return cJSON_IsTrue(item)
               ? 0
               : json_doc_error(r->doc, item, r->why, "true is expected here, or just the word in quotes");
}

static int action_power_on(const struct reader *r, const cJSON *item, struct action *out)
{
    static const char *const members[] = {"ram", NULL};
    unsigned ram = RAM_CLEARED;
    if (cJSON_IsTrue(item))
        return 0;
    if (read_members(r, item, members) || read_choice(r, member(item, "ram"), ram_words, &ram))
        return -1;
    out->has_ram = member(item, "ram") != NULL;
    out->ram = (enum ram_after_off)ram;
    return 0;
}

static int action_power_off(const struct reader *r, const cJSON *item, struct action *out)
{
    static const char *const members[] = {"torn", NULL};
    if (cJSON_IsTrue(item))
        return 0;
    if (read_members(r, item, members))
        return -1;
    out->has_tear = member(item, "torn") != NULL;
    return out->has_tear ? parse_tear(r, member(item, "torn"), &out->tear) : 0;
}

static int action_press(const struct reader *r, const cJSON *item, struct action *out)
{
    out->input = (struct input_edit){.at = item, .what = "pressed", .value = out->kind == ACTION_PRESS};
    return read_text(r, item, &out->input.part);
}

static int action_input(const struct reader *r, const cJSON *item, struct action *out)
{
    return parse_input(r, item, &out->input);
}

static int action_patch(const struct reader *r, const cJSON *item, struct action *out)
{
    return parse_byte_edit(r, item, &out->patch);
}

static int action_stick(const struct reader *r, const cJSON *item, struct action *out)
{
    return parse_stuck(r, item, &out->stuck);
}

static int action_unsettle(const struct reader *r, const cJSON *item, struct action *out)
{
    return parse_unstable(r, item, &out->unstable);
}

static int action_fault(const struct reader *r, const cJSON *item, struct action *out)
{
    return parse_fault(r, item, &out->fault);
}

static int action_supply(const struct reader *r, const cJSON *item, struct action *out)
{
    return parse_supply(r, item, &out->sag);
}

static int action_load(const struct reader *r, const cJSON *item, struct action *out)
{
    int err = 0;
    out->modules = read_list(r, item, sizeof *out->modules, parse_module, &out->module_count, &err);
    return err;
}

static int action_exception(const struct reader *r, const cJSON *item, struct action *out)
{
    return read_u32(r, item, 2, 63, &out->exception);
}

static int action_usb(const struct reader *r, const cJSON *item, struct action *out)
{
    return parse_usb(r, item, &out->usb);
}

static int action_check(const struct reader *r, const cJSON *item, struct action *out)
{
    int err = 0;
    out->checks = read_list(r, item, sizeof *out->checks, parse_expect, &out->check_count, &err);
    return err;
}

static const struct {
    const char *name;
    enum action_kind kind;
    bool word; /* can stand alone */
    int (*parse)(const struct reader *r, const cJSON *item, struct action *out);
} actions[] = {
    {"power_on", ACTION_POWER_ON, true, action_power_on},
    {"power_off", ACTION_POWER_OFF, true, action_power_off},
    {"reset", ACTION_RESET, true, action_plain},
    {"stop", ACTION_STOP, true, action_plain},
    {"press", ACTION_PRESS, false, action_press},
    {"release", ACTION_RELEASE, false, action_press},
    {"input", ACTION_INPUT, false, action_input},
    {"patch", ACTION_PATCH, false, action_patch},
    {"stick", ACTION_STICK, false, action_stick},
    {"unsettle", ACTION_UNSETTLE, false, action_unsettle},
    {"fault", ACTION_FAULT, false, action_fault},
    {"supply", ACTION_SUPPLY, false, action_supply},
    {"load", ACTION_LOAD, false, action_load},
    {"exception", ACTION_PEND, false, action_exception},
    {"usb", ACTION_USB, false, action_usb},
    {"check", ACTION_CHECK, false, action_check},
};

#define ACTION_COUNT (sizeof actions / sizeof actions[0])

static int parse_action(const struct reader *r, const cJSON *item, void *out)
{
    struct action *action = out;
    action->at = item;
    if (cJSON_IsString(item)) {
        for (size_t i = 0; i < ACTION_COUNT; i++) {
            if (actions[i].word && !strcmp(item->valuestring, actions[i].name)) {
                action->kind = actions[i].kind;
                return 0;
            }
        }
        return json_doc_error(
            r->doc, item, r->why,
            "\"%.60s\" is none of: power_on, power_off, reset, stop; other actions are objects",
            item->valuestring);
    }
    size_t which;
    if (cJSON_IsObject(item) && cJSON_GetArraySize(item) > 1)
        return json_doc_error(r->doc, item, r->why,
                              "several actions are an array of objects of one member each");
    if (read_one_of(r, item, actions, sizeof actions[0], ACTION_COUNT, &which))
        return -1;
    action->kind = actions[which].kind;
    return actions[which].parse(r, item->child, action);
}

static int parse_actions(const struct reader *r, const cJSON *item, struct step *step)
{
    int err = 0;
    if (cJSON_IsArray(item)) {
        step->actions = read_list(r, item, sizeof *step->actions, parse_action, &step->action_count, &err);
        return err;
    }
    step->actions = calloc(1, sizeof *step->actions);
    if (!step->actions)
        return json_doc_error(r->doc, item, r->why, "out of memory");
    step->action_count = 1;
    return parse_action(r, item, step->actions);
}

int parse_step(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {"when", "do", NULL};
    struct step *step = out;
    if (read_members(r, item, members))
        return -1;
    if (!member(item, "do"))
        return missing(r, item, "do");
    step->when = (struct trigger){.at = item, .kind = TRIGGER_AFTER_MS};
    if (member(item, "when") && parse_trigger(r, member(item, "when"), &step->when))
        return -1;
    if (parse_actions(r, member(item, "do"), step))
        return -1;
    return check_faults(r, item, step);
}

void free_step(struct step *step)
{
    for (size_t i = 0; step->actions && i < step->action_count; i++) {
        free(step->actions[i].patch.content.bytes);
        free(step->actions[i].modules);
        free_usb(&step->actions[i].usb);
        for (size_t j = 0; step->actions[i].checks && j < step->actions[i].check_count; j++)
            free_expect(&step->actions[i].checks[j]);
        free(step->actions[i].checks);
    }
    free(step->actions);
}
