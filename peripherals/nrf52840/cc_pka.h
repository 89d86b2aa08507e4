/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CC_PKA – the public key accelerator of the CryptoCell CC310.
 *
 * Source: Nordic's register description (MDK) and ARM's public drivers for the family: the runtime library,
 * which says what each operation does to its operands, and the driver of TrustedFirmware-M, which tells how
 * results are placed.
 * Modelled: 4 KiB of PKA SRAM, its window (addresses count 32-bit words), and all operations of OPCODE on the
 * registers that MEMORY_MAP places there:
 * - Words have 64 bits; additions, logic and shifts work on as many as PKA_L's bits take. The modular
 *   multiplier works on 8 bits more, since results that skip the final reduction may have them.
 * - A result is written to the place of T0, and then T0 and the result register swap their MEMORY_MAP
 *   entries; with DISCARD_R they do not. So what lay above the operand size in a result register is not
 *   kept.
 * - Constants are 5 bits, sign extended. A shift moves by one more than its constant.
 * - Division leaves the rest in operand A, modular inversion the greatest common divisor in operand B.
 * - ALU_CARRY of a subtraction is 1 when there was no borrow.
 * - One operation runs while one waits (PKA_PIPE); PKA_DONE and IRR bit 9 tell the end of the last.
 * An operation takes, for W words of L bits: addition, logic, shift, reduction 8 + W cycles; product 8 + W *
 * W; modular product 16 + 3 * W * W; modular power 1.5 * L modular products; quotient 16 + 32 * W + W * W;
 * inverse 16 + 4 * L * W. These are estimates: they put a P-256 scalar multiplication at some 10 ms. The
 * result is in place at once; software that looks before PKA_DONE sees it too early.
 * Not modelled: Np (results are right also when it is wrong), numbers left unreduced by ModMulN and ModMLACNR
 * (they come fully reduced), ALU_MODOVRFLW, the undocumented operation 0x1A (a finding says so).
 */
#ifndef SOSIM_NRF52840_CC_PKA_H
#define SOSIM_NRF52840_CC_PKA_H

#include "nrf52840/cc_host.h"

#define CC_PKA_SRAM_WORDS 1024u

struct cc_pka {
    struct cc_host *host;
    struct event done;
    uint64_t start_at; /* cycle at which the last operation written starts */
    uint64_t done_at;  /* and ends */
    uint32_t write_address;
    uint32_t read_address;
    uint32_t sram[CC_PKA_SRAM_WORDS];
};

/* Adds the face CC_PKA to the register file. */
void cc_pka_init(struct cc_pka *pka, struct cc_host *host);

#endif
