/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that grow as elements are added to them. */
#ifndef SOSIM_CORE_ROOM_H
#define SOSIM_CORE_ROOM_H

#include <stddef.h>

/*
 * Sees to it that `array`, allocated and with room for `*room` elements of `size` bytes (NULL and 0 to begin
 * with), has room for `wanted` of them; more at a time than is asked for, so that adding one after another
 * costs little. Returns the array, which may have moved, and `*room` is what it has room for now; or NULL
 * when there is no memory, or no number, for so many: then the array is as it was, and still the caller's.
 */
void *room_for(void *array, size_t wanted, size_t *room, size_t size);

#endif
