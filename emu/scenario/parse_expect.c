/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "image/dct.h"
#include "scenario/parse.h"

#include <stdlib.h>
#include <string.h>

#define MS_MAX            1e10
#define DEFAULT_TOLERANCE 10.0 /* percent of a phrase's on and off times; at least 2 ms */

static const char *const stages[] = {"bootloader", "softdevice", "system-part1", "user", "mbr", NULL};
static const char *const kind_words[] = {"off", "solid", "blink", "breathe", "sos", "other", NULL};
static const char *const color_words[] = {"off",  "red",    "orange",  "yellow", "green", "cyan",
                                          "blue", "violet", "magenta", "white",  "mixed", NULL};

/* A number, or {"min", "max"}. */
static int read_range(const struct reader *r, const cJSON *item, uint32_t *min, uint32_t *max)
{
    static const char *const members[] = {"min", "max", NULL};
    if (!item)
        return 0;
    if (!cJSON_IsObject(item)) {
        if (read_u32(r, item, 0, UINT32_MAX, min))
            return -1;
        *max = *min;
        return 0;
    }
    *min = 0;
    *max = UINT32_MAX;
    if (read_members(r, item, members) || read_u32(r, member(item, "min"), 0, UINT32_MAX, min) ||
        read_u32(r, member(item, "max"), 0, UINT32_MAX, max))
        return -1;
    return *min > *max ? json_doc_error(r->doc, item, r->why, "min is greater than max") : 0;
}

static int pattern_times(const struct reader *r, const cJSON *item, struct led_pattern *pattern)
{
    if (read_double(r, member(item, "on_ms"), 0, MS_MAX, &pattern->on_ms) ||
        read_double(r, member(item, "off_ms"), 0, MS_MAX, &pattern->off_ms) ||
        read_double(r, member(item, "tolerance_ms"), 0, MS_MAX, &pattern->tolerance_ms) ||
        read_double(r, member(item, "from_ms"), 0, MS_MAX, &pattern->from_ms) ||
        read_double(r, member(item, "within_ms"), 0, MS_MAX, &pattern->to_ms) ||
        read_double(r, member(item, "lasts_ms"), 0, MS_MAX, &pattern->min_ms) ||
        read_double(r, member(item, "lasts_at_most_ms"), 0, MS_MAX, &pattern->max_ms))
        return -1;
    pattern->has_on = member(item, "on_ms") != NULL;
    pattern->has_off = member(item, "off_ms") != NULL;
    if (!member(item, "tolerance_ms")) {
        double longest = pattern->on_ms > pattern->off_ms ? pattern->on_ms : pattern->off_ms;
        pattern->tolerance_ms = longest * DEFAULT_TOLERANCE / 100;
        pattern->tolerance_ms = pattern->tolerance_ms < 2 ? 2 : pattern->tolerance_ms;
    }
    return 0;
}

int parse_pattern(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {
        "light", "kind",    "color",     "on_ms",    "off_ms",           "tolerance_ms", "count",
        "code",  "from_ms", "within_ms", "lasts_ms", "lasts_at_most_ms", "at_end",       NULL};
    struct led_pattern *pattern = out;
    unsigned kind = 0, color = 0;
    uint32_t code = 0;
    *pattern = (struct led_pattern){
        .at = item, .light = "rgb", .count_max = UINT32_MAX, .to_ms = MS_MAX, .max_ms = MS_MAX};
    if (read_members(r, item, members) || read_text(r, member(item, "light"), &pattern->light) ||
        read_choice(r, member(item, "kind"), kind_words, &kind) ||
        read_choice(r, member(item, "color"), color_words, &color) ||
        read_range(r, member(item, "count"), &pattern->count_min, &pattern->count_max) ||
        read_u32(r, member(item, "code"), 1, 99, &code) ||
        read_flag(r, member(item, "at_end"), &pattern->at_end))
        return -1;
    pattern->has_kind = member(item, "kind") != NULL;
    pattern->kind = led_kind_by_name(kind_words[kind]);
    pattern->has_color = member(item, "color") != NULL;
    pattern->color = led_color_by_name(color_words[color]);
    pattern->has_code = member(item, "code") != NULL;
    pattern->code = (int)code;
    if (pattern->has_code && pattern->has_kind && pattern->kind != LED_SOS)
        return json_doc_error(r->doc, member(item, "code"), r->why,
                              "only a phrase of kind \"sos\" has a code");
    return pattern_times(r, item, pattern);
}

/* --- one parser a kind of expectation -------------------------------------------------------------------
 */

static int expect_led(const struct reader *r, const cJSON *item, struct expect *out)
{
    out->patterns = calloc(1, sizeof *out->patterns);
    if (!out->patterns)
        return json_doc_error(r->doc, item, r->why, "out of memory");
    out->pattern_count = 1;
    return parse_pattern(r, item, out->patterns);
}

static int expect_led_sequence(const struct reader *r, const cJSON *item, struct expect *out)
{
    int err = 0;
    out->patterns = read_list(r, item, sizeof *out->patterns, parse_pattern, &out->pattern_count, &err);
    if (!err && !out->pattern_count)
        return json_doc_error(r->doc, item, r->why, "a sequence has at least one phrase");
    return err;
}

static int read_stage(const struct reader *r, const cJSON *item, const char **out)
{
    unsigned stage = 0;
    if (read_choice(r, item, stages, &stage))
        return -1;
    if (item)
        *out = stages[stage];
    return 0;
}

static int expect_panic(const struct reader *r, const cJSON *item, struct expect *out)
{
    static const char *const members[] = {"code", "stage", "site", "count", NULL};
    uint32_t code = 0;
    out->min = 1;
    out->max = UINT32_MAX;
    if (read_members(r, item, members) || read_u32(r, member(item, "code"), 1, 99, &code) ||
        read_stage(r, member(item, "stage"), &out->stage) ||
        read_text(r, member(item, "site"), &out->contains) ||
        read_range(r, member(item, "count"), &out->min, &out->max))
        return -1;
    out->has_code = member(item, "code") != NULL;
    out->code = (int)code;
    return 0;
}

static int expect_resets(const struct reader *r, const cJSON *item, struct expect *out)
{
    return read_range(r, item, &out->min, &out->max);
}

static int expect_memory(const struct reader *r, const cJSON *item, struct expect *out)
{
    return parse_byte_edit(r, item, &out->memory);
}

static int expect_dct(const struct reader *r, const cJSON *item, struct expect *out)
{
    return parse_dct(r, item, "", &out->dct, &out->dct_count);
}

static int expect_file(const struct reader *r, const cJSON *item, struct expect *out)
{
    static const char *const members[] = {"path", "size", "hex", "text", NULL};
    out->file.at = item;
    out->max = UINT32_MAX;
    if (read_members(r, item, members))
        return -1;
    if (!member(item, "path"))
        return missing(r, item, "path");
    out->has_size = member(item, "size") != NULL;
    out->has_content = member(item, "hex") || member(item, "text");
    return read_text(r, member(item, "path"), &out->file.path) ||
                   read_u32(r, member(item, "size"), 0, UINT32_MAX, &out->size) ||
                   read_content(r, item, "", false, &out->file.content)
               ? -1
               : 0;
}

static int expect_file_system(const struct reader *r, const cJSON *item, struct expect *out)
{
    static const char *const members[] = {"is", "finding", NULL};
    static const char *const states[] = {"sound", "damaged", "fatal", NULL};
    unsigned state = FILE_SYSTEM_SOUND;
    if (read_members(r, item, members) || read_choice(r, member(item, "is"), states, &state) ||
        read_text(r, member(item, "finding"), &out->contains))
        return -1;
    if (!member(item, "is"))
        return missing(r, item, "is");
    out->file_system = (enum file_system_state)state;
    return out->contains && state == FILE_SYSTEM_SOUND
               ? json_doc_error(r->doc, member(item, "finding"), r->why,
                                "a sound file system has no findings")
               : 0;
}

static int expect_slot(const struct reader *r, const cJSON *item, struct expect *out)
{
    static const char *const members[] = {"slot", "is", NULL};
    static const char *const states[] = {"free", "pending", "factory", NULL};
    unsigned state = SLOT_FREE;
    uint32_t slot = 1;
    if (read_members(r, item, members) || read_u32(r, member(item, "slot"), 0, DCT_SLOT_COUNT - 1, &slot) ||
        read_choice(r, member(item, "is"), states, &state))
        return -1;
    out->slot = slot;
    out->slot_state = (enum slot_state)state;
    return member(item, "is") ? 0 : missing(r, item, "is");
}

static int expect_module(const struct reader *r, const cJSON *item, struct expect *out)
{
    static const char *const members[] = {"kind", "published", "version", "valid", NULL};
    static const char *const kinds[] = {"bootloader", "softdevice", "system-part1",
                                        "user",       "user-256k",  NULL};
    unsigned kind = 0;
    uint32_t version = 0;
    out->module.at = item;
    if (read_members(r, item, members) || read_choice(r, member(item, "kind"), kinds, &kind) ||
        read_text(r, member(item, "published"), &out->module.published) ||
        read_u32(r, member(item, "version"), 0, UINT16_MAX, &version) ||
        read_flag(r, member(item, "valid"), &out->valid))
        return -1;
    if (!member(item, "kind"))
        return missing(r, item, "kind");
    out->stage = kinds[kind];
    if (out->module.published && !strcmp(out->stage, "user-256k"))
        return json_doc_error(r->doc, member(item, "published"), r->why,
                              "no published user program is built for this place");
    out->module.kind = !strcmp(out->stage, "user") ? "tinker" : out->stage;
    out->has_version = member(item, "version") != NULL;
    out->version = version;
    out->has_valid = member(item, "valid") != NULL;
    return 0;
}

static int expect_running(const struct reader *r, const cJSON *item, struct expect *out)
{
    static const char *const members[] = {"address", "length", NULL};
    uint32_t length = 0;
    if (!cJSON_IsObject(item))
        return read_stage(r, item, &out->stage);
    if (read_members(r, item, members))
        return -1;
    if (!member(item, "address") || !member(item, "length"))
        return missing(r, item, member(item, "address") ? "length" : "address");
    if (read_u32(r, member(item, "address"), 0, UINT32_MAX, &out->from) ||
        read_u32(r, member(item, "length"), 1, UINT32_MAX, &length))
        return -1;
    out->to = length > UINT32_MAX - out->from ? UINT32_MAX : out->from + length;
    return 0;
}

static int expect_uart(const struct reader *r, const cJSON *item, struct expect *out)
{
    static const char *const members[] = {"instance", "hex", "text", NULL};
    uint32_t instance = 0;
    if (read_members(r, item, members) ||
        read_u32(r, member(item, "instance"), 0, SIGNAL_UARTS - 1, &instance) ||
        read_content(r, item, "", true, &out->memory.content))
        return -1;
    out->has_uart = member(item, "instance") != NULL;
    out->uart = instance;
    return out->memory.content.length ? 0 : json_doc_error(r->doc, item, r->why, "no bytes are given");
}

static int expect_hang(const struct reader *r, const cJSON *item, struct expect *out)
{
    static const char *const members[] = {"stage", NULL};
    if (cJSON_IsTrue(item))
        return 0;
    return read_members(r, item, members) || read_stage(r, member(item, "stage"), &out->stage) ? -1 : 0;
}

static int expect_finding(const struct reader *r, const cJSON *item, struct expect *out)
{
    return read_text(r, item, &out->contains);
}

static int expect_repeats(const struct reader *r, const cJSON *item, struct expect *out)
{
    (void)out;
    return cJSON_IsTrue(item) ? 0 : json_doc_error(r->doc, item, r->why, "true is expected here");
}

static const struct {
    const char *name;
    enum expect_kind kind;
    int (*parse)(const struct reader *r, const cJSON *item, struct expect *out);
} kinds[] = {
    {"led", EXPECT_LED, expect_led},
    {"led_sequence", EXPECT_LED_SEQUENCE, expect_led_sequence},
    {"panic", EXPECT_PANIC, expect_panic},
    {"resets", EXPECT_RESETS, expect_resets},
    {"memory", EXPECT_MEMORY, expect_memory},
    {"dct", EXPECT_DCT, expect_dct},
    {"file", EXPECT_FILE, expect_file},
    {"file_system", EXPECT_FILE_SYSTEM, expect_file_system},
    {"slot", EXPECT_SLOT, expect_slot},
    {"module", EXPECT_MODULE, expect_module},
    {"running", EXPECT_RUNNING, expect_running},
    {"hang", EXPECT_HANG, expect_hang},
    {"finding", EXPECT_FINDING, expect_finding},
    {"repeats", EXPECT_REPEATS, expect_repeats},
    {"uart", EXPECT_UART, expect_uart},
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

int parse_expect(const struct reader *r, const cJSON *item, void *out)
{
    static const char *const members[] = {
        "led",     "led_sequence", "panic",   "resets",  "memory", "dct",         "file", "slot", "module",
        "running", "hang",         "finding", "repeats", "uart",   "file_system", "not",  "text", NULL};
    struct expect *expect = out;
    const cJSON *not_this = member(item, "not");
    expect->at = item;
    if (read_members(r, item, members) || read_text(r, member(item, "text"), &expect->text))
        return -1;
    if (cJSON_GetArraySize(item) != 1 + (member(item, "text") != NULL))
        return json_doc_error(r->doc, item, r->why,
                              "an expectation is exactly one thing, with a \"text\" if you like");
    if (not_this) {
        if (member(not_this, "not"))
            return json_doc_error(r->doc, member(not_this, "not"), r->why,
                                  "\"not\" cannot hold another \"not\"");
        const char *text = expect->text;
        int err = parse_expect(r, not_this, out);
        expect->negated = true;
        expect->text = text ? text : expect->text;
        return err;
    }
    for (size_t i = 0; i < KIND_COUNT; i++) {
        const cJSON *value = member(item, kinds[i].name);
        if (value) {
            expect->kind = kinds[i].kind;
            return kinds[i].parse(r, value, expect);
        }
    }
    return json_doc_error(r->doc, item, r->why, "a \"text\" alone expects nothing");
}

void free_expect(struct expect *expect)
{
    free(expect->patterns);
    free(expect->memory.content.bytes);
    free(expect->file.content.bytes);
    free_dct(expect->dct, expect->dct_count);
}
