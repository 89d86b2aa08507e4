/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random instructions: sequences are generated into RAM, run, and a hash of all registers, flags and the data
 * they worked on is noted. That the code lies in RAM and changes all the time is part of the test.
 *
 * r7 and r8 point into the data and r9 is a small index; they are never written. Encodings are those of the
 * ARMv7-M Architecture Reference Manual, A5 to A7, without what is UNPREDICTABLE, and without VCVT from fixed
 * point when FPSCR does not round to nearest, which the engine gets wrong (core/cpu.h).
 */
#include "harness.h"

#define SEQUENCES 2400
#define A_NOTE    8

uint16_t code[512] __attribute__((aligned(4)));
static uint32_t emitted;

struct machine_state {
    uint32_t r[13];
    uint32_t apsr, fpscr;
    uint32_t s[32];
    uint32_t data[128];
};

struct machine_state state;
static uint64_t seed = 0x9e3779b97f4a7c15ull;

static uint32_t any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

static uint32_t below(uint32_t n)
{
    return any() % n;
}

static void emit(uint32_t halfword)
{
    code[emitted++] = (uint16_t)halfword;
}

static void emit2(uint32_t first, uint32_t second)
{
    emit(first);
    emit(second);
}

static uint32_t low(void)
{
    return below(7);
}

static uint32_t reg(void)
{
    uint32_t n = below(10);
    return n < 7 ? n : n + 3; /* r0–r6, r10–r12 */
}

/* --- 16-bit encodings -------------------------------------------------------------------------------------
 */

static void narrow_data(void)
{
    switch (below(8)) {
    case 0:
        emit(below(3) << 11 | below(32) << 6 | low() << 3 | low());
        break;
    case 1:
        emit(0x1800 | below(2) << 9 | low() << 6 | low() << 3 | low());
        break;
    case 2:
        emit(0x1c00 | below(2) << 9 | below(8) << 6 | low() << 3 | low());
        break;
    case 3:
        emit(0x2000 | below(4) << 11 | low() << 8 | below(256));
        break;
    case 4:
    case 5:
        emit(0x4000 | below(16) << 6 | low() << 3 | low());
        break;
    case 6: { /* ADD, MOV of any registers */
        uint32_t d = reg();
        emit(0x4400 | below(2) << 9 | (d & 8) << 4 | reg() << 3 | (d & 7));
        break;
    }
    default:
        if (below(2))
            emit(0xb200 | below(4) << 6 | low() << 3 | low());
        else
            emit(0xba00 | (below(3) == 2 ? 3 : below(2)) << 6 | low() << 3 | low());
    }
}

static void narrow_memory(void)
{
    static const uint16_t forms[] = {0x6000, 0x6800, 0x7000, 0x7800, 0x8000, 0x8800};
    emit(forms[below(6)] | below(32) << 6 | 7 << 3 | low());
}

/* --- 32-bit data processing -------------------------------------------------------------------------------
 */

static void wide_data(void)
{
    static const uint8_t ops[] = {0, 1, 2, 3, 4, 8, 10, 11, 13, 14};
    uint32_t op = ops[below(10)], s = below(2);
    switch (below(4)) {
    case 0:
        emit2(0xf000 | below(2) << 10 | op << 5 | s << 4 | reg(),
              below(8) << 12 | reg() << 8 | (1 + below(255)));
        break;
    case 1:
        emit2(0xea00 | op << 5 | s << 4 | reg(), below(8) << 12 | reg() << 8 | below(16) << 4 | reg());
        break;
    case 2: { /* TST, TEQ, CMN, CMP */
        static const uint8_t tests[] = {0, 4, 8, 13};
        emit2(0xea10 | tests[below(4)] << 5 | reg(), below(8) << 12 | 0xf00 | below(16) << 4 | reg());
        break;
    }
    default: /* MOV, MVN */
        emit2(0xea4f | below(2) << 5 | s << 4, below(8) << 12 | reg() << 8 | below(16) << 4 | reg());
    }
}

static void plain_immediate(void)
{
    uint32_t lsb = below(32), width = below(32 - lsb);
    uint32_t split = (lsb & 0x1c) << 10 | (lsb & 3) << 6;
    switch (below(8)) {
    case 0: /* ADDW, SUBW */
        emit2(0xf200 | below(2) << 10 | (below(2) ? 0xa0 : 0) | reg(),
              below(8) << 12 | reg() << 8 | below(256));
        break;
    case 1: /* MOVW, MOVT */
        emit2(0xf240 | below(2) << 7 | below(2) << 10 | below(16), below(8) << 12 | reg() << 8 | below(256));
        break;
    case 2: /* SSAT */
        emit2(0xf300 | below(2) << 5 | reg(), (1 + below(7)) << 12 | reg() << 8 | below(4) << 6 | below(32));
        break;
    case 3: /* USAT */
        emit2(0xf380 | below(2) << 5 | reg(), (1 + below(7)) << 12 | reg() << 8 | below(4) << 6 | below(32));
        break;
    case 4: /* SSAT16, USAT16 */
        emit2(0xf320 | below(2) << 7 | reg(), reg() << 8 | below(16));
        break;
    case 5: /* SBFX, UBFX */
        emit2(0xf340 | below(2) << 7 | reg(), split | reg() << 8 | width);
        break;
    case 6: /* BFI */
        emit2(0xf360 | reg(), split | reg() << 8 | (lsb + width));
        break;
    default: /* BFC */
        emit2(0xf36f, split | reg() << 8 | (lsb + width));
    }
}

static void register_operations(void)
{
    static const uint8_t adds[] = {1, 2, 6, 5, 0, 4}, kinds[] = {0, 1, 2, 4, 5, 6};
    uint32_t m = reg();
    switch (below(7)) {
    case 0: /* shifts */
        emit2(0xfa00 | below(8) << 4 | reg(), 0xf000 | reg() << 8 | m);
        break;
    case 1: /* extend and add */
        emit2(0xfa00 | below(6) << 4 | (below(2) ? 15 : reg()), 0xf080 | reg() << 8 | below(4) << 4 | m);
        break;
    case 2: /* parallel add and subtract */
        emit2(0xfa80 | adds[below(6)] << 4 | reg(), 0xf000 | reg() << 8 | kinds[below(6)] << 4 | m);
        break;
    case 3: /* saturating add and subtract */
        emit2(0xfa80 | reg(), 0xf080 | reg() << 8 | below(4) << 4 | m);
        break;
    case 4: /* REV and the like, CLZ */
        if (below(2))
            emit2(0xfa90 | m, 0xf080 | reg() << 8 | below(4) << 4 | m);
        else
            emit2(0xfab0 | m, 0xf080 | reg() << 8 | m);
        break;
    case 5: /* SEL */
        emit2(0xfaa0 | reg(), 0xf080 | reg() << 8 | m);
        break;
    default: /* PKHBT, PKHTB */
        emit2(0xeac0 | reg(), below(8) << 12 | reg() << 8 | below(4) << 6 | below(2) << 5 | m);
    }
}

static void multiply(void)
{
    uint32_t op = below(8), lo = reg(), hi = reg();
    if (below(2)) {
        static const uint8_t variants[] = {2, 4, 2, 2, 2, 2, 2, 1};
        uint32_t accumulate = op == 6 || (op == 0 && below(2)) ? reg() : below(3) ? reg() : 15;
        uint32_t variant = below(variants[op]);
        if (op == 0 && variant == 1 && accumulate == 15)
            accumulate = reg(); /* MLS has no such form */
        emit2(0xfb00 | op << 4 | reg(), accumulate << 12 | reg() << 8 | variant << 4 | reg());
        return;
    }
    while (hi == lo)
        hi = reg();
    static const struct {
        uint8_t op1, op2, count;
    } longs[] = {{0, 0, 1}, {2, 0, 1}, {4, 0, 1}, {4, 8, 4}, {4, 12, 2}, {5, 12, 2}, {6, 0, 1}, {6, 6, 1}};
    if (op >= 6 && below(2)) { /* SDIV, UDIV */
        emit2(0xfb90 | below(2) << 5 | reg(), 0xf0f0 | reg() << 8 | reg());
        return;
    }
    emit2(0xfb80 | longs[op].op1 << 4 | reg(),
          lo << 12 | hi << 8 | (longs[op].op2 + below(longs[op].count)) << 4 | reg());
}

/* --- memory -----------------------------------------------------------------------------------------------
 */

static void wide_memory(void)
{
    static const uint16_t forms[] = {0xf880, 0xf890, 0xf8a0, 0xf8b0, 0xf8c0, 0xf8d0, 0xf990, 0xf9b0};
    uint32_t t = reg(), t2 = reg();
    switch (below(6)) {
    case 0: /* immediate, unaligned too */
    case 1:
        emit2(forms[below(8)] | 8, t << 12 | below(240));
        break;
    case 2: /* register offset */
        emit2((forms[below(8)] & 0xff7f) | 8, t << 12 | below(4) << 4 | 9);
        break;
    case 3: /* LDRD, STRD */
        while (t2 == t)
            t2 = reg();
        emit2(0xe9c0 | below(2) << 4 | 8, t << 12 | t2 << 8 | below(56));
        break;
    case 4: { /* LDM, STM without write-back */
        uint32_t list = 0;
        while (!(list & (list - 1)))
            list |= 1u << reg();
        emit2(below(2) ? 0xe880 | below(2) << 4 | 8 : 0xe900 | below(2) << 4 | 8, list);
        break;
    }
    default: /* LDREX and STREX */
        while (t2 == t)
            t2 = reg();
        if (below(2)) {
            emit2(0xe858, t << 12 | 0xf00 | 4);
            emit2(0xe848, t << 12 | t2 << 8 | below(3) * 2);
        } else {
            emit2(0xe8d8, t << 12 | 0xf4f);
            emit2(0xe8c8, t << 12 | 0xf40 | t2);
        }
    }
}

/* PUSH and POP again, into other registers. */
static void stack(void)
{
    uint32_t in = 1 + below(127), out = in;
    if (below(2))
        out = in << 1 & 0x7f ? in << 1 & 0x7f : in;
    if (__builtin_popcount(out) != __builtin_popcount(in))
        out = in;
    emit(0xb400 | in);
    emit(0xbc00 | out);
}

/* --- floating point ---------------------------------------------------------------------------------------
 */

static uint32_t fp_d(uint32_t s)
{
    return (s & 1) << 22 | s >> 1 << 12;
}

static uint32_t fp_n(uint32_t s)
{
    return (s & 1) << 7 | s >> 1 << 16;
}

static uint32_t fp_m(uint32_t s)
{
    return (s & 1) << 5 | s >> 1;
}

static void emit_fp(uint32_t op)
{
    emit2(op >> 16, op & 0xffff);
}

static void floating(void)
{
    static const uint32_t three[] = {0xee300a00, 0xee300a40, 0xee200a00, 0xee200a40, 0xee000a00,
                                     0xee000a40, 0xee100a00, 0xee100a40, 0xee800a00, 0xeea00a00,
                                     0xeea00a40, 0xee900a00, 0xee900a40};
    /* VMOV, VABS, VNEG, VSQRT, VCMP, VCMPE, VCVT to and from integers, VCVTR, VCVTB, VCVTT */
    static const uint32_t two[] = {0xeeb00a40, 0xeeb00ac0, 0xeeb10a40, 0xeeb10ac0, 0xeeb40a40, 0xeeb40ac0,
                                   0xeebd0ac0, 0xeebc0ac0, 0xeebd0a40, 0xeebc0a40, 0xeeb80ac0, 0xeeb80a40,
                                   0xeeb20a40, 0xeeb20ac0, 0xeeb30a40, 0xeeb30ac0};
    uint32_t d = below(32), m = below(32);
    switch (below(9)) {
    case 0:
    case 1:
    case 2:
        emit_fp(three[below(13)] | fp_d(d) | fp_n(below(32)) | fp_m(m));
        break;
    case 3:
    case 4:
        emit_fp(two[below(16)] | fp_d(d) | fp_m(m));
        break;
    case 5: /* VMOV of an immediate, VCMP with zero */
        if (below(2))
            emit_fp(0xeeb00a00 | fp_d(d) | below(16) << 16 | below(16));
        else
            emit_fp(0xeeb50a40 | below(2) << 7 | fp_d(d));
        break;
    case 6: /* VCVT with fixed point; VMOV between the register files; VMRS */
        if (below(3) == 0)
            emit_fp(0xeeba0a40 | (state.fpscr >> 22 & 3 ? 1 : below(2)) << 18 | below(2) << 16 |
                    below(2) << 7 | fp_d(d) | below(2) << 5 | below(8));
        else if (below(2))
            emit_fp(0xee000a10 | below(2) << 20 | fp_n(d) | reg() << 12);
        else
            emit_fp(0xeef1fa10);
        break;
    case 7: /* VLDR, VSTR */
        emit_fp(0xed880a00 | below(2) << 20 | fp_d(d) | below(48));
        break;
    default: /* VLDM, VSTM, VMOV of two */
        if (below(2))
            emit_fp(0xec880a00 | below(2) << 20 | fp_d(d & 15) | (1 + below(16)));
        else {
            uint32_t t = reg(), t2 = reg();
            while (t2 == t)
                t2 = reg();
            emit_fp(0xec400a10 | below(2) << 20 | t2 << 16 | t << 12 | fp_m(below(31)));
        }
    }
}

/* --- sequences --------------------------------------------------------------------------------------------
 */

static void one(void)
{
    switch (below(11)) {
    case 0:
    case 1:
        narrow_data();
        break;
    case 2:
        narrow_memory();
        break;
    case 3:
    case 4:
        wide_data();
        break;
    case 5:
        plain_immediate();
        break;
    case 6:
        register_operations();
        break;
    case 7:
        multiply();
        break;
    case 8:
        wide_memory();
        break;
    default:
        floating();
    }
}

/* An IT block of one to four instructions, each of one encoding. */
static void it_block(void)
{
    uint32_t count = 1 + below(4), condition = below(14), mask = 0;
    for (uint32_t i = 1; i < count; i++)
        mask |= ((condition & 1) ^ below(2)) << (4 - i);
    mask |= 1u << (4 - count);
    emit(0xbf00 | condition << 4 | mask);
    for (uint32_t i = 0; i < count; i++) {
        switch (below(6)) {
        case 0:
            narrow_data();
            break;
        case 1:
            narrow_memory();
            break;
        case 2:
            wide_data();
            break;
        case 3:
            plain_immediate();
            break;
        case 4:
            multiply();
            break;
        default:
            floating();
        }
    }
}

static void branch_forward(void)
{
    uint32_t at = emitted, kind = below(3);
    emit(0);
    if (kind == 2)
        emit(0);
    for (uint32_t i = 1 + below(3); i > 0; i--)
        one();
    uint32_t distance = emitted - at - 2;
    if (kind == 0)
        code[at] = (uint16_t)(0xd000 | below(14) << 8 | (distance & 0xff));
    else if (kind == 1)
        code[at] = (uint16_t)(0xb100 | below(2) << 11 | (distance & 31) << 3 | low());
    else {
        code[at] = (uint16_t)(0xf000 | below(14) << 6);
        code[at + 1] = (uint16_t)(0x8000 | (distance & 0x7ff));
    }
}

static void generate(void)
{
    emitted = 0;
    for (uint32_t n = 8 + below(24); n > 0; n--) {
        switch (below(12)) {
        case 0:
            it_block();
            break;
        case 1:
            branch_forward();
            break;
        case 2:
            stack();
            break;
        default:
            one();
        }
    }
    emit(0x4770); /* BX LR */
    barrier();
}

static uint32_t interesting(void)
{
    static const uint32_t values[] = {0,          1,          2,          0x7f,       0x80,       0xff,
                                      0x7fff,     0x8000,     0xffff,     0x7fffffff, 0x80000000, 0xffffffff,
                                      0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
                                      0x00000001, 0x00800000, 0x4f000000, 0xcf000000, 0x33800000, 0x477fe000};
    switch (below(4)) {
    case 0:
        return values[below(24)];
    case 1: /* a float of moderate size */
        return below(2) << 31 | (110 + below(40)) << 23 | (any() & 0x7fffff);
    default:
        return any();
    }
}

static void randomise(void)
{
    for (int i = 0; i < 13; i++)
        state.r[i] = interesting();
    for (int i = 0; i < 32; i++)
        state.s[i] = interesting();
    for (int i = 0; i < 128; i++)
        state.data[i] = interesting();
    state.r[7] = (uint32_t)&state.data[64];
    state.r[8] = (uint32_t)&state.data[32];
    state.r[9] = below(16);
    state.apsr = any() & 0xf80f0000;
    state.fpscr = any() & 0xf7c0009f;
}

/* Loads the registers from `state`, runs `code`, and stores them back. */
static void __attribute__((naked, noinline)) execute(void)
{
    __asm volatile("push {r4-r11, lr}\n sub sp, #4\n"
                   "ldr r0, =state\n add r1, r0, #60\n vldmia r1, {s0-s31}\n"
                   "ldr r1, [r0, #56]\n vmsr fpscr, r1\n ldr r1, [r0, #52]\n msr apsr_nzcvqg, r1\n"
                   "ldr lr, =code + 1\n push {lr}\n ldr lr, =1f + 1\n"
                   "ldmia r0, {r0-r12}\n pop {pc}\n"
                   ".balign 4\n 1: push {r0}\n ldr r0, =state + 4\n stmia r0, {r1-r12}\n mrs r1, apsr\n"
                   "str r1, [r0, #48]\n vmrs r1, fpscr\n str r1, [r0, #52]\n add r1, r0, #56\n"
                   "vstmia r1, {s0-s31}\n pop {r1}\n str r1, [r0, #-4]\n"
                   "add sp, #4\n pop {r4-r11, pc}\n .ltorg");
}

void run(void)
{
    CPACR |= 0xf << 20;
    barrier();
    uint32_t hash = 0x811c9dc5;
    for (uint32_t n = 1; n <= SEQUENCES; n++) {
        randomise();
        generate();
        execute();
        const uint32_t *words = (const uint32_t *)&state;
        for (uint32_t i = 0; i < sizeof state / 4; i++)
            hash = (hash ^ words[i]) * 0x01000193;
        if (n % A_NOTE == 0) {
            note("sequences", hash);
            hash = 0x811c9dc5;
        }
    }
}
