/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/ecb.h"

#include <nettle/aes.h>

enum {
    TASK_STARTECB = 0,
    TASK_STOPECB = 1,
    EVENT_ENDECB = 0,
    EVENT_ERRORECB = 1,
    REG_ECBDATAPTR = 0x504,
};

/* Offsets in the data structure. */
enum {
    DATA_CLEARTEXT = 16,
    DATA_CIPHERTEXT = 32,
};

#define BLOCK_CYCLES 461u /* 7.2 us */

static const struct reg regs[] = {
    {"TASKS_STARTECB", 0x000, REG_W, 0, 0, 0}, {"TASKS_STOPECB", 0x004, REG_W, 0, 0, 0},
    {"EVENTS_ENDECB", 0x100, REG_RW, 0, 0, 0}, {"EVENTS_ERRORECB", 0x104, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},      {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"ECBDATAPTR", 0x504, REG_RW, 0, 0, 0},
};

static void finish(void *owner)
{
    struct ecb *ecb = owner;
    struct bus *bus = ecb->block.bus;
    uint32_t data = block_get(&ecb->block, REG_ECBDATAPTR);
    uint8_t input[DATA_CIPHERTEXT];
    uint8_t output[AES_BLOCK_SIZE];
    struct aes128_ctx aes;
    dma_read(bus, data, input, sizeof input);
    aes128_set_encrypt_key(&aes, input);
    aes128_encrypt(&aes, sizeof output, output, input + DATA_CLEARTEXT);
    dma_write(bus, data + DATA_CIPHERTEXT, output, sizeof output);
    block_event(&ecb->block, EVENT_ENDECB);
}

static void task(void *self, unsigned n)
{
    struct ecb *ecb = self;
    bool running = event_pending(&ecb->done);
    if (n == TASK_STARTECB && !running)
        event_after(&ecb->block.bus->clock, &ecb->done, BLOCK_CYCLES);
    else if (n == TASK_STOPECB && running)
        event_cancel(&ecb->block.bus->clock, &ecb->done);
    if (running)
        block_event(&ecb->block, EVENT_ERRORECB);
}

static void reset(void *self, enum reset_cause cause)
{
    struct ecb *ecb = self;
    (void)cause;
    event_cancel(&ecb->block.bus->clock, &ecb->done);
}

static void save(void *self, struct state *state)
{
    struct ecb *ecb = self;
    state_event(state, &ecb->block.bus->clock, &ecb->done);
}

void ecb_init(struct ecb *ecb, struct bus *bus)
{
    block_init(&ecb->block, bus, 0x4000E000, 14);
    block_add_face(&ecb->block, &(struct face){
                                    .name = "ECB",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = reset,
                                    .task = task,
                                    .save = save,
                                    .self = ecb,
                                });
    event_init(&bus->clock, &ecb->done, finish, ecb);
}
