/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/cc_hash.h"

#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <string.h>

#define LENGTH_SIZE 8u

enum {
    HASH_H = 0x640,
    HASH_PAD_AUTO = 0x684,
    HASH_INIT_STATE = 0x694,
    HASH_VERSION = 0x7b0,
    HASH_CONTROL = 0x7c0,
    HASH_PAD = 0x7c4,
    HASH_PAD_FORCE = 0x7c8,
    HASH_CUR_LEN_0 = 0x7cc,
    HASH_CUR_LEN_1 = 0x7d0,
    HASH_HW_FLAGS = 0x7dc,
    HASH_SW_RESET = 0x7e4,
};

enum {
    MODE_SHA1 = 0x1,
    MODE_SHA256 = 0x2,
    MODE_SHA224 = 0xa,
    PAD_FORCE_ENABLE = 1 << 2,
};

static const struct reg regs[] = {
    {"HASH_H", 0x640, REG_RW, 0, 8, 0},         {"HASH_PAD_AUTO", 0x684, REG_W, 0, 0, 0},
    {"HASH_INIT_STATE", 0x694, REG_W, 0, 0, 0}, {"HASH_VERSION", 0x7b0, REG_R, 0, 0, 0},
    {"HASH_CONTROL", 0x7c0, REG_RW, 0, 0, 0},   {"HASH_PAD", 0x7c4, REG_RW, 1, 0, 0},
    {"HASH_PAD_FORCE", 0x7c8, REG_RW, 0, 0, 0}, {"HASH_CUR_LEN_0", 0x7cc, REG_RW, 0, 0, 0},
    {"HASH_CUR_LEN_1", 0x7d0, REG_RW, 0, 0, 0}, {"HASH_HW_FLAGS", 0x7dc, REG_R, 0x12001, 0, 0},
    {"HASH_SW_RESET", 0x7e4, REG_W, 0, 0, 0},   {"HASH_ENDIANNESS", 0x7e8, REG_RW, 1, 0, 0},
};

static uint32_t get(const struct cc_hash *hash, uint32_t offset)
{
    return block_get(hash->host->block, offset);
}

static void set(struct cc_hash *hash, uint32_t offset, uint32_t value)
{
    block_set(hash->host->block, offset, value);
}

static void compress_sha1(uint32_t *words, const uint8_t *block)
{
    struct sha1_ctx context;
    sha1_init(&context);
    memcpy(context.state, words, sizeof context.state);
    sha1_update(&context, CC_HASH_BLOCK, block);
    memcpy(words, context.state, sizeof context.state);
}

static void compress_sha256(uint32_t *words, const uint8_t *block)
{
    struct sha256_ctx context;
    sha256_init(&context);
    memcpy(context.state, words, sizeof context.state);
    sha256_update(&context, CC_HASH_BLOCK, block);
    memcpy(words, context.state, sizeof context.state);
}

static void compress(struct cc_hash *hash)
{
    uint32_t words[8];
    for (unsigned i = 0; i < 8; i++)
        words[i] = get(hash, HASH_H + 4 * i);
    uint32_t mode = get(hash, HASH_CONTROL) & 0xf;
    if (mode == MODE_SHA1)
        compress_sha1(words, hash->pending);
    else if (mode == MODE_SHA256 || mode == MODE_SHA224)
        compress_sha256(words, hash->pending);
    else
        bus_finding(hash->host->block->bus, "cryptocell", "hash mode %u, which the CC310 has not", mode);
    for (unsigned i = 0; i < 8; i++)
        set(hash, HASH_H + 4 * i, words[i]);
    hash->pending_size = 0;
}

static void fill(struct cc_hash *hash, const uint8_t *bytes, size_t size)
{
    while (size) {
        size_t room = CC_HASH_BLOCK - hash->pending_size;
        size_t part = size < room ? size : room;
        memcpy(hash->pending + hash->pending_size, bytes, part);
        hash->pending_size += (uint32_t)part;
        bytes += part;
        size -= part;
        if (hash->pending_size == CC_HASH_BLOCK)
            compress(hash);
    }
}

static uint64_t length(const struct cc_hash *hash)
{
    return (uint64_t)get(hash, HASH_CUR_LEN_1) << 32 | get(hash, HASH_CUR_LEN_0);
}

void cc_hash_absorb(struct cc_hash *hash, const uint8_t *bytes, size_t size)
{
    fill(hash, bytes, size);
    uint64_t digested = length(hash) + size;
    set(hash, HASH_CUR_LEN_0, (uint32_t)digested);
    set(hash, HASH_CUR_LEN_1, (uint32_t)(digested >> 32));
}

static void pad(struct cc_hash *hash)
{
    static const uint8_t zeros[CC_HASH_BLOCK];
    uint8_t bits[LENGTH_SIZE];
    for (unsigned i = 0; i < LENGTH_SIZE; i++)
        bits[i] = (uint8_t)(length(hash) * 8 >> 8 * (LENGTH_SIZE - 1 - i));
    fill(hash, (const uint8_t[]){0x80}, 1);
    fill(hash, zeros, (2 * CC_HASH_BLOCK - LENGTH_SIZE - hash->pending_size) % CC_HASH_BLOCK);
    fill(hash, bits, sizeof bits);
}

void cc_hash_end(struct cc_hash *hash)
{
    if (get(hash, HASH_PAD) & 1 && get(hash, HASH_PAD_AUTO) & 1)
        pad(hash);
}

static void engine_reset(struct cc_hash *hash)
{
    for (size_t i = 0; i < sizeof regs / sizeof regs[0]; i++) {
        for (uint32_t n = 0; n < (regs[i].count ? regs[i].count : 1u); n++)
            set(hash, regs[i].offset + 4 * n, regs[i].reset);
    }
    hash->pending_size = 0;
}

static void reset(void *self, enum reset_cause cause)
{
    (void)cause;
    ((struct cc_hash *)self)->pending_size = 0;
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct cc_hash *hash = self;
    switch (offset) {
    case HASH_SW_RESET:
        engine_reset(hash);
        break;
    case HASH_PAD_FORCE:
        set(hash, offset, value);
        if (value & PAD_FORCE_ENABLE && get(hash, HASH_PAD) & 1)
            pad(hash);
        break;
    case HASH_CONTROL:
    case HASH_INIT_STATE:
        hash->pending_size = 0;
        set(hash, offset, value);
        break;
    case HASH_VERSION:
    case HASH_HW_FLAGS:
        break;
    default:
        set(hash, offset, value);
        break;
    }
}

static void save(void *self, struct state *state)
{
    struct cc_hash *hash = self;
    state_var(state, hash->pending);
    state_var(state, hash->pending_size);
}

void cc_hash_init(struct cc_hash *hash, struct cc_host *host)
{
    memset(hash, 0, sizeof *hash);
    hash->host = host;
    block_add_face(host->block, &(struct face){
                                    .name = "CC_HASH",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .plain = true,
                                    .active = cc_engine_active,
                                    .reset = reset,
                                    .write = write,
                                    .save = save,
                                    .self = hash,
                                });
}
