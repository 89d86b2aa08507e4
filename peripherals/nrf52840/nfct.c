/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/nfct.h"

/* Not in the datasheet: the anomaly list gives only the value to write. */
static const struct reg regs[] = {{"ERRATA_68C", 0x68c, REG_RW, 0, 0, 0}};

void nfct_init(struct nfct *nfct, struct bus *bus)
{
    block_init(&nfct->block, bus, 0x40005000u, 5);
    block_add_face(&nfct->block, &(struct face){
                                     .name = "NFCT",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .self = nfct,
                                 });
}
