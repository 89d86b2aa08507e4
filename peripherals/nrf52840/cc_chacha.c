/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/cc_chacha.h"

#include <string.h>

enum {
    CHACHA_CONTROL = 0x380,
    CHACHA_KEY = 0x388,
    CHACHA_KEY_LAST = 0x3a4,
    CHACHA_IV = 0x3a8,
    CHACHA_BUSY = 0x3b0,
    CHACHA_BLOCK_CNT_LSB = 0x3b8,
    CHACHA_BLOCK_CNT_MSB = 0x3bc,
    CHACHA_SW_RESET = 0x3c0,
    CHACHA_ENDIANNESS = 0x3e4,
};

enum {
    CONTROL_KEY_128 = 1 << 3,
    CONTROL_RESET_BLOCK_CNT = 1 << 9,
    CONTROL_IV_96 = 1 << 10,
};

static const struct reg regs[] = {
    {"CHACHA_CONTROL", 0x380, REG_RW, 0, 0, 0},
    {"CHACHA_VERSION", 0x384, REG_R, 1, 0, 0},
    {"CHACHA_KEY", 0x388, REG_W, 0, 8, 0},
    {"CHACHA_IV", 0x3a8, REG_RW, 0, 2, 0},
    {"CHACHA_BUSY", 0x3b0, REG_R, 0, 0, 0},
    {"CHACHA_HW_FLAGS", 0x3b4, REG_R, 1, 0, 0},
    {"CHACHA_BLOCK_CNT_LSB", 0x3b8, REG_RW, 0, 0, 0},
    {"CHACHA_BLOCK_CNT_MSB", 0x3bc, REG_RW, 0, 0, 0},
    {"CHACHA_SW_RESET", 0x3c0, REG_W, 0, 0, 0},
    {"CHACHA_POLY1305_KEY", 0x3c4, REG_R, 0, 8, 0},
    {"CHACHA_ENDIANNESS", 0x3e4, REG_RW, 0, 0, 0},
    {"CHACHA_DEBUG", 0x3e8, REG_R, 0, 0, 0},
};

static uint32_t rotated(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static void quarter_round(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
    static const uint8_t turns[4] = {16, 12, 8, 7};
    for (unsigned i = 0; i < 4; i += 2) {
        x[a] += x[b];
        x[d] = rotated(x[d] ^ x[a], turns[i]);
        x[c] += x[d];
        x[b] = rotated(x[b] ^ x[c], turns[i + 1]);
    }
}

static unsigned rounds_of(uint32_t control)
{
    static const uint8_t rounds[4] = {20, 12, 8, 20};
    return rounds[control >> 4 & 3];
}

/* The words that RFC 8439 starts a block with. */
static void start_words(const struct block *block, uint32_t *x)
{
    static const char *const constants[2] = {"expand 32-byte k", "expand 16-byte k"};
    bool short_key = block_get(block, CHACHA_CONTROL) & CONTROL_KEY_128;
    const char *constant = constants[short_key];
    for (unsigned i = 0; i < 4; i++)
        x[i] = (uint32_t)constant[4 * i] | (uint32_t)constant[4 * i + 1] << 8 |
               (uint32_t)constant[4 * i + 2] << 16 | (uint32_t)constant[4 * i + 3] << 24;
    for (unsigned i = 0; i < 8; i++)
        x[4 + i] = block_get(block, CHACHA_KEY + 4 * (short_key ? i % 4 : i));
    x[12] = block_get(block, CHACHA_BLOCK_CNT_LSB);
    x[13] = block_get(block, CHACHA_BLOCK_CNT_MSB);
    x[14] = block_get(block, CHACHA_IV);
    x[15] = block_get(block, CHACHA_IV + 4);
}

static void count_block(struct block *block)
{
    uint32_t low = block_get(block, CHACHA_BLOCK_CNT_LSB) + 1;
    block_set(block, CHACHA_BLOCK_CNT_LSB, low);
    if (!low && !(block_get(block, CHACHA_CONTROL) & CONTROL_IV_96))
        block_set(block, CHACHA_BLOCK_CNT_MSB, block_get(block, CHACHA_BLOCK_CNT_MSB) + 1);
}

void cc_chacha_run(struct cc_chacha *chacha, const uint8_t *in, size_t size, uint8_t *out)
{
    struct block *block = chacha->host->block;
    uint32_t first[16];
    uint32_t x[16];
    start_words(block, first);
    memcpy(x, first, sizeof x);
    for (unsigned i = rounds_of(block_get(block, CHACHA_CONTROL)); i; i -= 2) {
        for (unsigned column = 0; column < 4; column++)
            quarter_round(x, column, 4 + column, 8 + column, 12 + column);
        for (unsigned n = 0; n < 4; n++)
            quarter_round(x, n, 4 + (n + 1) % 4, 8 + (n + 2) % 4, 12 + (n + 3) % 4);
    }
    for (size_t i = 0; i < size; i++)
        out[i] = in[i] ^ (uint8_t)((x[i / 4] + first[i / 4]) >> 8 * (i & 3));
    count_block(block);
}

static uint32_t read(void *self, uint32_t offset)
{
    const struct cc_chacha *chacha = self;
    if (offset >= CHACHA_KEY && offset <= CHACHA_KEY_LAST)
        return 0;
    if (offset == CHACHA_BUSY)
        return chacha->host->streaming;
    return block_get(chacha->host->block, offset);
}

static void engine_reset(struct block *block)
{
    block_set(block, CHACHA_CONTROL, 0);
    block_set(block, CHACHA_ENDIANNESS, 0);
    for (uint32_t offset = CHACHA_KEY; offset < CHACHA_BUSY; offset += 4)
        block_set(block, offset, 0);
    block_set(block, CHACHA_BLOCK_CNT_LSB, 0);
    block_set(block, CHACHA_BLOCK_CNT_MSB, 0);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct block *block = ((struct cc_chacha *)self)->host->block;
    bool counter = offset == CHACHA_BLOCK_CNT_LSB || offset == CHACHA_BLOCK_CNT_MSB;
    if (offset == CHACHA_SW_RESET)
        engine_reset(block);
    else if (counter || offset == CHACHA_CONTROL || offset == CHACHA_ENDIANNESS ||
             (offset >= CHACHA_KEY && offset < CHACHA_BUSY))
        block_set(block, offset, value);
    if (offset == CHACHA_CONTROL && value & CONTROL_RESET_BLOCK_CNT) {
        block_set(block, CHACHA_BLOCK_CNT_LSB, 0);
        if (!(value & CONTROL_IV_96))
            block_set(block, CHACHA_BLOCK_CNT_MSB, 0);
    }
}

void cc_chacha_init(struct cc_chacha *chacha, struct cc_host *host)
{
    chacha->host = host;
    block_add_face(host->block, &(struct face){
                                    .name = "CC_CHACHA",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .plain = true,
                                    .active = cc_engine_active,
                                    .read = read,
                                    .write = write,
                                    .self = chacha,
                                });
}
