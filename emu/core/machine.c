/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/machine.h"

#include "core/ram_decay.h"
#include "core/ram_watch.h"

#include <stdlib.h>
#include <string.h>

#define RAM_SECTION 0x1000u

/* From a reset to the first instruction. An estimate; what matters is that a chip which resets at once, for
 * ever, still lives in time. */
#define RESET_CYCLES (20 * CYCLES_PER_US)

static const char *const array_names[] = {"internal", "uicr", "external", "otp", "status"};

/* --- what the CPU asks of the chip ------------------------------------------------------------------------
 */

static int store_flash(void *context, uint32_t address, unsigned size, uint32_t value)
{
    struct machine *machine = context;
    return nvmc_store(&machine->soc.nvmc, address, size, value);
}

static int load_xip(void *context, uint32_t offset, unsigned size, uint32_t *value)
{
    struct machine *machine = context;
    return qspi_xip_read(&machine->soc.qspi, offset, size, value);
}

static bool cache_on(void *context)
{
    return nvmc_cache_on(&((struct machine *)context)->soc.nvmc);
}

static bool held(void *context)
{
    const struct machine *machine = context;
    return !machine->powered || power_is_off(&machine->soc.power) || power_holds_reset(&machine->soc.power) ||
           machine_is_halted(machine);
}

static void sleeps(void *context, bool asleep)
{
    power_sleep(&((struct machine *)context)->soc.power, asleep);
}

static void flash_changed(void *context, uint32_t address, uint32_t size)
{
    cpu_code_changed(context, address, size);
}

/* --- making and unmaking ----------------------------------------------------------------------------------
 */

static int create_parts(struct machine *machine, struct diag *why)
{
    const struct board *board = machine->board;
    machine->parts = calloc(board->parts ? board->parts : 1, sizeof *machine->parts);
    if (!machine->parts) {
        diag_set(why, "out of memory");
        return -1;
    }
    for (unsigned i = 0; i < board->parts; i++) {
        if (part_create(&machine->parts[i], &machine->bus, board_part(board, i), why)) {
            diag_prefix(why, "board %s, part %u", board->images.name, i);
            return -1;
        }
    }
    return 0;
}

static void tell_parts(struct machine *machine, const char *what, double value)
{
    for (unsigned i = 0; i < machine->board->parts; i++) {
        const struct part *part = &machine->parts[i];
        if (part->kind->input)
            part->kind->input(part->model, what, value);
    }
}

static void supply_changed(void *context, uint32_t vdd_mv, uint32_t vddh_mv)
{
    struct machine *machine = context;
    if (machine->powered) {
        power_set_supply(&machine->soc.power, vdd_mv, vddh_mv);
    } else {
        machine->soc.power.vdd_mv = vdd_mv;
        machine->soc.power.vddh_mv = vddh_mv;
    }
    tell_parts(machine, "vdd_mv", vdd_mv);
}

static void supply_lost(void *context)
{
    struct machine *machine = context;
    /* From here the supply falls faster than anything else happens. */
    power_set_supply(&machine->soc.power, 0, 0);
    machine->supply_lost = true;
    machine->supply_lost_at = machine->bus.clock.now;
    machine_stop(machine);
}

static void set_seeds(struct machine *machine, uint64_t seed)
{
    for (size_t i = 0; i < sizeof array_names / sizeof array_names[0]; i++) {
        struct nor *nor = machine_array(machine, array_names[i]);
        if (nor)
            nor->seed = seed;
    }
}

static int build(struct machine *machine, const struct machine_options *options, struct diag *why)
{
    void *ram = NULL;
    if (posix_memalign(&ram, 4096, NRF52840_RAM_SIZE)) {
        diag_set(why, "out of memory");
        return -1;
    }
    memset(ram, 0, NRF52840_RAM_SIZE);
    machine->ram = ram;
    if (bus_init(&machine->bus, ram, NRF52840_RAM_SIZE, options->seed) ||
        nrf52840_init(&machine->soc, &machine->bus)) {
        diag_set(why, "out of memory");
        return -1;
    }
    if (create_parts(machine, why))
        return -1;
    const struct cpu_ports ports = {.store_flash = store_flash,
                                    .load_xip = load_xip,
                                    .cache_on = cache_on,
                                    .held = held,
                                    .sleeps = sleeps,
                                    .context = machine};
    if (cpu_init(&machine->cpu, &machine->bus, machine->soc.flash.data, machine->soc.flash.size, machine->ram,
                 NRF52840_RAM_SIZE, &ports, &options->speed)) {
        diag_set(why, "%s", machine->cpu.failure);
        return -1;
    }
    machine->soc.flash.changed = flash_changed;
    machine->soc.flash.changed_context = &machine->cpu;
    set_seeds(machine, options->seed);
    supply_init(&machine->supply, &machine->bus.clock, supply_changed, supply_lost, machine);
    return 0;
}

int machine_init(struct machine *machine, const struct board *board, const struct machine_options *options,
                 struct diag *why)
{
    memset(machine, 0, sizeof *machine);
    machine->board = board;
    machine->seed = options->seed;
    machine->decay = options->seed ^ 0x6465636179ull;
    if (!build(machine, options, why)) {
        machine_set_usb(machine, true);
        tell_parts(machine, "battery", true);
        return 0;
    }
    machine_destroy(machine);
    return -1;
}

void machine_destroy(struct machine *machine)
{
    cpu_destroy(&machine->cpu);
    for (unsigned i = 0; machine->parts && i < machine->board->parts; i++)
        part_destroy(&machine->parts[i]);
    free(machine->parts);
    nrf52840_destroy(&machine->soc);
    bus_destroy(&machine->bus);
    free(machine->ram);
    memset(machine, 0, sizeof *machine);
}

/* --- power and reset --------------------------------------------------------------------------------------
 */

static void for_each_array(struct machine *machine, void (*fn)(struct nor *nor, bool flag), bool flag)
{
    for (size_t i = 0; i < sizeof array_names / sizeof array_names[0]; i++) {
        struct nor *nor = machine_array(machine, array_names[i]);
        if (nor)
            fn(nor, flag);
    }
}

static void set_frozen(struct nor *nor, bool frozen)
{
    nor->frozen = frozen;
}

static void decay_ram(struct machine *machine, uint32_t from, uint32_t size)
{
    for (uint32_t at = from; at < from + size; at += 4) {
        uint32_t word = random_next(&machine->decay);
        memcpy(machine->ram + at, &word, 4);
    }
    ram_note(&machine->bus, from, size, RAM_SEEN_WRITTEN);
    cpu_code_changed(&machine->cpu, RAM_BASE + from, size);
}

/* Resets chip and CPU, and lets the CPU start at the reset vector. */
static void take_reset(struct machine *machine, enum reset_cause cause)
{
    if (cause == RESET_OFF_WAKE) {
        for (uint32_t at = 0; at < NRF52840_RAM_SIZE; at += RAM_SECTION) {
            if (!power_retains(&machine->soc.power, at))
                decay_ram(machine, at, RAM_SECTION);
        }
    }
    bus_reset(&machine->bus, cause);
    cpu_reset(&machine->cpu);
    struct reset_note note = {.cause = cause};
    /* A brown-out resets the chip at once, but it starts only when the supply is back. */
    if (cause != RESET_BROWNOUT || !held(machine))
        signal_emit(&machine->bus.signals, SIGNAL_RESET, cause, &note);
    if (cause != RESET_POWER_ON)
        clock_stall(&machine->bus.clock, RESET_CYCLES);
}

static void power_parts(struct machine *machine, bool on)
{
    for (unsigned i = 0; i < machine->board->parts; i++) {
        if (machine->parts[i].kind->power)
            machine->parts[i].kind->power(machine->parts[i].model, on);
    }
}

void machine_power_on(struct machine *machine, enum ram_after_off ram)
{
    if (machine->powered)
        return;
    if (ram == RAM_CLEARED && machine->had_power)
        memset(machine->ram, 0, NRF52840_RAM_SIZE);
    else if (ram == RAM_DECAYED)
        ram_decay(machine->ram, NRF52840_RAM_SIZE, machine->seed,
                  machine->had_power ? machine->bus.clock.now - machine->off_since : RAM_ALL_LOST);
    cpu_code_changed(&machine->cpu, RAM_BASE, NRF52840_RAM_SIZE);
    supply_reset(&machine->supply);
    machine->powered = true;
    machine->had_power = true;
    for_each_array(machine, set_frozen, false);
    power_parts(machine, true);
    take_reset(machine, RESET_POWER_ON);
}

void machine_cut_power(struct machine *machine, uint64_t at)
{
    if (machine->powered)
        nvmc_supply_fails(&machine->soc.nvmc, at);
    for (unsigned i = 0; i < machine->board->parts && machine->powered; i++) {
        if (machine->parts[i].kind->supply_fails)
            machine->parts[i].kind->supply_fails(machine->parts[i].model);
    }
    machine_power_off(machine);
}

void machine_power_off(struct machine *machine)
{
    if (!machine->powered)
        return;
    machine->powered = false;
    machine->off_since = machine->bus.clock.now;
    machine->supply_lost = false;
    supply_reset(&machine->supply);
    for_each_array(machine, set_frozen, true);
    /* Everything on the chip stops: its pins float, its timers are gone. */
    bus_reset(&machine->bus, RESET_POWER_ON);
    power_parts(machine, false);
    /* Nobody is there to be reset; the request would keep time from going by. */
    machine->cpu.reset_asked = false;
    clock_kick(&machine->bus.clock);
}

void machine_sag(struct machine *machine, const struct supply_sag *sag)
{
    if (machine->powered)
        supply_begin(&machine->supply, sag);
}

void machine_set_usb(struct machine *machine, bool present)
{
    power_set_vbus(&machine->soc.power, present);
    tell_parts(machine, "vbus", present);
}

bool machine_is_halted(const struct machine *machine)
{
    return machine->soc.qspi.holds_cpu;
}

void machine_reset_pin(struct machine *machine)
{
    if (machine->powered)
        machine->bus.reset(machine->bus.reset_context, RESET_PIN);
}

/* --- running ----------------------------------------------------------------------------------------------
 */

/* Lets time go by while the CPU is held; parts go on living. */
static void pass_time(struct machine *machine, uint64_t until)
{
    struct clock *clock = &machine->bus.clock;
    while (clock->now < until && held(machine) && !machine->cpu.reset_asked && !machine->stop_asked) {
        uint64_t next = clock_next_event(clock);
        clock->now = next > clock->now ? (next < until ? next : until) : clock->now;
        clock_run_due(clock);
    }
}

enum machine_stop machine_run(struct machine *machine, uint64_t until)
{
    machine->stop_asked = false;
    while (machine->bus.clock.now < until && !machine->stop_asked) {
        if (machine->cpu.reset_asked && machine->powered) {
            machine->cpu.reset_asked = false;
            take_reset(machine, machine->cpu.reset_cause);
            continue; /* who heard of the reset may have asked to stop */
        }
        if (held(machine)) {
            pass_time(machine, until);
            continue;
        }
        if (cpu_run(&machine->cpu, until) == CPU_STOP_ENGINE)
            return MACHINE_FAILED;
    }
    return machine->stop_asked ? MACHINE_ASKED : MACHINE_TIME;
}

void machine_stop(struct machine *machine)
{
    machine->stop_asked = true;
    cpu_stop(&machine->cpu);
}

const char *machine_failure(const struct machine *machine)
{
    return machine->cpu.failure;
}

/* --- looking in -------------------------------------------------------------------------------------------
 */

struct part *machine_part(struct machine *machine, const char *name)
{
    for (unsigned i = 0; i < machine->board->parts; i++) {
        if (!strcmp(machine->parts[i].name, name))
            return &machine->parts[i];
    }
    return NULL;
}

struct nor *machine_array(struct machine *machine, const char *name)
{
    if (!strcmp(name, "internal"))
        return &machine->soc.flash;
    if (!strcmp(name, "uicr"))
        return &machine->soc.uicr;
    for (unsigned i = 0; i < machine->board->parts; i++) {
        const struct part *part = &machine->parts[i];
        struct nor *nor = part->kind->array ? part->kind->array(part->model, name) : NULL;
        if (nor)
            return nor;
    }
    return NULL;
}

double machine_ms(const struct machine *machine)
{
    return (double)machine->bus.clock.now / (double)CYCLES_PER_MS;
}

uint64_t machine_trace_hash(const struct machine *machine)
{
    struct signals signals = machine->bus.signals;
    trace_note(&signals, digest_bytes(machine->ram, NRF52840_RAM_SIZE));
    for (size_t i = 0; i < sizeof array_names / sizeof array_names[0]; i++) {
        const struct nor *nor = machine_array((struct machine *)machine, array_names[i]);
        if (nor)
            trace_note(&signals, digest_bytes(nor->data, nor->size));
    }
    return signals.trace_hash;
}

void machine_save(struct machine *machine, struct state *state)
{
    state_var(state, machine->bus.clock.now);
    if (!state->without_content)
        state_var(state, machine->bus.signals.trace_hash);
    state_var(state, machine->powered);
    state_var(state, machine->had_power);
    state_var(state, machine->off_since);
    state_var(state, machine->supply_lost);
    state_var(state, machine->supply_lost_at);
    supply_save(&machine->supply, state);
    state_var(state, machine->decay);
    if (!state->without_content)
        state_bytes(state, machine->ram, NRF52840_RAM_SIZE);
    nrf52840_save(&machine->soc, state);
    bus_save(&machine->bus, state);
    for (unsigned i = 0; i < machine->board->parts; i++) {
        if (machine->parts[i].kind->save)
            machine->parts[i].kind->save(machine->parts[i].model, state);
    }
    cpu_save(&machine->cpu, state);
}
