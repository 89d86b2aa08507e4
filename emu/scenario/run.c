/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/run.h"

#include "image/module_set.h"
#include "scenario/run_internal.h"
#include "scenario/wall.h"

#include <stdlib.h>
#include <string.h>

#define LED_POLL (20 * CYCLES_PER_MS) /* how often a lamp that is waited for is looked at */
#define POLL     (250 * CYCLES_PER_MS)
#define FLASH_QUIET                                                                                          \
    (50 * CYCLES_PER_MS) /* after the last write, new code is searched for its panic function */

/* --- actions --------------------------------------------------------------------------------------------
 */

static void note_power_off(struct runner *run)
{
    result_add_cut(run->result, machine_ms(&run->machine));
    run_trace(run, "power off");
}

/* A step that waits for a flash operation says itself how far the operation comes; any other cut tears what
 * is going on. */
static void power_off(struct runner *run, const struct trigger *when)
{
    uint64_t now = run->machine.bus.clock.now, due = run_due(run);
    if (!run->machine.powered)
        return;
    if (when->kind == TRIGGER_FLASH)
        machine_power_off(&run->machine);
    else
        machine_cut_power(&run->machine, due < now ? due : now);
    note_power_off(run);
}

static int load_modules(struct runner *run, const struct action *action)
{
    run->device.notes.count = 0;
    if (device_install(&run->device, action->modules, action->module_count, &run->failure))
        return -1;
    run->flash_changed = true;
    return 0;
}

static int act(struct runner *run, const struct action *action, const struct trigger *when)
{
    switch (action->kind) {
    case ACTION_POWER_ON:
        machine_power_on(&run->machine, action->has_ram ? action->ram : run->scenario->state.ram);
        return 0;
    case ACTION_POWER_OFF:
        power_off(run, when);
        return 0;
    case ACTION_RESET:
        machine_reset_pin(&run->machine);
        return 0;
    case ACTION_PRESS:
    case ACTION_RELEASE:
    case ACTION_INPUT:
        return device_input(&run->device, &action->input, &run->failure);
    case ACTION_PATCH:
        return device_write(&run->device, &action->patch, &run->failure);
    case ACTION_STICK:
        return device_stick(&run->device, &action->stuck, &run->failure);
    case ACTION_UNSETTLE:
        return device_unsettle(&run->device, &action->unstable, &run->failure);
    case ACTION_FAULT:
        return run_add_fault(run, &action->fault, when);
    case ACTION_SUPPLY:
        machine_sag(&run->machine, &action->sag);
        run_trace(run, "supply to %u mV", action->sag.mv);
        return 0;
    case ACTION_LOAD:
        return load_modules(run, action);
    case ACTION_PEND:
        exceptions_pend(&run->machine.cpu.exc, action->exception);
        clock_kick(&run->machine.bus.clock);
        return 0;
    case ACTION_STOP:
        run->stopped = true;
        return 0;
    case ACTION_USB:
        return run_usb_act(run, &action->usb);
    case ACTION_CHECK:
        run_check(run, action->checks, action->check_count);
        return 0;
    }
    return 0;
}

static void wait_for_next(struct runner *run)
{
    const struct scenario *scenario = run->scenario;
    run->step_cycle = run->machine.bus.clock.now;
    if (run->step < scenario->step_count)
        run_arm(run, &scenario->steps[run->step].when);
    else
        run_arm(run, run->accompanied ? NULL : &scenario->until);
}

/* The trigger came: carries its step out, or ends the run. */
static void take_step(struct runner *run)
{
    if (run->step == run->scenario->step_count) {
        run->stopped = true;
        return;
    }
    const struct step *step = &run->scenario->steps[run->step++];
    run_trace(run, "step %zu", run->step);
    for (size_t i = 0; i < step->action_count && !run->failed; i++)
        run->failed = act(run, &step->actions[i], &step->when) != 0;
    run->cut = false;
    wait_for_next(run);
}

/* --- the loop -------------------------------------------------------------------------------------------
 */

/* Cycle at which limits.virtual_ms has run out. */
static uint64_t limit_cycle(const struct runner *run)
{
    uint64_t limit = (uint64_t)(run->scenario->limits.virtual_ms * (double)CYCLES_PER_MS);
    return run->companion_end + limit;
}

/* Limits count from where the companion has finished, and so does `until`. */
static void ask_companion(struct runner *run)
{
    if (!run->accompanied)
        return;
    const struct run_companion *companion = run->options->companion;
    bool steps_done = run->step == run->scenario->step_count;
    if (companion->between(companion->self, steps_done))
        return;
    run->accompanied = false;
    run->companion_end = run->machine.bus.clock.now;
    run->wall_end = wall_seconds() + run->scenario->limits.wall_s;
    if (steps_done)
        wait_for_next(run);
}

static uint64_t next_look(const struct runner *run)
{
    uint64_t end =
        run->accompanied ? run->options->companion->next(run->options->companion->self) : limit_cycle(run);

    uint64_t now = run->machine.bus.clock.now, due = run_due(run);
    uint64_t next = now + (run->armed.trigger && run->armed.trigger->kind == TRIGGER_LED ? LED_POLL : POLL);
    next = due < next ? due : next;
    return next < end ? next : end;
}

static void say_limit(struct runner *run, struct diag *why, const char *limit)
{
    const struct scenario *scenario = run->scenario;
    if (run->step < scenario->step_count)
        diag_set(why, "%s; step %zu of the timeline (line %u) was still waited for", limit, run->step + 1,
                 json_doc_line(&scenario->doc, scenario->steps[run->step].when.at));
    else
        diag_set(why, "%s; what \"until\" says had not come", limit);
}

/* Whether a limit has run out. */
static bool out_of_limits(struct runner *run, struct diag *why)
{
    const struct limits *limits = &run->scenario->limits;
    const char *which = NULL;
    if (run->machine.bus.clock.now >= limit_cycle(run))
        which = "limits.virtual_ms";
    else if (run->result->boot_count > limits->boots)
        which = "limits.boots";
    else if (wall_seconds() >= run->wall_end)
        which = "limits.wall_s";
    if (which)
        say_limit(run, why, which);
    return which != NULL;
}

static void look_around(struct runner *run)
{
    uint64_t now = run->machine.bus.clock.now;
    for (size_t i = 0; i < run->light_count; i++)
        led_recorder_advance(&run->lights[i], now);
    if (run->flash_changed && now - run->flash_changed_at >= FLASH_QUIET)
        run_set_watches(run);
    run_watch_hang(run);
    run_poll(run);
}

static enum run_verdict run_loop(struct runner *run, struct diag *why)
{
    run->wall_end = wall_seconds() + run->scenario->limits.wall_s;
    wait_for_next(run);
    for (;;) {
        run_poll(run);
        if (run->armed.fired) {
            take_step(run);
            if (run->stopped || run->failed)
                return VERDICT_AS_EXPECTED;
            continue;
        }
        if (!run->accompanied && out_of_limits(run, why))
            return VERDICT_LIMIT;
        if (machine_run(&run->machine, next_look(run)) == MACHINE_FAILED) {
            diag_set(why, "%s", machine_failure(&run->machine));
            return VERDICT_EMULATOR_STOPPED;
        }
        if (run->options->enough && *run->options->enough)
            return VERDICT_AS_EXPECTED;
        if (run->machine.supply_lost) {
            machine_cut_power(&run->machine, run->machine.supply_lost_at);
            note_power_off(run);
        }
        look_around(run);
        ask_companion(run);
    }
}

/* --- before and after -----------------------------------------------------------------------------------
 */

static void report_modules(struct runner *run)
{
    const struct board_images *images = &run->board.images;
    const struct nor *flash = &run->machine.soc.flash;
    for (size_t i = 0; i < images->slot_count; i++) {
        const struct board_slot *slot = &images->slots[i];
        struct module_found found;
        module_find_in_flash(flash->data, flash->size, &slot->address, 1, &found);
        if (found.presence == MODULE_PRESENT && found.function == slot->function)
            result_add_module(run->result, slot->name, found.version, found.address,
                              !found.has_crc || found.crc_good,
                              cpu_ran(&run->machine.cpu, found.address, found.end));
    }
}

static void report(struct runner *run, enum run_verdict verdict, struct diag *why, double wall_ms)
{
    static const char *const arrays[] = {"internal", "uicr", "external", "otp"};
    struct run_result *result = run->result;
    uint32_t trail[CPU_TRAIL];
    uint64_t now = run->machine.bus.clock.now;
    if (verdict != VERDICT_EMULATOR_STOPPED)
        run_judge(run);
    run_usb_judge(run);
    for (size_t i = 0; i < run->light_count; i++) {
        led_recorder_flush(&run->lights[i], now);
        result_add_light(result, &run->lights[i], run_lamp(run->lights[i].name));
    }
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        const struct nor *nor = machine_array(&run->machine, arrays[i]);
        if (nor)
            result_add_flash(result, nor->name, nor->programs, nor->erases);
    }
    report_modules(run);
    result_set_last_addresses(result, trail, cpu_trail(&run->machine.cpu, trail));
    result->trace_hash = machine_trace_hash(&run->machine);
    result->wall_ms = wall_ms;
    result_finish(result, verdict, verdict == VERDICT_AS_EXPECTED ? NULL : why->text,
                  machine_ms(&run->machine));
}

static int prepare(struct runner *run, struct diag *why)
{
    if (run_watch(run, why) || device_prepare(&run->device, why))
        return -1;
    for (size_t i = 0; i < run->device.notes.count; i++)
        result_add_finding(run->result, 0, "modules", run->device.notes.line[i], false);
    return 0;
}

static int begin_companion(struct runner *run, struct diag *why)
{
    const struct run_companion *companion = run->options->companion;
    if (!companion)
        return 0;
    run->accompanied = true;
    return companion->begin(companion->self, &run->machine, &run->usb, why);
}

static int run_on(struct runner *run, struct diag *why)
{
    struct diag limit = {{0}};
    double start = wall_seconds();
    run_usb_begin(run);
    if (prepare(run, why) || begin_companion(run, why))
        return -1;
    enum run_verdict verdict = run_loop(run, &limit);
    if (run->failed) {
        *why = run->failure;
        return -1;
    }
    report(run, verdict, &limit, (wall_seconds() - start) * 1000);
    if (run->options->ended)
        run->options->ended(run->options->context, &run->machine);
    return 0;
}

static int run_with_board(struct runner *run, struct diag *why)
{
    const struct run_options *wanted = run->options;
    const struct machine_options options = {.seed = wanted->has_seed ? wanted->seed : run->scenario->seed,
                                            .speed = {.inline_stores = !wanted->no_inline_stores,
                                                      .direct_registers = !wanted->no_direct_registers,
                                                      .short_hooks = !wanted->no_short_hooks,
                                                      .skip_spins = !wanted->no_spin_skip,
                                                      .hot_loops = !wanted->no_hot_loops,
                                                      .replay_loops = !wanted->no_replay}};
    run->result->seed = options.seed;
    result_name(run->result, run->scenario->name, run->scenario->board);
    if (machine_init(&run->machine, &run->board, &options, why))
        return -1;
    run->device = (struct device){.machine = &run->machine, .scenario = run->scenario};
    run->spin.dark_since_ms = -1;
    int err = run_on(run, why);
    if (run->options->companion)
        run->options->companion->end(run->options->companion->self);
    run_usb_end(run);
    for (size_t i = 0; i < run->light_count; i++)
        led_recorder_free(&run->lights[i]);
    uart_watch_end(&run->uart);
    machine_destroy(&run->machine);
    return err;
}

int scenario_run(const struct scenario *scenario, const struct run_options *options,
                 struct run_result *result, struct diag *why)
{
    struct runner *run = calloc(1, sizeof *run);
    if (!run) {
        diag_set(why, "out of memory");
        return -1;
    }
    run->scenario = scenario;
    run->options = options;
    run->result = result;
    int err = board_load(&run->board, scenario->board, why);
    if (!err) {
        err = run_with_board(run, why);
        board_free(&run->board);
    }
    free(run);
    return err;
}
