/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/aar.h"

#include <nettle/aes.h>

enum {
    TASK_START = 0,
    TASK_STOP = 2,
    EVENT_END = 0,
    EVENT_RESOLVED = 1,
    EVENT_NOTRESOLVED = 2,
    REG_STATUS = 0x400,
    REG_ENABLE = 0x500,
    REG_NIRK = 0x504,
    REG_IRKPTR = 0x508,
    REG_ADDRPTR = 0x510,
};

enum {
    ENABLE_AAR = 3,
    MAX_IRKS = 16,
    ADDRESS_OFFSET = 3,
    ADDRESS_SIZE = 6,
};

#define START_CYCLES (1 * CYCLES_PER_US)
#define KEY_CYCLES   (6 * CYCLES_PER_US)

static const struct reg regs[] = {
    {"TASKS_START", 0x000, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x008, REG_W, 0, 0, 0},
    {"EVENTS_END", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_RESOLVED", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_NOTRESOLVED", 0x108, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"STATUS", 0x400, REG_R, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"NIRK", 0x504, REG_RW, 1, 0, 0},
    {"IRKPTR", 0x508, REG_RW, 0, 0, 0},
    {"ADDRPTR", 0x510, REG_RW, 0, 0, 0},
    {"SCRATCHPTR", 0x514, REG_RW, 0, 0, 0},
};

static unsigned key_count(const struct aar *aar)
{
    unsigned count = block_get(aar->block, REG_NIRK) & 0x1f;
    return count < MAX_IRKS ? count : MAX_IRKS;
}

/* True if the hash in the address (3 octets, then 3 of prand, least significant first) fits the key. */
static bool resolves(const uint8_t key[AES_BLOCK_SIZE], const uint8_t address[ADDRESS_SIZE])
{
    struct aes128_ctx aes;
    uint8_t block[AES_BLOCK_SIZE] = {0};
    for (unsigned i = 0; i < 3; i++)
        block[15 - i] = address[3 + i];
    aes128_set_encrypt_key(&aes, key);
    aes128_encrypt(&aes, sizeof block, block, block);
    return block[15] == address[0] && block[14] == address[1] && block[13] == address[2];
}

/* Index of the first key that resolves the address, or the number of keys. */
static unsigned resolve(struct aar *aar)
{
    struct bus *bus = aar->block->bus;
    uint8_t address[ADDRESS_SIZE];
    unsigned count = key_count(aar);
    unsigned i;
    dma_read(bus, block_get(aar->block, REG_ADDRPTR) + ADDRESS_OFFSET, address, sizeof address);
    for (i = 0; i < count; i++) {
        uint8_t key[AES_BLOCK_SIZE];
        dma_read(bus, block_get(aar->block, REG_IRKPTR) + i * (uint32_t)sizeof key, key, sizeof key);
        if (resolves(key, address))
            break;
    }
    return i;
}

static void finish(void *owner)
{
    struct aar *aar = owner;
    unsigned index = resolve(aar);
    bool found = index < key_count(aar);
    block_set(aar->block, REG_STATUS, found ? index : 0);
    block_event(aar->block, EVENT_END);
    block_event(aar->block, found ? EVENT_RESOLVED : EVENT_NOTRESOLVED);
}

static void start(struct aar *aar)
{
    unsigned count = key_count(aar);
    unsigned index = resolve(aar);
    unsigned tried = index < count ? index + 1 : count;
    event_after(&aar->block->bus->clock, &aar->done, START_CYCLES + tried * KEY_CYCLES);
}

static void task(void *self, unsigned n)
{
    struct aar *aar = self;
    if (n == TASK_START) {
        start(aar);
    } else if (n == TASK_STOP && event_pending(&aar->done)) {
        event_cancel(&aar->block->bus->clock, &aar->done);
        block_event(aar->block, EVENT_END);
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct aar *aar = self;
    block_set(aar->block, offset, value);
    if (offset == REG_ENABLE && value != ENABLE_AAR)
        event_cancel(&aar->block->bus->clock, &aar->done);
}

static bool active(void *self)
{
    const struct aar *aar = self;
    return block_get(aar->block, REG_ENABLE) == ENABLE_AAR;
}

static void reset(void *self, enum reset_cause cause)
{
    struct aar *aar = self;
    (void)cause;
    event_cancel(&aar->block->bus->clock, &aar->done);
}

static void save(void *self, struct state *state)
{
    struct aar *aar = self;
    state_event(state, &aar->block->bus->clock, &aar->done);
}

void aar_init(struct aar *aar, struct block *block)
{
    aar->block = block;
    block_add_face(block, &(struct face){
                              .name = "AAR",
                              .regs = regs,
                              .reg_count = sizeof regs / sizeof regs[0],
                              .reset = reset,
                              .write = write,
                              .task = task,
                              .active = active,
                              .save = save,
                              .self = aar,
                          });
    event_init(&block->bus->clock, &aar->done, finish, aar);
}
