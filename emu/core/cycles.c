/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/cycles.h"

#include "core/thumb.h"

struct cost {
    unsigned cycles;
    unsigned flags;
};

static unsigned ones(uint32_t mask)
{
    return (unsigned)__builtin_popcount(mask);
}

/* 16-bit encodings (A5.2). */
static struct cost narrow_cost(uint16_t op)
{
    if ((op & 0xf800) == 0x4800) /* LDR literal */
        return (struct cost){2, 0};
    if ((op & 0xf000) == 0x5000) /* register offset: STR STRH STRB LDRSB, then loads */
        return (struct cost){(op & 0x0e00) < 0x0600 ? 1 : 2, BLOCK_MEMORY};
    if (op >= 0x6000 && op < 0x9000) /* immediate offset: bit 11 is the load */
        return (struct cost){op & 0x0800 ? 2 : 1, BLOCK_MEMORY};
    if ((op & 0xf000) == 0x9000) /* SP relative */
        return (struct cost){op & 0x0800 ? 2 : 1, 0};
    if ((op & 0xfe00) == 0xb400 || (op & 0xfe00) == 0xbc00) /* PUSH, POP */
        return (struct cost){1 + ones(op & 0x1ff) + ((op & 0xff00) == 0xbd00), 0};
    if ((op & 0xff00) == 0x4700) /* BX, BLX */
        return (struct cost){2, 0};
    if ((op & 0xf000) == 0xc000) /* STM, LDM */
        return (struct cost){1 + ones(op & 0xff), BLOCK_MEMORY | BLOCK_MULTIPLE};
    if ((op & 0xffe8) == 0xb660) /* CPS */
        return (struct cost){1, BLOCK_UNMASKS};
    if (op == 0xbf40)
        return (struct cost){1, BLOCK_SEV};
    return (struct cost){1, 0};
}

/* Floating-point data processing, 0xEExx with coprocessor 10 or 11 (A6.4, A6.5). */
static struct cost fp_data_cost(uint32_t op)
{
    unsigned opc1 = op >> 20 & 0xb, opc3 = op >> 6 & 3;
    if (!(op & 0x10)) {
        if (opc1 == 0x0 || opc1 == 0x1 || opc1 == 0x9 || opc1 == 0xa)
            return (struct cost){3, BLOCK_FP}; /* VMLA, VMLS, VNMLA, VFMA … */
        if (opc1 == 0x8)
            return (struct cost){14, BLOCK_FP}; /* VDIV */
        if (opc1 == 0xb && (op >> 16 & 0xf) == 1 && opc3 == 3)
            return (struct cost){14, BLOCK_FP}; /* VSQRT */
    }
    return (struct cost){1, BLOCK_FP};
}

/* Coprocessor space: loads, stores and moves of the FPU. */
static struct cost fp_cost(uint32_t op)
{
    if ((op & 0xfe000000u) == 0xec000000u) {
        bool multiple = !(op >> 24 & 1) || (op >> 21 & 1); /* P=0 or W=1: VLDM, VSTM, VPUSH, VPOP */
        if ((op & 0x0fe00000u) == 0x0c400000u)
            return (struct cost){2, BLOCK_FP}; /* VMOV of two registers */
        unsigned words = op & 0xff;
        return (struct cost){multiple ? 1 + words : 2, BLOCK_FP | BLOCK_MEMORY | BLOCK_MULTIPLE};
    }
    return fp_data_cost(op);
}

static struct cost wide_data_cost(uint32_t op)
{
    if ((op & 0xff800000u) == 0xfb000000u) /* multiply: with accumulate unless Ra is 15 */
        return (struct cost){(op >> 12 & 0xf) == 0xf ? 1 : 2, 0};
    if ((op & 0xffd000f0u) == 0xfb9000f0u) /* SDIV, UDIV */
        return (struct cost){7, BLOCK_DIVIDES};
    return (struct cost){1, 0};
}

/* 32-bit encodings (A5.3). */
static struct cost wide_cost(uint32_t op)
{
    if ((op & 0xec000000u) == 0xec000000u && (op >> 8 & 0xe) == 0xa)
        return fp_cost(op);
    if ((op & 0xfe400000u) == 0xe8000000u) { /* LDM, STM, PUSH.W, POP.W */
        bool stack = (op >> 16 & 0xf) == 13;
        return (struct cost){1 + ones(op & 0xffff), stack ? 0 : BLOCK_MEMORY | BLOCK_MULTIPLE};
    }
    if ((op & 0xfe400000u) == 0xe8400000u) {
        if ((op & 0xfff000e0u) == 0xe8d00000u) /* TBB, TBH */
            return (struct cost){2, BLOCK_MEMORY};
        bool dual = (op >> 24 & 1) || (op >> 21 & 1);
        if (!dual || (op & 0xffe000c0u) == 0xe8c00040u) /* exclusives; of bytes and halfwords */
            return (struct cost){dual ? 3 : 2,
                                 BLOCK_MEMORY | BLOCK_MULTIPLE | (op >> 20 & 1 ? BLOCK_LDREX : BLOCK_STREX)};
        return (struct cost){3, BLOCK_MEMORY | BLOCK_MULTIPLE}; /* LDRD, STRD */
    }
    if ((op & 0xfe000000u) == 0xf8000000u) /* single loads and stores: bit 20 is the load */
        return (struct cost){op >> 20 & 1 ? 2 : 1, BLOCK_MEMORY};
    if ((op & 0xff000000u) == 0xfa000000u || (op & 0xff000000u) == 0xfb000000u)
        return wide_data_cost(op);
    if ((op & 0xfff0d000u) == 0xf3808000u) /* MSR */
        return (struct cost){2, BLOCK_UNMASKS};
    if ((op & 0xfff0d000u) == 0xf3e08000u) /* MRS */
        return (struct cost){2, 0};
    if ((op & 0xfff0d0f0u) == 0xf3b08020u) /* CLREX */
        return (struct cost){1, BLOCK_STREX};
    if ((op & 0xfff0d0ffu) == 0xf3a08004u)
        return (struct cost){1, BLOCK_SEV};
    return (struct cost){1, 0};
}

void block_measure(struct block_info *info, const uint8_t *code, uint32_t size)
{
    unsigned cycles = 0, flags = 0;
    for (uint32_t at = 0; at + 2 <= size;) {
        uint16_t first = (uint16_t)(code[at] | code[at + 1] << 8);
        struct cost cost;
        if (thumb_size(first) == 2 || at + 4 > size) {
            cost = narrow_cost(first);
            at += 2;
        } else {
            cost = wide_cost((uint32_t)first << 16 | (uint32_t)(code[at + 2] | code[at + 3] << 8));
            at += 4;
        }
        cycles += cost.cycles;
        if (cost.flags & (BLOCK_LDREX | BLOCK_STREX)) /* the last one decides */
            flags &= ~(unsigned)(BLOCK_LDREX | BLOCK_STREX);
        flags |= cost.flags;
    }
    info->cycles = (uint16_t)(cycles > UINT16_MAX ? UINT16_MAX : cycles);
    info->fetch = (uint16_t)(((info->address & 15) + size - 1) / 16);
    info->flags = (uint16_t)flags;
}
