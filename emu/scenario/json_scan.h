/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scanner behind scenario/json_doc.h: checks the grammar and notes places. For json_doc.c only. */
#ifndef SOSIM_SCENARIO_JSON_SCAN_H
#define SOSIM_SCENARIO_JSON_SCAN_H

#include "scenario/json_doc.h"

/*
 * Scans a whole text and appends a node for each value, in order, with `item` NULL. Returns 0, or -1 with
 * `why` (the place and the reason, without a file name). The caller frees `*nodes` in either case.
 */
int json_scan(const char *text, size_t len, struct json_node **nodes, size_t *count, struct diag *why);

#endif
