/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness.h"

#define MAX_RESULTS 512

handler_fn handlers[64];
struct result results[MAX_RESULTS];
volatile uint32_t result_count;
volatile uint32_t finished;
volatile uint32_t next_return;

void note(const char *label, uint32_t value)
{
    if (result_count < MAX_RESULTS) {
        results[result_count].label = label;
        results[result_count].value = value;
        result_count++;
    }
}

static volatile uint32_t order_hash, steps;

void step(uint32_t what)
{
    order_hash = order_hash * 31 + what;
    steps++;
}

void note_order(const char *label)
{
    note(label, order_hash + (steps << 24));
    order_hash = steps = 0;
}

static void semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void print_hex(uint32_t value)
{
    char text[10];
    for (int i = 0; i < 8; i++)
        text[i] = "0123456789abcdef"[value >> (28 - 4 * i) & 0xf];
    text[8] = '\n';
    text[9] = 0;
    semihost(4, text);
}

int main(void)
{
    run();
    finished = 1;
    if (REG(0x10000100) == 0x52840) /* FICR.INFO.PART: this is the chip, nobody listens */
        for (;;)
            ;
    for (uint32_t i = 0; i < result_count; i++) {
        semihost(4, results[i].label);
        semihost(4, " ");
        print_hex(results[i].value);
    }
    semihost(0x18, (void *)0x20026);
    for (;;)
        ;
}
