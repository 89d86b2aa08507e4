/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/ficr.h"

#include <string.h>

enum {
    DEVICEID = 0x060,
    ER = 0x080,
    IR = 0x090,
    DEVICEADDR = 0x0a4,
    ADDRESS_HIGH_UNUSED = 0xffff0000,
};

#define ERASED 0xffffffffu

/* Reset values are the chip's content. */
static const struct reg regs[] = {
    {"CODEPAGESIZE", 0x010, REG_R, 0x1000, 0, 0},
    {"CODESIZE", 0x014, REG_R, 0x100, 0, 0},
    {"DEVICEID", DEVICEID, REG_R, 0, 2, 0},
    {"ER", ER, REG_R, 0, 4, 0},
    {"IR", IR, REG_R, 0, 4, 0},
    {"DEVICEADDRTYPE", 0x0a0, REG_R, ERASED, 0, 0}, /* random static */
    {"DEVICEADDR", DEVICEADDR, REG_R, 0, 2, 0},
    {"INFO.PART", 0x100, REG_R, 0x52840, 0, 0},
    {"INFO.VARIANT", 0x104, REG_R, 0x41414430, 0, 0}, /* "AAD0" */
    {"INFO.PACKAGE", 0x108, REG_R, 0x2004, 0, 0},     /* QI */
    {"INFO.RAM", 0x10c, REG_R, 256, 0, 0},
    {"INFO.FLASH", 0x110, REG_R, 1024, 0, 0},
    {"REVISION_130", 0x130, REG_R, 8, 0, 0},
    {"REVISION_134", 0x134, REG_R, 3, 0, 0},
    {"PRODTEST", 0x350, REG_R, 0xbb42319f, 3, 0}, /* "done" */
    {"TEMP.A0", 0x404, REG_R, 0x326, 0, 0},
    {"TEMP.A1", 0x408, REG_R, 0x348, 0, 0},
    {"TEMP.A2", 0x40c, REG_R, 0x3aa, 0, 0},
    {"TEMP.A3", 0x410, REG_R, 0x40e, 0, 0},
    {"TEMP.A4", 0x414, REG_R, 0x4bd, 0, 0},
    {"TEMP.A5", 0x418, REG_R, 0x5a3, 0, 0},
    {"TEMP.B0", 0x41c, REG_R, 0x3fef, 0, 0},
    {"TEMP.B1", 0x420, REG_R, 0x3fbe, 0, 0},
    {"TEMP.B2", 0x424, REG_R, 0x3fbe, 0, 0},
    {"TEMP.B3", 0x428, REG_R, 0x012, 0, 0},
    {"TEMP.B4", 0x42c, REG_R, 0x124, 0, 0},
    {"TEMP.B5", 0x430, REG_R, 0x27c, 0, 0},
    {"TEMP.T0", 0x434, REG_R, 0xe2, 0, 0},
    {"TEMP.T1", 0x438, REG_R, 0x00, 0, 0},
    {"TEMP.T2", 0x43c, REG_R, 0x19, 0, 0},
    {"TEMP.T3", 0x440, REG_R, 0x3c, 0, 0},
    {"TEMP.T4", 0x444, REG_R, 0x50, 0, 0},
    {"NFC.TAGHEADER0", 0x450, REG_R, 0xffffff5f, 0, 0},
    {"NFC.TAGHEADER", 0x454, REG_R, ERASED, 3, 0},
    {"TRNG90B.BYTES", 0xc00, REG_R, ERASED, 0, 0},
    {"TRNG90B.RCCUTOFF", 0xc04, REG_R, ERASED, 0, 0},
    {"TRNG90B.APCUTOFF", 0xc08, REG_R, ERASED, 0, 0},
    {"TRNG90B.STARTUP", 0xc0c, REG_R, ERASED, 0, 0},
    {"TRNG90B.ROSC", 0xc10, REG_R, ERASED, 4, 0},
};

static const struct ficr_id default_id = {
    .device_id = {0x5051534f, 0x4d495330},
    .device_address = {0x51c0ffee, ADDRESS_HIGH_UNUSED | 0xc0de},
    .er = {0x2f6b1a77, 0x90d3e4c8, 0x5be81f02, 0xa4c7693d},
    .ir = {0x71e58c0b, 0x0cf2a693, 0xd83b4e15, 0x6a9417fe},
};

static void fill(struct ficr *ficr)
{
    for (uint32_t i = 0; i < 2; i++) {
        block_set(&ficr->block, DEVICEID + 4 * i, ficr->id.device_id[i]);
        block_set(&ficr->block, DEVICEADDR + 4 * i, ficr->id.device_address[i]);
    }
    for (uint32_t i = 0; i < 4; i++) {
        block_set(&ficr->block, ER + 4 * i, ficr->id.er[i]);
        block_set(&ficr->block, IR + 4 * i, ficr->id.ir[i]);
    }
}

static void reset(void *self, enum reset_cause cause)
{
    struct ficr *ficr = self;
    (void)cause;
    for (uint32_t offset = 0; offset < sizeof ficr->block.word; offset += 4) {
        if (!ficr->block.listed[offset / 4])
            block_set(&ficr->block, offset, ERASED);
    }
    fill(ficr);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct ficr *ficr = self;
    (void)value;
    bus_finding(ficr->block.bus, "ficr", "store to read-only FICR+0x%03x; ignored", offset);
}

static void save(void *self, struct state *state)
{
    struct ficr *ficr = self;
    state_var(state, ficr->id);
}

void ficr_init(struct ficr *ficr, struct bus *bus)
{
    memset(ficr, 0, sizeof *ficr);
    ficr->id = default_id;
    block_init(&ficr->block, bus, 0x10000000u, -1);
    block_add_face(&ficr->block, &(struct face){
                                     .name = "FICR",
                                     .regs = regs,
                                     .reg_count = sizeof regs / sizeof regs[0],
                                     .plain = true,
                                     .reset = reset,
                                     .write = write,
                                     .save = save,
                                     .self = ficr,
                                 });
}

void ficr_set_id(struct ficr *ficr, const struct ficr_id *id)
{
    ficr->id = *id;
    fill(ficr);
}
