/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exception entry and return: stacking, unstacking, EXC_RETURN, tail-chaining, fault escalation and lock-up.
 * ARMv7-M Architecture Reference Manual B1.5.6 to B1.5.14.
 */
#include "core/cpu.h"
#include "core/cycles.h"
#include "core/ram_watch.h"
#include "core/replay.h"

#include <stdio.h>
#include <string.h>

#define CONTROL_NPRIV  1u
#define CONTROL_SPSEL  2u
#define CONTROL_FPCA   4u
#define CONTROL_SFPA   8u /* of ARMv8-M; the engine wants it wherever FPCA is */
#define XPSR_T         (1u << 24)
#define XPSR_ALIGN     (1u << 9)
#define XPSR_EXCEPTION 0x1ffu
#define FPCCR_ASPEN    (1u << 31)

/* What a frame begins with. */
static const int stacked[] = {UC_ARM_REG_R0, UC_ARM_REG_R1,  UC_ARM_REG_R2,
                              UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR};

static uint32_t reg(const struct cpu *cpu, int id)
{
    uint32_t value = 0;
    uc_reg_read(cpu->uc, id, &value);
    return value;
}

static void set_reg(struct cpu *cpu, int id, uint32_t value)
{
    uc_reg_write(cpu->uc, id, &value);
}

struct exception_masks cpu_masks(const struct cpu *cpu)
{
    /* The engine reads zeros to unprivileged code, even from outside; handler mode is privileged. */
    bool privileged = cpu_privileged(cpu);
    uint32_t handler = EXC_RESET, thread = 0;
    if (!privileged)
        uc_reg_write(cpu->uc, UC_ARM_REG_IPSR, &handler);
    static const int ids[] = {UC_ARM_REG_PRIMASK, UC_ARM_REG_FAULTMASK, UC_ARM_REG_BASEPRI};
    uint32_t value[3] = {0, 0, 0};
    cpu_regs(cpu, ids, value, 3);
    if (!privileged)
        uc_reg_write(cpu->uc, UC_ARM_REG_IPSR, &thread);
    return (struct exception_masks){
        .primask = value[0] & 1, .faultmask = value[1] & 1, .basepri = (uint8_t)value[2]};
}

unsigned cpu_preempting(const struct cpu *cpu)
{
    if (!(cpu->exc.pending & cpu->exc.enabled))
        return 0;
    struct exception_masks masks = cpu_masks(cpu);
    return exceptions_to_take(&cpu->exc, &masks);
}

bool cpu_privileged(const struct cpu *cpu)
{
    return cpu->exception || !(reg(cpu, UC_ARM_REG_CONTROL) & CONTROL_NPRIV);
}

/*
 * The engine refuses changes of CONTROL to unprivileged code and of SPSEL to handler mode, even from outside;
 * this goes through a privileged thread mode that always may.
 */
void cpu_set_mode(struct cpu *cpu, unsigned exception, uint32_t control)
{
    static const int ids[] = {UC_ARM_REG_IPSR, UC_ARM_REG_CONTROL, UC_ARM_REG_IPSR, UC_ARM_REG_CONTROL,
                              UC_ARM_REG_IPSR};
    const uint32_t values[] = {EXC_RESET, /* handler mode: privileged, so nPRIV can be cleared */
                               0, 0, control & CONTROL_FPCA ? control | CONTROL_SFPA : control, exception};
    cpu_set_regs(cpu, ids, values, 5);
    cpu->exception = exception;
}

void cpu_set_control(struct cpu *cpu, uint32_t control)
{
    cpu_set_mode(cpu, cpu->exception, control);
}

bool cpu_mend_control(struct cpu *cpu)
{
    uint32_t control = reg(cpu, UC_ARM_REG_CONTROL);
    if ((control & (CONTROL_FPCA | CONTROL_SFPA)) != CONTROL_FPCA)
        return false;
    cpu_set_control(cpu, control);
    return true;
}

void cpu_close_monitor(struct cpu *cpu)
{
    if (!cpu->monitor_open)
        return;
    uint32_t pc = reg(cpu, UC_ARM_REG_PC), xpsr = reg(cpu, UC_ARM_REG_XPSR);
    set_reg(cpu, UC_ARM_REG_XPSR_NZCVQG, (xpsr & 0xf80f01ffu) | XPSR_T); /* in no IT block */
    bool careful = cpu->careful;
    cpu->careful = true;
    cpu->careful_begun = false;
    cpu_engine_run(cpu, CLREX_BASE, CLREX_BASE + 4);
    cpu->careful = careful;
    cpu->monitor_open = false;
    set_reg(cpu, UC_ARM_REG_PC, pc | 1u);
    set_reg(cpu, UC_ARM_REG_XPSR_NZCVQG, xpsr);
}

/* What a stacking access met. */
enum stack_fault {
    STACK_OK,
    STACK_BUS,
    STACK_MPU,
};

static enum stack_fault stack_access(struct cpu *cpu, uint32_t address, uint32_t *words, unsigned count,
                                     enum cpu_access access, bool privileged)
{
    uint32_t offset = address - RAM_BASE;
    if (!mpu_allows(cpu, address, access, privileged) ||
        !mpu_allows(cpu, address + count * 4 - 4, access, privileged))
        return STACK_MPU;
    if (offset >= cpu->ram_size || cpu->ram_size - offset < count * 4)
        return STACK_BUS;
    if (access == ACCESS_WRITE) {
        ram_note(cpu->bus, offset, count * 4, RAM_SEEN_WRITTEN);
        memcpy(cpu->ram + offset, words, count * 4);
        cpu_code_changed(cpu, address, count * 4);
    } else {
        ram_note(cpu->bus, offset, count * 4, RAM_SEEN_READ);
        memcpy(words, cpu->ram + offset, count * 4);
    }
    return STACK_OK;
}

static void save_fp(struct cpu *cpu, uint32_t *frame)
{
    for (unsigned i = 0; i < 16; i++)
        frame[i] = reg(cpu, UC_ARM_REG_S0 + (int)i);
    frame[16] = reg(cpu, UC_ARM_REG_FPSCR);
    frame[17] = 0;
}

/* Pushes the frame; returns EXC_RETURN. The CPU is then in handler mode for `number`. */
static uint32_t push_frame(struct cpu *cpu, uint32_t return_pc, enum stack_fault *fault)
{
    static const int ids[] = {UC_ARM_REG_XPSR, UC_ARM_REG_CONTROL, UC_ARM_REG_SP};
    uint32_t value[3] = {0, 0, 0};
    cpu_regs(cpu, ids, value, 3);
    uint32_t xpsr = value[0], control = value[1], sp = value[2];
    bool thread = !(xpsr & XPSR_EXCEPTION);
    bool privileged = cpu_privileged(cpu);
    bool fp = (control & CONTROL_FPCA) && (cpu->scb.fpccr & FPCCR_ASPEN);
    uint32_t size = fp ? 0x68 : 0x20;
    bool align = fp || (cpu->scb.ccr & CCR_STKALIGN);
    bool padded = align && (sp & 4);
    uint32_t frame_at = (sp - size) & ~(align ? 4u : 0u);

    uint32_t frame[26];
    cpu_regs(cpu, stacked, frame, 6);
    frame[6] = return_pc;
    frame[7] = (xpsr & ~XPSR_ALIGN) | (padded ? XPSR_ALIGN : 0);
    if (fp) {
        save_fp(cpu, frame + 8);
        cpu->bus->clock.now += CYCLES_FP_FRAME;
    }
    *fault = stack_access(cpu, frame_at, frame, size / 4, ACCESS_WRITE, privileged);
    set_reg(cpu, UC_ARM_REG_SP, frame_at);

    uint32_t exc_return = thread ? (control & CONTROL_SPSEL ? 0xfffffffdu : 0xfffffff9u) : 0xfffffff1u;
    return fp ? exc_return & ~0x10u : exc_return;
}

/* Enters lock-up: the nRF52840 answers with a reset (Product Specification, 'Reset'). */
static void lock_up(struct cpu *cpu, uint32_t pc)
{
    cpu->locked_up = true;
    cpu->reset_asked = true;
    cpu->reset_cause = RESET_LOCKUP;
    char text[96];
    struct finding finding = {.topic = "cpu", .text = text, .guest_fault = true};
    snprintf(text, sizeof text, "lock-up: a fault at 0x%08x while HardFault or NMI was active", pc);
    signal_emit(&cpu->bus->signals, SIGNAL_FINDING, digest_text(text), &finding);
}

/* Reads the vector and starts the handler of an exception whose frame is stacked. */
static void start_handler(struct cpu *cpu, unsigned number, uint32_t exc_return, uint32_t return_pc)
{
    uint32_t control = reg(cpu, UC_ARM_REG_CONTROL) & CONTROL_NPRIV;
    cpu_set_mode(cpu, number, control);
    exceptions_activate(&cpu->exc, number);
    set_reg(cpu, UC_ARM_REG_LR, exc_return);
    cpu->event_register = true;
    cpu->sleeping = false;

    uint32_t vector = 0;
    if (cpu_peek(cpu, cpu->scb.vtor + 4 * number, &vector, 4)) {
        cpu_hard_fault(cpu, HFSR_VECTTBL, return_pc);
        return;
    }
    /* XPSR with IT cleared; the T bit comes from the vector. */
    uint32_t xpsr = reg(cpu, UC_ARM_REG_XPSR) & 0xf80f0000u;
    /* In this order: writing the PC sets T. */
    set_reg(cpu, UC_ARM_REG_PC, vector | 1u);
    set_reg(cpu, UC_ARM_REG_XPSR_NZCVQG, xpsr | (vector & 1 ? XPSR_T : 0) | number);
    if (!(vector & 1))
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_INVSTATE, vector & ~1u);
    else if (vector >= EXC_RETURN_LEAST) /* such as an erased vector: a fetch from there, and no return, for
                                          * which the engine would take it */
        cpu_fault(cpu, EXC_MEMMANAGE, CFSR_IACCVIOL, vector & ~1u);
    else
        replay_note_entry(cpu, vector & ~1u);
}

void cpu_take_exception(struct cpu *cpu, unsigned number, uint32_t return_pc)
{
    enum stack_fault fault;
    cpu_close_monitor(cpu);
    struct exception_masks masks = cpu_masks(cpu);
    int interrupted_priority = exceptions_execution_priority(&cpu->exc, &masks);
    uint32_t exc_return = push_frame(cpu, return_pc, &fault);
    cpu->bus->clock.now += CYCLES_ENTRY;
    struct exception_note note = {.number = number, .return_pc = return_pc};
    signal_emit(&cpu->bus->signals, SIGNAL_EXCEPTION, (uint64_t)number << 32 | return_pc, &note);

    if (fault == STACK_OK) {
        start_handler(cpu, number, exc_return, return_pc);
        return;
    }
    /* A derived exception (B1.5.11): it escalates by the priority that the entry interrupted. */
    unsigned derived = fault == STACK_MPU ? EXC_MEMMANAGE : EXC_BUSFAULT;
    cpu->scb.cfsr |= fault == STACK_MPU ? CFSR_MSTKERR : CFSR_STKERR;
    if (!(cpu->exc.enabled & 1ull << derived) ||
        exceptions_group_priority(&cpu->exc, derived) >= interrupted_priority) {
        if (number == EXC_HARDFAULT || number == EXC_NMI) {
            lock_up(cpu, return_pc);
            return;
        }
        cpu->scb.hfsr |= HFSR_FORCED;
        derived = EXC_HARDFAULT;
    }
    /* Whichever has the higher priority goes first, and the other waits. */
    exceptions_pend(&cpu->exc, derived);
    unsigned first = exceptions_first_of(&cpu->exc, number, derived);
    if (first == derived)
        exceptions_pend(&cpu->exc, number);
    start_handler(cpu, first, exc_return, return_pc);
}

void cpu_hard_fault(struct cpu *cpu, uint32_t hfsr_bits, uint32_t return_pc)
{
    cpu->scb.hfsr |= hfsr_bits;
    struct exception_masks masks = cpu_masks(cpu);
    if (exceptions_execution_priority(&cpu->exc, &masks) <= -1) {
        lock_up(cpu, return_pc);
        return;
    }
    cpu_take_exception(cpu, EXC_HARDFAULT, return_pc);
}

void cpu_fault(struct cpu *cpu, unsigned number, uint32_t cfsr_bits, uint32_t return_pc)
{
    cpu->scb.cfsr |= cfsr_bits;
    struct exception_masks masks = cpu_masks(cpu);
    bool can_be_taken =
        (cpu->exc.enabled & 1ull << number) &&
        exceptions_group_priority(&cpu->exc, number) < exceptions_execution_priority(&cpu->exc, &masks);
    if (can_be_taken)
        cpu_take_exception(cpu, number, return_pc);
    else
        cpu_hard_fault(cpu, HFSR_FORCED, return_pc);
}

/*
 * Reads the frame on the stack that EXC_RETURN names and, if it is sound, leaves handler mode for the mode it
 * came from, stack pointer and CONTROL included. If not, SP of that stack is unchanged.
 */
static enum stack_fault pop_frame(struct cpu *cpu, uint32_t exc_return, uint32_t *frame, bool *sound)
{
    bool to_psp = (exc_return & 0xf) == 0xd;
    bool thread = (exc_return & 0xf) != 0x1;
    bool fp = !(exc_return & 0x10);
    uint32_t control = reg(cpu, UC_ARM_REG_CONTROL) & CONTROL_NPRIV;
    cpu_set_mode(cpu, 0, to_psp ? CONTROL_SPSEL : 0);
    uint32_t sp = reg(cpu, UC_ARM_REG_SP);
    enum stack_fault fault =
        stack_access(cpu, sp, frame, fp ? 26 : 8, ACCESS_READ, !(thread && control & CONTROL_NPRIV));
    unsigned nested = frame[7] & XPSR_EXCEPTION;
    *sound = fault == STACK_OK && thread == (nested == 0);
    if (!*sound)
        return fault;
    sp += fp ? 0x68 : 0x20;
    bool realign = (frame[7] & XPSR_ALIGN) && (fp || (cpu->scb.ccr & CCR_STKALIGN));
    set_reg(cpu, UC_ARM_REG_SP, realign ? sp | 4 : sp);
    if (to_psp)
        control |= CONTROL_SPSEL;
    cpu_set_mode(cpu, nested, control | (fp ? CONTROL_FPCA : 0));
    return STACK_OK;
}

static void restore_registers(struct cpu *cpu, const uint32_t *frame, bool fp)
{
    cpu_set_regs(cpu, stacked, frame, 6);
    if (fp) {
        for (unsigned i = 0; i < 16; i++)
            set_reg(cpu, UC_ARM_REG_S0 + (int)i, frame[8 + i]);
        set_reg(cpu, UC_ARM_REG_FPSCR, frame[24]);
    }
    set_reg(cpu, UC_ARM_REG_PC, frame[6] | 1u);
    set_reg(cpu, UC_ARM_REG_XPSR_NZCVQG, (frame[7] & 0xff0ffc00u) | cpu->exception);
}

/* The integrity checks of B1.5.8; true if EXC_RETURN may be used. */
static bool return_is_valid(const struct cpu *cpu, uint32_t exc_return, unsigned returning)
{
    if ((exc_return & 0x0fffffe0u) != 0x0fffffe0u || !(cpu->exc.active & 1ull << returning))
        return false;
    switch (exc_return & 0xf) {
    case 0x1:
        return true;
    case 0x9:
    case 0xd:
        return !(cpu->exc.active & (cpu->exc.active - 1)) || (cpu->scb.ccr & CCR_NONBASETHRDENA);
    default:
        return false;
    }
}

/* Ends the activation of the exception being returned from (B1.5.8, DeActivate). */
static void deactivate(struct cpu *cpu, unsigned returning)
{
    exceptions_deactivate(&cpu->exc, returning);
    if (returning != EXC_NMI)
        set_reg(cpu, UC_ARM_REG_FAULTMASK, 0);
}

/* A fault of the return itself is tail-chained onto the frame that is there, as a HardFault if it cannot be
 * taken as what it is. `link` is what its handler gets in LR. */
static void fault_in_return(struct cpu *cpu, unsigned number, uint32_t cfsr_bits, uint32_t link,
                            uint32_t exc_return)
{
    struct exception_masks masks = cpu_masks(cpu);
    int now = exceptions_execution_priority(&cpu->exc, &masks);
    cpu->scb.cfsr |= cfsr_bits;
    if (!(cpu->exc.enabled & 1ull << number) || exceptions_group_priority(&cpu->exc, number) >= now) {
        number = EXC_HARDFAULT;
        cpu->scb.hfsr |= HFSR_FORCED;
        if (now <= -1) {
            lock_up(cpu, exc_return);
            return;
        }
    }
    start_handler(cpu, number, link, exc_return);
}

/* Enters what would preempt the code returned to on the same frame; false if nothing would. */
static bool tail_chain(struct cpu *cpu, uint32_t exc_return)
{
    unsigned next = cpu_preempting(cpu);
    if (!next)
        return false;
    cpu->bus->clock.now += CYCLES_TAIL_CHAIN;
    struct exception_note note = {.number = next, .return_pc = exc_return};
    signal_emit(&cpu->bus->signals, SIGNAL_EXCEPTION, (uint64_t)next << 32 | exc_return, &note);
    start_handler(cpu, next, exc_return, exc_return);
    return true;
}

/* Goes on with the code that the frame, which has left the stack, tells of. */
static void resume(struct cpu *cpu, uint32_t exc_return, const uint32_t *frame)
{
    cpu_close_monitor(cpu);
    restore_registers(cpu, frame, !(exc_return & 0x10));
    cpu->event_register = true;
    if ((exc_return & 0xf) != 0x1 && cpu->scb.scr & SCR_SLEEPONEXIT) {
        cpu->sleeping = true;
        cpu->sleep_for_event = false;
        cpu->ports.sleeps(cpu->ports.context, true);
    }
    if (!(frame[7] & XPSR_T))
        cpu_fault(cpu, EXC_USAGEFAULT, CFSR_INVSTATE, frame[6] & ~1u);
}

void cpu_exception_return(struct cpu *cpu, uint32_t exc_return)
{
    unsigned returning = cpu->exception;
    bool valid = return_is_valid(cpu, exc_return, returning);
    deactivate(cpu, returning); /* it ends all the same */
    if (!valid) {
        fault_in_return(cpu, EXC_USAGEFAULT, CFSR_INVPC, exc_return | 0xf0000000u, exc_return);
        return;
    }
    if (tail_chain(cpu, exc_return))
        return;

    cpu->bus->clock.now += CYCLES_RETURN;
    uint32_t frame[26] = {0};
    bool sound = false;
    uint32_t handler_control = reg(cpu, UC_ARM_REG_CONTROL);
    enum stack_fault fault = pop_frame(cpu, exc_return, frame, &sound);
    if (sound) {
        resume(cpu, exc_return, frame);
        return;
    }
    /* The frame cannot be used; the stack is as it was. */
    cpu_set_mode(cpu, returning, handler_control & CONTROL_NPRIV);
    if (fault == STACK_MPU)
        fault_in_return(cpu, EXC_MEMMANAGE, CFSR_MUNSTKERR, exc_return, exc_return);
    else if (fault == STACK_BUS)
        fault_in_return(cpu, EXC_BUSFAULT, CFSR_UNSTKERR, exc_return, exc_return);
    else
        fault_in_return(cpu, EXC_USAGEFAULT, CFSR_INVPC, exc_return, exc_return);
}
