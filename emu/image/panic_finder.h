/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds the panic function in a module's code, so that a panic can be told with its place, whatever the
 * version.
 *
 * Source: Device OS services/src/panic.c and service_debug.h: every failed assertion of a release calls
 * panic_(code, NULL, delay function), in Device OS 4 panic_(code, constant pointer). So one function of a
 * module is called from dozens of places with a small constant in r0 (most often 10, assertion failure) and 0
 * or a literal in r1. Encodings: ARMv7-M Architecture Reference Manual (DDI 0403E), A7.7.18 (BL).
 *
 * Not modelled: modules whose compiler passes the arguments otherwise; then nothing is found.
 */
#ifndef SOSIM_IMAGE_PANIC_FINDER_H
#define SOSIM_IMAGE_PANIC_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct panic_function {
    uint32_t address; /* of its first instruction */
    unsigned calls;   /* places that call it with a constant code */
};

/* Looks at `length` bytes of code that run at `base` (even). False when there is no such function. */
bool panic_find(const uint8_t *code, size_t length, uint32_t base, struct panic_function *out);

/*
 * Whether a call ends at `return_address` (bit 0 is ignored): the instruction before it is BL or BLX. For
 * finding callers on a stack.
 */
bool panic_is_return_address(const uint8_t *code, size_t length, uint32_t base, uint32_t return_address);

#endif
