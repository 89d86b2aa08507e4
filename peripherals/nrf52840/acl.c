/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/acl.h"

#include <string.h>

enum {
    ADDR = 0x800,
    SIZE = 0x804,
    PERM = 0x808,
    STRIDE = 0x10,
    PERM_NO_WRITE = 1u << 1,
    PERM_NO_READ = 1u << 2,
};

static const struct reg regs[] = {
    {"ACL[].ADDR", ADDR, REG_RW, 0, ACL_REGIONS, STRIDE},
    {"ACL[].SIZE", SIZE, REG_RW, 0, ACL_REGIONS, STRIDE},
    {"ACL[].PERM", PERM, REG_RW, 0, ACL_REGIONS, STRIDE},
};

static uint32_t get(const struct acl *acl, uint32_t reg, unsigned region)
{
    return block_get(acl->block, reg + STRIDE * region);
}

static bool protects(const struct acl *acl, unsigned region)
{
    return get(acl, SIZE, region) && get(acl, PERM, region) & PERM_NO_WRITE;
}

bool acl_allows_write(const struct acl *acl, uint32_t address)
{
    for (unsigned i = 0; i < ACL_REGIONS; i++) {
        if (protects(acl, i) && address - get(acl, ADDR, i) < get(acl, SIZE, i))
            return false;
    }
    return true;
}

bool acl_protects_any(const struct acl *acl)
{
    for (unsigned i = 0; i < ACL_REGIONS; i++) {
        if (protects(acl, i))
            return true;
    }
    return false;
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct acl *acl = self;
    uint32_t taken = 1u << (offset - ADDR) / 4;
    if (acl->written & taken)
        return;
    acl->written |= taken;
    block_set(acl->block, offset,
              offset % STRIDE == PERM % STRIDE ? value & (PERM_NO_WRITE | PERM_NO_READ) : value);
}

static void reset(void *self, enum reset_cause cause)
{
    struct acl *acl = self;
    (void)cause;
    acl->written = 0;
}

static void save(void *self, struct state *state)
{
    struct acl *acl = self;
    state_var(state, acl->written);
}

void acl_init(struct acl *acl, struct block *block)
{
    memset(acl, 0, sizeof *acl);
    acl->block = block;
    block_add_face(block, &(struct face){
                              .name = "ACL",
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .plain = true,
                              .reset = reset,
                              .write = write,
                              .save = save,
                              .self = acl,
                          });
}
