/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVMC – the controller of internal flash and UICR.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'NVMC'; times from its electrical specification.
 * Modelled: word programs and erases of a page, of a page in parts, of UICR and of everything, each for its
 * time: 41 µs, 85 ms, 169 ms. The CPU stands still that long if it executes from flash; otherwise READY is 0,
 * and a further operation waits for the end of the one before. Write-protection by ACL.
 * What a chip refuses without a fault is refused here too, with a finding: stores without WEN, erases without
 * EEN, protected pages, and everything while POWER's comparator warns of a failing supply (errata, anomaly
 * 242, says that this may even hang the CPU). An operation that was begun before goes on; a brown-out or a
 * power cut within it leaves the word or page half-way.
 *
 * Not modelled: the limit of two writes a word between erases; READYNEXT's one-word buffer (it equals READY);
 * the instruction cache (IHIT and IMISS stay 0); undefined bits of a page whose partial erase is not complete
 * (it keeps its content until then).
 */
#ifndef SOSIM_NRF52840_NVMC_H
#define SOSIM_NRF52840_NVMC_H

#include "core/bus.h"
#include "core/flash_work.h"
#include "core/nor.h"
#include "nrf52840/acl.h"
#include "nrf52840/power.h"

#define NVMC_FICR_BASE 0x10000000u
#define NVMC_UICR_BASE 0x10001000u

struct nvmc {
    struct block block;
    struct acl acl;
    struct nor *flash;
    struct nor *uicr;
    const struct power *power;
    uint64_t busy_until;   /* cycle; an operation is going on before it */
    uint32_t partial_page; /* page being erased in parts */
    uint32_t partial_ms;   /* how long it has been erased */
    struct flash_work work;
    uint64_t work_ends; /* cycle */
};

void nvmc_init(struct nvmc *nvmc, struct bus *bus, struct nor *flash, struct nor *uicr,
               const struct power *power);

/* A store by the CPU to flash, UICR (0x10001000 …) or FICR. `size` is 1, 2 or 4 bytes. Returns 0, also when
 * the store has no effect, or -1 where the chip answers with a bus error. */
int nvmc_store(struct nvmc *nvmc, uint32_t address, unsigned size, uint32_t value);

/* The supply fails at a cycle, now or while the CPU waited for the operation: one that was going on then is
 * left half-way. */
void nvmc_supply_fails(struct nvmc *nvmc, uint64_t at);
/* The same now; `self` is the NVMC. */
void nvmc_brownout(void *self);

/* True if the instruction cache is on (ICACHECNF.CACHEEN). */
bool nvmc_cache_on(const struct nvmc *nvmc);

#endif
