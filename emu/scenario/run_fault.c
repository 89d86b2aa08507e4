/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a timeline does to flash operations before they change bits: power cuts, and faults that leave power
 * on. */
#include "scenario/run_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Half of the operation happens: the first half of the bytes. Cells of a torn erase are as good as erased. */
static void tear_in_half(struct nor *nor, const struct flash_op *op, const uint8_t *bytes)
{
    uint32_t half = op->size / 2;
    for (uint32_t i = 0; i < half; i++) {
        uint8_t *cell = &nor->data[op->address + i];
        *cell = op->kind == NOR_ERASE ? 0xff : (uint8_t)(*cell & bytes[i]);
    }
}

static void tell(struct runner *run, const struct fault_action *action, const struct flash_op *op)
{
    char text[160];
    snprintf(text, sizeof text,
             "%s, as the scenario has it: %s of %s 0x%06" PRIx32 "+%" PRIu32 ", operation %" PRIu64,
             flash_fault_kind_name(action->fault.kind), op->kind == NOR_ERASE ? "erase" : "program",
             op->array, op->address, op->size, op->number);
    result_add_finding(run->result, machine_ms(&run->machine), "fault", text, false);
    run_trace(run, "fault %s", text);
}

static enum nor_fault strike(struct runner *run, const struct fault_action *action, struct nor *nor,
                             const struct flash_op *op, const uint8_t *bytes)
{
    tell(run, action, op);
    return flash_strike(&action->fault, run->result->seed, nor, op, bytes);
}

/* The first action of the step that is waited for. */
static const struct action *next_action(const struct runner *run)
{
    const struct scenario *scenario = run->scenario;
    return run->step < scenario->step_count ? scenario->steps[run->step].actions : NULL;
}

/* The armed trigger has come to its operation. */
static enum nor_fault take_moment(struct runner *run, struct nor *nor, const struct flash_op *op,
                                  const uint8_t *bytes)
{
    const struct action *action = next_action(run);
    if (action && action->kind == ACTION_FAULT)
        return strike(run, &action->fault, nor, op, bytes);
    if (run->armed.trigger->moment == FLASH_WITHIN) {
        if (action && action->has_tear)
            flash_tear_array(nor, op, bytes, &action->tear, run->result->seed);
        else
            tear_in_half(nor, op, bytes);
    }
    run->cut = true;
    return NOR_FAULT_CUT;
}

static bool fits(const struct waiting_fault *fault, const struct flash_op *op)
{
    return (fault->array ? !strcmp(fault->array, op->array) : !op->registers) &&
           (!fault->has_op || fault->op == op->kind);
}

static enum nor_fault take_waiting(struct runner *run, struct nor *nor, const struct flash_op *op,
                                   const uint8_t *bytes)
{
    for (size_t i = 0; i < run->fault_count; i++) {
        struct waiting_fault *fault = &run->faults[i];
        const struct fault_action *action = fault->action;
        if (!fits(fault, op))
            continue;
        if (!--fault->left)
            memmove(fault, fault + 1, (--run->fault_count - i) * sizeof *fault);
        return strike(run, action, nor, op, bytes);
    }
    return NOR_FAULT_NONE;
}

enum nor_fault run_operation(void *context, struct nor *nor, const struct flash_op *op, const uint8_t *bytes)
{
    struct runner *run = context;
    const struct run_options *options = run->options;
    if (run->cut)
        return NOR_FAULT_CUT;
    enum nor_fault fault = options->fault ? options->fault(options->context, nor, op, bytes) : NOR_FAULT_NONE;
    if (fault != NOR_FAULT_NONE || !op->size)
        return fault;
    if (run_waits_for(run, TRIGGER_FLASH) && !run->armed.fired && run->armed.trigger->moment != FLASH_AFTER &&
        run_flash_fits(run->armed.trigger, op)) {
        run_count_one(run);
        if (run->armed.fired)
            return take_moment(run, nor, op, bytes);
    }
    return take_waiting(run, nor, op, bytes);
}

int run_add_fault(struct runner *run, const struct fault_action *action, const struct trigger *when)
{
    struct waiting_fault fault = {action, action->array, action->has_op, action->op, action->times};
    /* The operation that the trigger names was struck already. */
    if (when->kind == TRIGGER_FLASH && when->moment == FLASH_WITHIN) {
        fault.array = when->array;
        fault.has_op = when->has_op;
        fault.op = when->op;
        fault.left--;
    }
    if (!fault.left)
        return 0;
    if (run->fault_count == RUN_FAULTS)
        return json_doc_error(&run->scenario->doc, action->at, &run->failure,
                              "%u faults wait for their operation already", RUN_FAULTS);
    run->faults[run->fault_count++] = fault;
    return 0;
}
