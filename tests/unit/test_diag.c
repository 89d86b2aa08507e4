/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/diag.h"

#include <criterion/criterion.h>
#include <string.h>

Test(diag, formats_and_clears)
{
    struct diag diag;
    diag_set(&diag, "line %d", 7);
    cr_assert_str_eq(diag.text, "line 7");
    diag_clear(&diag);
    cr_assert_str_eq(diag.text, "");
}

Test(diag, cuts_long_text_visibly)
{
    struct diag diag;
    diag_set(&diag, "%0600d", 1);
    cr_assert_eq(strlen(diag.text), DIAG_SIZE - 1);
    cr_assert_str_eq(diag.text + DIAG_SIZE - 4, "...");
}

Test(diag, prefix_goes_in_front)
{
    struct diag diag;
    diag_set(&diag, "bad checksum");
    diag_prefix(&diag, "%s, line %d", "app.hex", 3);
    cr_assert_str_eq(diag.text, "app.hex, line 3: bad checksum");
}

Test(diag, may_quote_itself)
{
    struct diag diag;
    diag_set(&diag, "inner");
    diag_set(&diag, "outer (%s)", diag.text);
    cr_assert_str_eq(diag.text, "outer (inner)");
}

Test(diag, null_is_accepted)
{
    diag_clear(NULL);
    diag_set(NULL, "%s", "nobody listens");
    diag_prefix(NULL, "%s", "nobody listens");
}
