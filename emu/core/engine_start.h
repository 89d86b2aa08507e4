/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting the engine without what is done in vain. Unicorn 2.0.1 works its whole view of the address space
 * out anew for each region that is mapped or protected, a dozen times over while a machine is made, and its
 * table of translated blocks has room for 32768 from the start. The engine calls its own exported functions
 * for that, through the dynamic linker; we stand in front of them. The view is left out in between: it is
 * worked out from what is mapped then, so the next time makes good for all before. The table begins small;
 * the engine lets it grow as it fills. And the memory for translated code begins with small pages, as the
 * engine's wish for huge ones (madvise()) is passed on for what follows them only: a huge page would be
 * cleared as a whole for the few bytes that a start writes.
 *
 * It leans on the inside of one library: if a name is missing, a start is merely slow. Results are the same.
 */
#ifndef SOSIM_CORE_ENGINE_START_H
#define SOSIM_CORE_ENGINE_START_H

/* What this thread maps between these two calls must not be accessed before it has mapped something more
 * afterwards. */
void engine_start_begin(void);
void engine_start_end(void);

#endif
