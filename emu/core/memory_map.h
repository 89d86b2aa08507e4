/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are in the nRF52840's address space.
 *
 * Source: nRF52840 Product Specification, "Memory map". The size of RAM and of internal flash is the board's.
 */
#ifndef SOSIM_CORE_MEMORY_MAP_H
#define SOSIM_CORE_MEMORY_MAP_H

#define CODE_RAM_BASE  0x00800000u /* the same RAM, for code */
#define INFO_BASE      0x10000000u /* FICR, then UICR */
#define UICR_END       0x10002000u
#define XIP_BASE       0x12000000u /* the external flash, while QSPI is on */
#define XIP_SIZE       0x08000000u
#define RAM_BASE       0x20000000u
#define APB_BASE       0x40000000u
#define AHB_BASE       0x50000000u
#define ROM_TABLE_BASE 0xf0000000u

#endif
