/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole machine: CPU, chip, memories and the parts of a board. Everything that makes its state is in this
 * struct; two machines can live in one process. It knows neither scenarios nor reports: those steer it
 * through the functions here and hear of it through its signals (machine.bus.signals).
 */
#ifndef SOSIM_CORE_MACHINE_H
#define SOSIM_CORE_MACHINE_H

#include "core/board.h"
#include "core/cpu.h"
#include "core/diag.h"
#include "core/supply.h"
#include "nrf52840/nrf52840.h"
#include "parts/part.h"

struct machine_options {
    uint64_t seed; /* of everything random; same seed, same run */
    struct cpu_speed speed;
};

/* What RAM holds when power comes back. */
enum ram_after_off {
    RAM_CLEARED,
    RAM_KEPT,
    RAM_DECAYED, /* decayed for as long as power was away (core/ram_decay.h) */
};

enum machine_stop {
    MACHINE_TIME,   /* the cycle asked for was reached */
    MACHINE_ASKED,  /* machine_stop() was called */
    MACHINE_FAILED, /* the emulator cannot go on: machine_failure() */
};

struct machine {
    struct bus bus;
    struct nrf52840 soc;
    struct cpu cpu;
    uint8_t *ram;
    const struct board *board;
    struct part *parts; /* board.parts of them */
    bool powered;
    bool stop_asked;
    struct supply supply;
    bool supply_lost;        /* a sag of the supply ended in a cut: the owner is to take power away */
    uint64_t supply_lost_at; /* cycle */
    bool had_power;          /* before now, or now */
    uint64_t off_since;      /* cycle at which power went last */
    uint64_t seed;
    uint64_t decay; /* stream of the random bits that RAM sections hold which System OFF did not retain */
};

/* Builds a machine without power, all flash erased, time 0. `board` stays the caller's and must outlive the
 * machine. Returns 0, or -1 with `why`. */
int machine_init(struct machine *machine, const struct board *board, const struct machine_options *options,
                 struct diag *why);
void machine_destroy(struct machine *machine);

/* Supplies power: power-on reset, then the first instruction. No effect on a machine that has power. At the
 * first time RAM holds zeros where nothing was put into it; RAM_CLEARED leaves that as it is. */
void machine_power_on(struct machine *machine, enum ram_after_off ram);

/* Takes power away at this cycle, in the middle of whatever goes on; a flash operation that has begun counts
 * as done. */
void machine_power_off(struct machine *machine);

/* The same, but a flash operation that is going on at cycle `at` is left half-way. `at` may be a little
 * before now: within what internal flash did while the CPU waited. */
void machine_cut_power(struct machine *machine, uint64_t at);

/* Lets the supply of a machine that has power sag (core/supply.h). If it ends in a cut the machine is stopped
 * with machine->supply_lost set. */
void machine_sag(struct machine *machine, const struct supply_sag *sag);

/* Whether the board has USB's 5 V. The chip's USB detector and the parts that care see it, as these see the
 * battery; whether the machine runs is machine_power_on's alone. At the start there are both. */
void machine_set_usb(struct machine *machine, bool present);

/* True while the CPU waits for an access that never ends (see qspi.h). */
bool machine_is_halted(const struct machine *machine);

/* Presses and releases the reset pin. */
void machine_reset_pin(struct machine *machine);

/*
 * Runs until the clock reaches `until` (cycles); resets on the way are carried out and told by SIGNAL_RESET.
 * A machine without power, or in System OFF, only lets time go by.
 */
enum machine_stop machine_run(struct machine *machine, uint64_t until);

/* Makes machine_run return before the next block of code; callable from signals, events and watches. */
void machine_stop(struct machine *machine);

/* Why MACHINE_FAILED. */
const char *machine_failure(const struct machine *machine);

/* The part with this name on the board, or NULL. */
struct part *machine_part(struct machine *machine, const char *name);

/* The NOR array called "internal", "uicr", "external" or "otp"; NULL if the board has none of that name. */
struct nor *machine_array(struct machine *machine, const char *name);

/* Virtual time in ms since the machine was made. */
double machine_ms(const struct machine *machine);

/* Hash over everything that happened so far and the memories as they are. */
uint64_t machine_trace_hash(const struct machine *machine);

/* Saves the machine or restores it; state->error says how it went. */
void machine_save(struct machine *machine, struct state *state);

#endif
