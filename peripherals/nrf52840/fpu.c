/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/fpu.h"

static const struct reg regs[] = {{"UNUSED", 0x000, REG_R, 0, 0, 0}};

void fpu_init(struct fpu *fpu, struct bus *bus)
{
    block_init(&fpu->block, bus, 0x40026000, 38);
    block_add_face(&fpu->block, &(struct face){
                                    .name = "FPU",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .plain = true,
                                    .self = fpu,
                                });
}
