/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stores at full speed. Unicorn 2.0.1 enters every writable page into its TLB as 'not dirty', so each store
 * to RAM leaves the translated code for a helper. The engine calls its own exported
 * tlb_set_page_with_attrs_arm through the dynamic linker; we stand in front of it, let it work, and then mark
 * the page dirty with the exported tlb_set_dirty_arm, unless code was run from that page (stores there must
 * keep invalidating it).
 *
 * It leans on the inside of one library: if a name is missing nothing is changed and stores are merely slow.
 * Results are the same either way; struct cpu_speed switches it.
 */
#ifndef SOSIM_CORE_FAST_STORE_H
#define SOSIM_CORE_FAST_STORE_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/* Between these two calls, on this thread, the engine's pages of `cpu` are made fast if its speed says so. */
void fast_store_enter(struct cpu *cpu);
void fast_store_leave(void);

/* Code was run from the RAM page of `address`: forget the page's entry, so that stores there are seen again.
 */
void fast_store_code_page(struct cpu *cpu, uint32_t address);

/*
 * The same place shows which pages of flash are read: each is entered into the TLB when it is first touched.
 * Empties the TLB, so that this begins anew; false if the engine does not let us see it.
 */
bool fast_store_watch(struct cpu *cpu);

/* Looks for the engine's names; if one is missing stores stay slow. */
void fast_store_find(struct cpu *cpu);

#endif
