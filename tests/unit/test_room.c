/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/room.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

Test(room, what_is_in_an_array_stays_while_it_grows)
{
    uint32_t *numbers = NULL;
    size_t room = 0, moves = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        size_t before = room;
        numbers = room_for(numbers, i + 1, &room, sizeof *numbers);
        cr_assert_not_null(numbers);
        cr_assert_geq(room, i + 1);
        moves += room != before;
        numbers[i] = i;
    }
    for (uint32_t i = 0; i < 100000; i++)
        cr_assert_eq(numbers[i], i);
    cr_expect_lt(moves, 40, "%zu", moves);
    free(numbers);
}

Test(room, many_can_be_asked_for_at_once)
{
    size_t room = 0;
    char *bytes = room_for(NULL, 1000, &room, 1);
    cr_assert_not_null(bytes);
    cr_expect_eq(room, 1000);
    bytes[999] = 'x';
    cr_expect_eq(room_for(bytes, 500, &room, 1), bytes);
    cr_expect_eq(room, 1000);
    free(bytes);
}

Test(room, what_no_size_can_tell_is_refused)
{
    uint64_t item = 7;
    size_t room = SIZE_MAX / sizeof item;
    cr_expect_null(room_for(&item, SIZE_MAX, &room, sizeof item));
    cr_expect_null(room_for(&item, SIZE_MAX / sizeof item + 1, &room, sizeof item));
    cr_expect_eq(room, SIZE_MAX / sizeof item);
    cr_expect_eq(item, 7);
}
