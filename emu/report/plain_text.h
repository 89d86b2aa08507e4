/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that comes from firmware or files, made fit for terminals, JSON and XML. */
#ifndef SOSIM_REPORT_PLAIN_TEXT_H
#define SOSIM_REPORT_PLAIN_TEXT_H

/* Makes each byte that is part of no printable UTF-8 character, newline or tab a '?'. Returns `text`. */
char *plain_text(char *text);

#endif
