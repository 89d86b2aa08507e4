/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACL – access control lists for internal flash; a face of NVMC's page.
 *
 * Source: nRF52840 Product Specification 1.7, chapter 'ACL'.
 * Modelled: eight regions whose ADDR, SIZE and PERM can each be written once between resets; pages that must
 * not be written or erased (NVMC asks here).
 * Not modelled: refusal of reads and instruction fetches (PERM.READ is storage).
 */
#ifndef SOSIM_NRF52840_ACL_H
#define SOSIM_NRF52840_ACL_H

#include "core/bus.h"

#define ACL_REGIONS 8

struct acl {
    struct block *block;
    uint32_t written; /* bit 4n+0, +1, +2: ADDR, SIZE, PERM of region n are taken */
};

/* Adds ACL's face to NVMC's page. */
void acl_init(struct acl *acl, struct block *block);

/* False if a region forbids writing or erasing the flash byte at `address`. */
bool acl_allows_write(const struct acl *acl, uint32_t address);

/* True if any region forbids writing, which also rules out ERASEALL. */
bool acl_protects_any(const struct acl *acl);

#endif
