/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/uicr.h"

#include <string.h>

static const struct reg regs[] = {
    {"UNUSED0", 0x000, REG_RW, 0, 5, 0},      {"NRFFW", 0x014, REG_RW, 0, 13, 0},
    {"RESERVED_048", 0x048, REG_RW, 0, 2, 0}, {"NRFHW", 0x050, REG_RW, 0, 12, 0},
    {"CUSTOMER", 0x080, REG_RW, 0, 32, 0},    {"PSELRESET", 0x200, REG_RW, 0, 2, 0},
    {"APPROTECT", 0x208, REG_RW, 0, 0, 0},    {"NFCPINS", 0x20c, REG_RW, 0, 0, 0},
    {"DEBUGCTRL", 0x210, REG_RW, 0, 0, 0},    {"REGOUT0", 0x304, REG_RW, 0, 0, 0},
};

static uint32_t read(void *self, uint32_t offset)
{
    const struct uicr *uicr = self;
    nor_about_to_read(uicr->nvmc->uicr, offset, 4);
    const uint8_t *at = uicr->nvmc->uicr->data + offset;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct uicr *uicr = self;
    nvmc_store(uicr->nvmc, NVMC_UICR_BASE + offset, 4, value);
}

void uicr_init(struct uicr *uicr, struct bus *bus, struct nvmc *nvmc)
{
    memset(uicr, 0, sizeof *uicr);
    uicr->nvmc = nvmc;
    block_init(&uicr->block, bus, NVMC_UICR_BASE, -1);
    block_add_face(&uicr->block, &(struct face){
                                     .name = "UICR",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .plain = true,
                                     .read = read,
                                     .write = write,
                                     .self = uicr,
                                 });
}
