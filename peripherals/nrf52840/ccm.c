/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/ccm.h"

#include <nettle/ccm.h>
#include <string.h>

enum {
    TASK_KSGEN = 0,
    TASK_CRYPT = 1,
    TASK_STOP = 2,
    TASK_RATEOVERRIDE = 3,
    EVENT_ENDKSGEN = 0,
    EVENT_ENDCRYPT = 1,
    REG_MICSTATUS = 0x400,
    REG_ENABLE = 0x500,
    REG_MODE = 0x504,
    REG_CNFPTR = 0x508,
    REG_INPTR = 0x50C,
    REG_OUTPTR = 0x510,
    REG_MAXPACKETSIZE = 0x518,
    REG_RATEOVERRIDE = 0x51C,
};

enum {
    ENABLE_CCM = 2,
    ENABLE_AAR = 3,
    MODE_DECRYPTION = 1u << 0,
    MODE_LENGTH_EXTENDED = 1u << 24,
};

/* The configuration in RAM: key, packet counter, direction, initialisation vector. */
enum {
    CONFIG_COUNTER = 16,
    CONFIG_DIRECTION = 24,
    CONFIG_IV = 25,
};

enum {
    HEADER_SIZE = 3, /* S0, LENGTH, and the byte that RADIO keeps for S1 */
    MIC_SIZE = 4,
    NONCE_SIZE = 13,
    SHORT_PAYLOAD = 27,
    LONG_PAYLOAD = 251,
};

#define KEYSTREAM_CYCLES (50 * CYCLES_PER_US) /* for 27 octets, which are two blocks */
#define BLOCK_CYCLES     461u

static const struct reg regs[] = {
    {"TASKS_KSGEN", 0x000, REG_W, 0, 0, 0},
    {"TASKS_CRYPT", 0x004, REG_W, 0, 0, 0},
    {"TASKS_STOP", 0x008, REG_W, 0, 0, 0},
    {"TASKS_RATEOVERRIDE", 0x00c, REG_W, 0, 0, 0},
    {"EVENTS_ENDKSGEN", 0x100, REG_RW, 0, 0, 0},
    {"EVENTS_ENDCRYPT", 0x104, REG_RW, 0, 0, 0},
    {"EVENTS_ERROR", 0x108, REG_RW, 0, 0, 0},
    {"SHORTS", 0x200, REG_RW, 0, 0, 0},
    {"INTENSET", 0x304, REG_RW, 0, 0, 0},
    {"INTENCLR", 0x308, REG_RW, 0, 0, 0},
    {"MICSTATUS", 0x400, REG_R, 0, 0, 0},
    {"ENABLE", 0x500, REG_RW, 0, 0, 0},
    {"MODE", 0x504, REG_RW, 1, 0, 0},
    {"CNFPTR", 0x508, REG_RW, 0, 0, 0},
    {"INPTR", 0x50c, REG_RW, 0, 0, 0},
    {"OUTPTR", 0x510, REG_RW, 0, 0, 0},
    {"SCRATCHPTR", 0x514, REG_RW, 0, 0, 0},
    {"MAXPACKETSIZE", 0x518, REG_RW, 0xfb, 0, 0},
    {"RATEOVERRIDE", 0x51c, REG_RW, 0, 0, 0},
};

static const struct shortcut shorts[] = {
    {0, EVENT_ENDKSGEN, TASK_CRYPT},
    SHORTCUTS_END,
};

static bool extended(const struct ccm *ccm)
{
    return block_get(&ccm->block, REG_MODE) & MODE_LENGTH_EXTENDED;
}

static uint32_t max_payload(const struct ccm *ccm)
{
    if (!extended(ccm))
        return SHORT_PAYLOAD;
    uint32_t size = block_get(&ccm->block, REG_MAXPACKETSIZE) & 0xff;
    return size < SHORT_PAYLOAD ? SHORT_PAYLOAD : size > LONG_PAYLOAD ? LONG_PAYLOAD : size;
}

static uint64_t keystream_cycles(const struct ccm *ccm)
{
    uint32_t blocks = (max_payload(ccm) + 15) / 16;
    return KEYSTREAM_CYCLES + (blocks - 2) * (uint64_t)BLOCK_CYCLES;
}

/* The LENGTH field of the packet at INPTR: 5 bits unless lengths are extended. */
static uint32_t input_length(struct ccm *ccm)
{
    uint8_t header[2];
    dma_read(ccm->block.bus, block_get(&ccm->block, REG_INPTR), header, sizeof header);
    return header[1] & (extended(ccm) ? 0xffu : 0x1fu);
}

/* How long the payload and the MIC of the packet take on the air. */
static uint64_t crypt_cycles(struct ccm *ccm)
{
    static const uint32_t byte_cycles[] = {8 * 64, 4 * 64, 64 * 64, 16 * 64}; /* 1M, 2M, 125k, 500k */
    uint32_t rate = ccm->rate_overridden ? block_get(&ccm->block, REG_RATEOVERRIDE)
                                         : block_get(&ccm->block, REG_MODE) >> 16;
    uint32_t length = input_length(ccm);
    if (length && !(block_get(&ccm->block, REG_MODE) & MODE_DECRYPTION))
        length += MIC_SIZE;
    return (uint64_t)(HEADER_SIZE + length) * byte_cycles[rate & 3];
}

/* Bluetooth's nonce: 39 bits of packet counter, the direction as bit 39, the initialisation vector. */
static void make_nonce(const struct ccm *ccm, uint8_t nonce[NONCE_SIZE])
{
    memcpy(nonce, ccm->config + CONFIG_COUNTER, 5);
    nonce[4] = (uint8_t)((nonce[4] & 0x7f) | (ccm->config[CONFIG_DIRECTION] & 1) << 7);
    memcpy(nonce + 5, ccm->config + CONFIG_IV, 8);
}

/* Turns the payload of `packet` in place; returns the new length. */
static uint32_t crypt_payload(struct ccm *ccm, uint8_t *packet, uint32_t length)
{
    struct ccm_aes128_ctx aes;
    uint8_t nonce[NONCE_SIZE];
    uint8_t result[LONG_PAYLOAD + MIC_SIZE];
    /* NESN, SN and MD of the header change on retransmission and are not authenticated. */
    uint8_t authenticated = packet[0] & 0xe3;
    uint8_t *payload = packet + HEADER_SIZE;
    ccm_aes128_set_key(&aes, ccm->config);
    make_nonce(ccm, nonce);
    if (block_get(&ccm->block, REG_MODE) & MODE_DECRYPTION) {
        length -= MIC_SIZE;
        int good = ccm_aes128_decrypt_message(&aes, NONCE_SIZE, nonce, 1, &authenticated, MIC_SIZE, length,
                                              result, payload);
        block_set(&ccm->block, REG_MICSTATUS, good ? 1 : 0);
    } else {
        length += MIC_SIZE;
        ccm_aes128_encrypt_message(&aes, NONCE_SIZE, nonce, 1, &authenticated, MIC_SIZE, length, result,
                                   payload);
    }
    memcpy(payload, result, length);
    return length;
}

static void finish_crypt(void *owner)
{
    struct ccm *ccm = owner;
    bool decrypting = block_get(&ccm->block, REG_MODE) & MODE_DECRYPTION;
    uint8_t packet[HEADER_SIZE + LONG_PAYLOAD + MIC_SIZE];
    uint32_t length = input_length(ccm);
    uint32_t most = max_payload(ccm) + (decrypting ? MIC_SIZE : 0);
    if (length > most)
        length = most;
    dma_read(ccm->block.bus, block_get(&ccm->block, REG_INPTR), packet, HEADER_SIZE + length);
    if (length > (decrypting ? MIC_SIZE : 0))
        length = crypt_payload(ccm, packet, length);
    else if (decrypting)
        block_set(&ccm->block, REG_MICSTATUS, length == 0);
    packet[1] = (uint8_t)length;
    dma_write(ccm->block.bus, block_get(&ccm->block, REG_OUTPTR), packet, HEADER_SIZE + length);
    block_event(&ccm->block, EVENT_ENDCRYPT);
}

static void start_crypt(struct ccm *ccm)
{
    struct clock *clock = &ccm->block.bus->clock;
    if (event_pending(&ccm->keystream)) {
        ccm->crypt_waits = true;
        return;
    }
    ccm->crypt_waits = false;
    ccm->crypt_since = clock->now;
    event_after(clock, &ccm->crypt, crypt_cycles(ccm));
}

static void finish_keystream(void *owner)
{
    struct ccm *ccm = owner;
    bool waits = ccm->crypt_waits;
    block_event(&ccm->block, EVENT_ENDKSGEN);
    if (waits && !event_pending(&ccm->crypt))
        start_crypt(ccm);
}

static void stop(struct ccm *ccm)
{
    event_cancel(&ccm->block.bus->clock, &ccm->keystream);
    event_cancel(&ccm->block.bus->clock, &ccm->crypt);
    ccm->crypt_waits = false;
    ccm->rate_overridden = false;
}

static void task(void *self, unsigned n)
{
    struct ccm *ccm = self;
    struct clock *clock = &ccm->block.bus->clock;
    if (block_get(&ccm->block, REG_ENABLE) != ENABLE_CCM)
        return;
    switch (n) {
    case TASK_KSGEN:
        stop(ccm);
        dma_read(ccm->block.bus, block_get(&ccm->block, REG_CNFPTR), ccm->config, sizeof ccm->config);
        event_after(clock, &ccm->keystream, keystream_cycles(ccm));
        break;
    case TASK_CRYPT:
        start_crypt(ccm);
        break;
    case TASK_STOP:
        stop(ccm);
        break;
    case TASK_RATEOVERRIDE:
        ccm->rate_overridden = true;
        if (event_pending(&ccm->crypt))
            event_at(clock, &ccm->crypt, ccm->crypt_since + crypt_cycles(ccm));
        break;
    }
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct ccm *ccm = self;
    block_set(&ccm->block, offset, value);
    if (offset == REG_ENABLE && value != ENABLE_CCM)
        stop(ccm);
}

static bool active(void *self)
{
    const struct ccm *ccm = self;
    return block_get(&ccm->block, REG_ENABLE) != ENABLE_AAR;
}

static void reset(void *self, enum reset_cause cause)
{
    struct ccm *ccm = self;
    (void)cause;
    stop(ccm);
    memset(ccm->config, 0, sizeof ccm->config);
}

static void save(void *self, struct state *state)
{
    struct ccm *ccm = self;
    state_event(state, &ccm->block.bus->clock, &ccm->keystream);
    state_event(state, &ccm->block.bus->clock, &ccm->crypt);
    state_var(state, ccm->crypt_waits);
    state_var(state, ccm->rate_overridden);
    state_var(state, ccm->crypt_since);
    state_var(state, ccm->config);
}

void ccm_init(struct ccm *ccm, struct bus *bus)
{
    block_init(&ccm->block, bus, 0x4000F000, 15);
    block_add_face(&ccm->block, &(struct face){
                                    .name = "CCM",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .reset = reset,
                                    .write = write,
                                    .task = task,
                                    .active = active,
                                    .save = save,
                                    .shorts = shorts,
                                    .self = ccm,
                                });
    event_init(&bus->clock, &ccm->keystream, finish_keystream, ccm);
    event_init(&bus->clock, &ccm->crypt, finish_crypt, ccm);
}
