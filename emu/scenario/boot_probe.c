/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/boot_probe.h"

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
        led_recorder_level(&probe->lamp, cycle, change->r, change->g, change->b);
}

static void on_flash(void *context, uint64_t cycle, const void *what)
{
    struct boot_probe *probe = context;
    if (!((const struct flash_op *)what)->registers)
        probe->last_op = cycle;
}

static void on_reset(void *context, uint64_t cycle, const void *what)
{
    struct boot_probe *probe = context;
    const struct reset_note *note = what;
    if (note->cause == RESET_POWER_ON)
        return;
    if (probe->resets < BOOT_RESETS_MAX)
        probe->resets_ms[probe->resets++] = ms_of(cycle);
    probe->was_reset = true;
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
    led_recorder_advance(&probe->lamp, now);
    const struct led_timeline timeline = {.edges = probe->lamp.edges.item,
                                          .edge_count = probe->lamp.edges.count,
                                          .resets_ms = probe->resets_ms,
                                          .reset_count = probe->resets,
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
    double quiet = now - ms_of(probe->last_op);
    const struct led_phrase *last = phrases->count ? &phrases->item[phrases->count - 1] : NULL;
    if (!last || last->kind == LED_SOS || quiet < BOOT_QUIET_MS)
        return false;
    double lasts = now - last->t_ms;
    bool rhythm = (last->kind == LED_BLINK && last->count >= BLINKS_LEAST) || last->kind == LED_BREATHE;
    /* Until its nine flashes are there, an SOS is a red blink. */
    double wanted = last->color == LED_RED ? SOS_KNOWN_MS : BOOT_SETTLE_MS;
    bool works = probe->code.many && !machine_is_halted(probe->machine);
    outcome->end = last->kind != LED_OFF ? meaning_of(last) : works ? BOOT_LAMP_OFF : BOOT_DARK;
    return (rhythm && lasts >= wanted) || (lasts >= BOOT_STUCK_MS && quiet >= BOOT_STUCK_MS);
}

/* The code of the SOS that the last reset ended, or 0. */
static int sos_before_reset(const struct boot_probe *probe, const struct led_phrases *phrases)
{
    double reset = probe->resets ? probe->resets_ms[probe->resets - 1] : 0;
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

static void tell(const struct boot_probe *probe, const struct led_phrases *phrases,
                 struct boot_outcome *outcome)
{
    struct led_reset resets[BOOT_RESETS_MAX];
    struct led_story story;
    for (unsigned i = 0; i < probe->resets; i++)
        resets[i] = (struct led_reset){.t_ms = probe->resets_ms[i]};
    if (led_story_make(phrases->item, phrases->count, resets, probe->resets, &story))
        return;
    char *line = led_story_line(&story);
    if (line)
        snprintf(outcome->line, sizeof outcome->line, "%s", line);
    free(line);
    led_story_free(&story);
}

/* --- the run --------------------------------------------------------------------------------------------
 */

/* State of the flashes at the last SOS reset. */
struct sos_watch {
    uint64_t digest;
    int code;
    unsigned count;
};

static int digest_now(struct boot_probe *probe, uint64_t *digest)
{
    uint32_t *ids = malloc(probe->view->count * sizeof *ids);
    int error = ids ? flash_state_take(probe->view, probe->store, ids) : ENOMEM;
    if (!error)
        *digest = flash_state_digest(probe->store, ids, probe->view->count);
    free(ids);
    return error;
}

/* Without a lamp there is only silence to go by. */
static bool is_silent(const struct boot_probe *probe, struct boot_outcome *outcome)
{
    double last = ms_of(probe->last_op);
    if (probe->resets && probe->resets_ms[probe->resets - 1] > last)
        last = probe->resets_ms[probe->resets - 1];
    outcome->end = BOOT_RUNS;
    return machine_ms(probe->machine) - last >= BOOT_BARE_MS;
}

/* After a reset; true if it will go on with SOS, or with resets, for ever. */
static bool is_reset_loop(struct boot_probe *probe, const struct led_phrases *phrases, struct sos_watch *sos,
                          struct boot_outcome *outcome, int *error)
{
    uint64_t digest = 0;
    int code = sos_before_reset(probe, phrases);
    if (!code) {
        outcome->end = BOOT_RESETTING;
        return probe->resets == BOOT_RESETS_MAX;
    }
    outcome->panics++;
    outcome->code = code;
    *error = digest_now(probe, &digest);
    bool loop = sos->count && sos->code == code && sos->digest == digest;
    *sos = (struct sos_watch){digest, code, sos->count + 1};
    if (loop || sos->count >= SOS_RESETS)
        outcome->end = BOOT_SOS;
    return outcome->end == BOOT_SOS;
}

/* Where the CPU is while the lamp is dark. */
static void note_code(struct boot_probe *probe, const struct led_phrases *phrases)
{
    if (phrases->count && phrases->item[phrases->count - 1].kind != LED_OFF)
        probe->code = (struct code_seen){0};
    else
        code_seen_note(&probe->code, &probe->machine->cpu);
}

static int watch_lamp(struct boot_probe *probe, struct boot_outcome *outcome)
{
    struct sos_watch sos = {0};
    bool has_lamp = machine_part(probe->machine, "rgb") != NULL;
    int error = 0;
    for (bool done = false; !done && !error;) {
        struct led_phrases phrases;
        outcome->end = BOOT_UNSETTLED;
        probe->was_reset = false;
        if (machine_run(probe->machine, probe->machine->bus.clock.now + SLICE) == MACHINE_FAILED) {
            outcome->end = BOOT_EMULATOR;
            snprintf(outcome->line, sizeof outcome->line, "%s", machine_failure(probe->machine));
            return 0;
        }
        if (look(probe, &phrases))
            return ENOMEM;
        note_code(probe, &phrases);
        if (probe->was_reset)
            done = is_reset_loop(probe, &phrases, &sos, outcome, &error);
        else
            done = has_lamp ? has_settled(probe, &phrases, outcome) : is_silent(probe, outcome);
        if (!done && machine_ms(probe->machine) >= BOOT_LIMIT_MS) {
            outcome->end = BOOT_UNSETTLED;
            done = true;
        }
        if (done)
            tell(probe, &phrases, outcome);
        led_phrases_free(&phrases);
    }
    return error;
}

static int add_page(struct page_list *list, uint32_t page, uint32_t id)
{
    struct page_is *item = realloc(list->item, (list->count + 1) * sizeof *item);
    if (!item || id == PAGE_UNKNOWN)
        return ENOMEM;
    list->item = item;
    list->item[list->count++] = (struct page_is){page, id};
    return 0;
}

/* Which pages counted, and which are different now. */
static int collect(const struct boot_probe *probe, const uint32_t *ids, struct boot_outcome *outcome,
                   struct page_list *needed, struct page_list *changed)
{
    const struct flash_view *view = probe->view;
    int error = 0;
    for (uint32_t page = 0; page < view->count && !error; page++) {
        uint32_t offset, size;
        const struct nor *nor = flash_view_page(view, page, &offset, &size);
        uint8_t seen = nor->seen ? nor->seen[offset / nor->page] : NOR_SEEN_READ | NOR_SEEN_CHANGED;
        if (seen & NOR_SEEN_READ)
            error = add_page(needed, page, ids[page]);
        if (!error && seen & NOR_SEEN_CHANGED)
            error = add_page(changed, page, page_store_add(probe->store, nor->data + offset, size));
        outcome->installed |= seen & NOR_SEEN_CHANGED && nor->seen && !strcmp(nor->name, "internal");
    }
    return error;
}

int boot_probe_run(struct boot_probe *probe, const uint32_t *ids, struct boot_outcome *outcome,
                   struct page_list *needed, struct page_list *changed)
{
    struct machine *machine = probe->machine;
    struct nor *external = machine_array(machine, "external");
    int error = cpu_watch_flash(&machine->cpu);
    *outcome = (struct boot_outcome){0};
    *needed = *changed = (struct page_list){0};
    if (!error && external)
        error = nor_watch(external);
    if (error || listen(probe))
        return ENOMEM;
    led_recorder_init(&probe->lamp, "rgb", NULL);
    probe->resets = 0;
    probe->code = (struct code_seen){0};
    probe->last_op = machine->bus.clock.now;
    machine_power_on(machine, probe->ram);
    error = watch_lamp(probe, outcome);
    outcome->virtual_ms = machine_ms(machine);
    outcome->unmet = probe->met && outcome->end != BOOT_EMULATOR && !probe->met(probe->met_context, machine);
    ignore(probe);
    machine_power_off(machine);
    led_recorder_free(&probe->lamp);
    return error ? error : collect(probe, ids, outcome, needed, changed);
}
