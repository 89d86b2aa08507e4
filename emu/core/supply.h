/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supply of chip and parts, in millivolts over time: a straight line down (or up), a while there, and a
 * straight line back, or the end. In normal voltage mode VDD and VDDH are one rail; in high voltage mode VDDH
 * has a supply of its own and VDD is regulated from it (nRF52840 Product Specification 1.7, 'POWER').
 * Modelled: steps of SUPPLY_STEP_MV, each at its time.
 *
 * Not modelled: the regulator's drop-out (VDD does not follow VDDH down), ripple, what the load does to the
 * supply.
 */
#ifndef SOSIM_CORE_SUPPLY_H
#define SOSIM_CORE_SUPPLY_H

#include "core/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define SUPPLY_FULL_MV 3300u
#define SUPPLY_STEP_MV 10u

enum supply_then {
    SUPPLY_STAY,    /* as low as it is now */
    SUPPLY_RECOVER, /* back to SUPPLY_FULL_MV, as fast as it came down */
    SUPPLY_CUT,     /* power is lost: supply_is_lost() */
};

struct supply_sag {
    uint32_t mv;   /* where to; 0 to 5500 */
    bool vddh;     /* VDDH alone, in high voltage mode; else both */
    uint64_t over; /* cycles that the way there takes */
    uint64_t hold; /* cycles that it stays there */
    enum supply_then then;
};

struct supply {
    struct clock *clock;
    struct event event;
    void (*changed)(void *context, uint32_t vdd_mv, uint32_t vddh_mv);
    void (*lost)(void *context);
    void *context; /* of both */
    struct supply_sag sag;
    uint32_t vdd_mv, vddh_mv;
    uint32_t from_mv; /* where the line began */
    uint64_t began;
    uint8_t phase; /* of a sag: on the way, there, on the way back */
};

/* Full, in normal voltage mode. `changed` hears of each step, `lost` of the end of power. */
void supply_init(struct supply *supply, struct clock *clock,
                 void (*changed)(void *context, uint32_t vdd_mv, uint32_t vddh_mv),
                 void (*lost)(void *context), void *context);

/* Begins a sag at the present voltage; one that goes on is given up. */
void supply_begin(struct supply *supply, const struct supply_sag *sag);

/* Power was taken away or comes: full again, no sag. */
void supply_reset(struct supply *supply);

void supply_save(struct supply *supply, struct state *state);

#endif
