/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run hears of the machine, and whether that is what its timeline waits for. */
#include "scenario/run_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define MS(cycle) ((double)(cycle) / (double)CYCLES_PER_MS)

void run_trace(struct runner *run, const char *format, ...)
{
    if (!run->options->trace)
        return;
    va_list values;
    va_start(values, format);
    fprintf(run->options->trace, "%14.6f ms  ", machine_ms(&run->machine));
    vfprintf(run->options->trace, format, values);
    fputc('\n', run->options->trace);
    va_end(values);
}

static void fire(struct runner *run)
{
    run->armed.fired = true;
    machine_stop(&run->machine);
}

void run_count_one(struct runner *run)
{
    if (!run->armed.fired && ++run->armed.seen >= run->armed.trigger->nth)
        fire(run);
}

bool run_waits_for(const struct runner *run, enum trigger_kind kind)
{
    return run->armed.trigger && run->armed.trigger->kind == kind;
}

bool run_flash_fits(const struct trigger *trigger, const struct flash_op *op)
{
    return (trigger->array ? !strcmp(trigger->array, op->array) : !op->registers) &&
           (!trigger->has_op || trigger->op == op->kind) && op->address < trigger->to &&
           (op->size > trigger->from || op->address > trigger->from - op->size);
}

/* --- signals --------------------------------------------------------------------------------------------
 */

enum led_lamp run_lamp(const char *name)
{
    return !strcmp(name, "rgb") ? LED_LAMP_STATUS : !strcmp(name, "charge") ? LED_LAMP_CHARGE : LED_LAMP_USER;
}

static struct led_recorder *recorder_of(struct runner *run, const char *name)
{
    size_t i = 0;
    while (i < run->light_count && strncmp(run->lights[i].name, name, sizeof run->lights[i].name - 1))
        i++;
    if (i == run->light_count && i < RUN_LIGHTS) {
        led_recorder_init(&run->lights[i], name);
        run->light_count++;
    }
    return i < RUN_LIGHTS ? &run->lights[i] : NULL;
}

static void on_light(void *context, uint64_t cycle, const void *what)
{
    struct runner *run = context;
    const struct light_change *change = what;
    struct led_recorder *recorder = recorder_of(run, change->light);
    if (recorder)
        led_recorder_level(recorder, cycle, change->r, change->g, change->b);
    if (recorder == &run->lights[0] && (change->r || change->g || change->b))
        run->dark_resets = 0;
    run_trace(run, "light %s %u %u %u", change->light, change->r, change->g, change->b);
}

/* Keeps the operation among the last; one that goes on where the last ended is told with it. */
static void remember(struct runner *run, const struct flash_op *op)
{
    struct flash_op *last = run->flash_ops ? &run->ring[(run->flash_ops - 1) % FLASH_RING] : NULL;
    if (last && last->array == op->array && last->kind == op->kind && !last->cut &&
        last->address + last->size == op->address)
        last->size += op->size;
    else
        run->ring[run->flash_ops++ % FLASH_RING] = *op;
    if (run->options->observe)
        run->options->observe(run->options->context, &run->machine, op);
}

static void on_flash(void *context, uint64_t cycle, const void *what)
{
    struct runner *run = context;
    const struct flash_op *op = what;
    if (!op->registers) {
        remember(run, op);
        run->flash_at = cycle;
        run->dark_resets = 0;
    }
    if (!strcmp(op->array, "internal")) {
        run->flash_changed = true;
        run->flash_changed_at = cycle;
    }
    run_trace(run, "%s %s #%" PRIu64 " %s 0x%06" PRIx32 "+%" PRIu32 "%s",
              op->registers ? "register" : "flash", op->array, op->number,
              op->kind == NOR_ERASE ? "erase" : "program", op->address, op->size, op->cut ? " cut" : "");
    if (run_waits_for(run, TRIGGER_FLASH) && run->armed.trigger->moment == FLASH_AFTER &&
        run_flash_fits(run->armed.trigger, op))
        run_count_one(run);
}

static void on_reset(void *context, uint64_t cycle, const void *what)
{
    struct runner *run = context;
    const struct reset_note *note = what;
    bool cold = note->cause == RESET_POWER_ON;
    result_add_boot(run->result, MS(cycle), reset_cause_name(note->cause), cold);
    run_trace(run, "reset %s", reset_cause_name(note->cause));
    run->flash_changed = true;
    run->cfsr_told = 0;
    run_hang_reset(run, cold);
    if (run_waits_for(run, TRIGGER_RESET) && !cold)
        run_count_one(run);
}

/* Says why the fault handler runs. CFSR keeps what nobody clears: what is new in it is told. */
static void add_fault(struct runner *run, uint64_t cycle, const struct exception_note *note)
{
    static const struct {
        uint32_t bit;
        const char *words;
    } causes[] = {
        {CFSR_IACCVIOL, "code that may not run"},
        {CFSR_DACCVIOL, "data access that the MPU forbids"},
        {CFSR_MSTKERR | CFSR_STKERR, "no stack for an exception's frame"},
        {CFSR_MUNSTKERR | CFSR_UNSTKERR, "no frame on the stack to return by"},
        {CFSR_IBUSERR, "code where nothing is"},
        {CFSR_PRECISERR, "data access where nothing is"},
        {CFSR_UNDEFINSTR, "undefined instruction"},
        {CFSR_INVSTATE, "branch to an even address"},
        {CFSR_INVPC, "return by a broken EXC_RETURN"},
        {CFSR_NOCP, "FPU that is off"},
        {CFSR_UNALIGNED, "unaligned access"},
        {CFSR_DIVBYZERO, "division by zero"},
    };
    static const char *const names[] = {"HardFault", "MemManage", "BusFault", "UsageFault"};
    const struct cpu *cpu = &run->machine.cpu;
    uint32_t fresh = cpu->scb.cfsr & ~run->cfsr_told;
    char text[512]; /* all of them fit */
    int length = snprintf(text, sizeof text, "%s at 0x%08" PRIx32, names[note->number - EXC_HARDFAULT],
                          note->return_pc);
    for (unsigned i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        if (fresh & causes[i].bit)
            length += snprintf(text + length, sizeof text - (size_t)length, ", %s", causes[i].words);
    }
    if (fresh & (CFSR_BFARVALID | CFSR_MMARVALID))
        snprintf(text + length, sizeof text - (size_t)length, ": 0x%08" PRIx32,
                 fresh & CFSR_BFARVALID ? cpu->scb.bfar : cpu->scb.mmfar);
    run->cfsr_told = cpu->scb.cfsr;
    result_add_finding(run->result, MS(cycle), "cpu", text, true);
}

static void on_exception(void *context, uint64_t cycle, const void *what)
{
    struct runner *run = context;
    const struct exception_note *note = what;
    if (note->number >= EXC_HARDFAULT && note->number <= EXC_USAGEFAULT) {
        run->fault_pc = note->return_pc;
        run->fault_cycle = cycle;
        add_fault(run, cycle, note);
    }
    if (run_waits_for(run, TRIGGER_EXCEPTION) && note->number == run->armed.trigger->number)
        run_count_one(run);
}

static void on_finding(void *context, uint64_t cycle, const void *what)
{
    struct runner *run = context;
    const struct finding *finding = what;
    result_add_finding(run->result, MS(cycle), finding->topic, finding->text, finding->guest_fault);
}

/* --- code addresses -------------------------------------------------------------------------------------
 */

static void on_pc(void *context, struct cpu *cpu, uint32_t address)
{
    struct runner *run = context;
    /* A block is told again when the run stopped in front of it and goes on. */
    if (!run_waits_for(run, TRIGGER_PC) || address != (run->armed.trigger->address & ~1u) ||
        (run->armed.seen && run->pc_cycle == cpu->bus->clock.now))
        return;
    run->pc_cycle = cpu->bus->clock.now;
    run_count_one(run);
}

void run_set_watches(struct runner *run)
{
    cpu_unwatch_all(&run->machine.cpu);
    panic_watch(run);
    run->flash_changed = false;
    if (run_waits_for(run, TRIGGER_PC))
        cpu_watch(&run->machine.cpu, run->armed.trigger->address, on_pc, run);
}

/* --- arming and polling ---------------------------------------------------------------------------------
 */

void run_arm(struct runner *run, const struct trigger *trigger)
{
    run->armed = (struct armed){.trigger = trigger, .since = run->machine.bus.clock.now};
    run_set_watches(run);
}

static bool led_shown(struct runner *run)
{
    struct led_view view;
    const struct led_pattern *pattern = &run->armed.trigger->led;
    bool shown = false;
    if (run_led_view(run, pattern->light, &view))
        return false;
    for (size_t i = 0; i < view.phrases.count && !shown; i++)
        shown = view.phrases.item[i].end_ms > MS(run->armed.since) &&
                led_pattern_fits(pattern, &view.phrases.item[i]);
    run_led_view_free(&view);
    return shown;
}

void run_poll(struct runner *run)
{
    struct armed *armed = &run->armed;
    uint64_t now = run->machine.bus.clock.now;
    if (!armed->trigger || armed->fired)
        return;
    switch (armed->trigger->kind) {
    case TRIGGER_AT_MS:
    case TRIGGER_AFTER_MS:
        armed->fired = now >= run_due(run);
        break;
    case TRIGGER_LED:
        armed->fired = led_shown(run);
        break;
    case TRIGGER_USB:
        armed->fired = run_usb_has_come(run, armed->trigger->usb);
        break;
    case TRIGGER_SETTLED:
        armed->fired = run_settled(run);
        break;
    default:
        break; /* told by signals and watches */
    }
}

uint64_t run_due(const struct runner *run)
{
    const struct trigger *trigger = run->armed.trigger;
    if (!trigger || (trigger->kind != TRIGGER_AT_MS && trigger->kind != TRIGGER_AFTER_MS))
        return CLOCK_NEVER;
    uint64_t cycles = (uint64_t)(trigger->ms * (double)CYCLES_PER_MS + 0.5);
    return trigger->kind == TRIGGER_AT_MS ? cycles : run->armed.since + cycles;
}

int run_watch(struct runner *run, struct diag *why)
{
    static const char *const arrays[] = {"internal", "uicr", "external", "otp", "status"};
    struct signals *signals = &run->machine.bus.signals;
    recorder_of(run, "rgb");
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        struct nor *nor = machine_array(&run->machine, arrays[i]);
        if (nor) {
            nor->fault = run_operation;
            nor->fault_context = run;
        }
    }
    if (signal_subscribe(signals, SIGNAL_LIGHT, on_light, run) ||
        signal_subscribe(signals, SIGNAL_FLASH, on_flash, run) ||
        signal_subscribe(signals, SIGNAL_RESET, on_reset, run) ||
        signal_subscribe(signals, SIGNAL_EXCEPTION, on_exception, run) ||
        signal_subscribe(signals, SIGNAL_FINDING, on_finding, run) ||
        uart_watch_begin(&run->uart, run->scenario, signals)) {
        diag_set(why, "too many listeners to the machine, or no memory for them");
        return -1;
    }
    return 0;
}
