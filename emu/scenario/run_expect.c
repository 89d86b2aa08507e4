/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judges what a scenario expects, in words that say what was seen instead. */
#include "scenario/run_internal.h"

#include "image/dct.h"
#include "image/littlefs_scan.h"
#include "image/module.h"
#include "image/module_set.h"
#include "led/meaning.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE   512
#define SHOWN_BYTES 16u

/* What one expectation came to. */
struct judgement {
    bool met;
    char text[TEXT_SIZE]; /* what is expected */
    char saw[TEXT_SIZE];
};

static void say(char *text, const char *format, ...) DIAG_PRINTF(2, 3);
static void say(char *text, const char *format, ...)
{
    va_list values;
    size_t used = strlen(text);
    va_start(values, format);
    vsnprintf(text + used, TEXT_SIZE - used, format, values);
    va_end(values);
}

static void say_bytes(char *text, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length && i < SHOWN_BYTES; i++)
        say(text, "%s%02X", i ? " " : "", bytes[i]);
    if (length > SHOWN_BYTES)
        say(text, " … (%zu bytes)", length);
}

/* --- lamps ----------------------------------------------------------------------------------------------
 */

static const struct led_phrase *last_lit(const struct led_phrases *phrases)
{
    const struct led_phrase *last = NULL;
    for (size_t i = 0; i < phrases->count; i++) {
        if (phrases->item[i].kind != LED_OFF || !last)
            last = &phrases->item[i];
    }
    return last;
}

static bool fits(const struct led_pattern *pattern, const struct led_phrases *phrases, size_t i)
{
    const struct led_phrase *phrase = &phrases->item[i];
    /* Darkness at the end counts only when it is what is asked for, or lasts. */
    if (pattern->at_end) {
        const struct led_phrase *end = &phrases->item[phrases->count - 1];
        bool dark = end->kind == LED_OFF && (pattern->kind == LED_OFF || end->end_ms - end->t_ms >= DARK_MS);
        if (phrase != (dark ? end : last_lit(phrases)))
            return false;
    }
    return led_pattern_fits(pattern, phrase);
}

/* How many of the patterns are found, in order. */
static size_t follow(const struct led_pattern *patterns, size_t count, const struct led_phrases *phrases,
                     const struct led_phrase **found)
{
    size_t met = 0;
    for (size_t i = 0; i < phrases->count && met < count; i++) {
        if (fits(&patterns[met], phrases, i)) {
            *found = &phrases->item[i];
            met++;
        }
    }
    return met;
}

static void say_story(struct judgement *judgement, const struct led_view *view)
{
    char *line = led_story_line(&view->story);
    say(judgement->saw, "%s", line ? line : "");
    free(line);
}

static void judge_led(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    struct led_view view;
    const struct led_phrase *found = NULL;
    char words[TEXT_SIZE];
    for (size_t i = 0; i < expect->pattern_count; i++)
        say(judgement->text, "%s%s", i ? ", then " : "",
            led_pattern_words(&expect->patterns[i], words, sizeof words));
    if (run_led_view(run, expect->patterns[0].light, &view)) {
        say(judgement->saw, "the lamp \"%s\" was never lit", expect->patterns[0].light);
        return;
    }
    size_t met = follow(expect->patterns, expect->pattern_count, &view.phrases, &found);
    judgement->met = met == expect->pattern_count;
    char *phrase = judgement->met && found ? led_phrase_words(found) : NULL;
    if (phrase)
        say(judgement->saw, "%s at %.3f ms", phrase, found->t_ms);
    else
        say_story(judgement, &view);
    if (!judgement->met && expect->pattern_count > 1)
        say(judgement->saw, " (phrase %zu was not found in its place)", met + 1);
    free(phrase);
    run_led_view_free(&view);
}

static void judge_repeats(struct runner *run, struct judgement *judgement)
{
    struct led_view view;
    say(judgement->text, "it repeats for ever");
    if (run_led_view(run, "rgb", &view))
        return;
    judgement->met = view.story.rounds >= 2;
    say_story(judgement, &view);
    run_led_view_free(&view);
}

/* --- what the firmware did ------------------------------------------------------------------------------
 */

static void say_range(char *text, unsigned min, unsigned max)
{
    if (min == max)
        say(text, "%u", min);
    else if (max == UINT32_MAX)
        say(text, "%u or more", min);
    else
        say(text, "%u to %u", min, max);
}

static void judge_panic(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    const struct run_result *result = run->result;
    unsigned count = 0;
    const char *name = expect->has_code ? led_panic_name(expect->code) : NULL;
    say(judgement->text, "panic");
    if (expect->has_code)
        say(judgement->text, " %d%s%s%s", expect->code, name ? " (" : "", name ? name : "", name ? ")" : "");
    if (expect->stage)
        say(judgement->text, " in the %s", expect->stage);
    if (expect->contains)
        say(judgement->text, " %s", expect->contains);
    if (expect->min != 1 || expect->max != UINT32_MAX) {
        say(judgement->text, ", times: ");
        say_range(judgement->text, expect->min, expect->max);
    }
    for (size_t i = 0; i < result->panic_count; i++) {
        const struct result_panic *panic = &result->panics[i];
        count += (!expect->has_code || panic->code == expect->code) &&
                 (!expect->stage || (panic->stage && !strcmp(panic->stage, expect->stage))) &&
                 (!expect->contains || (panic->site && strstr(panic->site, expect->contains)));
        if (i < 3)
            say(judgement->saw, "%s%d in the %s at %.3f ms", i ? ", " : "panic ", panic->code,
                panic->stage ? panic->stage : "?", panic->t_ms);
    }
    if (!result->panic_count)
        say(judgement->saw, "no panic");
    judgement->met = count >= expect->min && count <= expect->max;
}

static void judge_resets(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    unsigned count = 0;
    for (size_t i = 0; i < run->result->boot_count; i++)
        count += !run->result->boots[i].cold;
    say(judgement->text, "resets: ");
    say_range(judgement->text, expect->min, expect->max);
    say(judgement->saw, "%u", count);
    judgement->met = count >= expect->min && count <= expect->max;
}

static const char *stage_now(struct runner *run)
{
    static const char *const last_resorts[] = {"softdevice", "mbr"};
    uint32_t trail[CPU_TRAIL];
    unsigned count = cpu_trail(&run->machine.cpu, trail);
    const char *stage = NULL;
    if (!run->machine.powered)
        return NULL;
    /* Interrupts pass through MBR and SoftDevice whatever runs, and the system calls the user program. */
    for (unsigned i = 0; i < count; i++) {
        const char *one = run_stage(run, trail[i]);
        if (!one)
            continue;
        bool weak = !strcmp(one, last_resorts[0]) || !strcmp(one, last_resorts[1]);
        if (!stage || !weak)
            stage = one;
    }
    return stage;
}

/* Where the CPU is, in words. */
static void say_last_code(char *text, const struct cpu *cpu)
{
    uint32_t trail[CPU_TRAIL];
    unsigned count = cpu_trail(cpu, trail);
    uint32_t from = UINT32_MAX, to = 0;
    for (unsigned i = 0; i < count; i++) {
        from = trail[i] < from ? trail[i] : from;
        to = trail[i] > to ? trail[i] : to;
    }
    if (!count)
        say(text, "nothing ran");
    else
        say(text, "0x%x was last, 0x%x to 0x%x the last %u blocks", trail[count - 1], from, to, count);
}

static void judge_range(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    say(judgement->text, "code in 0x%x to 0x%x runs at the end", expect->from, expect->to - 1);
    judgement->met = run->machine.powered && cpu_runs(&run->machine.cpu, expect->from, expect->to);
    if (!run->machine.powered)
        say(judgement->saw, "there is no power");
    else
        say_last_code(judgement->saw, &run->machine.cpu);
}

static void judge_running(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    if (!expect->stage) {
        judge_range(run, expect, judgement);
        return;
    }
    const char *stage = stage_now(run);
    say(judgement->text, "the %s runs at the end", expect->stage);
    say(judgement->saw, "%s",
        !run->machine.powered ? "there is no power"
        : stage               ? stage
                              : "code outside all modules");
    judgement->met = stage && !strcmp(stage, expect->stage);
}

static void judge_hang(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    const char *stage = run->spin.code.count ? run_stage(run, run->spin.code.blocks[0]) : NULL;
    say(judgement->text, "dark for ever%s%s", expect->stage ? " in the " : "",
        expect->stage ? expect->stage : "");
    say(judgement->saw, "%s%s", run->spin.hung ? "dark for ever in the " : "no hang",
        run->spin.hung ? (stage ? stage : "RAM or nowhere") : "");
    judgement->met = run->spin.hung && (!expect->stage || (stage && !strcmp(stage, expect->stage)));
}

/* Text, with what is no letter as a dot. */
static void say_text(char *text, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        say(text, "%c", bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '.');
}

static void judge_uart(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    const struct byte_string *wanted = &expect->memory.content;
    say(judgement->text, "\"");
    say_text(judgement->text, wanted->bytes, wanted->length);
    say(judgement->text, "\" is sent on ");
    if (expect->has_uart)
        say(judgement->text, "UART%u", expect->uart);
    else
        say(judgement->text, "a UART");
    judgement->met = uart_watch_seen(&run->uart, expect);
    for (unsigned i = 0; i < SIGNAL_UARTS; i++) {
        const struct uart_tail *tail = &run->uart.tail[i];
        size_t shown = tail->length < UART_WATCH_TAIL ? tail->length : UART_WATCH_TAIL;
        say(judgement->saw, "%sUART%u: ", i ? "; " : "", i);
        say_text(judgement->saw, tail->bytes + tail->length - shown, shown);
        say(judgement->saw, "%s", shown ? "" : "nothing");
    }
}

static void judge_finding(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    const struct run_result *result = run->result;
    say(judgement->text, "a finding with \"%s\"", expect->contains);
    for (size_t i = 0; i < result->finding_count && !judgement->met; i++) {
        const struct result_finding *finding = &result->findings[i];
        judgement->met = strstr(finding->text, expect->contains) || strstr(finding->topic, expect->contains);
        if (judgement->met)
            say(judgement->saw, "%s: %s", finding->topic, finding->text);
    }
    if (!judgement->met)
        say(judgement->saw, "%zu findings, none like it", result->finding_count);
}

/* --- memories -------------------------------------------------------------------------------------------
 */

static void say_place(char *text, const struct flash_place *place)
{
    say(text, "%s", place->file ? place->file : place->array);
    if (place->last_block)
        say(text, " last block");
    else if (place->lowest_free)
        say(text, " lowest free block");
    else if (place->has_block)
        say(text, " block %u", place->block);
    say(text, " at 0x%x", place->offset);
}

static void judge_memory(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    const struct byte_string *wanted = &expect->memory.content;
    struct diag why = {{0}};
    uint8_t *bytes = malloc(wanted->length + 1);
    say_place(judgement->text, &expect->memory.place);
    say(judgement->text, " is ");
    say_bytes(judgement->text, wanted->bytes, wanted->length);
    if (!bytes || device_read(&run->device, &expect->memory.place, bytes, wanted->length, &why)) {
        say(judgement->saw, "%s", bytes ? why.text : "out of memory");
    } else {
        judgement->met = !memcmp(bytes, wanted->bytes, wanted->length);
        say_bytes(judgement->saw, bytes, wanted->length);
    }
    free(bytes);
}

static void judge_field(struct runner *run, const struct dct_edit *edit, struct judgement *judgement)
{
    const struct dct_field *field = dct_find(edit->name);
    struct lfs_fs fs;
    struct diag why = {{0}};
    uint8_t wanted[DCT_SIZE], dct[DCT_SIZE];
    char words[80];
    say(judgement->text, "%s%s is %s", judgement->text[0] ? ", " : "", edit->name, edit->text);
    if (device_mount(&run->device, edit->at, &fs, &why) || dct_load(&fs, dct, &why) ||
        dct_parse(field, edit->text, wanted, &why)) {
        judgement->met = false;
        say(judgement->saw, "%s", why.text);
        return;
    }
    if (memcmp(dct + field->offset, wanted, field->size))
        judgement->met = false;
    say(judgement->saw, "%s%s", judgement->saw[0] ? ", " : "",
        dct_format(field, dct + field->offset, words, sizeof words));
}

static void judge_dct(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    judgement->met = true;
    for (size_t i = 0; i < expect->dct_count; i++)
        judge_field(run, &expect->dct[i], judgement);
}

static void judge_slot(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    static const struct {
        const char *word;
        uint16_t magic;
    } states[] = {
        {"free", DCT_SLOT_FREE}, {"pending", DCT_SLOT_PENDING}, {"a factory module", DCT_SLOT_FACTORY}};
    struct lfs_fs fs;
    struct dct_slot slot;
    struct diag why = {{0}};
    say(judgement->text, "module slot %u is %s", expect->slot, states[expect->slot_state].word);
    if (device_mount(&run->device, expect->at, &fs, &why) || dct_slot_get(&fs, expect->slot, &slot, &why)) {
        say(judgement->saw, "%s", why.text);
        return;
    }
    say(judgement->saw, "its magic number is 0x%04X", slot.magic_number);
    judgement->met = slot.magic_number == states[expect->slot_state].magic;
}

static void judge_file(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    const struct byte_string *wanted = &expect->file.content;
    struct lfs_fs fs;
    struct diag why = {{0}};
    uint8_t *bytes;
    uint32_t length;
    say(judgement->text, "the file %s is there", expect->file.path);
    if (expect->has_size)
        say(judgement->text, " with %u bytes", expect->size);
    if (expect->has_content) {
        say(judgement->text, ": ");
        say_bytes(judgement->text, wanted->bytes, wanted->length);
    }
    if (device_mount(&run->device, expect->at, &fs, &why) ||
        lfs_file_load(&fs, expect->file.path, &bytes, &length, &why)) {
        say(judgement->saw, "%s", why.text);
        return;
    }
    say(judgement->saw, "%u bytes: ", length);
    say_bytes(judgement->saw, bytes, length);
    judgement->met =
        (!expect->has_size || length == expect->size) &&
        (!expect->has_content || (length == wanted->length && !memcmp(bytes, wanted->bytes, length)));
    free(bytes);
}

/* The finding that counts, or NULL. */
static const struct lfs_finding *finding_of(const struct lfs_scan *scan, const struct expect *expect)
{
    for (size_t i = 0; i < scan->finding_count; i++) {
        const struct lfs_finding *one = &scan->findings[i];
        if ((expect->file_system != FILE_SYSTEM_FATAL || one->stops_device) &&
            (!expect->contains || strstr(one->text, expect->contains)))
            return one;
    }
    return NULL;
}

static void judge_file_system(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    static const char *const states[] = {"sound", "damaged", "damaged so that the device stops at it"};
    struct lfs_fs fs;
    struct lfs_scan scan;
    struct diag why = {{0}};
    say(judgement->text, "the file system is %s", states[expect->file_system]);
    if (expect->contains)
        say(judgement->text, ": %s", expect->contains);
    if (device_mount(&run->device, expect->at, &fs, &why) || lfs_scan(&fs, &scan, &why)) {
        say(judgement->saw, "%s", why.text);
        return;
    }
    const struct lfs_finding *found = finding_of(&scan, expect);
    judgement->met = expect->file_system == FILE_SYSTEM_SOUND ? !found : found != NULL;
    if (!found && scan.finding_count)
        found = scan.findings;
    if (found)
        say(judgement->saw, "%s%s", found->text, found->stops_device ? " (the device stops there)" : "");
    else
        say(judgement->saw, "%zu files and directories, %u free blocks, nothing wrong", scan.node_count,
            scan.free_blocks);
    lfs_scan_free(&scan);
}

/* --- modules --------------------------------------------------------------------------------------------
 */

static bool same_as_published(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    struct module module;
    struct module_bytes bytes;
    struct diag why = {{0}};
    uint8_t *data;
    size_t length;
    bool same = false;
    if (device_module_file(&run->device, &expect->module, &data, &length, &why)) {
        say(judgement->saw, "%s", why.text);
        return false;
    }
    if (module_parse(data, length, &module, &why) >= MODULE_OK &&
        module_device_bytes(&module, &bytes, &why) == MODULE_OK) {
        const struct nor *flash = &run->machine.soc.flash;
        same = bytes.address < flash->size && bytes.length <= flash->size - bytes.address &&
               !memcmp(flash->data + bytes.address, bytes.bytes, bytes.length);
        module_bytes_free(&bytes);
    }
    free(data);
    return same;
}

static const struct board_slot *slot_of(const struct runner *run, const char *kind)
{
    for (size_t i = 0; i < run->board.images.slot_count; i++) {
        const struct board_slot *slot = &run->board.images.slots[i];
        if (!strcmp(slot->name, kind))
            return slot;
    }
    return NULL;
}

static void judge_module(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    const struct board_slot *slot = slot_of(run, expect->stage);
    struct module_found found = {.presence = MODULE_ABSENT};
    if (slot)
        module_find_in_flash(run->machine.soc.flash.data, run->machine.soc.flash.size, &slot->address, 1,
                             &found);
    bool valid = found.presence == MODULE_PRESENT && (!found.has_crc || found.crc_good);
    say(judgement->text, "the %s in flash is", expect->stage);
    if (expect->module.published)
        say(judgement->text, " the published one of %s", expect->module.published);
    if (expect->has_version)
        say(judgement->text, " version %u", expect->version);
    if (expect->has_valid)
        say(judgement->text, " %s", expect->valid ? "valid" : "not valid");
    if (found.presence == MODULE_PRESENT)
        say(judgement->saw, "version %u, %s", found.version, valid ? "valid" : "checksum wrong");
    else
        say(judgement->saw, "%s", found.presence == MODULE_ABSENT ? "blank" : "no module");
    judgement->met =
        (!expect->has_version || (found.presence == MODULE_PRESENT && found.version == expect->version)) &&
        (!expect->has_valid || valid == expect->valid);
    if (expect->module.published && !same_as_published(run, expect, judgement)) {
        judgement->met = false;
        say(judgement->saw, ", other bytes than the published one");
    }
}

/* --- all ------------------------------------------------------------------------------------------------
 */

static void judge(struct runner *run, const struct expect *expect, struct judgement *judgement)
{
    switch (expect->kind) {
    case EXPECT_LED:
    case EXPECT_LED_SEQUENCE:
        judge_led(run, expect, judgement);
        break;
    case EXPECT_PANIC:
        judge_panic(run, expect, judgement);
        break;
    case EXPECT_RESETS:
        judge_resets(run, expect, judgement);
        break;
    case EXPECT_MEMORY:
        judge_memory(run, expect, judgement);
        break;
    case EXPECT_DCT:
        judge_dct(run, expect, judgement);
        break;
    case EXPECT_FILE:
        judge_file(run, expect, judgement);
        break;
    case EXPECT_FILE_SYSTEM:
        judge_file_system(run, expect, judgement);
        break;
    case EXPECT_SLOT:
        judge_slot(run, expect, judgement);
        break;
    case EXPECT_MODULE:
        judge_module(run, expect, judgement);
        break;
    case EXPECT_RUNNING:
        judge_running(run, expect, judgement);
        break;
    case EXPECT_HANG:
        judge_hang(run, expect, judgement);
        break;
    case EXPECT_FINDING:
        judge_finding(run, expect, judgement);
        break;
    case EXPECT_REPEATS:
        judge_repeats(run, judgement);
        break;
    case EXPECT_UART:
        judge_uart(run, expect, judgement);
        break;
    }
}

/* Adds what an expectation came to; `when` goes before its words. */
static void judge_one(struct runner *run, const struct expect *expect, const char *when)
{
    struct judgement judgement = {.met = false};
    char text[2 * TEXT_SIZE];
    judge(run, expect, &judgement);
    snprintf(text, sizeof text, "%s%s%s", when, expect->negated ? "not: " : "", judgement.text);
    if (expect->text)
        snprintf(text, sizeof text, "%s%s [%s%s]", when, expect->text, expect->negated ? "not: " : "",
                 judgement.text);
    result_add_expectation(run->result, text, judgement.met != expect->negated, judgement.saw);
}

void run_check(struct runner *run, const struct expect *expects, size_t count)
{
    char when[40];
    snprintf(when, sizeof when, "at %.0f ms: ", machine_ms(&run->machine));
    for (size_t i = 0; i < count; i++)
        judge_one(run, &expects[i], when);
}

void run_judge(struct runner *run)
{
    for (size_t i = 0; i < run->scenario->expect_count; i++)
        judge_one(run, &run->scenario->expects[i], "");
}
