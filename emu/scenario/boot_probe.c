/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/boot_probe.h"

#include "core/room.h"
#include "led/story.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLICE_MS     50.0
#define SOS_RESETS   6u /* so many with different states between: for ever as well */
#define SLICE        ((uint64_t)(SLICE_MS * (double)CYCLES_PER_MS))
#define BLINKS_LEAST 3u
#define SOS_KNOWN_MS 4000.0

static double ms_of(uint64_t cycle)
{
    return (double)cycle / (double)CYCLES_PER_MS;
}

/* --- what is heard --------------------------------------------------------------------------------------
 */

static void on_light(void *context, uint64_t cycle, const void *what)
{
    struct boot_probe *probe = context;
    const struct light_change *change = what;
    if (!strcmp(change->light, "rgb"))
        led_recorder_level(&probe->progress.lamp, cycle, change->r, change->g, change->b);
}

static void on_flash(void *context, uint64_t cycle, const void *what)
{
    struct boot_probe *probe = context;
    if (!((const struct flash_op *)what)->registers)
        probe->progress.last_op = cycle;
}

static void on_reset(void *context, uint64_t cycle, const void *what)
{
    struct boot_probe *probe = context;
    const struct reset_note *note = what;
    if (note->cause == RESET_POWER_ON)
        return;
    struct boot_progress *progress = &probe->progress;
    if (progress->resets < BOOT_RESETS_MAX)
        progress->resets_ms[progress->resets++] = ms_of(cycle);
    progress->was_reset = true;
    machine_stop(probe->machine);
}

static int listen(struct boot_probe *probe)
{
    struct signals *signals = &probe->machine->bus.signals;
    return signal_subscribe(signals, SIGNAL_LIGHT, on_light, probe) ||
           signal_subscribe(signals, SIGNAL_FLASH, on_flash, probe) ||
           signal_subscribe(signals, SIGNAL_RESET, on_reset, probe);
}

static void ignore(struct boot_probe *probe)
{
    struct signals *signals = &probe->machine->bus.signals;
    signal_unsubscribe(signals, SIGNAL_LIGHT, on_light, probe);
    signal_unsubscribe(signals, SIGNAL_FLASH, on_flash, probe);
    signal_unsubscribe(signals, SIGNAL_RESET, on_reset, probe);
}

/* --- what it means --------------------------------------------------------------------------------------
 */

static int look(struct boot_probe *probe, struct led_phrases *phrases)
{
    uint64_t now = probe->machine->bus.clock.now;
    struct boot_progress *progress = &probe->progress;
    led_recorder_advance(&progress->lamp, now);
    const struct led_timeline timeline = {.edges = progress->lamp.edges.item,
                                          .edge_count = progress->lamp.edges.count,
                                          .resets_ms = progress->resets_ms,
                                          .reset_count = progress->resets,
                                          .start_ms = 0,
                                          .end_ms = ms_of(now),
                                          .lamp = LED_LAMP_STATUS};
    return led_phrases_find(&timeline, phrases);
}

static enum boot_end meaning_of(const struct led_phrase *phrase)
{
    if (phrase->kind == LED_BLINK && phrase->color == LED_YELLOW)
        return BOOT_DFU;
    if (phrase->kind == LED_BLINK && phrase->color == LED_BLUE)
        return BOOT_LISTENING;
    if (phrase->kind == LED_BREATHE && phrase->color == LED_MAGENTA)
        return BOOT_SAFE_MODE;
    return phrase->meaning ? BOOT_RUNS : BOOT_STUCK;
}

/* True if the lamp's present signal is the verdict. */
static bool has_settled(const struct boot_probe *probe, const struct led_phrases *phrases,
                        struct boot_outcome *outcome)
{
    double now = machine_ms(probe->machine);
    double quiet = now - ms_of(probe->progress.last_op);
    const struct led_phrase *last = phrases->count ? &phrases->item[phrases->count - 1] : NULL;
    if (!last || last->kind == LED_SOS || quiet < BOOT_QUIET_MS)
        return false;
    double lasts = now - last->t_ms;
    bool rhythm = (last->kind == LED_BLINK && last->count >= BLINKS_LEAST) || last->kind == LED_BREATHE;
    /* Until its nine flashes are there, an SOS is a red blink. */
    double wanted = last->color == LED_RED ? SOS_KNOWN_MS : BOOT_SETTLE_MS;
    bool works = probe->progress.code.many && !machine_is_halted(probe->machine);
    outcome->end = last->kind != LED_OFF ? meaning_of(last) : works ? BOOT_LAMP_OFF : BOOT_DARK;
    return (rhythm && lasts >= wanted) || (lasts >= BOOT_STUCK_MS && quiet >= BOOT_STUCK_MS);
}

/* The code of the SOS that the last reset ended, or 0. */
static int sos_before_reset(const struct boot_progress *progress, const struct led_phrases *phrases)
{
    double reset = progress->resets ? progress->resets_ms[progress->resets - 1] : 0;
    for (size_t i = phrases->count; i-- > 0;) {
        const struct led_phrase *phrase = &phrases->item[i];
        if (phrase->t_ms >= reset)
            continue;
        if (phrase->kind == LED_SOS)
            return phrase->code;
        if (phrase->kind != LED_OFF)
            return 0;
    }
    return 0;
}

static void tell(struct boot_progress *progress, const struct led_phrases *phrases)
{
    struct boot_outcome *outcome = &progress->outcome;
    struct led_reset resets[BOOT_RESETS_MAX];
    struct led_story story;
    for (unsigned i = 0; i < progress->resets; i++)
        resets[i] = (struct led_reset){.t_ms = progress->resets_ms[i]};
    if (led_story_make(phrases->item, phrases->count, resets, progress->resets, &story))
        return;
    char *line = led_story_line(&story);
    if (line)
        snprintf(outcome->line, sizeof outcome->line, "%s", line);
    free(line);
    led_story_free(&story);
}

/* --- the run --------------------------------------------------------------------------------------------
 */

uint64_t boot_page_digest(const struct page_store *store, uint32_t page, uint32_t id)
{
    uint64_t digest = (store->hash[id] ^ page) * 0x9e3779b97f4a7c15ull;
    return digest ^ digest >> 32;
}

static int digest_now(struct boot_probe *probe, uint64_t *digest)
{
    uint32_t *ids = malloc(probe->view->count * sizeof *ids);
    int error = ids ? flash_state_take(probe->view, probe->store, ids) : ENOMEM;
    *digest = 0;
    for (uint32_t page = 0; page < probe->view->count && !error; page++)
        *digest += boot_page_digest(probe->store, page, ids[page]);
    free(ids);
    return error;
}

/* Without a lamp there is only silence to go by. */
static bool is_silent(const struct boot_probe *probe, struct boot_outcome *outcome)
{
    const struct boot_progress *progress = &probe->progress;
    double last = ms_of(progress->last_op);
    if (progress->resets && progress->resets_ms[progress->resets - 1] > last)
        last = progress->resets_ms[progress->resets - 1];
    outcome->end = BOOT_RUNS;
    return machine_ms(probe->machine) - last >= BOOT_BARE_MS;
}

/* After a reset; true if it will go on with SOS, or with resets, for ever. */
static bool is_reset_loop(struct boot_probe *probe, const struct led_phrases *phrases, int *error)
{
    struct boot_progress *progress = &probe->progress;
    struct boot_outcome *outcome = &progress->outcome;
    struct boot_sos *sos = &progress->sos;
    uint64_t digest = 0;
    int code = sos_before_reset(progress, phrases);
    if (!code) {
        outcome->end = BOOT_RESETTING;
        return progress->resets == BOOT_RESETS_MAX;
    }
    outcome->panics++;
    outcome->code = code;
    *error = digest_now(probe, &digest);
    bool loop = sos->count && sos->code == code && sos->digest == digest;
    *sos = (struct boot_sos){digest, code, sos->count + 1};
    if (loop || sos->count >= SOS_RESETS)
        outcome->end = BOOT_SOS;
    return outcome->end == BOOT_SOS;
}

/* Where the CPU is while the lamp is dark. */
static void note_code(struct boot_probe *probe, const struct led_phrases *phrases)
{
    if (phrases->count && phrases->item[phrases->count - 1].kind != LED_OFF)
        probe->progress.code = (struct code_seen){0};
    else
        code_seen_note(&probe->progress.code, &probe->machine->cpu);
}

static void begin_slice(struct boot_probe *probe)
{
    probe->progress.outcome.end = BOOT_UNSETTLED;
    probe->progress.was_reset = false;
    probe->progress.slice_end = probe->machine->bus.clock.now + SLICE;
}

/* At the end of a slice of time: is the verdict there? */
static int judge(struct boot_probe *probe, bool *done)
{
    struct boot_progress *progress = &probe->progress;
    struct boot_outcome *outcome = &progress->outcome;
    struct led_phrases phrases;
    int error = 0;
    if (look(probe, &phrases))
        return ENOMEM;
    note_code(probe, &phrases);
    if (progress->was_reset)
        *done = is_reset_loop(probe, &phrases, &error);
    else
        *done = machine_part(probe->machine, "rgb") ? has_settled(probe, &phrases, outcome)
                                                    : is_silent(probe, outcome);
    if (!*done && machine_ms(probe->machine) >= BOOT_LIMIT_MS) {
        outcome->end = BOOT_UNSETTLED;
        *done = true;
    }
    if (*done)
        tell(progress, &phrases);
    else
        begin_slice(probe);
    led_phrases_free(&phrases);
    return error;
}

int boot_probe_go(struct boot_probe *probe, uint64_t until, bool *ended)
{
    struct machine *machine = probe->machine;
    struct boot_progress *progress = &probe->progress;
    *ended = false;
    while (!*ended) {
        enum machine_stop stop =
            machine_run(machine, until < progress->slice_end ? until : progress->slice_end);
        if (stop == MACHINE_TIME && machine->bus.clock.now < progress->slice_end)
            return 0;
        if (stop == MACHINE_FAILED) {
            progress->outcome.end = BOOT_EMULATOR;
            snprintf(progress->outcome.line, sizeof progress->outcome.line, "%s", machine_failure(machine));
            *ended = true;
            return 0;
        }
        int error = judge(probe, ended);
        if (error)
            return error;
    }
    return 0;
}

int boot_probe_watch(struct machine *machine)
{
    struct nor *external = machine_array(machine, "external");
    int error = cpu_watch_flash(&machine->cpu);
    return !error && external ? nor_watch(external) : error;
}

int boot_probe_begin(struct boot_probe *probe)
{
    struct boot_progress *progress = &probe->progress;
    memset(progress, 0, sizeof *progress);
    led_recorder_init(&progress->lamp, "rgb");
    progress->last_op = probe->machine->bus.clock.now;
    begin_slice(probe);
    if (listen(probe))
        return ENOMEM;
    machine_power_on(probe->machine, probe->ram);
    return 0;
}

int boot_probe_resume(struct boot_probe *probe, const struct boot_progress *progress)
{
    return boot_progress_copy(&probe->progress, progress) || listen(probe) ? ENOMEM : 0;
}

void boot_probe_end(struct boot_probe *probe, struct boot_outcome *outcome)
{
    *outcome = probe->progress.outcome;
    outcome->virtual_ms = machine_ms(probe->machine);
    outcome->unmet =
        probe->met && outcome->end != BOOT_EMULATOR && !probe->met(probe->met_context, probe->machine);
    boot_probe_leave(probe);
    machine_power_off(probe->machine);
}

void boot_probe_leave(struct boot_probe *probe)
{
    ignore(probe);
    boot_progress_free(&probe->progress);
}

static int add_page(struct page_list *list, size_t *room, uint32_t page, uint32_t id)
{
    struct page_is *item = room_for(list->item, list->count + 1, room, sizeof *item);
    if (!item)
        return ENOMEM;
    list->item = item;
    item[list->count++] = (struct page_is){page, id};
    return id == PAGE_UNKNOWN ? ENOMEM : 0;
}

/* Which pages counted, and which are different now. */
static int collect(const struct boot_probe *probe, const uint32_t *ids, struct page_list *needed,
                   struct page_list *changed)
{
    const struct flash_view *view = probe->view;
    size_t needed_room = 0, changed_room = 0;
    int error = 0;
    for (uint32_t page = 0; page < view->count && !error; page++) {
        uint8_t seen = flash_page_seen(view, page);
        if (seen & NOR_SEEN_READ)
            error = add_page(needed, &needed_room, page, ids[page]);
        if (!error && seen & NOR_SEEN_CHANGED)
            error = add_page(changed, &changed_room, page, flash_page_take(view, probe->store, page));
    }
    return error;
}

int boot_probe_run(struct boot_probe *probe, const uint32_t *ids, struct boot_outcome *outcome,
                   struct page_list *needed, struct page_list *changed)
{
    bool ended;
    *outcome = (struct boot_outcome){0};
    *needed = *changed = (struct page_list){0};
    int error = boot_probe_watch(probe->machine);
    if (!error && !(error = boot_probe_begin(probe)))
        error = boot_probe_go(probe, CLOCK_NEVER, &ended);
    boot_probe_end(probe, outcome);
    return error ? error : collect(probe, ids, needed, changed);
}

bool boot_outcome_same(const struct boot_outcome *a, const struct boot_outcome *b)
{
    return a->end == b->end && a->code == b->code && a->panics == b->panics && a->unmet == b->unmet &&
           a->virtual_ms == b->virtual_ms && !strcmp(a->line, b->line);
}

/* --- progress as a value --------------------------------------------------------------------------------
 */

int boot_progress_copy(struct boot_progress *to, const struct boot_progress *from)
{
    *to = *from;
    return led_recorder_copy(&to->lamp, &from->lamp);
}

void boot_progress_free(struct boot_progress *progress)
{
    led_recorder_free(&progress->lamp);
}

static bool same_code(const struct code_seen *a, const struct code_seen *b)
{
    return a->many == b->many && a->count == b->count &&
           !memcmp(a->blocks, b->blocks, a->count * sizeof *a->blocks);
}

bool boot_progress_same(const struct boot_progress *a, const struct boot_progress *b, uint64_t shift)
{
    bool same_sos = a->sos.count == b->sos.count && a->sos.code == b->sos.code &&
                    (!a->sos.count || a->sos.digest == b->sos.digest + shift);
    return same_sos && a->resets == b->resets && a->was_reset == b->was_reset && a->last_op == b->last_op &&
           a->slice_end == b->slice_end && a->outcome.panics == b->outcome.panics &&
           a->outcome.code == b->outcome.code && same_code(&a->code, &b->code) &&
           !memcmp(a->resets_ms, b->resets_ms, a->resets * sizeof *a->resets_ms) &&
           led_recorder_same(&a->lamp, &b->lamp);
}
