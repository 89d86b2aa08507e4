/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small programs of Thumb code, written one halfword after the other: loops of random instructions, and
 * handlers of interrupts. */
#ifndef SOSIM_TESTS_PROGRAMS_H
#define SOSIM_TESTS_PROGRAMS_H

#include "core/bus.h"

#include <string.h>

#define SCRATCH 0x20001000u

struct program {
    uint16_t code[2048];
    unsigned size;    /* halfwords */
    uint32_t systick; /* cycles from one of its interrupts to the next */
    uint64_t random;
};

static inline uint32_t pick(struct program *p, uint32_t below)
{
    return random_next(&p->random) % below;
}

static inline void put(struct program *p, uint32_t halfword)
{
    p->code[p->size++] = (uint16_t)halfword;
}

static inline void put2(struct program *p, uint32_t word)
{
    put(p, word >> 16);
    put(p, word & 0xffff);
}

static inline void put_constant(struct program *p, unsigned reg, uint32_t value)
{
    const uint32_t half[] = {value & 0xffff, value >> 16};
    for (unsigned i = 0; i < 2; i++)
        put2(p, (i ? 0xf2c00000u : 0xf2400000u) | (half[i] >> 12) << 16 | (half[i] >> 11 & 1) << 26 |
                    (half[i] >> 8 & 7) << 12 | reg << 8 | (half[i] & 0xff));
}

static inline unsigned low(struct program *p)
{
    return pick(p, 8);
}

static inline void put_narrow(struct program *p)
{
    static const uint16_t data[] = {0x4000, 0x4040, 0x4080, 0x40c0, 0x4100, 0x4140, 0x4180, 0x41c0, 0x4200,
                                    0x4240, 0x4280, 0x42c0, 0x4300, 0x4340, 0x4380, 0x43c0, 0xb200, 0xb240,
                                    0xb280, 0xb2c0, 0xba00, 0xba40, 0xbac0, 0x4600, 0x4400, 0x4500};
    switch (pick(p, 4)) {
    case 0: /* shifts, and additions and subtractions of three registers or by a small number */
        put(p, pick(p, 0x2000));
        break;
    case 1: /* with eight bits */
        put(p, 0x2000 + pick(p, 0x2000));
        break;
    default:
        put(p, data[pick(p, sizeof data / sizeof data[0])] | low(p) << 3 | low(p));
    }
}

static inline void put_wide(struct program *p)
{
    static const uint8_t operations[] = {0, 1, 2, 3, 4, 8, 10, 11, 13, 14};
    static const uint32_t others[] = {0xfa00f000, 0xfa20f000, 0xfa40f000, 0xfa60f000, 0xfa10f000, 0xfa30f000,
                                      0xfa50f000, 0xfa70f000, 0xfb00f000, 0xfa0ff080, 0xfa1ff080, 0xfa4ff080,
                                      0xfa5ff080, 0xfa00f080, 0xfa50f080, 0xfb90f0f0, 0xfbb0f0f0, 0xfb10f000,
                                      0xfb10f010, 0xfb10f020, 0xfb10f030};
    unsigned operation = operations[pick(p, sizeof operations)];
    uint32_t n = low(p), d = low(p), m = low(p), s = pick(p, 2);
    switch (pick(p, 6)) {
    case 0: /* shifted register */
        put2(p, 0xea000000u | operation << 21 | s << 20 | n << 16 | pick(p, 8) << 12 | d << 8 |
                    pick(p, 16) << 4 | m);
        break;
    case 1: /* modified immediate */
        put2(p, 0xf0000000u | pick(p, 2) << 26 | operation << 21 | s << 20 | n << 16 | pick(p, 8) << 12 |
                    d << 8 | pick(p, 256));
        break;
    case 2: /* UBFX, SBFX, BFI */
        put2(p, (pick(p, 2) ? 0xf3c00000u : 0xf3400000u) | n << 16 | pick(p, 4) << 12 | d << 8 |
                    pick(p, 4) << 6 | pick(p, 16));
        put2(p, 0xf3600000u | n << 16 | pick(p, 4) << 12 | d << 8 | pick(p, 4) << 6 | (16 + pick(p, 16)));
        break;
    case 3: /* CLZ, RBIT, MLA, MLS */
        put2(p, 0xfab0f080u | m << 16 | d << 8 | m);
        put2(p, 0xfa90f0a0u | n << 16 | d << 8 | n);
        put2(p, 0xfb000000u | n << 16 | low(p) << 12 | d << 8 | pick(p, 2) << 4 | m);
        break;
    case 4: /* SMULL, UMULL, SMLAL, UMLAL to two different registers */
        put2(p, 0xfb800000u | pick(p, 4) << 21 | n << 16 | d << 12 | ((d + 1) & 7) << 8 | m);
        break;
    default:
        put2(p, others[pick(p, sizeof others / sizeof others[0])] | n << 16 | d << 8 | m);
    }
}

/* r8 points to RAM, r10 to the DWT, r11 to TIMER0. */
static inline void put_access(struct program *p)
{
    static const uint32_t wide[] = {0xf8c80000, 0xf8d80000, 0xf8880000, 0xf8980000,
                                    0xf8a80000, 0xf8b80000, 0xf9980000, 0xf9b80000};
    switch (pick(p, 5)) {
    case 0: /* the cycle counter */
        put2(p, 0xf8da0004u | low(p) << 12);
        break;
    case 1: /* TIMER0 is captured and read */
        put2(p, 0xf8cb0040u | 9u << 12);
        put2(p, 0xf8db0540u | low(p) << 12);
        break;
    case 2: /* PUSH and POP */
        put(p, 0xb400 | (1 + pick(p, 255)));
        put(p, 0xbc00 | (p->code[p->size - 1] & 0xff));
        break;
    case 3: /* LDRD, STRD */
        put2(p, (pick(p, 2) ? 0xe9c80000u : 0xe9d80000u) | 2u << 12 | 3u << 8 | pick(p, 8));
        break;
    default: /* one in eight anywhere, the others where words begin */
        put2(p, wide[pick(p, sizeof wide / sizeof wide[0])] | low(p) << 12 |
                    (pick(p, 8) ? pick(p, 8) * 4 : pick(p, 29)));
    }
}

/* IT, and one or two instructions that set no flags in it. */
static inline void put_conditional(struct program *p)
{
    unsigned condition = pick(p, 14);
    bool two = pick(p, 2);
    put(p, 0xbf00 | condition << 4 | (two ? (condition & 1) << 3 | 4 : 8));
    for (unsigned i = 0; i < 1u + two; i++) {
        if (pick(p, 3))
            put(p, (pick(p, 2) ? 0x1800 : 0x3000) | low(p) << 8 | pick(p, 64));
        else
            put2(p, (pick(p, 2) ? 0xf8c80000u : 0xf8d80000u) | low(p) << 12 | pick(p, 8) * 4);
    }
}

/* What is rarer in loops. */
static inline void put_rare(struct program *p)
{
    uint32_t d = low(p), next = (d + 1) & 7, word = pick(p, 8);
    switch (pick(p, 8)) {
    case 0: /* LDREX, ADDS, STREX */
        put2(p, 0xe8580f00u | d << 12 | word);
        put(p, 0x3001 | d << 8);
        put2(p, 0xe8480000u | d << 12 | next << 8 | word);
        break;
    case 1: /* LDREXH, STREXH */
        put2(p, 0xe8d80f5fu | d << 12);
        put2(p, 0xe8c80f50u | d << 12 | next);
        break;
    case 2: /* AND d, next, #3; TBB [PC, d] over none, one or two NOPs */
        put2(p, 0xf0000003u | next << 16 | d << 8);
        put2(p, 0xe8dff000u | d);
        put(p, 0x0302);
        put(p, 0x0402);
        put(p, 0xbf00);
        put(p, 0xbf00);
        break;
    case 3: /* BASEPRI is set and read, and cleared again */
        put2(p, 0xf04f0040u | d << 8);
        put2(p, 0xf3808811u | d << 16);
        put2(p, 0xf3ef8011u | next << 8);
        put_access(p);
        put2(p, 0xf04f0000u | d << 8);
        put2(p, 0xf3808811u | d << 16);
        break;
    case 4: /* LDM, STM without write-back */
        put2(p, (pick(p, 2) ? 0xe8980000u : 0xe8880000u) | (1 + pick(p, 255)));
        break;
    case 5: /* LDR from the code before */
        put2(p, 0xf85f0000u | d << 12 | 4 * word);
        break;
    case 6: /* MRS of IPSR */
        put2(p, 0xf3ef8005u | d << 8);
        break;
    default: /* PendSV is made pending */
        put2(p, 0xf04f5080u | d << 8);
        put2(p, 0xf8cc0cf4u | d << 12);
    }
}

static inline void put_something(struct program *p)
{
    switch (pick(p, 9)) {
    case 0:
    case 1:
    case 2:
        put_narrow(p);
        break;
    case 3:
    case 4:
        put_wide(p);
        break;
    case 5:
        put_conditional(p);
        break;
    case 6:
        put_access(p);
        break;
    case 7:
        if (pick(p, 3))
            put_narrow(p);
        else
            put_rare(p);
        break;
    default: /* CPSID, a register that takes its time, CPSIE */
        put(p, 0xb672);
        put_access(p);
        put(p, 0xb662);
    }
}

/* One of the flow: a branch over the next few instructions. */
static inline void put_block(struct program *p)
{
    unsigned length = 1 + pick(p, 4), at = p->size;
    unsigned how = pick(p, 3);
    put(p, 0);
    for (unsigned i = 0; i < length; i++)
        put_something(p);
    unsigned distance = p->size - at - 2;
    p->code[at] = (uint16_t)(how ? 0xd000 | pick(p, 14) << 8 | distance
                                 : 0xb100 | pick(p, 2) << 11 | (distance & 0x1f) << 3 | low(p));
}

/* SysTick, with interrupt, every so many cycles; r12 points to it, r0 is overwritten. */
static inline void put_systick(struct program *p, uint32_t cycles)
{
    put_constant(p, 12, 0xe000e010u);
    put_constant(p, 0, cycles - 1);
    put2(p, 0xf8cc0004u);
    put(p, 0x2007);
    put2(p, 0xf8cc0000u);
}

/* So many blocks of the instruction and a branch to the next one. */
static inline void put_steps(struct program *p, unsigned count, uint32_t halfword)
{
    for (unsigned i = 0; i < count; i++) {
        put(p, halfword);
        put(p, 0xe7ff);
    }
}

/* A branch back to where the program was `top` halfwords long. */
static inline void put_back(struct program *p, unsigned top)
{
    put(p, 0xe000 | ((top - p->size - 2) & 0x7ff));
}

/* What it computes is to be the same from round to round, mostly: some registers begin each round alike.
 * SysTick interrupts it every `period` cycles, or a little more. */
static inline void make_program(struct program *p, uint64_t seed, uint32_t period)
{
    memset(p, 0, sizeof *p);
    p->random = seed;
    put_constant(p, 8, SCRATCH);
    put_constant(p, 9, 1);
    put_constant(p, 10, 0xe0001000u);
    put_constant(p, 11, 0x40008000u);
    p->systick = period + pick(p, period / 16) + 1;
    put_systick(p, p->systick);
    unsigned head = p->size, kept = pick(p, 256);
    for (unsigned i = 0; i < 8; i++) {
        if (!(kept & 1u << i))
            put_constant(p, i, random_next(&p->random) >> pick(p, 32));
    }
    for (unsigned i = 4 + pick(p, 20); i-- > 0;)
        put_block(p);
    /* There are two ways back, which a cycle may tell apart: B<c>.W and B.W, in halfwords. */
    uint32_t back = head - p->size - 2;
    put2(p, 0xf400a800u | pick(p, 14) << 22 | (back >> 11 & 0x3f) << 16 | (back & 0x7ff));
    put_block(p);
    back = head - p->size - 2;
    put2(p, 0xf400b800u | (back >> 11 & 0x3ff) << 16 | (back & 0x7ff));
}

#define TIMER1 0x40009000u

/* A handler works on the same RAM, and finds its pointers in the registers that it interrupts. */
static inline void make_handler(struct program *p, uint64_t seed, bool of_timer)
{
    memset(p, 0, sizeof *p);
    p->random = ~seed;
    put(p, 0xb5f0); /* PUSH {r4-r7, lr} */
    if (of_timer) {
        put_constant(p, 4, TIMER1 + 0x140); /* EVENTS_COMPARE[0] */
        put_constant(p, 5, 0);
        put(p, 0x6025); /* STR r5, [r4] */
    }
    for (unsigned i = 1 + pick(p, 6); i-- > 0;)
        put_block(p);
    if (pick(p, 2)) {
        put(p, 0xbdf0); /* POP {r4-r7, pc} */
    } else {
        put2(p, 0xe8bd40f0u); /* POP {r4-r7, lr}; BX lr */
        put(p, 0x4770);
    }
}

#endif
