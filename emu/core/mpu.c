/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory protection unit, PMSAv7: ARMv7-M Architecture Reference Manual B3.5. */
#include "core/cpu.h"

#define RASR_ENABLE 1u
#define RASR_XN     (1u << 28)

/* Access permissions (table B3-15): bit 0 privileged read, 1 privileged write, 2 and 3 the same unprivileged.
 */
static const uint8_t permissions[8] = {0x0, 0x3, 0x7, 0xf, 0x0, 0x1, 0x5, 0x5};

/* The default map's execute-never regions (B3.1): peripherals, devices and the system region. */
static bool default_allows(uint32_t address, enum cpu_access access)
{
    if (access != ACCESS_FETCH)
        return true;
    return !(address >= 0x40000000u && address < 0x60000000u) && address < 0xa0000000u;
}

/* True if an enabled region covers the address; `rasr` gets its attributes. Higher numbers win. */
static bool find_region(const struct mpu *mpu, uint32_t address, uint32_t *rasr)
{
    for (int n = MPU_REGIONS - 1; n >= 0; n--) {
        uint32_t attributes = mpu->rasr[n];
        unsigned size_field = attributes >> 1 & 0x1f;
        if (!(attributes & RASR_ENABLE) || size_field < 4)
            continue;
        uint64_t size = 2ull << size_field;
        uint32_t base = mpu->rbar[n] & (uint32_t) ~(size - 1);
        if (address < base || address - base >= size)
            continue;
        if (size >= 256 && attributes >> (8 + (address - base) / (uint32_t)(size / 8)) & 1)
            continue; /* subregion disabled */
        *rasr = attributes;
        return true;
    }
    return false;
}

/* True where the MPU is off: at the priorities of HardFault and NMI, and while FAULTMASK is set. */
static bool is_off(const struct cpu *cpu)
{
    return !(cpu->mpu.ctrl & MPU_CTRL_HFNMIENA) && (cpu->exc.active_priority < 0 || cpu_masks(cpu).faultmask);
}

static bool regions_allow(const struct mpu *mpu, uint32_t address, enum cpu_access access, bool privileged)
{
    uint32_t rasr;
    if (!find_region(mpu, address, &rasr))
        return privileged && (mpu->ctrl & MPU_CTRL_PRIVDEFENA) && default_allows(address, access);
    if (access == ACCESS_FETCH && (rasr & RASR_XN))
        return false;
    unsigned need = access == ACCESS_WRITE ? 2u : 1u;
    return permissions[rasr >> 24 & 7] & (privileged ? need : need << 2);
}

bool mpu_allows(const struct cpu *cpu, uint32_t address, enum cpu_access access, bool privileged)
{
    const struct mpu *mpu = &cpu->mpu;
    if (!(mpu->ctrl & MPU_CTRL_ENABLE))
        return default_allows(address, access);
    if (address >= 0xe0000000u && address < 0xe0100000u)
        return access != ACCESS_FETCH; /* the PPB is never subject to the MPU */
    bool without = default_allows(address, access), with = regions_allow(mpu, address, access, privileged);
    return with == without ? with : is_off(cpu) ? without : with;
}
