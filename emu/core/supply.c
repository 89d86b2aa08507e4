/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/supply.h"

#include "core/state.h"

enum phase {
    PHASE_NONE,
    PHASE_THERE, /* on the way to the low voltage */
    PHASE_HOLD,
    PHASE_BACK,
};

static uint32_t present(const struct supply *supply)
{
    return supply->sag.vddh ? supply->vddh_mv : supply->vdd_mv;
}

static void set(struct supply *supply, uint32_t mv)
{
    if (!supply->sag.vddh)
        supply->vdd_mv = mv;
    supply->vddh_mv = mv;
    supply->changed(supply->context, supply->vdd_mv, supply->vddh_mv);
}

static uint32_t target(const struct supply *supply)
{
    return supply->phase == PHASE_BACK ? SUPPLY_FULL_MV : supply->sag.mv;
}

/* Cycle at which the line reaches a voltage. */
static uint64_t reaches(const struct supply *supply, uint32_t mv)
{
    uint32_t from = supply->from_mv, to = target(supply);
    uint32_t all = from > to ? from - to : to - from, part = from > mv ? from - mv : mv - from;
    return supply->began + (all ? supply->sag.over * part / all : 0);
}

static void begin_line(struct supply *supply, enum phase phase)
{
    supply->phase = (uint8_t)phase;
    supply->from_mv = present(supply);
    supply->began = supply->clock->now;
    event_at(supply->clock, &supply->event, supply->began);
}

/* One step along the line; false at its end. */
static bool step(struct supply *supply)
{
    uint32_t to = target(supply), mv = present(supply);
    uint32_t left = mv > to ? mv - to : to - mv;
    uint32_t by = supply->sag.over && left > SUPPLY_STEP_MV ? SUPPLY_STEP_MV : left;
    if (!left)
        return false;
    uint32_t next = mv > to ? mv - by : mv + by;
    if (supply->clock->now < reaches(supply, next)) {
        event_at(supply->clock, &supply->event, reaches(supply, next));
        return true;
    }
    set(supply, next);
    event_at(supply->clock, &supply->event, supply->clock->now);
    return true;
}

static void end_hold(struct supply *supply)
{
    supply->phase = PHASE_NONE;
    if (supply->sag.then == SUPPLY_RECOVER)
        begin_line(supply, PHASE_BACK);
    else if (supply->sag.then == SUPPLY_CUT)
        supply->lost(supply->context);
}

static void on_event(void *owner)
{
    struct supply *supply = owner;
    if (supply->phase == PHASE_HOLD) {
        end_hold(supply);
        return;
    }
    if (supply->phase == PHASE_NONE || step(supply))
        return;
    bool down = supply->phase == PHASE_THERE;
    supply->phase = down ? PHASE_HOLD : PHASE_NONE;
    if (down)
        event_after(supply->clock, &supply->event, supply->sag.hold);
}

void supply_begin(struct supply *supply, const struct supply_sag *sag)
{
    supply->sag = *sag;
    begin_line(supply, PHASE_THERE);
}

void supply_reset(struct supply *supply)
{
    bool full = supply->vdd_mv == SUPPLY_FULL_MV && supply->vddh_mv == SUPPLY_FULL_MV;
    event_cancel(supply->clock, &supply->event);
    supply->phase = PHASE_NONE;
    supply->sag = (struct supply_sag){.mv = SUPPLY_FULL_MV};
    if (!full)
        set(supply, SUPPLY_FULL_MV);
}

void supply_save(struct supply *supply, struct state *state)
{
    state_event(state, supply->clock, &supply->event);
    state_var(state, supply->sag);
    state_var(state, supply->vdd_mv);
    state_var(state, supply->vddh_mv);
    state_var(state, supply->from_mv);
    state_var(state, supply->began);
    state_var(state, supply->phase);
}

void supply_init(struct supply *supply, struct clock *clock,
                 void (*changed)(void *context, uint32_t vdd_mv, uint32_t vddh_mv),
                 void (*lost)(void *context), void *context)
{
    *supply = (struct supply){.clock = clock,
                              .changed = changed,
                              .lost = lost,
                              .context = context,
                              .vdd_mv = SUPPLY_FULL_MV,
                              .vddh_mv = SUPPLY_FULL_MV};
    event_init(clock, &supply->event, on_event, supply);
}
