/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The run loop: lets the engine run, and does what it stopped for. */
#include "core/cpu.h"

#include "core/fast_store.h"
#include "core/precise.h"
#include "core/replay.h"
#include "core/short_hook.h"
#include "core/thumb.h"

#define NOWHERE 0xfffffff0ull /* never an instruction's address: 'until' for a free run */

/*
 * Unicorn 2.0.1 has 1 GiB for translated code. When that is full for the first time it starts again at the
 * beginning and zeroes all of it, while the blocks that were there are still found and run
 * (tcg_region_assign()). So it is told to forget everything before: at 240 to 400 bytes a halfword, half way.
 */
#define TRANSLATED_MOST 900000u

uc_err cpu_engine_run(struct cpu *cpu, uint32_t pc, uint64_t stop_at)
{
    cpu->intno = -1;
    cpu->hook_stopped = false;
    if (cpu->translated > TRANSLATED_MOST) {
        short_hook_flushed(cpu);
        uc_ctl_flush_tlb(cpu->uc); /* of blocks, whatever the name says */
        cpu->translated = 0;
    }
    fast_store_enter(cpu);
    precise_enter(cpu);
    uc_err error = uc_emu_start(cpu->uc, pc | 1u, stop_at, 0, 0);
    precise_leave();
    fast_store_leave();
    short_hook_settle(cpu);
    if (cpu->intno != ENGINE_EXCEPTION_RETURN)
        replay_disturbed(cpu);
    return error;
}

static void take_memory_fault(struct cpu *cpu)
{
    uint32_t address = cpu->fault_address;
    cpu->fault_pending = false;
    if (cpu->fault_kind == ACCESS_FETCH) {
        if (!mpu_allows(cpu, address, ACCESS_FETCH, true))
            cpu_fault(cpu, EXC_MEMMANAGE, CFSR_IACCVIOL, address & ~1u);
        else
            cpu_fault(cpu, EXC_BUSFAULT, CFSR_IBUSERR, address & ~1u);
        return;
    }
    uint32_t pc = cpu->fault_is_precise ? cpu_reg(cpu, 15) : cpu_find_access(cpu, address, cpu->fault_kind);
    if (cpu_mpu_refuses(cpu, address, cpu->fault_kind)) {
        cpu->scb.mmfar = address;
        cpu_fault(cpu, EXC_MEMMANAGE, CFSR_DACCVIOL | CFSR_MMARVALID, pc);
        return;
    }
    cpu->scb.bfar = address;
    cpu_fault(cpu, EXC_BUSFAULT, CFSR_PRECISERR | CFSR_BFARVALID, pc);
}

/* True if SVCall is of a higher priority than what is being executed. */
static bool can_call(const struct cpu *cpu)
{
    struct exception_masks masks = cpu_masks(cpu);
    return exceptions_group_priority(&cpu->exc, EXC_SVCALL) <
           exceptions_execution_priority(&cpu->exc, &masks);
}

/* SVC, breakpoint, EXC_RETURN, an unaligned access, or a fetch from a register page. */
static void take_interrupt(struct cpu *cpu, int intno)
{
    uint32_t pc = cpu_reg(cpu, 15);
    switch (intno) {
    case ENGINE_SVC:
        if (can_call(cpu))
            cpu_take_exception(cpu, EXC_SVCALL, pc);
        else
            cpu_hard_fault(cpu, HFSR_FORCED, pc - 2);
        return;
    case ENGINE_BKPT:
        cpu_hard_fault(cpu, HFSR_DEBUGEVT, pc);
        return;
    case ENGINE_EXCEPTION_RETURN:
        replay_note_return(cpu, pc & ~1u);
        /* In thread mode the same value is just an address without memory. */
        if (cpu->exception)
            cpu_exception_return(cpu, pc | 1u);
        else
            cpu_fault(cpu, EXC_MEMMANAGE, CFSR_IACCVIOL, pc & ~1u);
        return;
    case ENGINE_DATA_ABORT:
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_UNALIGNED, pc);
        return;
    case ENGINE_PREFETCH_ABORT:
        cpu->fault_pending = true;
        cpu->fault_address = pc;
        cpu->fault_kind = ACCESS_FETCH;
        take_memory_fault(cpu);
        return;
    default:
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_UNDEFINSTR, pc);
    }
}

enum hint {
    HINT_NONE,
    HINT_NOP, /* YIELD, DBG: no effect */
    HINT_WFE,
    HINT_WFI,
};

/* The hint instruction at an address; `size` gets its length. */
static enum hint hint_at(const struct cpu *cpu, uint32_t pc, uint32_t *size)
{
    uint16_t code[2] = {0, 0};
    if (cpu_peek(cpu, pc, code, 2))
        return HINT_NONE;
    *size = thumb_size(code[0]);
    unsigned number;
    if ((code[0] & 0xff0f) == 0xbf00)
        number = code[0] >> 4 & 0xf;
    else if (code[0] == 0xf3af && !cpu_peek(cpu, pc + 2, code + 1, 2) && (code[1] & 0xff00) == 0x8000)
        number = code[1] & 0xff;
    else
        return HINT_NONE;
    return number == 2 ? HINT_WFE : number == 3 ? HINT_WFI : HINT_NOP;
}

static void fall_asleep(struct cpu *cpu, bool for_event)
{
    cpu->sleeping = true;
    cpu->sleep_for_event = for_event;
    cpu->ports.sleeps(cpu->ports.context, true);
}

void cpu_note_pending(struct cpu *cpu)
{
    if (cpu->exc.pending & ~cpu->pending_seen && cpu->scb.scr & SCR_SEVONPEND)
        cpu->event_register = true;
    cpu->pending_seen = cpu->exc.pending;
}

static void wait_for_event(struct cpu *cpu)
{
    cpu_note_pending(cpu);
    if (cpu->event_register) {
        cpu->event_register = false;
        return;
    }
    fall_asleep(cpu, true);
}

/* The hint that ends the block being run, if the PC is right behind it. */
static enum hint hint_before(const struct cpu *cpu, uint32_t pc)
{
    uint32_t at = cpu->block_address, size = 0;
    uint16_t code;
    if (pc != cpu->expected)
        return HINT_NONE;
    for (; at + 2 <= pc && !cpu_peek(cpu, at, &code, 2); at += thumb_size(code)) {
        if (at + thumb_size(code) == pc)
            return hint_at(cpu, at, &size);
    }
    return HINT_NONE;
}

/* The engine met an instruction that it does not know; hints are among them, with the PC behind them. */
static void take_invalid(struct cpu *cpu)
{
    uint32_t pc = cpu_reg(cpu, 15);
    if (!(cpu_reg(cpu, 16) >> 24 & 1)) {
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_INVSTATE, pc);
        return;
    }
    switch (hint_before(cpu, pc)) {
    case HINT_WFE:
        wait_for_event(cpu);
        return;
    case HINT_NONE:
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_UNDEFINSTR, pc);
        return;
    default:
        return;
    }
}

void cpu_after_engine(struct cpu *cpu, uc_err error)
{
    if (cpu->fault_pending) {
        take_memory_fault(cpu);
        return;
    }
    if (cpu->intno >= 0) {
        int intno = cpu->intno;
        cpu->intno = -1;
        take_interrupt(cpu, intno);
        return;
    }
    if (error == UC_ERR_INSN_INVALID) {
        take_invalid(cpu);
        return;
    }
    if (error) {
        cpu_engine_failed(cpu, "the engine stopped", error);
        return;
    }
    if (!cpu->hook_stopped && hint_before(cpu, cpu_reg(cpu, 15)) == HINT_WFI)
        fall_asleep(cpu, false);
}

/* True if something wakes the CPU: WFI ignores PRIMASK, WFE does not (B1.5.18, B1.5.19). */
static bool wakes(struct cpu *cpu)
{
    cpu_note_pending(cpu);
    if (cpu->sleep_for_event && cpu->event_register) {
        cpu->event_register = false;
        return true;
    }
    struct exception_masks masks = cpu_masks(cpu);
    if (!cpu->sleep_for_event)
        masks.primask = false;
    return exceptions_to_take(&cpu->exc, &masks) != 0;
}

/* Sleeps to the next event. */
static void sleep_on(struct cpu *cpu)
{
    struct clock *clock = &cpu->bus->clock;
    if (wakes(cpu)) {
        cpu->sleeping = false;
        cpu->ports.sleeps(cpu->ports.context, false);
        return;
    }
    uint64_t next = clock_next_event(clock);
    if (next > cpu->until)
        next = cpu->until;
    if (next > clock->now)
        clock->now = next;
    clock_run_due(clock);
}

static enum cpu_stop why_stopped(const struct cpu *cpu)
{
    if (cpu->failure[0])
        return CPU_STOP_ENGINE;
    if (cpu->reset_asked)
        return CPU_STOP_RESET;
    if (cpu->stop_asked)
        return CPU_STOP_ASKED;
    return cpu->bus->clock.now >= cpu->until ? CPU_STOP_TIME : CPU_STOP_HELD;
}

static bool goes_on_carefully(struct cpu *cpu)
{
    if (cpu->careful_to == cpu->careful_from)
        return false;
    if (cpu_reg(cpu, 15) - cpu->careful_from < cpu->careful_to - cpu->careful_from)
        return true;
    cpu->careful_to = cpu->careful_from;
    return false;
}

enum cpu_stop cpu_run(struct cpu *cpu, uint64_t until)
{
    cpu->until = until;
    cpu->stop_asked = false;
    cpu->waited = 0;
    while (!cpu_must_stop(cpu)) {
        bool replays = cpu->replay_next;
        cpu->replay_next = false;
        if (cpu->sleeping) {
            sleep_on(cpu);
            continue;
        }
        unsigned number = cpu_preempting(cpu);
        if (number) {
            cpu_take_exception(cpu, number, cpu_reg(cpu, 15));
            continue;
        }
        if (cpu->careful_next || goes_on_carefully(cpu)) {
            if (cpu->careful_next || !cpu_look_around(cpu))
                cpu_careful_block(cpu);
            cpu->careful_next = false;
            continue;
        }
        uint32_t pc = cpu_reg(cpu, 15);
        if (!replays && replay_is_ready(cpu, pc)) {
            if (cpu_look_around(cpu))
                continue;
            replays = true;
        }
        if (replays) {
            replay_run(cpu);
            continue;
        }
        clock_kick(&cpu->bus->clock);
        cpu_after_engine(cpu, cpu_engine_run(cpu, pc, NOWHERE));
    }
    return why_stopped(cpu);
}

void cpu_stop(struct cpu *cpu)
{
    cpu->stop_asked = true;
    clock_kick(&cpu->bus->clock);
}

int cpu_watch(struct cpu *cpu, uint32_t address, void (*fn)(void *, struct cpu *, uint32_t), void *context)
{
    if (cpu->watches == CPU_MAX_WATCHES)
        return -1;
    cpu->watch[cpu->watches].address = address & ~1u;
    cpu->watch[cpu->watches].fn = fn;
    cpu->watch[cpu->watches++].context = context;
    cpu->watch_changes++;
    short_hook_forget_all(cpu);
    replay_disturbed(cpu);
    return 0;
}

void cpu_unwatch_all(struct cpu *cpu)
{
    cpu->watches = 0;
    cpu->watch_changes++;
}
