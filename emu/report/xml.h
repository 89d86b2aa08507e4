/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in XML, for the JUnit writers. It must be plain (report/plain_text.h). */
#ifndef SOSIM_REPORT_XML_H
#define SOSIM_REPORT_XML_H

#include <stdio.h>

/* Writes text with what has a meaning in XML escaped. */
void xml_text(FILE *out, const char *text);

/* Writes a space and an attribute; `text` NULL is "". */
void xml_attribute(FILE *out, const char *name, const char *text);

#endif
