/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/rom_table.h"

#include <string.h>

static const struct reg regs[] = {
    {"MEMTYPE", 0xfcc, REG_R, 1, 0, 0},  {"PIDR4", 0xfd0, REG_R, 0x02, 0, 0},
    {"PIDR5", 0xfd4, REG_R, 0, 0, 0},    {"PIDR6", 0xfd8, REG_R, 0, 0, 0},
    {"PIDR7", 0xfdc, REG_R, 0, 0, 0},    {"PIDR0", 0xfe0, REG_R, 0x08, 0, 0},
    {"PIDR1", 0xfe4, REG_R, 0x40, 0, 0}, {"PIDR2", 0xfe8, REG_R, 0x3c, 0, 0},
    {"PIDR3", 0xfec, REG_R, 0, 0, 0},    {"CIDR0", 0xff0, REG_R, 0x0d, 0, 0},
    {"CIDR1", 0xff4, REG_R, 0x10, 0, 0}, {"CIDR2", 0xff8, REG_R, 0x05, 0, 0},
    {"CIDR3", 0xffc, REG_R, 0xb1, 0, 0},
};

void rom_table_init(struct rom_table *table, struct bus *bus)
{
    memset(table, 0, sizeof *table);
    block_init(&table->block, bus, 0xf0000000u, -1);
    block_add_face(&table->block, &(struct face){
                                      .name = "ROM_TABLE",
                                      .regs = regs,
                                      .reg_count = sizeof regs / sizeof regs[0],
                                      .plain = true,
                                      .self = table,
                                  });
}
