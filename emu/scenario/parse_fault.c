/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong with flash operations and supplies: the members of actions that say so. */
#include "scenario/parse.h"

#include <string.h>

#define WAYS_MOST   9999u
#define CELLS_MOST  9999u
#define TIMES_MOST  1000000u
#define SAG_MS_MOST 1e9
#define SAG_MV_MOST 5500u

const char *const nor_array_words[] = {"internal", "uicr", "external", "otp", "status", NULL};
static const char *const ops[] = {"program", "erase", NULL};

static int refuse(const struct reader *r, const cJSON *item, const char *text)
{
    return json_doc_error(r->doc, item, r->why, "%s", text);
}

/* --- how an operation is torn ---------------------------------------------------------------------------
 */

static int read_share(const struct reader *r, const cJSON *item, uint32_t *value)
{
    double share = 1;
    if (read_double(r, item, 0, 1, &share))
        return -1;
    *value = (uint32_t)(share * 256);
    return 0;
}

int parse_tear(const struct reader *r, const cJSON *item, struct flash_tear *out)
{
    static const char *const members[] = {"way", "bits", "bytes", "share", "unstable", NULL};
    static const enum flash_tear_way ways[] = {TEAR_VARIANT, TEAR_BITS, TEAR_BYTES, TEAR_SHARE};
    unsigned count = 0;
    *out = (struct flash_tear){.way = TEAR_VARIANT, .value = 1};
    if (read_members(r, item, members) || read_flag(r, member(item, "unstable"), &out->unstable))
        return -1;
    for (unsigned i = 0; i < 4; i++) {
        if (!member(item, members[i]))
            continue;
        out->way = ways[i];
        count++;
    }
    if (count > 1)
        return refuse(r, item, "give one of \"way\", \"bits\", \"bytes\" and \"share\"");
    return read_u32(r, member(item, "way"), 1, WAYS_MOST, &out->value) ||
                   read_u32(r, member(item, "bits"), 0, UINT32_MAX, &out->value) ||
                   read_u32(r, member(item, "bytes"), 0, UINT32_MAX, &out->value) ||
                   (member(item, "share") && read_share(r, member(item, "share"), &out->value))
               ? -1
               : 0;
}

/* --- faults that leave power on -------------------------------------------------------------------------
 */

static int fault_kind(const struct reader *r, const cJSON *item, struct flash_fault *fault)
{
    static const char *const words[] = {"dropped", "doubled", "disturbed", "worn", "unstable", NULL};
    static const enum flash_fault_kind kinds[] = {FLASH_DROPPED, FLASH_DOUBLED, FLASH_DISTURBED, FLASH_WORN,
                                                  FLASH_UNSTABLE};
    unsigned kind = 0;
    uint32_t variant = 1;
    if (!member(item, "kind"))
        return missing(r, item, "kind");
    if (read_choice(r, member(item, "kind"), words, &kind))
        return -1;
    fault->kind = kinds[kind];
    bool has_cells = fault->kind == FLASH_WORN || fault->kind == FLASH_UNSTABLE;
    if (member(item, "cells") && !has_cells)
        return refuse(r, member(item, "cells"), "only \"worn\" and \"unstable\" have a number of cells");
    if (member(item, "way") && fault->kind != FLASH_DISTURBED)
        return refuse(r, member(item, "way"), "only \"disturbed\" has ways");
    if (read_u32(r, member(item, "cells"), 1, CELLS_MOST, &variant) ||
        read_u32(r, member(item, "way"), 1, WAYS_MOST, &variant))
        return -1;
    fault->variant = has_cells || fault->kind == FLASH_DISTURBED ? variant : 0;
    return 0;
}

int parse_fault(const struct reader *r, const cJSON *item, struct fault_action *out)
{
    static const char *const members[] = {"kind", "cells", "way", "array", "op", "times", NULL};
    unsigned array = 0, op = 0;
    out->at = item;
    out->times = 1;
    if (read_members(r, item, members) || fault_kind(r, item, &out->fault) ||
        read_choice(r, member(item, "array"), nor_array_words, &array) ||
        read_choice(r, member(item, "op"), ops, &op) ||
        read_whole(r, member(item, "times"), 1, TIMES_MOST, &out->times))
        return -1;
    out->array = member(item, "array") ? nor_array_words[array] : NULL;
    out->has_op = member(item, "op") != NULL;
    out->op = (enum nor_kind)op;
    return 0;
}

/* --- supplies -------------------------------------------------------------------------------------------
 */

static int read_cycles(const struct reader *r, const cJSON *item, uint64_t *out)
{
    double ms = 0;
    if (read_double(r, item, 0, SAG_MS_MOST, &ms))
        return -1;
    *out = (uint64_t)(ms * (double)CYCLES_PER_MS);
    return 0;
}

int parse_supply(const struct reader *r, const cJSON *item, struct supply_sag *out)
{
    static const char *const members[] = {"mv", "rail", "over_ms", "for_ms", "then", NULL};
    static const char *const rails[] = {"vdd", "vddh", NULL};
    static const char *const ends[] = {"stay", "recover", "power_off", NULL};
    unsigned rail = 0, end = 0;
    if (read_members(r, item, members))
        return -1;
    if (!member(item, "mv"))
        return missing(r, item, "mv");
    if (read_u32(r, member(item, "mv"), 0, SAG_MV_MOST, &out->mv) ||
        read_choice(r, member(item, "rail"), rails, &rail) ||
        read_cycles(r, member(item, "over_ms"), &out->over) ||
        read_cycles(r, member(item, "for_ms"), &out->hold) ||
        read_choice(r, member(item, "then"), ends, &end))
        return -1;
    out->vddh = rail == 1;
    out->then = (enum supply_then)end;
    if (member(item, "for_ms") && !member(item, "then"))
        return refuse(r, item, "and after \"for_ms\"? Give \"then\": \"recover\" or \"power_off\"");
    return 0;
}

/* --- what fits to which trigger -------------------------------------------------------------------------
 */

static int check_tear(const struct reader *r, const struct trigger *when, const struct action *action)
{
    const struct flash_tear *tear = &action->tear;
    if (when->kind != TRIGGER_FLASH || when->moment != FLASH_WITHIN)
        return refuse(r, action->at,
                      "only an operation within which power goes can be torn: it needs "
                      "\"when\": {\"flash\": {\"moment\": \"within\"}}");
    bool program = tear->way == TEAR_BITS || tear->way == TEAR_BYTES;
    if (program && (!when->has_op || when->op != NOR_PROGRAM))
        return refuse(r, action->at,
                      "\"bits\" and \"bytes\" are of a program: the trigger needs \"op\": \"program\"");
    if (tear->way == TEAR_SHARE && (!when->has_op || when->op != NOR_ERASE))
        return refuse(r, action->at, "\"share\" is of an erase: the trigger needs \"op\": \"erase\"");
    return 0;
}

int check_faults(const struct reader *r, const cJSON *item, const struct step *step)
{
    const struct trigger *when = &step->when;
    const struct action *first = step->actions;
    for (size_t i = 0; i < step->action_count; i++) {
        if (step->actions[i].has_tear && check_tear(r, when, &step->actions[i]))
            return -1;
    }
    if (when->kind != TRIGGER_FLASH || when->moment == FLASH_AFTER)
        return 0;
    bool alone = step->action_count == 1;
    bool strikes = alone && first->kind == ACTION_FAULT && when->moment == FLASH_WITHIN;
    if (!strikes && !(alone && first->kind == ACTION_POWER_OFF))
        return refuse(r, item,
                      "before and within a flash operation nothing can be done but \"power_off\", "
                      "or within it a \"fault\"");
    if (strikes && (first->fault.array || first->fault.has_op))
        return refuse(r, first->fault.at,
                      "the trigger says already which operation is struck; \"array\" and "
                      "\"op\" are for faults that wait for the next one");
    return 0;
}
