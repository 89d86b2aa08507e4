/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CC_HOST_RGF and CC_MISC – the side of the CryptoCell CC310 that the host sees first: its interrupts, its
 * always-on secrets and its clock switches.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'CRYPTOCELL', and Nordic's register description (MDK).
 * Modelled: IRR, IMR and ICR drive interrupt line 42 while the subsystem is enabled (IRR & ~IMR); the
 * write-once words of the always-on domain (K_PRTL lock, K_DR, life-cycle state), which keep their value when
 * the subsystem is disabled and lose it at a reset of the chip; CLK_STATUS follows the clock switches.
 * Not modelled: an engine whose clock is off works all the same; ENDIANNESS is storage; the value of the
 * hard-wired key K_PRTL is not public: it reads as zeros.
 */
#ifndef SOSIM_NRF52840_CC_HOST_H
#define SOSIM_NRF52840_CC_HOST_H

#include "core/bus.h"

#define CC_KEY_SIZE 16u

/* Bits of IRR, IMR and ICR. */
enum cc_interrupt {
    CC_SRAM_TO_DIN = 4,
    CC_DOUT_TO_SRAM = 5,
    CC_MEM_TO_DIN = 6,
    CC_DOUT_TO_MEM = 7,
    CC_AHB_ERROR = 8,
    CC_PKA_DONE = 9,
    CC_RNG_READY = 10,
};

struct cc_host {
    struct block *block; /* the register file that all engines share */
    bool enabled;
    bool streaming; /* data is on its way through an engine: the BUSY registers say so */
    bool retained;  /* K_DR has been written whole */
    uint8_t kdr_words;
    uint32_t kdr[4];
    uint32_t kprtl_lock;
    uint32_t lcs;
};

/* Adds the faces CC_HOST_RGF and CC_MISC to the register file. */
void cc_host_init(struct cc_host *host, struct block *block);

/* CRYPTOCELL.ENABLE was written; at a change every register but the always-on ones takes its reset value. */
void cc_host_enable(struct cc_host *host, bool enabled);

/* A reset of the chip: the subsystem is disabled and the always-on words are lost. */
void cc_host_reset(struct cc_host *host);

/* Latches an interrupt request. */
void cc_host_interrupt(struct cc_host *host, enum cc_interrupt interrupt);

/* Copies the key that HOST_CRYPTOKEY_SEL selects: CC_KEY_SIZE bytes. */
void cc_host_key(const struct cc_host *host, uint8_t *key);

/* `active` of the engines' faces: a disabled CryptoCell answers to nothing. Each engine's struct begins with
 * its `struct cc_host *host`. */
bool cc_engine_active(void *engine);

/* Saves or restores what the registers do not hold. */
void cc_host_save(struct cc_host *host, struct state *state);

/* Registers that hold bytes hold the first one in bits 7..0. */
void cc_get_bytes(const struct block *block, uint32_t offset, uint8_t *bytes, unsigned count);
void cc_set_bytes(struct block *block, uint32_t offset, const uint8_t *bytes, unsigned count);

#endif
