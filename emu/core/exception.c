/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/exception.h"

#include <string.h>

void exceptions_reset(struct exceptions *exc)
{
    uint64_t line = exc->line;
    memset(exc, 0, sizeof *exc);
    exc->line = line;
    exc->enabled = 1ull << EXC_NMI | 1ull << EXC_HARDFAULT | 1ull << EXC_SVCALL | 1ull << EXC_PENDSV |
                   1ull << EXC_SYSTICK;
    exc->active_priority = PRIORITY_THREAD;
}

bool exceptions_set_line(struct exceptions *exc, unsigned irq, bool level)
{
    uint64_t bit = 1ull << (EXC_IRQ0 + irq);
    if (!(exc->line & bit) == !level)
        return false;
    exc->line ^= bit;
    if (level)
        exc->pending |= bit;
    return true;
}

/* PRIGROUP p: bits [7:p+1] are the group priority (B1.5.4). */
static int group_mask(const struct exceptions *exc)
{
    return 0xff << (exc->prigroup + 1) & 0xff;
}

int exceptions_group_priority(const struct exceptions *exc, unsigned number)
{
    if (number <= EXC_HARDFAULT)
        return (int)number - 4;
    return exc->priority[number] & group_mask(exc);
}

void exceptions_update_active(struct exceptions *exc)
{
    int best = PRIORITY_THREAD;
    for (uint64_t left = exc->active; left; left &= left - 1) {
        int priority = exceptions_group_priority(exc, (unsigned)__builtin_ctzll(left));
        if (priority < best)
            best = priority;
    }
    exc->active_priority = best;
}

int exceptions_execution_priority(const struct exceptions *exc, const struct exception_masks *masks)
{
    int boosted = PRIORITY_THREAD;
    if (masks->faultmask)
        boosted = -1;
    else if (masks->primask)
        boosted = 0;
    else if (masks->basepri)
        boosted = masks->basepri & group_mask(exc);
    return boosted < exc->active_priority ? boosted : exc->active_priority;
}

/* Group priority first, then subpriority: the whole field orders both. */
static int full_priority(const struct exceptions *exc, unsigned number)
{
    return number <= EXC_HARDFAULT ? (int)number - 4 : exc->priority[number];
}

unsigned exceptions_first_of(const struct exceptions *exc, unsigned a, unsigned b)
{
    int difference = full_priority(exc, a) - full_priority(exc, b);
    return difference < 0 || (difference == 0 && a < b) ? a : b;
}

unsigned exceptions_best_pending(const struct exceptions *exc)
{
    unsigned best = 0;
    int best_priority = PRIORITY_THREAD;
    for (uint64_t left = exc->pending & exc->enabled; left; left &= left - 1) {
        unsigned number = (unsigned)__builtin_ctzll(left);
        int priority = full_priority(exc, number);
        if (priority < best_priority) {
            best = number;
            best_priority = priority;
        }
    }
    return best;
}

unsigned exceptions_to_take(const struct exceptions *exc, const struct exception_masks *masks)
{
    unsigned best = exceptions_best_pending(exc);
    if (!best)
        return 0;
    return exceptions_group_priority(exc, best) < exceptions_execution_priority(exc, masks) ? best : 0;
}

void exceptions_activate(struct exceptions *exc, unsigned number)
{
    exc->pending &= ~(1ull << number);
    exc->active |= 1ull << number;
    exceptions_update_active(exc);
}

void exceptions_deactivate(struct exceptions *exc, unsigned number)
{
    exc->active &= ~(1ull << number);
    /* A level that is still asserted when its handler ends pends again (B3.4.1). */
    if (exc->line & 1ull << number)
        exc->pending |= 1ull << number;
    exceptions_update_active(exc);
}

void exceptions_save(struct exceptions *exc, struct state *state)
{
    state_bytes(state, exc, sizeof *exc);
}
