/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/cryptocell.h"

#define WRAPPER_BASE 0x5002a000u
#define ENGINES_BASE 0x5002b000u

enum {
    ENABLE = 0x500,
};

static const struct reg regs[] = {
    {"ENABLE", ENABLE, REG_RW, 0, 0, 0},
};

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct cryptocell *cryptocell = self;
    if (offset != ENABLE)
        return;
    block_set(&cryptocell->wrapper, ENABLE, value & 1);
    cc_host_enable(&cryptocell->host, value & 1);
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    cc_host_reset(&((struct cryptocell *)self)->host);
}

static void save(void *self, struct state *state)
{
    cc_host_save(&((struct cryptocell *)self)->host, state);
}

void cryptocell_init(struct cryptocell *cryptocell, struct bus *bus)
{
    block_init(&cryptocell->wrapper, bus, WRAPPER_BASE, -1);
    block_add_face(&cryptocell->wrapper, &(struct face){
                                             .name = "CRYPTOCELL",
                                             .regs = regs,
                                             .reg_count = sizeof regs / sizeof regs[0],
                                             .plain = true,
                                             .reset = reset,
                                             .write = write,
                                             .save = save,
                                             .self = cryptocell,
                                         });
    /* The host drives line 42 itself: the register file has no events and INTEN that the bus could watch. */
    block_init(&cryptocell->engines, bus, ENGINES_BASE, -1);
    cc_host_init(&cryptocell->host, &cryptocell->engines);
    cc_rng_init(&cryptocell->rng, &cryptocell->host);
    cc_aes_init(&cryptocell->aes, &cryptocell->host);
    cc_hash_init(&cryptocell->hash, &cryptocell->host);
    cc_chacha_init(&cryptocell->chacha, &cryptocell->host);
    cc_dma_init(&cryptocell->dma, &cryptocell->host, &cryptocell->aes, &cryptocell->hash,
                &cryptocell->chacha);
    cc_pka_init(&cryptocell->pka, &cryptocell->host);
}
