/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What static RAM holds some time after its supply went away.
 *
 * Source: S. Skorobogatov, 'Low temperature data remanence in static RAM' (Cambridge, 2002): at room
 * temperature cells lose their content one by one within tenths of a second to seconds; a lost cell comes up
 * with the value that its two halves' mismatch prefers, mostly the same one each time. Modelled: each cell
 * has a time after which it has lost its content, and a value that it then has; both follow from the seed and
 * the place. Half of the cells are lost after RAM_HALF_LIFE_MS, half of the others after as long again; so a
 * cell that is lost after some time is lost after any longer time too.
 *
 * Not modelled: temperature; charge in the board's capacitors (the supply is gone at once: "kept" is for
 * that); cells whose value is not the same at each power-up; neighbours that go together.
 */
#ifndef SOSIM_CORE_RAM_DECAY_H
#define SOSIM_CORE_RAM_DECAY_H

#include <stdint.h>

#define RAM_HALF_LIFE_MS 1000u
#define RAM_ALL_LOST     UINT64_MAX /* as `cycles`: however long it takes */

/* Lets `size` bytes (a multiple of 4) of RAM that begin at place 0 be without supply for so many cycles. */
void ram_decay(uint8_t *ram, uint32_t size, uint64_t seed, uint64_t cycles);

#endif
