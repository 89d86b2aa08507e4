/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/cc_aes.h"

#include <nettle/aes.h>
#include <string.h>

enum {
    AES_KEY_0 = 0x400,
    AES_KEY_LAST = 0x41c,
    AES_IV_0 = 0x440,
    AES_CTR = 0x460,
    AES_BUSY = 0x470,
    AES_SK = 0x478,
    AES_REMAINING_BYTES = 0x4bc,
    AES_CONTROL = 0x4c0,
    AES_HW_FLAGS = 0x4c8,
    AES_CTR_NO_INCREMENT = 0x4d8,
    AES_SW_RESET = 0x4f4,
    AES_CMAC_SIZE0_KICK = 0x524,
};

enum aes_mode {
    MODE_ECB = 0,
    MODE_CBC = 1,
    MODE_CTR = 2,
    MODE_CBC_MAC = 3,
    MODE_CMAC = 7,
};

enum {
    CONTROL_DECRYPT = 1 << 0,
    CONTROL_XOR_CRYPTOKEY = 1 << 29,
};

static const struct reg regs[] = {
    {"AES_KEY_0", 0x400, REG_W, 0, 8, 0},
    {"AES_IV_0", 0x440, REG_RW, 0, 4, 0},
    {"AES_CTR", 0x460, REG_RW, 0, 4, 0},
    {"AES_BUSY", 0x470, REG_R, 0, 0, 0},
    {"AES_SK", 0x478, REG_W, 0, 0, 0},
    {"AES_CMAC_INIT", 0x47c, REG_W, 0, 0, 0},
    {"AES_REMAINING_BYTES", 0x4bc, REG_RW, 0, 0, 0},
    {"AES_CONTROL", 0x4c0, REG_RW, 0, 0, 0},
    {"AES_HW_FLAGS", 0x4c8, REG_R, 0x108, 0, 0},
    {"AES_CTR_NO_INCREMENT", 0x4d8, REG_RW, 0, 0, 0},
    {"AES_SW_RESET", 0x4f4, REG_W, 0, 0, 0},
    {"AES_CMAC_SIZE0_KICK", 0x524, REG_W, 0, 0, 0},
};

/* The key of one run, expanded. */
struct aes_run {
    struct cc_aes *aes;
    struct block *block;
    struct aes128_ctx encrypt;
    struct aes128_ctx decrypt;
};

static void run_begin(struct aes_run *run, struct cc_aes *aes)
{
    uint8_t key[CC_KEY_SIZE];
    run->aes = aes;
    run->block = aes->host->block;
    cc_get_bytes(run->block, AES_KEY_0, key, sizeof key);
    aes128_set_encrypt_key(&run->encrypt, key);
    aes128_invert_key(&run->decrypt, &run->encrypt);
}

static void add(uint8_t *sum, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        sum[i] ^= bytes[i];
}

static void run_ecb(struct aes_run *run, const uint8_t *in, uint8_t *out, bool decrypt)
{
    if (decrypt)
        aes128_decrypt(&run->decrypt, CC_AES_BLOCK, out, in);
    else
        aes128_encrypt(&run->encrypt, CC_AES_BLOCK, out, in);
}

static void run_cbc(struct aes_run *run, const uint8_t *in, uint8_t *out, bool decrypt)
{
    uint8_t chain[CC_AES_BLOCK];
    uint8_t next[CC_AES_BLOCK];
    cc_get_bytes(run->block, AES_IV_0, chain, sizeof chain);
    if (decrypt) {
        memcpy(next, in, sizeof next);
        aes128_decrypt(&run->decrypt, CC_AES_BLOCK, out, in);
        add(out, chain, sizeof chain);
    } else {
        add(chain, in, sizeof chain);
        aes128_encrypt(&run->encrypt, CC_AES_BLOCK, next, chain);
        memcpy(out, next, sizeof next);
    }
    cc_set_bytes(run->block, AES_IV_0, next, sizeof next);
}

static void run_ctr(struct aes_run *run, const uint8_t *in, size_t size, uint8_t *out)
{
    uint8_t counter[CC_AES_BLOCK];
    uint8_t stream[CC_AES_BLOCK];
    cc_get_bytes(run->block, AES_CTR, counter, sizeof counter);
    aes128_encrypt(&run->encrypt, CC_AES_BLOCK, stream, counter);
    add(stream, in, size);
    memcpy(out, stream, size);
    if (block_get(run->block, AES_CTR_NO_INCREMENT) & 1)
        return;
    for (unsigned i = CC_AES_BLOCK; i-- && ++counter[i] == 0;)
        ;
    cc_set_bytes(run->block, AES_CTR, counter, sizeof counter);
}

/* Doubles a block in GF(2^128), as SP 800-38B makes its subkeys. */
static void double_block(uint8_t *block)
{
    uint8_t carry = block[0] >> 7;
    for (unsigned i = 0; i + 1 < CC_AES_BLOCK; i++)
        block[i] = (uint8_t)(block[i] << 1 | block[i + 1] >> 7);
    block[CC_AES_BLOCK - 1] = (uint8_t)(block[CC_AES_BLOCK - 1] << 1 ^ (carry ? 0x87 : 0));
}

static void mac_block(struct aes_run *run, const uint8_t *block)
{
    uint8_t chain[CC_AES_BLOCK];
    cc_get_bytes(run->block, AES_IV_0, chain, sizeof chain);
    add(chain, block, sizeof chain);
    aes128_encrypt(&run->encrypt, CC_AES_BLOCK, chain, chain);
    cc_set_bytes(run->block, AES_IV_0, chain, sizeof chain);
}

static void cmac_last(struct aes_run *run, const uint8_t *in, size_t size)
{
    uint8_t last[CC_AES_BLOCK] = {0};
    uint8_t subkey[CC_AES_BLOCK] = {0};
    aes128_encrypt(&run->encrypt, CC_AES_BLOCK, subkey, subkey);
    double_block(subkey);
    if (size)
        memcpy(last, in, size);
    if (size < CC_AES_BLOCK) {
        last[size] = 0x80;
        double_block(subkey);
    }
    add(last, subkey, sizeof last);
    mac_block(run, last);
}

static void run_cmac(struct aes_run *run, const uint8_t *in, size_t size)
{
    uint32_t remaining = block_get(run->block, AES_REMAINING_BYTES);
    if (remaining && remaining <= CC_AES_BLOCK)
        cmac_last(run, in, remaining < size ? remaining : size);
    else if (size == CC_AES_BLOCK)
        mac_block(run, in);
    block_set(run->block, AES_REMAINING_BYTES, remaining > size ? remaining - (uint32_t)size : 0);
}

/* One block, or the last part of one. Returns the number of bytes that came out. */
static size_t run_block(struct aes_run *run, const uint8_t *in, size_t size, uint8_t *out)
{
    uint32_t control = block_get(run->block, AES_CONTROL);
    enum aes_mode mode = control >> 2 & 7;
    if (mode == MODE_CTR) {
        run_ctr(run, in, size, out);
        return size;
    }
    if (mode == MODE_CMAC) {
        run_cmac(run, in, size);
        return 0;
    }
    if (size < CC_AES_BLOCK)
        return 0;
    switch (mode) {
    case MODE_ECB:
        run_ecb(run, in, out, control & CONTROL_DECRYPT);
        return CC_AES_BLOCK;
    case MODE_CBC:
        run_cbc(run, in, out, control & CONTROL_DECRYPT);
        return CC_AES_BLOCK;
    case MODE_CBC_MAC:
        mac_block(run, in);
        return 0;
    default:
        bus_finding(run->block->bus, "cryptocell", "AES mode %u, which the CC310 has not", (unsigned)mode);
        return 0;
    }
}

size_t cc_aes_run(struct cc_aes *aes, const uint8_t *in, size_t size, uint8_t *out)
{
    struct aes_run run;
    size_t written = 0;
    run_begin(&run, aes);
    for (size_t done = 0; done < size; done += CC_AES_BLOCK) {
        size_t part = size - done < CC_AES_BLOCK ? size - done : CC_AES_BLOCK;
        written += run_block(&run, in + done, part, out + written);
    }
    return written;
}

static void sample_key(struct cc_aes *aes)
{
    struct block *block = aes->host->block;
    uint8_t key[CC_KEY_SIZE];
    uint8_t old[CC_KEY_SIZE];
    cc_host_key(aes->host, key);
    cc_get_bytes(block, AES_KEY_0, old, sizeof old);
    if (block_get(block, AES_CONTROL) & CONTROL_XOR_CRYPTOKEY)
        add(key, old, sizeof key);
    cc_set_bytes(block, AES_KEY_0, key, sizeof key);
}

static void engine_reset(struct block *block)
{
    for (uint32_t offset = AES_KEY_0; offset < AES_CMAC_SIZE0_KICK; offset += 4) {
        if (offset != AES_HW_FLAGS)
            block_set(block, offset, 0);
    }
}

static uint32_t read(void *self, uint32_t offset)
{
    const struct cc_aes *aes = self;
    if (offset >= AES_KEY_0 && offset <= AES_KEY_LAST)
        return 0;
    if (offset == AES_BUSY)
        return aes->host->streaming;
    return block_get(aes->host->block, offset);
}

static void write(void *self, uint32_t offset, uint32_t value)
{
    struct cc_aes *aes = self;
    struct aes_run run;
    switch (offset) {
    case AES_SK:
        sample_key(aes);
        break;
    case AES_SW_RESET:
        engine_reset(aes->host->block);
        break;
    case AES_CMAC_SIZE0_KICK:
        run_begin(&run, aes);
        cmac_last(&run, NULL, 0);
        break;
    case AES_BUSY:
    case AES_HW_FLAGS:
        break;
    default:
        block_set(aes->host->block, offset, value);
        break;
    }
}

void cc_aes_init(struct cc_aes *aes, struct cc_host *host)
{
    aes->host = host;
    block_add_face(host->block, &(struct face){
                                    .name = "CC_AES",
                                    .regs = regs,
                                    .reg_count = sizeof regs / sizeof regs[0],
                                    .plain = true,
                                    .active = cc_engine_active,
                                    .read = read,
                                    .write = write,
                                    .self = aes,
                                });
}
