/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The private peripheral bus: System control block, NVIC registers, SysTick, MPU and FPU registers, DWT.
 * ARMv7-M Architecture Reference Manual B3.2 to B3.5, C1.8.
 */
#include "core/cpu.h"

#include <stdio.h>
#include <string.h>

#define SYSTICK_ENABLE    1u
#define SYSTICK_TICKINT   2u
#define SYSTICK_CLKSOURCE 4u
#define SYSTICK_COUNTFLAG (1u << 16)
#define DWT_CYCCNTENA     1u
#define DEMCR_TRCENA      (1u << 24)
#define AIRCR_KEY         0x05fau
#define SHCSR_ENABLES     0x00070000u

enum scs_offset {
    DWT_CTRL = 0xe0001000,
    DWT_CYCCNT = 0xe0001004,
    SCS_ICTR = 0xe000e004,
    SCS_ACTLR = 0xe000e008,
    SYST_CSR = 0xe000e010,
    SYST_RVR = 0xe000e014,
    SYST_CVR = 0xe000e018,
    SYST_CALIB = 0xe000e01c,
    NVIC_ISER = 0xe000e100,
    NVIC_ICER = 0xe000e180,
    NVIC_ISPR = 0xe000e200,
    NVIC_ICPR = 0xe000e280,
    NVIC_IABR = 0xe000e300,
    NVIC_IPR = 0xe000e400,
    SCB_CPUID = 0xe000ed00,
    SCB_ICSR = 0xe000ed04,
    SCB_VTOR = 0xe000ed08,
    SCB_AIRCR = 0xe000ed0c,
    SCB_SCR = 0xe000ed10,
    SCB_CCR = 0xe000ed14,
    SCB_SHPR1 = 0xe000ed18,
    SCB_SHPR3 = 0xe000ed20,
    SCB_SHCSR = 0xe000ed24,
    SCB_CFSR = 0xe000ed28,
    SCB_HFSR = 0xe000ed2c,
    SCB_MMFAR = 0xe000ed34,
    SCB_BFAR = 0xe000ed38,
    SCB_CPACR = 0xe000ed88,
    MPU_TYPE = 0xe000ed90,
    MPU_CTRL = 0xe000ed94,
    MPU_RNR = 0xe000ed98,
    MPU_RBAR = 0xe000ed9c,
    MPU_RASR_A3 = 0xe000edb8,
    SCB_DEMCR = 0xe000edfc,
    NVIC_STIR = 0xe000ef00,
    FPU_FPCCR = 0xe000ef34,
    FPU_FPCAR = 0xe000ef38,
    FPU_FPDSCR = 0xe000ef3c,
    FPU_MVFR0 = 0xe000ef40,
    FPU_MVFR1 = 0xe000ef44,
};

/* --- SysTick (B3.3) ---------------------------------------------------------------------------------------
 */

static uint32_t systick_value(struct cpu *cpu)
{
    struct systick *st = &cpu->systick;
    if (!(st->ctrl & SYSTICK_ENABLE))
        return st->value;
    uint64_t now = cpu->bus->clock.now;
    if (now < st->zero_at)
        return (uint32_t)(st->zero_at - now);
    uint64_t period = (uint64_t)st->load + 1;
    uint64_t past = (now - st->zero_at) % period;
    return past ? (uint32_t)(period - past) : 0;
}

static void systick_schedule(struct cpu *cpu, uint32_t value)
{
    struct systick *st = &cpu->systick;
    if (!(st->ctrl & SYSTICK_ENABLE) || (!st->load && !value)) {
        st->value = value;
        st->zero_at = cpu->bus->clock.now;
        event_cancel(&cpu->bus->clock, &st->wrap);
        return;
    }
    /* A count of 0 is reloaded at the next clock. */
    st->zero_at = cpu->bus->clock.now + (value ? value : (uint64_t)st->load + 1);
    event_at(&cpu->bus->clock, &st->wrap, st->zero_at);
}

static void systick_wrap(void *owner)
{
    struct cpu *cpu = owner;
    struct systick *st = &cpu->systick;
    st->ctrl |= SYSTICK_COUNTFLAG;
    if (st->ctrl & SYSTICK_TICKINT)
        exceptions_pend(&cpu->exc, EXC_SYSTICK);
    if (!st->load) {
        event_cancel(&cpu->bus->clock, &st->wrap);
        return;
    }
    st->zero_at += (uint64_t)st->load + 1;
    event_at(&cpu->bus->clock, &st->wrap, st->zero_at);
}

static void systick_write_ctrl(struct cpu *cpu, uint32_t value)
{
    uint32_t count = systick_value(cpu);
    /* There is no reference clock (SYST_CALIB.NOREF), so CLKSOURCE reads as one. */
    cpu->systick.ctrl = (value & 3u) | SYSTICK_CLKSOURCE | (cpu->systick.ctrl & SYSTICK_COUNTFLAG);
    systick_schedule(cpu, count);
}

/* --- DWT cycle counter (C1.8) -----------------------------------------------------------------------------
 */

static bool dwt_counting(const struct cpu *cpu)
{
    return (cpu->dwt.ctrl & DWT_CYCCNTENA) && (cpu->scb.demcr & DEMCR_TRCENA);
}

static uint32_t dwt_cyccnt(const struct cpu *cpu)
{
    return dwt_counting(cpu) ? (uint32_t)(cpu->bus->clock.now - cpu->dwt.base) : cpu->dwt.value;
}

/* Keeps the count over a change of what lets it run. */
static void dwt_configure(struct cpu *cpu, uint32_t ctrl, uint32_t demcr)
{
    cpu->dwt.value = dwt_cyccnt(cpu);
    cpu->dwt.ctrl = ctrl;
    cpu->scb.demcr = demcr;
    cpu->dwt.base = cpu->bus->clock.now - cpu->dwt.value;
}

/* --- NVIC and SCB -----------------------------------------------------------------------------------------
 */

static uint32_t read_icsr(const struct cpu *cpu)
{
    const struct exceptions *exc = &cpu->exc;
    uint32_t ipsr = cpu_reg(cpu, 16) & 0x1ff;
    uint32_t value = ipsr;
    if (!(exc->active & (exc->active - 1)))
        value |= 1u << 11; /* RETTOBASE: none but the present one is active */
    value |= exceptions_best_pending(exc) << 12;
    if (exc->pending >> EXC_IRQ0)
        value |= 1u << 22;
    if (exc->pending & 1ull << EXC_SYSTICK)
        value |= 1u << 26;
    if (exc->pending & 1ull << EXC_PENDSV)
        value |= 1u << 28;
    if (exc->pending & 1ull << EXC_NMI)
        value |= 1u << 31;
    return value;
}

static void write_icsr(struct cpu *cpu, uint32_t value)
{
    struct exceptions *exc = &cpu->exc;
    if (value & 1u << 25)
        exc->pending &= ~(1ull << EXC_SYSTICK);
    if (value & 1u << 27)
        exc->pending &= ~(1ull << EXC_PENDSV);
    if (value & 1u << 26)
        exceptions_pend(exc, EXC_SYSTICK);
    if (value & 1u << 28)
        exceptions_pend(exc, EXC_PENDSV);
    if (value & 1u << 31)
        exceptions_pend(exc, EXC_NMI);
}

static void write_aircr(struct cpu *cpu, uint32_t value)
{
    if (value >> 16 != AIRCR_KEY)
        return;
    cpu->exc.prigroup = value >> 8 & 7;
    if (value & 4) {
        cpu->reset_asked = true;
        cpu->reset_cause = RESET_SOFT;
    }
    if (value & 2) /* VECTCLRACTIVE */
        cpu->exc.active = 0;
    exceptions_update_active(&cpu->exc);
}

static const struct {
    uint8_t bit, number;
    bool active;
} shcsr_bits[] = {
    {0, EXC_MEMMANAGE, true},  {1, EXC_BUSFAULT, true},     {3, EXC_USAGEFAULT, true},
    {7, EXC_SVCALL, true},     {8, EXC_DEBUGMON, true},     {10, EXC_PENDSV, true},
    {11, EXC_SYSTICK, true},   {12, EXC_USAGEFAULT, false}, {13, EXC_MEMMANAGE, false},
    {14, EXC_BUSFAULT, false}, {15, EXC_SVCALL, false},
};

static uint32_t read_shcsr(const struct cpu *cpu)
{
    uint32_t value = cpu->scb.shcsr;
    for (size_t i = 0; i < sizeof shcsr_bits / sizeof shcsr_bits[0]; i++) {
        uint64_t set = shcsr_bits[i].active ? cpu->exc.active : cpu->exc.pending;
        if (set & 1ull << shcsr_bits[i].number)
            value |= 1u << shcsr_bits[i].bit;
    }
    return value;
}

static void write_shcsr(struct cpu *cpu, uint32_t value)
{
    static const uint8_t enables[] = {EXC_MEMMANAGE, EXC_BUSFAULT, EXC_USAGEFAULT};
    cpu->scb.shcsr = value & SHCSR_ENABLES;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t bit = 1ull << enables[i];
        cpu->exc.enabled = value & 0x10000u << i ? cpu->exc.enabled | bit : cpu->exc.enabled & ~bit;
    }
    for (size_t i = 0; i < sizeof shcsr_bits / sizeof shcsr_bits[0]; i++) {
        uint64_t *set = shcsr_bits[i].active ? &cpu->exc.active : &cpu->exc.pending;
        uint64_t bit = 1ull << shcsr_bits[i].number;
        *set = value & 1u << shcsr_bits[i].bit ? *set | bit : *set & ~bit;
    }
    exceptions_update_active(&cpu->exc);
}

/* ISER, ICER, ISPR, ICPR, IABR: `bank` of 32 lines. */
static uint64_t bank_bits(unsigned bank, uint32_t value)
{
    return bank < 2 ? (uint64_t)value << 32 * bank << EXC_IRQ0 & ~0xffffull : 0;
}

static uint32_t bank_read(uint64_t set, unsigned bank)
{
    return bank < 2 ? (uint32_t)(set >> EXC_IRQ0 >> 32 * bank) : 0;
}

static bool nvic_read(struct cpu *cpu, uint32_t address, uint32_t *value)
{
    unsigned bank = (address & 0x7f) / 4;
    switch (address & ~0x7fu) {
    case NVIC_ISER:
    case NVIC_ICER:
        *value = bank_read(cpu->exc.enabled, bank);
        return true;
    case NVIC_ISPR:
    case NVIC_ICPR:
        *value = bank_read(cpu->exc.pending, bank);
        return true;
    case NVIC_IABR:
        *value = bank_read(cpu->exc.active, bank);
        return true;
    default:
        return false;
    }
}

static bool nvic_write(struct cpu *cpu, uint32_t address, uint32_t value)
{
    uint64_t bits = bank_bits((address & 0x7f) / 4, value) & ((1ull << NVIC_LINES) - 1) << EXC_IRQ0;
    switch (address & ~0x7fu) {
    case NVIC_ISER:
        cpu->exc.enabled |= bits;
        return true;
    case NVIC_ICER:
        cpu->exc.enabled &= ~bits;
        return true;
    case NVIC_ISPR:
        cpu->exc.pending |= bits;
        return true;
    case NVIC_ICPR:
        /* A line that is still high pends again at once. */
        cpu->exc.pending = (cpu->exc.pending & ~bits) | (bits & cpu->exc.line & ~cpu->exc.active);
        return true;
    case NVIC_IABR:
        return true;
    default:
        return false;
    }
}

/* Priority bytes: the lines' at IPR, the system exceptions' at SHPR1..3 (numbers 4..15). */
static uint8_t *priority_byte(struct cpu *cpu, uint32_t address)
{
    if (address >= NVIC_IPR && address < NVIC_IPR + NVIC_LINES)
        return &cpu->exc.priority[EXC_IRQ0 + address - NVIC_IPR];
    if (address >= SCB_SHPR1 && address < SCB_SHPR3 + 4)
        return &cpu->exc.priority[4 + address - SCB_SHPR1];
    return NULL;
}

bool scs_is_mpu(uint32_t address)
{
    return address >= MPU_TYPE && address < MPU_RASR_A3 + 4;
}

static bool mpu_read(const struct cpu *cpu, uint32_t address, uint32_t *value)
{
    const struct mpu *mpu = &cpu->mpu;
    if (address == MPU_TYPE)
        *value = MPU_REGIONS << 8;
    else if (address == MPU_CTRL)
        *value = mpu->ctrl;
    else if (address == MPU_RNR)
        *value = mpu->rnr;
    else if (address >= MPU_RBAR && address <= MPU_RASR_A3)
        *value = (address - MPU_RBAR) & 4 ? mpu->rasr[mpu->rnr] : mpu->rbar[mpu->rnr] | mpu->rnr;
    else
        return false;
    return true;
}

static bool mpu_write(struct cpu *cpu, uint32_t address, uint32_t value)
{
    struct mpu *mpu = &cpu->mpu;
    if (address == MPU_TYPE)
        return true;
    if (address == MPU_CTRL) {
        mpu->ctrl = value & 7;
    } else if (address == MPU_RNR) {
        mpu->rnr = value & (MPU_REGIONS - 1);
    } else if (address >= MPU_RBAR && address <= MPU_RASR_A3) {
        if ((address - MPU_RBAR) & 4) {
            mpu->rasr[mpu->rnr] = value & 0x173fff3fu;
        } else {
            if (value & 0x10)
                mpu->rnr = value & (MPU_REGIONS - 1);
            mpu->rbar[mpu->rnr] = value & ~0x1fu;
        }
    } else {
        return false;
    }
    return true;
}

/* Registers that only exist as words; NULL if the address is none of them. */
static uint32_t *plain_register(struct cpu *cpu, uint32_t address)
{
    switch (address) {
    case SCS_ACTLR:
        return &cpu->scb.actlr;
    case SCB_VTOR:
        return &cpu->scb.vtor;
    case SCB_SCR:
        return &cpu->scb.scr;
    case SCB_CCR:
        return &cpu->scb.ccr;
    case SCB_CFSR:
        return &cpu->scb.cfsr;
    case SCB_HFSR:
        return &cpu->scb.hfsr;
    case SCB_MMFAR:
        return &cpu->scb.mmfar;
    case SCB_BFAR:
        return &cpu->scb.bfar;
    case SCB_CPACR:
        return &cpu->scb.cpacr;
    case FPU_FPCCR:
        return &cpu->scb.fpccr;
    case FPU_FPCAR:
        return &cpu->scb.fpcar;
    case FPU_FPDSCR:
        return &cpu->scb.fpdscr;
    default:
        return NULL;
    }
}

static uint32_t read_word(struct cpu *cpu, uint32_t address)
{
    uint32_t value;
    if (nvic_read(cpu, address, &value) || mpu_read(cpu, address, &value))
        return value;
    const uint32_t *plain = plain_register(cpu, address);
    if (plain)
        return *plain;
    switch (address) {
    case DWT_CTRL:
        return cpu->dwt.ctrl | 0x40000000u; /* 4 comparators */
    case DWT_CYCCNT:
        return dwt_cyccnt(cpu);
    case SCS_ICTR:
        return (NVIC_LINES - 1) / 32;
    case SYST_CSR:
        value = cpu->systick.ctrl;
        cpu->systick.ctrl &= ~SYSTICK_COUNTFLAG;
        return value;
    case SYST_RVR:
        return cpu->systick.load;
    case SYST_CVR:
        return systick_value(cpu);
    case SYST_CALIB:
        return 0xc0000000u; /* NOREF, SKEW */
    case SCB_CPUID:
        return 0x410fc241u; /* Cortex-M4 r0p1 */
    case SCB_ICSR:
        return read_icsr(cpu);
    case SCB_AIRCR:
        return 0xfa050000u | (uint32_t)cpu->exc.prigroup << 8;
    case SCB_SHCSR:
        return read_shcsr(cpu);
    case SCB_DEMCR:
        return cpu->scb.demcr;
    case FPU_MVFR0:
        return 0x10110021u;
    case FPU_MVFR1:
        return 0x11000011u;
    default:
        return cpu->ppb[address >> 2 & 0x3ff];
    }
}

static void write_plain(uint32_t address, uint32_t *plain, uint32_t value)
{
    switch (address) {
    case SCB_VTOR:
        *plain = value & 0xffffff80u;
        break;
    case SCB_SCR:
        *plain = value & 0x16u;
        break;
    case SCB_CCR:
        *plain = value & 0x31bu;
        break;
    case SCB_CFSR:
    case SCB_HFSR:
        *plain &= ~value; /* write one to clear */
        break;
    case FPU_FPCCR:
        *plain = value & 0xc0000000u;
        break;
    case FPU_FPCAR:
        *plain = value & ~7u;
        break;
    case FPU_FPDSCR:
        *plain = value & 0x07c00000u;
        break;
    case SCB_CPACR:
        *plain = value & 0x00f00000u; /* CP10 and CP11 are all there is */
        break;
    default:
        *plain = value;
    }
}

static void write_word(struct cpu *cpu, uint32_t address, uint32_t value)
{
    if (nvic_write(cpu, address, value) || mpu_write(cpu, address, value))
        return;
    uint32_t *plain = plain_register(cpu, address);
    if (plain) {
        write_plain(address, plain, value);
        return;
    }
    switch (address) {
    case DWT_CTRL:
        dwt_configure(cpu, value, cpu->scb.demcr);
        break;
    case DWT_CYCCNT:
        cpu->dwt.value = value;
        cpu->dwt.base = cpu->bus->clock.now - value;
        break;
    case SYST_CSR:
        systick_write_ctrl(cpu, value);
        break;
    case SYST_RVR:
        cpu->systick.load = value & 0xffffff;
        if (!event_pending(&cpu->systick.wrap)) /* it stood at 0 for want of a reload value, or is off */
            systick_schedule(cpu, cpu->systick.ctrl & SYSTICK_ENABLE ? 0 : cpu->systick.value);
        break;
    case SYST_CVR:
        cpu->systick.ctrl &= ~SYSTICK_COUNTFLAG;
        systick_schedule(cpu, 0);
        break;
    case SCB_ICSR:
        write_icsr(cpu, value);
        break;
    case SCB_AIRCR:
        write_aircr(cpu, value);
        break;
    case SCB_SHCSR:
        write_shcsr(cpu, value);
        break;
    case SCB_DEMCR:
        dwt_configure(cpu, cpu->dwt.ctrl, value);
        break;
    case NVIC_STIR:
        if ((value & 0x1ff) < NVIC_LINES)
            exceptions_pend(&cpu->exc, EXC_IRQ0 + (value & 0x1ff));
        break;
    default:
        cpu->ppb[address >> 2 & 0x3ff] = value;
    }
}

/* The whole of the PPB is privileged, but for STIR when CCR.USERSETMPEND lets it (B3.4.3). */
bool scs_allows(const struct cpu *cpu, uint32_t address)
{
    return cpu_privileged(cpu) || (address == NVIC_STIR && cpu->scb.ccr & CCR_USERSETMPEND);
}

uint32_t scs_read(struct cpu *cpu, uint32_t address, unsigned size)
{
    const uint8_t *priority = priority_byte(cpu, address & ~3u);
    uint32_t word = 0;
    if (priority) {
        memcpy(&word, priority + (address & 3), size);
        return word;
    }
    word = read_word(cpu, address & ~3u) >> 8 * (address & 3);
    return size == 4 ? word : word & ((1u << 8 * size) - 1);
}

void scs_write(struct cpu *cpu, uint32_t address, unsigned size, uint32_t value)
{
    trace_note(&cpu->bus->signals, (uint64_t)address << 32 | value);
    if (priority_byte(cpu, address & ~3u)) {
        for (unsigned i = 0; i < size; i++)
            *priority_byte(cpu, address + i) = (uint8_t)(value >> 8 * i & NVIC_PRIORITY_MASK);
        exceptions_update_active(&cpu->exc);
    } else if (size == 4) {
        write_word(cpu, address, value);
    } else {
        /* Byte and halfword writes are for the CFSR's parts; its other bytes must not be cleared by them. */
        uint32_t mask = ((1u << 8 * size) - 1) << 8 * (address & 3);
        uint32_t others = (address & ~3u) == SCB_CFSR ? 0 : read_word(cpu, address & ~3u) & ~mask;
        write_word(cpu, address & ~3u, others | (value << 8 * (address & 3) & mask));
    }
    clock_kick(&cpu->bus->clock);
}

void scs_init(struct cpu *cpu)
{
    event_init(&cpu->bus->clock, &cpu->systick.wrap, systick_wrap, cpu);
}

void scs_reset(struct cpu *cpu)
{
    struct scb *scb = &cpu->scb;
    uint32_t demcr = scb->demcr; /* the debug logic is reset by power-on alone */
    memset(scb, 0, sizeof *scb);
    scb->ccr = CCR_STKALIGN;
    scb->fpccr = 0xc0000000u;
    scb->demcr = demcr;
    cpu->systick.ctrl = SYSTICK_CLKSOURCE;
    cpu->systick.load = 0;
    cpu->systick.value = 0;
    event_cancel(&cpu->bus->clock, &cpu->systick.wrap);
    memset(&cpu->mpu, 0, sizeof cpu->mpu);
    memset(cpu->ppb, 0, sizeof cpu->ppb);
    exceptions_reset(&cpu->exc);
}

void scs_save(struct cpu *cpu, struct state *state)
{
    exceptions_save(&cpu->exc, state);
    state_var(state, cpu->scb);
    state_var(state, cpu->systick.ctrl);
    state_var(state, cpu->systick.load);
    state_var(state, cpu->systick.zero_at);
    state_var(state, cpu->systick.value);
    state_event(state, &cpu->bus->clock, &cpu->systick.wrap);
    state_var(state, cpu->dwt);
    state_var(state, cpu->mpu);
    state_var(state, cpu->ppb);
}
