/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/room.h"

#include <stdint.h>
#include <stdlib.h>

#define FIRST_ROOM 16u

void *room_for(void *array, size_t wanted, size_t *room, size_t size)
{
    if (array && wanted <= *room)
        return array;
    size_t most = SIZE_MAX / size;
    if (wanted > most)
        return NULL;
    size_t more = *room < most - *room / 2 ? *room + *room / 2 : most;
    more = more < FIRST_ROOM && most >= FIRST_ROOM ? FIRST_ROOM : more;
    more = more < wanted ? wanted : more;
    void *grown = realloc(array, more * size);
    if (grown)
        *room = more;
    return grown;
}
