/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapping many regions at once. Unicorn 2.0.1 works its whole view of the address space out anew for each
 * region that is mapped or protected; while a machine is made that is done a dozen times over. The engine
 * calls its own exported memory_region_transaction_commit_arm for it, through the dynamic linker: we stand in
 * front of it and leave it out in between. It works from what is mapped then, so the next one makes good for
 * all that were left out.
 *
 * It leans on the inside of one library: if the name is missing, mapping is merely slow.
 */
#ifndef SOSIM_CORE_MAP_BATCH_H
#define SOSIM_CORE_MAP_BATCH_H

/* What this thread maps between these two calls is not to be accessed before it has mapped something more
 * afterwards. */
void map_batch_begin(void);
void map_batch_end(void);

#endif
