/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/plain_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the printable UTF-8 character at `s`; 0 when there is none. */
static size_t character_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return s[0] >= 0x20 ? s[0] != 0x7F : s[0] == '\n' || s[0] == '\t';
    size_t length = s[0] >= 0xC2 && s[0] <= 0xDF   ? 2
                    : (s[0] & 0xF0) == 0xE0        ? 3
                    : s[0] >= 0xF0 && s[0] <= 0xF4 ? 4
                                                   : 0;
    uint32_t code = length ? s[0] & (0xFFu >> (length + 1)) : 0;
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3F);
    }
    bool too_long = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    bool no_character =
        (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF || code == 0xFFFE || code == 0xFFFF;
    bool control = code >= 0x80 && code < 0xA0;
    return too_long || no_character || control ? 0 : length;
}

char *plain_text(char *text)
{
    for (size_t i = 0; text[i];) {
        size_t length = character_length((const unsigned char *)text + i);
        if (length == 0)
            text[i] = '?';
        i += length ? length : 1;
    }
    return text;
}
